package rempart

import (
	"fmt"
	"slices"
	"strings"
)

// Facts are what a qualification rests on, typed. The empty value of a field
// means that nobody has said, which is not the same as its word "none" or "no":
// what nobody has said is asked for, never taken as denied. Five facts have a
// word for that too, "unknown", which means the same as empty. The words are
// those of the law pack's rules.
type Facts struct {
	Sexual           Sexual        `json:"sexual,omitempty"`            // what the content is
	Depicts          Depicts       `json:"depicts,omitempty"`           // whom it shows
	AgeClass         AgeClass      `json:"age_class,omitempty"`         // of the person depicted, when it was made
	Origin           Origin        `json:"origin,omitempty"`            // how it was made
	AI               AI            `json:"ai,omitempty"`                // what AI has to do with it; empty: as the origin says, see [Facts.Axis]
	CaptureConsent   Consent       `json:"capture_consent,omitempty"`   // to the recording
	DiffusionConsent Consent       `json:"diffusion_consent,omitempty"` // to its being shown
	DisclosedAsFake  Disclosure    `json:"disclosed_as_fake,omitempty"` // does it say that it is fake
	Communication    Communication `json:"communication,omitempty"`     // to whom it was shown
	Threat           Threat        `json:"threat,omitempty"`            // what is demanded under threat
	Online           Flag          `json:"online,omitempty"`            // the acts went through a network; see [Facts.Networked]
	Repetition       Flag          `json:"repetition,omitempty"`        // repeated acts
	MultipleAuthors  Flag          `json:"multiple_authors,omitempty"`  // several people, each at least once
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
	AI            string
	Consent       string
	Disclosure    string
	Communication string
	Threat        string
	Relation      string
	Aggravation   string

	// Flag is a fact that is yes or no, or not known when empty. In JSON it is
	// true or false.
	Flag string
)

// Values of each fact. Empty is none of them: nobody has said.
const (
	SexualPornographic Sexual = "pornographic"
	SexualIntimate     Sexual = "intimate"
	SexualNone         Sexual = "none"

	DepictsIdentified   Depicts = "identified"   // a real person who can be recognised
	DepictsSynthetic    Depicts = "synthetic"    // nobody real
	DepictsUnidentified Depicts = "unidentified" // a real person not recognised

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

	AIGenerated   AI = "generated"
	AIManipulated AI = "manipulated"
	AIRelated     AI = "ai_related" // a tool, a model or its training data; nothing says that AI made the content
	AIReal        AI = "real"
	AIUnknown     AI = "unknown"

	FlagYes Flag = "true"
	FlagNo  Flag = "false"

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

// FactValues lists, for each fact but the date, the words it takes, by the
// fact's JSON name.
var FactValues = map[string][]string{
	"sexual":            {"pornographic", "intimate", "none"},
	"depicts":           {"identified", "synthetic", "unidentified"},
	"age_class":         {"under_15", "15_17", "appears_minor", "adult_established", "adult_apparent", unsaid},
	"origin":            {"real_capture", "montage", "ai_generated", "ai_manipulated", unsaid},
	"ai":                {"generated", "manipulated", "ai_related", "real", unsaid},
	"capture_consent":   {"yes", "no", unsaid},
	"diffusion_consent": {"yes", "no", unsaid},
	"disclosed_as_fake": {"stated", "obvious", "no"},
	"communication":     {"online_public", "third_party", "none"},
	"threat":            {"money", "images", "force", "other", "none"},
	"online":            {"true", "false"},
	"repetition":        {"true", "false"},
	"multiple_authors":  {"true", "false"},
	"author_relation":   {"partner", "same_school", "adult_to_minor", unsaid},
	"aggravation":       {"paid", "gang", "none"},
}

// unsaid is the word that some facts have for what nobody has said.
const unsaid = "unknown"

// words returns pointers to the facts that take words, by JSON name.
func (f *Facts) words() map[string]*string {
	return map[string]*string{
		"sexual": (*string)(&f.Sexual), "depicts": (*string)(&f.Depicts), "age_class": (*string)(&f.AgeClass),
		"origin": (*string)(&f.Origin), "ai": (*string)(&f.AI), "capture_consent": (*string)(&f.CaptureConsent),
		"diffusion_consent": (*string)(&f.DiffusionConsent), "disclosed_as_fake": (*string)(&f.DisclosedAsFake),
		"communication": (*string)(&f.Communication), "threat": (*string)(&f.Threat),
		"online": (*string)(&f.Online), "repetition": (*string)(&f.Repetition), "multiple_authors": (*string)(&f.MultipleAuthors),
		"author_relation": (*string)(&f.AuthorRelation), "aggravation": (*string)(&f.Aggravation),
	}
}

// Word returns the word of the fact called name, its JSON name; "" when nobody
// has said, or there is no such fact.
func (f Facts) Word(name string) string {
	if p := f.words()[name]; p != nil && *p != unsaid {
		return *p
	}
	return ""
}

// Say sets the fact called name, its JSON name, to a word: "" for what nobody
// has said. It changes nothing when there is no such fact; the word is for
// [Facts.Check] to judge.
func (f *Facts) Say(name, word string) {
	if p := f.words()[name]; p != nil {
		*p = word
	}
}

// Fill gives every empty fact that has a word for what nobody has said that
// word; the others stay empty.
func (f *Facts) Fill() {
	for name, p := range f.words() {
		if *p == "" && name != "ai" && slices.Contains(FactValues[name], unsaid) {
			*p = unsaid
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
	slices.SortFunc(p, func(a, b *Error) int { return strings.Compare(a.Field, b.Field) })
	return p.err()
}

// MarshalJSON writes true, false, or null for what nobody has said.
func (f Flag) MarshalJSON() ([]byte, error) {
	if f == "" {
		return []byte("null"), nil
	}
	if f != FlagYes && f != FlagNo {
		return nil, fmt.Errorf("%q is neither true nor false", string(f))
	}
	return []byte(f), nil
}

// UnmarshalJSON reads true, false or null.
func (f *Flag) UnmarshalJSON(b []byte) error {
	switch s := string(b); s {
	case "true", "false":
		*f = Flag(s)
	case "null":
		*f = ""
	default:
		return fmt.Errorf("%s is neither true nor false", s)
	}
	return nil
}

// FlagOf returns FlagYes for true and FlagNo for false.
func FlagOf(b bool) Flag {
	if b {
		return FlagYes
	}
	return FlagNo
}

// Yes tells whether somebody said yes.
func (f Flag) Yes() bool { return f == FlagYes }

// Minor tells whether the person depicted is, or appears to be, under 18; an age
// that nobody has said is a minor's when the author is said to be an adult
// towards a minor. Such a case never shows an address as a link, is never
// re-checked unless the operator says so, and never falls in an adult category.
func (f Facts) Minor() bool {
	switch f.AgeClass {
	case AgeUnder15, Age15To17, AgeAppearsMinor:
		return true
	case "", AgeUnknown:
		return f.AuthorRelation == RelationAdultToMinor
	}
	return false
}

// Sexualised tells whether the content is said to be sexual in any degree.
func (f Facts) Sexualised() bool {
	return f.Sexual == SexualIntimate || f.Sexual == SexualPornographic
}

// Threatened tells whether somebody is said to threaten the person.
func (f Facts) Threatened() bool { return f.Threat != "" && f.Threat != ThreatNone }

// Made tells whether the content is said to be a montage or the work of AI.
func (f Facts) Made() bool {
	return f.Origin == OriginMontage || f.Origin == OriginAIGenerated || f.Origin == OriginAIManipulated
}

// Networked tells whether the acts went through a network. What was brought to
// the public online did, whether or not somebody has said so.
func (f Facts) Networked() Flag {
	if f.Online == "" && f.Communication == CommunicationOnlinePublic {
		return FlagYes
	}
	return f.Online
}

// Axis returns what AI has to do with the content: what was said of it, or else
// what its origin tells. A montage may have been made without AI.
func (f Facts) Axis() AI {
	if f.AI != "" && f.AI != AIUnknown {
		return f.AI
	}
	switch f.Origin {
	case OriginAIGenerated:
		return AIGenerated
	case OriginAIManipulated:
		return AIManipulated
	case OriginReal:
		return AIReal
	}
	return AIUnknown
}
