package stats

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// told is what a table's reader gave, in its order.
type told struct {
	Row Row
	Bad *RowError
}

func read(r io.Reader) (all []told, err error) {
	err = ReadTable(r, func(r Row) { all = append(all, told{Row: r}) }, func(bad *RowError) { all = append(all, told{Bad: bad}) })
	return all, err
}

// readSlowly reads a table line by line. A line with a quotation mark is read by
// encoding/csv, alone or with as many of the next as it takes; another is cut at
// its separators; each cell is held to its own check.
func readSlowly(s string) (all []told, err error) {
	s = strings.TrimPrefix(s, "\xef\xbb\xbf")
	b := bufio.NewReaderSize(strings.NewReader(s), maxLine)
	c := newLineReader(b, separator(b))
	h, err := readHeader(c)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(s, "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	for i := c.line; i < len(lines); i++ { // line i+1 of the file
		c.line = i + 1
		text := strings.TrimSuffix(lines[i], "\r")
		if len(lines[i]) >= maxLine {
			all = append(all, told{Bad: tooLong(i + 1)})
			continue
		}
		if text == "" {
			continue
		}
		record, err := c.fields(text)
		last := i
		if err != nil {
			for k, size := i+1, len(lines[i]); k < len(lines) && err != nil; k++ {
				if size += 1 + len(lines[k]); size > maxLine {
					break
				}
				one := csv.NewReader(strings.NewReader(strings.Join(lines[i:k+1], "\n") + "\n"))
				one.Comma, one.FieldsPerRecord = c.comma, -1
				more, failed := one.Read()
				var at *csv.ParseError
				if errors.As(failed, &at) && at.Line <= k-i { // more lines do not mend an earlier one
					break
				}
				if _, end := one.Read(); failed == nil && errors.Is(end, io.EOF) {
					record, err, last = more, nil, k
				}
			}
		}
		var r Row
		var bad *RowError
		if err == nil {
			r, bad = parseRecord(record, h, i+1)
		} else if !errors.As(err, &bad) {
			return all, err
		}
		if bad != nil && last > i {
			bad.Reason += fmt.Sprintf("; lines %d to %d are one row by their quotation marks", i+1, last+1)
		}
		i = last
		all = append(all, told{r, bad})
	}
	return all, nil
}

// TestReadAhead holds the reading by blocks to the reading by lines, over tables
// of several blocks with every kind of line, cut anywhere.
func TestReadAhead(t *testing.T) {
	lines := []string{
		"", "\r", "i1,app,2025-12-28,ab,l,yes,a,human,0.5", "i2,,2025-12-28T10:00:00Z,,l,no,b,gpt/4,\r", `"i3",,,,l,"y""es",a,human,`, `i"4,,,,l,yes,a,human,`, `"i5,,,,l,yes,a,human,`,
		" i6 ,,,,l,yes , a,human,", "é7,,,,l,oui,a,\u00a0human,", "i8,,,,l,\xff,a,,", "i9,,,,l,https://x.test/,a,,", "i10,,,, data:x,y,a,,", "i11,,,,l,=1,a,,", "i12,,,,l,-1,a,,", "i13,,,,l,-x,a,,",
		"i14,,soon,,l,y,a,,", "i15,,,,l,y,a,,1.5", "i16,,,,l,y,a,,0x1p-2", "i17,,,,,y,a,,", "i18,,,", "i19,,,,l,y,a,,,", "i20,,,," + strings.Repeat("l", 513) + ",y,a,,", "i21,,,/9j/" + strings.Repeat("A", 90) + ",l,y,a,,",
		"i22,,,,l,y,a,," + strings.Repeat("x", maxLine), "i23,,,," + strings.Repeat("y", 3*blockSize), strings.Repeat("z", maxLine-1), strings.Repeat("z", maxLine), "i24,,,,l,a\x00b,a,,", "i25,,2025-12-28 10:00,,l,y,a,,", ",,,,,,,,", "i26;;;;l;y;a;;",
		"i27,,,,l,\"y\nz\",a,,", "i28,,,,l,y,a,,\"x\ni29,,,,l,y,a,,", "i30,,,,l,y,a,,\"\r\n\r\n\"\r", "\"i31\n" + strings.Repeat(strings.Repeat("q", 999)+"\n", maxLine/1000) + "\",,,,l,y,a,,", "i32,,,,l,y,a,,\"\n\"\"\",x\n\"",
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for round := range 12 {
		var b strings.Builder
		b.WriteString(head)
		for k := range 6000 {
			fmt.Fprintf(&b, "i%d,app,2025-12-28,%064x,l,yes,a,human,0.9\n", k, k)
			if rnd.IntN(40) == 0 {
				b.WriteString(lines[rnd.IntN(len(lines))] + "\n")
			}
		}
		for _, l := range lines {
			b.WriteString(l + "\n")
		}
		table := b.String()
		table = table[:len(table)-rnd.IntN(2+3*round)]
		want, err := readSlowly(table)
		if err != nil {
			t.Fatal(err)
		}
		got, err := read(strings.NewReader(table))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Fatalf("round %d: %v\n%s", round, err, diff)
		}
		if len(got) < 4000 || !slices.ContainsFunc(got, func(x told) bool { return x.Bad != nil }) {
			t.Fatalf("round %d: %d rows", round, len(got))
		}
	}
}

// TestLinesInCell reads a remark of several lines as one cell, whatever stands in
// it, and refuses as one a row whose own cells have several.
func TestLinesInCell(t *testing.T) {
	note := strings.TrimSuffix(head, "\n") + ",note\n"
	for name, c := range map[string]struct {
		table string
		want  []told
	}{
		"a remark": {note + "i1,,,,l,n,a,,,\"hello\ni9,s,2026-01-01,,l,y,zz,human,,x\nend\"\ni2,,,,l,n,a,,,\n",
			[]told{{Row: Row{Line: 2, Item: "i1", Label: "l", Value: "n", Annotator: "a"}}, {Row: Row{Line: 5, Item: "i2", Label: "l", Value: "n", Annotator: "a"}}}},
		"a value": {head + "i1,,,,l,\"y\nz\",a,,\ni2,,,,l,n,a,,\n",
			[]told{{Bad: &RowError{2, "label_value", "a control character; lines 2 to 3 are one row by their quotation marks"}}, {Row: Row{Line: 4, Item: "i2", Label: "l", Value: "n", Annotator: "a"}}}},
		"a mark too many": {note + "i1,,,,l,n,a,,,\"hello\ni2,,,,l,n,a,,,\n",
			[]told{{Bad: &RowError{2, "", `quotation marks that do not match in this line: extraneous or missing " in quoted-field`}}, {Row: Row{Line: 3, Item: "i2", Label: "l", Value: "n", Annotator: "a"}}}},
	} {
		got, err := read(strings.NewReader(c.table))
		if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
}

// TestReadBreaks gives what was whole before a reader broke, and its error.
func TestReadBreaks(t *testing.T) {
	broken := errors.New("the disk is gone")
	whole := head + "i1,,,,l,yes,a,human,\n"
	for name, r := range map[string]io.Reader{
		"between lines":  io.MultiReader(strings.NewReader(whole), iotest.ErrReader(broken)),
		"within a line":  io.MultiReader(strings.NewReader(whole+"i2,,,,l,y"), iotest.ErrReader(broken)),
		"byte by byte":   io.MultiReader(iotest.OneByteReader(strings.NewReader(whole)), iotest.ErrReader(broken)),
		"in a long line": io.MultiReader(strings.NewReader(whole+strings.Repeat("x", 2*blockSize)), iotest.ErrReader(broken)),
	} {
		got, err := read(r)
		if !errors.Is(err, broken) || len(got) != 1 || got[0].Row.Item != "i1" {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// FuzzReadTable holds the reader to the slow one, and looks for panics and for
// rows with what no table may hold.
func FuzzReadTable(f *testing.F) {
	f.Add(head + "i,app,2025-12-28,ab,l,yes,a,human,0.5\n")
	f.Add(head + "\"i\n\",,,,l,\"y\"\"es\",a,human,\n=1,,,,l,yes,a,human,\n")
	f.Add(strings.TrimSuffix(head, "\n") + ",note\ni,,,,l,yes,a,,,\"one\r\ni9,,,,l,yes,z,,,x\nend\"\n\"i2,,,,l,yes,a,,,\ni3,,,,l,yes,a,,,\"\"\"\n\"\"\"\"\r\n")
	f.Add(head + "\"\n\"\r")
	f.Add("\xef\xbb\xbf" + strings.ReplaceAll(head, ",", ";") + "i;;;;l;yes;a;;0,5\n")
	f.Add(head + "data:,,,,l,y,a,,\n d,,,,l,\u00a0y,a,/,+1\ni,,,x://,l,y,a,,\n")
	f.Fuzz(func(t *testing.T, s string) {
		tally := NewTally(Condition{"l", "yes"}, &Condition{"l", "yes"})
		got, err := read(strings.NewReader(s))
		for _, x := range got {
			if x.Bad != nil {
				if x.Bad.Line < 2 || x.Bad.Reason == "" {
					t.Errorf("%+v", x.Bad)
				}
				continue
			}
			for _, cell := range []string{x.Row.Item, x.Row.Surface, x.Row.URLHash, x.Row.Label, x.Row.Value, x.Row.Annotator, x.Row.Method} {
				if strings.ContainsAny(cell, "\x00\n\r") || strings.HasPrefix(cell, "=") || len(cell) > maxCell {
					t.Errorf("a row with %q", cell)
				}
			}
			tally.Add(x.Row)
		}
		if err != nil {
			return
		}
		tally.Card(Options{})
		want, err := readSlowly(s)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v\n%s", err, diff)
		}
	})
}
