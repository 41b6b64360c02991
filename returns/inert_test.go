package returns

import "testing"

// TestInert: no part of a cell that a spreadsheet may take for one is a formula.
func TestInert(t *testing.T) {
	for in, want := range map[string]string{
		"Galerie": "Galerie", "=1+1": "'=1+1", "-3": "-3", "-3,5": "'-3,5", "Forum;=1+1": "Forum;'=1+1", "a;-1;@x;": "a;-1;'@x;", "": "",
	} {
		if got := inert(in); got != want {
			t.Errorf("%q is written %q, want %q", in, got, want)
		}
	}
}
