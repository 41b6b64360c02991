package stats

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// A Pattern is the labels that each of so many items got, one small number a
// label: the first annotator's first.
type Pattern struct {
	Labels []int
	Items  int
}

// Ratings holds all that annotators said, gathered by pattern, so that ten
// million items cost no more to resample than a hundred.
type Ratings []Pattern

// Items returns how many items the ratings hold.
func (r Ratings) Items() int {
	n := 0
	for _, p := range r {
		n += p.Items
	}
	return n
}

// labels returns how many labels there are: the largest number plus one.
func (r Ratings) labels() int {
	n := 0
	for _, p := range r {
		for _, label := range p.Labels {
			n = max(n, label+1)
		}
	}
	return n
}

// Cohen returns Cohen's kappa of two annotators, the first and the second label
// of every item; NaN without items, and where all labels are the same. It
// panics unless each item has two labels.
// Source: J. Cohen, Educational and Psychological Measurement 20 (1960) 37–46.
func Cohen(r Ratings) float64 {
	k := r.labels()
	first, second := make([]float64, k), make([]float64, k)
	agreed, n := 0.0, float64(r.Items())
	for _, p := range r {
		if len(p.Labels) != 2 {
			panic(fmt.Sprintf("stats: Cohen takes two labels an item, not %d", len(p.Labels)))
		}
		first[p.Labels[0]] += float64(p.Items)
		second[p.Labels[1]] += float64(p.Items)
		if p.Labels[0] == p.Labels[1] {
			agreed += float64(p.Items)
		}
	}
	chance := 0.0
	for i := range k {
		chance += first[i] / n * second[i] / n
	}
	return (agreed/n - chance) / (1 - chance)
}

// Fleiss returns Fleiss' kappa of m labels an item, whoever gave them; NaN
// without items, and where all labels are the same. It panics unless each item
// has the same number of labels, two at least.
// Source: J. L. Fleiss, Psychological Bulletin 76 (1971) 378–382.
func Fleiss(r Ratings) float64 {
	if len(r) == 0 {
		return math.NaN()
	}
	k, m := r.labels(), len(r[0].Labels)
	totals, count := make([]float64, k), make([]float64, k)
	agreed, n := 0.0, float64(r.Items())
	for _, p := range r {
		if len(p.Labels) != m || m < 2 {
			panic(fmt.Sprintf("stats: Fleiss takes the same number of labels an item, two at least; not %d and %d", m, len(p.Labels)))
		}
		clear(count)
		for _, label := range p.Labels {
			count[label]++
			totals[label] += float64(p.Items)
		}
		pairs := -float64(m)
		for _, c := range count {
			pairs += c * c
		}
		agreed += pairs / float64(m*(m-1)) * float64(p.Items)
	}
	chance := 0.0
	for _, t := range totals {
		chance += t / (n * float64(m)) * t / (n * float64(m))
	}
	return (agreed/n - chance) / (1 - chance)
}

// Krippendorff returns Krippendorff's alpha for labels without an order, with
// any number of labels an item (an item with fewer than two says nothing); NaN
// where nothing can be compared or all labels are the same.
// Source: K. Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011),
// section C.
func Krippendorff(r Ratings) float64 {
	k := r.labels()
	totals, count := make([]float64, k), make([]float64, k)
	disagreed, n := 0.0, 0.0
	for _, p := range r {
		m := float64(len(p.Labels))
		if m < 2 {
			continue
		}
		clear(count)
		for _, label := range p.Labels {
			count[label]++
			totals[label] += float64(p.Items)
		}
		unlike := m * m
		for _, c := range count {
			unlike -= c * c
		}
		disagreed += float64(p.Items) * unlike / (m - 1)
		n += float64(p.Items) * m
	}
	unlike := n * n
	for _, t := range totals {
		unlike -= t * t
	}
	return 1 - (n-1)*disagreed/unlike
}

// Bootstrap returns the percentile interval at level of a coefficient over
// `rounds` resamplings of the items, drawn with a fixed seed so that a figure
// comes out the same when it is computed again. Resamplings in which the
// coefficient is not defined are left out; the bounds are NaN where all are.
// Source: B. Efron, Annals of Statistics 7 (1979) 1–26.
func Bootstrap(r Ratings, coefficient func(Ratings) float64, rounds int, level float64) Interval {
	rnd := rand.NewPCG(20, 26)
	sample := make(Ratings, 0, len(r))
	values := make([]float64, 0, rounds)
	for range rounds {
		sample = resample(sample[:0], r, rnd)
		if v := coefficient(sample); !math.IsNaN(v) {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return Interval{math.NaN(), math.NaN()}
	}
	slices.Sort(values)
	at := func(q float64) float64 { return values[int(math.Round(q*float64(len(values)-1)))] }
	tail := (1 - level) / 2
	return Interval{at(tail), at(1 - tail)}
}

// resample appends to dst as many items as r has, drawn with replacement: a
// multinomial draw of the patterns, one binomial after the other.
func resample(dst, r Ratings, rnd rand.Source) Ratings {
	left := r.Items() // to draw
	among := left     // items of the patterns not yet drawn from
	for _, p := range r {
		n := left
		if p.Items < among {
			n = int(distuv.Binomial{N: float64(left), P: float64(p.Items) / float64(among), Src: rnd}.Rand())
		}
		left -= n
		among -= p.Items
		if n > 0 {
			dst = append(dst, Pattern{p.Labels, n})
		}
	}
	return dst
}
