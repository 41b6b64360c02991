package stats

import "testing"

// TestPrevalence compares with R: epi.prev(method = "wilson") of epiR 2.0.57 for
// a classifier taken as known, prevSeSp of asht for a measured one.
func TestPrevalence(t *testing.T) {
	for _, c := range []struct {
		x, n   int
		by     Classifier
		share  float64
		want   Interval
		method Method
	}{
		{1060, 2000, Classifier{0.9, 0.95, 0, 0}, 0.564705882353, Interval{0.538929182202, 0.590347261519}, MethodRoganGladen},
		{10600, 20000, Classifier{0.9, 0.95, 500, 500}, 0.564705882353, Interval{0.543463673615, 0.587140727025}, MethodLangReiczigel},
		{20, 100, Classifier{0.8, 0.85, 50, 60}, 0.0769230769231, Interval{0, 0.25011121962}, MethodLangReiczigel},
	} {
		share, i, method, err := Prevalence(c.x, c.n, c.by, Level)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "the share", share, c.share, 1e-10)
		near(t, "its low bound", i.Low, c.want.Low, 1e-10)
		near(t, "its high bound", i.High, c.want.High, 1e-10)
		if method != c.method {
			t.Errorf("by %q, want %q", method, c.method)
		}
	}
}

func TestPrevalenceRefuses(t *testing.T) {
	for _, by := range []Classifier{
		{0.5, 0.5, 0, 0}, {0.3, 0.4, 0, 0}, {1.2, 0.9, 0, 0}, {0.9, -0.1, 0, 0}, {0.9, 0.9, 10, 0}, {0.9, 0.9, -1, -1},
	} {
		if _, _, _, err := Prevalence(10, 20, by, Level); err == nil {
			t.Errorf("%+v: no error", by)
		}
	}
	share, i, _, err := Prevalence(1, 100, Classifier{0.9, 0.9, 0, 0}, Level)
	if err != nil || share != 0 || i.Low != 0 {
		t.Errorf("%v %v %v: fewer positives than the classifier errs, want a share of 0", share, i, err)
	}
}
