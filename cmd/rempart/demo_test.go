package main

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"rempart"
	"rempart/exchange"
)

// TestDemoModerator: what a visitor may send to the demo's platforms, a notice by
// the form and complaints of both sides, is decided and never ends the demo.
func TestDemoModerator(t *testing.T) {
	ctx := t.Context()
	d := &demo{}
	for _, p := range demoPlatforms {
		in, err := openInstance(ctx, instanceConfig{site: p.name, data: filepath.Join(t.TempDir(), p.id), platform: true, demo: true, now: d.clock.now, log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { in.db.Close() })
		d.platforms = append(d.platforms, in)
	}
	wait := func(k int) {
		t.Helper()
		d.clock.advance(2 * patience)
		if err := d.decideWaiting(ctx, k); err != nil {
			t.Fatal(err)
		}
	}
	for k, in := range d.platforms {
		var got *rempart.Intake
		for n := 0; got == nil && n < 200; n++ { // the second platform is silent on one in two
			r, err := in.flow.ReceiveForm(ctx, exchange.Notice{Lang: "fr", GoodFaith: true, Explanation: "Cette image est fausse, et publiée sans accord.", Category: "3f",
				Items: []rempart.NoticeItem{{Address: "https://galerie.exemple.test/a"}}, Notifier: rempart.Notifier{Name: "Ada Exemple", Email: "ada@exemple.test"}}, rempart.NewID(time.Now())+"0")
			if err != nil {
				t.Fatal(err)
			}
			if k == 0 || r.Intake.Number[len(r.Intake.Number)-1]%2 != 0 {
				got = r.Intake
			}
		}
		if got == nil {
			t.Fatal("no notice that is answered")
		}
		wait(k)
		i, err := in.db.Intake(ctx, got.ID)
		if err != nil || i.State != rempart.IntakeDecided {
			t.Fatalf("%s: %+v, %v", in.cfg.site, i, err)
		}
		by := []rempart.ComplaintBy{rempart.ByAffected, rempart.ByNotifier}[k]
		if _, _, err := in.flow.Complain(ctx, i, by, exchange.Complaint{Reasons: "Je ne suis pas d’accord, pour ces raisons."}); err != nil {
			t.Fatal(err)
		}
		wait(k)
		if i, err = in.db.Intake(ctx, got.ID); err != nil || i.Complaints[0].Outcome != rempart.OutcomeReversed {
			t.Errorf("%s: complaint %+v, %v", in.cfg.site, i.Complaints, err)
		}
	}
}
