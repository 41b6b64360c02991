package web

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rempart"
	"rempart/pdq"
)

// wireFixture reads a file of the fixtures.
func wireFixture(t *testing.T, name string) []byte {
	t.Helper()
	dir := os.Getenv("REMPART_FIXTURES")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "fixtures")
	}
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil && os.Getenv("CI") == "" {
		t.Skipf("no fixtures: put them in ../shared/fixtures or set REMPART_FIXTURES: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// list puts active entries, each under its own identifier, in a list of another
// hub's.
func (d *desk) list(list string, prints ...rempart.Fingerprint) {
	d.t.Helper()
	var all []rempart.Entry
	for k, f := range prints {
		all = append(all, rempart.Entry{ID: fmt.Sprintf("%s-%d", list, k), List: list, Fingerprint: f, State: rempart.EntryActive, CaseRef: "7F3K-9QXM", Since: d.now})
	}
	d.must(d.db.ApplyFeed(context.Background(), "elsewhere-"+list, all, "c"))
}

// ask sends a GET and returns the answer, whose JSON it reads into v.
func (d *desk) ask(path string, v any) (int, string) {
	d.t.Helper()
	status, _, text := d.call("GET", path, "", nil)
	if v != nil {
		if err := json.Unmarshal([]byte(text), v); err != nil {
			d.t.Errorf("%s: %v in %q", path, err, text)
		}
	}
	return status, text
}

// TestHMAHaystack looks Meta's needles up in Meta's haystack (fixtures, of
// facebook/ThreatExchange's pdq/data/mih): whoever reads every value finds 250
// pairs within 31 bits, as the fixtures' README says, and so must both lookups.
func TestHMAHaystack(t *testing.T) {
	var hay []rempart.Fingerprint
	seen := map[string]bool{}
	for l := bufio.NewScanner(bytes.NewReader(wireFixture(t, "haystack.txt"))); l.Scan(); {
		if !seen[l.Text()] {
			hay = append(hay, rempart.Fingerprint{Type: rempart.PDQ, Value: l.Text(), Quality: 90})
		}
		seen[l.Text()] = true
	}
	d := newDesk(t, true, true)
	half := len(hay) / 2
	for k := range half / 2 { // the near ones lie together: every other one to the other list
		hay[2*k], hay[half+2*k] = hay[half+2*k], hay[2*k]
	}
	d.list("ncii-adult", hay[:half]...)
	d.list("ncii-minor", hay[half:]...)
	pairs, inBanks, inOne := 0, 0, 0
	for l := bufio.NewScanner(bytes.NewReader(wireFixture(t, "needles.txt"))); l.Scan(); {
		q := "signal_type=pdq&signal=" + l.Text()
		needle, err := pdq.Parse(l.Text())
		d.must(err)
		var raw struct {
			Matches []struct {
				ID       int    `json:"bank_content_id"`
				Distance string `json:"distance"`
			}
		}
		d.ask("/m/raw_lookup?include_distance=true&"+q, &raw)
		var bare struct{ Matches []int }
		d.ask("/m/raw_lookup?"+q, &bare)
		for i, m := range raw.Matches {
			h, err := pdq.Parse(hay[m.ID-1].Value)
			d.must(err)
			if want := fmt.Sprint(needle.Distance(h)); m.Distance != want || bare.Matches[i] != m.ID {
				t.Fatalf("%+v and %d, want distance %s", m, bare.Matches[i], want)
			}
		}
		pairs += len(raw.Matches)
		var banks, one map[string][]struct{ Distance string }
		d.ask("/m/lookup?"+q, &banks)
		d.ask("/m/lookup?banks=NCII_MINOR,OTHER&"+q, &one)
		inBanks += len(banks["NCII_ADULT"]) + len(banks["NCII_MINOR"])
		inOne += len(one["NCII_MINOR"])
		if len(one["NCII_ADULT"]) > 0 || len(one["NCII_MINOR"]) != len(banks["NCII_MINOR"]) {
			t.Errorf("in one bank %v, in all %v", one, banks)
		}
	}
	if pairs != 250 || inBanks != 250 || inOne == 0 || inOne == 250 {
		t.Errorf("%d pairs, %d in banks, %d in one of them; want 250 pairs", pairs, inBanks, inOne)
	}
}

// hmaForm returns a multipart body with files, pairs of field name and content.
func hmaForm(t *testing.T, files ...string) (kind string, body io.Reader) {
	t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	for i := 0; i+1 < len(files); i += 2 {
		p, err := m.CreateFormFile(files[i], "a")
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(p, files[i+1])
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	return m.FormDataContentType(), &b
}

// TestHMAFile hashes and looks up files as HMA takes them. The PDQ of rgb.jpeg is
// the one that python-threatexchange has in its tests (test_pdq_hasher.py), the
// MD5 of "abc" that of RFC 1321.
func TestHMAFile(t *testing.T) {
	d := newDesk(t, false, true)
	want, err := pdq.Parse("fb4eed46cb8a6c78819ca06b756c541f7b07ef6d02c82fccd00f862166272cda")
	d.must(err)
	const md5OfABC = "900150983cd24fb0d6963f7d28e17f72"
	d.list("ncii-adult", rempart.Fingerprint{Type: rempart.PDQ, Value: want.String(), Quality: 100}, rempart.Fingerprint{Type: rempart.MD5, Value: md5OfABC})
	post := func(path string, files ...string) (int, map[string]any) {
		kind, body := hmaForm(t, files...)
		status, _, text := d.call("POST", path, kind, body)
		var v map[string]any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Errorf("%s: %d %q", path, status, text)
		}
		return status, v
	}
	photo := string(wireFixture(t, filepath.Join("pytx", "rgb.jpeg")))
	status, v := post("/h/hash", "photo", photo)
	if h, err := pdq.Parse(fmt.Sprint(v["pdq"])); status != 200 || len(v) != 1 || err != nil || h.Distance(want) > 10 {
		t.Errorf("hash of a photo: %d %v", status, v)
	}
	if status, v = post("/m/lookup", "photo", photo); status != 200 || !strings.Contains(fmt.Sprint(v["pdq"]), "NCII_ADULT:[map[bank_content_id:1 ") {
		t.Errorf("lookup of a photo: %d %v", status, v)
	}
	if status, v = post("/h/hash?types=video_md5", "video", "abc"); status != 200 || v["video_md5"] != md5OfABC {
		t.Errorf("hash of a video: %d %v", status, v)
	}
	if _, v = post("/m/lookup", "video", "abc"); fmt.Sprint(v["video_md5"]) != "map[NCII_ADULT:[map[bank_content_id:2 distance:0]]]" {
		t.Errorf("lookup of a video: %v", v)
	}
	if _, v = post("/m/lookup", "video", "abd"); fmt.Sprint(v) != "map[video_md5:map[]]" {
		t.Errorf("lookup of what is not listed: %v", v)
	}
	var flat bytes.Buffer
	grey := image.NewGray(image.Rect(0, 0, 80, 80))
	grey.SetGray(3, 3, color.Gray{9})
	d.must(png.Encode(&flat, grey))
	if status, v = post("/h/hash", "photo", flat.String()); status != 200 || v["pdq"] != "" {
		t.Errorf("hash of a flat photo: %d %v", status, v)
	}
	for name, files := range map[string][]string{
		"flat": {"photo", flat.String()}, "no file": {}, "two files": {"photo", photo, "photo", photo},
		"another field": {"file", photo}, "no picture": {"photo", "abc"}, "cut short": {"photo", photo[:len(photo)/2]},
	} {
		if status, v = post("/m/lookup", files...); status != http.StatusBadRequest || len(v) != 1 || v["message"] == "" {
			t.Errorf("%s: %d %v, want 400 and a message", name, status, v)
		}
	}
	for _, types := range []string{"video_md5", "", ",", "vpdq"} {
		if status, v = post("/h/hash?types="+types, "photo", photo); status != 400 {
			t.Errorf("types=%s: %d %v, want 400", types, status, v)
		}
	}
}

// TestHMARefused sends what HMA refuses, and what only we refuse.
func TestHMARefused(t *testing.T) {
	d := newDesk(t, true, true)
	d.list("ncii-adult", prints()[0])
	h := prints()[0].Value
	for _, c := range []struct {
		path string
		want int
	}{
		{"/m/lookup?signal_type=pdq&signal=" + h, 200},
		{"/m/lookup?signal_type=pdq&signal=" + strings.ToUpper(h), 200},
		{"/m/lookup?signal_type=pdq&banks=&signal=" + h, 200},
		{"/m/lookup?signal_type=pdq", 400}, {"/m/lookup?signal=" + h, 400}, {"/m/lookup", 400},
		{"/m/lookup?signal_type=sha256&signal=" + h, 400}, {"/m/lookup?signal_type=pdq&signal=" + h[1:], 400},
		{"/m/lookup?signal_type=video_md5&signal=" + h, 400}, {"/m/lookup?signal_type=pdq&signal=" + url.QueryEscape(h[1:]+"é"), 400},
		{"/m/lookup?url=" + url.QueryEscape("https://forum.exemple.test/1.jpg"), 400},
		{"/h/hash?url=" + url.QueryEscape("https://forum.exemple.test/1.jpg"), 400},
		{"/m/raw_lookup?signal_type=pdq&include_distance=perhaps&signal=" + h, 400}, {"/m/raw_lookup", 400},
	} {
		var v map[string]any
		status, text := d.ask(c.path, &v)
		if status != c.want || status != 200 && (len(v) != 1 || v["message"] == "" || strings.Contains(text, h[1:])) {
			t.Errorf("%s: %d %s, want %d", c.path, status, text, c.want)
		}
	}
	if _, text := d.ask("/m/lookup?signal_type=pdq&banks=&signal="+h, nil); strings.TrimSpace(text) != "{}" {
		t.Errorf("in no bank: %s", text)
	}
	if status, text := d.ask("/status", nil); status != 200 || text != "I-AM-ALIVE" {
		t.Errorf("status: %d %s", status, text)
	}
	// A platform that follows a hub it has not heard yet answers from old lists.
	d.must(d.db.PutPeer(context.Background(), rempart.Peer{ID: "hub", Name: "Pôle", Kind: rempart.PeerFlagger, URL: "https://pole.exemple.test", CreatedAt: d.now}, "", nil))
	if status, text := d.ask("/status", nil); status != 503 || text != "INDEX-STALE" {
		t.Errorf("status of one that follows: %d %s", status, text)
	}
	d.must(d.db.PutPeer(context.Background(), rempart.Peer{ID: "partner", Name: "P", Kind: rempart.PeerPartner, CreatedAt: d.now}, "key-of-a-partner", nil))
	for _, rt := range hmaRoutes {
		if slices.Contains([]string{"GET", "POST"}, rt.method) {
			for key, want := range map[string]int{"": 401, "none": 401, "key-of-a-partner": 403} {
				if status, _, text := d.call(rt.method, rt.path, "", nil, "Authorization", "Bearer "+key); status != want || !strings.Contains(text, `"message"`) {
					t.Errorf("%s %s with key %q: %d %s, want %d", rt.method, rt.path, key, status, text, want)
				}
			}
		}
	}
}
