package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"maps"
	"slices"
	"strconv"
)

// KindErased and KindIntakeErased are the kinds of a record which says that the records of its subject
// were erased. Their leaves stay in the tree; ErasedData tells which they were,
// so that nothing else can be taken out under that name.
const (
	KindErased       = "case.erased"
	KindIntakeErased = "intake.erased"
)

// KindsErased lists them.
var KindsErased = []string{KindErased, KindIntakeErased}

// ErasedData returns the facts that such a record must hold: how many records
// were erased, and a digest of their leaves in the order of the tree.
func ErasedData(leaves []Hash) map[string]string {
	e := newErased()
	for _, h := range leaves {
		e.add(h)
	}
	return e.data()
}

// erased counts and hashes the leaves of one subject whose records are gone.
type erased struct {
	n int64
	h hash.Hash
}

func newErased() *erased { return &erased{h: sha256.New()} }

func (e *erased) add(leaf Hash) {
	e.n++
	e.h.Write(leaf[:])
}

func (e *erased) data() map[string]string {
	return map[string]string{"records": strconv.FormatInt(e.n, 10), "digest": hex.EncodeToString(e.h.Sum(nil))}
}

// Erasure takes a record of KindsErased that waits to be sealed.
func (c *Checker) Erasure(r Record) {
	if !slices.Contains(KindsErased, r.Kind) {
		return
	}
	if data, err := ParseData(r.Data); err == nil {
		c.erasures[r.Subject] = data
	}
}

// accountForErased finds leaves without a record that no record accounts for.
func (c *Checker) accountForErased() {
	for _, subject := range slices.Sorted(maps.Keys(c.gone)) {
		e := c.gone[subject]
		c.rep.Erased += e.n
		said, there := c.erasures[subject]
		if want := e.data(); !there || said["records"] != want["records"] || said["digest"] != want["digest"] {
			c.fault(-1, -1, nil, fmt.Sprintf("%d records of %s are gone, and the ledger does not say that just these were erased", e.n, subject))
		}
	}
}
