package flow_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"rempart"
	"rempart/flow"
)

// pair returns a hub that answers HTTP and a platform that follows it.
func pair(t *testing.T) (hub, platform *side) {
	t.Helper()
	hub = newSide(t, newClock(), 5*time.Second)
	hub.knows("forum", rempart.PeerPlatform, "", keyAtHub, keyAtPlatform)
	url := hub.serve(true, false)
	platform = newSide(t, newClock(), 5*time.Second)
	platform.knows("hub", rempart.PeerFlagger, url, keyAtPlatform, keyAtHub)
	return hub, platform
}

func (s *side) catchUp() {
	s.t.Helper()
	if err := s.CatchUp(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// entries returns how many entries of each state a side keeps from a feed.
func (s *side) entries() map[rempart.EntryState]int {
	s.t.Helper()
	changes, _, err := s.DB.Changes(s.t.Context(), "", 0)
	if err != nil {
		s.t.Fatal(err)
	}
	out := map[rempart.EntryState]int{}
	for _, c := range changes {
		out[c.Entry.State]++
	}
	return out
}

// TestFeedWhole: an answer that holds all there was says so, so that who follows a
// hub that changes all the time knows that it is up to date.
func TestFeedWhole(t *testing.T) {
	hub, platform := pair(t)
	platform.Node = &flow.Node{Every: time.Millisecond}
	if err := platform.Whole(); err == nil {
		t.Fatal("it has read nothing, and is whole")
	}
	hub.confirm(hub.submit(reportOf("", medium(hash(1)))))
	got, end, err := hub.Feed(t.Context(), []string{"ncii-adult"}, "", 0)
	if err != nil || len(got) == 0 || !end.Whole || end.Cursor == "" {
		t.Fatalf("%d entries, %+v, %v", len(got), end, err)
	}
	if n, err := platform.FollowOnce(t.Context(), 0); n == 0 || err != nil {
		t.Fatalf("%d entries, %v", n, err)
	}
	if err := platform.Whole(); err != nil {
		t.Errorf("after an answer that held everything: %v", err)
	}
}

// TestFeed takes an entry from the hub to the platform and back, over HTTP.
func TestFeed(t *testing.T) {
	hub, platform := pair(t)
	c := hub.submit(reportOf("", medium(hash(1))))
	never := hub.submit(reportOf("", medium(hash(2))))
	platform.catchUp()
	if e := platform.entries(); len(e) != 0 {
		t.Fatalf("the platform has %v; nothing was confirmed", e)
	}
	hub.confirm(c)
	platform.catchUp()
	if e := platform.entries(); len(e) != 1 || e[rempart.EntryActive] != 2 {
		t.Errorf("the platform has %v, want two active entries", e)
	}
	if m := platform.matches(pdqQuery(hash(1)), flow.Upload{}); len(m) != 1 || m[0].CaseRef != c.Ref || m[0].CaseID != "" {
		t.Errorf("on the platform: %+v", m)
	}
	hub.change(c, func(c *rempart.Case) error { return c.WithdrawFingerprint(hub.item(c).ID, analyst, hub.clock.now()) })
	platform.catchUp()
	if m := platform.matches(pdqQuery(hash(1)), flow.Upload{}); len(m) != 0 {
		t.Errorf("withdrawn, and still on the platform: %+v", m)
	}
	// What nobody confirmed and the person takes back never leaves the hub.
	hub.change(never, func(c *rempart.Case) error {
		return c.WithdrawFingerprint(hub.item(c).ID, rempart.ActorReporter, hub.clock.now())
	})
	platform.catchUp()
	if e := platform.entries(); e[rempart.EntryWithdrawn] != 2 || len(e) != 1 {
		t.Errorf("the platform has %v, want the two withdrawn entries of the first case and none of the second", e)
	}
}

// TestFeedPassesOver checks that a great many entries that are no platform's
// business do not hide those behind them.
func TestFeedPassesOver(t *testing.T) {
	hub, platform := pair(t)
	db := hub.raw()
	defer db.Close()
	// One statement, as six thousand take their time.
	if _, err := db.Exec(`WITH RECURSIVE n(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n WHERE k < 6000)
		INSERT INTO entries (peer_id, id, list, type, value, quality, state, case_id, case_ref, item_id, since, xid, seq)
		SELECT '', 'p' || k, 'ncii-adult', 'pdq', $1, 90, 'provisional', 'c', '7F3K-9QXM', 'm', 0, 0, k FROM n`, hash(2).String()); err != nil {
		t.Fatal(err)
	}
	hub.confirm(hub.submit(reportOf("", medium(hash(1)))))
	platform.catchUp()
	if e := platform.entries(); e[rempart.EntryActive] != 2 || len(e) != 1 {
		t.Errorf("the platform has %v, want two active entries", e)
	}
}

// TestFeedWho checks who may read the feed.
func TestFeedWho(t *testing.T) {
	hub, _ := pair(t)
	hub.knows("flagger", rempart.PeerFlagger, "", "rk_flagger", "")
	url := hub.serve(true, false) + "/api/v1/feed"
	client := getter(t)
	for key, want := range map[string]int{"": 401, "rk_none": 401, "rk_flagger": 403, keyAtHub: 200} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+key)
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("key %q: %s, want %d", key, resp.Status, want)
		}
	}
}

// TestFeedBroken lets the feed break off: nothing of the answer counts, and the
// next one begins where this one did.
func TestFeedBroken(t *testing.T) {
	line := fmt.Sprintf(`{"id":"e1","list":"ncii-adult","type":"pdq","value":%q,"quality":90,"state":"active","case_ref":"7F3K-9QXM","item":"m1","since":"2026-03-02T10:00:00Z"}`+"\n", hash(1))
	end := `{"end":true,"cursor":"1-0-1"}` + "\n"
	for name, body := range map[string]string{
		"no last line":           line,
		"half a line":            line + `{"id":"e2","li`,
		"no JSON":                line + "<html>\n" + end,
		"a value that is none":   line + `{"id":"e2","list":"ncii-adult","type":"pdq","value":"zz","state":"active"}` + "\n" + end,
		"a list that is none":    line + `{"id":"e2","list":"none","type":"pdq","value":"` + hash(2).String() + `","state":"active","case_ref":"x"}` + "\n" + end,
		"a state that is none":   line + `{"id":"e2","list":"ncii-adult","type":"pdq","value":"` + hash(2).String() + `","state":"new","case_ref":"x"}` + "\n" + end,
		"a line without an end":  line + string(make([]byte, 100<<10)) + "\n" + end,
		"a connection that ends": "",
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex // guards the next two
			answer, after := body, []string{}
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				after = append(after, r.URL.Query().Get("after"))
				if answer == "" {
					fmt.Fprint(w, line)
					w.(http.Flusher).Flush()
					panic(http.ErrAbortHandler)
				}
				fmt.Fprint(w, answer)
			}))
			t.Cleanup(srv.Close)
			s := newSide(t, newClock(), 5*time.Second)
			s.knows("hub", rempart.PeerFlagger, srv.URL, keyAtPlatform, keyAtHub)
			if err := s.CatchUp(t.Context()); err == nil {
				t.Error("no error")
			}
			if e := s.entries(); len(e) != 0 {
				t.Errorf("the platform has %v of a feed that broke off", e)
			}
			mu.Lock()
			answer = line + end
			mu.Unlock()
			ctx, stop := context.WithTimeout(t.Context(), 5*time.Second)
			defer stop()
			if err := followUntil(ctx, s, 1); err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			if len(after) < 2 || after[0] != "" || after[1] != "" {
				t.Errorf("asked after %q, want twice from the beginning", after)
			}
		})
	}
}

// followUntil follows the hub until n entries are listed.
func followUntil(ctx context.Context, s *side, n int) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan error, 1)
	go func() { done <- s.FollowHub(ctx) }()
	for {
		listed, err := s.Listed(ctx)
		if err != nil {
			return err
		}
		if listed >= n {
			stop()
			return <-done
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// TestFollowHub follows a hub while it works, and is stopped.
func TestFollowHub(t *testing.T) {
	hub, platform := pair(t)
	c := hub.submit(reportOf("", medium(hash(1))))
	go func() {
		time.Sleep(50 * time.Millisecond)
		hub.confirm(c)
	}()
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	if err := followUntil(ctx, platform, 2); err != nil {
		t.Fatal(err)
	}
}

// TestWork lets the worker do what a report asks for, and stop.
func TestWork(t *testing.T) {
	s := newSide(t, newClock(), patience)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Work(ctx) }()
	sub, err := s.Submit(t.Context(), reportOf("https://forum.exemple.test/p/1"), "")
	if err != nil {
		t.Fatal(err)
	}
	limit, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	until(limit, t, "the case is qualified", func() bool { return s.caseOf(sub.Ref).State == rempart.CaseOpen })
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	s.check()
}
