package exchange

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"rempart"
)

// The contact book as CSV: UTF-8, a line of names, then a line for each service.
// Lists within a cell are separated by spaces, channels by "; " and in order of
// preference. A cell that a spreadsheet would take for a formula, as it begins
// with = + - @ or a control character, has an apostrophe before it; so has what
// follows a semicolon, which spreadsheets in French take for the end of a cell,
// quoted or not. Reading takes it away, so that what was written is what is read.

// ContactColumns are the columns of the contact book, in the order written. All
// but those of needed may be left out.
var ContactColumns = []string{"id", "name", "kind", "hosts", "entity", "country", "coordinator", "small", "authorities", "users",
	"channels", "onward", "peer", "language", "languages", "expected", "caveats", "provenance", "checked_at"}

// needed are the columns that every file has.
var needed = []string{"id", "name", "hosts", "language", "provenance", "checked_at"}

// MaxContacts is the largest contact book that is read, in bytes.
const MaxContacts = 2 << 20

const formulas = "=+-@\t\r"

// guarded puts an apostrophe before what a spreadsheet would compute.
func guarded(s string) string {
	return eachCell(s, func(s string) string {
		if computed(s, formulas) || strings.HasPrefix(s, "'") && computed(s[1:], formulas+"'") {
			return "'" + s
		}
		return s
	})
}

func unguarded(s string) string {
	return eachCell(s, func(s string) string {
		if strings.HasPrefix(s, "'") && computed(s[1:], formulas+"'") {
			return s[1:]
		}
		return s
	})
}

// computed tells whether a text begins with one of some signs, spaces apart.
func computed(s, signs string) bool {
	s = strings.TrimLeft(s, " ")
	return s != "" && strings.IndexByte(signs, s[0]) >= 0
}

// eachCell does f to what a spreadsheet may see as a cell.
func eachCell(s string, f func(string) string) string {
	parts := strings.Split(s, ";")
	for k, p := range parts {
		parts[k] = f(p)
	}
	return strings.Join(parts, ";")
}

// WriteContacts writes the contact book as CSV.
func WriteContacts(w io.Writer, all []rempart.Service) error {
	c := csv.NewWriter(w)
	if err := c.Write(ContactColumns); err != nil {
		return fmt.Errorf("exchange: contacts: %w", err)
	}
	for _, s := range all {
		row := make([]string, len(ContactColumns))
		for k, name := range ContactColumns {
			row[k] = guarded(contactCell(s, name))
		}
		if err := c.Write(row); err != nil {
			return fmt.Errorf("exchange: contacts: %w", err)
		}
	}
	c.Flush()
	return c.Error()
}

func contactCell(s rempart.Service, name string) string {
	switch name {
	case "id":
		return s.ID
	case "name":
		return s.Name
	case "kind":
		return string(s.Kind)
	case "hosts":
		return strings.Join(s.Hosts, " ")
	case "entity":
		return s.Profile.Entity
	case "country":
		return s.Contact.Country
	case "coordinator":
		return s.Contact.Coordinator
	case "small":
		if s.Small {
			return "yes"
		}
		return "no"
	case "authorities":
		return s.Contact.Authorities
	case "users":
		return s.Contact.Users
	case "channels":
		var out []string
		for _, c := range s.Contact.Channels {
			out = append(out, c.String())
		}
		return strings.Join(out, "; ")
	case "onward":
		if s.Contact.Onward {
			return "yes"
		}
		return "no"
	case "peer":
		return s.PeerID
	case "language":
		return s.Lang
	case "languages":
		return strings.Join(s.Contact.Langs, " ")
	case "expected":
		return s.Contact.Expected.String()
	case "caveats":
		return s.Contact.Caveats
	case "provenance":
		return s.Provenance
	case "checked_at":
		return s.CheckedAt
	}
	return ""
}

// A RowFault is what is wrong with one cell of a file.
type RowFault struct {
	Row    int    // line of the file, 1 being the line of names; 0 for the whole
	Column string // "" for the whole row
	Err    *rempart.Error
}

// ReadContacts reads a contact book. known are the services that there are, by
// identifier: what the file has no column for stays as it is. peers are the
// peers that may be named. It returns every fault, and services only if there is
// none.
func ReadContacts(r io.Reader, known map[string]rempart.Service, peers map[string]bool, at time.Time) ([]rempart.Service, []RowFault) {
	whole := func(code, public string, args ...any) []RowFault {
		return []RowFault{{Err: &rempart.Error{Kind: rempart.Invalid, Code: code, Public: public, Args: args}}}
	}
	b, err := io.ReadAll(io.LimitReader(r, MaxContacts+1))
	if err != nil || len(b) > MaxContacts {
		return nil, whole("contacts.size", "This file broke off, or is larger than 2 MB.")
	}
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	if !utf8.Valid(b) {
		return nil, whole("contacts.utf8", "This file is not in UTF-8: save it again as CSV UTF-8.")
	}
	c := csv.NewReader(bytes.NewReader(b))
	c.FieldsPerRecord = -1
	if first, _, _ := bytes.Cut(b, []byte("\n")); !bytes.Contains(first, []byte(",")) && bytes.Contains(first, []byte(";")) {
		c.Comma = ';' // as spreadsheets in French write it
	}
	names, err := c.Read()
	if err != nil {
		return nil, whole("contacts.empty", "This file holds no line of column names.")
	}
	var faults []RowFault
	column := map[string]int{}
	fault := func(row int, name, code, public string, args ...any) {
		faults = append(faults, RowFault{row, name, &rempart.Error{Kind: rempart.Invalid, Field: name, Code: code, Public: public, Args: args}})
	}
	for k, n := range names {
		n = strings.TrimSpace(n)
		if _, twice := column[n]; twice || !slices.Contains(ContactColumns, n) {
			fault(1, n, "contacts.column", "There is no such column, or it is there twice.")
			continue
		}
		column[n] = k
	}
	for _, n := range needed {
		if _, ok := column[n]; !ok {
			fault(1, n, "contacts.needed", "This column is missing.")
		}
	}
	if len(faults) > 0 {
		return nil, faults
	}
	var out []rempart.Service
	seen := map[string]int{}
	for {
		cells, err := c.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		row, _ := c.FieldPos(0)
		var bad *csv.ParseError
		if errors.As(err, &bad) {
			row = bad.StartLine
		}
		if err != nil || len(cells) != len(names) {
			fault(row, "", "contacts.row", "This row cannot be read, or has another number of cells than the line of names.")
			if bad != nil && errors.Is(bad.Err, csv.ErrQuote) {
				break // what follows is not told apart
			}
			continue
		}
		id := strings.TrimSpace(unguarded(cells[column["id"]]))
		s := known[id]
		for name, k := range column {
			if err := setContact(&s, name, strings.Join(strings.Fields(unguarded(cells[k])), " ")); err != nil {
				fault(row, name, err.Code, err.Public, err.Args...)
			}
		}
		if before, twice := seen[id]; twice {
			fault(row, "id", "contacts.twice", fmt.Sprintf("Row %d has this identifier too.", before), before)
		}
		seen[id] = row
		if s.PeerID != "" && !peers[s.PeerID] {
			fault(row, "peer", "contacts.peer", "There is no such peer.")
		}
		for _, err := range []error{s.Check(), s.CheckContact(at)} {
			var p rempart.Problems
			if errors.As(err, &p) {
				for _, e := range p {
					faults = append(faults, RowFault{row, e.Field, e})
				}
			}
		}
		out = append(out, s)
	}
	if len(out) == 0 && len(faults) == 0 {
		return nil, whole("contacts.none", "This file holds no service.")
	}
	if len(faults) > 0 {
		slices.SortStableFunc(faults, func(a, b RowFault) int {
			if a.Row != b.Row {
				return a.Row - b.Row
			}
			return strings.Compare(a.Column, b.Column)
		})
		return nil, faults
	}
	return out, nil
}

// setContact puts a cell where it belongs.
func setContact(s *rempart.Service, name, v string) *rempart.Error {
	problem := func(err error) *rempart.Error {
		var e *rempart.Error
		errors.As(err, &e)
		return e
	}
	switch name {
	case "id":
		s.ID = v
	case "name":
		s.Name = v
	case "kind":
		s.Kind = rempart.ServiceKind(v)
	case "hosts":
		s.Hosts = strings.Fields(v)
	case "entity":
		s.Profile.Entity = v
	case "country":
		s.Contact.Country = v
	case "coordinator":
		s.Contact.Coordinator = v
	case "small":
		if v != "yes" && v != "no" && v != "" {
			return &rempart.Error{Kind: rempart.Invalid, Code: "contacts.yes", Public: "Write yes or no."}
		}
		s.Small = v == "yes"
	case "authorities":
		s.Contact.Authorities = v
	case "users":
		s.Contact.Users = v
	case "channels":
		s.Contact.Channels = nil
		for x := range strings.SplitSeq(v, ";") {
			if strings.TrimSpace(x) == "" {
				continue
			}
			c, err := rempart.ParseChannel(x)
			if err != nil {
				return problem(err)
			}
			s.Contact.Channels = append(s.Contact.Channels, c)
		}
	case "onward":
		if v != "yes" && v != "no" && v != "" {
			return &rempart.Error{Kind: rempart.Invalid, Code: "contacts.yes", Public: "Write yes or no."}
		}
		s.Contact.Onward = v == "yes"
	case "peer":
		s.PeerID = v
	case "language":
		s.Lang = v
	case "languages":
		if s.Contact.Langs = strings.Fields(v); v == "" {
			s.Contact.Langs = nil
		}
	case "expected":
		span, err := rempart.ParseSpan(v)
		if err != nil {
			return problem(err)
		}
		s.Contact.Expected = span
	case "caveats":
		s.Contact.Caveats = v
	case "provenance":
		s.Provenance = v
	case "checked_at":
		s.CheckedAt = v
	}
	return nil
}
