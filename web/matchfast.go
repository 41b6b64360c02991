package web

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"

	"rempart"
	"rempart/flow"
)

// The one shape that matchers ask in, over and over, is read and written here
// without reflection; whatever differs from it in anything goes the way of
// encoding/json. FuzzMatchRead and FuzzMatchWrite hold the two to one answer.

// firstRoom is the most that is set aside for a body on the word of its
// Content-Length alone.
const firstRoom = 64 << 10

// readQuery reads the body of a lookup.
func readQuery(r *http.Request) (q matchQuery, err error) {
	var b bytes.Buffer
	if n := min(r.ContentLength, firstRoom); n > 0 {
		b.Grow(int(n) + bytes.MinRead)
	}
	if _, err := b.ReadFrom(r.Body); err != nil {
		return q, err
	}
	if prints, ok := plainPrints(b.Bytes()); ok {
		return matchQuery{Fingerprints: prints}, nil
	}
	err = json.Unmarshal(b.Bytes(), &q)
	return q, err
}

// plainPrints reads {"fingerprints":[{"type":T,"value":V,"quality":N},…]}: one
// to [flow.MaxQueries] of them, each with any of the three members at most once,
// texts of printable ASCII without escapes, N below 1000. Of anything else, right
// or wrong, it says nothing but that it is not that.
func plainPrints(b []byte) (out matchPrints, ok bool) {
	p := plain{b: b}
	if !p.eat('{') || string(p.text()) != "fingerprints" || !p.eat(':') || !p.eat('[') {
		return nil, false
	}
	out = make(matchPrints, 0, min(flow.MaxQueries, 1+len(b)/80))
	for more := true; more; more = p.eat(',') {
		q, ok := p.print()
		if !ok || len(out) == flow.MaxQueries {
			return nil, false
		}
		out = append(out, q)
	}
	return out, p.eat(']') && p.eat('}') && p.next() == 0 && p.at == len(b)
}

// plain is a body and the place reached in it.
type plain struct {
	b  []byte
	at int
}

// next returns the next byte that is no white space, 0 at the end.
func (p *plain) next() byte {
	for ; p.at < len(p.b); p.at++ {
		switch c := p.b[p.at]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

func (p *plain) eat(c byte) bool {
	if p.next() != c {
		return false
	}
	p.at++
	return true
}

// text returns a text without its quotes, nil if there is none that is plain.
func (p *plain) text() []byte {
	if !p.eat('"') {
		return nil
	}
	for i := p.at; i < len(p.b); i++ {
		switch c := p.b[i]; {
		case c == '"':
			s := p.b[p.at:i]
			p.at = i + 1
			return s
		case c < ' ' || c > '~' || c == '\\':
			return nil
		}
	}
	return nil
}

func (p *plain) print() (q matchPrint, ok bool) {
	if !p.eat('{') {
		return q, false
	}
	var typed, valued, graded bool
	for more := true; more; more = p.eat(',') {
		name := string(p.text())
		if !p.eat(':') {
			return q, false
		}
		switch {
		case name == "type" && !typed:
			s := p.text()
			typed = s != nil
			q.Type = typeOf(s)
			ok = typed
		case name == "value" && !valued:
			s := p.text()
			valued = s != nil
			q.Value = string(s)
			ok = valued
		case name == "quality" && !graded:
			graded = true
			q.Quality, ok = p.number()
		default:
			return q, false
		}
		if !ok {
			return q, false
		}
	}
	return q, p.eat('}')
}

// typeOf spares the types we know an allocation.
func typeOf(s []byte) rempart.FingerprintType {
	for _, t := range []rempart.FingerprintType{rempart.PDQ, rempart.SHA256, rempart.MD5} {
		if string(s) == string(t) {
			return t
		}
	}
	return rempart.FingerprintType(s)
}

// number reads a whole number from 0 to 999.
func (p *plain) number() (n int, ok bool) {
	p.next()
	first := p.at
	for ; p.at < len(p.b) && p.at < first+3 && '0' <= p.b[p.at] && p.b[p.at] <= '9'; p.at++ {
		n = 10*n + int(p.b[p.at]-'0')
	}
	digits := p.at - first
	return n, digits == 1 || digits > 1 && p.b[first] != '0'
}

// write returns the answer as encoding/json writes it.
func (a *matchAnswer) write() ([]byte, error) {
	if a.Provenance != nil || a.Results == nil {
		return json.Marshal(a)
	}
	where, err := json.Marshal(a.Position)
	if err != nil {
		return nil, err
	}
	b := make([]byte, 0, 64+128*len(a.Results))
	b = append(b, `{"results":[`...)
	for i := range a.Results {
		if i > 0 {
			b = append(b, ',')
		}
		if r := &a.Results[i]; r.Matches != nil && len(r.Matches) == 0 && r.Note == "" && bare(string(r.Type)) && bare(r.Value) {
			b = append(append(b, `{"type":"`...), r.Type...)
			b = append(append(b, `","value":"`...), r.Value...)
			b = append(b, '"')
			if r.Quality != 0 {
				b = strconv.AppendInt(append(b, `,"quality":`...), int64(r.Quality), 10)
			}
			b = append(b, `,"matches":[]}`...)
			continue
		}
		one, err := json.Marshal(a.Results[i])
		if err != nil {
			return nil, err
		}
		b = append(b, one...)
	}
	return append(append(append(b, `],"position":`...), where...), '}'), nil
}

// bare tells whether s stands in JSON as it is.
func bare(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}
