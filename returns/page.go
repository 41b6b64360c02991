package returns

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"sync"
)

//go:embed page.html
var pageHTML string

var page = sync.OnceValue(func() *template.Template { return template.Must(template.New("return").Parse(pageHTML)) })

// Percent is how long a bar is drawn, in hundredths of the place that there is:
// all bars of a chart begin at 0, and the longest leaves room for its number.
func (c *chart) Percent(b bar) int {
	most := 0
	for _, x := range c.Bars {
		if !x.Hidden {
			most = max(most, x.N)
		}
	}
	if b.Hidden || most == 0 {
		return 0
	}
	return b.N * 85 / most
}

// Value is the number beside a bar.
func (d document) Value(b bar) string {
	if b.Hidden {
		return (&writer{d}).say("masqué", "hidden")
	}
	return number(b.N, d.Lang)
}

// html writes the document as one page that needs nothing beside it.
func (d document) html() ([]byte, error) {
	var b bytes.Buffer
	if err := page().Execute(&b, d); err != nil {
		return nil, fmt.Errorf("writing the page %q: %w", d.Title, err)
	}
	return b.Bytes(), nil
}
