package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func TestRecordBytes(t *testing.T) {
	r := Record{Kind: "notice.sent", Subject: "06éa", Actor: "rempart", At: 1773480413589793, Data: `{"number":"N-1"}`}
	const want = "rempart record 1\n11:notice.sent\n5:06éa\n7:rempart\n16:1773480413589793\n16:{\"number\":\"N-1\"}\n"
	if got := string(r.Bytes()); got != want {
		t.Errorf("canonical form %q, want %q: the hashes of every ledger there is would change", got, want)
	}
	if got := r.Hash().String(); got != tlog.RecordHash([]byte(want)).String() {
		t.Errorf("leaf %s", got)
	}
}

// FuzzRecordBytes checks that two different records never have one form, by
// moving a boundary between two fields.
func FuzzRecordBytes(f *testing.F) {
	f.Add("kind", "subject", 2, int64(7))
	f.Add("3:a\n", "3:b\n", 1, int64(-1))
	f.Fuzz(func(t *testing.T, a, b string, cut int, at int64) {
		one := Record{Kind: a, Subject: b, At: at}
		all := a + b
		if cut < 0 || cut > len(all) || cut == len(a) {
			return
		}
		two := Record{Kind: all[:cut], Subject: all[cut:], At: at}
		if bytes.Equal(one.Bytes(), two.Bytes()) {
			t.Errorf("%+v and %+v have one form", one, two)
		}
	})
}

func TestData(t *testing.T) {
	for _, c := range []struct {
		facts map[string]string
		want  string
	}{
		{nil, "{}"},
		{map[string]string{"b": "2", "a": "1", "é": "<\"\n"}, `{"a":"1","b":"2","é":"\u003c\"\n"}`},
	} {
		for range 20 { // a map is read in another order each time
			got, err := FormatData(c.facts)
			if got != c.want || err != nil {
				t.Fatalf("FormatData(%v) = %s, %v, want %s", c.facts, got, err, c.want)
			}
		}
		back, err := ParseData(c.want)
		if err != nil || len(back) != len(c.facts) {
			t.Errorf("ParseData(%s) = %v, %v", c.want, back, err)
		}
		for name, v := range c.facts {
			if back[name] != v {
				t.Errorf("ParseData(%s)[%q] = %q, want %q", c.want, name, back[name], v)
			}
		}
	}
	if _, err := FormatData(map[string]string{"a": "\xff"}); err == nil {
		t.Error("a fact that is not UTF-8 was written")
	}
}

// TestEdge checks the tree against tlog's own, for every size up to 200.
func TestEdge(t *testing.T) {
	var edge Edge
	var stored []Hash            // as tlog numbers them
	leaves := map[int64][]Hash{} // as we keep them
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]Hash, error) {
		out := make([]Hash, len(indexes))
		for i, x := range indexes {
			out[i] = stored[x]
		}
		return out, nil
	})
	read := func(level int, n int64) (Hash, error) {
		h := leaves[LeafOf(level, n)]
		if level >= len(h) {
			return Hash{}, errors.New("not stored")
		}
		return h[level], nil
	}
	for n := range int64(200) {
		leaf := tlog.RecordHash(fmt.Append(nil, n))
		want, err := tlog.StoredHashesForRecordHash(n, leaf, reader)
		if err != nil {
			t.Fatal(err)
		}
		got := edge.Add(leaf)
		if string(JoinHashes(got)) != string(JoinHashes(want)) {
			t.Fatalf("record %d is stored with %v, tlog says %v", n, got, want)
		}
		stored, leaves[n] = append(stored, want...), got
		root, err := tlog.TreeHash(n+1, reader)
		if err != nil {
			t.Fatal(err)
		}
		if edge.Root() != root {
			t.Fatalf("root of %d records %v, tlog says %v", n+1, edge.Root(), root)
		}
		again, err := EdgeOf(n+1, read)
		if err != nil || *again != clean(edge) {
			t.Fatalf("edge of %d records read back: %v", n+1, err)
		}
		for _, k := range []int64{0, n / 2, n} {
			p, err := Prove(n+1, k, read)
			if err != nil {
				t.Fatal(err)
			}
			if err := tlog.CheckRecord(p, n+1, root, k, leaves[k][0]); err != nil {
				t.Fatalf("proof of record %d in %d: %v", k, n+1, err)
			}
		}
	}
}

// clean drops what an edge still holds of subtrees that are part of larger ones.
func clean(e Edge) Edge {
	for level := range e.left {
		if e.size>>level&1 == 0 {
			e.left[level] = Hash{}
		}
	}
	return e
}

func testKey(t *testing.T, b byte) (Key, string, Verifier) {
	t.Helper()
	k, err := NewKey(bytes.Repeat([]byte{b}, 32))
	if err != nil {
		t.Fatal(err)
	}
	vkey, err := k.Verifier("hub.exemple.test")
	if err != nil {
		t.Fatal(err)
	}
	v, err := ParseVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	return k, vkey, v
}

// TestKey checks our notes with the stock package, for enough keys that their
// base64 holds a plus sign, which also separates the parts of a verifier key.
func TestKey(t *testing.T) {
	plus := 0
	for b := range 64 {
		k, vkey, v := testKey(t, byte(b))
		if strings.Count(vkey, "+") > 2 {
			plus++
		}
		signed, err := k.Sign("hub.exemple.test", "text")
		if err != nil {
			t.Fatal(err)
		}
		stock, err := note.NewVerifier(vkey)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := note.Open([]byte(signed), note.VerifierList(stock)); err != nil || n.Text != "text\n" {
			t.Fatalf("stock note: %v", err)
		}
		if text, err := v.Open(signed); err != nil || text != "text\n" {
			t.Fatalf("own note: %q, %v", text, err)
		}
	}
	if plus == 0 {
		t.Error("no key with a plus sign was tried")
	}
	k, _, v := testKey(t, 1)
	_, _, other := testKey(t, 2)
	signed, _ := k.Sign("hub.exemple.test", "text")
	if _, err := other.Open(signed); !errors.Is(err, ErrSignature) {
		t.Errorf("a note of another key: %v, want ErrSignature", err)
	}
	for i := range len(signed) {
		b := []byte(signed)
		b[i] ^= 1
		if _, err := v.Open(string(b)); err == nil {
			t.Fatalf("the note opens with byte %d of %d changed: %q", i, len(b), b)
		}
	}
	for _, bad := range []string{"", "\n", "\n\n— ", "\n\n— a b\n", "x\n\n— hub.exemple.test \n"} {
		if _, err := v.Open(bad); !errors.Is(err, ErrSignature) {
			t.Errorf("Open(%q): %v, want ErrSignature", bad, err)
		}
	}
	if s := fmt.Sprintf("%v %+v %#v %s", k, k, k, k); strings.Contains(s, "1,") || strings.Contains(s, "0x") {
		t.Errorf("a key prints as %q", s)
	}
	if _, err := NewKey([]byte("short")); err == nil {
		t.Error("a key of 5 bytes")
	}
	if _, err := k.Sign("a name", "text"); err == nil {
		t.Error("a name with a space signs")
	}
}

func TestCheckpoint(t *testing.T) {
	c := Checkpoint{"hub.exemple.test", 12, tlog.RecordHash([]byte("x"))}
	back, err := ParseCheckpoint(c.String() + "an extension\n")
	if err != nil || back != c {
		t.Errorf("ParseCheckpoint = %v, %v, want %v", back, err, c)
	}
	for _, bad := range []string{"", "a\n", "a\n1\n", "a\n01\n" + strings.Repeat("A", 43) + "=\n", "a\n-1\n" + strings.Repeat("A", 43) + "=\n", "\n1\n" + strings.Repeat("A", 43) + "=\n", "a\n1\nAAAA\n", "a\n1\n" + strings.Repeat("A", 42) + "B=\n"} {
		if c, err := ParseCheckpoint(bad); err == nil {
			t.Errorf("ParseCheckpoint(%q) = %v", bad, c)
		}
	}
	// A checkpoint signed under another name than its origin is none.
	k, _, v := testKey(t, 1)
	signed, err := k.Sign("other.exemple.test", c.String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Checkpoint(signed); !errors.Is(err, ErrSignature) {
		t.Errorf("a checkpoint under another name: %v, want ErrSignature", err)
	}
}

// TestChecker checks what the store's own tests cannot reach: a ledger of many
// records, one of which is altered, whichever it is.
func TestChecker(t *testing.T) {
	k, _, v := testKey(t, 1)
	const size = 70
	type sealed struct {
		leaf Leaf
		note string // signed after the leaf, or ""
	}
	var edge Edge
	var all []sealed
	for n := range int64(size) {
		r := Record{Kind: "kind", Subject: fmt.Sprint("subject-", n), Actor: "a", At: n, Data: "{}"}
		s := sealed{leaf: Leaf{Number: n, Record: &r, Hashes: JoinHashes(edge.Add(r.Hash()))}}
		if n%7 == 6 {
			var err error
			if s.note, err = k.Sign("hub", Checkpoint{"hub", n + 1, edge.Root()}.String()); err != nil {
				t.Fatal(err)
			}
		}
		all = append(all, s)
	}
	check := func(harm func(*Leaf)) Report {
		c := NewChecker(v)
		for _, s := range all {
			l := s.leaf
			r := *l.Record
			l.Record, l.Hashes = &r, bytes.Clone(l.Hashes)
			harm(&l)
			c.Leaf(l)
			if s.note != "" {
				c.Checkpoint(l.Number+1, s.note)
			}
		}
		return c.Report(size)
	}
	if r := check(func(*Leaf) {}); !r.Whole || r.Sealed != size || r.Checkpoints != size/7 || r.FirstBad != -1 {
		t.Fatalf("a whole ledger: %+v", r)
	}
	for n := range int64(size) {
		r := check(func(l *Leaf) {
			if l.Number == n {
				l.Record.Data = "[]"
			}
		})
		if r.Whole || r.FirstBad != n || r.LastBad != n || r.Faults != 1 || r.Subject != fmt.Sprint("subject-", n) {
			t.Errorf("record %d altered: %+v", n, r)
		}
		for at := 0; at < len(all[n].leaf.Hashes); at += 31 {
			r := check(func(l *Leaf) {
				if l.Number == n {
					l.Hashes[at] ^= 0x80
				}
			})
			if r.Whole || r.FirstBad > n || r.LastBad != n {
				t.Errorf("byte %d of the hashes of record %d altered: %+v", at, n, r)
			}
		}
		r = check(func(l *Leaf) {
			if l.Number == n {
				l.Hashes = nil
			}
		})
		if r.Whole || r.FirstBad != n {
			t.Errorf("hashes of record %d gone: %+v", n, r)
		}
		r = check(func(l *Leaf) {
			if l.Number == n {
				l.Err = errors.New("not readable")
			}
		})
		if r.Whole || r.FirstBad != n || !strings.Contains(r.Problem, "not readable") {
			t.Errorf("record %d not readable: %+v", n, r)
		}
	}
}
