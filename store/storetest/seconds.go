package storetest

import (
	"sync"
	"time"

	"rempart"
	"rempart/store"
)

var bothLists = []string{"ncii-adult", "ncii-minor"}

// own saves n entries of ours in a state, and returns them.
func (e *env) own(n int, s rempart.EntryState) []rempart.Entry {
	e.Helper()
	var all []rempart.Entry
	for range n {
		all = append(all, rempart.Entry{ID: rempart.NewID(e.now()), List: "ncii-adult", Fingerprint: e.pdq(), State: s, CaseID: "c", CaseRef: "7F3K-9QXM", ItemID: "i", Since: e.now()})
	}
	e.become(s, all...)
	return all
}

func (e *env) become(s rempart.EntryState, all ...rempart.Entry) {
	e.Helper()
	var c rempart.Consequences
	for _, x := range all {
		x.State, x.Since = s, e.now()
		c.Entries = append(c.Entries, rempart.EntryChange{Entry: x})
	}
	e.ok(e.db.Commit(e.ctx, "", c))
}

// A secondReader follows the seconds as StopNCII's clients do: it keeps the
// second of the last entry that it read, and begins there again.
type secondReader struct {
	*env
	from int64
	has  map[string]bool // by identifier
	got  int             // entries read in all
	kept int64           // the second of the last entry
}

// page reads one page, and returns the token of the next.
func (r *secondReader) page(token string, limit int) string {
	r.Helper()
	r.follow("") // what was committed is to be seen
	_, err := r.db.Settle(r.ctx)
	r.ok(err)
	p, err := r.db.ChangesSince(r.ctx, store.Since{From: r.from, Token: token, Types: []rempart.FingerprintType{rempart.PDQ}, Lists: bothLists, Limit: limit})
	r.ok(err)
	last := r.from
	for _, d := range p.Entries {
		if d.Second < last {
			r.Errorf("second %d after %d", d.Second, last)
		}
		last = d.Second
		if d.Entry.State == rempart.EntryWithdrawn {
			delete(r.has, d.Entry.ID)
		} else {
			r.has[d.Entry.ID] = true
		}
	}
	r.got += len(p.Entries)
	if len(p.Entries) > limit || p.Token != "" && len(p.Entries) < limit {
		r.Errorf("a page of %d, token %q, limit %d", len(p.Entries), p.Token, limit)
	}
	r.kept = last
	return p.Token
}

func seconds(e *env) {
	if at, err := e.db.Settle(e.ctx); err != nil || at != e.now().Unix() {
		e.Errorf("an empty store is settled to %d, %v", at, err)
	}
	r := &secondReader{env: e, from: 10, has: map[string]bool{}}
	if token := r.page("", 5); token != "" || r.got != 0 {
		e.Errorf("an empty store has %d entries, token %q", r.got, token)
	}
	e.own(3, rempart.EntryProvisional)
	gone := e.own(1, rempart.EntryActive)
	e.become(rempart.EntryWithdrawn, gone...)
	e.advance(time.Second)
	all := e.own(23, rempart.EntryActive) // one second that holds more than a page
	// While the pages are read: two that were read are changed or taken back, two
	// that were not are too, others come.
	token := r.page("", 5)
	e.become(rempart.EntryWithdrawn, all[0], all[20])
	e.advance(time.Second)
	late := e.own(1, rempart.EntryActive)
	for n := 0; token != ""; n++ {
		if n > 20 {
			e.Fatal("the pages do not end")
		}
		e.advance(time.Second)
		token = r.page(token, 5)
	}
	e.holds(r, append(append(all[1:20:20], all[21:]...), late...))
	if r.has[gone[0].ID] {
		e.Error("a new reader was told of what was withdrawn before")
	}

	// Broken off after any page, and begun again at the second kept, over and over.
	for pages := 1; pages <= 6; pages++ {
		r := &secondReader{env: e, from: 10, has: map[string]bool{}}
		for round := 0; ; round++ {
			token, ended := "", false
			for n := 0; n < pages+round; n++ { // a second with many pages must be read whole some time
				if token = r.page(token, 5); token == "" {
					ended = true
					break
				}
			}
			r.from = r.kept
			if ended {
				break
			}
			if round > 20 {
				e.Fatalf("broken off after %d pages: no end", pages)
			}
		}
		e.holds(r, append(append(all[1:20:20], all[21:]...), late...))
	}

	// The same second again is the same; its end is included.
	r.from = r.kept
	before := r.got
	r.page("", 5)
	if r.got == before {
		e.Error("the second that was asked from is not included")
	}
	for _, bad := range []string{"x", "1-2", "1-2--3"} {
		_, err := e.db.ChangesSince(e.ctx, store.Since{Token: bad, Types: []rempart.FingerprintType{rempart.PDQ}, Lists: bothLists, Limit: 1})
		e.kind(err, rempart.Invalid)
	}
	p, err := e.db.ChangesSince(e.ctx, store.Since{Types: []rempart.FingerprintType{rempart.PDQ}, Lists: []string{"ncii-minor"}, Limit: 10})
	e.ok(err)
	if len(p.Entries) > 0 {
		e.Errorf("of another list: %v", p.Entries)
	}
}

func (e *env) holds(r *secondReader, want []rempart.Entry) {
	e.Helper()
	missing, more := 0, len(r.has)
	for _, x := range want {
		if r.has[x.ID] {
			more--
		} else {
			missing++
		}
	}
	if missing > 0 || more > 0 {
		e.Errorf("the reader lacks %d of %d entries, and has %d others", missing, len(want), more)
	}
}

// secondsRange checks the ends of ranges, and that no change comes into a second
// that was answered for, whatever the clock does.
func secondsRange(e *env) {
	type change struct {
		at int64
		x  rempart.Entry
	}
	var told []change
	last := int64(0)
	for k, step := range []time.Duration{0, time.Second, time.Second, time.Minute, -time.Hour, 0, time.Second, 2 * time.Hour, -2 * time.Second, time.Second, 5 * time.Second} {
		e.advance(step)
		e.own(1, rempart.EntryActive)
		e.follow("")
		until, err := e.db.Settle(e.ctx)
		e.ok(err)
		if until < last {
			e.Errorf("step %d: settled to %d, after %d", k, until, last)
		}
		p, err := e.db.ChangesSince(e.ctx, store.Since{From: last + 1, To: until, Types: []rempart.FingerprintType{rempart.PDQ}, Lists: bothLists, Limit: 100})
		e.ok(err)
		for _, d := range p.Entries {
			if d.Second <= last || d.Second > until {
				e.Errorf("step %d: an entry of second %d in the range from %d to %d", k, d.Second, last+1, until)
			}
			told = append(told, change{d.Second, d.Entry})
		}
		n, err := e.db.CountSince(e.ctx, store.Since{From: last + 1, To: until, Types: []rempart.FingerprintType{rempart.PDQ}, Lists: bothLists})
		e.ok(err)
		if n != len(p.Entries) {
			e.Errorf("step %d: %d counted, %d given", k, n, len(p.Entries))
		}
		last = until
	}
	e.advance(10 * time.Second)
	until, err := e.db.Settle(e.ctx)
	e.ok(err)
	p, err := e.db.ChangesSince(e.ctx, store.Since{From: last + 1, To: until, Types: []rempart.FingerprintType{rempart.PDQ}, Lists: bothLists, Limit: 100})
	e.ok(err)
	if len(told)+len(p.Entries) != 11 {
		e.Errorf("%d of 11 entries were told, each range read once", len(told)+len(p.Entries))
	}
}

// secondsTogether has writers and readers work at once: who reads range after
// range gets every entry, once.
func secondsTogether(e *env) {
	const writers, each = 4, 15
	var wg sync.WaitGroup
	done := make(chan struct{})
	for range writers {
		wg.Go(func() {
			for range each {
				e.own(1, rempart.EntryActive)
				e.advance(300 * time.Millisecond)
			}
		})
	}
	go func() { wg.Wait(); close(done) }()
	seen := map[string]int{}
	read := func(last int64) int64 {
		until, err := e.db.Settle(e.ctx)
		e.ok(err)
		p, err := e.db.ChangesSince(e.ctx, store.Since{From: last + 1, To: until, Types: []rempart.FingerprintType{rempart.PDQ}, Lists: bothLists, Limit: 1000})
		e.ok(err)
		for _, d := range p.Entries {
			seen[d.Entry.ID]++
		}
		return until
	}
	last := int64(0)
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
			last = read(last)
		}
	}
	e.follow("")
	for k := range 3 {
		e.advance(time.Duration(k+1) * time.Second)
		last = read(last)
	}
	for id, n := range seen {
		if n != 1 {
			e.Errorf("entry %s came %d times", id, n)
		}
	}
	if len(seen) != writers*each {
		e.Errorf("%d of %d entries came", len(seen), writers*each)
	}
}
