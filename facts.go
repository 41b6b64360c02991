package rempart

import (
	"fmt"
	"slices"
)

// Facts are what a qualification rests on, typed. The empty value of a field
// means that nobody has said; [Facts.Fill] turns it into the field's word for
// "not known". The words are those of the law pack's rules.
type Facts struct {
	Sexual           Sexual        `json:"sexual,omitempty"`            // what the content is
	Depicts          Depicts       `json:"depicts,omitempty"`           // whom it shows
	AgeClass         AgeClass      `json:"age_class,omitempty"`         // of the person depicted, when it was made
	Origin           Origin        `json:"origin,omitempty"`            // how it was made
	CaptureConsent   Consent       `json:"capture_consent,omitempty"`   // to the recording
	DiffusionConsent Consent       `json:"diffusion_consent,omitempty"` // to its being shown
	DisclosedAsFake  Disclosure    `json:"disclosed_as_fake,omitempty"` // does it say that it is fake
	Communication    Communication `json:"communication,omitempty"`     // to whom it was shown
	Threat           Threat        `json:"threat,omitempty"`            // what is demanded under threat
	Online           bool          `json:"online,omitempty"`            // the acts went through a network
	Repetition       bool          `json:"repetition,omitempty"`        // repeated acts
	MultipleAuthors  bool          `json:"multiple_authors,omitempty"`  // several people, each at least once
	AuthorRelation   Relation      `json:"author_relation,omitempty"`   // the author to the person
	Aggravation      Aggravation   `json:"aggravation,omitempty"`       // paid or organised
	Date             string        `json:"date,omitempty"`              // of the acts, YYYY-MM-DD; empty: today
}

// The typed words of [Facts].
type (
	Sexual        string
	Depicts       string
	AgeClass      string
	Origin        string
	Consent       string
	Disclosure    string
	Communication string
	Threat        string
	Relation      string
	Aggravation   string
)

// Values of each fact; the last of each list is what an empty field means.
const (
	SexualPornographic Sexual = "pornographic"
	SexualIntimate     Sexual = "intimate"
	SexualNone         Sexual = "none"

	DepictsIdentified   Depicts = "identified"   // a real person who can be recognised
	DepictsSynthetic    Depicts = "synthetic"    // nobody real
	DepictsUnidentified Depicts = "unidentified" // a real person not recognised, or not known

	AgeUnder15          AgeClass = "under_15"
	Age15To17           AgeClass = "15_17"
	AgeAppearsMinor     AgeClass = "appears_minor"
	AgeAdultEstablished AgeClass = "adult_established"
	AgeAdultApparent    AgeClass = "adult_apparent"
	AgeUnknown          AgeClass = "unknown"

	OriginReal          Origin = "real_capture"
	OriginMontage       Origin = "montage"
	OriginAIGenerated   Origin = "ai_generated"
	OriginAIManipulated Origin = "ai_manipulated"
	OriginUnknown       Origin = "unknown"

	ConsentYes     Consent = "yes"
	ConsentNo      Consent = "no"
	ConsentUnknown Consent = "unknown"

	DisclosureStated  Disclosure = "stated"
	DisclosureObvious Disclosure = "obvious"
	DisclosureNo      Disclosure = "no"

	CommunicationOnlinePublic Communication = "online_public"
	CommunicationThirdParty   Communication = "third_party"
	CommunicationNone         Communication = "none"

	ThreatMoney  Threat = "money"
	ThreatImages Threat = "images"
	ThreatForce  Threat = "force"
	ThreatOther  Threat = "other"
	ThreatNone   Threat = "none"

	RelationPartner      Relation = "partner"
	RelationSameSchool   Relation = "same_school"
	RelationAdultToMinor Relation = "adult_to_minor"
	RelationUnknown      Relation = "unknown"

	AggravationPaid Aggravation = "paid"
	AggravationGang Aggravation = "gang"
	AggravationNone Aggravation = "none"
)

// FactValues lists, for each fact that takes words, the words it takes, by the
// fact's JSON name. The last is what an empty field means.
var FactValues = map[string][]string{
	"sexual":            {"pornographic", "intimate", "none"},
	"depicts":           {"identified", "synthetic", "unidentified"},
	"age_class":         {"under_15", "15_17", "appears_minor", "adult_established", "adult_apparent", "unknown"},
	"origin":            {"real_capture", "montage", "ai_generated", "ai_manipulated", "unknown"},
	"capture_consent":   {"yes", "no", "unknown"},
	"diffusion_consent": {"yes", "no", "unknown"},
	"disclosed_as_fake": {"stated", "obvious", "no"},
	"communication":     {"online_public", "third_party", "none"},
	"threat":            {"money", "images", "force", "other", "none"},
	"author_relation":   {"partner", "same_school", "adult_to_minor", "unknown"},
	"aggravation":       {"paid", "gang", "none"},
}

// words returns pointers to the facts that take words, by JSON name.
func (f *Facts) words() map[string]*string {
	return map[string]*string{
		"sexual": (*string)(&f.Sexual), "depicts": (*string)(&f.Depicts), "age_class": (*string)(&f.AgeClass),
		"origin": (*string)(&f.Origin), "capture_consent": (*string)(&f.CaptureConsent),
		"diffusion_consent": (*string)(&f.DiffusionConsent), "disclosed_as_fake": (*string)(&f.DisclosedAsFake),
		"communication": (*string)(&f.Communication), "threat": (*string)(&f.Threat),
		"author_relation": (*string)(&f.AuthorRelation), "aggravation": (*string)(&f.Aggravation),
	}
}

// Fill gives every empty fact its word for "not known" or "none".
func (f *Facts) Fill() {
	for name, p := range f.words() {
		if *p == "" {
			values := FactValues[name]
			*p = values[len(values)-1]
		}
	}
}

// Check returns a problem for each fact whose word is not one of its words.
func (f *Facts) Check() error {
	var p Problems
	for name, v := range f.words() {
		if *v != "" && !slices.Contains(FactValues[name], *v) {
			p.add(name, "facts.unknown", fmt.Sprintf("%q is not a value of %s; the values are %v.", *v, name, FactValues[name]))
		}
	}
	slices.SortFunc(p, func(a, b *Error) int {
		if a.Field < b.Field {
			return -1
		}
		return 1
	})
	return p.err()
}

// Minor tells whether the person depicted is, or appears to be, under 18. Such
// a case never shows an address as a link, is never re-checked unless the
// operator says so, and never falls in an adult category.
func (f Facts) Minor() bool {
	return f.AgeClass == AgeUnder15 || f.AgeClass == Age15To17 || f.AgeClass == AgeAppearsMinor
}

// Sexualised tells whether the content is sexual in any degree.
func (f Facts) Sexualised() bool {
	return f.Sexual == SexualIntimate || f.Sexual == SexualPornographic
}
