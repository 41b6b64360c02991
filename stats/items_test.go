package stats

import (
	"strconv"
	"strings"
	"testing"
)

// TestItems finds each identifier again, however long, and takes none for
// another, through several growths of the index.
func TestItems(t *testing.T) {
	x, known := newItems(), map[string]*item{}
	for k := range 40_000 {
		n := strconv.Itoa(k)
		for _, id := range []string{n, n + "\x00", strings.Repeat("0", 14-len(n)) + n, strings.Repeat("0", 15-len(n)) + n, strings.Repeat("0", 16-len(n)) + n, n + strings.Repeat("é", 200)} {
			it, fresh := x.of(id)
			if before, ok := known[id]; ok == fresh || ok && before != it {
				t.Fatalf("%q: new %v, known before %v", id, fresh, ok)
			}
			known[id] = it
		}
	}
	if int(x.n) != len(known) || len(known) < 200_000 {
		t.Errorf("%d items of %d identifiers", x.n, len(known))
	}
	for id, want := range known {
		if it, fresh := x.of(id); fresh || it != want {
			t.Fatalf("%q is another item than before", id)
		}
	}
}
