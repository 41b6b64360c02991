package flow_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rempart"
	"rempart/exchange"
	"rempart/internal/mailtest"
	"rempart/mail"
)

// A receiver is the far end of a channel: it can fail in each of its ways, and
// fails the test when it is told twice, or told something that lacks an element.
type receiver interface {
	will(fault string)
	// told returns the notices that it has, in the order in which it took them.
	told() []string
}

// A channel makes a hub's service reachable through a receiver.
type channel struct {
	name   string
	faults []string
	points []string // at which a process is killed
	open   func(t *testing.T, s *side) receiver
}

func names(faults []fault) []string {
	out := []string{"fine"}
	for _, x := range faults {
		out = append(out, x.name)
	}
	return out
}

func faultNamed(name string) fault {
	for _, x := range append(slices.Clone(faults), fine) {
		if x.name == name {
			return x
		}
	}
	panic(name)
}

// An api is a platform of ours or an API of somebody else's. Without keys it does
// not know repetitions: to be told again what it has is the mistake.
type api struct {
	t       *testing.T
	keys    bool
	mu      sync.Mutex
	next    []fault
	have    []string
	bodies  map[string]string
	numbers map[string]string
	away    func(bool)
}

func (a *api) will(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.next = append(a.next, faultNamed(name))
}

func (a *api) told() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.have)
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if got := r.Header.Get("Authorization"); got != "Bearer "+keyAtPlatform {
		a.t.Errorf("Authorization %q", got)
	}
	if key := r.Header.Get("Idempotency-Key"); a.keys != (key != "") {
		a.t.Errorf("Idempotency-Key %q where keys are known: %v", key, a.keys)
	}
	var n exchange.Notice
	if err := json.Unmarshal(body, &n); err != nil {
		a.t.Errorf("notice %q: %v", body, err)
	}
	domain, err := n.Domain()
	if m := domain.Missing(); err != nil || len(m) > 0 {
		a.t.Errorf("the notice lacks %+v, %v", m, err)
	}
	a.mu.Lock()
	x := fine
	if len(a.next) > 0 {
		x, a.next = a.next[0], a.next[1:]
	}
	if old, had := a.bodies[n.ID]; had && (!a.keys || old != string(body)) {
		a.t.Errorf("told twice, or told otherwise: %s", n.ID)
	}
	if x.stores && a.bodies[n.ID] == "" {
		a.bodies[n.ID] = string(body)
		a.have = append(a.have, n.ID)
		a.numbers[n.ID] = fmt.Sprintf("N-%d", len(a.have))
	}
	receipt := fmt.Sprintf(`{"id":"x","number":%q,"state":"received"}`, a.numbers[n.ID])
	a.mu.Unlock()
	x.answer(w, r, receipt)
}

func openAPI(keys bool, connect func(s *side, url string)) func(t *testing.T, s *side) receiver {
	return func(t *testing.T, s *side) receiver {
		a := &api{t: t, keys: keys, bodies: map[string]string{}, numbers: map[string]string{}}
		srv := httptest.NewServer(a)
		t.Cleanup(func() { srv.CloseClientConnections(); srv.Close() })
		a.away = func(away bool) {
			if away { // nothing listens there
				connect(s, "http://127.0.0.1:1")
			} else {
				connect(s, srv.URL)
			}
		}
		a.away(false)
		return a
	}
}

func connectAPI(repeatable bool) func(s *side, url string) {
	return func(s *side, url string) {
		p := rempart.Peer{ID: "forum", Name: "Forum", Kind: rempart.PeerHTTP, URL: url + "/reports?from=a", Request: &rempart.Request{
			ContentType: exchange.JSONRequest, Body: "{{json .Notice}}", Headers: []string{"Authorization"}, Taken: []int{202}, Number: "number", Repeatable: repeatable}}
		if err := s.DB.PutPeer(s.t.Context(), p, "", &rempart.Credentials{Headers: map[string]string{"Authorization": "Bearer " + keyAtPlatform}}); err != nil {
			s.t.Fatal(err)
		}
	}
}

// A box is a mailbox.
type box struct {
	*mailtest.SMTP
	t *testing.T
}

func (b box) will(name string) { b.Will(mailtest.Fault(name)) }

func (b box) told() []string {
	var out []string
	for _, r := range b.Received() {
		id := strings.Split(strings.TrimPrefix(r.Header.Get("Message-Id"), "<"), ".")[0]
		if slices.Contains(out, id) {
			b.t.Errorf("told twice: %s", id)
		}
		if text := textOf(b.t, r); !strings.Contains(text, "https://forum.exemple.test/") || !strings.Contains(text, "bonne foi") {
			b.t.Errorf("an e-mail that lacks an element: %s", text)
		}
		out = append(out, id)
	}
	return out
}

func mailFaults() (out []string) {
	for _, f := range mailtest.Faults {
		out = append(out, string(f))
	}
	return out
}

// channels are all ways on which a notice leaves.
var channels = []channel{
	{"rempart", names(faults), []string{"notice.send.claimed", "notice.send.delivered", "notice.send.saved"},
		openAPI(true, func(s *side, url string) { s.knows("forum", rempart.PeerPlatform, url, keyAtHub, keyAtPlatform) })},
	{"an API that knows repetitions", names(faults), []string{"notice.send.claimed", "notice.send.delivered", "notice.send.saved"}, openAPI(true, connectAPI(true))},
	{"an API that does not", names(faults), []string{"notice.send.claimed", "notice.http.begun", "notice.http.delivered", "notice.send.saved"}, openAPI(false, connectAPI(false))},
	{"e-mail", mailFaults(), []string{"notice.send.claimed", "notice.mail.begun", "notice.mail.delivered", "notice.send.saved"},
		func(t *testing.T, s *side) receiver {
			srv := mailtest.NewSMTP(t, false, false)
			s.Flow.Mail = &mail.Sender{Server: mail.Server{Host: srv.Host, Port: srv.Port, TLS: mail.StartTLS, User: mailtest.User, Password: mailtest.Password, Config: srv.TLS},
				From: association.Email, Patience: 3 * time.Second}
			if err := s.DB.PutPeer(t.Context(), rempart.Peer{ID: "forum", Name: "Forum", Kind: rempart.PeerMail, URL: "mailto:abus@forum.exemple.test"}, "", nil); err != nil {
				t.Fatal(err)
			}
			return box{srv, t}
		}},
}

// jumps are what the machine's time does between two steps.
var jumps = map[string][]time.Duration{
	"as it goes":          {},
	"an hour back":        {-time.Hour},
	"an hour forth":       {time.Hour},
	"forth and back":      {time.Hour, -time.Hour, time.Hour, -time.Hour},
	"two hours back":      {-2 * time.Hour, 3 * time.Hour},
	"to the end of March": {time.Date(2026, 3, 29, 0, 59, 0, 0, time.UTC).Sub(start)}, // clocks go forth in Paris a minute later
}

// leave lets time pass until the notice was sent, with a human who does what the
// console offers: finds out what may have arrived, and sends again what did not.
// It returns how often she was needed.
func (s *side) leave(c *rempart.Case, id string, far receiver, jump []time.Duration) (human int) {
	for range 200 {
		s.step()
		n := s.caseOf(c.Ref).Notice(id)
		switch {
		case n.State == rempart.NoticeSent:
			return human
		case n.State == rempart.NoticeFailed:
			human++
			s.change(c, func(c *rempart.Case) error {
				if c.Notice(id).Unclear() && slices.Contains(far.told(), id) {
					return c.NoticeArrived(id, analyst, s.clock.now())
				}
				return c.SendNotice(id, analyst, s.clock.now())
			})
		default:
			if len(jump) > 0 {
				s.clock.advance(jump[0])
				jump = jump[1:]
				continue
			}
			s.clock.advance(10 * time.Minute)
		}
	}
	s.t.Errorf("notice %s is %s after 200 steps", id, s.caseOf(c.Ref).Notice(id).State)
	return human
}

// TestFaultMatrix meets, on each channel, each fault, a process killed at each
// step, each jump of the time, and a receiver that is away for a day: in the end
// each notice is there, once, and never called sent before it was.
func TestFaultMatrix(t *testing.T) {
	met, mu := 0, sync.Mutex{}
	count := func(t *testing.T) {
		if !t.Failed() {
			mu.Lock()
			met++
			mu.Unlock()
		}
	}
	want := 0
	t.Run("all", func(t *testing.T) {
		for _, ch := range channels {
			for _, name := range ch.faults {
				want++
				t.Run(ch.name+"/"+name, func(t *testing.T) {
					t.Parallel()
					s, far, c, id := ch.ready(t)
					far.will(name)
					s.leave(c, id, far, nil)
					ch.once(t, s, c, id, far)
					count(t)
				})
			}
			for jump, by := range jumps {
				want++
				t.Run(ch.name+"/time "+jump, func(t *testing.T) {
					t.Parallel()
					s, far, c, id := ch.ready(t)
					far.will(map[bool]string{true: string(mailtest.Later), false: "503"}[ch.name == "e-mail"])
					s.leave(c, id, far, by)
					ch.once(t, s, c, id, far)
					count(t)
				})
			}
			for _, point := range ch.points {
				want++
				t.Run(ch.name+"/killed at "+point, func(t *testing.T) {
					t.Parallel()
					s, far, c, id := ch.ready(t)
					if !s.dies(point) {
						t.Fatalf("it never came to %s", point)
					}
					s.clock.advance(2 * time.Minute)
					s.leave(c, id, far, nil)
					s.clock.advance(2 * time.Minute)
					s.step()
					ch.once(t, s, c, id, far)
					count(t)
				})
			}
			want++
			t.Run(ch.name+"/away for a day", func(t *testing.T) {
				t.Parallel()
				ch.away(t)
				count(t)
			})
		}
	})
	if met != want || want < 100 {
		t.Errorf("%d of %d met, want all, and a hundred at least", met, want)
	}
	t.Logf("fault matrix: %d of %d met on %d channels", met, want, len(channels))
}

// ready returns a hub with a notice that waits to leave on the channel.
func (ch channel) ready(t *testing.T) (*side, receiver, *rempart.Case, string) {
	s := newSide(t, newClock(), patience)
	far := ch.open(t, s)
	s.serves("forum", "forum.exemple.test", "forum")
	c := s.submit(reportOf("https://forum.exemple.test/p/1"))
	return s, far, c, s.notify(c, "forum")
}

// once checks that a notice is there once, is called sent, and that nothing is
// left to do.
func (ch channel) once(t *testing.T, s *side, c *rempart.Case, id string, far receiver) {
	t.Helper()
	n, i := s.caseOf(c.Ref).Notice(id), s.caseOf(c.Ref).Items[0]
	if got := far.told(); !slices.Equal(got, []string{id}) || n.State != rempart.NoticeSent || i.State != rempart.ItemNotified {
		t.Errorf("the far side has %v, notice %s, item %s: want it once, sent", got, n.State, i.State)
	}
	if k := s.count(c.ID, "notice.sent") + s.count(c.ID, "notice.arrived"); k != 1 {
		t.Errorf("it is said %d times that the notice left, want once", k)
	}
	for _, a := range n.Attempts {
		if a.Begun || len([]rune(a.Answer)) > 400 || strings.Contains(a.Answer, "127.0.0.1") {
			t.Errorf("attempt %+v", a)
		}
	}
	for _, j := range s.left(rempart.JobSend) {
		if j.State != "dead" { // what a human took up is a new job
			t.Errorf("job left: %+v", j)
		}
	}
	s.check()
}

// away has the receiver be down for a day while notices of several cases queue up:
// all arrive once, those of one case in the order in which they were sent.
func (ch channel) away(t *testing.T) {
	s := newSide(t, newClock(), patience)
	far := ch.open(t, s)
	s.serves("forum", "forum.exemple.test", "forum")
	down := func(d bool) {
		switch far := far.(type) {
		case *api:
			far.away(d)
		case box:
			far.Refuse(d)
		}
	}
	down(true)
	sent := map[string][]string{}
	var cases []*rempart.Case
	for k := range 3 {
		r := reportOf(fmt.Sprintf("https://forum.exemple.test/%d/0", k))
		r.Addresses = append(r.Addresses, fmt.Sprintf("https://forum.exemple.test/%d/1", k), fmt.Sprintf("https://forum.exemple.test/%d/2", k))
		cases = append(cases, s.submit(r))
	}
	for k := range 3 { // one address after the other, hours apart, while nothing gets through
		for _, c := range cases {
			id := s.notifyOne(c, k)
			sent[c.ID] = append(sent[c.ID], id)
			s.human(c, far)
		}
		for range 18 {
			s.clock.advance(20 * time.Minute)
			s.step()
			for _, c := range cases {
				s.human(c, far)
			}
		}
	}
	for end := start.Add(24 * time.Hour); s.clock.now().Before(end); s.clock.advance(20 * time.Minute) {
		s.step()
		for _, c := range cases {
			s.human(c, far)
		}
	}
	if got := far.told(); len(got) != 0 {
		t.Errorf("the far side has %v while it was away", got)
	}
	down(false)
	for range 400 {
		s.clock.advance(20 * time.Minute)
		s.step()
		for _, c := range cases {
			s.human(c, far)
		}
	}
	got := far.told()
	if len(got) != 9 {
		t.Errorf("the far side has %d notices, want 9", len(got))
	}
	for _, c := range cases {
		var order []string
		for _, id := range got {
			if slices.Contains(sent[c.ID], id) {
				order = append(order, id)
			}
		}
		if !slices.Equal(order, sent[c.ID]) {
			t.Errorf("case %s: told in the order %v, sent in the order %v", c.Ref, order, sent[c.ID])
		}
	}
	s.check()
}

// human does what the console offers about notices of a case that were given to
// her, the oldest first.
func (s *side) human(c *rempart.Case, far receiver) {
	s.t.Helper()
	for _, n := range s.caseOf(c.Ref).Notices {
		if n.State == rempart.NoticeFailed {
			s.change(c, func(c *rempart.Case) error {
				if c.Notice(n.ID).Unclear() && slices.Contains(far.told(), n.ID) {
					return c.NoticeArrived(n.ID, analyst, s.clock.now())
				}
				return c.SendNotice(n.ID, analyst, s.clock.now())
			})
			return
		}
	}
}

// notifyOne sends a notice with the k-th address of a case.
func (s *side) notifyOne(c *rempart.Case, k int) string {
	s.t.Helper()
	if k == 0 {
		s.change(c, func(c *rempart.Case) error { return c.ConfirmQualification(c.Quals[0].ID, analyst, s.clock.now()) })
	}
	id, err := s.Draft(s.t.Context(), c.ID, "forum", []string{c.Items[k].ID}, analyst)
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
