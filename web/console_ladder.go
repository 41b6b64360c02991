package web

import (
	"net/http"
	"slices"
	"time"

	"rempart"
	"rempart/flow"
)

// A ladderView is what was done because a notice was not answered as asked, and
// what comes next.
type ladderView struct {
	At    string // address of the case
	Lines []ladderLine
	Note  string // why some steps do not come
}

// A ladderLine is one step, taken or to come.
type ladderLine struct {
	ID    string // of the rung; "" for a step to come
	Name  string
	State string // of the rung, "next" or "later"
	When  string
	Proof string
	Now   bool   // somebody is asked to do it
	Until string // when it leaves, while it can be called back
}

// rungName names a step; reminders are numbered.
func rungName(p page, kind rempart.RungKind, n int) string {
	if kind == rempart.RungReminder && n > 1 {
		return p.T("rung.reminder.n", n)
	}
	return upperFirst(p.T("rung." + string(kind)))
}

// proofWords says in a line how something was done by hand.
func proofWords(p page, x *rempart.Proof) string {
	if x == nil {
		return ""
	}
	return p.T("proof.line", p.Day(x.Day), p.T("proof.channel."+x.Channel), x.Reference, string(x.By))
}

// ladders returns the ladder of each notice that has one, by identifier.
func ladders(p page, c *rempart.Case) map[string]*ladderView {
	out := map[string]*ladderView{}
	for k := range c.Notices {
		n := &c.Notices[k]
		v := &ladderView{At: p.URL("/console/cases/" + c.Ref)}
		reminders, open := 0, false
		for j := range n.Rungs {
			r := &n.Rungs[j]
			if r.Kind == rempart.RungReminder {
				reminders++
			}
			open = open || r.Open()
			l := ladderLine{ID: r.ID, Name: rungName(p, r.Kind, reminders), State: string(r.State), When: p.T("since", p.DateTime(r.Since)), Proof: proofWords(p, r.Proof), Now: r.State == rempart.RungAsked}
			if r.State == rempart.RungQueued && r.Left.IsZero() && !r.LeavesAt.IsZero() {
				l.Until = p.DateTime(r.LeavesAt)
			}
			if r.Reason != "" {
				l.Proof = p.T("clock.pause.reason", r.Reason)
			}
			v.Lines = append(v.Lines, l)
		}
		for j := range c.Clocks {
			clock := &c.Clocks[j]
			if clock.NoticeID != n.ID || !clock.Live() {
				continue
			}
			for i, s := range c.Upcoming(clock) {
				if s.Kind == rempart.RungReminder {
					reminders++
				}
				l := ladderLine{Name: rungName(p, s.Kind, reminders), State: "later", When: p.T("ladder.after", spanWords(p, s.After))}
				switch {
				case i == 0 && !open && clock.State != rempart.ClockPaused:
					l.State, l.When = "next", p.T("ladder.on", p.DateTime(clock.DueAt))
					if s.Kind == rempart.RungReminder {
						l.When = p.T("ladder.on.self", p.DateTime(clock.DueAt))
					}
				case i == 0 && !open:
					l.When = p.T("clock.left.paused")
				}
				v.Lines = append(v.Lines, l)
			}
			switch {
			case len(clock.Ladder) == 0:
			case clock.Await != rempart.AwaitRedress:
				v.Note = p.T("ladder.note.silence")
			case n.Exempt:
				v.Note = p.T("ladder.note.exempt")
			}
		}
		if len(v.Lines) > 0 {
			out[n.ID] = v
		}
	}
	return out
}

// Of is the page with other data, for a part of it.
func (p page) Of(data any) page {
	p.Data = data
	return p
}

// A rungView is one step of a ladder: what it says, and how it is done.
type rungView struct {
	Case     *rempart.Case
	Notice   *rempart.Notice
	Rung     *rempart.Rung
	Source   string // the text it rests on
	Doubtful bool   // that text was not read at its source
	Delay    string
	Text     string
	Channel  bool // it can be sent through the platform's own channel
	ByMail   bool // which is e-mail
	Open     bool // somebody may still do it
	Answer   *repliedView
	Proof    string
	Typed    rempart.Proof
	Today    string
	Channels []string
	Remarks  []remark

	Recallable bool // it was sent, and has not left yet
}

// On returns the remark of a field, or nil.
func (v rungView) On(field string) *remark { return remarkOn(v.Remarks, field) }

// rungOf returns the step that the address names, and its case.
func (s *Server) rungOf(r *http.Request) (*rempart.Case, *rempart.Notice, *rempart.Rung, error) {
	c, err := s.caseOf(r)
	if err != nil {
		return nil, nil, nil, err
	}
	n, g := c.RungOf(r.PathValue("id"))
	if g == nil {
		return nil, nil, nil, &rempart.Error{Kind: rempart.NotFound, Code: "rung.missing", Public: "There is no such step."}
	}
	return c, n, g, nil
}

func (s *Server) rungShow(w http.ResponseWriter, r *http.Request) {
	c, n, g, err := s.rungOf(r)
	if err == nil {
		err = s.viewed(r, "case.viewed", c.ID, c.Ref)
	}
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	s.rungPage(w, r, http.StatusOK, c, n, g, nil)
}

func (s *Server) rungPage(w http.ResponseWriter, r *http.Request, status int, c *rempart.Case, n *rempart.Notice, g *rempart.Rung, wrong error) {
	p := s.consolePage(r)
	texts, err := s.DB.Templates(r.Context())
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	v := rungView{Case: c, Notice: n, Rung: g, Text: flow.RungText(texts, c, n, g), Proof: proofWords(p, g.Proof), Channels: rempart.ProofChannels,
		Today: s.Now().In(paris).Format(time.DateOnly), Remarks: remarksOf(p, wrong)}
	v.Open = g.State == rempart.RungAsked && p.May("work") && c.State != rempart.CaseClosed
	v.Recallable = g.Recallable(s.Now())
	v.Typed = rempart.Proof{Day: v.Today}
	if wrong != nil && r.PostForm.Has("text") {
		v.Text = plainText(r.PostForm.Get("text"))
		v.Typed = proofOf(r)
	}
	for _, k := range c.Clocks {
		for _, step := range k.Ladder {
			if k.ID == g.Clock && step.ID == g.Step {
				v.Source, v.Doubtful, v.Delay = step.Source, !step.Verified, spanWords(p, step.After)
			}
		}
	}
	reached, err := s.Flow.Reaches(r.Context(), n)
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	if k := len(n.Attempts) - 1; k >= 0 {
		v.ByMail = n.Attempts[k].Channel == rempart.ChannelMail
	}
	v.Channel = reached && (g.Kind == rempart.RungReminder || g.Kind == rempart.RungComplaint)
	if g.Kind == rempart.RungComplaint && g.State == rempart.RungSent && p.May("work") && c.State != rempart.CaseClosed {
		v.Answer = s.repliedView(p, r, c, n, wrong)
	}
	p.Title, p.Data = p.T("rung.title", upperFirst(p.T("rung."+string(g.Kind))), n.ServiceName, c.Ref), v
	s.render(w, r, status, "console/rung", p)
}

func proofOf(r *http.Request) rempart.Proof {
	f := r.PostForm
	return rempart.Proof{Day: f.Get("day"), Channel: f.Get("channel"), Reference: plainText(f.Get("proof"))}
}

// rungPost sends, calls back, records, skips or drafts a step, or records its answer.
func (s *Server) rungPost(w http.ResponseWriter, r *http.Request) {
	if err := s.form(w, r); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	c, n, g, err := s.rungOf(r)
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	_, cal, err := s.DB.ClockPolicy(r.Context())
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	m, _ := staffOf(r)
	text, code := plainText(r.PostForm.Get("text")), ""
	var change func(c *rempart.Case, at time.Time) error
	switch r.PostForm.Get("action") {
	case "send":
		code, change = "rung_queued", func(c *rempart.Case, at time.Time) error {
			return c.SendRungIn(g.ID, text, s.Flow.Undo, m.Alias, at)
		}
	case "recall":
		code, change = "rung_recalled", func(c *rempart.Case, at time.Time) error { return c.RecallRung(g.ID, m.Alias, at) }
	case "record":
		code, change = "rung_recorded", func(c *rempart.Case, at time.Time) error {
			return c.RecordRung(g.ID, text, proofOf(r), cal, m.Alias, at)
		}
	case "skip":
		code, change = "rung_skipped", func(c *rempart.Case, at time.Time) error {
			return c.SkipRung(g.ID, plainText(r.PostForm.Get("reason")), cal, m.Alias, at)
		}
	case "answer":
		code, change = "answer_recorded", func(c *rempart.Case, at time.Time) error {
			return c.ComplaintAnswered(n.ID, g.ID, decisionsOf(r, n), m.Alias, at)
		}
	case "draft":
		if err = s.Flow.DraftSecond(r.Context(), c.ID, g.ID, m.Alias); err == nil {
			if c, _, g, err = s.rungOf(r); err == nil && g.Draft != "" {
				done(w, r, "/console/cases/"+c.Ref+"/notices/"+g.Draft, "notice_prepared")
				return
			}
		}
	default:
		s.unknownAction(w, r)
		return
	}
	if change != nil {
		err = s.DB.UpdateCase(r.Context(), c.ID, "", func(c *rempart.Case) error { return change(c, s.Now()) })
	}
	if err == nil {
		s.Flow.Wake()
		done(w, r, "/console/cases/"+c.Ref+"/steps/"+g.ID, code)
		return
	}
	why := err
	switch rempart.KindOf(why) {
	case rempart.Invalid, rempart.Conflict:
		if c, n, g, err = s.rungOf(r); err == nil {
			s.rungPage(w, r, statusOf(why), c, n, g, why)
			return
		}
	}
	s.fail(w, r, "console", why)
}

// A repliedView is the form with which somebody records what a platform decided,
// as it wrote it by another way than ours.
type repliedView struct {
	First    bool // no decision was recorded yet
	Items    []repliedItem
	Form     rempart.Decision
	Measures []rempart.Measure
	Grounds  []string
	Redress  []string
	Keep     bool // an item may keep the decision that it has
	Remarks  []remark
}

// A repliedItem is one item of that form.
type repliedItem struct {
	ID, Label string
	Measure   rempart.Measure // chosen
}

// On returns the remark of a field, or nil.
func (v repliedView) On(field string) *remark { return remarkOn(v.Remarks, field) }

// Grants tells whether a means of redress is ticked.
func (v repliedView) Grants(way string) bool { return slices.Contains(v.Form.Redress, way) }

func (s *Server) repliedView(p page, r *http.Request, c *rempart.Case, n *rempart.Notice, wrong error) *repliedView {
	v := &repliedView{Measures: measures, Grounds: grounds, Redress: redress, Keep: true, Remarks: remarksOf(p, wrong), Form: rempart.Decision{Ground: "law"}}
	if wrong != nil {
		v.Form = decisionOf(r)
	}
	addresses, _ := items(p, c)
	for _, a := range addresses {
		if a.NoticeID != n.ID || !slices.ContainsFunc(n.Items, func(ni rempart.NoticeItem) bool { return ni.ID == a.ID }) {
			continue
		}
		x := repliedItem{ID: a.ID, Label: a.Label}
		if wrong != nil {
			x.Measure = rempart.Measure(r.PostForm.Get("measure." + a.ID))
		}
		v.Items = append(v.Items, x)
	}
	return v
}

// decisionsOf reads that form: one measure for each item that has one, the rest
// the same for all.
func decisionsOf(r *http.Request, n *rempart.Notice) map[string]rempart.Decision {
	out := map[string]rempart.Decision{}
	for _, ni := range n.Items {
		if m := rempart.Measure(r.PostForm.Get("measure." + ni.ID)); slices.Contains(measures, m) {
			d := decisionOf(r)
			d.Measure = m
			out[ni.ID] = d
		}
	}
	return out
}

// decisionPost corrects the decision on one item of a notice.
func (s *Server) decisionPost(w http.ResponseWriter, r *http.Request) {
	if err := s.form(w, r); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	c, n, err := s.noticeOf(r)
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	m, _ := staffOf(r)
	item := r.PathValue("item")
	err = s.DB.UpdateCase(r.Context(), c.ID, "", func(c *rempart.Case) error {
		if i := c.Item(item); i == nil || i.NoticeID != n.ID {
			return &rempart.Error{Kind: rempart.NotFound, Code: "item.missing", Public: "There is no such item."}
		}
		if i := c.Item(item); i.Decision == nil && c.Notice(n.ID).AnsweredByHand() {
			return c.DecideByHand(n.ID, item, decisionOf(r), m.Alias, s.Now())
		}
		return c.CorrectDecision(item, decisionOf(r), plainText(r.PostForm.Get("reason")), m.Alias, s.Now())
	})
	if err == nil {
		s.Flow.Wake()
		done(w, r, "/console/cases/"+c.Ref+"/notices/"+n.ID, "decision_corrected")
		return
	}
	s.noticeRefused(w, r, err, noticeView{Corrects: item, Correction: decisionOf(r), Reason: plainText(r.PostForm.Get("reason"))})
}

// noticeRefused shows the notice as it is now, with why a change was refused and
// what was typed.
func (s *Server) noticeRefused(w http.ResponseWriter, r *http.Request, why error, typed noticeView) {
	switch rempart.KindOf(why) {
	case rempart.Invalid, rempart.Conflict:
	default:
		s.fail(w, r, "console", why)
		return
	}
	c, n, err := s.noticeOf(r)
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	typed.Notice, typed.Explanation, typed.GoodFaith = n, n.Explanation, n.GoodFaith
	typed.Remarks = remarksOf(s.consolePage(r), why)
	s.noticePage(w, r, statusOf(why), c, typed)
}

// StepOf returns the step that a clock's task asks for, "" if it asks for none.
func (v caseView) StepOf(k rempart.Clock) string {
	n := v.Case.Notice(k.NoticeID)
	if n == nil || k.Task == "" {
		return ""
	}
	for _, r := range n.Rungs {
		if r.Clock == k.ID && r.State == rempart.RungAsked {
			return r.ID
		}
	}
	return ""
}

// Recallable tells whether a notice has not left yet.
func (v caseView) Recallable(id string) bool {
	n := v.Case.Notice(id)
	return n != nil && n.Recallable(v.Now)
}
