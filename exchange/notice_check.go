package exchange

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"rempart"
)

// bom is what some editors put before UTF-8; RFC 8259, section 8.1, lets who reads
// JSON ignore it.
var bom = []byte("\xef\xbb\xbf")

// CheckNotice names each element that body, the JSON of a notice in the shape of
// POST /api/v1/notices, lacks or has wrong, with the article of the DSA that
// asks for it where one does. It is the check that a notice of ours passes
// before it is sent (rempart.Notice.MissingToSend), and of what its JSON may
// hold. No fault means that the notice is whole.
func CheckNotice(body []byte) []Fault {
	body = bytes.TrimPrefix(body, bom)
	var v any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	err := d.Decode(&v)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("something follows it")
		}
	}
	if _, ok := v.(map[string]any); err != nil || !ok {
		return []Fault{{Field: "notice", Text: "is not one JSON object"}}
	}
	out := shape("", v, reflect.TypeFor[Notice]())
	var n Notice
	var wrongType *json.UnmarshalTypeError
	if err := json.Unmarshal(body, &n); err != nil && !errors.As(err, &wrongType) {
		return []Fault{{Field: "notice", Text: "cannot be read: " + err.Error()}}
	}
	out = append(out, n.limits()...)
	domain, err := n.Domain()
	var p rempart.Problems
	if errors.As(err, &p) {
		for _, e := range p {
			out = append(out, Fault{Field: e.Field, Text: noticeFault(e.Code, e.Public)})
		}
	}
	for k, i := range n.Items {
		if a := strings.ToLower(strings.TrimSpace(i.Address)); a != "" && !strings.HasPrefix(a, "http://") && !strings.HasPrefix(a, "https://") {
			out = add(out, Fault{Field: fmt.Sprintf("items[%d].address", k), Text: noticeFault("notice.address", "")})
		}
		if i.Address == "" && len(i.Fingerprints) == 0 {
			out = add(out, Fault{Field: fmt.Sprintf("items[%d].address", k), Text: "is missing"})
		}
	}
	for _, m := range domain.MissingToSend() {
		if m.Code == "notice.notifier" {
			if strings.TrimSpace(n.Notifier.Name) == "" {
				out = add(out, Fault{Field: "notifier.name", Text: "is missing", Article: m.Article})
			}
			if strings.TrimSpace(n.Notifier.Email) == "" {
				out = add(out, Fault{Field: "notifier.email", Text: "is missing", Article: m.Article})
			}
			continue
		}
		out = add(out, Fault{Field: noticePath(m), Text: noticeFault(m.Code, m.Public), Article: m.Article})
	}
	for k := range out {
		if out[k].Article == "" {
			out[k].Article = noticeArticles[root(out[k].Field)]
		}
	}
	slices.SortStableFunc(out, func(a, b Fault) int { return noticePlace(a) - noticePlace(b) })
	return out
}

// noticeArticles says which article asks for a field.
var noticeArticles = map[string]string{"explanation": "16(2)(a)", "grounds": "16(2)(a)", "items": "16(2)(b)", "notifier": "16(2)(c)", "good_faith": "16(2)(d)"}

// noticePlace orders faults as the elements are in the article.
func noticePlace(f Fault) int {
	k := slices.Index([]string{"explanation", "grounds", "category", "items", "notifier", "good_faith"}, root(f.Field))
	if k < 0 {
		return 99
	}
	return k
}

// noticePath returns the path of the field that lacks.
func noticePath(m rempart.Missing) string {
	switch m.Code {
	case "notice.email":
		return "notifier.email"
	case "notice.expertise":
		return "notifier.expertise"
	}
	return m.Field
}

// noticeFault says what is wrong, where the sentence of the pages asks for what
// to do.
func noticeFault(code, public string) string {
	switch code {
	case "notice.explanation":
		return fmt.Sprintf("is missing or too short: say in at least %d characters why the content is illegal", rempart.MinExplanation)
	case "notice.items":
		return "holds no exact address"
	case "notice.email":
		return "is not one e-mail address"
	case "notice.expertise":
		return "is missing: a trusted flagger's notices have priority only in the area it was designated for"
	case "notice.good_faith":
		return "must be true: the good-faith belief that the notice is accurate and complete"
	case "notice.category_minor":
		return "must be of part 9, such as 9b or 9c: the notice is about a minor"
	case "notice.address":
		return "is not an exact address, such as https://exemple.test/page"
	case "notice.item_id", "notice.id":
		return strings.TrimSuffix(strings.Replace(public, "An identifier has", "must have", 1), ".")
	}
	return strings.TrimSuffix(public, ".")
}

// add adds f unless its field, or a part of it, is known to be wrong already.
func add(known []Fault, f Fault) []Fault {
	for _, k := range known {
		if k.Field == f.Field || strings.HasPrefix(k.Field, f.Field+".") || strings.HasPrefix(k.Field, f.Field+"[") || strings.HasPrefix(f.Field, k.Field+".") {
			return known
		}
	}
	return append(known, f)
}

// limits names what is longer than the API takes, and grounds that name no text.
func (n Notice) limits() []Fault {
	var out []Fault
	if k := utf8.RuneCountInString(n.Explanation); k > 20000 {
		out = append(out, Fault{Field: "explanation", Text: fmt.Sprintf("has %d characters, at most 20000 are allowed", k)})
	}
	if len(n.Items) > 200 {
		out = append(out, Fault{Field: "items", Text: fmt.Sprintf("has %d items, at most 200 are allowed", len(n.Items))})
	}
	if n.Category != "" && !categoryCode.MatchString(n.Category) {
		out = append(out, Fault{Field: "category", Text: "is no category of Implementing Regulation (EU) 2024/2835, such as 3f"})
	}
	for k, g := range n.Grounds {
		if strings.TrimSpace(g.Article) == "" {
			out = append(out, Fault{Field: fmt.Sprintf("grounds[%d].article", k), Text: "is missing"})
		}
	}
	return out
}

// categoryCode is the form of the codes of Implementing Regulation (EU)
// 2024/2835: parts 1 to 17, and a letter for a line of a part.
var categoryCode = regexp.MustCompile(`^([1-9]|1[0-7])[a-z]?$`)

// root returns the first name of a path.
func root(path string) string {
	if k := strings.IndexAny(path, ".["); k >= 0 {
		return path[:k]
	}
	return path
}

// shape names what of v does not fit the JSON of type t: wrong kinds, values
// outside an enumeration, and fields that it does not have.
func shape(at string, v any, t reflect.Type) []Fault {
	wrong := func(what string) []Fault { return []Fault{{Field: at, Text: "must be " + what}} }
	if t == reflect.TypeFor[time.Time]() {
		s, _ := v.(string)
		if _, err := time.Parse(time.RFC3339, s); err != nil {
			return wrong("a time such as 2026-01-31T12:00:00Z")
		}
		return nil
	}
	switch t.Kind() {
	case reflect.Struct:
		m, ok := v.(map[string]any)
		if !ok {
			return wrong("an object")
		}
		return shapeOf(at, m, t)
	case reflect.Slice:
		list, ok := v.([]any)
		if !ok && v != nil {
			return wrong("a list")
		}
		var out []Fault
		for k, x := range list {
			out = append(out, shape(fmt.Sprintf("%s[%d]", at, k), x, t.Elem())...)
		}
		return out
	case reflect.String:
		if _, ok := v.(string); !ok {
			return wrong("a text")
		}
	case reflect.Bool:
		if _, ok := v.(bool); !ok {
			return wrong("true or false")
		}
	case reflect.Int:
		n, _ := v.(json.Number)
		if _, err := n.Int64(); err != nil {
			return wrong("a whole number")
		}
	}
	return nil
}

func shapeOf(at string, m map[string]any, t reflect.Type) []Fault {
	if at != "" {
		at += "."
	}
	var out []Fault
	known := map[string]bool{}
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		known[name] = true
		x, there := m[name]
		if !there || name == "-" {
			continue
		}
		faults := shape(at+name, x, f.Type)
		if enum := f.Tag.Get("enum"); enum != "" && len(faults) == 0 && x != "" && !slices.Contains(strings.Split(enum, ","), fmt.Sprint(x)) {
			faults = []Fault{{Field: at + name, Text: "must be one of " + enum}}
		}
		out = append(out, faults...)
	}
	var unknown []string
	for name := range m {
		if !known[name] {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	for _, name := range unknown {
		out = append(out, Fault{Field: at + name, Text: "is no field of a notice"})
	}
	return out
}
