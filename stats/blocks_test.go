package stats

import (
	"bufio"
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

// readSlowly reads a table line by line, each by encoding/csv, or cut at its
// separators where it has no quotation mark, and each cell by its own check.
func readSlowly(s string) (all []told, err error) {
	b := bufio.NewReaderSize(strings.NewReader(strings.TrimPrefix(s, "\xef\xbb\xbf")), maxLine)
	c := newLineReader(b, separator(b))
	h, err := readHeader(c)
	if err != nil {
		return nil, err
	}
	for {
		record, err := c.next()
		var r Row
		var bad *RowError
		switch {
		case errors.Is(err, io.EOF):
			return all, nil
		case err == nil:
			r, bad = parseRecord(record, h, c.line)
		case !errors.As(err, &bad):
			return all, err
		}
		all = append(all, told{r, bad})
	}
}

// TestReadAhead holds the reading by blocks to the reading by lines, over tables
// of several blocks with every kind of line, cut anywhere.
func TestReadAhead(t *testing.T) {
	lines := []string{
		"", "\r", "i1,app,2025-12-28,ab,l,yes,a,human,0.5", "i2,,2025-12-28T10:00:00Z,,l,no,b,gpt/4,\r", `"i3",,,,l,"y""es",a,human,`, `i"4,,,,l,yes,a,human,`, `"i5,,,,l,yes,a,human,`,
		" i6 ,,,,l,yes , a,human,", "é7,,,,l,oui,a,\u00a0human,", "i8,,,,l,\xff,a,,", "i9,,,,l,https://x.test/,a,,", "i10,,,, data:x,y,a,,", "i11,,,,l,=1,a,,", "i12,,,,l,-1,a,,", "i13,,,,l,-x,a,,",
		"i14,,soon,,l,y,a,,", "i15,,,,l,y,a,,1.5", "i16,,,,l,y,a,,0x1p-2", "i17,,,,,y,a,,", "i18,,,", "i19,,,,l,y,a,,,", "i20,,,," + strings.Repeat("l", 513) + ",y,a,,", "i21,,,/9j/" + strings.Repeat("A", 90) + ",l,y,a,,",
		"i22,,,,l,y,a,," + strings.Repeat("x", maxLine), "i23,,,," + strings.Repeat("y", 3*blockSize), strings.Repeat("z", maxLine-1), strings.Repeat("z", maxLine), "i24,,,,l,a\x00b,a,,", "i25,,2025-12-28 10:00,,l,y,a,,", ",,,,,,,,", "i26;;;;l;y;a;;",
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
		if len(got) < 6000 || !slices.ContainsFunc(got, func(x told) bool { return x.Bad != nil }) {
			t.Fatalf("round %d: %d rows", round, len(got))
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
