package flow_test

import (
	"net/http"
	"strings"
	"testing"

	"rempart"
	"rempart/exchange"
)

// reversal is the decision that brings what was removed back.
var reversal = rempart.Decision{Measure: rempart.MeasureRefused, Ground: "law", Facts: removal.Facts, Explanation: "La photo est celle de qui l’a mise en ligne.", Redress: removal.Redress, Scope: removal.Scope}

// lifted has who is affected complain about a posting, and the complaint reversed.
func (s *side) lifted(i *rempart.Intake) {
	s.t.Helper()
	_, c, err := s.Complain(s.t.Context(), i, rempart.ByAffected, exchange.Complaint{Items: []string{"i1"}, Reasons: "C’est ma propre photo, prise en vacances."})
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.DecideComplaint(s.t.Context(), i.ID, c.Number, map[string]rempart.Decision{"i1": reversal}, "La photo est bien la vôtre et ne montre personne d’autre.", "Charme"); err != nil {
		s.t.Fatal(err)
	}
}

// answers is how often the hub was told of a complaint on a notice.
func (f *far) answersTo(number string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, told := range f.told {
		if strings.Contains(told.body, rempart.CallbackComplaint) && strings.Contains(told.body, number) {
			n++
		}
	}
	return n
}

// TestReversedForAll: one restriction lies on a posting that several notified;
// lifted upon a complaint, it is lifted once, the decision on each notice follows,
// and each notifier is told, when it is done and not before. What imposed
// something else stays.
func TestReversedForAll(t *testing.T) {
	onBoth(t, func(t *testing.T, s *side) {
		hub := newFar(t)
		peer := s.knows("hub", rempart.PeerFlagger, hub.URL, keyAtPlatform, keyAtHub)
		f := newForumSystem(t, s)
		demoted := removal
		demoted.Measure, demoted.Restrictions = rempart.MeasureRestricted, []rempart.Restriction{"visibility.demoted"}
		other := s.about(peer, 1, 1)
		s.together(other, demoted.Normal(), false)
		s.rest()
		all := s.about(peer, 2, 3)
		s.together(all, removal, false)
		s.rest()
		for k, i := range all { // one restriction, one statement of reasons
			if n := len(s.Statements(s.intake(i.ID))); (n == 1) != (k == 0) {
				t.Errorf("%s: %d statements", i.Number, n)
			}
		}
		before := len(f.orders())
		f.will(status(http.StatusServiceUnavailable, ""))
		s.lifted(s.intake(all[1].ID))
		s.step()
		for _, i := range all {
			now := s.intake(i.ID)
			if now.Decisions["i1"].Measure != rempart.MeasureRefused || now.Done("i1") || hub.answersTo(i.Number) != 0 {
				t.Errorf("%s: %s, done %t, told %d times before it is lifted", i.Number, now.Decisions["i1"].Measure, now.Done("i1"), hub.answersTo(i.Number))
			}
		}
		s.rest()
		s.rest()
		lifts, tells := 0, 0
		for _, o := range f.orders() {
			switch o.Type {
			case exchange.OrderLift:
				lifts++
			case exchange.OrderTell:
				tells++
			}
		}
		if lifts != 1 || tells != 1 || f.gone[posting] || len(f.orders()) != before+2 {
			t.Errorf("lifted %d times, told %d times, gone %t, %d orders", lifts, tells, f.gone[posting], len(f.orders())-before)
		}
		for _, i := range all {
			now := s.intake(i.ID)
			if !now.Done("i1") || len(now.Complaints) != 1 || now.Complaints[0].DecidedBy != "Charme" || hub.answersTo(i.Number) != 1 {
				t.Errorf("%s: done %t, %d complaints, told %d times", i.Number, now.Done("i1"), len(now.Complaints), hub.answersTo(i.Number))
			}
			if c := now.Complaints[0]; (c.Of == "") != (i.ID == all[1].ID) || c.Of != "" && (c.Reasons != "" || c.Answer != "") {
				t.Errorf("%s: %+v", i.Number, c)
			}
		}
		if now := s.intake(other[0].ID); now.Decisions["i1"].Measure != rempart.MeasureRestricted || len(now.Complaints) != 0 {
			t.Errorf("another restriction: %s, %d complaints", now.Decisions["i1"].Measure, len(now.Complaints))
		}
	})
}

// TestReversedByHand: without a system of the platform's own, the others follow at
// once, and each is told once.
func TestReversedByHand(t *testing.T) {
	hub := newFar(t)
	s, peer := platformOf(t, hub.URL)
	all := s.about(peer, 1, 2)
	for _, i := range all {
		if err := s.Decide(t.Context(), i.ID, "i1", removal, "Noisetier"); err != nil {
			t.Fatal(err)
		}
	}
	s.rest()
	s.lifted(s.intake(all[0].ID))
	s.rest()
	for _, i := range all {
		if now := s.intake(i.ID); now.Decisions["i1"].Measure != rempart.MeasureRefused || hub.answersTo(i.Number) != 1 {
			t.Errorf("%s: %s, told %d times", i.Number, now.Decisions["i1"].Measure, hub.answersTo(i.Number))
		}
	}
}

func (s *side) intake(id string) *rempart.Intake {
	s.t.Helper()
	i, err := s.DB.Intake(s.t.Context(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	return i
}
