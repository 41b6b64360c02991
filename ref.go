package rempart

import (
	"strings"
	"unicode"
)

// ParseRef reads the reference of a case as people type it: in any case, with or
// without dash and spaces, with O for 0 and I or L for 1. It returns "" for what
// cannot be one.
func ParseRef(typed string) string {
	var b strings.Builder
	for _, r := range strings.ToUpper(typed) {
		switch {
		case unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) || r == '#':
			continue
		case r == 'O':
			r = '0'
		case r == 'I' || r == 'L':
			r = '1'
		}
		if r > 127 || strings.IndexByte(crockford, byte(r)) < 0 || b.Len() == 8 {
			return ""
		}
		b.WriteByte(byte(r))
	}
	if b.Len() != 8 {
		return ""
	}
	return b.String()[:4] + "-" + b.String()[4:]
}
