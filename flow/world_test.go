package flow_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	_ "modernc.org/sqlite"

	"rempart"
	"rempart/exchange"
	"rempart/flow"
	"rempart/internal/pgtest"
	"rempart/law"
	"rempart/pdq"
	"rempart/store"
	"rempart/store/storetest"
	"rempart/web"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(stopping{m}) }

// stopping ends the PostgreSQL of the tests, if one was started, before leaks
// are looked for.
type stopping struct{ *testing.M }

func (s stopping) Run() int {
	code := s.M.Run()
	if err := pgtest.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// start is when every test's clock starts.
var start = time.Date(2026, 3, 2, 10, 20, 0, 0, time.UTC)

// A clock is the time of a test, which moves only when told to.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: start} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = t
}

func (c *clock) advance(d time.Duration) { c.set(c.now().Add(d)) }

// A side is one instance without its process: a store in a file and its flow.
type side struct {
	*flow.Flow
	t     *testing.T
	clock *clock
	path  string
}

var association = rempart.Notifier{Name: "Association Exemple", Email: "contact@association.exemple.test", TrustedFlagger: true, Expertise: "images intimes"}

// newSide opens an instance whose deliveries give up after patience.
func newSide(t *testing.T, c *clock, patience time.Duration) *side {
	t.Helper()
	return sideAt(t, c, patience, filepath.Join(t.TempDir(), "rempart.db"))
}

// sideAt is newSide on the database at path.
func sideAt(t *testing.T, c *clock, patience time.Duration, path string) *side {
	t.Helper()
	db, err := store.Open(t.Context(), path, store.Options{Key: make([]byte, 32), Keyring: storetest.Keyring, Name: "instance.exemple.test", Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	client := exchange.NewClient()
	client.Timeout = patience
	f := flow.New(flow.Flow{DB: db, Law: law.France(), Now: c.now, Client: client, Notifier: association})
	t.Cleanup(func() {
		client.CloseIdleConnections()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return &side{f, t, c, path}
}

// serve answers HTTP for an instance in a role, as its process would.
func (s *side) serve(hub, platform bool) string {
	s.t.Helper()
	h, err := web.New(web.Config{Site: "Exemple", Hub: hub, Platform: platform, DB: s.DB, Flow: s.Flow, Law: s.Law, Notifier: association, Now: s.clock.now, Log: s.Log})
	if err != nil {
		s.t.Fatal(err)
	}
	srv := httptest.NewServer(h)
	s.t.Cleanup(srv.Close)
	return srv.URL
}

const (
	keyAtPlatform = "rk_of-the-hub-at-the-platform"
	keyAtHub      = "rk_of-the-platform-at-the-hub"
	secret        = "whsec_c2VjcmV0IHNoYXJlZCBieSBodWIgYW5kIHBsYXRmb3Jt"
)

// knows makes a side know another one. A side that calls nobody has url "".
func (s *side) knows(id string, kind rempart.PeerKind, url, inKey, outKey string) rempart.Peer {
	s.t.Helper()
	p := rempart.Peer{ID: id, Name: id, Kind: kind, URL: url, CreatedAt: s.clock.now()}
	if err := s.DB.PutPeer(s.t.Context(), p, inKey, &rempart.Credentials{Key: outKey, Secret: secret}); err != nil {
		s.t.Fatal(err)
	}
	return p
}

// serves puts a service in the register; notices to it go to a peer.
func (s *side) serves(id, host, peer string) {
	s.t.Helper()
	err := s.DB.PutService(s.t.Context(), rempart.Service{ID: id, Name: id, Hosts: []string{host}, PeerID: peer, Lang: "fr", Provenance: "test", CheckedAt: "2026-03-02"})
	if err != nil {
		s.t.Fatal(err)
	}
}

// hash returns a PDQ with as many bits set as a picture's.
func hash(seed byte) pdq.Hash {
	var h pdq.Hash
	for i := range h {
		h[i] = 0x5a ^ seed<<(i%3)
	}
	return h
}

func medium(h pdq.Hash) rempart.Medium {
	return rempart.Medium{Fingerprints: []rempart.Fingerprint{{Type: rempart.PDQ, Value: h.String(), Quality: 90}, {Type: rempart.SHA256, Value: h.String()}}}
}

func reportOf(address string, media ...rempart.Medium) rempart.Report {
	r := rempart.Report{Depicted: rempart.DepictedSelf, Age: rempart.AgeSaidAdult, Made: rempart.MadeFakeSexual, Seen: rempart.SeenPublic, Media: media}
	if address != "" {
		r.Addresses = []string{address}
	}
	return r
}

// submit sends a report and qualifies its case.
func (s *side) submit(r rempart.Report) *rempart.Case {
	s.t.Helper()
	sub, err := s.Submit(s.t.Context(), r, "")
	if err != nil {
		s.t.Fatal(err)
	}
	s.step()
	return s.caseOf(sub.Ref)
}

func (s *side) caseOf(ref string) *rempart.Case {
	s.t.Helper()
	c, err := s.DB.CaseByRef(s.t.Context(), ref)
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

const analyst rempart.Actor = "Saule"

func (s *side) change(c *rempart.Case, f func(*rempart.Case) error) {
	s.t.Helper()
	if err := s.DB.UpdateCase(s.t.Context(), c.ID, "", f); err != nil {
		s.t.Fatal(err)
	}
}

// confirm makes the fingerprints of a case active.
func (s *side) confirm(c *rempart.Case) {
	s.t.Helper()
	s.change(c, func(c *rempart.Case) error {
		if len(c.Confirmed()) == 0 {
			if err := c.ConfirmQualification(c.Quals[0].ID, analyst, s.clock.now()); err != nil {
				return err
			}
		}
		for _, i := range c.Items {
			if i.Kind == rempart.ItemMedium {
				if err := c.ConfirmFingerprint(i.ID, analyst, s.clock.now()); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// notify confirms a qualification, prepares a notice of a case and sends it; it
// returns the notice's identifier. Delivery is for the next step.
func (s *side) notify(c *rempart.Case, service string) string {
	s.t.Helper()
	if len(c.Quals) == 0 {
		s.t.Fatal("the law pack proposed no qualification")
	}
	s.change(c, func(c *rempart.Case) error { return c.ConfirmQualification(c.Quals[0].ID, analyst, s.clock.now()) })
	var items []string
	for _, i := range c.Items {
		if i.Kind == rempart.ItemAddress {
			items = append(items, i.ID)
		}
	}
	id, err := s.Draft(s.t.Context(), c.ID, service, items, analyst)
	if err != nil {
		s.t.Fatal(err)
	}
	s.change(c, func(c *rempart.Case) error {
		if err := c.EditNotice(id, c.Notice(id).Explanation, true, analyst, s.clock.now()); err != nil {
			return err
		}
		return c.SendNotice(id, analyst, s.clock.now())
	})
	return id
}

// step does the jobs that are due, once.
func (s *side) step() int {
	s.t.Helper()
	n, err := s.Step(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

// A job is a row of the outbox.
type job struct {
	Kind, Subject, Key, Payload, State, Why string
	Due                                     time.Time
	Attempt                                 int
}

// jobs reads the outbox as it is in the database.
func (s *side) jobs() []job {
	s.t.Helper()
	db := s.raw()
	defer db.Close()
	rows, err := db.Query("SELECT kind, subject, coalesce(key, ''), payload, state, why, due_at, attempt FROM jobs ORDER BY id")
	if err != nil {
		s.t.Fatal(err)
	}
	defer rows.Close()
	var out []job
	for rows.Next() {
		var j job
		var due int64
		if err := rows.Scan(&j.Kind, &j.Subject, &j.Key, &j.Payload, &j.State, &j.Why, &due, &j.Attempt); err != nil {
			s.t.Fatal(err)
		}
		j.Due = time.UnixMicro(due).UTC()
		out = append(out, j)
	}
	if err := rows.Err(); err != nil {
		s.t.Fatal(err)
	}
	return out
}

func (s *side) raw() *sql.DB {
	s.t.Helper()
	db, err := sql.Open("sqlite", "file:"+s.path+"?_pragma=busy_timeout(5000)")
	if err != nil {
		s.t.Fatal(err)
	}
	return db
}

// left returns the jobs of a kind that are not done.
func (s *side) left(kind string) []job {
	s.t.Helper()
	var out []job
	for _, j := range s.jobs() {
		if j.Kind == kind && j.State != "done" {
			out = append(out, j)
		}
	}
	return out
}

// count returns how many events of a kind a subject has.
func (s *side) count(subject, kind string) int {
	s.t.Helper()
	events, err := s.DB.Events(s.t.Context(), subject)
	if err != nil {
		s.t.Fatal(err)
	}
	n := 0
	for _, e := range events {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

// getter returns a client for requests of a test.
func getter(t *testing.T) *http.Client {
	c := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func kindIs(err error, k rempart.Kind) error {
	if err != nil && rempart.KindOf(err) == k {
		return nil
	}
	return fmt.Errorf("error %v of kind %v, want kind %v", err, rempart.KindOf(err), k)
}

// until waits for something that another goroutine does, at most until ctx ends.
func until(ctx context.Context, t *testing.T, what string, done func() bool) {
	for !done() {
		if ctx.Err() != nil {
			t.Errorf("%s: not in time", what)
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}
