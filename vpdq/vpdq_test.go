package vpdq_test

import (
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rempart/pdq"
	"rempart/vpdq"
)

const digits = "dadb999c25266273529cadac89cb52c22324ad3bce99726c38668d93c799f07c"

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ name, line, want string }{
		{"no timestamp", "0,100," + digits, "3 columns"},
		{"one too many", "0,100," + digits + ",0,0", "5 columns"},
		{"empty line", "", "1 columns"},
		{"negative frame", "-1,100," + digits + ",0", "frame"},
		{"frame too large", "2147483648,100," + digits + ",0", "frame"},
		{"quality", "0,101," + digits + ",0", "quality"},
		{"short pdq", "0,100," + digits[1:] + ",0", "pdq"},
		{"space", "0,100, " + digits + ",0", "pdq"},
		{"negative timestamp", "0,100," + digits + ",-0.1", "timestamp"},
		{"no number", "0,100," + digits + ",NaN", "timestamp"},
		{"endless", "0,100," + digits + ",Inf", "timestamp"},
		{"too late", "0,100," + digits + ",1e8", "timestamp"},
		{"long line", "0,100," + digits + ",0." + strings.Repeat("0", 200), "too long"},
	} {
		text := "0,100," + digits + ",0.000\n" + c.line + "\n"
		_, err := vpdq.Parse(strings.NewReader(text))
		if !errors.Is(err, vpdq.ErrFormat) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%s: %v, want an error of line 2 with %q", c.name, err, c.want)
		} else if strings.Contains(err.Error(), digits[2:20]) {
			t.Errorf("%s: the error repeats the text: %v", c.name, err)
		}
	}
	for _, text := range []string{"", "null", "{}", `"x"`, "[1]", `["a"]`, `["` + digits + `,100"]`, `["` + digits + `,100,0"] x`, "["} {
		if f, err := vpdq.ParseSignal([]byte(text)); !errors.Is(err, vpdq.ErrFormat) {
			t.Errorf("signal %q: %v, %v, want an error", text, f, err)
		}
	}
}

func TestParse(t *testing.T) {
	h, err := pdq.Parse(digits)
	if err != nil {
		t.Fatal(err)
	}
	got, err := vpdq.Parse(strings.NewReader("7,49," + digits + ",1.23e+03\r\n8,0," + strings.ToUpper(digits) + ",0"))
	want := []vpdq.Feature{{PDQ: h, Quality: 49, Frame: 7, Timestamp: 1230}, {PDQ: h, Frame: 8}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("lines: %v (-want +got):\n%s", err, diff)
	}
	got, err = vpdq.ParseSignal([]byte(`["` + digits + `,49,1.23e+03"]`))
	want = []vpdq.Feature{{PDQ: h, Quality: 49, Timestamp: 1230}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("signal: %v (-want +got):\n%s", err, diff)
	}
}

// near returns a hash n bits away from h.
func near(h pdq.Hash, n int) pdq.Hash {
	for i := range n {
		h[i/8] ^= 1 << (i % 8)
	}
	return h
}

// TestEdges: the last distance that matches, under each rule, and the quality
// that counts.
func TestEdges(t *testing.T) {
	h := pdq.Hash{1, 2, 3}
	one := func(h pdq.Hash, quality int) []vpdq.Feature {
		return []vpdq.Feature{{PDQ: h, Quality: quality}}
	}
	for _, c := range []struct {
		name              string
		distance, quality int
		opt               vpdq.Options
		want              bool
	}{
		{"31, pytx", 31, 50, vpdq.Pytx, true},
		{"32, pytx", 32, 50, vpdq.Pytx, false},
		{"30, C++", 30, 50, vpdq.Reference, true},
		{"31, C++", 31, 50, vpdq.Reference, false},
		{"quality 49", 0, 49, vpdq.Pytx, false},
		{"quality 49 asked for", 0, 49, vpdq.Options{Quality: 49, Query: 80}, true},
		{"distance 40 asked for", 40, 50, vpdq.Options{Distance: 40, Query: 80}, true},
		{"equal values only", 1, 50, vpdq.Options{Distance: 1, Strict: true, Query: 80}, false},
	} {
		if r := vpdq.Match(one(h, 100), one(near(h, c.distance), c.quality), c.opt); r.Match != c.want {
			t.Errorf("%s: %v, want %v", c.name, r.Match, c.want)
		}
	}
	if r := vpdq.Match(nil, nil, vpdq.Options{}); r.Match || r.Query.Percent() != 0 {
		t.Errorf("nothing against nothing: %+v, want no match", r)
	}
}

// TestUnique: a frame of low quality with the PDQ of a later, better one.
func TestUnique(t *testing.T) {
	h := pdq.Hash{1}
	query := []vpdq.Feature{{PDQ: h, Quality: 10}, {PDQ: h, Quality: 90, Frame: 1}, {PDQ: h, Quality: 90, Frame: 2}}
	for unique, want := range map[vpdq.Unique]int{vpdq.UniqueNever: 2, vpdq.UniqueFirst: 0, vpdq.UniqueSecond: 1} {
		if got := vpdq.Match(query, query[1:], vpdq.Options{Unique: unique}).Query.Kept; got != want {
			t.Errorf("unique %d: %d frames kept, want %d", unique, got, want)
		}
	}
}

func TestMod(t *testing.T) {
	for _, c := range []struct {
		seconds, rate float64
		want          int
	}{{1, 30, 30}, {1, 30000.0 / 1001, 29}, {0, 30, 1}, {0.01, 25, 1}, {2, 0.4, 1}, {1, math.NaN(), 1}, {1, math.Inf(1), math.MaxInt32}} {
		if got := vpdq.Mod(c.seconds, c.rate); got != c.want {
			t.Errorf("Mod(%g, %g) = %d, want %d", c.seconds, c.rate, got, c.want)
		}
	}
}

// clips draws videos whose frames are often near one another.
func clips() *rapid.Generator[[]vpdq.Feature] {
	return rapid.Custom(func(t *rapid.T) []vpdq.Feature {
		features := make([]vpdq.Feature, rapid.IntRange(0, 40).Draw(t, "frames"))
		for i := range features {
			base := pdq.Hash{31: byte(rapid.IntRange(0, 3).Draw(t, "scene"))}
			for k := range 16 {
				base[16+k] *= 0xff
			}
			features[i] = vpdq.Feature{
				PDQ:       near(base, rapid.IntRange(0, 64).Draw(t, "bits")),
				Quality:   rapid.IntRange(0, 100).Draw(t, "quality"),
				Frame:     i,
				Timestamp: float64(i) / 4,
			}
		}
		return features
	})
}

func TestProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := clips().Draw(t, "a"), clips().Draw(t, "b")
		opt := vpdq.Options{
			Strict: rapid.Bool().Draw(t, "strict"),
			Unique: vpdq.Unique(rapid.IntRange(0, 2).Draw(t, "unique")),
		}
		r, back := vpdq.Match(a, b, opt), vpdq.Match(b, a, opt)
		if r.Query != back.Compared || r.Compared != back.Query || r.Match != back.Match {
			t.Fatalf("not symmetric: %+v and %+v", r, back)
		}
		if (r.Query.Matched == 0) != (r.Compared.Matched == 0) {
			t.Fatalf("one side only: %+v", r)
		}
		for _, c := range []vpdq.Count{r.Alignment.Query, r.Alignment.Compared, r.Alignment.Overlap} {
			if c.Matched > c.Kept || c.Matched < 0 {
				t.Fatalf("more matched than there are: %+v", r.Alignment)
			}
		}
		if opt.Unique == vpdq.UniqueNever && r.Alignment.Query.Matched > r.Query.Matched {
			t.Fatalf("more match in order than do in any: %+v", r)
		}
		if r.Query.Matched > 0 && r.Alignment.Query.Matched == 0 {
			t.Fatalf("frames match at no offset: %+v", r)
		}
		self := vpdq.Match(a, a, opt)
		if self.Query.Kept > 0 {
			if self.Query.Percent() != 100 || self.Compared.Percent() != 100 || self.Alignment.Query.Percent() != 100 {
				t.Fatalf("not the same as itself: %+v", self)
			}
		}
		if looser := vpdq.Match(a, b, vpdq.Options{Distance: 60, Unique: opt.Unique}); looser.Query.Matched < r.Query.Matched {
			t.Fatalf("a greater distance finds less: %+v and %+v", looser, r)
		}
	})
}

// TestTurn: the eight turns undo one another, and leave the rest of a feature.
func TestTurn(t *testing.T) {
	h, err := pdq.Parse(digits)
	if err != nil {
		t.Fatal(err)
	}
	whole := []vpdq.Feature{{PDQ: h, Quality: 100, Frame: 3, Timestamp: 0.1}}
	seen := map[pdq.Hash]bool{}
	for d := range pdq.Dihedral(8) {
		turned := vpdq.Turn(whole, d)
		seen[turned[0].PDQ] = true
		if turned[0].Frame != 3 || turned[0].Timestamp != 0.1 || turned[0].Quality != 100 {
			t.Errorf("%s: %+v", d, turned[0])
		}
		inverse := d
		if d == pdq.Rot90 {
			inverse = pdq.Rot270
		} else if d == pdq.Rot270 {
			inverse = pdq.Rot90
		}
		if back := vpdq.Turn(turned, inverse); back[0] != whole[0] {
			t.Errorf("%s and back is another hash", d)
		}
	}
	if len(seen) != 8 {
		t.Errorf("%d different hashes, want 8", len(seen))
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("0,100," + digits + ",0.000\n1,49," + digits + ",1.23e+03\r\n"))
	f.Add([]byte(`["` + digits + `,100,12.3", "` + digits + `,0,0"]`))
	f.Add([]byte("0,100\n"))
	fixtures, _ := filepath.Glob(filepath.Join(folder(), "vpdq", "*.txt"))
	if len(fixtures) == 0 && os.Getenv("CI") != "" {
		f.Fatal("no fixtures: set REMPART_FIXTURES")
	}
	for _, name := range fixtures {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data[:1+bytes.IndexByte(data[2000:], '\n')+2000])
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if features, err := vpdq.Parse(strings.NewReader(string(text))); err == nil {
			var back strings.Builder
			if err := vpdq.Format(&back, features); err != nil {
				t.Fatal(err)
			}
			again, err := vpdq.Parse(strings.NewReader(back.String()))
			if err != nil {
				t.Fatalf("what was written is not read: %v", err)
			}
			same(t, features, again)
		} else if !errors.Is(err, vpdq.ErrFormat) {
			t.Fatalf("an error of no kind: %v", err)
		}
		if features, err := vpdq.ParseSignal(text); err == nil {
			again, err := vpdq.ParseSignal(vpdq.FormatSignal(features))
			if err != nil {
				t.Fatalf("what was written is not read: %v", err)
			}
			same(t, features, again)
		} else if !errors.Is(err, vpdq.ErrFormat) {
			t.Fatalf("an error of no kind: %v", err)
		}
	})
}

// same fails unless a and b are equal but for timestamps below a millisecond.
func same(t *testing.T, a, b []vpdq.Feature) {
	if len(a) != len(b) {
		t.Fatalf("%d features, want %d", len(b), len(a))
	}
	for i := range a {
		if math.Abs(a[i].Timestamp-b[i].Timestamp) > 0.00051 {
			t.Fatalf("feature %d: %v, want %v", i, b[i], a[i])
		}
		a[i].Timestamp = b[i].Timestamp
		if a[i] != b[i] {
			t.Fatalf("feature %d: %v, want %v", i, b[i], a[i])
		}
	}
}

func BenchmarkMatch(b *testing.B) {
	features := make([]vpdq.Feature, 600)
	for i := range features {
		features[i] = vpdq.Feature{PDQ: pdq.Hash{byte(i), byte(i >> 8), byte(i * 7), byte(i * 31), byte(i * 101), byte(i * 53), byte(i * 29)}, Quality: 100, Timestamp: float64(i) / 30}
		for k := 7; k < 32; k++ {
			features[i].PDQ[k] = byte((i + 1) * (k*k + 3) * 2654435761 >> 13)
		}
	}
	for b.Loop() {
		vpdq.Match(features, features, vpdq.Pytx)
	}
}
