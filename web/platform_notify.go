package web

// The form of a notice, POST /notify (DSA article 16(2)):
//
//	key        names this form, so that sending it twice is one notice
//	about      what it is about: montage, intimate, minor or other
//	addresses  the exact addresses, one a line
//	why        why the content is illegal
//	name, email  who notifies; not asked where about is minor
//	discreet   yes: not to be named to who put the content there
//	good_faith yes
//
// The form of a code, POST /redress: code. The form of a complaint, POST
// /redress/complaint: code, reasons, item once for each.

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"rempart"
	"rempart/exchange"
	"rempart/flow"
)

// abouts are what a notice may be about, in plain words, with the category of
// Implementing Regulation (EU) 2024/2835 that goes with each.
var abouts = []struct{ name, category string }{{"montage", "3f"}, {"intimate", "3e"}, {"minor", "9b"}, {"other", ""}}

// maxNotified is the most addresses that one form names.
const maxNotified = 50

// A notifyView is the form of a notice.
type notifyView struct {
	Key, About, Addresses, Why, Name, Email string
	Abouts                                  []string
	Discreet, GoodFaith                     bool
	Remarks                                 []remark
}

// On returns the remark on a field of the form, or nil.
func (v notifyView) On(field string) *remark { return remarkOn(v.Remarks, field) }

func (s *Server) notifyForm(w http.ResponseWriter, r *http.Request) {
	s.notifyPage(w, r, http.StatusOK, notifyView{Key: formKey(""), Discreet: true})
}

func (s *Server) notifyPage(w http.ResponseWriter, r *http.Request, status int, v notifyView) {
	for _, a := range abouts {
		v.Abouts = append(v.Abouts, a.name)
	}
	s.render(w, r, status, "platform/notify", s.newPage(r, "platform", "notify.title", v))
}

// notifyPost saves a notice, and shows its number and code in the same answer.
func (s *Server) notifyPost(w http.ResponseWriter, r *http.Request) {
	if err := s.form(w, r); err != nil {
		s.fail(w, r, "platform", err)
		return
	}
	f := r.PostForm
	v := notifyView{Key: formKey(f.Get("key")), About: f.Get("about"), Addresses: lines(f.Get("addresses")), Why: plainText(f.Get("why")),
		Name: plainText(f.Get("name")), Email: strings.TrimSpace(f.Get("email")), Discreet: f.Get("discreet") == "yes", GoodFaith: f.Get("good_faith") == "yes"}
	p := s.newPage(r, "platform", "notify.title", nil)
	n, problems := v.notice(p.Lang)
	if len(problems) == 0 {
		got, err := s.receiveForm(r.Context(), n, v.Key)
		if err == nil {
			c := notifiedView{Number: got.Intake.Number, Code: got.Code.String(), Origin: s.Flow.Origin, At: got.Intake.ReceivedAt}
			s.render(w, r, http.StatusOK, "platform/notified", s.newPage(r, "platform", "notified.title", c))
			return
		}
		problems = faults(err)
		if len(problems) == 0 {
			s.fail(w, r, "platform", err)
			return
		}
	}
	for _, e := range problems {
		if e.Code == "notice.key_reused" { // came back to the form of a notice that was saved
			v.Key = formKey("")
		}
		field := e.Field
		switch {
		case strings.HasPrefix(field, "items"):
			field = "addresses"
		case !slices.Contains([]string{"about", "addresses", "why", "name", "email", "good_faith", "explanation", "notifier"}, field):
			field = ""
		case field == "explanation":
			field = "why"
		case field == "notifier" && v.Name == "":
			field = "name"
		case field == "notifier":
			field = "email"
		}
		v.Remarks = append(v.Remarks, remark{Field: field, Text: p.Problem(e)})
	}
	s.notifyPage(w, r, statusOf(problems), v)
}

// receiveForm takes one of the places for what anybody may send.
func (s *Server) receiveForm(ctx context.Context, n exchange.Notice, key string) (flow.Received, error) {
	if err := s.forms.take(s.Now()); err != nil {
		return flow.Received{}, err
	}
	return s.Flow.ReceiveForm(ctx, n, key)
}

// notice returns the notice that the form makes, or all that it lacks.
func (v *notifyView) notice(lang string) (exchange.Notice, rempart.Problems) {
	n := exchange.Notice{Lang: lang, Explanation: v.Why, GoodFaith: v.GoodFaith, DoNotTell: v.Discreet, Notifier: rempart.Notifier{Name: v.Name, Email: v.Email}}
	var p rempart.Problems
	lack := func(field, code, public string) {
		p = append(p, &rempart.Error{Kind: rempart.Invalid, Field: field, Code: code, Public: public})
	}
	known := false
	for _, a := range abouts {
		if a.name == v.About {
			known, n.Category, n.Minor = true, a.category, a.name == "minor"
		}
	}
	if !known {
		lack("about", "notify.about", "Say what your notice is about.")
	}
	var wrong []string
	for line := range strings.SplitSeq(v.Addresses, "\n") {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if a, err := rempart.CleanAddress(line); err != nil {
			wrong = append(wrong, line)
		} else if !slices.ContainsFunc(n.Items, func(i rempart.NoticeItem) bool { return i.Address == a }) {
			n.Items = append(n.Items, rempart.NoticeItem{Address: a})
		}
	}
	switch {
	case len(wrong) > 0:
		lack("addresses", "notify.address", "One of these lines is not an address. Copy it from the address bar: it begins with https://.")
	case len(n.Items) > maxNotified:
		lack("addresses", "notify.many", "One form takes 50 addresses at most. Please send the others in a second one.")
	}
	if n.Minor { // 16(2)(c): no name is asked for
		n.Notifier = rempart.Notifier{}
	}
	whole, err := n.Domain()
	if err != nil {
		return n, faults(err)
	}
	for _, m := range whole.MissingAtIntake() {
		switch {
		case m.Code == "notice.explanation":
			lack("why", "notify.why", "Say in at least ten characters why the content is illegal.")
		case m.Code == "notice.notifier" && v.Name == "":
			lack("name", "notify.name", "Give your name; it is not asked for about a sexual picture of a minor.")
		case m.Code == "notice.notifier":
			lack("email", "notify.email", "Give your e-mail address.")
		case m.Field != "items" || len(wrong) == 0:
			lack(m.Field, m.Code, m.Public)
		}
	}
	if v.Email != "" {
		for _, m := range whole.MissingToSend() {
			if m.Code == "notice.email" {
				lack("email", m.Code, m.Public)
			}
		}
	}
	return n, p
}

// A notifiedView is the acknowledgement of a notice, with its code.
type notifiedView struct {
	Number, Code, Origin string
	At                   time.Time
}

// Groups returns the four groups of the code.
func (v notifiedView) Groups() []string { return strings.Split(v.Code, "-") }

// A heldView is what a code opens: a notice as its notifier sees it, or a decision
// as who is affected by it does.
type heldView struct {
	Code     string
	Affected bool
	Number   string
	At       time.Time
	State    string
	Items    []heldItem
	Open     []string // items that can be complained about
	Until    string   // until when
	Reasons  string   // of a complaint, as typed
	Remarks  []remark
	Past     []heldComplaint
	Minor    bool
	Warning  string // about misuse, to the notifier
}

// A heldItem is one item and its decision, if there is one.
type heldItem struct {
	ID, Label, Address string
	State              pillView
	Decision           *rempart.Decision
	Lines              []factLine
	Complain           bool
}

// A heldComplaint is a complaint of the holder's own.
type heldComplaint struct {
	exchange.ComplaintState
	Came string
}

func (s *Server) redressForm(w http.ResponseWriter, r *http.Request) {
	s.render(w, r, http.StatusOK, "platform/code", s.newPage(r, "platform", "redress.title", askView{}))
}

// redressPost shows what a code opens. It comes in the body and is in no address,
// title or log.
func (s *Server) redressPost(w http.ResponseWriter, r *http.Request) {
	if err := s.form(w, r); err != nil {
		s.fail(w, r, "platform", err)
		return
	}
	if h, ok := s.holder(w, r); ok {
		s.heldPage(w, r, http.StatusOK, h, "", nil)
	}
}

// holder returns what the code of a form opens, or answers with the page that asks
// for it again.
func (s *Server) holder(w http.ResponseWriter, r *http.Request) (flow.Holder, bool) {
	typed := r.PostForm.Get("code")
	h, err := s.intakeByCode(r.Context(), typed)
	if err == nil {
		return h, true
	}
	found := faults(err)
	if len(found) == 0 || found[0].Field != "code" {
		s.fail(w, r, "platform", err)
		return h, false
	}
	if len(typed) > 64 {
		typed = ""
	}
	p := s.newPage(r, "platform", "redress.title", nil)
	p.Data = askView{Typed: typed, Problem: p.Problem(found[0])}
	s.render(w, r, statusOf(err), "platform/code", p)
	return h, false
}

func (s *Server) redressComplaint(w http.ResponseWriter, r *http.Request) {
	if err := s.form(w, r); err != nil {
		s.fail(w, r, "platform", err)
		return
	}
	h, ok := s.holder(w, r)
	if !ok {
		return
	}
	c := exchange.Complaint{ID: r.PostForm.Get("key"), Items: r.PostForm["item"], Reasons: plainText(r.PostForm.Get("reasons"))}
	if h.By == rempart.ByAffected {
		c.Items = []string{h.Item}
	}
	err := s.forms.take(s.Now())
	if err == nil {
		h.Intake, _, err = s.Flow.Complain(r.Context(), h.Intake, h.By, c)
	}
	if err == nil {
		s.heldPage(w, r, http.StatusOK, h, "", nil)
		return
	}
	if len(faults(err)) == 0 {
		s.fail(w, r, "platform", err)
		return
	}
	if h, ok = s.holder(w, r); ok {
		s.heldPage(w, r, statusOf(err), h, c.Reasons, remarksOf(s.newPage(r, "platform", "redress.title", nil), err))
	}
}

// heldPage shows what a code opens.
func (s *Server) heldPage(w http.ResponseWriter, r *http.Request, status int, h flow.Holder, reasons string, remarks []remark) {
	i := h.Intake
	title := "held.title.notifier"
	if h.By == rempart.ByAffected {
		title = "held.title.affected"
	}
	p := s.newPage(r, "platform", title, nil)
	window, err := s.Flow.Window(r.Context(), i)
	if err != nil {
		s.fail(w, r, "platform", err)
		return
	}
	v := heldView{Code: r.PostForm.Get("code"), Affected: h.By == rempart.ByAffected, Number: i.Number, At: i.ReceivedAt, Reasons: reasons, Remarks: remarks, Minor: i.Notice.Minor}
	open := i.Complainable(h.By)
	var last time.Time
	for k, n := range i.Notice.Items {
		if v.Affected && n.ID != h.Item {
			continue
		}
		x := heldItem{ID: n.ID, Label: p.T("item.item", k+1), Address: n.Address, State: p.Pill("intake", rempart.IntakeReceived)}
		if d, ok := i.Decisions[n.ID]; ok && (i.Done(n.ID) || v.Affected) {
			x.Decision, x.State, x.Lines = &d, pillView{p.Pill("item", d.Measure).Tone, p.T("measure." + string(d.Measure))}, p.Reasons(&d)
			until := i.ComplainUntil(n.ID, h.By, window)
			if x.Complain = slices.Contains(open, n.ID) && (until.IsZero() || s.Now().Before(until)) && !s.complained(i, h.By, n.ID); x.Complain {
				v.Open = append(v.Open, n.ID)
				if last.IsZero() || until.Before(last) {
					last = until
				}
			}
		}
		v.Items = append(v.Items, x)
	}
	if !last.IsZero() {
		v.Until = p.DateTime(last)
	}
	for k := range i.Complaints {
		c := exchange.NewComplaintState(i, &i.Complaints[k], h.By)
		if c.By != h.By || v.Affected && !slices.Contains(c.Items, h.Item) {
			continue
		}
		came := ""
		if c.Outcome != "" {
			came = p.T("outcome." + string(c.Outcome))
		}
		v.Past = append(v.Past, heldComplaint{c, came})
	}
	if !v.Affected {
		m, err := s.DB.Measure(r.Context(), i.PeerID, i.Notice)
		if err != nil {
			s.fail(w, r, "platform", err)
			return
		}
		switch {
		case i.PeerID == "" && !i.ReceivedAt.Before(m.WarnedAt): // sent since: perhaps by another, who only knows the e-mail address
		case m.IsSuspended(s.Now()):
			v.Warning = p.T("held.suspended", p.DateTime(m.Until), m.Reason)
		case !m.WarnedAt.IsZero():
			v.Warning = p.T("held.warned", p.Date(m.WarnedAt), m.Warning)
		}
	}
	v.State = "held.state.received"
	if i.Settled() {
		v.State = "held.state.decided"
	}
	p.Data = v
	s.render(w, r, status, "platform/held", p)
}

// complained tells whether a party's complaint about an item is open, or was
// decided and nothing changed since.
func (s *Server) complained(i *rempart.Intake, by rempart.ComplaintBy, item string) bool {
	for _, c := range i.Complaints {
		if c.By == by && slices.Contains(c.Items, item) && (c.State == rempart.ComplaintReceived || !i.Decisions[item].At.After(c.DecidedAt)) {
			return true
		}
	}
	return false
}
