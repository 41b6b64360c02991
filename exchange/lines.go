package exchange

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"rempart"
	"rempart/pdq"
)

// Lines reads fingerprints from CSV or plain text, one a line: a value, perhaps
// behind its type, and perhaps its quality behind it; what follows is passed
// over, as are empty lines and those that begin with #. Fields are parted by
// commas, semicolons, tabs or spaces. A first line of names says which field is
// which. `rempart hash` writes such lines, as do spreadsheets.
type Lines struct {
	in    *bufio.Reader
	usual rempart.Fingerprint
	line  int

	started              bool
	comma                byte // 0: not known yet
	value, quality, kind int  // fields, -1 for none; with names only
	named                bool
	kindOf               rempart.FingerprintType // of the field that is named as a type
	fields               []string
}

// maxLine is the longest line that is read, in bytes.
const maxLine = 64 << 10

// A LineError is why one line gives no fingerprint. It does not repeat the line.
type LineError struct {
	Line int    // from 1
	Why  string // what is wrong, in a few words
}

// Error says it.
func (e *LineError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Why) }

// NewLines reads from r. usual has the type of values that may be of several (64
// digits are a pdq or a sha256), and the quality of those for which none is said,
// 0 for unknown.
func NewLines(r io.Reader, usual rempart.Fingerprint) *Lines {
	return &Lines{in: bufio.NewReaderSize(r, maxLine), usual: usual, value: -1, quality: -1, kind: -1}
}

// Line returns the number of the line read last.
func (l *Lines) Line() int { return l.line }

// Next returns the next fingerprint, with its value in lower case. A line that
// gives none is a [LineError], and the next call goes on behind it; at the end
// there is an io.EOF. Whether it may enter a list is for the caller to see. The
// quality is 0 where neither the line nor usual says one, and -1 where 0 is said.
func (l *Lines) Next() (rempart.Fingerprint, error) {
	for {
		b, err := l.in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = l.in.ReadSlice('\n')
			}
			l.line++
			if err != nil && err != io.EOF {
				return rempart.Fingerprint{}, err
			}
			return rempart.Fingerprint{}, &LineError{l.line, "the line is too long"}
		}
		if err != nil && (err != io.EOF || len(b) == 0) {
			return rempart.Fingerprint{}, err
		}
		l.line++
		if l.line == 1 {
			b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
		}
		b = bytes.TrimSpace(b)
		if len(b) == 0 || b[0] == '#' {
			continue
		}
		if err := l.split(b); err != nil {
			return rempart.Fingerprint{}, &LineError{l.line, "a quotation mark is not closed"}
		}
		if !l.started {
			l.started = true
			if l.names() {
				continue
			}
		}
		f, why := l.read()
		if why != "" {
			return f, &LineError{l.line, why}
		}
		return f, nil
	}
}

// split cuts a line into fields.
func (l *Lines) split(b []byte) error {
	s := string(b)
	if !l.named { // without names each line may have its own
		l.comma = ' '
		for _, c := range []byte(";,\t") {
			if strings.IndexByte(s, c) >= 0 {
				l.comma = c
			}
		}
	}
	l.fields = l.fields[:0]
	switch {
	case l.comma == ' ':
		l.fields = append(l.fields, strings.Fields(s)...)
	case strings.IndexByte(s, '"') >= 0:
		r := csv.NewReader(strings.NewReader(s))
		r.Comma = rune(l.comma)
		fields, err := r.Read()
		if err != nil {
			return err
		}
		l.fields = append(l.fields, fields...)
	default:
		for f := range strings.SplitSeq(s, string(l.comma)) {
			l.fields = append(l.fields, f)
		}
	}
	for i := range l.fields {
		l.fields[i] = strings.TrimSpace(l.fields[i])
	}
	return nil
}

var valueNames = map[string]bool{"value": true, "hash": true, "hash_value": true, "hashvalue": true, "hash_digest": true, "fingerprint": true, "signal": true, "indicator": true, "signal_value": true}

// typeNames are the types as partners write them.
var typeNames = map[string]rempart.FingerprintType{
	"pdq": rempart.PDQ, "hash_pdq": rempart.PDQ, "imagepdq": rempart.PDQ,
	"md5": rempart.MD5, "hash_md5": rempart.MD5, "video_md5": rempart.MD5, "hash_video_md5": rempart.MD5, "videomd5": rempart.MD5,
	"sha256": rempart.SHA256, "hash_sha256": rempart.SHA256, "sha-256": rempart.SHA256,
}

// names reads the first line, if it says which field is which.
func (l *Lines) names() bool {
	for i, f := range l.fields {
		f = strings.ToLower(f)
		switch t, isType := typeNames[f]; {
		case valueNames[f]:
			l.value = i
		case isType && l.value < 0 && !l.isValue(i+1):
			l.value, l.kindOf = i, t
		case f == "quality":
			l.quality = i
		case f == "type", f == "signal_type", f == "signaltype", f == "algorithm":
			l.kind = i
		}
	}
	l.named = l.value >= 0
	return l.named
}

// isValue tells whether a field is a fingerprint: its line is then no line of
// names.
func (l *Lines) isValue(i int) bool {
	if i >= len(l.fields) {
		return false
	}
	_, err := hex.DecodeString(l.fields[i])
	return err == nil && len(l.fields[i]) >= 32
}

// read returns the fingerprint of the fields, or what is wrong.
func (l *Lines) read() (f rempart.Fingerprint, why string) {
	field := func(i int) string {
		if i < 0 || i >= len(l.fields) {
			return ""
		}
		return l.fields[i]
	}
	f = rempart.Fingerprint{Type: l.usual.Type, Quality: l.usual.Quality}
	var quality, kind string
	if l.named {
		f.Value, quality, kind = field(l.value), field(l.quality), field(l.kind)
		if l.kindOf != "" {
			f.Type = l.kindOf
		}
	} else {
		at := 0
		if _, ok := typeNames[strings.ToLower(field(0))]; ok {
			kind, at = field(0), 1
		}
		f.Value, quality = field(at), field(at+1)
	}
	if kind != "" {
		t, ok := typeNames[strings.ToLower(kind)]
		if !ok {
			return f, "the type is not pdq, md5 or sha256"
		}
		f.Type = t
	}
	if kind == "" && l.kindOf == "" && len(f.Value) == 32 {
		f.Type = rempart.MD5
	}
	want := 64
	if f.Type == rempart.MD5 {
		want = 32
	}
	if b, err := hex.DecodeString(f.Value); err != nil || len(f.Value) != want {
		return f, fmt.Sprintf("the value has not %d hexadecimal digits", want)
	} else if f.Type == rempart.PDQ {
		f.Value = pdq.Hash(b).String()
	} else {
		f.Value = strings.ToLower(f.Value)
	}
	if f.Type != rempart.PDQ {
		f.Quality = 0
		return f, ""
	}
	if quality != "" {
		n, err := strconv.Atoi(quality)
		if err != nil || n < 0 || n > 100 {
			return f, "the quality is not a number from 0 to 100"
		}
		f.Quality = n
		if n == 0 {
			f.Quality = -1 // said, and not left out
		}
	}
	return f, ""
}
