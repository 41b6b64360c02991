package pdq

import (
	"image"
)

// What a border is. Brightness is in whole numbers, 0 to 255, rounded half up.
//
// From each side of a picture, lines (rows from the top and the bottom, columns
// from the left and the right) are taken away one after another, as long as each
// is of the brightness L of the first one: the sum of the differences of its
// pixels from L is at most borderMean for each pixel, and at most one pixel in
// borderParts differs by more than borderMost. L is the mean of that side's
// first line, rounded half up. A JPEG's noise beside an edge stays within this; a
// sky, a wall or snow that is as even as paint does not, or is taken for what it
// cannot be told from.
//
// Rows come first, over the columns that are left, then columns over the rows
// that are left, and again, as bars may lie within bars, until nothing more goes,
// borderRounds times at most. There is no border, and the picture is whole, where
// less than 1/borderLeast of its rows and of its columns would go, as PDQ hardly
// sees that; or where less than borderKept pixels, or less than 1/borderRest, of
// its rows or of its columns would be left, as that is no picture with a border.
const (
	borderMean   = 4
	borderMost   = 24
	borderParts  = 64
	borderRounds = 4
	borderLeast  = 32
	borderKept   = 64
	borderRest   = 8
)

// slab is how many lines are read at once after the first of a side.
const slab = 16

// A glimpse reads the brightness of a part of a picture: rows of the part, one
// after another.
type glimpse func(dst []byte, part image.Rectangle)

// InsideY returns the part of a plane, given as to [FromY], that is within its
// uniform borders: all of it, from (0, 0) to (width, height), if it has none. It
// returns an error that wraps [ErrLuma] if pix is too short.
func InsideY(pix []byte, stride, width, height int) (image.Rectangle, error) {
	if _, err := ofBytes(pix, stride, width, height); err != nil {
		return image.Rectangle{}, err
	}
	return inside(width, height, func(dst []byte, part image.Rectangle) {
		w := part.Dx()
		for y := part.Min.Y; y < part.Max.Y; y++ {
			copy(dst[(y-part.Min.Y)*w:][:w], pix[y*stride+part.Min.X:])
		}
	}), nil
}

// Inside is [InsideY] for an image: the part of its bounds that is within its
// uniform borders. An image without a method SubImage has none.
func Inside(img image.Image) image.Rectangle {
	b := img.Bounds()
	parted, ok := img.(interface {
		SubImage(image.Rectangle) image.Image
	})
	if !ok {
		return b
	}
	var row []float32
	return inside(b.Dx(), b.Dy(), func(dst []byte, part image.Rectangle) {
		p := ofImage(parted.SubImage(part.Add(b.Min)))
		row = grow(row, p.width)
		for y := range p.height {
			p.rows(row[:p.width], y, 1)
			for x, v := range row[:p.width] {
				dst[y*p.width+x] = byte(min(v+0.5, 255))
			}
		}
	}).Add(b.Min)
}

// inside finds what is within the borders. Where there are none, it reads the
// first line of each side and no more.
func inside(width, height int, read glimpse) image.Rectangle {
	whole := image.Rect(0, 0, width, height)
	if width < borderKept || height < borderKept {
		return whole
	}
	rest := whole
	for range borderRounds {
		before := rest
		for _, s := range [4]edge{top, bottom, left, right} {
			rest = s.strip(rest, read)
			if rest.Dx() < borderKept || rest.Dy() < borderKept {
				return whole
			}
		}
		if rest == before {
			break
		}
	}
	gone := image.Pt(width-rest.Dx(), height-rest.Dy())
	if gone.X*borderLeast < width && gone.Y*borderLeast < height || rest.Dx()*borderRest < width || rest.Dy()*borderRest < height {
		return whole
	}
	return rest
}

// A edge is a side of a picture.
type edge int

const (
	top edge = iota
	bottom
	left
	right
)

// lines returns n lines of part, from the one that is i lines in from the side.
func (s edge) lines(part image.Rectangle, i, n int) image.Rectangle {
	switch s {
	case top:
		part.Min.Y, part.Max.Y = part.Min.Y+i, part.Min.Y+i+n
	case bottom:
		part.Min.Y, part.Max.Y = part.Max.Y-i-n, part.Max.Y-i
	case left:
		part.Min.X, part.Max.X = part.Min.X+i, part.Min.X+i+n
	default:
		part.Min.X, part.Max.X = part.Max.X-i-n, part.Max.X-i
	}
	return part
}

// strip returns part without its border at the side. Of a border that is all of
// part, it leaves one line.
func (s edge) strip(part image.Rectangle, read glimpse) image.Rectangle {
	total := part.Dy()
	if s == left || s == right {
		total = part.Dx()
	}
	dst := make([]byte, slab*max(part.Dx(), part.Dy()))
	read(dst, s.lines(part, 0, 1))
	n := part.Dx() * part.Dy() / total // pixels of a line
	sum := 0
	for _, v := range dst[:n] {
		sum += int(v)
	}
	b := border{level: (2*sum + n) / (2 * n), pixels: n}
	if !b.has(dst[:n], 1) {
		return part
	}
	gone := 1
	for gone < total-1 {
		count := min(slab, total-1-gone)
		lines := s.lines(part, gone, count)
		read(dst, lines)
		even := b.even(dst, lines, s)
		gone += even
		if even < count {
			break
		}
	}
	return s.lines(part, gone, total-gone)
}

// A border is what the lines of one side are compared with.
type border struct{ level, pixels int }

// has tells whether a line, whose pixels lie step apart, is of the border.
func (b border) has(line []byte, step int) bool {
	sum, far := 0, 0
	for i := 0; i < len(line); i += step {
		d := int(line[i]) - b.level
		if d < 0 {
			d = -d
		}
		sum += d
		if d > borderMost {
			far++
		}
	}
	return b.holds(sum, far)
}

func (b border) holds(sum, far int) bool {
	return sum <= borderMean*b.pixels && far*borderParts <= b.pixels
}

// even counts the lines, from the side inwards, that are of the border before one
// that is not.
func (b border) even(dst []byte, lines image.Rectangle, s edge) int {
	w, h := lines.Dx(), lines.Dy()
	if s == top || s == bottom {
		for i := range h {
			y := i
			if s == bottom {
				y = h - 1 - i
			}
			if !b.has(dst[y*w:(y+1)*w], 1) {
				return i
			}
		}
		return h
	}
	// Columns are summed side by side, row after row, as they lie.
	var sum, far [slab]int
	for y := range h {
		for x, v := range dst[y*w : (y+1)*w] {
			d := int(v) - b.level
			if d < 0 {
				d = -d
			}
			sum[x] += d
			if d > borderMost {
				far[x]++
			}
		}
	}
	for i := range w {
		x := i
		if s == right {
			x = w - 1 - i
		}
		if !b.holds(sum[x], far[x]) {
			return i
		}
	}
	return w
}
