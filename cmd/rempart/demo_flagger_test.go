package main

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rempart"
	"rempart/exchange"
)

// TestDemoStatements: the EU's database would take every statement of reasons that
// the demo's platforms make.
func TestDemoStatements(t *testing.T) {
	ctx := t.Context()
	d := &demo{}
	in, err := openInstance(ctx, instanceConfig{site: "galerie", data: filepath.Join(t.TempDir(), "galerie"), platform: true, demo: true, now: d.clock.now, log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.db.Close() })
	n := 0
	for k, category := range []string{"3f", "3e", "9b", "9c", "7", ""} {
		notice := rempart.Notice{ID: "n" + category, Lang: "fr", Category: category, Minor: strings.HasPrefix(category, "9"), GoodFaith: true, Explanation: "Le contenu est illicite, pour ces raisons.",
			Items: []rempart.NoticeItem{{ID: "i", Address: "https://galerie.exemple.test/photo"}}, Notifier: rempart.Notifier{Name: "Aulne", Email: "a@aulne.exemple.test"}}
		if k%2 == 0 {
			notice.Grounds = []rempart.Ground{{Code: "Code pénal", Article: "226-8-1"}}
		}
		i, err := rempart.Receive(notice, "", rempart.Peer{ID: "hub", Name: "Association"}, d.clock.now())
		if err == nil {
			_, _, err = in.db.CreateIntake(ctx, i)
		}
		if err == nil {
			err = d.decide(ctx, in, i, rempart.MeasureRemoved)
		}
		if err == nil {
			i, err = in.db.Intake(ctx, i.ID)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range in.flow.Statements(i) {
			n++
			if len(p.Faults) > 0 {
				t.Errorf("category %q: %+v", category, p.Faults)
			}
		}
	}
	if n != 6 {
		t.Errorf("%d statements", n)
	}
}

// TestDemoFlaggers: the demo's platforms have a list of trusted flaggers with its
// source and dates, in reserved domains, in every status; the association's
// notices come first within its area only, and a list that was imported into a
// kept demo stays.
func TestDemoFlaggers(t *testing.T) {
	ctx := t.Context()
	d := &demo{}
	open := func(id string, platform bool) *instance {
		in, err := openInstance(ctx, instanceConfig{site: id, data: filepath.Join(t.TempDir(), id), platform: platform, demo: true, notifier: demoNotifier, now: d.clock.now, log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { in.db.Close() })
		return in
	}
	d.hub = open("hub", false)
	in := open(demoPlatforms[0].id, true)
	if err := d.introduce(ctx, in, 0, "http://127.0.0.1:1", "http://127.0.0.1:2"); err != nil {
		t.Fatal(err)
	}
	list, err := in.db.Flaggers(ctx)
	if err != nil || len(list) != 3 {
		t.Fatalf("list %+v, %v", list, err)
	}
	today, seen := d.clock.now().UTC().Format(time.DateOnly), map[string]bool{}
	for _, f := range list {
		over := f.Until != "" && f.Until < today
		seen[string(f.Status)+map[bool]string{true: ", over"}[over]] = true
		if !strings.Contains(f.Source, ".exemple.test/") || !strings.Contains(f.Name, "(fictive)") || f.SourceDate > today {
			t.Errorf("entry %+v", f)
		}
	}
	if !seen["active"] || !seen["suspended"] || !seen["active, over"] {
		t.Errorf("statuses %v", seen)
	}

	p, err := in.db.Peer(ctx, demoFlagger)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		category string
		minor    bool
		why      string
	}{{"3f", false, rempart.FlaggerCovers}, {"4g", false, rempart.FlaggerCovers}, {"9b", true, rempart.FlaggerCovers}, {"11", false, rempart.FlaggerOtherArea}} {
		n := exchange.Notice{ID: rempart.NewID(d.clock.now()), CaseRef: "R-1", Lang: "fr", GoodFaith: true, Category: x.category, Minor: x.minor, Notifier: demoNotifier,
			Explanation: "Cette image est fausse, et publiée sans accord.", Items: []rempart.NoticeItem{{ID: "a", Address: "https://galerie.exemple.test/a"}}}
		i, err := in.flow.Receive(ctx, p, n, n.ID)
		if err != nil {
			t.Fatal(err)
		}
		if i.Trusted != (x.why == rempart.FlaggerCovers) || i.NoPriority != x.why {
			t.Errorf("%s: trusted %v, %q, want %q", x.category, i.Trusted, i.NoPriority, x.why)
		}
	}

	own := list[:1]
	own[0].SourceDate = "2026-11-20"
	if err := in.db.PutFlaggers(ctx, own, adminEvent("flaggers.imported", "flaggers")); err != nil {
		t.Fatal(err)
	}
	if err := in.demoFlaggers(ctx); err != nil {
		t.Fatal(err)
	}
	if list, err = in.db.Flaggers(ctx); err != nil || len(list) != 1 || list[0].SourceDate != "2026-11-20" {
		t.Errorf("what was imported is gone: %+v, %v", list, err)
	}
}
