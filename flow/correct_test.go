package flow_test

import (
	"slices"
	"testing"
	"time"

	"rempart"
	"rempart/flow"
)

// TestCorrect corrects the age in a case whose picture is listed: it is
// qualified anew, and from then on found in the list of minors alone.
func TestCorrect(t *testing.T) {
	s := newSide(t, newClock(), patience)
	s.serves("forum", "forum.exemple.test", "")
	h := hash(1)
	c := s.submit(reportOf("https://forum.exemple.test/p/1", medium(h)))
	s.confirm(c)
	draft, err := s.Draft(t.Context(), c.ID, "forum", []string{c.Items[0].ID}, analyst)
	if err != nil {
		t.Fatal(err)
	}
	lists := func() (out []string) {
		r, _, err := s.Match(t.Context(), []flow.Query{{Fingerprint: rempart.Fingerprint{Type: rempart.PDQ, Value: h.String()}}}, flow.Upload{})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range r[0].Matches {
			out = append(out, m.List)
		}
		return out
	}
	if got := lists(); !slices.Equal(got, []string{"ncii-adult"}) {
		t.Fatalf("before: found in %v", got)
	}
	f := c.Facts
	f.AgeClass = rempart.AgeUnder15
	if err := s.Correct(t.Context(), c.ID, c.Facts, f, analyst); err != nil {
		t.Fatal(err)
	}
	time.Sleep(15 * time.Millisecond) // longer than a lookup may be behind
	if got := lists(); !slices.Equal(got, []string{"ncii-minor"}) {
		t.Errorf("after: found in %v", got)
	}
	was := c
	c = s.caseOf(c.Ref)
	if !c.Facts.Minor() || c.Category != "9c" || c.Priority != rempart.PriorityUrgent || c.Notice(draft).State != rempart.NoticeCancelled {
		t.Errorf("minor %v, category %s, priority %d, draft %s", c.Facts.Minor(), c.Category, c.Priority, c.Notice(draft).State)
	}
	if !slices.ContainsFunc(c.Quals, func(q rempart.Qualification) bool { return q.ID == "fr-227-23" }) || c.Quals[0].ID == was.Quals[0].ID && len(c.Quals) == len(was.Quals) {
		t.Errorf("qualifications %v", c.Quals)
	}
	if len(c.Confirmed()) != 1 || c.Confirmed()[0].ID != was.Quals[0].ID {
		t.Errorf("confirmed: %v", c.Confirmed())
	}
	if n := s.count(c.ID, "facts.corrected"); n != 1 {
		t.Errorf("%d events, want 1", n)
	}
	if err := kindIs(s.Correct(t.Context(), c.ID, was.Facts, was.Facts, analyst), rempart.Conflict); err != nil {
		t.Error(err)
	}
	if err := s.AddQualification(t.Context(), c.ID, "fr-312-10", "on demande de l’argent", analyst); err != nil {
		t.Fatal(err)
	}
	if got := len(s.caseOf(c.Ref).Confirmed()); got != 2 {
		t.Errorf("%d confirmed, want 2", got)
	}
	if err := kindIs(s.AddQualification(t.Context(), c.ID, "fr-nothing", "pour voir", analyst), rempart.Invalid); err != nil {
		t.Error(err)
	}
}
