package stats

import (
	"math"
	"strings"
	"testing"
)

// rated reads one word an item, one digit a label, a dot for a label not given.
func rated(words string) Ratings {
	var r Ratings
	for _, word := range strings.Fields(words) {
		var labels []int
		for _, c := range word {
			if c != '.' {
				labels = append(labels, int(c-'0'))
			}
		}
		r = append(r, Pattern{labels, 1})
	}
	return r
}

// The tables were drawn in R 4.2.2 with set.seed(2026); the values are those of
// kappa2, kappam.fleiss and kripp.alpha of its package irr 0.84. For complete
// tables of more than two annotators irr's alpha counts each pair as often as
// there are annotators less one, so its values for those are not used here.
const (
	twoOfTwo   = `11 01 00 00 00 00 01 11 00 00 01 11 01 10 00 00 00 00 01 00 00 01 00 00 00 00 00 00 00 11 10 00 11 01 00 00 00 00 11 01`
	twoOfThree = `20 00 00 20 00 00 20 10 20 21 22 00 11 02 10 00 12 00 21 01 00 00 12 00 00 20 00 00 00 20 11 00 11 01 21 21 11 00 22 20 00 11 00 20 00 02 00 20 01 20`
	fourOfFour = `3333 0200 2222 2121 3312 0020 3103 3133 1011 0000 3333 0000 2212 0313 2220 1111 3013 3333 1113 0000 3331 2221 2222 0130 2000 3333 1101 0010 0020 2222`
	withHoles  = `.333 0200 2.22 21.1 33.. .02. 3..3 3.33 .01. 0000 3.33 0000 2.1. ...3 2220 111. 3013 3333 .113 00.0 3331 2221 ..22 0130 .0.0 .3.. 1101 00.0 0.2. ....`
	// irr's own example, the "C" data of Krippendorff (1980).
	krippendorffC = `11.1 2232 3333 3333 2222 1234 4444 1121 2222 .555 ..11 ..3.`
)

func TestAgreement(t *testing.T) {
	for _, c := range []struct {
		name  string
		of    func(Ratings) float64
		table string
		want  float64
	}{
		{"Cohen", Cohen, twoOfTwo, 0.390243902439024},
		{"Fleiss", Fleiss, twoOfTwo, 0.373040752351097},
		{"Krippendorff", Krippendorff, twoOfTwo, 0.380877742946709},
		{"Cohen", Cohen, twoOfThree, 0.231283422459893},
		{"Fleiss", Fleiss, twoOfThree, 0.210435976656368},
		{"Krippendorff", Krippendorff, twoOfThree, 0.218331616889804},
		{"Fleiss", Fleiss, fourOfFour, 0.493576615155464},
		{"Krippendorff", Krippendorff, withHoles, 0.536540483701367},
		{"Krippendorff", Krippendorff, krippendorffC, 0.743421052631579},
	} {
		r := rated(c.table)
		near(t, c.name, c.of(r), c.want, 1e-12)

		// Gathered by pattern, the same.
		gathered := map[string]int{}
		for _, word := range strings.Fields(c.table) {
			gathered[word]++
		}
		var g Ratings
		for word, n := range gathered {
			g = append(g, Pattern{rated(word)[0].Labels, n})
		}
		near(t, c.name+" of the gathered table", c.of(g), c.want, 1e-12)
	}
}

func TestAgreementUndefined(t *testing.T) {
	for name, v := range map[string]float64{
		"Cohen of nothing": Cohen(nil), "Fleiss of nothing": Fleiss(nil), "Krippendorff of nothing": Krippendorff(nil),
		"Cohen of one label": Cohen(rated("00 00")), "Fleiss of one label": Fleiss(rated("00 00")),
		"Krippendorff of one label": Krippendorff(rated("00 00")), "Krippendorff of single labels": Krippendorff(rated("0. 1.")),
	} {
		if !math.IsNaN(v) {
			t.Errorf("%s is %v, want NaN", name, v)
		}
	}
	if v := Cohen(rated("00 11 22")); v != 1 {
		t.Errorf("full agreement is %v", v)
	}
}

// TestBootstrap checks the interval against what is known of a large table: the
// standard error of kappa (Fleiss, Cohen and Everitt 1969) times ±1.96.
func TestBootstrap(t *testing.T) {
	r := Ratings{{[]int{0, 0}, 450}, {[]int{0, 1}, 50}, {[]int{1, 0}, 50}, {[]int{1, 1}, 450}}
	// With equal margins pe = 0.5, po = 0.9, kappa = 0.8; its variance is then
	// po(1−po) / (n(1−pe)²) = 0.09/250.
	i := Bootstrap(r, Cohen, 4000, Level)
	se := math.Sqrt(0.09 / 250)
	near(t, "the low bound", i.Low, 0.8-1.96*se, 0.004)
	near(t, "the high bound", i.High, 0.8+1.96*se, 0.004)
	if again := Bootstrap(r, Cohen, 4000, Level); again != i {
		t.Errorf("%v, then %v: a figure must come out the same again", i, again)
	}
	if i := Bootstrap(rated("00 00"), Cohen, 10, Level); !math.IsNaN(i.Low) {
		t.Errorf("%v where nothing is defined", i)
	}
}
