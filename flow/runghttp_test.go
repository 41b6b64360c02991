package flow_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rempart"
	"rempart/exchange"
)

// A desk is somebody else's API that takes reminders by its own template. It fails
// the test when one lacks an element, is not under a notice that it knows, or is
// told twice where it does not know repetitions.
type desk struct {
	t      *testing.T
	keys   bool
	step   string // that it is asked, "reminder" or "complaint"
	closed bool   // the notice was decided: nothing more is to be said

	mu   sync.Mutex
	next []string // what it does with the next ones: "" takes, else see ServeHTTP
	have []string // texts that it took
	seen []string // keys
}

func (d *desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var m struct{ About, Number, Step, Text string }
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil || m.About == "" || m.Number == "" || m.Step != d.step ||
		!strings.Contains(m.Text, "https://forum.exemple.test/p/1") || !strings.Contains(m.Text, m.About) {
		d.t.Errorf("a step that lacks an element: %+v, %v", m, err)
	}
	key := r.Header.Get("Idempotency-Key")
	if d.keys != (key != "") || r.Header.Get("Authorization") != "Bearer "+keyAtPlatform {
		d.t.Errorf("headers %v", r.Header)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		d.t.Error("reminded of what was decided")
	}
	does := ""
	if len(d.next) > 0 {
		does, d.next = d.next[0], d.next[1:]
	}
	again := d.keys && slices.Contains(d.seen, key)
	switch does {
	case "busy":
		http.Error(w, "later", http.StatusServiceUnavailable)
		return
	case "refuses":
		http.Error(w, "no", http.StatusBadRequest)
		return
	}
	if !again {
		d.have, d.seen = append(d.have, m.Text), append(d.seen, key)
	}
	if does == "takes and breaks off" {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	w.Write([]byte(`{"id":"D-7"}`))
}

func (d *desk) took() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.have)
}

// TestRemindRequest reminds by a template of somebody else's API once, whatever
// that does or wherever we are killed: one that knows repetitions is asked again,
// and what another may have taken is a human's.
func TestRemindRequest(t *testing.T) {
	for _, x := range []struct {
		keys       bool
		does, kill string
		state      rempart.RungState
		sent       int
	}{
		{keys: true, state: rempart.RungSent, sent: 1},
		{keys: true, does: "busy", state: rempart.RungSent, sent: 1},
		{keys: true, does: "refuses", state: rempart.RungAsked},
		{keys: true, does: "takes and breaks off", state: rempart.RungSent, sent: 1},
		{keys: true, kill: "rung.send.claimed", state: rempart.RungSent, sent: 1},
		{keys: true, kill: "rung.send.delivered", state: rempart.RungSent, sent: 1},
		{keys: true, kill: "rung.send.saved", state: rempart.RungSent, sent: 1},
		{state: rempart.RungSent, sent: 1},
		{does: "busy", state: rempart.RungAsked}, // it may have taken it
		{does: "refuses", state: rempart.RungAsked},
		{does: "takes and breaks off", state: rempart.RungAsked, sent: 1},
		{kill: "rung.send.claimed", state: rempart.RungSent, sent: 1},
		{kill: "rung.http.begun", state: rempart.RungAsked},
		{kill: "rung.http.delivered", state: rempart.RungAsked, sent: 1},
		{kill: "rung.send.saved", state: rempart.RungSent, sent: 1},
	} {
		name := map[bool]string{true: "knows repetitions", false: "does not"}[x.keys] + " " + x.does + " " + x.kill
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, s *side) {
				c, id := s.silent(newFar(t))
				d := s.asksBy(t, "reminder", x.keys, x.does)
				s.step() // the clock runs down
				if x.kill != "" && !s.dies(x.kill) {
					t.Fatal("it did not die")
				}
				for range 3 {
					s.step()
					s.clock.advance(10 * time.Minute)
				}
				r := s.rungsOf(c.Ref, id)
				if len(r) != 1 || r[0].State != x.state || d.took() != x.sent {
					t.Fatalf("%d told, rungs %+v", d.took(), r)
				}
				if x.state == rempart.RungSent && r[0].Number != "D-7" {
					t.Errorf("number %q", r[0].Number)
				}
				if x.state == rempart.RungAsked {
					if k := taskOf(s.caseOf(c.Ref), rempart.AwaitAcknowledgement); k != rempart.TaskRemind {
						t.Errorf("a human is asked %q", k)
					}
				}
			})
		})
	}
}

// asksBy has the service forum take what follows a notice by a template of its
// own, at a desk that first does what does says.
func (s *side) asksBy(t *testing.T, step string, keys bool, does string) *desk {
	t.Helper()
	d := &desk{t: t, keys: keys, step: step, next: []string{does}}
	srv := httptest.NewServer(d)
	t.Cleanup(func() { srv.CloseClientConnections(); srv.Close() })
	p := rempart.Peer{ID: "forum", Name: "Forum", Kind: rempart.PeerHTTP, URL: srv.URL, CreatedAt: s.clock.now(), Request: &rempart.Request{
		ContentType: exchange.JSONRequest, Body: "{{json .Notice}}", Headers: []string{"Authorization"}, Number: "id", Repeatable: keys,
		FollowUp: `{"about": {{json .Notice.ID}}, "number": {{json .Number}}, "step": {{json .Step}}, "text": {{json .Text}}}`}}
	if err := exchange.CheckRequest(*p.Request); err != nil {
		t.Fatal(err)
	}
	if err := s.DB.PutPeer(t.Context(), p, "", &rempart.Credentials{Headers: map[string]string{"Authorization": "Bearer " + keyAtPlatform}}); err != nil {
		t.Fatal(err)
	}
	if reached, err := s.Reaches(t.Context(), &rempart.Notice{ServiceID: "forum"}); err != nil || !reached {
		t.Errorf("reached %v, %v", reached, err)
	}
	return d
}

// TestComplainRequest sends a complaint against a refusal by a template of
// somebody else's API: only after somebody of the staff said so, with her text,
// once, and what one that knows no repetitions may have taken is a human's.
func TestComplainRequest(t *testing.T) {
	for _, x := range []struct {
		keys  bool
		does  string
		state rempart.RungState
		sent  int
	}{
		{keys: true, state: rempart.RungSent, sent: 1},
		{keys: true, does: "busy", state: rempart.RungSent, sent: 1},
		{keys: true, does: "takes and breaks off", state: rempart.RungSent, sent: 1},
		{keys: true, does: "refuses", state: rempart.RungAsked},
		{state: rempart.RungSent, sent: 1},
		{does: "refuses", state: rempart.RungAsked},
		{does: "takes and breaks off", state: rempart.RungAsked, sent: 1},
	} {
		t.Run(map[bool]string{true: "knows repetitions", false: "does not"}[x.keys]+" "+x.does, func(t *testing.T) {
			onBoth(t, func(t *testing.T, s *side) {
				c, id := s.silent(newFar(t))
				d := s.asksBy(t, "complaint", x.keys, x.does)
				now := s.clock.now()
				s.change(c, func(c *rempart.Case) error {
					if err := c.NoticeAcknowledged(id, "D-7", "forum", now); err != nil {
						return err
					}
					return c.NoticeDecided(id, "D-7", "forum", map[string]rempart.Decision{c.Items[0].ID: decisionOf(rempart.MeasureRefused)}, now)
				})
				for k := 0; k < 40 && len(s.rungsOf(c.Ref, id)) == 0; k++ {
					s.clock.advance(24 * time.Hour)
					s.settle()
				}
				r := s.rungsOf(c.Ref, id)
				if len(r) != 1 || r[0].Kind != rempart.RungComplaint || r[0].State != rempart.RungAsked || d.took() != 0 {
					t.Fatalf("%d told before anybody said so, rungs %+v", d.took(), r)
				}
				text := "Nous déposons une réclamation : la personne n’a jamais donné son accord. https://forum.exemple.test/p/1, " + id
				s.change(c, func(c *rempart.Case) error { return c.SendRung(r[0].ID, text, analyst, s.clock.now()) })
				for range 3 {
					s.step()
					s.clock.advance(10 * time.Minute)
				}
				if r = s.rungsOf(c.Ref, id); r[0].State != x.state || d.took() != x.sent {
					t.Fatalf("%d told, rungs %+v", d.took(), r)
				}
				if x.sent > 0 && !strings.Contains(d.have[0], "la personne n’a jamais donné son accord") {
					t.Errorf("it was told %q", d.have[0])
				}
				if x.state == rempart.RungSent && r[0].Number != "D-7" {
					t.Errorf("number %q", r[0].Number)
				}
			})
		})
	}
}
