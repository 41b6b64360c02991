package media

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"time"
)

// AVIF, HEIC and JPEG XL have no decoder in Go. The system's libvips reads
// them, confined, and gives back an uncompressed PNG with the same pixels, of
// which the rest is read as of any other PNG.
//
// These formats say in the container how the picture must be turned (irot and
// imir, and a field of JPEG XL's header); the decoders obey. An EXIF
// orientation beside it is not for them, and is ignored, as browsers do.

// system decodes data with libvips's loader of that name. The picture has no
// more pixels than the header announced.
func system(ctx context.Context, data []byte, loader string, pixels int64) (image.Image, error) {
	in, err := seal(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	defer in.close()
	b := bound{
		wall:   time.Minute + time.Duration(pixels)*time.Microsecond,
		cpu:    20 + int(pixels/1e6),
		memory: 1<<30 + 48*pixels,
		output: 1<<20 + 9*pixels, // 16 bits a channel, with alpha, and the blocks' heads
	}
	var m image.Image
	read := func(r io.Reader) error {
		out := bufio.NewReaderSize(r, 1<<16)
		const head = len(pngMagic) + 16 // its first chunk, up to the height
		start, err := out.Peek(head)
		if err != nil {
			return err
		}
		w, h := binary.BigEndian.Uint32(start[head-8:]), binary.BigEndian.Uint32(start[head-4:])
		if int64(w)*int64(h) > pixels {
			return fmt.Errorf("%w: %d x %d pixels come out, more than its header says", ErrDamaged, w, h)
		}
		m, err = guard(func() (image.Image, error) { return png.Decode(out) })
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			return fmt.Errorf("what libvips wrote: %w", err)
		}
		return err
	}
	if err := confined(ctx, in, b, read, "vips", loader, "/proc/self/fd/0", ".png[compression=0,filter=none]", "--fail-on=error", "--vips-concurrency=1"); err != nil {
		return nil, err
	}
	return m, nil
}

// probeHEIF reads the header of a HEIC or AVIF file: boxes of length [4], type
// [4] and body, big-endian, of which meta/iprp/ipco/ispe have the sizes of all
// the pictures in it, thumbnails and tiles too. The largest is taken for the
// one that is shown.
func probeHEIF(data []byte) (header, error) {
	h := header{orientation: 1, loader: "heifload"}
	brand := data[8:12]
	h.animated = string(brand) == "avis" || string(brand) == "msf1" || string(brand) == "hevc" || string(brand) == "hevx"
	if !whole(data) {
		return header{}, fmt.Errorf("%w: a box goes beyond its end", ErrTruncated)
	}
	var most uint64
	for kind, meta := range boxes(data) {
		if kind != "meta" || len(meta) < 4 {
			continue
		}
		for kind, iprp := range boxes(meta[4:]) {
			if kind != "iprp" {
				continue
			}
			for kind, ipco := range boxes(iprp) {
				if kind != "ipco" {
					continue
				}
				for kind, ispe := range boxes(ipco) {
					if kind != "ispe" || len(ispe) < 12 {
						continue
					}
					w, h2 := uint64(binary.BigEndian.Uint32(ispe[4:])), uint64(binary.BigEndian.Uint32(ispe[8:]))
					if w > 1<<30 || h2 > 1<<30 {
						return header{}, fmt.Errorf("%w: %d x %d pixels", ErrTooManyPixels, w, h2)
					}
					if w*h2 > most {
						most, h.width, h.height = w*h2, int(w), int(h2)
					}
				}
			}
		}
	}
	if most == 0 {
		return header{}, fmt.Errorf("%w: no size of a picture in it", ErrDamaged)
	}
	return h, nil
}

// boxes ranges over boxes as far as they are whole, the last one as far as it
// goes.
func boxes(data []byte) func(yield func(kind string, body []byte) bool) {
	return func(yield func(string, []byte) bool) {
		for len(data) >= 8 {
			size, head := uint64(binary.BigEndian.Uint32(data)), uint64(8)
			switch {
			case size == 0:
				size = uint64(len(data))
			case size == 1 && len(data) >= 16:
				size, head = binary.BigEndian.Uint64(data[8:]), 16
			}
			if size < head {
				return
			}
			kind := string(data[4:8])
			size = min(size, uint64(len(data)))
			if !yield(kind, data[head:size]) {
				return
			}
			data = data[size:]
		}
	}
}

// whole says whether the last box ends where the file does, or before.
func whole(data []byte) bool {
	for len(data) >= 8 {
		size := uint64(binary.BigEndian.Uint32(data))
		if size == 1 && len(data) >= 16 {
			size = binary.BigEndian.Uint64(data[8:])
		}
		if size == 0 {
			return true
		}
		if size > uint64(len(data)) {
			return false
		}
		data = data[max(size, 8):]
	}
	return true
}

const (
	jxlBare = "\xff\x0a"
	jxlBox  = "\x00\x00\x00\x0cJXL \r\n\x87\n"
)

// probeJXL reads the header of a JPEG XL codestream, bare or in boxes.
func probeJXL(data []byte) (header, error) {
	if !match(data, jxlBare) {
		if !whole(data) {
			return header{}, fmt.Errorf("%w: a box goes beyond its end", ErrTruncated)
		}
		var stream []byte
		for kind, body := range boxes(data) {
			if kind == "jxlc" {
				stream = body
			} else if kind == "jxlp" && len(body) >= 4 { // its first part: a counter [4], the stream
				stream = body[4:]
			}
			if stream != nil {
				break
			}
		}
		if data = stream; !match(data, jxlBare) {
			return header{}, fmt.Errorf("%w: no codestream in it", ErrDamaged)
		}
	}
	bits := lowBits{data: data[len(jxlBare):]}
	h := header{orientation: 1, loader: "jxlload"}
	small := bits.take(1) == 1
	side := func() int {
		if small {
			return 8 * (int(bits.take(5)) + 1)
		}
		return int(bits.take([4]int{9, 13, 18, 30}[bits.take(2)])) + 1
	}
	h.height = side()
	if ratio := bits.take(3); ratio == 0 {
		h.width = side()
	} else {
		r := [8][2]int{{}, {1, 1}, {12, 10}, {4, 3}, {3, 2}, {16, 9}, {5, 4}, {2, 1}}[ratio]
		h.width = int(int64(h.height) * int64(r[0]) / int64(r[1]))
	}
	if bits.short {
		return header{}, fmt.Errorf("%w: in its size", ErrTruncated)
	}
	return h, nil
}

// A lowBits reads bits, the lowest of a byte first. Past the end they are 0.
type lowBits struct {
	data  []byte
	at    int
	short bool
}

func (b *lowBits) take(n int) (v uint32) {
	for i := range n {
		if b.at/8 >= len(b.data) {
			b.short = true
			return v
		}
		v |= uint32(b.data[b.at/8]>>(b.at%8)&1) << i
		b.at++
	}
	return v
}
