package law

import (
	"fmt"
	"strconv"

	"rempart"
)

// PenaltyOf returns the penalty of q in words: the most a court may give to a
// natural person.
func PenaltyOf(q rempart.Qualification) rempart.Text {
	an, year := "an", "year"
	if q.PrisonYears > 1 {
		an, year = "ans", "years"
	}
	return rempart.Text{
		FR: fmt.Sprintf("%d\u00a0%s d’emprisonnement et %s\u00a0€ d’amende", q.PrisonYears, an, thousands(q.FineEUR, "\u00a0")),
		EN: fmt.Sprintf("%d %s in prison and a fine of €%s", q.PrisonYears, year, thousands(q.FineEUR, ",")),
	}
}

// thousands writes n, at least 0, with sep between groups of three digits.
func thousands(n int, sep string) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + sep + s[i:]
	}
	return s
}
