package stats

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const head = "item_id,surface,collected_at,url_hash,label_name,label_value,annotator,method,confidence\n"

// cardOf reads a table and makes its card; it returns what was refused, too.
func cardOf(t *testing.T, table io.Reader, positive, among string, o Options) (Card, []string) {
	t.Helper()
	c, refused, err := tryCard(table, positive, among, o)
	if err != nil {
		t.Fatal(err)
	}
	return c, refused
}

func tryCard(table io.Reader, positive, among string, o Options) (Card, []string, error) {
	p, err := ParseCondition(positive)
	if err != nil {
		return Card{}, nil, err
	}
	var a *Condition
	if among != "" {
		c, err := ParseCondition(among)
		if err != nil {
			return Card{}, nil, err
		}
		a = &c
	}
	var refused []string
	tally := NewTally(p, a)
	err = ReadTable(table, func(r Row) {
		if bad := tally.Add(r); bad != nil {
			refused = append(refused, bad.Error())
		}
	}, func(bad *RowError) {
		o.Refused++
		refused = append(refused, bad.Error())
	})
	if err != nil {
		return Card{}, refused, err
	}
	c, err := tally.Card(o)
	return c, refused, err
}

// grok writes the table that the published figures of the Grok audit of January
// 2026 imply: 20,000 images, 10,600 in minimal attire, 8,586 of these women; it
// is shuffled, and the label woman is also given to others.
func grok(doubly int) string {
	var rows []string
	for i := range 20000 {
		attire, who := "other", "man"
		if i < 10600 {
			attire = "minimal"
		}
		if i < 8586 || i >= 17000 {
			who = "woman"
		}
		surface := []string{"account", "app", "site"}[i%3]
		for k, l := range [][2]string{{"attire", attire}, {"presents_as", who}} {
			rows = append(rows, fmt.Sprintf("i%05d,%s,2025-12-%02dT10:00:00Z,%064x,%s,%s,a1,human,0.9\n", i, surface, 25+i%7, i, l[0], l[1]))
			if k == 0 && i%20000 >= 20000-doubly {
				said := attire
				if i%10 == 0 {
					said = "minimal"
				}
				rows = append(rows, fmt.Sprintf("i%05d,%s,2025-12-%02dT10:00:00Z,%064x,%s,%s,a2,human,\n", i, surface, 25+i%7, i, l[0], said))
			}
		}
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	return head + strings.Join(rows, "")
}

func TestCard(t *testing.T) {
	table := grok(0)
	c, refused := cardOf(t, strings.NewReader(table), "attire=minimal", "", Options{BySurface: true})
	if refused != nil {
		t.Fatal(refused)
	}
	if c.Numerator != 10600 || c.Denominator != 20000 || percent(c.Interval[0]) != "52.31" || percent(c.Interval[1]) != "53.69" || c.Method != MethodWilson {
		t.Errorf("%+v, want 53 %% of 20,000: 52.31 to 53.69", c)
	}
	if len(c.Surfaces) != 3 || c.Surfaces[0].Denominator+c.Surfaces[1].Denominator+c.Surfaces[2].Denominator != 20000 ||
		c.Surfaces[0].Numerator+c.Surfaces[1].Numerator+c.Surfaces[2].Numerator != 10600 {
		t.Errorf("surfaces %+v", c.Surfaces)
	}
	if c.Period == nil || c.Period.From.Format("2006-01-02") != "2025-12-25" || c.Period.Until.Format("2006-01-02") != "2025-12-31" {
		t.Errorf("period %+v", c.Period)
	}
	c, _ = cardOf(t, strings.NewReader(table), "presents_as=woman", "attire=minimal", Options{})
	if c.Numerator != 8586 || c.Denominator != 10600 || percent(c.Interval[0]) != "80.24" || percent(c.Interval[1]) != "81.74" {
		t.Errorf("%+v, want 81 %% of 10,600: 80.24 to 81.74", c)
	}
	if c.Agreement.DoublyLabelled != 0 || c.Agreement.Kappa != nil {
		t.Errorf("agreement %+v of single labels", c.Agreement)
	}
	b, err := json.Marshal(c)
	if err != nil || !strings.Contains(string(b), `"agreement":{"kappa":null,"doubly_labelled":0}`) || !strings.Contains(string(b), "not a probability sample") {
		t.Errorf("%s, %v", b, err)
	}
}

// TestCardTies gives a second label to a part of the items, by who labels nothing
// else. Where the two differ the label of who labelled the sample stands, in
// whichever order, and the card says between what the numerator lies.
func TestCardTies(t *testing.T) {
	c, refused := cardOf(t, strings.NewReader(grok(2000)), "attire=minimal", "", Options{})
	if refused != nil || c.Denominator != 20000 || c.Agreement.DoublyLabelled != 2000 || c.Agreement.KappaMethod != "cohen" {
		t.Fatalf("%+v, refused %v", c, refused)
	}
	if c.Numerator != 10600 || !strings.Contains(strings.Join(c.Warnings, "\n"), "200 items on which annotators tie or contradict themselves, not adjudicated: 0 are undecided") ||
		!strings.Contains(strings.Join(c.Warnings, "\n"), "between 10600 of 20000 and 10800 of 20000") {
		t.Errorf("%q", c.Warnings)
	}
	// a1 says other 2,000 times, a2 minimal 200 times: nothing beyond chance.
	if c.Agreement.Kappa == nil || *c.Agreement.Kappa != 0 || !strings.Contains(strings.Join(c.Warnings, "\n"), "unreliable") {
		t.Errorf("kappa %v", c.Agreement.Kappa)
	}
}

func TestCardDecides(t *testing.T) {
	for name, c := range map[string]struct {
		rows                   string
		numerator, denominator int
		warning                string
	}{
		"most":            {"i,,,,l,yes,a,human,\ni,,,,l,no,b,human,\ni,,,,l,yes,c,human,\n", 1, 1, "unreliable"},
		"adjudicated":     {"i,,,,l,yes,a,human,\ni,,,,l,no,b,human,\ni,,,,l,no,c,adjudication,\n", 0, 1, "unreliable"},
		"a tie":           {"i,,,,l,no,a,human,\ni,,,,l,yes,b,human,\nj,,,,l,no,c,human,\n", 0, 1, "1 are undecided and in neither numerator nor denominator, 0 go by the annotator who labelled at least 2 times as many items as the other; settled otherwise, the figure would lie between 0 of 2 and 1 of 2"},
		"main annotator":  {"i,,,,l,no,b,human,\ni,,,,l,yes,a,human,\nj,,,,l,no,a,human,\n", 1, 2, "0 are undecided and in neither numerator nor denominator, 1 go by"},
		"nearly main":     {"i,,,,l,no,b,human,\ni,,,,l,yes,a,human,\nj,,,,l,no,a,human,\nk,,,,l,no,a,human,\nm,,,,l,no,b,human,\n", 0, 3, "1 are undecided"},
		"tie of others":   {"i,,,,l,no,a,human,\ni,,,,l,maybe,b,human,\n", 0, 1, "no row has l=yes"},
		"by name":         {"i,,,,l,yes,a,human,\ni,,,,l,no,b,human,\ni,,,,l,no,Adjudicator 1,human,\n", 0, 1, "1 items were settled by a third person"},
		"by method":       {"i,,,,l,yes,a,human,\ni,,,,l,no,b,human,\ni,,,,l,no,c,Human adjudication,\n", 0, 1, "1 items were settled by a third person"},
		"two settle":      {"i,,,,l,yes,a,human,\ni,,,,l,no,c,adjudication,\ni,,,,l,yes,d,arbitrage,\nj,,,,l,no,a,human,\n", 0, 1, "1 are undecided"},
		"label spelt":     {"i,,,,l,yes,a,human,\nj,,,,L,yes,a,human,\n", 1, 1, "the table has the label L too"},
		"accents apart":   {"i,,,,l,yes,a,human,\nj,,,,l,yes,e\u0301,human,\nj,,,,l,yes,\u00e9,human,\n", 2, 2, "1 rows say again"},
		"two surfaces":    {"i,app,,,l,yes,a,human,\ni,site,,,l,yes,b,human,\n", 1, 1, "1 items are on several surfaces"},
		"a model unnamed": {"i,,,,l,yes,,gemini 2.5,\n", 1, 1, "labelled by gemini 2.5"},
		"other labels":    {"i,,,,l,yes,a,human,\nj,,,,m,yes,a,human,\n", 1, 1, "1 items without the label l"},
		"a model":         {"i,,,,l,yes,a,gemini 2.5,\n", 1, 1, "labelled by gemini 2.5"},
		"mistyped":        {"i,,,,l,Yes,a,human,\n", 0, 1, "no row has l=yes"},
		"two spellings":   {"i,,,,l,yes,a,human,\nj,,,,l,Yes,a,human,\n", 1, 2, "\"Yes\" is in the table too: other letters"},
		"three of uneven": {"i,,,,l,yes,a,human,\ni,,,,l,yes,b,human,\ni,,,,l,yes,c,human,\nj,,,,l,no,a,human,\nj,,,,l,no,b,human,\n", 1, 2, "see Krippendorff's alpha"},
	} {
		card, refused := cardOf(t, strings.NewReader(head+c.rows), "l=yes", "", Options{})
		if card.Numerator != c.numerator || card.Denominator != c.denominator || refused != nil && name != "accents apart" {
			t.Errorf("%s: %d of %d, refused %v", name, card.Numerator, card.Denominator, refused)
		}
		if !strings.Contains(strings.Join(card.Warnings, "\n"), c.warning) {
			t.Errorf("%s: %q says nothing of %q", name, card.Warnings, c.warning)
		}
	}
	if _, _, err := tryCard(strings.NewReader(head+"i,,,,m,yes,a,,\n"), "l=yes", "", Options{}); !errors.Is(err, ErrEmpty) {
		t.Errorf("%v, want no item in the denominator", err)
	}
}

// TestRefused writes rows that no table may hold, each with one that may.
func TestRefused(t *testing.T) {
	good := "ok,app,2025-12-28,ab12,l,yes,a,human,0.5\n"
	for rows, want := range map[string]string{
		"i,,,,l,yes,a,human\n":                                                      "line 2: 8 fields, the first line has 9",
		",,,,l,yes,a,human,\n":                                                      "line 2: item_id: empty",
		"i,,,,l,,a,human,\n":                                                        "line 2: label_value: empty",
		"i,,,,l,=1+1,a,human,\n":                                                    "line 2: label_value: would be run as a formula by a spreadsheet",
		"-i,,,,l,yes,a,human,\n":                                                    "line 2: item_id: would be run as a formula by a spreadsheet",
		"i,,,https://exemple.test/1,l,yes,a,human,\n":                               "line 2: url_hash: an address; give its hash in url_hash",
		"i,,,,l,data:text/plain;base64 AAAA,a,human,\n":                             "line 2: label_value: a data address; tables hold labels only",
		"i,,,," + "/9j/" + strings.Repeat("A", 100) + ",yes,a,human,\n":             "line 2: label_name: a picture; tables hold labels only",
		"i,,,,l," + strings.Repeat("a", 600) + ",a,human,\n":                        "line 2: label_value: 600 bytes long, at most 512 are kept: labels, not content",
		"i,,,,l,\xe9t\xe9,a,human,\n":                                               "line 2: label_value: not UTF-8; save the file as CSV in UTF-8",
		"i,,,,l,yes,a\x00,human,\n":                                                 "line 2: annotator: a control character",
		"i,,yesterday,,l,yes,a,human,\n":                                            `line 2: collected_at: "yesterday" is no date such as 2025-12-28 or 2025-12-28T14:03:00Z`,
		"i,,,,l,yes,a,human,1.2\n":                                                  `line 2: confidence: "1.2" is no number from 0 to 1`,
		"i,,,,l,ye\"s,a,human,\n":                                                   `line 2: quotation marks that do not match in this line: bare " in non-quoted-field`,
		"\"i,,,,l,yes,a,human,\n":                                                   `line 2: quotation marks that do not match in this line: extraneous or missing " in quoted-field`,
		"i,,,,l,yes,a," + strings.Repeat("a", maxLine) + ",\n":                      "line 2: a line of more than 65536 bytes: labels, not content",
		"i,,,,l,yes,,human,\n":                                                      "line 2: annotator: empty",
		"i,,,,l,\"data:,x\",a,human,\n":                                             "line 2: label_value: a data address; tables hold labels only",
		"i,,,,l,see data:image/png;base64 AAAA,a,human,\n":                          "line 2: label_value: a data address; tables hold labels only",
		"i,,,,l,<svg width=9>,a,human,\n":                                           "line 2: label_value: a picture; tables hold labels only",
		"i,,,," + "AAAAIGZ0eXBhdmlm" + strings.Repeat("A", 100) + ",yes,a,human,\n": "line 2: label_name: a picture; tables hold labels only",
		"ok,app,2025-12-28,ab12,l,yes,a,human,1\n":                                  `line 3: "a" said the same of item "ok" on line 2; counted once`,
	} {
		c, refused := cardOf(t, strings.NewReader(head+rows+good), "l=yes", "", Options{})
		if diff := cmp.Diff([]string{want}, refused); diff != "" {
			t.Errorf("%q: %s", rows, diff)
		}
		if c.Denominator != 1 || c.Numerator != 1 {
			t.Errorf("%q: %d of %d beside it", rows, c.Numerator, c.Denominator)
		}
	}
}

func TestNoTable(t *testing.T) {
	for content, want := range map[string]string{
		"":                                     "the file is empty",
		"\xff\xfei\x00":                        "UTF-16",
		"PK\x03\x04....":                       "spreadsheet",
		"PAR1....":                             "Parquet",
		"item_id,surface\n1,2\n":               "does not name the column collected_at, url_hash, label_name, label_value, annotator, method, confidence",
		strings.TrimSpace(head) + ",item_id\n": "the column item_id is there twice",
	} {
		if _, _, err := tryCard(strings.NewReader(content), "l=yes", "", Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", content, err, want)
		}
	}
	if _, _, err := tryCard(strings.NewReader(strings.ReplaceAll(head+"i,,,,l,yes,a,human,\n", "\n", "\r")), "l=yes", "", Options{}); err == nil || !strings.Contains(err.Error(), "carriage return") {
		t.Errorf("lines of an old Macintosh: %v", err)
	}
	french := "\xef\xbb\xbf" + strings.ReplaceAll(head, ",", ";") + "été;;;;l;oui;a;human;0,5\n"
	if c, refused := cardOf(t, strings.NewReader(french), "l=oui", "", Options{}); c.Numerator != 1 || refused != nil {
		t.Errorf("%+v, %v with semicolons and a byte order mark", c, refused)
	}
}

func TestCardCorrected(t *testing.T) {
	o := Options{Population: 4_621_386, Classifier: &Classifier{0.9, 0.95, 0, 0}, ProbabilitySample: true}
	c, _ := cardOf(t, strings.NewReader(grok(0)), "attire=minimal", "", o)
	if c.Corrected == nil || percent(c.Corrected.Estimate) != "56.47" || c.Total == nil || int(c.Total.Estimate) != 2609723 {
		t.Errorf("%+v %+v", c.Corrected, c.Total)
	}
	if strings.Contains(strings.Join(c.Warnings, "\n"), "not a probability sample") {
		t.Errorf("%q", c.Warnings)
	}
}

// rows writes n rows without holding them.
type rows struct {
	n, next int
	buf     []byte
}

func (r *rows) Read(p []byte) (int, error) {
	for len(r.buf) < len(p) && r.next < r.n {
		if r.next == 0 {
			r.buf = append(r.buf, head...)
		}
		value := "other"
		if r.next%100 < 53 {
			value = "minimal"
		}
		r.buf = fmt.Appendf(r.buf, "i%08d,account,2025-12-28T10:00:00Z,%064x,attire,%s,a1,human,0.9\n", r.next, r.next, value)
		r.next++
	}
	if len(r.buf) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.buf)
	r.buf = r.buf[:copy(r.buf, r.buf[n:])]
	return n, nil
}

// BenchmarkCard reads a million rows of a million items; ns/op is of all.
func BenchmarkCard(b *testing.B) {
	for b.Loop() {
		c, refused, err := tryCard(&rows{n: 1_000_000}, "attire=minimal", "", Options{})
		if err != nil || refused != nil || c.Numerator != 530_000 {
			b.Fatal(c, refused, err)
		}
	}
}

// TestRepeated names a row that says again what was said, and counts it once.
func TestRepeated(t *testing.T) {
	c, refused := cardOf(t, strings.NewReader(head+"i,,,,l,yes,a,human,\ni,,,,l,yes,a,human,\n"), "l=yes", "", Options{})
	if c.Numerator != 1 || c.Denominator != 1 || len(refused) != 1 || !strings.Contains(strings.Join(c.Warnings, "\n"), "1 rows say again") {
		t.Errorf("%d of %d, refused %v, warned %q", c.Numerator, c.Denominator, refused, c.Warnings)
	}
}

// TestOneQuotationMark holds a mistake of one line to that line: read as RFC 4180
// lets one, it would take the 1998 rows that follow, and the share would be of
// one item.
func TestOneQuotationMark(t *testing.T) {
	var b strings.Builder
	for k := range 2000 {
		fmt.Fprintf(&b, "i%d,,,,l,%s,a,human,\n", k, []string{"yes", "no"}[k%2])
	}
	table := strings.Replace(b.String(), "i1,", `"i1,`, 1)
	c, refused := cardOf(t, strings.NewReader(head+table), "l=yes", "", Options{})
	if c.Numerator != 1000 || c.Denominator != 1999 || len(refused) != 1 || !strings.HasPrefix(refused[0], "line 3: ") {
		t.Errorf("%d of %d, refused %v", c.Numerator, c.Denominator, refused)
	}
}

// TestTies says how far the figure would move were ties settled otherwise, of the
// label, of the one it is among, and of both: against every way of settling them.
func TestTies(t *testing.T) {
	rnd := rand.New(rand.NewPCG(4, 7))
	tied := 0
	for range 200 {
		var table strings.Builder
		table.WriteString(head)
		shares := [][2]int{{0, 0}} // of what is counted so far, every way
		for i := range 5 {
			fates := [][2]int{}
			ins, yeses := [][]bool{{true}, {false}, {true, false}}[rnd.IntN(3)], [][]bool{{true}, {false}, {true, false}}[rnd.IntN(3)]
			write := func(label string, says []bool) {
				for a, v := range says {
					fmt.Fprintf(&table, "i%d,,,,%s,%v,a%d,human,\n", i, label, v, a)
				}
			}
			write("in", ins)
			write("is", yeses)
			for _, in := range ins {
				for _, yes := range yeses {
					switch {
					case !in:
						fates = append(fates, [2]int{0, 0})
					case yes:
						fates = append(fates, [2]int{1, 1})
					default:
						fates = append(fates, [2]int{0, 1})
					}
				}
			}
			var next [][2]int
			for _, s := range shares {
				for _, f := range fates {
					next = append(next, [2]int{s[0] + f[0], s[1] + f[1]})
				}
			}
			shares = next
		}
		tally := NewTally(Condition{"is", "true"}, &Condition{"in", "true"})
		if err := ReadTable(strings.NewReader(table.String()), func(r Row) { tally.Add(r) }, func(bad *RowError) { t.Error(bad) }); err != nil {
			t.Fatal(err)
		}
		c := tally.count()
		if c.ties > 0 {
			tied++
		}
		least, most := 2.0, -1.0
		for _, s := range shares {
			if s[1] > 0 {
				least, most = min(least, float64(s[0])/float64(s[1])), max(most, float64(s[0])/float64(s[1]))
			}
		}
		for _, x := range []struct {
			got  [2]int
			want float64
		}{{c.low, least}, {c.high, most}} {
			if !slices.Contains(shares, x.got) || x.got[1] > 0 && float64(x.got[0])/float64(x.got[1]) != x.want {
				t.Fatalf("%v of every way %v, want the share %v\n%s", x.got, shares, x.want, table.String())
			}
		}
	}
	if tied < 100 {
		t.Fatalf("%d tables with a tie", tied)
	}
}

// TestWarnings gives every code a sentence in both languages with the same
// arguments, and a card its warnings in French.
func TestWarnings(t *testing.T) {
	if len(warningTexts) < 16 {
		t.Fatalf("%d warnings", len(warningTexts))
	}
	for code, text := range warningTexts {
		if text.FR == "" || text.EN == "" || strings.Count(text.FR, "%") != strings.Count(text.FR, "%s") || strings.Count(text.FR, "%s") != strings.Count(text.EN, "%s") {
			t.Errorf("%s: %+v", code, text)
		}
	}
	c, _ := cardOf(t, strings.NewReader(head+"i,,,,l,yes,a,gpt-4o,\ni,,,,l,no,b,human,\ni,,,,l,yes,a,human,\nj,,,,l,no,a,human,\nj,,,,l,yes,b,human,\nk,,,,x,y,a,human,\nm,,,,l,YES,a,human,\n"), "l=yes", "", Options{Refused: 3})
	var codes []string
	for _, w := range c.Said {
		codes = append(codes, w.Code)
	}
	want := []string{"not_probability", "spelling", "unlabelled", "undecided", "repeated", "refused", "unreliable", "machine"}
	if diff := cmp.Diff(want, codes); diff != "" {
		t.Error(diff)
	}
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var again Card
	if err := json.Unmarshal(b, &again); err != nil {
		t.Fatal(err)
	}
	french := again.In("fr")
	if got := french.Warnings[6]; got != "peu fiable\u00a0: l’accord entre annotateurs est inférieur à 0,6" {
		t.Error(got)
	}
	if got := french.Warnings[3]; !strings.HasSuffix(got, "le résultat serait entre 0 sur 3 et 2 sur 3") {
		t.Error(got)
	}
	if diff := cmp.Diff(c.Warnings, again.In("en").Warnings); diff != "" || len(french.Warnings) != len(want) {
		t.Error(diff)
	}
	old := Card{Warnings: []string{"as it was"}}
	if got := old.In("fr").Warnings; len(got) != 1 || got[0] != "as it was" {
		t.Errorf("a card of before: %q", got)
	}
}
