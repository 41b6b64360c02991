package web

import (
	"net/url"
	"strings"

	"rempart"
)

// A ladderStepView is one step of the ladder, as the administrator edits it.
type ladderStepView struct {
	ID, Name, When, Source string
	Doubtful, First, Off   bool
	After                  spanView
	Wrong                  *remark
}

// ladderSteps is the ladder of a policy as a form; typed is what comes back when
// something was wrong with it.
func ladderSteps(p page, policy rempart.ClockPolicy, typed url.Values, wrong error) []ladderStepView {
	var out []ladderStepView
	remarks := remarksOf(p, wrong)
	reminders := 0
	for k, s := range policy.Ladder {
		if s.Kind == rempart.RungReminder {
			reminders++
		}
		name := "step." + s.ID
		v := ladderStepView{ID: s.ID, Name: rungName(p, s.Kind, reminders), Source: s.Source, Doubtful: !s.Verified, First: k == 0 && s.After.IsZero(), Off: s.Off, After: viewSpan(name, s.After)}
		switch s.Kind {
		case rempart.RungReminder, rempart.RungSecond:
			v.When = p.T("ladder.admin.when.silence")
		case rempart.RungComplaint, rempart.RungBody:
			v.When = p.T("ladder.admin.when.redress")
		default:
			v.When = p.T("ladder.admin.when.both")
		}
		if wrong != nil {
			v.Off = typed.Get(name+".off") != ""
			if typed.Has(name) {
				v.After.N, v.After.Unit = typed.Get(name), typed.Get(name+".unit")
			}
		}
		for j := range remarks {
			if remarks[j].Field == name || remarks[j].Field == s.ID {
				v.Wrong = &remarks[j]
			}
		}
		out = append(out, v)
	}
	return out
}

// ladderOf reads the ladder that the form asks for: the delays and which steps
// there are; their order and sources stay.
func ladderOf(was []rempart.LadderStep, form url.Values, wrong rempart.Problems) ([]rempart.LadderStep, rempart.Problems) {
	out := append([]rempart.LadderStep(nil), was...)
	for k := range out {
		s := &out[k]
		name := "step." + s.ID
		s.Off = form.Get(name+".off") != ""
		if !form.Has(name) { // the first follows at once
			continue
		}
		span, err := rempart.ParseSpan(strings.TrimSpace(form.Get(name)) + form.Get(name+".unit"))
		if err != nil || span.IsZero() {
			wrong = append(wrong, &rempart.Error{Kind: rempart.Invalid, Field: name, Code: "clock.span", Public: "Give a length of time as a number and its unit, two years at most."})
			continue
		}
		s.After = span
	}
	return out, wrong
}
