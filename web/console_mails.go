package web

import (
	"net/http"
	"regexp"
	"slices"
	"time"

	"rempart"
)

// A mailsView is the e-mails of which nobody knows yet what they are about.
type mailsView struct {
	Mails   []mailRow
	Total   int
	Remarks []remark
}

// A mailRow is one e-mail, and the case it may be about.
type mailRow struct {
	rempart.Mail
	Until   string // when it is erased
	Ref     string // as typed, or as it stands in the e-mail
	Notices []mailNotice
	Remarks []remark
}

// A mailNotice is a notice that an e-mail can be filed on.
type mailNotice struct{ ID, Label string }

// mailsShown is how many e-mails a page shows; the others follow as these are
// filed.
const mailsShown = 30

var refInMail = regexp.MustCompile(`\b[0-9A-Z]{4}-[0-9A-Z]{4}\b`)

func (s *Server) mails(w http.ResponseWriter, r *http.Request) {
	s.mailsPage(w, r, http.StatusOK, mailRow{})
}

func (s *Server) mailsPage(w http.ResponseWriter, r *http.Request, status int, typed mailRow) {
	all, err := s.DB.Mails(r.Context(), mailsShown)
	v := mailsView{Remarks: typed.Remarks}
	if err == nil {
		v.Total, err = s.DB.CountMails(r.Context())
	}
	if err == nil {
		err = s.viewed(r, "mails.viewed", "mails", "mails")
	}
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	p := s.consolePage(r)
	for _, m := range all {
		x := mailRow{Mail: m, Until: s.mailUntil(p, m), Ref: refInMail.FindString(m.Subject)}
		if x.Ref == "" {
			x.Ref = refInMail.FindString(m.Text)
		}
		if m.ID == typed.ID {
			x.Ref, x.Notices, x.Remarks = typed.Ref, typed.Notices, typed.Remarks
		}
		v.Mails = append(v.Mails, x)
	}
	p.Title, p.Data = p.T("mails.title"), v
	s.render(w, r, status, "console/mails", p)
}

// mailUntil says when an e-mail that nobody has filed is erased.
func (s *Server) mailUntil(p page, m rempart.Mail) string {
	at, ok := rempart.MailEraseAt(m, s.Flow.Retention)
	switch {
	case !ok:
		return p.T("mails.keep.endless")
	case !at.After(s.Now()):
		return p.T("mails.keep.due")
	}
	left := int((at.Sub(s.Now()) + 24*time.Hour - 1) / (24 * time.Hour))
	return p.N("mails.keep", left, p.Date(at))
}

// mailsPost puts aside the e-mails that were ticked. What somebody else has seen
// to meanwhile is passed over.
func (s *Server) mailsPost(w http.ResponseWriter, r *http.Request) {
	if err := s.form(w, r); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	m, _ := staffOf(r)
	ids := r.PostForm["id"]
	if len(ids) == 0 || len(ids) > mailsShown {
		err := &rempart.Error{Kind: rempart.Invalid, Field: "id", Code: "mail.none", Public: "Tick the e-mails that are to be put aside."}
		s.mailsPage(w, r, statusOf(err), mailRow{Remarks: remarksOf(s.consolePage(r), err)})
		return
	}
	for _, id := range ids {
		if err := s.DB.DropMail(r.Context(), id, m.Alias, s.Now()); err != nil && rempart.KindOf(err) != rempart.NotFound {
			s.fail(w, r, "console", err)
			return
		}
	}
	done(w, r, "/console/mails", "mails_dropped")
}

// mailPost files an e-mail on a notice, or drops it.
func (s *Server) mailPost(w http.ResponseWriter, r *http.Request) {
	if err := s.form(w, r); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	m, _ := staffOf(r)
	id := r.PathValue("id")
	switch r.PostForm.Get("action") {
	case "drop":
		if err := s.DB.DropMail(r.Context(), id, m.Alias, s.Now()); err != nil {
			s.fail(w, r, "console", err)
			return
		}
		done(w, r, "/console/mails", "mail_dropped")
	case "file":
		typed := mailRow{Mail: rempart.Mail{ID: id}, Ref: plainText(r.PostForm.Get("ref"))}
		c, notice, err := s.mailTarget(r, &typed)
		if err == nil {
			at := s.Now()
			err = s.DB.FileMail(r.Context(), id, c.ID, m.Alias, at, func(c *rempart.Case, m rempart.Mail) error { return c.TakeMail(notice, m, at) })
		}
		switch rempart.KindOf(err) {
		case rempart.Invalid, rempart.Conflict:
			typed.Remarks = remarksOf(s.consolePage(r), err)
			s.mailsPage(w, r, statusOf(err), typed)
			return
		}
		if err != nil {
			s.fail(w, r, "console", err)
			return
		}
		done(w, r, "/console/cases/"+c.Ref+"/notices/"+notice, "mail_filed")
	default:
		s.unknownAction(w, r)
	}
}

// mailTarget returns the case and the notice that a form names; where the case has
// several, the form comes back to choose one.
func (s *Server) mailTarget(r *http.Request, typed *mailRow) (*rempart.Case, string, error) {
	ref := rempart.ParseRef(typed.Ref)
	if ref == "" {
		ref = refInMail.FindString(typed.Ref)
	}
	c, err := s.DB.CaseByRef(r.Context(), ref)
	if rempart.KindOf(err) == rempart.NotFound && err != nil {
		return nil, "", &rempart.Error{Kind: rempart.Invalid, Field: "ref", Code: "mail.ref", Public: "There is no case with this number."}
	}
	if err != nil {
		return nil, "", err
	}
	if m, _ := staffOf(r); c.Facts.Themes()&m.Barred() != 0 {
		return nil, "", rempart.ErrOutside()
	}
	p := s.consolePage(r)
	for _, n := range c.Notices {
		if n.State != rempart.NoticeDraft {
			typed.Notices = append(typed.Notices, mailNotice{n.ID, p.T("mails.notice", n.ServiceName, p.Date(n.Since))})
		}
	}
	chosen := r.PostForm.Get("notice")
	switch {
	case len(typed.Notices) == 0:
		return nil, "", &rempart.Error{Kind: rempart.Conflict, Field: "ref", Code: "mail.no_notice", Public: "No notice of this case has left yet."}
	case len(typed.Notices) == 1:
		chosen = typed.Notices[0].ID
		typed.Notices = nil
	case !slices.ContainsFunc(typed.Notices, func(n mailNotice) bool { return n.ID == chosen }):
		return nil, "", &rempart.Error{Kind: rempart.Invalid, Field: "notice", Code: "mail.which", Public: "This case has several notices: say which one the e-mail is about."}
	}
	return c, chosen, nil
}

// On returns what is to be put right of one field, or nil.
func (m mailRow) On(field string) *remark { return remarkOn(m.Remarks, field) }

// Kilobytes says a size as the number of kilobytes, for templates.
func (p page) Kilobytes(n int64) int64 { return (n + 1023) / 1024 }
