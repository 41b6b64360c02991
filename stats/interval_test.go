package stats

import (
	"math"
	"strconv"
	"testing"
)

func percent(share float64) string { return strconv.FormatFloat(100*share, 'f', 2, 64) }

func near(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if !(math.Abs(got-want) <= within) {
		t.Errorf("%s is %.12g, want %.12g", what, got, want)
	}
}

// TestIntervals compares with R 4.2.2: prop.test(x, n, correct = FALSE) for
// Wilson's interval and binom.test(x, n) for the exact one.
func TestIntervals(t *testing.T) {
	for _, c := range []struct {
		x, n          int
		wilson, exact Interval
	}{
		{10600, 20000, Interval{0.52307786597, 0.536910611867}, Interval{0.523054024725, 0.536937251413}},
		{8586, 10600, Interval{0.802420029829, 0.817355362469}, Interval{0.802399895261, 0.817429424062}},
		{400, 20000, Interval{0.0181499097261, 0.0220344448878}, Interval{0.018104753193, 0.0220365215315}},
		{30, 20000, Interval{0.00105094907219, 0.00214051087575}, Interval{0.00101226543542, 0.00214065650427}},
		{12995, 20000, Interval{0.643110386343, 0.656332098858}, Interval{0.643092175926, 0.656364267889}},
		{101, 20000, Interval{0.00415817497504, 0.0061319215169}, Interval{0.00411513447009, 0.00613287230756}},
		{4, 20000, Interval{7.77787560502e-05, 0.000514180485632}, Interval{5.44958711328e-05, 0.000511999533784}},
		{0, 50, Interval{0, 0.0713475991334}, Interval{0, 0.0711217364642}},
		{3, 50, Interval{0.020614970349, 0.162170916888}, Interval{0.0125485878353, 0.165481946604}},
		{50, 50, Interval{0.928652400867, 1}, Interval{0.928878263536, 1}},
		{1, 1, Interval{0.206549314377, 1}, Interval{0.025, 1}},
	} {
		w, err := Wilson(c.x, c.n, Level)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "Wilson's low", w.Low, c.wilson.Low, 1e-11)
		near(t, "Wilson's high", w.High, c.wilson.High, 1e-11)
		e, err := ClopperPearson(c.x, c.n, Level)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "the exact low", e.Low, c.exact.Low, 1e-11)
		near(t, "the exact high", e.High, c.exact.High, 1e-11)

		published, method, err := Proportion(c.x, c.n, 0)
		if err != nil {
			t.Fatal(err)
		}
		want, name := c.wilson, MethodWilson
		if c.x < 5 || c.n-c.x < 5 {
			want, name = c.exact, MethodClopperPearson
		}
		near(t, "the published low", published.Low, want.Low, 1e-11)
		near(t, "the published high", published.High, want.High, 1e-11)
		if method != name {
			t.Errorf("%d of %d by %q, want %q", c.x, c.n, method, name)
		}
	}
}

// TestPublished reproduces the intervals that we give for published audits: the
// Grok audit of AI Forensics as reconstructed, and the extrapolation of the CCDH
// to the 4,621,386 images that its figures imply.
func TestPublished(t *testing.T) {
	for _, c := range []struct {
		x, n      int
		low, high string // in percent
	}{{10600, 20000, "52.31", "53.69"}, {8586, 10600, "80.24", "81.74"}, {400, 20000, "1.81", "2.20"}, {12995, 20000, "64.31", "65.63"}} {
		i, _, err := Proportion(c.x, c.n, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := percent(i.Low); got != c.low {
			t.Errorf("%d of %d: from %s %%, want %s", c.x, c.n, got, c.low)
		}
		if got := percent(i.High); got != c.high {
			t.Errorf("%d of %d: to %s %%, want %s", c.x, c.n, got, c.high)
		}
	}
	i, method, err := Proportion(101, 20000, 4621386)
	if err != nil || method != MethodWilson {
		t.Fatal(method, err)
	}
	if total := i.Total(4621386); math.Round(total.Low/100) != 192 || math.Round(total.High/100) != 283 {
		t.Errorf("from %.0f to %.0f children's images, want 19,200 to 28,300", total.Low, total.High)
	}
}

// TestFinite checks the correction at both ends: it changes nothing in an
// endless population, and leaves no doubt where all of it was counted.
func TestFinite(t *testing.T) {
	plain, err := Wilson(40, 100, Level)
	if err != nil {
		t.Fatal(err)
	}
	endless, err := WilsonFinite(40, 100, 1<<40, Level)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "the low bound in an endless population", endless.Low, plain.Low, 1e-9)
	half, method, err := Proportion(40, 100, 200)
	if err != nil || method != MethodWilsonFinite {
		t.Fatal(method, err)
	}
	// n is counted as 100 × 199/100 = 199 draws: Wilson's interval of 79.6 of 199.
	near(t, "the low bound in 200", half.Low, wilson(0.4, 199, Level).Low, 1e-12)
	if !(plain.Low < half.Low && half.Low < 0.4 && 0.4 < half.High && half.High < plain.High) {
		t.Errorf("%v in a population of 200, %v without", half, plain)
	}
	all, _, err := Proportion(40, 100, 100)
	if err != nil || all != (Interval{0.4, 0.4}) {
		t.Errorf("%v, %v for a whole population, want no width", all, err)
	}
	for _, bad := range [][3]int{{-1, 10, 0}, {11, 10, 0}, {0, 0, 0}, {5, 10, 9}} {
		if _, _, err := Proportion(bad[0], bad[1], bad[2]); err == nil {
			t.Errorf("%v: no error", bad)
		}
	}
}

// TestDifference compares with the worked example of Newcombe (1998), table II,
// contrast (a), method 10: 56/70 − 48/80.
func TestDifference(t *testing.T) {
	d, i, err := Difference(56, 70, 48, 80, Level)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "the difference", d, 0.2, 1e-12)
	near(t, "its low bound", i.Low, 0.0524, 5e-5)
	near(t, "its high bound", i.High, 0.3339, 5e-5)
}
