package mail

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// htmlText reduces HTML to its text: no picture, no style, nothing that is loaded.
// Where a link leads is written behind it, as text.
func htmlText(s string) string {
	z := html.NewTokenizer(strings.NewReader(s))
	var b strings.Builder
	skip, href, from := 0, "", 0
	line := func() {
		if t := b.String(); t != "" && !strings.HasSuffix(t, "\n\n") {
			b.WriteByte('\n')
		}
	}
	for {
		switch kind := z.Next(); kind {
		case html.ErrorToken:
			return tidy(b.String())
		case html.TextToken:
			if skip == 0 {
				b.WriteString(strings.NewReplacer("\n", " ", "\r", " ", "\t", " ").Replace(string(z.Text())))
			}
		case html.StartTagToken, html.EndTagToken, html.SelfClosingTagToken:
			name, more := z.TagName()
			switch atom.Lookup(name) {
			case atom.Script, atom.Style, atom.Head, atom.Title, atom.Template, atom.Noscript, atom.Svg:
				if kind == html.StartTagToken {
					skip++
				} else if kind == html.EndTagToken && skip > 0 {
					skip--
				}
			case atom.Body: // a head that never ended
				skip = 0
			case atom.Br, atom.Li, atom.Tr, atom.Dt, atom.Dd:
				if kind != html.EndTagToken {
					line()
				}
			case atom.P, atom.Div, atom.Table, atom.Ul, atom.Ol, atom.H1, atom.H2, atom.H3, atom.H4, atom.Blockquote, atom.Pre, atom.Hr:
				line()
			case atom.Td, atom.Th:
				b.WriteByte(' ')
			case atom.A:
				if kind == html.StartTagToken {
					href, from = "", b.Len()
					for more {
						var k, v []byte
						if k, v, more = z.TagAttr(); string(k) == "href" {
							href = strings.TrimSpace(string(v))
						}
					}
				} else if to := href; to != "" {
					href = "" // what is shown is looked at once for each link, however often it ends
					if shown := strings.TrimSpace(b.String()[min(from, b.Len()):]); shown != to && !strings.HasPrefix(to, "#") && len(to) <= 2000 {
						b.WriteString(" <" + to + ">")
					}
				}
			}
		}
	}
}

// tidy has one space where there were several, and one empty line.
func tidy(s string) string {
	var out []string
	for l := range strings.SplitSeq(s, "\n") {
		l = strings.Join(strings.FieldsFunc(l, func(r rune) bool { return r == ' ' }), " ")
		if l == "" && (len(out) == 0 || out[len(out)-1] == "") {
			continue
		}
		out = append(out, l)
	}
	return strings.TrimSpace(strings.Join(out, "\n"))
}
