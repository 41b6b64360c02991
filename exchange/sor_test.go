package exchange

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rempart"
)

func decided() Decided {
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	return Decided{Category: "STATEMENT_CATEGORY_CYBER_VIOLENCE", Keyword: "KEYWORD_NON_CONSENSUAL_MATERIAL_DEEPFAKE", Code: "3f", Trusted: true, Received: at, Lang: "fr", PUID: "rempart-1",
		Decision: rempart.Decision{Measure: rempart.MeasureRemoved, Ground: "law", Reference: "Code pénal, art. 226-8-1", Facts: "facts typed", Explanation: "explanation typed",
			Scope: "FR", Redress: []string{"court"}, ContentTypes: []string{"image", "synthetic_media"}, PostedOn: "2026-11-01", At: at}}
}

// TestNewStatement: what a decision becomes, field by field.
func TestNewStatement(t *testing.T) {
	b, err := json.Marshal(NewStatement(decided()))
	if err != nil {
		t.Fatal(err)
	}
	var got, want map[string]any
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(`{"decision_visibility":["DECISION_VISIBILITY_CONTENT_REMOVED"],"decision_ground":"DECISION_GROUND_ILLEGAL_CONTENT",
		"illegal_content_legal_ground":"Code pénal, art. 226-8-1",
		"illegal_content_explanation":"Le contenu relève de la catégorie 3f des modèles du règlement d’exécution (UE) 2024/2835 ; il est considéré comme illicite au regard du texte cité.",
		"category":"STATEMENT_CATEGORY_CYBER_VIOLENCE","category_specification":["KEYWORD_NON_CONSENSUAL_MATERIAL_DEEPFAKE"],
		"content_type":["CONTENT_TYPE_IMAGE","CONTENT_TYPE_SYNTHETIC_MEDIA"],"content_date":"2026-11-01","territorial_scope":["FR"],"application_date":"2026-11-22",
		"decision_facts":"Contenu désigné par une notification au titre de l’article 16 du règlement (UE) 2022/2065, reçue le 2026-11-22, d’un signaleur de confiance. La décision a été prise par une personne.",
		"source_type":"SOURCE_TRUSTED_FLAGGER","automated_detection":"No","automated_decision":"AUTOMATED_DECISION_NOT_AUTOMATED","puid":"rempart-1"}`), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestStatementsOfEveryDecision: whatever a moderator can choose, the statement
// is one that the database takes, and says what was chosen.
func TestStatementsOfEveryDecision(t *testing.T) {
	n := 0
	for _, r := range rempart.Restrictions {
		for _, ground := range []string{"law", "terms"} {
			for _, scope := range []string{"EU", "FR", "world"} {
				for _, means := range rempart.AllMeans {
					x := decided()
					d := &x.Decision
					d.Measure, d.Restrictions, d.Ground, d.Scope, d.Means, d.Detected = rempart.MeasureRestricted, []rempart.Restriction{r}, ground, scope, means, n%2 == 0
					d.Other, d.Until, d.ContentTypes, x.Lang = "en pause", "2027-01-01", rempart.ContentTypes, []string{"fr", "en"}[n%2]
					if r == rempart.Removed || r == rempart.Disabled {
						d.Measure = rempart.MeasureRemoved
					}
					n++
					if m := d.Normal().MissingAtDecision(d.At); len(m) > 0 && m[0].Code != "decision.explanation" {
						t.Fatalf("%s: a moderator cannot take this decision: %+v", r, m)
					}
					s := NewStatement(x)
					if faults := append(s.Check(), PersonalIn(s, []string{"facts typed", "explanation typed"})...); len(faults) > 0 {
						t.Errorf("%s, %s, %s, %s: %v", r, ground, scope, means, faults)
					}
					b, err := json.Marshal(s)
					if err != nil {
						t.Fatal(err)
					}
					_, value, _ := strings.Cut(string(r), ".")
					if !strings.Contains(string(b), strings.ToUpper(value)+`"`) || !strings.Contains(string(b), "2027-01-01") || strings.Contains(string(b), "typed") {
						t.Errorf("%s: %s", r, b)
					}
				}
			}
		}
	}
	if n != 16*2*3*3 {
		t.Errorf("%d decisions tried", n)
	}
	x := decided()
	x.Category, x.Keyword, x.Code, x.Lang = "STATEMENT_CATEGORY_NOT_SPECIFIED_NOTICE", "", "17", "en"
	if s := NewStatement(x); len(s.Check()) > 0 || strings.Contains(s.LegalExplanation, "17") {
		t.Errorf("of no category: %q, %v", s.LegalExplanation, s.Check())
	}
	x.Decision.Scope = "EU"
	if got := NewStatement(x).TerritorialScope; len(got) != 27 {
		t.Errorf("the EU is %v", got)
	}
}

// TestSorAnswers reads answers that are none of the database's own.
func TestSorAnswers(t *testing.T) {
	for name, x := range map[string]struct {
		status    int
		body      string
		permanent bool
	}{
		"200 is not 201":                  {200, `{"puid":"rempart-1","uuid":"u"}`, false},
		"created, no receipt":             {201, `<html>`, false},
		"created, another":                {201, `{"puid":"other","uuid":"u"}`, false},
		"refused":                         {422, `{"message":"The selected category is invalid.","errors":{"category":["x"]}}`, true},
		"no token":                        {401, `{"message":"Unauthenticated."}`, false},
		"not the database":                {404, `<html>`, false},
		"redirect":                        {302, ``, false},
		"busy":                            {429, `Limit Reached. Please do not overload the API`, false},
		"broken":                          {500, ``, false},
		"an answer of 5 MB, never a page": {201, strings.Repeat("x", 5<<20), false},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(x.status)
			w.Write([]byte(x.body))
		}))
		db := SorDatabase{Client: NewClient(), Base: srv.URL, Token: "t"}
		taken, err := db.Send(t.Context(), []Statement{{PUID: "rempart-1"}})
		fail, ok := err.(*Failure)
		if !ok || fail.Permanent != x.permanent || len(taken.Existing) > 0 {
			t.Errorf("%s: %v, %+v", name, err, taken)
		}
		if name == "not the database" {
			if _, err := db.Exists(t.Context(), "rempart-1"); err == nil {
				t.Error("a 404 of something else counts as the database's word")
			}
		}
		db.Client.CloseIdleConnections()
		srv.Close()
	}
	db := SorDatabase{Client: NewClient(), Base: "http://127.0.0.1:1"}
	if _, err := db.Send(t.Context(), nil); err == nil {
		t.Error("no statement was sent without a word")
	}
	if _, err := db.Send(t.Context(), make([]Statement, 101)); err == nil {
		t.Error("101 statements were sent in a call")
	}
}

// TestStatementsCSV holds the columns of the database's full export: 38, those
// of its heading.
func TestStatementsCSV(t *testing.T) {
	s := NewStatement(decided())
	s.VisibilityEnds, s.LegalGround = "2027-01-01", "=1+1\r\nsuite"
	var b strings.Builder
	if err := WriteStatements(&b, []Published{{Statement: s, UUID: "u-1", Platform: "Forum, exemple", At: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)}}); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
	if err != nil || len(rows) != 2 || len(rows[0]) != 38 {
		t.Fatalf("%d rows of %d columns: %v", len(rows), len(rows[0]), err)
	}
	got := map[string]string{}
	for k, name := range rows[0] {
		if rows[1][k] != "" {
			got[name] = rows[1][k]
		}
	}
	want := map[string]string{"uuid": "u-1", "platform_name": "Forum, exemple", "platform_uid": "rempart-1", "created_at": "2026-11-22 10:00:00",
		"decision_visibility": `["DECISION_VISIBILITY_CONTENT_REMOVED"]`, "end_date_visibility_restriction": "2027-01-01 00:00:00",
		"decision_ground": "DECISION_GROUND_ILLEGAL_CONTENT", "illegal_content_legal_ground": "'=1+1 suite", "illegal_content_explanation": s.LegalExplanation,
		"category": s.Category, "category_specification": `["KEYWORD_NON_CONSENSUAL_MATERIAL_DEEPFAKE"]`, "content_type": `["CONTENT_TYPE_IMAGE","CONTENT_TYPE_SYNTHETIC_MEDIA"]`,
		"content_date": "2026-11-01 00:00:00", "territorial_scope": `["FR"]`, "application_date": "2026-11-22 00:00:00", "decision_facts": s.Facts,
		"source_type": s.SourceType, "automated_detection": "No", "automated_decision": "AUTOMATED_DECISION_NOT_AUTOMATED"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if rows[0][0] != "uuid" || rows[0][37] != "created_at" {
		t.Errorf("columns from %s to %s", rows[0][0], rows[0][37])
	}
}
