package storetest

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"

	"rempart"
	"rempart/store"
)

func changes(e *env) {
	if c, next, err := e.db.Changes(e.ctx, "", 10); len(c) != 0 || next != "" || err != nil {
		e.Errorf("changes of an empty store: %v, %q, %v", c, next, err)
	}
	c := e.opened()
	filed, cursor := e.follow("")
	if len(filed) != 2 || cursor == "" {
		e.Fatalf("%d changes after one report of two fingerprints, cursor %q", len(filed), cursor)
	}
	m := medium(c)
	for i, ch := range filed {
		want := rempart.Entry{ID: m.Entries[i], List: m.List, Fingerprint: m.Fingerprints[i], State: rempart.EntryProvisional, CaseID: c.ID, CaseRef: c.Ref, ItemID: m.ID, Since: ch.Entry.Since}
		if d := cmp.Diff(want, ch.Entry); d != "" || ch.Peer != "" || ch.Num == 0 {
			e.Errorf("entry %d of %q (-want +got):\n%s", ch.Num, ch.Peer, d)
		}
	}
	if again, same, err := e.db.Changes(e.ctx, cursor, 10); len(again) != 0 || same != cursor || err != nil {
		e.Errorf("nothing happened, and %d changes and cursor %q came (%v)", len(again), same, err)
	}
	e.update(c.ID, func(c *rempart.Case) error { return c.ConfirmFingerprint(medium(c).ID, "analyst-1", e.now()) })
	confirmed, after := e.follow(cursor)
	if len(confirmed) != 2 || after == cursor {
		e.Fatalf("%d changes after the confirmation", len(confirmed))
	}
	for i, ch := range confirmed {
		if ch.Num != filed[i].Num || ch.Entry.State != rempart.EntryActive {
			e.Errorf("entry %d, now %s, was number %d", ch.Num, ch.Entry.State, filed[i].Num)
		}
	}
	// A new reader sees each entry once, as it is now.
	if fresh, _ := e.follow(""); len(fresh) != 2 || fresh[0].Entry.State != rempart.EntryActive {
		e.Errorf("a new reader sees %+v", fresh)
	}
	for _, bad := range []string{"x", "1-2", "1--2-3", "1-2-3-4", "1-2-99999999999999999999"} {
		_, _, err := e.db.Changes(e.ctx, bad, 1)
		e.kind(err, rempart.Invalid)
	}
	// What was withdrawn never comes back, whoever says so.
	e.update(c.ID, func(c *rempart.Case) error { return c.WithdrawFingerprint(medium(c).ID, "analyst-1", e.now()) })
	back := confirmed[0].Entry
	e.ok(e.db.Commit(e.ctx, "", rempart.Consequences{Entries: []rempart.EntryChange{{Entry: back}}}))
	if last, _ := e.follow(after); len(last) != 2 || last[0].Entry.State != rempart.EntryWithdrawn || last[1].Entry.State != rempart.EntryWithdrawn {
		e.Errorf("after the withdrawal: %+v", last)
	}
}

// readers holds who reads the feed to what it was given: whoever asked has a copy,
// and a cursor from ahead confirms nothing.
func readers(e *env) {
	c := e.opened()
	e.update(c.ID, func(c *rempart.Case) error { return c.ConfirmFingerprint(medium(c).ID, "analyst-1", e.now()) })
	for _, id := range []string{"once", "ahead", "honest", "later"} {
		e.ok(e.db.PutPeer(e.ctx, rempart.Peer{ID: id, Name: id, Kind: rempart.PeerPlatform, CreatedAt: e.now()}, "key-of-"+id, nil))
	}
	_, cursor := e.follow("")
	part := strings.Split(cursor, "-")
	e.ok(e.db.NoteReader(e.ctx, "once", ""))
	e.ok(e.db.NoteReader(e.ctx, "honest", ""))
	e.ok(e.db.NoteReader(e.ctx, "honest", cursor))
	for _, far := range []string{part[0] + "-9000000000000000000-1", part[0] + "-9223372036854775807-9223372036854775807"} {
		e.kind(e.db.NoteReader(e.ctx, "ahead", far), rempart.Invalid)
		e.kind(e.db.NoteReader(e.ctx, "honest", far), rempart.Invalid)
	}
	e.ok(e.db.NoteReader(e.ctx, "ahead", ""))
	confirmed := func() string {
		all, err := e.db.Confirmations(e.ctx, c.ID)
		e.ok(err)
		var out []string
		for _, x := range all {
			out = append(out, fmt.Sprint(x.Peer, " ", x.Confirmed))
		}
		return strings.Join(out, ", ")
	}
	e.update(c.ID, func(c *rempart.Case) error { return c.WithdrawFingerprint(medium(c).ID, "analyst-1", e.now()) })
	if got := confirmed(); got != "ahead false, honest false, once false" {
		e.Errorf("after the withdrawal: %s", got)
	}
	_, cursor = e.follow(cursor)
	e.ok(e.db.NoteReader(e.ctx, "later", "")) // never had them
	e.ok(e.db.NoteReader(e.ctx, "honest", cursor))
	if got := confirmed(); got != "ahead false, honest true, once false" {
		e.Errorf("after one has read on: %s", got)
	}
}

// changesTogether lets eight writers change entries while a reader follows: in
// the end the reader knows the last state of each, and it never saw one go back.
func changesTogether(e *env) {
	const writers, each = 8, 6
	rank := map[rempart.EntryState]int{rempart.EntryProvisional: 1, rempart.EntryActive: 2, rempart.EntryWithdrawn: 3}
	known := map[string]rempart.EntryState{}
	nums := map[uint64]string{}
	see := func(c store.Change) error {
		if had, ok := nums[c.Num]; ok && had != c.Entry.ID {
			return fmt.Errorf("number %d is entry %s and entry %s", c.Num, had, c.Entry.ID)
		}
		nums[c.Num] = c.Entry.ID
		if rank[c.Entry.State] < rank[known[c.Entry.ID]] {
			return fmt.Errorf("entry %s was %s, now %s", c.Entry.ID, known[c.Entry.ID], c.Entry.State)
		}
		known[c.Entry.ID] = c.Entry.State
		return nil
	}
	subs := make([][]store.Submission, writers)
	for w := range subs {
		for range each {
			subs[w] = append(subs[w], e.submission())
		}
	}
	var busy sync.WaitGroup
	busy.Add(writers)
	stop := make(chan struct{})
	go func() { busy.Wait(); close(stop) }()
	cursor := ""
	errs := together(writers+1, func(w int) error {
		if w == writers { // the reader
			end := ""
			for {
				page, next, err := e.db.Changes(e.ctx, cursor, 5)
				if err != nil {
					return err
				}
				for _, c := range page {
					if c.Entry.ID == end {
						return nil
					}
					if err := see(c); err != nil {
						return err
					}
				}
				cursor = next
				select {
				case <-stop:
					if end == "" {
						end = e.mark()
					}
				default:
				}
				if len(page) == 0 {
					time.Sleep(time.Millisecond)
				}
			}
		}
		defer busy.Done()
		for i, s := range subs[w] {
			_, c, _, err := e.db.Submit(e.ctx, s)
			if err != nil {
				return err
			}
			for _, f := range []func(*rempart.Case) error{
				func(c *rempart.Case) error { return e.propose(c, rempart.PriorityNormal) },
				func(c *rempart.Case) error { return c.ConfirmFingerprint(medium(c).ID, "analyst-1", e.now()) },
				func(c *rempart.Case) error { return c.WithdrawFingerprint(medium(c).ID, "analyst-1", e.now()) },
			}[:1+(w+i)%3] {
				if err := e.db.UpdateCase(e.ctx, c.ID, "", f); err != nil {
					return err
				}
			}
		}
		return nil
	})
	for _, err := range errs {
		e.ok(err)
	}
	if len(known) != writers*each*2 {
		e.Errorf("the reader knows %d entries, want %d", len(known), writers*each*2)
	}
	for w := range subs {
		for i, s := range subs[w] {
			want := []rempart.EntryState{rempart.EntryProvisional, rempart.EntryActive, rempart.EntryWithdrawn}[(w+i)%3]
			for _, id := range medium(e.load(s.Case.ID)).Entries {
				if known[id] != want {
					e.Errorf("entry %s: the reader knows %q, it is %s", id, known[id], want)
				}
			}
		}
	}
	e.check()
}

func feed(e *env) {
	mine := e.opened()
	_, cursor := e.follow("")
	entry := func(id string, s rempart.EntryState) rempart.Entry {
		return rempart.Entry{ID: id, List: "ncii-adult", Fingerprint: e.pdq(), State: s, CaseRef: "7F3K-9QXM", Since: e.now()}
	}
	a, b := entry("a", rempart.EntryActive), entry("b", rempart.EntryActive)
	page := []rempart.Entry{a, b}
	if c, err := e.db.FeedCursor(e.ctx, "hub"); err != nil || c != "" {
		e.Errorf("cursor of a feed not read yet: %q, %v", c, err)
	}
	e.ok(e.db.ApplyFeed(e.ctx, "hub", page, "cursor-1"))
	got, after := e.follow(cursor)
	if len(got) != 2 || got[0].Peer != "hub" || !cmp.Equal(got[0].Entry, a) || !cmp.Equal(got[1].Entry, b) {
		e.Errorf("entries of the feed: %+v", got)
	}
	// A video's fingerprint, and what it is of, come back as they went in; pages of
	// long ones are cut short, and nothing is missed.
	var long []rempart.Entry
	for k := range 50 {
		v := entry(fmt.Sprint("video-", k), rempart.EntryActive)
		one := `"` + v.Fingerprint.Value + `,90,` + fmt.Sprint(k) + `.000", `
		v.Fingerprint = rempart.Fingerprint{Type: rempart.VPDQ, Value: "[" + strings.TrimSuffix(strings.Repeat(one, rempart.MaxFrames), ", ") + "]", Quality: 90, Form: rempart.Unbordered}
		long = append(long, v)
	}
	e.ok(e.db.ApplyFeed(e.ctx, "hub", long, "cursor-1"))
	for left := long; len(left) > 0; {
		some, next, err := e.db.Changes(e.ctx, after, 0)
		e.ok(err)
		// PostgreSQL shows a change when no older transaction runs, of whoever's.
		for end := time.Now().Add(30 * time.Second); len(some) == 0 && time.Now().Before(end); time.Sleep(time.Millisecond) {
			some, next, err = e.db.Changes(e.ctx, after, 0)
			e.ok(err)
		}
		if len(some) == 0 || len(some) > 30 {
			e.Fatalf("%d long entries at once, want some but not all", len(some))
		}
		for k, c := range some {
			if !cmp.Equal(c.Entry, left[k]) {
				e.Fatalf("entry %s of a video came back otherwise", c.Entry.ID)
			}
		}
		left, after = left[len(some):], next
	}
	// The same page again changes nothing.
	e.ok(e.db.ApplyFeed(e.ctx, "hub", page, "cursor-1"))
	if again, _ := e.follow(after); len(again) != 0 {
		e.Errorf("the same page again made the changes %+v", again)
	}
	e.advance(time.Second)
	gone := a
	gone.State, gone.Since = rempart.EntryWithdrawn, e.now()
	e.ok(e.db.ApplyFeed(e.ctx, "hub", []rempart.Entry{gone}, "cursor-2"))
	// An old page that comes late does not undo a newer one.
	e.ok(e.db.ApplyFeed(e.ctx, "hub", page, "cursor-2"))
	if last, _ := e.follow(after); len(last) != 1 || last[0].Entry.State != rempart.EntryWithdrawn || last[0].Entry.ID != "a" {
		e.Errorf("after the withdrawal and an old page: %+v", last)
	}
	if c, err := e.db.FeedCursor(e.ctx, "hub"); err != nil || c != "cursor-2" {
		e.Errorf("cursor %q, %v", c, err)
	}
	// Nor does it undo a state that may be left again.
	no := b
	no.State, no.Since = rempart.EntryRejected, e.now()
	_, after = e.follow(after)
	e.ok(e.db.ApplyFeed(e.ctx, "hub", []rempart.Entry{no}, "cursor-2"))
	e.ok(e.db.ApplyFeed(e.ctx, "hub", page, "cursor-2"))
	if last, _ := e.follow(after); len(last) != 1 || last[0].Entry.State != rempart.EntryRejected {
		e.Errorf("after a rejection and an old page: %+v", last)
	}
	// A peer can't touch our entries by their identifiers, nor another peer's.
	theft := gone
	theft.ID = medium(mine).Entries[0]
	e.ok(e.db.ApplyFeed(e.ctx, "other", []rempart.Entry{theft, entry("b", rempart.EntryWithdrawn)}, "x"))
	everything, _ := e.follow("")
	for _, c := range everything {
		if c.Peer == "" && c.Entry.State != rempart.EntryProvisional || c.Peer == "hub" && c.Entry.ID == "b" && c.Entry.State != rempart.EntryRejected {
			e.Errorf("another peer's feed changed %+v", c)
		}
	}
	// A page with a fault is not applied at all.
	bad := entry("d", rempart.EntryActive)
	bad.List = "no-such-list"
	if err := e.db.ApplyFeed(e.ctx, "hub", []rempart.Entry{entry("c", rempart.EntryActive), bad}, "cursor-3"); err == nil {
		e.Error("an entry of a list that there is not was applied")
	}
	if c, _ := e.db.FeedCursor(e.ctx, "hub"); c != "cursor-2" {
		e.Errorf("a page with a fault moved the cursor to %q", c)
	}
	if now, _ := e.follow(""); len(now) != len(everything) {
		e.Errorf("a page with a fault left %d entries, there were %d", len(now), len(everything))
	}
}
