package rempart

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// proposing answers with those offences, and keeps the facts it was asked about.
func proposing(asked *Facts, ids ...string) func(Facts) Proposal {
	return func(f Facts) Proposal {
		*asked = f
		p := Proposal{Pack: "p2", Category: "9c", Priority: PriorityUrgent, Because: []Text{{"Parce que.", "Because."}}, NotCovered: []Text{{"Rien.", "Nothing."}}}
		for _, id := range ids {
			p.Quals = append(p.Quals, Qualification{ID: id, Article: strings.TrimPrefix(id, "fr-"), Paragraph: "al. 3", PrisonYears: 7, State: QualificationProposed})
		}
		return p
	}
}

// minors returns the facts of c with the age of a minor.
func minors(c *Case) Facts {
	f := c.Facts
	f.AgeClass = Age15To17
	return f
}

func TestCorrectFacts(t *testing.T) {
	c := opened(t)
	c.Quals = append(c.Quals,
		Qualification{ID: "fr-kept", State: QualificationProposed},
		Qualification{ID: "fr-refused", State: QualificationProposed},
		Qualification{ID: "fr-gone", State: QualificationProposed})
	for _, id := range []string{"fr-226-8-1", "fr-kept"} {
		if err := c.ConfirmQualification(id, "Saule", t0); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.RejectQualification("fr-refused", "pas ici", "Saule", t0); err != nil {
		t.Fatal(err)
	}
	c.TakeConsequences()
	var asked Facts
	later := t0.Add(time.Hour)
	f := minors(c)
	f.Date, f.Online = "2026-11-20", FlagNo
	if err := c.CorrectFacts(c.Facts, f, proposing(&asked, "fr-227-23", "fr-226-8-1", "fr-refused"), "Chêne", later); err != nil {
		t.Fatal(err)
	}
	if asked != f || c.Facts != f || !c.Facts.Minor() {
		t.Errorf("facts %+v, asked about %+v", c.Facts, asked)
	}
	if c.Category != "9c" || c.Priority != PriorityUrgent || c.Pack != "p2" || len(c.Because) != 1 || len(c.NotCover) != 1 || c.State != CaseActive || !c.UpdatedAt.Equal(later) {
		t.Errorf("category %s, priority %d, pack %s, %v, %v, %s, %s", c.Category, c.Priority, c.Pack, c.Because, c.NotCover, c.State, c.UpdatedAt)
	}
	type qual struct {
		ID, Paragraph, Reason string
		State                 QualificationState
		By                    Actor
		Because               []Text
	}
	var got []qual
	for _, q := range c.Quals {
		got = append(got, qual{q.ID, q.Paragraph, q.Reason, q.State, q.By, q.Because})
	}
	want := []qual{
		{"fr-227-23", "al. 3", "", QualificationProposed, "", nil},
		{"fr-226-8-1", "al. 3", "", QualificationConfirmed, "Saule", nil},
		{"fr-refused", "al. 3", "pas ici", QualificationRejected, "Saule", nil},
		{"fr-kept", "", "", QualificationConfirmed, "Saule", []Text{unproposed}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("qualifications (-want +got):\n%s", d)
	}
	out := c.TakeConsequences()
	if got := kinds(out); !slices.Equal(got, []string{"facts.corrected", "qualification.lapsed", "fingerprint.relisted"}) {
		t.Errorf("events %v", got)
	}
	data := map[string]string{"facts": "age_class,date,online", "proposed": "3", "pack": "p2", "priority": "1"}
	if d := cmp.Diff(data, out.Events[0].Data); d != "" || out.Events[0].Actor != "Chêne" {
		t.Errorf("event by %s (-want +got):\n%s", out.Events[0].Actor, d)
	}
	if out.Events[1].Data["qualification"] != "fr-gone" {
		t.Errorf("lapsed: %v", out.Events[1].Data)
	}

	// A second correction does not mark twice what is kept.
	f.Repetition = FlagYes
	if err := c.CorrectFacts(c.Facts, f, proposing(&asked), "Chêne", later); err != nil {
		t.Fatal(err)
	}
	for _, q := range c.Quals {
		if q.State != QualificationConfirmed || len(q.Because) != 1 {
			t.Errorf("%s is %s, because %v", q.ID, q.State, q.Because)
		}
	}
	if len(c.Quals) != 2 {
		t.Errorf("%d qualifications, want 2", len(c.Quals))
	}
}

func TestCorrectFactsRefused(t *testing.T) {
	never := func(Facts) Proposal { t.Error("asked for a proposal"); return Proposal{} }
	c := opened(t)
	c.TakeConsequences()
	old := c.Facts
	tests := []struct {
		name   string
		change func(was, f *Facts)
		state  CaseState
		code   string
	}{
		{"a word that is none", func(_, f *Facts) { f.Threat = "shout" }, CaseOpen, "facts.unknown"},
		{"no date", func(_, f *Facts) { f.Date = "hier" }, CaseOpen, "facts.date"},
		{"a date to come", func(_, f *Facts) { f.Date = "2026-11-24" }, CaseOpen, "facts.date"},
		{"corrected meanwhile", func(was, f *Facts) { was.AgeClass, f.Repetition = AgeUnknown, FlagYes }, CaseOpen, "facts.changed"},
		{"closed", func(_, f *Facts) { f.Repetition = FlagYes }, CaseClosed, "case.closed"},
		{"new", func(_, f *Facts) { f.Repetition = FlagYes }, CaseNew, "case.new"},
		{"the same", func(was, f *Facts) { was.AuthorRelation, f.AuthorRelation = "", RelationUnknown }, CaseOpen, ""},
	}
	for _, test := range tests {
		was, f := old, old
		test.change(&was, &f)
		c.State = test.state
		err := c.CorrectFacts(was, f, never, "Saule", t0)
		var e *Error
		if errors.As(err, &e); test.code == "" && err != nil || test.code != "" && (e == nil || e.Code != test.code) {
			t.Errorf("%s: %v, want %q", test.name, err, test.code)
		}
		if c.Facts != old || len(c.TakeConsequences().Events) != 0 {
			t.Errorf("%s: it changed the case", test.name)
		}
	}
}

// TestCorrectedList moves the fingerprints of an adult's case that becomes a
// minor's, and back.
func TestCorrectedList(t *testing.T) {
	for _, test := range []struct {
		name     string
		change   func(*Case) error
		old, new EntryState
	}{
		{"filed", func(*Case) error { return nil }, EntryRejected, EntryProvisional},
		{"active", func(c *Case) error {
			if err := c.ConfirmQualification("fr-226-8-1", "Saule", t0); err != nil {
				return err
			}
			return c.ConfirmFingerprint(c.Items[2].ID, "Saule", t0)
		}, EntryWithdrawn, EntryActive},
		{"rejected", func(c *Case) error { return c.RejectFingerprint(c.Items[2].ID, "autre image", "Saule", t0) }, "", ""},
		{"withdrawn", func(c *Case) error { return c.WithdrawFingerprint(c.Items[2].ID, "Saule", t0) }, "", ""},
	} {
		c := opened(t)
		if err := test.change(c); err != nil {
			t.Fatal(err)
		}
		c.TakeConsequences()
		was := *c.Item(c.Items[2].ID)
		was.Entries = slices.Clone(was.Entries)
		var asked Facts
		if err := c.CorrectFacts(c.Facts, minors(c), proposing(&asked), "Saule", t0.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		i, entries := c.Items[2], c.TakeConsequences().Entries
		if test.new == "" {
			if len(entries) != 0 || i.List != was.List || !slices.Equal(i.Entries, was.Entries) {
				t.Errorf("%s: what is out of its list was moved: %v", test.name, entries)
			}
			continue
		}
		if i.State != was.State || i.List != "ncii-minor" || was.List != "ncii-adult" || len(i.Entries) != 2 || len(entries) != 4 {
			t.Fatalf("%s: item is %s in %s with %v; %d entries changed", test.name, i.State, i.List, i.Entries, len(entries))
		}
		for k, e := range entries {
			want := Entry{ID: was.Entries[k%2], List: "ncii-adult", State: test.old}
			if k > 1 {
				want = Entry{ID: i.Entries[k%2], List: "ncii-minor", State: test.new}
			}
			if e.Entry.ID != want.ID || e.Entry.List != want.List || e.Entry.State != want.State || e.Entry.Fingerprint != i.Fingerprints[k%2] || e.Entry.ItemID != i.ID || e.Entry.CaseRef != c.Ref {
				t.Errorf("%s: entry %d is %+v, want %+v", test.name, k, e.Entry, want)
			}
		}
		if slices.Contains(was.Entries, i.Entries[0]) || slices.Contains(was.Entries, i.Entries[1]) || i.Entries[0] == i.Entries[1] {
			t.Errorf("%s: an identifier was used again: %v, %v", test.name, was.Entries, i.Entries)
		}
		f := c.Facts
		f.AgeClass = AgeAdultEstablished
		if err := c.CorrectFacts(c.Facts, f, proposing(&asked), "Saule", t0.Add(2*time.Hour)); err != nil || c.Items[2].List != "ncii-adult" {
			t.Errorf("%s: back: %v, in %s", test.name, err, c.Items[2].List)
		}
	}
}

// TestCorrectedNotices checks that no notice written on other facts can leave.
func TestCorrectedNotices(t *testing.T) {
	var asked Facts
	c, id := sent(t)
	third := c.Items[0]
	third.ID, third.State, third.NoticeID = "i3", ItemReported, ""
	c.Items = append(c.Items, third)
	draft, err := c.PrepareNotice(gallery, []string{"i3"}, because, Notifier{Name: "A", Email: "a@exemple.test"}, "Saule", t0)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.NoticeAttemptFailed(id, Attempt{At: t0, Answer: "closed"}, t0); err != nil {
		t.Fatal(err)
	}
	before := *c.Notice(id)
	c.TakeConsequences()
	if err := c.CorrectFacts(c.Facts, minors(c), proposing(&asked, "fr-226-8-1"), "Saule", t0); err != nil {
		t.Fatal(err)
	}
	if got := c.Notice(draft).State; got != NoticeCancelled {
		t.Errorf("draft is %s, want cancelled", got)
	}
	if got := kinds(c.TakeConsequences()); !slices.Contains(got, "notice.cancelled") {
		t.Errorf("events %v", got)
	}
	if d := cmp.Diff(before, *c.Notice(id)); d != "" {
		t.Errorf("what was sent changed (-before +after):\n%s", d)
	}
	var e *Error
	if err := c.SendNotice(id, "Saule", t0); !errors.As(err, &e) || e.Code != "notice.outdated" {
		t.Errorf("sending an outdated notice again: %v", err)
	}
	if err := c.CancelNotice(id, "Saule", t0); err != nil {
		t.Error(err)
	}
	next, err := c.PrepareNotice(gallery, []string{c.Items[0].ID}, because, Notifier{Name: "A", Email: "a@exemple.test"}, "Saule", t0)
	if err != nil {
		t.Fatal(err)
	}
	if n := c.Notice(next); !n.Minor || n.Notifier.Name != "" || n.Category != "9c" {
		t.Errorf("the next notice: minor %v, notifier %q, category %s", n.Minor, n.Notifier.Name, n.Category)
	}

	c, id = sent(t)
	if err := c.NoticeAttemptFailed(id, Attempt{At: t0, Answer: "closed"}, t0); err != nil {
		t.Fatal(err)
	}
	if err := c.SendNotice(id, "Saule", t0); err != nil {
		t.Errorf("a failed notice on facts that stand: %v", err)
	}
}

func TestAddQualification(t *testing.T) {
	c := opened(t)
	c.TakeConsequences()
	q := Qualification{ID: "fr-312-10", Article: "312-10", PrisonYears: 5, Because: []Text{{"Doute.", "Doubt."}}, State: QualificationProposed}
	var e *Error
	if err := c.AddQualification(q, " \n", "Saule", t0); !errors.As(err, &e) || e.Code != "qualification.add_reason" {
		t.Errorf("without a reason: %v", err)
	}
	if err := c.AddQualification(q, "on lui demande de l’argent", "Saule", t0); err != nil {
		t.Fatal(err)
	}
	want := q
	want.State, want.Reason, want.By, want.At = QualificationConfirmed, "on lui demande de l’argent", "Saule", t0
	want.Because = []Text{{"Ajoutée par un analyste\u00a0: on lui demande de l’argent", "Added by an analyst: on lui demande de l’argent"}, q.Because[0]}
	if d := cmp.Diff(want, c.Quals[1]); d != "" {
		t.Errorf("added (-want +got):\n%s", d)
	}
	if got := kinds(c.TakeConsequences()); !slices.Equal(got, []string{"qualification.added"}) || len(c.Confirmed()) != 1 {
		t.Errorf("events %v, %d confirmed", got, len(c.Confirmed()))
	}
	if err := c.AddQualification(q, "encore", "Saule", t0); !errors.As(err, &e) || e.Code != "qualification.there" {
		t.Errorf("twice: %v", err)
	}
	c.State = CaseClosed
	q.ID = "fr-autre"
	if err := c.AddQualification(q, "encore", "Saule", t0); !errors.As(err, &e) || e.Code != "case.closed" {
		t.Errorf("closed: %v", err)
	}
}

// TestAnsweredItems checks what an analyst can do when a platform did not do
// what was asked.
func TestAnsweredItems(t *testing.T) {
	for _, m := range []Measure{MeasureRefused, MeasureRestricted} {
		for _, again := range []bool{true, false} {
			c, id := sent(t)
			d := map[string]Decision{c.Items[0].ID: decision(m), c.Items[1].ID: decision(MeasureRemoved)}
			if err := c.NoticeAccepted(id, "N-1", Attempt{At: t0, Status: 202}, t0); err != nil {
				t.Fatal(err)
			}
			if err := c.NoticeDecided(id, "N-1", "galerie", d, t0); err != nil {
				t.Fatal(err)
			}
			item, want := c.Items[0].ID, ItemDropped
			if again {
				want = ItemQueued
				next, err := c.PrepareNotice(gallery, []string{item}, because, Notifier{Name: "A", Email: "a@exemple.test"}, "Saule", t0)
				if err != nil {
					t.Fatal(err)
				}
				if err := c.EditNotice(next, because, true, "Saule", t0); err != nil {
					t.Fatal(err)
				}
				if err := c.SendNotice(next, "Saule", t0); err != nil {
					t.Errorf("%s: sending again: %v", m, err)
				}
			} else if err := c.DropItem(item, "décision acceptée", "Saule", t0); err != nil {
				t.Errorf("%s: dropping: %v", m, err)
			}
			if got := c.Item(item).State; got != want {
				t.Errorf("%s: item is %s, want %s", m, got, want)
			}
		}
	}
}
