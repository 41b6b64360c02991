package store

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rempart"
)

// rowsAtOnce is how many rows one statement saves: of twelve values each, far below
// what either database takes.
const rowsAtOnce = 250

// entries saves what a peer's feed says, as [tx.entry] does one by one: that way it
// goes where a task could hold one of them, and where a page names one twice, as a
// statement changes a row once.
func (t *tx) entries(peer string, all []rempart.Entry) error {
	oneByOne := peer == "" || len(all) < 2
	if !oneByOne {
		seen := make(map[string]bool, len(all))
		for _, e := range all {
			oneByOne = oneByOne || seen[e.ID]
			seen[e.ID] = true
		}
	}
	if !oneByOne {
		if err := t.row("SELECT EXISTS (SELECT 1 FROM list_tasks WHERE stopped = 1 AND decided_at = 0)").Scan(&oneByOne); err != nil {
			return fmt.Errorf("store: open tasks: %w", err)
		}
	}
	if oneByOne {
		for _, e := range all {
			if err := t.entry(peer, e); err != nil {
				return err
			}
		}
		return nil
	}
	for some := range slices.Chunk(all, rowsAtOnce) {
		if err := t.entriesOnce(peer, some); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) entriesOnce(peer string, some []rempart.Entry) error {
	var first int64
	if t.db.lockRing == "" { // SQLite, where one transaction at a time writes
		if err := t.row("SELECT " + t.db.nextChange).Scan(&first); err != nil {
			return fmt.Errorf("store: the next change: %w", err)
		}
	}
	args := []any{peer}
	var values strings.Builder
	for k, e := range some {
		if k > 0 {
			values.WriteString(", ")
		}
		values.WriteString("($1")
		for _, v := range []any{e.ID, e.List, string(e.Fingerprint.Type), e.Fingerprint.Value, e.Fingerprint.Quality, string(e.State), e.CaseID, e.CaseRef, e.ItemID, micros(e.Since), string(e.Fingerprint.Form)} {
			args = append(args, v)
			values.WriteString(", $" + strconv.Itoa(len(args)))
		}
		next := t.db.nextChange
		if t.db.lockRing == "" {
			args = append(args, first+int64(k))
			next = "$" + strconv.Itoa(len(args))
		}
		values.WriteString(", " + t.db.xid + ", " + next + ")")
	}
	if _, err := t.exec(entryInto+values.String()+entryOver, args...); err != nil {
		return fmt.Errorf("store: %d entries from %s on: %w", len(some), some[0].ID, err)
	}
	return nil
}
