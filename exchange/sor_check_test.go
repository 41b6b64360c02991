package exchange

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// valid is the statement with which the database tests its own API: field
// required_fields of tests/Feature/Http/Controllers/Api/v1/StatementAPIControllerTest.php
// of github.com/digital-services-act/transparency-database, commit cd334253, read
// on 2026-11-22.
func valid() map[string]any {
	return map[string]any{
		"decision_visibility": []any{"DECISION_VISIBILITY_CONTENT_DISABLED", "DECISION_VISIBILITY_CONTENT_AGE_RESTRICTED"},
		"decision_monetary":   nil, "decision_provision": nil, "decision_account": nil,
		"decision_ground": "DECISION_GROUND_ILLEGAL_CONTENT", "category": "STATEMENT_CATEGORY_ANIMAL_WELFARE",
		"illegal_content_legal_ground": "foo", "illegal_content_explanation": "bar", "puid": "TK421",
		"territorial_scope": []any{"BE", "DE", "FR"}, "source_type": "SOURCE_ARTICLE_16", "source_identity": "foo",
		"decision_facts": "decision and facts", "content_type": []any{"CONTENT_TYPE_SYNTHETIC_MEDIA"},
		"automated_detection": "No", "automated_decision": "AUTOMATED_DECISION_PARTIALLY",
		"application_date": "2023-05-18", "content_date": "2023-05-18",
	}
}

// gone, as a change, takes a field away.
type gone struct{}

type change map[string]any

func (c change) to(s map[string]any) []byte {
	s = maps.Clone(s)
	for k, v := range c {
		if v == (gone{}) {
			delete(s, k)
		} else {
			s[k] = v
		}
	}
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return b
}

func incompatible(more change) change {
	c := change{"decision_ground": "DECISION_GROUND_INCOMPATIBLE_CONTENT", "incompatible_content_ground": "foobar", "incompatible_content_explanation": "foobar2"}
	maps.Copy(c, more)
	return c
}

// TestStatementsTaken holds statements that the database takes. Those marked DB
// are from the same test file; the others follow from its rules.
func TestStatementsTaken(t *testing.T) {
	for name, c := range map[string]change{
		"DB: the minimum":                      nil,
		"DB: language":                         {"account_type": "ACCOUNT_TYPE_BUSINESS", "content_language": "VI"},
		"DB: address of the ground":            {"decision_ground_reference_url": "https://www.goodurl.com"},
		"DB: texts of the other ground":        {"incompatible_content_ground": "foobar", "incompatible_content_explanation": "foobar2"},
		"DB: terms":                            incompatible(change{"incompatible_content_illegal": "No"}),
		"DB: other content":                    {"content_type": []any{"CONTENT_TYPE_APP", "CONTENT_TYPE_OTHER"}, "content_type_other": "foobar other"},
		"DB: content_type_other without OTHER": {"content_type": []any{"CONTENT_TYPE_AUDIO"}, "content_type_other": "foobar other"},
		"DB: source":                           {"source_type": "SOURCE_TYPE_OTHER_NOTIFICATION", "source_identity": "foobar other"},
		"DB: voluntary with an identity":       {"source_type": "SOURCE_VOLUNTARY", "source_identity": "foobar other"},
		"DB: end dates":                        {"end_date_visibility_restriction": "2023-08-10", "end_date_monetary_restriction": "2023-08-11", "end_date_service_restriction": "2023-08-12", "end_date_account_restriction": "2023-08-13"},
		"DB: keywords of any category":         {"category_specification": []any{"KEYWORD_ADULT_SEXUAL_MATERIAL", "KEYWORD_DESIGN_INFRINGEMENT", "KEYWORD_OTHER"}, "category_specification_other": "foobar keyword"},
		"DB: category twice":                   {"category": "STATEMENT_CATEGORY_VIOLENCE", "category_addition": []any{"STATEMENT_CATEGORY_ILLEGAL_OR_HARMFUL_SPEECH", "STATEMENT_CATEGORY_VIOLENCE"}},
		"DB: no additional category":           {"category_addition": []any{}},
		"DB: account only":                     {"decision_visibility": nil, "decision_account": "DECISION_ACCOUNT_SUSPENDED"},

		"visibility empty, service":       {"decision_visibility": []any{}, "decision_provision": "DECISION_PROVISION_TOTAL_SUSPENSION"},
		"visibility gone, money":          {"decision_visibility": gone{}, "decision_monetary": "DECISION_MONETARY_OTHER", "decision_monetary_other": "paused"},
		"money not other, its text too":   {"decision_monetary": "DECISION_MONETARY_SUSPENSION", "decision_monetary_other": strings.Repeat("x", 501)},
		"the word null":                   {"account_type": "null", "decision_monetary": "null", "category_specification": []any{"null"}},
		"a value twice":                   {"content_type": []any{"CONTENT_TYPE_TEXT", "CONTENT_TYPE_TEXT"}, "territorial_scope": []any{"FR", "FR"}},
		"an end before the beginning":     {"application_date": "2025-05-18", "end_date_account_restriction": "2024-01-01"},
		"content after the decision":      {"content_date": "2030-01-01"},
		"bounds":                          {"content_date": "2000-01-01", "application_date": "2020-01-01", "end_date_account_restriction": "2038-01-01"},
		"bounds at the end":               {"content_date": "2038-01-01", "application_date": "2038-01-01"},
		"29 February":                     {"content_date": "2024-02-29"},
		"no scope":                        {"territorial_scope": gone{}},
		"scope null":                      {"territorial_scope": nil, "category_specification": nil, "content_language": nil, "decision_ground_reference_url": nil, "end_date_account_restriction": nil},
		"all of the area":                 {"territorial_scope": []any{"AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IS", "IT", "LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK"}},
		"Greek":                           {"content_language": "EL"},
		"product":                         {"content_id": map[string]any{"EAN-13": "4006381333931"}},
		"no product":                      {"content_id": nil},
		"product with another key":        {"content_id": map[string]any{"ISBN": "x"}},
		"characters, not bytes":           {"decision_facts": strings.Repeat("é", 5000), "illegal_content_explanation": strings.Repeat("é", 2000), "illegal_content_legal_ground": strings.Repeat("é", 500)},
		"white space around":              {"puid": " TK421 ", "category": "STATEMENT_CATEGORY_VIOLENCE\n", "content_type": []any{" CONTENT_TYPE_TEXT"}, "decision_facts": strings.Repeat("x", 5000) + "   "},
		"puid of 500":                     {"puid": strings.Repeat("aZ0-_", 100)},
		"puid a number":                   {"puid": 421},
		"a field that nobody knows":       {"user_id": 7, "url": "https://exemple.test"},
		"no source named":                 {"source_identity": nil},
		"keyword other without its words": {"category_specification": []any{"KEYWORD_OTHER"}},
		"address with accents":            {"decision_ground_reference_url": "https://légal.exemple.test:8443/conditions/%C3%A9?a=[1]&b=2#art-3"},
		"address of one label":            {"decision_ground_reference_url": "http://localhost"},
		"address in numbers":              {"decision_ground_reference_url": "http://[2001:db8::1]/x"},
	} {
		if got := CheckStatement(c.to(valid())); len(got) > 0 {
			t.Errorf("%s: refused: %v", name, got)
		}
	}
}

// TestStatementsRefused changes a statement that the database takes in one place
// and names the fields of which it then complains.
func TestStatementsRefused(t *testing.T) {
	none := []string{"decision_visibility", "decision_monetary", "decision_provision", "decision_account"}
	long := func(n int) string { return strings.Repeat("é", n) }
	for name, x := range map[string]struct {
		c    change
		want []string
	}{
		"DB: unknown language":      {change{"content_language": "XX"}, []string{"content_language"}},
		"DB: language in small":     {change{"content_language": "en"}, []string{"content_language"}},
		"DB: account type and date": {change{"application_date": "2023-12-20-05", "account_type": "ACCOUNT_TYPE_NOT_VALID"}, []string{"account_type", "application_date"}},
		"DB: date":                  {change{"application_date": "2023-4-4-4"}, []string{"application_date"}},
		"DB: address":               {change{"decision_ground_reference_url": "notvalidurl"}, []string{"decision_ground_reference_url"}},
		"DB: countries":             {change{"territorial_scope": []any{"XY", "ZZ"}}, []string{"territorial_scope", "territorial_scope"}},
		"DB: puid":                  {change{"puid": "very bad é + pu.id"}, []string{"puid"}},
		"DB: puid empty":            {change{"puid": ""}, []string{"puid"}},

		"nothing decided":              {change{"decision_visibility": nil}, none},
		"nothing decided, gone":        {change{"decision_visibility": gone{}}, none},
		"nothing decided, empty":       {change{"decision_visibility": []any{}}, none},
		"visibility as a text":         {change{"decision_visibility": "DECISION_VISIBILITY_CONTENT_REMOVED"}, []string{"decision_visibility"}},
		"visibility unknown":           {change{"decision_visibility": []any{"DECISION_VISIBILITY_CONTENT_HIDDEN"}}, []string{"decision_visibility"}},
		"visibility other, no word":    {change{"decision_visibility": []any{"DECISION_VISIBILITY_OTHER"}}, []string{"decision_visibility_other"}},
		"visibility other, blank":      {change{"decision_visibility": []any{"DECISION_VISIBILITY_OTHER"}, "decision_visibility_other": "  "}, []string{"decision_visibility_other"}},
		"visibility other, long":       {change{"decision_visibility": []any{"DECISION_VISIBILITY_OTHER"}, "decision_visibility_other": long(501)}, []string{"decision_visibility_other"}},
		"money as a list":              {change{"decision_monetary": []any{"DECISION_MONETARY_OTHER"}}, []string{"decision_monetary"}}, // PHP: a list equals no text, so required_if does not hold
		"ground as a list":             {change{"decision_ground": []any{"DECISION_GROUND_INCOMPATIBLE_CONTENT"}}, []string{"decision_ground"}},
		"money unknown":                {change{"decision_monetary": "DECISION_MONETARY_FINE"}, []string{"decision_monetary"}},
		"money other, no word":         {change{"decision_monetary": "DECISION_MONETARY_OTHER"}, []string{"decision_monetary_other"}},
		"money other, long":            {change{"decision_monetary": "DECISION_MONETARY_OTHER", "decision_monetary_other": long(501)}, []string{"decision_monetary_other"}},
		"service unknown":              {change{"decision_provision": "DECISION_PROVISION_SUSPENSION"}, []string{"decision_provision"}},
		"account unknown":              {change{"decision_account": "DECISION_ACCOUNT_DELETED"}, []string{"decision_account"}},
		"no ground":                    {change{"decision_ground": gone{}}, []string{"decision_ground"}},
		"ground unknown":               {change{"decision_ground": "ILLEGAL_CONTENT"}, []string{"decision_ground"}},
		"law, no texts":                {change{"illegal_content_legal_ground": nil, "illegal_content_explanation": gone{}}, []string{"illegal_content_legal_ground", "illegal_content_explanation"}},
		"law, long":                    {change{"illegal_content_legal_ground": long(501), "illegal_content_explanation": long(2001)}, []string{"illegal_content_legal_ground", "illegal_content_explanation"}},
		"terms, no texts":              {change{"decision_ground": "DECISION_GROUND_INCOMPATIBLE_CONTENT"}, []string{"incompatible_content_ground", "incompatible_content_explanation"}},
		"terms, long":                  {incompatible(change{"incompatible_content_ground": long(501), "incompatible_content_explanation": long(2001)}), []string{"incompatible_content_ground", "incompatible_content_explanation"}},
		"terms, illegal too: true":     {incompatible(change{"incompatible_content_illegal": true}), []string{"incompatible_content_illegal"}},
		"terms, illegal too: null":     {incompatible(change{"incompatible_content_illegal": nil}), []string{"incompatible_content_illegal"}},
		"address without a scheme":     {change{"decision_ground_reference_url": "www.exemple.test/terms"}, []string{"decision_ground_reference_url"}},
		"address with a space":         {change{"decision_ground_reference_url": "https://exemple.test/a b"}, []string{"decision_ground_reference_url"}},
		"address without a host":       {change{"decision_ground_reference_url": "https://"}, []string{"decision_ground_reference_url"}},
		"address of a script":          {change{"decision_ground_reference_url": "javascript:alert(1)"}, []string{"decision_ground_reference_url"}},
		"address, long":                {change{"decision_ground_reference_url": "https://exemple.test/" + strings.Repeat("x", 480)}, []string{"decision_ground_reference_url"}},
		"no content type":              {change{"content_type": gone{}}, []string{"content_type"}},
		"content type null":            {change{"content_type": nil}, []string{"content_type"}},
		"content type empty":           {change{"content_type": []any{}}, []string{"content_type"}},
		"content type as a text":       {change{"content_type": "CONTENT_TYPE_IMAGE"}, []string{"content_type"}},
		"content type unknown":         {change{"content_type": []any{"CONTENT_TYPE_IMAGE", "CONTENT_TYPE_GIF"}}, []string{"content_type"}},
		"content other, no word":       {change{"content_type": []any{"CONTENT_TYPE_OTHER"}}, []string{"content_type_other"}},
		"content other, long":          {change{"content_type": []any{"CONTENT_TYPE_OTHER"}, "content_type_other": long(501)}, []string{"content_type_other"}},
		"no category":                  {change{"category": gone{}}, []string{"category"}},
		"category unknown":             {change{"category": "CYBER_VIOLENCE"}, []string{"category"}},
		"category of before July 2025": {change{"category": "STATEMENT_CATEGORY_NON_CONSENSUAL_BEHAVIOUR"}, []string{"category"}},
		"category of orders":           {change{"category": "STATEMENT_CATEGORY_NOT_SPECIFIED_ORDER"}, []string{"category"}},
		"category as a list":           {change{"category": []any{"STATEMENT_CATEGORY_VIOLENCE"}}, []string{"category"}},
		"addition null":                {change{"category_addition": nil}, []string{"category_addition"}},
		"addition a text":              {change{"category_addition": "STATEMENT_CATEGORY_VIOLENCE"}, []string{"category_addition"}},
		"addition unknown":             {change{"category_addition": []any{"STATEMENT_CATEGORY_X"}}, []string{"category_addition"}},
		"addition the word null":       {change{"category_addition": []any{"null"}}, []string{"category_addition"}},
		"keyword unknown":              {change{"category_specification": []any{"KEYWORD_DEEPFAKE"}}, []string{"category_specification"}},
		"keyword of before July 2025":  {change{"category_specification": []any{"KEYWORD_NON_CONSENSUAL_ITEMS_DEEPFAKE"}}, []string{"category_specification"}},
		"keyword of no list":           {change{"category_specification": []any{"KEYWORD_DANGEROUS_TOYS"}}, []string{"category_specification"}},
		"keyword as a text":            {change{"category_specification": "KEYWORD_NUDITY"}, []string{"category_specification"}},
		"keyword, other, long":         {change{"category_specification": []any{"KEYWORD_OTHER"}, "category_specification_other": long(501)}, []string{"category_specification_other"}},
		"EAN of 12":                    {change{"content_id": map[string]any{"EAN-13": "400638133393"}}, []string{"content_id.EAN-13"}},
		"EAN with a letter":            {change{"content_id": map[string]any{"EAN-13": "400638133393X"}}, []string{"content_id.EAN-13"}},
		"EAN a number":                 {change{"content_id": map[string]any{"EAN-13": 4006381333931}}, []string{"content_id.EAN-13"}},
		"EAN null":                     {change{"content_id": map[string]any{"EAN-13": nil}}, []string{"content_id.EAN-13"}},
		"content_id a text":            {change{"content_id": "4006381333931"}, []string{"content_id"}},
		"content_id_ean":               {change{"content_id_ean": "1"}, []string{"content_id_ean"}},
		"country of old":               {change{"territorial_scope": []any{"FR", "UK"}}, []string{"territorial_scope"}},
		"Greece as a language":         {change{"territorial_scope": []any{"EL"}}, []string{"territorial_scope"}},
		"EU in one word":               {change{"territorial_scope": []any{"EU"}}, []string{"territorial_scope"}},
		"EEA in one word":              {change{"territorial_scope": []any{"EEA"}}, []string{"territorial_scope"}},
		"country in small":             {change{"territorial_scope": []any{"fr"}}, []string{"territorial_scope"}},
		"country as a text":            {change{"territorial_scope": "FR"}, []string{"territorial_scope"}},
		"no dates":                     {change{"content_date": gone{}, "application_date": nil}, []string{"content_date", "application_date"}},
		"content too old":              {change{"content_date": "1999-12-31"}, []string{"content_date"}},
		"decision too old":             {change{"application_date": "2019-12-31"}, []string{"application_date"}},
		"dates too late":               {change{"content_date": "2038-01-02", "application_date": "2038-01-02"}, []string{"content_date", "application_date"}},
		"end too late":                 {change{"end_date_visibility_restriction": "2038-01-02"}, []string{"end_date_visibility_restriction"}},
		"no such day":                  {change{"content_date": "2023-02-29"}, []string{"content_date"}},
		"day without its zero":         {change{"content_date": "2023-2-5"}, []string{"content_date"}},
		"day with a time":              {change{"application_date": "2023-05-18 10:00:00"}, []string{"application_date"}},
		"day turned round":             {change{"end_date_account_restriction": "18/05/2023", "end_date_monetary_restriction": "2023-13-01", "end_date_service_restriction": "2023/05/18"}, []string{"end_date_account_restriction", "end_date_monetary_restriction", "end_date_service_restriction"}},
		"no facts":                     {change{"decision_facts": "   "}, []string{"decision_facts"}},
		"facts, long":                  {change{"decision_facts": long(5001)}, []string{"decision_facts"}},
		"facts as a list":              {change{"decision_facts": []any{"x"}}, []string{"decision_facts"}},
		"no source":                    {change{"source_type": gone{}}, []string{"source_type"}},
		"source unknown":               {change{"source_type": "SOURCE_OTHER_NOTIFICATION"}, []string{"source_type"}},
		"identity, long":               {change{"source_identity": long(501)}, []string{"source_identity"}},
		"detection as true":            {change{"automated_detection": false}, []string{"automated_detection"}},
		"detection in small":           {change{"automated_detection": "yes"}, []string{"automated_detection"}},
		"decision Yes":                 {change{"automated_decision": "Yes"}, []string{"automated_decision"}},
		"no automation said":           {change{"automated_detection": gone{}, "automated_decision": nil}, []string{"automated_detection", "automated_decision"}},
		"puid of 501":                  {change{"puid": strings.Repeat("a", 501)}, []string{"puid"}},
		"puid of two faults":           {change{"puid": strings.Repeat(".", 501)}, []string{"puid", "puid"}},
		"puid on two lines":            {change{"puid": "TK\n421"}, []string{"puid"}},
		"puid true":                    {change{"puid": true}, []string{"puid"}},
	} {
		var got []string
		for _, f := range CheckStatement(x.c.to(valid())) {
			got = append(got, f.Field)
			if f.Text == "" || strings.ContainsAny(f.String(), "\n\r") {
				t.Errorf("%s: fault %q is no line", name, f)
			}
		}
		if diff := cmp.Diff(x.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestStatementOfNothing is the database's own example of an empty body
// (documentation of the API, "Errors"), with content_date, which it asks for
// since.
func TestStatementOfNothing(t *testing.T) {
	want := []string{"decision_visibility", "decision_monetary", "decision_provision", "decision_account", "decision_ground", "content_type", "category",
		"content_date", "application_date", "decision_facts", "source_type", "automated_detection", "automated_decision", "puid"}
	var got []string
	for _, f := range CheckStatement([]byte("{}")) {
		got = append(got, f.Field)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, body := range []string{"", "[]", "null", `"x"`, "{", "{} {}", "\xff"} {
		if got := CheckStatement([]byte(body)); len(got) != 1 || got[0].Field != "statement" {
			t.Errorf("%q: %v", body, got)
		}
	}
}

func TestStatementsInABatch(t *testing.T) {
	one := change{}.to(valid())
	other := change{"puid": "TK422", "content_language": "xx"}.to(valid())
	for body, want := range map[string][]string{
		fmt.Sprintf(`{"statements":[%s]}`, one):               nil,
		fmt.Sprintf(`{"statements":[%s,%s]}`, one, other):     {"statements[1].content_language"},
		fmt.Sprintf(`{"statements":[%s,%s]}`, one, one):       {"statements[1].puid"},
		`{"statements":[]}`:                                   {"statements"},
		`{"statements":"x"}`:                                  {"statements"},
		`{"statements":[1]}`:                                  {"statements[0]"},
		`{"statements":[` + strings.Repeat("1,", 100) + `1]}`: {"statements"},
	} {
		var got []string
		for _, f := range CheckStatement([]byte(body)) {
			got = append(got, f.Field)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%.60s (-want +got):\n%s", body, diff)
		}
	}
}

// TestRulesAreWhole counts what the database's code and documentation list.
func TestRulesAreWhole(t *testing.T) {
	for name, x := range map[string]struct {
		list []string
		want int
	}{"countries": {sorCountries, 30}, "languages": {sorLanguages, 184}, "categories": {sorCategories, 16}, "visibility": {sorVisibility, 7}, "keywords": {sorKeywords, 69}} {
		seen := map[string]bool{}
		for _, v := range x.list {
			if seen[v] {
				t.Errorf("%s: %s twice", name, v)
			}
			seen[v] = true
		}
		if len(x.list) != x.want {
			t.Errorf("%d %s, want %d", len(x.list), name, x.want)
		}
	}
	for old, now := range sorFormer {
		of := sorCategories
		if strings.HasPrefix(old, "KEYWORD_") {
			of = sorKeywords
		}
		if in := strings.Join(of, " ") + " "; strings.Contains(in, old+" ") || now != "" && !strings.Contains(in, now+" ") {
			t.Errorf("%s is taken, or %q is not", old, now)
		}
	}
}

// TestStatementUTF8: what is not UTF-8 the database reads as nothing.
func TestStatementUTF8(t *testing.T) {
	got := CheckStatement([]byte("{\"decision_facts\":\"\xff\"}"))
	if diff := cmp.Diff([]Fault{{Field: "statement", Text: "is not UTF-8"}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
