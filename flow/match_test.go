package flow_test

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/png"
	"math"
	"testing"
	"time"

	"rempart"
	"rempart/flow"
	"rempart/media"
	"rempart/pdq"
)

// flip returns h with n bits changed.
func flip(h pdq.Hash, n int) pdq.Hash {
	for k := range n {
		b := k * 7 % 256
		h[b/8] ^= 1 << (b % 8)
	}
	return h
}

func pdqQuery(h pdq.Hash) flow.Query {
	return flow.Query{Fingerprint: rempart.Fingerprint{Type: rempart.PDQ, Value: h.String(), Quality: 90}}
}

// matches looks fingerprints up and returns what was found for the first.
func (s *side) matches(q flow.Query, up flow.Upload) []rempart.Match {
	s.t.Helper()
	time.Sleep(15 * time.Millisecond) // a lookup may rest on what was read 10 ms ago
	r, where, err := s.Match(s.t.Context(), []flow.Query{q}, up)
	if err != nil || len(r) != 1 {
		s.t.Fatalf("match: %v, %v", r, err)
	}
	if where == "" && len(r[0].Matches) > 0 {
		s.t.Error("a match at no position")
	}
	return r[0].Matches
}

func (s *side) item(c *rempart.Case) *rempart.Item {
	s.t.Helper()
	c = s.caseOf(c.Ref)
	for k := range c.Items {
		if c.Items[k].Kind == rempart.ItemMedium {
			return &c.Items[k]
		}
	}
	s.t.Fatal("no medium")
	return nil
}

// TestMatchStates takes an entry through its states: it matches while it is
// active, and then only.
func TestMatchStates(t *testing.T) {
	s := newSide(t, newClock(), patience)
	h := hash(1)
	exact := flow.Query{Fingerprint: rempart.Fingerprint{Type: rempart.SHA256, Value: h.String()}}
	c := s.submit(reportOf("", medium(h)))
	want := func(what string, n int) {
		t.Helper()
		for name, q := range map[string]flow.Query{"pdq": pdqQuery(h), "sha256": exact} {
			if m := s.matches(q, flow.Upload{}); len(m) != n {
				t.Errorf("%s: %d matches by %s, want %d", what, len(m), name, n)
			}
		}
		if listed, err := s.Listed(t.Context()); err != nil || listed != 2*n {
			t.Errorf("%s: %d entries listed, %v, want %d", what, listed, err, 2*n)
		}
	}
	want("provisional", 0)
	s.confirm(c)
	want("active", 1)
	m := s.matches(pdqQuery(h), flow.Upload{})[0]
	if m.List != "ncii-adult" || m.Class != rempart.ClassNCIIAdult || m.Action != rempart.ActionBlock || m.CaseRef != c.Ref || m.Value != h.String() || m.Form != "original" {
		t.Errorf("match %+v", m)
	}
	s.change(c, func(c *rempart.Case) error { return c.WithdrawFingerprint(s.item(c).ID, analyst, s.clock.now()) })
	want("withdrawn", 0)

	dropped := s.submit(reportOf("", medium(hash(2))))
	s.change(dropped, func(c *rempart.Case) error {
		return c.RejectFingerprint(s.item(c).ID, "Ce n’est pas la personne.", analyst, s.clock.now())
	})
	if m := s.matches(pdqQuery(hash(2)), flow.Upload{}); len(m) != 0 {
		t.Errorf("rejected: %d matches", len(m))
	}
	s.check()
}

// TestMatchDistance checks the last distance that is a match, and the first that
// is none.
func TestMatchDistance(t *testing.T) {
	s := newSide(t, newClock(), patience)
	h := hash(1)
	s.confirm(s.submit(reportOf("", medium(h))))
	for _, x := range []struct{ distance, found int }{{0, 1}, {1, 1}, {30, 1}, {31, 1}, {32, 0}, {128, 0}} {
		q := flip(h, x.distance)
		if d := q.Distance(h); d != x.distance {
			t.Fatalf("distance %d, want %d", d, x.distance)
		}
		m := s.matches(pdqQuery(q), flow.Upload{})
		if len(m) != x.found || x.found == 1 && m[0].Distance != x.distance {
			t.Errorf("distance %d: %+v", x.distance, m)
		}
	}
	// Exact types match exactly.
	near := flow.Query{Fingerprint: rempart.Fingerprint{Type: rempart.SHA256, Value: flip(h, 1).String()}}
	if m := s.matches(near, flow.Upload{}); len(m) != 0 {
		t.Errorf("a SHA-256 one bit away: %+v", m)
	}
}

// TestMatchRefused checks what cannot be asked.
func TestMatchRefused(t *testing.T) {
	s := newSide(t, newClock(), patience)
	if _, _, err := s.Match(t.Context(), make([]flow.Query, flow.MaxQueries+1), flow.Upload{}); kindIs(err, rempart.TooLarge) != nil {
		t.Error(err)
	}
	_, _, err := s.Match(t.Context(), []flow.Query{pdqQuery(hash(1)), {Fingerprint: rempart.Fingerprint{Type: rempart.PDQ, Value: "zz"}}}, flow.Upload{})
	var p rempart.Problems
	if !errors.As(err, &p) || len(p) != 1 || p[0].Field != "fingerprints[1].value" {
		t.Errorf("error %v, want one on fingerprints[1].value", err)
	}
	for quality, refused := range map[int]string{1: flow.TooFlat, 49: flow.TooFlat, 50: "", 0: ""} { // 0: not said
		q := pdqQuery(hash(1))
		q.Fingerprint.Quality = quality
		if r, _, err := s.Match(t.Context(), []flow.Query{q}, flow.Upload{}); err != nil || r[0].Refused != refused {
			t.Errorf("quality %d: refused %q, %v; want %q", quality, r[0].Refused, err, refused)
		}
	}
	if _, err := s.CheckFile(t.Context(), bytes.NewReader([]byte("no picture")), flow.Upload{}); kindIs(err, rempart.Invalid) != nil {
		t.Error(err)
	}
}

// landscape draws harmless hills.
func landscape(w, h int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			u, v := float64(x)/float64(w), float64(y)/float64(h)
			c := color.RGBA{uint8(90 + 80*v), uint8(140 + 60*v), 230, 255}
			if math.Hypot(u-0.7, v-0.2) < 0.1 {
				c = color.RGBA{255, 230, 120, 255}
			}
			for k := 1.0; k < 5; k++ {
				if v > 0.25+0.13*k+0.1*math.Sin(u*(6+3*k)+2*k)+0.04*math.Sin(u*31*k) {
					c = color.RGBA{uint8(150 - 28*k), uint8(170 - 25*k), uint8(110 - 20*k), 255}
				}
			}
			m.SetRGBA(x, y, c)
		}
	}
	return m
}

func pngOf(t *testing.T, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// turned returns a picture turned or mirrored by a formula on its points.
func turned(m *image.RGBA, w, h int, from func(x, y int) (int, int)) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			fx, fy := from(x, y)
			out.SetRGBA(x, y, m.RGBAAt(fx, fy))
		}
	}
	return out
}

// TestMatchDihedral uploads a picture in its eight forms, at half its size: each
// is found, and says in which form.
func TestMatchDihedral(t *testing.T) {
	const w, h = 320, 240
	big := landscape(2*w, 2*h)
	fp, err := media.Fingerprint(t.Context(), bytes.NewReader(pngOf(t, big)), media.Default)
	if err != nil {
		t.Fatal(err)
	}
	s := newSide(t, newClock(), patience)
	s.confirm(s.submit(reportOf("", rempart.Medium{Fingerprints: []rempart.Fingerprint{{Type: rempart.PDQ, Value: fp.PDQ.String(), Quality: fp.Quality}, {Type: rempart.SHA256, Value: fp.SHA256}}})))
	m := turned(big, w, h, func(x, y int) (int, int) { return 2 * x, 2 * y })
	forms := map[string]*image.RGBA{
		"as it is":              m,
		"mirrored left-right":   turned(m, w, h, func(x, y int) (int, int) { return w - 1 - x, y }),
		"mirrored up-down":      turned(m, w, h, func(x, y int) (int, int) { return x, h - 1 - y }),
		"half a turn":           turned(m, w, h, func(x, y int) (int, int) { return w - 1 - x, h - 1 - y }),
		"a quarter turn":        turned(m, h, w, func(x, y int) (int, int) { return y, h - 1 - x }),
		"a quarter turn back":   turned(m, h, w, func(x, y int) (int, int) { return w - 1 - y, x }),
		"over one diagonal":     turned(m, h, w, func(x, y int) (int, int) { return y, x }),
		"over another diagonal": turned(m, h, w, func(x, y int) (int, int) { return w - 1 - y, h - 1 - x }),
	}
	seen := map[string]string{}
	for name, form := range forms {
		c, err := s.CheckFile(t.Context(), bytes.NewReader(pngOf(t, form)), flow.Upload{Peer: "forum"})
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Matches) != 1 || c.Matches[0].Distance > pdq.MatchDistance {
			t.Errorf("%s: %+v, want one match", name, c.Matches)
			continue
		}
		got := c.Matches[0].Form
		t.Logf("%s: form %s, distance %d", name, got, c.Matches[0].Distance)
		if other, ok := seen[got]; ok {
			t.Errorf("%s and %s have the form %s", name, other, got)
		}
		seen[got] = name
	}
	if seen["original"] != "as it is" {
		t.Errorf("forms: %v", seen)
	}
	// The very file is found by both of its fingerprints.
	c, err := s.CheckFile(t.Context(), bytes.NewReader(pngOf(t, big)), flow.Upload{Peer: "forum"})
	if err != nil || len(c.Matches) != 2 {
		t.Errorf("the file itself: %+v, %v, want two matches", c.Matches, err)
	}
	// A flat picture is looked for by its bytes only, and its quality says why.
	grey := image.NewRGBA(image.Rect(0, 0, 64, 64))
	c, err = s.CheckFile(t.Context(), bytes.NewReader(pngOf(t, grey)), flow.Upload{Peer: "forum"})
	if err != nil || c.Print.Quality >= rempart.MinQuality || len(c.Matches) != 0 {
		t.Errorf("flat picture: %+v, %v", c, err)
	}
	if n := s.stops(); n != 0 {
		t.Errorf("%d stops, though none of these was said to be stopped", n)
	}
}

// stops returns how many uploads were noted as stopped, over all cases.
func (s *side) stops() int {
	s.t.Helper()
	rows, _, err := s.DB.Queue(s.t.Context(), store200)
	if err != nil {
		s.t.Fatal(err)
	}
	n := 0
	for _, r := range rows {
		c, err := s.DB.Case(s.t.Context(), r.ID)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, i := range c.Items {
			n += i.Stops
		}
	}
	return n
}

// TestStopOnce asks about the same upload several times: for each key and item
// it is one stop.
func TestStopOnce(t *testing.T) {
	s := newSide(t, newClock(), patience)
	s.confirm(s.submit(reportOf("", medium(hash(1)))))
	up := flow.Upload{Peer: "forum", Key: "upload-1", Tell: true}
	for range 3 {
		if m := s.matches(pdqQuery(hash(1)), up); len(m) != 1 {
			t.Fatalf("%d matches", len(m))
		}
	}
	if n := s.stops(); n != 1 {
		t.Errorf("%d stops of one upload asked three times, want 1", n)
	}
	s.matches(pdqQuery(hash(1)), flow.Upload{Peer: "forum", Key: "upload-2", Tell: true})
	s.matches(pdqQuery(hash(1)), flow.Upload{Peer: "album", Key: "upload-1", Tell: true})
	s.matches(pdqQuery(hash(1)), flow.Upload{Peer: "forum", Tell: true})
	s.matches(pdqQuery(hash(1)), flow.Upload{Peer: "forum", Key: "upload-3"}) // not stopped
	if n := s.stops(); n != 4 {
		t.Errorf("%d stops, want 4", n)
	}
	s.check()
}

// entryOf is an entry as a hub's feed gives it.
func entryOf(id, item string, h pdq.Hash, state rempart.EntryState) rempart.Entry {
	return rempart.Entry{ID: id, List: "ncii-adult", State: state, CaseRef: "7F3K-9QXM", ItemID: item, Since: start,
		Fingerprint: rempart.Fingerprint{Type: rempart.PDQ, Value: h.String(), Quality: 90}}
}

func (s *side) feed(hub rempart.Peer, cursor string, entries ...rempart.Entry) {
	s.t.Helper()
	if err := s.DB.ApplyFeed(s.t.Context(), hub.ID, entries, cursor); err != nil {
		s.t.Fatal(err)
	}
}

// stopOnce lets an upload match an entry of the hub.
func (s *side) stopOnce(hub rempart.Peer, key string) {
	s.t.Helper()
	s.feed(hub, "1-0-1", entryOf("e1", "m1", hash(1), rempart.EntryActive))
	if m := s.matches(pdqQuery(hash(1)), flow.Upload{Peer: "uploads", Key: key, Tell: true}); len(m) != 1 {
		s.t.Fatalf("%d matches", len(m))
	}
}

// TestStopTold asks a platform about one upload again and again: its hub is told
// once for each item, even when the second item was listed between two asks.
func TestStopTold(t *testing.T) {
	f := newFar(t)
	s, hub := platformOf(t, f.URL)
	s.stopOnce(hub, "upload-1")
	s.stopOnce(hub, "upload-1")
	if jobs := s.left("stop.tell"); len(jobs) != 1 {
		t.Fatalf("%d stops to tell, want 1", len(jobs))
	}
	s.feed(hub, "1-0-2", entryOf("e2", "m2", hash(1), rempart.EntryActive))
	for range 2 {
		if m := s.matches(pdqQuery(hash(1)), flow.Upload{Peer: "uploads", Key: "upload-1", Tell: true}); len(m) != 2 {
			t.Fatalf("%d matches", len(m))
		}
	}
	if jobs := s.left("stop.tell"); len(jobs) != 2 {
		t.Fatalf("%d stops to tell, want 2", len(jobs))
	}
	for s.step() > 0 {
	}
	if len(f.told) != 2 {
		t.Errorf("the hub was told %d stops, want 2", len(f.told))
	}
	for _, e := range []string{"e1", "e2"} {
		if n := s.count(e, "upload.stopped"); n != 1 {
			t.Errorf("entry %s: %d events, want 1", e, n)
		}
	}
	s.check()
}

// TestStopWithoutHub checks that a platform whose hub is gone still gets its
// answer: the upload can be stopped.
func TestStopWithoutHub(t *testing.T) {
	s, hub := platformOf(t, "http://127.0.0.1:1")
	s.feed(hub, "1-0-1", entryOf("e1", "m1", hash(1), rempart.EntryActive))
	hub.DisabledAt = start
	if err := s.DB.PutPeer(t.Context(), hub, "", nil); err != nil {
		t.Fatal(err)
	}
	if m := s.matches(pdqQuery(hash(1)), flow.Upload{Peer: "uploads", Key: "upload-1", Tell: true}); len(m) != 1 {
		t.Errorf("%d matches, want 1", len(m))
	}
	if n := s.count("e1", "upload.stopped"); n != 1 {
		t.Errorf("%d events upload.stopped, want 1", n)
	}
}

// TestEntryChanges lets a feed correct the value of an entry that is active.
func TestEntryChanges(t *testing.T) {
	s, hub := platformOf(t, "")
	s.feed(hub, "1-0-1", entryOf("e1", "m1", hash(1), rempart.EntryActive))
	if m := s.matches(pdqQuery(hash(1)), flow.Upload{}); len(m) != 1 {
		t.Fatalf("%d matches", len(m))
	}
	other := flip(hash(1), 100)
	s.feed(hub, "1-0-2", entryOf("e1", "m1", other, rempart.EntryActive))
	if m := s.matches(pdqQuery(hash(1)), flow.Upload{}); len(m) != 0 {
		t.Errorf("the old value: %+v, want no match", m)
	}
	if m := s.matches(pdqQuery(other), flow.Upload{}); len(m) != 1 || m[0].Distance != 0 {
		t.Errorf("the new value: %+v, want a match", m)
	}
}
