package main

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"rempart"
)

// servedHub is a hub that answers HTTP, and a platform's key there.
func servedHub(t *testing.T) (hub *instance, key string, srv *httptest.Server) {
	t.Helper()
	hub, err := openInstance(t.Context(), instanceConfig{site: "A", data: filepath.Join(t.TempDir(), "hub"), hub: true, log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { hub.db.Close() })
	key = newKey()
	if err := hub.db.PutPeer(t.Context(), rempart.Peer{ID: "forum", Name: "Forum", Kind: rempart.PeerPlatform, CreatedAt: time.Now()}, key, nil); err != nil {
		t.Fatal(err)
	}
	srv = httptest.NewServer(hub.handler)
	t.Cleanup(srv.Close)
	return hub, key, srv
}

// TestMatchNodeUnderFaults runs a matcher that has nothing but the feed of a hub,
// while a thousand changes a second are written there (a hundred, and ten seconds
// of lag instead of one, where the race detector slows the hub, which is in this
// process; the node is built without it, as what is served is): it is killed as kill -9
// does, cut off, killed and started while it is cut off, and healed. It never
// answers wrongly, goes on from its disk, and lags less than a second soon after it
// was healed.
func TestMatchNodeUnderFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	hub, key, srv := servedHub(t)
	c := newCutter(t, "tcp", srv.Listener.Addr().String())
	n := &testNode{t: t, key: key, dir: filepath.Join(t.TempDir(), "node"), hub: "http://" + c.ln.Addr().String(), cutter: c}
	w := &writer{t: t, db: hub.db}
	n.soon = time.Second
	if raced {
		w.every, n.soon = 200*time.Millisecond, 10*time.Second
		n.program = filepath.Join(t.TempDir(), "rempart")
		if out, err := exec.Command("go", "build", "-o", n.program, ".").CombinedOutput(); err != nil {
			t.Fatalf("building the node: %v: %s", err, out)
		}
	}
	stop := make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() { w.run(stop) })
	n.start()
	all.Go(func() { n.check(w, stop) })
	time.Sleep(3 * time.Second)
	n.kill()
	time.Sleep(time.Second)
	n.start()
	time.Sleep(time.Second)

	n.cut()
	time.Sleep(3 * time.Second)
	if lag := n.lag(); lag < 2*time.Second {
		t.Errorf("cut off from its hub, and it says that it lags %v", lag)
	}
	n.kill() // and it is started while its hub is away
	n.hubAway = true
	n.start()
	n.hubAway = false
	w.mu.Lock()
	var old string
	for _, v := range w.all {
		if v.removed.IsZero() && v.active.Before(n.cutAt.Add(-time.Second)) {
			old = v.value // the oldest: what the node has read if it follows at all
			break
		}
	}
	w.mu.Unlock()
	if found, err := n.ask(n.addr, old); !found || err != nil {
		t.Errorf("started without its hub it does not know what it had read: %v", err)
	}
	if n.lag() < time.Hour {
		t.Errorf("started without its hub it says that it lags %v, and cannot know", n.lag())
	}
	asked := n.asked.Load()
	time.Sleep(time.Second)
	if k := n.asked.Load() - asked; k < 10 {
		t.Errorf("cut off from its hub it answered %d times in a second", k)
	}
	healed := n.heal()
	for n.lag() >= n.soon && time.Since(healed) < 30*time.Second {
		time.Sleep(20 * time.Millisecond)
	}
	t.Logf("under %v of lag %v after it was healed", n.soon, time.Since(healed).Round(time.Millisecond))
	if lag := n.lag(); lag >= n.soon { // five seconds are enough on a machine that does nothing else
		t.Errorf("half a minute after it was healed it lags %v", lag)
	}
	time.Sleep(2 * time.Second)
	close(stop)
	all.Wait()
	t.Logf("%d changes written; asked %d times", w.changes.Load(), n.asked.Load())
	if n.asked.Load() < 100 {
		t.Errorf("asked %d times only", n.asked.Load())
	}
	if lag := n.lag(); lag > n.soon {
		t.Errorf("at the end it lags %v", lag)
	}
	n.kill()
}

// TestMatchNodeFirst starts a node whose hub is away: it does not say that
// nothing is listed before it knows; nor does it take the folder of another hub,
// or tell nobody of a stop in silence.
func TestMatchNodeFirst(t *testing.T) {
	_, key, srv := servedHub(t)
	c := newCutter(t, "tcp", srv.Listener.Addr().String())
	c.cut.Store(true)
	n := &testNode{t: t, key: key, dir: filepath.Join(t.TempDir(), "node"), hub: "http://" + c.ln.Addr().String(), cutter: c, hubAway: true}
	done := make(chan struct{})
	go func() {
		defer close(done)
		n.start()
	}()
	status := func(path string) int {
		n.mu.Lock()
		addr := n.addr
		n.mu.Unlock()
		req, err := http.NewRequest(http.MethodGet, "http://"+addr+path, nil)
		if err != nil {
			return 0
		}
		req.Header.Set("Authorization", "Bearer "+key)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return 0
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	for status("/healthz") != http.StatusOK {
		select {
		case <-done:
			t.Fatal("it answers lookups, and has read nothing")
		case <-time.After(20 * time.Millisecond):
		}
	}
	for path, want := range map[string]int{"/readyz": 503, "/status": 503, "/m/lookup?signal_type=pdq&signal=" + strings.Repeat("0f", 32): 503, "/": 404, "/console": 404, "/api/v1/feed": 404} {
		if got := status(path); got != want {
			t.Errorf("%s answers %d before anything was read, want %d", path, got, want)
		}
	}
	n.heal()
	<-done
	if got := status("/readyz"); got != http.StatusOK {
		t.Errorf("/readyz answers %d", got)
	}
	req, err := http.NewRequest(http.MethodPost, "http://"+n.addr+"/api/v1/match", strings.NewReader(fmt.Sprintf(`{"stopped":true,"fingerprints":[{"type":"pdq","value":"%s"}]}`, strings.Repeat("0f", 32))))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a stop that nobody is told of is answered with %d", resp.StatusCode)
	}
	n.kill()
	program, err := exec.LookPath("rempart")
	if err != nil {
		t.Fatal(err)
	}
	for arg, want := range map[string]string{"https://another.exemple.test": "holds the lists of another hub", "http://another.exemple.test": "travel under TLS"} {
		out, err := exec.Command(program, "match-node", "-data", n.dir, "-addr", "127.0.0.1:0", "-hub", arg, "-key", "k").CombinedOutput()
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: %v %s", arg, err, out)
		}
	}
}
