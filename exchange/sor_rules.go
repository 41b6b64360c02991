package exchange

import (
	"regexp"
	"strings"
)

// The rules for one statement of reasons, as the EU's DSA transparency database
// has them since its schema of 1 July 2025. Source: the database's public code,
// github.com/digital-services-act/transparency-database, file
// app/Http/Requests/StatementStoreRequest.php (POST /api/v1/statement), read on
// 2026-11-22 at commit d78506ee; values of enumerations from app/Models and
// app/Services of the same code and from its documentation of the API. Where the
// documentation asks for more than the code enforces, the code is followed:
// territorial_scope may be left out, an end date may be before the date of
// application, a keyword may be of another category.

// A sorField is the rules of one field, checked in the order the database does.
type sorField struct {
	name     string
	list     bool     // a JSON array
	of       string   // what a value is called in a sentence: "a category"
	in       []string // the values it may have
	null     bool     // null is as good as nothing
	word     bool     // the literal text "null" is taken too: the database's list of values begins with it
	required bool
	decision bool    // required unless another field of this kind is there
	when     sorWhen // required if, and looked at only if
	dropped  bool    // when the condition does not hold, length and value are checked all the same before it is dropped
	max      int     // characters
	from, to string  // a date YYYY-MM-DD in these bounds; from may be ""
	url      bool
	pattern  *regexp.Regexp
	shape    string // what pattern asks for
	text     bool   // must be a JSON string, not a number
	within   string // field it is a key of
}

// A sorWhen is a condition on another field: it is, or holds, the value.
type sorWhen struct {
	field, value string
	optional     bool // looked at only if, but not required
	among        bool // the other field is a list that holds the value
}

// date bounds of the database.
const (
	sorContentFrom = "2000-01-01"
	sorAppliesFrom = "2020-01-01"
	sorTo          = "2038-01-01"
)

var (
	ean13 = regexp.MustCompile(`^[0-9]{13}$`)
	puid  = regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)
)

// sorFields is every field that the database looks at. What else a statement
// holds is dropped without a word.
var sorFields = []sorField{
	{name: "content_id", list: true, null: true, of: "a key such as \"EAN-13\" with its value"},
	{name: "EAN-13", within: "content_id", text: true, pattern: ean13, shape: "13 digits"},
	{name: "content_id_ean", text: true, null: true, pattern: ean13, shape: "13 digits"},

	{name: "decision_visibility", list: true, of: "a visibility restriction", in: sorVisibility, word: true, null: true, decision: true},
	{name: "decision_visibility_other", when: sorWhen{field: "decision_visibility", value: "DECISION_VISIBILITY_OTHER", among: true}, dropped: true, max: 500},
	{name: "decision_monetary", of: "a monetary restriction", in: sorMonetary, word: true, null: true, decision: true},
	{name: "decision_monetary_other", when: sorWhen{field: "decision_monetary", value: "DECISION_MONETARY_OTHER"}, max: 500},
	{name: "decision_provision", of: "a restriction of the service", in: sorProvision, word: true, null: true, decision: true},
	{name: "decision_account", of: "a restriction of the account", in: sorAccount, word: true, null: true, decision: true},
	{name: "account_type", of: "a type of account", in: sorAccountType, word: true, null: true},
	{name: "category_specification", list: true, of: "a keyword", in: sorKeywords, word: true, null: true},
	{name: "category_specification_other", max: 500},

	{name: "decision_ground", required: true, of: "a ground", in: sorGround},
	{name: "decision_ground_reference_url", null: true, url: true, max: 500},
	{name: "illegal_content_legal_ground", when: sorIllegal, max: 500},
	{name: "illegal_content_explanation", when: sorIllegal, max: 2000},
	{name: "incompatible_content_ground", when: sorIncompatible, max: 500},
	{name: "incompatible_content_explanation", when: sorIncompatible, max: 2000},
	{name: "incompatible_content_illegal", of: "an answer", in: sorYesNo, dropped: true,
		when: sorWhen{field: sorIncompatible.field, value: sorIncompatible.value, optional: true}},

	{name: "content_type", list: true, required: true, of: "a type of content", in: sorContentType},
	{name: "content_type_other", when: sorWhen{field: "content_type", value: "CONTENT_TYPE_OTHER", among: true}, dropped: true, max: 500},
	{name: "category", required: true, of: "a category", in: sorCategories},
	{name: "category_addition", list: true, of: "a category", in: sorCategories},
	{name: "territorial_scope", list: true, null: true, of: "a country of the European Economic Area", in: sorCountries},
	{name: "content_language", null: true, of: "a language", in: sorLanguages},

	{name: "content_date", required: true, from: sorContentFrom, to: sorTo},
	{name: "application_date", required: true, from: sorAppliesFrom, to: sorTo},
	{name: "end_date_account_restriction", null: true, to: sorTo},
	{name: "end_date_monetary_restriction", null: true, to: sorTo},
	{name: "end_date_service_restriction", null: true, to: sorTo},
	{name: "end_date_visibility_restriction", null: true, to: sorTo},

	{name: "decision_facts", required: true, max: 5000},
	{name: "source_type", required: true, of: "a source", in: sorSource},
	{name: "source_identity", max: 500},
	{name: "automated_detection", required: true, of: "an answer", in: sorYesNo},
	{name: "automated_decision", required: true, of: "a degree of automation", in: sorAutomated},
	{name: "puid", required: true, max: 500, pattern: puid, shape: "only letters without accents, digits, \"-\" and \"_\""},
}

var (
	sorIllegal      = sorWhen{field: "decision_ground", value: "DECISION_GROUND_ILLEGAL_CONTENT"}
	sorIncompatible = sorWhen{field: "decision_ground", value: "DECISION_GROUND_INCOMPATIBLE_CONTENT"}
)

// prefixed returns the words of list, each behind prefix.
func prefixed(prefix, list string) []string {
	out := strings.Fields(list)
	for i := range out {
		out[i] = prefix + out[i]
	}
	return out
}

var (
	sorVisibility  = append(prefixed("DECISION_VISIBILITY_CONTENT_", "REMOVED DISABLED DEMOTED AGE_RESTRICTED INTERACTION_RESTRICTED LABELLED"), "DECISION_VISIBILITY_OTHER")
	sorMonetary    = prefixed("DECISION_MONETARY_", "SUSPENSION TERMINATION OTHER")
	sorProvision   = prefixed("DECISION_PROVISION_", "PARTIAL_SUSPENSION TOTAL_SUSPENSION PARTIAL_TERMINATION TOTAL_TERMINATION")
	sorAccount     = prefixed("DECISION_ACCOUNT_", "SUSPENDED TERMINATED")
	sorAccountType = prefixed("ACCOUNT_TYPE_", "BUSINESS PRIVATE")
	sorGround      = prefixed("DECISION_GROUND_", "ILLEGAL_CONTENT INCOMPATIBLE_CONTENT")
	sorContentType = prefixed("CONTENT_TYPE_", "APP AUDIO IMAGE PRODUCT SYNTHETIC_MEDIA TEXT VIDEO OTHER")
	sorSource      = prefixed("SOURCE_", "ARTICLE_16 TRUSTED_FLAGGER TYPE_OTHER_NOTIFICATION VOLUNTARY")
	sorAutomated   = prefixed("AUTOMATED_DECISION_", "FULLY PARTIALLY NOT_AUTOMATED")
	sorYesNo       = []string{"Yes", "No"}

	sorCategories = prefixed("STATEMENT_CATEGORY_", `ANIMAL_WELFARE CONSUMER_INFORMATION CYBER_VIOLENCE CYBER_VIOLENCE_AGAINST_WOMEN
		DATA_PROTECTION_AND_PRIVACY_VIOLATIONS ILLEGAL_OR_HARMFUL_SPEECH INTELLECTUAL_PROPERTY_INFRINGEMENTS
		NEGATIVE_EFFECTS_ON_CIVIC_DISCOURSE_OR_ELECTIONS NOT_SPECIFIED_NOTICE OTHER_VIOLATION_TC PROTECTION_OF_MINORS
		RISK_FOR_PUBLIC_SECURITY SCAMS_AND_FRAUD SELF_HARM UNSAFE_AND_PROHIBITED_PRODUCTS VIOLENCE`)

	// STALKING is of no category; the database's documentation of its present
	// schema lists it, and no reading of its code that we hold says otherwise.
	// DANGEROUS_TOYS is a constant of the code that its list of keywords lacks.
	sorKeywords = prefixed("KEYWORD_", `ANIMAL_HARM UNLAWFUL_SALE_ANIMALS
		HIDDEN_ADVERTISEMENT INSUFFICIENT_INFORMATION_ON_TRADERS MISLEADING_INFO_GOODS_SERVICES MISLEADING_INFO_CONSUMER_RIGHTS NONCOMPLIANCE_PRICING
		CYBER_BULLYING_INTIMIDATION CYBER_HARASSMENT CYBER_INCITEMENT CYBER_STALKING NON_CONSENSUAL_IMAGE_SHARING NON_CONSENSUAL_MATERIAL_DEEPFAKE
		BULLYING_AGAINST_GIRLS CYBER_HARASSMENT_AGAINST_WOMEN CYBER_STALKING_AGAINST_WOMEN FEMALE_GENDERED_DISINFORMATION INCITEMENT_AGAINST_WOMEN
		NON_CONSENSUAL_IMAGE_SHARING_AGAINST_WOMEN NON_CONSENSUAL_MATERIAL_DEEPFAKE_AGAINST_WOMEN
		BIOMETRIC_DATA_BREACH DATA_FALSIFICATION MISSING_PROCESSING_GROUND RIGHT_TO_BE_FORGOTTEN
		DEFAMATION DISCRIMINATION HATE_SPEECH
		COPYRIGHT_INFRINGEMENT DESIGN_INFRINGEMENT GEOGRAPHIC_INDICATIONS_INFRINGEMENT PATENT_INFRINGEMENT TRADEMARK_INFRINGEMENT TRADE_SECRET_INFRINGEMENT
		MISINFORMATION_DISINFORMATION VIOLATION_EU_LAW VIOLATION_NATIONAL_LAW
		ADULT_SEXUAL_MATERIAL AGE_SPECIFIC_RESTRICTIONS GEOGRAPHICAL_REQUIREMENTS GOODS_SERVICES_NOT_PERMITTED LANGUAGE_REQUIREMENTS NUDITY
		AGE_SPECIFIC_RESTRICTIONS_MINORS CHILD_SEXUAL_ABUSE_MATERIAL CHILD_SEXUAL_ABUSE_MATERIAL_DEEPFAKE GROOMING_SEXUAL_ENTICEMENT_MINORS UNSAFE_CHALLENGES
		ILLEGAL_ORGANIZATIONS RISK_ENVIRONMENTAL_DAMAGE RISK_PUBLIC_HEALTH TERRORIST_CONTENT
		IMPERSONATION_ACCOUNT_HIJACKING INAUTHENTIC_ACCOUNTS INAUTHENTIC_LISTINGS INAUTHENTIC_USER_REVIEWS PHISHING PYRAMID_SCHEMES
		CONTENT_PROMOTING_EATING_DISORDERS SELF_MUTILATION SUICIDE PROHIBITED_PRODUCTS UNSAFE_PRODUCTS
		COORDINATED_HARM INCITEMENT_VIOLENCE_HATRED HUMAN_EXPLOITATION HUMAN_TRAFFICKING TRAFFICKING_WOMEN_GIRLS STALKING OTHER`)

	// GR, not EL; the codes of countries that are in the EU alone, or "EU" and
	// "EEA", are not values.
	sorCountries = strings.Fields("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK")

	sorLanguages = strings.Fields(`AB AA AF AK SQ AM AR AN HY AS AV AE AY AZ BM BA EU BE BN BH BI BS BR BG MY CA KM CH CE NY ZH CU CV KW CO CR HR CS DA DV NL
		DZ EN EO ET EE FO FJ FI FR FF GD GL LG KA DE KI EL KL GN GU HT HA HE HZ HI HO HU IS IO IG ID IA IE IU IK GA IT JA JV KN KR KS KK RW KV KG KO KJ KU KY
		LO LA LV LB LI LN LT LU MK MG MS ML MT GV MI MR MH RO MN NA NV ND NG NE SE NO NB NN II OC OJ OR OM OS PI PA PS FA PL PT QU RM RN RU SM SG SA SC SR SN
		SD SI SK SL SO ST NR ES SU SW SS SV TL TY TG TA TT TE TH BO TI TO TS TN TR TK TW UG UK UR UZ VE VI VO WA CY FY WO XH YI YO ZA ZU`)
)

// sorFormer says what became of the values of the schema that ended on 30 June
// 2025 (constants of app/Models/Statement.php before it); "" where nothing took
// their place. They are refused.
var sorFormer = map[string]string{
	"STATEMENT_CATEGORY_NON_CONSENSUAL_BEHAVIOUR":          "STATEMENT_CATEGORY_CYBER_VIOLENCE",
	"STATEMENT_CATEGORY_PORNOGRAPHY_OR_SEXUALIZED_CONTENT": "",
	"STATEMENT_CATEGORY_SCOPE_OF_PLATFORM_SERVICE":         "STATEMENT_CATEGORY_OTHER_VIOLATION_TC",
	"STATEMENT_CATEGORY_UNSAFE_AND_ILLEGAL_PRODUCTS":       "STATEMENT_CATEGORY_UNSAFE_AND_PROHIBITED_PRODUCTS",

	"KEYWORD_DANGEROUS_TOYS":                   "",
	"KEYWORD_DISINFORMATION":                   "KEYWORD_MISINFORMATION_DISINFORMATION",
	"KEYWORD_FOREIGN_INFORMATION_MANIPULATION": "KEYWORD_MISINFORMATION_DISINFORMATION",
	"KEYWORD_GENDER_BASED_VIOLENCE":            "",
	"KEYWORD_IMAGE_BASED_SEXUAL_ABUSE":         "",
	"KEYWORD_INSUFFICIENT_INFORMATION_TRADERS": "KEYWORD_INSUFFICIENT_INFORMATION_ON_TRADERS",
	"KEYWORD_MISINFORMATION":                   "KEYWORD_MISINFORMATION_DISINFORMATION",
	"KEYWORD_NON_CONSENSUAL_ITEMS_DEEPFAKE":    "KEYWORD_NON_CONSENSUAL_MATERIAL_DEEPFAKE",
	"KEYWORD_ONLINE_BULLYING_INTIMIDATION":     "KEYWORD_CYBER_BULLYING_INTIMIDATION",
	"KEYWORD_REGULATED_GOODS_SERVICES":         "",
}
