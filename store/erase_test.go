package store_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rempart"
	"rempart/internal/pgtest"
	"rempart/keyring"
	"rempart/store"
)

// closed saves a case that is closed since a time, with a code, an identity, and
// a fingerprint that is listed.
func closed(t *testing.T, db *store.DB, at time.Time) *rempart.Case {
	t.Helper()
	ctx := t.Context()
	s := submission(t)
	s.CodeHash, s.Key, s.Body = "code of "+s.Case.ID, "key of "+s.Case.ID, "body"
	_, c, _, err := db.Submit(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	change := func(f func(c *rempart.Case) error) {
		t.Helper()
		if err := db.UpdateCase(ctx, c.ID, "", f); err != nil {
			t.Fatal(err)
		}
	}
	change(func(c *rempart.Case) error {
		return c.Propose(rempart.Proposal{Quals: []rempart.Qualification{{ID: "q", State: rempart.QualificationProposed}}, Pack: "p", Category: "3f", Priority: rempart.PriorityHigh}, at)
	})
	change(func(c *rempart.Case) error { return c.ConfirmQualification("q", "Saule", at) })
	if err := db.PutIdentity(ctx, c.ID, rempart.Identity{Name: "Camille Exemple", Contact: "camille@exemple.test"}, "Saule"); err != nil {
		t.Fatal(err)
	}
	change(func(c *rempart.Case) error {
		for _, i := range c.Items {
			var err error
			if i.Kind == rempart.ItemMedium {
				err = c.ConfirmFingerprint(i.ID, "Saule", at)
			} else {
				err = c.DropItem(i.ID, "no page there", "Saule", at)
			}
			if err != nil {
				return err
			}
		}
		return c.Close("all is done", "Saule", at)
	})
	c, err = db.Case(ctx, c.ID)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// left counts the rows that are about a case, by table.
func left(t *testing.T, db *store.DB, id string) map[string]int {
	t.Helper()
	out := map[string]int{}
	for table, query := range map[string]string{
		"cases": "SELECT count(*) FROM cases WHERE id = $1", "reports": "SELECT count(*) FROM reports WHERE case_id = $1",
		"sealed_keys": "SELECT count(*) FROM sealed_keys WHERE owner = $1", "case_codes": "SELECT count(*) FROM case_codes WHERE case_id = $1",
		"case_traits": "SELECT count(*) FROM case_traits WHERE case_id = $1", "case_index": "SELECT count(*) FROM case_index WHERE case_id = $1", "identities": "SELECT count(*) FROM identities WHERE case_id = $1",
		"jobs": "SELECT count(*) FROM jobs WHERE subject = $1", "report_keys": "SELECT count(*) FROM report_keys WHERE report_id NOT IN (SELECT id FROM reports WHERE case_id <> $1)",
		"records": "SELECT count(*) FROM records WHERE subject = $1 AND kind <> 'case.erased'", "entries": "SELECT count(*) FROM entries WHERE case_id = $1 AND state = 'active'",
	} {
		var n int
		if err := store.Raw(db).QueryRow(query, id).Scan(&n); err != nil {
			t.Fatalf("%s: %v", table, err)
		}
		if n > 0 {
			out[table] = n
		}
	}
	return out
}

// TestErase erases cases in each way: nothing of them is left but the ledger's
// digests, and the ledger is whole; a hold beats every way.
func TestErase(t *testing.T) {
	both(t, func(t *testing.T, db *store.DB, dsn string) {
		ctx := t.Context()
		at := time.Now().Add(-400 * 24 * time.Hour).UTC()
		now := time.Now().UTC()
		keep := rempart.Retention{rempart.KeptAdult: 365 * 24 * time.Hour}
		for _, e := range []rempart.Erasure{
			{Why: rempart.EraseDue, By: rempart.ActorSystem, At: now, Keep: keep},
			{Why: rempart.EraseWithdrawn, By: rempart.ActorReporter, At: now, Unlist: true},
			{Why: rempart.EraseOrdered, By: "admin:command-line", At: now, Reason: "an order of a court"},
		} {
			c, other := closed(t, db, at), closed(t, db, now)
			if n := len(left(t, db, c.ID)); n != 11 {
				t.Fatalf("%s: the case is in %v before", e.Why, left(t, db, c.ID))
			}
			hold := func(f func(c *rempart.Case) error) {
				t.Helper()
				if err := db.UpdateCase(ctx, c.ID, "", f); err != nil {
					t.Fatal(err)
				}
			}
			hold(func(c *rempart.Case) error { return c.PlaceHold("proceedings under way", "Saule", now) })
			var held *rempart.Error
			if err := db.EraseCase(ctx, c.ID, e); !errors.As(err, &held) || held.Code != "case.held" {
				t.Fatalf("%s of a case under a hold: %v, want case.held", e.Why, err)
			}
			if due, err := db.DueCases(ctx, keep, now, 10); err != nil || len(due) != 0 {
				t.Errorf("a case under a hold is due: %v, %v", due, err)
			}
			// Not even when its key is gone, or the hold is only in the column.
			if got, err := db.Case(ctx, c.ID); err != nil || got.Hold == nil || got.Hold.Reason != "proceedings under way" {
				t.Errorf("after the refusal: %+v, %v", got, err)
			}
			hold(func(c *rempart.Case) error { return c.LiftHold("proceedings have ended", "Saule", now) })
			if due, err := db.DueCases(ctx, keep, now, 10); err != nil || len(due) != 1 || due[0] != c.ID {
				t.Errorf("due: %v, %v, want the old case and not the new one", due, err)
			}
			if e.Why == rempart.EraseDue {
				if err := db.EraseCase(ctx, other.ID, e); rempart.KindOf(err) != rempart.Conflict {
					t.Errorf("a case whose time has not come: %v", err)
				}
			}
			if err := db.EraseCase(ctx, c.ID, e); err != nil {
				t.Fatal(err)
			}
			want := 1
			if e.Unlist {
				want = 0
			}
			if l := left(t, db, c.ID); len(l) != want || l["entries"] != want {
				t.Errorf("%s left %v", e.Why, l)
			}
			if _, err := db.Case(ctx, c.ID); rempart.KindOf(err) != rempart.NotFound {
				t.Errorf("the case: %v", err)
			}
			if err := db.EraseCase(ctx, c.ID, e); rempart.KindOf(err) != rempart.NotFound {
				t.Errorf("erased twice: %v", err)
			}
			events, err := db.Events(ctx, c.ID)
			if err != nil || len(events) != 1 || events[0].Kind != "case.erased" || events[0].Data["why"] != string(e.Why) || events[0].Actor != e.By {
				t.Errorf("the ledger says %+v, %v", events, err)
			}
			rep := verify(t, db)
			if !rep.Whole || rep.Erased == 0 || rep.Records != rep.Sealed {
				t.Errorf("after %s: %+v", e.Why, rep)
			}
			if got, err := db.Case(ctx, other.ID); err != nil || got.Ref != other.Ref {
				t.Errorf("another case: %v", err)
			}
			if err := db.EraseCase(ctx, other.ID, rempart.Erasure{Why: rempart.EraseOrdered, By: "a", At: now, Reason: "an order of a court"}); err != nil {
				t.Fatal(err)
			}
		}
		if n, err := db.CaseCounts(ctx); err != nil || len(n) != 0 {
			t.Errorf("counts of no cases: %v, %v", n, err)
		}
		// Whoever takes records away under the name of an erasure is seen.
		c := closed(t, db, now)
		if _, err := db.Seal(ctx); err != nil {
			t.Fatal(err)
		}
		run(t, db, "INSERT INTO erasures (num, subject) SELECT l.num, r.subject FROM leaves l JOIN records r ON r.seq = l.record WHERE r.subject = $1", c.ID)
		run(t, db, "DELETE FROM records WHERE subject = $1", c.ID)
		if rep := verify(t, db); rep.Whole || !strings.Contains(rep.Problem, "the ledger does not say that just these were erased") {
			t.Errorf("records taken away: %+v", rep)
		}
	})
}

// TestIdentity opens an identity: for a reason, which the ledger has a digest of.
func TestIdentity(t *testing.T) {
	both(t, func(t *testing.T, db *store.DB, dsn string) {
		ctx := t.Context()
		c := closed(t, db, time.Now())
		if _, err := db.OpenIdentity(ctx, c.ID, " ", "Saule"); rempart.KindOf(err) != rempart.Invalid {
			t.Errorf("without a reason: %v", err)
		}
		if events, _ := db.Events(ctx, c.ID); events[len(events)-1].Kind == "identity.opened" {
			t.Error("a refused opening is in the ledger")
		}
		const reason = "to lodge a complaint with her"
		i, err := db.OpenIdentity(ctx, c.ID, reason, "Saule")
		if err != nil || i.Name != "Camille Exemple" {
			t.Fatalf("%v, %v", i.Name, err)
		}
		got, err := db.Case(ctx, c.ID)
		if err != nil || len(got.Openings) != 1 || got.Openings[0].Reason != reason || got.Openings[0].By != "Saule" {
			t.Errorf("openings %+v, %v", got.Openings, err)
		}
		events, err := db.Events(ctx, c.ID)
		last := events[len(events)-1]
		if err != nil || last.Kind != "identity.opened" || len(last.Data["reason"]) != 64 || last.Actor != "Saule" {
			t.Errorf("the ledger says %+v, %v", last, err)
		}
		all := dump(t, db, dsn)
		for _, text := range []string{"Camille", reason} {
			if strings.Contains(string(all), text) {
				t.Errorf("%q is in clear", text)
			}
		}
		// It is not in the case's own box.
		run(t, db, "DELETE FROM sealed_keys WHERE owner = $1 AND box = 'identity'", c.ID)
		if i, err := db.OpenIdentity(ctx, c.ID, reason, "Saule"); err == nil {
			t.Errorf("opened without its key: %v", i.Name)
		}
		if err := db.EraseIdentity(ctx, c.ID, "Saule"); err != nil {
			t.Fatal(err)
		}
		if _, err := db.OpenIdentity(ctx, c.ID, reason, "Saule"); rempart.KindOf(err) != rempart.Conflict {
			t.Errorf("after it was erased: %v", err)
		}
	})
}

// TestRotate rotates the ring while another process, which has the old one in
// memory, goes on; then an older copy of everything opens nothing with the ring
// as it is, and what was erased opens nowhere.
func TestRotate(t *testing.T) {
	both(t, func(t *testing.T, _ *store.DB, dsn string) {
		ctx := t.Context()
		path := filepath.Join(t.TempDir(), "keyring.json")
		dsn2 := fresh(t, dsn)
		o := options
		o.Keyring = func(bool) (*keyring.Ring, error) { return keyring.Create(path, "") }
		db := open(t, dsn2, o)
		other := open(t, dsn2, o) // a process that serves meanwhile
		kept, gone := closed(t, db, time.Now()), closed(t, other, time.Now())
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		copied := keysOf(t, db) // as any copy of the whole database has them

		if err := db.EraseCase(ctx, gone.ID, rempart.Erasure{Why: rempart.EraseOrdered, By: "a", At: time.Now(), Reason: "an order of a court"}); err != nil {
			t.Fatal(err)
		}
		ring, err := keyring.Open(path, "")
		if err != nil {
			t.Fatal(err)
		}
		old := ring.Primary()
		if err := ring.Turn(); err != nil {
			t.Fatal(err)
		}
		o.Keyring = func(bool) (*keyring.Ring, error) { return ring, nil }
		rotating := open(t, dsn2, o)
		stop := make(chan struct{})
		ended := make(chan error)
		go func() { // cases go on being opened with the old ring in memory
			var err error
			for err == nil {
				select {
				case <-stop:
					ended <- nil
					return
				default:
				}
				_, _, _, err = other.Submit(context.WithoutCancel(ctx), submission(t))
				time.Sleep(time.Millisecond) // as between two people
			}
			ended <- err
		}()
		time.Sleep(50 * time.Millisecond)
		if err := rotating.Rewrap(ctx, nil); err != nil {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond)
		close(stop)
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		if n, err := rotating.KeyCounts(ctx); err != nil || n[old] != 0 || n[ring.Primary()] < 2 {
			t.Fatalf("keys by ring key: %v, %v; old %s", n, err, old)
		}
		if err := ring.Drop(); err != nil {
			t.Fatal(err)
		}
		for _, d := range []*store.DB{db, other, rotating} {
			if c, err := d.Case(ctx, kept.ID); err != nil || c.Words != kept.Words {
				t.Errorf("a case after the rotation: %v", err)
			}
		}
		now, err := keyring.Open(path, "")
		if err != nil {
			t.Fatal(err)
		}
		for owner, w := range copied {
			if _, err := now.Unwrap(w, "case", owner); !errors.Is(err, keyring.ErrWrongKey) {
				t.Errorf("a copy from before opens with the ring as it is: %v", err)
			}
		}
		// The copy of the ring from before is refused.
		stale := filepath.Join(t.TempDir(), "stale.json")
		if err := os.WriteFile(stale, before, 0o600); err != nil {
			t.Fatal(err)
		}
		o.Keyring = func(bool) (*keyring.Ring, error) { return keyring.Open(stale, "") }
		if _, err := store.Open(ctx, dsn2, o); !errors.Is(err, store.ErrOldKeyring) {
			t.Errorf("a ring from before the rotation: %v, want ErrOldKeyring", err)
		}
	})
}

func keysOf(t *testing.T, db *store.DB) map[string]keyring.Wrapped {
	t.Helper()
	out := map[string]keyring.Wrapped{}
	for _, owner := range column[string](t, db, "SELECT owner FROM sealed_keys WHERE box = 'case'") {
		var w []byte
		if err := store.Raw(db).QueryRow("SELECT wrapped FROM sealed_keys WHERE owner = $1 AND box = 'case'", owner).Scan(&w); err != nil {
			t.Fatal(err)
		}
		out[owner] = w
	}
	if len(out) < 2 {
		t.Fatalf("%d keys", len(out))
	}
	return out
}

// fresh returns the address of a database beside the one at dsn.
func fresh(t *testing.T, dsn string) string {
	t.Helper()
	if strings.HasPrefix(dsn, "postgres") {
		return pgtest.Fresh(t)
	}
	return filepath.Join(t.TempDir(), "rempart.db")
}
