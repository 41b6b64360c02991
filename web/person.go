package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"rempart"
	"rempart/flow"
)

func (s *Server) home(w http.ResponseWriter, r *http.Request) {
	s.render(w, r, http.StatusOK, "person/home", s.newPage(r, "person", "home.title", nil))
}

func (s *Server) minor(w http.ResponseWriter, r *http.Request) {
	s.render(w, r, http.StatusOK, "person/minor", s.newPage(r, "person", "minor.title", nil))
}

func (s *Server) how(w http.ResponseWriter, r *http.Request) {
	s.render(w, r, http.StatusOK, "person/how", s.newPage(r, "person", "how.title", nil))
}

// askView is the view of the page that asks for a code.
type askView struct {
	Typed   string // what was typed, shown again only in the answer to it
	Problem string // what is wrong with it
	Writing bool   // a message waits for the code
	Text    string // of that message, as typed; or the address
	Adding  bool   // an address waits for the code
}

func (s *Server) followForm(w http.ResponseWriter, r *http.Request) {
	s.render(w, r, http.StatusOK, "person/follow", s.newPage(r, "person", "follow.title", askView{}))
}

// followPost shows a case to the holder of its code. The code comes in the body
// and is in no address, title or log.
func (s *Server) followPost(w http.ResponseWriter, r *http.Request) {
	if err := parseForm(w, r); err != nil {
		s.fail(w, r, "person", err)
		return
	}
	typed := r.PostForm.Get("code")
	f, err := s.followUp(r.Context(), typed)
	if rempart.KindOf(err) == rempart.NotFound {
		if gone, e := s.Flow.Withdrawal(r.Context(), typed); e == nil {
			p := s.newPage(r, "person", "withdrawn.title", nil)
			p.Data = newWithdrawnView(p, gone)
			s.render(w, r, http.StatusOK, "person/withdrawn", p)
			return
		}
	}
	if err != nil {
		found := faults(err)
		if len(found) == 0 || found[0].Field != "code" {
			s.fail(w, r, "person", err)
			return
		}
		p := s.newPage(r, "person", "follow.title", nil)
		if len(typed) > 64 {
			typed = ""
		}
		p.Data = askView{Typed: typed, Problem: p.Problem(found[0])}
		s.render(w, r, statusOf(err), "person/follow", p)
		return
	}
	p := s.newPage(r, "person", "follow.shown.title", nil)
	p.Data = newFollowView(p, f)
	s.render(w, r, http.StatusOK, "person/followed", p)
}

// followView is a case as its person sees it, in words.
type followView struct {
	Opened  string
	Case    string // where the whole stands
	Items   []followedItem
	Stops   string // "" if none
	Refused bool   // a platform refused or only limited something
	Minor   bool

	Withdrawals []confirmedView
	Messages    messagesView
	Again       elsewhereView
}

// followedItem is one item, in words.
type followedItem struct {
	Title    string
	Where    string // the address as text, never a link; "" for a picture
	Tone     string // colour of the pill
	State    string // in a few words
	Sentence string
	Next     string
	Stops    string
	LastStop string
	Step     string // what we have done since, "" for nothing
}

// itemTones are the colours of the states; each is told in words as well.
var itemTones = map[rempart.ItemState]string{
	rempart.ItemQueued: "info", rempart.ItemNotified: "info", rempart.ItemAcknowledged: "info", rempart.ItemFiled: "info",
	rempart.ItemRemoved: "success", rempart.ItemProtected: "success", rempart.ItemRestricted: "warn",
	rempart.ItemFailed: "warn", rempart.ItemRefused: "warn",
	rempart.ItemReported: "neutral", rempart.ItemDropped: "neutral", rempart.ItemUnlisted: "neutral", rempart.ItemWithdrawn: "neutral",
	rempart.ItemFollowed: "info",
}

func newFollowView(p page, f *flow.Follow) followView {
	v := followView{Opened: p.T("follow.opened", p.Date(f.OpenedAt)), Case: whole(p, f), Minor: f.Minor, Messages: newMessagesView(p, f)}
	v.Withdrawals = newConfirmedView(p, f.Withdrawals)
	v.Again = elsewhereView{Pass: f.Pass, Max: rempart.MaxAddressLength}
	if f.Stops > 0 {
		v.Stops = p.N("follow.stops.total", f.Stops)
	}
	for _, i := range f.Items {
		v.Items = append(v.Items, newFollowedItem(p, i, f.Minor))
		if i.State == rempart.ItemRefused || i.State == rempart.ItemRestricted {
			v.Refused = true
		}
	}
	return v
}

func newFollowedItem(p page, i flow.FollowItem, minor bool) followedItem {
	service := i.Service
	if service == "" {
		service = p.T("follow.platform")
	}
	state := string(i.State)
	v := followedItem{
		Tone: itemTones[i.State], State: p.T("follow.state." + state),
		Sentence: p.T("follow.say."+state, p.Date(i.Since), service), Next: p.T("follow.then." + state),
	}
	if i.Checked {
		v.Tone, v.State, v.Sentence, v.Next = "info", p.T("follow.state.checked"), p.T("follow.say.checked"), p.T("follow.then.checked")
	}
	if i.Step != "" {
		key := "follow.step." + string(i.Step)
		if i.Answered {
			key += ".answered"
		}
		v.Step = p.T(key, p.Date(i.StepAt), service)
	}
	if i.Mailed {
		v.Sentence = p.T("follow.say.notified.mail", p.Date(i.Since), service)
	}
	if i.Told {
		v.Sentence += " " + p.T("follow.told")
	}
	if !i.GoneAt.IsZero() {
		v.Sentence += " " + p.T("follow.gone", p.Date(i.GoneAt))
	}
	if i.Kind == rempart.ItemAddress {
		v.Title, v.Where = p.T("follow.address", i.Number), i.Address
		if minor {
			v.Where = hostOnly(p, i.Address)
		}
		return v
	}
	v.Title = p.T("follow.picture", i.Number)
	switch {
	case i.Stops > 0:
		v.Stops = p.N("follow.stops", i.Stops)
		v.LastStop = lastStop(p, i.LastStop)
	case i.State == rempart.ItemProtected && !i.Checked:
		v.Stops = p.T("follow.stops.zero")
	}
	return v
}

func lastStop(p page, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return p.T("follow.stops.last", p.Date(t))
}

// hostOnly names the site of an address and no more: in a minor's case nobody
// is led back to the page.
func hostOnly(p page, address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		return p.T("follow.host.none")
	}
	return p.T("follow.host", u.Hostname())
}

// itemSentence says where an item stands, for programs of the person.
func (s *Server) itemSentence(lang string, i flow.FollowItem) string {
	v := newFollowedItem(page{Lang: lang, pages: s.pages}, i, false)
	return strings.Join(strings.Fields(v.Sentence+" "+v.Step+" "+v.Stops), " ")
}

// nextSentence says where the whole report stands and what happens next.
func (s *Server) nextSentence(lang string, f *flow.Follow) string {
	return whole(page{Lang: lang, pages: s.pages}, f)
}

// whole says where the report stands as one: analysts who wait for nobody are
// not said to be working.
func whole(p page, f *flow.Follow) string {
	if f.State == rempart.CaseActive && len(f.Items) > 0 && !slices.ContainsFunc(f.Items, func(i flow.FollowItem) bool { return !i.State.Settled() }) {
		return p.T("follow.case.settled")
	}
	if f.State == rempart.CaseClosed && slices.ContainsFunc(f.Items, func(i flow.FollowItem) bool { return i.Checked }) {
		return p.T("follow.case.closed.checked")
	}
	return p.T("follow.case." + string(f.State))
}
