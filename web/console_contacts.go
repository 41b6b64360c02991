package web

import (
	"errors"
	"net/http"
	"strconv"

	"rempart"
	"rempart/exchange"
)

// A contactsView is the contact book of services.
type contactsView struct {
	Services []rempart.Service
	Imported int
	Faults   []contactFault
	Columns  []string
}

// A contactFault is what is wrong with a file that was sent, in words.
type contactFault struct{ Row, Column, Text string }

func (s *Server) contacts(w http.ResponseWriter, r *http.Request) {
	n, _ := strconv.Atoi(r.URL.Query().Get("n"))
	s.contactsPage(w, r, http.StatusOK, contactsView{Imported: max(n, 0)})
}

func (s *Server) contactsPage(w http.ResponseWriter, r *http.Request, status int, v contactsView) {
	var err error
	if v.Services, err = s.DB.Services(r.Context()); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	v.Columns = exchange.ContactColumns
	p := s.consolePage(r)
	p.Title, p.Data = p.T("contacts.title"), v
	s.render(w, r, status, "console/contacts", p)
}

// contactsFile answers with the contact book as CSV.
func (s *Server) contactsFile(w http.ResponseWriter, r *http.Request) {
	all, err := s.DB.Services(r.Context())
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
	w.Header().Set("Content-Disposition", `attachment; filename="services.csv"`)
	if err := exchange.WriteContacts(w, all); err != nil && r.Context().Err() == nil {
		s.Log.WarnContext(r.Context(), "the contact book broke off", "err", err)
	}
}

// contactsPost reads a file of the contact book: all of it or nothing.
func (s *Server) contactsPost(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, exchange.MaxContacts+64<<10)
	file, _, err := r.FormFile("file")
	if err != nil {
		var big *http.MaxBytesError
		if errors.As(err, &big) {
			err = &rempart.Error{Kind: rempart.TooLarge, Code: "contacts.size", Public: "This file broke off, or is larger than 2 MB."}
		} else {
			err = &rempart.Error{Kind: rempart.Invalid, Field: "file", Code: "contacts.file", Public: "Choose a CSV file first."}
		}
		p := s.consolePage(r)
		s.contactsPage(w, r, statusOf(err), contactsView{Faults: []contactFault{{Text: p.Problem(faults(err)[0])}}})
		return
	}
	defer file.Close()
	m, _ := staffOf(r)
	n, wrong, err := s.Flow.ImportContacts(r.Context(), file, m.Alias)
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	if len(wrong) > 0 {
		p := s.consolePage(r)
		v := contactsView{}
		for k, f := range wrong {
			if k == 200 { // who has so many has another file in mind
				break
			}
			x := contactFault{Column: f.Column, Text: p.Problem(f.Err)}
			if f.Row > 0 {
				x.Row = p.T("contacts.row", f.Row)
			}
			v.Faults = append(v.Faults, x)
		}
		s.contactsPage(w, r, http.StatusUnprocessableEntity, v)
		return
	}
	http.Redirect(w, r, withLang(r, "/console/admin/services?n="+strconv.Itoa(n)), http.StatusSeeOther)
}

// ChannelWords puts a channel in words.
func (p page) ChannelWords(c rempart.Channel) string {
	if c.To == "" {
		return p.T("contacts.channel." + string(c.Kind))
	}
	return p.T("contacts.channel."+string(c.Kind)) + p.T("list.colon") + c.To
}

// SpanWords says a span in words, for templates.
func (p page) SpanWords(s rempart.Span) string { return spanWords(p, s) }
