package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rempart"
	"rempart/pdq"
)

// TestHashVideo: a line of JSON for a video, and a clear refusal without
// -json.
func TestHashVideo(t *testing.T) {
	for _, program := range []string{"ffmpeg", "ffprobe", "prlimit"} {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatalf("%s is missing: run scripts/test-deps.sh", program)
			}
			t.Skipf("%s is missing: run scripts/test-deps.sh", program)
		}
	}
	name := filepath.Join(t.TempDir(), "card.mp4")
	if out, err := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25:duration=3,noise=alls=80:allf=t", "-c:v", "libx264", "-preset", "ultrafast", "-qp", "8", name).CombinedOutput(); err != nil {
		t.Fatalf("making a video: %v: %s", err, out)
	}
	var out, stderr bytes.Buffer
	if exit := run(t.Context(), []string{"hash", "-json", name}, strings.NewReader(""), &out, &stderr); exit != 0 {
		t.Fatalf("exit %d: %s", exit, &stderr)
	}
	var line struct {
		File, SHA256, Codec, VPDQ                string
		Width, Height, Frames, Features, Quality int
		Rate, Duration                           float64
		Unbordered                               *struct {
			VPDQ                      string
			Frames, Features, Quality int
		}
		Provenance json.RawMessage
	}
	in := json.NewDecoder(&out)
	in.DisallowUnknownFields()
	if err := in.Decode(&line); err != nil {
		t.Fatal(err)
	}
	if line.File != name || len(line.SHA256) != 64 || line.Width != 320 || line.Height != 240 || line.Rate != 25 || line.Duration != 3 || line.Frames != 75 || line.Features < 50 || line.Quality < 50 {
		t.Errorf("%+v", line)
	}
	print, err := rempart.Fingerprint{Type: rempart.VPDQ, Value: line.VPDQ}.Normal()
	if err != nil || len(print.Images()) != 6 || print.Value != line.VPDQ || print.Quality != line.Quality {
		t.Errorf("vpdq: %v, %d images of quality %d, want two a second, as a list takes them", err, len(print.Images()), print.Quality)
	}
	if string(line.Provenance) != "[]" {
		t.Errorf("a drawn video says where it comes from: %s", line.Provenance)
	}
	if line.Unbordered != nil {
		t.Errorf("a video without borders has a print without them: %+v", line.Unbordered)
	}

	padded := filepath.Join(t.TempDir(), "bars.mp4")
	if out, err := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25:duration=3,noise=alls=80:allf=t", "-vf", "pad=320:480:0:120", "-c:v", "libx264", "-preset", "ultrafast", "-qp", "8", padded).CombinedOutput(); err != nil {
		t.Fatalf("making a video: %v: %s", err, out)
	}
	out.Reset()
	if exit := run(t.Context(), []string{"hash", "-json", padded}, strings.NewReader(""), &out, &stderr); exit != 0 {
		t.Fatalf("exit %d: %s", exit, &stderr)
	}
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	if line.Unbordered == nil || line.Unbordered.Frames != 75 || line.Unbordered.Features < 50 || line.Unbordered.Quality < 50 {
		t.Fatalf("between bars: %+v", line.Unbordered)
	}
	bare, err := rempart.Fingerprint{Type: rempart.VPDQ, Value: line.Unbordered.VPDQ, Form: rempart.Unbordered}.Normal()
	if err != nil || len(bare.Images()) != 6 {
		t.Fatalf("between bars: %v, %d images", err, len(bare.Images()))
	}
	for k, image := range bare.Images() {
		if d := image.PDQ.Distance(print.Images()[k].PDQ); d > pdq.MatchDistance {
			t.Errorf("image %d is %d bits from that of the video without bars", k, d)
		}
	}

	stderr.Reset()
	if exit := run(t.Context(), []string{"hash", name}, strings.NewReader(""), &out, &stderr); exit != 1 || !strings.Contains(stderr.String(), "-json") {
		t.Errorf("without -json: exit %d, %s", exit, &stderr)
	}
}
