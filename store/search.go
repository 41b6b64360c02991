package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"rempart"
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

// SkippedBy returns which of the cases a member skipped at or after a time.
func (db *DB) SkippedBy(ctx context.Context, by rempart.Actor, cases []string, from time.Time) (map[string]bool, error) {
	out := map[string]bool{}
	if len(cases) == 0 {
		return out, nil
	}
	args, marks := []any{micros(from), string(by)}, make([]string, len(cases))
	for i, id := range cases {
		args, marks[i] = append(args, id), "$"+strconv.Itoa(i+3)
	}
	rows, err := db.r.QueryContext(ctx, "SELECT DISTINCT subject FROM records WHERE subject IN ("+strings.Join(marks, ", ")+") AND kind = 'case.skipped' AND at >= $1 AND actor = $2", args...)
	_, err = collect(rows, err, func(s scanner) (id string, err error) {
		err = s.Scan(&id)
		out[id] = true
		return id, err
	})
	if err != nil {
		return nil, db.explain(fmt.Errorf("store: skipped cases: %w", err))
	}
	return out, nil
}
