package stats

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"rempart"
)

func labelled() Protocol {
	return Protocol{ID: "annonces", Title: "t", Service: "s", Surfaces: []string{"app"}, From: "2026-11-01", Until: "2026-11-30", Frame: "f", Rule: "r",
		Definitions: map[string]string{"offer=yes": "d"}, Codebook: map[string][]string{"offer": {"yes", "no"}, "tone": {"plain", "pressing"}},
		Ratios: []Ratio{{ID: "offers", Positive: "offer=yes"}}, StopRule: "s", Ethics: "e", NoMinors: true, Annotation: &Annotation{Double: 1, Seed: "graine"}}
}

// TestDrawing holds the drawing to values made with Python's hashlib:
// sha256(b"graine\0i1").hexdigest().
func TestDrawing(t *testing.T) {
	for name, want := range map[string]string{"i1": "d33c1ff7fead6598 2", "i2": "2a822192d7bf45b2 2"} {
		place, persons := rempart.Drawing{Seed: "graine", Share: 0.5}.Draw(name)
		if got := fmt.Sprint(place, " ", persons); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	two := 0
	for i := range 10_000 {
		if _, n := (rempart.Drawing{Seed: "x", Share: 0.2}).Draw(fmt.Sprint(i)); n == 2 {
			two++
		}
	}
	if two < 1850 || two > 2150 {
		t.Errorf("%d of 10,000 items for two persons, a fifth was asked", two)
	}
}

// TestReadSample refuses by line what annotators must not see.
func TestReadSample(t *testing.T) {
	table := "\ufeffitem_id,surface,collected_at,url_hash,title,text\n" +
		"i1,app,2026-11-02,ab12,Une annonce,\"Deux lignes\nde texte.\"\n" +
		"i2,app,,,,voir https://exemple.test/a\n" +
		"i3,app,,,,voir www.exemple.test\n" +
		"i4,app,,,,voir exemple.test/a\n" +
		"i5,app,,,,ecrire a ada@exemple.test\n" +
		"i6,app,,,," + strings.Repeat("QUJD", 60) + "\n" +
		"i7,site,,,,un texte\n" +
		"i1,app,,,,encore\n" +
		"i8,app,,,,\n" +
		"i9,app,hier,,,un texte\n" +
		"i10,app\n" +
		"i11,app,,,,data:image/png;base64\n" +
		"i12,app,,,,\"Prix : 3,50 EUR. Fin.Suite\"\n" +
		"i13,app,2027-01-01,,,un texte\n"
	var bad []string
	got, err := labelled().ReadSample(strings.NewReader(table), func(r *RowError) { bad = append(bad, r.Error()) })
	if err != nil || len(got) != 2 || got[0].Name != "i1" || got[0].Fields[1].Text != "Deux lignes\nde texte." || got[1].Name != "i12" {
		t.Errorf("%+v, %v", got, err)
	}
	want := []string{"line 4: text: an address", "line 5: text: an address", "line 6: text: an address", "line 7: text: an address", "line 8: text: a picture",
		"line 9: surface: ", "line 10: item_id: \"i1\" was on line 2", "line 11: no text", "line 12: collected_at: ", "line 13: 2 fields", "line 14: text: an address",
		"line 16: collected_at: 2027-01-01 is not within the dates"}
	if len(bad) != len(want) {
		t.Fatalf("%d rows refused, want %d: %q", len(bad), len(want), bad)
	}
	for i := range want {
		if !strings.HasPrefix(bad[i], want[i]) {
			t.Errorf("%q, want %q", bad[i], want[i])
		}
	}
	for _, head := range []string{"", "surface,text\n", "item_id,label_value\n", "item_id,text,text\n", "item_id,text\n"} {
		if _, err := labelled().ReadSample(strings.NewReader(head), func(*RowError) {}); err == nil {
			t.Errorf("%q is taken", head)
		}
	}
}

// TestTakeLabelled makes the cards of labels given in the console: kappa of what
// the two said, the share of what the third settled.
func TestTakeLabelled(t *testing.T) {
	p := labelled()
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	say := func(staff, alias, offer string) rempart.Labelling {
		return rempart.Labelling{StaffID: staff, Alias: rempart.Actor(alias), Values: map[string]string{"offer": offer, "tone": "plain"}, At: at}
	}
	var all []rempart.Labelled
	for i, pair := range []string{"yes yes", "yes yes", "no no", "no no", "yes no"} {
		a, b, _ := strings.Cut(pair, " ")
		all = append(all, rempart.Labelled{ID: fmt.Sprint(i), Sampled: rempart.Sampled{Name: fmt.Sprint("i", i), Surface: "app", Collected: "2026-11-10"}, Persons: 2,
			State: rempart.SampledDone, Labels: []rempart.Labelling{say("1", "Saule", a), say("2", "Saule", b)}})
	}
	settled := rempart.Labelling{StaffID: "3", Alias: "=Chêne", Values: map[string]string{"offer": "no"}, At: at}
	all[4].Settled = &settled
	c := Campaign{Protocol: p, Registered: true, At: at.AddDate(0, -1, 0)}
	table, err := c.TakeLabelled(all, at)
	if err != nil {
		t.Fatal(err)
	}
	card := table.Cards[0].Card
	// Of five items the two said the same four times; by chance 0.6·0.4 + 0.4·0.6:
	// (0.8 - 0.48) / (1 - 0.48), as irr::kappa2 has it, is 0.6154.
	if k := card.Agreement.Kappa; card.Numerator != 2 || card.Denominator != 5 || k == nil || *k < 0.6153 || *k > 0.6155 || card.Agreement.DoublyLabelled != 5 {
		t.Errorf("%+v, kappa %v", card, k)
	}
	text := strings.Join(card.Warnings, "\n")
	if !strings.Contains(text, "1 items were settled by a third person") || strings.Contains(text, "labels that the drawing") || strings.Contains(text, "tie") {
		t.Error(text)
	}
	var b bytes.Buffer
	if err := p.WriteLabels(&b, all); err != nil {
		t.Fatal(err)
	}
	for _, row := range []string{"i4,app,2026-11-10,,offer,yes,Saule,human,", "i4,app,2026-11-10,,offer,no,Saule (2),human,", "i4,app,2026-11-10,,offer,no,annotator,adjudication,"} {
		if !strings.Contains(b.String(), row+"\n") {
			t.Errorf("no row %s in\n%s", row, b.String())
		}
	}
	all[4].Settled, all[4].State, all[3].Labels = nil, rempart.SampledDisputed, all[3].Labels[:1]
	table, err = c.TakeLabelled(all, at)
	if err != nil {
		t.Fatal(err)
	}
	if text := strings.Join(table.Cards[0].Card.Warnings, "\n"); !strings.Contains(text, "9 of the 10 labels that the drawing asked for were given; items in dispute that nobody settled: 1") {
		t.Error(text)
	}
}
