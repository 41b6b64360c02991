// Forum is a small hosting service that works with Rempart: it checks each
// picture before it stores it, and carries out what its moderators decide in
// Rempart's console. It keeps everything in memory, to be read in one sitting.
//
// No accounts: who published a post has its address with ?author=….
package main

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"html/template"
	"io"
	"log"
	"mime/multipart"
	"net/http"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// A post is what a member published. Redress is for its author alone: where and
// with which code to complain.
type post struct {
	ID, Words, Gone, Redress, author string
	photo                            []byte
}

type forum struct {
	rempart, key string // base address of our Rempart, and our key there
	hook         *standardwebhooks.Webhook

	mu    sync.Mutex
	posts map[string]*post
	seen  map[string][]byte // what was answered to each webhook-id: an order is carried out once
}

func main() {
	f := &forum{key: os.Getenv("REMPART_KEY"), posts: map[string]*post{}, seen: map[string][]byte{}}
	addr := flag.String("addr", "127.0.0.1:8090", "address to listen on")
	flag.StringVar(&f.rempart, "rempart", "http://127.0.0.1:8080", "base address of Rempart; the key is in REMPART_KEY, the webhook's secret in REMPART_WEBHOOK_SECRET")
	flag.Parse()
	var err error
	if f.hook, err = standardwebhooks.NewWebhook(os.Getenv("REMPART_WEBHOOK_SECRET")); err != nil {
		log.Fatal("REMPART_WEBHOOK_SECRET: ", err)
	}
	log.Fatal((&http.Server{Addr: *addr, Handler: f.routes(), ReadTimeout: time.Minute}).ListenAndServe())
}

func (f *forum) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /posts", f.publish)  // words, photo
	mux.HandleFunc("GET /posts/{id}", f.show) // or 410 Gone
	mux.HandleFunc("GET /posts/{id}/photo", f.show)
	mux.HandleFunc("POST /hooks/rempart", f.order) // signed as Standard Webhooks says
	return mux
}

// publish stores a post, unless its picture is to be stopped. A check that cannot
// be made stops nothing and stores nothing: the member tries again.
func (f *forum) publish(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 20<<20) // so that all of it stays in memory
	var photo []byte
	file, _, err := r.FormFile("photo")
	if err == nil {
		photo, err = io.ReadAll(file)
	}
	if err != nil {
		http.Error(w, "choose a picture of at most 20 MB", http.StatusBadRequest)
		return
	}
	sum := sha256.Sum256(photo)
	id := hex.EncodeToString(sum[:8])
	switch stop, err := f.listed(r, id, photo); {
	case err != nil:
		log.Print("upload check: ", err)
		http.Error(w, "pictures cannot be checked at this moment; please try again", http.StatusServiceUnavailable)
		return
	case stop:
		http.Error(w, "this picture cannot be published here: somebody in it did not agree", http.StatusUnprocessableEntity)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	p := &post{ID: id, Words: r.FormValue("words"), author: rand.Text(), photo: photo}
	if f.posts[id] == nil { // a post that is gone stays so
		f.posts[id] = p
	}
	http.Redirect(w, r, "/posts/"+id+"?author="+p.author, http.StatusSeeOther)
}

// listed asks Rempart whether a picture is a copy of a listed one that is to be
// stopped. stopped=true says that we do stop it, so that the person can be told;
// the key makes the same picture, sent twice, one stop.
func (f *forum) listed(r *http.Request, id string, photo []byte) (bool, error) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("photo", "photo")
	if err != nil {
		return false, err
	}
	part.Write(photo) // to memory: it cannot fail
	form.Close()
	req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, f.rempart+"/api/v1/match?stopped=true", &body)
	if err != nil {
		return false, err
	}
	req.Header.Set("Authorization", "Bearer "+f.key)
	req.Header.Set("Content-Type", form.FormDataContentType())
	req.Header.Set("Idempotency-Key", id)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	type match struct{ Action string }
	type result struct{ Matches []match }
	var answer struct{ Results []result }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || resp.StatusCode != http.StatusOK {
		return false, errors.Join(errors.New("Rempart answered "+resp.Status), err)
	}
	return slices.ContainsFunc(answer.Results, func(r result) bool {
		return slices.ContainsFunc(r.Matches, func(m match) bool { return m.Action == "block" }) // "review" asks a human
	}), nil
}

// order carries out a decision, once for each webhook-id, and says so. What is
// not there is gone: nothing is left to do. Anything else goes to a human.
func (f *forum) order(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil || f.hook.Verify(body, r.Header) != nil {
		http.Error(w, "the signature does not fit", http.StatusUnauthorized)
		return
	}
	var o struct {
		Type     string
		Item     struct{ Address string }
		Decision struct{ Explanation string }
		Redress  struct{ Code, URL string }
	}
	if err := json.Unmarshal(body, &o); err != nil {
		http.Error(w, "not an order", http.StatusBadRequest)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	id := r.Header.Get("webhook-id")
	if f.seen[id] == nil {
		f.seen[id] = []byte(`{"outcome":"done"}`)
		p := f.posts[path.Base(strings.TrimSuffix(o.Item.Address, "/photo"))]
		switch {
		case o.Type == "decision.apply" && p != nil:
			p.Gone, p.Redress = o.Decision.Explanation, o.Redress.URL+" – "+o.Redress.Code
		case o.Type == "decision.lift" && p != nil:
			p.Gone, p.Redress = "", ""
		case o.Type == "decision.lift":
			f.seen[id] = []byte(`{"outcome":"failed","reason":"there is no such post to restore"}`)
			defer delete(f.seen, id) // whoever looks into it may ask again
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(f.seen[id])
}

var page = template.Must(template.New("post").Parse(`<!doctype html><title>Forum</title>{{if .Gone}}<p>This post was taken away.</p>{{with .Redress}}<p>{{$.Gone}} To complain: {{.}}</p>{{end}}{{else}}<p>{{.Words}}</p><img src="{{.ID}}/photo" alt="">{{end}}
`))

func (f *forum) show(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.posts[r.PathValue("id")]
	if p == nil {
		http.NotFound(w, r)
		return
	}
	shown := *p
	if r.FormValue("author") != p.author {
		shown.Redress = ""
	}
	switch {
	case p.Gone != "":
		w.WriteHeader(http.StatusGone)
	case strings.HasSuffix(r.URL.Path, "/photo"):
		w.Write(p.photo)
		return
	}
	page.Execute(w, shown)
}
