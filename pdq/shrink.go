package pdq

import "sync"

// side is the length of the side of the square to which every picture is
// brought before its frequencies are read.
const side = 64

// A block is a picture of 64 × 64 values of brightness, row by row.
type block [side * side]float32

// The filter is Jarosz's: a moving mean along rows, along columns, along rows
// and along columns again, which together are near a tent 1/64 of the picture
// wide. Near the ends of a row or column the window is cut short.
//
// Each sum runs: a value enters, then one leaves, and what rounding leaves
// behind stays. That is the reference's order, and the lowest bits of a hash
// depend on it even where the window is one value wide. So all four passes
// must go over every value, in order. But no sum sees another: rows may be
// summed side by side, columns too, and the second pass along rows may begin
// as soon as the first along columns has given a row. So the picture is taken
// in strips of a few rows that go through all four passes while they are in
// the processor's cache. What is kept of it is the rows that have still to
// leave a window: 1/128 of it. Of the last two passes only 64 × 64 values are
// looked at, and only those are divided and written.

// strip is the number of rows taken together.
const strip = 8

// window returns the width of the moving mean over n values.
func window(n int) int { return (n + 127) / 128 }

// sample returns which of n values is the ith of 64 kept.
func sample(i, n int) int { return (2*i + 1) * n / (2 * side) }

// A means is a moving mean over n values: where each value goes.
type means struct {
	n, w int
	half int // values that enter before the first comes out, plus one
}

func meansOf(n int) means {
	w := window(n)
	return means{n, w, (w + 2) / 2}
}

// count returns how many values are in the window when output o is made.
func (m means) count(o int) float32 {
	return float32(min(o+m.half, m.n) - max(o+m.half-m.w, 0))
}

// A filter holds what one picture needs while it is brought to a block.
type filter struct {
	across, down means
	luma         []float32 // a strip of the picture, for who has no plane of it
	ring         []float32 // rows out of the first pass; row y is row y % ringRows
	ringRows     int
	table        []float32 // quotients of whole numbers by tableFor
	tableFor     int
	sums         []float32 // of columns, in the second pass
	turned       []float32 // a strip, for the vector passes only
	vector       bool      // whether to take them
	mid          []float32 // a strip out of the second pass
	midRows      int
	rows         [][side]float32 // out of the third pass; row y is row y % len(rows)
	rowSums      [side]float32   // of columns, in the fourth
	entered      int             // rows that entered the second pass
	made         int             // rows that entered the fourth pass
	out          *block
	next         int // row of out to be written
}

// pooled is the most a filter may hold, in float32, to be kept for the next
// picture: 8 MB, about what 40 megapixels take.
const pooled = 2 << 20

var filters = sync.Pool{New: func() any { return new(filter) }}

// shrink fills a with the picture of width × height, at least 5 × 5, filtered
// and sampled. firstPass is called for strips of rows from the top, n rows
// from y, and writes to dst their moving means along rows.
func shrink(a *block, width, height int, firstPass func(f *filter, dst []float32, y, n int)) {
	f := filters.Get().(*filter)
	f.start(a, width, height)
	for y := 0; y < height; y += strip {
		n := min(strip, height-y)
		slot := y % f.ringRows * width
		firstPass(f, f.ring[slot:slot+n*width], y, n)
		if f.vector && n == strip && y >= f.down.w {
			f.flush()
			f.turnedColumns()
			continue
		}
		f.columns(y + n)
	}
	f.columns(height + f.down.half - 1)
	f.flush()
	for range f.down.half - 1 {
		f.lastPass(nil)
	}
	f.out = nil
	if cap(f.luma)+cap(f.table)+cap(f.ring)+cap(f.turned)+cap(f.sums)+cap(f.mid)+cap(f.rows)*side <= pooled {
		filters.Put(f)
	}
}

func (f *filter) start(a *block, width, height int) {
	f.across, f.down = meansOf(width), meansOf(height)
	f.ringRows = ringRows(height)
	f.ring = grow(f.ring, f.ringRows*width)
	if f.vector = vector && width >= 2*strip && height >= strip; f.vector {
		f.turned = grow(f.turned, strip*width)
	}
	f.sums = grow(f.sums, width)
	clear(f.sums)
	f.mid = grow(f.mid, min(strip, height)*width)
	if rows := f.down.w + strip; rows > cap(f.rows) {
		f.rows = make([][side]float32, rows)
	} else {
		f.rows = f.rows[:rows]
	}
	f.rowSums = [side]float32{}
	f.entered, f.midRows, f.made, f.next, f.out = 0, 0, 0, 0, a
}

// ringRows returns the number of rows that a picture's ring holds: a window
// and a strip, in whole strips.
func ringRows(height int) int {
	return min(height, (window(height)+strip-1)/strip*strip+strip)
}

// Memory returns about how many bytes hashing a picture of width × height
// pixels takes, beside the picture: some rows of it.
func Memory(width, height int) int64 {
	rows := ringRows(height) + 1 + 3*min(height, strip)
	return 4 * (int64(rows)*int64(width) + int64(window(height)+strip)*side + 255*int64(window(width)))
}

func grow(s []float32, n int) []float32 {
	if n > cap(s) {
		return make([]float32, n)
	}
	return s[:n]
}

// quotients returns the table that byteRows needs.
func (f *filter) quotients() []float32 {
	if f.tableFor != f.across.w {
		f.table = grow(f.table, 255*f.across.w+1)
		for sum := range f.table {
			f.table[sum] = float32(sum) / float32(f.across.w)
		}
		f.tableFor = f.across.w
	}
	return f.table
}

// columns runs the second pass until end rows have entered. Rows from the
// bottom edge on are empty: rows leave, none enters.
func (f *filter) columns(end int) {
	width, d := f.across.n, f.down
	for ; f.entered < end; f.entered++ {
		e := f.entered
		var in, old, out []float32
		if e < d.n {
			in = f.ring[e%f.ringRows*width:][:width]
		}
		if l := e - d.w; l >= 0 {
			old = f.ring[l%f.ringRows*width:][:width]
		}
		o := e - (d.half - 1)
		if o >= 0 {
			out = f.mid[f.midRows*width:][:width]
			f.midRows++
		}
		column(out, f.sums, in, old, d.count(o))
		if f.midRows == strip {
			f.flush()
		}
	}
}

// flush runs the third and fourth passes over the rows in mid.
func (f *filter) flush() {
	width := f.across.n
	for r := 0; r < f.midRows; r += rowsAtOnce {
		var rows [rowsAtOnce][]float32
		var to [rowsAtOnce]*[side]float32
		for k := range rows {
			// The last row stands in for those that are missing.
			last := min(r+k, f.midRows-1)
			rows[k] = f.mid[last*width:][:width]
			to[k] = &f.rows[(f.made+last)%len(f.rows)]
		}
		sampleRows(&to, &rows, f.across)
	}
	for range f.midRows {
		f.lastPass(&f.rows[f.made%len(f.rows)])
	}
	f.midRows = 0
}

// lastPass lets a row enter the fourth pass, nil beyond the bottom edge, and
// writes the rows of the block that then come out.
func (f *filter) lastPass(in *[side]float32) {
	d, e := f.down, f.made
	f.made++
	if in != nil {
		for j, v := range in {
			f.rowSums[j] += v
		}
	}
	if l := e - d.w; l >= 0 {
		for j, v := range f.rows[l%len(f.rows)] {
			f.rowSums[j] -= v
		}
	}
	for o := e - (d.half - 1); f.next < side && sample(f.next, d.n) == o; f.next++ {
		for j, v := range f.rowSums {
			f.out[f.next*side+j] = v / d.count(o)
		}
	}
}

// quality returns how much there is to see in a, 0 to 100: the sum of the
// differences between neighbours, in hundredths of the full range.
func quality(a *block) int {
	sum := 0
	for i := range side {
		for j := range side {
			v := a[i*side+j]
			if i+1 < side {
				sum += step(v, a[(i+1)*side+j])
			}
			if j+1 < side {
				sum += step(v, a[i*side+j+1])
			}
		}
	}
	return min(100, sum/90)
}

func step(u, v float32) int {
	d := int(float32((u-v)*100) / 255)
	return max(d, -d)
}
