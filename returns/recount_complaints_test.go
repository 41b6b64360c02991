package returns_test

import (
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rempart"
	"rempart/returns"
)

// A complained is what a line of the sheet of complaints must hold, noted when
// each complaint came and was decided.
type complained struct{ total, upheld, partly, reversed int }

// complaints tells n notices with decisions of every kind, complaints against them
// from both sides, and answers; it returns what each line must hold.
func (y *year) complaints(n int) map[string]*complained {
	window := rempart.Window{Within: rempart.Span{N: 6, Unit: rempart.Months}, Calendar: rempart.Calendar{Zone: time.UTC}}
	words := "Le montage montre une personne qui n’a jamais donné son accord."
	decision := func(m rempart.Measure, r ...rempart.Restriction) rempart.Decision {
		return rempart.Decision{Measure: m, Restrictions: r, Ground: "law", Reference: "art. 4", Facts: "Contenu vu ce jour.", Explanation: "Le contenu correspond aux faits décrits.", Redress: []string{"court"}, Scope: "EU", ContentTypes: []string{"image"}}
	}
	want := map[string]*complained{}
	for _, line := range []string{"all", "visibility", "account", "no_action", "trusted"} {
		want[line] = &complained{}
	}
	for k := range n {
		y.now = y.now.Add(20 * time.Hour)
		notice := rempart.Notice{ID: fmt.Sprint("c", k), Lang: "fr", GoodFaith: true, Category: "3f", Explanation: "Ces pages montrent un contenu visé par la loi, sans consentement.",
			Notifier: rempart.Notifier{Name: "A", Email: "a@exemple.test"}, Grounds: []rempart.Ground{{Article: "226-8-1", Code: "Code pénal", Label: "Hypertrucage", TextDate: "2026-04-02", Source: "Légifrance"}},
			Items: []rempart.NoticeItem{{ID: "i1", Address: "https://galerie.exemple.test/1"}, {ID: "i2", Address: "https://galerie.exemple.test/2"}}}
		trusted := k%3 == 0
		in, err := rempart.Receive(notice, fmt.Sprint("complaint", k), rempart.Peer{ID: "p", Name: "P", TrustedFlagger: trusted}, y.now)
		y.must(err)
		_, _, err = y.db.CreateIntake(y.ctx, in)
		y.must(err)
		by := pick(y, rempart.ByNotifier, rempart.ByAffected)
		first := decision(rempart.MeasureRefused)
		lines := []string{"all", "no_action"}
		if trusted {
			lines = append(lines, "trusted")
		}
		if by == rempart.ByAffected {
			first, lines = decision(rempart.MeasureRemoved), []string{"all", "visibility"}
			if k%2 == 0 {
				first, lines = decision(rempart.MeasureRemoved, "visibility.disabled", "account.suspended"), []string{"all", "visibility", "account"}
			}
		}
		update := func(f func(*rempart.Intake) error) { y.Helper(); y.must(y.db.UpdateIntake(y.ctx, in.ID, f)) }
		for _, item := range []string{"i1", "i2"} {
			update(func(i *rempart.Intake) error { return i.Decide(item, first, "Noisetier", y.now) })
		}
		if k%7 == 0 {
			continue
		}
		y.now = y.now.Add(time.Hour)
		number := ""
		update(func(i *rempart.Intake) (err error) {
			number, err = i.Complain(by, "", []string{"i1", "i2"}, words, window, "p", y.now)
			return err
		})
		changes := map[string]rempart.Decision{}
		if now := decision(rempart.MeasureRemoved); by == rempart.ByNotifier {
			changes = map[string]rempart.Decision{"i1": now, "i2": now}
		} else {
			changes = map[string]rempart.Decision{"i1": decision(rempart.MeasureRefused), "i2": decision(rempart.MeasureRefused)}
		}
		outcome := y.rnd.IntN(4)
		if outcome < 2 {
			delete(changes, "i2")
		}
		if outcome == 0 {
			clear(changes)
		}
		for _, line := range lines {
			want[line].total++
		}
		if k%6 == 0 {
			continue
		}
		y.now = y.now.Add(time.Duration(1+y.rnd.IntN(30)) * time.Hour)
		update(func(i *rempart.Intake) error {
			return i.DecideComplaint(number, changes, "La décision a été revue en entier.", "Charme", y.now)
		})
		for _, line := range lines {
			switch len(changes) {
			case 0:
				want[line].upheld++
			case 1:
				want[line].partly++
			default:
				want[line].reversed++
			}
		}
	}
	return want
}

// complaintsInLedger counts again from the ledger's records, with a program that
// knows nothing of counts: complaints and outcomes, the median hours, and how
// often something was done after all.
func (y *year) complaintsInLedger() (c complained, median float64, imposed int) {
	db, err := sql.Open("sqlite", y.path)
	y.must(err)
	defer db.Close()
	rows, err := db.QueryContext(y.ctx, "SELECT kind, at, data FROM records ORDER BY seq")
	y.must(err)
	defer rows.Close()
	came := map[string]int64{}
	var hours []float64
	for rows.Next() {
		var kind, text string
		var at int64
		y.must(rows.Scan(&kind, &at, &text))
		data := map[string]string{}
		y.must(json.Unmarshal([]byte(text), &data))
		switch kind {
		case "complaint.received":
			c.total++
			came[data["number"]] = at
		case "complaint.item_reversed":
			if data["measure"] != "refused" {
				imposed++
			}
		case "complaint.decided":
			hours = append(hours, float64(at-came[data["number"]])/3.6e9)
			switch data["outcome"] {
			case "upheld":
				c.upheld++
			case "partially_reversed":
				c.partly++
			case "reversed":
				c.reversed++
			}
		}
	}
	y.must(rows.Err())
	slices.Sort(hours)
	n := len(hours)
	return c, (hours[(n-1)/2] + hours[n/2]) / 2, imposed
}

// TestRecountComplaints compares the sheet of complaints with a recount from the
// ledger and with what was noted as each was told; an edition of the format before
// keeps it empty.
func TestRecountComplaints(t *testing.T) {
	y := newYear(t)
	want := y.complaints(90)
	e := y.edition(returns.Harmonised)
	sheet := func(e returns.Edition) map[string][]string {
		files, err := returns.Build(e, y.lines(e))
		y.must(err)
		at := slices.IndexFunc(files, func(f returns.File) bool { return f.Name == "7_appeals_and_recidivism.csv" })
		rows, err := csv.NewReader(strings.NewReader(string(files[at].Body))).ReadAll()
		y.must(err)
		out := map[string][]string{}
		for _, r := range rows[1:] {
			out[r[4]+" / "+r[5]] = r[6:]
		}
		if len(out) < 40 {
			t.Fatalf("%d lines", len(out))
		}
		return out
	}
	got := sheet(e)
	const all = "Number of complaints submitted to the internal-complaints mechanism"
	for indicator, line := range map[string]string{
		all: "all",
		"Complaint regarding a decision to remove or disable access to or restrict visibility of information":                        "visibility",
		"Complaint regarding a decision to suspend or terminate an account":                                                          "account",
		"Complaint regarding a decision not to take action on a notice submitted in accordance with Article 16":                      "no_action",
		"Complaint regarding a decision not to take action on a notice submitted by a Trusted Flagger in accordance with Article 16": "trusted",
	} {
		w := want[line]
		for scope, n := range map[string]int{"Total number": w.total, "Decisions upheld": w.upheld, "Decisions partially reversed": w.partly, "Decisions reversed": w.reversed} {
			if v := got[indicator+" / "+scope]; len(v) == 0 || v[0] != fmt.Sprint(n) || n == 0 {
				t.Errorf("%s, %s: %q, want %d", line, scope, v, n)
			}
		}
	}
	recount, median, imposed := y.complaintsInLedger()
	if diff := cmp.Diff(*want["all"], recount, cmp.AllowUnexported(complained{})); diff != "" || recount.total < 60 {
		t.Error(diff)
	}
	if v := got[all+" / Median time"]; v[0] != fmt.Sprint(median) || !strings.HasPrefix(v[1], "In hours") {
		t.Errorf("median %q, want %v", v, median)
	}
	if v := got["Number of restrictions newly imposed as a result of an internal complaint / Total number"]; v[0] != fmt.Sprint(imposed) || imposed == 0 {
		t.Errorf("imposed %q, want %d", v, imposed)
	}
	if v := got["Complaint regarding a decision to restrict the ability to monetise information / Total number"]; v[0] != "0" {
		t.Errorf("about payments: %q", v)
	}
	if waiting := recount.total - recount.upheld - recount.partly - recount.reversed; got[all+" / Total number"][1] != fmt.Sprintf("Complaints received in Rempart; %d had no decision at the end of the period", waiting) {
		t.Errorf("%q, want %d waiting", got[all+" / Total number"], waiting)
	}
	for _, line := range []string{all + " / Decision omitted", "Number of suspensions enacted for the provision of manifestly illegal content / Total number"} {
		if v := got[line]; v[0] != "" || !strings.HasPrefix(v[1], "Not recorded") {
			t.Errorf("%s: %q, what is not recorded is not 0", line, v)
		}
	}
	e.Format = 1
	if v := sheet(e)[all+" / Total number"]; v[0] != "" || !strings.HasPrefix(v[1], "Not recorded") {
		t.Errorf("an edition of before: %q", v)
	}
}
