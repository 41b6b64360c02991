package flow_test

import (
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rempart"
	"rempart/flow"
)

// says saves the operator's text of a step.
func (s *side) says(id rempart.StepTextID, fr, en string) {
	s.t.Helper()
	t, err := s.DB.Templates(s.t.Context())
	if err == nil {
		t, err = t.WithStep(rempart.StepText{ID: id, Body: rempart.Text{FR: fr, EN: en}}, association)
	}
	t.By = "lune"
	if err == nil {
		err = s.DB.SaveTemplates(s.t.Context(), t)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// sentText is the body of the one reminder that the far side has.
func (f *far) sentText(t *testing.T, notice string) string {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	for id, n := range f.told {
		if id != notice {
			return n.body
		}
	}
	t.Fatal("no reminder came")
	return ""
}

// TestStepText: a reminder goes out with the operator's text, filled; what was
// sent stays what it was, on a second try after a kill and on the page.
func TestStepText(t *testing.T) {
	f := newFar(t)
	f.will(fine)
	s, c, id := silent(t, f)
	s.says(rempart.StepReminder, "Premier texte, sur {notice}, dossier {reference}, numéro {number}.", "First text, on {notice}, case {reference}, number {number}.")
	f.mu.Lock()
	f.answers = []fault{{name: "lost with us", stores: true, answer: fine.answer}}
	f.mu.Unlock()
	var killed atomic.Bool
	s.Fault = func(point string) {
		if point == "rung.send.delivered" && killed.CompareAndSwap(false, true) {
			runtime.Goexit()
		}
	}
	s.step()
	s.step()
	s.check()
	s.says(rempart.StepReminder, "Second texte, écrit après coup, sur {notice}.", "Second text, written afterwards, on {notice}.")
	s.clock.advance(2 * time.Minute)
	s.settle()
	s.check() // the far side fails the test if one key has two bodies
	r := s.rungsOf(c.Ref, id)
	if len(r) != 1 || r[0].State != rempart.RungSent || !killed.Load() {
		t.Fatalf("rungs %+v", r)
	}
	want := "Premier texte, sur une notification au titre de l’article 16 le 2 mars 2026, enregistrée sous le numéro N-1 (notre référence\u00a0: " + c.Ref + "), dossier " + c.Ref + ", numéro N-1."
	if body := f.sentText(t, id); !strings.Contains(body, want) || strings.Contains(body, "Second texte") {
		t.Errorf("the platform was told %s", body)
	}
	texts, err := s.DB.Templates(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := s.caseOf(c.Ref)
	if text := flow.RungText(texts, got, got.Notice(id), &got.Notice(id).Rungs[0]); text != want {
		t.Errorf("the page shows %q", text)
	}
}

// TestStepTextMinor: in a minor's case no address of an item and nobody's name or
// e-mail address stands in a text, whichever of its names an operator uses.
func TestStepTextMinor(t *testing.T) {
	for _, minor := range []bool{false, true} {
		for _, id := range rempart.StepTextIDs {
			all := "Tout, {" + strings.Join(id.Fields(), "}, {") + "}."
			for _, lang := range []string{"fr", "en"} {
				text := flow.StepExample(id, rempart.Text{FR: all, EN: all}, lang, minor, start)
				if strings.ContainsAny(text, "{}@") || strings.Contains(text, association.Name) {
					t.Errorf("%s, %s: %s", id, lang, text)
				}
				if decided := strings.Contains(all, "{decisions}"); strings.Contains(text, "https://") != (decided && !minor) {
					t.Errorf("%s, %s, minor %v: %s", id, lang, minor, text)
				}
			}
		}
	}
}
