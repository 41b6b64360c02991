package web

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"rempart"
)

// inviteLife is how long a sign-in link given to somebody is good for.
const inviteLife = 24 * time.Hour

// A staffView is the staff as an administrator changes it.
type staffView struct {
	Members []memberView
	Roles   []rempart.StaffRole
	Invite  inviteView
	Link    string // a one-time link, shown once
	LinkFor string
	Remarks []remark
}

// memberView is one member, and the rights that she may be granted.
type memberView struct {
	rempart.Staff
	Self   bool
	Proofs int  // second factors
	Linked bool // signs in at the identity provider
	Grants []grantView
	Themes []workThemeView
}

// A workThemeView is a theme, and whether a member works on it.
type workThemeView struct {
	Theme rempart.Theme
	Held  bool
}

type grantView struct {
	Right rempart.Right
	Held  bool
}

// inviteView is the form of an invitation as it was typed.
type inviteView struct{ Login, Alias, Role string }

func (s *Server) staffAdmin(w http.ResponseWriter, r *http.Request) {
	s.staffPage(w, r, http.StatusOK, staffView{})
}

func (s *Server) staffPage(w http.ResponseWriter, r *http.Request, status int, v staffView) {
	self, _ := staffOf(r)
	all, err := s.DB.AllStaff(r.Context())
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	linked, err := s.DB.Accounts(r.Context())
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	slices.SortFunc(all, func(a, b rempart.Staff) int { return strings.Compare(a.Login, b.Login) })
	for _, m := range all {
		factors, err := s.DB.Factors(r.Context(), m.ID)
		if err != nil {
			s.fail(w, r, "console", err)
			return
		}
		row := memberView{Staff: m, Self: m.ID == self.ID, Proofs: len(factors), Linked: !linked[m.ID].IsZero()}
		for _, g := range rempart.Grantable {
			if !slices.Contains(m.Role.Rights(), g) && slices.Contains(m.Role.Rights(), rempart.RightRead) {
				row.Grants = append(row.Grants, grantView{g, slices.Contains(m.Grants, g)})
			}
		}
		if slices.Contains(m.Role.Rights(), rempart.RightRead) {
			for _, t := range rempart.AllThemes {
				row.Themes = append(row.Themes, workThemeView{t, m.Groups.Has(t)})
			}
		}
		v.Members = append(v.Members, row)
	}
	v.Roles = rempart.StaffRoles
	p := s.consolePage(r)
	p.Title, p.Data = p.T("staff.title"), v
	s.render(w, r, status, "console/staff", p)
}

func (s *Server) staffInvite(w http.ResponseWriter, r *http.Request) {
	if err := s.form(w, r); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	in := inviteView{strings.TrimSpace(r.PostForm.Get("login")), strings.TrimSpace(r.PostForm.Get("alias")), r.PostForm.Get("role")}
	m := rempart.Staff{ID: rempart.NewID(s.Now()), Login: in.Login, Alias: rempart.Actor(in.Alias), Role: rempart.StaffRole(in.Role), CreatedAt: s.Now()}
	err := m.Check()
	if err == nil {
		err = s.DB.PutStaff(r.Context(), m, "", s.staffEvent(r, "staff.added", m.ID, "role", in.Role))
	}
	var link string
	if err == nil {
		link, err = s.newLink(r, m.ID)
	}
	switch rempart.KindOf(err) {
	case rempart.Invalid, rempart.Conflict:
		s.staffPage(w, r, statusOf(err), staffView{Invite: in, Remarks: remarksOf(s.consolePage(r), err)})
		return
	}
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	s.staffPage(w, r, http.StatusCreated, staffView{Link: link, LinkFor: in.Login})
}

// staffEvent is an administrator's act on a member.
func (s *Server) staffEvent(r *http.Request, kind, id string, data ...string) rempart.Event {
	by, _ := staffOf(r)
	e := rempart.Event{Kind: kind, Subject: id, Actor: by.Alias, At: s.Now(), Data: map[string]string{}}
	for k := 0; k+1 < len(data); k += 2 {
		e.Data[data[k]] = data[k+1]
	}
	return e
}

func (s *Server) staffChange(w http.ResponseWriter, r *http.Request) {
	if err := s.form(w, r); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	ctx, self := r.Context(), sessionOf(r)
	all, err := s.DB.AllStaff(ctx)
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	at := slices.IndexFunc(all, func(m rempart.Staff) bool { return m.ID == r.PathValue("id") })
	if at < 0 {
		s.fail(w, r, "console", &rempart.Error{Kind: rempart.NotFound, Code: "staff.missing", Public: "There is nobody by this name."})
		return
	}
	m, action := all[at], r.PostForm.Get("action")
	if m.ID == self.Staff.ID && (action == "disable" || action == "change") {
		err := &rempart.Error{Kind: rempart.Conflict, Code: "staff.self", Public: "Nobody takes away her own role: ask another administrator."}
		s.staffPage(w, r, statusOf(err), staffView{Remarks: remarksOf(s.consolePage(r), err)})
		return
	}
	link := ""
	switch action {
	case "change":
		m.Role, m.Grants = rempart.StaffRole(r.PostForm.Get("role")), nil
		for _, g := range r.PostForm["grant"] {
			m.Grants = append(m.Grants, rempart.Right(g))
		}
		m.Groups = rempart.ThemesOf(r.PostForm["theme"]...)
		if m.Groups == rempart.ThemesOf(rempart.AllThemes...) {
			m.Groups = 0 // none left out, nor one that a later version adds
		}
		if err = m.Check(); err == nil {
			err = s.DB.PutStaff(ctx, m, "", s.staffEvent(r, "staff.changed", m.ID, "role", string(m.Role), "grants", strings.Join(r.PostForm["grant"], " "), "groups", joined(m.Groups)))
		}
		if err == nil {
			_, err = s.DB.Release(ctx, m)
		}
	case "disable":
		m.DisabledAt = s.Now()
		err = s.DB.PutStaff(ctx, m, "", s.staffEvent(r, "staff.disabled", m.ID))
	case "enable":
		m.DisabledAt = time.Time{}
		err = s.DB.PutStaff(ctx, m, "", s.staffEvent(r, "staff.enabled", m.ID))
	case "reset":
		_, err = s.DB.RemoveFactors(ctx, m.ID, "", s.staffEvent(r, "staff.factors_reset", m.ID))
	case "unlink":
		if _, err = s.DB.UnlinkAccount(ctx, m.ID, s.staffEvent(r, "staff.account_removed", m.ID)); err == nil {
			_, err = s.DB.EndOtherSessions(ctx, m.ID, "")
		}
	case "link":
		if err = s.DB.Commit(ctx, "", rempart.Consequences{Events: []rempart.Event{s.staffEvent(r, "staff.link", m.ID)}}); err == nil {
			link, err = s.newLink(r, m.ID)
		}
	default:
		s.unknownAction(w, r)
		return
	}
	switch rempart.KindOf(err) {
	case rempart.Invalid, rempart.Conflict, rempart.Forbidden:
		s.staffPage(w, r, statusOf(err), staffView{Remarks: remarksOf(s.consolePage(r), err)})
		return
	}
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	if link != "" {
		s.staffPage(w, r, http.StatusOK, staffView{Link: link, LinkFor: m.Login})
		return
	}
	done(w, r, "/console/admin/staff", "staff_changed")
}

// An auditView is who looked at what, newest first.
type auditView struct {
	Rows  []auditRow
	Next  string
	First string
}

type auditRow struct {
	rempart.Event
	What string
}

// accessKinds are the kinds of events that the page lists.
var accessKinds = []string{
	"case.viewed", "intake.viewed", "case.searched", "mails.viewed", "mail.filed", "mail.dropped", "access.refused", "staff.signed_in", "staff.factor_refused", "staff.factor_added", "staff.factor_removed",
	"staff.oidc_refused", "staff.account_linked", "staff.account_removed",
	"staff.added", "staff.changed", "staff.disabled", "staff.enabled", "staff.link", "staff.factors_reset", "staff.password",
	"rest.least_changed",
}

func (s *Server) audit(w http.ResponseWriter, r *http.Request) {
	events, next, err := s.DB.EventsOf(r.Context(), accessKinds, r.URL.Query().Get("after"), 100)
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	p := s.consolePage(r)
	var v auditView
	for _, e := range events {
		what := cmp.Or(e.Data["what"], e.Subject)
		if e.Kind == "staff.oidc_refused" {
			what = p.T("oidc.why." + e.Data["what"])
		}
		v.Rows = append(v.Rows, auditRow{e, what})
	}
	v.Next, v.First = turn(r, p, next)
	p.Title, p.Data = p.T("audit.title"), v
	s.render(w, r, http.StatusOK, "console/audit", p)
}
