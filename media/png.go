package media

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"iter"
	"math"
	"slices"
	"time"
)

const pngMagic = "\x89PNG\r\n\x1a\n"

func probePNG(data []byte) (header, error) {
	c, err := config(data, png.DecodeConfig)
	if err != nil {
		// The decoder has no word for a size beyond its integers.
		if w, h, ok := hugePNG(data); ok {
			return header{width: w, height: h, orientation: 1, decode: png.Decode}, nil
		}
		return header{}, err
	}
	out := header{width: c.Width, height: c.Height, orientation: 1, decode: png.Decode, cost: pngCost(data, c)}
	if out.frames, out.frameCount, err = apngFrames(data, image.Rect(0, 0, c.Width, c.Height)); err != nil {
		return header{}, err
	}
	for id, chunk := range pngChunks(data) {
		switch body := chunk[8 : len(chunk)-4]; {
		case id == "acTL": // the number of frames that it says it has
			out.animated = len(body) >= 4 && binary.BigEndian.Uint32(body) > 1
		case id == "eXIf" && out.orientation == 1:
			out.orientation = orientation(body)
		}
	}
	return out, nil
}

// pngChunks ranges over the chunks of a PNG that are whole: length [4], type
// [4], body, CRC [4], big-endian.
func pngChunks(data []byte) iter.Seq2[string, []byte] {
	return func(yield func(id string, chunk []byte) bool) {
		for data = skip(data, len(pngMagic)); len(data) >= 12; {
			n := int64(binary.BigEndian.Uint32(data))
			if n > int64(len(data)-12) || !yield(string(data[4:8]), data[:12+n]) {
				return
			}
			data = data[12+n:]
		}
	}
}

// apngFrames returns the frames of an animated PNG, the first maxFrames of them,
// and their number; none of any other. The picture in IDAT is the first frame
// only if an fcTL stands before it; it is shown by who does not play the others.
func apngFrames(data []byte, canvas image.Rectangle) (frames []frame, count int, err error) {
	var head [][]byte // magic, IHDR, and what else is for all frames
	var parts [][]byte
	var body []byte // of the fcTL before the pixels that come
	animated, pixels := false, false
	flush := func() error {
		if body == nil {
			return nil
		}
		if count++; count > maxFrames {
			return nil
		}
		fr, err := apngFrame(head, body, parts, canvas)
		frames, body, parts = append(frames, fr), nil, nil
		return err
	}
	for id, chunk := range pngChunks(data) {
		rest := chunk[8 : len(chunk)-4]
		switch id {
		case "acTL":
			animated = !pixels && len(rest) >= 4 && binary.BigEndian.Uint32(rest) > 1
		case "IHDR":
			head = append(head, data[:len(pngMagic)], chunk)
		case "PLTE", "tRNS":
			head = append(head, chunk)
		case "fcTL":
			if err := flush(); err != nil {
				return nil, 0, err
			}
			body, parts = rest, nil
		case "IDAT":
			pixels = true
			parts = append(parts, rest)
		case "fdAT":
			parts = append(parts, skip(rest, 4)) // its number comes first
		}
		if pixels && !animated {
			return nil, 0, nil
		}
	}
	if err := flush(); err != nil {
		return nil, 0, err
	}
	return frames, count, nil
}

// apngFrame reads an fcTL: number [4], width, height, x, y [4] each, delay as
// a fraction [2], [2], what is left of it [1], over or in the place of [1].
func apngFrame(head [][]byte, control []byte, parts [][]byte, canvas image.Rectangle) (frame, error) {
	if len(control) < 26 {
		return frame{}, fmt.Errorf("%w: an fcTL of %d bytes", ErrDamaged, len(control))
	}
	var n [4]int
	for i := range n {
		n[i] = int(int32(binary.BigEndian.Uint32(control[4+4*i:])))
	}
	place := image.Rect(n[2], n[3], n[2]+n[0], n[3]+n[1])
	if n[0] <= 0 || n[1] <= 0 || !place.In(canvas) {
		return frame{}, fmt.Errorf("%w: a frame at %v on a canvas of %v", ErrDamaged, place, canvas)
	}
	above, below := binary.BigEndian.Uint16(control[20:]), binary.BigEndian.Uint16(control[22:])
	if below == 0 {
		below = 100
	}
	size := control[4:12]
	return frame{
		place: place, decode: png.Decode, replace: control[25] == 0,
		delay:   time.Duration(above) * time.Second / time.Duration(below),
		dispose: [...]int{leaveFrame, clearPlace, leaveEarlier, leaveFrame}[min(control[24], 3)],
		file: func() []byte {
			out := bytes.Clone(head[0])
			for _, chunk := range head[1:] {
				body := chunk[8 : len(chunk)-4]
				if string(chunk[4:8]) == "IHDR" {
					body = slices.Concat(size, skip(body, 8))
				}
				out = appendPNG(out, string(chunk[4:8]), body)
			}
			return appendPNG(appendPNG(out, "IDAT", slices.Concat(parts...)), "IEND", nil)
		},
	}, nil
}

// appendPNG appends a chunk.
func appendPNG(out []byte, id string, body []byte) []byte {
	out = binary.BigEndian.AppendUint32(out, uint32(len(body)))
	at := len(out)
	out = append(append(out, id...), body...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[at:]))
}

// hugePNG returns the size that a PNG announces if it has more than 2³²
// pixels.
func hugePNG(data []byte) (w, h int, ok bool) {
	if len(data) < 24 || string(data[12:16]) != "IHDR" {
		return 0, 0, false
	}
	w, h = int(binary.BigEndian.Uint32(data[16:])), int(binary.BigEndian.Uint32(data[20:]))
	return w, h, w <= math.MaxInt32 && h <= math.MaxInt32 && int64(w)*int64(h) > math.MaxUint32
}
