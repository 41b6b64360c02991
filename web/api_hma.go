package web

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"rempart"
	"rempart/flow"
)

// hmaRoutes are the lookups of Meta's Hasher-Matcher-Actioner (HMA), as it
// answered them at facebook/ThreatExchange baefb4ed (HMA 1.1.7): a platform that
// uses it changes the address and adds its key. Its banks are our lists, a
// content is an entry. What it has and we have not: a download of an address
// (nothing is ever fetched). A list that counts for a share of uploads does so by
// the seed of /m/lookup, or by the fingerprint itself where none is given;
// bypass_coinflip=true has all of them count, on POST alone as there.
var hmaRoutes = []shapeRoute{
	{"GET", "/status", onlyPlatform, bearer, hmaFail, (*Server).hmaStatus, "Is the index there, and how old is it?", "", "text/html"},
	{"GET", "/m/raw_lookup", onlyPlatform, bearer, hmaFail, (*Server).hmaRawLookup, "Which entries does a fingerprint match?", "signal* signal_type* banks include_distance", "application/json"},
	{"GET", "/m/lookup", onlyPlatform, bearer, hmaFail, (*Server).hmaLookup, "Which lists does a fingerprint match?", "signal* signal_type* banks seed", "application/json"},
	{"POST", "/m/lookup", onlyPlatform, bearer, hmaFail, (*Server).hmaLookupFile, "Which lists does a file match? One multipart file, its field named photo or video", "types banks seed bypass_coinflip", "application/json"},
	{"GET", "/h/hash", onlyPlatform, bearer, hmaFail, (*Server).hmaHash, "Refused: nothing is downloaded here; send the file with POST", "url", "application/json"},
	{"POST", "/h/hash", onlyPlatform, bearer, hmaFail, (*Server).hmaHashFile, "The fingerprints of a file: one multipart file, its field named photo or video", "types", "application/json"},
}

const hmaText = "Answers as Meta's HMA does for the same lists, with the key of a platform in the header Authorization: Bearer KEY. An error is {\"message\"}."

var onlyPlatform = []rempart.PeerKind{rempart.PeerPlatform}

// hmaTypes are HMA's names of the types of fingerprint it looks up, and the
// content type, its name for a medium, that each is computed from.
var hmaTypes = map[string]struct {
	kind    rempart.FingerprintType
	content string
}{"pdq": {rempart.PDQ, "photo"}, "video_md5": {rempart.MD5, "video"}}

// hmaStale is how old the lists may be before /status says so: HMA's own
// limit.
const hmaStale = 65 * time.Second

func hmaFail(w http.ResponseWriter, p *Problem) {
	status := p.Status
	if status == http.StatusUnprocessableEntity {
		status = http.StatusBadRequest // all that is wrong with a request is 400 there
	}
	writeJSON(w, status, map[string]string{"message": p.Detail})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}

func (s *Server) hmaStatus(w http.ResponseWriter, r *http.Request, _ rempart.Peer) error {
	f, err := s.Flow.Freshness(r.Context())
	status, text := http.StatusOK, "I-AM-ALIVE"
	switch {
	case err != nil:
		s.note(r.Context(), r.Pattern, err)
		status, text = http.StatusServiceUnavailable, "INDEX-NOT-LOADED"
	case f.Follows && !f.Heard, f.Age > hmaStale:
		status, text = http.StatusServiceUnavailable, "INDEX-STALE"
	}
	if err == nil {
		w.Header().Set("Rempart-Position", f.Position)
		w.Header().Set("Rempart-Lag", strconv.FormatFloat(f.Age.Seconds(), 'f', 3, 64))
		if f.Waiting > 0 {
			w.Header().Set("Rempart-Waiting", strconv.Itoa(f.Waiting)) // the text is HMA's own
		}
		if f.Heard || !f.Follows {
			w.Header().Set("Age", strconv.Itoa(int(f.Age.Seconds())))
		}
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, err = io.WriteString(w, text)
	return err
}

// hmaID is what HMA calls an entry that was found.
type hmaID struct {
	ID       uint64 `json:"bank_content_id"`
	Distance string `json:"distance"` // a text there
}

func (s *Server) hmaRawLookup(w http.ResponseWriter, r *http.Request, p rempart.Peer) error {
	found, err := s.hmaQuery(r, p)
	if err != nil {
		return err
	}
	with := false
	switch strings.ToLower(r.URL.Query().Get("include_distance")) {
	case "", "false", "0", "no":
	case "true", "1", "yes":
		with = true
	default:
		return shapeError("include_distance", "hma.bool", "include_distance is true or false")
	}
	ids, both := []uint64{}, []hmaID{}
	for _, m := range found {
		ids, both = append(ids, m.Num), append(both, hmaID{m.Num, strconv.Itoa(m.Distance)})
	}
	if with {
		writeJSON(w, http.StatusOK, map[string]any{"matches": both})
	} else {
		writeJSON(w, http.StatusOK, map[string]any{"matches": ids})
	}
	return nil
}

func (s *Server) hmaLookup(w http.ResponseWriter, r *http.Request, p rempart.Peer) error {
	if r.URL.Query().Get("url") != "" {
		return errNoDownload
	}
	found, err := s.hmaQuery(r, p)
	if err != nil {
		return err
	}
	found = s.Flow.RollOut(found, cmp.Or(r.URL.Query().Get("seed"), strings.ToLower(r.URL.Query().Get("signal"))))
	writeJSON(w, http.StatusOK, byBank(found))
	return nil
}

// hmaQuery looks up what the query of a request asks for.
func (s *Server) hmaQuery(r *http.Request, p rempart.Peer) ([]rempart.Match, error) {
	q := r.URL.Query()
	for _, name := range []string{"signal", "signal_type"} {
		if q.Get(name) == "" {
			return nil, shapeError(name, "hma.missing", "missing required parameter "+name)
		}
	}
	t, ok := hmaTypes[q.Get("signal_type")]
	if !ok {
		return nil, shapeError("signal_type", "hma.signal_type", "no such signal type: it is pdq or video_md5")
	}
	return s.hmaSignal(r, p, rempart.Fingerprint{Type: t.kind, Value: q.Get("signal")})
}

func (s *Server) hmaSignal(r *http.Request, p rempart.Peer, f rempart.Fingerprint) ([]rempart.Match, error) {
	if err := s.takeValues(p, 1); err != nil {
		return nil, err
	}
	found, _, err := s.Flow.LookUp(r.Context(), f, flow.Upload{Peer: p.ID, Lists: p.MayRead(), Only: p.LookupOnly})
	if rempart.KindOf(err) == rempart.Invalid {
		return nil, shapeError("signal", "hma.signal", "invalid signal: a pdq has 64 hexadecimal digits, a video_md5 32")
	}
	if err != nil {
		return nil, err
	}
	s.Flow.Saw(r.Context(), p.ID, found)
	if p.LookupOnly {
		found = s.bare(found)
	}
	if !r.URL.Query().Has("banks") {
		return found, nil
	}
	banks := strings.Split(r.URL.Query().Get("banks"), ",")
	for i := range banks {
		banks[i] = strings.TrimSpace(banks[i])
	}
	return slices.DeleteFunc(found, func(m rempart.Match) bool { return !slices.Contains(banks, bankOf(m.List)) }), nil
}

// bankOf is the name of a list as HMA writes names of banks: NCII_ADULT.
func bankOf(list string) string { return strings.ToUpper(strings.ReplaceAll(list, "-", "_")) }

func byBank(found []rempart.Match) map[string][]hmaID {
	out := map[string][]hmaID{}
	for _, m := range found {
		out[bankOf(m.List)] = append(out[bankOf(m.List)], hmaID{m.Num, strconv.Itoa(m.Distance)})
	}
	return out
}

var errNoDownload = shapeError("url", "hma.url", "nothing is downloaded here: send the file itself, as multipart/form-data, with POST")

func (s *Server) hmaHash(http.ResponseWriter, *http.Request, rempart.Peer) error {
	return errNoDownload
}

func (s *Server) hmaHashFile(w http.ResponseWriter, r *http.Request, _ rempart.Peer) error {
	name, f, err := s.hmaFile(w, r)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, map[string]string{name: f.Value})
	return nil
}

func (s *Server) hmaLookupFile(w http.ResponseWriter, r *http.Request, p rempart.Peer) error {
	name, f, err := s.hmaFile(w, r)
	if err != nil {
		return err
	}
	if f.Value == "" {
		return shapeError("file", "hma.flat", "invalid signal: this picture is too flat to be told from others")
	}
	found, err := s.hmaSignal(r, p, f)
	if err != nil {
		return err
	}
	if r.URL.Query().Get("bypass_coinflip") != "true" {
		found = s.Flow.RollOut(found, cmp.Or(r.URL.Query().Get("seed"), f.Value))
	}
	writeJSON(w, http.StatusOK, map[string]any{name: byBank(found)})
	return nil
}

// hmaFile returns the one fingerprint of the one file in a body, and HMA's name
// of its type. The file is read as it comes, and never kept.
func (s *Server) hmaFile(w http.ResponseWriter, r *http.Request) (name string, f rempart.Fingerprint, err error) {
	done, err := s.upload(w, r, maxMatchBody)
	if err != nil {
		return "", f, err
	}
	defer done()
	mr, err := r.MultipartReader()
	if err != nil {
		return "", f, shapeError("file", "hma.multipart", "missing multipart/form-data file upload")
	}
	for {
		p, err := mr.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", f, bodyError(err, "This multipart body cannot be read.")
		}
		if p.FileName() == "" {
			continue
		}
		if name != "" {
			return "", f, shapeError("file", "hma.files", "only one file allowed per request")
		}
		if name, f, err = s.hmaPart(r, p); err != nil {
			return "", f, err
		}
	}
	if name == "" {
		return "", f, shapeError("file", "hma.multipart", "missing multipart/form-data file upload")
	}
	return name, f, nil
}

func (s *Server) hmaPart(r *http.Request, p *multipart.Part) (name string, f rempart.Fingerprint, err error) {
	switch p.FormName() {
	case "photo":
		name = "pdq"
	case "video":
		name = "video_md5"
	default:
		return "", f, shapeError("file", "hma.content_type", "no such content_type: the name of the file's field is photo or video")
	}
	if r.URL.Query().Has("types") {
		some := false
		for t := range strings.SplitSeq(r.URL.Query().Get("types"), ",") {
			if t = strings.TrimSpace(t); t == "" {
				continue
			}
			if t != name {
				return "", f, shapeError("types", "hma.types", fmt.Sprintf("signal type doesn't exist or is disabled: of a %s there is %s", p.FormName(), name))
			}
			some = true
		}
		if !some {
			return "", f, shapeError("types", "hma.types", "empty signal type selection")
		}
	}
	if name == "pdq" {
		f, err = s.Flow.PictureSignal(r.Context(), part{p})
	} else {
		f, err = s.Flow.BytesSignal(part{p})
	}
	if err != nil {
		return "", f, bodyError(err, "")
	}
	return name, f, nil
}
