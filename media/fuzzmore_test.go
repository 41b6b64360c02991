package media

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/gif"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// seed adds the files of testdata that fit a pattern. Those of moving and system
// are drawings made with libvips, ffmpeg, heif-enc, avifenc and cjxl.
func seed(f *testing.F, pattern string) {
	f.Helper()
	names, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(names) == 0 {
		f.Fatalf("no files %s: %v", pattern, err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
}

// FuzzAnimation plays any animation: every frame lies on the canvas, what is
// decoded stays within its limit, and a GIF has the frames that image/gif finds.
func FuzzAnimation(f *testing.F) {
	seed(f, "moving/*")
	lim := Limits{Bytes: 1 << 18, Pixels: 1 << 12, Frames: 4, FramePixels: 1 << 14}.filled()
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := open(t.Context(), bytes.NewReader(data), lim)
		if err != nil || len(file.frames) == 0 {
			return
		}
		screen := image.Rect(0, 0, file.width, file.height)
		if file.frameCount < 2 || len(file.frames) > file.frameCount || !file.animated {
			t.Errorf("%d frames of %d, animated %v", len(file.frames), file.frameCount, file.animated)
		}
		for i, fr := range file.frames {
			if fr.place.Empty() || !fr.place.In(screen) || fr.delay < 0 {
				t.Fatalf("frame %d at %v on %v, %v", i, fr.place, screen, fr.delay)
			}
		}
		read, hashed := file.reach(lim)
		var pixels int64
		for _, fr := range file.frames[:read] {
			pixels += int64(fr.place.Dx() * fr.place.Dy())
		}
		if read < 1 || hashed < 1 || hashed > lim.Frames || read > 1 && pixels > lim.FramePixels {
			t.Errorf("%d read of %d pixels, %d hashed", read, pixels, hashed)
		}
		prints, n, err := file.prints(t.Context(), lim)
		if err != nil {
			if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrTruncated) && !errors.Is(err, ErrUnsupported) {
				t.Errorf("an error of no kind: %v", err)
			}
			return
		}
		if n != read || len(prints) != hashed || prints[0].Frame != 0 || prints[0].Timestamp != 0 {
			t.Errorf("%d read, %d hashed, want %d and %d", n, len(prints), read, hashed)
		}
		if file.format != "gif" {
			return
		}
		all, err := gif.DecodeAll(bytes.NewReader(data))
		if err != nil || len(all.Image) > len(file.frames) {
			return // it reads on where browsers, and we, stop
		}
		if len(all.Image) != len(file.frames) {
			t.Fatalf("%d frames, image/gif finds %d", len(file.frames), len(all.Image))
		}
		for i, m := range all.Image {
			fr := file.frames[i]
			if m.Bounds() != fr.place || time.Duration(all.Delay[i])*10*time.Millisecond != fr.delay {
				t.Errorf("frame %d at %v for %v, image/gif says %v for %d", i, fr.place, fr.delay, m.Bounds(), all.Delay[i])
			}
		}
	})
}

// FuzzOrientation reads any EXIF block and any TIFF: the orientation is 1 to 8,
// is found behind any others, and both readers agree.
func FuzzOrientation(f *testing.F) {
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		f.Add(exifOf(order, 6, 0), uint16(3))
		f.Add(exifOf(order, 1, 5), uint16(8))
	}
	f.Add([]byte("Exif\x00\x00II*\x00\xff\xff\xff\xff"), uint16(1))
	f.Add([]byte("MM\x00+\x00\x08\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff"), uint16(1))
	for _, name := range []string{"jpeg.tif", "big.tif"} {
		data, err := os.ReadFile(filepath.Join("testdata", "system", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, uint16(2))
	}
	f.Fuzz(func(t *testing.T, block []byte, others uint16) {
		if o := orientation(block); o < 1 || o > 8 {
			t.Errorf("orientation %d", o)
		}
		if len(block) >= 8 && (block[0] == 'I' || block[0] == 'M') {
			tiffTags(block)
		}
		want := int(others%8) + 1
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			made := append(exifOf(order, want, int(others/8)%500), block...)
			if o, tag := orientation(made), tiffTags(made)[tagOrientation]; o != want || int(tag) != want {
				t.Errorf("orientation %d and %d, want %d", o, tag, want)
			}
		}
	})
}

// exifOf returns a TIFF with an orientation behind other entries.
func exifOf(order binary.AppendByteOrder, orientation, others int) []byte {
	b := []byte("II")
	if order == binary.AppendByteOrder(binary.BigEndian) {
		b = []byte("MM")
	}
	b = order.AppendUint32(order.AppendUint16(b, 42), 8)
	b = order.AppendUint16(b, uint16(others+1))
	for i := range others + 1 {
		tag, value := uint16(i%200), uint16(i)
		if i == others {
			tag, value = tagOrientation, uint16(orientation)
		}
		b = order.AppendUint16(order.AppendUint16(b, tag), 3)
		b = order.AppendUint16(order.AppendUint16(order.AppendUint32(b, 1), value), 0)
	}
	return order.AppendUint32(b, 0)
}
