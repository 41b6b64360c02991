package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"rempart"
	"rempart/ledger"
	"rempart/store"
)

// written fills a ledger: 12 records sealed in three checkpoints (4, 8 and 12),
// record n being the event "kind-n" of "subject-n".
func written(t *testing.T, db *store.DB) {
	t.Helper()
	for n := range 12 {
		err := db.Commit(t.Context(), "", rempart.Consequences{Events: []rempart.Event{{Kind: fmt.Sprint("kind-", n), Subject: fmt.Sprint("subject-", n),
			Actor: "analyst-1", At: time.Now(), Data: map[string]string{"n": fmt.Sprint(n), "item": "abc"}}}})
		if err != nil {
			t.Fatal(err)
		}
		if n%4 == 3 {
			if _, err := db.Seal(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// flip changes one bit of one value.
func flip(t *testing.T, db *store.DB, table, column, where string, at int) {
	t.Helper()
	var text string
	var b []byte
	query := "SELECT " + column + " FROM " + table + " WHERE " + where
	if column == "hashes" {
		if err := store.Raw(db).QueryRow(query).Scan(&b); err != nil {
			t.Fatal(err)
		}
		b = bytes.Clone(b)
		b[at] ^= 1
		run(t, db, "UPDATE "+table+" SET "+column+" = $1 WHERE "+where, b)
		return
	}
	if err := store.Raw(db).QueryRow(query).Scan(&text); err != nil {
		t.Fatal(err)
	}
	b = []byte(text)
	if at < 0 {
		at += len(b)
	}
	b[at] ^= 1
	run(t, db, "UPDATE "+table+" SET "+column+" = $1 WHERE "+where, string(b))
}

func verify(t *testing.T, db *store.DB) ledger.Report {
	t.Helper()
	rep, err := db.VerifyLedger(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

// TestTampering alters a sealed ledger in every way and checks that the right
// record is named.
func TestTampering(t *testing.T) {
	of := func(n int) string { return fmt.Sprintf("seq = (SELECT record FROM leaves WHERE num = %d)", n) }
	cases := []struct {
		name        string
		harm        func(t *testing.T, db *store.DB)
		first, last int64
		subject     string // named, "" for none
		says        string
	}{
		{"data", func(t *testing.T, db *store.DB) { flip(t, db, "records", "data", of(5), -3) }, 5, 5, "subject-5", "record 5 (kind-5 of subject-5)"},
		{"kind", func(t *testing.T, db *store.DB) { flip(t, db, "records", "kind", of(6), 0) }, 6, 6, "subject-6", "record 6"},
		{"subject", func(t *testing.T, db *store.DB) { run(t, db, "UPDATE records SET subject = 'subject-z' WHERE "+of(7)) }, 7, 7, "subject-z", "record 7"},
		{"actor", func(t *testing.T, db *store.DB) { flip(t, db, "records", "actor", of(0), 0) }, 0, 0, "subject-0", "record 0"},
		{"time", func(t *testing.T, db *store.DB) { run(t, db, "UPDATE records SET at = at + 1 WHERE "+of(11)) }, 11, 11, "subject-11", "record 11"},
		{"two records", func(t *testing.T, db *store.DB) {
			flip(t, db, "records", "data", of(9), -3)
			flip(t, db, "records", "data", of(2), -3)
		}, 2, 2, "subject-2", "record 2"},
		{"leaf hash", func(t *testing.T, db *store.DB) { flip(t, db, "leaves", "hashes", "num = 4", 0) }, 4, 4, "subject-4", "record 4"},
		{"inner hash", func(t *testing.T, db *store.DB) { flip(t, db, "leaves", "hashes", "num = 7", 32) }, 6, 7, "", "between record 6 and record 7"},
		{"top hash", func(t *testing.T, db *store.DB) { flip(t, db, "leaves", "hashes", "num = 7", 32*3) }, 0, 7, "", "between record 0 and record 7"},
		{"missing hash", func(t *testing.T, db *store.DB) {
			var b []byte
			if err := store.Raw(db).QueryRow("SELECT hashes FROM leaves WHERE num = 7").Scan(&b); err != nil {
				t.Fatal(err)
			}
			run(t, db, "UPDATE leaves SET hashes = $1 WHERE num = 7", b[:32])
		}, 6, 7, "", "between record 6 and record 7"},
		{"checkpoint's text", func(t *testing.T, db *store.DB) { flip(t, db, "checkpoints", "note", "size = 8", 25) }, -1, -1, "", "checkpoint after 8"},
		{"checkpoint's signature", func(t *testing.T, db *store.DB) { flip(t, db, "checkpoints", "note", "size = 12", -10) }, -1, -1, "", "checkpoint after 12"},
		{"checkpoint of another time", func(t *testing.T, db *store.DB) {
			run(t, db, "UPDATE checkpoints SET note = (SELECT note FROM checkpoints WHERE size = 4) WHERE size = 8")
		}, -1, -1, "", "checkpoint after 4 records is stored as that after 8"},
		{"last record deleted", func(t *testing.T, db *store.DB) { run(t, db, "DELETE FROM records WHERE "+of(11)) }, 11, 11, "", "record 11 is gone"},
		{"first record deleted", func(t *testing.T, db *store.DB) { run(t, db, "DELETE FROM records WHERE "+of(0)) }, 0, 0, "", "record 0 is gone"},
		{"last record and its leaf deleted", func(t *testing.T, db *store.DB) {
			run(t, db, "DELETE FROM records WHERE "+of(11))
			run(t, db, "DELETE FROM leaves WHERE num = 11")
		}, 11, 11, "", "records 11 to 11 are gone"},
		{"leaf deleted in the middle", func(t *testing.T, db *store.DB) { run(t, db, "DELETE FROM leaves WHERE num = 5") }, 5, 5, "", "record 5 is gone from the tree"},
		{"all leaves deleted", func(t *testing.T, db *store.DB) { run(t, db, "DELETE FROM leaves") }, 0, 3, "", "records 0 to 3 are gone"},
		{"last checkpoint deleted", func(t *testing.T, db *store.DB) { run(t, db, "DELETE FROM checkpoints WHERE size = 12") }, 8, 11, "", "no checkpoint"},
		{"two records swapped", func(t *testing.T, db *store.DB) {
			swap(t, db, "records", "seq", of(3), of(6))
		}, 3, 3, "subject-6", "record 3"},
		{"two leaves swapped", func(t *testing.T, db *store.DB) {
			swap(t, db, "leaves", "num", "num = 3", "num = 6")
		}, 2, 3, "", "between record 2 and record 3"},
		{"a leaf pointed elsewhere", func(t *testing.T, db *store.DB) {
			run(t, db, "INSERT INTO records (seq, kind, subject, actor, at, data, xid) VALUES (999, 'k', 'forged', 'a', 1, '{}', 0)")
			run(t, db, "UPDATE leaves SET record = 999 WHERE num = 5")
		}, 5, 5, "forged", "record 5"},
		{"a leaf inserted at the end", func(t *testing.T, db *store.DB) {
			r := ledger.Record{Kind: "k", Subject: "forged", Actor: "a", At: 1, Data: "{}"}
			run(t, db, "INSERT INTO records (seq, kind, subject, actor, at, data, xid) VALUES (999, 'k', 'forged', 'a', 1, '{}', 0)")
			run(t, db, "INSERT INTO leaves (num, record, hashes) VALUES (12, 999, $1)", ledger.JoinHashes([]ledger.Hash{r.Hash()}))
		}, 12, 12, "", "no checkpoint"},
		{"a record rewritten with its leaf", func(t *testing.T, db *store.DB) { rewrite(t, db, 6, false) }, 6, 7, "", "between record 6 and record 7"},
		{"a record rewritten with all hashes", func(t *testing.T, db *store.DB) { rewrite(t, db, 6, true) }, 4, 7, "", "between record 4 and record 7"},
	}
	both(t, func(t *testing.T, db *store.DB, _ string) {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				for _, table := range []string{"records", "leaves", "checkpoints"} {
					run(t, db, "DELETE FROM "+table)
				}
				written(t, db)
				if rep := verify(t, db); !rep.Whole || rep.Sealed != 12 || rep.Checkpoints != 3 || rep.Problem != "" {
					t.Fatalf("before: %+v", rep)
				}
				c.harm(t, db)
				rep := verify(t, db)
				if rep.Whole || rep.Faults == 0 || rep.FirstBad != c.first || rep.LastBad != c.last || !strings.Contains(rep.Problem, c.says) || c.subject != "" && rep.Subject != c.subject {
					t.Errorf("%+v\nwant records %d to %d (%s), and %q", rep, c.first, c.last, c.subject, c.says)
				}
			})
		}
	})
}

// swap exchanges two rows of a table by their keys.
func swap(t *testing.T, db *store.DB, table, key, a, b string) {
	t.Helper()
	var ka, kb int64
	for _, k := range []struct {
		to    *int64
		where string
	}{{&ka, a}, {&kb, b}} {
		if err := store.Raw(db).QueryRow("SELECT " + key + " FROM " + table + " WHERE " + k.where).Scan(k.to); err != nil {
			t.Fatal(err)
		}
	}
	move := func(from, to int64) {
		run(t, db, fmt.Sprintf("UPDATE %s SET %s = %d WHERE %s = %d", table, key, to, key, from))
	}
	move(ka, -1)
	move(kb, ka)
	move(-1, kb)
}

// rewrite does what somebody who can write to the database but has not the key
// can do at best: alter a record and make its hashes fit, the leaf's alone or
// those of the whole tree.
func rewrite(t *testing.T, db *store.DB, n int, all bool) {
	t.Helper()
	run(t, db, fmt.Sprintf("UPDATE records SET data = '{}' WHERE seq = (SELECT record FROM leaves WHERE num = %d)", n))
	var edge ledger.Edge
	for num := range 12 {
		var r ledger.Record
		var old []byte
		err := store.Raw(db).QueryRow("SELECT r.kind, r.subject, r.actor, r.at, r.data, l.hashes FROM leaves l JOIN records r ON r.seq = l.record WHERE l.num = $1", num).
			Scan(&r.Kind, &r.Subject, &r.Actor, &r.At, &r.Data, &old)
		if err != nil {
			t.Fatal(err)
		}
		hashes := ledger.JoinHashes(edge.Add(r.Hash()))
		if !all {
			if num != n {
				continue
			}
			hashes = append(hashes[:32:32], old[32:]...)
		}
		run(t, db, "UPDATE leaves SET hashes = $1 WHERE num = $2", hashes, num)
	}
}

// TestSealRefusesAlteredTree checks that nothing is signed over a tree that was
// altered at its edge, where sealing goes on.
func TestSealRefusesAlteredTree(t *testing.T) {
	both(t, func(t *testing.T, db *store.DB, _ string) {
		written(t, db)
		flip(t, db, "leaves", "hashes", "num = 11", 32*2) // the root of records 8 to 11
		if err := db.Commit(t.Context(), "", rempart.Consequences{Events: []rempart.Event{{Kind: "k", Subject: "s", Actor: "a", At: time.Now()}}}); err != nil {
			t.Fatal(err)
		}
		if n, err := db.Seal(t.Context()); err == nil || !strings.Contains(err.Error(), "altered") {
			t.Errorf("sealed %d over an altered tree: %v", n, err)
		}
		if rep := verify(t, db); rep.Records != 13 || rep.Sealed != 12 || rep.Whole {
			t.Errorf("%+v", rep)
		}
	})
}

// TestRenamed checks that a ledger stays whole when its instance gets another
// name.
func TestRenamed(t *testing.T) {
	both(t, func(t *testing.T, db *store.DB, dsn string) {
		written(t, db)
		o := options
		o.Name = "autre.exemple.test"
		again := open(t, dsn, o)
		if err := again.Commit(t.Context(), "", rempart.Consequences{Events: []rempart.Event{{Kind: "k", Subject: "s", Actor: "a", At: time.Now()}}}); err != nil {
			t.Fatal(err)
		}
		if _, err := again.Seal(t.Context()); err != nil {
			t.Fatal(err)
		}
		if rep := verify(t, again); !rep.Whole || rep.Checkpoints != 4 {
			t.Errorf("%+v", rep)
		}
	})
}

// headed opens a store of its own on each database, whose head is kept in a
// file.
func headed(t *testing.T, f func(t *testing.T, db *store.DB, head string, again func(head string) *store.DB)) {
	both(t, func(t *testing.T, _ *store.DB, dsn string) {
		o := options
		o.Head = filepath.Join(t.TempDir(), "ledger.head")
		again := func(head string) *store.DB {
			o := o
			o.Head = head
			return open(t, dsn, o)
		}
		f(t, again(o.Head), o.Head, again)
	})
}

// cut takes the ledger back to its first n records, checkpoints included, and
// leaves the other records unsealed, as whoever can write to the database can.
func cut(t *testing.T, db *store.DB, n int) {
	t.Helper()
	run(t, db, "DELETE FROM checkpoints WHERE size > $1", n)
	run(t, db, "DELETE FROM leaves WHERE num >= $1", n)
	run(t, db, "UPDATE meta SET value = '0' WHERE name = 'ledger_mark'")
}

func tell(t *testing.T, db *store.DB) {
	t.Helper()
	if err := db.Commit(t.Context(), "", rempart.Consequences{Events: []rempart.Event{{Kind: "k", Subject: "s", Actor: "a", At: time.Now()}}}); err != nil {
		t.Fatal(err)
	}
}

// TestCutEnd takes the end of a ledger away, with its checkpoints, and rewrites
// it: the head kept outside the database shows it, whatever is left.
func TestCutEnd(t *testing.T) {
	for _, left := range []int{0, 4, 8} {
		t.Run(fmt.Sprint(left), func(t *testing.T) {
			headed(t, func(t *testing.T, db *store.DB, head string, again func(string) *store.DB) {
				written(t, db)
				if rep := verify(t, db); !rep.Whole || rep.Newest.Size != 12 {
					t.Fatalf("before: %+v", rep)
				}
				cut(t, db, left)
				run(t, db, "UPDATE records SET actor = 'somebody' WHERE kind = 'kind-10'")
				want := fmt.Sprintf("records %d to 11 are gone from the tree: the checkpoint kept in ledger.head was signed after 12 records", left)
				if rep := verify(t, db); rep.Whole || rep.FirstBad != int64(left) || rep.LastBad != 11 || rep.Problem != want {
					t.Errorf("%+v, want %q", rep, want)
				}
				if n, err := db.Seal(t.Context()); err == nil || !strings.Contains(err.Error(), "does not extend") {
					t.Errorf("sealed %d over what was rewritten: %v", n, err)
				}
				// Sealed anew by a process without the head, the tree is as long,
				// and another one.
				other := again("")
				if _, err := other.Seal(t.Context()); err != nil {
					t.Fatal(err)
				}
				if rep := verify(t, other); !rep.Whole || rep.Sealed != 12 {
					t.Fatalf("without the head: %+v", rep)
				}
				if rep := verify(t, db); rep.Whole || !strings.Contains(rep.Problem, "the first 12 records are not those of the checkpoint kept in ledger.head") {
					t.Errorf("%+v", rep)
				}
				tell(t, db)
				if n, err := db.Seal(t.Context()); err == nil || !strings.Contains(err.Error(), "does not extend") {
					t.Errorf("sealed %d after what was rewritten: %v", n, err)
				}
			})
		})
	}
}

// TestHead checks that the head follows the ledger, is made where there is none,
// catches up with another process, and never moves back.
func TestHead(t *testing.T) {
	headed(t, func(t *testing.T, db *store.DB, head string, again func(string) *store.DB) {
		size := func(name string) (n int) {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := fmt.Sscanf(string(b), "hub.exemple.test\n%d\n", &n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		if _, err := db.Seal(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(head); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a head of nothing: %v", err)
		}
		written(t, db)
		if size(head) != 12 {
			t.Errorf("the head is at %d, want 12", size(head))
		}
		if i, err := os.Stat(head); err != nil || i.Mode().Perm() != 0o600 {
			t.Errorf("the head's file: %v, %v", i.Mode(), err)
		}
		// Another machine's process has a head of its own; both may lag.
		second := filepath.Join(t.TempDir(), "second.head")
		other := again(second)
		if _, err := other.Seal(t.Context()); err != nil || size(second) != 12 {
			t.Errorf("a head that is made later: %v, at %d", err, size(second))
		}
		tell(t, other)
		if _, err := other.Seal(t.Context()); err != nil {
			t.Fatal(err)
		}
		if size(second) != 13 || size(head) != 12 {
			t.Errorf("heads at %d and %d, want 13 and 12", size(second), size(head))
		}
		if rep := verify(t, db); !rep.Whole {
			t.Errorf("a head that lags: %+v", rep)
		}
		if _, err := db.Seal(t.Context()); err != nil || size(head) != 13 {
			t.Errorf("a head that lagged: %v, at %d", err, size(head))
		}
		var wg sync.WaitGroup
		for _, d := range []*store.DB{db, other, again(head)} {
			wg.Go(func() {
				for range 10 {
					tell(t, d)
					if _, err := d.Seal(t.Context()); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		for name, d := range map[string]*store.DB{head: db, second: other} { // the last to seal moved its own head only
			if _, err := d.Seal(t.Context()); err != nil || size(name) != 43 {
				t.Errorf("after three at once: %v, a head at %d, want 43", err, size(name))
			}
		}
		// A head that somebody touched is no head.
		if err := os.WriteFile(head, []byte("hub.exemple.test\n1\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		tell(t, db)
		if _, err := db.Seal(t.Context()); err == nil {
			t.Error("sealed beside a head that is not signed")
		}
		if _, err := db.VerifyLedger(t.Context(), nil); err == nil {
			t.Error("verified beside a head that is not signed")
		}
	})
}

// TestStray puts a record among those that are sealed.
func TestStray(t *testing.T) {
	both(t, func(t *testing.T, db *store.DB, _ string) {
		written(t, db)
		run(t, db, "INSERT INTO records (seq, kind, subject, actor, at, data, xid) VALUES (-5, 'k', 'forged', 'a', 1, '{}', 0)")
		if rep := verify(t, db); rep.Whole || rep.Faults != 1 || rep.Subject != "forged" || !strings.Contains(rep.Problem, "a record (k of forged) is not in the tree") {
			t.Errorf("%+v", rep)
		}
	})
}

// TestKept checks a ledger against a checkpoint that somebody kept.
func TestKept(t *testing.T) {
	both(t, func(t *testing.T, db *store.DB, _ string) {
		written(t, db)
		rep := verify(t, db)
		tell(t, db)
		if _, err := db.Seal(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			kept  ledger.Checkpoint
			whole bool
		}{
			{rep.Newest, true},
			{ledger.Checkpoint{}, true},
			{ledger.Checkpoint{Size: 11, Root: rep.Newest.Root}, false},
			{ledger.Checkpoint{Size: 14, Root: rep.Newest.Root}, false},
		} {
			got, err := db.VerifyLedger(t.Context(), nil, store.Kept{Checkpoint: c.kept, Where: "given"})
			if err != nil || got.Whole != c.whole || !c.whole && !strings.Contains(got.Problem, "the checkpoint given") {
				t.Errorf("%+v: %+v, %v", c.kept, got, err)
			}
		}
	})
}
