package media

import (
	"encoding/binary"
	"image/png"
	"math"
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
	// Chunks: length [4], type [4], body, CRC [4], big-endian.
	for data = data[len(pngMagic):]; len(data) >= 12; {
		n := int64(binary.BigEndian.Uint32(data))
		if n > int64(len(data)-12) {
			break
		}
		switch body := data[8 : 8+n]; string(data[4:8]) {
		case "acTL":
			// The number of frames. The picture itself is in IDAT as in any
			// PNG: it is the one shown by who does not play the others.
			out.animated = len(body) >= 4 && binary.BigEndian.Uint32(body) > 1
		case "eXIf":
			if out.orientation == 1 {
				out.orientation = orientation(body)
			}
		}
		data = data[12+n:]
	}
	return out, nil
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
