package ledger

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// An Edge is the right edge of a tree: the roots of the full subtrees that its
// leaves make, which is all that is needed to grow it. The zero Edge is that of
// the empty tree.
type Edge struct {
	size int64
	left [63]Hash // left[L] is meaningful where bit L of size is set
}

// Size returns the number of leaves.
func (e *Edge) Size() int64 { return e.size }

// Add appends a leaf and returns the hashes that are stored with it: the leaf's
// own, then that of each subtree the leaf completes, from the leaf up. They are
// those of tlog.StoredHashesForRecordHash.
func (e *Edge) Add(leaf Hash) []Hash {
	stored := []Hash{leaf}
	level := 0
	for ; e.size>>level&1 == 1; level++ {
		leaf = tlog.NodeHash(e.left[level], leaf)
		stored = append(stored, leaf)
	}
	e.left[level] = leaf
	e.size++
	return stored
}

// Root returns the root of the tree, that of tlog.TreeHash. The empty tree has
// none: the root is then all zeros.
func (e *Edge) Root() Hash {
	var root Hash
	first := true
	for level := 0; e.size>>level != 0; level++ {
		switch {
		case e.size>>level&1 == 0:
		case first:
			root, first = e.left[level], false
		default:
			root = tlog.NodeHash(e.left[level], root)
		}
	}
	return root
}

// LeafOf returns the number of the leaf with which node n of a level is stored;
// the node is at place level among that leaf's hashes.
func LeafOf(level int, n int64) int64 { return (n+1)<<level - 1 }

// EdgeOf returns the edge of a tree of the given size, whose stored hashes read
// returns: node n of a level, both counted from 0.
func EdgeOf(size int64, read func(level int, n int64) (Hash, error)) (*Edge, error) {
	e := &Edge{size: size}
	for level := 0; size>>level != 0; level++ {
		if size>>level&1 == 0 {
			continue
		}
		h, err := read(level, size>>level-1)
		if err != nil {
			return nil, fmt.Errorf("ledger: reading the edge of %d records: %w", size, err)
		}
		e.left[level] = h
	}
	return e, nil
}

// A Proof shows that a record is in the tree of a checkpoint.
type Proof struct {
	Number     int64  // of the record, counted from 0
	Record     []byte // its canonical form
	Hashes     []Hash // from the leaf's neighbour up
	Checkpoint string // a signed note
}

// Prove returns the hashes that lead from record n to the root of the tree of
// the given size.
func Prove(size, n int64, read func(level int, n int64) (Hash, error)) ([]Hash, error) {
	p, err := tlog.ProveRecord(size, n, tlog.HashReaderFunc(func(indexes []int64) ([]Hash, error) {
		out := make([]Hash, len(indexes))
		for i, x := range indexes {
			level, n := tlog.SplitStoredHashIndex(x)
			h, err := read(level, n)
			if err != nil {
				return nil, err
			}
			out[i] = h
		}
		return out, nil
	}))
	if err != nil {
		return nil, fmt.Errorf("ledger: proving record %d: %w", n, err)
	}
	return p, nil
}

// Check says whether the proof holds against the checkpoint it carries, and
// whether the key behind verifier signed that. It returns nil if both do.
func (p Proof) Check(verifier string) error {
	v, err := ParseVerifier(verifier)
	if err != nil {
		return err
	}
	c, err := v.Checkpoint(p.Checkpoint)
	if err != nil {
		return err
	}
	if err := tlog.CheckRecord(p.Hashes, c.Size, c.Root, p.Number, tlog.RecordHash(p.Record)); err != nil {
		return fmt.Errorf("ledger: record %d is not in the tree of %d records: %w", p.Number, c.Size, err)
	}
	return nil
}
