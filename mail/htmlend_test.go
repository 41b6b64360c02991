package mail

import (
	"strings"
	"testing"
)

// TestHTMLEnds: a link ends once, and what stands in it is looked at once: a
// message of nothing but ends of links, after blanks, took a second for every
// 64 KiB.
func TestHTMLEnds(t *testing.T) {
	if got, want := htmlText(`<a href="https://a.exemple.test/1">ici</a></a> et </a><a href="https://a.exemple.test/2">https://a.exemple.test/2</a></a>.`), "ici <https://a.exemple.test/1> et https://a.exemple.test/2."; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	size := 1 << 20
	s := "<a href=x>" + strings.Repeat("\u00a0", size/2) + "x" + strings.Repeat("</a>", size/4)
	if got := htmlText(s); !strings.HasSuffix(got, "x") || strings.Contains(got, "<") {
		t.Errorf("%d characters, ending in %q", len(got), got[max(0, len(got)-20):])
	}
}
