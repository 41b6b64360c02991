package rempart

import (
	"slices"
	"strings"
	"testing"
)

func TestTemplates(t *testing.T) {
	d := DefaultTemplates()
	if len(d.List) == 0 {
		t.Fatal("no default template")
	}
	for _, x := range d.List { // each passes the rules for those that staff write
		if _, err := d.With(x); err != nil {
			t.Errorf("%s: %v", x.ID, err)
		}
	}
	good := Template{"x", Text{"Un", "One"}, Text{"Bonjour {services}.", "Hello {services}."}}
	for name, x := range map[string]struct {
		change func(*Template)
		field  string
	}{
		"no title":      {func(n *Template) { n.Title.FR = "  " }, "title_fr"},
		"long body":     {func(n *Template) { n.Body.EN = strings.Repeat("a", maxTemplateBody+1) }, "body_en"},
		"unknown name":  {func(n *Template) { n.Body.FR = "{address}" }, "body_fr"},
		"name in title": {func(n *Template) { n.Title.EN = "To {services}" }, "title_en"},
	} {
		n := good
		x.change(&n)
		_, err := d.With(n)
		p, ok := err.(Problems)
		if !ok || len(p) != 1 || p[0].Field != x.field {
			t.Errorf("%s: %v", name, err)
		}
	}
	more, err := d.With(good)
	if err != nil || more.Get("x") == nil || d.Get("x") != nil {
		t.Errorf("added: %v", err)
	}
	if less := more.Without("x"); less.Get("x") != nil || more.Get("x") == nil {
		t.Error("removed from the wrong one")
	}

	text, lacking := Fill("{services} et {services}, {removed}, {", map[string]string{"services": "Forum {services}"})
	if text != "Forum {services} et Forum {services}, {removed}, {" || !slices.Equal(lacking, []string{"removed"}) {
		t.Errorf("filled: %q, lacking %v", text, lacking)
	}
}
