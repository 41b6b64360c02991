package law

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"rempart"
)

// check returns the first thing that makes the pack unfit to be used.
func (p *Pack) check() error {
	if !versionPattern.MatchString(p.Version) {
		return fmt.Errorf("%q is not a version", p.Version)
	}
	if len(p.Country) != 2 || p.Country != strings.ToUpper(p.Country) || !strings.HasPrefix(p.Version, strings.ToLower(p.Country)) {
		return fmt.Errorf("country %q is not that of version %s", p.Country, p.Version)
	}
	if err := checkDate(p.TextDate); err != nil {
		return fmt.Errorf("text_date: %w", err)
	}
	for _, t := range []rempart.Text{p.Nothing, p.Earlier.Created, p.Earlier.Amended} {
		if err := checkText(t); err != nil {
			return fmt.Errorf("nothing and earlier: %w", err)
		}
	}
	for fact, words := range p.Words {
		for w, t := range words {
			if err := checkText(t); err != nil {
				return fmt.Errorf("words of %s, %s: %w", fact, w, err)
			}
			if err := (Condition{Fact: fact, In: []string{w}}).check(p.Words, false); err != nil {
				return fmt.Errorf("words: %w", err)
			}
		}
	}
	if len(p.OffenceList) == 0 {
		return errors.New("no offences")
	}
	seen := map[string]bool{}
	for _, o := range p.OffenceList {
		if seen[o.ID] {
			return fmt.Errorf("offence %s is there twice", o.ID)
		}
		seen[o.ID] = true
		if err := p.checkOffence(o); err != nil {
			return fmt.Errorf("offence %s: %w", o.ID, err)
		}
	}
	for _, n := range p.Uncovered {
		if err := p.checkNotCovered(n); err != nil {
			return fmt.Errorf("not covered %s: %w", n.ID, err)
		}
	}
	return nil
}

func (p *Pack) checkOffence(o Offence) error {
	if !strings.HasPrefix(o.ID, strings.ToLower(p.Country)+"-") || o.Code == "" || o.Article == "" {
		return errors.New("it needs an id of its country, a code and an article")
	}
	for _, t := range []rempart.Text{o.Label, o.Covers} {
		if err := checkText(t); err != nil {
			return fmt.Errorf("label and covers: %w", err)
		}
	}
	if !slices.Contains([]string{"explicit", "covered", "no"}, o.AI) {
		return fmt.Errorf("ai: %q is not explicit, covered or no", o.AI)
	}
	if !slices.Contains([]string{"any", "minor"}, o.Victim) {
		return fmt.Errorf("victim: %q is not any or minor", o.Victim)
	}
	if err := checkSource(o.Source); err != nil {
		return err
	}
	if err := checkDate(o.TextDate); err != nil {
		return fmt.Errorf("text_date: %w", err)
	}
	if o.TextDate > p.TextDate {
		return fmt.Errorf("text_date %s is after that of the pack", o.TextDate)
	}
	if err := o.InForce.check(); err != nil {
		return fmt.Errorf("in_force: %w", err)
	}
	if err := o.When.check(p.Words, true); err != nil {
		return fmt.Errorf("when: %w", err)
	}
	for _, c := range slices.Concat(o.Circumstances, o.Also) {
		if err := c.When.check(p.Words, true); err != nil {
			return fmt.Errorf("circumstance: %w", err)
		}
	}
	for _, d := range o.Doubts {
		if err := errors.Join(d.When.check(p.Words, false), checkText(d.Text)); err != nil {
			return fmt.Errorf("doubt: %w", err)
		}
	}
	if len(o.Forms) == 0 {
		return errors.New("no forms")
	}
	for _, form := range o.Forms {
		if err := form.check(p.Words, len(o.Circumstances)); err != nil {
			return fmt.Errorf("form %s: %w", form.Paragraph, err)
		}
	}
	return p.checkExamples(o)
}

func (i InForce) check() error {
	if i.Unverified {
		if i.From != "" || i.How != "" {
			return errors.New("it is either unverified or has a date")
		}
		return nil
	}
	if i.How != "created" && i.How != "amended" {
		return fmt.Errorf("how: %q is not created or amended", i.How)
	}
	return errors.Join(checkDate(i.From), checkSource(i.Source))
}

func (form Form) check(v Vocabulary, circumstances int) error {
	if form.When != nil {
		if err := form.When.check(v, true); err != nil {
			return err
		}
	}
	if len(form.Penalties) == 0 || form.Penalties[0].Circumstances != 0 {
		return errors.New("no base penalty")
	}
	for i, pen := range form.Penalties {
		if pen.PrisonYears < 1 || pen.FineEUR < 1 {
			return fmt.Errorf("penalty %d has no years or no fine", i)
		}
		if pen.Circumstances > circumstances {
			return fmt.Errorf("penalty %d needs more circumstances than there are", i)
		}
		if i > 0 && pen.Circumstances <= form.Penalties[i-1].Circumstances {
			return fmt.Errorf("penalty %d is not in order", i)
		}
	}
	return nil
}

// checkExamples works each example and wants at least one that is proposed.
func (p *Pack) checkExamples(o Offence) error {
	proposed := 0
	for _, ex := range o.Examples {
		if err := ex.Facts.Check(); err != nil {
			return fmt.Errorf("example %q: %w", ex.Name, err)
		}
		if err := p.work(o, ex); err != nil {
			return fmt.Errorf("example %q: %w", ex.Name, err)
		}
		if ex.Expect != nil {
			proposed++
		}
	}
	if proposed == 0 {
		return errors.New("no example shows it proposed")
	}
	return nil
}

// work tells how far the outcome of ex is from what it expects.
func (p *Pack) work(o Offence, ex Example) error {
	f := ex.Facts
	f.Fill()
	day := dayOf(f, p.TextDate)
	q, doubts, ok := p.propose(o, f, day)
	ok = ok && !o.InForce.absent(day)
	if ok != (ex.Expect != nil) {
		return fmt.Errorf("proposed is %t", ok)
	}
	if !ok {
		return nil
	}
	got := Expect{q.Paragraph, q.PrisonYears, q.FineEUR, len(doubts)}
	if got != *ex.Expect {
		return fmt.Errorf("yields %+v, not %+v", got, *ex.Expect)
	}
	return nil
}

func (p *Pack) checkNotCovered(n NotCovered) error {
	f := n.Example
	if err := errors.Join(n.When.check(p.Words, false), checkText(n.Text), checkSource(n.Source), f.Check()); err != nil {
		return err
	}
	f.Fill()
	if ok, _ := n.When.holds(f, p.Words); !ok {
		return errors.New("its example does not meet it")
	}
	return nil
}

func checkText(t rempart.Text) error {
	if strings.TrimSpace(t.FR) == "" || strings.TrimSpace(t.EN) == "" {
		return errors.New("a sentence is missing in one of the languages")
	}
	if strings.Contains(t.FR+t.EN, "[U]") {
		return errors.New("a sentence says that it is not sourced")
	}
	return nil
}

func checkSource(s string) error {
	if strings.TrimSpace(s) == "" {
		return errors.New("no source")
	}
	if strings.Contains(s, "[U]") {
		return errors.New("the source says that it is none")
	}
	return nil
}

func checkDate(s string) error {
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		return fmt.Errorf("%q is not a date such as 2026-04-02", s)
	}
	return nil
}
