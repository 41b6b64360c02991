package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"rempart"
	"rempart/internal/pgtest"
	"rempart/store"
)

// A cutter passes connections on to PostgreSQL, until it is cut: then those there
// are end, and new ones hang.
type cutter struct {
	t    *testing.T
	ln   net.Listener
	to   [2]string // network and address
	cut  atomic.Bool
	mu   sync.Mutex
	open map[net.Conn]bool
}

func newCutter(t *testing.T, network, address string) *cutter {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{t: t, ln: ln, to: [2]string{network, address}, open: map[net.Conn]bool{}}
	t.Cleanup(func() { ln.Close(); c.end() })
	go func() {
		for {
			in, err := ln.Accept()
			if err != nil {
				return
			}
			go c.pass(in)
		}
	}()
	return c
}

func (c *cutter) pass(in net.Conn) {
	c.mu.Lock()
	c.open[in] = true
	c.mu.Unlock()
	if c.cut.Load() {
		return // hangs until it is healed, which ends it
	}
	out, err := net.Dial(c.to[0], c.to[1])
	if err != nil {
		in.Close()
		return
	}
	c.mu.Lock()
	c.open[out] = true
	c.mu.Unlock()
	go func() { io.Copy(out, in); out.Close(); in.Close() }()
	io.Copy(in, out)
	in.Close()
	out.Close()
}

func (c *cutter) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.open {
		conn.Close()
	}
	clear(c.open)
}

// A written value is what the writer has made of it.
type written struct {
	value           string
	active, removed time.Time // zero: not yet
}

// TestNodesUnderFaults runs three nodes on one PostgreSQL while somebody writes a
// thousand changes a second; kills one as kill -9 does and starts it again, cuts
// another off from the database and heals it. No node answers wrongly, the one
// that is cut off goes on answering, and lags less than a second within five
// seconds of being healed.
func TestNodesUnderFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	dsn := pgtest.Fresh(t)
	conf, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	network, address := "tcp", net.JoinHostPort(conf.Host, fmt.Sprint(conf.Port))
	if filepath.IsAbs(conf.Host) {
		network, address = "unix", filepath.Join(conf.Host, fmt.Sprintf(".s.PGSQL.%d", conf.Port))
	}
	dir := filepath.Join(t.TempDir(), "d")
	i, err := openInstance(t.Context(), instanceConfig{site: "A", data: dir, database: dsn, hub: true})
	if err != nil {
		t.Fatal(err)
	}
	defer i.db.Close()
	key := newKey()
	if err := i.db.PutPeer(t.Context(), rempart.Peer{ID: "forum", Name: "Forum", Kind: rempart.PeerPlatform, CreatedAt: time.Now()}, key, nil); err != nil {
		t.Fatal(err)
	}
	nodes := make([]*testNode, 3)
	for k := range nodes {
		c := newCutter(t, network, address)
		through := url.URL{Scheme: "postgres", User: url.UserPassword(conf.User, conf.Password), Host: c.ln.Addr().String(), Path: "/" + conf.Database, RawQuery: "sslmode=disable"}
		nodes[k] = &testNode{t: t, key: key, dir: dir, database: through.String(), cutter: c}
		nodes[k].start()
	}
	w := &writer{t: t, db: i.db, source: "source:w"}
	stop := make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() { w.run(stop) })
	for k := range nodes {
		all.Go(func() { nodes[k].check(w, stop) })
	}
	time.Sleep(3 * time.Second)
	nodes[0].kill()
	time.Sleep(time.Second)
	nodes[0].start()
	nodes[1].cut()
	time.Sleep(4 * time.Second)
	if lag := nodes[1].lag(); lag < 2*time.Second {
		t.Errorf("cut off from the database, and it says that it lags %v", lag)
	}
	asked := nodes[1].asked.Load()
	time.Sleep(time.Second)
	if n := nodes[1].asked.Load() - asked; n < 10 {
		t.Errorf("cut off from the database it answered %d times in a second", n)
	}
	healed := nodes[1].heal()
	for nodes[1].lag() >= time.Second {
		if time.Since(healed) > 15*time.Second {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Logf("under a second of lag %v after it was healed", time.Since(healed).Round(time.Millisecond))
	if d := time.Since(healed); d > 5*time.Second {
		t.Errorf("lags less than a second only %v after it was healed", d)
	}
	time.Sleep(2 * time.Second)
	close(stop)
	all.Wait()
	t.Logf("%d changes written; asked %d, %d, %d times", w.changes.Load(), nodes[0].asked.Load(), nodes[1].asked.Load(), nodes[2].asked.Load())
	for _, n := range nodes {
		if lag := n.lag(); lag > time.Second {
			t.Errorf("at the end a node lags %v", lag)
		}
		n.kill()
	}
}

// A writer makes about a thousand changes a second.
type writer struct {
	t       *testing.T
	db      *store.DB
	source  string
	every   time.Duration // between twenty changes; default: 20 ms, a thousand a second
	changes atomic.Int64
	mu      sync.Mutex
	all     []*written
}

func (w *writer) run(stop chan struct{}) {
	r := rand.NewChaCha8([32]byte{9})
	tick := time.NewTicker(cmp.Or(w.every, 20*time.Millisecond))
	defer tick.Stop()
	for n := 0; ; {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		b := store.Bulk{Source: w.source, List: "ncii-adult", Type: rempart.PDQ, Name: "w", First: n, At: time.Now()}
		var made []*written
		for len(made) < 18 {
			var v [32]byte
			r.Read(v[:])
			f := rempart.Fingerprint{Type: rempart.PDQ, Value: fmt.Sprintf("%x", v), Quality: 90}
			if f.Listable() {
				made = append(made, &written{value: f.Value})
				b.Values = append(b.Values, store.BulkValue{Value: f.Value, Quality: 90})
			}
		}
		var gone []*written
		w.mu.Lock()
		for _, back := range []int{40, 41} {
			if k := n - back*9; k >= 0 {
				gone = append(gone, w.all[k])
				b.Gone = append(b.Gone, fmt.Sprintf("w.%09d", k))
			}
		}
		w.mu.Unlock()
		if err := w.db.AddBulk(w.t.Context(), b); err != nil {
			w.t.Errorf("writing: %v", err)
			return
		}
		now := time.Now()
		w.mu.Lock()
		for _, x := range made {
			x.active = now
		}
		for _, x := range gone {
			x.removed = now
		}
		w.all = append(w.all, made...)
		n = len(w.all)
		w.mu.Unlock()
		w.changes.Add(int64(len(made) + len(gone)))
	}
}

// some returns one of the newest values, as it is now.
func (w *writer) some() (written, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.all) == 0 {
		return written{}, false
	}
	return *w.all[len(w.all)-1-rand.IntN(min(len(w.all), 4000))], true
}

// A testNode is one process that serves.
type testNode struct {
	t                  *testing.T
	key, dir, database string
	hub                string        // of a node that follows a feed, and has no database
	hubAway            bool          // it starts without it
	program            string        // default: this one, with the race detector if the test has it
	soon               time.Duration // how far behind it may be; default: 1 s
	cutter             *cutter
	asked              atomic.Int64

	mu    sync.Mutex
	cmd   *exec.Cmd
	addr  string
	up    bool
	cutAt time.Time // zero: not cut
	log   *bytes.Buffer
}

func (n *testNode) start() {
	n.t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		n.t.Fatal(err)
	}
	addr := ln.Addr().String()
	ln.Close()
	program := n.program
	if program == "" {
		if program, err = exec.LookPath("rempart"); err != nil {
			n.t.Fatal(err)
		}
	}
	args := []string{"serve", "-data", n.dir, "-addr", addr, "-database", n.database}
	if n.hub != "" {
		args = []string{"match-node", "-data", n.dir, "-addr", addr, "-hub", n.hub, "-key", n.key}
	}
	cmd, log := exec.Command(program, args...), new(bytes.Buffer)
	cmd.Env, cmd.Stderr = append(os.Environ(), "REMPART_ROLE=hub"), log
	if err := cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	n.mu.Lock()
	n.cmd, n.addr, n.log = cmd, addr, log
	n.mu.Unlock()
	for end := time.Now().Add(30 * time.Second); n.lag() > cmp.Or(n.soon, time.Second) && !(n.hubAway && n.answers()); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			n.t.Fatalf("a node does not start: %s", log)
		}
	}
	n.mu.Lock()
	n.up = true
	n.mu.Unlock()
}

// answers tells whether lookups are answered at all.
func (n *testNode) answers() bool {
	n.mu.Lock()
	addr := n.addr
	n.mu.Unlock()
	_, err := n.ask(addr, strings.Repeat("0f", 32))
	return err == nil
}

func (n *testNode) kill() {
	n.mu.Lock()
	n.up = false
	cmd := n.cmd
	n.mu.Unlock()
	cmd.Process.Kill()
	cmd.Wait() // killed
}

func (n *testNode) cut() {
	n.cutter.cut.Store(true)
	n.mu.Lock()
	n.cutAt = time.Now()
	n.mu.Unlock()
	n.cutter.end()
}

func (n *testNode) heal() time.Time {
	n.cutter.cut.Store(false)
	n.cutter.end()
	return time.Now()
}

// lag is what the node says of itself; an hour if it says nothing.
func (n *testNode) lag() time.Duration {
	n.mu.Lock()
	addr := n.addr
	n.mu.Unlock()
	req, err := http.NewRequest(http.MethodGet, "http://"+addr+"/status", nil)
	if err != nil {
		n.t.Error(err)
		return time.Hour
	}
	req.Header.Set("Authorization", "Bearer "+n.key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return time.Hour
	}
	resp.Body.Close()
	s, err := strconv.ParseFloat(resp.Header.Get("Rempart-Lag"), 64)
	if err != nil || resp.StatusCode != http.StatusOK {
		return time.Hour
	}
	return time.Duration(s * float64(time.Second))
}

// check asks the node for what was written, and compares: with what was a second
// and a half ago, or when it was cut off.
func (n *testNode) check(w *writer, stop chan struct{}) {
	wrong := 0
	for wrong < 5 {
		select {
		case <-stop:
			return
		case <-time.After(5 * time.Millisecond):
		}
		v, ok := w.some()
		n.mu.Lock()
		up, addr, cutAt := n.up, n.addr, n.cutAt
		n.mu.Unlock()
		if !ok || !up {
			continue
		}
		lag := n.lag()
		settled := time.Now().Add(-lag - 500*time.Millisecond)
		found, err := n.ask(addr, v.value)
		n.mu.Lock()
		still := n.up && n.addr == addr
		n.mu.Unlock()
		switch {
		case !still:
			continue // it was being killed
		case err != nil:
			wrong++
			n.t.Errorf("a lookup failed (cut %v): %v", !cutAt.IsZero(), err)
		case !found && v.removed.IsZero() && v.active.Before(settled) && !w.removedMeanwhile(v.value):
			wrong++
			n.t.Errorf("a value that was committed %v ago is not found; the node says that it lags %v", time.Since(v.active), lag)
		case found && !v.removed.IsZero() && v.removed.Before(settled):
			wrong++
			n.t.Errorf("a value that was withdrawn %v ago is found; the node says that it lags %v", time.Since(v.removed), lag)
		}
		n.asked.Add(1)
	}
}

func (w *writer) removedMeanwhile(value string) bool {
	time.Sleep(100 * time.Millisecond) // a commit may be on its way
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, x := range w.all {
		if x.value == value {
			return !x.removed.IsZero()
		}
	}
	return false
}

func (n *testNode) ask(addr, value string) (found bool, err error) {
	req, err := http.NewRequest(http.MethodPost, "http://"+addr+"/api/v1/match", bytes.NewReader(fmt.Appendf(nil, `{"fingerprints":[{"type":"pdq","value":"%s"}]}`, value)))
	if err != nil {
		return false, err
	}
	req.Header.Set("Authorization", "Bearer "+n.key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	var ans struct {
		Results []struct{ Matches []struct{ Distance int } }
	}
	if err := json.NewDecoder(resp.Body).Decode(&ans); err != nil || resp.StatusCode != http.StatusOK || len(ans.Results) != 1 {
		return false, fmt.Errorf("answered %d: %v", resp.StatusCode, err)
	}
	for _, m := range ans.Results[0].Matches {
		found = found || m.Distance == 0
	}
	return found, nil
}
