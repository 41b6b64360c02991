package e2e

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"testing"
)

// scene draws a harmless picture with something to recognise: a sky, a sun,
// hills. Different kinds are different pictures.
func scene(w, h, kind int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			u, v := x*1000/w, y*1000/h
			c := color.RGBA{uint8(90 + v/10), uint8(140 + v/12), uint8(250 - v/9), 255}
			if dx, dy := u-730+60*kind, v-240; dx*dx+dy*dy < 9000 {
				c = color.RGBA{250, 230, 90, 255}
			}
			wave := 410 - 37*kind
			if hill := 520 + (u%wave)*(wave-u%wave)/200 - u/9; v > hill {
				c = color.RGBA{uint8(30 + u%97), uint8(90 + (u*v)%61), uint8(40 + v%53), 255}
			}
			m.SetRGBA(x, y, c)
		}
	}
	return m
}

// shrink returns m k times smaller, each pixel the mean of k by k.
func shrink(m *image.RGBA, k int) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, m.Rect.Dx()/k, m.Rect.Dy()/k))
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			var sum [3]int
			for j := range k * k {
				c := m.RGBAAt(x*k+j%k, y*k+j/k)
				sum[0], sum[1], sum[2] = sum[0]+int(c.R), sum[1]+int(c.G), sum[2]+int(c.B)
			}
			out.SetRGBA(x, y, color.RGBA{uint8(sum[0] / (k * k)), uint8(sum[1] / (k * k)), uint8(sum[2] / (k * k)), 255})
		}
	}
	return out
}

// mirror returns m seen in a mirror.
func mirror(m *image.RGBA) *image.RGBA {
	out := image.NewRGBA(m.Rect)
	for y := range m.Rect.Dy() {
		for x := range m.Rect.Dx() {
			out.SetRGBA(m.Rect.Dx()-1-x, y, m.RGBAAt(x, y))
		}
	}
	return out
}

// flat is a picture with nothing in it to recognise.
func flat() image.Image {
	m := image.NewGray(image.Rect(0, 0, 120, 90))
	for i := range m.Pix {
		m.Pix[i] = 128
	}
	return m
}

func pngOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func jpegOf(t testing.TB, m image.Image, quality int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: quality}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// animation is a GIF of three images.
func animation(t testing.TB) []byte {
	t.Helper()
	var g gif.GIF
	for n := range 3 {
		m := image.NewPaletted(image.Rect(0, 0, 64, 48), color.Palette{color.Black, color.White})
		for i := range m.Pix {
			m.Pix[i] = uint8((i/(n+3) ^ i/(64*(n+2))) & 1)
		}
		g.Image, g.Delay = append(g.Image, m), append(g.Delay, 10)
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, &g); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// pngHeader is the start of a PNG that says it has w by h pixels.
func pngHeader(w, h uint32) []byte {
	ihdr := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)
	body := append([]byte("IHDR"), append(ihdr, 8, 2, 0, 0, 0)...)
	out := binary.BigEndian.AppendUint32([]byte("\x89PNG\r\n\x1a\n"), uint32(len(body)-4))
	return binary.BigEndian.AppendUint32(append(out, body...), crc32.ChecksumIEEE(body))
}

func save(t testing.TB, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// What a phone writes into its photographs, here invented: words, and a place.
const (
	exifWords   = "MARQUE-EXIF-7c41d9 appareil de Camille"
	exifComment = "MARQUE-COMMENTAIRE-5b20ee"
)

// The place, as the file holds it (degrees, minutes, seconds as fractions) and
// as people and programs write it.
var (
	latitude  = rationals(47, 1, 12, 1, 3456, 100)
	longitude = rationals(6, 1, 58, 1, 1719, 100)
	placeText = []string{"47.2096", "6.97144", "47°12", "6°58", "34.56", "17.19"}
)

func rationals(values ...uint32) []byte {
	var b []byte
	for _, v := range values {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}

// withEXIF puts the words and the place into a JPEG that has no EXIF: IFD0 with
// ImageDescription and the two pointers, the Exif IFD with UserComment, the GPS
// IFD with latitude and longitude. Exif 2.32, section 4.6.
func withEXIF(photo []byte) []byte {
	type entry struct {
		tag, kind uint16
		count     uint32
		value     []byte // 4 bytes in place, or longer: written after the IFD
	}
	u32 := func(v int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(v)) }
	ifd := func(at int, entries []entry) []byte {
		b := binary.BigEndian.AppendUint16(nil, uint16(len(entries)))
		var after []byte
		for _, e := range entries {
			b = binary.BigEndian.AppendUint16(b, e.tag)
			b = binary.BigEndian.AppendUint16(b, e.kind)
			b = binary.BigEndian.AppendUint32(b, e.count)
			if len(e.value) <= 4 {
				b = append(b, append(e.value, make([]byte, 4-len(e.value))...)...)
				continue
			}
			b = append(b, u32(at+2+12*len(entries)+4+len(after))...)
			after = append(after, e.value...)
		}
		return append(append(b, 0, 0, 0, 0), after...)
	}
	const ascii, long, rational, undefined = 2, 4, 5, 7
	gps := []entry{{1, ascii, 2, []byte("N\x00")}, {2, rational, 3, latitude}, {3, ascii, 2, []byte("E\x00")}, {4, rational, 3, longitude}}
	comment := []byte("ASCII\x00\x00\x00" + exifComment)
	description := []byte(exifWords + "\x00")
	first := func(exifAt, gpsAt int) []entry {
		return []entry{{0x010E, ascii, uint32(len(description)), description}, {0x8769, long, 1, u32(exifAt)}, {0x8825, long, 1, u32(gpsAt)}}
	}
	exifAt := 8 + len(ifd(8, first(0, 0)))
	exif := ifd(exifAt, []entry{{0x9286, undefined, uint32(len(comment)), comment}})
	gpsAt := exifAt + len(exif)
	tiff := append([]byte("MM\x00*\x00\x00\x00\x08"), ifd(8, first(exifAt, gpsAt))...)
	tiff = append(append(tiff, exif...), ifd(gpsAt, gps)...)

	segment := append([]byte("Exif\x00\x00"), tiff...)
	out := append([]byte{}, photo[:2]...)
	out = binary.BigEndian.AppendUint16(append(out, 0xFF, 0xE1), uint16(len(segment)+2))
	return append(append(out, segment...), photo[2:]...)
}
