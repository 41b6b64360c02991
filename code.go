package rempart

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"
)

// crockford is Douglas Crockford's base-32 alphabet, which leaves out I, L, O
// and U. https://www.crockford.com/base32.html
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// A CaseCode is the secret that opens the follow-up page: fifteen random
// Crockford characters (75 bits) and a check character. It is held by the
// person alone: we keep only a keyed hash of it.
type CaseCode string

// NewCaseCode returns a random code.
func NewCaseCode() CaseCode {
	var b [15]byte
	rand.Read(b[:])
	return encodeCode(b[:])
}

// DeriveCaseCode returns the code of the report that was sent under an
// idempotency key, so that a report sent twice is answered twice with the same
// code although the code is not kept. Without the instance's secret key, the
// idempotency key tells nothing of the code.
func DeriveCaseCode(secret []byte, idempotencyKey string) CaseCode {
	m := hmac.New(sha256.New, secret)
	m.Write([]byte("rempart case code v1\x00" + idempotencyKey))
	return encodeCode(m.Sum(nil)[:15])
}

func encodeCode(b []byte) CaseCode {
	var s [16]byte
	for i := range 15 {
		s[i] = crockford[b[i]&31]
	}
	s[15] = checkCharacter(string(s[:15]))
	return CaseCode(s[:])
}

// checkCharacter returns the sum, in the field of 32 elements, of each character
// times a different power of a generator. So every single wrong character shows,
// and every two characters swapped, wherever they stand.
func checkCharacter(s string) byte {
	sum, weight := 0, 1
	for i := range len(s) {
		sum ^= times(weight, strings.IndexByte(crockford, s[i]))
		weight = times(weight, 2)
	}
	return crockford[sum]
}

// times multiplies in GF(32) modulo x^5+x^2+1, in which 2 generates all 31
// elements that are not 0.
func times(a, b int) int {
	p := 0
	for ; b > 0; b >>= 1 {
		if b&1 == 1 {
			p ^= a
		}
		if a <<= 1; a&32 != 0 {
			a ^= 0b100101
		}
	}
	return p
}

// ParseCaseCode reads a code as people type it: in any case, with spaces or
// dashes, with O for 0 and I or L for 1. It returns a problem that says what is
// wrong in words for the person who typed it.
func ParseCaseCode(typed string) (CaseCode, error) {
	var b strings.Builder
	for _, r := range strings.ToUpper(typed) {
		switch {
		case unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) || r == '.':
			continue
		case r == 'O':
			r = '0'
		case r == 'I' || r == 'L':
			r = '1'
		}
		if r > 127 || strings.IndexByte(crockford, byte(r)) < 0 {
			return "", &Error{Kind: Invalid, Field: "code", Code: "code.character",
				Public: "A code only has digits and letters, without the letter U. Please look at it again."}
		}
		b.WriteByte(byte(r))
		if b.Len() > 16 {
			break
		}
	}
	s := b.String()
	if len(s) != 16 {
		return "", &Error{Kind: Invalid, Field: "code", Code: "code.length",
			Public: "A code has sixteen characters, in four groups of four. Please look at it again."}
	}
	if checkCharacter(s[:15]) != s[15] {
		return "", &Error{Kind: Invalid, Field: "code", Code: "code.check",
			Public: "There is a typing mistake in this code. Please look at each group again."}
	}
	return CaseCode(s), nil
}

// String returns the code in four groups of four, as it is shown.
func (c CaseCode) String() string {
	if len(c) != 16 {
		return "[code]"
	}
	return string(c[0:4] + "-" + c[4:8] + "-" + c[8:12] + "-" + c[12:16])
}

// LastGroup returns the last four characters, which the person types once to
// show that she has kept the code.
func (c CaseCode) LastGroup() string { return string(c[12:]) }

// Hash returns what is stored of the code: its HMAC-SHA256 under the instance's
// secret key, in hexadecimal. Whoever has the database alone cannot test codes.
func (c CaseCode) Hash(secret []byte) string {
	m := hmac.New(sha256.New, secret)
	m.Write([]byte("rempart case code hash v1\x00" + string(c)))
	return hex.EncodeToString(m.Sum(nil))
}

// GoString keeps a code out of what %#v prints.
func (c CaseCode) GoString() string { return "[code]" }
