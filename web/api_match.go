package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"rempart"
	"rempart/flow"
	"rempart/pdq"
	"rempart/provenance"
)

// matchQuery asks for fingerprints.
type matchQuery struct {
	Fingerprints matchPrints `json:"fingerprints" maxItems:"1000" doc:"at most 1000"`
	Stopped      bool        `json:"stopped,omitempty" doc:"the upload is stopped on a match: tell the hub, which tells the person"`
	Published    string      `json:"published,omitempty" maxLength:"2048" doc:"the upload is online all the same: the exact address of the copy, told to the hub on a match, whose analyst may send a notice; all fingerprints are then of one upload. Not with stopped"`
	Seed         string      `json:"seed,omitempty" maxLength:"200" doc:"names the upload where a list counts for a share of them: one seed, one answer; default: each fingerprint itself"`
}

// matchPrints are counted while they are read, not afterwards.
type matchPrints []matchPrint

// UnmarshalJSON reads a list, and stops at one more than may be asked for.
func (p *matchPrints) UnmarshalJSON(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return errors.New("fingerprints is not a list")
	}
	for d.More() {
		if len(*p) == flow.MaxQueries {
			return &rempart.Error{Kind: rempart.TooLarge, Field: "fingerprints", Code: "match.too_many", Public: fmt.Sprintf("At most %d fingerprints can be asked for at once.", flow.MaxQueries)}
		}
		var q matchPrint
		if err := d.Decode(&q); err != nil {
			return err
		}
		*p = append(*p, q)
	}
	return nil
}

type matchPrint struct {
	rempart.Fingerprint
	Dihedral []string `json:"dihedral,omitempty" doc:"the eight PDQ of the picture turned and mirrored, as rempart hash -json prints them, in this order: original, rot90, rot180, rot270, flipX, flipY, flipPlus1, flipMinus1"`
}

// matchAnswer is what POST /api/v1/match answers.
type matchAnswer struct {
	Results  []matchResult `json:"results" doc:"one for each query, in order; for a file, its sha256 and its pdq, or vpdq of a video"`
	Position string        `json:"position" doc:"place in the change table at which the answer was made"`

	// Provenance is of a file only, and then a list, empty or not.
	Provenance *[]provenance.Mark `json:"provenance,omitempty" doc:"of a file: what it says of how it was made. Anybody can write or remove such marks, and no signature was verified: a hint, never a reason"`
}

type matchResult struct {
	Type    rempart.FingerprintType `json:"type"`
	Value   string                  `json:"value"`
	Quality int                     `json:"quality,omitempty"`
	Note    string                  `json:"note,omitempty" doc:"why it could not be looked up well, such as a picture too flat"`
	Matches []rempart.Match         `json:"matches"`
}

// errUntold refuses a stop that nobody would hear of.
var errUntold = &rempart.Error{Kind: rempart.Invalid, Field: "stopped", Code: "match.untold", Public: "This node was given no secret to tell its hub of a stop with. Ask without stopped, or tell the hub itself."}

// errUnpublished refuses to hear of a copy that nobody would be told of.
var errUnpublished = &rempart.Error{Kind: rempart.Invalid, Field: "published", Code: "match.untold_copy", Public: "This node was given no secret to tell its hub of a copy with. Ask without published, or tell the hub itself."}

// letThrough notes at which address an upload is online.
func (s *Server) letThrough(up *flow.Upload, address string) error {
	clean, err := rempart.CleanAddress(address)
	switch {
	case err != nil:
		return &rempart.Error{Kind: rempart.Invalid, Field: "published", Code: "match.published", Public: "published is the exact address of the page where the copy is.", Err: err}
	case up.Tell:
		return &rempart.Error{Kind: rempart.Invalid, Field: "published", Code: "match.both", Public: "An upload was stopped or it is online: give stopped or published."}
	case s.Untold:
		return errUnpublished
	}
	up.Published = clean
	return nil
}

// maxMatchBody is the largest body of a lookup: one file and its envelope.
const maxMatchBody = 65 << 20

// maxExactBody is that of a file which is looked up by its exact bytes alone, such
// as the weights of a model: it is not held in memory.
const maxExactBody = 64 << 30

// maxMatchJSON is that of one with fingerprints: a thousand, each in eight
// forms, take about 700 kB, and the images of a video up to 350 kB.
const maxMatchJSON = 1 << 20

// matchAPI registers the check that a platform puts in front of its storage.
func (s *Server) matchAPI(mux *http.ServeMux, a huma.API) {
	body := jsonBody(a, reflect.TypeFor[matchQuery]())
	body.Content["multipart/form-data"] = &huma.MediaType{Schema: &huma.Schema{Type: "object", Description: "exactly one file, of any field name; its bytes live in memory for the time of one hash, and the marks that it carries of how it was made are answered beside the matches. See stopped for when that counts as a stop. A field published before the file is the address at which the copy is online all the same, as in JSON."}}
	a.OpenAPI().AddOperation(&huma.Operation{OperationID: "match", Method: http.MethodPost, Path: "/api/v1/match", Tags: []string{"match"}, Security: withKey,
		Summary:     "Is this upload a listed picture or video?",
		Description: "With the key of a platform. The answer says list, distance, class and the action recommended; the platform decides. Of a match, a key that may only look up is told list, type, class, action and entry alone, one for each list; and beyond a number of different values close to one that matched, each further one is answered as the first. An Idempotency-Key makes the same upload, asked twice, one stop.",
		Parameters: []*huma.Param{
			{Name: "Idempotency-Key", In: "header", Description: "names the upload: asked twice under one key, it is one stop", Schema: &huma.Schema{Type: "string"}},
			{Name: "stopped", In: "query", Description: "of a file: true says that the upload is refused if an action answered is block, which is counted, and told to the hub and by it to the person; false asks only. Default: what the operator noted of this key, else false. To tell it afterwards, ask again with stopped=true under the same Idempotency-Key", Schema: &huma.Schema{Type: "boolean"}},
			{Name: "seed", In: "query", Description: "of a file: names the upload where a list counts for a share of them; default: the file's SHA-256", Schema: &huma.Schema{Type: "string"}},
			{Name: "as", In: "query", Description: "file: look the file up by its exact bytes alone, whatever it is, up to 64 GiB, such as the weights of a model. Left out, a file that is neither picture nor video is an error unless it is listed", Schema: &huma.Schema{Type: "string", Enum: []any{"file"}}},
		},
		RequestBody: body,
		Responses: map[string]*huma.Response{"200": {Description: "what was found", Content: map[string]*huma.MediaType{"application/json": {Schema: schemaOf(a, reflect.TypeFor[matchAnswer]())}}},
			"default": problemResponse(a)}})
	mux.HandleFunc("POST /api/v1/match", func(w http.ResponseWriter, r *http.Request) {
		ans, err := s.match(w, r)
		if err != nil {
			s.writeProblem(w, r, err)
			return
		}
		var b []byte
		if whole, ok := ans.(*matchAnswer); ok {
			b, err = whole.write()
		} else {
			b, err = json.Marshal(ans)
		}
		if err != nil {
			s.writeProblem(w, r, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(b)))
		w.Write(b)
	})
}

func (s *Server) match(w http.ResponseWriter, r *http.Request) (any, error) {
	p, err := s.peer(r.Context(), r.Header.Get("Authorization"), rempart.PeerPlatform)
	if err != nil {
		return nil, err
	}
	ans, err := s.matchFor(w, r, p)
	if err == nil && p.LookupOnly {
		return s.bareAnswer(ans), nil
	}
	return ans, err
}

func (s *Server) matchFor(w http.ResponseWriter, r *http.Request, p rempart.Peer) (*matchAnswer, error) {
	up := flow.Upload{Peer: p.ID, Key: r.Header.Get("Idempotency-Key"), Lists: p.MayRead(), Only: p.LookupOnly, Seed: r.URL.Query().Get("seed")}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch kind {
	case "multipart/form-data":
		switch r.URL.Query().Get("stopped") {
		case "":
			up.Tell = p.Stops // a check is no stop, unless the platform says that it is
		case "true":
			if up.Tell = true; s.Untold {
				return nil, errUntold
			}
		case "false":
		default:
			return nil, &rempart.Error{Kind: rempart.Invalid, Field: "stopped", Code: "match.stopped", Public: "stopped is true or false."}
		}
		limit := int64(maxMatchBody)
		switch r.URL.Query().Get("as") {
		case "":
		case "file":
			limit = maxExactBody
		default:
			return nil, &rempart.Error{Kind: rempart.Invalid, Field: "as", Code: "match.as", Public: "as is file, or left out."}
		}
		done, err := s.upload(w, r, limit)
		if err != nil {
			return nil, err
		}
		defer done()
		if err := s.takeValues(p, 1); err != nil {
			return nil, err
		}
		return s.matchFile(r, up)
	case "application/json", "":
		r.Body = http.MaxBytesReader(w, r.Body, maxMatchJSON)
		return s.matchPrints(r, p, up)
	}
	return nil, &rempart.Error{Kind: rempart.Invalid, Field: "Content-Type", Code: "match.type", Public: "Send JSON with fingerprints, or one file as multipart/form-data."}
}

func (s *Server) matchPrints(r *http.Request, p rempart.Peer, up flow.Upload) (*matchAnswer, error) {
	q, err := readQuery(r)
	if err != nil {
		return nil, bodyError(err, "This is not JSON with a list of fingerprints.")
	}
	if len(q.Fingerprints) == 0 {
		return nil, &rempart.Error{Kind: rempart.Invalid, Field: "fingerprints", Code: "match.nothing", Public: "Give at least one fingerprint."}
	}
	if up.Tell, up.Seed = q.Stopped, q.Seed; up.Tell && s.Untold {
		return nil, errUntold
	}
	if q.Published != "" {
		if err := s.letThrough(&up, q.Published); err != nil {
			return nil, err
		}
	}
	queries := make([]flow.Query, len(q.Fingerprints))
	for i, f := range q.Fingerprints {
		queries[i].Fingerprint = f.Fingerprint
		if f.Type == rempart.VPDQ && len(f.Dihedral) > 0 {
			return nil, &rempart.Error{Kind: rempart.Invalid, Field: "dihedral", Code: "match.dihedral_video", Public: "dihedral is for a pdq alone; the images of a vpdq are turned here."}
		}
		for _, d := range f.Dihedral {
			h, err := pdq.Parse(d)
			if err != nil || len(f.Dihedral) != 8 {
				return nil, &rempart.Error{Kind: rempart.Invalid, Field: "dihedral", Code: "match.dihedral", Public: "dihedral holds eight PDQ of 64 hexadecimal digits."}
			}
			queries[i].Dihedral = append(queries[i].Dihedral, h)
		}
	}
	if err := s.takeValues(p, valuesOf(queries)); err != nil {
		return nil, err
	}
	results, where, err := s.Flow.Match(r.Context(), queries, up)
	if err != nil {
		return nil, err
	}
	ans := &matchAnswer{Position: where, Results: make([]matchResult, 0, len(results))}
	for _, res := range results {
		f := res.Query.Fingerprint
		ans.add(f.Type, f.Value, f.Quality, res.Refused, res.Matches)
	}
	return ans, nil
}

// valuesOf is how many values are looked up: of a video each image is one.
func valuesOf(queries []flow.Query) (n int) {
	for _, q := range queries {
		n += max(1, len(q.Fingerprint.Frames()))
	}
	return min(n, mostValues)
}

func (a *matchAnswer) add(t rempart.FingerprintType, value string, quality int, note string, m []rempart.Match) {
	if m == nil {
		m = []rempart.Match{}
	}
	a.Results = append(a.Results, matchResult{Type: t, Value: value, Quality: quality, Note: note, Matches: m})
}

func (s *Server) matchFile(r *http.Request, up flow.Upload) (*matchAnswer, error) {
	file, online, err := onlyFile(r)
	if err != nil {
		return nil, err
	}
	if online != "" {
		if r.URL.Query().Get("stopped") == "" {
			up.Tell = false // whatever the operator noted of the key
		}
		if err := s.letThrough(&up, online); err != nil {
			return nil, err
		}
	}
	check := s.Flow.CheckFile
	if r.URL.Query().Get("as") == "file" {
		check = s.Flow.CheckExact
	}
	c, err := check(r.Context(), file, up)
	if err != nil {
		return nil, bodyError(err, "")
	}
	ans := &matchAnswer{Position: c.Position, Provenance: &c.Provenance}
	var exact, near []rempart.Match
	for _, m := range c.Matches {
		if m.Type.Perceptual() {
			near = append(near, m)
		} else {
			exact = append(exact, m)
		}
	}
	ans.add(rempart.SHA256, c.SHA256, 0, "", exact)
	if c.Print.Type == "" { // neither picture nor video: looked up by its exact bytes alone
		return ans, nil
	}
	note := ""
	if c.Print.Quality < rempart.MinQuality {
		note = flow.TooFlat
	}
	ans.add(c.Print.Type, c.Print.Value, c.Print.Quality, note, near)
	return ans, nil
}

// onlyFile returns the first file of a multipart body as a stream: it is never
// written to a disk. With it comes what the field published before it says.
func onlyFile(r *http.Request) (file io.Reader, online string, err error) {
	mr, err := r.MultipartReader()
	if err != nil {
		return nil, "", &rempart.Error{Kind: rempart.Invalid, Field: "file", Code: "match.multipart", Public: "This multipart body cannot be read.", Err: err}
	}
	for {
		next, err := mr.NextPart()
		if err != nil {
			return nil, "", bodyError(err, "There is no file in this body.")
		}
		if next.FileName() != "" {
			return part{next}, online, nil
		}
		if next.FormName() == "published" {
			b, err := io.ReadAll(io.LimitReader(next, rempart.MaxAddressLength+1)) // one too long is refused as an address
			if err != nil {
				return nil, "", bodyError(err, "")
			}
			online = string(b)
		}
	}
}
