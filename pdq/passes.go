package pdq

// rowsAtOnce is the number of rows that are summed side by side: a processor
// adds several numbers in the time one sum takes to be ready.
const rowsAtOnce = 4

// floatRows is the first pass over n rows of src, a multiple of m.n values.
func floatRows(dst, src []float32, m means) {
	n := len(src) / m.n
	for y := 0; y < n; y += rowsAtOnce {
		var in, out [rowsAtOnce][]float32
		for k := range in {
			// The last row stands in for those that are missing.
			at := min(y+k, n-1) * m.n
			in[k], out[k] = src[at:][:m.n], dst[at:][:m.n]
		}
		meanRows(&out, &in, m)
	}
}

// meanRows writes to dst the moving mean of each row of src.
func meanRows(dst, src *[rowsAtOnce][]float32, m means) {
	a, b, c, d := src[0][:m.n], src[1][:m.n], src[2][:m.n], src[3][:m.n]
	var s [rowsAtOnce]float32
	for e := range m.half - 1 {
		s[0] += a[e]
		s[1] += b[e]
		s[2] += c[e]
		s[3] += d[e]
	}
	o := 0
	for e := m.half - 1; e < m.w; e++ {
		s[0] += a[e]
		s[1] += b[e]
		s[2] += c[e]
		s[3] += d[e]
		putRows(dst, &s, o, m)
		o++
	}
	o = meanMiddle(dst, src, &s, m)
	for e := m.n - m.w; e < m.n-m.w+m.half-1; e++ {
		s[0] -= a[e]
		s[1] -= b[e]
		s[2] -= c[e]
		s[3] -= d[e]
		putRows(dst, &s, o, m)
		o++
	}
}

func putRows(dst *[rowsAtOnce][]float32, s *[rowsAtOnce]float32, o int, m means) {
	count := m.count(o)
	for k := range s {
		dst[k][o] = s[k] / count
	}
}

// meanMiddle is meanRows where the window is whole. It returns the number of
// values written up to there.
func meanMiddle(dst, src *[rowsAtOnce][]float32, s *[rowsAtOnce]float32, m means) int {
	n, first := m.n-m.w, m.w-m.half+1
	inA, oldA, outA := src[0][m.w:][:n], src[0][:n], dst[0][first:][:n]
	inB, oldB, outB := src[1][m.w:][:n], src[1][:n], dst[1][first:][:n]
	inC, oldC, outC := src[2][m.w:][:n], src[2][:n], dst[2][first:][:n]
	inD, oldD, outD := src[3][m.w:][:n], src[3][:n], dst[3][first:][:n]
	a, b, c, d := s[0], s[1], s[2], s[3]
	count := float32(m.w)
	for i := range n {
		a += inA[i]
		b += inB[i]
		c += inC[i]
		d += inD[i]
		a -= oldA[i]
		b -= oldB[i]
		c -= oldC[i]
		d -= oldD[i]
		outA[i] = a / count
		outB[i] = b / count
		outC[i] = c / count
		outD[i] = d / count
	}
	s[0], s[1], s[2], s[3] = a, b, c, d
	return first + n
}

// column adds in to the sums and takes old away, value by value, and writes to
// out the sums divided by count. Either of in, old and out may be nil.
func column(out, sums, in, old []float32, count float32) {
	switch {
	case in != nil && old != nil && out != nil:
		in, old, out = in[:len(sums)], old[:len(sums)], out[:len(sums)]
		for x, s := range sums {
			s += in[x]
			s -= old[x]
			sums[x] = s
			out[x] = s / count
		}
		return
	case in != nil:
		for x, v := range in[:len(sums)] {
			sums[x] += v
		}
	}
	if old != nil {
		for x, v := range old[:len(sums)] {
			sums[x] -= v
		}
	}
	if out != nil {
		for x, s := range sums[:len(out)] {
			out[x] = s / count
		}
	}
}

// sampleRows writes to dst what meanRows would, at the 64 places kept.
func sampleRows(dst *[rowsAtOnce]*[side]float32, src *[rowsAtOnce][]float32, m means) {
	var s [rowsAtOnce]float32
	e := 0
	for j := range side {
		x := sample(j, m.n)
		stop := x + m.half
		for ; e < min(stop, m.w); e++ {
			for k := range s {
				s[k] += src[k][e]
			}
		}
		if end := min(stop, m.n); e < end {
			sumMiddle(src, &s, e, end, m.w)
			e = end
		}
		for ; e < stop; e++ {
			for k := range s {
				s[k] -= src[k][e-m.w]
			}
		}
		count := m.count(x)
		for k := range s {
			dst[k][j] = s[k] / count
		}
	}
}

// sumMiddle lets the values from e to end enter, and those w before leave.
func sumMiddle(src *[rowsAtOnce][]float32, s *[rowsAtOnce]float32, e, end, w int) {
	n := end - e
	inA, oldA := src[0][e:][:n], src[0][e-w:][:n]
	inB, oldB := src[1][e:][:n], src[1][e-w:][:n]
	inC, oldC := src[2][e:][:n], src[2][e-w:][:n]
	inD, oldD := src[3][e:][:n], src[3][e-w:][:n]
	a, b, c, d := s[0], s[1], s[2], s[3]
	for i := range n {
		a += inA[i]
		b += inB[i]
		c += inC[i]
		d += inD[i]
		a -= oldA[i]
		b -= oldB[i]
		c -= oldC[i]
		d -= oldD[i]
	}
	s[0], s[1], s[2], s[3] = a, b, c, d
}

// byteRows is the first pass over n rows of m.n bytes, that are stride apart.
// Sums of whole numbers are exact, in whatever order: they need no rounding,
// and their quotients are looked up.
func byteRows(dst []float32, src []byte, stride, n int, m means, means []float32) {
	for y := range n {
		in, out := src[y*stride:][:m.n], dst[y*m.n:][:m.n]
		sum, o := 0, 0
		for _, v := range in[:m.half-1] {
			sum += int(v)
		}
		for _, v := range in[m.half-1 : m.w] {
			sum += int(v)
			out[o] = float32(sum) / m.count(o)
			o++
		}
		enter := in[m.w:]
		leave, mid := in[:len(enter)], out[o:][:len(enter)]
		for i, v := range enter {
			sum += int(v) - int(leave[i])
			mid[i] = means[sum]
		}
		o += len(enter)
		for _, v := range in[len(enter):][:m.half-1] {
			sum -= int(v)
			out[o] = float32(sum) / m.count(o)
			o++
		}
	}
}
