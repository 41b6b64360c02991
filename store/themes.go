package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"rempart"
)

// themesBut returns every set of themes that a case can have and that shares
// none with not.
func themesBut(not rempart.Themes) (out []rempart.Themes) {
	for set := rempart.Themes(1); set < 1<<len(rempart.AllThemes); set++ {
		other := set.Has(rempart.ThemeOther) && len(set.List()) > 1
		both := set.Has(rempart.ThemeMinors) && set.Has(rempart.ThemeIntimate)
		if set&not == 0 && !other && !both {
			out = append(out, set)
		}
	}
	return out
}

// notThemes is the condition that a column of themes shares none with not.
func notThemes(column string, not rempart.Themes, arg func(any) string) string {
	return " AND (" + column + " & " + arg(int64(not)) + ") = 0"
}

// CaseThemes returns the themes of the case with a reference.
func (db *DB) CaseThemes(ctx context.Context, ref string) (s rempart.Themes, err error) {
	if err := db.r.QueryRowContext(ctx, "SELECT themes FROM cases WHERE ref = $1", ref).Scan(&s); err != nil {
		return 0, db.explain(missing(err, "case"))
	}
	return s, nil
}

// Spared returns the themes whose cases are not offered to a member: those
// outside her groups, and those that she left out.
func (db *DB) Spared(ctx context.Context, m rempart.Staff) (rempart.Themes, error) {
	r, err := db.Rest(ctx, m.ID)
	return m.Barred() | r.Without, err
}

// spare keeps a case from being with somebody who does not work on one of its
// themes: who is given it now is refused, who had it gives it back. before is who
// had it.
func (t *tx) spare(c *rempart.Case, before *rempart.Assignment) error {
	if c.Assigned == nil || c.State == rempart.CaseClosed {
		return nil
	}
	m, err := scanDoc[rempart.Staff](t.row("SELECT doc FROM staff WHERE id = $1", c.Assigned.StaffID))
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("store: who has case %s: %w", c.ID, err)
	}
	var without string
	err = t.row("SELECT without FROM rests WHERE staff_id = $1", m.ID).Scan(&without)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("store: who has case %s: %w", c.ID, err)
	}
	if c.Facts.Themes()&(m.Barred()|rempart.ThemesOf(strings.Fields(without)...)) == 0 {
		return nil
	}
	if before == nil || before.StaffID != m.ID {
		return rempart.ErrOutside()
	}
	return c.GiveBack(rempart.ActorSystem, t.now)
}

// Release gives back every case of a member that has a theme she does not work on
// any more, and returns how many. It may be run again after a failure; each
// change of such a case does the same.
func (db *DB) Release(ctx context.Context, m rempart.Staff) (n int, err error) {
	not, err := db.Spared(ctx, m)
	if err != nil || not == 0 {
		return 0, err
	}
	rows, err := db.r.QueryContext(ctx, "SELECT c.id FROM case_traits x JOIN cases c ON c.id = x.case_id WHERE x.trait = $1 AND c.state <> 'closed' AND (c.themes & $2) <> 0", traitWith+m.ID, int64(not))
	ids, err := collect(rows, err, func(s scanner) (id string, err error) { return id, s.Scan(&id) })
	if err != nil {
		return 0, db.explain(fmt.Errorf("store: cases of staff %s: %w", m.ID, err))
	}
	for _, id := range ids {
		// spare does it; by then the case may be with somebody else.
		if err := db.UpdateCase(ctx, id, "", func(*rempart.Case) error { return nil }); err != nil && rempart.KindOf(err) != rempart.NotFound {
			return n, err
		}
		n++
	}
	return n, nil
}

// themesOld gives the cases of an older version their themes.
func (t *tx) themesOld() error {
	var done string
	err := t.row("SELECT value FROM meta WHERE name = 'themes'").Scan(&done)
	if err == nil {
		return nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("themes: %w", err)
	}
	for last := ""; ; {
		rows, err := t.Tx.QueryContext(t.ctx, "SELECT id FROM cases WHERE id > $1 ORDER BY id LIMIT 500", last)
		ids, err := collect(rows, err, func(s scanner) (id string, err error) { return id, s.Scan(&id) })
		if err != nil {
			return fmt.Errorf("themes: %w", err)
		}
		for _, id := range ids {
			c, _, err := t.loadCase(id, "", decode)
			var broken *rempart.Error
			if errors.As(err, &broken) && broken.Code == "case.erased" {
				continue // what is left of it is about to be deleted
			}
			if err != nil {
				return err
			}
			if _, err := t.exec("UPDATE cases SET themes = $1 WHERE id = $2", int64(c.Facts.Themes()), id); err != nil {
				return fmt.Errorf("themes of case %s: %w", id, err)
			}
		}
		if len(ids) == 0 {
			return t.setMeta("themes", "1")
		}
		last = ids[len(ids)-1]
	}
}
