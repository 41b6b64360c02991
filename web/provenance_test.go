package web_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"

	"rempart/internal/browsertest"
	"rempart/provenance"
)

// vectors are the files of package provenance, with their marks.
func vectors(t *testing.T) (files map[string][]byte, want map[string][]provenance.Mark) {
	t.Helper()
	dir := filepath.Join("..", "provenance", "testdata")
	text, err := os.ReadFile(filepath.Join(dir, "vectors.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &want); err != nil || len(want) == 0 {
		t.Fatalf("%d vectors, %v", len(want), err)
	}
	files = map[string][]byte{}
	for name := range want {
		if files[name], err = os.ReadFile(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return files, want
}

// browserMarks has the module read files in a real browser, by marks or by
// parts, which takes parts of a video; each answer is JSON.
func browserMarks(t *testing.T, ctx context.Context, reader string, files [][]byte) []string {
	t.Helper()
	var out []string
	for some := range slices.Chunk(files, 50) { // of a megabyte or so
		text, err := json.Marshal(some) // []byte is base64 in JSON
		if err != nil {
			t.Fatal(err)
		}
		got, err := chromedp.Run(ctx, chromedp.Evaluate[[]string]("drive."+reader+"("+string(text)+")", chromedp.EvalAwaitPromise))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, got...)
	}
	if len(out) != len(files) {
		t.Fatalf("%d answers for %d files", len(out), len(files))
	}
	return out
}

// TestProvenanceVectors: the module gives the marks that the vectors say, and on
// files that were damaged, cut or spliced at random, those that Go gives.
func TestProvenanceVectors(t *testing.T) {
	files, want := vectors(t)
	ctx := openDriver(t)
	names := slices.Sorted(maps.Keys(files))
	var whole, spoilt [][]byte
	r := rand.New(rand.NewPCG(3, 1))
	for _, name := range names {
		whole = append(whole, files[name])
		for range 12 {
			spoilt = append(spoilt, spoil(r, files[name]))
		}
	}
	for i, got := range browserMarks(t, ctx, "marks", whole) {
		var marks []provenance.Mark
		if err := json.Unmarshal([]byte(got), &marks); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want[names[i]], marks); diff != "" {
			t.Errorf("%s (-want +got):\n%s", names[i], diff)
		}
	}
	some := 0
	for i, got := range browserMarks(t, ctx, "marks", spoilt) {
		text, err := json.Marshal(provenance.Read(spoilt[i]))
		if err != nil {
			t.Fatal(err)
		}
		if string(text) != got {
			t.Errorf("spoilt %s: Go %s, the browser %s; %s", names[i/12], text, got, base64.StdEncoding.EncodeToString(spoilt[i][:min(200, len(spoilt[i]))]))
		}
		if got != "[]" {
			some++
		}
	}
	if some < 20 {
		t.Errorf("%d spoilt files still have marks: too few to compare", some)
	}
	var videos [][]byte
	some = 0
	for i, name := range names {
		if slices.Contains([]string{".mp4", ".mov", ".webm"}, filepath.Ext(name)) {
			videos = append(append(videos, files[name]), spoilt[12*i:12*i+12]...)
		}
	}
	for i, got := range browserMarks(t, ctx, "parts", videos) {
		text, err := json.Marshal(provenance.ReadVideo(bytes.NewReader(videos[i]), int64(len(videos[i]))))
		if err != nil {
			t.Fatal(err)
		}
		if string(text) != got {
			t.Errorf("parts of a video: Go %s, the browser %s; %s", text, got, base64.StdEncoding.EncodeToString(videos[i][:min(200, len(videos[i]))]))
		}
		if got != "[]" {
			some++
		}
	}
	if some < 20 {
		t.Errorf("%d videos have marks: too few to compare", some)
	}
	t.Logf("%d vectors, %d spoilt, %d videos by parts, of which %d with marks", len(whole), len(spoilt), len(videos), some)
}

// spoil changes, cuts or doubles a few bytes, most often near the start.
func spoil(r *rand.Rand, file []byte) []byte {
	b := bytes.Clone(file)
	for range 1 + r.IntN(4) {
		at := r.IntN(min(len(b), 600))
		switch r.IntN(4) {
		case 0:
			b[at] = byte(r.IntN(256))
		case 1:
			b[at] ^= 1 << r.IntN(8)
		case 2:
			b = b[:1+r.IntN(len(b))]
		case 3:
			from := r.IntN(len(b))
			b = slices.Concat(b[:at], b[from:min(len(b), from+40)], b[at:])
		}
	}
	return b
}

// TestProvenanceNames: each program of the list is known in the browser too, and
// words beside the list are not.
func TestProvenanceNames(t *testing.T) {
	var files [][]byte
	said := append(provenance.Generators(), "Exemple", "Fluxbox", "OpenAI DALL·E 3", "x GIMPx", "stability.ai")
	longer := strings.NewReplacer("FLUX", "FLUX.1", "Affinity", "Affinity Photo") // alone, these are common words
	for _, name := range said {
		files = append(files, withText("Software", longer.Replace(name)+" 1.0"))
	}
	for i, got := range browserMarks(t, openDriver(t), "marks", files) {
		want, err := json.Marshal(provenance.Read(files[i]))
		if err != nil {
			t.Fatal(err)
		}
		if known := i < len(provenance.Generators()); string(want) != got || known && !strings.Contains(got, `"`+said[i]+`"`) {
			t.Errorf("%s: Go %s, the browser %s", said[i], want, got)
		}
	}
}

// withText is a PNG's beginning with one text.
func withText(keyword, text string) []byte {
	body := []byte("tEXt" + keyword + "\x00" + text)
	b := binary.BigEndian.AppendUint32([]byte("\x89PNG\r\n\x1a\n"), uint32(len(body)-4))
	return binary.BigEndian.AppendUint32(append(b, body...), crc32.ChecksumIEEE(body))
}

// TestProvenanceOfVideo: of a video the boxes that can hold marks are read, and
// not the whole.
func TestProvenanceOfVideo(t *testing.T) {
	_, want := vectors(t)
	ctx := openDriver(t)
	path, err := filepath.Abs("../provenance/testdata/files/xmp.mp4")
	if err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(ctx, chromedp.SetUploadFiles(chromedp.CSS("#files"), []string{path})); err != nil {
		t.Fatal(err)
	}
	got, err := chromedp.Run(ctx, chromedp.Evaluate[string]("drive.leading()", chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(want["files/xmp.mp4"])
	if err != nil || got != string(text) {
		t.Errorf("%s, want %s, %v", got, text, err)
	}
}

// TestMarksLeaveWithoutWords chooses marked pictures as a person would: each row
// says what the file says, and the form carries the marks and no word of the
// file.
func TestMarksLeaveWithoutWords(t *testing.T) {
	srv := serveScripts(t, pickerPage("https://exemple.test/"))
	ctx := browsertest.New(t)
	dir := t.TempDir()
	picture := pngOf(t, scene(200, 160))
	with := func(chunks ...[]byte) []byte {
		return slices.Concat(picture[:33], slices.Concat(chunks...), picture[33:])
	}
	chunk := func(keyword, text string) []byte { return withText(keyword, text)[8:] }
	told := []struct{ note, mark string }{
		{"mark_made", `{"kind":"text","part":"tEXt","key":"parameters","generator":"Stable Diffusion"}`},
		{"mark_ai", `{"kind":"text","part":"tEXt","key":"prompt"}`},
		{"mark_edited", `{"kind":"text","part":"tEXt","key":"Software","generator":"GIMP"}`},
		{"", ""},
	}
	files := []string{
		save(t, dir, "a.png", with(chunk("parameters", "PLANTED words\nSteps: 20, Sampler: Euler a"))),
		save(t, dir, "b.png", with(chunk("prompt", "PLANTED words"))),
		save(t, dir, "c.png", with(chunk("Software", "GIMP 2.10"))),
		save(t, dir, "d.png", with(chunk("Author", "PLANTED words"))),
	}
	rec := browsertest.Record(ctx)
	do(t, ctx, chromedp.Navigate(srv.URL+"/"), chromedp.WaitVisible(chromedp.CSS("[data-picker-input]")),
		chromedp.SetUploadFiles(chromedp.CSS("[data-picker-input]"), files))
	if got := states(t, ctx); got != "ready ready ready ready" {
		t.Fatalf("states %s", got)
	}
	rows, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](`[...document.querySelectorAll('[data-picker-list] > li')].map((row) =>
		row.querySelector('[data-row-note]').textContent + '|' + row.querySelector('input').value)`))
	if err != nil || len(rows) != len(told) {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for i, row := range rows {
		note, value, _ := strings.Cut(row, "|")
		if name, _, _ := strings.Cut(note, " "); name != told[i].note {
			t.Errorf("row %d says %q, want %q", i, note, told[i].note)
		}
		if has := strings.HasSuffix(value, `,"provenance":[`+told[i].mark+`]}`); has != (told[i].mark != "") || strings.Contains(value, "provenance") != has {
			t.Errorf("row %d sends %s", i, value)
		}
	}
	if _, err := chromedp.RunResponse(ctx, chromedp.Click(chromedp.CSS("#send"))); err != nil {
		t.Fatal(err)
	}
	posts := 0
	for _, q := range rec.Requests() {
		if q.Method == "POST" {
			posts++
		}
		if bytes.Contains(q.Body, []byte("PLANTED")) {
			t.Errorf("%s %s carries a word of the file: %s", q.Method, q.URL, q.Body)
		}
	}
	if posts != 1 {
		t.Errorf("%d posts, want 1", posts)
	}
}
