package law

import "rempart"

// A Category is a line of the harmonised templates of Implementing Regulation
// (EU) 2024/2835, with the words of the Commission's transparency database for
// the same thing.
type Category struct {
	Code      string // "3f"
	Name      string // "NON_CONSENSUAL_MATERIAL_DEEPFAKE"
	Statement string // "STATEMENT_CATEGORY_CYBER_VIOLENCE"
	Keyword   string // "KEYWORD_…", or "" when the statement has none that fits
}

func category(code, statement, name string) Category {
	return Category{Code: code, Name: name, Statement: "STATEMENT_CATEGORY_" + statement, Keyword: "KEYWORD_" + name}
}

// Categories that a case can fall in. Those against women (4a to 4h) are not
// among them: a report never asks the person's sex.
var (
	intimidation = category("3a", "CYBER_VIOLENCE", "CYBER_BULLYING_INTIMIDATION")
	harassment   = category("3b", "CYBER_VIOLENCE", "CYBER_HARASSMENT")
	imageSharing = category("3e", "CYBER_VIOLENCE", "NON_CONSENSUAL_IMAGE_SHARING")
	deepfake     = category("3f", "CYBER_VIOLENCE", "NON_CONSENSUAL_MATERIAL_DEEPFAKE")

	minorReal     = category("9b", "PROTECTION_OF_MINORS", "CHILD_SEXUAL_ABUSE_MATERIAL")
	minorDeepfake = category("9c", "PROTECTION_OF_MINORS", "CHILD_SEXUAL_ABUSE_MATERIAL_DEEPFAKE")
	minorGrooming = category("9d", "PROTECTION_OF_MINORS", "GROOMING_SEXUAL_ENTICEMENT_MINORS")
	minorOther    = Category{"9f", "OTHER", "STATEMENT_CATEGORY_PROTECTION_OF_MINORS", "KEYWORD_OTHER"}

	adultMaterial = category("15a", "OTHER_VIOLATION_TC", "ADULT_SEXUAL_MATERIAL")
	notSpecified  = Category{"17", "NOT_SPECIFIED_NOTICE", "STATEMENT_CATEGORY_NOT_SPECIFIED_NOTICE", ""}
)

// CategoryOf returns the one category of a case with these facts, for notices
// and statistics. A minor's case is always in part 9: sexual, it is 9c when
// made or altered and 9b otherwise. The labels of 3e and 3f exclude minors.
func CategoryOf(f rempart.Facts) Category {
	f.Fill()
	made := f.Origin == rempart.OriginMontage || f.Origin == rempart.OriginAIGenerated || f.Origin == rempart.OriginAIManipulated
	switch {
	case f.Minor() && f.Sexualised() && made:
		return minorDeepfake
	case f.Minor() && f.Sexualised():
		return minorReal
	case f.Minor() && f.Threat == rempart.ThreatImages:
		return minorGrooming
	case f.Minor():
		return minorOther
	case f.Sexualised() && (f.Depicts == rempart.DepictsSynthetic || f.DiffusionConsent == rempart.ConsentYes):
		return adultMaterial
	case f.Sexualised() && made:
		return deepfake
	case f.Sexualised():
		return imageSharing
	case f.Repetition || f.MultipleAuthors:
		return harassment
	case f.Threat != rempart.ThreatNone:
		return intimidation
	case made && f.Depicts != rempart.DepictsSynthetic:
		return deepfake
	}
	return notSpecified
}
