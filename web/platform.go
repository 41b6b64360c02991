package web

// The form of a decision, POST /console/notices/{number}/items/{id}:
//
//	measure      removed, restricted or refused
//	ground       law or terms
//	reference    the article of law or the clause of the terms
//	facts        facts and circumstances, at least 10 characters
//	explanation  why the ground applies, or does not, at least 20 characters
//	scope        EU, FR or world
//	redress      complaint, out_of_court, court; once for each
//	restriction  once for each: rempart.Restrictions; other names an "other" one
//	until        last day of the restrictions, YYYY-MM-DD, or nothing
//	content      once for each kind of content: rempart.ContentTypes
//	posted_on    the day the content was put online, YYYY-MM-DD, or nothing
//	unfounded    yes if the notice is manifestly unfounded; of a refusal only
//	detected     yes if automated means found the content
//	means        not_automated, partially or fully
//	also         yes: decides the same on other notices about this address
//	action       write: fills in the explanation and saves nothing
//
// The form of a check by hand, POST /console/check, is multipart: photo, one
// file.

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"rempart"
)

// What a decision's form can choose from, in the order it is shown.
var (
	measures = []rempart.Measure{rempart.MeasureRemoved, rempart.MeasureRestricted, rempart.MeasureRefused}
	grounds  = []string{"law", "terms"}
	scopes   = []string{"EU", "FR", "world"}
	redress  = []string{"complaint", "out_of_court", "court"}
)

// An intakesView is the platform's queue.
type intakesView struct {
	Tabs  []tab
	Rows  []intakeRow
	Next  string
	First string
	State rempart.IntakeState // tasksTab for the tasks
	Tasks []taskRow
	Lists int // fingerprints that wait for a decision
}

// tasksTab is the tab of the queue that shows what a human is asked to do beside
// deciding.
const tasksTab rempart.IntakeState = "tasks"

// An intakeRow is one notice received, in words.
type intakeRow struct {
	*rempart.Intake
	Age     string
	Decided int // items with a decision
}

// intakes is the queue of a platform: what waits first, a minor's image before
// all, then trusted flaggers.
func (s *Server) intakes(w http.ResponseWriter, r *http.Request) {
	p := s.consolePage(r)
	v := intakesView{State: rempart.IntakeReceived}
	states := []rempart.IntakeState{rempart.IntakeReceived, tasksTab, rempart.IntakeDecided}
	if asked := rempart.IntakeState(r.URL.Query().Get("state")); slices.Contains(states, asked) {
		v.State = asked
	}
	tasks, err := s.DB.CountIntakeTasks(r.Context())
	if err == nil && v.State == tasksTab {
		v.Tasks, err = s.taskRows(r, p)
	}
	if err == nil {
		v.Lists, err = s.DB.OpenListTasks(r.Context())
	}
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	for _, state := range states {
		t := tab{Label: p.T("intakes.tab." + string(state)), URL: p.URL("/console/?state=" + string(state)), Count: -1, Current: state == v.State}
		if state == tasksTab {
			t.Count = tasks
		}
		v.Tabs = append(v.Tabs, t)
	}
	if v.State == tasksTab {
		p.Title, p.Data = p.T("intakes.title"), v
		s.render(w, r, http.StatusOK, "console/intakes", p)
		return
	}
	rows, next, err := s.DB.Intakes(r.Context(), v.State, r.URL.Query().Get("after"), 50)
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	now := s.Now()
	for _, i := range rows {
		v.Rows = append(v.Rows, intakeRow{i, ago(p, i.ReceivedAt, now), len(i.Decisions)})
	}
	v.Next, v.First = turn(r, p, next)
	p.Title, p.Data = p.T("intakes.title"), v
	s.render(w, r, http.StatusOK, "console/intakes", p)
}

// An intakeView is one notice received, with a form for each item that has no
// decision yet.
type intakeView struct {
	Intake  *rempart.Intake
	Minor   bool
	Items   []intakeItemView
	History []historyLine
	Told    step // whether the notifier has the decision: "none", "carrying", "waiting", "done", or "asks" if only it calls us
	Receipt step // the same of our acknowledgement

	Measures []rempart.Measure
	Grounds  []string
	Scopes   []string
	Redress  []string

	Complaints   []complaintView
	Notifier     *notifierView // nil of one who gave no name
	Referral     referralView
	Keep         keepView // until when it is kept
	Holding      *heldForm
	Restrictions []restrictionGroup
	ContentTypes []string
	Means        []rempart.Means
	Sends        bool // statements of reasons go to the EU's transparency database
}

// A restrictionGroup is the restrictions of one kind: visibility, monetary,
// provision, account.
type restrictionGroup struct {
	Name string
	All  []rempart.Restriction
}

// restrictionGroups are the restrictions as they are offered.
var restrictionGroups = func() (out []restrictionGroup) {
	for _, r := range rempart.Restrictions {
		name, _, _ := strings.Cut(string(r), ".")
		if k := len(out) - 1; k < 0 || out[k].Name != name {
			out = append(out, restrictionGroup{Name: name})
		}
		out[len(out)-1].All = append(out[len(out)-1].All, r)
	}
	return out
}()

// An intakeItemView is one item with its decision, or the form for it.
type intakeItemView struct {
	rempart.NoticeItem
	Label    string
	Prints   []printLine
	Decision *rempart.Decision
	Form     rempart.Decision
	Remarks  []remark

	Statement *statementView
	Order     *orderView // nil where the staff carries decisions out
	Redress   string     // the code of who put it there; "" of what is not restricted
	Same      []string   // numbers of other notices about the same address
	SameOpen  int        // of them, those that wait for a decision about it
	Standing  string     // the order of another notice that imposes something already, in words
	Back      bool       // as typed: the posting is there again
}

// Restricts tells whether the form has a restriction.
func (v intakeItemView) Restricts(r rempart.Restriction) bool {
	return slices.Contains(v.Form.Restrictions, r)
}

// Holds tells whether the form has a kind of content.
func (v intakeItemView) Holds(kind string) bool { return slices.Contains(v.Form.ContentTypes, kind) }

// MoreOpen tells whether what is seldom changed is shown open.
func (v intakeItemView) MoreOpen() bool {
	return len(v.Form.Restrictions) > 0 || v.On("restrictions") != nil || v.On("other") != nil || v.On("until") != nil
}

// On returns the remark on a field of the item's form, or nil.
func (v intakeItemView) On(field string) *remark { return remarkOn(v.Remarks, field) }

// Grants tells whether the form names a means of redress.
func (v intakeItemView) Grants(way string) bool { return slices.Contains(v.Form.Redress, way) }

func (s *Server) intakeShow(w http.ResponseWriter, r *http.Request) {
	i, err := s.DB.IntakeByNumber(r.Context(), r.PathValue("number"))
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	if err := s.viewed(r, "intake.viewed", i.ID, i.Number); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	s.intakePage(w, r, http.StatusOK, i, "", rempart.Decision{}, nil)
}

// intakePage shows a notice received. typed and remarks are the form that came
// back for the item tried, if one did.
func (s *Server) intakePage(w http.ResponseWriter, r *http.Request, status int, i *rempart.Intake, item string, typed rempart.Decision, remarks []remark) {
	p := s.consolePage(r)
	v := intakeView{Intake: i, Minor: i.Notice.Minor, Measures: measures, Grounds: grounds, Scopes: scopes, Redress: redress,
		Restrictions: restrictionGroups, ContentTypes: rempart.ContentTypes, Means: rempart.AllMeans, Sends: s.Flow.Transparency.On()}
	made, err := s.statements(r.Context(), p, i)
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	names := map[string]string{}
	for k, ni := range i.Notice.Items {
		x := intakeItemView{NoticeItem: ni, Label: p.T("item.item", k+1), Form: s.firstDecision(i, ni)}
		names[ni.ID] = x.Label
		for _, f := range ni.Fingerprints {
			x.Prints = append(x.Prints, lineOf(p, f))
		}
		if d, ok := i.Decisions[ni.ID]; ok {
			x.Decision, x.Statement, x.Order = &d, made[ni.ID], newOrderView(p, i, ni.ID)
		}
		if d, ok := i.Decisions[ni.ID]; ok && d.Measure != rempart.MeasureRefused {
			x.Redress = s.Flow.RedressCode(i.ID, ni.ID).String()
		}
		same, err := s.sameAddress(r.Context(), i, ni)
		if err != nil {
			s.fail(w, r, "console", err)
			return
		}
		for _, o := range same {
			x.Same = append(x.Same, o.Intake.Number)
			if o.Open {
				x.SameOpen++
			}
		}
		x.Standing = s.standingOver(p, same, ni.Address)
		if ni.ID == item {
			x.Form, x.Remarks = typed, remarks
			x.Back = r.PostForm.Get("back") == "yes"
		}
		v.Items = append(v.Items, x)
	}
	tried, _ := r.Context().Value(triedKey{}).(*complaintView)
	v.Complaints = s.complaints(p, i, names, tried)
	v.Keep = s.keepingNotice(p, i)
	if t, _ := r.Context().Value(triedFormKey{}).(*triedForm); t != nil && t.what == holdTried {
		v.Holding = &heldForm{t.typed, t.remarks}
	}
	if v.Notifier, err = s.notifierOf(r, p, i); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	if i.Referral != nil {
		v.Referral = referralView{Referral: i.Referral, Text: s.referralText(i), Open: i.Referral.ClosedAt.IsZero()}
	}
	if f, ok := r.Context().Value(triedFormKey{}).(*triedForm); ok && f.what == "referral" {
		v.Referral.Typed, v.Referral.Remarks = f.typed, f.remarks
	} else if ok && v.Notifier != nil {
		v.Notifier.Typed, v.Notifier.Remarks = f.typed, f.remarks
	}
	if err := s.intakeHistory(r.Context(), p, i, names, &v); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	p.Title, p.Data = p.T("intake.title", i.Number), v
	s.render(w, r, status, "console/intake", p)
}

// intakeHistory fills the history of an intake and what the notifier was told.
// It counts as told when the other side accepted the message, and not before.
func (s *Server) intakeHistory(ctx context.Context, p page, i *rempart.Intake, names map[string]string, v *intakeView) error {
	events, err := s.DB.Events(ctx, i.ID)
	if err != nil {
		return err
	}
	peers, err := s.DB.Peers(ctx)
	if err != nil {
		return err
	}
	v.Receipt, v.Told = "waiting", "none"
	for _, x := range peers {
		names[x.ID] = x.Name
		if x.ID == i.PeerID && x.URL == "" {
			v.Receipt = "asks"
		}
	}
	switch {
	case i.Settled():
		v.Told = v.Receipt
	case i.State == rempart.IntakeDecided: // decided is not done
		v.Told = "carrying"
	}
	for _, e := range events {
		if e.Kind != "intake.told" {
			continue
		}
		switch e.Data["callback"] {
		case rempart.CallbackAcknowledged:
			v.Receipt = "done"
		case rempart.CallbackDecided:
			v.Receipt, v.Told = "done", "done"
		}
	}
	v.History = history(p, events, names, nil)
	return nil
}

// firstDecision is what a decision's form holds before a moderator writes: what
// the notice says, in the notice's language. The measure and the reasons are
// the moderator's alone, so they are left open.
func (s *Server) firstDecision(i *rempart.Intake, item rempart.NoticeItem) rempart.Decision {
	p := page{Lang: i.Notice.Lang, pages: s.pages}
	d := rempart.Decision{Ground: "law", Scope: "EU", Redress: slices.Clone(redress), Means: rempart.MeansNone}
	if slices.ContainsFunc(item.Fingerprints, func(f rempart.Fingerprint) bool { return f.Type == rempart.PDQ }) {
		d.ContentTypes = []string{"image"}
	}
	switch i.Notice.Category {
	case "3f", "4g", "9c": // with deepfake or similar technology
		d.ContentTypes = append(d.ContentTypes, "synthetic_media")
	}
	var articles []string
	for _, g := range i.Notice.Grounds {
		if a := p.T("decision.article", g.Code, g.Article); !slices.Contains(articles, a) {
			articles = append(articles, a)
		}
	}
	d.Reference = strings.Join(articles, p.T("list.separator"))
	d.Facts = p.T("decision.facts.notice", i.Number, p.Date(i.ReceivedAt), i.From)
	if i.Notice.DoNotTell { // who put the content there will read these facts
		d.Facts = p.T("decision.facts.notice.discreet", i.Number, p.Date(i.ReceivedAt))
	}
	return d
}

func (s *Server) intakeDecide(w http.ResponseWriter, r *http.Request) {
	if err := s.form(w, r); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	i, err := s.DB.IntakeByNumber(r.Context(), r.PathValue("number"))
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	item, d := r.PathValue("id"), decisionOf(r)
	if r.PostForm.Get("action") == "write" {
		d.Explanation = s.writeExplanation(i, d)
		s.intakePage(w, r, http.StatusOK, i, item, d, nil)
		return
	}
	if missing := append(d.Normal().MissingAtDecision(s.Now()), s.missingForDatabase(d)...); len(missing) > 0 && i.State != rempart.IntakeDecided {
		s.intakePage(w, r, http.StatusUnprocessableEntity, i, item, d, missingRemarks(s.consolePage(r), missing))
		return
	}
	m, _ := staffOf(r)
	last := len(i.Decisions) == len(i.Notice.Items)-1
	err = s.decideSame(r.Context(), i, item, d, r.PostForm.Get("also") == "yes", r.PostForm.Get("back") == "yes", m.Alias)
	switch {
	case err == nil && last:
		done(w, r, "/console/notices/"+i.Number, "intake_decided")
	case err == nil:
		done(w, r, "/console/notices/"+i.Number, "item_decided")
	case rempart.KindOf(err) == rempart.Invalid || rempart.KindOf(err) == rempart.Conflict:
		why := err
		if i, err = s.DB.IntakeByNumber(r.Context(), i.Number); err != nil {
			s.fail(w, r, "console", err)
			return
		}
		p := s.consolePage(r)
		s.intakePage(w, r, statusOf(why), i, item, d, remarksOf(p, why))
	default:
		s.fail(w, r, "console", err)
	}
}

// decisionOf reads a decision's form. What is not one of the choices is left
// empty, and so asked for again.
func decisionOf(r *http.Request) rempart.Decision {
	f := r.PostForm
	d := rempart.Decision{
		Reference: plainText(f.Get("reference")), Facts: plainText(f.Get("facts")), Explanation: plainText(f.Get("explanation")),
		Other: plainText(f.Get("other")), Until: f.Get("until"), PostedOn: f.Get("posted_on"),
		Unfounded: f.Get("unfounded") == "yes", Detected: f.Get("detected") == "yes", Means: rempart.MeansNone,
	}
	if m := rempart.Means(f.Get("means")); slices.Contains(rempart.AllMeans, m) {
		d.Means = m
	}
	for _, x := range f["restriction"] {
		if y := rempart.Restriction(x); slices.Contains(rempart.Restrictions, y) && !slices.Contains(d.Restrictions, y) {
			d.Restrictions = append(d.Restrictions, y)
		}
	}
	for _, x := range f["content"] {
		if slices.Contains(rempart.ContentTypes, x) && !slices.Contains(d.ContentTypes, x) {
			d.ContentTypes = append(d.ContentTypes, x)
		}
	}
	if m := rempart.Measure(f.Get("measure")); slices.Contains(measures, m) {
		d.Measure = m
	}
	if g := f.Get("ground"); slices.Contains(grounds, g) {
		d.Ground = g
	}
	if sc := f.Get("scope"); slices.Contains(scopes, sc) {
		d.Scope = sc
	}
	for _, way := range f["redress"] {
		if slices.Contains(redress, way) && !slices.Contains(d.Redress, way) {
			d.Redress = append(d.Redress, way)
		}
	}
	return d
}

// platformHome says what this instance is.
func (s *Server) platformHome(w http.ResponseWriter, r *http.Request) {
	p := s.newPage(r, "platform", "platform.title", nil)
	s.render(w, r, http.StatusOK, "platform/home", p)
}
