//go:build linux

package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/color/palette"
	stddraw "image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"rempart/pdq"
)

// needs ends the test if a program is missing that makes or reads its files;
// fatal in CI.
func needs(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatalf("%s is missing: run scripts/test-deps.sh", p)
			}
			t.Skipf("%s is missing: run scripts/test-deps.sh", p)
		}
	}
}

// makes runs a program in dir.
func makes(t *testing.T, dir string, line ...string) {
	t.Helper()
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%q: %v: %s", line, err, out)
	}
}

func write(t *testing.T, dir, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func encode(t *testing.T, to func(*bytes.Buffer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := to(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// hashes runs rempart hash on a folder and returns the PDQ of each file in it.
func hashes(t *testing.T, dir string) map[string]pdq.Hash {
	t.Helper()
	var out, stderr bytes.Buffer
	if exit := run(t.Context(), []string{"hash", dir}, nil, &out, &stderr); exit != 0 || stderr.Len() > 0 {
		t.Errorf("exit %d: %s", exit, &stderr)
	}
	got := map[string]pdq.Hash{}
	for line := range strings.Lines(out.String()) {
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 3)
		if len(f) != 3 {
			t.Fatalf("line %q", line)
		}
		h, err := pdq.Parse(f[0])
		if err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		name, err := filepath.Rel(dir, f[2])
		if err != nil {
			t.Fatal(err)
		}
		got[name] = h
	}
	return got
}

// TestHashFormats makes one picture into every format that is read, and hashes
// the folder as a user would. What is lossless is within 2 bits of the picture,
// what is not within 10. Of a CMYK TIFF libvips makes red, green and blue with a
// profile of its own: it is still the same picture.
func TestHashFormats(t *testing.T) {
	needs(t, "prlimit", "vips", "heif-enc", "avifenc", "cjxl", "ffmpeg")
	const exact, lossy, profiled = 2, 10, 31
	dir := t.TempDir()
	m := image.NewNRGBA(image.Rect(0, 0, 480, 360))
	stddraw.Draw(m, m.Rect, draw(3, false), image.Point{}, stddraw.Src)
	want := pdq.FromImage(m)
	if want.Quality < 80 {
		t.Fatalf("quality %d: the picture proves nothing", want.Quality)
	}
	bits := map[string]int{}
	// Made by Go.
	grey, grey16, rgb16 := image.NewGray(m.Rect), image.NewGray16(m.Rect), image.NewNRGBA64(m.Rect)
	web := image.NewPaletted(m.Rect, palette.WebSafe)
	seeThrough := image.NewNRGBA(m.Rect)
	cmyk := make([]byte, 0, 4*480*360)
	for y := range 360 {
		for x := range 480 {
			c := m.NRGBAAt(x, y)
			grey.Set(x, y, c)
			grey16.Set(x, y, c)
			rgb16.Set(x, y, c)
			seeThrough.SetNRGBA(x, y, color.NRGBA{c.R, c.G, c.B, uint8(40 + x/4 + y/4)})
			cy, ma, ye, k := color.RGBToCMYK(c.R, c.G, c.B)
			cmyk = append(cmyk, cy, ma, ye, k)
		}
	}
	stddraw.FloydSteinberg.Draw(web, m.Rect, m, image.Point{})
	for name, c := range map[string]struct {
		bits int
		to   func(*bytes.Buffer) error
	}{
		"a.png":       {exact, func(b *bytes.Buffer) error { return png.Encode(b, m) }},
		"grey.png":    {exact, func(b *bytes.Buffer) error { return png.Encode(b, grey) }},
		"grey16.png":  {exact, func(b *bytes.Buffer) error { return png.Encode(b, grey16) }},
		"16.png":      {exact, func(b *bytes.Buffer) error { return png.Encode(b, rgb16) }},
		"palette.png": {lossy, func(b *bytes.Buffer) error { return png.Encode(b, web) }},
		"alpha.png":   {exact, func(b *bytes.Buffer) error { return png.Encode(b, seeThrough) }},
		"go.jpg":      {lossy, func(b *bytes.Buffer) error { return jpeg.Encode(b, m, &jpeg.Options{Quality: 90}) }},
		"a.gif":       {lossy, func(b *bytes.Buffer) error { return gif.Encode(b, web, nil) }},
		"moving.gif": {lossy, func(b *bytes.Buffer) error {
			return gif.EncodeAll(b, &gif.GIF{Image: []*image.Paletted{web, web}, Delay: []int{5, 5}})
		}},
		"a.bmp":  {exact, func(b *bytes.Buffer) error { return bmp.Encode(b, m) }},
		"go.tif": {exact, func(b *bytes.Buffer) error { return tiff.Encode(b, m, nil) }},
		"go16.tif": {exact, func(b *bytes.Buffer) error {
			return tiff.Encode(b, rgb16, &tiff.Options{Compression: tiff.Deflate, Predictor: true})
		}},
		"grey.tiff": {exact, func(b *bytes.Buffer) error { return tiff.Encode(b, grey, nil) }},
	} {
		bits[name] = c.bits
		write(t, dir, name, encode(t, c.to))
	}
	// Made by others.
	work := t.TempDir()
	write(t, work, "cmyk.raw", cmyk)
	makes(t, work, "vips", "rawload", "cmyk.raw", "plain.v", "480", "360", "4")
	makes(t, work, "vips", "copy", "plain.v", "cmyk.v", "--interpretation", "cmyk")
	write(t, work, "from.png", encode(t, func(b *bytes.Buffer) error { return png.Encode(b, m) }))
	write(t, work, "grey.png", encode(t, func(b *bytes.Buffer) error { return png.Encode(b, grey) }))
	write(t, work, "alpha.png", encode(t, func(b *bytes.Buffer) error { return png.Encode(b, seeThrough) }))
	makes(t, work, "vips", "bandjoin", "grey.png grey.png", "ga.png")
	makes(t, work, "vips", "arrayjoin", "from.png from.png from.png", "tall.v", "--across", "1")
	makes(t, work, "vips", "copy", "tall.v", "tall.png")
	ffmpeg := func(args ...string) []string {
		return append([]string{"ffmpeg", "-v", "error", "-i", "from.png"}, args...)
	}
	for name, c := range map[string]struct {
		bits int
		line []string // without the file to write, which comes last, or in the place of OUT
	}{
		"baseline420.jpg": {lossy, []string{"vips", "jpegsave", "from.png", "OUT", "--Q", "85"}},
		"444.jpg":         {lossy, []string{"vips", "jpegsave", "from.png", "OUT", "--Q", "85", "--subsample-mode", "off"}},
		"422.jpg":         {lossy, ffmpeg("-pix_fmt", "yuvj422p", "-q:v", "3")},
		"progressive.jpg": {lossy, []string{"vips", "jpegsave", "from.png", "OUT", "--Q", "85", "--interlace", "--optimize-coding"}},
		"restarts.jpg":    {lossy, []string{"vips", "jpegsave", "from.png", "OUT", "--Q", "85", "--restart-interval", "4"}},
		"grey.jpg":        {lossy, []string{"vips", "jpegsave", "grey.png", "OUT", "--Q", "85"}},
		"cmyk.jpg":        {lossy, []string{"vips", "jpegsave", "cmyk.v", "OUT", "--Q", "90"}},
		"interlaced.png":  {exact, []string{"vips", "pngsave", "from.png", "OUT", "--interlace"}},
		"greyalpha.png":   {exact, []string{"vips", "pngsave", "ga.png", "OUT"}},
		"few.png":         {lossy, []string{"vips", "pngsave", "from.png", "OUT", "--palette"}},
		"moving.png":      {exact, ffmpeg("-vf", "loop=2:1", "-f", "apng")},
		"vips.gif":        {lossy, []string{"vips", "gifsave", "from.png", "OUT"}},
		"lossy.webp":      {lossy, []string{"vips", "webpsave", "from.png", "OUT", "--Q", "85"}},
		"lossless.webp":   {exact, []string{"vips", "webpsave", "from.png", "OUT", "--lossless"}},
		"alpha.webp":      {lossy, []string{"vips", "webpsave", "alpha.png", "OUT", "--Q", "90"}},
		"moving.webp":     {exact, []string{"vips", "webpsave", "tall.png", "OUT", "--lossless", "--page-height", "360"}},
		"lossy.avif":      {lossy, []string{"avifenc", "-s", "8", "--min", "20", "--max", "30", "from.png"}},
		"lossless.avif":   {exact, []string{"avifenc", "-s", "8", "--lossless", "from.png"}},
		"alpha.avif":      {lossy, []string{"avifenc", "-s", "8", "--min", "10", "--max", "20", "alpha.png"}},
		"lossy.heic":      {lossy, []string{"heif-enc", "-q", "80", "from.png", "-o"}},
		"lossless.heic":   {exact, []string{"heif-enc", "-L", "from.png", "-o"}},
		"10bits.heif":     {lossy, []string{"heif-enc", "-b", "10", "-q", "90", "from.png", "-o"}},
		"lossy.jxl":       {lossy, []string{"cjxl", "-d", "1", "from.png"}},
		"lossless.jxl":    {exact, []string{"cjxl", "-d", "0", "from.png"}},
		"lzw.tif":         {exact, []string{"vips", "tiffsave", "from.png", "OUT", "--compression", "lzw", "--predictor", "horizontal"}},
		"packbits.tif":    {exact, []string{"vips", "tiffsave", "from.png", "OUT", "--compression", "packbits"}},
		"tiles.tif":       {exact, []string{"vips", "tiffsave", "from.png", "OUT", "--tile", "--compression", "deflate"}},
		"jpeg.tif":        {lossy, []string{"vips", "tiffsave", "from.png", "OUT", "--compression", "jpeg", "--Q", "90"}},
		"cmyk.tif":        {profiled, []string{"vips", "tiffsave", "cmyk.v", "OUT"}},
		"large.tif":       {exact, []string{"vips", "tiffsave", "from.png", "OUT", "--bigtiff"}},
	} {
		bits[name] = c.bits
		line, to := slices.Clone(c.line), filepath.Join(dir, name)
		if at := slices.Index(line, "OUT"); at > 0 {
			line[at] = to
		} else {
			line = append(line, to)
		}
		makes(t, work, line...)
	}
	got := hashes(t, dir)
	for name, most := range bits {
		h, ok := got[name]
		d := h.Distance(want.Hash)
		if !ok {
			t.Errorf("%s: no line", name)
			continue
		}
		t.Logf("%s: %d bits, %d at most", name, d, most)
		if d > most {
			t.Errorf("%s: %d bits, %d at most", name, d, most)
		}
	}
	if len(got) != len(bits) {
		t.Errorf("%d lines for %d files", len(got), len(bits))
	}
}

// TestHashOrientations: a picture stored in the eight ways, in each container
// that can say so, has one hash.
func TestHashOrientations(t *testing.T) {
	needs(t, "prlimit", "vips", "avifenc", "cjxl")
	m := image.NewNRGBA(image.Rect(0, 0, 240, 180))
	stddraw.Draw(m, m.Rect, shrink(draw(3, false), 2), image.Point{}, stddraw.Src)
	want := pdq.FromImage(m).Hash
	dir, work := t.TempDir(), t.TempDir()
	// As EXIF's values are written for containers that turn and mirror:
	// quarters counter-clockwise, then the axis.
	turns := [9][]string{2: {"--imir", "1"}, 3: {"--irot", "2"}, 4: {"--imir", "0"}, 5: {"--irot", "1", "--imir", "0"}, 6: {"--irot", "3"}, 7: {"--irot", "3", "--imir", "0"}, 8: {"--irot", "1"}}
	bits := map[string]int{}
	for o := 1; o <= 8; o++ {
		laid := stored(m, o)
		block := []byte{'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, byte(o), 0, 0, 0, 0, 0, 0}
		name := func(ext string, most int) string {
			n := fmt.Sprintf("o%d.%s", o, ext)
			bits[n] = most
			return n
		}
		plain := encode(t, func(b *bytes.Buffer) error { return png.Encode(b, laid) })
		photo := encode(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, laid, &jpeg.Options{Quality: 92}) })
		app1 := append([]byte{0xff, 0xe1, 0, byte(8 + len(block))}, "Exif\x00\x00"...)
		photo = slices.Concat(photo[:2], app1, block, photo[2:])
		chunk := append(binary.BigEndian.AppendUint32(nil, uint32(len(block))), "eXIf"...)
		chunk = append(chunk, block...)
		chunk = binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
		write(t, dir, name("jpg", 10), photo)
		write(t, dir, name("png", 0), slices.Concat(plain[:33], chunk, plain[33:]))
		write(t, work, "o.jpg", photo)
		write(t, work, "o.png", plain)
		makes(t, work, "vips", "copy", "o.jpg", filepath.Join(dir, name("tif", 10)))
		makes(t, work, "vips", "copy", "o.jpg", filepath.Join(dir, name("webp", 10))+"[lossless]")
		makes(t, work, "cjxl", "o.jpg", filepath.Join(dir, name("jxl", 10)))
		makes(t, work, append(append([]string{"avifenc", "-s", "8", "--lossless"}, turns[o]...), "o.png", filepath.Join(dir, name("avif", 10)))...)
	}
	got := hashes(t, dir)
	for name, most := range bits {
		h, ok := got[name]
		if d := h.Distance(want); !ok || d > most {
			t.Errorf("%s: %v, %d bits, %d at most", name, ok, d, most)
		}
	}
	for o := 2; o <= 8; o++ {
		if got[fmt.Sprintf("o%d.png", o)] != got["o1.png"] {
			t.Errorf("PNG, orientation %d: another hash", o)
		}
	}
	if len(got) != 8*6 {
		t.Errorf("%d lines", len(got))
	}
}

// stored returns m as it lies in a file that asks for an orientation.
func stored(m *image.NRGBA, orientation int) *image.NRGBA {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	size := image.Rect(0, 0, w, h)
	if orientation >= 5 {
		size = image.Rect(0, 0, h, w)
	}
	out := image.NewNRGBA(size)
	for y := range h {
		for x := range w {
			// The words of the standard: where row 0 and column 0 are.
			at := [...]image.Point{1: {x, y}, 2: {w - 1 - x, y}, 3: {w - 1 - x, h - 1 - y}, 4: {x, h - 1 - y},
				5: {y, x}, 6: {y, w - 1 - x}, 7: {h - 1 - y, w - 1 - x}, 8: {h - 1 - y, x}}[orientation]
			out.SetNRGBA(at.X, at.Y, m.NRGBAAt(x, y))
		}
	}
	return out
}
