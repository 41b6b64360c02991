package rempart

import (
	"testing"
	"time"
)

// TestCovers: priority within the area only, and while the entity is designated.
func TestCovers(t *testing.T) {
	f := Flagger{ID: "a", Name: "Association fictive", Country: "FR", Expertise: "images intimes", Categories: []string{"3", "9b"}, Status: FlaggerActive,
		From: "2026-03-01", Until: "2026-11-22", Source: "test", SourceDate: "2026-03-01"}
	if err := f.Check(); err != nil {
		t.Fatal(err)
	}
	day := func(s string) time.Time {
		d, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return d.Add(23 * time.Hour)
	}
	for what, c := range map[string]struct {
		category string
		minor    bool
		status   FlaggerStatus
		day      string
		want     string
	}{
		"in the area":               {"3f", false, FlaggerActive, "2026-06-01", FlaggerCovers},
		"the area itself":           {"3", false, FlaggerActive, "2026-06-01", FlaggerCovers},
		"first day":                 {"3f", false, FlaggerActive, "2026-03-01", FlaggerCovers},
		"last day":                  {"3f", false, FlaggerActive, "2026-11-22", FlaggerCovers},
		"the day before":            {"3f", false, FlaggerActive, "2026-02-28", FlaggerNotNow},
		"the day after":             {"3f", false, FlaggerActive, "2026-11-23", FlaggerNotNow},
		"another area":              {"7", false, FlaggerActive, "2026-06-01", FlaggerOtherArea},
		"one with the same figure":  {"9c", false, FlaggerActive, "2026-06-01", FlaggerOtherArea},
		"a longer number":           {"31", false, FlaggerActive, "2026-06-01", FlaggerOtherArea},
		"no category":               {"", false, FlaggerActive, "2026-06-01", FlaggerOtherArea},
		"a minor, without category": {"", true, FlaggerActive, "2026-06-01", FlaggerCovers},
		"suspended":                 {"3f", false, FlaggerSuspended, "2026-06-01", FlaggerStopped},
		"revoked":                   {"3f", false, FlaggerRevoked, "2026-06-01", FlaggerStopped},
	} {
		f.Status = c.status
		if got := f.Covers(Notice{Category: c.category, Minor: c.minor}, day(c.day)); got != c.want {
			t.Errorf("%s: %q, want %q", what, got, c.want)
		}
	}
	for what, broken := range map[string]func(*Flagger){
		"no source":     func(f *Flagger) { f.Source = " " },
		"a status":      func(f *Flagger) { f.Status = "yes" },
		"a day":         func(f *Flagger) { f.From = "1/3/2026" },
		"days crossed":  func(f *Flagger) { f.Until = "2026-02-01" },
		"no categories": func(f *Flagger) { f.Categories = nil },
	} {
		g := f
		g.Status = FlaggerActive
		broken(&g)
		if err := g.Check(); err == nil {
			t.Errorf("%s is taken", what)
		}
	}
}

// TestMeasures: a warning first, then a suspension of a stated time.
func TestMeasures(t *testing.T) {
	var m NotifierMeasure
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	if err := m.Suspend(30, "Cinq notifications sans objet.", "Noisetier", at); codeOf(err) != "misuse.warning_first" || m.IsSuspended(at) {
		t.Errorf("suspended without a warning: %v", err)
	}
	if err := m.Warn("  ", "Noisetier", at); codeOf(err) != "misuse.reason" {
		t.Errorf("warned without a reason: %v", err)
	}
	if err := m.Warn("Cinq notifications sans objet.", "Noisetier", at); err != nil {
		t.Fatal(err)
	}
	for _, days := range []int{0, -1, 91} {
		if err := m.Suspend(days, "Cela continue.", "Noisetier", at); codeOf(err) != "misuse.days" {
			t.Errorf("%d days: %v", days, err)
		}
	}
	if err := m.Suspend(30, "Cela continue.", "Noisetier", at); err != nil || !m.IsSuspended(at.AddDate(0, 0, 29)) || m.IsSuspended(at.AddDate(0, 0, 30)) {
		t.Errorf("%+v, %v", m, err)
	}
	if err := m.Lift(at.Add(time.Hour)); err != nil || m.IsSuspended(at.Add(time.Hour)) {
		t.Errorf("%+v, %v", m, err)
	}
	for _, c := range []struct {
		m    Misuse
		want bool
	}{{Misuse{9, 9, 4}, false}, {Misuse{10, 10, 5}, true}, {Misuse{11, 11, 5}, false}, {Misuse{5, 5, 5}, true}} {
		if c.m.Frequent() != c.want {
			t.Errorf("%+v: %t", c.m, !c.want)
		}
	}
}
