package returns

import (
	"testing"

	"pgregory.net/rapid"
)

// attack finds, for each hidden count, every value that it can have for somebody
// who knows the other counts, that rows and columns add up, and that what is
// hidden is not 0. It tries every value up to a bound, and shares no code with
// what protects.
func attack(n [][]int, hidden [][]bool, bound int) map[[2]int]map[int]bool {
	rows, columns := len(n)-1, len(n[0])-1
	x := make([][]int, rows)
	var open [][2]int
	for i := range x {
		x[i] = make([]int, columns)
		for j := range x[i] {
			x[i][j] = n[i][j]
			if hidden[i][j] {
				open = append(open, [2]int{i, j})
			}
		}
	}
	found := map[[2]int]map[int]bool{}
	note := func(i, j, v int) {
		if found[[2]int{i, j}] == nil {
			found[[2]int{i, j}] = map[int]bool{}
		}
		found[[2]int{i, j}][v] = true
	}
	rowSum := func(i int) (s int) {
		for _, v := range x[i] {
			s += v
		}
		return s
	}
	fits := func(i, j, sum int) bool {
		if hidden[i][j] {
			return sum >= 1
		}
		return sum == n[i][j]
	}
	var try func(k int)
	try = func(k int) {
		if k > 0 && (k == len(open) || open[k][0] != open[k-1][0]) && !fits(open[k-1][0], columns, rowSum(open[k-1][0])) {
			return // this row is filled, and wrong
		}
		if k < len(open) {
			for v := 1; v <= bound; v++ {
				x[open[k][0]][open[k][1]] = v
				try(k + 1)
			}
			return
		}
		all := 0
		for i := range rows {
			s := rowSum(i)
			if !fits(i, columns, s) {
				return
			}
			all += s
		}
		for j := range columns {
			s := 0
			for i := range rows {
				s += x[i][j]
			}
			if !fits(rows, j, s) {
				return
			}
		}
		if !fits(rows, columns, all) {
			return
		}
		for _, c := range open {
			note(c[0], c[1], x[c[0]][c[1]])
		}
		for i := range rows {
			note(i, columns, rowSum(i))
		}
		for j := range columns {
			s := 0
			for i := range rows {
				s += x[i][j]
			}
			note(rows, j, s)
		}
		note(rows, columns, all)
	}
	try(0)
	return found
}

// TestProtect lets somebody attack random tables with all that is published: no
// hidden count can be found, and those under 5 can still have five values.
func TestProtect(t *testing.T) {
	worked := 0
	rapid.Check(t, func(t *rapid.T) {
		rows, columns := rapid.IntRange(1, 3).Draw(t, "rows"), rapid.IntRange(1, 3).Draw(t, "columns")
		inner := make([][]int, rows)
		for i := range inner {
			for range columns {
				inner[i] = append(inner[i], rapid.SampledFrom([]int{0, 0, 1, 2, 3, 4, 5, 6, 7, 9}).Draw(t, "n"))
			}
		}
		g := newGrid(inner, columns)
		g.protect()
		open := 0
		for i := range rows {
			for j := range columns {
				if g.hidden[i][j] {
					open++
				}
			}
		}
		if open > 6 {
			t.Skip("too many to try")
		}
		found := attack(g.n, g.hidden, 14)
		for i := range g.n {
			for j, v := range g.n[i] {
				switch {
				case v > 0 && v < Least && !g.hidden[i][j]:
					t.Fatalf("%d at %d, %d is shown: %v %v", v, i, j, g.n, g.hidden)
				case !g.hidden[i][j]:
					continue
				}
				worked++
				if k := len(found[[2]int{i, j}]); !found[[2]int{i, j}][v] || k < 2 || v < Least && k < spread {
					t.Fatalf("%d at %d, %d can only be %v: %v %v", v, i, j, found[[2]int{i, j}], g.n, g.hidden)
				}
			}
		}
	})
	if worked < 20 {
		t.Errorf("%d hidden counts were attacked", worked)
	}
}

// TestAttack: the attack does find what only small counts hide.
func TestAttack(t *testing.T) {
	g := newGrid([][]int{{3, 10}, {12, 20}}, 2)
	g.hidden[0][0] = true
	if f := attack(g.n, g.hidden, 14)[[2]int{0, 0}]; len(f) != 1 || !f[3] {
		t.Errorf("%v", f)
	}
}

// TestProtectList does the same for counts with one total.
func TestProtectList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SliceOfN(rapid.SampledFrom([]int{0, 1, 2, 3, 4, 5, 8, 30}), 1, 5).Draw(t, "n")
		hidden := protectList(n)
		total, open, sum, k := 0, !hidden[len(n)], 0, 0
		for i, v := range n {
			total += v
			if v > 0 && v < Least && !hidden[i] {
				t.Fatalf("%d is shown: %v %v", v, n, hidden)
			}
			if hidden[i] {
				sum, k = sum+v, k+1
			}
		}
		if total > 0 && total < Least && open {
			t.Fatalf("the total %d is shown", total)
		}
		if open && k > 0 && (k < 2 || sum-k+1 < spread) {
			t.Fatalf("%d hidden counts add up to %d: %v %v", k, sum, n, hidden)
		}
	})
}
