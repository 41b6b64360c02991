package exchange

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"rempart"
)

// CheckNotice names each element that body, the JSON of a notice in the shape of
// POST /api/v1/notices, lacks or has wrong, with the article of the DSA that
// asks for it where one does. It is the check that a notice of ours passes
// before it is sent (rempart.Notice.MissingToSend), and of what its JSON may
// hold: stricter than intake, which takes a notice that is counted elsewhere
// (rempart.CategoryFor) or names one address twice rather than lose it. No fault
// means that the notice is whole; [NoticeHints] may still have a word.
func CheckNotice(body []byte) []Fault {
	if len(body) > maxNotice {
		return []Fault{{Field: "notice", Text: "is longer than 1 MiB, the most that an intake reads"}}
	}
	v, fault := readObject(body, "notice")
	if fault != nil {
		return []Fault{*fault}
	}
	again := twice(body)
	out := shape("", v, reflect.TypeFor[Notice]())
	body, err := json.Marshal(v) // without the fields that it does not have: encoding/json would read "Explanation" too
	var n Notice
	if err == nil {
		err = json.Unmarshal(body, &n)
	}
	var wrongType *json.UnmarshalTypeError
	if err != nil && !errors.As(err, &wrongType) {
		return []Fault{{Field: "notice", Text: "cannot be read: " + err.Error()}}
	}
	for _, name := range again {
		out = add(out, Fault{Field: name, Text: "is there twice"})
	}
	out = append(out, n.limits()...)
	domain, err := n.Domain()
	var p rempart.Problems
	if errors.As(err, &p) {
		for _, e := range p {
			out = add(out, Fault{Field: e.Field, Text: noticeFault(e.Code, e.Public)})
		}
	}
	for k, i := range n.Items {
		field := fmt.Sprintf("items[%d].address", k)
		a := strings.ToLower(strings.TrimSpace(i.Address))
		switch {
		case i.Address == "" && len(i.Fingerprints) == 0:
			out = add(out, Fault{Field: field, Text: "is missing"})
		case a != "" && !strings.HasPrefix(a, "http://") && !strings.HasPrefix(a, "https://"):
			out = add(out, Fault{Field: field, Text: noticeFault("notice.address", "")})
		case rempart.OwnAddress(i.Address):
			out = add(out, Fault{Field: field, Text: "is of a machine or network of one's own: nobody else can open it"})
		}
		if len(domain.Items) == len(n.Items) && len(n.Items) <= maxItems {
			if first := slices.IndexFunc(domain.Items[:k], domain.Items[k].Same); first >= 0 {
				out = add(out, Fault{Field: field, Text: fmt.Sprintf("is that of items[%d], with the same fingerprints", first)})
			}
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
		if m.Code == "notice.category_minor" {
			out[len(out)-1].Text = fmt.Sprintf("must be of part 9, here %s: the notice is about a minor, and is counted there", rempart.CategoryFor(n.Category, true))
		}
	}
	for k := range out {
		if out[k].Article == "" {
			out[k].Article = noticeArticles[root(out[k].Field)]
		}
	}
	slices.SortStableFunc(out, func(a, b Fault) int { return noticePlace(a) - noticePlace(b) })
	return out
}

// NoticeHints names what is no fault of the notice in body, and yet worth a look:
// an address of a whole site ([rempart.WholeSite]).
func NoticeHints(body []byte) []Fault {
	v, fault := readObject(body, "notice")
	if fault != nil {
		return nil
	}
	var out []Fault
	items, _ := v["items"].([]any)
	for k, x := range items {
		item, _ := x.(map[string]any)
		if a, _ := item["address"].(string); rempart.WholeSite(a) {
			out = append(out, Fault{Field: fmt.Sprintf("items[%d].address", k), Text: "names a whole site; give the address of the page if the content is on one", Article: "16(2)(b)"})
		}
	}
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

// maxFaults is how many faults add looks through: whoever has more has enough.
const maxFaults = 1000

// add adds f unless its field, or a part of it, is known to be wrong already, or
// maxFaults are.
func add(known []Fault, f Fault) []Fault {
	if len(known) >= maxFaults {
		return known
	}
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
	if len(n.Items) > maxItems {
		out = append(out, Fault{Field: "items", Text: fmt.Sprintf("has %d items, at most %d are allowed", len(n.Items), maxItems)})
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

// maxNotice is the longest body of POST /api/v1/notices, in bytes.
const maxNotice = 1 << 20

// maxItems is the most items of one notice.
const maxItems = 200

// categoryCode is the form of the codes of Implementing Regulation (EU)
// 2024/2835: a part, and a letter for a line of it. Part 16 counts orders alone,
// so that no notice is of it; parts 3, 4 and 9 end at their line "other".
var categoryCode = regexp.MustCompile(`^(3[a-g]?|4[a-h]?|9[a-f]?|([125-8]|1[0-57])[a-z]?)$`)

// root returns the first name of a path.
func root(path string) string {
	if k := strings.IndexAny(path, ".["); k >= 0 {
		return path[:k]
	}
	return path
}

// plain returns a name that somebody else chose as one short line.
func plain(name string) string {
	if q := strconv.Quote(name); q != `"`+name+`"` {
		name = q
	}
	if r := []rune(name); len(r) > 60 {
		return string(r[:59]) + "…"
	}
	return name
}

// shape names what of v does not fit the JSON of type t: wrong kinds, values
// outside an enumeration, and fields that it does not have, which it takes out of v.
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
		out = append(out, Fault{Field: at + plain(name), Text: "is no field of a notice"})
		delete(m, name)
	}
	return out
}
