package law

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"rempart"
)

// sample says each fact with that chance in ten, with any of its words.
func sample(rg *rand.Rand, f rempart.Facts, chance int) rempart.Facts {
	for _, name := range slices.Sorted(maps.Keys(rempart.FactValues)) {
		words := rempart.FactValues[name]
		if f.Word(name) == "" && rg.IntN(10) < chance {
			f.Say(name, words[rg.IntN(len(words))])
		}
	}
	return f
}

// outcomes is what a question is to decide: offences, paragraphs, penalties, and
// reasons why something is not covered.
func outcomes(r Result) string {
	s := fmt.Sprint(r.NotCovered)
	for _, q := range r.Qualifications {
		s += fmt.Sprintf("; %s %s %g/%d %t", q.Article, q.Paragraph, q.PrisonYears, q.FineEUR, q.Verified)
	}
	return s
}

// decides tells whether there are answers to everything else that nobody has said
// with which the answer about name makes a difference.
func decides(rg *rand.Rand, f rempart.Facts, name string) bool {
	for range 4000 {
		said := sample(rg, f, 7)
		var seen []string
		for _, word := range rempart.FactValues[name] {
			said.Say(name, word)
			seen = append(seen, outcomes(France().Qualify(said, today)))
		}
		if slices.ContainsFunc(seen, func(s string) bool { return s != seen[0] }) {
			return true
		}
	}
	return false
}

// A fact is asked once, and only where its answer can make a difference.
func TestEveryQuestionDecides(t *testing.T) {
	rg := rand.New(rand.NewPCG(4, 2026))
	asked := 0
	for k := range 1500 {
		f := sample(rg, rempart.Facts{Date: []string{"", "2021-04-23", "2024-05-22"}[k%3]}, 3+k%8)
		var names []string
		for _, q := range France().Qualify(f, today).Missing {
			asked++
			if slices.Contains(names, q.Fact) {
				t.Errorf("%s is asked twice of %+v", q.Fact, f)
			}
			names = append(names, q.Fact)
			if !decides(rg, f, q.Fact) {
				t.Fatalf("%s is asked of %+v and decides nothing", q.Fact, f)
			}
		}
	}
	if asked < 1000 {
		t.Errorf("only %d questions were asked", asked)
	}
}

// What makes acts graver takes no offence away and lowers no penalty.
func TestAggravationNeverLowers(t *testing.T) {
	rg := rand.New(rand.NewPCG(5, 2026))
	raised := map[string]int{}
	for range 3000 {
		f := sample(rg, rempart.Facts{}, 8)
		for name, words := range map[string][2]string{
			"aggravation": {"none", "gang"}, "online": {"false", "true"}, "repetition": {"false", "true"},
			"multiple_authors": {"false", "true"}, "age_class": {"15_17", "under_15"},
		} {
			f := f
			f.Say(name, words[0])
			before := France().Qualify(f, today)
			f.Say(name, words[1])
			after := France().Qualify(f, today)
			for _, q := range before.Qualifications {
				heavier, ok := find(after, q.ID)
				if !ok || heavier.PrisonYears < q.PrisonYears || heavier.PrisonYears == q.PrisonYears && heavier.FineEUR < q.FineEUR {
					t.Errorf("%s %s of %+v: %s falls from %g years to %g", name, words[1], f, q.ID, q.PrisonYears, heavier.PrisonYears)
				}
				if heavier.PrisonYears > q.PrisonYears {
					raised[name]++
				}
			}
		}
	}
	for _, name := range []string{"aggravation", "online", "multiple_authors", "age_class"} {
		if raised[name] == 0 {
			t.Errorf("no draw in which %s raised a penalty", name)
		}
	}
}
