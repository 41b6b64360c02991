package exchange

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// A Fault is one thing for which the transparency database would refuse a
// statement of reasons, or which a notice lacks.
type Fault struct {
	Field   string `json:"field"`
	Text    string `json:"text"`              // what is wrong, without a full stop: "is required"
	Article string `json:"article,omitempty"` // of the DSA that asks for it, such as "16(2)(b)"
}

// String returns "field: what is wrong", with the article if one is known.
func (f Fault) String() string {
	if f.Article != "" {
		return fmt.Sprintf("%s: %s (art. %s)", f.Field, f.Text, f.Article)
	}
	return f.Field + ": " + f.Text
}

// CheckStatement returns every fault for which the database would refuse body,
// the JSON of one statement of reasons or of a batch {"statements": […]} of 1 to
// 100, whose fields are then named "statements[0].puid". No fault means that the
// database's validator would take it; whether the puid was used before only the
// database knows, and that no person is named in it [PersonalIn] looks at.
func CheckStatement(body []byte) []Fault {
	s, fault := readObject(body, "statement")
	if fault != nil {
		return []Fault{*fault}
	}
	batch, ok := s["statements"]
	if !ok {
		return checkSor(s)
	}
	list, ok := batch.([]any)
	if !ok || len(list) == 0 || len(list) > MaxStatements {
		return []Fault{{Field: "statements", Text: "must be a list of 1 to 100 statements"}}
	}
	var out []Fault
	seen := map[string]int{}
	for k, x := range list {
		at := fmt.Sprintf("statements[%d]", k)
		s, ok := x.(map[string]any)
		if !ok {
			out = append(out, Fault{Field: at, Text: "is not a JSON object"})
			continue
		}
		for _, f := range checkSor(s) {
			f.Field = at + "." + f.Field
			out = append(out, f)
		}
		if id, ok := s["puid"].(string); ok {
			if first, again := seen[id]; again {
				out = append(out, Fault{Field: at + ".puid", Text: fmt.Sprintf("is that of statements[%d]; each statement has its own", first)})
			} else {
				seen[id] = k
			}
		}
	}
	return out
}

// MaxStatements is the most statements the database takes in one call.
const MaxStatements = 100

// checkSor checks one statement against sorFields, in their order.
func checkSor(raw map[string]any) []Fault {
	s := sorTrim(raw).(map[string]any)
	var out []Fault
	for _, f := range sorFields {
		for _, text := range f.check(s) {
			name := f.name
			if f.within != "" {
				name = f.within + "." + f.name
			}
			out = append(out, Fault{Field: name, Text: text})
		}
	}
	return out
}

// sorTrim does to every text what the database does before it looks: white
// space around it goes, and what is empty then is null.
func sorTrim(v any) any {
	switch v := v.(type) {
	case string:
		s := strings.TrimFunc(v, func(r rune) bool { return unicode.IsSpace(r) || r == '\ufeff' || r == '\u200b' || r == '\u200e' })
		if s == "" {
			return nil
		}
		return s
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = sorTrim(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k := range v {
			out[k] = sorTrim(v[k])
		}
		return out
	}
	return v
}

// check returns what is wrong with the field in statement s.
func (f sorField) check(s map[string]any) []string {
	in := s
	if f.within != "" {
		in, _ = s[f.within].(map[string]any)
	}
	v, there := in[f.name]
	required, why := f.required, ""
	if f.when.field != "" {
		if !f.when.holds(s) && !f.dropped {
			return nil
		}
		if f.when.holds(s) && !f.when.optional {
			required, why = true, fmt.Sprintf(" when %s is %s", f.when.field, f.when.value)
		}
	}
	if f.decision && noDecision(s) {
		required, why = true, " when no other decision_… field says what was decided"
	}
	switch {
	case required && sorEmpty(v):
		return []string{"is required" + why}
	case !there || v == nil && f.null:
		return nil
	case f.list:
		return f.checkList(v)
	}
	return f.checkValue(v)
}

// holds tells whether the other field is, or holds, the value. Where one value
// is asked for, a list is none, even of that value.
func (w sorWhen) holds(s map[string]any) bool {
	if list, ok := sorList(s[w.field]); ok && w.among {
		return slices.Contains(list, any(w.value))
	}
	return s[w.field] == any(w.value)
}

// noDecision tells whether a statement says nothing of what was decided.
func noDecision(s map[string]any) bool {
	for _, f := range sorFields {
		if f.decision && !sorEmpty(s[f.name]) {
			return false
		}
	}
	return true
}

// sorEmpty tells whether a value counts as absent where one is required: null
// and empty lists do, false and 0 do not.
func sorEmpty(v any) bool {
	list, ok := sorList(v)
	return v == nil || ok && len(list) == 0
}

// sorList returns the values of an array or object: the database makes no
// difference.
func sorList(v any) ([]any, bool) {
	switch v := v.(type) {
	case []any:
		return v, true
	case map[string]any:
		out := make([]any, 0, len(v))
		for _, x := range v {
			out = append(out, x)
		}
		return out, true
	}
	return nil, false
}

func (f sorField) checkList(v any) []string {
	list, ok := sorList(v)
	if !ok {
		if f.in == nil {
			return []string{"must be an object: " + f.of}
		}
		return []string{"must be a list, such as [" + strconv.Quote(f.in[0]) + "]"}
	}
	var out []string
	for _, x := range list {
		if f.in == nil {
			break
		}
		if why := f.value(x); why != "" && !slices.Contains(out, why) {
			out = append(out, why)
		}
	}
	slices.Sort(out) // of an object the order is not known
	return out
}

func (f sorField) checkValue(v any) []string {
	switch {
	case f.in != nil:
		if why := f.value(v); why != "" {
			return []string{why}
		}
		return nil
	case f.to != "":
		return f.checkDate(v)
	case v == nil && f.pattern == nil:
		return nil // a length of nothing is no fault
	}
	s, isText := v.(string)
	if n, ok := v.(json.Number); ok && !f.text {
		s, isText = n.String(), true // the database reads a number as its digits
	}
	if _, ok := v.(bool); ok && f.pattern == nil && !f.url {
		return nil // kept as "1"
	}
	if !isText {
		return []string{"must be a text"}
	}
	var out []string
	if f.url && !isSorURL(s) {
		out = append(out, "must be a whole address, such as https://exemple.test/conditions")
	}
	if n := utf8.RuneCountInString(s); f.max > 0 && n > f.max {
		out = append(out, fmt.Sprintf("has %d characters, at most %d are allowed", n, f.max))
	}
	if f.pattern != nil && !f.pattern.MatchString(s) {
		out = append(out, "must be "+f.shape)
	}
	return out
}

// checkDate checks a day in the field's bounds.
func (f sorField) checkDate(v any) []string {
	s, _ := v.(string)
	day, err := time.Parse(time.DateOnly, s)
	if err != nil || day.Format(time.DateOnly) != s {
		return []string{"must be a day of the calendar written YYYY-MM-DD"}
	}
	if f.from != "" && s < f.from {
		return []string{"must not be before " + f.from}
	}
	if s > f.to {
		return []string{"must not be after " + f.to}
	}
	return nil
}

// value returns what is wrong with one value of an enumeration, or "".
func (f sorField) value(v any) string {
	s, ok := v.(string)
	if ok && (slices.Contains(f.in, s) || f.word && s == "null") {
		return ""
	}
	if !ok {
		return "must be " + f.of + " as a text" + f.choices()
	}
	if now, was := sorFormer[s]; was {
		if now == "" {
			return s + " is no value since the schema of 1 July 2025, and none took its place"
		}
		return s + " is no value since the schema of 1 July 2025; it is now " + now
	}
	shown := s
	if r := []rune(s); len(r) > 60 {
		shown = string(r[:59]) + "…"
	}
	return strconv.Quote(shown) + " is not " + f.of + f.choices()
}

// choices names the values if they are few.
func (f sorField) choices() string {
	if len(f.in) > 8 {
		return ""
	}
	return ": " + strings.Join(f.in, ", ")
}
