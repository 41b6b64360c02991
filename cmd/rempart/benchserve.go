package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"
	"time"

	"rempart"
	"rempart/pdq"
	"rempart/store"
)

// benchServeCmd measures lookups over HTTP, and how soon a new fingerprint counts.
type benchServeCmd struct {
	benchFlags
	N        []count `short:"n" name:"n" help:"Values in the list." default:"100k,1M"`
	Seconds  float64 `help:"How long each run asks." default:"3"`
	Conns    int     `help:"Connections that ask at once." default:"16"`
	Commits  int     `help:"Times that a new fingerprint is timed." default:"30"`
	Database string  `help:"PostgreSQL address of an empty database for it; default: SQLite in a temporary folder."`
}

// Published figures of HMA: performance was measured once, elsewhere.
var (
	hmaServed = known("HMA, two workers", 350) // lookups a second
	hmaDelay  = known("HMA", 95_000)           // ms
)

// benchProgram is what the nodes are started from.
var benchProgram = os.Executable

const benchHits = 20 // one query in so many is a listed value with a few bits changed

// Run measures and prints.
func (c *benchServeCmd) Run(ctx context.Context, s streams) error {
	if err := c.begin(s, "lookups over HTTP"); err != nil {
		return err
	}
	if len(c.N) == 0 || c.Conns < 1 || c.Seconds <= 0 || c.Commits < 1 {
		return errors.New("bench: -n, -conns, -seconds and -commits must be more than nothing")
	}
	if c.Database != "" && len(c.N) > 1 {
		return hinted{errors.New("bench: one database holds one size"), "give one -n with -database"}
	}
	for k, n := range c.N {
		if err := c.size(ctx, s, n, k == len(c.N)-1); err != nil {
			return err
		}
	}
	return nil
}

// A servedBench is one instance that is asked, and the values in its list.
type servedBench struct {
	c     *benchServeCmd
	dir   string
	key   string
	i     *instance
	all   []pdq.Hash
	nodes []*node
}

// size measures one number of values, and with the last one how soon a new one
// counts.
func (c *benchServeCmd) size(ctx context.Context, s streams, n count, last bool) (err error) {
	dir, err := os.MkdirTemp("", "rempart-bench")
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	defer os.RemoveAll(dir) // a temporary folder
	b := &servedBench{c: c, dir: dir, key: newKey()}
	progress(s, "%v values: into the database", n)
	if err := b.fill(ctx, int(n)); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.stop()) }()
	progress(s, "%v values: into the index of a node", n)
	if err := b.start(ctx, 1); err != nil {
		return err
	}
	for _, each := range []int{1, 100} {
		progress(s, "%v values: asking for %d at once", n, each)
		figures, err := b.ask(n, each)
		if err != nil {
			return err
		}
		if err := c.say(s, figures); err != nil {
			return err
		}
	}
	if !last {
		return nil
	}
	for _, nodes := range []int{1, 3} {
		progress(s, "%v values: how soon a new one counts on %d nodes", n, nodes)
		if err := b.start(ctx, nodes); err != nil {
			return err
		}
		figures, err := b.delays(ctx, nodes)
		if err != nil {
			return err
		}
		if err := c.say(s, figures); err != nil {
			return err
		}
	}
	return nil
}

// fill makes the instance and its list.
func (b *servedBench) fill(ctx context.Context, n int) (err error) {
	b.i, err = openInstance(ctx, instanceConfig{site: "bench", data: b.dir, database: b.c.Database, hub: true})
	if err != nil {
		return err
	}
	if err := b.i.db.PutPeer(ctx, rempart.Peer{ID: "bench", Name: "Bench", Kind: rempart.PeerPlatform, CreatedAt: time.Now()}, b.key, nil); err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(3, 4))
	const part = 10_000
	for len(b.all) < n {
		values := make([]store.BulkValue, 0, part)
		for len(values) < min(part, n-len(b.all)) {
			values = append(values, store.BulkValue{Value: b.value(r).String(), Quality: 90})
		}
		if err := b.put(ctx, "fill", len(b.all), values); err != nil {
			return err
		}
		for _, v := range values {
			h, _ := pdq.Parse(v.Value)
			b.all = append(b.all, h)
		}
	}
	return nil
}

func (b *servedBench) value(r *rand.Rand) pdq.Hash {
	for {
		h := randomHash(r)
		if (rempart.Fingerprint{Type: rempart.PDQ, Value: h.String(), Quality: 90}).Listable() {
			return h
		}
	}
}

func (b *servedBench) put(ctx context.Context, name string, first int, values []store.BulkValue) error {
	return b.i.db.AddBulk(ctx, store.Bulk{Source: "source:bench", List: "ncii-adult", Type: rempart.PDQ, Name: name, First: first, Values: values, At: time.Now()})
}

// A node is one process that serves.
type node struct {
	cmd  *exec.Cmd
	addr string
	log  bytes.Buffer
}

// start starts nodes until there are so many, and waits until each has everything.
func (b *servedBench) start(ctx context.Context, nodes int) error {
	program, err := benchProgram()
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	for len(b.nodes) < nodes {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return fmt.Errorf("bench: %w", err)
		}
		n := &node{addr: ln.Addr().String()}
		if err := ln.Close(); err != nil {
			return err
		}
		args := []string{"serve", "-data", b.dir, "-addr", n.addr}
		if b.c.Database != "" {
			args = append(args, "-database", b.c.Database)
		}
		n.cmd = exec.Command(program, args...)
		n.cmd.Env = append(os.Environ(), "REMPART_ROLE=hub", "REMPART_METRICS=", "REMPART_KEEP=")
		n.cmd.Stderr = &n.log
		if err := n.cmd.Start(); err != nil {
			return fmt.Errorf("bench: starting a node: %w", err)
		}
		b.nodes = append(b.nodes, n)
	}
	probe := &loader{key: b.key, conns: 1, bodies: [][]byte{bodyOf(b.all[len(b.all)-1:])}, hits: []int{1}, checked: 1}
	for _, n := range b.nodes {
		probe.addr = n.addr
		for end := time.Now().Add(10 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
			if _, err = probe.run(time.Millisecond); err == nil {
				break
			}
			if ctx.Err() != nil || time.Now().After(end) {
				return fmt.Errorf("bench: a node does not serve: %w\n%s", errors.Join(ctx.Err(), err), n.log.String())
			}
		}
	}
	return nil
}

func (b *servedBench) stop() error {
	var errs []error
	for _, n := range b.nodes {
		errs = append(errs, n.cmd.Process.Signal(syscall.SIGTERM), n.cmd.Wait())
	}
	return errors.Join(append(errs, b.i.db.Close())...)
}

// bodyOf asks for values.
func bodyOf(values []pdq.Hash) []byte {
	b := []byte(`{"fingerprints":[`)
	for i, h := range values {
		if i > 0 {
			b = append(b, ',')
		}
		b = fmt.Appendf(b, `{"type":"pdq","value":"%s"}`, h)
	}
	return append(b, "]}"...)
}

// ask measures lookups, so many in each request.
func (b *servedBench) ask(n count, each int) ([]figure, error) {
	r := rand.New(rand.NewPCG(5, uint64(each)))
	l := &loader{addr: b.nodes[0].addr, key: b.key, conns: b.c.Conns, checked: 50}
	for range max(64, 4096/each) {
		values, hits := make([]pdq.Hash, each), 0
		for i := range values {
			values[i] = b.value(r)
			if r.IntN(benchHits) == 0 {
				values[i] = b.all[r.IntN(len(b.all))]
				for range 8 {
					bit := r.IntN(256)
					values[i][bit/8] ^= 1 << (bit % 8)
				}
				hits++
			}
		}
		l.bodies, l.hits = append(l.bodies, bodyOf(values)), append(l.hits, hits)
	}
	if _, err := l.run(time.Second / 2); err != nil { // to warm up
		return nil, err
	}
	var rates []float64
	var p50, p99 []time.Duration
	for range b.c.Runs {
		got, err := l.run(time.Duration(b.c.Seconds * float64(time.Second)))
		if err != nil {
			return nil, err
		}
		rates, p50, p99 = append(rates, float64(got.requests*each)/got.took.Seconds()), append(p50, got.p50), append(p99, got.p99)
	}
	slices.Sort(rates)
	name, goal := fmt.Sprintf("served, %v values, one a request", n), 20_000.0
	if each > 1 {
		name, goal = fmt.Sprintf("served, %v values, %d a request", n, each), 200_000
	}
	rate := figure{Name: name + ": lookups", Ours: rates[len(rates)/2], Best: rates[len(rates)-1], Unit: "/s"}.goal(goal)
	if n == 100_000 && each == 1 {
		rate.Peer, rate.Ratio, rate.PeerName, rate.PeerSource = new(hmaServed.value), new(rate.Ours/hmaServed.value), hmaServed.name, hmaServed.source
	}
	return []figure{rate, spreadOf(p50, time.Millisecond).figure(name+": p50", "ms"), spreadOf(p99, time.Millisecond).figure(name+": p99", "ms")}, nil
}

// delays measures the time from the commit of a new fingerprint to the first
// lookup that finds it, on each node.
func (b *servedBench) delays(ctx context.Context, nodes int) ([]figure, error) {
	r := rand.New(rand.NewPCG(7, uint64(nodes)))
	var all, worst []time.Duration
	for k := range b.c.Commits {
		h := b.value(r)
		if err := b.put(ctx, fmt.Sprintf("delay-%d", nodes), k, []store.BulkValue{{Value: h.String(), Quality: 90}}); err != nil {
			return nil, err
		}
		committed := time.Now()
		took, errs := make([]time.Duration, nodes), make([]error, nodes)
		var wait sync.WaitGroup
		for i, n := range b.nodes[:nodes] {
			wait.Go(func() { took[i], errs[i] = n.until(b.key, h, committed) })
		}
		wait.Wait()
		if err := errors.Join(errs...); err != nil {
			return nil, err
		}
		all, worst = append(all, took...), append(worst, slices.Max(took))
	}
	if nodes == 1 {
		return []figure{
			spreadOf(all, time.Millisecond).figure("from the commit to a match, one node", "ms").beside(hmaDelay).goal(10),
			{Name: "from the commit to a match, one node, the slowest", Ours: ms(slices.Max(worst)), Unit: "ms"},
		}, nil
	}
	return []figure{
		spreadOf(worst, time.Millisecond).figure(fmt.Sprintf("from the commit to a match on the last of %d nodes", nodes), "ms").beside(hmaDelay).goal(1000),
		{Name: fmt.Sprintf("from the commit to a match, %d nodes, the slowest", nodes), Ours: ms(slices.Max(worst)), Unit: "ms"},
	}, nil
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// until asks a node for a value, again and again, until it finds it.
func (n *node) until(key string, h pdq.Hash, since time.Time) (time.Duration, error) {
	body := bodyOf([]pdq.Hash{h})
	for end := since.Add(30 * time.Second); time.Now().Before(end); {
		req, err := http.NewRequest(http.MethodPost, "http://"+n.addr+"/api/v1/match", bytes.NewReader(body))
		if err != nil {
			return 0, err
		}
		req.Header.Set("Authorization", "Bearer "+key)
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return 0, fmt.Errorf("bench: %w", err)
		}
		var b bytes.Buffer
		_, err = b.ReadFrom(resp.Body)
		if err = errors.Join(err, resp.Body.Close()); err != nil {
			return 0, fmt.Errorf("bench: %w", err)
		}
		if bytes.Contains(b.Bytes(), []byte(`"distance":0`)) {
			return time.Since(since), nil
		}
	}
	return 0, errors.New("bench: a new fingerprint did not count within 30 s")
}
