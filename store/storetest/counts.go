package storetest

import (
	"errors"
	"time"

	"rempart"
	"rempart/store"
)

// counts follows the tally: a change is a line in its transaction, one that
// failed is none, what was erased stays counted, and an edge hides what comes
// after it. A return is frozen once.
func counts(e *env) {
	sum := func(edge store.CountEdge) (cases, open int) {
		e.ok(e.db.Counts(e.ctx, "2026-01-01", "2026-12-31", edge, func(c rempart.Count) {
			if c.Kind == rempart.CountCase {
				cases += c.N
				if c.Dims["ai"] != "generated" {
					open += c.N
				}
			}
		}))
		return cases, open
	}
	a, b := e.opened(), e.opened()
	first, err := e.db.Edge(e.ctx)
	e.ok(err)
	if n, open := sum(first); n != 2 || open != 2 {
		e.Errorf("%d cases, %d not generated, want 2 and 2", n, open)
	}
	correct := func(c *rempart.Case) error {
		f := c.Facts
		f.Origin = rempart.OriginAIGenerated
		return c.CorrectFacts(c.Facts, f, func(rempart.Facts) rempart.Proposal {
			return rempart.Proposal{Pack: "p", Category: "3f", Priority: rempart.PriorityHigh}
		}, "Saule", e.now())
	}
	e.ok(e.db.UpdateCase(e.ctx, a.ID, "", correct))
	failed := errors.New("no")
	if err := e.db.UpdateCase(e.ctx, b.ID, "", func(c *rempart.Case) error { return errors.Join(correct(c), failed) }); !errors.Is(err, failed) {
		e.Errorf("a change that fails: %v", err)
	}
	e.ok(e.db.EraseCase(e.ctx, b.ID, rempart.Erasure{Why: rempart.EraseOrdered, By: "admin", At: e.now(), Reason: "essai"}))
	last, err := e.db.Edge(e.ctx)
	e.ok(err)
	if n, open := sum(last); n != 2 || open != 1 {
		e.Errorf("%d cases, %d not generated, want 2 and 1", n, open)
	}
	if n, open := sum(first); n != 2 || open != 2 {
		e.Errorf("up to the first edge: %d cases, %d not generated, want 2 and 2", n, open)
	}
	last.At = e.now().Add(-48 * time.Hour)
	if n, _ := sum(last); n != 0 {
		e.Errorf("%d cases two days before", n)
	}
	event := rempart.Event{Kind: "return.frozen", Subject: "parliament/2026/1", Actor: "admin", At: e.now()}
	e.ok(e.db.Freeze(e.ctx, event.Subject, map[string]int{"edition": 1}, event))
	e.kind(e.db.Freeze(e.ctx, event.Subject, map[string]int{"edition": 2}, event), rempart.Conflict)
	var doc map[string]int
	e.ok(e.db.Frozen(e.ctx, event.Subject, &doc))
	if all, err := e.db.FrozenReturns(e.ctx); err != nil || len(all) != 1 || doc["edition"] != 1 {
		e.Errorf("frozen: %v, %v, %v", all, doc, err)
	}
	e.kind(e.db.Frozen(e.ctx, "parliament/2026/2", &doc), rempart.NotFound)
}
