package web

// The form about a notifier, POST /console/notices/{number}/notifier: action is
// warn, suspend or lift; reason, which the notifier reads; days of a suspension.
//
// The form of a referral, POST /console/notices/{number}/referral: action is open,
// sent or drop; reason.

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"rempart"
)

// A notifierView is what the sender of a notice sent, and what was done about it.
type notifierView struct {
	rempart.Misuse
	rempart.NotifierMeasure
	Says      string
	Suspended bool
	Propose   bool
	Typed     string
	Remarks   []remark
	From, Of  int // the numbers from which a warning is proposed
}

// A referralView is a referral, and the text prepared for the authority.
type referralView struct {
	*rempart.Referral
	Text    string
	Open    bool
	Typed   string
	Remarks []remark
}

// notifierOf returns what is known of the sender of a notice; nil of one who gave
// no name.
func (s *Server) notifierOf(r *http.Request, p page, i *rempart.Intake) (*notifierView, error) {
	if i.PeerID == "" && rempart.NotifierName(i.Notice) == "" {
		return nil, nil
	}
	m, err := s.DB.Misuse(r.Context(), i.PeerID, i.Notice)
	if err != nil {
		return nil, err
	}
	v := &notifierView{Misuse: m, From: rempart.MisuseFrom, Of: rempart.MisusePart}
	if v.NotifierMeasure, err = s.DB.Measure(r.Context(), i.PeerID, i.Notice); err != nil {
		return nil, err
	}
	v.Says = p.T("notifier.says", m.Notices, m.Decided, m.Unfounded)
	v.Suspended = v.IsSuspended(s.Now())
	v.Propose = m.Frequent() && v.WarnedAt.IsZero()
	return v, nil
}

func (s *Server) notifierPost(w http.ResponseWriter, r *http.Request) {
	i, ok := s.postedIntake(w, r)
	if !ok {
		return
	}
	m, _ := staffOf(r)
	now, reason, action := s.Now(), plainText(r.PostForm.Get("reason")), r.PostForm.Get("action")
	e := rempart.Event{Kind: "notifier." + action, Subject: i.ID, Actor: m.Alias, At: now, Data: map[string]string{}}
	change := map[string]func(*rempart.NotifierMeasure) error{
		"warn": func(x *rempart.NotifierMeasure) error { return x.Warn(reason, m.Alias, now) },
		"suspend": func(x *rempart.NotifierMeasure) error {
			days, _ := strconv.Atoi(r.PostForm.Get("days"))
			err := x.Suspend(days, reason, m.Alias, now)
			e.Data["until"] = x.Until.UTC().Format(time.RFC3339)
			return err
		},
		"lift": func(x *rempart.NotifierMeasure) error { return x.Lift(now) },
	}[action]
	err := error(&rempart.Error{Kind: rempart.Invalid, Field: "action", Code: "form.action", Public: "This form asks for an action that does not exist."})
	if change != nil {
		err = s.DB.ChangeMeasure(r.Context(), i.PeerID, i.Notice, e, change)
	}
	s.answered(w, r, i, err, "notifier_"+action, &triedForm{what: "notifier", typed: reason})
}

func (s *Server) referralPost(w http.ResponseWriter, r *http.Request) {
	i, ok := s.postedIntake(w, r)
	if !ok {
		return
	}
	m, _ := staffOf(r)
	now, reason, action := s.Now(), plainText(r.PostForm.Get("reason")), r.PostForm.Get("action")
	err := s.DB.UpdateIntake(r.Context(), i.ID, func(i *rempart.Intake) error {
		switch action {
		case "open":
			return i.OpenReferral(reason, m.Alias, now)
		case "sent", "drop":
			return i.CloseReferral(action == "sent", reason, m.Alias, now)
		}
		return &rempart.Error{Kind: rempart.Invalid, Field: "action", Code: "form.action", Public: "This form asks for an action that does not exist."}
	})
	s.answered(w, r, i, err, "referral_"+action, &triedForm{what: "referral", typed: reason})
}

// postedIntake reads a form about a notice, or answers.
func (s *Server) postedIntake(w http.ResponseWriter, r *http.Request) (*rempart.Intake, bool) {
	err := s.form(w, r)
	var i *rempart.Intake
	if err == nil {
		i, err = s.DB.IntakeByNumber(r.Context(), r.PathValue("number"))
	}
	if err != nil {
		s.fail(w, r, "console", err)
		return nil, false
	}
	return i, true
}

// A triedForm is a form beside the decisions that came back.
type triedForm struct {
	what, typed string
	remarks     []remark
}

// triedFormKey is where a request holds it.
type triedFormKey struct{}

// answered leads back to the notice, or shows it with what was typed and what is
// wrong with it.
func (s *Server) answered(w http.ResponseWriter, r *http.Request, i *rempart.Intake, err error, code string, tried *triedForm) {
	switch k := rempart.KindOf(err); {
	case err == nil:
		done(w, r, "/console/notices/"+i.Number, code)
	case k == rempart.Invalid || k == rempart.Conflict:
		tried.remarks = remarksOf(s.consolePage(r), err)
		s.intakePage(w, r.WithContext(context.WithValue(r.Context(), triedFormKey{}, tried)), statusOf(err), i, "", rempart.Decision{}, nil)
	default:
		s.fail(w, r, "console", err)
	}
}

// referralText is what is prepared for the authority: what the notice says, where
// the content is, and what was decided. It names the notifier, whom the authority
// may want to hear, and describes nothing.
func (s *Server) referralText(i *rempart.Intake) string {
	p := page{Lang: "fr", pages: s.pages} // the authorities of the operator's country read French
	var b strings.Builder
	line := func(text string) { b.WriteString(text + "\n") }
	line(p.T("referral.text.title"))
	line("")
	line(p.T("referral.text.from", s.Site, s.Flow.Origin))
	line(p.T("referral.text.notice", i.Number, p.DateTime(i.ReceivedAt)))
	if i.Notice.Notifier.Name != "" {
		line(p.T("referral.text.notifier", i.Notice.Notifier.Name, i.Notice.Notifier.Email))
	} else if i.From != "" {
		line(p.T("referral.text.notifier.key", i.From))
	}
	line("")
	line(p.T("referral.text.why"))
	line(i.Referral.Reason)
	line("")
	line(p.T("referral.text.where"))
	for _, n := range i.Notice.Items {
		decision := p.T("referral.text.undecided")
		if d, ok := i.Decisions[n.ID]; ok {
			decision = p.T("measure." + string(d.Measure))
			if !i.Done(n.ID) {
				decision = p.T("referral.text.carrying", decision)
			}
		}
		line("– " + n.Address + " (" + decision + ")")
	}
	line("")
	line(p.T("referral.text.said"))
	line(i.Notice.Explanation)
	line("")
	line(p.T("referral.text.held"))
	return b.String()
}
