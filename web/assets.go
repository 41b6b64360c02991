package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

//go:embed templates i18n static
var embedded embed.FS

// contentTypes are those of the files we serve; a file with another extension
// is refused when the server starts.
var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
	".txt": "text/plain; charset=utf-8",
}

// assetVersion returns twelve hexadecimal digits of the SHA-256 of all static
// files, names and contents. It is a folder of the addresses that pages use, so
// that they can be cached for ever, and so that the relative imports between
// scripts keep to one version.
var assetVersion = sync.OnceValues(func() (string, error) {
	h := sha256.New()
	n := 0
	err := fs.WalkDir(embedded, "static", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if contentTypes[path.Ext(name)] == "" {
			return fmt.Errorf("static file %s: no content type for its extension", name)
		}
		b, err := embedded.ReadFile(name)
		if err != nil {
			return err
		}
		n++
		fmt.Fprintf(h, "%s\x00%d\x00", name, len(b))
		h.Write(b)
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("web: reading static files: %w", err)
	}
	if n == 0 {
		return "", errors.New("web: no static files")
	}
	return hex.EncodeToString(h.Sum(nil)[:6]), nil
})

// staticFiles adds the door of the static files.
func (s *Server) staticFiles(mux *http.ServeMux) { mux.HandleFunc("GET /static/", s.static) }

// static serves the files below /static/. With the current version in the path
// they never change; without it, or with that of another release (a page open
// during an upgrade), they are the current ones and are asked for each time.
func (s *Server) static(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/static/")
	cache := "no-cache"
	if first, rest, ok := strings.Cut(name, "/"); ok && isVersion(first) {
		if first == s.pages.version {
			cache = "public, max-age=31536000, immutable"
		}
		name = rest
	}
	b, err := embedded.ReadFile("static/" + name)
	if err != nil {
		s.notFound(w, r)
		return
	}
	w.Header().Set("Content-Type", contentTypes[path.Ext(name)])
	w.Header().Set("Cache-Control", cache)
	w.Header().Set("ETag", `"`+s.pages.version+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
}

func isVersion(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == 6
}
