package pdq

// side is the length of the side of the square to which every picture is
// brought before its frequencies are read.
const side = 64

// A block is a picture of 64 × 64 values of brightness, row by row.
type block [side * side]float32

// shrink returns luma, at least 5 × 5, filtered and sampled down to a block.
//
// The filter is Jarosz's: two passes of a moving mean along rows and along
// columns, which together are near a tent 1/64 of the picture wide.
func shrink(luma []float32, width, height int) *block {
	alongRows, alongColumns := window(width), window(height)
	a, b := make([]float32, len(luma)), make([]float32, len(luma))
	boxRows(b, luma, width, height, alongRows)
	boxColumns(a, b, width, height, alongColumns)
	boxRows(b, a, width, height, alongRows)
	boxColumns(a, b, width, height, alongColumns)
	return decimate(a, width, height)
}

// window returns the width of the moving mean over n values.
func window(n int) int { return (n + 127) / 128 }

// boxRows writes to dst the moving mean of each row of src.
//
// Near the ends the window is cut short. The sum runs: a value enters, then
// one leaves, and what rounding leaves behind stays. That is the reference's
// order, and the lowest bits of a hash depend on it even where the window is
// one value wide.
func boxRows(dst, src []float32, width, height, w int) {
	half := (w + 2) / 2
	for y := range height {
		in := src[y*width : (y+1)*width : (y+1)*width]
		out := dst[y*width : (y+1)*width : (y+1)*width]
		var sum float32
		var enter, leave, o int
		for range half - 1 {
			sum += in[enter]
			enter++
		}
		count := float32(half - 1)
		for range w - half + 1 {
			sum += in[enter]
			count++
			out[o] = sum / count
			enter++
			o++
		}
		for ; enter < width; enter++ {
			sum += in[enter]
			sum -= in[leave]
			out[o] = sum / count
			leave++
			o++
		}
		for range half - 1 {
			sum -= in[leave]
			count--
			out[o] = sum / count
			leave++
			o++
		}
	}
}

// boxColumns is boxRows for columns. It keeps one running sum a column and
// reads whole rows, so that memory is walked in order; no sum sees another,
// so the result is that of columns taken one by one.
func boxColumns(dst, src []float32, width, height, w int) {
	half := (w + 2) / 2
	sum := make([]float32, width)
	var enter, leave, o int
	add := func() {
		for x, v := range src[enter*width : (enter+1)*width] {
			sum[x] += v
		}
		enter++
	}
	subtract := func() {
		for x, v := range src[leave*width : (leave+1)*width] {
			sum[x] -= v
		}
		leave++
	}
	write := func(count float32) {
		out := dst[o*width : (o+1)*width]
		for x, v := range sum {
			out[x] = v / count
		}
		o++
	}
	for range half - 1 {
		add()
	}
	count := float32(half - 1)
	for range w - half + 1 {
		add()
		count++
		write(count)
	}
	for enter < height {
		add()
		subtract()
		write(count)
	}
	for range half - 1 {
		subtract()
		count--
		write(count)
	}
}

// decimate takes the value at the middle of each of 64 × 64 tiles.
func decimate(luma []float32, width, height int) *block {
	a := new(block)
	for i := range side {
		y := (2*i + 1) * height / (2 * side)
		for j := range side {
			x := (2*j + 1) * width / (2 * side)
			a[i*side+j] = luma[y*width+x]
		}
	}
	return a
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
