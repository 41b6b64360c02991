package web_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"

	"rempart/internal/browsertest"
	"rempart/pdq"
)

// strictPolicy is the policy of the report page: with no connect-src, its scripts
// cannot send anything anywhere.
const strictPolicy = "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; img-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; media-src blob:"

// serveScripts serves static/js and testdata/drive.js as the program does, and
// page at "/", all under strictPolicy.
func serveScripts(t *testing.T, page string) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/static/js/", http.StripPrefix("/static/js/", http.FileServer(http.Dir("static/js"))))
	mux.Handle("/test/", http.StripPrefix("/test/", http.FileServer(http.Dir("testdata"))))
	mux.HandleFunc("/favicon.ico", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }) // browsers ask by themselves
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, page)
	})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", strictPolicy)
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	return srv
}

const drivePage = `<!DOCTYPE html><html lang="en"><title>Test</title><link rel="icon" href="/test/none.png">
<input type="file" id="files" multiple><script type="module" src="/test/drive.js"></script>`

// A result is what worker.js answers, see the top of that file.
type result struct {
	OK       bool
	Code     string
	Kind     string
	SHA256   string
	PDQ      string
	Quality  int
	Dihedral []string
	Width    int
	Height   int
	Animated bool
	MS       int
	Posted   string
}

// openDriver opens a page from which the module can be driven.
func openDriver(t *testing.T) context.Context {
	t.Helper()
	srv := serveScripts(t, drivePage)
	ctx := browsertest.New(t)
	openDriverAt(t, ctx, srv.URL)
	return ctx
}

func openDriverAt(t *testing.T, ctx context.Context, origin string) {
	t.Helper()
	err := chromedp.Do(ctx, chromedp.Navigate(origin+"/"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool](`Boolean(globalThis.drive)`)); err != nil {
		t.Fatalf("the module did not load: %v", err)
	}
}

// fingerprint has the browser read the file at path.
func fingerprint(t *testing.T, ctx context.Context, path string) result {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.SetUploadFiles(chromedp.CSS("#files"), []string{path})); err != nil {
		t.Fatal(err)
	}
	r, err := chromedp.Run(ctx, chromedp.Evaluate[result](`drive.fingerprint()`, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%s: %v", filepath.Base(path), err)
	}
	if strings.Contains(r.Posted, strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))) {
		t.Errorf("the worker posted the file's name: %s", r.Posted)
	}
	return r
}

// fixture returns the path of a fixture, or ends the test if there are none.
func fixture(t *testing.T, name string) string {
	t.Helper()
	dir := os.Getenv("REMPART_FIXTURES")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "fixtures")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "MANIFEST.tsv")); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("no fixtures: %v", err)
		}
		t.Skipf("no fixtures: put them in ../shared/fixtures or set REMPART_FIXTURES: %v", err)
	}
	return filepath.Join(dir, filepath.FromSlash(name))
}

// distance returns the number of bits in which two hashes in hex differ.
func distance(t *testing.T, a, b string) int {
	t.Helper()
	x, err := pdq.Parse(a)
	if err != nil {
		t.Fatal(err)
	}
	y, err := pdq.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return x.Distance(y)
}

// TestFormulaVectors feeds the pixels of the reference vectors to the module in a
// real browser: every bit must be the reference's.
func TestFormulaVectors(t *testing.T) {
	text, err := os.ReadFile(fixture(t, "synthetic_pdq.dev.json"))
	if err != nil {
		t.Fatal(err)
	}
	type answer struct {
		Hash     string   `json:"hash"`
		Quality  int      `json:"quality"`
		Dihedral []string `json:"dihedral"`
	}
	var vectors []struct {
		W, H, K int
		Hash    string
		Quality int
		Dih     []string
	}
	if err := json.Unmarshal(text, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) == 0 {
		t.Fatal("no vectors")
	}
	ctx := openDriver(t)
	for _, v := range vectors {
		got, err := chromedp.Run(ctx, chromedp.Evaluate[answer](fmt.Sprintf("drive.formula(%d, %d, %d)", v.W, v.H, v.K)))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(answer{v.Hash, v.Quality, v.Dih}, got); diff != "" {
			t.Errorf("%d x %d, k = %d (-want +got):\n%s", v.W, v.H, v.K, diff)
		}
	}
	t.Logf("%d vectors", len(vectors))
}

// TestFixturePictures hashes every fixture picture as a person's browser would:
// decoded by the browser, read back from a canvas. Another decoder may cost 10
// bits of the 31 at which a copy is recognised, no more.
func TestFixturePictures(t *testing.T) {
	text, err := os.ReadFile(fixture(t, "MANIFEST.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	ctx := openDriver(t)
	seen := 0
	for line := range strings.Lines(string(text)) {
		f := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if ext := filepath.Ext(f[0]); len(f) < 6 || ext != ".jpg" && ext != ".jpeg" && ext != ".png" {
			continue
		}
		seen++
		r := fingerprint(t, ctx, fixture(t, f[0]))
		if !r.OK {
			t.Errorf("%s: %s", f[0], r.Code)
			continue
		}
		if r.SHA256 != f[2] {
			t.Errorf("%s: SHA-256 %s, want %s", f[0], r.SHA256, f[2])
		}
		d := distance(t, r.PDQ, f[4])
		t.Logf("%-34s %4d x %-4d distance %2d, quality %3d (%s), %d ms", f[0], r.Width, r.Height, d, r.Quality, f[5], r.MS)
		limit := 10
		if f[0] == "pytx/LA.png" {
			limit = 16 // white noise with random alpha: see pdq.Luma
		}
		if d > limit {
			t.Errorf("%s: %d bits from the reference, want at most %d", f[0], d, limit)
		}
	}
	if seen == 0 {
		t.Fatal("no pictures in MANIFEST.tsv")
	}
}

// TestSameAsServer checks that a picture has one fingerprint, whether this module
// or package pdq computes it.
func TestSameAsServer(t *testing.T) {
	ctx := openDriver(t)
	dir := t.TempDir()
	scene := scene(600, 417)

	opaque := save(t, dir, "opaque.png", pngOf(t, scene))
	if r := fingerprint(t, ctx, opaque); r.PDQ != pdq.FromImage(scene).Hash.String() || r.Quality != pdq.FromImage(scene).Quality {
		t.Errorf("PNG: %s %d, want %v", r.PDQ, r.Quality, pdq.FromImage(scene))
	} else if h, _ := pdq.DihedralFromImage(scene); h[pdq.Rot90].String() != r.Dihedral[pdq.Rot90] || len(r.Dihedral) != 8 {
		t.Errorf("PNG turned: %v, want %v", r.Dihedral, h)
	}

	// Transparency is ignored, but a canvas keeps a see-through colour only roughly.
	glass := image.NewNRGBA(scene.Bounds())
	for y := range 417 {
		for x := range 600 {
			c := scene.RGBAAt(x, y)
			glass.SetNRGBA(x, y, color.NRGBA{c.R, c.G, c.B, uint8(60 + x*195/599)})
		}
	}
	r := fingerprint(t, ctx, save(t, dir, "glass.png", pngOf(t, glass)))
	d := distance(t, r.PDQ, pdq.FromImage(glass).Hash.String())
	t.Logf("half-transparent PNG: distance %d", d)
	if d > 10 {
		t.Errorf("half-transparent PNG: %d bits from package pdq, want at most 10", d)
	}

	photo := jpegOf(t, scene)
	decoded, err := jpeg.Decode(bytes.NewReader(photo))
	if err != nil {
		t.Fatal(err)
	}
	r = fingerprint(t, ctx, save(t, dir, "photo.jpg", photo))
	d = distance(t, r.PDQ, pdq.FromImage(decoded).Hash.String())
	t.Logf("JPEG: distance %d", d)
	if d > 10 {
		t.Errorf("JPEG: %d bits from package pdq, want at most 10", d)
	}
	sum := sha256.Sum256(photo)
	if r.SHA256 != hex.EncodeToString(sum[:]) || r.Kind != "jpeg" || r.Width != 600 || r.Height != 417 {
		t.Errorf("JPEG: %+v, want SHA-256 %x, jpeg, 600 x 417", r, sum)
	}

	// A phone's photo: stored lying on its side, with the order to turn it.
	r = fingerprint(t, ctx, save(t, dir, "turned.jpg", orient(photo, 6)))
	d = distance(t, r.PDQ, pdq.FromImage(clockwise(decoded)).Hash.String())
	t.Logf("JPEG with EXIF orientation 6: distance %d", d)
	if d > 10 || r.Width != 417 || r.Height != 600 {
		t.Errorf("JPEG with EXIF orientation 6: %d x %d, %d bits from the turned picture", r.Width, r.Height, d)
	}
}

// TestLimits gives the worker what a hostile or unlucky file may hold.
func TestLimits(t *testing.T) {
	ctx := openDriver(t)
	dir := t.TempDir()
	picture := scene(320, 200)
	photo := jpegOf(t, picture)
	tests := []struct {
		name string
		data []byte
		want result
	}{
		{"header.png", pngHeader(50_000, 50_000), result{Code: "too_many_pixels"}},
		{"bomb.png", append(pngHeader(10_001, 10_000), pngChunk("IEND", nil)...), result{Code: "too_many_pixels"}},
		{"cut.jpg", photo[:len(photo)*2/3], result{Code: "truncated"}},
		{"cut.png", pngOf(t, picture)[:2000], result{Code: "truncated"}},
		{"cut.gif", gifOf(t, 2)[:300], result{Code: "truncated"}},
		{"notes.txt", []byte("Some notes, and no picture.\n"), result{Code: "not_picture"}},
		{"page.jpg", []byte("<!DOCTYPE html><p>A page that says it is a JPEG."), result{Code: "not_picture"}},
		{"empty.jpg", nil, result{Code: "not_picture"}},
		{"clip.mp4", append([]byte("\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2"), make([]byte, 64)...), result{OK: true, Kind: "video"}},
		{"song.m4a", append([]byte("\x00\x00\x00\x18ftypM4A \x00\x00\x02\x00isomiso2"), make([]byte, 64)...), result{Code: "not_picture"}},
		{"huge.jpg", append(photo[:len(photo):len(photo)], make([]byte, 64<<20)...), result{Code: "too_large"}},
		{"phone.heic", heic(4032, 3024), result{Code: "unsupported"}},
		{"drawing.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>`), result{Code: "unsupported"}},
		{"damaged.png", append(pngHeader(20, 20), pngChunk("IEND", nil)...), result{Code: "failed"}},
		{"moving.gif", gifOf(t, 3), result{OK: true, Kind: "gif", Width: 64, Height: 48, Animated: true}},
		{"still.gif", gifOf(t, 1), result{OK: true, Kind: "gif", Width: 64, Height: 48}},
		{"tiny.png", pngOf(t, scene(4, 9)), result{OK: true, Kind: "png", Width: 4, Height: 9}},
		{"trailing.jpg", append(photo[:len(photo):len(photo)], "what some phones add"...), result{OK: true, Kind: "jpeg", Width: 320, Height: 200}},
	}
	for _, tt := range tests {
		got := fingerprint(t, ctx, save(t, dir, tt.name, tt.data))
		sum := sha256.Sum256(tt.data)
		wantSum := ""
		if tt.want.OK || tt.want.Code == "unsupported" || tt.want.Code == "failed" {
			wantSum = hex.EncodeToString(sum[:])
		}
		if got.SHA256 != wantSum {
			t.Errorf("%s: SHA-256 %q, want %q", tt.name, got.SHA256, wantSum)
		}
		if got.OK && got.Kind != "video" && (len(got.PDQ) != 64 || len(got.Dihedral) != 8) {
			t.Errorf("%s: PDQ %q, %d dihedral hashes", tt.name, got.PDQ, len(got.Dihedral))
		}
		shape := result{OK: got.OK, Code: got.Code, Kind: got.Kind, Width: got.Width, Height: got.Height, Animated: got.Animated}
		if diff := cmp.Diff(tt.want, shape); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}

	grey := image.NewGray(image.Rect(0, 0, 200, 100))
	for i := range grey.Pix {
		grey.Pix[i] = 128
	}
	if r := fingerprint(t, ctx, save(t, dir, "grey.png", pngOf(t, grey))); !r.OK || r.Quality != 0 {
		t.Errorf("flat grey: ok %v, quality %d, want true, 0", r.OK, r.Quality)
	}
}

// TestInsecurePage: on plain http there is no SHA-256, but still a PDQ.
func TestInsecurePage(t *testing.T) {
	srv := serveScripts(t, drivePage)
	ctx := browsertest.New(t)
	browsertest.Alias(ctx, "exemple.test", srv.Listener.Addr().String())
	openDriverAt(t, ctx, "http://exemple.test")
	scene := scene(320, 200)
	r := fingerprint(t, ctx, save(t, t.TempDir(), "picture.png", pngOf(t, scene)))
	if !r.OK || r.SHA256 != "" || r.PDQ != pdq.FromImage(scene).Hash.String() {
		t.Errorf("ok %v (%s), SHA-256 %q, PDQ %s, want no SHA-256 and the same PDQ", r.OK, r.Code, r.SHA256, r.PDQ)
	}
}

// scene draws a harmless picture with something to recognise: a sky, a sun, hills.
func scene(w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			u, v := x*1000/w, y*1000/h
			c := color.RGBA{uint8(90 + v/10), uint8(140 + v/12), uint8(250 - v/9), 255}
			if dx, dy := u-730, v-240; dx*dx+dy*dy < 9000 {
				c = color.RGBA{250, 230, 90, 255}
			}
			if hill := 520 + (u%410)*(410-u%410)/200 - u/9; v > hill {
				c = color.RGBA{uint8(30 + u%97), uint8(90 + (u*v)%61), uint8(40 + v%53), 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	return img
}

// clockwise returns m turned by 90 degrees.
func clockwise(m image.Image) image.Image {
	b := m.Bounds()
	out := image.NewRGBA(image.Rect(0, 0, b.Dy(), b.Dx()))
	for y := range b.Dy() {
		for x := range b.Dx() {
			out.Set(b.Dy()-1-y, x, m.At(x, y))
		}
	}
	return out
}

func pngOf(t *testing.T, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func jpegOf(t *testing.T, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 90}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gifOf(t *testing.T, frames int) []byte {
	t.Helper()
	var g gif.GIF
	for n := range frames {
		m := image.NewPaletted(image.Rect(0, 0, 64, 48), color.Palette{color.Black, color.White})
		for i := range m.Pix {
			m.Pix[i] = uint8((i/(n+3) ^ i/(64*(n+2))) & 1)
		}
		g.Image = append(g.Image, m)
		g.Delay = append(g.Delay, 10)
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, &g); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pngHeader(w, h uint32) []byte {
	ihdr := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)
	return append([]byte("\x89PNG\r\n\x1a\n"), pngChunk("IHDR", append(ihdr, 8, 2, 0, 0, 0))...)
}

func pngChunk(kind string, data []byte) []byte {
	body := append([]byte(kind), data...)
	out := append(binary.BigEndian.AppendUint32(nil, uint32(len(data))), body...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(body))
}

// heic returns the boxes of a HEIC file up to its size, without any picture.
func heic(w, h uint32) []byte {
	out := []byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic\x00\x00\x00\x14ispe\x00\x00\x00\x00")
	out = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(out, w), h)
	return append(out, make([]byte, 64)...)
}

// orient puts an EXIF orientation into a JPEG that has none.
func orient(photo []byte, orientation byte) []byte {
	exif := "Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00" + string(orientation) + "\x00\x00\x00\x00\x00\x00"
	out := append([]byte{}, photo[:2]...)
	out = append(out, 0xff, 0xe1)
	out = binary.BigEndian.AppendUint16(out, uint16(len(exif)+2))
	return append(append(out, exif...), photo[2:]...)
}

func save(t *testing.T, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
