package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"rempart"
)

// A listTaskDoc is a task as it is kept: what it is about, and which entries had
// the fingerprint when it was opened.
type listTaskDoc struct {
	rempart.ListTask
	Entries []EntryRef `json:"entries,omitempty"`
}

// effective are the state of an entry and since when, as everybody but its case
// and its source sees it. held_since never goes back, as a clock that is put right
// does: who follows would take what was decided then for old news.
const (
	effectiveState = "CASE WHEN state = 'active' AND held <> '' THEN held ELSE state END"
	effectiveSince = "CASE WHEN held_since > since THEN held_since ELSE since END"
)

// openTask opens a task about a fingerprint, and stops the matching of the
// entries that have it, if it says so.
func (t *tx) openTask(k rempart.ListTask, entries []EntryRef) error {
	k.ID, k.OpenedAt = rempart.NewID(t.now), t.now
	if k.Stopped {
		for _, e := range entries {
			if err := t.hold(e, k.Kind); err != nil {
				return err
			}
		}
	}
	doc, err := encode(listTaskDoc{k, entries})
	if err != nil {
		return err
	}
	if _, err := t.exec(`INSERT INTO list_tasks (id, list, key, kind, peer_id, stopped, opened_at, decided_at, doc) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8)`,
		k.ID, k.List, k.Fingerprint.Key(), string(k.Kind), k.Peer, bit(k.Stopped), micros(k.OpenedAt), doc); err != nil {
		return fmt.Errorf("store: task of list %s: %w", k.List, err)
	}
	return t.event(rempart.Event{Kind: "fingerprint." + string(k.Kind), Subject: k.ID, Actor: rempart.ActorPlatform + rempart.Actor(k.Peer), At: t.now, Data: map[string]string{"list": k.List}})
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// release lets an entry that waited for a decision match again, as far as its case
// or its source says so.
func (t *tx) release(e EntryRef) error {
	if _, err := t.exec(`UPDATE entries SET held = '', held_since = CASE WHEN held_since > $1 THEN held_since ELSE $1 END, xid = `+t.db.xid+`, seq = `+t.db.nextChange+` WHERE peer_id = $2 AND id = $3 AND held IN ('disputed', 'quarantined')`,
		micros(t.now), e.Peer, e.ID); err != nil {
		return fmt.Errorf("store: releasing entry %s: %w", e.ID, err)
	}
	return nil
}

// hold says why an active entry does not match from now on. Readers of changes see
// it as a change.
func (t *tx) hold(e EntryRef, why rempart.EntryState) error {
	if _, err := t.exec(`UPDATE entries SET held = $1, held_since = CASE WHEN held_since > $2 THEN held_since ELSE $2 END, xid = `+t.db.xid+`, seq = `+t.db.nextChange+` WHERE peer_id = $3 AND id = $4 AND held <> $1 AND state = 'active'`,
		string(why), micros(t.now), e.Peer, e.ID); err != nil {
		return fmt.Errorf("store: holding entry %s: %w", e.ID, err)
	}
	return nil
}

// heldByTask holds an entry that was just made, if a task about its fingerprint is
// open: what is disputed does not come back by another door.
func (t *tx) heldByTask(peer string, e rempart.Entry) error {
	if _, err := t.exec(`UPDATE entries SET held = 'disputed', held_since = $1 WHERE peer_id = $2 AND id = $3 AND held = '' AND state = 'active'
		AND EXISTS (SELECT 1 FROM list_tasks WHERE key = $4 AND list = $5 AND stopped = 1 AND decided_at = 0)`, micros(t.now), peer, e.ID, e.Fingerprint.Key(), e.List); err != nil {
		return fmt.Errorf("store: entry %s, open tasks: %w", e.ID, err)
	}
	return nil
}

// Quarantine stops the matching of entries that matched too much, and opens the
// task to look at it. One that is open about the same fingerprint is enough, and
// so is one that was decided in the week before.
func (db *DB) Quarantine(ctx context.Context, k rempart.ListTask, entries []EntryRef) error {
	return db.write(ctx, func(t *tx) error {
		var there int
		if err := t.row(`SELECT count(*) FROM list_tasks WHERE key = $1 AND list = $2 AND kind = 'quarantined' AND (decided_at = 0 OR decided_at > $3)`,
			k.Fingerprint.Key(), k.List, micros(t.now.AddDate(0, 0, -7))).Scan(&there); err != nil {
			return fmt.Errorf("store: tasks of a fingerprint: %w", err)
		}
		if there > 0 {
			return nil
		}
		k.Kind, k.Stopped = rempart.EntryQuarantined, true
		return t.openTask(k, entries)
	})
}

// Probed opens a task about a key that looked up many values close to one that
// matched. One that is open about the same key is enough.
func (db *DB) Probed(ctx context.Context, k rempart.ListTask) error {
	return db.write(ctx, func(t *tx) error {
		var there int
		if err := t.row("SELECT count(*) FROM list_tasks WHERE peer_id = $1 AND kind = 'probed' AND decided_at = 0", k.Peer).Scan(&there); err != nil {
			return fmt.Errorf("store: tasks of a key: %w", err)
		}
		if there > 0 {
			return nil
		}
		k.Kind, k.Stopped = rempart.EntryProbed, false
		return t.openTask(k, nil)
	})
}

// Submit keeps fingerprints that a partner submits to a list until somebody of the
// staff decides on each. What it submitted before, or is in the list, is not kept
// again. It returns how many are new.
func (db *DB) SubmitPrints(ctx context.Context, by rempart.Peer, tasks []rempart.ListTask) (fresh int, err error) {
	err = db.write(ctx, func(t *tx) error {
		fresh = 0
		for _, k := range tasks {
			var there int
			if err := t.row(`SELECT (SELECT count(*) FROM list_tasks WHERE key = $1 AND list = $2 AND kind = 'received' AND peer_id = $3)
				+ (SELECT count(*) FROM entries WHERE type <> 'vpdq' AND peer_id = '' AND list = $2 AND type = $4 AND value = $5 AND state = 'active')`,
				k.Fingerprint.Key(), k.List, by.ID, string(k.Fingerprint.Type), k.Fingerprint.Value).Scan(&there); err != nil {
				return fmt.Errorf("store: what %s submitted: %w", by.ID, err)
			}
			if there > 0 {
				continue
			}
			fresh++
			k.Kind, k.Peer = rempart.EntryReceived, by.ID
			if err := t.openTask(k, nil); err != nil {
				return err
			}
		}
		return nil
	})
	return fresh, err
}

// OpenListTasks counts the tasks about fingerprints, and about lists of others
// ([DB.HeldSweeps]), that nobody has decided yet.
func (db *DB) OpenListTasks(ctx context.Context) (n int, err error) {
	err = db.r.QueryRowContext(ctx, "SELECT (SELECT count(*) FROM list_tasks WHERE decided_at = 0) + (SELECT count(*) FROM feed_sweeps WHERE held_at > 0 AND passed_at = 0)").Scan(&n)
	return n, db.explain(err)
}

// ListTasks returns the tasks about fingerprints that are open, the oldest first,
// or those that were decided, the last first; at most limit of them.
func (db *DB) ListTasks(ctx context.Context, open bool, limit int) ([]rempart.ListTask, error) {
	query := "SELECT id, doc FROM list_tasks WHERE decided_at = 0 ORDER BY opened_at, id LIMIT $1"
	if !open {
		query = "SELECT id, doc FROM list_tasks WHERE decided_at > 0 ORDER BY decided_at DESC, id LIMIT $1"
	}
	rows, err := db.r.QueryContext(ctx, query, limit)
	out, err := collect(rows, err, func(s scanner) (k rempart.ListTask, err error) {
		d, err := scanTask(s)
		return d.ListTask, err
	})
	if err != nil {
		return nil, db.explain(fmt.Errorf("store: tasks of lists: %w", err))
	}
	return out, nil
}

func scanTask(s scanner) (d listTaskDoc, err error) {
	var id string
	var doc []byte
	if err := s.Scan(&id, &doc); err != nil {
		return d, err
	}
	err = decode(doc, &d)
	d.ID = id
	return d, err
}

// ListTask returns one task, and the entries that have its fingerprint now.
func (db *DB) ListTask(ctx context.Context, id string) (k rempart.ListTask, entries []Change, err error) {
	d, err := scanTask(db.r.QueryRowContext(ctx, "SELECT id, doc FROM list_tasks WHERE id = $1", id))
	if err != nil {
		return k, nil, db.explain(missing(err, "list_task"))
	}
	entries, err = db.entriesOf(ctx, d)
	return d.ListTask, entries, err
}

// entriesOf returns the entries of a task's list that have its fingerprint: of
// those sources of which some had it when the task was opened, and our own.
func (db *DB) entriesOf(ctx context.Context, d listTaskDoc) ([]Change, error) {
	var out []Change
	add := func(query string, args ...any) error {
		some, err := db.entriesWhere(ctx, query, args...)
		out = append(out, some...)
		return err
	}
	if d.Fingerprint.Type == rempart.VPDQ {
		for _, e := range d.Entries {
			if err := add("peer_id = $1 AND id = $2", e.Peer, e.ID); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	peers := []string{""}
	for _, e := range d.Entries {
		if !slices.Contains(peers, e.Peer) {
			peers = append(peers, e.Peer)
		}
	}
	for _, p := range peers {
		if err := add("type <> 'vpdq' AND peer_id = $1 AND list = $2 AND type = $3 AND value = $4 ORDER BY num", p, d.List, string(d.Fingerprint.Type), d.Fingerprint.Value); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// entriesWhere returns entries as everybody but their case sees them.
func (db *DB) entriesWhere(ctx context.Context, condition string, args ...any) ([]Change, error) {
	rows, err := db.r.QueryContext(ctx, `SELECT num, peer_id, id, list, type, value, quality, `+effectiveState+`, case_id, case_ref, item_id, `+effectiveSince+`, form FROM entries WHERE `+condition, args...)
	out, err := collect(rows, err, func(s scanner) (c Change, err error) {
		var since int64
		e := &c.Entry
		err = s.Scan(&c.Num, &c.Peer, &e.ID, &e.List, &e.Fingerprint.Type, &e.Fingerprint.Value, &e.Fingerprint.Quality, &e.State, &e.CaseID, &e.CaseRef, &e.ItemID, &since, &e.Fingerprint.Form)
		e.Since = fromMicros(since)
		return c, err
	})
	if err != nil {
		return nil, db.explain(fmt.Errorf("store: entries: %w", err))
	}
	return out, nil
}

// EntryByNum returns an entry by its number. It is a rempart.NotFound if there is
// none.
func (db *DB) EntryByNum(ctx context.Context, num uint64) (Change, error) {
	return db.oneEntry(ctx, "num = $1", int64(num))
}

// EntryOf returns an entry by its identifier at its source ("" is ours).
func (db *DB) EntryOf(ctx context.Context, ref EntryRef) (Change, error) {
	return db.oneEntry(ctx, "peer_id = $1 AND id = $2", ref.Peer, ref.ID)
}

func (db *DB) oneEntry(ctx context.Context, condition string, args ...any) (Change, error) {
	all, err := db.entriesWhere(ctx, condition, args...)
	if err == nil && len(all) == 0 {
		err = &rempart.Error{Kind: rempart.NotFound, Code: "entry.missing", Public: "There is no such entry."}
	}
	if err != nil {
		return Change{}, err
	}
	return all[0], nil
}

// DecideListTask saves what was decided of a fingerprint and does it: its entries
// match again, or leave the list, or one is made of what was submitted, in one
// transaction with harmless fingerprints that are to silence matches from now on.
// One that was decided meanwhile is a rempart.Conflict.
func (db *DB) DecideListTask(ctx context.Context, id string, what rempart.TaskDecision, by rempart.Actor, silence []rempart.Fingerprint) error {
	d, err := scanTask(db.r.QueryRowContext(ctx, "SELECT id, doc FROM list_tasks WHERE id = $1", id))
	if err != nil {
		return db.explain(missing(err, "list_task"))
	}
	entries, err := db.entriesOf(ctx, d)
	if err != nil {
		return err
	}
	return db.write(ctx, func(t *tx) error {
		d.Decision, d.DecidedBy, d.DecidedAt = what, by, t.now
		doc, err := encode(d)
		if err != nil {
			return err
		}
		n, err := t.exec("UPDATE list_tasks SET decided_at = $1, doc = $2 WHERE id = $3 AND decided_at = 0", micros(t.now), doc, id)
		if err != nil {
			return fmt.Errorf("store: deciding task %s: %w", id, err)
		}
		if n == 0 {
			return &rempart.Error{Kind: rempart.Conflict, Code: "list_task.decided", Public: "Somebody has decided this meanwhile."}
		}
		if err := t.decided(d, entries); err != nil {
			return err
		}
		for _, f := range silence {
			if err := t.entry("", rempart.Entry{ID: "harmless." + f.Key(), List: rempart.ListHarmless, Fingerprint: f, State: rempart.EntryActive, Since: t.now}); err != nil {
				return err
			}
		}
		return t.event(rempart.Event{Kind: "fingerprint.task_decided", Subject: id, Actor: by, At: t.now, Data: map[string]string{"list": d.List, "decision": string(what)}})
	})
}

func (t *tx) decided(d listTaskDoc, entries []Change) error {
	if d.Kind == rempart.EntryProbed {
		return nil // it is about the key, not about what is listed
	}
	if d.Kind == rempart.EntryReceived {
		if d.Decision == rempart.TaskOff {
			return nil
		}
		f := d.Fingerprint
		f.Quality = max(f.Quality, rempart.MinQuality) // the format says none: on the word of who accepted it
		return t.entry("", rempart.Entry{ID: "received." + d.ID, List: d.List, Fingerprint: f, State: rempart.EntryActive, Since: t.now})
	}
	var others int
	if err := t.row("SELECT count(*) FROM list_tasks WHERE key = $1 AND list = $2 AND stopped = 1 AND decided_at = 0", d.Fingerprint.Key(), d.List).Scan(&others); err != nil {
		return fmt.Errorf("store: other tasks of a fingerprint: %w", err)
	}
	for _, c := range entries {
		ref := EntryRef{c.Peer, c.Entry.ID}
		err := error(nil)
		switch {
		case d.Decision == rempart.TaskOff:
			err = t.hold(ref, rempart.EntryDeleted)
		case others == 0:
			err = t.release(ref)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Expire takes entries that are active since before a time off a list, at most
// limit of them, and returns which.
func (db *DB) Expire(ctx context.Context, list string, before time.Time, limit int) (gone []rempart.Entry, err error) {
	err = db.write(ctx, func(t *tx) error {
		rows, err := t.Tx.QueryContext(t.ctx, `SELECT peer_id, id, case_id, item_id FROM entries WHERE list = $1 AND state = 'active' AND held = '' AND `+effectiveSince+` < $2 ORDER BY num LIMIT $3`, list, micros(before), limit)
		type row struct {
			ref EntryRef
			e   rempart.Entry
		}
		old, err := collect(rows, err, func(s scanner) (r row, err error) { return r, s.Scan(&r.ref.Peer, &r.ref.ID, &r.e.CaseID, &r.e.ItemID) })
		if err != nil {
			return fmt.Errorf("store: what has expired of list %s: %w", list, err)
		}
		gone = nil
		for _, r := range old {
			if err := t.hold(r.ref, rempart.EntryExpired); err != nil {
				return err
			}
			r.e.ID = r.ref.ID
			gone = append(gone, r.e)
		}
		if len(old) == 0 {
			return nil
		}
		return t.event(rempart.Event{Kind: "list.expired", Subject: list, Actor: rempart.ActorSystem, At: t.now, Data: map[string]string{"count": fmt.Sprint(len(old))}})
	})
	return gone, err
}

// Matching counts the entries of an item of a case that still match.
func (db *DB) Matching(ctx context.Context, entries []string) (n int, err error) {
	if len(entries) == 0 {
		return 0, errors.New("store: an item of no entries")
	}
	err = db.r.QueryRowContext(ctx, "SELECT count(*) FROM entries WHERE peer_id = '' AND state = 'active' AND held NOT IN ('deleted', 'expired') AND id IN ("+holders(0, len(entries))+")", anys(entries)...).Scan(&n)
	return n, db.explain(err)
}

// Checked tells whether every entry of an item that would match waits for
// somebody's decision, so that no copy is recognised meanwhile.
func (db *DB) Checked(ctx context.Context, entries []string) (bool, error) {
	if len(entries) == 0 {
		return false, nil
	}
	var waits, matches int
	err := db.r.QueryRowContext(ctx, "SELECT coalesce(sum(CASE WHEN held IN ('disputed', 'quarantined') THEN 1 ELSE 0 END), 0), coalesce(sum(CASE WHEN held = '' THEN 1 ELSE 0 END), 0) FROM entries WHERE peer_id = '' AND state = 'active' AND id IN ("+holders(0, len(entries))+")", anys(entries)...).Scan(&waits, &matches)
	return waits > 0 && matches == 0, db.explain(err)
}

// PutListPolicy sets the policy of a list, and tells the ledger who did.
func (db *DB) PutListPolicy(ctx context.Context, list string, p rempart.Policy, by rempart.Actor) error {
	if err := p.Check(); err != nil {
		return err
	}
	if _, ok := rempart.ListByID(list); !ok {
		return &rempart.Error{Kind: rempart.Invalid, Field: "list", Code: "list.unknown", Public: "There is no list of this name."}
	}
	doc, err := encode(p)
	if err != nil {
		return err
	}
	return db.write(ctx, func(t *tx) error {
		if _, err := t.exec("INSERT INTO list_policies (list, doc) VALUES ($1, $2) ON CONFLICT (list) DO UPDATE SET doc = excluded.doc", list, doc); err != nil {
			return fmt.Errorf("store: policy of list %s: %w", list, err)
		}
		return t.event(rempart.Event{Kind: "list.policy", Subject: list, Actor: by, At: t.now})
	})
}

// ListPolicies returns what was set for lists, by identifier.
func (db *DB) ListPolicies(ctx context.Context) (map[string]rempart.Policy, error) {
	rows, err := db.r.QueryContext(ctx, "SELECT list, doc FROM list_policies")
	out := map[string]rempart.Policy{}
	_, err = collect(rows, err, func(s scanner) (p rempart.Policy, err error) {
		var list string
		var doc []byte
		if err := s.Scan(&list, &doc); err != nil {
			return p, err
		}
		err = decode(doc, &p)
		out[list] = p
		return p, err
	})
	if err != nil {
		return nil, db.explain(fmt.Errorf("store: policies of lists: %w", err))
	}
	return out, nil
}
