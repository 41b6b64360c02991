package e2e

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	ours "rempart"
	"rempart/exchange"
	"rempart/media"
)

const (
	killKeyAtPlatform = "rk_kill-test-hub-at-platform"
	killKeyAtHub      = "rk_kill-test-platform-at-hub"
	killKeyOfUploads  = "rk_kill-test-uploads"
	killSecret        = "whsec_a2lsbCB0ZXN0LCBzaGFyZWQgYnkgYm90aCBzaWRlcw=="
)

// killPoints are the points of the flow at which a process is killed, by the step
// that reaches them.
var killPoints = []struct {
	at   string
	side string // hub, platform, or both: once with a platform of ours, once with a fake one
	step string // report, send or upload
}{
	{"submit.before", "hub", "report"},
	{"submit.saved", "hub", "report"},
	{"qualify.claimed", "hub", "report"},
	{"qualify.saved", "hub", "report"},
	{"notice.send.claimed", "both", "send"},
	{"notice.send.leaves", "both", "send"},
	{"notice.send.delivered", "both", "send"},
	{"notice.send.saved", "both", "send"},
	{"answer.before", "both", "send"},
	{"answer.saved", "both", "send"},
	{"intake.saved", "platform", "send"},
	{"callback.send.claimed", "platform", "send"},
	{"callback.delivered", "platform", "send"},
	{"callback.send.saved", "platform", "send"},
	{"stop.tell.claimed", "platform", "upload"},
	{"stop.tell.saved", "platform", "upload"},
}

// TestKill kills a hub or a platform, as kill -9 does, between any two steps of
// the flow and starts it again: the report is there, one case, the notice is
// delivered once, no state is skipped, the copy is stopped once.
func TestKill(t *testing.T) {
	notShort(t)
	bin := buildFaults(t)
	for _, p := range killPoints {
		t.Run(p.at, func(t *testing.T) {
			t.Parallel()
			k := &killing{T: t, step: p.step}
			if p.side == "platform" {
				k.startHub(bin, "")
				k.startPlatform(bin, p.at)
				k.victim = k.platform
			} else {
				k.startHub(bin, p.at)
				k.startPlatform(bin, "")
				k.victim = k.hub
			}
			k.tell()
		})
		if p.side != "both" {
			continue
		}
		t.Run(p.at+", fake platform", func(t *testing.T) {
			t.Parallel()
			k := &killing{T: t, step: p.step}
			k.startHub(bin, p.at)
			k.victim = k.hub
			k.startFake()
			k.tell()
		})
	}
}

// buildFaults builds the binary that kills itself where it is told to.
func buildFaults(t *testing.T) (bin string) {
	t.Helper()
	bin = filepath.Join(t.TempDir(), "rempart-faults")
	build := exec.Command("go", "build", "-tags", "faults", "-o", bin, "./cmd/rempart")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building rempart with faults: %v\n%s", err, out)
	}
	return bin
}

// A killing is one report's way from start to end with a process that is killed.
type killing struct {
	*testing.T
	step          string // the one at which the victim is killed
	hub, platform *proc  // platform is nil where fake is not
	victim        *proc
	fake          *killFake
	analyst       *staff
	ref           string
}

func (k *killing) startHub(bin, at string) {
	k.hub = startProc(k, bin, at, "-role", "hub", "-name", "Association Exemple", "-email", "contact@association.exemple.test")
	k.analyst = k.enter(k.hub, "analyst", "Saule")
}

func (k *killing) startPlatform(bin, at string) {
	k.platform = startProc(k, bin, at, "-role", "platform")
	k.platform.run("admin", "peer", "add", "-id", "association", "-name", "Association Exemple", "-kind", "flagger", "-trusted", "-url", k.hub.url,
		"-key", killKeyAtPlatform, "-out-key", killKeyAtHub, "-secret", killSecret)
	k.platform.run("admin", "peer", "add", "-id", "depots", "-name", "Dépôts", "-kind", "platform", "-stops", "-key", killKeyOfUploads)
	k.introduce(k.platform.url)
}

func (k *killing) startFake() {
	k.fake = newKillFake(k.T, k.hub.url)
	k.introduce(k.fake.URL)
}

// introduce makes a platform known to the hub.
func (k *killing) introduce(url string) {
	k.hub.run("admin", "peer", "add", "-id", "forum", "-name", "Forum (fictif)", "-kind", "platform", "-url", url,
		"-key", killKeyAtHub, "-out-key", killKeyAtPlatform, "-secret", killSecret)
	k.hub.run("admin", "service", "add", "-id", "forum", "-name", "Forum (fictif)", "-host", "forum.exemple.test", "-peer", "forum", "-provenance", "test")
}

// enter adds a member of the staff and signs her in by her link.
func (k *killing) enter(p *proc, role, alias string) *staff {
	k.Helper()
	link, err := url.Parse(p.run("admin", "staff", "add", "-login", role, "-alias", alias, "-role", role, "-origin", p.url))
	if err != nil {
		k.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		k.Fatal(err)
	}
	s := &staff{k, p.url, &http.Client{Jar: jar, Timeout: time.Minute}}
	s.post("/console/enter", url.Values{"token": {link.Query().Get("token")}})
	if len(s.cookies()) != 1 {
		k.Fatalf("%s: no session", role)
	}
	return s
}

// after waits, behind the step at which the victim is killed, until it was.
func (k *killing) after(step string) {
	k.Helper()
	if step == k.step {
		k.victim.dies()
	}
}

// again does a request that may be done again, as it carries a key, until it is
// answered below 500.
func (k *killing) again(what string, q func() *http.Request) answer {
	k.Helper()
	var a answer
	k.hub.until(what, func() bool {
		r, err := plain.Do(q())
		if err != nil {
			return false
		}
		defer r.Body.Close()
		b, err := io.ReadAll(r.Body)
		a = answer{r.StatusCode, r.Header, string(b), r.Request.URL.String()}
		return err == nil && a.status < 500
	})
	return a
}

// tell tells the whole story.
func (k *killing) tell() {
	picture := scene(640, 480, 1)
	original := pngOf(k, picture)
	fp, err := media.Fingerprint(k.Context(), bytes.NewReader(original), media.Default)
	if err != nil {
		k.Fatal(err)
	}
	body, err := json.Marshal(map[string]any{
		"depicted": "self", "age": "adult", "made": "fake_sexual", "seen": "online_public", "words": "Texte fictif d’un essai.",
		"addresses": []string{"https://forum.exemple.test/p/1", "https://forum.exemple.test/p/2"},
		"media": []any{map[string]any{"fingerprints": []any{
			map[string]any{"type": "pdq", "value": fp.PDQ.String(), "quality": fp.Quality}, map[string]any{"type": "sha256", "value": fp.SHA256}}}},
	})
	if err != nil {
		k.Fatal(err)
	}
	submit := func() reported {
		k.Helper()
		a := into[struct{ Code, Receipt string }](k, k.again("reported", func() *http.Request {
			q := request(k, "POST", k.hub.url+"/api/v1/reports", "application/json", bytes.NewReader(body))
			q.Header.Set("Idempotency-Key", "kill-test-report-with-a-long-key")
			return q
		}), 201)
		return reported{a.Code, a.Receipt, refInReceipt.FindStringSubmatch(a.Receipt)[1]}
	}
	first := submit()
	k.after("report")
	if again := submit(); again != first {
		k.Errorf("the same report again: %+v, want the first answer %+v", again, first)
	}
	k.ref = first.ref

	draft := k.analyst.draft(k.ref, "forum")
	k.press(k.analyst, draft, url.Values{"action": {"send"}, "good_faith": {"yes"}})
	k.after("send")
	number := k.analyst.until(draft, `(N-[0-9A-Z]{4}-[0-9A-Z]{4})`)
	k.decide(number)
	k.hub.until("removed", func() bool { return follow(k, k.hub.url, first.code).has("removed", "protected") })

	k.upload(jpegOf(k, shrink(picture, 2), 60))
	k.hub.until("stopped", func() bool { return follow(k, k.hub.url, first.code).Stopped > 0 })
	k.settle()
	f := follow(k, k.hub.url, first.code)
	if f.Stopped != 1 || !f.has("removed", "protected") || len(f.Items) != 3 {
		k.Errorf("in the end: %+v, want two addresses removed, a picture protected and stopped once", f)
	}
	k.ends()
}

// press posts a form at whose answer the server may be killed already.
func (k *killing) press(s *staff, path string, form url.Values) {
	k.Helper()
	r, err := s.client.PostForm(s.base+path, form)
	if err != nil {
		return // the end state tells whether it was taken
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		b, _ := io.ReadAll(r.Body)
		k.Fatalf("POST %s: status %d: %s", path, r.StatusCode, words(string(b)))
	}
}

// decide lets the platform remove what it was notified of.
func (k *killing) decide(number string) {
	k.Helper()
	if k.fake != nil {
		k.fake.decide(number)
		return
	}
	k.enter(k.platform, "moderator", "Noisetier").decide(number, "removed", "removed")
}

// upload lets somebody try to upload a copy, until the platform has the list; then
// the platform asks about the same upload again.
func (k *killing) upload(data []byte) {
	k.Helper()
	if k.fake != nil {
		k.fake.stop()
		return
	}
	ask := func() int {
		a := k.again("asked", func() *http.Request {
			body, kind := multipartFile(k, "depot.jpg", data)
			q := request(k, "POST", k.platform.url+"/api/v1/match", kind, body)
			q.Header.Set("Authorization", "Bearer "+killKeyOfUploads)
			q.Header.Set("Idempotency-Key", "kill-test-upload")
			return q
		})
		n := 0
		for _, r := range into[matched](k, a, 200).Results {
			n += len(r.Matches)
		}
		return n
	}
	k.platform.until("the copy was found", func() bool { return ask() > 0 })
	k.after("upload")
	if ask() == 0 {
		k.Error("the copy is not found any more")
	}
}

// settle waits until no job is left on either side.
func (k *killing) settle() {
	k.Helper()
	for _, p := range []*proc{k.hub, k.platform} {
		if p == nil {
			continue
		}
		p.until("settled", func() bool {
			return killCount(k, p, "SELECT count(*) FROM jobs WHERE state IN ('waiting', 'running')") == 0
		})
		if n := killCount(k, p, "SELECT count(*) FROM jobs WHERE state = 'dead'"); n != 0 {
			k.Errorf("%d jobs were given to a human, want none", n)
		}
	}
}

// ends stops the processes and holds what they left against what must be there.
func (k *killing) ends() {
	k.Helper()
	for _, p := range []*proc{k.platform, k.hub} { // the platform first: it waits for the hub's feed
		if p == nil {
			continue
		}
		want := 0
		if p == k.victim {
			want = 1
		}
		if got := p.deaths(); got != want {
			k.Errorf("killed %d times, want %d", got, want)
		}
		p.stop()
		if out := p.run("verify"); !strings.HasPrefix(out, "the ledger is whole: ") {
			k.Errorf("verify: %s", out)
		}
	}
	if n := killCount(k, k.hub, "SELECT count(*) FROM cases"); n != 1 {
		k.Errorf("%d cases, want 1", n)
	}
	if n := killCount(k, k.hub, "SELECT count(*) FROM reports"); n != 1 {
		k.Errorf("%d reports, want 1", n)
	}
	k.events(k.hub, "cases", []string{"report.received", "case.opened", "case.qualified", "qualification.confirmed", "fingerprint.confirmed", "notice.prepared",
		"notice.edited", "notice.queued", "notice.leaves", "notice.sent", "notice.acknowledged", "item.decided", "item.decided", "match.stopped"})
	// Which clocks ran depends on what came first; each began once and ended once.
	if n := killCount(k, k.hub, "SELECT count(*) FROM records WHERE kind = 'clock.started'"); n < 3 {
		k.Errorf("%d clocks began, want three at least", n)
	}
	if n := killCount(k, k.hub, "SELECT count(*) FROM (SELECT 1 FROM records WHERE kind LIKE 'clock.%' GROUP BY subject, kind, data HAVING count(*) > 1)"); n != 0 {
		k.Errorf("%d events of clocks are there more than once", n)
	}
	if k.fake != nil {
		k.fake.check()
		return
	}
	if n := killCount(k, k.platform, "SELECT count(*) FROM intakes"); n != 1 {
		k.Errorf("%d intakes, want 1", n)
	}
	k.events(k.platform, "intakes", []string{"intake.received", "intake.item_decided", "intake.item_decided", "intake.decided", "statement.dry_run", "statement.dry_run"})
	for _, callback := range []string{ours.CallbackAcknowledged, ours.CallbackDecided} { // before the decision or after it
		if n := killCount(k, k.platform, `SELECT count(*) FROM records WHERE kind = 'intake.told' AND data = '{"callback":"`+callback+`"}'`); n != 1 {
			k.Errorf("%d events that %s was told, want 1", n, callback)
		}
	}
	if n := killCount(k, k.platform, "SELECT count(*) FROM records WHERE kind = 'upload.stopped'"); n != 1 {
		k.Errorf("%d events upload.stopped, want 1", n)
	}
}

// events checks that each step of a case or intake was noted once, in order.
// What somebody looked at, deliveries that failed, what a platform told and the
// clocks are left out.
func (k *killing) events(p *proc, table string, want []string) {
	k.Helper()
	db := killDB(k, p)
	defer db.Close()
	rows, err := db.Query("SELECT kind FROM records WHERE subject = (SELECT id FROM " + table + ") ORDER BY seq")
	if err != nil {
		k.Fatal(err)
	}
	defer rows.Close()
	var got []string
	for rows.Next() {
		var kind string
		if err := rows.Scan(&kind); err != nil {
			k.Fatal(err)
		}
		if !strings.HasSuffix(kind, ".viewed") && kind != "notice.attempt_failed" && kind != "intake.told" && !strings.HasPrefix(kind, "clock.") {
			got = append(got, kind)
		}
	}
	if err := rows.Err(); err != nil {
		k.Fatal(err)
	}
	if !slices.Equal(got, want) {
		k.Errorf("events of %s:\n%s\nwant\n%s", table, strings.Join(got, " "), strings.Join(want, " "))
	}
}

func killDB(t testing.TB, p *proc) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(p.data, "rempart.db")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func killCount(t testing.TB, p *proc, query string) int {
	t.Helper()
	db := killDB(t, p)
	defer db.Close()
	n := 0
	if err := db.QueryRow(query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// A killFake is a platform that fails the test when a notice comes under two keys
// or with two bodies, or after it was decided. It answers at once, acknowledges by
// a callback, and sends each callback until it is taken, then once more.
type killFake struct {
	*testing.T
	*httptest.Server
	hub string

	mu      sync.Mutex
	key     string // of the one notice
	body    []byte
	notice  exchange.Notice
	decided bool
	acks    sync.WaitGroup
}

const killNumber = "N-FAKE-0001"

func newKillFake(t *testing.T, hub string) *killFake {
	f := &killFake{T: t, hub: hub}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/notices", f.take)
	f.Server = httptest.NewServer(mux)
	t.Cleanup(f.Close)
	return f
}

func (f *killFake) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the hub was killed
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	key := r.Header.Get("Idempotency-Key")
	switch {
	case r.Header.Get("Authorization") != "Bearer "+killKeyAtPlatform:
		f.Errorf("notice without our key")
	case f.decided:
		f.Errorf("notice %s told after it was decided", key)
	case f.body == nil:
		f.key, f.body = key, body
		if err := json.Unmarshal(body, &f.notice); err != nil || key == "" || f.notice.ID != key || len(f.notice.Items) != 2 {
			f.Errorf("notice %q under the key %q: %v", body, key, err)
		}
		f.acks.Go(func() {
			f.tell("msg_ack", exchange.Callback{Type: ours.CallbackAcknowledged, At: time.Now(), NoticeID: key, Number: killNumber})
		})
	case key != f.key || !bytes.Equal(body, f.body):
		f.Errorf("a second notice, or another body:\n%s %s\n%s %s", f.key, f.body, key, body)
	}
	w.WriteHeader(http.StatusAccepted)
	fmt.Fprintf(w, `{"id":"fake","number":%q,"state":"received"}`, killNumber)
}

// tell sends a callback until the hub takes it, then once more.
func (f *killFake) tell(id string, cb exchange.Callback) {
	client := exchange.NewClient()
	defer client.CloseIdleConnections()
	taken := 0
	for end := time.Now().Add(time.Minute); taken < 2; time.Sleep(100 * time.Millisecond) {
		_, _, err := exchange.SendCallback(f.Context(), client, f.hub, ours.Credentials{Key: killKeyAtHub, Secret: killSecret}, id, cb)
		var fail *exchange.Failure
		switch {
		case err == nil:
			taken++
		case errors.As(err, &fail) && fail.Permanent || time.Now().After(end):
			f.Errorf("callback %s: %v", id, err)
			return
		}
	}
}

func (f *killFake) decide(string) {
	f.acks.Wait()
	f.mu.Lock()
	f.decided = true
	cb := exchange.Callback{Type: ours.CallbackDecided, At: time.Now(), NoticeID: f.notice.ID, Number: killNumber, Items: map[string]ours.Decision{}}
	for _, i := range f.notice.Items {
		cb.Items[i.ID] = ours.Decision{Measure: ours.MeasureRemoved, Ground: "law", Reference: "Code pénal, art. 226-8-1", Scope: "EU", Redress: []string{"court"},
			Facts: "Notification d’un signaleur, examinée.", Explanation: "Le contenu a été comparé aux faits décrits."}
	}
	f.mu.Unlock()
	f.tell("msg_decided", cb)
}

// stop tells that an upload was stopped, as the feed names its item.
func (f *killFake) stop() {
	client := exchange.NewClient()
	defer client.CloseIdleConnections()
	entries, _, err := exchange.ReadFeed(f.Context(), client, f.hub, killKeyAtHub, "", 0)
	if err != nil || len(entries) != 2 {
		f.Fatalf("feed: %+v, %v, want two entries", entries, err)
	}
	e := entries[0]
	if e.State != ours.EntryActive {
		f.Errorf("entry %+v, want active", e)
	}
	f.tell("msg_stopped", exchange.Callback{Type: ours.CallbackStopped, At: time.Now(),
		Stop: &exchange.Stop{CaseRef: e.CaseRef, Item: e.ItemID, List: e.List, Type: e.Fingerprint.Type, Distance: 4}})
}

// check holds what came against what must have come.
func (f *killFake) check() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.key == "" {
		f.Error("no notice came")
	}
}
