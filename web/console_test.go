package web

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"rempart"
	"rempart/flow"
	"rempart/law"
	"rempart/store"
	"rempart/store/storetest"
)

// A desk is an instance with a real store, for the tests of the console.
type desk struct {
	t    *testing.T
	db   *store.DB
	flow *flow.Flow
	srv  *Server
	url  string
	now  time.Time
}

const forum = "forum" // the service and peer of the tests

// newDesk starts an instance in both roles or one. A sentence that the
// catalogues lack fails the test.
func newDesk(t *testing.T, hub, platform bool) *desk {
	t.Helper()
	d := &desk{t: t, now: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return d.now }
	ctx := context.Background()
	var err error
	d.db, err = store.Open(ctx, filepath.Join(t.TempDir(), "rempart.db"), store.Options{Key: make([]byte, 32), Keyring: storetest.Keyring, Name: "pole.exemple.test", Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.db.Close() })
	notifier := rempart.Notifier{Name: "Association Exemple", Email: "notification@association.exemple.test", TrustedFlagger: true, Expertise: "images intimes"}
	quiet := slog.New(slog.DiscardHandler)
	d.flow = flow.New(flow.Flow{DB: d.db, Law: law.France(), Now: clock, Notifier: notifier, Origin: "http://pole.exemple.test", Log: quiet})
	d.srv, err = newServer(Config{Site: "Association Exemple", Hub: hub, Platform: platform, DB: d.db, Flow: d.flow, Law: law.France(), Notifier: notifier, Now: clock, Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	pages := *d.srv.pages
	pages.missing = func(lang, key string) { t.Errorf("no sentence for %q in %s", key, lang) }
	d.srv.pages = &pages
	s := httptest.NewServer(d.srv.handler())
	t.Cleanup(s.Close)
	d.url = s.URL
	d.must(d.db.PutPeer(ctx, rempart.Peer{ID: forum, Name: "Forum Exemple", Kind: rempart.PeerPlatform, CreatedAt: d.now}, "key-of-the-forum", nil))
	d.must(d.db.PutService(ctx, rempart.Service{ID: forum, Name: "Forum Exemple", Hosts: []string{"forum.exemple.test"}, PeerID: forum, Lang: "fr", CheckedAt: "2026-11-01"}))
	for _, role := range rempart.StaffRoles {
		d.must(d.db.PutStaff(ctx, rempart.Staff{ID: string(role), Login: string(role), Alias: "Alias-" + rempart.Actor(role), Role: role, CreatedAt: d.now}, ""))
	}
	return d
}

func (d *desk) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// work does the jobs that are due.
func (d *desk) work() {
	d.t.Helper()
	for range 20 {
		n, err := d.flow.Step(context.Background())
		d.must(err)
		if n == 0 {
			return
		}
	}
	d.t.Fatal("the worker does not come to an end")
}

// prints are the fingerprints of a made-up picture with enough detail.
func prints() []rempart.Fingerprint {
	return []rempart.Fingerprint{
		{Type: rempart.PDQ, Value: strings.Repeat("5a5a33cc", 8), Quality: 92},
		{Type: rempart.SHA256, Value: strings.Repeat("0123abcd", 8)},
	}
}

// open saves a report with two addresses on the forum, one elsewhere and one
// picture, has it qualified, and returns its case.
func (d *desk) open(age rempart.Age) *rempart.Case {
	d.t.Helper()
	sub, err := d.flow.Submit(context.Background(), rempart.Report{
		Lang: "fr", Depicted: rempart.DepictedSelf, Age: age, Made: rempart.MadeFakeSexual, Seen: rempart.SeenPublic,
		Words:     "Bonjour, <b>voici</b> ce qui se passe. <a href=\"https://forum.exemple.test/page/1\">là</a>",
		Addresses: []string{"https://forum.exemple.test/page/1", "https://forum.exemple.test/page/2", "https://ailleurs.exemple.test/3"},
		Media:     []rempart.Medium{{Fingerprints: prints()}},
	}, "")
	d.must(err)
	d.work()
	c, err := d.db.CaseByRef(context.Background(), sub.Ref)
	d.must(err)
	if c.State != rempart.CaseOpen || len(c.Quals) == 0 {
		d.t.Fatalf("case is %s with %d qualifications", c.State, len(c.Quals))
	}
	return c
}

func (d *desk) reload(c *rempart.Case) *rempart.Case {
	d.t.Helper()
	c, err := d.db.Case(context.Background(), c.ID)
	d.must(err)
	return c
}

// A seat is a browser's place at the desk: its cookies, and redirects shown
// instead of followed.
type seat struct {
	*desk
	http *http.Client
	lang string
}

// sit signs a member of a role in; "" is nobody.
func (d *desk) sit(role rempart.StaffRole) *seat {
	d.t.Helper()
	s := &seat{desk: d, lang: "fr", http: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	if role == "" {
		return s
	}
	token, err := d.db.StartSession(context.Background(), string(role))
	d.must(err)
	u, err := url.Parse(d.url)
	d.must(err)
	s.http.Jar = jar{{Name: "rempart_staff_" + u.Port(), Value: token}}
	return s
}

// jar sends the same cookies everywhere and takes none.
type jar []*http.Cookie

func (j jar) SetCookies(*url.URL, []*http.Cookie) {}
func (j jar) Cookies(*url.URL) []*http.Cookie     { return j }

// An answer is what came back.
type answer struct {
	status int
	head   http.Header
	body   string
}

func (s *seat) send(r *http.Request) answer {
	s.t.Helper()
	r.Header.Set("Accept-Language", s.lang)
	resp, err := s.http.Do(r)
	s.must(err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	s.must(err)
	return answer{resp.StatusCode, resp.Header, string(b)}
}

func (s *seat) get(path string) answer {
	s.t.Helper()
	r, err := http.NewRequest(http.MethodGet, s.url+path, nil)
	s.must(err)
	return s.send(r)
}

// post sends a form; pairs are names and values.
func (s *seat) post(path string, pairs ...string) answer {
	s.t.Helper()
	form := url.Values{}
	for k := 0; k+1 < len(pairs); k += 2 {
		form.Add(pairs[k], pairs[k+1])
	}
	r, err := http.NewRequest(http.MethodPost, s.url+path, strings.NewReader(form.Encode()))
	s.must(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return s.send(r)
}

// changed posts a form that must change something, and returns the page that
// it leads to.
func (s *seat) changed(path string, pairs ...string) answer {
	s.t.Helper()
	a := s.post(path, pairs...)
	if a.status != http.StatusSeeOther {
		s.t.Fatalf("POST %s: %d, want 303\n%s", path, a.status, mainOf(a.body))
	}
	return s.page(a.head.Get("Location"))
}

// page gets a page that must be there, and holds it to what is true of all.
func (s *seat) page(path string) answer {
	s.t.Helper()
	a := s.get(path)
	if a.status != http.StatusOK {
		s.t.Fatalf("GET %s: %d, want 200\n%s", path, a.status, mainOf(a.body))
	}
	sober(s.t, path, a.body)
	return a
}

func mainOf(body string) string {
	if _, after, ok := strings.Cut(body, "<main"); ok {
		body, _, _ = strings.Cut(after, "</main>")
	}
	return body
}

// never is what no page of the console holds.
var never = map[string]*regexp.Regexp{
	"a picture":                  regexp.MustCompile(`(?i)<(img|picture|video|audio|iframe|object|embed)\b`),
	"an inline script":           regexp.MustCompile(`(?i)<script(?:\s[^>]*)?>\s*[^<\s]`),
	"a style":                    regexp.MustCompile(`(?i)<style\b|\sstyle=`),
	"an event handler":           regexp.MustCompile(`(?i)<[^>]+\son[a-z]+\s*=`),
	"a link out of the console":  regexp.MustCompile(`(?i)(href|src|action)="(https?:)?//`),
	"a sentence's missing words": regexp.MustCompile(`%!|&lt;nil&gt;|<no value>`),
}

func sober(t *testing.T, path, body string) {
	t.Helper()
	for what, re := range never {
		if at := re.FindStringIndex(body); at != nil {
			t.Errorf("%s holds %s: %s", path, what, body[max(0, at[0]-40):min(len(body), at[1]+60)])
		}
	}
}

// spaces makes all spaces alike, so that a test reads as it is typed.
var spaces = strings.NewReplacer("\u00a0", " ", "\u202f", " ")

// want fails unless the page holds all of the texts.
func (a answer) want(t *testing.T, texts ...string) {
	t.Helper()
	for _, x := range texts {
		if !strings.Contains(spaces.Replace(a.body), spaces.Replace(x)) {
			t.Errorf("the page lacks %q", x)
		}
	}
}

func (a answer) lacks(t *testing.T, texts ...string) {
	t.Helper()
	for _, x := range texts {
		if strings.Contains(a.body, x) {
			t.Errorf("the page holds %q", x)
		}
	}
}
