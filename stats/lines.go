package stats

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
)

// A lineReader reads records that end where their line ends: the header of a
// table, and what [recordEnd] finds of its rows.
type lineReader struct {
	from   *bufio.Reader
	comma  rune
	line   int // of the record read last, the header being 1
	record []string
	quoted *csv.Reader // reads the lines that hold a quotation mark, from one
	one    strings.Reader
}

// maxLine is the longest line, in bytes: nine cells and what stands beside them.
const maxLine = 1 << 16

// newLineReader reads from b, whose buffer has maxLine bytes.
func newLineReader(b *bufio.Reader, comma rune) *lineReader {
	r := &lineReader{from: b, comma: comma}
	r.quoted = csv.NewReader(&r.one)
	r.quoted.Comma, r.quoted.FieldsPerRecord, r.quoted.ReuseRecord = comma, -1, true
	return r
}

// next returns the fields of the next line that is not empty; they are valid
// until it is called again, their strings for longer. A *RowError tells of one
// line, after which reading goes on; io.EOF is the end.
func (r *lineReader) next() ([]string, error) {
	for {
		raw, err := r.from.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			r.line++
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = r.from.ReadSlice('\n')
			}
			if err != nil && !errors.Is(err, io.EOF) {
				return nil, err
			}
			return nil, &RowError{r.line, "", fmt.Sprintf("a line of more than %d bytes: labels, not content", maxLine)}
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		if len(raw) == 0 {
			return nil, io.EOF
		}
		r.line++
		raw = bytes.TrimSuffix(bytes.TrimSuffix(raw, []byte("\n")), []byte("\r"))
		if len(raw) > 0 {
			return r.fields(string(raw))
		}
	}
}

func (r *lineReader) fields(line string) ([]string, error) {
	if strings.IndexByte(line, '"') < 0 {
		r.record = r.record[:0]
		for cell := range strings.SplitSeq(line, string(r.comma)) {
			r.record = append(r.record, cell)
		}
		return r.record, nil
	}
	r.one.Reset(line)
	record, err := r.quoted.Read()
	var bad *csv.ParseError
	if errors.As(err, &bad) {
		return nil, &RowError{r.line, "", "quotation marks that do not match in this line: " + bad.Err.Error()}
	}
	return record, err
}

// recordEnd returns how many bytes at the start of text its first record takes,
// with the line end: RFC 4180 lets a quoted field go on in the next lines. It is
// 0 if the quotation marks of the first line do not match, whatever follows, and
// -1 if text ends before that is known.
//
// A record of more than maxLine bytes is none, so that a quotation mark too many
// costs its own line and does not take all rows after it.
func recordEnd[T string | []byte](text T, comma byte) int {
	const (
		start  = iota // of a field
		bare          // in a field without quotation marks
		quoted        // in one that has them
		quote         // after a quotation mark in it: its end, or one half of two
	)
	state := start
	for i := range min(len(text), maxLine+1) {
		c := text[i]
		if c == '\r' && i+1 < len(text) && text[i+1] == '\n' && state != quoted {
			continue
		}
		if c == '\r' && i+1 == len(text) && state == quote {
			break // perhaps half of a line end
		}
		switch {
		case c == '\n' && state != quoted:
			return i + 1
		case state == quoted:
			if c == '"' {
				state = quote
			}
		case c == comma:
			state = start
		case c == '"' && state == bare, c != '"' && state == quote:
			return 0
		case c != '"':
			state = bare
		default: // the first one, or the second of two
			state = quoted
		}
	}
	if len(text) > maxLine {
		return 0
	}
	return -1
}
