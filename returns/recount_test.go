package returns_test

import (
	"context"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
	_ "modernc.org/sqlite"

	"rempart"
	"rempart/returns"
	"rempart/store"
	"rempart/store/storetest"
)

// A year is an instance whose year is told through the domain, event by event.
type year struct {
	*testing.T
	ctx  context.Context
	rnd  *rand.Rand
	path string
	db   *store.DB
	now  time.Time
	ids  []string
}

func newYear(t *testing.T) *year {
	y := &year{T: t, ctx: t.Context(), rnd: rand.New(rand.NewPCG(7, 2026)), path: filepath.Join(t.TempDir(), "rempart.db"), now: time.Date(2026, 1, 3, 8, 0, 0, 0, time.UTC)}
	db, err := store.Open(y.ctx, y.path, store.Options{Key: make([]byte, 32), Keyring: storetest.Keyring, Now: func() time.Time { return y.now }})
	y.must(err)
	t.Cleanup(func() { db.Close() })
	y.db = db
	return y
}

func (y *year) must(err error) {
	y.Helper()
	if err != nil {
		y.Fatal(err)
	}
}

func pick[T any](y *year, from ...T) T { return from[y.rnd.IntN(len(from))] }

func (y *year) change(id string, f func(*rempart.Case) error) {
	y.Helper()
	y.must(y.db.UpdateCase(y.ctx, id, "", f))
}

// cases tells n cases: reported, qualified, some corrected, notified to one of
// three services, which acknowledge and decide or stay silent.
func (y *year) cases(n int) {
	services := []rempart.Service{{ID: "a", Name: "Galerie (exemple)", Lang: "fr"}, {ID: "b", Name: "Miroir (exemple)", Lang: "fr"}, {ID: "c", Name: "Forum (exemple)", Lang: "fr"}}
	for k := range n {
		y.now = y.now.Add(time.Duration(20+y.rnd.IntN(14)) * time.Hour)
		r, err := rempart.Report{
			Depicted: rempart.DepictedSelf, Age: pick(y, rempart.AgeSaidAdult, rempart.AgeSaidAdult, rempart.AgeSaid15To17),
			Made: pick(y, rempart.MadeFakeSexual, rempart.MadeFakeSexual, rempart.MadeRealSexual, rempart.MadeUnknown), Seen: pick(y, rempart.SeenPublic, rempart.SeenPublic, rempart.SeenPrivate),
			Threat: pick(y, rempart.ThreatMoney, rempart.ThreatNone, ""), Addresses: []string{fmt.Sprintf("https://galerie.exemple.test/%d", k), fmt.Sprintf("https://galerie.exemple.test/%d/b", k)},
			Media: []rempart.Medium{{Fingerprints: []rempart.Fingerprint{{Type: rempart.SHA256, Value: fmt.Sprintf("%064x", k+1)}}}},
		}.Normal(y.now)
		y.must(err)
		r.ID, r.CaseID = rempart.NewID(y.now), rempart.NewID(y.now)
		c := rempart.OpenCase(r)
		_, _, _, err = y.db.Submit(y.ctx, store.Submission{Report: r, Case: c, CodeHash: fmt.Sprint("hash", k)})
		y.must(err)
		y.ids = append(y.ids, c.ID)
		propose := func(category string) rempart.Proposal {
			return rempart.Proposal{Quals: []rempart.Qualification{{ID: "q", State: rempart.QualificationProposed, Article: "226-8-1"}}, Pack: "p", Category: category, Priority: rempart.PriorityHigh}
		}
		category := pick(y, "3f", "3f", "3e", "3b")
		if c.Facts.Minor() {
			category = pick(y, "9c", "9b")
		}
		y.change(c.ID, func(c *rempart.Case) error { return c.Propose(propose(category), y.now) })
		if y.rnd.IntN(6) == 0 {
			y.change(c.ID, func(c *rempart.Case) error {
				f := c.Facts
				f.Origin = rempart.OriginAIGenerated
				return c.CorrectFacts(c.Facts, f, func(rempart.Facts) rempart.Proposal { return propose(category) }, "Saule", y.now)
			})
		}
		if y.rnd.IntN(5) == 0 {
			continue // waits in the queue
		}
		y.change(c.ID, func(c *rempart.Case) error {
			if err := c.ConfirmQualification("q", "Saule", y.now); err != nil {
				return err
			}
			return c.ConfirmFingerprint(c.Items[2].ID, "Saule", y.now)
		})
		for range y.rnd.IntN(4) {
			y.change(c.ID, func(c *rempart.Case) error { return c.Stopped(c.Items[2].ID, "galerie", 0, y.now) })
		}
		y.notify(c.ID, pick(y, services...))
	}
}

func (y *year) notify(id string, s rempart.Service) {
	var notice string
	y.change(id, func(c *rempart.Case) (err error) {
		notice, err = c.PrepareNotice(s, []string{c.Items[0].ID, c.Items[1].ID}, "Ces pages montrent un contenu visé par la loi.", rempart.Notifier{Name: "Association", Email: "a@exemple.test", TrustedFlagger: true, Expertise: "images intimes"}, "Saule", y.now)
		if err != nil {
			return err
		}
		if err := c.EditNotice(notice, "Ces pages montrent un contenu visé par la loi, sans le consentement de la personne.", true, "Saule", y.now); err != nil {
			return err
		}
		return c.SendNotice(notice, "Saule", y.now)
	})
	if y.rnd.IntN(12) == 0 {
		y.change(id, func(c *rempart.Case) error {
			return c.NoticeAttemptFailed(notice, rempart.Attempt{At: y.now, Status: 500}, y.now)
		})
		return
	}
	y.change(id, func(c *rempart.Case) error {
		return c.NoticeAccepted(notice, "N-1", rempart.Attempt{At: y.now, Status: 201}, y.now)
	})
	if y.rnd.IntN(9) == 0 {
		return
	}
	y.now = y.now.Add(time.Duration(y.rnd.IntN(200)) * time.Minute)
	y.change(id, func(c *rempart.Case) error { return c.NoticeAcknowledged(notice, "N-1", s.ID, y.now) })
	if y.rnd.IntN(5) == 0 {
		return
	}
	y.now = y.now.Add(time.Duration(y.rnd.IntN(90)) * time.Hour)
	y.change(id, func(c *rempart.Case) error {
		d := map[string]rempart.Decision{}
		m := pick(y, rempart.MeasureRemoved, rempart.MeasureRemoved, rempart.MeasureRefused, rempart.MeasureRestricted)
		for i, it := range c.Notice(notice).Items {
			if i == 1 && y.rnd.IntN(6) == 0 {
				m = rempart.MeasureRefused
			}
			d[it.ID] = rempart.Decision{Measure: m, Ground: "law", Reference: "art. 226-8-1", Facts: "Contenu vu ce jour.", Explanation: "Le contenu correspond aux faits décrits.", Redress: []string{"court"}}
		}
		return c.NoticeDecided(notice, "N-1", s.ID, d, y.now)
	})
}

// edition freezes what the tally holds now.
func (y *year) edition(k returns.Kind) returns.Edition {
	edge, err := y.db.Edge(y.ctx)
	y.must(err)
	p, err := returns.ParsePeriod("2026", k)
	y.must(err)
	return returns.Edition{Format: returns.Format, Kind: k, Period: p, Number: 1, Frozen: "2027-01-15", Seq: edge.Seq, Before: p.End(), Whole: true, Until: p.Until,
		Site: "Instance d’essai", Name: "Association Exemple (fictive)", Trusted: true, Area: "images intimes", Law: "fr-2026-04-02.3", Staff: map[string]int{"analyst": 3, "admin": 1}, Independence: "Texte d’essai.\n\nUn second paragraphe."}
}

func (y *year) lines(e returns.Edition) func(func(rempart.Count)) {
	return func(f func(rempart.Count)) {
		y.must(y.db.Counts(y.ctx, e.Period.From, e.Period.Until, store.CountEdge{Seq: e.Seq, At: e.Before}, f))
	}
}

// raw reads the ledger's records with a program of its own, and the case's own
// document for its category and facts, and counts again. It knows nothing of
// counts.
func (y *year) raw() map[string]int {
	db, err := sql.Open("sqlite", y.path)
	y.must(err)
	defer db.Close()
	rows, err := db.QueryContext(y.ctx, "SELECT kind, subject, at, data FROM records ORDER BY seq")
	y.must(err)
	defer rows.Close()
	type notice struct {
		subject, service string
		sent             string
		measures         map[string]int
	}
	notices := map[string]*notice{}
	opened := map[string]string{}
	out := map[string]int{}
	for rows.Next() {
		var kind, subject, text string
		var at int64
		y.must(rows.Scan(&kind, &subject, &at, &text))
		data := map[string]string{}
		y.must(json.Unmarshal([]byte(text), &data))
		day := time.UnixMicro(at).UTC()
		inside := day.Year() == 2026
		switch kind {
		case "case.opened":
			if inside {
				opened[subject] = day.Format("2006-01")
			}
		case "notice.queued":
			notices[data["notice"]] = &notice{subject: subject, service: data["service"], measures: map[string]int{}}
		case "notice.sent":
			if inside {
				notices[data["notice"]].sent = day.Format(time.DateOnly)
			}
		case "notice.failed":
			if inside {
				out["lost"]++
			}
		case "item.decided":
			if inside {
				notices[data["notice"]].measures[data["measure"]]++
			}
		case "match.stopped":
			if inside {
				out["stops"]++
			}
		}
	}
	y.must(rows.Err())
	for id, month := range opened {
		c, err := y.db.Case(y.ctx, id)
		y.must(err)
		out["cases "+c.Category+" "+string(c.Facts.Axis())]++
		out["cases"]++
		out["months "+month]++
	}
	for id, n := range notices {
		if n.sent == "" {
			continue
		}
		c, err := y.db.Case(y.ctx, n.subject)
		y.must(err)
		outcome := "waiting"
		for m, k := range n.measures {
			if outcome = m; k < 2 {
				outcome = "mixed"
			}
		}
		out["notices"]++
		out["notices "+c.Notice(id).ServiceName+" "+c.Notice(id).Category+" "+outcome]++
	}
	return out
}

// TestRecount tells a year of 260 cases, counts it again from the ledger's
// records with another program, and compares every figure, published or hidden.
// Then it erases a fifth of the cases and tells more of another year: the files of
// the return are the same, byte for byte.
func TestRecount(t *testing.T) {
	y := newYear(t)
	y.cases(260)
	e := y.edition(returns.Parliament)
	f := returns.FiguresOf(e.Period, y.lines(e))
	want, got := y.raw(), map[string]int{}
	put := func(key string, n int) {
		if n != 0 {
			got[key] = n
		}
	}
	for i, r := range f.Cases.Rows[:len(f.Cases.Rows)-1] {
		for j, c := range f.Cases.Columns[:len(f.Cases.Columns)-1] {
			put("cases "+r.Code+" "+c.Code, f.Cases.Figures[i][j].N)
		}
	}
	put("cases", f.Cases.Total().N)
	for i, r := range f.Months.Rows[:12] {
		put("months "+r.Code, f.Months.Figures[i][0].N)
	}
	for i, r := range f.Notices.Rows[:len(f.Notices.Rows)-1] {
		provider, code, _ := strings.Cut(r.Code, "\x00")
		for j, c := range f.Notices.Columns[:len(f.Notices.Columns)-1] {
			put("notices "+provider+" "+code+" "+c.Code, f.Notices.Figures[i][j].N)
		}
	}
	put("notices", f.Notices.Total().N)
	put("lost", f.Lost.N)
	put("stops", f.Stops.Total().N)
	if diff := cmp.Diff(want, got); diff != "" || want["notices"] < 80 || want["cases"] < 150 {
		t.Errorf("recounted from the ledger (-), in the return (+):\n%s", diff)
	}
	for _, k := range []returns.Kind{returns.Parliament, returns.TrustedFlagger} {
		e.Kind = k
		files, err := returns.Build(e, y.lines(e))
		y.must(err)
		if dir := os.Getenv("REMPART_LOOK"); dir != "" {
			for _, f := range files {
				y.must(os.WriteFile(filepath.Join(dir, f.Name), f.Body, 0o600))
			}
		}
		noSmall(t, files)
		before := returns.Sums(files)
		if k == returns.Parliament {
			for _, id := range y.ids[:len(y.ids)/5] {
				y.must(y.db.EraseCase(y.ctx, id, rempart.Erasure{Why: rempart.EraseOrdered, By: "admin", At: y.now, Reason: "essai"}))
			}
			y.now = time.Date(2027, 2, 1, 8, 0, 0, 0, time.UTC)
			y.cases(3)
		}
		files, err = returns.Build(e, y.lines(e))
		y.must(err)
		if diff := cmp.Diff(before, returns.Sums(files)); diff != "" {
			t.Errorf("%s made again:\n%s", k, diff)
		}
	}
}

// noSmall reads the data file and finds no number from 1 to 4 but of hours.
func noSmall(t *testing.T, files []returns.File) {
	t.Helper()
	i := slices.IndexFunc(files, func(f returns.File) bool { return f.Name == "figures.csv" })
	rows, err := csv.NewReader(strings.NewReader(string(files[i].Body))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	hidden := 0
	for _, r := range rows[1:] {
		if r[6] == "hidden" {
			hidden++
		}
		if r[7] != "hours" && (slices.Contains([]string{"1", "2", "3", "4"}, r[4]) || slices.Contains([]string{"1", "2", "3", "4"}, r[5])) {
			t.Errorf("a small number is published: %v", r)
		}
	}
	if len(rows) < 20 || hidden == 0 {
		t.Errorf("%d rows, %d hidden", len(rows), hidden)
	}
}

// TestHarmonised receives notices on a platform, decides some, and reads the
// sheets again: the workbook with its library, and the CSV, and both hold what a
// count of the decisions by hand gives.
func TestHarmonised(t *testing.T) {
	y := newYear(t)
	type sum struct{ notices, trusted, items, law, terms int }
	want := map[string]*sum{}
	for _, code := range []string{"TOTAL", "3f", "9c"} {
		want[code] = &sum{}
	}
	for k := range 40 {
		y.now = y.now.Add(30 * time.Hour)
		minor := k%4 == 0
		n := rempart.Notice{ID: fmt.Sprint("n", k), Lang: "fr", GoodFaith: true, Category: "3f", Minor: minor, Explanation: "Ces pages montrent un contenu visé par la loi, sans consentement.",
			Notifier: rempart.Notifier{Name: "A", Email: "a@exemple.test"}, Grounds: []rempart.Ground{{Article: "226-8-1", Code: "Code pénal", Label: "Hypertrucage", TextDate: "2026-04-02", Source: "Légifrance"}},
			Items: []rempart.NoticeItem{{ID: "i1", Address: "https://galerie.exemple.test/1"}, {ID: "i2", Address: "https://galerie.exemple.test/2"}}}
		code := "3f"
		if minor {
			n.Category, code = "9c", "9c"
		}
		in, err := rempart.Receive(n, fmt.Sprint("key", k), rempart.Peer{ID: "p", Name: "P", TrustedFlagger: k%2 == 0}, y.now)
		y.must(err)
		_, _, err = y.db.CreateIntake(y.ctx, in)
		y.must(err)
		for _, c := range []string{"TOTAL", code} {
			want[c].notices++
			want[c].items += 2
			if k%2 == 0 {
				want[c].trusted++
			}
		}
		if k%5 == 0 {
			continue
		}
		ground := pick(y, "law", "terms")
		d := rempart.Decision{Measure: pick(y, rempart.MeasureRemoved, rempart.MeasureRefused), Ground: ground, Reference: "art. 4", Facts: "Contenu vu ce jour.", Explanation: "Le contenu correspond aux faits décrits.", Redress: []string{"court"}, Scope: "EU", ContentTypes: []string{"image"}}
		y.now = y.now.Add(90 * time.Minute)
		y.must(y.db.UpdateIntake(y.ctx, in.ID, func(i *rempart.Intake) error { return i.Decide("i1", d, "Noisetier", y.now) }))
		for _, c := range []string{"TOTAL", code} {
			switch {
			case d.Measure == rempart.MeasureRefused:
			case ground == "law":
				want[c].law++
			default:
				want[c].terms++
			}
		}
	}
	e := y.edition(returns.Harmonised)
	files, err := returns.Build(e, y.lines(e))
	y.must(err)
	again, err := returns.Build(e, y.lines(e))
	y.must(err)
	if diff := cmp.Diff(returns.Sums(files), returns.Sums(again)); diff != "" || len(files) != 13 {
		t.Errorf("%d files; made again: %s", len(files), diff)
	}
	at := slices.IndexFunc(files, func(f returns.File) bool { return f.Name == "harmonised.xlsx" })
	x, err := excelize.OpenReader(strings.NewReader(string(files[at].Body)))
	y.must(err)
	defer x.Close()
	if got := x.GetSheetList(); len(got) != 11 || got[3] != "4_notices" {
		t.Errorf("sheets %v", got)
	}
	rows, err := x.GetRows("4_notices")
	y.must(err)
	csvAt := slices.IndexFunc(files, func(f returns.File) bool { return f.Name == "4_notices.csv" })
	inCSV, err := csv.NewReader(strings.NewReader(string(files[csvAt].Body))).ReadAll()
	y.must(err)
	words := map[string]string{"TOTAL": "TOTAL", "3f": "KEYWORD_NON_CONSENSUAL_MATERIAL_DEEPFAKE", "9c": "KEYWORD_CHILD_SEXUAL_ABUSE_MATERIAL_DEEPFAKE"}
	for code, w := range want {
		line := []string{fmt.Sprint(w.notices), fmt.Sprint(w.trusted), fmt.Sprint(w.items), fmt.Sprint(2 * w.trusted), "1.5"}
		for name, all := range map[string][][]string{"xlsx": rows, "csv": inCSV} {
			i := slices.IndexFunc(all, func(r []string) bool { return len(r) > 3 && r[3] == words[code] })
			if i < 0 {
				t.Fatalf("%s has no line %s", name, code)
			}
			r := all[i]
			if diff := cmp.Diff(line, r[5:10]); diff != "" {
				t.Errorf("%s, %s: %s", name, code, diff)
			}
			if diff := cmp.Diff([]string{fmt.Sprint(w.law), fmt.Sprint(w.terms)}, []string{r[11], r[13]}); diff != "" {
				t.Errorf("%s, %s, actions: %s", name, code, diff)
			}
		}
	}
	if want["TOTAL"].law == 0 || want["TOTAL"].terms == 0 {
		t.Error("nothing was decided")
	}
}
