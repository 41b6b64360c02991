package exchange

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// bom is what some editors put before UTF-8; RFC 8259, section 8.1, lets who reads
// JSON ignore it.
var bom = []byte("\xef\xbb\xbf")

// readObject returns the one JSON object that body holds, numbers as written, or
// a fault of the field named what. Where a key is there twice, the last stands;
// [twice] names it.
func readObject(body []byte, what string) (map[string]any, *Fault) {
	body = bytes.TrimPrefix(body, bom)
	if !utf8.Valid(body) { // decoding would put a replacement where the database refuses
		return nil, &Fault{Field: what, Text: "is not UTF-8"}
	}
	var v any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	err := d.Decode(&v)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("something follows it")
		}
	}
	o, ok := v.(map[string]any)
	if err != nil || !ok {
		return nil, &Fault{Field: what, Text: "is not one JSON object"}
	}
	return o, nil
}

// Bounds on what twice looks at: nothing of ours is as deep, and nobody reads more.
const (
	maxDepth = 16
	maxTwice = 100
)

// twice returns the paths, such as "items[0].address", of the keys that an object
// of the JSON in body holds again, each once, in the order they come, at most
// maxTwice and none deeper than maxDepth. RFC 8259, section 4, leaves open which
// value then counts: who wrote it and who reads it may each see another. Of what
// is no JSON it names what came before the fault.
func twice(body []byte) []string {
	d := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(body, bom)))
	d.UseNumber()
	w := walk{d: d}
	w.value()
	return w.out
}

// A walk is where twice is: path has a piece for each object and list it is in.
type walk struct {
	d    *json.Decoder
	path []string
	out  []string
}

// value walks one value; false ends the walk.
func (w *walk) value() bool {
	if len(w.path) >= maxDepth {
		var skipped json.RawMessage
		return w.d.Decode(&skipped) == nil
	}
	t, err := w.d.Token()
	if err != nil {
		return false
	}
	depth := len(w.path)
	switch t {
	case json.Delim('{'):
		seen := map[string]int{}
		for w.d.More() {
			t, err := w.d.Token()
			key, ok := t.(string)
			if err != nil || !ok {
				return false
			}
			w.path = append(w.path, "."+plain(key))
			if seen[key]++; seen[key] == 2 {
				if w.out = append(w.out, strings.TrimPrefix(strings.Join(w.path, ""), ".")); len(w.out) == maxTwice {
					return false
				}
			}
			if !w.value() {
				return false
			}
			w.path = w.path[:depth]
		}
	case json.Delim('['):
		for k := 0; w.d.More(); k++ {
			w.path = append(w.path, fmt.Sprintf("[%d]", k))
			if !w.value() {
				return false
			}
			w.path = w.path[:depth]
		}
	default:
		return true
	}
	_, err = w.d.Token() // the bracket that closes
	return err == nil
}
