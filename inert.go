package rempart

import (
	"regexp"
	"strings"
)

// mostRun is how many characters without a space may stand together in words. The
// longest that people paste are addresses with a key in them, of about 1,200; a
// picture of 160 pixels takes 4,000.
const mostRun = 1500

// dataAddress finds what a data address begins with (RFC 2397).
var dataAddress = regexp.MustCompile(`(?i)\bdata:\s*(?:image|video|audio|application|font|model|text)/[\w.+-]+\s*[;,]|;\s*base64\s*,`)

// opening finds how files of pictures, videos, documents and archives begin in
// base64 and in hexadecimal: JPEG, PNG, GIF, RIFF (WebP), ISO media (AVIF, HEIC,
// MP4), JPEG XL, TIFF, Matroska, PDF, ZIP, gzip.
var opening = regexp.MustCompile(`^(?:/9j/|_9j_|iVBORw0KGgo|R0lGOD|UklGR|.{0,6}Z0eXB|/wo|AAAADEpYTCA|SUkqA|TU0AK|GkXfo|JVBER|UEsDB|H4sI)` +
	`|^(?i:ffd8ff|89504e47|47494638|52494646|.{8}66747970|49492a00|4d4d002a|1a45dfa3|25504446|504b0304|1f8b08)`)

// inRun finds the same within a run, where something was put before it.
var inRun = regexp.MustCompile(`/9j/4|_9j_4|iVBORw0KGgo|R0lGODlh|UklGR.{6,8}XRUJQ|GZ0eXB`)

// CarriesFile tells whether a text holds a file written as characters, such as a
// data address or a picture in base64 or hexadecimal, also where its lines are
// folded or its characters are written %XX. Nothing of the kind is taken in with
// words: no picture is ever received or kept.
//
// It knows what ordinary programs write. Words, addresses, keys, signatures and
// lists of fingerprints pass.
func CarriesFile(text string) bool {
	if len(text) < 64 {
		return false
	}
	for range 5 { // an address within an address, encoded each time
		if dataAddress.MatchString(text) || longRun(text) {
			return true
		}
		plain := unescaped(text)
		if plain == text {
			return false
		}
		text = plain
	}
	return false
}

// longRun looks at what stands together without a space in a text, the folded
// lines of a run taken together.
func longRun(text string) bool {
	var run []byte
	piece := 0 // how many characters of the run are of its last line
	check := func() bool {
		long := len(run) > mostRun ||
			len(run) >= 64 && !hexValue(run) && opening.Match(run) && (len(run) >= 200 || !plainWord(run)) ||
			len(run) >= 200 && inRun.Match(run)
		run, piece = run[:0], 0
		return long
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case runByte(c):
			run = append(run, c)
			piece++
		case (c == '\n' || c == '\r' || c == ' ' || c == '\t' || c == '>') && piece == 0 && len(run) > 0:
			// between two lines of one run
		case (c == '\n' || c == '\r' || c == ' ') && piece >= 60 && !hexValue(run[len(run)-piece:]):
			piece = 0
		default:
			if check() {
				return true
			}
		}
	}
	return check()
}

// runByte tells whether base64, also that of addresses, or hexadecimal uses c.
func runByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '+' || c == '/' || c == '-' || c == '_'
}

// hexValue tells whether s is a digest or a fingerprint in hexadecimal.
func hexValue(s []byte) bool {
	switch len(s) {
	case 64, 96, 128:
	default:
		return false
	}
	for _, c := range s {
		if ('0' > c || c > '9') && ('a' > c || c > 'f') && ('A' > c || c > 'F') {
			return false
		}
	}
	return true
}

// plainWord tells whether a run is a path or a name: base64 has small letters,
// capitals and digits among any forty characters.
func plainWord(s []byte) bool {
	var small, large, digit bool
	for _, c := range s[:min(len(s), 60)] {
		small = small || 'a' <= c && c <= 'z'
		large = large || 'A' <= c && c <= 'Z'
		digit = digit || '0' <= c && c <= '9'
	}
	return !small || !large || !digit
}

// unescaped reads each %XX of a text that is one, and leaves the rest.
func unescaped(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			hi, lo := nibble(s[i+1]), nibble(s[i+2])
			if hi >= 0 && lo >= 0 {
				b.WriteByte(byte(hi<<4 | lo))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func nibble(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// carried is the problem of a text that holds a file.
func carried(field string) *Error {
	return &Error{Kind: Invalid, Field: field, Code: "text.file",
		Public: "This text holds a file, such as a picture, written as characters. No picture is ever taken in here: take it out, and say in words what it is about."}
}

// runs finds what a file written as characters leaves in a text: its data address
// and its lines.
var runs = regexp.MustCompile(`(?i)(?:\bdata:[^\s,]*,)?[A-Za-z0-9+/_=%-]{60,}(?:[\r\n >]+[A-Za-z0-9+/_=%-]{20,})*`)

// withoutFiles returns a text that came from outside, and that cannot be refused,
// without the files that it carries.
func withoutFiles(text string) string {
	text = runs.ReplaceAllStringFunc(text, func(run string) string {
		if CarriesFile(run) {
			return "[…]"
		}
		return run
	})
	if CarriesFile(text) { // as nothing that we know writes it
		return "[…]"
	}
	return text
}
