package ledger

import (
	"errors"
	"fmt"
)

// A Report is what a check of a whole ledger found. Records are numbered from
// 0, in the order they were sealed in.
type Report struct {
	Records     int64 `json:"records"`     // in the ledger, sealed or waiting to be
	Erased      int64 `json:"erased"`      // among those, of which only the digest is left
	Sealed      int64 `json:"sealed"`      // in the tree, as far as it could be read
	Checkpoints int64 `json:"checkpoints"` // read
	Whole       bool  `json:"whole"`       // nothing was altered

	Newest Checkpoint `json:"newest"` // the newest one that fitted, zero if none did

	// FirstBad is the first record at fault, -1 if none can be named. LastBad
	// is the same, unless a hash of the tree, or a record together with hashes,
	// was rewritten: then the fault is between the two, both included.
	FirstBad int64  `json:"first_bad"`
	LastBad  int64  `json:"last_bad"`
	Kind     string `json:"kind"`    // of FirstBad, as it stands now; empty if it is gone
	Subject  string `json:"subject"` // the same
	Problem  string `json:"problem"` // the first fault in a sentence, for an operator
	Faults   int64  `json:"faults"`  // leaves, checkpoints and records that do not fit
}

// A Leaf is a sealed record with the hashes stored with it.
type Leaf struct {
	Number int64
	Record *Record // nil if it is gone
	Erased string  // if it is gone: the subject with which it was erased, "" if it was not
	Hashes []byte  // as JoinHashes wrote them
	Err    error   // the record could not be read
}

// A Checker reads a ledger from its first leaf to its last and finds what was
// altered. It holds no more than the edge of the tree. It is not safe for
// concurrent use.
type Checker struct {
	key   Verifier
	edge  Edge
	last  int64 // size of the newest checkpoint that fitted
	lost  bool  // the tree can't be followed any further
	newer bool  // leaves follow the newest checkpoint
	kept  []kept

	gone     map[string]*erased           // leaves without a record, by the subject that was erased
	erasures map[string]map[string]string // what records of KindErased say, by subject
	strays   []Record
	rep      Report
}

// A kept checkpoint comes from outside the ledger, and must be on its way.
type kept struct {
	Checkpoint
	where string
	done  bool
}

// NewChecker returns a checker for checkpoints signed with a key.
func NewChecker(key Verifier) *Checker {
	return &Checker{key: key, gone: map[string]*erased{}, erasures: map[string]map[string]string{}, rep: Report{FirstBad: -1, LastBad: -1}}
}

// Kept demands that the ledger extends a checkpoint that was kept outside of
// it: its first p.Size records must have the root p.Root. where says where it was
// kept, as in "kept in ledger.head". It comes before the first leaf; the
// checkpoint's signature is the caller's to check.
func (c *Checker) Kept(p Checkpoint, where string) {
	c.kept = append(c.kept, kept{Checkpoint: p, where: where, done: p.Size == 0})
}

// Leaf takes the next leaf, in the order of their numbers.
func (c *Checker) Leaf(l Leaf) {
	if c.lost {
		return
	}
	c.leaf(l)
	for k := range c.kept {
		p := &c.kept[k]
		if c.lost || p.done || p.Size != c.edge.Size() {
			continue
		}
		p.done = true
		if p.Root != c.edge.Root() {
			c.fault(-1, -1, nil, fmt.Sprintf("the first %d records are not those of the checkpoint %s: records were altered together with their hashes and checkpoints, or it is another instance's", p.Size, p.where))
		}
	}
}

func (c *Checker) leaf(l Leaf) {
	n := c.edge.Size()
	if l.Number != n {
		c.fault(n, n, nil, fmt.Sprintf("record %d is gone from the tree: the next one there is %d", n, l.Number))
		c.lost = true
		return
	}
	c.newer = true
	stored, err := SplitHashes(l.Hashes)
	if err != nil {
		c.fault(n, n, l.Record, fmt.Sprintf("the hashes stored with record %d are damaged", n))
		c.lost = true
		return
	}
	switch {
	case l.Err != nil:
		c.fault(n, n, l.Record, fmt.Sprintf("record %d cannot be read: %v", n, l.Err))
	case l.Record == nil && l.Erased != "":
		if c.gone[l.Erased] == nil {
			c.gone[l.Erased] = newErased()
		}
		c.gone[l.Erased].add(stored[0])
	case l.Record == nil:
		c.fault(n, n, nil, fmt.Sprintf("record %d is gone", n))
	case l.Record.Hash() != stored[0]:
		c.fault(n, n, l.Record, fmt.Sprintf("record %d (%s of %s) does not fit the hash it was sealed with", n, l.Record.Kind, l.Record.Subject))
	default:
		c.Erasure(*l.Record)
	}
	// Go on with the stored leaf: one altered record must not hide whether
	// those after it are whole.
	want := c.edge.Add(stored[0])
	for level := range max(len(want), len(stored)) {
		if level < len(want) && level < len(stored) && want[level] == stored[level] {
			continue
		}
		first := n &^ (1<<level - 1)
		c.fault(first, n, nil, fmt.Sprintf("between record %d and record %d, a hash of the tree was altered, or a record together with its own hash", first, n))
		break
	}
}

// Checkpoint takes the next checkpoint, in the order of their sizes, as soon as
// that many leaves were taken. size is the one it is stored under.
func (c *Checker) Checkpoint(size int64, signed string) {
	c.rep.Checkpoints++
	if c.lost {
		return
	}
	p, err := c.key.Checkpoint(signed)
	if err != nil {
		what := "cannot be read"
		if errors.Is(err, ErrSignature) {
			what = "is not signed with this instance's key, or was altered"
		}
		c.fault(-1, -1, nil, fmt.Sprintf("the checkpoint after %d records %s", size, what))
		return
	}
	if p.Size != size {
		c.fault(-1, -1, nil, fmt.Sprintf("the checkpoint after %d records is stored as that after %d", p.Size, size))
		return
	}
	if size != c.edge.Size() {
		c.fault(c.edge.Size(), size-1, nil, fmt.Sprintf("records %d to %d are gone: a checkpoint was signed after %d records", c.edge.Size(), size-1, size))
		c.lost = true
		return
	}
	if p.Root != c.edge.Root() {
		c.fault(c.last, size-1, nil, fmt.Sprintf("between record %d and record %d, records were altered together with their hashes: the tree does not fit the checkpoint signed after %d records", c.last, size-1, size))
		c.lost = true // nor will any later checkpoint fit
		return
	}
	c.last, c.newer, c.rep.Newest = size, false, p
}

// Stray takes a record that is not in the tree though it is older than some
// that are, so that it will never be sealed.
func (c *Checker) Stray(r Record) { c.strays = append(c.strays, r) }

// Report ends the check. records is how many there are in all, sealed or not.
func (c *Checker) Report(records int64) Report {
	for _, p := range c.kept {
		if !p.done && p.Size > c.edge.Size() {
			c.fault(c.edge.Size(), p.Size-1, nil, fmt.Sprintf("records %d to %d are gone from the tree: the checkpoint %s was signed after %d records", c.edge.Size(), p.Size-1, p.where, p.Size))
		}
	}
	if c.newer && !c.lost {
		c.fault(c.last, c.edge.Size()-1, nil, fmt.Sprintf("records %d to %d are in the tree, but no checkpoint was signed after them", c.last, c.edge.Size()-1))
	}
	if !c.lost {
		c.accountForErased()
	}
	for _, r := range c.strays {
		c.fault(-1, -1, &r, fmt.Sprintf("a record (%s of %s) is not in the tree, but older than records that are: it was put there behind the ledger's back, or its leaf was taken out", r.Kind, r.Subject))
	}
	r := c.rep
	r.Records, r.Sealed = records+r.Erased, c.edge.Size()
	r.Whole = r.Faults == 0
	return r
}

// fault counts a fault and keeps the first one.
func (c *Checker) fault(first, last int64, r *Record, problem string) {
	c.rep.Faults++
	if c.rep.Problem != "" {
		return
	}
	c.rep.FirstBad, c.rep.LastBad, c.rep.Problem = first, last, problem
	if r != nil {
		c.rep.Kind, c.rep.Subject = r.Kind, r.Subject
	}
}
