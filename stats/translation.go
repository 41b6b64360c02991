package stats

import (
	"cmp"
	"maps"
)

// Texts are the texts of a protocol in another language. They are sealed with the
// protocol; where they differ from it, the protocol counts.
type Texts struct {
	Title       string            `json:"title,omitempty"`
	Service     string            `json:"service,omitempty"`
	Frame       string            `json:"frame,omitempty"`
	Rule        string            `json:"rule,omitempty"`
	Definitions map[string]string `json:"definitions,omitempty"`
	StopRule    string            `json:"stop_rule,omitempty"`
	Ethics      string            `json:"ethics,omitempty"`
	Source      string            `json:"source,omitempty"`
}

// In returns the protocol to be read in a language: with its texts where it is
// translated, and in that language then; what is not translated stays as it is.
// It is for readers: its digest is another one.
func (p Protocol) In(lang string) Protocol {
	t, ok := p.Translations[lang]
	if !ok {
		return p
	}
	p.Lang = lang
	p.Title = cmp.Or(t.Title, p.Title)
	p.Service = cmp.Or(t.Service, p.Service)
	p.Frame = cmp.Or(t.Frame, p.Frame)
	p.Rule = cmp.Or(t.Rule, p.Rule)
	p.StopRule = cmp.Or(t.StopRule, p.StopRule)
	p.Ethics = cmp.Or(t.Ethics, p.Ethics)
	p.Source = cmp.Or(t.Source, p.Source)
	p.Definitions = maps.Clone(p.Definitions)
	maps.Copy(p.Definitions, t.Definitions)
	return p
}
