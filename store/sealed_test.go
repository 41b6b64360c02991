package store_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rempart"
	"rempart/internal/pgtest"
	"rempart/keyring"
	"rempart/store"
)

// everywhere runs f with the address of a database that is not there yet.
func everywhere(t *testing.T, f func(t *testing.T, dsn string)) {
	t.Run("SQLite", func(t *testing.T) { f(t, filepath.Join(t.TempDir(), "rempart.db")) })
	t.Run("PostgreSQL", func(t *testing.T) { f(t, pgtest.Fresh(t)) })
}

// TestSealOld opens a database that the first version made, in clear: all of it
// is sealed, and reads as before.
func TestSealOld(t *testing.T) {
	everywhere(t, func(t *testing.T, dsn string) {
		ctx := t.Context()
		s := submission(t)
		s.Report.Words, s.Case.Words = "des-mots-en-clair", "des-mots-en-clair"
		s.Key, s.Body = "key", "body"
		n := rempart.Notice{Explanation: "une-explication-en-clair " + strings.Repeat("x", 40), Grounds: []rempart.Ground{{}}, GoodFaith: true,
			Items: []rempart.NoticeItem{{ID: "i", Address: "https://exemple.test/adresse-en-clair"}}, Notifier: rempart.Notifier{Name: "a", Email: "b"}}
		i, err := rempart.Receive(n, "", rempart.Peer{ID: "hub"}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if err := store.MakePlain(dsn, options, s, i); err != nil {
			t.Fatal(err)
		}

		// Without a keyring, and with one that is refused, nothing changes.
		none := options
		none.Keyring = nil
		if _, err := store.Open(ctx, dsn, none); !errors.Is(err, store.ErrNoKeyring) {
			t.Fatalf("without a keyring: %v, want ErrNoKeyring", err)
		}
		refused := errors.New("refused")
		none.Keyring = func(fresh bool) (*keyring.Ring, error) {
			if !fresh {
				t.Error("a database that was never sealed is said not to be fresh")
			}
			return nil, refused
		}
		if _, err := store.Open(ctx, dsn, none); !errors.Is(err, refused) {
			t.Fatalf("%v, want the keyring's error", err)
		}

		db := open(t, dsn, options)
		clear := []string{"des-mots-en-clair", "forum.exemple.test", "une-explication-en-clair", "adresse-en-clair"}
		all := dump(t, db, dsn)
		for _, text := range clear {
			if bytes.Contains(all, []byte(text)) {
				t.Errorf("%q is still in clear", text)
			}
		}
		if f, err := db.Figures(ctx, store.DayOf(s.Case.OpenedAt), store.DayOf(s.Case.OpenedAt)); err != nil || f.Opened[store.DayOf(s.Case.OpenedAt)] != 1 || len(f.Live) != 1 || f.Live[0].N != 1 {
			t.Errorf("figures of the case that was there: %+v, %v", f, err)
		}
		if c, err := db.Case(ctx, s.Case.ID); err != nil || c.Words != s.Case.Words || c.Items[0].Address != s.Case.Items[0].Address {
			t.Errorf("the case reads %+v, %v", c, err)
		}
		again := submission(t)
		again.Key, again.Body = s.Key, s.Body
		if r, _, created, err := db.Submit(ctx, again); err != nil || created || r.Words != s.Report.Words {
			t.Errorf("the report reads %+v, %v, %v", r, created, err)
		}
		if got, err := db.Intake(ctx, i.ID); err != nil || got.Notice.Explanation != n.Explanation {
			t.Errorf("the intake reads %+v, %v", got, err)
		}
		rows, _, err := db.Queue(ctx, store.QueueFilter{})
		if err != nil || len(rows) != 1 || !slices.Equal(rows[0].Services, []string{"forum.exemple.test"}) {
			t.Errorf("the queue reads %+v, %v", rows, err)
		}
		if refs, err := db.FindCases(ctx, store.FindAddress, s.Case.Items[0].Address); err != nil || !slices.Equal(refs, []string{s.Case.Ref}) {
			t.Errorf("found by its address: %v, %v", refs, err)
		}
		if err := db.UpdateIntake(ctx, i.ID, func(i *rempart.Intake) error { return i.Decide("i", rempart.Decision{}, "a", time.Now()) }); rempart.KindOf(err) != rempart.Invalid {
			t.Errorf("%v", err)
		}
	})
}

// TestWrongKeyring opens a sealed database with other rings: nothing is changed,
// and none is asked for as if the database were fresh.
func TestWrongKeyring(t *testing.T) {
	both(t, func(t *testing.T, db *store.DB, dsn string) {
		ctx := t.Context()
		_, c, _, err := db.Submit(ctx, submission(t))
		if err != nil {
			t.Fatal(err)
		}
		other := options
		other.Keyring = func(fresh bool) (*keyring.Ring, error) {
			if fresh {
				t.Error("a sealed database is said to be fresh")
			}
			return keyring.New()
		}
		if _, err := store.Open(ctx, dsn, other); !errors.Is(err, store.ErrWrongKeyring) {
			t.Errorf("another ring: %v, want ErrWrongKeyring", err)
		}
		if got, err := open(t, dsn, options).Case(ctx, c.ID); err != nil || got.Words != c.Words {
			t.Errorf("with its own ring again: %v, %v", got, err)
		}
	})
}

// TestBoxesStay moves boxes and keys between cases behind the store's back:
// none opens elsewhere.
func TestBoxesStay(t *testing.T) {
	both(t, func(t *testing.T, db *store.DB, _ string) {
		ctx := t.Context()
		var ids []string
		for range 2 {
			_, c, _, err := db.Submit(ctx, submission(t))
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, c.ID)
		}
		run(t, db, "UPDATE cases SET doc = (SELECT doc FROM cases WHERE id = $1) WHERE id = $2", ids[0], ids[1])
		if c, err := db.Case(ctx, ids[1]); err == nil {
			t.Errorf("a case reads as another one: %+v", c)
		}
		run(t, db, "UPDATE sealed_keys SET wrapped = (SELECT wrapped FROM sealed_keys WHERE owner = $1) WHERE owner = $2", ids[0], ids[1])
		if c, err := db.Case(ctx, ids[1]); !errors.Is(err, keyring.ErrWrongKey) {
			t.Errorf("a case opens with another one's key: %+v, %v", c, err)
		}
		run(t, db, "UPDATE cases SET doc = $1 WHERE id = $2", []byte(`{"id":"x"}`), ids[0])
		if c, err := db.Case(ctx, ids[0]); err == nil {
			t.Errorf("a document in clear is read as a case: %+v", c)
		}
		run(t, db, "DELETE FROM sealed_keys WHERE owner = $1", ids[0])
		var e *rempart.Error
		if _, err := db.Case(ctx, ids[0]); !errors.As(err, &e) || e.Code != "case.erased" {
			t.Errorf("a case without its key: %v, want case.erased", err)
		}
	})
}

// TestMeasuresOld opens a database in which an older version wrote the measures
// about notifiers in clear: they are sealed, and say the same.
func TestMeasuresOld(t *testing.T) {
	both(t, func(t *testing.T, db *store.DB, dsn string) {
		n := rempart.Notice{Notifier: rempart.Notifier{Email: "ada@exemple.test"}}
		e := rempart.Event{Kind: "notifier.warn", Subject: "n1", Actor: "moderator-1", At: time.Now()}
		warn := func(m *rempart.NotifierMeasure) error { return m.Warn("zq-an-old-warning", "moderator-1", time.Now()) }
		if err := db.ChangeMeasure(t.Context(), "", n, e, warn); err != nil {
			t.Fatal(err)
		}
		doc := func() (b []byte) {
			if err := store.Raw(db).QueryRow("SELECT doc FROM notifier_measures").Scan(&b); err != nil {
				t.Fatal(err)
			}
			return b
		}
		if bytes.Contains(doc(), []byte("zq-an-old")) {
			t.Error("written in clear")
		}
		run(t, db, "UPDATE notifier_measures SET doc = $1", []byte(`{"warning":"zq-an-old-warning"}`))
		run(t, db, "DELETE FROM meta WHERE name = 'measures'")
		for range 2 {
			again := open(t, dsn, options)
			m, err := again.Measure(t.Context(), "", n)
			if err != nil || m.Warning != "zq-an-old-warning" {
				t.Errorf("%+v, %v", m, err)
			}
		}
		if bytes.Contains(doc(), []byte("zq-an-old")) {
			t.Error("still in clear")
		}
	})
}
