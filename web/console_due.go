package web

import (
	"slices"

	"rempart"
)

// A dueStep is the one thing that a case waits for somebody here to do, with
// what its controls need. What it shows is left out of the list of steps below.
type dueStep struct {
	Kind    string
	Qual    rempart.Qualification // "qualify"
	Medium  itemView              // "confirm"
	Clock   clockView             // "rung", "task"
	Step    string                // of the ladder, for "rung"
	Notice  *rempart.Notice       // "send", "failed"
	Group   groupView             // "notify", "review", "unknown"
	Service string                // identifier of the group's, "" for "unknown"
	Waiting []string              // names of services, for "waiting"
	More    int                   // how many of the same kind wait behind it
}

// Is tells whether the step is of a kind.
func (s dueStep) Is(kind string) bool { return s.Kind == kind }

// Acts tells whether the step has something to press; the way to the next case
// then comes second.
func (s dueStep) Acts() bool {
	return !slices.Contains([]string{"new", "read", "waiting", "closed"}, s.Kind)
}

// dueOf says what is to be done now; may tells whether who looks works on cases.
func dueOf(v caseView, may bool) (s dueStep) {
	c := v.Case
	switch {
	case c.State == rempart.CaseClosed:
		return dueStep{Kind: "closed"}
	case c.State == rempart.CaseNew:
		return dueStep{Kind: "new"}
	case !may:
		return dueStep{Kind: "read"}
	}
	first := func(kind string) bool {
		if s.Kind == kind {
			s.More++
			return false
		}
		ok := s.Kind == ""
		if ok {
			s.Kind = kind
		}
		return ok
	}
	for _, q := range c.Quals {
		if q.State == rempart.QualificationProposed && first("qualify") {
			s.Qual = q
		}
	}
	for _, i := range v.Media {
		if i.State == rempart.ItemFiled && first("confirm") {
			s.Medium = i
		}
	}
	for _, k := range v.Clocks.Live {
		if step := v.StepOf(k.Clock); step != "" {
			if first("rung") {
				s.Clock, s.Step = k, step
			}
		} else if k.Doable() && first("task") {
			s.Clock = k
		}
	}
	for _, n := range c.Notices {
		if n.State == rempart.NoticeFailed && first("failed") || n.State == rempart.NoticeDraft && first("send") {
			s.Notice = &n
		}
	}
	for _, kind := range []string{"notify", "review", "unknown"} {
		for _, g := range v.Groups {
			again := !slices.ContainsFunc(g.Items, func(i itemView) bool { return !i.Disappointed() })
			is := "notify"
			switch {
			case g.Service.ID == "":
				is = "unknown"
			case again:
				is = "review"
			}
			if is != kind {
				continue
			}
			if !v.Grounds && kind != "unknown" {
				first("grounds")
			} else if first(kind) {
				s.Group, s.Service = g, g.Service.ID
			}
		}
	}
	if s.Kind != "" {
		return s
	}
	for _, n := range c.Notices {
		switch n.State {
		case rempart.NoticeQueued, rempart.NoticeSent, rempart.NoticeAcknowledged:
			if !slices.Contains(s.Waiting, n.ServiceName) {
				s.Waiting = append(s.Waiting, n.ServiceName)
			}
		}
	}
	s.Kind = "close"
	if len(s.Waiting) > 0 || slices.ContainsFunc(c.Items, func(i rempart.Item) bool { return !i.State.Settled() }) {
		s.Kind = "waiting"
	}
	return s
}

// A partView is one thing of a case with its controls, as the due step or in the
// list below.
type partView struct {
	caseView
	Qual   rempart.Qualification
	Medium itemView
	Group  groupView
	Clock  *clockView
	Open   bool // it can be acted on
	First  bool // it is what is due
}

// OfQual, OfMedium, OfGroup and OfClock are the case with one thing of it.
func (v caseView) OfQual(q rempart.Qualification, open, first bool) partView {
	return partView{caseView: v, Qual: q, Open: open, First: first}
}

func (v caseView) OfMedium(i itemView, open, first bool) partView {
	return partView{caseView: v, Medium: i, Open: open, First: first}
}

func (v caseView) OfGroup(g groupView, open, first bool) partView {
	return partView{caseView: v, Group: g, Open: open, First: first}
}

func (v caseView) OfClock(k clockView) partView { return partView{caseView: v, Clock: &k} }

// Folded are the clocks that need not be read now: neither the next one, nor one
// that asks for something.
func (v clocksView) Folded() (out []clockView) {
	for i, k := range v.Live {
		if i > 0 && k.Task == "" {
			out = append(out, k)
		}
	}
	return out
}

// Chosen is how many items of a group its form ticks at first.
func (g groupView) Chosen() (n int) {
	for _, i := range g.Items {
		if !i.Disappointed() {
			n++
		}
	}
	return n
}
