package flow_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rempart"
	"rempart/flow"
	"rempart/media"
	"rempart/pdq"
	"rempart/vpdq"
)

// fixture reads a shared file, or skips the test.
func fixture(t *testing.T, name string) []byte {
	t.Helper()
	dir := os.Getenv("REMPART_FIXTURES")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "fixtures")
	}
	b, err := os.ReadFile(filepath.Join(dir, name))
	if errors.Is(err, fs.ErrNotExist) && os.Getenv("CI") == "" {
		t.Skipf("no fixtures: set REMPART_FIXTURES to their folder: %v", err)
	}
	if err != nil {
		t.Fatalf("no fixtures: set REMPART_FIXTURES: %v", err)
	}
	return b
}

// ffmpeg runs the system's on a file, and returns what it makes of it.
func ffmpeg(t *testing.T, in []byte, name string, args ...string) []byte {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("ffmpeg makes this test's videos: %v", err)
		}
		t.Skipf("ffmpeg makes this test's videos: %v", err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "in.mp4"), in, 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, name)
	all := append([]string{"-v", "error", "-i", filepath.Join(dir, "in.mp4")}, append(args, out)...)
	if said, err := exec.Command("ffmpeg", all...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg %s: %v\n%s", strings.Join(args, " "), err, said)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var x264 = []string{"-c:v", "libx264", "-preset", "ultrafast", "-crf", "30", "-an"}

// sample is the reference's own fingerprint of a video, two images a second, as
// a person's browser takes them.
func sample(t *testing.T, name string) rempart.Fingerprint {
	t.Helper()
	features, err := vpdq.Parse(bytes.NewReader(fixture(t, "vpdq/"+name+".txt")))
	if err != nil {
		t.Fatal(err)
	}
	return rempart.NewVPDQ(vpdq.Sample(features, 15), rempart.ListedFrames)
}

// listed reports a medium with these fingerprints and confirms them.
func (s *side) listed(prints ...rempart.Fingerprint) *rempart.Case {
	s.t.Helper()
	c := s.submit(reportOf("", rempart.Medium{Fingerprints: prints}))
	s.confirm(c)
	return c
}

func (s *side) look(file []byte, up flow.Upload) flow.Checked {
	s.t.Helper()
	c, err := s.CheckFile(s.t.Context(), bytes.NewReader(file), up)
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// TestVideoUpload follows a video from a report to the platform that stops its
// copies: cut, turned, inside a longer one; and not others.
func TestVideoUpload(t *testing.T) {
	hub, platform := pair(t)
	c := hub.listed(sample(t, "chair-19-sd-bar"))
	platform.catchUp()
	chair, pattern := fixture(t, "video/chair-19-sd-bar.mp4"), fixture(t, "video/pattern-sd-grey-bar.mp4")
	with := func(filter string, more ...string) []byte {
		return ffmpeg(t, chair, "out.mp4", append(append([]string{"-vf", filter}, more...), x264...)...)
	}
	for _, x := range []struct {
		name          string
		file          []byte
		form          string
		query, listed float64 // at least; 0 is any
	}{
		{"itself", chair, "original", 0, 95},
		{"smaller, compressed", with("scale=320:-2"), "original", 0, 80},
		{"mirrored", with("hflip"), "flipY", 0, 80},
		{"turned by a quarter", with("transpose=1"), "rot90", 0, 80},
		{"of ten images a second", with("fps=10"), "original", 0, 50},
		{"a part cut out", with("trim=5:8,setpts=PTS-STARTPTS"), "original", 0, 0}, // 3 s of 19, of a scene that moves fast
		{"inside a longer one", ffmpeg(t, chair, "out.mp4", append([]string{"-f", "lavfi", "-i", "mandelbrot=size=320x240:rate=30:end_scale=0.01",
			"-filter_complex", "[1:v]trim=duration=30,setpts=PTS-STARTPTS,setsar=1,format=yuv420p[a];[0:v]scale=320:240,setsar=1,fps=30,format=yuv420p[b];[a][b]concat=n=2:v=1[v]", "-map", "[v]"}, x264...)...), "original", 0, 80},
	} {
		found := platform.look(x.file, flow.Upload{})
		if len(found.Matches) != 1 {
			t.Errorf("%s: %d matches, want one: %+v", x.name, len(found.Matches), found.Matches)
			continue
		}
		m := found.Matches[0]
		if m.Type != rempart.VPDQ || m.Video == nil || m.Form != x.form || m.Action != rempart.ActionBlock || m.CaseRef != c.Ref || m.Video.Query < x.query || m.Video.Listed < x.listed {
			t.Errorf("%s: %+v %+v, want form %s, %v %% and %v %%", x.name, m, m.Video, x.form, x.query, x.listed)
		}
		t.Logf("%s: form %s, distance %d, %+v", x.name, m.Form, m.Distance, m.Video)
		if x.name == "inside a longer one" && (m.Video.Offset > -29.5 || m.Video.Offset < -30.5 || m.Video.Query > 50) {
			t.Errorf("%s: %+v, want it 30 s later", x.name, m.Video)
		}
	}
	for name, file := range map[string][]byte{"another video": pattern, "another, blurred": fixture(t, "video/doorknob-hd-no-bar.mp4")} {
		if found := platform.look(file, flow.Upload{}); len(found.Matches) != 0 || found.Images < 100 {
			t.Errorf("%s: %d images, %+v, want no match", name, found.Images, found.Matches)
		}
	}
	if found := platform.look(chair, flow.Upload{Peer: "forum", Key: "upload-1", Tell: true}); len(found.Matches) != 1 {
		t.Errorf("stopped: %+v", found.Matches)
	}
	hub.change(c, func(c *rempart.Case) error { return c.WithdrawFingerprint(c.Items[0].ID, analyst, hub.clock.now()) })
	platform.catchUp()
	if found := platform.look(chair, flow.Upload{}); len(found.Matches) != 0 {
		t.Errorf("withdrawn: %+v, want no match", found.Matches)
	}
}

// TestImageAndVideo: a picture that is an image of a listed video recommends a
// look, and a listed picture is found inside a video.
func TestImageAndVideo(t *testing.T) {
	chair := fixture(t, "video/chair-19-sd-bar.mp4")
	still := ffmpeg(t, chair, "still.jpg", "-ss", "10", "-frames:v", "1", "-q:v", "4")

	s := newSide(t, newClock(), 0)
	video := s.listed(sample(t, "chair-19-sd-bar"))
	found := s.look(still, flow.Upload{Peer: "forum", Key: "k", Tell: true})
	if len(found.Matches) != 1 {
		t.Fatalf("an image of a listed video: %+v, want one match", found.Matches)
	}
	m := found.Matches[0]
	if m.Type != rempart.VPDQ || m.Action != rempart.ActionReview || m.Video != nil || m.At == nil || *m.At < 9 || *m.At > 11 || m.CaseRef != video.Ref || len(m.Value) != 64 {
		t.Errorf("an image of a listed video: %+v, want a look recommended, near 10 s", m)
	}
	if n := s.stops(); n != 0 {
		t.Errorf("%d stops: a look is none", n)
	}

	s = newSide(t, newClock(), 0)
	fp, err := media.Fingerprint(t.Context(), bytes.NewReader(still), media.Default)
	if err != nil {
		t.Fatal(err)
	}
	picture := s.listed(rempart.Fingerprint{Type: rempart.PDQ, Value: fp.PDQ.String(), Quality: fp.Quality})
	for form, filter := range map[string]string{"original": "null", "flipY": "hflip"} {
		found = s.look(ffmpeg(t, chair, "out.mp4", append([]string{"-vf", filter}, x264...)...), flow.Upload{})
		if len(found.Matches) != 1 {
			t.Fatalf("%s: a listed picture in a video: %+v, want one match", form, found.Matches)
		}
		m = found.Matches[0]
		if m.Type != rempart.PDQ || m.Form != form || m.Action != rempart.ActionBlock || m.At == nil || *m.At < 9 || *m.At > 11 || m.CaseRef != picture.Ref {
			t.Errorf("a listed picture in a video, %s: %+v, near 10 s", form, m)
		}
	}
}

// frame returns hash n, far from any other.
func frame(n int) (h pdq.Hash) {
	sum := sha256.Sum256([]byte{byte(n), byte(n >> 8)})
	for k := 0; k < len(h); k += 2 {
		h[k], h[k+1] = sum[k], ^sum[k]
	}
	return h
}

// TestEndCard: two videos that share an end card are not one another, whoever
// computed the fingerprints; the card alone asks for a look.
func TestEndCard(t *testing.T) {
	s := newSide(t, newClock(), 0)
	film := func(from int) rempart.Fingerprint {
		var features []vpdq.Feature
		for k := range 40 {
			h := frame(from + k)
			if k >= 35 {
				h = frame(9999) // five seconds of the card
				h[31] ^= byte(k)
			}
			features = append(features, vpdq.Feature{PDQ: h, Quality: 90, Timestamp: float64(k)})
		}
		return rempart.NewVPDQ(features, rempart.ListedFrames)
	}
	s.listed(film(100))
	look := func(f rempart.Fingerprint) []rempart.Match {
		t.Helper()
		r, _, err := s.Match(t.Context(), []flow.Query{{Fingerprint: f}}, flow.Upload{})
		if err != nil || r[0].Refused != "" {
			t.Fatal(err, r[0].Refused)
		}
		return r[0].Matches
	}
	if got := look(film(100)); len(got) != 1 || got[0].Video == nil || got[0].Video.Listed != 100 || got[0].Video.Query != 100 || got[0].Distance != 0 {
		t.Errorf("the video itself: %+v", got)
	}
	if got := look(film(500)); len(got) != 0 {
		t.Errorf("another video with the same end card: %+v, want no match", got)
	}
	cards := rempart.NewVPDQ(film(100).Frames()[35:], 240)
	if got := look(cards); len(got) != 1 || !got[0].Video.Few || got[0].Action != rempart.ActionReview {
		t.Errorf("nothing but the card: %+v, want a look recommended", got)
	}
	if got := look(rempart.Fingerprint{Type: rempart.PDQ, Value: frame(9999).String(), Quality: 90}); len(got) != 1 || got[0].Action != rempart.ActionReview || *got[0].At < 35 {
		t.Errorf("the card as a picture: %+v, want a look recommended", got)
	}
	turned := rempart.NewVPDQ(vpdq.Turn(film(100).Frames(), pdq.FlipY), 240)
	if got := look(turned); len(got) != 1 || got[0].Form != "flipY" || got[0].Video.Listed != 100 {
		t.Errorf("mirrored, bits alone: %+v", got)
	}
	flat := rempart.Fingerprint{Type: rempart.VPDQ, Value: `["` + frame(100).String() + `,20,0"]`}
	r, _, err := s.Match(t.Context(), []flow.Query{{Fingerprint: flat}}, flow.Upload{})
	if err != nil || r[0].Refused != flow.TooFlat || len(r[0].Matches) != 0 {
		t.Errorf("too flat: %+v, %v", r, err)
	}
}

// TestOldVideos: what was sent as the PDQ of some images of a video goes on
// matching, each image alone.
func TestOldVideos(t *testing.T) {
	s := newSide(t, newClock(), 0)
	var prints []rempart.Fingerprint
	for _, f := range sample(t, "chair-19-sd-bar").Frames()[:20] {
		prints = append(prints, rempart.Fingerprint{Type: rempart.PDQ, Value: f.PDQ.String(), Quality: f.Quality})
	}
	s.listed(prints...)
	if found := s.look(fixture(t, "video/chair-19-sd-bar.mp4"), flow.Upload{}); len(found.Matches) != 20 {
		t.Errorf("%d matches, want one for each image that was listed", len(found.Matches))
	}
}
