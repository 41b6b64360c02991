package web

import (
	"context"
	"encoding/hex"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"rempart"
	"rempart/flow"
	"rempart/store"
)

// maxSearch is the longest text that is searched for: an address, or a receipt
// pasted whole.
const maxSearch = 4096

// A searchView is what was found of a text. The text travels in the body of a
// POST: an address in the page's own address would stay in the browser's history
// and in the logs of what stands in between.
type searchView struct {
	Typed string
	Asked bool
	As    string // what the text was taken for, see kindsOf
	Rows  []queueRow
	Near  map[string]int // by reference: bits that differ, where the fingerprint was not the same
	More  bool           // there are more than are shown
}

// What a text can be taken for.
const (
	searchRef     = "ref"
	searchReceipt = "receipt" // the signed receipt that a person was given
	searchAddress = "address"
	searchPrint   = "print"
	searchNumber  = "number" // that a platform gave a notice
	searchCode    = "code"   // the secret of a person: not looked up
)

var receiptRef = regexp.MustCompile(`(?m)^reference ([0-9A-Z]{4}-[0-9A-Z]{4})\s*$`)

// searchKind says what a text is taken for, and in which form it is looked up.
func searchKind(typed string) (kind, value string) {
	if m := receiptRef.FindStringSubmatch(typed); m != nil {
		return searchReceipt, m[1]
	}
	if ref := rempart.ParseRef(typed); ref != "" {
		return searchRef, ref
	}
	if _, err := rempart.ParseCaseCode(typed); err == nil {
		return searchCode, ""
	}
	bare := strings.ToLower(typed)
	for _, t := range []rempart.FingerprintType{rempart.PDQ, rempart.SHA256, rempart.MD5} {
		bare = strings.TrimSpace(strings.TrimPrefix(bare, string(t)+":"))
	}
	if b, err := hex.DecodeString(bare); err == nil && (len(b) == 32 || len(b) == 16) {
		return searchPrint, bare
	}
	if a, err := rempart.CleanAddress(typed); err == nil {
		return searchAddress, a
	}
	return searchNumber, typed
}

func (s *Server) searchForm(w http.ResponseWriter, r *http.Request) {
	s.searchPage(w, r, searchView{})
}

func (s *Server) searchPage(w http.ResponseWriter, r *http.Request, v searchView) {
	p := s.consolePage(r)
	p.Title, p.Data = p.T("search.title"), v
	s.render(w, r, http.StatusOK, "console/search", p)
}

// searchPost looks a text up and records that it did, by what it was taken for
// and never by its words. A case that alone fits is opened.
func (s *Server) searchPost(w http.ResponseWriter, r *http.Request) {
	if err := s.form(w, r); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	v := searchView{Typed: plainText(r.PostForm.Get("q"))}
	if v.Typed == "" {
		s.searchPage(w, r, v)
		return
	}
	if len(v.Typed) > maxSearch {
		s.fail(w, r, "console", &rempart.Error{Kind: rempart.TooLarge, Code: "search.long", Public: "This is too long to be searched for. Give an address, a number or a fingerprint."})
		return
	}
	kind, value := searchKind(v.Typed)
	if kind == searchCode {
		v.Typed = "" // it is not shown again
	}
	if err := s.viewed(r, "case.searched", "search", kind); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	refs, near, err := s.find(r.Context(), kind, value)
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	rows, err := s.DB.CasesByRefs(r.Context(), refs)
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	rows = within(r, rows)
	if len(rows) == 1 && len(near) == 0 {
		http.Redirect(w, r, withLang(r, "/console/cases/"+rows[0].Ref), http.StatusSeeOther)
		return
	}
	v.Asked, v.As, v.Near, v.More = true, kind, near, len(refs) >= store.MaxFound
	if v.Rows, err = s.queueRows(r, s.consolePage(r), rows); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	s.searchPage(w, r, v)
}

// find returns the references of the cases that fit, and for those that only
// come near a fingerprint by how many bits it differs.
func (s *Server) find(ctx context.Context, kind, value string) (refs []string, near map[string]int, err error) {
	switch kind {
	case searchRef, searchReceipt:
		return []string{value}, nil, nil
	case searchNumber:
		refs, err = s.DB.FindCases(ctx, store.FindNumber, value)
	case searchAddress:
		refs, err = s.DB.FindCases(ctx, store.FindAddress, value)
	case searchPrint:
		refs, err = s.DB.FindCases(ctx, store.FindPrint, value)
		if err != nil || len(value) != 64 {
			return refs, nil, err
		}
		q := flow.Query{Fingerprint: rempart.Fingerprint{Type: rempart.PDQ, Value: value, Quality: 100}}
		results, _, err := s.Flow.Match(ctx, []flow.Query{q}, flow.Upload{})
		if err != nil {
			return nil, nil, err
		}
		near = map[string]int{}
		for _, m := range results[0].Matches {
			if !slices.Contains(refs, m.CaseRef) {
				refs, near[m.CaseRef] = append(refs, m.CaseRef), m.Distance
			}
		}
	}
	return refs, near, err
}
