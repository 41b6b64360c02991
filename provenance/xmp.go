package provenance

import "strings"

// Limits on what is read of one XMP property.
const (
	maxValue = 300     // bytes of a value, or of an element's tag
	maxTag   = 1 << 16 // bytes of a tag with attributes
	maxTimes = 16      // that a property stands in a packet
)

// xmp looks for properties in an XMP packet, by their names: as an attribute
// (name="value"), an element (<name>value</name>), or an element with an
// rdf:resource. The prefix, which a packet chooses, is not looked at, but for
// dcterms:provenance, as "provenance" is a common word.
func (f *found) xmp(b []byte, part string) {
	s := string(upTo(b, maxText))
	if !f.spend(len(s)) {
		return
	}
	for _, v := range values(s, ":DigitalSourceType") {
		if t := source(v); t != "" {
			f.add(Mark{Kind: "iptc", Part: part, Key: "DigitalSourceType", Source: t})
		}
	}
	for _, v := range values(s, ":AISystemUsed") {
		f.add(Mark{Kind: "iptc", Part: part, Key: "AISystemUsed", Generator: known(v)})
	}
	for _, v := range values(s, ":CreatorTool") {
		if name := known(v); name != "" {
			f.add(Mark{Kind: "xmp", Part: part, Key: "CreatorTool", Generator: name})
		}
	}
	for _, v := range values(s, ":Credit") {
		if name := knownAI(v); name != "" {
			f.add(Mark{Kind: "xmp", Part: part, Key: "Credit", Generator: name})
		}
	}
	if len(values(s, ":AIGC")) > 0 {
		f.add(Mark{Kind: "aigc", Part: part, Key: "AIGC"})
	}
	for _, v := range values(s, "dcterms:provenance") {
		if strings.HasPrefix(v, "http") {
			f.add(Mark{Kind: "c2pa", Part: part, Key: "remote"})
		}
	}
}

// values returns the values of a property that are not empty, without the spaces
// around them; a longer one is cut.
func values(s, name string) []string {
	var out []string
	for at, times := 0, 0; times < maxTimes; times++ {
		i := strings.Index(s[at:], name)
		if i < 0 {
			break
		}
		start := at + i
		at = start + len(name)
		if v := value(s, start, at); v != "" {
			out = append(out, v)
		}
	}
	return out
}

// value reads the value of the property whose name, or the end of it, is
// s[start:at].
func value(s string, start, at int) string {
	if at < len(s) && word(s[at]) {
		return "" // a longer name
	}
	for start > 0 && word(s[start-1]) {
		start--
	}
	if start > 0 && s[start-1] == '/' {
		return "" // the end of an element
	}
	rest := strings.TrimLeft(s[at:min(len(s), at+2*maxValue)], " \t\r\n")
	if tail, ok := strings.CutPrefix(rest, "="); ok && inTag(s, start) {
		return quoted(tail)
	}
	if start == 0 || s[start-1] != '<' {
		return "" // the name of something in a text
	}
	end := strings.IndexByte(rest, '>')
	if end < 0 {
		return ""
	}
	tag := rest[:end]
	if i := strings.Index(tag, "resource="); i >= 0 {
		return quoted(tag[i+len("resource="):])
	}
	if strings.HasSuffix(tag, "/") {
		return ""
	}
	text, _, _ := strings.Cut(rest[end+1:], "<")
	return trim(text)
}

// inTag tells whether s[at] stands in a tag, and not in a text.
func inTag(s string, at int) bool {
	before := s[max(0, at-maxTag):at]
	i := strings.LastIndexAny(before, "<>")
	return i >= 0 && before[i] == '<'
}

// quoted is the text between two equal quotation marks at the start of s.
func quoted(s string) string {
	s = strings.TrimLeft(s, " \t\r\n")
	if s == "" || s[0] != '"' && s[0] != '\'' {
		return ""
	}
	text, _, _ := strings.Cut(s[1:], s[:1])
	return trim(text)
}

func trim(s string) string {
	return strings.Trim(s[:min(len(s), maxValue)], " \t\r\n")
}

// word tells whether c may be part of a name.
func word(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-' || c == '.' || c == ':'
}
