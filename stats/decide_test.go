package stats

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestShuffled holds a card to be the same, to the last digit of its resampled
// intervals, whatever the order of the rows: with ties of two labels, adjudications
// that differ, annotators who contradict or repeat themselves, items with two
// addresses or surfaces, and annotators whose numbers follow from who came first.
func TestShuffled(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 11))
	said := map[string]int{}
	for range 60 {
		var rows []string
		row := func(item int, label, value, annotator, method string) {
			url, surface := "", []string{"app", "site"}[item%2]
			if rnd.IntN(3) == 0 {
				url = fmt.Sprintf("h%d", item)
			}
			switch rnd.IntN(400) {
			case 0:
				url += "x"
			case 1:
				surface = "account"
			}
			rows = append(rows, fmt.Sprintf("i%d,%s,2025-12-%02d,%s,%s,%s,%s,%s,\n", item, surface, 1+rnd.IntN(28), url, label, value, annotator, method))
		}
		pick := func(from ...string) string { return from[rnd.IntN(len(from))] }
		for i := range 60 {
			row(i, "is", pick("yes", "yes", "no", "unclear"), "Zoé", "human")
			for k := range rnd.IntN(4) {
				row(i, "is", pick("yes", "no", "Yes"), pick(fmt.Sprintf("a%d", k), "Zoé", "model"), pick("human", "gpt 5"))
			}
			for range rnd.IntN(3) {
				row(i, "in", pick("yes", "no"), pick("a0", "a1", "Zoe\u0301"), "human")
			}
			if rnd.IntN(8) == 0 {
				row(i, pick("is", "IS"), pick("yes", "no"), pick("c", "adjudicator 2"), "adjudication")
			}
		}
		card := func() string {
			tally := NewTally(Condition{"is", "yes"}, &Condition{"in", "yes"})
			if err := ReadTable(strings.NewReader(head+strings.Join(rows, "")), func(r Row) { tally.Add(r) }, func(bad *RowError) { t.Error(bad) }); err != nil {
				t.Fatal(err)
			}
			c, err := tally.Card(Options{BySurface: true})
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range c.Said {
				said[w.Code]++
			}
			b, err := json.MarshalIndent(c, "", " ")
			if err != nil {
				t.Fatal(err)
			}
			return string(b)
		}
		want := card()
		for range 3 {
			rnd.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
			if diff := cmp.Diff(want, card()); diff != "" {
				t.Fatal(diff)
			}
		}
		slices.Reverse(rows)
		if diff := cmp.Diff(want, card()); diff != "" {
			t.Fatal(diff)
		}
	}
	for _, code := range []string{"undecided", "two_addresses", "several_surfaces", "contradictory", "repeated", "adjudicated", "spelling", "label_spelling"} {
		if said[code] < 20 {
			t.Errorf("%d cards say %s", said[code], code)
		}
	}
}

// TestContradicted names what contradicts what, and counts none of it.
func TestContradicted(t *testing.T) {
	for name, c := range map[string]struct {
		rows    string
		n, of   int
		refused []string
		warning string
	}{
		"alone": {"i,,,,l,yes,a,human,\ni,,,,l,no,a,human,\nj,,,,l,no,b,human,\n", 0, 1,
			[]string{`line 3: label_value: "a" said l=yes of item "i" on line 2; neither label is counted`}, "would lie between 0 of 2 and 1 of 2"},
		"another decides": {"i,,,,l,yes,a,human,\ni,,,,l,no,a,human,\ni,,,,l,yes,b,human,\n", 1, 1,
			[]string{`line 3: label_value: "a" said l=yes of item "i" on line 2; neither label is counted`}, "1 labels of an item to which one annotator gave several values"},
		"again": {"i,,,,l,yes,a,human,\ni,,,,l,no,a,human,\ni,,,,l,yes,a,human,\ni,,,,l,yes,b,human,\n", 1, 1,
			[]string{`line 3: label_value: "a" said l=yes of item "i" on line 2; neither label is counted`,
				`line 4: "a" said the same of item "i" on line 2, and otherwise on line 3; none of it is counted`}, "1 rows say again"},
		"who settles": {"i,,,,l,yes,a,human,\ni,,,,l,yes,c,adjudication,\ni,,,,l,no,c,adjudication,\nj,,,,l,no,b,human,\n", 0, 1,
			[]string{`line 4: label_value: "c" said l=yes of item "i" on line 3; neither label is counted`}, "1 are undecided"},
		"two addresses": {"i,,,h1,l,yes,a,human,\ni,,,h2,l,yes,b,human,\ni,,,h1,l,yes,c,human,\nj,,,h3,l,no,a,human,\n", 0, 1,
			[]string{`line 3: url_hash: item "i" has another address than before (first seen on line 2, labels on line 2); the item is not counted`,
				`line 4: item "i" has two addresses (first seen on line 2); the item is not counted`}, "1 items to which the table gives two addresses"},
	} {
		card, refused := cardOf(t, strings.NewReader(head+c.rows), "l=yes", "", Options{})
		if card.Numerator != c.n || card.Denominator != c.of || !strings.Contains(strings.Join(card.Warnings, "\n"), c.warning) {
			t.Errorf("%s: %d of %d, %q", name, card.Numerator, card.Denominator, card.Warnings)
		}
		if diff := cmp.Diff(c.refused, refused); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestAdjudicates(t *testing.T) {
	for s, want := range map[string]bool{
		"adjudication": true, "Adjudicated": true, "human adjudication": true, "human-adjudication": true, "adjudicator_2": true, "Arbitrage": true, "arbitre 1": true, "adjudication (lead)": true,
		"": false, "human": false, "not adjudicated": false, "before adjudication": false, "unadjudicated": false, "gemini 2.5": false, "arbitrary": false,
	} {
		if adjudicates(s) != want {
			t.Errorf("%q: %v", s, !want)
		}
	}
}

// TestEmptyCard writes a card without a share as null, beside what must be said.
func TestEmptyCard(t *testing.T) {
	c, _, err := tryCard(strings.NewReader(head+"i,,,,l,yes,a,human,\ni,,,,l,no,b,human,\n"), "l=yes", "", Options{})
	if err == nil {
		t.Fatal("no error")
	}
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{"estimate", "interval", "interval_method"} {
		if v, ok := got[field]; !ok || v != nil {
			t.Errorf("%s: %v, want null", field, v)
		}
	}
	if got["numerator"] != 0.0 || got["denominator"] != 0.0 || !strings.Contains(string(b), "no item is in the denominator") || !strings.Contains(string(b), "between 0 of 1 and 1 of 1") {
		t.Errorf("%s", b)
	}
	var again Card
	if err := json.Unmarshal(b, &again); err != nil {
		t.Fatal(err)
	}
}
