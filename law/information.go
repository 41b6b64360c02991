package law

import (
	"errors"
	"fmt"
	"time"

	"rempart"
)

// Information is a text that a pack tells of and never qualifies with: another
// country's law, a procedure, a rule for somebody else than the author.
type Information struct {
	ID         string       `json:"id"`         // "eu-2024-1689-5-1-ba"
	Instrument string       `json:"instrument"` // "Regulation (EU) 2024/1689"
	Article    string       `json:"article"`
	Label      rempart.Text `json:"label"`
	Covers     rempart.Text `json:"covers"`
	Penalty    rempart.Text `json:"penalty,omitzero"`
	From       string       `json:"from,omitempty"`  // applies from this day, YYYY-MM-DD
	To         string       `json:"to,omitempty"`    // and no longer from this one
	Never      bool         `json:"never,omitempty"` // it was never in force: voted and struck down, or a bill
	TextDate   string       `json:"text_date"`       // when it was read, YYYY-MM-DD
	Source     string       `json:"source"`
	Verified   bool         `json:"verified"` // read in the text itself, not told by others

	Examples []struct {
		Date    string `json:"date"`
		Applies bool   `json:"applies"`
	} `json:"examples"`
}

// Applies tells whether the text applies on a day, YYYY-MM-DD.
func (i Information) Applies(day string) bool {
	return !i.Never && day >= i.From && (i.To == "" || day < i.To)
}

func (i Information) check() error {
	errs := []error{checkText(i.Label), checkText(i.Covers), checkSource(i.Source), checkDate(i.TextDate)}
	if i.ID == "" || i.Instrument == "" {
		errs = append(errs, errors.New("it needs an id and an instrument"))
	}
	if i.Penalty != (rempart.Text{}) {
		errs = append(errs, checkText(i.Penalty))
	}
	for _, d := range []string{i.From, i.To} {
		if d != "" {
			errs = append(errs, checkDate(d))
		}
	}
	if len(i.Examples) == 0 {
		errs = append(errs, errors.New("no example"))
	}
	for _, ex := range i.Examples {
		errs = append(errs, checkDate(ex.Date))
		if i.Applies(ex.Date) != ex.Applies {
			errs = append(errs, fmt.Errorf("example of %s: applies is %t", ex.Date, !ex.Applies))
		}
	}
	return errors.Join(errs...)
}

// A ClockRule is a deadline as a pack has it: how long something may take.
type ClockRule struct {
	ID       string       `json:"id"`
	Label    rempart.Text `json:"label"`
	Within   string       `json:"within,omitempty"` // "24h"; hours of the clock
	Months   int          `json:"months,omitempty"` // instead: calendar months
	Policy   bool         `json:"policy"`           // our default, as the law gives no number
	Only     string       `json:"only,omitempty"`   // who may start it, when not everybody: "OFAC"
	TextDate string       `json:"text_date"`
	Source   string       `json:"source"`
	Verified bool         `json:"verified"`

	Examples []struct {
		Start time.Time `json:"start"`
		Due   time.Time `json:"due"`
	} `json:"examples"`
}

// Due returns when the clock that starts at start ends. Months end as the
// complaint window does: see [ComplaintUntil].
func (c ClockRule) Due(start time.Time) (time.Time, error) {
	if c.Months > 0 {
		return monthsAfter(start, c.Months), nil
	}
	d, err := time.ParseDuration(c.Within)
	return start.Add(d), err
}

// monthsAfter returns the first instant of the day after the same day so many
// calendar months later, or after the last day of that month.
func monthsAfter(start time.Time, months int) time.Time {
	y, m, d := start.Date()
	last := time.Date(y, m+time.Month(months)+1, 0, 0, 0, 0, 0, start.Location())
	return time.Date(last.Year(), last.Month(), min(d, last.Day())+1, 0, 0, 0, 0, start.Location())
}

func (c ClockRule) check() error {
	errs := []error{checkText(c.Label), checkSource(c.Source), checkDate(c.TextDate)}
	if c.ID == "" || (c.Within == "") == (c.Months == 0) {
		errs = append(errs, errors.New("it needs an id, and hours or months"))
	}
	if len(c.Examples) == 0 {
		errs = append(errs, errors.New("no example"))
	}
	for _, ex := range c.Examples {
		due, err := c.Due(ex.Start)
		if err == nil && !due.Equal(ex.Due) {
			err = fmt.Errorf("example from %s: due at %s", ex.Start.Format(time.RFC3339), due.Format(time.RFC3339))
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// A CategoryRule says which facts fall in a category. The first that holds for
// sure applies.
type CategoryRule struct {
	When Elements `json:"when,omitempty"` // absent: always
	// Unless keeps a case out of the category when it holds for sure.
	Unless Elements `json:"unless,omitempty"`
	Category
	TextDate string          `json:"text_date"`
	Source   string          `json:"source"`
	Examples []rempart.Facts `json:"examples"`
}

// Category returns the category of the facts: one of the pack's, or none.
func (p *Pack) Category(f rempart.Facts) Category {
	v := see(f, "", false)
	for _, c := range p.CategoryList {
		if (c.When == nil || c.When.find(v, nil).is == yes) && (c.Unless == nil || c.Unless.find(v, nil).is != yes) {
			return c.Category
		}
	}
	return Category{}
}

func (p *Pack) checkCategory(c CategoryRule) error {
	errs := []error{checkSource(c.Source), checkDate(c.TextDate)}
	if c.Code == "" || c.Name == "" || c.Statement == "" {
		errs = append(errs, errors.New("it needs a code, a name and a statement category"))
	}
	for _, e := range []Elements{c.When, c.Unless} {
		if e != nil {
			errs = append(errs, e.check(nil, false))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if len(c.Examples) == 0 {
		return errors.New("no example")
	}
	for k, f := range c.Examples {
		if err := f.Check(); err != nil {
			return fmt.Errorf("example %d: %w", k+1, err)
		}
		if got := p.Category(f); got != c.Category {
			return fmt.Errorf("example %d falls in %s", k+1, got.Code)
		}
	}
	return nil
}
