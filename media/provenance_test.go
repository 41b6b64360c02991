package media_test

import (
	"bytes"
	"os"
	"os/exec"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rempart/media"
	"rempart/provenance"
)

// TestProvenance: the marks of a file come with its fingerprints, by each way
// that a picture is read.
func TestProvenance(t *testing.T) {
	marked, err := os.ReadFile("../provenance/testdata/files/c2pa-v1.jpg")
	if err != nil {
		t.Fatal(err)
	}
	store := marked[2:bytes.Index(marked, []byte("\xff\xdb"))] // its segments up to the tables
	large := encodeJPEG(t, scene(400, 300))
	large = append(append(append([]byte{}, large[:2]...), store...), large[2:]...)
	want := []provenance.Mark{{Kind: "c2pa", Part: "APP11", Key: "manifest", Generator: "Adobe Firefly", Source: "trainedAlgorithmicMedia", Signature: "not_verified"}}
	for name, file := range map[string][]byte{"small": marked, "by its luma": large} {
		fp, err := media.Fingerprint(t.Context(), bytes.NewReader(file), media.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		p, err := media.Decode(t.Context(), bytes.NewReader(file), media.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, fp.Provenance) + cmp.Diff(want, p.Provenance); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestVideoProvenance: a video's marks come with its fingerprints.
func TestVideoProvenance(t *testing.T) {
	for _, program := range []string{"prlimit", "ffmpeg", "ffprobe"} {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatalf("%s is missing: run scripts/test-deps.sh", program)
			}
			t.Skipf("%s is missing: run scripts/test-deps.sh", program)
		}
	}
	for name, want := range map[string]provenance.Mark{
		"xmp.mp4":   {Kind: "iptc", Part: "uuid", Key: "DigitalSourceType", Source: "trainedAlgorithmicMedia"},
		"keys.mp4":  {Kind: "text", Part: "ilst", Key: "prompt", Generator: "ComfyUI"},
		"udta.mov":  {Kind: "text", Part: "udta", Key: "Comment", Generator: "Google AI"},
		"tags.webm": {Kind: "text", Part: "tags", Key: "prompt", Generator: "ComfyUI"},
	} {
		data, err := os.ReadFile("../provenance/testdata/files/" + name)
		if err != nil {
			t.Fatal(err)
		}
		v, err := media.FingerprintVideo(t.Context(), bytes.NewReader(data), media.VideoOptions{})
		if err != nil || len(v.Provenance) == 0 || v.Provenance[0] != want {
			t.Errorf("%s: %+v, %v, want %+v first", name, v.Provenance, err, want)
		}
	}
}
