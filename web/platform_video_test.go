package web

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rempart"
	"rempart/media"
)

// clipOf makes a harmless video with ffmpeg's arguments.
func clipOf(t *testing.T, args ...string) []byte {
	t.Helper()
	clip(t) // says what is missing
	name := filepath.Join(t.TempDir(), "out.mp4")
	all := append(append([]string{"-v", "error"}, args...), "-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", name)
	if out, err := exec.Command("ffmpeg", all...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestCheckVideo: a video sent to the upload check, by program and by page,
// against a listed one; its percentages are shown in both languages.
func TestCheckVideo(t *testing.T) {
	d := newDesk(t, false, true)
	whole := clipOf(t, "-f", "lavfi", "-i", "mandelbrot=size=320x240:rate=10:end_scale=0.001", "-t", "12")
	later := clipOf(t, "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=10:duration=8", "-f", "lavfi", "-i", "mandelbrot=size=320x240:rate=10:end_scale=0.001",
		"-filter_complex", "[1:v]trim=duration=12,hflip,setsar=1[b];[0:v]setsar=1[a];[a][b]concat=n=2:v=1[v]", "-map", "[v]", "-t", "20")
	other := clipOf(t, "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=10:duration=8")
	fp, err := media.FingerprintVideo(t.Context(), bytes.NewReader(whole), media.VideoOptions{})
	d.must(err)
	print := rempart.NewVPDQ(rempart.AtRate(fp.Features, rempart.ListedRate), rempart.ListedFrames)
	d.must(d.db.Commit(t.Context(), "", rempart.Consequences{Entries: []rempart.EntryChange{
		{Entry: rempart.Entry{ID: "v1", List: "ncii-adult", Fingerprint: print, State: rempart.EntryActive, CaseRef: "7F3K-9QXM", ItemID: "i1", Since: d.now}},
	}}))

	ask := func(kind string, body []byte) (a matchAnswer) {
		t.Helper()
		status, _, text := d.call("POST", "/api/v1/match?stopped=false", kind, bytes.NewReader(body))
		if status != http.StatusOK {
			t.Fatalf("answered %d: %s", status, text)
		}
		d.must(json.Unmarshal([]byte(text), &a))
		return a
	}
	file := func(b []byte) (kind string, body []byte) {
		var out bytes.Buffer
		m := multipart.NewWriter(&out)
		part, err := m.CreateFormFile("file", "secret-name.mp4")
		d.must(err)
		part.Write(b)
		m.Close()
		return m.FormDataContentType(), out.Bytes()
	}
	a := ask(file(later))
	if len(a.Results) != 2 || a.Results[1].Type != rempart.VPDQ || len(a.Results[1].Matches) != 1 {
		t.Fatalf("a video as a file: %+v", a)
	}
	m := a.Results[1].Matches[0]
	if m.Type != rempart.VPDQ || m.Form != "flipY" || m.Video == nil || m.Video.Listed < 90 || m.Video.Query > 70 || m.Video.Offset > -7.5 || m.Video.Offset < -8.5 {
		t.Errorf("mirrored, 8 s into a longer one: %+v %+v", m, m.Video)
	}
	// What the answer says of the upload can be asked for as it is.
	q, err := json.Marshal(map[string]any{"fingerprints": []rempart.Fingerprint{{Type: rempart.VPDQ, Value: a.Results[1].Value}}})
	d.must(err)
	if a := ask("application/json", q); len(a.Results[0].Matches) != 1 || a.Results[0].Matches[0].Video == nil || a.Results[0].Matches[0].Form != "flipY" {
		t.Errorf("the same as a vpdq: %+v", a)
	}
	if a := ask(file(other)); len(a.Results) != 2 || len(a.Results[1].Matches) != 0 || len(a.Results[0].Matches) != 0 {
		t.Errorf("another video: %+v", a)
	}
	broken := append([]byte("\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2"), make([]byte, 4096)...)
	kind, body := file(broken)
	if status, _, text := d.call("POST", "/api/v1/match", kind, bytes.NewReader(body)); status != http.StatusUnprocessableEntity || !strings.Contains(text, "video") {
		t.Errorf("a broken video: %d %s", status, text)
	}

	s := d.sit(rempart.RoleModerator)
	for lang, want := range map[string][]string{
		"fr": {"1 correspondance", "7F3K-9QXM", "en miroir", "Part de la vidéo listée", "100\u00a0%", "La vidéo listée commence à 0:08", "vidéo, "},
		"en": {"1 match", "7F3K-9QXM", "mirrored", "Share of the listed video", "100%", "The listed video begins at 0:08", "video, "},
	} {
		s.lang = lang
		page := s.check(later)
		page.want(t, want...)
		sober(t, "/console/check of a video, "+lang, page.body)
	}
	s.lang = "fr"
	s.check(other).want(t, "Aucune correspondance")
	s.check(broken).want(t, "vidéo")
}
