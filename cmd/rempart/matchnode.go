package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"rempart"
	"rempart/flow"
)

// matchNodeCmd runs a matcher that needs nothing but a hub's feed.
type matchNodeCmd struct {
	Hub     string `help:"Address of the hub, https://HOST." required:"" env:"REMPART_HUB"`
	Key     string `help:"The key that the hub gave this platform, best in the environment." required:"" env:"REMPART_HUB_KEY"`
	Accept  string `help:"The key that opens this node; default: the same." env:"REMPART_NODE_KEY"`
	Secret  string `help:"What the hub signs callbacks with, whsec_…: given, stops are told to the hub, and by it to the person." env:"REMPART_PEER_SECRET"`
	Data    string `help:"Folder for what was read, so that a restart goes on there." default:"rempart-node" env:"REMPART_NODE_DATA" type:"path"`
	Addr    string `help:"Address to listen on." default:"127.0.0.1:8090" env:"REMPART_ADDR"`
	Metrics string `help:"Address for /metrics; default: none." env:"REMPART_METRICS"`
}

// Help tells what a node is for.
func (c *matchNodeCmd) Help() string {
	return `A node stands beside a platform's storage and answers lookups as the hub does, without a database server and however the hub fares:

  REMPART_HUB_KEY=rk_… rempart match-node -hub https://hub.exemple.test -addr 127.0.0.1:8090

POST /api/v1/match and the addresses of Meta's HMA (/m/lookup, /m/raw_lookup, /h/hash, /status) take the same key. /status says in Rempart-Lag how many seconds it is behind; /readyz is 503 until all lists were read once, as are lookups. It asks the hub four times a second; while the hub is away it answers from what it read last. Any number of nodes may run, each with a folder of its own.`
}

// How a node asks its hub. What hangs is given up soon, so that it is less than a
// second behind five seconds after the network came back.
const (
	nodeEvery  = 250 * time.Millisecond
	nodeDial   = 2 * time.Second
	nodeAnswer = 3 * time.Second
)

// Run answers lookups until it is told to stop.
func (c *matchNodeCmd) Run(ctx context.Context, s streams) error {
	c.Hub = strings.TrimRight(c.Hub, "/")
	if err := baseAddress(c.Hub); err != nil {
		return hinted{fmt.Errorf("-hub %w", err), "give it as https://hub.exemple.test"}
	}
	if u, err := url.Parse(c.Hub); err != nil || u.Scheme != "https" && !rempart.Loopback(u.Hostname()) {
		return hinted{errors.New("-hub: fingerprints travel under TLS"), "its address begins with https://, unless it is on this machine"}
	}
	if c.Secret != "" {
		if err := goodSecret(c.Secret); err != nil {
			return hinted{err, "give the secret that rempart admin peer add printed on the hub"}
		}
	}
	log := slog.New(slog.NewTextHandler(s.err, nil))
	ln, err := net.Listen("tcp", c.Addr)
	if err != nil {
		return hinted{err, "another program has this address; choose one with -addr"}
	}
	i, err := openInstance(ctx, instanceConfig{site: "Rempart", data: c.Data, node: &flow.Node{Every: nodeEvery}, untold: c.Secret == "", client: nodeClient(),
		origin: "http://" + ln.Addr().String(), log: log, index: indexFolder(c.Data)})
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	if err := c.peers(ctx, i); err != nil {
		return errors.Join(err, ln.Close(), i.flow.Close(), i.db.Close())
	}
	if c.Metrics != "" {
		if err := serveMetrics(ctx, c.Metrics, log); err != nil {
			return errors.Join(err, ln.Close(), i.flow.Close(), i.db.Close())
		}
	}
	fmt.Fprintf(s.err, "rempart: answering lookups on http://%s from the lists of %s\n", ln.Addr(), c.Hub)
	if openToOthers(c.Data) {
		fmt.Fprintf(s.err, "rempart: warning: %s is open to other users of this machine; it holds fingerprints: chmod 700 %[1]s\n", c.Data)
	}
	if i.flow.Whole() != nil {
		fmt.Fprintln(s.err, "rempart: lookups are answered once all lists were read")
		go sayWhole(ctx, i, s)
	}
	return i.run(ctx, ln)
}

// sayWhole tells how the first reading goes.
func sayWhole(ctx context.Context, i *instance, s streams) {
	shown := time.Now()
	tick := time.NewTicker(nodeEvery)
	defer tick.Stop()
	for i.flow.Whole() != nil {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if time.Since(shown) > 5*time.Second {
			shown = time.Now()
			fmt.Fprintf(s.err, "rempart: %d fingerprints read\n", i.flow.Entries())
		}
	}
	fmt.Fprintln(s.err, "rempart: all lists were read")
}

// The two that a node knows.
const (
	nodeHub    = "hub"
	nodeCaller = "platform"
)

// peers makes the node know its hub, and who asks it.
func (c *matchNodeCmd) peers(ctx context.Context, i *instance) error {
	old, err := i.db.Peer(ctx, nodeHub)
	if err != nil && rempart.KindOf(err) != rempart.NotFound {
		return err
	}
	if err == nil && old.URL != c.Hub {
		return hinted{fmt.Errorf("the folder %s holds the lists of another hub, %s", c.Data, old.URL), "name another folder with -data"}
	}
	hub := rempart.Peer{ID: nodeHub, Name: "Hub", Kind: rempart.PeerFlagger, URL: c.Hub, CreatedAt: time.Now()}
	caller := rempart.Peer{ID: nodeCaller, Name: "Platform", Kind: rempart.PeerPlatform, CreatedAt: time.Now()}
	return errors.Join(i.db.PutPeer(ctx, hub, "", &rempart.Credentials{Key: c.Key, Secret: c.Secret}), i.db.PutPeer(ctx, caller, cmp.Or(c.Accept, c.Key), nil))
}

func nodeClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: nodeDial}).DialContext, TLSHandshakeTimeout: nodeAnswer,
			ResponseHeaderTimeout: nodeAnswer, MaxIdleConnsPerHost: 1, IdleConnTimeout: 30 * time.Second},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
