package web

import (
	"net/http"
	"strings"
	"time"

	"rempart"
)

// A talkView is what the person and the staff wrote to each other, and the form
// for the next message.
type talkView struct {
	Lines   []talkLine
	Waiting int    // messages of the person that wait for an answer
	Lang    string // the person's language, in words
	Text    string // as typed, when the form comes back
	Preview bool   // show it as she will read it
	Open    bool   // the form is unfolded
	Gone    bool   // she can read no more
	Max     int

	Templates []option
	Lacking   string // names in the template that the case has nothing for
}

// A talkLine is one message, in words.
type talkLine struct {
	Mine    bool // of the person
	Who     string
	When    string
	Text    string
	Settled rempart.Actor // who said that it needs no answer
}

// talkTried names the form of a message when it comes back.
const talkTried = "messages"

func (s *Server) talk(r *http.Request, p page, c *rempart.Case) (talkView, error) {
	v := talkView{Waiting: len(c.Unanswered()), Lang: p.T("messages.lang." + c.Lang), Gone: !c.Withdrawn.IsZero(), Max: rempart.MaxMessage}
	for _, m := range c.Messages {
		l := talkLine{Who: string(m.By), When: p.DateTime(m.At), Text: m.Text, Settled: m.Settled}
		if m.FromPerson() {
			l.Mine, l.Who = true, p.T("messages.person")
		}
		v.Lines = append(v.Lines, l)
	}
	list, err := s.DB.Templates(r.Context())
	if err != nil {
		return v, err
	}
	for _, t := range list.List {
		v.Templates = append(v.Templates, option{Value: t.ID, Text: t.Title.In(p.Lang), Chosen: t.ID == r.PostForm.Get("template")})
	}
	if r.Method == http.MethodPost && strings.HasSuffix(r.Pattern, "/messages") {
		v.Text, v.Open = r.PostForm.Get("text"), true
		v.Preview = r.PostForm.Get("action") == "preview" && strings.TrimSpace(v.Text) != ""
		if t := list.Get(r.PostForm.Get("template")); t != nil && r.PostForm.Get("action") == "fill" {
			text, lacking := s.filled(c, t)
			v.Text = strings.TrimSpace(strings.TrimSpace(v.Text) + "\n\n" + text)
			if len(lacking) > 0 {
				v.Lacking = "{" + strings.Join(lacking, "}, {") + "}"
			}
		}
	}
	v.Open = v.Open || v.Waiting > 0
	return v, nil
}

// talkPost fills in, previews or sends a message to the person, or settles hers.
func (s *Server) talkPost(w http.ResponseWriter, r *http.Request) {
	c, ok := s.postedCase(w, r)
	if !ok {
		return
	}
	text := r.PostForm.Get("text")
	switch r.PostForm.Get("action") {
	case "fill", "preview":
		s.casePage(w, r, http.StatusOK, c, nil)
	case "send":
		s.change(w, r, "message_sent", func(c *rempart.Case, by rempart.Actor, at time.Time) error { return c.Tell(text, by, at) })
	case "settle":
		s.change(w, r, "messages_settled", func(c *rempart.Case, by rempart.Actor, at time.Time) error { return c.Settle(by, at) })
	default:
		s.unknownAction(w, r)
	}
}
