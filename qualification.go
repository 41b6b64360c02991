package rempart

import "time"

// A Qualification is an offence that the facts may constitute, as the law pack
// proposes it. It is indicative, not legal advice; an analyst confirms it,
// rejects it with a reason, or adds another.
type Qualification struct {
	ID                string             `json:"id"` // rule of the pack, such as "fr-226-8-1"
	Article           string             `json:"article"`
	Paragraph         string             `json:"paragraph,omitempty"`
	Code              string             `json:"code"`         // name of the code the article is in, such as "Code pénal"
	Label             Text               `json:"label"`        // the offence in one line
	PrisonYears       float64            `json:"prison_years"` // 0: no prison
	FineEUR           int                `json:"fine_eur"`     // 0: the pack gives none
	ComplaintRequired bool               `json:"complaint_required"`
	Conduct           bool               `json:"conduct,omitempty"` // concerns what somebody does, not the content of a page: no ground for a notice
	Because           []Text             `json:"because"`           // each fact that led to it, in a sentence
	TextDate          string             `json:"text_date"`         // date of the text it was read from, YYYY-MM-DD
	Source            string             `json:"source"`
	Verified          bool               `json:"verified"` // false: never shown to the public as a fact
	Confidence        Confidence         `json:"confidence,omitempty"`
	State             QualificationState `json:"state"`
	Reason            string             `json:"reason,omitempty"` // why the analyst rejected or added it
	By                Actor              `json:"by,omitempty"`
	At                time.Time          `json:"at,omitzero"`
}

// Confidence says how much of an offence the facts settle, if they are true. It
// is a reading of the rule, not a probability.
type Confidence string

// How much the facts settle.
const (
	ConfidenceHigh   Confidence = "high"   // every element that facts can settle
	ConfidenceMedium Confidence = "medium" // all that was asked; an element is left to be established by other means
	ConfidenceLow    Confidence = "low"    // nobody has said a fact that the rule needs
)

// A Question is a fact that nobody has said and that would change what the law pack
// proposes, as the one question to ask.
type Question struct {
	Fact    string   `json:"fact"` // JSON name of a field of [Facts]
	Ask     Text     `json:"question"`
	Decides []string `json:"would_decide"` // articles that hang on the answer
}

// Text is a sentence in each language of the pages.
type Text struct {
	FR string `json:"fr"`
	EN string `json:"en"`
}

// In returns the sentence in lang, "fr" unless lang is "en".
func (t Text) In(lang string) string {
	if lang == "en" && t.EN != "" {
		return t.EN
	}
	return t.FR
}

// QualificationState is where a qualification stands.
type QualificationState string

// States of a qualification.
const (
	QualificationProposed  QualificationState = "proposed"
	QualificationConfirmed QualificationState = "confirmed"
	QualificationRejected  QualificationState = "rejected"
)
