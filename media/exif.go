package media

import (
	"bytes"
	"encoding/binary"
)

const tagOrientation = 0x0112

// orientation reads the one thing wanted of an EXIF block: how the picture
// must be turned to be upright, 1 to 8. Anything odd is 1: as it is. It looks
// at the first directory only, and follows no other offset.
//
// The block is a TIFF: "II" or "MM" for the byte order, 42 [2], offset of the
// first directory [4]. A directory is a count [2] and entries of 12 bytes: tag
// [2], type [2], number of values [4], value [4].
func orientation(exif []byte) int {
	const typeShort = 3
	// Some writers of WebP and PNG keep the prefix that JPEG needs.
	exif = bytes.TrimPrefix(exif, []byte("Exif\x00\x00"))
	if len(exif) < 8 {
		return 1
	}
	var order binary.ByteOrder
	switch string(exif[:2]) {
	case "II":
		order = binary.LittleEndian
	case "MM":
		order = binary.BigEndian
	default:
		return 1
	}
	offset := int64(order.Uint32(exif[4:]))
	if order.Uint16(exif[2:]) != 42 || offset < 8 || offset > int64(len(exif)-2) {
		return 1
	}
	n := int(order.Uint16(exif[offset:]))
	for entries := exif[offset+2:]; n > 0 && len(entries) >= 12; n, entries = n-1, entries[12:] {
		if order.Uint16(entries) != tagOrientation {
			continue
		}
		v := int(order.Uint16(entries[8:]))
		if order.Uint16(entries[2:]) != typeShort || order.Uint32(entries[4:]) != 1 || v < 1 || v > 8 {
			return 1
		}
		return v
	}
	return 1
}
