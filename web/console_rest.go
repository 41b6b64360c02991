package web

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"rempart"
	"rempart/store"
)

// defaultPause is after how many minors' cases of a day a pause is proposed where
// the operator says nothing.
const defaultPause = 15

// A restView is what a member sees of her own day, and nobody else.
type restView struct {
	Today, Week store.Exposure
	Least       int // the association's: she can ask for less, not for more
	Minors      string
	Themes      []themeView
	Set         *leastView // who may set the association's number; nil: not she
	Mine        int        // cases that she has
	Remarks     []remark
}

// A themeView is a kind of case that she may choose not to be offered.
type themeView struct {
	Name    rempart.Theme
	Without bool
}

// today returns when the day and the week of a time began, in Paris.
func today(now time.Time) (day, week time.Time) {
	y, m, d := now.In(paris).Date()
	day = time.Date(y, m, d, 0, 0, 0, 0, paris)
	return day, day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
}

// pause is the sentence that proposes one, "" while there is no reason to.
func (s *Server) pause(ctx context.Context, p page) (string, error) {
	rest, err := s.DB.Rest(ctx, p.Staff.ID)
	if err != nil {
		return "", err
	}
	limit, err := s.least(ctx)
	if err != nil {
		return "", err
	}
	if rest.Minors > 0 {
		limit = min(limit, rest.Minors)
	}
	day, _ := today(s.Now())
	e, err := s.DB.Exposure(ctx, p.Staff.Alias, day)
	if err != nil || e.Minors < limit {
		return "", err
	}
	return p.N("rest.pause", e.Minors), nil
}

func (s *Server) restShow(w http.ResponseWriter, r *http.Request) {
	s.restPage(w, r, http.StatusOK, nil)
}

func (s *Server) restPage(w http.ResponseWriter, r *http.Request, status int, wrong error) {
	ctx, p := r.Context(), s.consolePage(r)
	var v restView
	day, week := today(s.Now())
	rest, err := s.DB.Rest(ctx, p.Staff.ID)
	if err == nil {
		v.Least, err = s.least(ctx)
	}
	if err == nil {
		v.Set, err = s.leastView(r)
	}
	if err == nil {
		v.Today, err = s.DB.Exposure(ctx, p.Staff.Alias, day)
	}
	if err == nil {
		v.Week, err = s.DB.Exposure(ctx, p.Staff.Alias, week)
	}
	if err == nil {
		err = s.mine(ctx, p.Staff.ID, func(string) error { v.Mine++; return nil })
	}
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	if rest.Minors > 0 {
		v.Minors = strconv.Itoa(rest.Minors)
	}
	for _, t := range (rempart.ThemesOf(rempart.AllThemes...) &^ p.Staff.Barred()).List() {
		v.Themes = append(v.Themes, themeView{t, rest.Without.Has(t)})
	}
	if wrong != nil {
		v.Remarks, v.Minors = remarksOf(p, wrong), r.PostForm.Get("minors")
	}
	p.Title, p.Data = p.T("rest.title"), v
	s.render(w, r, status, "console/rest", p)
}

// restPost saves what a member sets for herself. Her number can only be stricter
// than the association's.
func (s *Server) restPost(w http.ResponseWriter, r *http.Request) {
	if err := s.form(w, r); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	m, _ := staffOf(r)
	rest := store.Rest{Without: rempart.ThemesOf(r.PostForm["without"]...)}
	least, err := s.least(r.Context())
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	if x := plainText(r.PostForm.Get("minors")); x != "" {
		n, err := strconv.Atoi(x)
		if err != nil || n < 1 || n > least {
			s.restPage(w, r, http.StatusUnprocessableEntity, &rempart.Error{Kind: rempart.Invalid, Field: "minors", Code: "rest.minors", Args: []any{least},
				Public: "Give a number from 1 to " + strconv.Itoa(least) + ": it can be stricter than the association's, not laxer."})
			return
		}
		rest.Minors = n
	}
	if err = s.DB.SaveRest(r.Context(), m.ID, rest); err == nil {
		_, err = s.DB.Release(r.Context(), m)
	}
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	http.Redirect(w, r, withLang(r, "/console/rest?ok=rest_saved"), http.StatusSeeOther)
}

// endDay gives back the cases that a member has, if she wishes, ends her other
// sessions and signs her out.
func (s *Server) endDay(w http.ResponseWriter, r *http.Request) {
	err := s.form(w, r)
	in := sessionOf(r)
	if err == nil && r.PostForm.Get("back") == "yes" && in.Staff.May(rempart.RightWork) {
		var ids []string
		err = s.mine(r.Context(), in.Staff.ID, func(id string) error { ids = append(ids, id); return nil })
		for _, id := range ids {
			if err == nil {
				err = s.DB.UpdateCase(r.Context(), id, "", func(c *rempart.Case) error {
					if c.Assigned == nil || c.Assigned.StaffID != in.Staff.ID { // handed over meanwhile
						return nil
					}
					return c.GiveBack(in.Staff.Alias, s.Now())
				})
			}
		}
	}
	if err == nil {
		_, err = s.DB.EndOtherSessions(r.Context(), in.Staff.ID, in.token)
	}
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	s.signOut(w, r)
}

// mine calls f with each case that a member has and that is not closed.
func (s *Server) mine(ctx context.Context, staffID string, f func(id string) error) error {
	filter := store.QueueFilter{States: live, With: staffID, Limit: 200}
	for {
		rows, next, err := s.DB.Queue(ctx, filter)
		if err != nil {
			return err
		}
		for _, c := range rows {
			if err := f(c.ID); err != nil {
				return err
			}
		}
		if filter.After = next; next == "" {
			return nil
		}
	}
}
