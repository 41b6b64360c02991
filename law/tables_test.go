package law

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rempart"
)

func TestCategoryOf(t *testing.T) {
	for _, tt := range []struct {
		facts         rempart.Facts
		code, keyword string
	}{
		{rempart.Facts{AgeClass: "15_17", Sexual: "intimate", Origin: "ai_generated"}, "9c", "KEYWORD_CHILD_SEXUAL_ABUSE_MATERIAL_DEEPFAKE"},
		{rempart.Facts{AgeClass: "under_15", Sexual: "pornographic", Origin: "montage"}, "9c", "KEYWORD_CHILD_SEXUAL_ABUSE_MATERIAL_DEEPFAKE"},
		{rempart.Facts{AgeClass: "appears_minor", Sexual: "pornographic", Origin: "real_capture"}, "9b", "KEYWORD_CHILD_SEXUAL_ABUSE_MATERIAL"},
		{rempart.Facts{AgeClass: "15_17", Threat: "images"}, "9d", "KEYWORD_GROOMING_SEXUAL_ENTICEMENT_MINORS"},
		{rempart.Facts{AgeClass: "15_17", Repetition: rempart.FlagYes}, "9f", "KEYWORD_OTHER"},
		{deepfakeOfAnAdult, "3f", "KEYWORD_NON_CONSENSUAL_MATERIAL_DEEPFAKE"},
		{rempart.Facts{Sexual: "intimate", Origin: "real_capture"}, "3e", "KEYWORD_NON_CONSENSUAL_IMAGE_SHARING"},
		{rempart.Facts{Sexual: "intimate", Depicts: "synthetic", Origin: "ai_generated"}, "15a", "KEYWORD_ADULT_SEXUAL_MATERIAL"},
		{rempart.Facts{Origin: "ai_generated", Depicts: "identified"}, "3f", "KEYWORD_NON_CONSENSUAL_MATERIAL_DEEPFAKE"},
		{rempart.Facts{MultipleAuthors: rempart.FlagYes}, "3b", "KEYWORD_CYBER_HARASSMENT"},
		{rempart.Facts{Threat: "force"}, "3a", "KEYWORD_CYBER_BULLYING_INTIMIDATION"},
		{rempart.Facts{}, "17", ""},
	} {
		got := CategoryOf(tt.facts)
		if got.Code != tt.code || got.Keyword != tt.keyword {
			t.Errorf("category of %+v is %s %s, want %s %s", tt.facts, got.Code, got.Keyword, tt.code, tt.keyword)
		}
		if !strings.HasPrefix(got.Statement, "STATEMENT_CATEGORY_") || got.Name == "" {
			t.Errorf("category %s is incomplete: %+v", got.Code, got)
		}
	}
}

func TestAMinorIsNeverInAnAdultCategory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawFacts(t)
		got := CategoryOf(f)
		sexual := got.Code == "9b" || got.Code == "9c"
		if sexual != (f.Minor() && f.Sexualised()) {
			t.Fatalf("category %s, minor %t, sexual %t", got.Code, f.Minor(), f.Sexualised())
		}
		if f.Minor() != (got.Statement == "STATEMENT_CATEGORY_PROTECTION_OF_MINORS") {
			t.Fatalf("category %s %s, minor %t", got.Code, got.Statement, f.Minor())
		}
	})
}

func TestPriority(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	public := rempart.CommunicationOnlinePublic
	for _, tt := range []struct {
		name   string
		facts  rempart.Facts
		waited time.Duration
		want   rempart.Priority
	}{
		{"public image of a minor", rempart.Facts{AgeClass: "15_17", Sexual: "intimate", Communication: public}, 0, 1},
		{"threat", rempart.Facts{Threat: "money"}, 0, 1},
		{"minor", rempart.Facts{AgeClass: "appears_minor"}, 0, 2},
		{"public sexual image", deepfakeOfAnAdult, 0, 2},
		{"sexual, not public", rempart.Facts{Sexual: "intimate"}, 0, 3},
		{"public, not sexual", rempart.Facts{Communication: public}, 0, 3},
		{"harassment", rempart.Facts{Repetition: rempart.FlagYes}, 0, 3},
		{"nothing", rempart.Facts{}, 0, 4},
		{"sexual, waiting at its limit", rempart.Facts{Sexual: "intimate"}, 48 * time.Hour, 3},
		{"sexual, waiting past it", rempart.Facts{Sexual: "intimate"}, 49 * time.Hour, 2},
		{"nothing, waiting past it", rempart.Facts{}, 8 * 24 * time.Hour, 3},
		{"a wait alone is never urgent", deepfakeOfAnAdult, 1000 * time.Hour, 2},
	} {
		got, why := Priority(tt.facts, now.Add(-tt.waited), now)
		if got != tt.want || len(why) == 0 {
			t.Errorf("%s: priority %d because %v, want %d", tt.name, got, why, tt.want)
		}
	}
	if got, _ := Priority(rempart.Facts{Sexual: "intimate"}, time.Time{}, now); got != 3 {
		t.Errorf("without a beginning the wait counts: priority %d", got)
	}
}

func TestComplaintUntil(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ informed, last string }{
		{"2026-11-22", "2027-05-22"},
		{"2026-08-31", "2027-02-28"},
		{"2027-08-31", "2028-02-29"},
		{"2026-12-31", "2027-06-30"},
		{"2026-04-30", "2026-10-30"}, // calendar months, across the change of clocks
		{"2026-02-28", "2026-08-28"},
	} {
		d, err := time.ParseInLocation(time.DateOnly, tt.informed, paris)
		if err != nil {
			t.Fatal(err)
		}
		got := ComplaintUntil(d.Add(15 * time.Hour))
		if last := got.Add(-time.Second).Format(time.DateOnly); last != tt.last {
			t.Errorf("informed %s: the last day is %s, want %s", tt.informed, last, tt.last)
		}
		if got.Hour() != 0 || got.Minute() != 0 {
			t.Errorf("informed %s: ends within a day, %s", tt.informed, got)
		}
	}
}

func TestClocks(t *testing.T) {
	policy := 0
	for _, c := range Clocks() {
		if (c.Within == 0) == (c.Months == 0) || c.Source == "" || c.ID == "" {
			t.Errorf("clock %+v is incomplete", c)
		}
		if c.Policy {
			policy++
		} else if c.Months != 6 {
			t.Errorf("clock %s is said to be the law's", c.ID)
		}
	}
	if policy != 3 {
		t.Errorf("%d clocks are our own choice, want 3", policy)
	}
}

func TestHelp(t *testing.T) {
	var numbers []string
	for _, l := range Help() {
		numbers = append(numbers, l.Tel...)
		if l.Source == "" {
			t.Errorf("%s: no source", l.Number)
		}
	}
	if want := []string{"17", "112", "119", "3018", "116006"}; !slices.Equal(numbers, want) {
		t.Errorf("numbers are %v, want %v", numbers, want)
	}
	for _, broken := range []string{
		`[]`, `[{"number": "1"}]`, `[{"number": "1", "tel": ["1"]}]`, `[{"numero": "1"}]`, `[`,
		`[{"number": "1", "tel": ["1"], "label": {"fr": "a", "en": "a"}, "for": {"fr": "a", "en": "a"}}]`,
	} {
		if _, err := readHelp([]byte(broken)); err == nil {
			t.Errorf("%s is read as help lines", broken)
		}
	}
}

// texts collects every sentence below v, pointers and unexported maps included.
func texts(v reflect.Value, add func(rempart.Text)) {
	if t, ok := v.Interface().(rempart.Text); ok {
		if t != (rempart.Text{}) {
			add(t)
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			texts(v.Elem(), add)
		}
	case reflect.Struct:
		for _, f := range reflect.VisibleFields(v.Type()) {
			if f.IsExported() {
				texts(v.FieldByIndex(f.Index), add)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			texts(v.Index(i), add)
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			texts(it.Value(), add)
		}
	}
}

// In French a space before : ; ? ! and inside « » never breaks, nor does one
// inside a number or before its unit. We use U+00A0 for all of them: it is in
// every font, and a search for it finds a plain space.
var (
	narrow       = regexp.MustCompile(`\x{202f}`)
	badPoint     = regexp.MustCompile(`[^\x{a0}/][;?!]|[^\x{a0}/]:(?:[^/]|$)|\x{a0}{2}`)
	badGuillemet = regexp.MustCompile(`«[^\x{a0}]|[^\x{a0}]»`)
	badNumber    = regexp.MustCompile(`\d \d{3}\b|\d €|\d (?:ans|mois|jours|heures)\b|alinéa \d|al\. \d`)
	badQuote     = regexp.MustCompile(`'|"|\.\.\.`)
)

func typography(s string) string {
	for name, bad := range map[string]*regexp.Regexp{
		"narrow space": narrow, "high punctuation": badPoint, "guillemets": badGuillemet, "number": badNumber, "quote": badQuote,
	} {
		if found := bad.FindString(s); found != "" {
			return name + " at " + found
		}
	}
	return ""
}

func TestTypographyCheckSees(t *testing.T) {
	for _, bad := range []string{"Non : jamais", "Non: jamais", "Vrai ?", "Vrai?", "un « mot »", "60 000 €", "60\u00a0000 €", "60\u202f000\u00a0€", "18 ans", "l'article", "ici :"} {
		if typography(bad) == "" {
			t.Errorf("%q passes", bad)
		}
	}
	for _, good := range []string{"Non\u00a0: jamais", "Vrai\u00a0?", "un «\u00a0mot\u00a0»", "60\u00a0000\u00a0€", "18\u00a0ans, puis 3", "https://exemple.test/a"} {
		if found := typography(good); found != "" {
			t.Errorf("%q does not pass: %s", good, found)
		}
	}
}

func TestFrenchTypography(t *testing.T) {
	n := 0
	check := func(s rempart.Text) {
		n++
		if found := typography(s.FR); found != "" {
			t.Errorf("%s in %q", found, s.FR)
		}
		if strings.ContainsAny(s.EN, "'\"\u00a0\u202f") {
			t.Errorf("straight quote or no-break space in %q", s.EN)
		}
	}
	texts(reflect.ValueOf(France()), check)
	texts(reflect.ValueOf(Help()), check)
	texts(reflect.ValueOf(Clocks()), check)
	for _, years := range []float64{0.5, 1, 5} {
		check(PenaltyOf(rempart.Qualification{PrisonYears: years, FineEUR: 500000}))
	}
	if n < 110 {
		t.Errorf("only %d sentences were checked", n)
	}
	rapid.Check(t, func(rt *rapid.T) {
		_, why := Priority(drawFacts(rt), time.Unix(0, 0), time.Unix(1e9, 0))
		for _, s := range why {
			check(s)
		}
	})
	for _, o := range France().Offences() {
		for _, form := range o.Forms {
			if found := typography(form.Paragraph); found != "" {
				t.Errorf("%s: %s in paragraph %q", o.ID, found, form.Paragraph)
			}
		}
	}
}

func TestPenaltyOf(t *testing.T) {
	for _, tt := range []struct {
		years  float64
		fine   int
		fr, en string
	}{
		{1, 15000, "1\u00a0an d’emprisonnement et 15\u00a0000\u00a0€ d’amende", "1 year in prison and a fine of €15,000"},
		{10, 500000, "10\u00a0ans d’emprisonnement et 500\u00a0000\u00a0€ d’amende", "10 years in prison and a fine of €500,000"},
		{2, 1000000, "2\u00a0ans d’emprisonnement et 1\u00a0000\u00a0000\u00a0€ d’amende", "2 years in prison and a fine of €1,000,000"},
		{0.5, 7500, "6\u00a0mois d’emprisonnement et 7\u00a0500\u00a0€ d’amende", "6 months in prison and a fine of €7,500"},
		{0, 3750, "3\u00a0750\u00a0€ d’amende", "a fine of €3,750"},
		{20, 0, "20\u00a0ans d’emprisonnement", "20 years in prison"},
		{1, 750, "1\u00a0an d’emprisonnement et 750\u00a0€ d’amende", "1 year in prison and a fine of €750"},
	} {
		if got := PenaltyOf(rempart.Qualification{PrisonYears: tt.years, FineEUR: tt.fine}); got.FR != tt.fr || got.EN != tt.en {
			t.Errorf("penalty of %g, %d = %q, %q", tt.years, tt.fine, got.FR, got.EN)
		}
	}
}
