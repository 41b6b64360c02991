package stats

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Level is the confidence level of every interval that is published: 95 %.
const Level = 0.95

// FewEvents is the number of events, or of non-events, below which Proportion
// takes the exact interval instead of Wilson's.
const FewEvents = 5

// Interval holds two bounds, Low ≤ High, in the unit of what they bound.
type Interval struct{ Low, High float64 }

// A Method names how an interval was computed, as it is printed.
type Method string

const (
	MethodWilson         Method = "wilson"
	MethodWilsonFinite   Method = "wilson, finite population correction"
	MethodClopperPearson Method = "clopper-pearson"
	MethodRoganGladen    Method = "rogan-gladen on wilson"
	MethodLangReiczigel  Method = "lang-reiczigel"
)

// errCounts is returned for counts that no sample has.
var errCounts = errors.New("counts must satisfy 0 ≤ numerator ≤ denominator, denominator > 0")

// Check says what is wrong with a numerator and a denominator, if anything.
func checkCounts(x, n int) error {
	if n <= 0 || x < 0 || x > n {
		return fmt.Errorf("%d of %d: %w", x, n, errCounts)
	}
	return nil
}

// z is the two-sided normal quantile of level, 1.95996… for 0.95.
func z(level float64) float64 {
	return distuv.UnitNormal.Quantile(1 - (1-level)/2)
}

// Proportion returns the interval of x out of n at Level that we publish: the
// exact one where events or non-events are fewer than FewEvents, Wilson's
// otherwise; corrected for a finite population when one is given (0 if none)
// and the sample is more than 5 % of it.
func Proportion(x, n, population int) (Interval, Method, error) {
	if err := checkCounts(x, n); err != nil {
		return Interval{}, "", err
	}
	if population != 0 && population < n {
		return Interval{}, "", fmt.Errorf("a population of %d cannot hold a sample of %d", population, n)
	}
	if population != 0 && float64(n) > 0.05*float64(population) {
		i, err := WilsonFinite(x, n, population, Level)
		return i, MethodWilsonFinite, err
	}
	if min(x, n-x) < FewEvents {
		i, err := ClopperPearson(x, n, Level)
		return i, MethodClopperPearson, err
	}
	i, err := Wilson(x, n, Level)
	return i, MethodWilson, err
}

// Wilson returns the score interval of a proportion, in 0…1.
// Source: E. B. Wilson, "Probable inference, the law of succession, and
// statistical inference", JASA 22 (1927) 209–212.
func Wilson(x, n int, level float64) (Interval, error) {
	if err := checkCounts(x, n); err != nil {
		return Interval{}, err
	}
	return wilson(float64(x)/float64(n), float64(n), level), nil
}

func wilson(p, n, level float64) Interval {
	z := z(level)
	middle := (p + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return Interval{max(0, middle-half), min(1, middle+half)}
}

// WilsonFinite is Wilson with the number of draws made larger by the finite
// population correction (N−1)/(N−n), so that the variance shrinks by it; a
// sample that is the whole population has an interval of no width.
// Source of the correction: W. G. Cochran, Sampling Techniques, 3rd ed., 2.6.
func WilsonFinite(x, n, population int, level float64) (Interval, error) {
	if err := checkCounts(x, n); err != nil {
		return Interval{}, err
	}
	p := float64(x) / float64(n)
	if population <= n {
		if population < n {
			return Interval{}, fmt.Errorf("a population of %d cannot hold a sample of %d", population, n)
		}
		return Interval{p, p}, nil
	}
	draws := float64(n) * float64(population-1) / float64(population-n)
	return wilson(p, draws, level), nil
}

// ClopperPearson returns the exact interval of a proportion, in 0…1.
// Source: C. J. Clopper and E. S. Pearson, Biometrika 26 (1934) 404–413, by the
// quantiles of the beta distribution.
func ClopperPearson(x, n int, level float64) (Interval, error) {
	if err := checkCounts(x, n); err != nil {
		return Interval{}, err
	}
	tail := (1 - level) / 2
	i := Interval{0, 1}
	if x > 0 {
		i.Low = distuv.Beta{Alpha: float64(x), Beta: float64(n - x + 1)}.Quantile(tail)
	}
	if x < n {
		i.High = distuv.Beta{Alpha: float64(x + 1), Beta: float64(n - x)}.Quantile(1 - tail)
	}
	return i, nil
}

// Total scales an interval of a proportion to a population, in items.
func (i Interval) Total(population int) Interval {
	return Interval{i.Low * float64(population), i.High * float64(population)}
}

// Difference returns p1 − p2 for x1 of n1 against x2 of n2, with Newcombe's
// hybrid score interval at level: what changed after a measure, or differs
// between two surfaces.
// Source: R. G. Newcombe, Statistics in Medicine 17 (1998) 873–890, method 10.
func Difference(x1, n1, x2, n2 int, level float64) (float64, Interval, error) {
	a, err := Wilson(x1, n1, level)
	if err != nil {
		return 0, Interval{}, err
	}
	b, err := Wilson(x2, n2, level)
	if err != nil {
		return 0, Interval{}, err
	}
	p1, p2 := float64(x1)/float64(n1), float64(x2)/float64(n2)
	d := p1 - p2
	return d, Interval{
		d - math.Hypot(p1-a.Low, b.High-p2),
		d + math.Hypot(a.High-p1, p2-b.Low),
	}, nil
}
