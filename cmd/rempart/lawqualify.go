package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"rempart"
	"rempart/law"
)

// lawQualifyCmd qualifies facts that it reads.
type lawQualifyCmd struct {
	JSON bool   `name:"json" help:"One JSON object."`
	Lang string `help:"Language of the sentences: en or fr." enum:"en,fr" default:"en"`
	Pack string `help:"Version of the pack to qualify with; the newest French one otherwise." placeholder:"fr-2026-04-02.3"`
}

// Help says what is read and what is answered.
func (lawQualifyCmd) Help() string {
	var b strings.Builder
	b.WriteString("Reads one JSON object of facts from the standard input. Leave out what nobody has said: it is asked for, never taken as denied. The facts, with their words:\n\n")
	for _, name := range slices.Sorted(maps.Keys(rempart.FactValues)) {
		fmt.Fprintf(&b, "%s: %s\n\n", name, strings.Join(rempart.FactValues[name], ", "))
	}
	b.WriteString("date: of the acts, such as 2026-11-20; today otherwise. It decides which text is in force.\n\nThe answer is indicative and is no legal advice: a person who knows the law decides.")
	return b.String()
}

// A qualified object is what is answered.
type qualified struct {
	Qualifications []qualifiedLine   `json:"qualifications"`
	Missing        []qualifiedAsking `json:"missing"`
	NotCovered     []string          `json:"not_covered"`
	Pack           string            `json:"pack"`
}

type qualifiedLine struct {
	Article           string   `json:"article"`
	Paragraph         string   `json:"paragraph"`
	PrisonYears       float64  `json:"prison_years"`
	FineEUR           int      `json:"fine_eur"`
	ComplaintRequired bool     `json:"complaint_required"`
	Because           []string `json:"because"`
	Source            string   `json:"source"`
	Verified          bool     `json:"verified"`
}

type qualifiedAsking struct {
	Fact        string   `json:"fact"`
	Question    string   `json:"question"`
	WouldDecide []string `json:"would_decide"`
}

// Run answers for one object of facts.
func (c *lawQualifyCmd) Run(s streams) error {
	p := law.France()
	if c.Pack != "" {
		var err error
		if p, err = law.Version(c.Pack); err != nil {
			return hinted{err, "rempart law check lists the versions"}
		}
	}
	f, err := readFacts(s.in)
	if err != nil {
		return hinted{err, "rempart law qualify --help lists the facts and their words"}
	}
	today := time.Now().Format(time.DateOnly)
	if f.Date > today {
		fmt.Fprintf(s.err, "rempart: note: the date %s is to come; the text is that of %s\n", f.Date, p.TextDate)
	}
	r := p.Qualify(f, today)
	if c.JSON {
		enc := json.NewEncoder(s.out)
		enc.SetEscapeHTML(false)
		return enc.Encode(answerOf(r, c.Lang))
	}
	return printQualified(s.out, r, c.Lang)
}

// maxFacts is the most bytes that an object of facts may have.
const maxFacts = 1 << 16

// readFacts reads one JSON object of facts. Its error names the fact or the word
// that it does not know.
func readFacts(r io.Reader) (rempart.Facts, error) {
	var f rempart.Facts
	b, err := io.ReadAll(io.LimitReader(r, maxFacts+1))
	if err != nil {
		return f, fmt.Errorf("reading the facts: %w", err)
	}
	if len(b) > maxFacts {
		return f, fmt.Errorf("the facts have more than %d bytes", maxFacts)
	}
	given, err := members(b)
	if err != nil {
		return f, err
	}
	var wrong []string
	for _, m := range given {
		if err := setFact(&f, m.name, m.value); err != nil {
			wrong = append(wrong, err.Error())
		}
	}
	if len(wrong) > 0 {
		return f, errors.New(strings.Join(wrong, "; "))
	}
	return f, nil
}

// A member is one name of a JSON object with its value.
type member struct {
	name  string
	value json.RawMessage
}

// members returns the members of one JSON object, in order. A name that is there
// twice is an error: which of the two holds would be a guess.
func members(b []byte) ([]member, error) {
	d := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))))
	start, err := d.Token()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("no facts were given")
	}
	if err != nil {
		return nil, fmt.Errorf("the facts are not JSON: %w", err)
	}
	if start != json.Delim('{') {
		return nil, errors.New("the facts are one JSON object, such as {\"sexual\": \"intimate\"}")
	}
	var out []member
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("the facts are not JSON: %w", err)
		}
		m := member{name: token.(string)} // a member of an object begins with its name
		if err := d.Decode(&m.value); err != nil {
			return nil, fmt.Errorf("the facts are not JSON at %q: %w", m.name, err)
		}
		if slices.ContainsFunc(out, func(o member) bool { return o.name == m.name }) {
			return nil, fmt.Errorf("the fact %q is there twice", m.name)
		}
		out = append(out, m)
	}
	if _, err := d.Token(); err != nil {
		return nil, fmt.Errorf("the facts are not JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the JSON object of facts")
	}
	return out, nil
}

// setFact sets one fact from its JSON value.
func setFact(f *rempart.Facts, name string, value json.RawMessage) error {
	words, ok := rempart.FactValues[name]
	if !ok && name != "date" {
		return fmt.Errorf("unknown fact %q; the facts are %s and date", name, strings.Join(slices.Sorted(maps.Keys(rempart.FactValues)), ", "))
	}
	var word string
	if slices.Equal(words, []string{"true", "false"}) {
		if word = string(value); !slices.Contains(words, word) {
			return fmt.Errorf("unknown value %s of the fact %q; its values are %s", value, name, strings.Join(words, ", "))
		}
	} else if err := json.Unmarshal(value, &word); err != nil || string(value) == "null" {
		accepted := "it is a day such as \"2026-11-20\""
		if ok {
			accepted = "its values are " + strings.Join(words, ", ")
		}
		return fmt.Errorf("unknown value %s of the fact %q; %s", value, name, accepted)
	}
	if name == "date" {
		if _, err := time.Parse(time.DateOnly, word); err != nil {
			return fmt.Errorf("unknown value %q of the fact \"date\"; it is a day such as 2026-11-20", word)
		}
		f.Date = word
		return nil
	}
	if !slices.Contains(words, word) {
		return fmt.Errorf("unknown value %q of the fact %q; its values are %s", word, name, strings.Join(words, ", "))
	}
	f.Say(name, word)
	return nil
}

// answerOf puts a result in the shape that is documented. No list is null.
func answerOf(r law.Result, lang string) qualified {
	out := qualified{Qualifications: []qualifiedLine{}, Missing: []qualifiedAsking{}, NotCovered: inLang(r.NotCovered, lang), Pack: r.Pack}
	for _, q := range r.Qualifications {
		out.Qualifications = append(out.Qualifications, qualifiedLine{
			Article: q.Article, Paragraph: q.Paragraph, PrisonYears: q.PrisonYears, FineEUR: q.FineEUR, ComplaintRequired: q.ComplaintRequired,
			Because: inLang(q.Because, lang), Source: sourceOf(q, lang), Verified: q.Verified,
		})
	}
	for _, m := range r.Missing {
		out.Missing = append(out.Missing, qualifiedAsking{m.Fact, m.Ask.In(lang), m.Decides})
	}
	return out
}

// sourceOf names the text and the day it was read.
func sourceOf(q rempart.Qualification, lang string) string {
	if lang == "fr" {
		return q.Source + ", texte du " + q.TextDate
	}
	return q.Source + ", text of " + q.TextDate
}

func inLang(texts []rempart.Text, lang string) []string {
	out := make([]string, 0, len(texts))
	for _, t := range texts {
		out = append(out, t.In(lang))
	}
	return out
}

// printQualified prints a result for a person to read.
func printQualified(w io.Writer, r law.Result, lang string) error {
	fmt.Fprintf(w, "law pack %s: indicative, not legal advice\n", r.Pack)
	for _, q := range r.Qualifications {
		fmt.Fprintf(w, "\n%s, art. %s", q.Code, q.Article)
		if q.Paragraph != "" {
			fmt.Fprintf(w, ", %s", q.Paragraph)
		}
		fmt.Fprintf(w, ": %s\n  %s; confidence %s", q.Label.In(lang), law.PenaltyOf(q).In(lang), q.Confidence)
		if q.ComplaintRequired {
			fmt.Fprint(w, "; a complaint is required")
		}
		fmt.Fprintln(w)
		for _, b := range q.Because {
			fmt.Fprintf(w, "  - %s\n", b.In(lang))
		}
		fmt.Fprintf(w, "  %s", sourceOf(q, lang))
		if !q.Verified {
			fmt.Fprint(w, "; not verified for these acts")
		}
		fmt.Fprintln(w)
	}
	if len(r.Missing) > 0 {
		fmt.Fprintln(w, "\nmissing")
	}
	for _, m := range r.Missing {
		fmt.Fprintf(w, "  %s: %s (art. %s)\n", m.Fact, m.Ask.In(lang), strings.Join(m.Decides, ", "))
	}
	if len(r.NotCovered) > 0 {
		fmt.Fprintln(w, "\nnot covered")
	}
	for _, n := range r.NotCovered {
		fmt.Fprintf(w, "  - %s\n", n.In(lang))
	}
	return nil
}
