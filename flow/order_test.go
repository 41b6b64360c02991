package flow_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"rempart"
	"rempart/exchange"
)

const systemSecret = "whsec_b2Ygb3VyIG93biBzeXN0ZW0sIGF0IGxlYXN0IDI0IGJ5dGVz"

// A forumSystem is a platform's own system with teeth: it fails the test when a
// signature does not fit, when one order is told in two ways or again after it
// was confirmed, and when the orders on an item come in another order than they
// were decided. How it answers is the test's to say.
type forumSystem struct {
	t *testing.T
	*httptest.Server

	mu      sync.Mutex
	bodies  map[string]string // by webhook-id
	done    map[string]bool
	gone    map[string]bool // addresses that were taken away
	pending map[string]string
	codes   map[string]string // of redress, by address
	answers []func(http.ResponseWriter, *http.Request, string)
	tries   int
	down    bool // answers 503 and takes nothing
}

func newForumSystem(t *testing.T, s *side) *forumSystem {
	f := &forumSystem{t: t, bodies: map[string]string{}, done: map[string]bool{}, gone: map[string]bool{}, pending: map[string]string{}, codes: map[string]string{}}
	f.Server = httptest.NewServer(http.HandlerFunc(f.take))
	t.Cleanup(func() {
		f.CloseClientConnections()
		f.Close()
	})
	p := rempart.Peer{ID: rempart.SystemID, Name: "own", Kind: rempart.PeerSystem, URL: f.URL + "/hooks/rempart?of=tests", CreatedAt: s.clock.now()}
	if err := s.DB.PutPeer(t.Context(), p, "", &rempart.Credentials{Secret: systemSecret}); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *forumSystem) will(answers ...func(http.ResponseWriter, *http.Request, string)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answers = answers
}

func (f *forumSystem) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if r.URL.Path != "/hooks/rempart" || r.URL.RawQuery != "of=tests" || r.Header.Get("Authorization") != "" {
		f.t.Errorf("asked at %s, with Authorization %q", r.URL, r.Header.Get("Authorization"))
	}
	wh, err := standardwebhooks.NewWebhook(systemSecret)
	if err != nil {
		f.t.Error(err)
	}
	if err := wh.Verify(body, r.Header); err != nil {
		f.t.Errorf("signature: %v", err)
	}
	var o exchange.Order
	if err := json.Unmarshal(body, &o); err != nil || o.ID == "" || o.ID != r.Header.Get("webhook-id") || o.Item.Address == "" || o.Decision.Explanation == "" || o.Redress.Code == "" {
		f.t.Errorf("order %s lacks something: %v", body, err)
	}
	if strings.Contains(string(body), association.Name) || strings.Contains(string(body), association.Email) {
		f.t.Error("the order names who notified, which goes to who put the content there")
	}
	f.mu.Lock()
	if f.tries++; f.down {
		f.mu.Unlock()
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if was, ok := f.bodies[o.ID]; ok && was != string(body) {
		f.t.Errorf("order %s was told again in other words:\n%s\n%s", o.ID, was, body)
	}
	if f.done[o.ID] {
		f.t.Errorf("order %s was told again after it was confirmed", o.ID)
	}
	if p := f.pending[o.Item.Address]; p != "" && p != o.ID {
		f.t.Errorf("order %s came while %s on the same item is not done", o.ID, p)
	}
	f.bodies[o.ID], f.pending[o.Item.Address] = string(body), o.ID
	f.codes[o.Item.Address] = o.Redress.Code
	if len(f.answers) > 0 {
		answer := f.answers[0]
		f.answers = f.answers[1:]
		f.mu.Unlock()
		answer(w, r, `{"number":"N-1","state":"received"}`)
		return
	}
	f.done[o.ID], f.gone[o.Item.Address] = true, o.Type == exchange.OrderApply
	delete(f.pending, o.Item.Address)
	f.mu.Unlock()
	io.WriteString(w, `{"outcome":"done"}`)
}

// TestOrders meets each fault at the platform's own system: the notifier is told
// of a removal once it was confirmed, and never before; what cannot succeed is a
// human's task.
func TestOrders(t *testing.T) {
	more := append([]fault{
		{name: "pending", answer: status(202, `{"outcome":"pending"}`)},
		{name: "cannot", human: true, answer: status(200, `{"outcome":"failed","reason":"no such page"}`)},
		{name: "another word", answer: status(200, `{"outcome":"ok"}`)},
		{name: "done, but 500", answer: status(500, `{"outcome":"done"}`)},
		{name: "done, but 302", human: true, answer: status(302, `{"outcome":"done"}`)},
	}, faults...)
	for _, x := range more {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			hub := newFar(t)
			s, peer := platformOf(t, hub.URL)
			f := newForumSystem(t, s)
			i, err := s.Receive(t.Context(), peer, travelling(), "")
			if err != nil {
				t.Fatal(err)
			}
			s.step()
			f.will(x.answer)
			if err := s.Decide(t.Context(), i.ID, "i1", removal, "Noisetier"); err != nil {
				t.Fatal(err)
			}
			s.step()
			s.step()
			s.check()
			s.unsaid(i.ID, hub)
			if x.human {
				left := s.left(rempart.JobOrder)
				if tasks, err := s.DB.IntakeTasks(t.Context(), 10); err != nil || len(tasks) != 1 || tasks[0].Kind != rempart.IntakeOrder || len(left) != 1 || left[0].State != "dead" {
					t.Fatalf("tasks %+v, %v, jobs %+v, want one task", tasks, err, left)
				}
				now, err := s.DB.Intake(t.Context(), i.ID)
				if err != nil {
					t.Fatal(err)
				}
				if err := s.DB.UpdateIntake(t.Context(), i.ID, func(i *rempart.Intake) error { return i.RetryOrder(now.Orders[0].ID, "Noisetier", s.clock.now()) }); err != nil {
					t.Fatal(err)
				}
			} else {
				s.clock.advance(time.Hour)
			}
			s.step() // the order
			s.step() // the decision
			s.check()
			if left := append(s.left(rempart.JobCallback), s.left(rempart.JobOrder)...); len(left) > 1 || len(left) == 1 && left[0].State != "dead" {
				t.Errorf("jobs left: %+v", left)
			}
			if tasks, err := s.DB.IntakeTasks(t.Context(), 10); err != nil || len(tasks) != 0 {
				t.Errorf("tasks left: %+v, %v", tasks, err)
			}
			if !f.gone["https://forum.exemple.test/p/1"] || len(f.bodies) != 1 {
				t.Errorf("gone %v after %d orders", f.gone, len(f.bodies))
			}
			hub.mu.Lock()
			defer hub.mu.Unlock()
			if len(hub.told) != 2 || s.count(i.ID, "order.done") != 1 {
				t.Errorf("the hub was told %d messages, %d events order.done", len(hub.told), s.count(i.ID, "order.done"))
			}
		})
	}
	t.Logf("%d faults at the platform's own system", len(more))
}

// unsaid checks that nobody has heard of a decision that is not carried out.
func (s *side) unsaid(id string, hub *far) {
	s.t.Helper()
	i, err := s.DB.Intake(s.t.Context(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	if len(i.Answered()) != 0 || i.Settled() || s.count(id, "intake.told") != 1 {
		s.t.Errorf("answered %v, settled %t, told %d times before the system confirmed", i.Answered(), i.Settled(), s.count(id, "intake.told"))
	}
	hub.mu.Lock()
	defer hub.mu.Unlock()
	for _, told := range hub.told {
		if strings.Contains(told.body, "decided") {
			s.t.Errorf("told before the system confirmed: %s", told.body)
		}
	}
}

// TestOrderDown has the system down for a simulated day, then kills the platform
// at each point of an order: each is done once, and each notifier told once.
func TestOrderDown(t *testing.T) {
	hub := newFar(t)
	s, peer := platformOf(t, hub.URL)
	f := newForumSystem(t, s)
	n := travelling()
	n.Items = nil
	for k := range 5 {
		n.Items = append(n.Items, rempart.NoticeItem{ID: fmt.Sprintf("i%d", k), Address: fmt.Sprintf("https://forum.exemple.test/p/%d", k)})
	}
	i, err := s.Receive(t.Context(), peer, n, "")
	if err != nil {
		t.Fatal(err)
	}
	s.step()
	for _, item := range n.Items {
		if err := s.Decide(t.Context(), i.ID, item.ID, removal, "Noisetier"); err != nil {
			t.Fatal(err)
		}
	}
	f.mu.Lock()
	f.down = true
	f.mu.Unlock()
	for range 24 {
		s.step()
		s.clock.advance(time.Hour)
	}
	s.unsaid(i.ID, hub)
	f.mu.Lock()
	f.down = false
	f.mu.Unlock()
	for _, point := range []string{"order.send.claimed", "order.delivered", "order.send.saved"} {
		var reached atomic.Bool // five orders go side by side
		s.Fault = func(p string) {
			if p == point && reached.CompareAndSwap(false, true) {
				runtime.Goexit()
			}
		}
		if point == "order.send.claimed" {
			s.clock.advance(24 * time.Hour)
		} else {
			s.clock.advance(2 * time.Minute)
		}
		f.mu.Lock()
		f.done = map[string]bool{} // killed after it was done: told again, which is right
		f.mu.Unlock()
		if s.step(); !reached.Load() {
			t.Errorf("the point %s was not reached", point)
		}
	}
	s.Fault = nil
	for range 3 {
		s.clock.advance(2 * time.Minute)
		f.mu.Lock()
		f.done = map[string]bool{}
		f.mu.Unlock()
		s.step()
	}
	s.check()
	if left := append(s.left(rempart.JobOrder), s.left(rempart.JobCallback)...); len(left) != 0 || len(f.bodies) != 5 || s.count(i.ID, "order.done") != 5 || s.count(i.ID, "intake.told") != 2 {
		t.Errorf("left %+v, %d orders, %d done, told %d times", left, len(f.bodies), s.count(i.ID, "order.done"), s.count(i.ID, "intake.told"))
	}
}

// TestOrderByHand: where there is no system, what is decided counts as done; one
// that is removed while it was asked leaves the order to a human.
func TestOrderByHand(t *testing.T) {
	s, peer := platformOf(t, "")
	i, err := s.Receive(t.Context(), peer, travelling(), "")
	if err != nil {
		t.Fatal(err)
	}
	f := newForumSystem(t, s)
	if err := s.Decide(t.Context(), i.ID, "i1", removal, "Noisetier"); err != nil {
		t.Fatal(err)
	}
	p, err := s.DB.Peer(t.Context(), rempart.SystemID)
	if err != nil {
		t.Fatal(err)
	}
	p.DisabledAt = s.clock.now()
	if err := s.DB.PutPeer(t.Context(), p, "", nil); err != nil {
		t.Fatal(err)
	}
	s.step()
	i, err = s.DB.Intake(t.Context(), i.ID)
	if err != nil || f.tries != 0 || i.Orders[0].State != rempart.OrderFailed || i.Settled() {
		t.Fatalf("%+v, %v, asked %d times", i.Orders, err, f.tries)
	}
	if err := s.DB.UpdateIntake(t.Context(), i.ID, func(i *rempart.Intake) error { return i.OrderByHand(i.Orders[0].ID, "Charme", s.clock.now()) }); err != nil {
		t.Fatal(err)
	}
	if i, err = s.DB.Intake(t.Context(), i.ID); err != nil || !i.Settled() || i.Orders[0].ByHand != "Charme" {
		t.Errorf("%+v, %v", i.Orders, err)
	}
	other := travelling()
	other.ID = "notice-2"
	second, err := s.Receive(t.Context(), peer, other, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Decide(t.Context(), second.ID, "i1", removal, "Noisetier"); err != nil {
		t.Fatal(err)
	}
	if second, err = s.DB.Intake(t.Context(), second.ID); err != nil || len(second.Orders) != 0 || !second.Settled() {
		t.Errorf("%+v, %v: without a system, what is decided counts as done", second, err)
	}
}
