package web

import (
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"rempart"
)

// A shapeRoute is one door for programs that were written for another system:
// its addresses, its way to give a key, its answers.
type shapeRoute struct {
	method, path string
	kinds        []rempart.PeerKind                  // whose keys open it
	key          func(*http.Request) string          // where the key is
	fail         func(http.ResponseWriter, *Problem) // how an error is said; nil: a problem document
	handle       func(*Server, http.ResponseWriter, *http.Request, rempart.Peer) error
	doc          string
	params       string // query parameters: names, * behind one that must be there
	answer       string // media type of a success
}

// shapes registers a table of such doors, and describes them.
func (s *Server) shapes(mux *http.ServeMux, a huma.API, tag, description string, table []shapeRoute) {
	for _, rt := range table {
		op := &huma.Operation{OperationID: tag + "-" + strings.ToLower(rt.method) + strings.NewReplacer("/", "-", "{", "", "}", "").Replace(rt.path),
			Method: rt.method, Path: rt.path, Tags: []string{tag}, Security: withKey, Summary: rt.doc, Description: description,
			Responses: map[string]*huma.Response{"200": {Description: "as that system answers", Content: map[string]*huma.MediaType{rt.answer: {Schema: &huma.Schema{}}}}, "default": problemResponse(a)}}
		for _, name := range strings.Fields(rt.path) {
			for _, part := range strings.Split(name, "/") {
				if p, ok := strings.CutPrefix(part, "{"); ok {
					op.Parameters = append(op.Parameters, &huma.Param{Name: strings.TrimSuffix(p, "}"), In: "path", Required: true, Schema: &huma.Schema{Type: "string"}})
				}
			}
		}
		for _, name := range strings.Fields(rt.params) {
			n, must := strings.CutSuffix(name, "*")
			op.Parameters = append(op.Parameters, &huma.Param{Name: n, In: "query", Required: must, Schema: &huma.Schema{Type: "string"}})
		}
		if rt.method != http.MethodGet {
			op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"*/*": {Schema: &huma.Schema{}}}}
		}
		a.OpenAPI().AddOperation(op)
		mux.HandleFunc(rt.method+" "+rt.path, func(w http.ResponseWriter, r *http.Request) {
			key := rt.key(r)
			p, err := s.peer(r.Context(), "Bearer "+key, rt.kinds...)
			if key == "" {
				err = &rempart.Error{Kind: rempart.Unauthorized, Code: "key.missing", Public: "Send your key as this interface asks for it: " + description}
			}
			if err == nil {
				err = rt.handle(s, w, r, p)
			}
			if err == nil || r.Context().Err() != nil {
				return
			}
			if rt.fail == nil {
				s.writeProblem(w, r, err)
				return
			}
			s.note(r.Context(), r.Pattern, err)
			pr := problem(err)
			retry(w.Header(), err)
			rt.fail(w, pr)
		})
	}
}

// bearer is the key of a request that gives it as our own API takes it.
func bearer(r *http.Request) string {
	key, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return key
}

// shapeError is what is wrong with a request to one of these doors.
func shapeError(field, code, public string) error {
	return &rempart.Error{Kind: rempart.Invalid, Field: field, Code: code, Public: public}
}
