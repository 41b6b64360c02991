package web

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"rempart"
	"rempart/flow"
	"rempart/media"
	"rempart/pdq"
)

// matchQuery asks for fingerprints.
type matchQuery struct {
	Fingerprints []matchPrint `json:"fingerprints" doc:"at most 1000"`
	Stopped      bool         `json:"stopped,omitempty" doc:"the upload is stopped on a match: tell the hub, which tells the person"`
}

type matchPrint struct {
	rempart.Fingerprint
	Dihedral []string `json:"dihedral,omitempty" doc:"the eight PDQ of the picture turned and mirrored, as rempart hash -json prints them"`
}

// matchAnswer is what POST /api/v1/match answers.
type matchAnswer struct {
	Results  []matchResult `json:"results" doc:"one for each query, in order; for a file, its sha256 and its pdq"`
	Position string        `json:"position" doc:"place in the change table at which the answer was made"`
}

type matchResult struct {
	Type    rempart.FingerprintType `json:"type"`
	Value   string                  `json:"value"`
	Quality int                     `json:"quality,omitempty"`
	Note    string                  `json:"note,omitempty" doc:"why it could not be looked up well, such as a picture too flat"`
	Matches []rempart.Match         `json:"matches"`
}

// maxMatchBody is the largest body of a lookup: one file and its envelope.
const maxMatchBody = 65 << 20

// matchAPI registers the check that a platform puts in front of its storage.
func (s *Server) matchAPI(mux *http.ServeMux, a huma.API) {
	body := jsonBody(a, reflect.TypeFor[matchQuery]())
	body.Content["multipart/form-data"] = &huma.MediaType{Schema: &huma.Schema{Type: "object", Description: "exactly one file, of any field name; its bytes live in memory for the time of one hash. An upload that matches counts as stopped."}}
	a.OpenAPI().AddOperation(&huma.Operation{OperationID: "match", Method: http.MethodPost, Path: "/api/v1/match", Tags: []string{"match"}, Security: withKey,
		Summary:     "Is this upload a listed picture?",
		Description: "The answer says list, distance, class and the action recommended; the platform decides. An Idempotency-Key makes the same upload, asked twice, one stop.",
		RequestBody: body,
		Responses: map[string]*huma.Response{"200": {Description: "what was found", Content: map[string]*huma.MediaType{"application/json": {Schema: schemaOf(a, reflect.TypeFor[matchAnswer]())}}},
			"default": {Description: "a problem document"}}})
	mux.HandleFunc("POST /api/v1/match", func(w http.ResponseWriter, r *http.Request) {
		ans, err := s.match(w, r)
		if err != nil {
			s.writeProblem(w, r, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(ans)
	})
}

func (s *Server) match(w http.ResponseWriter, r *http.Request) (*matchAnswer, error) {
	p, err := s.peer(r.Context(), r.Header.Get("Authorization"), rempart.PeerPlatform)
	if err != nil {
		return nil, err
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxMatchBody)
	up := flow.Upload{Peer: p.ID, Key: r.Header.Get("Idempotency-Key")}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch kind {
	case "multipart/form-data":
		up.Tell = true
		return s.matchFile(r, up)
	case "application/json", "":
		return s.matchPrints(r, up)
	}
	return nil, &rempart.Error{Kind: rempart.Invalid, Field: "Content-Type", Code: "match.type", Public: "Send JSON with fingerprints, or one file as multipart/form-data."}
}

func (s *Server) matchPrints(r *http.Request, up flow.Upload) (*matchAnswer, error) {
	var q matchQuery
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		return nil, bodyError(err, "This is not JSON with a list of fingerprints.")
	}
	if len(q.Fingerprints) == 0 {
		return nil, &rempart.Error{Kind: rempart.Invalid, Field: "fingerprints", Code: "match.nothing", Public: "Give at least one fingerprint."}
	}
	up.Tell = q.Stopped
	queries := make([]flow.Query, len(q.Fingerprints))
	for i, f := range q.Fingerprints {
		queries[i].Fingerprint = f.Fingerprint
		for _, d := range f.Dihedral {
			h, err := pdq.Parse(d)
			if err != nil || len(f.Dihedral) != 8 {
				return nil, &rempart.Error{Kind: rempart.Invalid, Field: "dihedral", Code: "match.dihedral", Public: "dihedral holds eight PDQ of 64 hexadecimal digits."}
			}
			queries[i].Dihedral = append(queries[i].Dihedral, h)
		}
	}
	results, where, err := s.Flow.Match(r.Context(), queries, up)
	if err != nil {
		return nil, err
	}
	ans := &matchAnswer{Position: where}
	for _, res := range results {
		f := res.Query.Fingerprint
		ans.add(f.Type, f.Value, f.Quality, res.Refused, res.Matches)
	}
	return ans, nil
}

func (a *matchAnswer) add(t rempart.FingerprintType, value string, quality int, note string, m []rempart.Match) {
	if m == nil {
		m = []rempart.Match{}
	}
	a.Results = append(a.Results, matchResult{Type: t, Value: value, Quality: quality, Note: note, Matches: m})
}

func (s *Server) matchFile(r *http.Request, up flow.Upload) (*matchAnswer, error) {
	file, err := onlyFile(r)
	if err != nil {
		return nil, err
	}
	c, err := s.Flow.CheckFile(r.Context(), file, up)
	if err != nil {
		return nil, bodyError(err, "")
	}
	ans := &matchAnswer{Position: c.Position}
	by := map[rempart.FingerprintType][]rempart.Match{}
	for _, m := range c.Matches {
		by[m.Type] = append(by[m.Type], m)
	}
	ans.add(rempart.SHA256, c.SHA256, 0, "", by[rempart.SHA256])
	note := ""
	if c.Quality < rempart.MinQuality {
		note = flow.TooFlat
	}
	ans.add(rempart.PDQ, c.PDQ, c.Quality, note, by[rempart.PDQ])
	return ans, nil
}

// onlyFile returns the first file of a multipart body as a stream: it is never
// written to a disk.
func onlyFile(r *http.Request) (io.Reader, error) {
	mr, err := r.MultipartReader()
	if err != nil {
		return nil, &rempart.Error{Kind: rempart.Invalid, Field: "file", Code: "match.multipart", Public: "This multipart body cannot be read.", Err: err}
	}
	for {
		part, err := mr.NextPart()
		if err != nil {
			return nil, bodyError(err, "There is no file in this body.")
		}
		if part.FileName() != "" {
			return part, nil
		}
	}
}

// bodyError tells a body that is too large from one that is wrong.
func bodyError(err error, public string) error {
	var big *http.MaxBytesError
	if errors.As(err, &big) || errors.Is(err, media.ErrTooManyBytes) {
		return &rempart.Error{Kind: rempart.TooLarge, Field: "file", Code: "picture.bytes", Public: "This file is too large; at most 64 MiB can be checked."}
	}
	if public == "" {
		return err
	}
	return &rempart.Error{Kind: rempart.Invalid, Field: "body", Code: "match.body", Public: public, Err: err}
}
