package flow_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rempart"
	"rempart/flow"
	"rempart/internal/pgtest"
)

// onBoth runs f with an instance on each database.
func onBoth(t *testing.T, f func(t *testing.T, s *side)) {
	for name, at := range map[string]func(t *testing.T) string{
		"SQLite":     func(t *testing.T) string { return filepath.Join(t.TempDir(), "rempart.db") },
		"PostgreSQL": func(t *testing.T) string { return pgtest.Fresh(t) },
	} {
		t.Run(name, func(t *testing.T) { f(t, sideAt(t, newClock(), patience, at(t))) })
	}
}

// reported sends a report and returns its case and code.
func (s *side) reported(r rempart.Report) (*rempart.Case, string) {
	s.t.Helper()
	sub, err := s.Submit(s.t.Context(), r, "")
	if err != nil {
		s.t.Fatal(err)
	}
	s.step()
	return s.caseOf(sub.Ref), sub.Code.String()
}

// shown is the page that a code opens.
func (s *side) shown(code string) (*flow.Follow, string) {
	s.t.Helper()
	f, err := s.FollowUp(s.t.Context(), code)
	if err != nil {
		s.t.Fatal(err)
	}
	v := *f
	v.Pass = ""
	b, err := json.Marshal(v)
	if err != nil {
		s.t.Fatal(err)
	}
	return f, string(b)
}

// TestMergedCases merges two people's cases. One notice goes out on both; each
// code goes on opening its own page, which tells of its own items and of nothing
// that the other person wrote; each message reaches its own case only; what is
// sealed under the one key holds nothing that was written under the other.
func TestMergedCases(t *testing.T) {
	onBoth(t, func(t *testing.T, s *side) {
		far := newFar(t)
		s.knows("forum", rempart.PeerPlatform, far.URL, keyAtHub, keyAtPlatform)
		s.serves("forum", "forum.exemple.test", "forum")
		ra, rb := reportOf("https://forum.exemple.test/both", medium(hash(1))), reportOf("https://forum.exemple.test/both", medium(hash(1)))
		ra.Words, rb.Words = "zq-words-of-a", "zq-words-of-b"
		ra.Addresses = append(ra.Addresses, "https://forum.exemple.test/zq-only-a")
		rb.Addresses = append(rb.Addresses, "https://forum.exemple.test/zq-only-b")
		a, codeA := s.reported(ra)
		b, codeB := s.reported(rb)
		if _, err := s.Hear(t.Context(), codeB, "", "zq-message-of-b"); err != nil {
			t.Fatal(err)
		}
		s.change(b, func(c *rempart.Case) error { return c.Tell("zq-answer-to-b", analyst, s.clock.now()) })
		if err := s.DB.PutIdentity(t.Context(), a.ID, rempart.Identity{Name: "zq-name-of-a", Contact: "zq-contact-of-a"}, analyst); err != nil {
			t.Fatal(err)
		}
		if err := s.Merge(t.Context(), a.ID, b.ID, "zq-why-they-are-one", analyst); err != nil {
			t.Fatal(err)
		}
		if err := s.Merge(t.Context(), a.ID, b.ID, "zq-why-they-are-one", analyst); rempart.KindOf(err) != rempart.Conflict {
			t.Errorf("merged twice: %v", err)
		}
		b = s.caseOf(b.Ref)
		s.confirm(b)
		id := s.notify(s.caseOf(b.Ref), "forum")
		s.step()
		if n := s.caseOf(b.Ref).Notice(id); n.State != rempart.NoticeSent || len(n.Items) != 3 {
			t.Fatalf("one notice on all three addresses: %s, %d", n.State, len(n.Items))
		}
		if n := s.caseOf(a.Ref); len(n.Notices) != 0 || n.State != rempart.CaseClosed {
			t.Errorf("the case that follows: %d notices, %s", len(n.Notices), n.State)
		}

		fa, textA := s.shown(codeA)
		fb, textB := s.shown(codeB)
		var told []rempart.ItemState
		for _, i := range fa.Items {
			told = append(told, i.State)
		}
		if want := []rempart.ItemState{rempart.ItemNotified, rempart.ItemNotified, rempart.ItemProtected}; !slices.Equal(told, want) {
			t.Errorf("A is told %v, want %v", told, want)
		}
		if len(fa.Items) != 3 || len(fb.Items) != 3 || fa.State != rempart.CaseActive || fa.Items[0].Service != "forum" {
			t.Errorf("A: %d items, %s; B: %d items", len(fa.Items), fa.State, len(fb.Items))
		}
		for _, x := range []struct{ who, page, never string }{
			{"A", textA, "of-b"}, {"A", textA, "to-b"}, {"A", textA, "only-b"}, {"A", textA, "zq-why"}, {"A", textA, b.Ref},
			{"B", textB, "of-a"}, {"B", textB, "only-a"}, {"B", textB, "zq-why"}, {"B", textB, a.Ref},
		} {
			if strings.Contains(x.page, x.never) {
				t.Errorf("the page of %s shows %q: %s", x.who, x.never, x.page)
			}
		}
		if !strings.Contains(textA, "zq-only-a") || !strings.Contains(textB, "zq-message-of-b") {
			t.Error("a page lacks what is its own")
		}

		// What the key of B opens holds nothing that was written to or by A.
		doc, err := json.Marshal(s.caseOf(b.Ref))
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{"zq-words-of-a", "zq-name-of-a", "zq-contact-of-a", "zq-why"} {
			if bytes.Contains(doc, []byte(text)) {
				t.Errorf("the case that carries holds %q", text)
			}
		}
		if _, err := s.DB.OpenIdentity(t.Context(), b.ID, "to look", analyst); rempart.KindOf(err) == rempart.Unknown || err == nil {
			t.Errorf("an identity opens in the case that carries: %v", err)
		}

		// A writes: her own case opens, the other hears nothing.
		if _, err := s.Hear(t.Context(), codeA, "", "zq-message-of-a"); err != nil {
			t.Fatal(err)
		}
		if n := s.caseOf(a.Ref); len(n.Unanswered()) != 1 || n.State != rempart.CaseActive {
			t.Errorf("her message: %d, %s", len(n.Unanswered()), n.State)
		}
		if _, page := s.shown(codeB); strings.Contains(page, "zq-message-of-a") {
			t.Error("B reads what A wrote")
		}

		// Undone: what is under way goes on, and she is told of its end.
		if err := s.Unmerge(t.Context(), s.caseOf(a.Ref), "two people after all", analyst); err != nil {
			t.Fatal(err)
		}
		if fa, _ := s.shown(codeA); fa.Items[0].State != rempart.ItemNotified {
			t.Errorf("after the merge was undone she is told %s", fa.Items[0].State)
		}
		for _, c := range []*rempart.Case{a, b} {
			want := map[string]string{a.ID: "case.unmerged", b.ID: "case.left"}[c.ID]
			if s.count(c.ID, want) != 1 {
				t.Errorf("case %s: %d events %s", c.Ref, s.count(c.ID, want), want)
			}
		}
		if rep, err := s.DB.VerifyLedger(t.Context(), nil); err != nil || !rep.Whole {
			t.Errorf("the ledger: %+v, %v", rep, err)
		}
	})
}

// TestMergeErased erases each of two merged cases: a code goes on opening what it
// opened, a hold on the one keeps the other, and who withdraws takes her own out
// of both.
func TestMergeErased(t *testing.T) {
	onBoth(t, func(t *testing.T, s *side) {
		pair := func(n byte) (a, b *rempart.Case, codeA, codeB string) {
			ra, rb := reportOf("https://forum.exemple.test/both", medium(hash(n))), reportOf("https://forum.exemple.test/both")
			a, codeA = s.reported(ra)
			b, codeB = s.reported(rb)
			if err := s.Merge(t.Context(), a.ID, b.ID, "the same page", analyst); err != nil {
				t.Fatal(err)
			}
			return a, b, codeA, codeB
		}
		// B withdraws: A's case lives on and takes its items back.
		a, b, codeA, codeB := pair(1)
		s.change(a, func(c *rempart.Case) error { return c.PlaceHold("proceedings", analyst, s.clock.now()) })
		if err := s.DB.EraseCase(t.Context(), b.ID, rempart.Erasure{Why: rempart.EraseOrdered, By: analyst, At: s.clock.now(), Reason: "by order"}); rempart.KindOf(err) != rempart.Conflict {
			t.Errorf("a case whose follower is under a hold was erased: %v", err)
		}
		s.change(a, func(c *rempart.Case) error { return c.LiftHold("they have ended", analyst, s.clock.now()) })
		if held, err := s.Withdraw(t.Context(), codeB); held || err != nil {
			t.Fatal(held, err)
		}
		if c := s.caseOf(a.Ref); c.Following() || c.Merged != nil || c.State != rempart.CaseActive {
			t.Errorf("after the other was withdrawn: %s, %v", c.State, c.Merged)
		}
		if f, _ := s.shown(codeA); len(f.Items) != 2 || f.Items[0].State != rempart.ItemReported {
			t.Errorf("%+v", f.Items)
		}

		// A withdraws: what only she had reported leaves the other case, and the list.
		_, b, codeA, codeB = pair(2)
		s.confirm(s.caseOf(b.Ref))
		if n, err := s.Listed(t.Context()); err != nil || n == 0 {
			t.Fatal(n, err)
		}
		if held, err := s.Withdraw(t.Context(), codeA); held || err != nil {
			t.Fatal(held, err)
		}
		s.clock.advance(time.Hour)
		until(t.Context(), t, "her fingerprints leave the list", func() bool { n, err := s.Listed(t.Context()); return err == nil && n == 0 })
		if c := s.caseOf(b.Ref); c.Items[0].State != rempart.ItemReported || c.Items[1].State != rempart.ItemWithdrawn {
			t.Errorf("%+v", c.Items)
		}
		if f, _ := s.shown(codeB); len(f.Items) != 1 {
			t.Errorf("B is shown %+v", f.Items)
		}

		// Retention: the one that follows is kept as long as the one that carries.
		a, b, _, _ = pair(3)
		s.Retention = rempart.Retention{rempart.KeptUnfounded: 10 * 24 * time.Hour, rempart.KeptAdult: 10 * 24 * time.Hour}
		s.clock.advance(100 * 24 * time.Hour)
		if _, err := s.Retain(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.caseOf(a.Ref)
		s.change(s.caseOf(b.Ref), func(c *rempart.Case) error {
			for _, i := range c.Items {
				if err := c.DropItem(i.ID, "it is gone", analyst, s.clock.now()); err != nil {
					return err
				}
			}
			return c.Close("all is done", analyst, s.clock.now())
		})
		s.clock.advance(11 * 24 * time.Hour)
		for range 2 {
			if _, err := s.Retain(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range []*rempart.Case{a, b} {
			if _, err := s.DB.Case(t.Context(), c.ID); rempart.KindOf(err) != rempart.NotFound {
				t.Errorf("case %s: %v", c.Ref, err)
			}
		}
		if rep, err := s.DB.VerifyLedger(t.Context(), nil); err != nil || !rep.Whole {
			t.Errorf("the ledger: %+v, %v", rep, err)
		}
	})
}

// TestSplitCase moves an item to a case of its own: it is qualified anew, has a
// key of its own and no code; the person goes on following it where she did, and
// takes it back with the rest.
func TestSplitCase(t *testing.T) {
	onBoth(t, func(t *testing.T, s *side) {
		if err := s.Prepare(t.Context()); err != nil { // the delays of clocks
			t.Fatal(err)
		}
		r := reportOf("https://forum.exemple.test/one", medium(hash(1)))
		r.Addresses, r.Words = append(r.Addresses, "https://forum.exemple.test/two"), "zq-words"
		c, code := s.reported(r)
		ref, err := s.Split(t.Context(), c.ID, []string{c.Items[1].ID, c.Items[2].ID}, "another author", analyst)
		if err != nil {
			t.Fatal(err)
		}
		if p := s.caseOf(ref); p.State != rempart.CaseNew {
			t.Errorf("before it is qualified: %s", p.State)
		}
		s.step()
		part := s.caseOf(ref)
		if part.State != rempart.CaseOpen || len(part.Quals) == 0 || len(part.Clocks) == 0 || !part.Clocks[0].Since.Equal(part.OpenedAt) {
			t.Errorf("the new case: %s, %d qualifications, clocks %+v", part.State, len(part.Quals), part.Clocks)
		}
		s.confirm(part)
		f, page := s.shown(code)
		if len(f.Items) != 3 || f.Items[1].State != rempart.ItemReported || f.Items[2].State != rempart.ItemProtected || strings.Contains(page, ref) {
			t.Errorf("she is shown %s", page)
		}
		if s.count(c.ID, "case.split") != 1 || s.count(part.ID, "case.split_from") != 1 {
			t.Error("the history of the two does not say it")
		}
		if held, err := s.Withdraw(t.Context(), code); held || err != nil {
			t.Fatal(held, err)
		}
		for _, id := range []string{c.ID, part.ID} {
			if _, err := s.DB.Case(t.Context(), id); rempart.KindOf(err) != rempart.NotFound {
				t.Errorf("after she withdrew: %v", err)
			}
		}
		if rep, err := s.DB.VerifyLedger(t.Context(), nil); err != nil || !rep.Whole {
			t.Errorf("the ledger: %+v, %v", rep, err)
		}
	})
}
