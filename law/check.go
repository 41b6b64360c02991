package law

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"rempart"
)

// check returns what makes the pack unfit to be used: every rule at fault, by
// its name, with the first thing that is wrong with it.
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
	if err := p.Words.check(); err != nil {
		return err
	}
	if err := p.checkSentences(); err != nil {
		return err
	}
	var errs []error
	seen := map[string]bool{}
	rule := func(kind, id string, err error) {
		if seen[kind+id] {
			err = errors.New("is there twice")
		}
		seen[kind+id] = true
		if err != nil {
			errs = append(errs, fmt.Errorf("%s %s: %w", kind, id, err))
		}
	}
	for _, o := range p.OffenceList {
		rule("offence", o.ID, p.checkOffence(o))
	}
	for _, n := range p.Uncovered {
		rule("not covered", n.ID, p.checkNotCovered(n))
	}
	for _, q := range p.Questions {
		rule("question", q.Fact, p.checkQuestion(q))
	}
	for _, i := range p.Information {
		rule("information", i.ID, i.check())
	}
	for _, c := range p.ClockList {
		rule("clock", c.ID, c.check())
	}
	for k, c := range p.CategoryList {
		rule("category", fmt.Sprintf("%s (%d)", c.Code, k+1), p.checkCategory(c))
	}
	if len(seen) == 0 {
		return errors.New("no rules")
	}
	return errors.Join(errs...)
}

// checkSentences wants the sentences of the pack as a whole, where it has rules
// that need them.
func (p *Pack) checkSentences() error {
	if len(p.OffenceList) == 0 {
		return nil
	}
	all := []rempart.Text{p.Nothing, p.Earlier.Created, p.Earlier.Amended}
	if !p.filled {
		all = append(all, p.Name, p.Earlier.Part, p.Earlier.Doubtful)
	}
	for _, t := range all {
		if err := checkText(t); err != nil {
			return fmt.Errorf("name, nothing and earlier: %w", err)
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
	if !slices.Contains([]string{"explicit", "covered", "no", "n/a"}, o.AI) {
		return fmt.Errorf("ai: %q is not explicit, covered, no or n/a", o.AI)
	}
	if !slices.Contains([]string{"any", "minor", "under_15", "pupil", "public"}, o.Victim) {
		return fmt.Errorf("victim: %q is not any, minor, under_15, pupil or public", o.Victim)
	}
	for _, flag := range o.Procedure {
		if flag != "account_suspension" && flag != "press_rules" {
			return fmt.Errorf("procedure: %q is not known", flag)
		}
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
	if err := p.checkConditions(o); err != nil {
		return err
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

func (p *Pack) checkConditions(o Offence) error {
	if o.ByHand != (rempart.Text{}) {
		if err := checkText(o.ByHand); err != nil {
			return fmt.Errorf("by_hand: %w", err)
		}
		if o.When != nil {
			return errors.New("it is proposed by hand or when facts say so, not both")
		}
	} else if err := o.When.check(p.Words, true); err != nil {
		return fmt.Errorf("when: %w", err)
	}
	for name, e := range map[string]Elements{"unless": o.Unless, "ask_when": o.AskWhen} {
		if e == nil {
			continue
		}
		if err := e.check(p.Words, false); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	for _, c := range slices.Concat(o.Circumstances, o.Also) {
		if err := c.When.check(p.Words, true); err != nil {
			return fmt.Errorf("circumstance: %w", err)
		}
		if c.Penalty != nil && c.Penalty.PrisonYears <= 0 {
			return errors.New("circumstance: its penalty has no years")
		}
	}
	for _, d := range o.Doubts {
		err := checkText(d.Text)
		switch {
		case (d.Unknown == "") == (d.When == nil):
			err = errors.New("it has a when or an unknown, and not both")
		case d.Unknown != "" && rempart.FactValues[d.Unknown] == nil:
			err = fmt.Errorf("%q is not a fact", d.Unknown)
		case d.When != nil:
			err = errors.Join(d.When.check(p.Words, false), err)
		}
		if err != nil {
			return fmt.Errorf("doubt: %w", err)
		}
	}
	return nil
}

func (i InForce) check() error {
	if i.To != "" {
		if err := checkDate(i.To); err != nil {
			return err
		}
	}
	if i.Unverified {
		if i.Source != "" {
			return errors.New("it is either unverified or has a source")
		}
		if (i.From == "") != (i.How == "") {
			return errors.New("a date that is not verified says how, and the other way round")
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
	if form.To != "" {
		if err := checkDate(form.To); err != nil {
			return err
		}
	}
	if len(form.Penalties) == 0 || form.Penalties[0].Circumstances != 0 {
		return errors.New("no base penalty")
	}
	for i, pen := range form.Penalties {
		if pen.PrisonYears < 0 || pen.FineEUR < 1 {
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

// checkExamples works each example and wants at least one that shows the offence
// proposed, or added where it only can be added.
func (p *Pack) checkExamples(o Offence) error {
	shown := 0
	for _, ex := range o.Examples {
		if err := ex.Facts.Check(); err != nil {
			return fmt.Errorf("example %q: %w", ex.Name, err)
		}
		if err := p.work(o, ex); err != nil {
			return fmt.Errorf("example %q: %w", ex.Name, err)
		}
		if ex.Expect != nil || ex.Added != nil {
			shown++
		}
	}
	if shown == 0 {
		return errors.New("no example shows it proposed")
	}
	return nil
}

// work tells how far the outcome of ex is from what it expects.
func (p *Pack) work(o Offence, ex Example) error {
	day := dayOf(ex.Facts, p.TextDate)
	v := see(ex.Facts, day, p.filled)
	if ex.Added != nil {
		r := p.byHand(o, v)
		if got := (Expect{r.q.Paragraph, r.q.PrisonYears, r.q.FineEUR, len(r.open)}); got != *ex.Added {
			return fmt.Errorf("added it yields %+v, not %+v", got, *ex.Added)
		}
	}
	r := p.propose(o, v)
	ok := r.is == yes && !o.InForce.absent(day)
	if ok != (ex.Expect != nil) {
		return fmt.Errorf("proposed is %t", ok)
	}
	if !ok {
		return nil
	}
	got := Expect{r.q.Paragraph, r.q.PrisonYears, r.q.FineEUR, len(r.open)}
	if got != *ex.Expect {
		return fmt.Errorf("yields %+v, not %+v", got, *ex.Expect)
	}
	return nil
}

func (p *Pack) checkNotCovered(n NotCovered) error {
	if err := errors.Join(n.When.check(p.Words, false), checkText(n.Text), checkSource(n.Source), n.Example.Check()); err != nil {
		return err
	}
	if n.Unless != nil {
		if err := n.Unless.check(p.Words, false); err != nil {
			return err
		}
	}
	if !n.holds(see(n.Example, dayOf(n.Example, p.TextDate), p.filled), p.Words) {
		return errors.New("its example does not meet it")
	}
	return nil
}

func (p *Pack) checkQuestion(q Question) error {
	if rempart.FactValues[q.Fact] == nil {
		return fmt.Errorf("%q is not a fact", q.Fact)
	}
	if q.When != nil {
		if err := q.When.check(p.Words, false); err != nil {
			return err
		}
	}
	return checkText(q.Text)
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
