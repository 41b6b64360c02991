package law_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rempart"
	"rempart/law"
)

// FuzzQualify qualifies any facts: the same facts give the same result, every
// proposal is an offence of the pack with its reasons, no facts are left without
// an answer, and nothing is changed by qualifying.
func FuzzQualify(f *testing.F) {
	f.Add([]byte(`{"sexual":"intimate","depicts":"identified","age_class":"adult","origin":"ai","diffusion_consent":"refused","communication":"public","online":true}`), "2026-11-22")
	f.Add([]byte(`{"sexual":"pornographic","age_class":"minor","threat":"images","date":"2019-06-30"}`), "2026-11-22")
	f.Add([]byte(`{"date":"2026-02-30"}`), "")
	f.Add([]byte(`{}`), "no date")
	pack := law.France()
	known := map[string]bool{}
	for _, o := range pack.Offences() {
		known[o.ID] = true
	}
	if len(known) == 0 {
		f.Fatal("no offences")
	}
	f.Fuzz(func(t *testing.T, body []byte, today string) {
		var facts rempart.Facts
		if json.Unmarshal(body, &facts) != nil {
			return
		}
		checked := facts
		_ = checked.Check() // it must not end the process; facts that are refused are qualified nowhere, but reach here from an old case
		before := facts
		got := pack.Qualify(facts, today)
		if diff := cmp.Diff(before, facts); diff != "" {
			t.Errorf("the facts were changed: %s", diff)
		}
		if diff := cmp.Diff(got, pack.Qualify(facts, today)); diff != "" {
			t.Errorf("the second time: %s", diff)
		}
		if len(got.Qualifications) == 0 && len(got.NotCovered) == 0 {
			t.Error("no answer")
		}
		var ids []string
		for _, q := range got.Qualifications {
			if !known[q.ID] || len(q.Because) == 0 || slices.Contains(ids, q.ID) {
				t.Errorf("%q, %d reasons, after %q", q.ID, len(q.Because), ids)
			}
			ids = append(ids, q.ID)
			law.PenaltyOf(q)
		}
		for id := range got.Open {
			if !slices.Contains(ids, id) {
				t.Errorf("elements left open of %q, which is not proposed", id)
			}
		}
		now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
		if a, _ := law.Priority(facts, now, now); a != first(law.Priority(facts, now, now)) {
			t.Errorf("priority %v", a)
		}
		if law.Acknowledgement(facts) <= 0 {
			t.Error("no time to acknowledge")
		}
		law.CategoryOf(facts)
	})
}

func first[A, B any](a A, _ B) A { return a }
