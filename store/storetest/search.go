package storetest

import (
	"slices"

	"rempart"
	"rempart/store"
)

// search finds cases by exact fingerprints, and rows by references.
func search(e *env) {
	a, b := e.opened(), e.opened()
	print := medium(a).Fingerprints[0]
	if refs, err := e.db.FindCases(e.ctx, store.FindPrint, print.Value); err != nil || !slices.Equal(refs, []string{a.Ref}) {
		e.Errorf("by %s: %v, %v; want %s", print.Type, refs, err, a.Ref)
	}
	if refs, err := e.db.FindCases(e.ctx, store.FindPrint, print.Value[1:]); err != nil || len(refs) != 0 {
		e.Errorf("by a part of it: %v, %v", refs, err)
	}
	// What a peer's feed lists is in no case of ours, whatever it says.
	listed := rempart.Entry{ID: rempart.NewID(e.now()), List: medium(a).List, Fingerprint: rempart.Fingerprint{Type: rempart.SHA256, Value: e.pdq().Value}, State: rempart.EntryActive, CaseID: a.ID, CaseRef: a.Ref, Since: e.now()}
	e.ok(e.db.ApplyFeed(e.ctx, "hub", []rempart.Entry{listed}, "1"))
	if refs, err := e.db.FindCases(e.ctx, store.FindPrint, listed.Fingerprint.Value); err != nil || len(refs) != 0 {
		e.Errorf("by a peer's entry: %v, %v", refs, err)
	}
	rows, err := e.db.CasesByRefs(e.ctx, []string{b.Ref, "0000-0000", a.Ref})
	if err != nil || len(rows) != 2 {
		e.Fatalf("%v, %v", rows, err)
	}
	for _, c := range []*rempart.Case{a, b} { // their order is the queue's, tested there
		if !slices.ContainsFunc(rows, func(r store.CaseRow) bool { return r.Ref == c.Ref && r.Items == len(c.Items) }) {
			e.Errorf("rows %+v, want %s among them", rows, c.Ref)
		}
	}
	if rows, err := e.db.CasesByRefs(e.ctx, nil); err != nil || len(rows) != 0 {
		e.Errorf("by no reference: %v, %v", rows, err)
	}
}
