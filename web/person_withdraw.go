package web

import (
	"net/http"

	"rempart/flow"
	"rempart/store"
)

// withdrawView is the page on which a person takes her report back.
type withdrawView struct {
	Problem string // what is wrong with the code that was typed
	Done    bool   // the report is erased
	Held    bool   // it must be kept; its pictures are recognised no more

	Withdrawals []confirmedView // done: the platforms that had her fingerprints
}

func (s *Server) withdrawForm(w http.ResponseWriter, r *http.Request) {
	s.render(w, r, http.StatusOK, "person/withdraw", s.newPage(r, "person", "withdraw.title", withdrawView{}))
}

// withdrawnView is what is left to show of a report that was taken back.
type withdrawnView struct {
	At          string
	Withdrawals []confirmedView
}

// confirmedView is one platform that could have a copy of fingerprints which were
// withdrawn, in words.
type confirmedView struct {
	Name, State, Tone string
}

func newWithdrawnView(p page, g flow.Withdrawal) withdrawnView {
	return withdrawnView{At: p.T("withdrawn.at", p.Date(g.At)), Withdrawals: newConfirmedView(p, g.Platforms)}
}

func newConfirmedView(p page, all []store.Confirmation) (out []confirmedView) {
	for _, c := range all {
		v := confirmedView{c.Peer, p.T("withdrawn.waits"), "info"}
		if c.Mute {
			v.State = p.T("withdrawn.mute")
		}
		if c.Confirmed {
			v.State, v.Tone = p.T("withdrawn.confirmed"), "success"
		}
		out = append(out, v)
	}
	return out
}

// withdrawPost erases the report of the holder of a code. The code is typed
// again, whole, so that nobody does this by a slip.
func (s *Server) withdrawPost(w http.ResponseWriter, r *http.Request) {
	if err := parseForm(w, r); err != nil {
		s.fail(w, r, "person", err)
		return
	}
	held, gone, err := s.withdraw(r.Context(), r.PostForm.Get("code"))
	if err != nil {
		found := faults(err)
		if len(found) == 0 || found[0].Field != "code" {
			s.fail(w, r, "person", err)
			return
		}
		p := s.newPage(r, "person", "withdraw.title", nil)
		p.Data = withdrawView{Problem: p.Problem(found[0])}
		s.render(w, r, statusOf(err), "person/withdraw", p)
		return
	}
	title := "withdraw.done.title"
	if held {
		title = "withdraw.held.title"
	}
	p := s.newPage(r, "person", title, nil)
	p.Data = withdrawView{Done: !held, Held: held, Withdrawals: newConfirmedView(p, gone.Platforms)}
	s.render(w, r, http.StatusOK, "person/withdraw", p)
}
