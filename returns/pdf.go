package returns

import (
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf16"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// A pdf writes a tagged PDF 1.7 with embedded fonts (ISO 14289-1, PDF/UA-1),
// the same bytes for the same content: no Go library at hand writes tags, and a
// browser that prints would have to be there and writes the time into the file.
type pdf struct {
	lang, title string
	fonts       [2]*face // regular, bold
	pages       []*pdfPage
	root        *tag
}

// A face is a font with the glyphs that were used.
type face struct {
	name string
	file []byte
	font *sfnt.Font
	buf  sfnt.Buffer
	used map[sfnt.GlyphIndex]rune
}

// A pdfPage is the drawing of one page and the tags of its marked parts.
type pdfPage struct {
	b      bytes.Buffer
	marked []*tag // by number of the marked content
}

// A tag is an element of the structure.
type tag struct {
	kind, alt, scope string
	kids             []any // *tag, or mark
	num              int   // of its object, once written
	parent           *tag
}

// A mark is marked content: its page, and its number there.
type mark struct{ page, id int }

func newPDF(lang, title string) (*pdf, error) {
	p := &pdf{lang: lang, title: title, root: &tag{kind: "Document"}}
	for i, f := range []struct {
		name string
		file []byte
	}{{"GoRegular", goregular.TTF}, {"GoBold", gobold.TTF}} {
		parsed, err := sfnt.Parse(f.file)
		if err != nil {
			return nil, fmt.Errorf("reading the font %s: %w", f.name, err)
		}
		p.fonts[i] = &face{name: f.name, file: f.file, font: parsed, used: map[sfnt.GlyphIndex]rune{}}
	}
	return p, nil
}

// narrow replaces the characters that the font has no glyph for.
var narrow = strings.NewReplacer("\u202f", "\u00a0", "\u2011", "-")

// width of a text in points at a size.
func (f *face) width(s string, size float64) float64 {
	sum := fixed.Int26_6(0)
	for _, r := range narrow.Replace(s) {
		sum += f.advance(f.glyph(r))
	}
	return float64(sum) / 64 / 1000 * size
}

func (f *face) glyph(r rune) sfnt.GlyphIndex {
	g, err := f.font.GlyphIndex(&f.buf, r)
	if err != nil {
		return 0
	}
	return g
}

// advance of a glyph in thousandths of the size.
func (f *face) advance(g sfnt.GlyphIndex) fixed.Int26_6 {
	a, err := f.font.GlyphAdvance(&f.buf, g, fixed.I(1000), font.HintingNone)
	if err != nil {
		return 0
	}
	return a
}

// hex writes a text as glyphs, and notes which.
func (f *face) hex(s string) string {
	var b strings.Builder
	for _, r := range narrow.Replace(s) {
		g := f.glyph(r)
		f.used[g] = r
		fmt.Fprintf(&b, "%04X", uint16(g))
	}
	return b.String()
}

func (p *pdf) page() *pdfPage { return p.pages[len(p.pages)-1] }

func (p *pdf) addPage() { p.pages = append(p.pages, &pdfPage{}) }

// child adds an element below another.
func (t *tag) child(kind string) *tag {
	c := &tag{kind: kind, parent: t}
	t.kids = append(t.kids, c)
	return c
}

// open begins content of an element on the present page.
func (p *pdf) open(t *tag) {
	pg := p.page()
	id := len(pg.marked)
	pg.marked = append(pg.marked, t)
	t.kids = append(t.kids, mark{len(p.pages) - 1, id})
	fmt.Fprintf(&pg.b, "/%s <</MCID %d>> BDC\n", t.kind, id)
}

// decoration begins content that is none: rules, page numbers.
func (p *pdf) decoration() { p.page().b.WriteString("/Artifact BMC\n") }

func (p *pdf) close() { p.page().b.WriteString("EMC\n") }

// put writes one line of text.
func (p *pdf) put(x, y, size float64, bold bool, s string) {
	k := 0
	if bold {
		k = 1
	}
	fmt.Fprintf(&p.page().b, "BT /F%d %.2f Tf %.2f %.2f Td <%s> Tj ET\n", k, size, x, y, p.fonts[k].hex(s))
}

func (p *pdf) rule(x, y, w, thick float64) {
	fmt.Fprintf(&p.page().b, "%.2f w %.2f %.2f m %.2f %.2f l S\n", thick, x, y, x+w, y)
}

func (p *pdf) box(x, y, w, h, grey float64) {
	fmt.Fprintf(&p.page().b, "%.2f g %.2f %.2f %.2f %.2f re f 0 g\n", grey, x, y, w, h)
}

// A body is the objects of a file, by number from 1.
type body struct{ objects [][]byte }

func (b *body) reserve() int {
	b.objects = append(b.objects, nil)
	return len(b.objects)
}

func (b *body) set(n int, format string, a ...any) { b.objects[n-1] = fmt.Appendf(nil, format, a...) }

func (b *body) add(format string, a ...any) int {
	n := b.reserve()
	b.set(n, format, a...)
	return n
}

// stream adds a stream, compressed unless plain.
func (b *body) stream(dict string, data []byte, plain bool) int {
	if !plain {
		var z bytes.Buffer
		w := zlib.NewWriter(&z)
		w.Write(data)
		w.Close()
		data, dict = z.Bytes(), dict+" /Filter /FlateDecode"
	}
	n := b.reserve()
	b.objects[n-1] = slices.Concat(fmt.Appendf(nil, "<<%s /Length %d>>\nstream\n", dict, len(data)), data, []byte("\nendstream"))
	return n
}

// bytes writes the whole file.
func (p *pdf) bytes() []byte {
	b := &body{}
	catalog, pagesNum := b.reserve(), b.reserve()
	var fonts []string
	for k, f := range p.fonts {
		fonts = append(fonts, fmt.Sprintf("/F%d %d 0 R", k, f.write(b)))
	}
	var kids []string
	pageNums := make([]int, len(p.pages))
	for i, pg := range p.pages {
		content := b.stream("", pg.b.Bytes(), false)
		pageNums[i] = b.add("<</Type /Page /Parent %d 0 R /MediaBox [0 0 595 842] /Contents %d 0 R /Resources <</Font <<%s>>>> /StructParents %d /Tabs /S>>",
			pagesNum, content, strings.Join(fonts, " "), i)
		kids = append(kids, fmt.Sprintf("%d 0 R", pageNums[i]))
	}
	b.set(pagesNum, "<</Type /Pages /Kids [%s] /Count %d>>", strings.Join(kids, " "), len(kids))

	tree := b.reserve()
	p.root.reserve(b)
	p.root.write(b, tree, pageNums)
	var parents strings.Builder
	for i, pg := range p.pages {
		fmt.Fprintf(&parents, "%d [", i)
		for _, t := range pg.marked {
			fmt.Fprintf(&parents, "%d 0 R ", t.num)
		}
		parents.WriteString("] ")
	}
	b.set(tree, "<</Type /StructTreeRoot /K [%d 0 R] /ParentTree <</Nums [%s]>> /ParentTreeNextKey %d>>", p.root.num, parents.String(), len(p.pages))

	var title bytes.Buffer
	xml.EscapeText(&title, []byte(p.title))
	meta := b.stream(" /Type /Metadata /Subtype /XML", []byte(`<?xpacket begin="`+"\ufeff"+`" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/"><dc:title><rdf:Alt><rdf:li xml:lang="x-default">`+title.String()+`</rdf:li></rdf:Alt></dc:title><dc:language><rdf:Bag><rdf:li>`+p.lang+`</rdf:li></rdf:Bag></dc:language><pdfuaid:part>1</pdfuaid:part></rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>`), true)
	b.set(catalog, "<</Type /Catalog /Pages %d 0 R /StructTreeRoot %d 0 R /MarkInfo <</Marked true>> /Lang (%s) /Metadata %d 0 R /ViewerPreferences <</DisplayDocTitle true>>>>",
		pagesNum, tree, p.lang, meta)
	info := b.add("<</Title %s /Producer (Rempart)>>", text16(p.title))

	var out bytes.Buffer
	out.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	at := make([]int, len(b.objects))
	for i, o := range b.objects {
		at[i] = out.Len()
		fmt.Fprintf(&out, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	sum := sha256.Sum256(out.Bytes())
	id := hex.EncodeToString(sum[:16])
	xref := out.Len()
	fmt.Fprintf(&out, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, n := range at {
		fmt.Fprintf(&out, "%010d 00000 n \n", n)
	}
	fmt.Fprintf(&out, "trailer\n<</Size %d /Root %d 0 R /Info %d 0 R /ID [<%s> <%s>]>>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, catalog, info, id, id, xref)
	return out.Bytes()
}

func (t *tag) reserve(b *body) {
	t.num = b.reserve()
	for _, k := range t.kids {
		if c, ok := k.(*tag); ok {
			c.reserve(b)
		}
	}
}

func (t *tag) write(b *body, parent int, pages []int) {
	var kids strings.Builder
	for _, k := range t.kids {
		switch k := k.(type) {
		case *tag:
			fmt.Fprintf(&kids, "%d 0 R ", k.num)
			k.write(b, t.num, pages)
		case mark:
			fmt.Fprintf(&kids, "<</Type /MCR /Pg %d 0 R /MCID %d>> ", pages[k.page], k.id)
		}
	}
	more := ""
	if t.alt != "" {
		more += " /Alt " + text16(t.alt)
	}
	if t.scope != "" {
		more += " /A <</O /Table /Scope /" + t.scope + ">>"
	}
	b.set(t.num, "<</Type /StructElem /S /%s /P %d 0 R /K [%s]%s>>", t.kind, parent, kids.String(), more)
}

// write adds a font with the widths and characters of the glyphs that were used.
func (f *face) write(b *body) int {
	file := b.stream(fmt.Sprintf(" /Length1 %d", len(f.file)), f.file, false)
	m, err := f.font.Metrics(&f.buf, fixed.I(1000), font.HintingNone)
	if err != nil {
		m = font.Metrics{Ascent: fixed.I(900), Descent: fixed.I(200), CapHeight: fixed.I(700)}
	}
	desc := b.add("<</Type /FontDescriptor /FontName /%s /Flags 32 /FontBBox [-200 -250 1200 1000] /ItalicAngle 0 /Ascent %d /Descent %d /CapHeight %d /StemV 80 /FontFile2 %d 0 R>>",
		f.name, m.Ascent.Round(), -m.Descent.Round(), m.CapHeight.Round(), file)
	var widths, chars strings.Builder
	glyphs := slices.Sorted(maps.Keys(f.used))
	for _, g := range glyphs {
		fmt.Fprintf(&widths, "%d [%.1f] ", g, float64(f.advance(g))/64)
	}
	for len(glyphs) > 0 {
		part := glyphs[:min(100, len(glyphs))]
		glyphs = glyphs[len(part):]
		fmt.Fprintf(&chars, "%d beginbfchar\n", len(part))
		for _, g := range part {
			fmt.Fprintf(&chars, "<%04X> <%s>\n", uint16(g), utf16hex(string(f.used[g])))
		}
		chars.WriteString("endbfchar\n")
	}
	cid := b.add("<</Type /Font /Subtype /CIDFontType2 /BaseFont /%s /CIDSystemInfo <</Registry (Adobe) /Ordering (Identity) /Supplement 0>> /FontDescriptor %d 0 R /CIDToGIDMap /Identity /W [%s]>>", f.name, desc, widths.String())
	uni := b.stream("", []byte("/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n/CIDSystemInfo <</Registry (Adobe) /Ordering (UCS) /Supplement 0>> def\n/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n"+chars.String()+"endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n"), false)
	return b.add("<</Type /Font /Subtype /Type0 /BaseFont /%s /Encoding /Identity-H /DescendantFonts [%d 0 R] /ToUnicode %d 0 R>>", f.name, cid, uni)
}

func utf16hex(s string) string {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(s)) {
		fmt.Fprintf(&b, "%04X", u)
	}
	return b.String()
}

// text16 writes a text string of PDF.
func text16(s string) string { return "<FEFF" + utf16hex(s) + ">" }
