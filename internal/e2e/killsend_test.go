package e2e

import (
	"crypto/rand"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	ours "rempart"
	"rempart/exchange"
	"rempart/flow"
	"rempart/internal/mailtest"
	"rempart/keyring"
	"rempart/law"
	"rempart/mail"
	"rempart/store"
)

// killWays are the ways by which a sending leaves that is not to an instance of
// ours, and the points at which its process is killed, after "notice." or "rung.".
// Where asked is true the far side may have it and says nothing: it is a human's.
var killWays = []struct {
	name   string
	kind   ours.PeerKind
	keys   bool // the API knows repetitions
	points []killSendPoint
}{
	{"e-mail", ours.PeerMail, false, []killSendPoint{
		{"send.claimed", 1, false}, {"send.leaves", 1, false}, {"mail.begun", 0, true}, {"mail.delivered", 1, true}, {"send.saved", 1, false}}},
	{"an API that does not know repetitions", ours.PeerHTTP, false, []killSendPoint{
		{"send.claimed", 1, false}, {"send.leaves", 1, false}, {"http.begun", 0, true}, {"http.delivered", 1, true}, {"send.saved", 1, false}}},
	{"an API that knows repetitions", ours.PeerHTTP, true, []killSendPoint{
		{"send.claimed", 1, false}, {"send.leaves", 1, false}, {"send.delivered", 1, false}, {"send.saved", 1, false}}},
}

// killSendings are what is sent, and with what its points begin.
var killSendings = []struct{ what, points string }{{"notice", "notice."}, {"reminder", "rung."}, {"complaint", "rung."}}

// A killSendPoint is where a process is killed, and what is then to be.
type killSendPoint struct {
	at    string
	took  int  // how often the far side has it in the end
	asked bool // a human is asked, and told that it may have arrived
}

// TestKillSending kills a hub, as kill -9 does, at every step of sending a notice,
// a reminder and a complaint by e-mail and to an API of somebody else's, and
// starts it again: each is there once; where the far side may have it and would
// not know it again, a human is asked and nothing is sent by itself.
func TestKillSending(t *testing.T) {
	notShort(t)
	const want = 3 * (5 + 5 + 4)
	bin := buildFaults(t)
	t.Setenv("SSL_CERT_FILE", killCertificate(t)) // of the mail server, which the hub then trusts
	var mu sync.Mutex
	tried := map[string]bool{}
	var all sync.WaitGroup
	room := make(chan struct{}, 10) // most of the time they wait for a lease to end
	for _, s := range killSendings {
		for _, way := range killWays {
			for _, p := range way.points {
				at := s.points + p.at
				name := s.what + " by " + way.name + ", killed at " + at
				all.Go(func() {
					room <- struct{}{}
					defer func() { <-room }()
					t.Run(name, func(t *testing.T) {
						k := &killSend{T: t, what: s.what, data: filepath.Join(t.TempDir(), "data")}
						if way.kind == ours.PeerMail {
							k.far = newKillBox(t)
						} else {
							k.far = newKillDesk(t, way.keys)
						}
						k.prepare()
						k.run(bin, at, p)
						mu.Lock()
						defer mu.Unlock()
						tried[name] = true
					})
				})
			}
		}
	}
	all.Wait()
	if len(tried) != want {
		t.Errorf("%d kill points tried, want %d", len(tried), want)
	}
	t.Logf("kill -9 around sending by e-mail and HTTP: %d of %d points tried", len(tried), want)
}

// killCertificate writes the certificate of the mail server to a file.
func killCertificate(t *testing.T) string {
	h := httptest.NewTLSServer(http.NotFoundHandler())
	defer h.Close()
	name := filepath.Join(t.TempDir(), "mail.pem")
	if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// A killFar is the far side of a sending. It fails the test when it is told twice
// what it does not know again.
type killFar interface {
	peer() (ours.Peer, *ours.Credentials)
	mailer() flow.Mailer // nil: none is set up
	flags() []string     // of rempart serve
	took(notice, what string) int
}

// A killSend is one sending that a process is killed at.
type killSend struct {
	*testing.T
	what   string
	far    killFar
	data   string
	caseID string
	notice string
	rung   string // "" for a notice
}

const killText = "Nous déposons une réclamation contre ce refus : la personne n’a jamais donné son accord."

// open opens the hub's folder as its process does, at a time of ours.
func (k *killSend) open(now func() time.Time) *flow.Flow {
	k.Helper()
	if err := os.MkdirAll(k.data, 0o700); err != nil {
		k.Fatal(err)
	}
	name := filepath.Join(k.data, "instance.key")
	key, err := os.ReadFile(name)
	if err != nil {
		key = make([]byte, 32)
		rand.Read(key)
		if err := os.WriteFile(name, key, 0o600); err != nil {
			k.Fatal(err)
		}
	}
	ring := func(fresh bool) (*keyring.Ring, error) {
		path := filepath.Join(k.data, "keyring.json")
		if fresh {
			return keyring.Create(path, "")
		}
		return keyring.Open(path, "")
	}
	db, err := store.Open(k.Context(), filepath.Join(k.data, "rempart.db"), store.Options{Key: key, Keyring: ring, Name: "Rempart", Head: filepath.Join(k.data, "ledger.head"), Now: now})
	if err != nil {
		k.Fatal(err)
	}
	return flow.New(flow.Flow{DB: db, Law: law.France(), Now: now, Client: exchange.NewClient(), Mail: k.far.mailer(),
		Notifier: ours.Notifier{Name: "Association Exemple", Email: "contact@association.exemple.test"}})
}

// ok ends the test on an error.
func (k *killSend) ok(err error) {
	k.Helper()
	if err != nil {
		k.Fatal(err)
	}
}

// prepare makes a hub in which the sending waits to leave, or, for a reminder, in
// which its clock has run down. For what follows a notice this was some time ago.
func (k *killSend) prepare() {
	ctx, at := k.Context(), time.Now()
	switch k.what {
	case "reminder":
		at = at.Add(-10 * 24 * time.Hour)
	case "complaint":
		at = at.Add(-60 * 24 * time.Hour)
	}
	f := k.open(func() time.Time { return at })
	defer func() {
		f.Client.CloseIdleConnections()
		k.ok(f.Close())
		k.ok(f.DB.Close())
	}()
	step := func() {
		k.Helper()
		for {
			n, err := f.Step(ctx)
			k.ok(err)
			if n == 0 {
				return
			}
		}
	}
	change := func(do func(*ours.Case) error) {
		k.Helper()
		k.ok(f.DB.UpdateCase(ctx, k.caseID, "", do))
	}
	k.ok(f.Prepare(ctx))
	peer, cred := k.far.peer()
	k.ok(f.DB.PutPeer(ctx, peer, "", cred))
	k.ok(f.DB.PutService(ctx, ours.Service{ID: "forum", Name: "Forum (fictif)", Hosts: []string{"forum.exemple.test"}, PeerID: "forum", Lang: "fr", Provenance: "test", CheckedAt: at.Format(time.DateOnly)}))
	sub, err := f.Submit(ctx, ours.Report{Depicted: ours.DepictedSelf, Age: ours.AgeSaidAdult, Made: ours.MadeFakeSexual, Seen: ours.SeenPublic, Addresses: []string{"https://forum.exemple.test/p/1"}}, "")
	k.ok(err)
	step()
	c, err := f.DB.CaseByRef(ctx, sub.Ref)
	k.ok(err)
	k.caseID = c.ID
	if len(c.Quals) == 0 || len(c.Items) != 1 {
		k.Fatalf("%d qualifications, %d items", len(c.Quals), len(c.Items))
	}
	item := c.Items[0].ID
	change(func(c *ours.Case) error { return c.ConfirmQualification(c.Quals[0].ID, "Saule", at) })
	k.notice, err = f.Draft(ctx, c.ID, "forum", []string{item}, "Saule")
	k.ok(err)
	change(func(c *ours.Case) error {
		if err := c.EditNotice(k.notice, c.Notice(k.notice).Explanation, true, "Saule", at); err != nil {
			return err
		}
		return c.SendNoticeIn(k.notice, time.Second, "Saule", at)
	})
	if k.what == "notice" {
		return
	}
	at = at.Add(time.Minute)
	step()
	if k.far.took(k.notice, "notice") != 1 {
		k.Fatal("the notice did not arrive")
	}
	if k.what == "reminder" {
		return
	}
	refused := ours.Decision{Measure: ours.MeasureRefused, Ground: "law", Reference: "Code pénal, art. 226-8-1", Facts: "Notification examinée.", Explanation: "Le contenu a été comparé aux faits décrits.", Redress: []string{"complaint"}, Scope: "EU"}
	change(func(c *ours.Case) error { return c.DecideByHand(k.notice, item, refused, "Saule", at) })
	for range 40 {
		at = at.Add(24 * time.Hour)
		step()
		c, err = f.DB.Case(ctx, k.caseID)
		k.ok(err)
		if r := c.Notice(k.notice).Rungs; len(r) > 0 {
			k.rung = r[0].ID
			break
		}
	}
	change(func(c *ours.Case) error { return c.SendRung(k.rung, killText, "Saule", at) })
}

// run lets a process send, which is killed at a point and starts again, and holds
// what it left against what must be there.
func (k *killSend) run(bin, at string, want killSendPoint) {
	p := startProcOn(k, bin, k.data, at, append([]string{"-role", "hub", "-name", "Association Exemple", "-email", "contact@association.exemple.test"}, k.far.flags()...)...)
	p.dies()
	p.until("settled", func() bool {
		return killCount(k, p, "SELECT count(*) FROM jobs WHERE kind IN ('notice.send', 'rung.send') AND state IN ('waiting', 'running')") == 0
	})
	p.stop()
	if n := p.deaths(); n != 1 {
		k.Errorf("killed %d times, want once", n)
	}
	if out := p.run("verify"); !strings.HasPrefix(out, "the ledger is whole: ") {
		k.Errorf("verify: %s", out)
	}
	f := k.open(time.Now)
	defer func() {
		k.ok(f.Close())
		k.ok(f.DB.Close())
	}()
	c, err := f.DB.Case(k.Context(), k.caseID)
	k.ok(err)
	n := c.Notice(k.notice)
	if got := k.far.took(k.notice, k.what); got != want.took {
		k.Errorf("the far side has it %d times, want %d", got, want.took)
	}
	state, tries, sent := string(n.State), n.Attempts, string(ours.NoticeSent)
	failed, task := string(ours.NoticeFailed), ours.TaskRepair
	if k.what != "notice" {
		if len(n.Rungs) == 0 || string(n.Rungs[0].Kind) != k.what {
			k.Fatalf("steps %+v", n.Rungs)
		}
		r := n.Rungs[0]
		state, tries, sent, failed, task = string(r.State), r.Attempts, string(ours.RungSent), string(ours.RungAsked), r.Kind.Task()
	}
	asked := slices.ContainsFunc(c.Clocks, func(clock ours.Clock) bool {
		if !clock.Live() || clock.NoticeID != n.ID {
			return false
		}
		return clock.Task == task || k.what == "notice" && clock.Await == ours.AwaitRepair // whose task opens when its delay has run down
	})
	if !want.asked {
		if state != sent || len(tries) != 1 || tries[0].Unclear || tries[0].Begun {
			k.Errorf("it is %s, tries %+v: want it sent", state, tries)
		}
		return
	}
	if state != failed || len(tries) != 1 || !tries[0].Unclear || tries[0].Begun || tries[0].MessageID == "" || !strings.Contains(tries[0].Answer, "we were stopped before") {
		k.Errorf("it is %s, tries %+v: want one that may have arrived, for a human", state, tries)
	}
	if !asked {
		k.Errorf("no human is asked to %s: clocks %+v", task, c.Clocks)
	}
}

// A killBox is a mailbox.
type killBox struct {
	*mailtest.SMTP
	t *testing.T
}

func newKillBox(t *testing.T) killBox { return killBox{mailtest.NewSMTP(t, false, false), t} }

func (b killBox) peer() (ours.Peer, *ours.Credentials) {
	return ours.Peer{ID: "forum", Name: "Forum (fictif)", Kind: ours.PeerMail, URL: "mailto:abus@forum.exemple.test"}, nil
}

func (b killBox) mailer() flow.Mailer {
	return &mail.Sender{Server: mail.Server{Host: b.Host, Port: b.Port, TLS: mail.StartTLS, User: mailtest.User, Password: mailtest.Password, Config: b.TLS}, From: "contact@association.exemple.test"}
}

func (b killBox) flags() []string {
	name := filepath.Join(b.t.TempDir(), "password")
	if err := os.WriteFile(name, []byte(mailtest.Password), 0o600); err != nil {
		b.t.Fatal(err)
	}
	at := url.URL{Scheme: "smtp", User: url.User(mailtest.User), Host: b.Host + ":" + strconv.Itoa(b.Port)}
	return []string{"-mail-server", at.String(), "-mail-password", name}
}

// took counts the messages about a notice; one that follows it has its step's
// identifier between the notice's and the number of the try.
func (b killBox) took(notice, what string) (n int) {
	for _, m := range b.Received() {
		id, _, _ := strings.Cut(strings.TrimPrefix(m.Header.Get("Message-Id"), "<"), "@")
		parts := strings.Split(id, ".")
		if parts[0] != notice {
			b.t.Errorf("a message about nothing we sent: %s", id)
		}
		if follows := len(parts) == 3; follows == (what != "notice") {
			n++
		}
	}
	if n > 1 {
		b.t.Errorf("a %s was told %d times", what, n)
	}
	return n
}

// A killDesk is an API of somebody else's. One that knows repetitions may be told
// the same again under the same key.
type killDesk struct {
	*testing.T
	*httptest.Server
	keys bool

	mu    sync.Mutex
	have  map[string]string // what it took, by notice and step
	under map[string]string // the keys
}

func newKillDesk(t *testing.T, keys bool) *killDesk {
	d := &killDesk{T: t, keys: keys, have: map[string]string{}, under: map[string]string{}}
	d.Server = httptest.NewServer(http.HandlerFunc(d.take))
	t.Cleanup(d.Close)
	return d
}

func (d *killDesk) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the hub was killed
	}
	var m struct{ About, Step, Text string }
	if err := json.Unmarshal(body, &m); err != nil || m.About == "" || m.Step == "" || m.Text == "" || r.Header.Get("Authorization") != "Bearer "+killKeyAtPlatform {
		d.Errorf("what came lacks an element: %s, %v", body, err)
	}
	key, of := r.Header.Get("Idempotency-Key"), m.About+" "+m.Step
	if d.keys != (key != "") {
		d.Errorf("Idempotency-Key %q where keys are known: %v", key, d.keys)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if old, had := d.have[of]; had && (!d.keys || key != d.under[of] || old != string(body)) {
		d.Errorf("a %s was told twice, or told otherwise:\n%s\n%s", m.Step, old, body)
	}
	d.have[of], d.under[of] = string(body), key
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	io.WriteString(w, `{"id":"D-7"}`)
}

func (d *killDesk) peer() (ours.Peer, *ours.Credentials) {
	return ours.Peer{ID: "forum", Name: "Forum (fictif)", Kind: ours.PeerHTTP, URL: d.URL, Request: &ours.Request{
			ContentType: exchange.JSONRequest, Headers: []string{"Authorization"}, Number: "id", Repeatable: d.keys,
			Body:     `{"about": {{json .Notice.ID}}, "step": "notice", "text": {{json .Notice.Explanation}}}`,
			FollowUp: `{"about": {{json .Notice.ID}}, "step": {{json .Step}}, "text": {{json .Text}}}`}},
		&ours.Credentials{Headers: map[string]string{"Authorization": "Bearer " + killKeyAtPlatform}}
}

func (d *killDesk) mailer() flow.Mailer { return nil }
func (d *killDesk) flags() []string     { return nil }

func (d *killDesk) took(notice, what string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, had := d.have[notice+" "+what]; had {
		return 1
	}
	return 0
}
