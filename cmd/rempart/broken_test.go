//go:build linux

package main

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"image"
	"image/color/palette"
	stddraw "image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// TestHashBroken hashes a folder of files that are none, beside one that is:
// each has one line that says why, the good one its own, and the exit status is
// 1, without -json and with it.
func TestHashBroken(t *testing.T) {
	needs(t, "prlimit", "vips", "heif-enc", "avifenc", "cjxl", "ffmpeg")
	dir, work := t.TempDir(), t.TempDir()
	m := draw(3, false)
	web := image.NewPaletted(m.Bounds(), palette.WebSafe)
	stddraw.Draw(web, m.Bounds(), m, image.Point{}, stddraw.Src)
	photo := encode(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, m, nil) })
	drawing := encode(t, func(b *bytes.Buffer) error { return png.Encode(b, m) })
	moving := encode(t, func(b *bytes.Buffer) error {
		return gif.EncodeAll(b, &gif.GIF{Image: []*image.Paletted{web, web}, Delay: []int{5, 5}})
	})
	write(t, work, "a.png", drawing)
	for _, line := range [][]string{
		{"vips", "copy", "a.png", "a.webp"}, {"avifenc", "-s", "8", "a.png", "a.avif"}, {"heif-enc", "-o", "a.heic", "a.png"}, {"cjxl", "a.png", "a.jxl"},
		{"vips", "jpegsave", "a.png", "progressive.jpg", "--interlace"},
		{"ffmpeg", "-v", "error", "-i", "a.png", "-pix_fmt", "rgb565le", "16.bmp"},
		{"ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=64x64:duration=1", "a.mp4"},
	} {
		makes(t, work, line...)
	}
	made := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(work, name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	half := func(b []byte) []byte { return b[:len(b)/2] }
	changed := func(b []byte, at int, to ...byte) []byte {
		return append(append(bytes.Clone(b[:at]), to...), b[at+len(to):]...)
	}
	frame := bytes.Index(photo, []byte{0xff, 0xc0}) // marker, length [2], bits a sample [1]
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	if w, err := z.Create("a.png"); err != nil {
		t.Fatal(err)
	} else if _, err := w.Write(drawing); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	broken := map[string]struct {
		data []byte
		says string
	}{
		"half.jpg":        {half(photo), "cut short"},
		"progressive.jpg": {half(made("progressive.jpg")), "cut short"},
		"half.png":        {half(drawing), "cut short"},
		"half.gif":        {half(moving), "cut short"},
		"moving.gif":      {moving[:len(moving)*3/4], "cut short"},
		"half.webp":       {half(made("a.webp")), "cut short"},
		"half.avif":       {half(made("a.avif")), "cut short"},
		"half.heic":       {half(made("a.heic")), "cut short"},
		"half.jxl":        {half(made("a.jxl")), "damaged"}, // its decoder does not say which
		"half.bmp":        {half(encode(t, func(b *bytes.Buffer) error { return bmp.Encode(b, m) })), "cut short"},
		"half.tif":        {half(encode(t, func(b *bytes.Buffer) error { return tiff.Encode(b, m, nil) })), "cut short"},
		"start.jpg":       {photo[:3], "cut short"},
		"bit.png":         {changed(drawing, len(drawing)/2, ^drawing[len(drawing)/2]), "damaged"},
		"magic.jpg":       {changed(photo, 0, 'X', 'X'), "not a picture"},
		"magic.png":       {changed(drawing, 0, 0), "not a picture"},
		"empty.jpg":       {nil, "the file is empty"},
		"zeros.bmp":       {make([]byte, 4096), "not a picture"},
		"text.jpg":        {[]byte("Ceci n'est pas une image.\n"), "not a picture"},
		"page.html":       {[]byte("<!doctype html><title>exemple.test</title>"), "not a picture"},
		"drawing.svg":     {[]byte("<svg xmlns='http://www.w3.org/2000/svg'/>"), "not a picture"},
		"archive.zip":     {archive.Bytes(), "not a picture"},
		"page.pdf":        {[]byte("%PDF-1.4\n"), "PDF"},
		"12bits.jpg":      {changed(photo, frame+4, 12), "not read"},
		"arithmetic.jpg":  {changed(photo, frame+1, 0xc9), "not read"},
		"16.bmp":          {made("16.bmp"), "not read"},
		"half.mp4":        {half(made("a.mp4")), "video"},
		"huge.png":        {pngOfSize(1<<31-1, 1<<31-1, nil), "too many pixels"},
		"wide.png":        {pngOfSize(50_000, 50_000, nil), "too many pixels"},
		"huge.bmp":        {changed(encode(t, func(b *bytes.Buffer) error { return bmp.Encode(b, m) }), 18, 0x50, 0xc3, 0, 0, 0x50, 0xc3, 0, 0), "too many pixels"},
		"huge.gif":        {[]byte("GIF89a\xff\xff\xff\xff\x00\x00\x00;"), "too many pixels"},
		"huge.webp":       {append([]byte("RIFF\x12\x00\x00\x00WEBPVP8L\x05\x00\x00\x00\x2f\xff\xff\xff\x0f"), 0), "too many pixels"},
		"bomb.png":        {pngOfSize(100, 100, zeros(64<<20)), "damaged"}, // 64 MiB of pixels in 64 kB
		"bomb.jpg":        {append(bytes.Clone(photo[:len(photo)-2]), bytes.Repeat([]byte{0xff, 0xda, 0, 2}, 50_000)...), "scans"},
		"bomb.gif":        {append([]byte("GIF89a\x88\x13\x88\x13\x80\x00\x00\x00\x00\x00\xff\xff\xff"), bytes.Repeat([]byte(",\x00\x00\x00\x00\x88\x13\x88\x13\x00\x02\x02\x4c\x01\x00"), 10_000)...), "not enough image data"},
		"two\nlines.jpg":  {nil, "empty"},
		"odd\xff\xfe.jpg": {nil, "empty"},
		"-json":           {nil, "empty"},
	}
	names := map[string]string{}
	for name, b := range broken {
		write(t, dir, name, b.data)
		names[name] = b.says
	}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(os.Mkdir(filepath.Join(dir, "folder.jpg"), 0o700))
	names["folder.jpg"] = "without any file"
	check(os.Symlink("nowhere.jpg", filepath.Join(dir, "link.jpg")))
	names["link.jpg"] = "cannot be opened: no such file"
	check(os.Symlink("loop.jpg", filepath.Join(dir, "loop.jpg")))
	names["loop.jpg"] = "cannot be opened: too many levels"
	check(os.Symlink("..", filepath.Join(dir, "up")))
	names["up"] = "not followed"
	check(syscall.Mkfifo(filepath.Join(dir, "pipe.jpg"), 0o600)) // to open it would wait for ever
	names["pipe.jpg"] = "neither a file nor a folder"
	write(t, dir, "locked.jpg", photo)
	check(os.Chmod(filepath.Join(dir, "locked.jpg"), 0))
	if f, err := os.Open(filepath.Join(dir, "locked.jpg")); err == nil {
		f.Close()
		check(os.Remove(filepath.Join(dir, "locked.jpg"))) // root reads everything
	} else {
		names["locked.jpg"] = "cannot be opened: permission denied"
	}
	write(t, dir, "good.png", drawing)
	write(t, dir, ".hidden", nil)
	absent := filepath.Join(dir, "nul\x00name.jpg")
	names["nul\x00name.jpg"] = "cannot be opened: invalid argument"

	for _, flags := range [][]string{nil, {"-json"}} {
		want := len(names)
		var out, stderr bytes.Buffer
		start := time.Now()
		if exit := run(t.Context(), append(append([]string{"hash"}, flags...), dir, absent), nil, &out, &stderr); exit != 1 {
			t.Errorf("exit %d", exit)
		}
		t.Logf("%d files in %v", want+1, time.Since(start).Round(time.Millisecond))
		if took := time.Since(start); took > time.Minute {
			t.Errorf("%v for %d broken files", took, want)
		}
		lines := strings.Split(strings.TrimSuffix(stderr.String(), "\n"), "\n")
		if hint := lines[len(lines)-1]; !strings.HasPrefix(hint, "rempart: hint: ") || len(lines)-1 != want {
			t.Errorf("%d lines and %q, want %d and a hint", len(lines)-1, hint, want)
		}
		for name, says := range names {
			shown := "rempart: error: " + oneLine(filepath.Join(dir, name)) + ": "
			n := 0
			for _, line := range lines {
				if strings.HasPrefix(line, shown) && (strings.Contains(line[len(shown):], says) || flags != nil) {
					n++
				}
			}
			if n != 1 {
				t.Errorf("%q: %d lines that say %q", name, n, says)
			}
		}
		good := 0
		for line := range strings.Lines(out.String()) {
			var o struct{ File, Error, PDQ string }
			if flags == nil && strings.HasSuffix(line, "good.png\n") {
				good++
			} else if flags != nil && json.Unmarshal([]byte(line), &o) == nil && o.Error == "" && o.PDQ != "" {
				good++
			} else if flags != nil && o.Error != "" && o.File != "" {
				want--
			}
		}
		if good != 1 || flags != nil && want != 0 {
			t.Errorf("%v: %d good ones, %d without an object", flags, good, want)
		}
		if t.Failed() {
			t.Log(stderr.String())
		}
	}
}

// pngOfSize returns an 8-bit RGB PNG that says it is w x h, with the pixels given.
func pngOfSize(w, h uint32, pixels []byte) []byte {
	chunk := func(id string, body []byte) []byte {
		out := append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), id...)
		out = append(out, body...)
		return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
	}
	size := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)
	out := append([]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", append(size, 8, 2, 0, 0, 0))...)
	return append(append(out, chunk("IDAT", pixels)...), chunk("IEND", nil)...)
}

// zeros returns n zeros, deflated.
func zeros(n int) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	for range n >> 20 {
		_, _ = w.Write(make([]byte, 1<<20)) // to memory
	}
	_ = w.Close()
	return b.Bytes()
}
