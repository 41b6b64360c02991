package rempart

import "testing"

func TestParseRef(t *testing.T) {
	for typed, want := range map[string]string{
		"7F3K-9QXM": "7F3K-9QXM", " 7f3k9qxm ": "7F3K-9QXM", "#7f3k 9qxm": "7F3K-9QXM", "7F3K–9QXM": "7F3K-9QXM", "oil0-0000": "0110-0000",
		"": "", "7F3K": "", "7F3K-9QXM-1": "", "7F3K-9QXU": "", "7F3K-9QXé": "", "forum.exemple.test": "",
	} {
		if got := ParseRef(typed); got != want {
			t.Errorf("ParseRef(%q) = %q, want %q", typed, got, want)
		}
	}
	for range 100 {
		if ref := NewRef(); ParseRef(ref) != ref {
			t.Fatalf("ParseRef(%q) = %q", ref, ParseRef(ref))
		}
	}
}
