package web

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rempart/provenance"
)

// markedFile is a file with a C2PA manifest, and its marks.
func markedFile(t *testing.T) (file []byte, marks []provenance.Mark) {
	t.Helper()
	file, err := os.ReadFile("../provenance/testdata/files/c2pa-v1.jpg")
	if err != nil {
		t.Fatal(err)
	}
	return file, []provenance.Mark{{Kind: "c2pa", Part: "APP11", Key: "manifest", Generator: "Adobe Firefly", Source: "trainedAlgorithmicMedia", Signature: "not_verified"}}
}

// TestMatchTellsMarks: the upload check answers the marks of a file; of
// fingerprints there is no file to ask.
func TestMatchTellsMarks(t *testing.T) {
	d := newDesk(t, true, true)
	file, want := markedFile(t)
	ask := func(kind string, body []byte) json.RawMessage {
		status, _, text := d.call("POST", "/api/v1/match", kind, bytes.NewReader(body))
		var got struct{ Provenance json.RawMessage }
		if err := json.Unmarshal([]byte(text), &got); status != http.StatusOK || err != nil {
			t.Fatalf("%d %s %v", status, text, err)
		}
		return got.Provenance
	}
	kind, body := photoForm(t, file)
	var got []provenance.Mark
	if err := json.Unmarshal(ask(kind, body), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	kind, body = photoForm(t, asPNG(t, hills(90, 60, false)))
	if got := ask(kind, body); string(got) != "[]" {
		t.Errorf("a file without marks: %s", got)
	}
	if got := ask("application/json", []byte(`{"fingerprints":[{"type":"sha256","value":"`+strings.Repeat("ab", 32)+`"}]}`)); got != nil {
		t.Errorf("a fingerprint: %s", got)
	}
}

// TestReportRefusesForeignWords: no word but the lists' enters a report, by the
// API or by the form.
func TestReportRefusesForeignWords(t *testing.T) {
	d := newDesk(t, true, true)
	body := `{"media":[{"fingerprints":[{"type":"sha256","value":"` + strings.Repeat("ab", 32) + `"}],"provenance":[{"kind":"text","part":"tEXt","key":"parameters","generator":"SECRET words"}]}]}`
	status, _, text := d.call("POST", "/api/v1/reports", "application/json", strings.NewReader(body), "Idempotency-Key", strings.Repeat("k", 30))
	if status != http.StatusUnprocessableEntity || strings.Contains(text, "SECRET") || !strings.Contains(text, "provenance") {
		t.Errorf("%d %s", status, text)
	}
	status, _, text = d.call("POST", "/api/v1/reports", "application/json", strings.NewReader(strings.Replace(body, "SECRET words", "Stable Diffusion", 1)), "Idempotency-Key", strings.Repeat("k", 30))
	if status != http.StatusCreated {
		t.Errorf("%d %s", status, text)
	}
}
