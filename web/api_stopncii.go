package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"rempart"
	"rempart/exchange"
	"rempart/flow"
	"rempart/store"
)

// stopnciiRoutes are the doors of StopNCII.org's exchange, for platforms that run
// its client: they set its base address to ours, with /v1 behind it.
var stopnciiRoutes = []shapeRoute{
	{"GET", "/v1/FetchHashes", readers, functionsKey, nil, (*Server).fetchHashes, "What changed in the lists, a page of hashes", "startTimestamp pageSize nextPageToken", "application/json"},
	{"POST", "/v1/SubmitHashes", readers, functionsKey, nil, (*Server).submitHashes, "Hashes that a partner submits: they enter the list once somebody accepted them", "", "application/json"},
	{"POST", "/v1/SubmitFeedback", readers, functionsKey, nil, (*Server).submitFeedback, "What a partner says of hashes that it met", "", "application/json"},
}

const stopnciiText = "In the shapes of StopNCII.org's exchange. The key is that of a partner or a platform, in the header x-functions-key; Ocp-Apim-Subscription-Key is not read."

// readers may read whole lists, as they may by GET /api/v1/feed.
var readers = []rempart.PeerKind{rempart.PeerPartner, rempart.PeerPlatform}

func functionsKey(r *http.Request) string { return r.Header.Get("X-Functions-Key") }

// Pages of FetchHashes; the public client asks for 800.
const (
	usualHashes = 800
	mostHashes  = 1000
)

func (s *Server) fetchHashes(w http.ResponseWriter, r *http.Request, p rempart.Peer) error {
	lists, err := s.Flow.MayCopy(r.Context(), p)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	start, err := wholeNumber(q.Get("startTimestamp"), 0, 1<<40)
	if err != nil {
		return shapeError("startTimestamp", "ncii.start", "startTimestamp is a whole number of seconds since 1970, such as 10 for the beginning.")
	}
	size, err := wholeNumber(q.Get("pageSize"), usualHashes, 1<<40)
	if err != nil || size == 0 {
		return shapeError("pageSize", "ncii.size", "pageSize is a whole number, at least 1; at most 1000 are given.")
	}
	// A page token is a place and the second of the last record before it, so that
	// the checkpoint does not go back on a page that came out empty.
	token, second, _ := strings.Cut(q.Get("nextPageToken"), ".")
	least, err := wholeNumber(second, start, 1<<40)
	if err != nil {
		return shapeError("nextPageToken", "page.token", "This page token is not one we gave. Begin again without one.")
	}
	if err := s.DB.NoteCopy(r.Context(), p.ID); err != nil {
		return err
	}
	if _, err := s.DB.Settle(r.Context()); err != nil {
		return err
	}
	page, err := s.DB.ChangesSince(r.Context(), store.Since{From: start, Token: token, Types: []rempart.FingerprintType{rempart.PDQ, rempart.MD5}, Lists: lists, Limit: int(min(size, mostHashes))})
	if err != nil {
		return err
	}
	out := exchange.NCIIPage{NextSetTimestamp: max(start, least), HasMoreRecords: page.Token != "", HashRecords: []exchange.NCIIRecord{}}
	var prints []rempart.Fingerprint
	at := map[rempart.Fingerprint]int64{} // by type and value: the second of its last change here
	for _, d := range page.Entries {
		f := rempart.Fingerprint{Type: d.Entry.Fingerprint.Type, Value: d.Entry.Fingerprint.Value}
		at[f], out.NextSetTimestamp = d.Second, d.Second
		prints = append(prints, f)
	}
	same, err := s.DB.SameValue(r.Context(), prints, lists)
	if err != nil {
		return err
	}
	entries := map[rempart.Fingerprint][]rempart.Entry{}
	for _, e := range same {
		f := rempart.Fingerprint{Type: e.Fingerprint.Type, Value: e.Fingerprint.Value}
		entries[f] = append(entries[f], e)
	}
	opinions, err := s.DB.Opinions(r.Context(), prints)
	if err != nil {
		return err
	}
	said := map[rempart.Fingerprint][]exchange.NCIIFeedback{}
	for _, o := range opinions {
		said[o.Fingerprint] = append(said[o.Fingerprint], exchange.NCIIFeedback{Source: o.Name, FeedbackValue: exchange.NCIIValue(o.Value), Tags: append([]string{}, o.Tags...)})
	}
	slices.Reverse(prints) // of a hash that is there twice, its last place
	for _, f := range prints {
		if second, ok := at[f]; ok {
			out.HashRecords = append(out.HashRecords, exchange.NewNCIIRecord(second, f, entries[f], said[f]))
			delete(at, f)
		}
	}
	slices.Reverse(out.HashRecords)
	out.Count = len(out.HashRecords)
	if page.Token != "" {
		out.NextPageToken = page.Token + "." + strconv.FormatInt(out.NextSetTimestamp, 10)
	}
	writeJSON(w, http.StatusOK, out)
	return nil
}

// wholeNumber reads a number of a query, which is usual where it is left out.
func wholeNumber(s string, usual, most int64) (int64, error) {
	if s == "" {
		return usual, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err == nil && (n < 0 || n > most) {
		err = strconv.ErrRange
	}
	return n, err
}

// submitFeedback keeps what a partner says of fingerprints that are shared with
// it. What is said of others is passed over, and the answer does not tell which.
func (s *Server) submitFeedback(w http.ResponseWriter, r *http.Request, p rempart.Peer) error {
	said, err := exchange.ReadNCIIFeedback(http.MaxBytesReader(w, r.Body, maxMatchJSON))
	if err != nil {
		return bodyError(err, "This is not feedback as StopNCII's clients write it: "+faultOf(err))
	}
	var all []flow.Remark
	for _, o := range said {
		all = append(all, flow.Remark{Opinion: rempart.Opinion{Fingerprint: rempart.Fingerprint{Type: o.Type, Value: o.Value}, Value: o.FeedbackValue, Tags: o.Tags}})
	}
	if _, err := s.Flow.Opine(r.Context(), p, all); err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, map[string]int{"count": len(all)})
	return nil
}

// submittedTo is the list that the format's hashes are for: adults' alone.
const submittedTo = "ncii-adult"

// submitHashes keeps what a partner submits until somebody of the staff accepts or
// refuses each. A PDQ that no picture gives, or of a quality below 50 where it is
// told, is refused with all that came with it. The answer says how many were
// sent, and not which of them the list has already.
func (s *Server) submitHashes(w http.ResponseWriter, r *http.Request, p rempart.Peer) error {
	if !slices.Contains(p.MayRead(), submittedTo) {
		return &rempart.Error{Kind: rempart.Forbidden, Code: "key.kind", Public: "This key is not for this."}
	}
	sent, err := exchange.ReadNCIIHashes(http.MaxBytesReader(w, r.Body, maxMatchJSON))
	if err != nil {
		return bodyError(err, "These are no hashes as StopNCII's clients write them: "+faultOf(err))
	}
	var tasks []rempart.ListTask
	var said []flow.Remark
	for _, h := range sent {
		k := rempart.ListTask{List: submittedTo, Fingerprint: h.Fingerprint}
		for _, o := range h.Feedbacks {
			k.Tags = append(k.Tags, o.Tags...)
			k.Opinion = o.FeedbackValue
			said = append(said, flow.Remark{Opinion: rempart.Opinion{Fingerprint: h.Fingerprint, Value: o.FeedbackValue, Tags: o.Tags}})
		}
		tasks = append(tasks, k)
	}
	if _, err := s.DB.SubmitPrints(r.Context(), p, tasks); err != nil {
		return err
	}
	if _, err := s.Flow.Opine(r.Context(), p, said); err != nil { // of those that the list has already
		return err
	}
	writeJSON(w, http.StatusOK, map[string]int{"count": len(sent)})
	return nil
}

// faultOf says what is wrong with a body. A parser's error may repeat what was
// sent, so that one is not told.
func faultOf(err error) string {
	if strings.HasPrefix(err.Error(), "exchange: ") {
		return "it is not JSON of that shape."
	}
	return err.Error() + "."
}
