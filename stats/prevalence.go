package stats

import (
	"fmt"
	"math"
)

// A Classifier is what is known of a method that labels: its sensitivity (share
// of the positives it finds) and specificity (share of the negatives it leaves),
// in 0…1, and on how many items each was measured; 0 for "taken as known".
type Classifier struct {
	Sensitivity, Specificity           float64
	SensitivityItems, SpecificityItems int
}

// check refuses what corrects nothing: with sensitivity + specificity ≤ 1 the
// classifier does no better than chance.
func (c Classifier) check() error {
	for name, v := range map[string]float64{"sensitivity": c.Sensitivity, "specificity": c.Specificity} {
		if !(v >= 0 && v <= 1) {
			return fmt.Errorf("%s is %v: it must lie between 0 and 1", name, v)
		}
	}
	if c.Sensitivity+c.Specificity <= 1 {
		return fmt.Errorf("sensitivity %v and specificity %v: together they must exceed 1, or the classifier says nothing", c.Sensitivity, c.Specificity)
	}
	if c.SensitivityItems < 0 || c.SpecificityItems < 0 || (c.SensitivityItems == 0) != (c.SpecificityItems == 0) {
		return fmt.Errorf("say on how many items both sensitivity and specificity were measured, or for neither")
	}
	return nil
}

// Prevalence corrects a share x of n that a classifier found for the
// classifier's errors, and returns the share, in 0…1, with its interval.
//
// The share is Rogan and Gladen's (American Journal of Epidemiology 107 (1978)
// 71–76), cut to 0…1. Where sensitivity and specificity are taken as known, the
// interval is Wilson's under the same transformation; where they were measured
// on so many items, it is that of Z. Lang and J. Reiczigel (Preventive
// Veterinary Medicine 113 (2014) 13–22), which counts their error too.
func Prevalence(x, n int, c Classifier, level float64) (float64, Interval, Method, error) {
	if err := checkCounts(x, n); err != nil {
		return 0, Interval{}, "", err
	}
	if err := c.check(); err != nil {
		return 0, Interval{}, "", err
	}
	correct := func(p float64) float64 {
		return cut((p + c.Specificity - 1) / (c.Sensitivity + c.Specificity - 1))
	}
	apparent := float64(x) / float64(n)
	if c.SensitivityItems == 0 {
		w := wilson(apparent, float64(n), level)
		return correct(apparent), Interval{correct(w.Low), correct(w.High)}, MethodRoganGladen, nil
	}
	return correct(apparent), langReiczigel(apparent, float64(n), c, level), MethodLangReiczigel, nil
}

// langReiczigel keeps the paper's names: each estimate with pseudo-counts added,
// then a normal interval about a shifted middle.
func langReiczigel(apparent, n float64, c Classifier, level float64) Interval {
	z := z(level)
	nSe, nSp := float64(c.SensitivityItems), float64(c.SpecificityItems)
	p := (n*apparent + z*z/2) / (n + z*z)
	se := (nSe*c.Sensitivity + 1) / (nSe + 2)
	sp := (nSp*c.Specificity + 1) / (nSp + 2)
	n, nSe, nSp = n+z*z, nSe+2, nSp+2
	youden := se + sp - 1
	if youden <= 0 { // possible on a handful of validated items: nothing is known
		return Interval{0, 1}
	}
	prevalence := (p + sp - 1) / youden
	shift := 2 * z * z * (prevalence*se*(1-se)/nSe - (1-prevalence)*sp*(1-sp)/nSp)
	deviation := math.Sqrt(p*(1-p)/n+prevalence*prevalence*se*(1-se)/nSe+(1-prevalence)*(1-prevalence)*sp*(1-sp)/nSp) / youden
	return Interval{cut(prevalence + shift - z*deviation), cut(prevalence + shift + z*deviation)}
}

// cut brings a share that sampling error carried outside back into 0…1.
func cut(p float64) float64 { return min(1, max(0, p)) }
