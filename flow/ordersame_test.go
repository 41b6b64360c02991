package flow_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rempart"
	"rempart/exchange"
	"rempart/flow"
)

const posting = "https://forum.exemple.test/p/1"

// about has notices about one posting come in, under numbers from, and their
// acknowledgements told.
func (s *side) about(peer rempart.Peer, from, n int) (out []*rempart.Intake) {
	s.t.Helper()
	for k := range n {
		x := travelling()
		x.ID = fmt.Sprintf("notice-%d", from+k)
		i, err := s.Receive(s.t.Context(), peer, x, "")
		if err != nil {
			s.t.Fatal(err)
		}
		out = append(out, i)
	}
	s.step()
	return out
}

// together decides on all, as a moderator does who decides the same for all.
func (s *side) together(all []*rempart.Intake, d rempart.Decision, back bool) {
	s.t.Helper()
	var out []flow.Ruling
	for _, i := range all {
		out = append(out, flow.Ruling{Intake: i.ID, Item: "i1", Decision: d})
	}
	if err := s.DecideTogether(s.t.Context(), out, back, "Noisetier"); err != nil {
		s.t.Fatal(err)
	}
}

// orders returns what the platform's system was told, each order once.
func (f *forumSystem) orders() (out []exchange.Order) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, body := range f.bodies {
		var o exchange.Order
		if err := json.Unmarshal([]byte(body), &o); err != nil {
			f.t.Error(err)
		}
		out = append(out, o)
	}
	return out
}

// once checks that a posting was ordered away as often as it should, and that
// each notifier has one answer.
func (s *side) once(f *forumSystem, hub *far, want int, all ...*rempart.Intake) {
	s.t.Helper()
	if o := f.orders(); len(o) != want {
		s.t.Errorf("%d orders, want %d: %+v", len(o), want, o)
	}
	for _, i := range all {
		now, err := s.DB.Intake(s.t.Context(), i.ID)
		if err != nil {
			s.t.Fatal(err)
		}
		if !now.Settled() || now.Ended().IsZero() || s.count(i.ID, "intake.told") != 2 || s.count(i.ID, "order.done") > 1 {
			s.t.Errorf("%s: settled %t, told %d times, orders %+v", i.Number, now.Settled(), s.count(i.ID, "intake.told"), now.Orders)
		}
	}
	answers := map[string]int{}
	hub.mu.Lock()
	defer hub.mu.Unlock()
	for _, told := range hub.told {
		for _, i := range all {
			if strings.Contains(told.body, rempart.CallbackDecided) && strings.Contains(told.body, i.Number) {
				answers[i.Number]++
			}
		}
	}
	for _, i := range all {
		if answers[i.Number] != 1 {
			s.t.Errorf("%s was answered %d times", i.Number, answers[i.Number])
		}
	}
}

func (s *side) rest() {
	s.t.Helper()
	for range 6 {
		s.step()
		s.clock.advance(2 * time.Minute)
	}
}

// TestOneOrder: one posting is one order, which names all notices that were
// decided together, and each notifier has one answer, once the order is done and
// not before; a later notice is answered without an order, unless the posting is
// back.
func TestOneOrder(t *testing.T) {
	onBoth(t, func(t *testing.T, s *side) {
		hub := newFar(t)
		peer := s.knows("hub", rempart.PeerFlagger, hub.URL, keyAtPlatform, keyAtHub)
		f := newForumSystem(t, s)
		first := s.about(peer, 1, 3)
		f.will(status(http.StatusServiceUnavailable, ""))
		s.together(first, removal, false)
		s.step() // the system is away
		for _, i := range first {
			s.unsaid(i.ID, hub)
		}
		joins := s.about(peer, 4, 1)
		s.together(joins, removal, false)
		s.unsaid(joins[0].ID, hub)
		s.rest()
		s.once(f, hub, 1, append(first, joins...)...)
		o := f.orders()[0]
		if o.Notice != first[0].Number || fmt.Sprint(o.Notices) != fmt.Sprint([]string{first[0].Number, first[1].Number, first[2].Number}) {
			t.Errorf("the order is of %s and names %v", o.Notice, o.Notices)
		}

		later := s.about(peer, 5, 1)
		s.together(later, removal, false)
		s.rest()
		s.once(f, hub, 1, later...)

		back := s.about(peer, 6, 2)
		s.together(back, removal, true)
		s.rest()
		s.once(f, hub, 2, back...)

		other := removal
		other.Restrictions = []rempart.Restriction{"visibility.demoted"}
		other.Measure = rempart.MeasureRestricted
		more := s.about(peer, 8, 1)
		s.together(more, other.Normal(), false)
		s.rest()
		s.once(f, hub, 3, more...)
	})
}

// TestOneOrderLifted: what a complaint brought back is ordered away again.
func TestOneOrderLifted(t *testing.T) {
	hub := newFar(t)
	s, peer := platformOf(t, hub.URL)
	f := newForumSystem(t, s)
	first := s.about(peer, 1, 2)
	s.together(first, removal, false)
	s.rest()
	s.once(f, hub, 1, first...)
	if err := s.DB.UpdateIntake(t.Context(), first[0].ID, func(i *rempart.Intake) error {
		at := s.clock.now()
		number, err := i.Complain(rempart.ByAffected, "", nil, "C’est ma propre photo, prise en vacances.", rempart.Window{Within: rempart.Span{N: 190 * 24, Unit: rempart.Hours}}, "affected", at)
		if err != nil {
			return err
		}
		return i.DecideComplaint(number, map[string]rempart.Decision{"i1": {Measure: rempart.MeasureRefused, Ground: "law", Facts: removal.Facts, Explanation: removal.Explanation, Redress: removal.Redress, Scope: removal.Scope}},
			"La photo est bien la vôtre et ne montre personne d’autre.", "Charme", at)
	}); err != nil {
		t.Fatal(err)
	}
	s.rest()
	before := len(f.orders())
	again := s.about(peer, 3, 1)
	s.together(again, removal, false)
	s.rest()
	s.once(f, hub, before+1, again...)
	if !f.gone[posting] {
		t.Error("it was brought back, and a new notice did not take it away")
	}
}

// TestOneOrderKilled kills the platform at each point on the way of an order that
// several notices share: one order, one answer each.
func TestOneOrderKilled(t *testing.T) {
	for _, point := range []string{"decision.saved", "order.send.claimed", "order.delivered", "order.send.saved", "order.shared.claimed", "order.shared.told", "order.shared.saved", "callback.send.claimed"} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			hub := newFar(t)
			s, peer := platformOf(t, hub.URL)
			f := newForumSystem(t, s)
			all := s.about(peer, 1, 4)
			var reached atomic.Bool
			s.Fault = func(p string) {
				if p == point && reached.CompareAndSwap(false, true) {
					f.mu.Lock()
					f.done = map[string]bool{} // killed after it was done: told again in the same words
					f.mu.Unlock()
					runtime.Goexit()
				}
			}
			ended := make(chan bool)
			go func() { // a killed process does not go on
				defer close(ended)
				s.together(all, removal, false)
			}()
			<-ended
			for range 8 {
				s.step()
				s.clock.advance(2 * time.Minute)
			}
			if !reached.Load() {
				t.Fatal("the point was not reached")
			}
			s.Fault = nil
			s.once(f, hub, 1, all...)
			s.check()
		})
	}
}

// TestOneOrderByHand: an order that several notices share and that cannot be
// carried out is one task; done by hand, each notifier is answered.
func TestOneOrderByHand(t *testing.T) {
	hub := newFar(t)
	s, peer := platformOf(t, hub.URL)
	f := newForumSystem(t, s)
	all := s.about(peer, 1, 3)
	f.will(status(200, `{"outcome":"failed","reason":"no such page"}`))
	s.together(all, removal, false)
	s.rest()
	tasks, err := s.DB.IntakeTasks(t.Context(), 10)
	if err != nil || len(tasks) != 1 || tasks[0].Intake.ID != all[0].ID {
		t.Fatalf("tasks %+v, %v, want one", tasks, err)
	}
	for _, i := range all {
		s.unsaid(i.ID, hub)
	}
	if err := s.DB.UpdateIntake(t.Context(), all[0].ID, func(i *rempart.Intake) error { return i.OrderByHand(i.Orders[0].ID, "Charme", s.clock.now()) }); err != nil {
		t.Fatal(err)
	}
	s.rest()
	s.once(f, hub, 1, all...)
	i, err := s.DB.Intake(t.Context(), all[2].ID)
	if err != nil || i.Orders[0].ByHand != "Charme" {
		t.Errorf("%+v, %v", i.Orders, err)
	}
}

// TestOneOrderAtOnce: moderators who decide at the same moment on notices about
// one posting ask for one order.
func TestOneOrderAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, s *side) {
		hub := newFar(t)
		peer := s.knows("hub", rempart.PeerFlagger, hub.URL, keyAtPlatform, keyAtHub)
		f := newForumSystem(t, s)
		all := s.about(peer, 1, 6)
		faults := make(chan error)
		for _, i := range all {
			go func() { faults <- s.Decide(t.Context(), i.ID, "i1", removal, "Noisetier") }()
		}
		for range all {
			if err := <-faults; err != nil {
				t.Error(err)
			}
		}
		for range 3 {
			s.rest()
		}
		s.once(f, hub, 1, all...)
	})
}
