package media

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"io"
)

// A header is what is known of a file before any pixel is decoded.
type header struct {
	format        string
	width, height int     // as stored, before orientation; never 0
	orientation   int     // 1 to 8
	animated      bool    // by what the format says; or else there is more than one of frames
	frames        []frame // of an animation that is read frame by frame; not those beyond maxFrames
	frameCount    int     // all of them
	data          []byte  // what to decode: the file, or a part of it made whole
	decode        func(io.Reader) (image.Image, error)
	cost          cost   // of decode
	loader        string // in the place of decode: libvips's loader of the format
}

// formats are those we read, by their first bytes. In a magic string "?"
// stands for any byte.
var formats = []struct {
	name, magic string
	probe       func([]byte) (header, error) // its errors wrap a kind
}{
	{"jpeg", "\xff\xd8\xff", probeJPEG},
	{"png", pngMagic, probePNG},
	{"gif", "GIF87a", probeGIF},
	{"gif", "GIF89a", probeGIF},
	{"webp", "RIFF????WEBP", probeWebP},
	{"tiff", "II*\x00", probeTIFF},
	{"tiff", "MM\x00*", probeTIFF},
	{"tiff", "II+\x00", probeTIFF},
	{"tiff", "MM\x00+", probeTIFF},
	{"bmp", "BM????\x00\x00\x00\x00", probeBMP},
	{"avif", "????ftypavif", probeHEIF},
	{"avif", "????ftypavis", probeHEIF},
	{"heic", "????ftyphei", probeHEIF},
	{"heic", "????ftyphev", probeHEIF},
	{"heic", "????ftypmif1", probeHEIF},
	{"heic", "????ftypmsf1", probeHEIF},
	{"jxl", jxlBare, probeJXL},
	{"jxl", jxlBox, probeJXL},
}

// strangers are those we know by name only, to say so.
var strangers = []struct{ name, magic string }{
	{"video", "????ftyp"},
	{"video", "\x1a\x45\xdf\xa3"},
	{"video", "RIFF????AVI "},
	{"video", "FLV\x01"},
	{"video", "OggS"},
	{"video", "\x00\x00\x01\xba"},                 // MPEG program stream
	{"video", "\x30\x26\xb2\x75\x8e\x66\xcf\x11"}, // ASF, WMV
	{"JPEG 2000", "\x00\x00\x00\x0cjP  \r\n\x87\n"},
	{"Photoshop", "8BPS"},
	{"PDF", "%PDF-"},
}

// probe reads the header of a file. Its errors wrap one of the kinds of this
// package.
func probe(data []byte) (header, error) {
	for _, f := range formats {
		if !match(data, f.magic) {
			continue
		}
		h, err := f.probe(data)
		if err != nil {
			return header{}, fmt.Errorf("%s header: %w", f.name, err)
		}
		h.format = f.name
		if h.frameCount > 1 {
			h.animated = true
		} else {
			h.frames = nil
		}
		if h.data == nil {
			h.data = data
		}
		if h.width <= 0 || h.height <= 0 {
			return header{}, fmt.Errorf("%s header: %w: %d x %d pixels", f.name, ErrDamaged, h.width, h.height)
		}
		return h, nil
	}
	for _, s := range strangers {
		if match(data, s.magic) {
			return header{}, fmt.Errorf("%w: %s", ErrUnsupported, s.name)
		}
	}
	if len(data) == 0 {
		return header{}, fmt.Errorf("%w: the file is empty", ErrNotPicture)
	}
	return header{}, ErrNotPicture
}

func match(data []byte, magic string) bool {
	if len(data) < len(magic) {
		return false
	}
	for i := range len(magic) {
		if magic[i] != '?' && magic[i] != data[i] {
			return false
		}
	}
	return true
}

// config runs a decoder's DecodeConfig.
func config(data []byte, decode func(io.Reader) (image.Config, error)) (image.Config, error) {
	in := &reader{ctx: context.Background(), in: bytes.NewReader(data)}
	c, err := decode(in)
	if err != nil {
		return c, in.classify(err)
	}
	return c, nil
}
