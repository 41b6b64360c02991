package exchange

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"text/template"

	"golang.org/x/net/http/httpguts"

	"rempart"
)

// MaxRequest is how long a request made by a template may be, in bytes.
const MaxRequest = 1 << 20

// Content types that a template can write.
const (
	JSONRequest = "application/json"
	FormRequest = "application/x-www-form-urlencoded"
)

// templateData is what a template can name.
type templateData struct {
	Notice    Notice // as it travels between instances
	Subject   string
	Text      string // the whole notice as people read it
	Addresses []string
}

var templateFuncs = template.FuncMap{
	"json": func(v any) (string, error) { // a whole JSON value, with its quotes
		b, err := json.Marshal(v)
		return string(b), err
	},
	"form": func(v any) string { return url.QueryEscape(fmt.Sprint(v)) }, // one value of a form
	"join": func(sep string, list []string) string { return strings.Join(list, sep) },
}

// CheckRequest says what is wrong with a request of somebody else's API: it is
// tried with a notice that has every element.
func CheckRequest(r rempart.Request) error {
	for _, name := range r.Headers {
		if !httpguts.ValidHeaderFieldName(name) || slices.Contains([]string{"Host", "Content-Length", "Content-Type", "Transfer-Encoding", "Connection"}, textproto.CanonicalMIMEHeaderKey(name)) {
			return fmt.Errorf("exchange: the header %q cannot be set", name)
		}
	}
	for _, s := range r.Taken {
		if s < 200 || s > 299 {
			return fmt.Errorf("exchange: the status %d cannot mean that a notice was taken", s)
		}
	}
	n := rempart.Notice{ID: "0", CaseRef: "7F3K-9QXM", ServiceName: "Forum", Lang: "fr", Explanation: "\"Quoted\" & <marked>\n", GoodFaith: true,
		Grounds: []rempart.Ground{{Article: "226-8-1", Code: "Code pénal", Label: "Montage"}}, Items: []rempart.NoticeItem{{ID: "1", Address: "https://forum.exemple.test/?a=b&c=\"d\""}},
		Notifier: rempart.Notifier{Name: "Association", Email: "a@exemple.test"}}
	if _, err := render(r, n); err != nil || r.FollowUp == "" {
		return err
	}
	_, err := renderFollowUp(r, n, rempart.RungReminder, "\"Quoted\" & <marked>\n")
	return err
}

// render writes the body of a request that is a notice.
func render(r rempart.Request, n rempart.Notice) ([]byte, error) {
	d := templateData{Notice: FromNotice(n), Addresses: addressesOf(n)}
	d.Subject, d.Text = NoticeText(n)
	return execute(r, r.Body, d)
}

func addressesOf(n rempart.Notice) (out []string) {
	for _, i := range n.Items {
		out = append(out, i.Address)
	}
	return out
}

// execute writes the body of a request from a template and what it can name.
func execute(r rempart.Request, body string, d any) ([]byte, error) {
	t, err := template.New("request").Funcs(templateFuncs).Option("missingkey=error").Parse(body)
	if err != nil {
		return nil, fmt.Errorf("exchange: request: %w", err)
	}
	var b bounded
	if err := t.Execute(&b, d); err != nil {
		return nil, fmt.Errorf("exchange: request: %w", err)
	}
	switch r.ContentType {
	case JSONRequest:
		if !json.Valid(b.Bytes()) {
			return nil, errors.New("exchange: request: what the template writes is not JSON; write each value as {{json .Notice.Explanation}}")
		}
	case FormRequest:
		if _, err := url.ParseQuery(b.String()); err != nil || bytes.ContainsAny(b.Bytes(), " \n\"") {
			return nil, errors.New("exchange: request: what the template writes is not a form; write each value as {{form .Notice.Explanation}}")
		}
	default:
		return nil, fmt.Errorf("exchange: request: the content type is %s or %s", JSONRequest, FormRequest)
	}
	return b.Bytes(), nil
}

// bounded is a buffer that refuses more than MaxRequest.
type bounded struct{ bytes.Buffer }

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > MaxRequest {
		return 0, errors.New("what the template writes is too long")
	}
	return b.Buffer.Write(p)
}

// SendRequest delivers a notice to an API of somebody else's, at the whole address
// u, with the values of the headers that the request names. key is the
// idempotency key. What it answers is a receipt if its status is one of Taken
// and, where a number is asked for, it holds one. Any other outcome is a
// *Failure. It follows no redirect.
func SendRequest(ctx context.Context, c *http.Client, u string, r rempart.Request, headers map[string]string, key string, n rempart.Notice) (number string, status int, answer string, err error) {
	body, err := render(r, n)
	if err != nil {
		return "", 0, "", &Failure{Answer: "the template for this service cannot write the notice", Permanent: true, Err: err}
	}
	return sendBody(ctx, c, u, r, headers, key, body)
}

// sendBody delivers what a template has written.
func sendBody(ctx context.Context, c *http.Client, u string, r rempart.Request, headers map[string]string, key string, body []byte) (number string, status int, answer string, err error) {
	h := http.Header{"Content-Type": {r.ContentType}}
	if r.Repeatable { // with this header net/http itself sends again what broke off
		h.Set("Idempotency-Key", key)
	}
	for _, name := range r.Headers {
		h.Set(name, headers[name])
	}
	var out any
	var into any
	if r.Number != "" {
		into = &out
	}
	status, answer, err = postTo(ctx, c, u, body, h, into)
	if err != nil {
		return "", status, answer, err
	}
	if len(r.Taken) > 0 && !slices.Contains(r.Taken, status) {
		return "", status, answer, &Failure{Status: status, Answer: "this answer does not mean that it was taken: " + answer, Permanent: true}
	}
	if r.Number != "" {
		if number = field(out, r.Number); !numberFits(number) {
			return "", status, answer, &Failure{Status: status, Answer: "the answer holds no number: " + answer}
		}
	}
	return number, status, answer, nil
}

// field returns a text or a number within JSON, by the names that lead to it:
// "data.id".
func field(v any, path string) string {
	for name := range strings.SplitSeq(path, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return ""
		}
		v = m[name]
	}
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return fmt.Sprintf("%.0f", v)
	}
	return ""
}

// NotTaken tells whether a failure says for certain that the far side does not
// have what was sent: it refused, or was never reached.
func (f *Failure) NotTaken() bool {
	var dns *net.DNSError
	var op *net.OpError
	return f.Status >= 300 && f.Status < 500 && f.Status != http.StatusRequestTimeout && f.Status != http.StatusConflict ||
		f.Status == 0 && (f.Permanent || errors.As(f.Err, &dns) || errors.As(f.Err, &op) && op.Op == "dial")
}
