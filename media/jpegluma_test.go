package media

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rempart/pdq"
)

// samples returns the files of testdata/jpeg by their names.
func samples(t testing.TB) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("testdata", "jpeg", "*.jpg"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	files := map[string][]byte{}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(name)] = data
	}
	return files
}

// lumaOf returns a copy of the brightness of a file, without what lies beyond
// its edges.
func lumaOf(t testing.TB, data []byte) (pix []byte, width, height int, err error) {
	t.Helper()
	c, err := jpeg.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, 0, 0, err
	}
	err = withLuma(t.Context(), data, c.Width, c.Height, func(d *jpegLuma) error {
		p := d.plane
		width, height = p.width, p.height
		for y := range height {
			pix = append(pix, p.pix[y*p.stride:][:width]...)
		}
		return nil
	})
	return pix, width, height, err
}

// yOf returns the brightness of a picture of image/jpeg.
func yOf(m image.Image) []byte {
	var pix []byte
	b := m.Bounds()
	for y := range b.Dy() {
		switch m := m.(type) {
		case *image.Gray:
			pix = append(pix, m.Pix[y*m.Stride:][:b.Dx()]...)
		case *image.YCbCr:
			pix = append(pix, m.Y[y*m.YStride:][:b.Dx()]...)
		}
	}
	return pix
}

func eachWay(f func()) {
	defer func(v bool) { vector = v }(vector)
	for _, vector = range slices.Compact([]bool{false, vector}) {
		f()
	}
}

// checkLuma reports whether a file was read, and checks that what was read is
// what image/jpeg reads.
func checkLuma(t testing.TB, name string, data []byte) (read bool) {
	t.Helper()
	eachWay(func() {
		pix, w, h, err := lumaOf(t, data)
		if read = err == nil; !read {
			return
		}
		m, err := jpeg.Decode(bytes.NewReader(data))
		if err != nil {
			t.Errorf("%s: read, but not by image/jpeg: %v", name, err)
			return
		}
		if m.Bounds() != image.Rect(0, 0, w, h) {
			t.Errorf("%s: %d x %d, want %v", name, w, h, m.Bounds())
			return
		}
		want := yOf(m)
		if len(want) != len(pix) {
			t.Errorf("%s: %T, %d values, not %d", name, m, len(want), len(pix))
			return
		}
		for i := range want {
			if pix[i] != want[i] {
				t.Errorf("%s: at %d, %d: %d, want %d", name, i%w, i/w, pix[i], want[i])
				return
			}
		}
	})
	return read
}

// TestLuma: which of the samples are read, and that what is read is right.
func TestLuma(t *testing.T) {
	ordinary := []string{"rgb.jpg", "cmyk.jpg", "progressive420restarts.jpg"}
	for name, data := range samples(t) {
		if got, want := checkLuma(t, name, data), !slices.Contains(ordinary, name); got != want {
			t.Errorf("%s: read %v, want %v", name, got, want)
		}
	}
}

// TestLumaCut: no part of a file is taken for a file.
func TestLumaCut(t *testing.T) {
	for name, data := range samples(t) {
		for n := 0; n < len(data); n++ {
			if n < len(data)-40 {
				n += 16
			}
			_, _, _, err := lumaOf(t, data[:n])
			if err == nil {
				t.Errorf("%s: read from %d bytes of %d", name, n, len(data))
			}
		}
	}
}

// TestLumaDamaged turns each bit of the samples.
func TestLumaDamaged(t *testing.T) {
	read, all := 0, 0
	for name, data := range samples(t) {
		if testing.Short() && !strings.HasPrefix(name, "pro") {
			continue
		}
		for i := 0; i < 8*len(data); i += 53 {
			bad := bytes.Clone(data)
			bad[i/8] ^= 1 << (i % 8)
			c, err := jpeg.DecodeConfig(bytes.NewReader(bad))
			if err != nil || c.Width*c.Height > 1<<16 {
				continue
			}
			all++
			if checkLuma(t, name, bad) {
				read++
			}
			if t.Failed() {
				t.Fatalf("bit %d of %s", i, name)
			}
		}
	}
	t.Logf("%d damaged files read as image/jpeg reads them, of %d", read, all)
	if read == 0 || read == all {
		t.Errorf("%d of %d damaged files read", read, all)
	}
}

// FuzzLuma checks that what is read of any bytes is what image/jpeg reads.
func FuzzLuma(f *testing.F) {
	for _, data := range samples(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := jpeg.DecodeConfig(bytes.NewReader(data))
		if err != nil || c.Width*c.Height > 1<<16 {
			return
		}
		checkLuma(t, "fuzz", data)
	})
}

// TestInverse checks the two transforms against each other, on blocks that no
// file should have as well.
func TestInverse(t *testing.T) {
	if !vector {
		t.Skip("there is one transform only")
	}
	rnd := rand.New(rand.NewPCG(5, 6))
	for i := range 20_000 {
		var b block
		var q quantizer
		for k := range b {
			q[k] = int32(rnd.IntN(1 << rnd.IntN(17)))
			if rnd.IntN(1+i%20) == 0 {
				b[k] = int16(rnd.IntN(1<<16) >> rnd.IntN(16))
			}
		}
		mean := block{b[0]}
		for _, b := range []block{b, mean} {
			var got, want [8 * 11]byte
			c := b
			inverse(got[:], 11, &b, &q)
			inversePlain(want[:], 11, &c, &q)
			if got != want || b != (block{}) || c != b {
				t.Fatalf("got %v, want %v", got, want)
			}
			if b = mean; i > 0 {
				flat(got[:], 11, int32(mean[0])*q[0])
				inversePlain(want[:], 11, &b, &q)
				if got != want {
					t.Fatalf("mean %d x %d: got %v, want %v", mean[0], q[0], got, want)
				}
			}
		}
	}
}

// TestLumaUpright: what is turned at speed is what is turned pixel by pixel.
func TestLumaUpright(t *testing.T) {
	for _, size := range []image.Point{{67, 45}, {1, 1}, {64, 128}, {130, 65}, {3, 200}} {
		const more = 5
		stride := size.X + more
		pix := make([]byte, stride*size.Y)
		for i := range pix {
			pix[i] = byte(i * 7)
		}
		for o := 1; o <= 8; o++ {
			d := &jpegLuma{plane: lumaPlane{pix, stride, size.X, size.Y}}
			want := make([]byte, size.X*size.Y)
			turnPixels(want, pix, stride, 1, size.X, size.Y, o)
			p := d.upright(o)
			for y := range p.height {
				if got := p.pix[y*p.stride:][:p.width]; !bytes.Equal(got, want[y*p.width:][:p.width]) {
					t.Fatalf("%v, orientation %d, row %d: %v", size, o, y, got)
				}
			}
		}
	}
}

// TestLumaFingerprint: a JPEG's fingerprints are those of its Y, and near those
// of its colours.
func TestLumaFingerprint(t *testing.T) {
	for _, size := range []image.Point{{320, 210}, {256, 256}, {5, 13200}, {4, 17000}} {
		m := image.NewNRGBA(image.Rect(0, 0, size.X, size.Y))
		for i := range m.Pix {
			x, y := i/4%size.X, i/4/size.X
			m.Pix[i] = byte(60 + x*90/size.X + y*40/size.Y + (x*9/size.X+y*7/size.Y)%2*50)
		}
		var file bytes.Buffer
		if err := jpeg.Encode(&file, m, nil); err != nil {
			t.Fatal(err)
		}
		got, err := Fingerprint(t.Context(), bytes.NewReader(file.Bytes()), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		pix, w, h, err := lumaOf(t, file.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		want, err := pdq.FromY(pix, w, w, h)
		if err != nil {
			t.Fatal(err)
		}
		dihedral, _, err := pdq.DihedralFromY(pix, w, w, h)
		if err != nil {
			t.Fatal(err)
		}
		if got.PDQ != want.Hash || got.Quality != want.Quality || got.Dihedral != dihedral {
			t.Errorf("%v: %v, %d, want %v", size, got.PDQ, got.Quality, want)
		}
		p, err := Decode(t.Context(), bytes.NewReader(file.Bytes()), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if d := pdq.FromImage(p.Image).Hash.Distance(got.PDQ); d > 4 {
			t.Errorf("%v: %d bits from the hash of the colours", size, d)
		}
	}
}

// TestLumaCancelled: decoding stops.
func TestLumaCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, data := range samples(t) {
		err := withLuma(ctx, data, 67, 45, func(*jpegLuma) error { return nil })
		if !errors.Is(err, context.Canceled) && !errors.Is(err, errOrdinary) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// BenchmarkFile takes a file to its fingerprints, and its parts beside those
// of image/jpeg.
func BenchmarkFile(b *testing.B) {
	for _, s := range []struct {
		name          string
		width, height int
	}{{"HD", 1920, 1080}, {"12MP", 4000, 3000}} {
		m := image.NewYCbCr(image.Rect(0, 0, s.width, s.height), image.YCbCrSubsampleRatio420)
		rnd := rand.New(rand.NewPCG(1, 2))
		for i := range m.Y {
			x, y := i%s.width, i/s.width
			m.Y[i] = byte(x*200/s.width + (x/50+y/30)%4*10 + rnd.IntN(10))
		}
		for i := range m.Cb {
			m.Cb[i], m.Cr[i] = byte(100+i/m.CStride*50/s.height), byte(100+i%m.CStride*50/s.width)
		}
		var file bytes.Buffer
		if err := jpeg.Encode(&file, m, &jpeg.Options{Quality: 85}); err != nil {
			b.Fatal(err)
		}
		benchmarkFile(b, s.name, file.Bytes())
	}
	// A folder of one's own photographs.
	names, _ := filepath.Glob(filepath.Join(os.Getenv("REMPART_PHOTOGRAPHS"), "*.jpg"))
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			b.Fatal(err)
		}
		benchmarkFile(b, filepath.Base(name), data)
	}
}

func benchmarkFile(b *testing.B, name string, data []byte) {
	c, err := jpeg.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		b.Fatal(err)
	}
	b.Run(name+"/fingerprint", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			if _, err := Fingerprint(b.Context(), bytes.NewReader(data), Limits{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run(name+"/luma", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			if err := withLuma(b.Context(), data, c.Width, c.Height, func(*jpegLuma) error { return nil }); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run(name+"/ordinary", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			if _, err := jpeg.Decode(bytes.NewReader(data)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
