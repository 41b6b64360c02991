package exchange

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"rempart"
)

// A Statement is one statement of reasons as the EU's transparency database
// takes it (DSA article 24(5)); the fields and their rules are in sor_rules.go.
type Statement struct {
	DecisionVisibility []string `json:"decision_visibility,omitempty"`
	VisibilityOther    string   `json:"decision_visibility_other,omitempty"`
	VisibilityEnds     string   `json:"end_date_visibility_restriction,omitempty"`
	DecisionMonetary   string   `json:"decision_monetary,omitempty"`
	MonetaryOther      string   `json:"decision_monetary_other,omitempty"`
	MonetaryEnds       string   `json:"end_date_monetary_restriction,omitempty"`
	DecisionProvision  string   `json:"decision_provision,omitempty"`
	ServiceEnds        string   `json:"end_date_service_restriction,omitempty"`
	DecisionAccount    string   `json:"decision_account,omitempty"`
	AccountEnds        string   `json:"end_date_account_restriction,omitempty"`

	Ground                  string `json:"decision_ground"`
	LegalGround             string `json:"illegal_content_legal_ground,omitempty"`
	LegalExplanation        string `json:"illegal_content_explanation,omitempty"`
	IncompatibleGround      string `json:"incompatible_content_ground,omitempty"`
	IncompatibleExplanation string `json:"incompatible_content_explanation,omitempty"`

	Category          string   `json:"category"`
	Keywords          []string `json:"category_specification,omitempty"`
	ContentTypes      []string `json:"content_type"`
	ContentTypeOther  string   `json:"content_type_other,omitempty"`
	ContentDate       string   `json:"content_date,omitempty"` // the database requires it
	TerritorialScope  []string `json:"territorial_scope,omitempty"`
	ApplicationDate   string   `json:"application_date"`
	Facts             string   `json:"decision_facts"`
	SourceType        string   `json:"source_type"`
	AutomatedDetect   string   `json:"automated_detection"`
	AutomatedDecision string   `json:"automated_decision"`
	PUID              string   `json:"puid"`
}

// A Decided is what a statement is made of: a decision that restricts somebody,
// and what the platform knows of its notice. Category, Keyword and Code are those
// of the harmonised templates.
type Decided struct {
	Decision                rempart.Decision
	Fingerprints            []rempart.Fingerprint // say what kind of content it is, if the decision does not
	Category, Keyword, Code string
	Trusted                 bool      // the notice came from a trusted flagger
	Received                time.Time // when it came
	Lang                    string    // of the texts: "fr" or "en"
	PUID                    string    // see [CheckStatement]; never a name
}

// notSpecified is the database's category of a notice that names none.
const notSpecified = "STATEMENT_CATEGORY_NOT_SPECIFIED_NOTICE"

// NewStatement returns the statement of a decision. Its long texts are written
// here from what the decision chose, not from what anybody typed: what a
// moderator wrote may name a person, and goes to the notifier and the author
// only. Of typed texts it holds two short ones, the reference to a law or a
// clause and the name of an "other" restriction; see [PersonalIn].
func NewStatement(x Decided) Statement {
	d := x.Decision.Normal()
	t := func(fr, en string) string {
		if x.Lang == "en" {
			return en
		}
		return fr
	}
	s := Statement{
		Category: x.Category, ApplicationDate: d.At.UTC().Format(time.DateOnly), ContentDate: d.PostedOn,
		SourceType: "SOURCE_ARTICLE_16", AutomatedDetect: "No", AutomatedDecision: "AUTOMATED_DECISION_" + strings.ToUpper(string(d.Means)),
		TerritorialScope: territory(d.Scope), ContentTypes: contentTypes(x), PUID: x.PUID,
	}
	if x.Keyword != "" {
		s.Keywords = []string{x.Keyword}
	}
	if d.Detected {
		s.AutomatedDetect = "Yes"
	}
	s.restrict(d)
	if slices.Contains(s.ContentTypes, "CONTENT_TYPE_OTHER") {
		s.ContentTypeOther = t("contenu d’un autre type", "content of another type")
	}
	by := ""
	if x.Trusted {
		s.SourceType = "SOURCE_TRUSTED_FLAGGER"
		by = t(", d’un signaleur de confiance", ", from a trusted flagger")
	}
	s.Facts = fmt.Sprintf(t("Contenu désigné par une notification au titre de l’article 16 du règlement (UE) 2022/2065, reçue le %s%s. ",
		"Content named by a notice under Article 16 of Regulation (EU) 2022/2065, received on %s%s. "), x.Received.UTC().Format(time.DateOnly), by)
	switch d.Means {
	case rempart.MeansFully:
		s.Facts += t("La décision a été prise par des moyens automatisés.", "The decision was taken by automated means.")
	case rempart.MeansPartially:
		s.Facts += t("La décision a été prise en partie par des moyens automatisés.", "The decision was partly taken by automated means.")
	default:
		s.Facts += t("La décision a été prise par une personne.", "The decision was taken by a person.")
	}
	why := fmt.Sprintf(t("Le contenu relève de la catégorie %s des modèles du règlement d’exécution (UE) 2024/2835", "The content is in category %s of the templates of Implementing Regulation (EU) 2024/2835"), x.Code)
	if x.Category == notSpecified {
		why = t("La notification ne précise pas la catégorie du contenu", "The notice does not say in which category the content is")
	}
	if d.Ground == "terms" {
		s.Ground, s.IncompatibleGround = "DECISION_GROUND_INCOMPATIBLE_CONTENT", d.Reference
		s.IncompatibleExplanation = why + t(" ; la clause citée ne le permet pas.", "; the clause named does not allow it.")
	} else {
		s.Ground, s.LegalGround = "DECISION_GROUND_ILLEGAL_CONTENT", d.Reference
		s.LegalExplanation = why + t(" ; il est considéré comme illicite au regard du texte cité.", "; it is considered illegal under the text named.")
	}
	return s
}

// restrict fills in what was decided, and until when.
func (s *Statement) restrict(d rempart.Decision) {
	for _, r := range d.Restrictions {
		field, value, _ := strings.Cut(string(r), ".")
		value = strings.ToUpper(value)
		switch field {
		case "visibility":
			s.VisibilityEnds = d.Until
			if value == "OTHER" {
				s.VisibilityOther = d.Other
				s.DecisionVisibility = append(s.DecisionVisibility, "DECISION_VISIBILITY_OTHER")
				continue
			}
			s.DecisionVisibility = append(s.DecisionVisibility, "DECISION_VISIBILITY_CONTENT_"+value)
		case "monetary":
			s.DecisionMonetary, s.MonetaryEnds = "DECISION_MONETARY_"+value, d.Until
			if value == "OTHER" {
				s.MonetaryOther = d.Other
			}
		case "provision":
			s.DecisionProvision, s.ServiceEnds = "DECISION_PROVISION_"+value, d.Until
		case "account":
			s.DecisionAccount, s.AccountEnds = "DECISION_ACCOUNT_"+value, d.Until
		}
	}
}

// territory returns the countries of a decision's scope. The database knows
// those of the European Economic Area only; what holds everywhere holds in each.
func territory(scope string) []string {
	switch scope {
	case "EU":
		return slices.DeleteFunc(slices.Clone(sorCountries), func(c string) bool { return c == "IS" || c == "LI" || c == "NO" })
	case "EEA", "world":
		return slices.Clone(sorCountries)
	}
	if slices.Contains(sorCountries, scope) {
		return []string{scope}
	}
	return nil
}

// contentTypes returns the kinds of content of a decision, or what the item's
// fingerprints say.
func contentTypes(x Decided) []string {
	var out []string
	for _, t := range x.Decision.ContentTypes {
		out = append(out, "CONTENT_TYPE_"+strings.ToUpper(t))
	}
	if len(out) == 0 && slices.ContainsFunc(x.Fingerprints, func(f rempart.Fingerprint) bool { return f.Type == rempart.PDQ }) {
		out = []string{"CONTENT_TYPE_IMAGE"}
	}
	return out
}

// Check returns the faults for which the database would refuse s.
func (s Statement) Check() []Fault {
	b, err := json.Marshal(s)
	if err != nil {
		return []Fault{{Field: "statement", Text: "cannot be written: " + err.Error()}}
	}
	return CheckStatement(b)
}

// personal is what, in a text, points to a person or an account.
var personal = []struct {
	what string
	is   *regexp.Regexp
}{
	{"an e-mail address", regexp.MustCompile(`[^\s@]+@[^\s@]+\.[^\s@]+`)},
	{"the name of an account", regexp.MustCompile(`(?:^|[\s(«"'])@[\pL\pN_.-]{2,}`)},
	{"an address", regexp.MustCompile(`(?i)\bhttps?://|\bwww\.`)},
	{"a telephone number", regexp.MustCompile(`(?:\+|\b0)\d(?:[ .-]?\d){7,}`)},
}

// PersonalIn names each text of s in which something points to a person: an
// e-mail address, an account, an address, a telephone number, or one of the
// words in known (names of who notified, addresses of items). The database must
// hold no personal data (DSA article 24(5)) and does not look for it itself. It
// cannot recognise a name that nobody told it.
func PersonalIn(s Statement, known []string) []Fault {
	var out []Fault
	for _, f := range []struct{ name, text string }{
		{"decision_visibility_other", s.VisibilityOther}, {"decision_monetary_other", s.MonetaryOther},
		{"illegal_content_legal_ground", s.LegalGround}, {"illegal_content_explanation", s.LegalExplanation},
		{"incompatible_content_ground", s.IncompatibleGround}, {"incompatible_content_explanation", s.IncompatibleExplanation},
		{"content_type_other", s.ContentTypeOther}, {"decision_facts", s.Facts},
	} {
		for _, p := range personal {
			if p.is.MatchString(f.text) {
				out = append(out, Fault{Field: f.name, Text: "holds " + p.what + "; the database must hold no personal data", Article: "24(5)"})
				break
			}
		}
		for _, k := range known {
			if k = strings.TrimSpace(k); len(k) > 2 && strings.Contains(strings.ToLower(f.text), strings.ToLower(k)) {
				out = append(out, Fault{Field: f.name, Text: "names who notified or what was notified; the database must hold no personal data", Article: "24(5)"})
				break
			}
		}
	}
	return out
}
