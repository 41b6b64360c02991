package media

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image/jpeg"
)

// maxScans is the number of times a JPEG may go over its pixels. A progressive
// one does about ten times. Each time costs the same however few bytes it
// takes, so that a small file could keep a processor busy for hours.
const maxScans = 200

const (
	markerSOS  = 0xda
	markerEOI  = 0xd9
	markerAPP1 = 0xe1
)

func probeJPEG(data []byte) (header, error) {
	c, err := config(data, jpeg.DecodeConfig)
	if err != nil {
		return header{}, err
	}
	exif, scans := walkJPEG(data)
	if n := bytes.Count(scans, []byte{0xff, markerSOS}); n > maxScans {
		return header{}, fmt.Errorf("%w: %d scans, the limit is %d", ErrDamaged, n, maxScans)
	}
	return header{width: c.Width, height: c.Height, orientation: orientation(exif), decode: jpeg.Decode, cost: jpegCost(data, c)}, nil
}

// walkJPEG returns the first EXIF block of a JPEG, from its TIFF header, and
// all that follows its segments: the scans. Either is nil if there is none.
func walkJPEG(data []byte) (exif, scans []byte) {
	data = data[2:]
	for len(data) >= 4 {
		if data[0] != 0xff {
			// Garbage between segments: decoders skip it, so do we.
			data = data[1:]
			continue
		}
		marker := data[1]
		switch {
		case marker == 0xff: // fill byte
			data = data[1:]
			continue
		case marker == 0x00, marker == 0x01, 0xd0 <= marker && marker <= 0xd7: // without a length
			data = data[2:]
			continue
		case marker == markerSOS, marker == markerEOI:
			return exif, data
		}
		n := 2 + int(binary.BigEndian.Uint16(data[2:]))
		if n > len(data) {
			return exif, nil
		}
		if body, ok := bytes.CutPrefix(data[4:max(4, n)], []byte("Exif\x00\x00")); ok && marker == markerAPP1 && exif == nil {
			exif = body
		}
		data = data[max(4, n):]
	}
	return exif, nil
}
