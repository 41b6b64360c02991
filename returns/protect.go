package returns

import "math"

// Least is the smallest count that is published, unless it is 0: a smaller one
// may point to a person. Our choice, the usual one.
const Least = 5

// spread is how many values a hidden count from 1 to 4 must still be able to
// have for somebody who knows everything that is published: more than the four
// that its being hidden tells.
const spread = 5

// A grid is a table of counts with its totals: the last row holds those of the
// columns, the last column those of the rows. It is protected as a whole.
type grid struct {
	n      [][]int
	hidden [][]bool
}

// newGrid adds the totals to a table.
func newGrid(inner [][]int, columns int) *grid {
	g := &grid{}
	total := make([]int, columns+1)
	for _, row := range inner {
		sum := 0
		line := make([]int, columns+1)
		for j, v := range row {
			line[j] = v
			sum += v
			total[j] += v
		}
		line[columns] = sum
		total[columns] += sum
		g.n = append(g.n, line)
	}
	g.n = append(g.n, total)
	for range g.n {
		g.hidden = append(g.hidden, make([]bool, columns+1))
	}
	return g
}

func (g *grid) rows() int    { return len(g.n) }
func (g *grid) columns() int { return len(g.n[0]) }

// protect hides each count from 1 to 4, and then others, the smallest that will
// do, until nobody can find a hidden one from what is left: each can still have
// two values, and each that is under 5 at least [spread]. Nothing but 0 is known
// of what is never hidden.
func (g *grid) protect() {
	for i := range g.n {
		for j, v := range g.n[i] {
			g.hidden[i][j] = v > 0 && v < Least
		}
	}
	for again := true; again; {
		again = false
		for i := range g.n {
			for j := range g.n[i] {
				if g.hidden[i][j] && g.strengthen(i, j) {
					again = true
				}
			}
		}
	}
}

// strengthen hides more counts until that at i, j has enough possible values, and
// tells whether it had to.
func (g *grid) strengthen(i, j int) (changed bool) {
	need := 2
	if g.n[i][j] < Least {
		need = spread
	}
	low := g.copy()
	values := 1
	for values < need && low[i][j] > 1 && g.move(low, i, j, -1, false) {
		values++
	}
	high := g.copy()
	for values < need {
		if g.move(high, i, j, 1, false) {
			values++
			continue
		}
		if !g.move(high, i, j, 1, true) {
			panic("returns: a count cannot be hidden") // a rise of the count and its totals is always possible
		}
		changed = true
		values++
	}
	return changed
}

func (g *grid) copy() [][]int {
	out := make([][]int, len(g.n))
	for i, row := range g.n {
		out[i] = append([]int(nil), row...)
	}
	return out
}

// sign of a count in the sums: rows and columns of the counts, with the totals
// taken negative, all sum to 0.
func (g *grid) sign(i, j int) int {
	if (i == g.rows()-1) != (j == g.columns()-1) {
		return -1
	}
	return 1
}

// move changes the count at i, j by one, and others so that every sum holds, as
// somebody might who does not know the hidden ones: hidden ones alone, none
// below 1. With more, counts that are not hidden yet may be taken too, and are
// then hidden: those on the way that costs least. It tells whether it could.
//
// A way goes from row i to column j through other counts, from row to column and
// back: each count on it changes by one, up and down in turn.
func (g *grid) move(x [][]int, i, j, by int, more bool) bool {
	rows, columns := g.rows(), g.columns()
	const far = math.MaxInt
	at := make([]int, rows+columns) // cost of the best way to each row, then each column
	from := make([]int, rows+columns)
	done := make([]bool, rows+columns)
	for k := range at {
		at[k], from[k] = far, -1
	}
	at[i] = 0
	step := g.sign(i, j) * by // of what is signed, at i, j
	cost := func(a, b, d int) int {
		switch {
		case a == i && b == j, d < 0 && x[a][b] < 2:
			return far
		case g.hidden[a][b]:
			return 0
		case !more || g.n[a][b] == 0:
			return far
		}
		c := g.n[a][b] + 1
		if a == rows-1 {
			c *= 10
		}
		if b == columns-1 {
			c *= 10
		}
		return c
	}
	for {
		k := -1
		for c := range at {
			if !done[c] && at[c] < far && (k < 0 || at[c] < at[k]) {
				k = c
			}
		}
		if k < 0 {
			return false
		}
		done[k] = true
		if k == rows+j {
			break
		}
		if k < rows {
			for b := range columns {
				if c := cost(k, b, -step*g.sign(k, b)); c < far && at[k]+c < at[rows+b] {
					at[rows+b], from[rows+b] = at[k]+c, k
				}
			}
			continue
		}
		for a := range rows {
			if c := cost(a, k-rows, step*g.sign(a, k-rows)); c < far && at[k]+c < at[a] {
				at[a], from[a] = at[k]+c, k
			}
		}
	}
	x[i][j] += by
	for k := rows + j; from[k] >= 0; k = from[k] {
		a, b, d := from[k], k-rows, -step
		if k < rows {
			a, b, d = k, from[k]-rows, step
		}
		x[a][b] += d * g.sign(a, b)
		g.hidden[a][b] = true
	}
	return true
}

// protectList is protect for counts that have one total and no other. It
// returns which are hidden, the total being the last.
func protectList(n []int) []bool {
	total := 0
	hidden := make([]bool, len(n)+1)
	for i, v := range n {
		total += v
		hidden[i] = v > 0 && v < Least
	}
	hidden[len(n)] = total > 0 && total < Least
	for {
		sum, k := 0, 0
		for i, v := range n {
			if hidden[i] {
				sum, k = sum+v, k+1
			}
		}
		// Each of k hidden counts can be from 1 to sum-k+1 while the total is known.
		if k == 0 || k > 1 && sum-k+1 >= spread {
			return hidden
		}
		next := -1
		for i, v := range n {
			if !hidden[i] && v > 0 && (next < 0 || v < n[next]) {
				next = i
			}
		}
		if next < 0 {
			hidden[len(n)] = true
			return hidden
		}
		hidden[next] = true
	}
}
