package rempart

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
)

// another returns a case of somebody else with addresses, and the picture if asked.
func another(t *testing.T, id string, picture bool, addresses ...string) *Case {
	t.Helper()
	r := Report{CaseID: id, Depicted: DepictedSelf, Age: AgeSaidAdult, Made: MadeFakeSexual, Seen: SeenPublic, Addresses: addresses, Words: "the words of " + id}
	if picture {
		r.Media = []Medium{{Fingerprints: []Fingerprint{{Type: PDQ, Value: hashA, Quality: 100}}}}
	}
	r, err := r.Normal(t0)
	if err != nil {
		t.Fatal(err)
	}
	c := OpenCase(r)
	if err := c.Propose(Proposal{Pack: "p1", Priority: PriorityHigh}, t0); err != nil {
		t.Fatal(err)
	}
	return c
}

func states(c *Case) (out []ItemState) {
	for _, i := range c.Items {
		out = append(out, i.State)
	}
	return out
}

const same = "the same picture by the same author"

// TestMerge merges a case with an address and a picture that the other has too,
// and an address that it has not, and undoes it before and after work was done.
func TestMerge(t *testing.T) {
	into := opened(t)
	a := another(t, "c2", true, "https://galerie.exemple.test/1", "https://galerie.exemple.test/9")
	a.TakeConsequences()
	into.TakeConsequences()
	if err := a.MergeInto(into, " ", "Saule", t0); codeOf(err) != "merge.reason" {
		t.Fatalf("without a reason: %v", err)
	}
	if err := a.MergeInto(into, same, "Saule", t0); err != nil {
		t.Fatal(err)
	}
	if want := []ItemState{ItemFollowed, ItemFollowed, ItemFollowed}; !slices.Equal(states(a), want) || a.State != CaseClosed {
		t.Errorf("the one that follows: %v, %s", states(a), a.State)
	}
	if want := []ItemState{ItemReported, ItemReported, ItemFiled, ItemReported}; !slices.Equal(states(into), want) {
		t.Fatalf("the one that carries: %v, want %v", states(into), want)
	}
	if taken := into.Items[3]; taken.From != "c2" || taken.Address != "https://galerie.exemple.test/9" || a.Items[1].Follows.ItemID != taken.ID || a.Items[0].Follows.ItemID != into.Items[0].ID {
		t.Errorf("%+v %+v", taken, a.Items)
	}
	b, err := json.Marshal(into)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"the words of c2", same} {
		if strings.Contains(string(b), secret) {
			t.Errorf("the case that carries holds %q", secret)
		}
	}
	if k := kinds(a.TakeConsequences()); !slices.Contains(k, "case.merged") || !slices.Contains(k, "case.closed") {
		t.Error(k)
	}
	if k := kinds(into.TakeConsequences()); !slices.Contains(k, "case.joined") {
		t.Error(k)
	}
	if _, ok := a.EraseAt(DefaultRetention); ok {
		t.Error("it is kept for less than the case that carries it")
	}
	if n := a.Tally(); len(n) != 1 {
		t.Errorf("its items are counted twice: %v", n)
	}
	for _, err := range []error{a.DropItem(a.Items[0].ID, "no", "Saule", t0), a.ConfirmFingerprint(a.Items[2].ID, "Saule", t0)} {
		if err == nil {
			t.Error("an item that is followed was worked on")
		}
	}

	// Undone at once, all is as before.
	if err := a.UnmergeFrom(into, "it is another person", "Saule", t0); err != nil {
		t.Fatal(err)
	}
	if want := []ItemState{ItemReported, ItemReported, ItemFiled}; !slices.Equal(states(a), want) || a.State != CaseActive || a.Merged != nil || !slices.Equal(states(into), want) {
		t.Errorf("undone: %v %s, %v", states(a), a.State, states(into))
	}
	if err := a.UnmergeFrom(into, "it is another person", "Saule", t0); codeOf(err) != "unmerge.none" {
		t.Errorf("undone twice: %v", err)
	}

	// Undone after a notice, what is in the notice is carried to its end.
	if err := a.MergeInto(into, same, "Saule", t0); err != nil {
		t.Fatal(err)
	}
	if err := into.ConfirmQualification("fr-226-8-1", "Saule", t0); err != nil {
		t.Fatal(err)
	}
	if _, err := into.PrepareNotice(gallery, []string{into.Items[0].ID, into.Items[3].ID}, because, Notifier{Name: "A", Email: "a@exemple.test"}, "Saule", t0); err != nil {
		t.Fatal(err)
	}
	if err := a.UnmergeFrom(into, "it is another person", "Saule", t0); err != nil {
		t.Fatal(err)
	}
	if want := []ItemState{ItemFollowed, ItemFollowed, ItemFiled}; !slices.Equal(states(a), want) || len(into.Items) != 4 {
		t.Errorf("undone after a notice: %v, %v", states(a), states(into))
	}
	// The case that carries is erased: what was under way comes back.
	if err := a.Released(into, "rempart", t0); err != nil || a.Following() || a.State != CaseActive {
		t.Errorf("released: %v, %v %s", err, states(a), a.State)
	}
}

// TestMergeRefused names each reason for which two cases stay apart.
func TestMergeRefused(t *testing.T) {
	address := "https://galerie.exemple.test/1"
	for name, c := range map[string]struct {
		code string
		make func(a, into *Case) (*Case, *Case)
	}{
		"itself":    {"merge.same", func(a, into *Case) (*Case, *Case) { return a, a }},
		"closed":    {"merge.closed", func(a, into *Case) (*Case, *Case) { into.State = CaseClosed; return a, into }},
		"new":       {"case.new", func(a, into *Case) (*Case, *Case) { a.State = CaseNew; return a, into }},
		"withdrawn": {"merge.withdrawn", func(a, into *Case) (*Case, *Case) { a.Withdrawn = t0; return a, into }},
		"age":       {"merge.age", func(a, into *Case) (*Case, *Case) { a.Facts.AgeClass = Age15To17; return a, into }},
		"no age":    {"merge.age", func(a, into *Case) (*Case, *Case) { a.Facts.AgeClass = AgeUnknown; return a, into }},
		"follower": {"merge.follower", func(a, into *Case) (*Case, *Case) {
			into.Merged = &Merge{CaseID: "c9", Ref: "AAAA-AAAA"}
			return a, into
		}},
		"already": {"merge.already", func(a, into *Case) (*Case, *Case) { a.Merged = &Merge{CaseID: "c9", Ref: "AAAA-AAAA"}; return a, into }},
		"carries": {"merge.carries", func(a, into *Case) (*Case, *Case) { a.Joined = []Joined{{CaseID: "c9"}}; return a, into }},
		"waits":   {"merge.notice", func(_, into *Case) (*Case, *Case) { a, _ := sent(t); return a, into }},
		"twice": {"merge.twice", func(_, into *Case) (*Case, *Case) {
			a, id := sent(t)
			if err := a.NoticeAccepted(id, "N-1", Attempt{At: t0, Status: 201}, t0); err != nil {
				t.Fatal(err)
			}
			return a, into
		}},
	} {
		a, into := c.make(another(t, "c2", false, address), another(t, "c3", false, address))
		before, err := json.Marshal([]*Case{a, into})
		if err != nil {
			t.Fatal(err)
		}
		if err := a.MergeInto(into, same, "Saule", t0); codeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
		if after, _ := json.Marshal([]*Case{a, into}); string(after) != string(before) {
			t.Errorf("%s: it was refused and changed something", name)
		}
	}
	// A notice under way on what the other does not have stays where it is.
	a, id := sent(t)
	if err := a.NoticeAccepted(id, "N-1", Attempt{At: t0, Status: 201}, t0); err != nil {
		t.Fatal(err)
	}
	into := another(t, "c3", true, "https://galerie.exemple.test/7")
	if err := a.MergeInto(into, same, "Saule", t0); err != nil {
		t.Fatal(err)
	}
	if want := []ItemState{ItemNotified, ItemNotified, ItemFollowed}; !slices.Equal(states(a), want) || a.State != CaseActive {
		t.Errorf("%v %s", states(a), a.State)
	}
	if err := a.NoticeAcknowledged(id, "N-1", "galerie", t0.Add(time.Hour)); err != nil {
		t.Errorf("its notice is no longer answered: %v", err)
	}
}

// TestSplit moves an address to a case of its own, and merges it back.
func TestSplit(t *testing.T) {
	c := opened(t)
	c.Words = "the words of the person"
	ids := []string{c.Items[0].ID, c.Items[1].ID, c.Items[2].ID}
	for _, x := range []struct {
		items  []string
		reason string
		code   string
	}{{nil, same, "split.none"}, {ids, same, "split.all"}, {[]string{"nowhere"}, same, "item.missing"}, {ids[:1], "", "split.reason"}} {
		if _, err := c.Split(x.items, x.reason, "Saule", t0); codeOf(err) != x.code {
			t.Errorf("%v %q: %v, want %s", x.items, x.reason, err, x.code)
		}
	}
	c.TakeConsequences()
	part, err := c.Split(ids[1:], "another author, another site", "Saule", t0)
	if err != nil {
		t.Fatal(err)
	}
	if want := []ItemState{ItemReported, ItemFollowed, ItemFollowed}; !slices.Equal(states(c), want) {
		t.Errorf("%v", states(c))
	}
	todo := part.TakeConsequences()
	if part.State != CaseNew || part.Words != "" || len(part.Quals) != 0 || part.Facts != c.Facts || len(todo.Jobs) != 1 || todo.Jobs[0].Kind != JobQualify || len(todo.Entries) != 2 {
		t.Errorf("the new case: %+v, %+v", part, todo)
	}
	if b, _ := json.Marshal(part); strings.Contains(string(b), "another author") || strings.Contains(string(b), "the words") {
		t.Error("what was written in the one is in the other")
	}
	if err := part.Propose(Proposal{Pack: "p1", Priority: PriorityHigh}, t0); err != nil {
		t.Fatal(err)
	}
	if err := part.Tell("Bonjour, nous avons lu votre signalement.", "Saule", t0); codeOf(err) != "message.part" {
		t.Errorf("a message that nobody would read: %v", err)
	}
	if err := part.MergeInto(c, "it is one matter after all", "Saule", t0); err != nil {
		t.Fatal(err)
	}
	if want := []ItemState{ItemReported, ItemReported, ItemFiled}; !slices.Equal(states(c), want) || part.State != CaseClosed {
		t.Errorf("merged back: %v, %s", states(c), part.State)
	}
	// What a notice holds stays.
	s, _ := sent(t)
	if _, err := s.Split([]string{s.Items[0].ID}, "another author", "Saule", t0); codeOf(err) != "split.item" {
		t.Errorf("an item of a notice: %v", err)
	}
}
