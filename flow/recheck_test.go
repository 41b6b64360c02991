package flow_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"rempart"
	"rempart/flow"
)

// A reacher is a fake checker that fails the test if it asks what it must not.
type reacher struct {
	t        *testing.T
	now      func() time.Time
	mu       sync.Mutex
	reach    rempart.Reach
	asked    []time.Time
	headOnly int
	never    string // part of an address that must not be asked
}

func (r *reacher) Check(_ context.Context, address string, headOnly bool) rempart.Recheck {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.never != "" && strings.Contains(address, r.never) {
		r.t.Errorf("asked %s", address)
	}
	r.asked = append(r.asked, r.now())
	if headOnly {
		r.headOnly++
	}
	return rempart.Recheck{At: r.now(), Reach: r.reach, Status: 200, Why: "status"}
}

// watched returns a hub that re-checks, and a case with a notice that was
// received at the time start.
func watched(t *testing.T, r rempart.Report) (*side, *reacher, *rempart.Case, string) {
	t.Helper()
	f := newFar(t)
	s := newSide(t, newClock(), patience)
	asks := &reacher{t: t, now: s.clock.now, reach: rempart.ReachThere}
	s.Flow.Rechecks = flow.Rechecks{Checker: asks}
	s.knows("forum", rempart.PeerPlatform, f.URL, keyAtHub, keyAtPlatform)
	s.serves("forum", "forum.exemple.test", "forum")
	c := s.submit(r)
	id := s.notify(c, "forum")
	s.step()
	return s, asks, s.caseOf(c.Ref), id
}

// run lets d pass in steps of ten minutes.
func (s *side) run(d time.Duration) {
	for end := s.clock.now().Add(d); s.clock.now().Before(end); {
		s.clock.advance(10 * time.Minute)
		s.step()
	}
}

// hours are the times at which it was asked, in hours after start.
func (r *reacher) hours() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for _, t := range r.asked {
		out = append(out, fmt.Sprint(t.Sub(start).Round(time.Hour).Hours()))
	}
	return strings.Join(out, " ")
}

// TestRechecks follows an address from the notice until it is gone, and back:
// asked at the hours that are planned, told with the interval that is proved, and
// the item never moved by it.
func TestRechecks(t *testing.T) {
	s, asks, c, id := watched(t, reportOf("https://forum.exemple.test/p/1"))
	item := c.Items[0].ID
	s.run(50 * time.Hour)
	if got := asks.hours(); got != "1 6 24 48" {
		t.Errorf("asked after %s hours, want 1 6 24 48", got)
	}
	w := s.caseOf(c.Ref).Items[0].Rechecks
	if _, _, ok := w.Removal(); ok || w.Asked != 4 || !w.Gone.IsZero() || w.There.Sub(start) < 48*time.Hour {
		t.Errorf("known: %+v", w)
	}
	asks.reach = rempart.ReachUnknown
	s.run(24 * time.Hour)
	asks.reach = rempart.ReachGone
	s.run(24 * time.Hour)
	i := s.caseOf(c.Ref).Items[0]
	least, most, ok := i.Rechecks.Removal()
	if !ok || least.Round(time.Hour) != 48*time.Hour || most.Round(time.Hour) != 96*time.Hour || i.State != rempart.ItemNotified {
		t.Errorf("gone after %v to %v, %v, item %s; want 48 h to 96 h, item still notified", least, most, ok, i.State)
	}
	if n := s.count(c.ID, "task.opened"); n != s.tasks(c, rempart.AwaitAcknowledgement) {
		t.Errorf("%d tasks opened before it came back", n)
	}
	// The platform decides; then it is there again, after the case was closed.
	s.change(c, func(c *rempart.Case) error {
		d := rempart.Decision{Measure: rempart.MeasureRemoved, Ground: "law", Reference: "Code pénal, art. 226-8-1", Scope: "EU", Redress: []string{"court"},
			Facts: "Notification examinée.", Explanation: "Le contenu a été comparé aux faits décrits."}
		if err := c.NoticeDecided(id, "N-1", "forum", map[string]rempart.Decision{item: d}, s.clock.now()); err != nil {
			return err
		}
		return c.Close("retiré", analyst, s.clock.now())
	})
	before := len(asks.asked)
	s.run(25 * time.Hour)
	if n := len(asks.asked) - before; n != 2 {
		t.Errorf("asked %d times in the day after the decision, want 2", n)
	}
	asks.reach = rempart.ReachThere
	s.run(30 * 24 * time.Hour)
	got := s.caseOf(c.Ref)
	var back []rempart.Clock
	for _, k := range got.Clocks {
		if k.Await == rempart.AwaitBack {
			back = append(back, k)
		}
	}
	if len(back) != 1 || back[0].Task != rempart.TaskBack || back[0].ItemID != item || got.State != rempart.CaseActive || s.count(c.ID, "item.back") != 1 {
		t.Fatalf("clocks %+v, case %s: want one task to look, and the case open again", back, got.State)
	}
	if _, _, ok := got.Items[0].Rechecks.Removal(); ok || got.Items[0].Rechecks.Back.IsZero() || got.Items[0].State != rempart.ItemRemoved {
		t.Errorf("known: %+v", got.Items[0].Rechecks)
	}
	_, cal, err := s.DB.ClockPolicy(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.change(c, func(c *rempart.Case) error { return c.DoTask(back[0].ID, cal, analyst, s.clock.now()) })
	n := len(asks.asked)
	s.run(24 * 200 * time.Hour)
	if more := len(asks.asked) - n; more > 13 || s.caseOf(c.Ref).Items[0].Rechecks.Next != (time.Time{}) || s.count(c.ID, "item.rechecked") != len(asks.asked) {
		t.Errorf("asked %d more times in 200 days, %d recorded of %d, next %v", more, s.count(c.ID, "item.rechecked"), len(asks.asked), s.caseOf(c.Ref).Items[0].Rechecks.Next)
	}
	if jobs := s.left(rempart.JobRecheck); len(jobs) != 0 {
		t.Errorf("jobs left: %+v", jobs)
	}
}

// tasks counts the tasks that the clocks of an await have opened.
func (s *side) tasks(c *rempart.Case, a rempart.Await) int {
	n := 0
	for _, k := range s.caseOf(c.Ref).Clocks {
		if k.Await == a && k.Task != "" {
			n++
		}
	}
	return n
}

// TestRechecksOff asks nothing while they are off, nor of a case that may be a
// minor's unless the policy lets it, and then by HEAD alone. What waited is asked
// once when they are switched on.
func TestRechecksOff(t *testing.T) {
	for name, age := range map[string]rempart.Age{"a minor": rempart.AgeSaid15To17, "an age that nobody said": rempart.AgeSaidUnknown} {
		t.Run(name, func(t *testing.T) {
			r := reportOf("https://forum.exemple.test/p/1")
			r.Age = age
			s, asks, c, _ := watched(t, r)
			s.run(48 * time.Hour)
			if len(asks.asked) != 0 {
				t.Fatalf("asked after %s hours, want never", asks.hours())
			}
			s.Flow.Rechecks.Minors = true
			s.run(time.Hour)
			if len(asks.asked) != 1 || asks.headOnly != 1 || s.count(c.ID, "item.rechecked") != 1 {
				t.Errorf("asked %d times, %d of them by HEAD alone, want once", len(asks.asked), asks.headOnly)
			}
		})
	}
	s, asks, _, _ := watched(t, reportOf("https://forum.exemple.test/p/1"))
	s.Flow.Rechecks = flow.Rechecks{}
	s.run(72 * time.Hour)
	if len(asks.asked) != 0 || len(s.left(rempart.JobRecheck)) != 0 {
		t.Fatalf("asked %d times while off, jobs %+v", len(asks.asked), s.left(rempart.JobRecheck))
	}
	s.Flow.Rechecks = flow.Rechecks{Checker: asks}
	s.run(time.Hour)
	if len(asks.asked) != 1 {
		t.Errorf("asked %d times after it was switched on, want once", len(asks.asked))
	}
}

// TestRecheckHosts asks one host at most once in ten seconds, and an address that
// was dropped not at all.
func TestRecheckHosts(t *testing.T) {
	r := reportOf("https://forum.exemple.test/p/1")
	for k := range 5 {
		r.Addresses = append(r.Addresses, fmt.Sprintf("https://forum.exemple.test/q/%d", k))
	}
	s, asks, c, _ := watched(t, r)
	asks.never = "/q/3"
	s.change(c, func(c *rempart.Case) error { return c.DropItem(c.Items[4].ID, "doublon", analyst, s.clock.now()) })
	s.clock.advance(time.Hour)
	for range 700 {
		s.clock.advance(100 * time.Millisecond)
		s.step()
	}
	if len(asks.asked) != 5 {
		t.Fatalf("asked %d times, want 5", len(asks.asked))
	}
	for k, at := range asks.asked[1:] {
		if gap := at.Sub(asks.asked[k]); gap < 10*time.Second {
			t.Errorf("one host asked again after %v", gap)
		}
	}
}

// TestRecheckKilled stops between the question and its record: it is asked again,
// and recorded once.
func TestRecheckKilled(t *testing.T) {
	s, asks, c, _ := watched(t, reportOf("https://forum.exemple.test/p/1"))
	s.clock.advance(time.Hour)
	ctx, stop := context.WithCancel(t.Context())
	s.Flow.Fault = func(point string) {
		if point == "item.recheck.asked" {
			stop()
		}
	}
	if _, err := s.Step(ctx); err == nil {
		t.Error("nothing was stopped")
	}
	s.Flow.Fault = nil
	s.run(30 * time.Minute)
	if len(asks.asked) != 2 || s.count(c.ID, "item.rechecked") != 1 || s.caseOf(c.Ref).Items[0].Rechecks.Asked != 1 {
		t.Errorf("asked %d times, recorded %d", len(asks.asked), s.count(c.ID, "item.rechecked"))
	}
}
