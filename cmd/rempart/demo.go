package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"rempart"
)

// demoCmd runs the whole chain on one machine: a hub with fictional cases, and
// two platforms that speak the real protocol over HTTP.
type demoCmd struct {
	Addr string `help:"Address of the hub; the platforms take the next two ports." default:"127.0.0.1:8080"`
	Data string `help:"Folder to keep the demo in; default: a new one, deleted at the end." type:"path"`
	JSON bool   `name:"json" help:"Print one JSON object with addresses, links and keys, for programs."`
}

// demoSays is the first line of rempart demo -json.
type demoSays struct {
	Hub          string         `json:"hub"`
	AnalystLogin string         `json:"analyst_login"`
	AdminLogin   string         `json:"admin_login"`
	LeadLogin    string         `json:"lead_login"`
	APIKey       string         `json:"api_key"`
	Platforms    []demoPlatform `json:"platforms"`
	Notices      []demoNotice   `json:"notices"`
}

// A demoNotice is one of the three notices whose ways the demo tells, with the
// code that opens what the person reads.
type demoNotice struct {
	Way  string `json:"way"` // "removed", "reversed" or "ignored"
	Case string `json:"case"`
	Code string `json:"code"`
}

type demoPlatform struct {
	Name   string `json:"name"`
	URL    string `json:"url"`
	Login  string `json:"login"`
	APIKey string `json:"api_key"`
}

// A demoClock is the time of the demo: the machine's, moved.
type demoClock struct{ offset atomic.Int64 }

func (c *demoClock) now() time.Time { return time.Now().Add(time.Duration(c.offset.Load())) }

func (c *demoClock) advance(d time.Duration) time.Time {
	c.offset.Add(int64(d))
	return c.now()
}

// The three instances of a demo. The names and hosts are reserved for examples.
var (
	demoNotifier = rempart.Notifier{Name: "Association Exemple (fictive)", Email: "signalement@association.exemple.test",
		TrustedFlagger: true, Expertise: "images intimes sans consentement (désignation fictive)"}
	demoPlatforms = []struct{ id, name, host string }{
		{"galerie", "Galerie (plateforme fictive)", "galerie.exemple.test"},
		{"miroir", "Miroir (plateforme fictive)", "miroir.exemple.test"},
	}
)

// A demo is the three instances and what they share.
type demo struct {
	clock     demoClock
	hub       *instance
	platforms []*instance
	analyst   rempart.Actor
	told      []demoNotice // of the stories that have a way; empty in a demo that was kept
	ignored   string       // reference of the case that the second platform never answers
}

// advance moves the demo's clock, and with it those who are signed in.
func (d *demo) advance(by time.Duration) time.Time {
	for _, in := range append([]*instance{d.hub}, d.platforms...) {
		if err := in.db.MoveSessions(context.Background(), by); err != nil {
			in.cfg.log.Error("moving the sessions with the demo's clock", "err", err)
		}
	}
	defer d.hub.flow.Wake()
	return d.clock.advance(by)
}

// Run starts the three, tells their stories so far, prints where to click, and
// serves until it is told to stop.
func (c *demoCmd) Run(ctx context.Context, s streams) error {
	if c.Data == "" {
		dir, err := os.MkdirTemp("", "rempart-demo-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		c.Data = dir
	}
	lns, err := demoListeners(c.Addr)
	if err != nil {
		return err
	}
	d := &demo{analyst: "Saule"}
	says, err := d.open(ctx, c.Data, lns, s)
	if err != nil {
		for _, ln := range lns {
			ln.Close()
		}
		return errors.Join(err, d.close())
	}
	for _, in := range append([]*instance{d.hub}, d.platforms...) {
		if err := in.keep(ctx); err != nil {
			return errors.Join(err, d.close())
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	serve := make(chan struct{}) // closed when the stories are told: workers start
	for i, in := range append([]*instance{d.hub}, d.platforms...) {
		g.Go(func() error { return in.runAfter(ctx, lns[i], serve) })
	}
	g.Go(func() error {
		defer close(serve)
		fmt.Fprintln(s.err, "rempart: telling ten fictional cases, with real notices over HTTP…")
		if err := d.seed(ctx); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
		if err := demoPictures(filepath.Join(c.Data, "pictures")); err != nil {
			return err
		}
		says.Notices = d.told
		return c.print(s, says)
	})
	for k := range d.platforms {
		g.Go(func() error {
			<-serve
			return d.moderate(ctx, k)
		})
	}
	return g.Wait()
}

// open opens the three instances and makes them known to each other.
func (d *demo) open(ctx context.Context, dir string, lns []net.Listener, s streams) (demoSays, error) {
	log := slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	url := func(i int) string { return "http://" + lns[i].Addr().String() }
	fmt.Fprintln(s.err, "rempart: preparing one hub and two platforms…")
	var says demoSays
	var err error
	d.hub, err = openInstance(ctx, instanceConfig{site: "Association Exemple", data: filepath.Join(dir, "hub"), hub: true, demo: true,
		origin: url(0), notifier: demoNotifier, now: d.clock.now, advance: d.advance, log: log.With("instance", "hub")})
	if err != nil {
		return says, err
	}
	says.Hub = url(0)
	if says.AnalystLogin, err = d.hub.demoStaff(ctx, "analyste", d.analyst, rempart.RoleAnalyst, url(0)); err != nil {
		return says, err
	}
	if says.AdminLogin, err = d.hub.demoStaff(ctx, "administration", "Érable", rempart.RoleAdmin, url(0)); err != nil {
		return says, err
	}
	if says.LeadLogin, err = d.hub.demoStaff(ctx, "coordination", "Charme", rempart.RoleLead, url(0)); err != nil {
		return says, err
	}
	says.APIKey = newKey()
	if err := d.hub.db.PutPeer(ctx, rempart.Peer{ID: "essai", Name: "Clé d’essai", Kind: rempart.PeerPlatform, Stops: true, CreatedAt: d.clock.now()}, says.APIKey, nil); err != nil {
		return says, err
	}
	for i, p := range demoPlatforms {
		in, err := openInstance(ctx, instanceConfig{site: p.name, data: filepath.Join(dir, p.id), platform: true, demo: true,
			origin: url(i + 1), now: d.clock.now, log: log.With("instance", p.id)})
		if err != nil {
			return says, err
		}
		d.platforms = append(d.platforms, in)
		if err := d.introduce(ctx, in, i, url(0), url(i+1)); err != nil {
			return says, err
		}
		login, err := in.demoStaff(ctx, "moderation", "Noisetier", rempart.RoleModerator, url(i+1))
		if err != nil {
			return says, err
		}
		key := newKey()
		if err := in.db.PutPeer(ctx, rempart.Peer{ID: "depots", Name: "Dépôts de fichiers", Kind: rempart.PeerPlatform, Stops: true, CreatedAt: d.clock.now()}, key, nil); err != nil {
			return says, err
		}
		says.Platforms = append(says.Platforms, demoPlatform{p.name, url(i + 1), login, key})
	}
	return says, nil
}

// introduce makes the hub and a platform peers, as two administrators would.
func (d *demo) introduce(ctx context.Context, in *instance, i int, hubURL, url string) error {
	p := demoPlatforms[i]
	toPlatform, toHub, secret := newKey(), newKey(), newSecret()
	return errors.Join(
		d.hub.db.PutPeer(ctx, rempart.Peer{ID: p.id, Name: p.name, Kind: rempart.PeerPlatform, URL: url, CreatedAt: d.clock.now()},
			toHub, &rempart.Credentials{Key: toPlatform, Secret: secret}),
		d.hub.db.PutService(ctx, rempart.Service{ID: p.id, Name: p.name, Hosts: []string{p.host}, PeerID: p.id, Lang: "fr",
			Provenance: "entrée fictive de la démonstration", CheckedAt: d.clock.now().Format(time.DateOnly)}),
		in.demoFlaggers(ctx),
		in.db.PutPeer(ctx, rempart.Peer{ID: demoFlagger, Name: demoNotifier.Name, Kind: rempart.PeerFlagger, URL: hubURL,
			TrustedFlagger: true, Expertise: demoNotifier.Expertise, Flagger: demoFlagger, CreatedAt: d.clock.now()},
			toPlatform, &rempart.Credentials{Key: toHub, Secret: secret}),
	)
}

// demoStaff makes sure of a member of the staff and returns a link that signs
// her in once.
func (i *instance) demoStaff(ctx context.Context, login string, alias rempart.Actor, role rempart.StaffRole, url string) (string, error) {
	all, err := i.db.AllStaff(ctx)
	if err != nil {
		return "", err
	}
	id := ""
	for _, m := range all {
		if m.Login == login {
			id = m.ID
		}
	}
	if id == "" {
		m := rempart.Staff{ID: rempart.NewID(i.cfg.now()), Login: login, Alias: alias, Role: role, CreatedAt: i.cfg.now()}
		if err := i.db.PutStaff(ctx, m, ""); err != nil {
			return "", err
		}
		id = m.ID
	}
	token, err := i.db.NewLink(ctx, id, 365*24*time.Hour)
	return url + "/console/enter?token=" + token, err
}

// demoListeners listens for the hub and the two platforms: on the next ports
// where they are free, on any others where they are not.
func demoListeners(addr string) ([]net.Listener, error) {
	hub, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, hinted{err, "another program has this address; choose one with -addr 127.0.0.1:8090"}
	}
	host, port, err := net.SplitHostPort(hub.Addr().String())
	if err != nil {
		return nil, err
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		hub.Close()
		return nil, hinted{fmt.Errorf("the demo only listens on this machine, not on %s", host), "use -addr 127.0.0.1:8080"}
	}
	lns := []net.Listener{hub}
	n, _ := strconv.Atoi(port)
	for k := 1; k <= len(demoPlatforms); k++ {
		ln, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(n+k)))
		if err != nil {
			ln, err = net.Listen("tcp", net.JoinHostPort(host, "0"))
		}
		if err != nil {
			return nil, err
		}
		lns = append(lns, ln)
	}
	return lns, nil
}

func (d *demo) close() error {
	var err error
	for _, in := range append([]*instance{d.hub}, d.platforms...) {
		if in != nil {
			err = errors.Join(err, in.db.Close())
		}
	}
	return err
}

// print says where to click.
func (c *demoCmd) print(s streams, says demoSays) error {
	if c.JSON {
		enc := json.NewEncoder(s.out)
		enc.SetEscapeHTML(false)
		return enc.Encode(says)
	}
	pictures := filepath.Join(c.Data, "pictures")
	_, err := fmt.Fprintf(s.out, `
Rempart is running. Everything here is fictional.

  1  Report as a person            %s/
     (a harmless picture to try    %s)
  2  Work the case as an analyst   %s
  3  Decide as a platform          %s
     (this one answers by itself after 20 seconds; you can be faster)
  4  Try to upload a copy          %s/console/check
     (smaller and recompressed     %s)
  5  The platform that refuses     %s
     Administration of the hub     %s
  6  Settle what annotators differ
     on, as the lead               %s

%sEach sign-in link works once. Ctrl-C ends the demo.
`, says.Hub, filepath.Join(pictures, "collines.png"), says.AnalystLogin, says.Platforms[0].Login, says.Platforms[0].URL,
		filepath.Join(pictures, "collines-copie.jpg"), says.Platforms[1].Login, says.AdminLogin, says.LeadLogin, demoWays(says))
	return err
}

// demoWays says how to follow the three notices; nothing in a demo that was kept,
// whose codes nobody has.
func demoWays(says demoSays) string {
	if len(says.Notices) == 0 {
		return ""
	}
	words := map[string]string{"removed": "removed within the hour", "reversed": "refused, then reversed on complaint", "ignored": "ignored, reminded, and so on"}
	var b strings.Builder
	fmt.Fprintf(&b, "  6  Three notices, as the person sees them at %s/follow\n", says.Hub)
	for _, n := range says.Notices {
		fmt.Fprintf(&b, "     %-35s case %s, code %s\n", words[n.Way], n.Case, n.Code)
	}
	b.WriteString("     The demo's clock goes on with the buttons at the top of each page of the hub.\n\n")
	return b.String()
}
