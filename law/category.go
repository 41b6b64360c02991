package law

import "rempart"

// A Category is a line of the harmonised templates of Implementing Regulation
// (EU) 2024/2835, with the words of the Commission's transparency database for
// the same thing.
type Category struct {
	Code      string `json:"code"`              // "3f"
	Name      string `json:"name"`              // "NON_CONSENSUAL_MATERIAL_DEEPFAKE"
	Statement string `json:"statement"`         // "STATEMENT_CATEGORY_CYBER_VIOLENCE"
	Keyword   string `json:"keyword,omitempty"` // "KEYWORD_…", or "" when the statement has none that fits
}

// CategoryOf returns the one category of a case with these facts, for notices
// and statistics, as the newest pack of the European Union has them. A minor's
// case is always in part 9: sexual, it is 9c when made or altered and 9b
// otherwise, as the labels of 3e and 3f exclude minors. Categories against women
// (4a to 4h) are not used: a report never asks the person's sex.
func CategoryOf(f rempart.Facts) Category { return Europe().Category(f) }
