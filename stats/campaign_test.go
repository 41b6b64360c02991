package stats

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

// TestReconstructions: the published audits give the figures that were recomputed
// by hand for the reference (Wilson, 95 %): 53 % of 20,000 is 52.31 to 53.69; 81 %
// of 10,600 is 80.24 to 81.74; CCDH's 64.98 %, and 19,200 to 28,300 where a total
// alone was published.
func TestReconstructions(t *testing.T) {
	want := map[string][]float64{ // share, low, high in %; then the total's low and high to the hundred
		"minimal attire": {53, 52.31, 53.69}, "women among minimal attire": {81, 80.24, 81.74}, "young, found by hand": {0.15, 0.11, 0.21},
		"sexualised": {64.98, 64.31, 65.63}, "likely children": {0.51, 0.42, 0.61, 19200, 28300},
	}
	seen := 0
	for _, r := range Reconstructions() {
		if err := r.Protocol.Check(); err != nil || !r.Protocol.Reconstruction {
			t.Errorf("%s: %v", r.Protocol.ID, err)
		}
		var b bytes.Buffer
		if err := r.Write(&b); err != nil {
			t.Fatal(err)
		}
		table, err := Campaign{Protocol: r.Protocol, Registered: true}.Take(&b, "t", time.Now(), func(e *RowError) { t.Error(e) })
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range table.Cards {
			c, w := x.Card, want[x.Ratio]
			seen++
			got := []float64{c.Estimate, c.Interval[0], c.Interval[1]}
			for k := range got {
				if len(w) < 3 || math.Abs(100*got[k]-w[k]) > 0.0051 {
					t.Errorf("%s: %v, want %v", x.Ratio, got, w)
					break
				}
			}
			if len(w) == 5 && (math.Round(c.Total.Interval[0]/100)*100 != w[3] || math.Round(c.Total.Interval[1]/100)*100 != w[4]) {
				t.Errorf("%s: total %v, want %v", x.Ratio, c.Total.Interval, w[3:])
			}
			if !strings.Contains(strings.Join(c.Warnings, " "), "reconstruction: made from published figures") {
				t.Errorf("%s: warnings %q", x.Ratio, c.Warnings)
			}
		}
	}
	if seen != len(want) {
		t.Errorf("%d cards, want %d", seen, len(want))
	}
}

// TestReconstructionsTranslated: each text of the reconstructions is there in
// English too, and a translation changes nothing else.
func TestReconstructionsTranslated(t *testing.T) {
	for _, r := range Reconstructions() {
		fr, en := r.Protocol, r.Protocol.In("en")
		for name, two := range map[string][2]string{"title": {fr.Title, en.Title}, "service": {fr.Service, en.Service}, "frame": {fr.Frame, en.Frame}, "rule": {fr.Rule, en.Rule},
			"stop rule": {fr.StopRule, en.StopRule}, "ethics": {fr.Ethics, en.Ethics}, "source": {fr.Source, en.Source}} {
			if two[0] == "" || two[1] == "" || two[0] == two[1] {
				t.Errorf("%s: %s in both languages: %q", fr.ID, name, two)
			}
		}
		for c, text := range fr.Definitions {
			if en.Definitions[c] == "" || en.Definitions[c] == text {
				t.Errorf("%s: the definition of %s in English: %q", fr.ID, c, en.Definitions[c])
			}
		}
		if fr.Lang != "fr" || en.Lang != "en" || r.Protocol.In("fr").Title != fr.Title || r.Protocol.In("de").Lang != "fr" {
			t.Errorf("%s: languages %q, %q", fr.ID, fr.Lang, en.Lang)
		}
		if fr.Definitions["attire=minimal"] == en.Definitions["attire=minimal"] && fr.ID == "ai-forensics-2026-01" {
			t.Error("reading it in another language changed it")
		}
	}
	p := Reconstructions()[1].Protocol
	p.Lang = ""
	if err := p.Check(); err == nil || !strings.Contains(err.Error(), "lang says which language") {
		t.Errorf("translations of nobody knows what: %v", err)
	}
	p.Lang, p.Translations = "fr", map[string]Texts{"en": {Definitions: map[string]string{"sexualised=no": "what is defined only here"}}}
	if err := p.Check(); err == nil || !strings.Contains(err.Error(), "defined only there") {
		t.Errorf("a definition in one language alone: %v", err)
	}
}

// TestTake refuses what the protocol does not have, by line, and says what was
// collected too early.
func TestTake(t *testing.T) {
	p := Reconstructions()[1].Protocol
	p.Reconstruction = false
	c := Campaign{Protocol: p, Registered: true, At: time.Date(2025, 12, 30, 0, 0, 0, 0, time.UTC)}
	head := strings.Join(Columns, ",") + "\n"
	row := func(item, surface, day, label, value string) string {
		return fmt.Sprintf("%s,%s,%s,,%s,%s,a,human,\n", item, surface, day, label, value)
	}
	var refused []string
	table, err := c.Take(strings.NewReader(head+row("1", "account", "2025-12-29", "sexualised", "yes")+row("2", "account", "2025-12-31", "sexualised", "no")+row("2", "account", "2025-12-31", "likely_child", "no")+
		row("3", "app", "2025-12-31", "sexualised", "no")+row("4", "account", "2025-12-31", "sexualised", "maybe")+row("5", "account", "2025-12-31", "mood", "good")+row("6", "account", "2025-12-31", "sexualised", "=1+1")+
		row("7", "account", "2025-12-28", "sexualised", "yes")+row("8", "account", "2026-01-09T00:30:00+01:00", "sexualised", "yes")+row("9", "account", "2026-01-08T23:30:00-05:00", "sexualised", "no")),
		"t.csv", time.Now(), func(e *RowError) { refused = append(refused, e.Error()) })
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(refused, "\n"); len(refused) != 6 || !strings.Contains(got, `line 5: surface: "app" is not a surface of the protocol`) || !strings.Contains(got, `line 6: label_value: "maybe" is not a value`) ||
		!strings.Contains(got, `line 7: label_name: "mood" is not a label`) || !strings.Contains(got, "line 8: label_value: would be run as a formula") || table.Refused != 6 ||
		!strings.Contains(got, "line 9: collected_at: 2025-12-28 is not within the dates of the protocol, 2025-12-29 to 2026-01-08") || !strings.Contains(got, "line 10: collected_at: 2026-01-09 is not") {
		t.Errorf("refused %d:\n%s", table.Refused, got)
	}
	card := table.Cards[0].Card
	if card.Numerator != 1 || card.Denominator != 3 || !strings.Contains(strings.Join(card.Warnings, " "), "1 rows were collected before the protocol was registered") {
		t.Errorf("%+v", card)
	}
	if err := (Protocol{ID: "X"}).Check(); err == nil || !strings.Contains(err.Error(), "no_prompts_about_minors must be true") || !strings.Contains(err.Error(), "stop_rule is not given") {
		t.Errorf("an empty protocol: %v", err)
	}
}
