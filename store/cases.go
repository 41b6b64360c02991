package store

import (
	"bytes"
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"rempart"
	"rempart/keyring"
)

// A Submission is a report ready to be saved with the case it opens.
type Submission struct {
	Report   rempart.Report
	Case     *rempart.Case
	CodeHash string // CaseCode.Hash
	Key      string // idempotency key, hashed before it is kept; "" for none
	Body     string // digest (keyed) of what was sent, compared when Key is seen again
}

// Submit saves a report, its case, items, entries, event and first job in one
// transaction. When Key was seen before with the same Body it saves nothing and
// returns the report as it was saved then and its case as it is now
// (created=false); with another Body it is a rempart.Conflict with code
// "report.key_reused". It takes the case's consequences, even if it fails: to
// try again, open the case again.
func (db *DB) Submit(ctx context.Context, s Submission) (r rempart.Report, c *rempart.Case, created bool, err error) {
	if s.Case == nil || s.Report.ID == "" || s.Case.ID == "" || s.Report.CaseID != s.Case.ID {
		return r, nil, false, errors.New("store: submit: the report and the case do not belong together")
	}
	todo := s.Case.TakeConsequences()
	if len(todo.Events) == 0 {
		return r, nil, false, fmt.Errorf("store: case %s: %w", s.Case.ID, errNoEvent)
	}
	err = db.write(ctx, func(t *tx) error {
		if s.Key != "" {
			earlier, err := t.reportByKey(s)
			if err != nil {
				return err
			}
			if earlier != nil {
				r, created = *earlier, false
				c, _, err = t.loadCase(r.CaseID, "", decode)
				return err
			}
		}
		saved := *s.Case
		saved.Version = 1
		key, err := t.newKey(boxCase, saved.ID)
		if err != nil {
			return err
		}
		if err := t.insertCase(&saved, key, s.CodeHash); err != nil {
			return err
		}
		doc, err := sealed(key, s.Report, "report", s.Report.ID)
		if err != nil {
			return err
		}
		if _, err := t.exec("INSERT INTO reports (id, case_id, doc) VALUES ($1, $2, $3)", s.Report.ID, s.Case.ID, doc); err != nil {
			return fmt.Errorf("store: report %s: %w", s.Report.ID, err)
		}
		if err := t.counted(lastOf(todo.Events, t.now), saved.Tally().Since(nil)); err != nil {
			return err
		}
		r, c, created = s.Report, &saved, true
		return t.save(todo)
	})
	if err != nil {
		return rempart.Report{}, nil, false, err
	}
	return r, c, created, nil
}

// reportByKey returns the report that was sent under s.Key before, or notes the
// key and returns nil. Of two transactions with one key, the second waits here
// for the end of the first.
func (t *tx) reportByKey(s Submission) (*rempart.Report, error) {
	hash := t.db.keyed("idempotency", s.Key)
	n, err := t.exec("INSERT INTO report_keys (hash, body, report_id) VALUES ($1, $2, $3) ON CONFLICT (hash) DO NOTHING", hash, s.Body, s.Report.ID)
	if err != nil {
		return nil, fmt.Errorf("store: key of report %s: %w", s.Report.ID, err)
	}
	if n == 1 {
		return nil, nil
	}
	var body, id, caseID string
	var doc, wrapped []byte
	err = t.row("SELECT k.body, r.id, r.case_id, r.doc, "+keyColumn(boxCase, "r.case_id")+" FROM report_keys k JOIN reports r ON r.id = k.report_id WHERE k.hash = $1", hash).Scan(&body, &id, &caseID, &doc, &wrapped)
	if err != nil {
		return nil, missing(err, "report")
	}
	if subtle.ConstantTimeCompare([]byte(body), []byte(s.Body)) == 0 {
		return nil, &rempart.Error{Kind: rempart.Conflict, Code: "report.key_reused",
			Public: "This idempotency key was used before, for another report. Send this one under a new key."}
	}
	key, err := t.db.unwrap(wrapped, boxCase, caseID)
	if err != nil {
		return nil, err
	}
	var r rempart.Report
	if err := unsealed(key, doc, "report", id, &r, decode); err != nil {
		return nil, fmt.Errorf("store: report %s: %w", id, err)
	}
	return &r, nil
}

// caseColumns are what readCase reads.
var caseColumns = "id, doc, version, " + keyColumn(boxCase, "cases.id")

// Case returns the case with an identifier.
func (db *DB) Case(ctx context.Context, id string) (*rempart.Case, error) {
	return db.caseBy(ctx, "SELECT "+caseColumns+" FROM cases WHERE id = $1", id)
}

// CaseByRef returns the case with a reference, such as "7F3K-9QXM".
func (db *DB) CaseByRef(ctx context.Context, ref string) (*rempart.Case, error) {
	return db.caseBy(ctx, "SELECT "+caseColumns+" FROM cases WHERE ref = $1", ref)
}

// CaseByCode returns the case that a person's code opens, by CaseCode.Hash.
func (db *DB) CaseByCode(ctx context.Context, codeHash string) (*rempart.Case, error) {
	return db.caseBy(ctx, "SELECT "+caseColumns+" FROM cases WHERE id = (SELECT case_id FROM case_codes WHERE hash = $1)", codeHash)
}

// CaseByNotice returns the case that a notice is of.
func (db *DB) CaseByNotice(ctx context.Context, noticeID string) (*rempart.Case, error) {
	return db.caseBy(ctx, "SELECT "+caseColumns+" FROM cases WHERE id = (SELECT case_id FROM case_notices WHERE notice_id = $1)", noticeID)
}

func (db *DB) caseBy(ctx context.Context, query, arg string) (*rempart.Case, error) {
	c, _, err := db.readCase(db.r.QueryRowContext(ctx, query, arg), decode)
	return c, db.explain(err)
}

func (t *tx) loadCase(id, lock string, decode func([]byte, any) error) (*rempart.Case, keyring.Key, error) {
	return t.db.readCase(t.row("SELECT "+caseColumns+" FROM cases WHERE id = $1"+lock, id), decode)
}

func (db *DB) readCase(s scanner, decode func([]byte, any) error) (*rempart.Case, keyring.Key, error) {
	var id string
	var doc, wrapped []byte
	var version int64
	if err := s.Scan(&id, &doc, &version, &wrapped); err != nil {
		return nil, keyring.Key{}, missing(err, "case")
	}
	key, err := db.unwrap(wrapped, boxCase, id)
	if err != nil {
		return nil, key, err
	}
	c := new(rempart.Case)
	if err := unsealed(key, doc, "case", id, c, decode); err != nil {
		return nil, key, fmt.Errorf("store: case %s: %w", id, err)
	}
	c.Version = version
	return c, key, nil
}

// errNoEvent is a mistake in a program: what changed a case or an intake did not
// say so to the ledger.
var errNoEvent = errors.New("it was changed without an event")

// UpdateCase loads a case, lets f change it, and saves the case with its
// consequences in one transaction. once, if not empty, is a key that may be
// spent once: if it was spent before, nothing is done and ErrAlready returned.
//
// f holds the case (in SQLite, the whole database) while it runs: it must be
// quick and must not call the store. It may be run again, on the case as it
// then is. A change without an event is refused.
func (db *DB) UpdateCase(ctx context.Context, id, once string, f func(*rempart.Case) error) error {
	return db.write(ctx, func(t *tx) error {
		if err := t.spend(once); err != nil {
			return err
		}
		return t.changeCase(id, f)
	})
}

// changeCase is UpdateCase as a part of a transaction.
func (t *tx) changeCase(id string, f func(*rempart.Case) error) error {
	c, key, err := t.loadCase(id, t.db.forUpdate, decodeWhole)
	if err != nil {
		return err
	}
	before, err := encode(c)
	if err != nil {
		return err
	}
	was, found, tally := *c, terms(c), c.Tally()
	traits, err := t.traits(c)
	if err != nil {
		return err
	}
	notices := len(c.Notices)
	days := dayTally(c)
	items, taken := places(c)
	clocks, err := encode(c.Clocks)
	if err != nil {
		return err
	}
	rechecks := t.planned(c)
	if err := f(c); err != nil {
		return err
	}
	if err := t.spare(c, was.Assigned); err != nil {
		return err
	}
	if err := t.wind(c); err != nil {
		return err
	}
	c.Watch(t.now)
	after, err := encode(c)
	if err != nil {
		return err
	}
	todo := c.TakeConsequences()
	switch {
	case c.ID != was.ID || c.Ref != was.Ref || c.Version != was.Version || len(c.Notices) < notices:
		return fmt.Errorf("store: case %s: its identifier, reference or version was changed, or a notice removed", id)
	case !bytes.Equal(before, after) && len(todo.Events) == 0:
		return fmt.Errorf("store: case %s: %w", id, errNoEvent)
	case !bytes.Equal(before, after):
		if err := t.updateCase(c, key, notices); err != nil {
			return err
		}
		if err := t.index(c, found); err != nil {
			return err
		}
		if err := t.count(id, was.State, c.State); err != nil {
			return err
		}
		if err := t.clocks(c, clocks); err != nil {
			return err
		}
		if err := t.saveTally(id, days, dayTally(c)); err != nil {
			return err
		}
		if err := t.saveService(service(c, items, taken)); err != nil {
			return err
		}
		if err := t.rechecks(c, rechecks); err != nil {
			return err
		}
		if c.State != was.State || c.Priority != was.Priority {
			traits = nil
		}
		if err := t.saveTraits(c, traits); err != nil {
			return err
		}
		if err := t.counted(lastOf(todo.Events, t.now), append(c.Tally().Since(tally), c.Happened(todo.Events)...)); err != nil {
			return err
		}
	}
	return t.save(todo)
}

// columns returns what the table holds of a case beside its identifier,
// reference and version, in the order of insertCase and updateCase.
func columns(c *rempart.Case, key keyring.Key) ([]any, error) {
	row := summary(c)
	services, err := sealed(key, hide(c), "summary", c.ID)
	if err != nil {
		return nil, err
	}
	articles, err := encode(row.Articles)
	if err != nil {
		return nil, err
	}
	doc, err := sealed(key, c, "case", c.ID)
	if err != nil {
		return nil, err
	}
	minor := 0
	if row.Minor {
		minor = 1
	}
	held := 0
	if c.Hold != nil {
		held = 1
	}
	kept := string(c.RetentionClass())
	if c.Following() {
		kept = followed
	}
	return []any{kept, micros(c.Closed()), held, string(row.State), int64(row.Priority), int64(row.Themes), minor, row.Items, row.Open, row.Failed, row.Stops,
		services, string(articles), micros(row.OpenedAt), micros(row.UpdatedAt), doc}, nil
}

func (t *tx) insertCase(c *rempart.Case, key keyring.Key, codeHash string) error {
	cols, err := columns(c, key)
	if err != nil {
		return err
	}
	if _, err := t.exec(`INSERT INTO cases (kept, closed_at, held, state, priority, themes, minor, items, unsettled, failed, stops, summary, articles, opened_at, updated_at, doc, id, ref, version)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)`, append(cols, c.ID, c.Ref, c.Version)...); err != nil {
		return fmt.Errorf("store: case %s: %w", c.ID, err)
	}
	if codeHash != "" {
		if _, err := t.exec("INSERT INTO case_codes (hash, case_id) VALUES ($1, $2)", codeHash, c.ID); err != nil {
			return fmt.Errorf("store: code of case %s: %w", c.ID, err)
		}
	}
	if err := t.count(c.ID, "", c.State); err != nil {
		return err
	}
	if err := t.addFigures(c); err != nil {
		return err
	}
	if err := t.index(c, nil); err != nil {
		return err
	}
	if err := t.saveTraits(c, nil); err != nil {
		return err
	}
	return t.notices(c, 0)
}

// count moves a case from one state's count to another's; "" is none. The lower
// state goes first, so that two transactions never wait for each other.
func (t *tx) count(id string, from, to rempart.CaseState) error {
	if from == to {
		return nil
	}
	steps := []struct {
		state rempart.CaseState
		by    int
	}{{from, -1}, {to, 1}}
	if to < from {
		slices.Reverse(steps)
	}
	for _, s := range steps {
		if s.state == "" {
			continue
		}
		if _, err := t.exec("INSERT INTO case_counts (state, part, n) VALUES ($1, $2, $3) ON CONFLICT (state, part) DO UPDATE SET n = case_counts.n + excluded.n",
			string(s.state), int64(id[len(id)-1]%16), s.by); err != nil {
			return fmt.Errorf("store: counting case %s: %w", id, err)
		}
	}
	return nil
}

func (t *tx) updateCase(c *rempart.Case, key keyring.Key, notices int) error {
	c.Version++
	cols, err := columns(c, key)
	if err != nil {
		return err
	}
	n, err := t.exec(`UPDATE cases SET kept = $1, closed_at = $2, held = $3, state = $4, priority = $5, themes = $6, minor = $7, items = $8, unsettled = $9, failed = $10, stops = $11,
		summary = $12, articles = $13, opened_at = $14, updated_at = $15, doc = $16, version = $18 + 1 WHERE id = $17 AND version = $18`,
		append(cols, c.ID, c.Version-1)...)
	if err != nil {
		return fmt.Errorf("store: case %s: %w", c.ID, err)
	}
	if n != 1 {
		return &rempart.Error{Kind: rempart.Conflict, Code: "case.changed", Public: "This case changed meanwhile. Look at it again, then repeat what you did."}
	}
	return t.notices(c, notices)
}

// notices notes which case the notices from the given one on are of.
func (t *tx) notices(c *rempart.Case, from int) error {
	for _, n := range c.Notices[from:] {
		if _, err := t.exec("INSERT INTO case_notices (notice_id, case_id) VALUES ($1, $2)", n.ID, c.ID); err != nil {
			return fmt.Errorf("store: notice %s: %w", n.ID, err)
		}
	}
	return nil
}

// summary returns what the queue shows of a case.
func summary(c *rempart.Case) CaseRow {
	row := CaseRow{ID: c.ID, Ref: c.Ref, State: c.State, Priority: c.Priority, Minor: c.Facts.Minor(), Themes: c.Facts.Themes(), Items: len(c.Items),
		OpenedAt: c.OpenedAt, UpdatedAt: c.UpdatedAt, Services: []string{}, Articles: []string{}}
	noticed := map[string]bool{}
	for _, n := range c.Notices {
		if n.State == rempart.NoticeCancelled {
			continue
		}
		row.Services = append(row.Services, n.ServiceName)
		for _, i := range n.Items {
			noticed[i.ID] = true
		}
	}
	for _, i := range c.Items {
		if !i.State.Settled() {
			row.Open++
		}
		if i.State == rempart.ItemFailed {
			row.Failed++
		}
		row.Stops += i.Stops
		if u, err := url.Parse(i.Address); err == nil && u.Hostname() != "" && !noticed[i.ID] {
			row.Services = append(row.Services, u.Hostname())
		}
	}
	for _, q := range c.Quals {
		if q.State != rempart.QualificationRejected {
			row.Articles = append(row.Articles, q.Article)
		}
	}
	row.Services, row.Articles = unique(row.Services), unique(row.Articles)
	return row
}

// unique drops repeated strings and keeps the order of the others.
func unique(s []string) []string {
	out := s[:0]
	for _, v := range s {
		if v != "" && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// texts reads a column with a JSON list of texts.
type texts struct{ to *[]string }

func (t texts) Scan(v any) error {
	switch v := v.(type) {
	case string:
		return json.Unmarshal([]byte(v), t.to)
	case []byte:
		return json.Unmarshal(v, t.to)
	}
	return fmt.Errorf("store: %T is no list of texts", v)
}
