package law

import (
	"encoding/json"
	"fmt"
	"slices"

	"rempart"
)

// clocksFile is the newest table of default clocks. A released one is never
// edited: a change is a new file, named after its day and, from the second one of
// a day, a letter.
const clocksFile = "clocks-fr-2026-11-22b"

// DefaultClocks returns the terms of all clocks as an association finds them
// before it changes any, and the French calendar they are counted in. The
// delays are our own choice, each marked as such, but for the window for a
// complaint, which is the law's; those that [Clocks] has are taken from there.
func DefaultClocks() rempart.ClockPolicy {
	p, err := readClocks(clocksFile)
	if err != nil {
		panic("law: " + err.Error()) // an embedded file is broken, which the tests rule out
	}
	return p
}

func readClocks(name string) (rempart.ClockPolicy, error) {
	b, err := embedded.ReadFile("data/" + name + ".json")
	if err != nil {
		return rempart.ClockPolicy{}, fmt.Errorf("default clocks: %w", err)
	}
	var doc struct {
		Version    string              `json:"version"`
		Zone       string              `json:"zone"`
		DaysSource string              `json:"days_source"`
		Holidays   []rempart.Holiday   `json:"holidays"`
		Rules      []rempart.ClockRule `json:"rules"`
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		return rempart.ClockPolicy{}, fmt.Errorf("default clocks %s: %w", name, err)
	}
	if doc.Version != name || doc.DaysSource == "" {
		return rempart.ClockPolicy{}, fmt.Errorf("default clocks %s: it calls itself %q, its calendar's source is %q", name, doc.Version, doc.DaysSource)
	}
	for _, h := range doc.Holidays {
		if h.Source == "" || h.Name.FR == "" || h.Name.EN == "" || h.Date == "" && h.Easter == 0 {
			return rempart.ClockPolicy{}, fmt.Errorf("default clocks %s: a holiday without name, day or source: %+v", name, h)
		}
	}
	p := rempart.ClockPolicy{Pack: doc.Version, By: rempart.ActorSystem, Zone: doc.Zone, Holidays: doc.Holidays, DaysFrom: doc.DaysSource, Rules: doc.Rules}
	for k := range p.Rules {
		r := &p.Rules[k]
		r.Basis = rempart.BasisPolicy
		at := slices.IndexFunc(Clocks(), func(c Clock) bool { return c.ID == r.ID })
		if at < 0 {
			continue
		}
		c := Clocks()[at]
		r.Source = c.Source
		if !c.Policy {
			r.Basis = rempart.BasisLaw
		}
		r.Within = rempart.Span{N: int(c.Within.Hours()), Unit: rempart.Hours}
		if n := r.Within.N; n > 72 && n%24 == 0 { // of some length people count days
			r.Within = rempart.Span{N: n / 24, Unit: rempart.Days}
		}
		if c.Months > 0 {
			r.Within = rempart.Span{N: c.Months, Unit: rempart.Months}
		}
	}
	if p.Ladder, err = readLadder(ladderFile); err != nil {
		return rempart.ClockPolicy{}, err
	}
	if err := p.Check(); err != nil {
		return rempart.ClockPolicy{}, fmt.Errorf("default clocks %s: %w", name, err)
	}
	return p, nil
}
