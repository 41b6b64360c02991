package store_test

import (
	"testing"
	"time"

	"rempart"
	"rempart/store"
)

// decided saves a notice received with an item refused and an item removed, told
// at a time.
func decided(t *testing.T, db *store.DB, key string, at time.Time) *rempart.Intake {
	t.Helper()
	n := rempart.Notice{ID: rempart.NewID(at), CaseRef: "7F3K-9QXM", ServiceID: "forum", State: rempart.NoticeQueued, Lang: "fr", GoodFaith: true,
		Explanation: "Secret planted in a notice.",
		Grounds:     []rempart.Ground{{Article: "226-8-1", Code: "Code pénal", Label: "Montage", TextDate: "2026-04-02", Source: "https://www.legifrance.gouv.fr/"}},
		Items:       []rempart.NoticeItem{{ID: "i1" + key, Address: "https://forum.exemple.test/" + key}},
		Notifier:    rempart.Notifier{Name: "Association Exemple", Email: "notification@association.exemple.test"}}
	i, err := rempart.Receive(n, key, rempart.Peer{ID: "hub", Name: "Hub"}, at)
	if err == nil {
		i, _, err = db.CreateIntake(t.Context(), i)
	}
	if err == nil {
		err = db.UpdateIntake(t.Context(), i.ID, func(i *rempart.Intake) error {
			i.GiveCode("code of " + key)
			return i.Decide(n.Items[0].ID, rempart.Decision{Measure: rempart.MeasureRefused, Explanation: "Nothing there breaks a rule that we know of.", Ground: "law", Reference: "226-8-1", Facts: "The page shows a landscape.", Redress: []string{"complaint"}}, "Moderator", at)
		})
	}
	if err == nil {
		err = db.UpdateIntake(t.Context(), i.ID, func(i *rempart.Intake) error { i.NoteTold(rempart.CallbackDecided, at); return nil })
	}
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// TestEraseIntake lets the time of notices received pass: nothing is left but the
// ledger's digests, a hold and an open complaint keep one, and no policy is shorter
// than the time for a complaint.
func TestEraseIntake(t *testing.T) {
	both(t, func(t *testing.T, db *store.DB, dsn string) {
		ctx := t.Context()
		now := time.Now().UTC()
		at := now.Add(-300 * 24 * time.Hour)
		keep := rempart.Retention{rempart.KeptNoticeRefused: 24 * time.Hour} // shorter than the law's six months
		e := rempart.Erasure{Why: rempart.EraseDue, By: rempart.ActorSystem, At: now, Keep: keep}
		old, held, open, young := decided(t, db, "a", at), decided(t, db, "b", at), decided(t, db, "c", at), decided(t, db, "d", now.Add(-100*24*time.Hour))
		change := func(id string, f func(*rempart.Intake) error) {
			t.Helper()
			if err := db.UpdateIntake(ctx, id, f); err != nil {
				t.Fatal(err)
			}
		}
		change(held.ID, func(i *rempart.Intake) error { return i.PlaceHold("proceedings under way", "Saule", now) })
		change(open.ID, func(i *rempart.Intake) error { return i.OpenReferral("a threat to somebody", "Saule", now) })
		due, err := db.DueIntakes(ctx, e, 10)
		if err != nil || len(due) != 1 || due[0] != old.ID {
			t.Fatalf("due: %v, %v, want %s alone", due, err, old.ID)
		}
		for name, i := range map[string]*rempart.Intake{"held": held, "open": open, "young": young} {
			if err := db.EraseIntake(ctx, i.ID, e); rempart.KindOf(err) != rempart.Conflict {
				t.Errorf("the one that is %s: %v, want a conflict", name, err)
			}
			if _, err := db.Intake(ctx, i.ID); err != nil {
				t.Errorf("the one that is %s: %v", name, err)
			}
		}
		if err := db.EraseIntake(ctx, old.ID, e); err != nil {
			t.Fatal(err)
		}
		for table, query := range map[string]string{
			"intakes": "SELECT count(*) FROM intakes WHERE id = $1", "sealed_keys": "SELECT count(*) FROM sealed_keys WHERE owner = $1",
			"intake_index": "SELECT count(*) FROM intake_index WHERE intake_id = $1", "intake_tasks": "SELECT count(*) FROM intake_tasks WHERE intake_id = $1",
			"notifiers": "SELECT count(*) FROM notifiers WHERE intake_id = $1", "jobs": "SELECT count(*) FROM jobs WHERE subject = $1",
			"records": "SELECT count(*) FROM records WHERE subject = $1 AND kind <> 'intake.erased'",
		} {
			var n, others int
			if err := store.Raw(db).QueryRow(query, old.ID).Scan(&n); err != nil || n != 0 {
				t.Errorf("%s: %d rows left, %v", table, n, err)
			}
			if err := store.Raw(db).QueryRow(query, young.ID).Scan(&others); err != nil || others == 0 && table != "intake_tasks" {
				t.Errorf("%s: nothing of another notice, so this shows nothing: %v", table, err)
			}
		}
		if rep, err := db.VerifyLedger(ctx, nil); err != nil || !rep.Whole || rep.Erased == 0 {
			t.Errorf("the ledger: %+v, %v", rep, err)
		}
		change(held.ID, func(i *rempart.Intake) error { return i.LiftHold("they have ended", "Saule", now) })
		if due, err := db.DueIntakes(ctx, e, 10); err != nil || len(due) != 1 || due[0] != held.ID {
			t.Errorf("after the hold: %v, %v", due, err)
		}
		// What an older version received has no class yet.
		if _, err := store.Raw(db).Exec("UPDATE intakes SET kept = '', ended_at = 0 WHERE id = $1", held.ID); err != nil {
			t.Fatal(err)
		}
		if due, err := db.DueIntakes(ctx, e, 10); err != nil || len(due) != 1 || due[0] != held.ID {
			t.Errorf("one of an older version: %v, %v", due, err)
		}
		if due, err := db.DueIntakes(ctx, rempart.Erasure{At: now, Keep: rempart.Retention{}}, 10); err != nil || len(due) != 0 {
			t.Errorf("without a policy: %v, %v", due, err)
		}
	})
}
