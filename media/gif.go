package media

import (
	"encoding/binary"
	"image"
	"image/draw"
	"image/gif"
	"io"
)

func probeGIF(data []byte) (header, error) {
	c, err := config(data, gif.DecodeConfig)
	if err != nil {
		return header{}, err
	}
	w, h := c.Width, c.Height
	decode := func(r io.Reader) (image.Image, error) {
		// Decode stops after the first frame, which may be smaller than the
		// screen: browsers show it in its place, on a transparent ground.
		m, err := gif.Decode(r)
		screen := image.Rect(0, 0, w, h)
		if err != nil || m.Bounds() == screen {
			return m, err
		}
		canvas := image.NewNRGBA(screen)
		draw.Draw(canvas, m.Bounds(), m, m.Bounds().Min, draw.Src)
		return canvas, nil
	}
	// The frame, once more where it is interlaced, and the canvas.
	whole := cost{pixel: 4, extra: 2}
	return header{width: w, height: h, orientation: 1, animated: gifFrames(data, 2) > 1, decode: decode, cost: whole}, nil
}

// gifFrames counts the frames of a GIF, up to limit, without decoding any.
func gifFrames(data []byte, limit int) int {
	// Header [6], screen descriptor [7] whose fifth byte is flags.
	const start = 13
	if len(data) < start {
		return 0
	}
	data = skip(data, start+tableSize(data[10]))
	frames := 0
	for len(data) > 0 && frames < limit {
		switch data[0] {
		case 0x21: // an extension: label [1], blocks
			data = skipBlocks(skip(data, 2))
		case 0x2c: // a frame: position and flags [9], table, code size [1], blocks
			if len(data) < 10 {
				return frames
			}
			frames++
			data = skipBlocks(skip(data, 10+tableSize(data[9])+1))
		default: // the trailer, or garbage
			return frames
		}
	}
	return frames
}

// tableSize returns the size in bytes of the colour table that flags announce.
func tableSize(flags byte) int {
	if flags&0x80 == 0 {
		return 0
	}
	return 3 << (flags&7 + 1)
}

// skipBlocks skips blocks, each a length [1] and its bytes, up to the empty
// one.
func skipBlocks(data []byte) []byte {
	for len(data) > 0 {
		n := int(data[0])
		data = skip(data, 1+n)
		if n == 0 {
			break
		}
	}
	return data
}

func skip(data []byte, n int) []byte { return data[min(n, len(data)):] }

// uint24 reads 3 bytes, little-endian.
func uint24(b []byte) int { return int(binary.LittleEndian.Uint16(b)) | int(b[2])<<16 }
