package web

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"rempart"
)

// A noticeView is one notice: as the platform will see it, what it lacks, what
// became of it.
type noticeView struct {
	Case        *rempart.Case
	Notice      *rempart.Notice
	Preview     page // the page in the notice's language
	Minor       bool
	Missing     []remark
	Stuck       bool // it lacks something that its own form cannot give
	Explanation string
	GoodFaith   bool
	Items       []noticeItemView
	Remarks     []remark

	Corrects   string           // the item whose decision is being corrected
	Correction rempart.Decision // as it was typed
	Reason     string
	Ladder     *ladderView
	Recallable bool // it has not left yet
	ByHand     *byHandView
	Ways       []rempart.Channel // left for one that could not be delivered, in the order of the contact book
	Perhaps    bool              // a try at delivering it may have arrived
	Proof      string
}

// A noticeItemView is one item of a notice with what the platform decided.
type noticeItemView struct {
	Label    string
	Address  string
	State    rempart.ItemState
	Decision *rempart.Decision
	Prints   []printLine
	ID       string
	Past     []rempart.PastDecision
	Correct  *repliedView // nil when there is nothing to correct
}

// Editable tells whether the text can still change.
func (v noticeView) Editable() bool { return v.Notice.State == rempart.NoticeDraft }

// Lacks returns what is missing of one field, or nil.
func (v noticeView) Lacks(field string) *remark { return remarkOn(v.Missing, field) }

// noticePrepare drafts a notice: service, and item once for each address.
func (s *Server) noticePrepare(w http.ResponseWriter, r *http.Request) {
	c, ok := s.postedCase(w, r)
	if !ok {
		return
	}
	m, _ := staffOf(r)
	id, err := s.Flow.Draft(r.Context(), c.ID, r.PostForm.Get("service"), r.PostForm["item"], m.Alias)
	if err != nil {
		s.caseRefused(w, r, err)
		return
	}
	done(w, r, "/console/cases/"+c.Ref+"/notices/"+id, "notice_prepared")
}

func (s *Server) noticeShow(w http.ResponseWriter, r *http.Request) {
	c, n, err := s.noticeOf(r)
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	if err := s.viewed(r, "case.viewed", c.ID, c.Ref); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	s.noticePage(w, r, http.StatusOK, c, noticeView{Notice: n, Explanation: n.Explanation, GoodFaith: n.GoodFaith})
}

// noticeOf returns the notice that the address names, and its case.
func (s *Server) noticeOf(r *http.Request) (*rempart.Case, *rempart.Notice, error) {
	c, err := s.caseOf(r)
	if err != nil {
		return nil, nil, err
	}
	n := c.Notice(r.PathValue("id"))
	if n == nil {
		return nil, nil, &rempart.Error{Kind: rempart.NotFound, Code: "notice.missing", Public: "There is no such notice."}
	}
	return c, n, nil
}

func (s *Server) noticePage(w http.ResponseWriter, r *http.Request, status int, c *rempart.Case, v noticeView) {
	p := s.consolePage(r)
	v.Case, v.Minor = c, c.Facts.Minor()
	v.Preview = p
	v.Preview.Lang = v.Notice.Lang
	// What is in the form counts, saved or not: only then does the page say
	// what sending would lack.
	now := *v.Notice
	now.Explanation, now.GoodFaith = v.Explanation, v.GoodFaith
	missing := now.Missing()
	v.Missing = missingRemarks(p, missing)
	for _, m := range missing {
		if m.Field != "explanation" && m.Field != "good_faith" {
			v.Stuck = true
		}
	}
	addresses, _ := items(p, c)
	for _, ni := range v.Notice.Items {
		x := noticeItemView{Address: ni.Address}
		for _, a := range addresses {
			if a.ID == ni.ID {
				x.ID, x.Label, x.State, x.Decision, x.Past = a.ID, a.Label, a.State, a.Decision, a.Past
				if a.NoticeID != v.Notice.ID {
					x.Decision, x.Past = nil, nil
				}
				if x.Decision == nil && a.NoticeID == v.Notice.ID && v.Notice.AnsweredByHand() && !a.State.Settled() && p.May("work") && c.State != rempart.CaseClosed {
					x.Correct = &repliedView{First: true, Measures: measures, Grounds: grounds, Redress: redress, Form: rempart.Decision{Ground: "law"}, Items: []repliedItem{{ID: a.ID, Label: a.Label}}}
					if v.Corrects == a.ID {
						x.Correct.Form, x.Correct.Remarks = v.Correction, v.Remarks
					}
				}
				if x.Decision != nil && p.May("work") && c.State != rempart.CaseClosed {
					x.Correct = &repliedView{Measures: measures, Grounds: grounds, Redress: redress, Form: *x.Decision, Items: []repliedItem{{ID: a.ID, Label: a.Label}}}
					if v.Corrects == a.ID {
						x.Correct.Form, x.Correct.Remarks = v.Correction, v.Remarks
					}
				}
			}
		}
		for _, f := range ni.Fingerprints {
			x.Prints = append(x.Prints, lineOf(v.Preview, f))
		}
		v.Items = append(v.Items, x)
	}
	v.Proof = proofWords(p, v.Notice.Proof)
	if p.May("work") && c.State != rempart.CaseClosed {
		if v.Notice.State == rempart.NoticeFailed {
			svc, err := s.DB.Service(r.Context(), v.Notice.ServiceID)
			if err != nil && rempart.KindOf(err) != rempart.NotFound {
				s.fail(w, r, "console", err)
				return
			}
			if v.Ways, _, err = s.Flow.Onward(r.Context(), v.Notice); err != nil {
				s.fail(w, r, "console", err)
				return
			}
			v.Perhaps = !v.Notice.NotArrived()
			v.ByHand = byHand(p, v.Notice, svc, s.Now().In(paris).Format(time.DateOnly), v.Remarks)
			if r.PostForm.Has("proof") {
				v.ByHand.Typed = proofOf(r)
			}
		}
	}
	v.Recallable = v.Notice.Recallable(s.Now())
	v.Ladder = ladders(p, c)[v.Notice.ID]
	p.Title, p.Data = p.T("notice.title", v.Notice.ServiceName, c.Ref), v
	s.render(w, r, status, "console/notice", p)
}

// noticePost saves, sends or cancels a notice. Sending saves the text first, in
// the same transaction.
func (s *Server) noticePost(w http.ResponseWriter, r *http.Request) {
	if err := s.form(w, r); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	c, n, err := s.noticeOf(r)
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	typed := noticeView{Notice: n, Explanation: n.Explanation, GoodFaith: n.GoodFaith}
	edited := r.PostForm.Has("explanation") || r.PostForm.Has("good_faith")
	if edited {
		typed.GoodFaith = r.PostForm.Get("good_faith") != ""
		if r.PostForm.Has("explanation") {
			typed.Explanation = plainText(r.PostForm.Get("explanation"))
		}
	}
	m, _ := staffOf(r)
	var code string
	var change func(c *rempart.Case, at time.Time) error
	switch r.PostForm.Get("action") {
	case "save":
		code = "notice_saved"
		change = func(c *rempart.Case, at time.Time) error {
			return c.EditNotice(n.ID, typed.Explanation, typed.GoodFaith, m.Alias, at)
		}
	case "send":
		code = "notice_queued"
		change = func(c *rempart.Case, at time.Time) error {
			if edited && (typed.Explanation != n.Explanation || typed.GoodFaith != n.GoodFaith) {
				if err := c.EditNotice(n.ID, typed.Explanation, typed.GoodFaith, m.Alias, at); err != nil {
					return err
				}
			}
			return c.SendNoticeIn(n.ID, s.Flow.Undo, m.Alias, at)
		}
	case "by":
		way, err := rempart.ParseChannel(r.PostForm.Get("way"))
		if err == nil {
			err = s.left(r, n, way)
		}
		code = "notice_queued"
		change = func(c *rempart.Case, at time.Time) error {
			if err != nil {
				return err
			}
			return c.SendNoticeBy(n.ID, way, s.Flow.Undo, m.Alias, at)
		}
	case "record":
		code = "notice_recorded"
		change = func(c *rempart.Case, at time.Time) error { return c.RecordNotice(n.ID, proofOf(r), m.Alias, at) }
	case "recall":
		code = "notice_recalled"
		change = func(c *rempart.Case, at time.Time) error { return c.RecallNotice(n.ID, m.Alias, at) }
	case "acknowledged":
		code = "notice_acknowledged"
		change = func(c *rempart.Case, at time.Time) error {
			return c.AcknowledgeByHand(n.ID, r.PostForm.Get("number"), m.Alias, at)
		}
	case "arrived":
		code = "notice_arrived"
		change = func(c *rempart.Case, at time.Time) error { return c.NoticeArrived(n.ID, m.Alias, at) }
	case "cancel":
		code = "notice_cancelled"
		change = func(c *rempart.Case, at time.Time) error { return c.CancelNotice(n.ID, m.Alias, at) }
	default:
		s.unknownAction(w, r)
		return
	}
	err = s.DB.UpdateCase(r.Context(), c.ID, "", func(c *rempart.Case) error { return change(c, s.Now()) })
	if err == nil {
		s.Flow.Wake()
		done(w, r, "/console/cases/"+c.Ref+"/notices/"+n.ID, code)
		return
	}
	switch rempart.KindOf(err) {
	case rempart.Invalid, rempart.Conflict:
	default:
		s.fail(w, r, "console", err)
		return
	}
	why := err
	if c, n, err = s.noticeOf(r); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	typed.Notice = n // as it is now, with the text as it was typed
	typed.Remarks = remarksOf(s.consolePage(r), why)
	s.noticePage(w, r, statusOf(why), c, typed)
}

// left tells whether a channel is one that the contact book has left for a notice.
func (s *Server) left(r *http.Request, n *rempart.Notice, way rempart.Channel) error {
	ways, _, err := s.Flow.Onward(r.Context(), n)
	if err == nil && !slices.Contains(ways, way) {
		err = &rempart.Error{Kind: rempart.Conflict, Field: "way", Code: "notice.channel_gone", Public: "The contact book does not have this channel for the notice any more. Look at it again."}
	}
	return err
}

// Reasons puts a platform's decision and its statement of reasons in words.
func (p page) Reasons(d *rempart.Decision) []factLine {
	out := []factLine{{p.T("decision.measure"), p.T("measure." + string(d.Measure))}}
	var list []string
	for _, x := range d.Restrictions {
		list = append(list, p.sentence("restriction."+string(x), string(x)))
	}
	add := func(key, value string) {
		if value != "" {
			out = append(out, factLine{p.T(key), value})
		}
	}
	add("decision.restrictions", strings.Join(list, p.T("list.separator")))
	add("decision.other", d.Other)
	if d.Until != "" {
		add("decision.until", p.Day(d.Until))
	}
	add("decision.ground", p.sentence("ground."+d.Ground, d.Ground))
	add("decision.reference", d.Reference)
	add("decision.facts", d.Facts)
	add("decision.explanation", d.Explanation)
	if d.Scope != "" {
		add("decision.scope", p.sentence("scope."+d.Scope, d.Scope))
	}
	automated := "no"
	if d.Automated {
		automated = "yes"
	}
	if d.Means == "" {
		add("decision.automated", p.T("automated."+automated))
	} else {
		add("decision.means", p.sentence("means."+string(d.Means), string(d.Means)))
	}
	if d.Detected {
		add("decision.detected", p.T("detected.yes"))
	}
	list = nil
	for _, x := range d.ContentTypes {
		list = append(list, p.sentence("content."+x, x))
	}
	add("decision.content_types", strings.Join(list, p.T("list.separator")))
	if d.PostedOn != "" {
		add("decision.posted_on", p.Day(d.PostedOn))
	}
	var ways []string
	for _, way := range d.Redress {
		ways = append(ways, p.sentence("redress."+way, way))
	}
	add("decision.redress", strings.Join(ways, p.T("list.separator")))
	add("decision.at", p.DateTime(d.At))
	return out
}
