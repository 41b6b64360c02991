package pdq

// The straightforward filter: four passes over the whole picture, in the
// reference's order. The fast one is checked against it, bit for bit.

// FromLumaSlowly is [FromLuma], computed as the algorithm is written down. It
// gives the same bits ten times slower, and is here to be compared with.
func FromLumaSlowly(luma []float32, width, height int) (Result, error) {
	p, err := ofLuma(luma, width, height)
	if err != nil {
		return Result{}, err
	}
	if err := p.err(false); err != nil {
		return Result{}, err
	}
	return slowly(luma, width, height), nil
}

// slowly returns the result for a plane, as [FromLuma] does.
func slowly(luma []float32, width, height int) Result {
	if width < minSide || height < minSide {
		return Result{}
	}
	a := new(block)
	if width == 64 && height == 64 {
		a = (*block)(luma)
	} else {
		slowShrink(a, luma, width, height)
	}
	return Result{hashOf(slowDCT(a)), quality(a)}
}

func slowShrink(to *block, luma []float32, width, height int) {
	alongRows, alongColumns := window(width), window(height)
	a, b := make([]float32, len(luma)), make([]float32, len(luma))
	slowRows(b, luma, width, height, alongRows)
	slowColumns(a, b, width, height, alongColumns)
	slowRows(b, a, width, height, alongRows)
	slowColumns(a, b, width, height, alongColumns)
	for i := range side {
		for j := range side {
			to[i*side+j] = a[sample(i, height)*width+sample(j, width)]
		}
	}
}

// slowRows writes to dst the moving mean of each row of src.
func slowRows(dst, src []float32, width, height, w int) {
	for y := range height {
		slowMean(dst[y*width:], src[y*width:], 1, width, w)
	}
}

// slowColumns writes to dst the moving mean of each column of src.
func slowColumns(dst, src []float32, width, height, w int) {
	for x := range width {
		slowMean(dst[x:], src[x:], width, height, w)
	}
}

// slowMean writes to out the moving mean of n values of in, that are step
// apart in both.
func slowMean(out, in []float32, step, n, w int) {
	half := (w + 2) / 2
	var sum float32
	var enter, leave, o int
	for range half - 1 {
		sum += in[enter]
		enter += step
	}
	count := float32(half - 1)
	for range w - half + 1 {
		sum += in[enter]
		count++
		out[o] = sum / count
		enter += step
		o += step
	}
	for range n - w {
		sum += in[enter]
		sum -= in[leave]
		out[o] = sum / count
		enter += step
		leave += step
		o += step
	}
	for range half - 1 {
		sum -= in[leave]
		count--
		out[o] = sum / count
		leave += step
		o += step
	}
}

func slowDCT(a *block) *spectrum {
	var t [freqs * side]float32
	for i := range freqs {
		for j := range side {
			var sum float32
			for k := range side {
				sum += float32(cosines[i*side+k] * a[k*side+j])
			}
			t[i*side+j] = sum
		}
	}
	b := new(spectrum)
	for i := range freqs {
		for j := range freqs {
			var sum float32
			for k := range side {
				sum += float32(t[i*side+k] * cosines[j*side+k])
			}
			b[i*freqs+j] = sum
		}
	}
	return b
}
