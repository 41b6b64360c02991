package rempart

import (
	"strings"
	"testing"
	"time"
)

func TestAssign(t *testing.T) {
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	saule := Staff{ID: "1", Alias: "Saule", Role: RoleAnalyst}
	aulne := Staff{ID: "2", Alias: "Aulne", Role: RoleLead}
	c := &Case{ID: "c", State: CaseOpen}
	if err := c.Take(saule, at); err != nil || c.Assigned.StaffID != "1" {
		t.Fatalf("%+v, %v", c.Assigned, err)
	}
	if err := c.Take(aulne, at); KindOf(err) != Conflict || c.Assigned.StaffID != "1" {
		t.Errorf("taken from another: %v", err)
	}
	for what, err := range map[string]error{
		"no note":      c.HandOver(aulne, " ", "Saule", at),
		"a long note":  c.HandOver(aulne, strings.Repeat("é", MaxHandOverNote+1), "Saule", at),
		"a reader":     c.HandOver(Staff{ID: "3", Role: RoleReader}, "x", "Saule", at),
		"who has left": c.HandOver(Staff{ID: "4", Role: RoleAnalyst, DisabledAt: at}, "x", "Saule", at),
	} {
		if KindOf(err) != Invalid {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := c.HandOver(aulne, "Reste à notifier.", "Saule", at.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got, want := *c.Assigned, (Assignment{"2", "Aulne", at.Add(time.Hour), "Saule", "Reste à notifier."}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if err := c.GiveBack("Aulne", at); err != nil || c.Assigned != nil {
		t.Errorf("%+v, %v", c.Assigned, err)
	}
	todo := c.TakeConsequences()
	var kinds []string
	for _, e := range todo.Events {
		kinds = append(kinds, e.Kind)
		for _, v := range e.Data {
			if strings.Contains(v, "notifier") {
				t.Errorf("the note is in the ledger: %+v", e)
			}
		}
	}
	if got := strings.Join(kinds, " "); got != "case.taken case.handed_over case.given_back" {
		t.Errorf("events %s", got)
	}
	c.State = CaseClosed
	if err := c.Take(saule, at); KindOf(err) != Conflict {
		t.Errorf("a closed case: %v", err)
	}
}
