package storetest

import (
	"fmt"
	"time"

	"rempart"
)

// annotate labels a campaign's items by several persons: nobody has an item
// twice, none gets a label too many, who differs is settled by a third, and what
// was drawn and left comes back.
func annotate(e *env) {
	e.ok(e.db.SaveCampaign(e.ctx, "c-2026", map[string]string{"title": "Audit"}, true, rempart.Event{Kind: "campaign.registered", Subject: "c-2026", Actor: "admin", At: e.now()}))
	items := make([]rempart.Sampled, 6)
	for i := range items {
		items[i] = rempart.Sampled{Name: fmt.Sprint("i", i), Surface: "app", Fields: []rempart.Field{{Name: "text", Text: "une annonce"}}}
	}
	add := func(n int) int {
		added, err := e.db.AddSampled(e.ctx, "c-2026", rempart.Drawing{Seed: "s", Share: 1}, items[:n], rempart.Event{Kind: "campaign.items", Subject: "c-2026", Actor: "admin", At: e.now()})
		e.ok(err)
		return added
	}
	if a, b := add(1), add(1); a != 1 || b != 0 {
		e.Errorf("%d and then %d items were added, want 1 and 0", a, b)
	}
	say := func(staff, item, value string) error {
		return e.db.LabelSampled(e.ctx, "c-2026", item, rempart.Labelling{StaffID: staff, Alias: rempart.Actor(staff), Values: map[string]string{"offer": value}, At: e.now()})
	}
	draw := func(staff string) string {
		id, _, err := e.db.DrawSampled(e.ctx, "c-2026", staff)
		if rempart.KindOf(err) == rempart.NotFound && err != nil {
			return ""
		}
		e.ok(err)
		return id
	}
	one := draw("a")
	if again := draw("a"); one == "" || again != one {
		e.Errorf("%q, then %q: what was drawn is not kept", one, again)
	}
	if b, c := draw("b"), draw("c"); b != one || c != "" {
		e.Errorf("%q and %q: a third is shown an item for two", b, c)
	}
	e.kind(say("c", one, "yes"), rempart.Conflict)
	e.advance(rempart.DrawnFor + time.Second)
	if c := draw("c"); c != one {
		e.Errorf("%q: what two left for too long is not given on", c)
	}
	e.kind(say("a", one, "yes"), rempart.Conflict)
	e.ok(say("c", one, "yes"))
	e.ok(say("c", one, "no")) // pressed twice: the first stands
	if c := draw("c"); c != "" {
		e.Errorf("%q is given twice to the same person", c)
	}
	e.ok(e.db.LabelSampled(e.ctx, "c-2026", draw("d"), rempart.Labelling{StaffID: "d", Alias: "d", Skip: "text", At: e.now()}))
	if d := draw("d"); d != "" {
		e.Errorf("%q comes back to who passed it", d)
	}
	draw("a")
	e.ok(say("a", one, "no"))
	e.settle(one)

	add(len(items))
	said := together(4, func(i int) int {
		n, staff := 0, fmt.Sprint("p", i)
		for id := draw(staff); id != ""; id = draw(staff) {
			if err := say(staff, id, "yes"); err != nil {
				e.Errorf("%s: %v", staff, err)
				return n
			}
			n++
		}
		return n
	})
	total := 0
	for _, n := range said {
		total += n
	}
	if total != 10 {
		e.Errorf("%v labels of five items for two persons each", said)
	}
	p, err := e.db.Annotation(e.ctx, "c-2026", "p0")
	e.ok(err)
	if p.Items != 6 || p.Done != 6 || p.Wanted != 12 || p.Given != 12 || p.Skipped != 1 || p.Mine != said[0] || p.Left != 0 {
		e.Errorf("%+v", p)
	}
	_, err = e.db.Labelled(e.ctx, "c-2026")
	e.kind(err, rempart.Conflict)
	end := func() error {
		var doc map[string]string
		return e.db.EndAnnotation(e.ctx, "c-2026", e.now(), &doc, func(all []rempart.Labelled) (rempart.Event, error) {
			if doc["title"] != "Audit" || len(all) != 6 {
				e.Errorf("%v, %d items", doc, len(all))
			}
			return rempart.Event{Kind: "campaign.ended", Subject: "c-2026", Actor: "lead", At: e.now()}, nil
		})
	}
	e.ok(end())
	e.kind(end(), rempart.Conflict)
	all, err := e.db.Labelled(e.ctx, "c-2026")
	e.ok(err)
	for i, x := range all {
		if len(x.Labels) != 2 || x.Labels[0].StaffID == x.Labels[1].StaffID || (x.Settled != nil) != (x.ID == one) || x.Fields != nil || x.Name == "" {
			e.Errorf("%+v", x)
		}
		if x.ID == one && (x.Labels[0].Values["offer"] == x.Labels[1].Values["offer"] || x.Settled.Values["offer"] != "no") {
			e.Errorf("the settled item: %+v", x)
		}
		if a, _ := (rempart.Drawing{Seed: "s", Share: 1}).Draw(x.Name); i > 0 {
			if b, _ := (rempart.Drawing{Seed: "s", Share: 1}).Draw(all[i-1].Name); a < b {
				e.Errorf("item %d is not in the order of the seed", i)
			}
		}
	}
	if len(all) != 6 {
		e.Errorf("%d items", len(all))
	}
	_, _, err = e.db.DrawSampled(e.ctx, "c-2026", "z")
	e.kind(err, rempart.Conflict)
}

// settle has the disputed item decided once, by somebody who had not labelled it.
func (e *env) settle(item string) {
	e.Helper()
	decide := func(staff string) error {
		return e.db.SettleSampled(e.ctx, "c-2026", item, rempart.Labelling{StaffID: staff, Alias: rempart.Actor(staff), Values: map[string]string{"offer": "no"}, At: e.now()},
			func(l []rempart.Labelling) error {
				if len(l) != 2 {
					return fmt.Errorf("%d labels", len(l))
				}
				return nil
			})
	}
	for _, staff := range []string{"a", "c", "d"} {
		e.kind(decide(staff), rempart.Forbidden)
		_, err := e.db.DisputedSampled(e.ctx, "c-2026", staff)
		e.kind(err, rempart.NotFound)
	}
	x, err := e.db.DisputedSampled(e.ctx, "c-2026", "lead")
	e.ok(err)
	if x.ID != item || len(x.Labels) != 2 {
		e.Errorf("%+v", x)
	}
	won := 0
	for _, err := range together(2, func(i int) error { return decide(fmt.Sprint("lead", i)) }) {
		if err == nil {
			won++
		} else {
			e.kind(err, rempart.Conflict)
		}
	}
	if won != 1 {
		e.Errorf("settled %d times", won)
	}
}
