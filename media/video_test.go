//go:build linux

package media

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rempart/vpdq"
)

// shared reads one of the shared fixtures, or skips the test.
func shared(t testing.TB, name string) []byte {
	t.Helper()
	dir := os.Getenv("REMPART_FIXTURES")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "fixtures")
	}
	data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("no fixtures: set REMPART_FIXTURES: %v", err)
		}
		t.Skipf("no fixtures: set REMPART_FIXTURES to their folder: %v", err)
	}
	return data
}

// pattern makes a short video of ffmpeg's test card.
func pattern(t testing.TB, name string, args ...string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	line := append([]string{"-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25:duration=2"}, args...)
	if out, err := exec.Command("ffmpeg", append(line, path)...).CombinedOutput(); err != nil {
		t.Fatalf("making %s: %v: %s", name, err, out)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestVideoReference hashes the shared videos: as many frames as the
// reference, each with quality 50 within 30 bits, most within 6.
func TestVideoReference(t *testing.T) {
	needs(t, "prlimit", "ffmpeg", "ffprobe")
	for _, c := range []struct {
		video, features string
		opt             VideoOptions
		most, all       int // bits: of nine frames in ten, of every frame
	}{
		{"chair-19-sd-bar", "chair-19-sd-bar", VideoOptions{}, 4, 6},
		{"chair-19-sd-bar", "chair-19-sd-bar-128x128", VideoOptions{Width: 128, Height: 128}, 6, 16},
		{"pattern-sd-grey-bar", "pattern-sd-grey-bar", VideoOptions{}, 2, 6},
		{"doorknob-hd-no-bar", "doorknob-hd-no-bar", VideoOptions{}, 12, 30}, // blurred
		{"doorknob-hd-no-bar", "doorknob-hd-no-bar-128x128", VideoOptions{Width: 128, Height: 128}, 12, 30},
		{"chair-19-sd-bar", "chair-19-sd-bar", VideoOptions{Seconds: 1}, 4, 6},
	} {
		if testing.Short() && c.opt.Seconds == 0 {
			continue
		}
		want, err := vpdq.Parse(bytes.NewReader(shared(t, "vpdq/"+c.features+".txt")))
		if err != nil {
			t.Fatal(err)
		}
		want = vpdq.Sample(want, vpdq.Mod(c.opt.Seconds, 30))
		data := shared(t, "video/"+c.video+".mp4")
		got, err := FingerprintVideo(t.Context(), bytes.NewReader(data), c.opt)
		if err != nil {
			t.Errorf("%s: %v", c.features, err)
			continue
		}
		if sum := sha256.Sum256(data); got.SHA256 != hex.EncodeToString(sum[:]) {
			t.Errorf("%s: SHA-256 %s", c.features, got.SHA256)
		}
		if len(got.Features) != len(want) || len(want) == 0 {
			t.Errorf("%s: %d frames, want %d", c.features, len(got.Features), len(want))
			continue
		}
		good, near, worst := 0, 0, 0
		for i, f := range got.Features {
			w := want[i]
			if f.Frame != w.Frame || math.Abs(f.Timestamp-w.Timestamp) > 0.001 {
				t.Errorf("%s: frame %d at %.3f s, want %d at %.3f", c.features, f.Frame, f.Timestamp, w.Frame, w.Timestamp)
				break
			}
			if w.Quality < 50 {
				continue
			}
			good++
			d := f.PDQ.Distance(w.PDQ)
			worst = max(worst, d)
			if d <= c.most {
				near++
			}
			if d > c.all || f.Quality < w.Quality-8 {
				t.Errorf("%s: frame %d: %d bits, quality %d, want %d bits at most, quality %d or little less", c.features, f.Frame, d, f.Quality, c.all, w.Quality)
			}
		}
		if 10*near < 9*good || good == 0 {
			t.Errorf("%s: %d of %d frames within %d bits, want nine in ten", c.features, near, good, c.most)
		}
		t.Logf("%s, every %g s: %d frames of quality 50, %d within %d bits, none above %d", c.features, c.opt.Seconds, good, near, c.most, worst)
	}
}

// TestVideoSampled: a frame among few is, but for the smoothing of blocks, the
// frame among all. The film has frames that no other is made from, badly
// compressed, which is where it shows most.
func TestVideoSampled(t *testing.T) {
	needs(t, "prlimit", "ffmpeg", "ffprobe")
	data := pattern(t, "film.mp4", "-c:v", "libx264", "-bf", "3", "-crf", "38", "-pix_fmt", "yuv420p")
	all, err := FingerprintVideo(t.Context(), bytes.NewReader(data), VideoOptions{})
	if err != nil {
		t.Fatal(err)
	}
	few, err := FingerprintVideo(t.Context(), bytes.NewReader(data), VideoOptions{Seconds: 0.12}) // three frames
	if err != nil {
		t.Fatal(err)
	}
	want := vpdq.Sample(all.Features, 3)
	if len(few.Features) != 17 || len(want) != 17 {
		t.Fatalf("%d frames, and of all %d, want 17", len(few.Features), len(want))
	}
	for i, f := range few.Features {
		if d := f.PDQ.Distance(want[i].PDQ); f.Frame != want[i].Frame || d > 6 {
			t.Errorf("frame %d is %d bits from frame %d among all", f.Frame, d, want[i].Frame)
		}
	}
}

// TestVideoKinds reads one picture sequence in several containers and codecs,
// from a reader that cannot seek, the MP4 with its index at its end.
func TestVideoKinds(t *testing.T) {
	needs(t, "prlimit", "ffmpeg", "ffprobe")
	for _, c := range []struct {
		name string
		args []string
	}{
		{"moov-last.mp4", []string{"-c:v", "libx264", "-pix_fmt", "yuv420p"}},
		{"moov-first.mp4", []string{"-c:v", "libx264", "-pix_fmt", "yuv420p", "-movflags", "+faststart"}},
		{"a.webm", []string{"-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"}},
		{"a.mkv", []string{"-c:v", "libx265", "-x265-params", "log-level=none", "-preset", "ultrafast"}},
		{"a.avi", []string{"-c:v", "mpeg4", "-q:v", "2"}},
		{"a.mov", []string{"-c:v", "mjpeg", "-q:v", "2"}},
		{"a.ts", []string{"-c:v", "mpeg2video", "-q:v", "2"}},
	} {
		data := pattern(t, c.name, c.args...)
		frames := 0
		for f, err := range Video(t.Context(), io.MultiReader(bytes.NewReader(data)), VideoOptions{}) {
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			if f.Width != 320 || f.Height != 240 || len(f.RGB) != 320*240*3 || f.Number != frames {
				t.Fatalf("%s: frame %d: %d x %d, number %d", c.name, frames, f.Width, f.Height, f.Number)
			}
			frames++
		}
		if frames != 50 {
			t.Errorf("%s: %d frames, want 50", c.name, frames)
		}
	}
}

// TestVideoBrightness compares the plane of brightness as it is stored with
// what conversion to grey gives, for both ranges.
func TestVideoBrightness(t *testing.T) {
	needs(t, "prlimit", "ffmpeg", "ffprobe")
	for _, c := range []struct {
		name string
		args []string
	}{
		{"limited.mkv", []string{"-c:v", "libx264", "-qp", "0", "-pix_fmt", "yuv420p", "-frames:v", "3"}},
		{"full.mkv", []string{"-c:v", "libx264", "-qp", "0", "-vf", "scale=out_range=full", "-pix_fmt", "yuv420p", "-color_range", "pc", "-frames:v", "3"}},
		{"jpeg.mkv", []string{"-c:v", "mjpeg", "-q:v", "2", "-pix_fmt", "yuvj444p", "-frames:v", "3"}},
		{"deep.mkv", []string{"-c:v", "ffv1", "-pix_fmt", "yuv422p10le", "-frames:v", "3"}},
	} {
		data := pattern(t, c.name, c.args...)
		var colours [][]byte
		for f, err := range Video(t.Context(), bytes.NewReader(data), VideoOptions{}) {
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			colours = append(colours, bytes.Clone(f.RGB))
		}
		n := 0
		_, err := video(t.Context(), bytes.NewReader(data), DefaultVideo, true, func(f Frame) error {
			off := 0.0
			for i, y := range f.y {
				rgb := colours[f.Number][3*i:]
				off += math.Abs(0.299*float64(rgb[0]) + 0.587*float64(rgb[1]) + 0.114*float64(rgb[2]) - float64(y))
			}
			if off /= float64(len(f.y)); off > 2 {
				t.Errorf("%s, frame %d: %.2f levels off on average", c.name, f.Number, off)
			}
			n++
			return nil
		})
		if err != nil || n != 3 || len(colours) != 3 {
			t.Errorf("%s: %d and %d frames, %v", c.name, n, len(colours), err)
		}
	}
}

func TestVideoRefuses(t *testing.T) {
	needs(t, "prlimit", "ffmpeg", "ffprobe")
	whole := pattern(t, "whole.mp4", "-c:v", "libx264", "-pix_fmt", "yuv420p")
	sound := pattern(t, "sound.mp4", "-f", "lavfi", "-i", "sine=duration=1", "-map", "1:a")
	for _, c := range []struct {
		name string
		data []byte
		opt  VideoOptions
		want error
	}{
		{"empty", nil, VideoOptions{}, ErrNotVideo},
		{"text", []byte("not a video at all"), VideoOptions{}, ErrNotVideo},
		{"a list that names another file", []byte("#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"), VideoOptions{}, ErrNotVideo},
		{"the same by concatenation", []byte("ffconcat version 1.0\nfile /etc/passwd\n"), VideoOptions{}, ErrNotVideo},
		{"sound alone", sound, VideoOptions{}, ErrNotVideo},
		{"without its end", whole[:len(whole)/2], VideoOptions{}, ErrNotVideo}, // and so without its index
		{"bytes", whole, VideoOptions{Bytes: 1000}, ErrTooManyBytes},
		{"pixels", whole, VideoOptions{Pixels: 1000}, ErrTooManyPixels},
		{"wanted pixels", whole, VideoOptions{Width: 9000, Height: 9000}, ErrTooManyPixels},
		{"frames", whole, VideoOptions{Frames: 10}, ErrTooLong},
		{"duration", whole, VideoOptions{Duration: time.Second}, ErrTooLong},
	} {
		v, err := FingerprintVideo(t.Context(), bytes.NewReader(c.data), c.opt)
		if !errors.Is(err, c.want) || len(v.Features) > 0 {
			t.Errorf("%s: %v, %d features, want %v", c.name, err, len(v.Features), c.want)
		}
		if err != nil && strings.Contains(err.Error(), "passwd") {
			t.Errorf("%s: the error repeats the file: %v", c.name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := FingerprintVideo(ctx, bytes.NewReader(whole), VideoOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	n := 0
	for _, err := range Video(t.Context(), bytes.NewReader(whole), VideoOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 3 {
			break
		}
	}
	if n != 3 {
		t.Errorf("%d steps of a loop left at the third", n)
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := FingerprintVideo(t.Context(), bytes.NewReader(whole), VideoOptions{}); !errors.Is(err, ErrMissing) || !errors.Is(err, ErrUnsupported) {
		t.Errorf("without ffmpeg: %v", err)
	}
}
