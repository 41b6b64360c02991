package stats

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"rempart"
)

// Columns are those of a labelled table, one row a label: which item, where and
// when it was collected, the hash of its address, what was labelled, the label,
// who gave it (may be empty where a model did), by which method (human, a model's
// name and version, or "adjudication" for a decision between annotators, see
// [adjudicates]), and how sure (0 to 1; may be empty).
var Columns = []string{"item_id", "surface", "collected_at", "url_hash", "label_name", "label_value", "annotator", "method", "confidence"}

// MethodAdjudication marks, as we write it, the label that settles what annotators disagree on.
const MethodAdjudication = "adjudication"

// maxCell is the longest cell, in bytes: labels and identifiers, not content.
const maxCell = 512

// A Row is one label of one item. Its strings are valid after the next row.
type Row struct {
	Line                   int // in the file, the header being 1
	Item, Surface, URLHash string
	Collected              time.Time // zero if the cell is empty
	Label, Value           string
	Annotator, Method      string
}

// A RowError says why one row is not counted.
type RowError struct {
	Line   int
	Column string // "" where it is the whole row
	Reason string
}

func (e *RowError) Error() string {
	if e.Column == "" {
		return fmt.Sprintf("line %d: %s", e.Line, e.Reason)
	}
	return fmt.Sprintf("line %d: %s: %s", e.Line, e.Column, e.Reason)
}

// ReadTable reads a labelled table as CSV (RFC 4180; commas, or the semicolons
// that French spreadsheets write) in UTF-8, and gives each good row to row and
// what is wrong with every other to refused, both in the order of the file and in
// the caller's goroutine. It reads ahead, and holds a few megabytes. It
// fails where the file as a whole cannot be a table: another encoding, a column
// that is missing or there twice, a failing reader.
//
// A row is refused if a cell looks like a picture, a data address or an address,
// or would be run as a formula by a spreadsheet: such tables are passed around.
//
// A Parquet file is read if r is a [File]: the same columns as texts, dates, times
// and numbers, each cell held to what one of a CSV is. The line of a row is then
// the one that it would have as CSV.
func ReadTable(r io.Reader, row func(Row), refused func(*RowError)) error {
	if f, ok := r.(File); ok && isParquet(f) {
		return readParquet(f, row, refused)
	}
	b := bufio.NewReaderSize(r, maxLine)
	head, err := b.Peek(4)
	if err != nil && len(head) == 0 {
		if errors.Is(err, io.EOF) {
			return errors.New("the file is empty; its first line must name the columns " + strings.Join(Columns, ", "))
		}
		return fmt.Errorf("reading the table: %w", err)
	}
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		b.Discard(3)
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		return errors.New("the file is in UTF-16; save it as CSV in UTF-8")
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return errors.New("the file is a spreadsheet or an archive; save it as CSV in UTF-8")
	case bytes.HasPrefix(head, []byte("PAR1")):
		return errors.New("the table is Parquet, which cannot be read as it comes in; give it as a file, by its name")
	}
	c := newLineReader(b, separator(b))
	at, err := readHeader(c)
	if err != nil {
		return err
	}
	return readBlocks(b, at, c.comma, c.line, row, refused)
}

// parseRecord reads the fields of one line.
func parseRecord(record []string, h header, line int) (Row, *RowError) {
	if bad := checkRecord(record, h, line); bad != nil {
		return Row{}, bad
	}
	return newRow(record, h, line)
}

// separator guesses from the header line whether fields end with a semicolon.
func separator(b *bufio.Reader) rune {
	head, _ := b.Peek(1 << 12)
	line, _, _ := bytes.Cut(head, []byte("\n"))
	if bytes.Count(line, []byte(";")) > bytes.Count(line, []byte(",")) {
		return ';'
	}
	return ','
}

// header says where each of Columns is in a record, and how many fields it has.
type header struct {
	at     [9]int
	fields int
	names  []string
	comma  bool // numbers may be written 0,9, as where fields end with a semicolon
}

func readHeader(c *lineReader) (header, error) {
	names, err := c.next()
	if err != nil {
		return header{}, fmt.Errorf("reading the first line, which must name the columns: %w", err)
	}
	if strings.Contains(strings.Join(names, ""), "\r") {
		return header{}, errors.New("the lines end with a carriage return alone; save the file as CSV in UTF-8")
	}
	return newHeader(names, c.comma == ';')
}

// newHeader finds the columns among their names.
func newHeader(names []string, comma bool) (header, error) {
	h := header{fields: len(names), comma: comma}
	for _, n := range names {
		h.names = append(h.names, strings.ToLower(strings.TrimSpace(n)))
	}
	var missing []string
	for i, want := range Columns {
		h.at[i] = slices.Index(h.names, want)
		if h.at[i] < 0 {
			missing = append(missing, want)
		} else if slices.Index(h.names[h.at[i]+1:], want) >= 0 {
			return header{}, fmt.Errorf("the column %s is there twice", want)
		}
	}
	if missing != nil {
		return header{}, fmt.Errorf("the first line does not name the column %s", strings.Join(missing, ", "))
	}
	return h, nil
}

// checkRecord refuses a record of the wrong length, and one with a cell that no
// labelled table may hold, in whichever column.
func checkRecord(record []string, h header, line int) *RowError {
	if len(record) != h.fields {
		return &RowError{line, "", fmt.Sprintf("%d fields, the first line has %d", len(record), h.fields)}
	}
	for i, cell := range record {
		if !slices.Contains(h.at[:], i) { // a remark may have several lines
			cell = breaks.Replace(cell)
		}
		if reason := checkCell(cell); reason != "" {
			return &RowError{line, h.names[i], reason}
		}
	}
	return nil
}

// What no cell may hold, beside what [rempart.CarriesFile] finds in one of more
// than 64 bytes: an address that is the data, however short, and a drawing; and the
// long cells that a table is full of.
var (
	dataAddress = regexp.MustCompile(`(?i)^\s*["']?data:|\bdata:\s*[a-z]+/|;\s*base64\b`)
	drawing     = regexp.MustCompile(`(?i)<\s*(?:svg|img)\b`)
	digest      = regexp.MustCompile(`^(?:[A-Za-z0-9-]+:)?(?:[0-9A-Fa-f]{64}|[0-9A-Fa-f]{96}|[0-9A-Fa-f]{128})$`)
)

var breaks = strings.NewReplacer("\n", " ", "\r", " ", "\t", " ")

// checkCell says why a cell is refused, or "".
func checkCell(cell string) string {
	if cell == "" {
		return ""
	}
	if len(cell) > maxCell {
		return fmt.Sprintf("%d bytes long, at most %d are kept: labels, not content", len(cell), maxCell)
	}
	if strings.ContainsAny(cell, ":;") && dataAddress.MatchString(cell) {
		return "a data address; tables hold labels only"
	}
	if strings.IndexByte(cell, '<') >= 0 && drawing.MatchString(cell) || len(cell) > 64 && !digest.MatchString(cell) && rempart.CarriesFile(cell) {
		return "a picture; tables hold labels only"
	}
	if strings.Contains(cell, "://") {
		return "an address; give its hash in url_hash"
	}
	for i := range len(cell) {
		if c := cell[i]; c < ' ' || c == 0x7f {
			return "a control character"
		} else if c >= utf8.RuneSelf {
			if !utf8.ValidString(cell) {
				return "not UTF-8; save the file as CSV in UTF-8"
			}
			break
		}
	}
	switch cell[0] {
	case '=', '@':
		return "would be run as a formula by a spreadsheet"
	case '+', '-':
		if len(cell) == 1 {
			return ""
		}
		if _, err := strconv.ParseFloat(cell, 64); err != nil {
			return "would be run as a formula by a spreadsheet"
		}
	}
	return ""
}

// newRow reads a record whose cells are allowed.
func newRow(record []string, h header, line int) (Row, *RowError) {
	cell := func(i int) string { return strings.TrimSpace(record[h.at[i]]) }
	out := Row{Line: line, Item: cell(0), Surface: cell(1), URLHash: cell(3), Label: cell(4), Value: cell(5), Annotator: labeller(cell(6), cell(7)), Method: cell(7)}
	for _, i := range []int{0, 4, 5, 6} {
		if cell(i) == "" && (i != 6 || out.Annotator == "") {
			return Row{}, &RowError{line, Columns[i], "empty"}
		}
	}
	if when := cell(2); when != "" {
		t, ok := parseTime(when)
		if !ok {
			return Row{}, &RowError{line, "collected_at", fmt.Sprintf("%q is no date such as 2025-12-28 or 2025-12-28T14:03:00Z", when)}
		}
		out.Collected = t
	}
	if sure := cell(8); sure != "" {
		if !confident(sure, h.comma) {
			return Row{}, &RowError{line, "confidence", fmt.Sprintf("%q is no number from 0 to 1", cell(8))}
		}
	}
	return out, nil
}

// labeller is who gave a label: the annotator, or where none is named the machine
// that the method is.
func labeller(annotator, method string) string {
	if annotator == "" && !byPerson(method) {
		return method
	}
	return annotator
}

// confident says whether a text is a number from 0 to 1.
func confident(sure string, comma bool) bool {
	if comma {
		sure = strings.Replace(sure, ",", ".", 1)
	}
	v, err := strconv.ParseFloat(sure, 64)
	return err == nil && v >= 0 && v <= 1
}

// parseTime reads a date, or a date and a time; without a zone it is UTC.
func parseTime(s string) (time.Time, bool) {
	layout := time.DateOnly
	if len(s) > len(layout) {
		layout = time.RFC3339
		if len(s) > 10 && s[10] == ' ' {
			s = s[:10] + "T" + s[11:]
		}
		if !strings.ContainsAny(s[10:], "Z+-") {
			s += "Z"
		}
		if len(s) == len("2006-01-02T15:04Z") {
			layout = "2006-01-02T15:04Z07:00"
		}
	}
	t, err := time.Parse(layout, s)
	return t, err == nil
}
