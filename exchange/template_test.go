package exchange_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"rempart"
	"rempart/exchange"
)

func whole() rempart.Notice {
	return rempart.Notice{ID: "0abc", CaseRef: "7F3K-9QXM", ServiceName: "Forum", Lang: "fr", GoodFaith: true, DoNotTell: true, Explanation: "« Guillemets », \"droits\" & <balises>\nsur deux lignes.",
		Grounds:  []rempart.Ground{{Article: "226-8-1", Code: "Code pénal", Label: "Montage à caractère sexuel", TextDate: "2024-05-23"}},
		Items:    []rempart.NoticeItem{{ID: "i1", Address: "https://forum.exemple.test/?a=b&c=d"}, {ID: "i2", Address: "https://forum.exemple.test/é"}},
		Notifier: rempart.Notifier{Name: "Association", Email: "a@exemple.test"}}
}

// TestSendRequest writes JSON and forms that say exactly what the notice says,
// sets the headers that were asked for, and reads the number.
func TestSendRequest(t *testing.T) {
	var got *http.Request
	var body string
	answer := `{"data":{"id":4711}}`
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got, body = r, string(b)
		w.WriteHeader(http.StatusCreated)
		io.WriteString(w, answer)
	}))
	defer srv.Close()
	c := exchange.NewClient()
	defer c.CloseIdleConnections()
	n := whole()
	form := rempart.Request{ContentType: exchange.FormRequest, Headers: []string{"X-Api-Token"}, Taken: []int{201}, Number: "data.id",
		Body: `reason={{form .Notice.Explanation}}&url={{form (join " " .Addresses)}}&ref={{form .Notice.CaseRef}}`}
	if err := exchange.CheckRequest(form); err != nil {
		t.Fatal(err)
	}
	number, status, _, err := exchange.SendRequest(t.Context(), c, srv.URL+"/reports?kind=dsa", form, map[string]string{"X-Api-Token": "secret", "Other": "x"}, "key", n)
	if err != nil || number != "4711" || status != 201 {
		t.Fatalf("%q, %d, %v", number, status, err)
	}
	v, err := url.ParseQuery(body)
	if err != nil || v.Get("reason") != n.Explanation || v.Get("url") != n.Items[0].Address+" "+n.Items[1].Address || v.Get("ref") != n.CaseRef || len(v) != 3 {
		t.Errorf("form %q: %v, %v", body, v, err)
	}
	if got.URL.RequestURI() != "/reports?kind=dsa" || got.Header.Get("X-Api-Token") != "secret" || got.Header.Get("Other") != "" || got.Header.Get("Content-Type") != exchange.FormRequest || got.Header.Get("Idempotency-Key") != "" {
		t.Errorf("request %s %v", got.URL, got.Header)
	}
	json := rempart.Request{ContentType: exchange.JSONRequest, Body: `{"text": {{json .Text}}, "subject": {{json .Subject}}, "urls": {{json .Addresses}}}`, Repeatable: true}
	if _, _, _, err := exchange.SendRequest(t.Context(), c, srv.URL, json, nil, "key", n); err != nil || got.Header.Get("Idempotency-Key") != "key" || !strings.Contains(body, `\"droits\"`) {
		t.Errorf("%v, %q", err, body)
	}
	var fail *exchange.Failure
	for name, r := range map[string]rempart.Request{
		"another status means taken": {ContentType: exchange.JSONRequest, Body: "1", Taken: []int{202}},
		"no number there":            {ContentType: exchange.JSONRequest, Body: "1", Number: "id"},
	} {
		if _, _, _, err := exchange.SendRequest(t.Context(), c, srv.URL, r, nil, "key", n); !errors.As(err, &fail) || fail.Status != 201 || fail.NotTaken() {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, _, err := exchange.SendRequest(t.Context(), c, "http://127.0.0.1:1/", json, nil, "key", n); !errors.As(err, &fail) || !fail.NotTaken() {
		t.Errorf("nobody there: %v", err)
	}
}

// TestCheckRequest refuses what would not work, before anything is sent.
func TestCheckRequest(t *testing.T) {
	for name, r := range map[string]rempart.Request{
		"not a template":       {ContentType: exchange.JSONRequest, Body: "{{"},
		"a field that is not":  {ContentType: exchange.JSONRequest, Body: "{{json .Notice.Secret}}"},
		"not JSON":             {ContentType: exchange.JSONRequest, Body: `{"text": "{{.Notice.Explanation}}"}`},
		"not a form":           {ContentType: exchange.FormRequest, Body: "text={{.Notice.Explanation}}"},
		"no content type":      {Body: "1"},
		"a header that is not": {ContentType: exchange.JSONRequest, Body: "1", Headers: []string{"a b"}},
		"a header of ours":     {ContentType: exchange.JSONRequest, Body: "1", Headers: []string{"content-length"}},
		"a refusal as taken":   {ContentType: exchange.JSONRequest, Body: "1", Taken: []int{404}},
		"without end":          {ContentType: exchange.JSONRequest, Body: strings.Repeat(`{{range .Addresses}}{{range $.Addresses}}"`+strings.Repeat("x", 1<<16)+`"{{end}}{{end}}`, 20)},
	} {
		if err := exchange.CheckRequest(r); err == nil {
			t.Errorf("%s: nothing is wrong", name)
		}
	}
}

// TestNoticeText says every element in both languages, and no name in a minor's
// notice.
func TestNoticeText(t *testing.T) {
	n := whole()
	for lang, words := range map[string][]string{
		"fr": {"de bonne foi", "ne soit pas communiquée", "Adresses exactes", "art. 226-8-1"},
		"en": {"in good faith", "not be disclosed", "Exact addresses", "art. 226-8-1"},
	} {
		n.Lang = lang
		subject, text := exchange.NoticeText(n)
		for _, w := range append(words, n.Explanation, "1. "+n.Items[0].Address, "2. "+n.Items[1].Address, "Association, a@exemple.test", n.CaseRef+" / "+n.ID) {
			if !strings.Contains(text, w) {
				t.Errorf("%s: the text lacks %q", lang, w)
			}
		}
		if !strings.HasPrefix(subject, "[7F3K-9QXM] ") || strings.ContainsAny(subject, "\r\n") {
			t.Errorf("subject %q", subject)
		}
		minor := n
		minor.Minor, minor.Notifier = true, rempart.Notifier{}
		if _, text := exchange.NoticeText(minor); !strings.Contains(text, "2011/93") || strings.Contains(text, "Association") {
			t.Errorf("a minor's: %s", text)
		}
	}
}
