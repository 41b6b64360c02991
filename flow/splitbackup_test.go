package flow_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"rempart"
	"rempart/store"
	"rempart/store/storetest"
)

// plantedText finds what the tests here plant, and is as long as chance does not
// write it into what is sealed.
var plantedText = regexp.MustCompile(`zq-[a-z-]{4}`)

// TestErasedTiedCase makes a backup of two cases that were one once (a part split
// off, a merge that was undone), and erases either: the backup with the keys as
// they are now opens nothing of it, and all of the other.
func TestErasedTiedCase(t *testing.T) {
	split := func(s *side) (a, b *rempart.Case) {
		r := reportOf("https://forum.exemple.test/zq-first", medium(hash(1)))
		r.Addresses, r.Words = append(r.Addresses, "https://forum.exemple.test/zq-second"), "zq-words-of-first"
		c, _ := s.reported(r)
		ref, err := s.Split(t.Context(), c.ID, []string{c.Items[1].ID}, "zq-why-split", analyst)
		if err != nil {
			t.Fatal(err)
		}
		s.step()
		return s.caseOf(c.Ref), s.caseOf(ref)
	}
	merged := func(s *side) (a, b *rempart.Case) {
		ra, rb := reportOf("https://forum.exemple.test/zq-first", medium(hash(1))), reportOf("https://forum.exemple.test/zq-second", medium(hash(2)))
		ra.Words, rb.Words = "zq-words-of-first", "zq-words-of-second"
		a, _ = s.reported(ra)
		b, _ = s.reported(rb)
		if err := s.Merge(t.Context(), a.ID, b.ID, "zq-why-merged", analyst); err != nil {
			t.Fatal(err)
		}
		if c := s.caseOf(b.Ref); len(c.Items) != 4 {
			t.Fatalf("the case that carries has %d items", len(c.Items))
		}
		if err := s.Unmerge(t.Context(), s.caseOf(a.Ref), "zq-why-undone", analyst); err != nil {
			t.Fatal(err)
		}
		return s.caseOf(a.Ref), s.caseOf(b.Ref)
	}
	for name, c := range map[string]struct {
		make  func(*side) (a, b *rempart.Case)
		first bool     // the first of the two is erased
		never []string // what nothing that opens may hold
		keeps []string // what the other case still holds
	}{
		"the case a part was split off": {split, true, []string{"zq-first", "zq-words", "zq-why-split"}, []string{"zq-second"}},
		"the part that was split off":   {split, false, []string{}, []string{"zq-first", "zq-words-of-first"}},
		"the case that followed":        {merged, true, []string{"zq-first", "zq-words-of-first", "zq-why"}, []string{"zq-second", "zq-words-of-second"}},
		"the case that carried":         {merged, false, []string{"zq-second", "zq-words-of-second"}, []string{"zq-first", "zq-words-of-first"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := sideAt(t, newClock(), patience, filepath.Join(dir, "rempart.db"))
			if err := s.Prepare(t.Context()); err != nil {
				t.Fatal(err)
			}
			kept, gone := c.make(s)
			if c.first {
				kept, gone = gone, kept
			}
			s.change(gone, func(c *rempart.Case) error {
				for _, i := range c.Items {
					if i.State == rempart.ItemReported {
						return c.DropItem(i.ID, "zq-reason-in-gone", analyst, s.clock.now())
					}
				}
				return errors.New("no item is open")
			})
			whole, err := json.Marshal(s.caseOf(gone.Ref))
			if err != nil || !bytes.Contains(whole, []byte("zq-reason-in-gone")) {
				t.Fatalf("before: %s, %v", whole, err)
			}
			backup := filepath.Join(dir, "backup.db")
			if err := s.DB.Backup(t.Context(), backup); err != nil {
				t.Fatal(err)
			}
			if err := s.DB.EraseCase(t.Context(), gone.ID, rempart.Erasure{Why: rempart.EraseOrdered, By: analyst, At: s.clock.now(), Reason: "by order"}); err != nil {
				t.Fatal(err)
			}
			var file bytes.Buffer
			if _, err := s.DB.ExportKeys(t.Context(), &file); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(file.String(), gone.ID) {
				t.Error("a key of the erased case is among those there are")
			}
			keys, err := store.ReadKeys(&file)
			if err != nil {
				t.Fatal(err)
			}
			if r, err := store.PutKeys(t.Context(), backup, keys, storetest.Ring); err != nil || r.Cases != 2 || r.Without != 1 {
				t.Fatalf("%+v, %v", r, err)
			}
			back := sideAt(t, newClock(), patience, backup)
			if x, err := back.DB.Case(t.Context(), gone.ID); err == nil {
				t.Errorf("the erased case opens: %+v", x)
			}
			for _, where := range []string{"before", "after"} { // the operator erases it again in what was restored
				x, err := back.DB.Case(t.Context(), kept.ID)
				if err != nil {
					t.Fatalf("the other case, %s: %v", where, err)
				}
				doc, err := json.Marshal(x)
				if err != nil {
					t.Fatal(err)
				}
				for _, text := range append(c.never, "zq-reason-in-gone") {
					if bytes.Contains(doc, []byte(text)) {
						t.Errorf("%s: the other case holds %q: %s", where, text, doc)
					}
				}
				for _, text := range c.keeps {
					if !bytes.Contains(doc, []byte(text)) {
						t.Errorf("%s: the other case lacks %q: %s", where, text, doc)
					}
				}
				if where == "before" {
					if n, _, err := back.DB.EraseKeyless(t.Context(), rempart.Erasure{Why: rempart.EraseRestored, By: analyst, At: s.clock.now()}); err != nil || n != 1 {
						t.Fatalf("erased again: %d, %v", n, err)
					}
				}
			}
			for _, at := range []string{backup, filepath.Join(dir, "rempart.db")} {
				b, err := os.ReadFile(at)
				if err != nil || !bytes.Contains(b, []byte(kept.Ref)) {
					t.Fatalf("%s: %v: the search is worth nothing", at, err)
				}
				if text := plantedText.Find(b); text != nil { // as long as chance does not write it
					t.Errorf("%s holds %q in clear", filepath.Base(at), text)
				}
			}
			if rep, err := back.DB.VerifyLedger(t.Context(), nil); err != nil || !rep.Whole {
				t.Errorf("the ledger: %+v, %v", rep, err)
			}
		})
	}
}
