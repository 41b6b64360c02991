package law

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"rempart"
)

// PenaltyOf returns the penalty of q in words: the most a court may give to a
// natural person.
func PenaltyOf(q rempart.Qualification) rempart.Text {
	var fr, en []string
	if q.PrisonYears > 0 {
		prisonFR, prisonEN := prison(q.PrisonYears)
		fr, en = append(fr, prisonFR), append(en, prisonEN)
	}
	if q.FineEUR > 0 {
		fr = append(fr, thousands(q.FineEUR, "\u00a0")+"\u00a0€ d’amende")
		en = append(en, "a fine of €"+thousands(q.FineEUR, ","))
	}
	return rempart.Text{FR: strings.Join(fr, " et "), EN: strings.Join(en, " and ")}
}

// prison writes years, or months where they are not whole.
func prison(years float64) (fr, en string) {
	n, fr, en := years, "ans", "years"
	switch {
	case years != math.Trunc(years):
		n, fr, en = math.Round(years*12), "mois", "months"
		if n == 1 {
			en = "month"
		}
	case years == 1:
		fr, en = "an", "year"
	}
	return fmt.Sprintf("%.0f\u00a0%s d’emprisonnement", n, fr), fmt.Sprintf("%.0f %s in prison", n, en)
}

// thousands writes n, at least 0, with sep between groups of three digits.
func thousands(n int, sep string) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + sep + s[i:]
	}
	return s
}
