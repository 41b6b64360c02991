package storetest

import (
	"rempart"
	"rempart/store"
)

// bulk takes values in, sees them as changes, compares them as an import does and
// withdraws one; those of one source do not touch those of another.
func bulk(e *env) {
	_, from := e.follow("")
	values := func(n int) (out []store.BulkValue) {
		for range n {
			f := e.pdq()
			out = append(out, store.BulkValue{Value: f.Value, Quality: f.Quality})
		}
		return out
	}
	of := func(source string, first int, v []store.BulkValue, gone ...string) store.Bulk {
		return store.Bulk{Source: source, List: "ncii-adult", Type: rempart.PDQ, Name: "n" + source, First: first, Values: v, Gone: gone, At: e.now()}
	}
	all := values(25)
	e.ok(e.db.AddBulk(e.ctx, of("source:a", 0, all[:10])))
	e.ok(e.db.AddBulk(e.ctx, of("source:a", 10, all[10:])))
	e.ok(e.db.AddBulk(e.ctx, of("source:b", 0, all[:5])))
	ours := values(3)
	e.ok(e.db.AddBulk(e.ctx, of("", 0, ours)))
	if err := e.db.AddBulk(e.ctx, of("source:a", 0, values(1))); err == nil {
		e.Error("one number was given twice in an import, and nothing said so")
	}
	changes, from := e.follow(from)
	quality := map[string]int{}
	for _, c := range changes {
		if c.Entry.State != rempart.EntryActive || c.Entry.List != "ncii-adult" || c.Entry.Fingerprint.Type != rempart.PDQ {
			e.Errorf("a change that is not of the import: %+v", c)
		}
		quality[c.Peer+c.Entry.Fingerprint.Value] = c.Entry.Fingerprint.Quality
	}
	if len(changes) != 33 || len(quality) != 33 || quality["source:a"+all[11].Value] != all[11].Quality {
		e.Errorf("%d changes of %d values, want 33", len(changes), len(quality))
	}
	held := func(source string) (out []store.Held) {
		last := store.Held{}
		for {
			page, err := e.db.Held(e.ctx, source, "ncii-adult", rempart.PDQ, last, 4)
			e.ok(err)
			if len(page) == 0 {
				return out
			}
			for _, h := range page {
				if h.Value < last.Value {
					e.Errorf("the list is not in order")
				}
				last = h
			}
			out = append(out, page...)
		}
	}
	a := held("source:a")
	if len(a) != 25 {
		e.Fatalf("the list holds %d of the source, want 25", len(a))
	}
	e.ok(e.db.AddBulk(e.ctx, of("source:a", 25, nil, a[3].ID)))
	if n := len(held("source:a")); n != 24 {
		e.Errorf("one was withdrawn, and the list holds %d", n)
	}
	if n := len(held("source:b")); n != 5 {
		e.Errorf("the other source has %d, want 5", n)
	}
	changes, _ = e.follow(from)
	if len(changes) != 1 || changes[0].Entry.State != rempart.EntryWithdrawn || changes[0].Entry.ID != a[3].ID {
		e.Errorf("after the withdrawal: %+v", changes)
	}
	// Our own are shared with partners; those of sources never.
	if _, err := e.db.Settle(e.ctx); err != nil {
		e.Fatal(err)
	}
	p, err := e.db.ChangesSince(e.ctx, store.Since{Types: []rempart.FingerprintType{rempart.PDQ}, Lists: bothLists, Limit: 100})
	e.ok(err)
	if len(p.Entries) != len(ours) {
		e.Errorf("%d entries are shared, want %d", len(p.Entries), len(ours))
	}
	same, err := e.db.SameValue(e.ctx, []rempart.Fingerprint{{Type: rempart.PDQ, Value: ours[1].Value}, {Type: rempart.PDQ, Value: all[1].Value}}, bothLists)
	e.ok(err)
	if len(same) != 1 || same[0].Fingerprint.Value != ours[1].Value {
		e.Errorf("entries of the value: %+v", same)
	}
}
