package rempart

import (
	"fmt"
	"html"
	"regexp"
	"strings"
)

// mostRun is how many characters without a space may stand together in words. The
// longest that people paste are addresses with a key in them, of about 1,200; a
// picture of 160 pixels takes 4,000.
const mostRun = 1500

// dataAddress finds what a data address begins with (RFC 2397), and not words such
// as "data: image/jpeg, 2 Mo".
var dataAddress = regexp.MustCompile(`(?i)\bdata:\s*(?:image|video|audio|application|font|model|text)/[\w.+-]+(?:;[\w.-]+[=;,]|\s*;\s*base64|,\S)|;\s*base64\s*,`)

// opening finds how files of pictures, videos, documents and archives begin in
// base64 and in hexadecimal: JPEG, PNG, GIF, RIFF (WebP), ISO media (AVIF, HEIC,
// MP4), JPEG XL in its box, TIFF, Matroska, PDF, ZIP, xz, 7z, RAR, MP3, Ogg, SVG,
// BMP.
var opening = regexp.MustCompile(`^(?:/9j/|_9j_|iVBORw0KGgo|R0lGOD|UklGR|.{0,6}Z0eXB|AAAADEpYTCA|SUkqA|TU0AK|GkXfo|JVBER|UEsDB|/Td6WFo|N3q8ryc|UmFyIR|SUQzB|T2dnUw|PHN2Zy|Qk.{6}AAAA)` +
	`|^(?i:ffd8ff|89504e47|47494638|52494646|.{8}66747970|49492a00|4d4d002a|1a45dfa3|25504446|504b0304|1f8b08)`)

// bare finds the two bytes that a JPEG XL has when it is in no box. Paths begin like
// that too (/women/), so that what follows has to look like base64.
var bare = regexp.MustCompile(`^[/_]w[o-r]`)

// packed finds gzip in base64, of which short ones stand in ordinary addresses: the
// state of a page.
var packed = regexp.MustCompile(`^H4sI`)

// mostPacked is how many characters such a state may have.
const mostPacked = 600

// spelled finds how pictures begin where each byte is written by itself, as dumps
// and programs' arrays do: JPEG, PNG, GIF, RIFF; and what uuencode begins with.
var spelled = regexp.MustCompile(func() string {
	const gap = `(?:[\s,:]{0,3}(?:\\x|0x)?)`
	var hexadecimal, decimal []string
	for _, magic := range []string{"\xff\xd8\xff", "\x89PNG", "GIF8", "RIFF"} {
		var h, d []string
		for k := range len(magic) {
			h, d = append(h, fmt.Sprintf("%02x", magic[k])), append(d, fmt.Sprint(magic[k]))
		}
		hexadecimal, decimal = append(hexadecimal, strings.Join(h, gap)), append(decimal, strings.Join(d, `,\s*`))
	}
	return `(?i:` + strings.Join(hexadecimal, "|") + `)(?i:[\s,:]{1,3}(?:\\x|0x)?[0-9a-f]{2}|[\s,:]{0,3}(?:\\x|0x)[0-9a-f]{2}|[0-9a-f]{2}[\s:]){8}` +
		`|(?i:` + strings.Join(hexadecimal, "|") + `)(?i:[0-9a-f]{2})?(?i: [0-9a-f]{4}){4}` +
		`|\b(?:` + strings.Join(decimal, "|") + `)(?:,\s*\d{1,3}){16}` +
		"|(?m:^begin(?:-base64)? [0-7]{3,4} .+\r?\n[!-`]{20,}\r?$)"
}())

// inRun finds the same within a run, where something was put before it.
var inRun = regexp.MustCompile(`/9j/4|_9j_4|iVBORw0KGgo|R0lGODlh|UklGR.{6,8}XRUJQ|GZ0eXB`)

// CarriesFile tells whether a text holds a file written as characters, such as a
// data address or a picture in base64 or hexadecimal, also where its lines are
// folded, its bytes stand apart or its characters are written %XX. Nothing of the
// kind is taken in with words: no picture is ever received or kept.
//
// It knows what ordinary programs write. Words, addresses, keys, signatures and
// lists of fingerprints pass.
func CarriesFile(text string) bool {
	if len(text) < 64 {
		return false
	}
	for range 5 { // an address within an address, encoded each time
		if dataAddress.MatchString(text) || longRun(text) || bytewise(text) && spelled.MatchString(text) {
			return true
		}
		plain := html.UnescapeString(unescaped(text))
		if plain == text {
			return false
		}
		text = plain
	}
	return false
}

// bytewise tells whether a text has as many figures and what parts them as the
// shortest of what spelled finds, which most words and addresses have not.
func bytewise(text string) bool {
	figures, gaps := 0, 0
	for i := range len(text) {
		switch c := text[i]; {
		case '0' <= c && c <= '9':
			figures++
		case c == ' ' || c == ',' || c == ':' || c == '\\' || c == '\n' || c == '\r' || c == '\t':
			gaps++
		}
	}
	return figures >= 8 && gaps >= 5 || strings.Contains(text, "begin")
}

// longRun looks at what stands together without a space in a text, the folded
// lines of a run taken together.
func longRun(text string) bool {
	var run []byte
	piece := 0 // how many characters of the run are of its last line
	check := func() bool {
		long := len(run) > mostRun && varied(run) ||
			len(run) >= 64 && bare.Match(run) && mixed(run) ||
			len(run) > mostPacked && packed.Match(run) ||
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
		case c == '\\' && i+1 < len(text) && text[i+1] == '/':
			// how some programs write / in JSON
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

// varied tells whether a run has as many different characters as a file has, which
// rules, underlines and cries have not.
func varied(s []byte) bool {
	var seen [256]bool
	n := 0
	for _, c := range s {
		if !seen[c] {
			seen[c] = true
			n++
		}
	}
	return n >= 12
}

// mixed tells whether small letters, capitals and digits follow each other as they
// do in base64, where two neighbours in three are of different kinds, and not as in
// words and dates.
func mixed(s []byte) bool {
	kind := func(c byte) int {
		switch {
		case 'a' <= c && c <= 'z':
			return 1
		case 'A' <= c && c <= 'Z':
			return 2
		case '0' <= c && c <= '9':
			return 3
		}
		return 0
	}
	pairs, changes := 0, 0
	for k := 1; k < min(len(s), 400); k++ {
		a, b := kind(s[k-1]), kind(s[k])
		if a == 0 || b == 0 {
			continue
		}
		if pairs++; a != b {
			changes++
		}
	}
	return 100*changes > 45*pairs
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
