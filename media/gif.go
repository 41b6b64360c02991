package media

import (
	"encoding/binary"
	"fmt"
	"image"
	"image/draw"
	"image/gif"
	"io"
	"slices"
	"time"
)

func probeGIF(data []byte) (header, error) {
	c, err := config(data, gif.DecodeConfig)
	if err != nil {
		return header{}, err
	}
	screen := image.Rect(0, 0, c.Width, c.Height)
	decode := func(r io.Reader) (image.Image, error) {
		// Decode stops after the first frame, which may be smaller than the
		// screen: browsers show it in its place, on a transparent ground.
		m, err := gif.Decode(r)
		if err != nil || m.Bounds() == screen {
			return m, err
		}
		canvas := image.NewNRGBA(screen)
		draw.Draw(canvas, m.Bounds(), m, m.Bounds().Min, draw.Src)
		return canvas, nil
	}
	out := header{width: c.Width, height: c.Height, orientation: 1, decode: decode}
	// The frame, once more where it is interlaced, and the canvas.
	out.cost = cost{pixel: 4, extra: 2}
	if out.frames, out.frameCount, err = gifFrames(data, screen); err != nil {
		return header{}, err
	}
	return out, nil
}

// gifFrames returns the frames of a GIF, the first maxFrames of them, and their
// number, without decoding any. What follows the trailer, or stands in its
// place, is ignored; a file that has no trailer ends after its last frame.
func gifFrames(data []byte, screen image.Rectangle) (frames []frame, count int, err error) {
	// Header [6], screen descriptor [7] whose fifth byte is flags.
	const start = 13
	if len(data) < start {
		return nil, 0, fmt.Errorf("%w: in its header", ErrTruncated)
	}
	head := data[:min(start+tableSize(data[10]), len(data))]
	data = data[len(head):]
	var control []byte // the extension that is for the next frame
	for len(data) > 0 {
		var end int
		switch data[0] {
		case 0x21: // an extension: label [1], blocks
			end = 2
		case 0x2c: // a frame: place and flags [9], table, code size [1], blocks
			if end = 11; len(data) > 9 {
				end += tableSize(data[9])
			}
		default: // the trailer, or garbage
			return frames, count, nil
		}
		if end = blocksEnd(data, end); end > len(data) {
			return nil, 0, fmt.Errorf("%w: within frame %d", ErrTruncated, count+1)
		}
		block := data[:end]
		data = data[end:]
		switch {
		case block[0] == 0x21:
			// Label, 4, flags, delay [2] in hundredths, index of the transparent colour, 0.
			if block[1] == 0xf9 && len(block) == 8 && block[2] == 4 {
				control = block
			}
			continue
		case len(frames) < maxFrames:
			at := image.Pt(int(binary.LittleEndian.Uint16(block[1:])), int(binary.LittleEndian.Uint16(block[3:])))
			size := image.Pt(int(binary.LittleEndian.Uint16(block[5:])), int(binary.LittleEndian.Uint16(block[7:])))
			fr := frame{place: image.Rectangle{Min: at, Max: at.Add(size)}, decode: gif.Decode}
			if size.X == 0 || size.Y == 0 || !fr.place.In(screen) {
				return nil, 0, fmt.Errorf("%w: frame %d at %v on a screen of %v", ErrDamaged, count+1, fr.place, screen)
			}
			if control != nil {
				fr.dispose = [8]int{2: clearPlace, 3: leaveEarlier}[control[3]>>2&7]
				fr.delay = time.Duration(binary.LittleEndian.Uint16(control[4:])) * 10 * time.Millisecond
			}
			control := control
			fr.file = func() []byte { return slices.Concat(head, control, block, []byte{0x3b}) }
			frames = append(frames, fr)
		}
		count++
		control = nil
	}
	return frames, count, nil
}

// tableSize returns the size in bytes of the colour table that flags announce.
func tableSize(flags byte) int {
	if flags&0x80 == 0 {
		return 0
	}
	return 3 << (flags&7 + 1)
}

// blocksEnd returns where blocks end that begin at at, each a length [1] and its
// bytes, the last one empty. It is beyond the end of data if they do not.
func blocksEnd(data []byte, at int) int {
	for at < len(data) {
		n := int(data[at])
		if at += 1 + n; n == 0 {
			return at
		}
	}
	return len(data) + 1
}

func skip(data []byte, n int) []byte { return data[min(n, len(data)):] }

// uint24 reads 3 bytes, little-endian.
func uint24(b []byte) int { return int(binary.LittleEndian.Uint16(b)) | int(b[2])<<16 }
