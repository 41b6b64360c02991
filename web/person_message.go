package web

import (
	"context"
	"net/http"

	"rempart"
	"rempart/flow"
)

// A messagesView is what the person and those who work on her case wrote to each
// other, and the form for her next message.
type messagesView struct {
	Lines   []messageLine
	Pass    string // in the form: lets her write from this page; "" where nobody may write
	Text    string // as typed, when the form comes back
	Problem string // what is wrong with it
	Sent    bool   // it was just taken
	Max     int    // its longest length, in runes
}

// A messageLine is one message, in words.
type messageLine struct {
	Mine bool
	Who  string
	When string
	Text string
}

func newMessagesView(p page, f *flow.Follow) messagesView {
	v := messagesView{Pass: f.Pass, Max: rempart.MaxMessage}
	for _, m := range f.Messages {
		l := messageLine{Mine: m.Mine, Who: p.T("message.team"), When: p.Date(m.At), Text: m.Text}
		if m.Mine {
			l.Who = p.T("message.you")
		}
		v.Lines = append(v.Lines, l)
	}
	return v
}

// messagePost takes a message from the page that a code opened, or with a code
// typed anew where that page was too old.
func (s *Server) messagePost(w http.ResponseWriter, r *http.Request) {
	if err := parseForm(w, r); err != nil {
		s.fail(w, r, "person", err)
		return
	}
	typed, text := r.PostForm.Get("code"), r.PostForm.Get("text")
	f, err := s.hear(r.Context(), typed, r.PostForm.Get("pass"), text)
	if f != nil {
		p := s.newPage(r, "person", "follow.shown.title", nil)
		v := newFollowView(p, f)
		v.Messages.Sent = err == nil
		answer := http.StatusOK
		if err != nil {
			answer, v.Messages.Text = statusOf(err), text
			for _, e := range faults(err) {
				v.Messages.Problem = p.Problem(e)
			}
		}
		p.Data = v
		s.render(w, r, answer, "person/followed", p)
		return
	}
	found := faults(err)
	if len(found) == 0 || found[0].Field != "code" {
		s.fail(w, r, "person", err)
		return
	}
	p := s.newPage(r, "person", "follow.title", nil)
	if len(typed) > 64 {
		typed = ""
	}
	p.Data = askView{Typed: typed, Problem: p.Problem(found[0]), Text: text, Writing: true}
	s.render(w, r, statusOf(err), "person/follow", p)
}

// hear takes a message, among as many at once as codes are looked up. What is
// neither a code nor a pass is answered without the database.
func (s *Server) hear(ctx context.Context, typed, pass, text string) (*flow.Follow, error) {
	if typed != "" {
		if _, err := rempart.ParseCaseCode(typed); err != nil {
			return nil, err
		}
	}
	done, err := s.lookup(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	return s.Flow.Hear(ctx, typed, pass, text)
}
