package web

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"rempart"
	"rempart/exchange"
	"rempart/flow"
	"rempart/store"
)

// ncmecRoutes are the doors of NCMEC's hash sharing, version 2, for platforms
// that run its client against our address.
var ncmecRoutes = []shapeRoute{
	{"GET", "/v2/status", readers, basicKey, nil, (*Server).ncmecStatus, "Who asks, and who we are", "", "application/xml"},
	{"GET", "/v2/members", readers, basicKey, nil, (*Server).ncmecMembers, "Whose entries are given", "", "application/xml"},
	{"GET", "/v2/entries", readers, basicKey, nil, (*Server).ncmecEntries, "Entries that changed in a range of time, and tombstones", "from to start size max token", "application/xml"},
	{"PUT", "/v2/entries/{member}/{entry}/{type}/feedback", readers, basicKey, nil, (*Server).ncmecFeedback, "What a member says of an entry", "", "application/xml"},
	{"GET", "/v2/feedback/{type}/reasons", readers, basicKey, nil, (*Server).ncmecReasons, "Why an entry may be said to be wrong", "", "application/xml"},
}

const ncmecText = "In the shapes of NCMEC's hash sharing, version 2. The key is that of a partner or a platform, as the password of HTTP Basic; any user name. Times are UTC to the second; python-threatexchange writes local time and calls it UTC, so run it with TZ=UTC."

func basicKey(r *http.Request) string {
	_, key, _ := r.BasicAuth()
	return key
}

// ncmecPage is how many entries a page holds: that client's own number.
const ncmecPage = 1000

// A range may end ncmecAhead seconds after what is complete here: the answer
// waits for them. One that ends later is refused, as the client would never ask
// for what comes until then.
const ncmecAhead = 10

func (s *Server) ncmecStatus(w http.ResponseWriter, _ *http.Request, p rempart.Peer) error {
	var b bytes.Buffer
	if err := exchange.WriteNCMECStatus(&b, p.ID, exchange.OurMember(s.Site)); err != nil {
		return err
	}
	return writeXML(w, b.Bytes())
}

func (s *Server) ncmecMembers(w http.ResponseWriter, _ *http.Request, _ rempart.Peer) error {
	var b bytes.Buffer
	if err := exchange.WriteNCMECMembers(&b, []exchange.NCMECMember{exchange.OurMember(s.Site)}); err != nil {
		return err
	}
	return writeXML(w, b.Bytes())
}

func writeXML(w http.ResponseWriter, b []byte) error {
	w.Header().Set("Content-Type", "application/xml; charset=utf-8")
	w.Write(b)
	return nil
}

func (s *Server) ncmecEntries(w http.ResponseWriter, r *http.Request, p rempart.Peer) error {
	lists, err := s.Flow.MayCopy(r.Context(), p)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	since := store.Since{Types: []rempart.FingerprintType{rempart.PDQ, rempart.MD5}, Lists: lists, Token: q.Get("token")}
	until, err := s.DB.Settle(r.Context())
	if err != nil {
		return err
	}
	since.To = until
	for _, x := range []struct {
		name string
		to   *int64
	}{{"from", &since.From}, {"to", &since.To}} {
		if !q.Has(x.name) {
			continue
		}
		if *x.to, err = exchange.ParseNCMECTime(q.Get(x.name)); err != nil {
			return shapeError(x.name, "ncmec.time", "A time is written as 2026-11-22T05:59:30Z.")
		}
	}
	if since.From > since.To || since.To <= 0 {
		return shapeError("to", "ncmec.range", "This range ends before it begins.")
	}
	start, err1 := wholeNumber(q.Get("start"), 1, 1<<40)
	size, err2 := wholeNumber(q.Get("size"), ncmecPage, 1<<40)
	if err1 != nil || err2 != nil || start == 0 || size == 0 {
		return shapeError("start", "ncmec.paging", "start and size are whole numbers, at least 1; use the address in next as it is.")
	}
	since.Limit = int(min(size, ncmecPage))
	if since.To > until {
		if err := s.ncmecWait(r.Context(), since.To, until); err != nil {
			return err
		}
	}
	if err := s.DB.NoteCopy(r.Context(), p.ID); err != nil {
		return err
	}
	page, err := s.DB.ChangesSince(r.Context(), since)
	if err != nil {
		return err
	}
	next := ""
	if page.Token != "" {
		max := q.Get("max")
		if _, err := wholeNumber(max, 0, 1<<40); err != nil || max == "" {
			n, err := s.DB.CountSince(r.Context(), since)
			if err != nil {
				return err
			}
			max = strconv.Itoa(n)
		}
		next = "/v2/entries?" + url.Values{"from": {exchange.FormatNCMECTime(since.From)}, "to": {exchange.FormatNCMECTime(since.To)},
			"start": {strconv.FormatInt(start+int64(len(page.Entries)), 10)}, "size": {strconv.Itoa(since.Limit)}, "max": {max}, "token": {page.Token}}.Encode()
	}
	var entries []rempart.Entry
	var seconds []int64
	for _, d := range page.Entries {
		entries, seconds = append(entries, d.Entry), append(seconds, d.Second)
	}
	var b bytes.Buffer
	if err := exchange.WriteNCMECEntries(&b, exchange.OurMember(s.Site), entries, seconds, next); err != nil {
		return err
	}
	return writeXML(w, b.Bytes())
}

// ncmecWait waits until no change can be of the second to any more.
func (s *Server) ncmecWait(ctx context.Context, to, until int64) error {
	if to-until <= ncmecAhead {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(to-until) * time.Second):
		}
		var err error
		if until, err = s.DB.Settle(ctx); err != nil || until >= to {
			return err
		}
	}
	return shapeError("to", "ncmec.future", "to is later than this server's clock. Ask for what is at least a few seconds old, in UTC.")
}

// ncmecFeedback keeps what a partner says of an entry that it read here: an
// affirmation, or a reason why it is wrong. An entry that its lists do not hold is
// not there.
func (s *Server) ncmecFeedback(w http.ResponseWriter, r *http.Request, p rempart.Peer) error {
	if r.PathValue("member") != strconv.Itoa(exchange.OurMember(s.Site).ID) || exchange.NCMECPrint(r.PathValue("type")) == "" {
		return errNoEntry
	}
	o, err := exchange.ReadNCMECFeedback(http.MaxBytesReader(w, r.Body, 64<<10))
	if err != nil {
		return bodyError(err, "This is no feedback as NCMEC's clients write it: affirmative, or negative with the guid of a reason.")
	}
	c, err := s.DB.EntryOf(r.Context(), store.EntryRef{ID: r.PathValue("entry")})
	if rempart.KindOf(err) == rempart.NotFound || err == nil && c.Entry.Fingerprint.Type != exchange.NCMECPrint(r.PathValue("type")) {
		return errNoEntry
	}
	if err != nil {
		return err
	}
	n, err := s.Flow.Opine(r.Context(), p, []flow.Remark{{ID: c.Entry.ID, Opinion: rempart.Opinion{Value: o}}})
	if err == nil && n == 0 {
		err = errNoEntry
	}
	if err != nil {
		return err
	}
	return s.ncmecStatus(w, r, p)
}

var errNoEntry = &rempart.Error{Kind: rempart.NotFound, Code: "entry.missing", Public: "There is no such entry."}

func (s *Server) ncmecReasons(w http.ResponseWriter, r *http.Request, _ rempart.Peer) error {
	if exchange.NCMECPrint(r.PathValue("type")) == "" {
		return errNoEntry
	}
	var b bytes.Buffer
	if err := exchange.WriteNCMECReasons(&b, r.PathValue("type")); err != nil {
		return err
	}
	return writeXML(w, b.Bytes())
}
