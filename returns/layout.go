package returns

import (
	"fmt"
	"strings"
)

// Measures of a page, in points: A4, and the size of texts.
const (
	pageHeight = 842.0
	left       = 56.0
	wide       = 483.0
	top        = 786.0
	bottom     = 64.0
	textSize   = 10.5
	smallSize  = 8.8
)

// A layout puts a document on the pages of a PDF.
type layout struct {
	*pdf
	y float64
}

// pdf writes the document as a tagged PDF.
func (d document) pdf() ([]byte, error) {
	p, err := newPDF(d.Lang, d.Title+" – "+d.Subtitle)
	if err != nil {
		return nil, err
	}
	l := &layout{pdf: p}
	l.newPage()
	l.paragraph(p.root.child("H1"), d.Title, left, wide, 19, true, 1.2)
	l.y -= 2
	l.paragraph(p.root.child("P"), d.Subtitle, left, wide, textSize, false, 1.4)
	l.y -= 8
	for i, b := range d.Blocks {
		switch {
		case b.Heading != "":
			l.y -= 12
			l.room(90)
			l.paragraph(p.root.child("H2"), b.Heading, left, wide, 13.5, true, 1.3)
			l.y -= 4
		case b.Text != "":
			l.paragraph(p.root.child("P"), b.Text, left, wide, textSize, false, 1.4)
			l.y -= 6
		case b.Note != "":
			l.setApart(b.Note)
		case b.List != nil:
			l.bullets(b.List)
		case b.Table != nil:
			l.table(b.Table)
		case b.Chart != nil:
			l.chart(d, b.Chart)
		default:
			return nil, fmt.Errorf("part %d of %q is empty", i+1, d.Title)
		}
	}
	for i, pg := range p.pages {
		fmt.Fprintf(&pg.b, "/Artifact <</Type /Pagination /Subtype /Footer>> BDC\n")
		s := fmt.Sprintf("%d / %d", i+1, len(p.pages))
		fmt.Fprintf(&pg.b, "BT /F0 %.2f Tf %.2f 36 Td <%s> Tj ET\nEMC\n", smallSize, left+wide-p.fonts[0].width(s, smallSize), p.fonts[0].hex(s))
		fmt.Fprintf(&pg.b, "/Artifact <</Type /Pagination /Subtype /Footer>> BDC\nBT /F0 %.2f Tf %.2f 36 Td <%s> Tj ET\nEMC\n", smallSize, left, p.fonts[0].hex(cut(p.fonts[0], d.Subtitle, smallSize, 400)))
	}
	return p.bytes(), nil
}

func (l *layout) newPage() {
	l.addPage()
	l.y = top
}

// room begins a new page unless there is so much height left.
func (l *layout) room(height float64) {
	if l.y-height < bottom {
		l.newPage()
	}
}

// lines breaks a text at its spaces, never at a non-breaking one. What is longer
// than a line by itself is cut where it must be.
func (l *layout) lines(s string, width, size float64, bold bool) []string {
	f := l.fonts[0]
	if bold {
		f = l.fonts[1]
	}
	var out []string
	line := ""
	for _, word := range strings.Split(s, " ") {
		try := word
		if line != "" {
			try = line + " " + word
		}
		if f.width(try, size) <= width {
			line = try
			continue
		}
		if line != "" {
			out = append(out, line)
		}
		for f.width(word, size) > width {
			k := 1
			runes := []rune(word)
			for k < len(runes) && f.width(string(runes[:k+1]), size) <= width {
				k++
			}
			if k == len(runes) {
				break
			}
			out = append(out, string(runes[:k]))
			word = string(runes[k:])
		}
		line = word
	}
	return append(out, line)
}

// paragraph writes a text below the last one, over as many pages as it needs.
func (l *layout) paragraph(t *tag, s string, x, width, size float64, bold bool, lead float64) {
	open := false
	all := l.lines(s, width, size, bold)
	for i, line := range all {
		if l.y-size*lead < bottom {
			if open {
				l.close()
				open = false
			}
			l.newPage()
		}
		if !open {
			l.open(t)
			open = true
		}
		l.y -= size * lead
		if i < len(all)-1 {
			line += " " // what reads the tags must not join two words
		}
		l.put(x, l.y, size, bold, line)
	}
	if open {
		l.close()
	}
}

// setApart writes a paragraph with a bar beside it.
func (l *layout) setApart(s string) {
	n := len(l.lines(s, wide-14, textSize, false))
	height := float64(n)*textSize*1.4 + 4
	l.room(height)
	l.decoration()
	l.box(left, l.y-height, 3, height, 0.25)
	l.close()
	l.paragraph(l.root.child("P"), s, left+14, wide-14, textSize, false, 1.4)
	l.y -= 12
}

func (l *layout) bullets(items []string) {
	list := l.root.child("L")
	for _, s := range items {
		l.room(textSize * 2.8)
		item := list.child("LI")
		label := item.child("Lbl")
		l.open(label)
		l.put(left+4, l.y-textSize*1.4, textSize, false, "•")
		l.close()
		l.paragraph(item.child("LBody"), s, left+18, wide-18, textSize, false, 1.4)
		l.y -= 3
	}
	l.y -= 5
}

// cellPad is what is free on each side of a cell.
const cellPad = 4.0

// columns shares the width of a page out: the first of numbers is as wide as it
// can be once no word of the others' heads is cut, those of words as their longest
// texts ask.
func (l *layout) columns(s *shown) []float64 {
	n := len(s.Head)
	out := make([]float64, n)
	if s.Words {
		share := []float64{0.32, 0.14, 0.13, 0.41}
		for i := range out {
			out[i] = wide / float64(n)
			if n == len(share) {
				out[i] = wide * share[i]
			}
		}
		return out
	}
	each := 62.0
	if n > 2 {
		each = min(78, wide*0.64/float64(n-1))
	}
	out[0] = wide
	for i := 1; i < n; i++ {
		out[i] = each
		for word := range strings.FieldsSeq(s.Head[i]) {
			out[i] = max(out[i], l.fonts[1].width(word, smallSize)+2*cellPad+0.5)
		}
		out[0] -= out[i]
	}
	return out
}

// table writes a table; its head is there again on each page that it goes over.
func (l *layout) table(s *shown) {
	const lead, pad = 1.3, cellPad
	cols := l.columns(s)
	caption := l.lines(s.Caption, wide, textSize, true)
	l.y -= 4
	l.room(float64(len(caption))*textSize*1.3 + 60)
	t := l.root.child("Table")
	l.paragraph(t.child("Caption"), s.Caption, left, wide, textSize, true, 1.3)
	l.y -= 3
	row := func(cells []string, head, last bool, repeat bool) {
		texts := make([][]string, len(cells))
		height := 0.0
		for i, c := range cells {
			texts[i] = l.lines(c, cols[i]-2*pad, smallSize, head || last)
			height = max(height, float64(len(texts[i]))*smallSize*lead)
		}
		height += 6
		if !repeat && l.y-height < bottom {
			l.newPage()
		}
		var tr *tag
		if !repeat {
			tr = t.child("TR")
		}
		x := left
		for i, lines := range texts {
			switch {
			case repeat:
				l.decoration()
			default:
				c := tr.child("TD")
				if head {
					c.kind, c.scope = "TH", "Column"
				} else if i == 0 {
					c.kind, c.scope = "TH", "Row"
				}
				l.open(c)
			}
			for k, line := range lines {
				at := x + pad
				if i > 0 && !s.Words {
					f := l.fonts[0]
					if head || last {
						f = l.fonts[1]
					}
					at = x + cols[i] - pad - f.width(line, smallSize)
				}
				if k < len(lines)-1 {
					line += " "
				}
				l.put(at, l.y-3-smallSize*lead*float64(k+1)+2, smallSize, head || last, line)
			}
			l.close()
			x += cols[i]
		}
		l.y -= height
		l.decoration()
		thick := 0.4
		if head {
			thick = 1
		}
		l.rule(left, l.y, wide, thick)
		l.close()
	}
	row(s.Head, true, false, false)
	for i, r := range s.Rows {
		pages := len(l.pages)
		need := 0.0
		for k, c := range r {
			need = max(need, float64(len(l.lines(c, cols[k]-2*pad, smallSize, false)))*smallSize*lead+6)
		}
		if l.y-need < bottom {
			l.newPage()
		}
		if len(l.pages) > pages {
			row(s.Head, true, false, true)
		}
		row(r, false, s.Last && i == len(s.Rows)-1, false)
	}
	l.y -= 14
}

// chart draws bars from 0, black on white, each with its name and number.
func (l *layout) chart(d document, c *chart) {
	const each, names = 17.0, 185.0
	height := each*float64(len(c.Bars)) + 34
	l.room(height)
	l.paragraph(l.root.child("P"), c.Title, left, wide, textSize, true, 1.3)
	l.y -= 6
	fig := l.root.child("Figure")
	fig.alt = c.Alt
	l.open(fig)
	for _, b := range c.Bars {
		name := cut(l.fonts[0], b.Label, smallSize, names-8)
		l.put(left+names-8-l.fonts[0].width(name, smallSize), l.y-11, smallSize, false, name+" ")
		w := float64(c.Percent(b)) / 100 * (wide - names)
		if w > 0 {
			l.box(left+names, l.y-13.5, w, 10.5, 0.25)
		}
		l.put(left+names+w+5, l.y-11, smallSize, false, d.Value(b)+" ")
		l.y -= each
	}
	l.close()
	if c.Footnote != "" {
		l.paragraph(l.root.child("P"), c.Footnote, left, wide, smallSize, false, 1.35)
	}
	l.y -= 10
}

// cut shortens a text that is too wide, and says so.
func cut(f *face, s string, size, width float64) string {
	if f.width(s, size) <= width {
		return s
	}
	r := []rune(s)
	for len(r) > 0 && f.width(string(r)+"…", size) > width {
		r = r[:len(r)-1]
	}
	return string(r) + "…"
}
