package web

import (
	"net/http"
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"

	"rempart"
)

// A caseView is one case: facts, history, decision.
type caseView struct {
	Case      *rempart.Case
	Minor     bool // addresses are shown on demand only
	Facts     []factLine
	Unsaid    []string // names of the facts of which nothing was said
	Addresses []itemView
	Media     []itemView
	Hints     []string // of marks that the facts do not say
	History   []historyLine
	Groups    []groupView
	Drafted   map[string]bool // items that are in a draft already
	Grounds   bool            // a qualification is confirmed: a notice can name an offence
	Qualify   step
	Confirm   step
	Notify    step
	Answered  bool // a platform refused or only restricted: an analyst can go on
	Correct   factsForm
	Add       addForm
	Asking    *askingForm // the one question to ask, if there is one
	Newer     *newerPack  // a law pack other than the one of the case
	Clocks    clocksView
	Ladders   map[string]*ladderView // by notice
	Now       time.Time
	Assign    assignView
	Keep      keepView
	Talk      talkView
	Due       dueStep
	Remarks   []remark
	Tried     string // what a form that comes back was about: an identifier, or "state"
	Typed     string // the reason, as it was typed

	NewAddress string // to be added, as it was typed
}

// A step is where one of the three steps of a case stands: "todo", "review" when
// a platform did not do what was asked, "waiting" for somebody else, "done", or
// "none" when there is nothing to do.
type step string

// A factLine is one fact, in words.
type factLine struct{ Name, Value string }

// An itemView is one item as the console shows it. There is no picture and no
// link: an address is text.
type itemView struct {
	rempart.Item
	Label string
	Lines []printLine
	Marks *marksView
	Reach []string // what re-checks of the address found
}

// Disappointed tells whether a platform decided not to do all that was asked.
func (v itemView) Disappointed() bool { return disappointed(v.State) }

// A printLine is one fingerprint, short and whole.
type printLine struct {
	rempart.Fingerprint
	Short    string // "" of a video's
	Said     string // its quality, or how many images it holds
	Listable bool
}

// lineOf says a fingerprint in one line.
func lineOf(p page, f rempart.Fingerprint) printLine {
	l := printLine{Fingerprint: f, Listable: f.Listable()}
	switch f.Type {
	case rempart.VPDQ:
		l.Said = p.N("print.images", len(f.Frames()))
	case rempart.PDQ:
		l.Short, l.Said = short(f.Value), strconv.Itoa(f.Quality)+"/100"
	default:
		l.Short = short(f.Value)
	}
	if f.Form == rempart.Unbordered {
		l.Said += " · " + p.T("print.bare")
	}
	return l
}

// A groupView is the addresses of a case that one notice can name.
type groupView struct {
	Service rempart.Service // ID "" when the register has none for these
	Items   []itemView
}

// factOrder is the order in which facts are read.
var factOrder = []string{"depicts", "age_class", "sexual", "origin", "ai", "capture_consent", "diffusion_consent",
	"disclosed_as_fake", "communication", "online", "threat", "repetition", "multiple_authors", "author_relation", "aggravation"}

// facts puts the facts of a case in words: those that somebody has said, and the
// names of those of which nothing was said.
func facts(p page, f rempart.Facts) (out []factLine, unsaid []string) {
	for _, name := range factOrder {
		switch word := f.Word(name); {
		case word != "":
			out = append(out, factLine{p.T("fact." + name), p.T("fact." + name + "." + word)})
		case name != "ai": // empty, it is what the origin says
			unsaid = append(unsaid, lowerFirst(p.T("fact."+name)))
		}
	}
	return out, unsaid
}

func lowerFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToLower(r)) + s[n:]
}

// items numbers the items of a case among their kind.
func items(p page, c *rempart.Case) (addresses, media []itemView) {
	for _, i := range c.Items {
		if i.Kind == rempart.ItemAddress {
			addresses = append(addresses, itemView{Item: i, Label: p.T("item.address", len(addresses)+1)})
			continue
		}
		v := itemView{Item: i, Label: p.T("item.medium", len(media)+1), Marks: marksOf(p, i.Provenance)}
		for _, f := range i.Fingerprints {
			v.Lines = append(v.Lines, lineOf(p, f))
			if f.Type == rempart.VPDQ {
				v.Label = p.T("item.video", len(media)+1)
			}
		}
		media = append(media, v)
	}
	return addresses, media
}

// short is the first and last eight digits of a fingerprint.
func short(value string) string {
	if len(value) <= 17 {
		return value
	}
	return value[:8] + "…" + value[len(value)-8:]
}

// caseOf returns the case that the address names.
func (s *Server) caseOf(r *http.Request) (*rempart.Case, error) {
	c, err := s.DB.CaseByRef(r.Context(), r.PathValue("ref"))
	if err == nil && c.Facts.Themes()&staffBarred(r) != 0 {
		return nil, rempart.ErrOutside()
	}
	return c, err
}

// postedCase reads a form about a case and returns the case; if it cannot, it has
// answered, and ok is false.
func (s *Server) postedCase(w http.ResponseWriter, r *http.Request) (c *rempart.Case, ok bool) {
	err := s.form(w, r)
	if err == nil {
		c, err = s.caseOf(r)
	}
	if err != nil {
		s.fail(w, r, "console", err)
		return nil, false
	}
	return c, true
}

func (s *Server) caseShow(w http.ResponseWriter, r *http.Request) {
	c, err := s.caseOf(r)
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	if err := s.viewed(r, "case.viewed", c.ID, c.Ref); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	s.casePage(w, r, http.StatusOK, c, nil)
}

// casePage shows a case, with what went wrong with a change of it, if something
// did.
func (s *Server) casePage(w http.ResponseWriter, r *http.Request, status int, c *rempart.Case, wrong error) {
	s.casePageWith(w, r, status, c, wrong, nil)
}

// casePageWith is casePage with an identity that was just opened.
func (s *Server) casePageWith(w http.ResponseWriter, r *http.Request, status int, c *rempart.Case, wrong error, opened *rempart.Identity) {
	ctx, p := r.Context(), s.consolePage(r)
	v := caseView{Case: c, Minor: c.Facts.Minor(), Drafted: map[string]bool{}, Grounds: len(c.Confirmed()) > 0}
	v.Facts, v.Unsaid = facts(p, c.Facts)
	v.Addresses, v.Media = items(p, c)
	if c.PartOf != nil { // nobody follows a part: there is nobody to be kept from its items
		for _, all := range [][]itemView{v.Addresses, v.Media} {
			for k := range all {
				all[k].From = ""
			}
		}
	}
	for k := range v.Addresses {
		v.Addresses[k].Reach = recheckLines(p, v.Addresses[k].Item, s.Flow.Rechecks.On(c.Cautious()))
	}
	v.Hints = hints(p, c.Facts, v.Media)
	v.Qualify, v.Confirm, v.Notify = steps(c)
	v.Keep = s.keeping(r, p, c)
	v.Keep.Opened = opened
	if wrong != nil {
		v.Remarks, v.Tried, v.Typed = remarksOf(p, wrong), tried(r), r.PostForm.Get("reason")
		v.NewAddress = r.PostForm.Get("address")
	}
	var err error
	if p.Pause, err = s.pause(ctx, p); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	if v.Talk, err = s.talk(r, p, c); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	if v.Assign, err = s.assignView(r, c); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	if v.Clocks, err = s.clocksView(r, p, c); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	if wrong != nil {
		v.Clocks.Label, v.Clocks.Due = r.PostForm.Get("label"), r.PostForm.Get("due")+r.PostForm.Get("until")
	}
	if err := s.factsForms(r, p, &v); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	v.Asking, v.Newer = asking(p, c, v.Correct), s.newerPack(p, c)
	v.Ladders, v.Now = ladders(p, c), s.Now()
	labels := map[string]string{}
	for _, i := range v.Addresses {
		labels[i.ID] = i.Label
	}
	for _, n := range c.Notices {
		if n.State == rempart.NoticeDraft {
			for _, i := range n.Items {
				v.Drafted[i.ID] = true
			}
		}
	}
	groups, err := s.Flow.Groups(ctx, c)
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	for _, g := range groups {
		gv := groupView{Service: g.Service}
		for _, i := range g.Items {
			if !v.Drafted[i.ID] {
				gv.Items = append(gv.Items, itemView{Item: i, Label: labels[i.ID]})
			}
		}
		if len(gv.Items) > 0 {
			v.Groups = append(v.Groups, gv)
		}
		for _, i := range gv.Items {
			v.Answered = v.Answered || disappointed(i.State)
		}
	}
	events, err := s.DB.Events(ctx, c.ID)
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	peers, err := s.DB.Peers(ctx)
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	v.History = history(p, events, s.caseNames(p, c, peers), attempts(c))
	v.Due = dueOf(v, p.May("work"))
	p.Title, p.Data = p.T("case.title", c.Ref), v
	s.render(w, r, status, "console/case", p)
}

// disappointed tells whether a platform decided not to do all that was asked.
func disappointed(s rempart.ItemState) bool {
	return s == rempart.ItemRefused || s == rempart.ItemRestricted
}

// steps tells where the three steps of a case stand. Notifying is done when
// every address was removed or dropped, and not before.
func steps(c *rempart.Case) (qualify, confirm, notify step) {
	qualify, confirm, notify = "none", "none", "none"
	if len(c.Quals) > 0 {
		qualify = "done"
	}
	for _, q := range c.Quals {
		if q.State == rempart.QualificationProposed {
			qualify = "todo"
		}
	}
	for _, i := range c.Items {
		switch {
		case i.Kind == rempart.ItemMedium && i.State == rempart.ItemFiled:
			confirm = "todo"
		case i.Kind == rempart.ItemMedium && confirm == "none":
			confirm = "done"
		case i.Kind == rempart.ItemAddress && (i.State == rempart.ItemReported || i.State == rempart.ItemFailed):
			notify = "todo"
		case i.Kind == rempart.ItemAddress && notify == "todo":
		case i.Kind == rempart.ItemAddress && disappointed(i.State):
			notify = "review"
		case i.Kind == rempart.ItemAddress && !i.State.Settled() && notify != "review":
			notify = "waiting"
		case i.Kind == rempart.ItemAddress && notify == "none":
			notify = "done"
		}
	}
	for _, n := range c.Notices {
		if n.State == rempart.NoticeDraft {
			notify = "todo"
		}
	}
	return qualify, confirm, notify
}

// change changes the case that the address names, then shows it with the
// sentence of code; or shows it with what is wrong.
func (s *Server) change(w http.ResponseWriter, r *http.Request, code string, f func(c *rempart.Case, by rempart.Actor, at time.Time) error) {
	c, err := s.caseOf(r)
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	m, _ := staffOf(r)
	err = s.DB.UpdateCase(r.Context(), c.ID, "", func(c *rempart.Case) error { return f(c, m.Alias, s.Now()) })
	if err != nil {
		s.caseRefused(w, r, err)
		return
	}
	s.Flow.Wake()
	done(w, r, "/console/cases/"+c.Ref, code)
}

// caseRefused shows the case as it is now, with why a change was refused.
func (s *Server) caseRefused(w http.ResponseWriter, r *http.Request, why error) {
	switch rempart.KindOf(why) {
	case rempart.Invalid, rempart.Conflict:
		c, err := s.caseOf(r)
		if err == nil {
			s.casePage(w, r, statusOf(why), c, why)
			return
		}
		why = err
	}
	s.fail(w, r, "console", why)
}

// unknownAction answers a form whose button this version does not have.
func (s *Server) unknownAction(w http.ResponseWriter, r *http.Request) {
	s.fail(w, r, "console", &rempart.Error{Kind: rempart.Invalid, Field: "action", Code: "form.action", Public: "This form asks for an action that does not exist."})
}

func (s *Server) qualificationPost(w http.ResponseWriter, r *http.Request) {
	if err := s.form(w, r); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	id, reason := r.PathValue("id"), r.PostForm.Get("reason")
	switch r.PostForm.Get("action") {
	case "confirm":
		s.change(w, r, "qualification_confirmed", func(c *rempart.Case, by rempart.Actor, at time.Time) error {
			return c.ConfirmQualification(id, by, at)
		})
	case "reject":
		s.change(w, r, "qualification_rejected", func(c *rempart.Case, by rempart.Actor, at time.Time) error {
			return c.RejectQualification(id, reason, by, at)
		})
	default:
		s.unknownAction(w, r)
	}
}

func (s *Server) itemPost(w http.ResponseWriter, r *http.Request) {
	if err := s.form(w, r); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	id, reason := r.PathValue("id"), r.PostForm.Get("reason")
	switch r.PostForm.Get("action") {
	case "confirm":
		s.change(w, r, "fingerprint_confirmed", func(c *rempart.Case, by rempart.Actor, at time.Time) error {
			return c.ConfirmFingerprint(id, by, at)
		})
	case "reject":
		s.change(w, r, "fingerprint_rejected", func(c *rempart.Case, by rempart.Actor, at time.Time) error {
			return c.RejectFingerprint(id, reason, by, at)
		})
	case "withdraw":
		s.change(w, r, "fingerprint_withdrawn", func(c *rempart.Case, by rempart.Actor, at time.Time) error {
			return c.WithdrawFingerprint(id, by, at)
		})
	case "back":
		s.change(w, r, "item_back", func(c *rempart.Case, by rempart.Actor, at time.Time) error {
			return c.BackAgain(id, by, at)
		})
	case "drop":
		s.change(w, r, "item_dropped", func(c *rempart.Case, by rempart.Actor, at time.Time) error {
			return c.DropItem(id, reason, by, at)
		})
	default:
		s.unknownAction(w, r)
	}
}

func (s *Server) casePost(w http.ResponseWriter, r *http.Request) {
	if err := s.form(w, r); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	switch r.PostForm.Get("action") {
	case "close":
		s.change(w, r, "case_closed", func(c *rempart.Case, by rempart.Actor, at time.Time) error {
			return c.Close(r.PostForm.Get("reason"), by, at)
		})
	case "reopen":
		s.change(w, r, "case_reopened", func(c *rempart.Case, by rempart.Actor, at time.Time) error {
			return c.Reopen(by, at)
		})
	default:
		s.unknownAction(w, r)
	}
}

// NextTry is when a notice is tried again by itself; zero when it is not.
func (v caseView) NextTry(id string) time.Time {
	n := v.Case.Notice(id)
	if n == nil || n.State != rempart.NoticeQueued || len(n.Attempts) == 0 {
		return time.Time{}
	}
	return n.Attempts[len(n.Attempts)-1].Next
}
