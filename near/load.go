package near

import (
	"cmp"
	"slices"

	"rempart/pdq"
)

// loadRows is how many values AddAll merges at once: it leaves room in a
// segment for what is in the tail.
func (t *tuning) loadRows() int { return t.maxRows / 8 * 7 }

// AddAll is Add of each of hs under the ID at the same place, the last where an
// ID comes twice, and then [Index.Compact]. The values go straight into a
// segment, so that many of them cost a fraction of what Add takes, and least
// where the IDs rise. Searches find none of them until they are merged, and
// then all (above fourteen million, fourteen million at a time). What is changed
// meanwhile under one of the IDs by somebody else counts as later.
//
// On disk the values last when AddAll has returned without an error; after a
// crash before that there are all of those merged at once, or none.
func (x *Index) AddAll(ids []ID, hs []pdq.Hash) error {
	if len(hs) == 0 {
		return x.Compact()
	}
	most := x.tuning.loadRows()
	for from := 0; from < len(hs); from += most {
		to := min(from+most, len(hs))
		if err := x.compact(loadSource(ids[from:to], hs[from:to])); err != nil {
			return err
		}
	}
	return nil
}

// loadSource returns hs in rising order of IDs. It keeps hs where it is so.
func loadSource(ids []ID, hs []pdq.Hash) *source {
	s := &source{ids: make([]uint64, len(ids))}
	rising := true
	for i, id := range ids {
		s.ids[i] = uint64(id)
		rising = rising && (i == 0 || ids[i-1] < id)
	}
	if rising {
		s.hashes = hs
		return s
	}
	type place struct {
		id ID
		at uint32
	}
	order := make([]place, len(ids))
	for i, id := range ids {
		order[i] = place{id, uint32(i)}
	}
	slices.SortFunc(order, func(a, b place) int { return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.at, b.at)) })
	s.ids = s.ids[:0]
	for i, p := range order {
		if i+1 == len(order) || order[i+1].id != p.id {
			s.ids = append(s.ids, uint64(p.id))
			s.rows = append(s.rows, hs[p.at].Words())
		}
	}
	return s
}

// shared returns the rows of ids that are in load too; both rise.
func shared(ids, load []uint64) (rows []uint32) {
	if len(ids) == 0 || len(load) == 0 {
		return nil
	}
	from, _ := slices.BinarySearch(ids, load[0])
	k, _ := slices.BinarySearch(load, ids[0])
	for i := from; i < len(ids) && k < len(load); {
		switch {
		case ids[i] < load[k]:
			i++
		case ids[i] > load[k]:
			k++
		default:
			rows = append(rows, uint32(i))
			i, k = i+1, k+1
		}
	}
	return rows
}

// withRows returns dead, or a set of n if it is nil, with the rows in it.
func withRows(dead []uint64, n int, rows []uint32) []uint64 {
	if dead == nil && len(rows) > 0 {
		dead = make([]uint64, (n+63)/64)
	}
	for _, row := range rows {
		dead[row/64] |= 1 << (row % 64)
	}
	return dead
}
