package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // dates are those of Paris wherever the server runs

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

// langs are the languages of the pages, the first one for whoever asks for none
// of them.
var langs = []string{"fr", "en"}

var matcher = language.NewMatcher([]language.Tag{language.French, language.English})

// catalogues are the sentences, by language and key, from i18n/*.<lang>.json:
// flat objects whose values are texts with the verbs of package fmt.
type catalogues map[string]map[string]string

func loadCatalogues(files fs.FS) (catalogues, error) {
	c := catalogues{}
	for _, lang := range langs {
		names, err := fs.Glob(files, "i18n/*."+lang+".json")
		if err != nil {
			return nil, err
		}
		if len(names) == 0 {
			return nil, errors.New("no catalogue for " + lang)
		}
		c[lang] = map[string]string{}
		for _, name := range names {
			b, err := fs.ReadFile(files, name)
			if err != nil {
				return nil, err
			}
			var m map[string]string
			if err := json.Unmarshal(b, &m); err != nil {
				return nil, fmt.Errorf("%s: %w", path.Base(name), err)
			}
			for key, sentence := range m {
				if _, twice := c[lang][key]; twice {
					return nil, fmt.Errorf("%s: %q is in another catalogue too", path.Base(name), key)
				}
				c[lang][key] = sentence
			}
		}
	}
	return c, nil
}

// lang is the language of the answer to r: the one of the switch, else the one
// the browser asks for, else French.
func (s *Server) lang(r *http.Request) string {
	if l, ok := chosenLang(r); ok {
		return l
	}
	tags, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err != nil || len(tags) == 0 {
		return langs[0]
	}
	_, i, _ := matcher.Match(tags...)
	return langs[i]
}

func chosenLang(r *http.Request) (string, bool) {
	l := r.URL.Query().Get("lang")
	return l, l == "fr" || l == "en"
}

// T returns the sentence of the catalogue with its verbs filled. A sentence
// without verbs takes any arguments. Whole numbers are written as the language
// writes them.
func (p page) T(key string, args ...any) string {
	if p.pages == nil {
		return key
	}
	sentence, ok := p.pages.sentence(p.Lang, key)
	if !ok || !strings.Contains(sentence, "%") {
		return sentence
	}
	args = slices.Clone(args)
	for i, a := range args {
		if n, ok := a.(int); ok {
			args[i] = number{n, p.Lang}
		}
	}
	return fmt.Sprintf(sentence, args...)
}

// N returns the sentence key+".one" or key+".other", as the language counts n:
// in French 0 and 1 are singular. n is the sentence's first argument.
func (p page) N(key string, n int, args ...any) string {
	form := ".other"
	if plural.Cardinal.MatchPlural(language.Make(p.Lang), n, 0, 0, 0, 0) == plural.One {
		form = ".one"
	}
	return p.T(key+form, append([]any{n}, args...)...)
}

// number writes a whole number with its thousands apart.
type number struct {
	n    int
	lang string
}

func (n number) Format(f fmt.State, _ rune) {
	s := strconv.Itoa(n.n)
	apart := ","
	if n.lang == "fr" {
		apart = "\u202f"
	}
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + apart + s[i:]
	}
	f.Write([]byte(s))
}

var paris = func() *time.Location {
	l, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		panic("web: time zone of Paris: " + err.Error())
	}
	return l
}()

var months = []string{"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"}

// Date returns the day in Paris: 22 novembre 2026, 22 November 2026; "" for no
// time.
func (p page) Date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	t = t.In(paris)
	if p.Lang == "en" {
		return t.Format("2\u00a0January\u00a02006")
	}
	day := strconv.Itoa(t.Day())
	if t.Day() == 1 {
		day = "1er"
	}
	return day + "\u00a0" + months[t.Month()-1] + "\u00a0" + strconv.Itoa(t.Year())
}

// Percent returns 92.8%, or 92,8 % in French.
func (p page) Percent(n float64) string {
	s := strconv.FormatFloat(n, 'f', -1, 64)
	if p.Lang == "en" {
		return s + "%"
	}
	return strings.ReplaceAll(s, ".", ",") + "\u00a0%"
}

// DateTime returns the day and minute in Paris: 22 novembre 2026 à 9 h 05,
// 22 November 2026 at 09:05; "" for no time.
func (p page) DateTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	if p.Lang == "en" {
		return p.Date(t) + " at\u00a0" + t.In(paris).Format("15:04")
	}
	t = t.In(paris)
	return p.Date(t) + fmt.Sprintf(" à\u00a0%d\u00a0h\u00a0%02d", t.Hour(), t.Minute())
}
