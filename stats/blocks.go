package stats

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"
)

// blockSize is how many bytes of a table are read, and parsed, at once; more than
// maxLine.
const blockSize = 1 << 18

// A block is some whole lines of a table, and what they hold.
type block struct {
	line    int    // before its first
	text    string // the last line may lack its end
	last    bool   // nothing comes after the text
	long    bool   // in place of text: one line that is longer than a block
	rows    []Row
	refused []*RowError
	err     error         // of the reader, after the text
	parsed  chan struct{} // of one place
}

// readBlocks reads what follows the header's line. One goroutine reads, as many
// as there are processors parse, and the caller gets the rows in their order;
// there are never more than a few blocks, whoever is slow.
func readBlocks(from *bufio.Reader, h header, comma rune, line int, row func(Row), refused func(*RowError)) error {
	workers := runtime.GOMAXPROCS(0)
	n := 2*workers + 1
	free, work, order := make(chan *block, n), make(chan *block, n), make(chan *block, n)
	for range n {
		free <- &block{parsed: make(chan struct{}, 1)}
	}
	go func() {
		defer close(order)
		defer close(work)
		r := blockReader{from: from, comma: byte(comma), line: line, buf: make([]byte, blockSize)}
		for more := true; more; {
			b := <-free
			more = r.next(b)
			order <- b
			work <- b
		}
	}()
	for range workers {
		go func() {
			p := parser{h: h, comma: byte(comma), slow: newLineReader(nil, comma)}
			for b := range work {
				p.parse(b)
				b.parsed <- struct{}{}
			}
		}()
	}
	for b := range order {
		<-b.parsed
		bad := b.refused
		for _, r := range b.rows {
			for len(bad) > 0 && bad[0].Line < r.Line {
				refused(bad[0])
				bad = bad[1:]
			}
			row(r)
		}
		for _, x := range bad {
			refused(x)
		}
		if b.err != nil {
			return fmt.Errorf("reading the table: %w", b.err)
		}
		free <- b
	}
	return nil
}

// blockReader cuts a table between records.
type blockReader struct {
	from  *bufio.Reader
	comma byte
	line  int // read so far
	buf   []byte
	kept  int // bytes of buf that were read and not given
}

// next fills b and says whether there may be more; it sets b.err if not for the
// end of the file.
func (r *blockReader) next(b *block) bool {
	*b = block{line: r.line, parsed: b.parsed, rows: b.rows[:0], refused: b.refused[:0]}
	for {
		n, err := r.from.Read(r.buf[r.kept:])
		r.kept += n
		switch {
		case errors.Is(err, io.EOF):
			b.text, b.last = string(r.buf[:r.kept]), true
			r.kept = 0
			return false
		case err != nil:
			end := bytes.LastIndexByte(r.buf[:r.kept], '\n') + 1
			b.text, b.err = string(r.buf[:end]), err
			return false
		case r.kept < len(r.buf):
			continue
		}
		end := bytes.LastIndexByte(r.buf, '\n') + 1
		if end == 0 {
			return r.skip(b)
		}
		end = r.cut(end)
		b.text = string(r.buf[:end])
		r.line += bytes.Count(r.buf[:end], []byte("\n"))
		r.kept = copy(r.buf, r.buf[end:])
		return true
	}
}

// cut returns where the last record ends that is whole in the full buffer, whose
// last line ends at end.
func (r *blockReader) cut(end int) int {
	for at := 0; at < end; {
		n := bytes.IndexByte(r.buf[at:end], '"')
		if n < 0 {
			break
		}
		at += bytes.LastIndexByte(r.buf[at:at+n], '\n') + 1
		line := bytes.IndexByte(r.buf[at:], '\n') + 1
		switch n := recordEnd(r.buf[at:], r.comma); {
		case line > maxLine, n == 0:
			at += line
		case n < 0:
			return at
		default:
			at += n
		}
	}
	return end
}

// skip leaves out a line that is longer than the buffer.
func (r *blockReader) skip(b *block) bool {
	b.long, r.kept = true, 0
	r.line++
	for {
		_, err := r.from.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF):
			return false
		case err != nil:
			b.long, b.err = false, err
			return false
		}
		return true
	}
}

// parser reads the lines of blocks. Lines that hold nothing but plain cells are
// read here, without an allocation; whatever is unusual about another is decided
// by [lineReader.fields] and [parseRecord] alone.
type parser struct {
	h     header
	comma byte
	slow  *lineReader
	cells []string
	day   string // the collected_at read last, and what it says
	when  time.Time
	sure  string // the confidence read last
}

func (p *parser) parse(b *block) {
	if b.long {
		b.refused = append(b.refused, tooLong(b.line+1))
		return
	}
	line := b.line
	for rest := b.text; rest != ""; {
		line++
		text, after, _ := strings.Cut(rest, "\n")
		whole := rest
		rest = after
		long := len(text) >= maxLine
		text = strings.TrimSuffix(text, "\r")
		switch {
		case long:
			b.refused = append(b.refused, tooLong(line))
			continue
		case text == "":
			continue
		}
		if r, ok := p.plain(text, line); ok {
			b.rows = append(b.rows, r)
			continue
		}
		first := line
		if strings.IndexByte(text, '"') >= 0 {
			n := recordEnd(whole, p.comma)
			if n < 0 && b.last { // the last line of the file may lack its end
				n = recordEnd(whole+"\n", p.comma) - 1
			}
			if n > 0 && strings.Contains(whole[:n-1], "\n") {
				text, rest = strings.TrimSuffix(strings.TrimSuffix(whole[:n], "\n"), "\r"), whole[n:]
				line += strings.Count(text, "\n")
			}
		}
		p.slow.line = first
		record, err := p.slow.fields(text)
		var bad *RowError
		var r Row
		if err == nil {
			r, bad = parseRecord(record, p.h, first)
		} else if !errors.As(err, &bad) {
			bad = &RowError{first, "", err.Error()}
		}
		switch {
		case bad == nil:
			b.rows = append(b.rows, r)
		case line > first:
			bad.Reason += fmt.Sprintf("; lines %d to %d are one row by their quotation marks", first, line)
			fallthrough
		default:
			b.refused = append(b.refused, bad)
		}
	}
}

func tooLong(line int) *RowError {
	return &RowError{line, "", fmt.Sprintf("a line of more than %d bytes: labels, not content", maxLine)}
}

// Kinds of bytes of a line.
const (
	isPlain = iota
	isOdd   // the cell is looked at by checkCell
)

// kinds are those of the bytes but for the separator. A quotation mark is found
// before.
var kinds = func() (k [256]uint8) {
	for c := range k {
		if c < ' ' || c >= 0x7f || strings.IndexByte("/<;'", byte(c)) >= 0 {
			k[c] = isOdd
		}
	}
	return k
}()

// plain reads a line whose cells are all allowed; of any other, and of one that it
// is not sure of, it returns false.
func (p *parser) plain(text string, line int) (Row, bool) {
	if strings.IndexByte(text, '"') >= 0 {
		return Row{}, false
	}
	p.cells = p.cells[:0]
	var odd uint8
	start := 0
	for i := 0; i <= len(text); i++ {
		if i < len(text) && text[i] != p.comma {
			odd |= kinds[text[i]]
			continue
		}
		cell := text[start:i]
		if (odd != isPlain || suspicious(cell)) && checkCell(cell) != "" {
			return Row{}, false
		}
		p.cells = append(p.cells, cell)
		odd, start = isPlain, i+1
	}
	if len(p.cells) != p.h.fields {
		return Row{}, false
	}
	cell := func(i int) string { return trim(p.cells[p.h.at[i]]) }
	r := Row{Line: line, Item: cell(0), Surface: cell(1), URLHash: cell(3), Label: cell(4), Value: cell(5), Annotator: labeller(cell(6), cell(7)), Method: cell(7)}
	if r.Item == "" || r.Label == "" || r.Value == "" || r.Annotator == "" {
		return Row{}, false
	}
	if day := cell(2); day != "" {
		if day != p.day {
			t, ok := parseTime(day)
			if !ok {
				return Row{}, false
			}
			p.day, p.when = day, t
		}
		r.Collected = p.when
	}
	if sure := cell(8); sure != "" && sure != p.sure {
		if !confident(sure, p.h.comma) {
			return Row{}, false
		}
		p.sure = sure
	}
	return r, true
}

// suspicious says whether a cell of ordinary bytes must be looked at by checkCell.
func suspicious(cell string) bool {
	if cell == "" {
		return false
	}
	switch cell[0] {
	case '=', '@', '+', '-', ' ', 'd', 'D':
		return true
	}
	return len(cell) > 64
}

// trim is strings.TrimSpace, which most cells need not.
func trim(s string) string {
	if s == "" || s[0] > ' ' && s[0] < 0x7f && s[len(s)-1] > ' ' && s[len(s)-1] < 0x7f {
		return s
	}
	return strings.TrimSpace(s)
}
