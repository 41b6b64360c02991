package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// MaxFound is the most cases that a search returns.
const MaxFound = 200

// CasesByRefs returns what the queue shows of the cases with the references, by
// priority, then age, at most MaxFound. A reference of no case is left out.
func (db *DB) CasesByRefs(ctx context.Context, refs []string) ([]CaseRow, error) {
	if len(refs) == 0 {
		return nil, nil
	}
	refs = refs[:min(len(refs), MaxFound)]
	args, marks := make([]any, len(refs)), make([]string, len(refs))
	for i, ref := range refs {
		args[i], marks[i] = ref, "$"+strconv.Itoa(i+1)
	}
	found, err := db.r.QueryContext(ctx, "SELECT "+queueCols("cases.")+" FROM cases WHERE ref IN ("+strings.Join(marks, ", ")+") ORDER BY priority, opened_at, id", args...)
	rows, err := collect(found, err, func(s scanner) (CaseRow, error) { return db.scanCaseRow(s) })
	if err != nil {
		return nil, db.explain(fmt.Errorf("store: cases by reference: %w", err))
	}
	return rows, nil
}
