package store

import (
	"context"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"rempart"
)

// QueueFilter selects cases. Zero values select everything.
type QueueFilter struct {
	States   []rempart.CaseState
	Priority rempart.Priority // 0: any
	With     string           // identifier of the member who has it
	Nobody   bool             // nobody has it
	Minor    bool             // somebody under 18 is shown
	Late     bool             // a clock is past its end
	Heard    bool             // a message of the person waits for an answer
	Not      rempart.Themes   // themes that none of them has
	Service  string           // name of the service notified, or host of an address, in any case; whole

	Behind string // reference of a case: those after its place, instead of After
	After  string // cursor from the previous page
	Limit  int    // default 50, at most 200
}

// A CaseRow is what the queue shows of a case.
type CaseRow struct {
	ID, Ref   string
	State     rempart.CaseState
	Priority  rempart.Priority
	Minor     bool
	Themes    rempart.Themes
	Items     int      // all
	Open      int      // items not settled
	Failed    int      // items whose notice failed
	Services  []string // names of the services notified, and hosts of the addresses that no notice is about
	Articles  []string // of proposed and confirmed qualifications
	Stops     int
	OpenedAt  time.Time
	UpdatedAt time.Time
	Assigned  rempart.Actor  // who works on it, "" for nobody
	Because   []rempart.Text // why it has its priority
}

// Queue returns cases by priority, then age (oldest first), and the cursor of
// the next page ("" when there is none).
func (db *DB) Queue(ctx context.Context, q QueueFilter) (rows []CaseRow, next string, err error) {
	limit := pageSize(q.Limit)
	at, err := parsePlace(q.After)
	if err != nil {
		return nil, "", err
	}
	if q.Behind != "" {
		err := db.r.QueryRowContext(ctx, "SELECT priority, opened_at, id FROM cases WHERE ref = $1", q.Behind).Scan(&at.priority, &at.micros, &at.id)
		if err != nil {
			return nil, "", db.explain(missing(err, "case"))
		}
	}
	args := []any{at.priority, at.micros, at.id, limit + 1}
	arg := func(v any) string {
		args = append(args, v)
		return "$" + strconv.Itoa(len(args))
	}
	traits, err := db.wanted(q)
	if err != nil {
		return nil, "", err
	}
	// The traits' table holds the order too: the first trait leads.
	lead, from, where := "cases.", "cases", ""
	key := "cases.priority, cases.opened_at, cases.id"
	if len(traits) > 0 {
		lead, from = "l.", "case_traits l CROSS JOIN cases" // CROSS: SQLite reads them in this order
		key = "l.priority, l.opened_at, l.case_id"
		where = " AND cases.id = l.case_id AND l.trait = " + arg(traits[0]) + hasTraits("l.case_id", traits[1:], arg)
	}
	if q.Priority > 0 {
		where += " AND " + lead + "priority = " + arg(int64(q.Priority))
	}
	// Each state is read from its own part of the index, so that many closed
	// cases do not slow the queue of the open ones.
	states := unique(words(q.States))
	if len(states) == 0 {
		states = words(rempart.CaseStates)
	}
	// Without a trait that leads, each set of themes is read from its own part of
	// an index too, so that a page of a rare one does not pass all the others.
	sets := []string{""}
	if q.Not != 0 && len(traits) > 0 {
		sets = []string{notThemes("cases.themes", q.Not, arg)}
	} else if q.Not != 0 {
		sets = nil
		for _, set := range themesBut(q.Not) {
			sets = append(sets, " AND cases.themes = "+arg(int64(set)))
		}
	}
	var parts []string
	for _, s := range states {
		for _, themes := range sets {
			parts = append(parts, "SELECT * FROM (SELECT "+queueCols("cases.")+" FROM "+from+" WHERE ("+key+") > ($1, $2, $3)"+where+themes+" AND "+lead+"state = "+arg(s)+" ORDER BY "+key+" LIMIT $4) AS part")
		}
	}
	if len(parts) == 0 { // nothing but what is left out
		return nil, "", nil
	}
	found, err := db.r.QueryContext(ctx, "SELECT * FROM ("+strings.Join(parts, " UNION ALL ")+") AS queue ORDER BY priority, opened_at, id LIMIT $4", args...)
	rows, err = collect(found, err, func(s scanner) (CaseRow, error) { return db.scanCaseRow(s) })
	if err != nil {
		return nil, "", db.explain(fmt.Errorf("store: queue: %w", err))
	}
	if len(rows) > limit {
		rows = rows[:limit]
		r := rows[limit-1]
		next = place{int64(r.Priority), micros(r.OpenedAt), r.ID}.String()
	}
	return rows, next, nil
}

// queueCols are the columns of a CaseRow, of the table that prefix names.
func queueCols(prefix string) string {
	return prefix + strings.Join([]string{"id", "ref", "state", "priority", "themes", "minor", "items", "unsettled", "failed", "stops", "summary", "articles", "opened_at", "updated_at"}, ", "+prefix) +
		", " + keyColumn(boxCase, prefix+"id") + " AS wrapped"
}

// scanCaseRow reads queueCols, then the columns after them into more.
func (db *DB) scanCaseRow(s scanner, more ...any) (r CaseRow, err error) {
	var opened, updated int64
	var box, wrapped []byte
	if err := s.Scan(append([]any{&r.ID, &r.Ref, &r.State, &r.Priority, &r.Themes, &r.Minor, &r.Items, &r.Open, &r.Failed, &r.Stops, &box, texts{&r.Articles}, &opened, &updated, &wrapped}, more...)...); err != nil {
		return r, err
	}
	r.OpenedAt, r.UpdatedAt = fromMicros(opened), fromMicros(updated)
	key, err := db.unwrap(wrapped, boxCase, r.ID)
	if err != nil {
		return r, err
	}
	var h hidden
	if err := unsealed(key, box, "summary", r.ID, &h, decode); err != nil {
		return r, fmt.Errorf("case %s: %w", r.ID, err)
	}
	r.Services, r.Assigned, r.Because = h.Services, h.Assigned, h.Because
	return r, nil
}

// CaseCounts returns the number of cases by state. A state without a case is
// left out.
func (db *DB) CaseCounts(ctx context.Context) (map[rempart.CaseState]int, error) {
	out := map[rempart.CaseState]int{}
	rows, err := db.r.QueryContext(ctx, "SELECT state, sum(n) FROM case_counts GROUP BY state HAVING sum(n) <> 0")
	_, err = collect(rows, err, func(s scanner) (_ int, err error) {
		var state rempart.CaseState
		var n int
		err = s.Scan(&state, &n)
		out[state] = n
		return n, err
	})
	if err != nil {
		return nil, db.explain(fmt.Errorf("store: counting cases: %w", err))
	}
	return out, nil
}

// A place is where a page of a queue ended.
type place struct {
	priority, micros int64
	id               string
}

func (p place) String() string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d.%d.%s", p.priority, p.micros, p.id))
}

// parsePlace reads a place; "" is before everything.
func parsePlace(s string) (place, error) {
	if s == "" {
		return place{priority: -1}, nil
	}
	bad := &rempart.Error{Kind: rempart.Invalid, Field: "after", Code: "page.cursor", Public: "This page's address is not one we gave. Begin again at the first page."}
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return place{}, bad
	}
	f := strings.SplitN(string(b), ".", 3)
	if len(f) != 3 {
		return place{}, bad
	}
	p, err1 := strconv.ParseInt(f[0], 10, 64)
	m, err2 := strconv.ParseInt(f[1], 10, 64)
	if err1 != nil || err2 != nil || strings.ContainsRune(f[2], 0) {
		return place{}, bad
	}
	return place{p, m, f[2]}, nil
}

// pageSize is the number of rows of a page: 50 if n is 0, at most 200.
func pageSize(n int) int {
	if n <= 0 {
		return 50
	}
	return min(n, 200)
}

func words[T ~string](in []T) []string {
	out := make([]string, len(in))
	for i, v := range in {
		out[i] = string(v)
	}
	return out
}
