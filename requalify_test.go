package rempart

import (
	"testing"
	"time"
)

// TestRequalify qualifies a case with a newer law pack: facts and decisions stay.
func TestRequalify(t *testing.T) {
	c := opened(t)
	c.Quals = append(c.Quals, Qualification{ID: "fr-gone", State: QualificationProposed})
	if err := c.ConfirmQualification("fr-226-8-1", "Saule", t0); err != nil {
		t.Fatal(err)
	}
	facts := c.Facts
	c.TakeConsequences()
	newer := Proposal{Pack: "p2", Category: c.Category, Priority: PriorityHigh,
		Quals:   []Qualification{{ID: "fr-226-8-1", PrisonYears: 3, State: QualificationProposed}, {ID: "fr-222-33", State: QualificationProposed}},
		Missing: []Question{{Fact: "origin", Decides: []string{"226-8-1"}}}}
	later := t0.Add(time.Hour)
	if err := c.Requalify("p1", newer, "Chêne", later); err != nil {
		t.Fatal(err)
	}
	if c.Pack != "p2" || c.Facts != facts || len(c.Missing) != 1 || !c.UpdatedAt.Equal(later) {
		t.Errorf("pack %s, facts %+v, missing %v", c.Pack, c.Facts, c.Missing)
	}
	if len(c.Quals) != 2 || c.Quals[0].State != QualificationConfirmed || c.Quals[0].By != "Saule" || c.Quals[0].PrisonYears != 3 || c.Quals[1].State != QualificationProposed {
		t.Errorf("qualifications: %+v", c.Quals)
	}
	var kinds []string
	for _, e := range c.TakeConsequences().Events {
		kinds = append(kinds, e.Kind)
	}
	if len(kinds) != 2 || kinds[0] != "case.requalified" || kinds[1] != "qualification.lapsed" {
		t.Errorf("events: %v", kinds)
	}

	// The same version changes nothing; a page of another version is refused.
	if err := c.Requalify("p2", newer, "Chêne", later); err != nil || len(c.TakeConsequences().Events) != 0 {
		t.Errorf("the same pack: %v", err)
	}
	if err := c.Requalify("p1", Proposal{Pack: "p3"}, "Saule", later); codeOf(err) != "pack.changed" || c.Pack != "p2" {
		t.Errorf("from a page of another pack: %v, pack %s", err, c.Pack)
	}

	// A confirmed qualification that the pack no longer proposes stays, and says so;
	// drafts are given up where the category changes.
	id, err := c.PrepareNotice(Service{ID: "s1", Name: "Galerie", Lang: "fr", Hosts: []string{"galerie.exemple.test"}}, []string{c.Items[0].ID}, "Une explication assez longue pour être lue.", Notifier{Name: "Association", Email: "a@exemple.test"}, "Chêne", later)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Requalify("p2", Proposal{Pack: "p3", Category: "9c"}, "Chêne", later); err != nil {
		t.Fatal(err)
	}
	if q := c.Confirmed(); len(q) != 1 || len(q[0].Because) != 1 || q[0].Because[0] != unproposedByPack {
		t.Errorf("confirmed: %+v", q)
	}
	if n := c.Notice(id); n.State != NoticeCancelled {
		t.Errorf("the draft is %s", n.State)
	}
	for _, s := range []CaseState{CaseNew, CaseClosed} {
		c.State = s
		if err := c.Requalify("p3", newer, "Chêne", later); KindOf(err) != Conflict {
			t.Errorf("a case that is %s: %v", s, err)
		}
	}
}

// TestFactsSaid holds what follows from facts that somebody has said.
func TestFactsSaid(t *testing.T) {
	f := Facts{Communication: CommunicationOnlinePublic}
	if f.Networked() != FlagYes || f.Word("online") != "" {
		t.Error("what is public online did not go through a network")
	}
	f.Online = FlagNo
	if f.Networked() != FlagNo {
		t.Error("what was said is not heard")
	}
	for want, f := range map[AI]Facts{
		AIGenerated: {Origin: OriginAIGenerated}, AIManipulated: {Origin: OriginAIManipulated}, AIReal: {Origin: OriginReal},
		AIUnknown: {Origin: OriginMontage}, AIRelated: {Origin: OriginReal, AI: AIRelated},
	} {
		if got := f.Axis(); got != want {
			t.Errorf("%+v: %s, want %s", f, got, want)
		}
	}
	minor := Facts{AuthorRelation: RelationAdultToMinor}
	if !minor.Minor() {
		t.Error("an adult towards a minor: no minor")
	}
	minor.AgeClass = AgeAdultEstablished
	if minor.Minor() {
		t.Error("an adult is a minor")
	}
	var p Facts
	p.Say("threat", "money")
	p.Say("nothing", "money")
	if p != (Facts{Threat: ThreatMoney}) || p.Word("nothing") != "" {
		t.Errorf("said: %+v", p)
	}
}
