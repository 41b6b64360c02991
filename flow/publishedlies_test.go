package flow_test

import (
	"testing"

	"rempart"
	"rempart/exchange"
)

// TestPublishedLies: a platform that knows a case's reference, from a notice or by
// chance, and none of its listed pictures, moves nothing and learns nothing: it is
// answered as about a reference that is none. The address of somebody else's
// service is refused however it is written.
func TestPublishedLies(t *testing.T) {
	s := newSide(t, newClock(), patience)
	forum := s.knows("forum", rempart.PeerPlatform, "https://forum.exemple.test", "in", "out")
	s.serves("forum", "forum.exemple.test", "forum")
	s.serves("album", "album.exemple.test", "album")
	c := s.submit(reportOf("https://forum.exemple.test/p/1", medium(hash(3))))
	s.confirm(c)
	listed, address := "", ""
	for _, i := range s.caseOf(c.Ref).Items {
		if i.Kind == rempart.ItemMedium {
			listed = i.ID
		} else {
			address = i.ID
		}
	}
	plain := s.submit(reportOf("https://forum.exemple.test/p/2"))

	tell := func(key, ref, item, at string) error {
		t.Helper()
		return s.Answer(t.Context(), forum, key, exchange.Callback{Type: rempart.CallbackPublished, At: s.clock.now(),
			Stop: &exchange.Stop{CaseRef: ref, Item: item, Type: rempart.PDQ, Distance: 3, Address: at}})
	}
	n := 0
	for _, at := range []string{"https://forum.exemple.test/copy", "https://ailleurs.exemple.test/copy", "https://album.exemple.test/copy", "album.exemple.test/copy", "HTTPS://Album.Exemple.Test:443/copy", " https://album.exemple.test/copy ", "https://album.exemple.test./copy",
		"javascript:alert(1)", "data:text/plain,x", "https://u:p@forum.exemple.test/", "file:///etc/passwd", ""} {
		none := tell("none", "0000-0000", listed, at)
		if none == nil {
			t.Fatalf("a reference that is none is taken, at %q", at)
		}
		for _, x := range []struct{ ref, item string }{{c.Ref, ""}, {c.Ref, address}, {c.Ref, "another"}, {plain.Ref, ""}, {plain.Ref, listed}, {"", ""}, {"", listed}} {
			n++
			if err := tell("lie", x.ref, x.item, at); rempart.KindOf(err) != rempart.KindOf(none) || err == nil || err.Error() != none.Error() {
				t.Errorf("%q of %q at %q: %v, and of none: %v", x.item, x.ref, at, err, none)
			}
		}
	}
	for _, at := range []string{"album.exemple.test/copy", "HTTPS://Album.Exemple.Test:443/copy", " https://album.exemple.test/copy ", "https://album.exemple.test./copy"} {
		n++
		if err := tell("elsewhere", c.Ref, listed, at); rempart.KindOf(err) != rempart.Invalid {
			t.Errorf("%q: %v", at, err)
		}
	}
	if got := s.caseOf(plain.Ref); got.State != plain.State || len(got.Items) != len(plain.Items) || n != 88 {
		t.Errorf("after %d lies: case %s, %d items", n, got.State, len(got.Items))
	}
	if got := s.caseOf(c.Ref); len(got.Items) != 2 {
		t.Errorf("after %d lies: %d items", n, len(got.Items))
	}

	// Withdrawn, a case is left as it is, and erased it is nowhere.
	s.change(c, func(c *rempart.Case) error { return c.Withdraw(s.clock.now()) })
	before := s.caseOf(c.Ref)
	tell("late", c.Ref, listed, "https://forum.exemple.test/copy")
	if got := s.caseOf(c.Ref); got.State != before.State || len(got.Items) != len(before.Items) || len(got.Notices) != len(before.Notices) {
		t.Errorf("withdrawn: %s, %d items", got.State, len(got.Items))
	}
}
