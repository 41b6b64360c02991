package media

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"
)

// This file and jpegscan.go, jpegbits.go and idct.go read the brightness of a
// JPEG, for its fingerprints, several times sooner than image/jpeg reads its
// colours. They read what nearly all files are: 8-bit, Huffman-coded,
// sequential or progressive, grey or YCbCr of any sampling that image/jpeg
// takes, with restarts or without. Colours are gone over, not decoded.
//
// Whatever is damaged, cut short or out of the ordinary they leave to
// image/jpeg, by answering errOrdinary: it alone says what is wrong with a
// file, or reads it after all. So a file read here is one that image/jpeg
// reads, and the brightness is the Y that it gives, bit for bit (FuzzLuma).

// errOrdinary says that a file is for the ordinary decoder.
var errOrdinary = errors.New("a JPEG for the ordinary decoder")

// A lumaPlane is the brightness of a picture, rows of width bytes of which each
// begins stride bytes after the one before.
type lumaPlane struct {
	pix                   []byte
	stride, width, height int
}

// A component is one of the planes of a JPEG: Y, then Cb and Cr.
type component struct {
	id, h, v int // identifier, blocks across and down in a unit
	table    int // of factors
	across   int // blocks in a row, with those beyond the edge
	down     int

	// Progressive only. Bit k of a block's mask tells that its frequency k,
	// in the order of the file, is not 0.
	masks  []uint64
	blocks []block // of Y alone
}

// A jpegLuma decodes the brightness of one JPEG.
type jpegLuma struct {
	bitReader
	ctx           context.Context
	width, height int
	unitsX        int // units of one or more blocks of each component
	unitsY        int
	comp          [3]component
	comps         int // 1 or 3; 0 before the frame header
	progressive   bool
	baseline      bool
	jfif, rgb     bool
	restarts      int // units between two of them, 0 for none
	dc, ac        [4]huffman
	factors       [4]quantizer
	plane         lumaPlane
	tables        int  // Huffman tables read
	seen          bool // whether Y was in a scan
	run           int  // progressive: blocks to come that have nothing, or nothing new
	block         block
	pix, turned   []byte // memory of planes, of earlier ones too
}

// maxPooled is the most memory, in bytes, that is kept of a decoder for the
// next: a plane of 24 megapixels, or of 12 turned.
const maxPooled = 25 << 20

var lumaDecoders = sync.Pool{New: func() any { return new(jpegLuma) }}

// withLuma decodes the brightness of a JPEG of width × height and calls use,
// who finds it in d.plane and must not keep it. Its error is errOrdinary, that
// of ctx or that of use.
func withLuma(ctx context.Context, data []byte, width, height int, use func(d *jpegLuma) error) error {
	d := lumaDecoders.Get().(*jpegLuma)
	defer d.release()
	d.ctx, d.width, d.height = ctx, width, height
	d.data, d.pos = data, 0
	if err := d.segments(); err != nil {
		return err
	}
	return use(d)
}

// release gives back what d holds. Its state is then that of a new one, also
// after a panic.
func (d *jpegLuma) release() {
	pix, turned := d.pix, d.turned
	if cap(pix)+cap(turned) > maxPooled {
		pix, turned = nil, nil
	}
	*d = jpegLuma{pix: pix, turned: turned}
	lumaDecoders.Put(d)
}

// upright returns the plane turned as an EXIF orientation asks.
func (d *jpegLuma) upright(orientation int) lumaPlane {
	if orientation == 1 {
		return d.plane
	}
	p := d.plane
	if n := p.width * p.height; n > cap(d.turned) {
		d.turned = make([]byte, n)
	}
	d.turned = d.turned[:p.width*p.height]
	turnBytes(d.turned, p.pix, p.stride, p.width, p.height, orientation)
	if orientation >= 5 {
		p.width, p.height = p.height, p.width
	}
	return lumaPlane{d.turned, p.width, p.width, p.height}
}

// maxTables is the number of Huffman tables beyond which a JPEG is odd: making
// them ready to be looked up takes longer than reading them.
const maxTables = 4 * maxScans

const (
	markerSOI   = 0xd8
	markerSOF0  = 0xc0
	markerSOF1  = 0xc1
	markerSOF2  = 0xc2
	markerDHT   = 0xc4
	markerDQT   = 0xdb
	markerDRI   = 0xdd
	markerRST0  = 0xd0
	markerRST7  = 0xd7
	markerAPP0  = 0xe0
	markerAPP14 = 0xee
	markerAPP15 = 0xef
	markerCOM   = 0xfe
)

// segments reads a file to its end mark.
func (d *jpegLuma) segments() error {
	if len(d.data) < 2 || d.data[0] != 0xff || d.data[1] != markerSOI {
		return errOrdinary
	}
	d.pos = 2
	for {
		if d.pos+1 >= len(d.data) || d.data[d.pos] != 0xff {
			return errOrdinary
		}
		marker := d.data[d.pos+1]
		if marker == 0xff { // fill byte
			d.pos++
			continue
		}
		d.pos += 2
		if marker == markerEOI {
			return d.finish()
		}
		if markerRST0 <= marker && marker <= markerRST7 {
			continue
		}
		if d.pos+2 > len(d.data) {
			return errOrdinary
		}
		n := int(binary.BigEndian.Uint16(d.data[d.pos:]))
		if n < 2 || d.pos+n > len(d.data) {
			return errOrdinary
		}
		body := d.data[d.pos+2 : d.pos+n]
		d.pos += n
		var ok bool
		switch {
		case marker == markerSOF0, marker == markerSOF1, marker == markerSOF2:
			ok = d.frame(marker, body)
		case marker == markerDHT:
			ok = d.huffmanTables(body)
		case marker == markerDQT:
			ok = d.factorTables(body)
		case marker == markerDRI:
			if ok = len(body) == 2; ok {
				d.restarts = int(binary.BigEndian.Uint16(body))
			}
		case marker == markerAPP0:
			ok = true
			if len(body) >= 5 {
				d.jfif = string(body[:5]) == "JFIF\x00"
			}
		case marker == markerAPP14:
			ok = true
			if len(body) >= 12 && string(body[:5]) == "Adobe" {
				d.rgb = body[11] == 0
			}
		case markerAPP0 < marker && marker <= markerAPP15, marker == markerCOM:
			ok = true
		case marker == markerSOS:
			err := d.scan(body)
			if err != nil {
				return err
			}
			ok = true
		}
		if !ok {
			return errOrdinary
		}
	}
}

// frame reads the frame header: bits a value [1], height [2], width [2],
// number of components [1], and of each its identifier [1], blocks across and
// down in a unit [4 bits each], table of factors [1].
func (d *jpegLuma) frame(marker byte, b []byte) bool {
	if d.comps != 0 || len(b) < 6 || b[0] != 8 {
		return false
	}
	n := int(b[5])
	height, width := int(binary.BigEndian.Uint16(b[1:])), int(binary.BigEndian.Uint16(b[3:]))
	if n != 1 && n != 3 || len(b) != 6+3*n || width != d.width || height != d.height || width == 0 || height == 0 {
		return false
	}
	for i := range n {
		c := &d.comp[i]
		hv := b[7+3*i]
		c.id, c.h, c.v, c.table = int(b[6+3*i]), int(hv>>4), int(hv&15), int(b[8+3*i])
		if c.table > 3 || c.h != 1 && c.h != 2 && c.h != 4 || c.v != 1 && c.v != 2 && c.v != 4 {
			return false
		}
		for j := range i {
			if d.comp[j].id == c.id {
				return false
			}
		}
		if n == 1 {
			c.h, c.v = 1, 1 // the only one: its blocks are units
		}
	}
	y, cb, cr := &d.comp[0], &d.comp[1], &d.comp[2]
	if n == 3 && (y.v == 4 || y.h%cb.h != 0 || y.v%cb.v != 0 || cr.h != cb.h || cr.v != cb.v) {
		return false
	}
	d.comps, d.baseline, d.progressive = n, marker == markerSOF0, marker == markerSOF2
	d.unitsX, d.unitsY = (width+8*y.h-1)/(8*y.h), (height+8*y.v-1)/(8*y.v)
	for i := range n {
		c := &d.comp[i]
		c.across, c.down = d.unitsX*c.h, d.unitsY*c.v
	}
	return true
}

// huffmanTables reads tables: class and number [4 bits each], number of codes
// of each length [16], symbols.
func (d *jpegLuma) huffmanTables(b []byte) bool {
	for len(b) > 0 {
		if len(b) < 17 {
			return false
		}
		class, number := b[0]>>4, b[0]&15
		if class > 1 || number > 3 || d.baseline && number > 1 {
			return false
		}
		if d.tables++; d.tables > maxTables {
			return false
		}
		counts, n := (*[16]uint8)(b[1:]), 0
		for _, k := range counts {
			n += int(k)
		}
		if n == 0 || n > 256 || len(b) < 17+n {
			return false
		}
		h := &d.dc[number]
		if class == 1 {
			h = &d.ac[number]
		}
		if !h.make(counts, b[17:17+n]) {
			return false
		}
		b = b[17+n:]
	}
	return true
}

// factorTables reads tables: bytes a value, less one, and number [4 bits
// each], 64 values.
func (d *jpegLuma) factorTables(b []byte) bool {
	for len(b) > 0 {
		long, number := int(b[0]>>4), b[0]&15
		if b = b[1:]; long > 1 || number > 3 || len(b) < 64<<long {
			return false
		}
		for k, at := range natural {
			if long == 0 {
				d.factors[number][at] = int32(b[k])
			} else {
				d.factors[number][at] = int32(binary.BigEndian.Uint16(b[2*k:]))
			}
		}
		b = b[64<<long:]
	}
	return true
}

// begin makes the plane. It is called at each scan: only then is it known
// that there are pixels.
func (d *jpegLuma) begin() bool {
	if d.plane.pix != nil {
		return true
	}
	c := d.comp[:d.comps]
	if len(c) == 3 && !d.jfif && (d.rgb || c[0].id == 'R' && c[1].id == 'G' && c[2].id == 'B') {
		return false
	}
	stride := 8 * c[0].across
	n := stride * 8 * c[0].down
	if n > cap(d.pix) {
		d.pix = make([]byte, n)
	}
	d.plane = lumaPlane{d.pix[:n], stride, d.width, d.height}
	return true
}

// finish makes pixels of the frequencies, where scans have only collected
// them.
func (d *jpegLuma) finish() error {
	if !d.seen {
		return errOrdinary
	}
	c := d.comp[:d.comps]
	if len(c) == 3 && !d.jfif && d.rgb {
		return errOrdinary // said after the scans
	}
	if !d.progressive {
		return nil
	}
	y, q := &c[0], &d.factors[c[0].table]
	for by := range y.down {
		if err := d.ctx.Err(); err != nil {
			return err
		}
		for bx := range y.across {
			at := by*y.across + bx
			d.put(&y.blocks[at], y.masks[at]>>1 == 0, bx, by, q)
		}
	}
	return nil
}

// put writes the pixels of a block of Y, and clears it.
func (d *jpegLuma) put(b *block, mean bool, bx, by int, q *quantizer) {
	dst := d.plane.pix[8*(by*d.plane.stride+bx):]
	if mean {
		flat(dst, d.plane.stride, int32(b[0])*q[0])
		b[0] = 0
		return
	}
	inverse(dst, d.plane.stride, b, q)
}
