package vpdq_test

import (
	"bytes"
	"errors"
	"image/jpeg"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rempart/pdq"
	"rempart/vpdq"
)

// sample reads one of the shared sample files, or skips the test.
func sample(t *testing.T, name string) []vpdq.Feature {
	t.Helper()
	features, err := vpdq.Parse(bytes.NewReader(sampleText(t, name)))
	if err != nil {
		t.Fatal(err)
	}
	return features
}

func sampleText(t *testing.T, name string) []byte {
	t.Helper()
	return fixture(t, filepath.Join("vpdq", name+".txt"))
}

// folder returns where the fixtures are expected.
func folder() string {
	if dir := os.Getenv("REMPART_FIXTURES"); dir != "" {
		return dir
	}
	return filepath.Join("..", "..", "shared", "fixtures")
}

func fixture(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder(), name))
	if errors.Is(err, fs.ErrNotExist) && os.Getenv("CI") == "" {
		t.Skipf("no fixtures: set REMPART_FIXTURES to their folder: %v", err)
	}
	if err != nil {
		t.Fatalf("no fixtures: set REMPART_FIXTURES: %v", err)
	}
	return text
}

// TestSamples reads every sample file and writes it back.
func TestSamples(t *testing.T) {
	for _, c := range []struct {
		name       string
		frames     int
		good, uniq int // of quality 50; of these, different ones
	}{
		{"chair-19-sd-bar", 564, 564, 562},
		{"chair-19-sd-bar-128x128", 564, 564, 562},
		{"chair-20-sd-bar", 614, 614, 608},
		{"chair-22-with-large-logo-bar", 673, 673, 643},
		{"chair-22-with-small-logo-bar", 673, 673, 651},
		{"doorknob-hd-no-bar", 120, 60, 60},
		{"doorknob-hd-no-bar-128x128", 120, 62, 62},
		{"pattern-hd-no-bar", 206, 205, 204},
		{"pattern-sd-grey-bar", 206, 206, 202},
	} {
		features := sample(t, c.name)
		got := []int{len(features), len(vpdq.Filter(features, pdq.MinQuality)), len(vpdq.Dense(features))}
		if diff := cmp.Diff([]int{c.frames, c.good, c.uniq}, got); diff != "" {
			t.Errorf("%s: frames, good, different (-want +got):\n%s", c.name, diff)
		}
		for i, f := range features {
			if f.Frame != i {
				t.Errorf("%s: line %d is frame %d", c.name, i+1, f.Frame)
				break
			}
		}
		var back bytes.Buffer
		if err := vpdq.Format(&back, features); err != nil {
			t.Fatal(err)
		}
		want := bytes.TrimRight(sampleText(t, c.name), "\n")
		if !bytes.Equal(bytes.TrimRight(back.Bytes(), "\n"), want) {
			t.Errorf("%s: Format does not give back the file", c.name)
		}
		signal, err := vpdq.ParseSignal(vpdq.FormatSignal(features))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(features, signal); diff != "" {
			t.Errorf("%s: signal (-want +got):\n%s", c.name, diff)
		}
	}
}

// TestMatrix holds the percentages that the reference's rules give for the
// sample files. The first row is the one that ThreatExchange's own tools were
// seen to print; the others were counted by a few lines of another language.
func TestMatrix(t *testing.T) {
	for _, c := range []struct {
		query, compared string
		python, cpp     [2]float64 // of the query, of the compared
	}{
		{"chair-19-sd-bar", "chair-20-sd-bar", [2]float64{100, 92.76}, [2]float64{100, 92.18}},
		{"chair-19-sd-bar", "chair-19-sd-bar-128x128", [2]float64{100, 100}, [2]float64{100, 100}},
		{"chair-19-sd-bar", "chair-22-with-small-logo-bar", [2]float64{96.26, 82.80}, [2]float64{96.28, 80.53}},
		{"chair-20-sd-bar", "chair-22-with-small-logo-bar", [2]float64{94.24, 92.93}, [2]float64{94.30, 92.57}},
		{"chair-20-sd-bar", "chair-22-with-large-logo-bar", [2]float64{10.53, 11.04}, [2]float64{10.42, 11.00}},
		{"chair-22-with-large-logo-bar", "chair-22-with-small-logo-bar", [2]float64{11.04, 11.83}, [2]float64{11.00, 11.44}},
		{"doorknob-hd-no-bar", "doorknob-hd-no-bar-128x128", [2]float64{98.33, 95.16}, [2]float64{98.33, 95.16}},
		{"pattern-hd-no-bar", "pattern-sd-grey-bar", [2]float64{}, [2]float64{}}, // bars defeat PDQ
		{"chair-20-sd-bar", "pattern-hd-no-bar", [2]float64{}, [2]float64{}},
	} {
		q, l := sample(t, c.query), sample(t, c.compared)
		for _, o := range []struct {
			opt  vpdq.Options
			want [2]float64
		}{{vpdq.Pytx, c.python}, {vpdq.Reference, c.cpp}} {
			r := vpdq.Match(q, l, o.opt)
			for side, got := range [2]float64{r.Query.Percent(), r.Compared.Percent()} {
				if math.Abs(got-o.want[side]) > 0.005 {
					t.Errorf("%s against %s, strict %v, side %d: %.2f %%, want %.2f", c.query, c.compared, o.opt.Strict, side, got, o.want[side])
				}
			}
			if want := o.want[0] >= 80; r.Match != want {
				t.Errorf("%s against %s: match %v, want %v", c.query, c.compared, r.Match, want)
			}
			back := vpdq.Match(l, q, o.opt)
			if back.Query != r.Compared || back.Compared != r.Query {
				t.Errorf("%s against %s: the other way round %v %v, want %v %v", c.query, c.compared, back.Compared, back.Query, r.Query, r.Compared)
			}
		}
	}
}

// TestSamplingTrap shows why lists hold every frame: sampled once a second on
// both sides, two cuts of one scene share next to nothing.
func TestSamplingTrap(t *testing.T) {
	a, b := sample(t, "chair-19-sd-bar"), sample(t, "chair-20-sd-bar")
	mod := vpdq.Mod(1, 30)
	sparse := vpdq.Match(vpdq.Sample(a, mod), vpdq.Sample(b, mod), vpdq.Pytx)
	if got := [2]vpdq.Count{sparse.Query, sparse.Compared}; got != [2]vpdq.Count{{Kept: 19, Matched: 2}, {Kept: 21, Matched: 1}} {
		t.Errorf("both sparse: %+v, want 2 of 19 (10.5 %%) and 1 of 21 (4.8 %%)", got)
	}
	if sparse.Match {
		t.Error("both sparse: a match")
	}
	dense := vpdq.Match(vpdq.Sample(a, mod), vpdq.Dense(b), vpdq.Pytx)
	if dense.Query != (vpdq.Count{Kept: 19, Matched: 19}) || !dense.Match {
		t.Errorf("sparse query, dense list: %+v, want 19 of 19", dense.Query)
	}
}

// TestClipInside puts 8 seconds of a listed video into a longer upload.
func TestClipInside(t *testing.T) {
	listed := sample(t, "chair-20-sd-bar")
	filler := sample(t, "pattern-hd-no-bar")
	var upload []vpdq.Feature
	at := 0.0
	add := func(features []vpdq.Feature) {
		start := at
		for _, f := range features {
			f.Frame = len(upload)
			at = start + f.Timestamp - features[0].Timestamp
			f.Timestamp = at
			upload = append(upload, f)
		}
		at += 1.0 / 30
	}
	add(filler)
	add(filler)
	begin := at
	add(listed[240:480])
	end := at
	for range 5 {
		add(filler)
	}
	r := vpdq.Match(vpdq.Sample(upload, 30), vpdq.Dense(listed[240:480]), vpdq.Options{Compared: 80})
	if r.Query.Percent() > 20 {
		t.Errorf("the upload: %.1f %% of it in the list, want a small part", r.Query.Percent())
	}
	if want := listed[240].Timestamp - begin; math.Abs(r.Alignment.Offset-want) > 0.5 {
		t.Errorf("offset %.2f s, want %.2f", r.Alignment.Offset, want)
	}
	// Each of the 8 sampled frames of the clip matches at its own moment, and
	// nothing else lies in the time that both share.
	if o := r.Alignment.Overlap; o.Matched < 7 || o.Kept > o.Matched+1 {
		t.Errorf("overlap: %+v, want 8 of 8, give or take one at the edges (%.1f to %.1f s)", o, begin, end)
	}
	whole := vpdq.Match(upload, listed[240:480], vpdq.Options{Compared: 80})
	if !whole.Match || whole.Alignment.Compared.Percent() != 100 {
		t.Errorf("every frame: %+v, want a match of the whole clip, in order", whole)
	}

	// The same frames backwards match as well, but in no order.
	backwards := make([]vpdq.Feature, 240)
	for i := range backwards {
		backwards[i] = listed[479-i]
		backwards[i].Timestamp = listed[i].Timestamp
	}
	b := vpdq.Match(backwards, listed[240:480], vpdq.Options{Compared: 80})
	if !b.Match || b.Alignment.Compared.Percent() > 80 {
		t.Errorf("backwards: match %v, %.0f %% in order, want a match with less in order", b.Match, b.Alignment.Compared.Percent())
	}
}

// TestTurnPictures compares hashes turned bit by bit with those of the turned
// transform, on photographs.
func TestTurnPictures(t *testing.T) {
	for _, name := range []string{"aaa-orig", "blur-a-little", "high-contrast", "sharpen-a-little", "shrink-a-lot", "square-256x256"} {
		m, err := jpeg.Decode(bytes.NewReader(fixture(t, filepath.Join("bridge-mods", name+".jpg"))))
		if err != nil {
			t.Fatal(err)
		}
		forms, _ := pdq.DihedralFromImage(m)
		for d, want := range forms {
			got := vpdq.Turn([]vpdq.Feature{{PDQ: forms[pdq.Original]}}, pdq.Dihedral(d))[0].PDQ
			if n := got.Distance(want); n > 18 {
				t.Errorf("%s, %s: %d bits apart, want 18 at most", name, pdq.Dihedral(d), n)
			}
		}
	}
}
