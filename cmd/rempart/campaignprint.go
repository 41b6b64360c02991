package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"rempart"
	"rempart/stats"
)

// cardTexts are the lines of a card, by what they say.
var cardTexts = map[string]rempart.Text{
	"all":       {FR: "tous les éléments qui ont l’étiquette", EN: "all items with the label"},
	"among":     {FR: "%s parmi %s", EN: "%s among %s"},
	"share":     {FR: "%d sur %d : %s, de %s à %s (intervalle à %.0f %%, %s)", EN: "%d of %d: %s, from %s to %s (%.0f %% interval, %s)"},
	"corrected": {FR: "corrigé des erreurs de la méthode : %s, de %s à %s (%s)", EN: "corrected for the method's errors: %s, from %s to %s (%s)"},
	"total":     {FR: "dans une population de %d : %.0f, de %.0f à %.0f", EN: "of a population of %d: %.0f, from %.0f to %.0f"},
	"surface":   {FR: "sur %s : %d sur %d, soit %s, de %s à %s (%s)", EN: "on %s: %d of %d: %s, from %s to %s (%s)"},
	"collected": {FR: "collecté du %s au %s", EN: "collected from %s to %s"},
	"kappa":     {FR: "accord : kappa de %s %s, éléments annotés deux fois ou plus : %d", EN: "agreement: %s's kappa %s on %d items labelled by two or more"},
	"alpha":     {FR: "accord : alpha de Krippendorff %s, éléments annotés deux fois ou plus : %d", EN: "agreement: Krippendorff's alpha %s on %d items labelled by two or more"},
	"note":      {FR: "à savoir : %s", EN: "note: %s"},
}

// printCard writes a card for a reader, in "en" or "fr".
func printCard(w io.Writer, c stats.Card, lang string) error {
	var b strings.Builder
	line := func(text string, a ...any) { fmt.Fprintf(&b, cardTexts[text].In(lang)+"\n", a...) }
	number := func(x float64, digits int) string {
		s := strconv.FormatFloat(x, 'f', digits, 64)
		if lang == "fr" {
			s = strings.Replace(s, ".", ",", 1)
		}
		return s
	}
	p := func(share float64) string { return number(100*share, 2) + " %" }
	c = c.In(lang)
	of := cardTexts["all"].In(lang)
	if c.Definition.Among != "" {
		of = c.Definition.Among
	}
	line("among", c.Definition.Positive, of)
	line("share", c.Numerator, c.Denominator, p(c.Estimate), p(c.Interval[0]), p(c.Interval[1]), 100*c.Level, c.Method)
	if k := c.Corrected; k != nil {
		line("corrected", p(k.Estimate), p(k.Interval[0]), p(k.Interval[1]), k.Method)
	}
	if t := c.Total; t != nil {
		line("total", t.Population, t.Estimate, t.Interval[0], t.Interval[1])
	}
	for _, s := range c.Surfaces {
		line("surface", s.Surface, s.Numerator, s.Denominator, p(s.Estimate), p(s.Interval[0]), p(s.Interval[1]), s.Method)
	}
	if c.Period != nil {
		line("collected", c.Period.From.Format("2006-01-02"), c.Period.Until.Format("2006-01-02"))
	}
	if a := c.Agreement; a.Kappa != nil {
		line("kappa", a.KappaMethod, number(*a.Kappa, 3), a.DoublyLabelled)
	} else if a.Alpha != nil {
		line("alpha", number(*a.Alpha, 3), a.DoublyLabelled)
	}
	for _, warning := range c.Warnings {
		line("note", warning)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
