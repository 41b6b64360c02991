// Package ledger makes a log tamper-evident: records are hashed into a Merkle
// tree (RFC 6962, as golang.org/x/mod/sumdb/tlog computes it) and the root of
// the tree is signed now and then as a checkpoint, a signed note.
//
// It knows bytes, not cases, and keeps nothing itself: package store holds the
// records, the hashes and the checkpoints, and a stranger needs this package
// alone to check them. It promises that whoever can write to the database but
// has not the instance's key cannot change, remove, add or reorder a sealed
// record without [Checker] saying so, unless everything from some checkpoint to
// the end is removed together: only a checkpoint kept elsewhere shows that, which
// [Checker.Kept] takes.
//
// It does not promise anything of records that are not sealed yet, nor against
// somebody who has the key.
package ledger

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/tlog"
)

// A Hash is a node of the tree.
type Hash = tlog.Hash

// A Record is one thing that was done, as bytes.
type Record struct {
	Kind    string
	Subject string
	Actor   string
	At      int64  // microseconds since 1970, UTC
	Data    string // small facts, see FormatData
}

// Bytes returns the canonical form of a record, the bytes that are hashed:
//
//	"rempart record 1\n"
//	kind, subject, actor, at in decimal, data, each as
//	its length in bytes in decimal, ":", the bytes, "\n"
//
// No two different records have the same form, as every length is written.
func (r Record) Bytes() []byte {
	b := make([]byte, 0, 64+len(r.Kind)+len(r.Subject)+len(r.Actor)+len(r.Data))
	b = append(b, "rempart record 1\n"...)
	for _, f := range [...]string{r.Kind, r.Subject, r.Actor, strconv.FormatInt(r.At, 10), r.Data} {
		b = strconv.AppendInt(b, int64(len(f)), 10)
		b = append(b, ':')
		b = append(b, f...)
		b = append(b, '\n')
	}
	return b
}

// Hash returns the record's leaf in the tree.
func (r Record) Hash() Hash { return tlog.RecordHash(r.Bytes()) }

// FormatData writes facts as one line of JSON with its names sorted, without
// spaces, so that the same facts always give the same bytes. A name or value
// that is not UTF-8 is an error: JSON could not tell it from another one.
func FormatData(facts map[string]string) (string, error) {
	var b strings.Builder
	b.WriteByte('{')
	for i, name := range slices.Sorted(maps.Keys(facts)) {
		if i > 0 {
			b.WriteByte(',')
		}
		for j, s := range [...]string{name, facts[name]} {
			if !utf8.ValidString(s) {
				return "", fmt.Errorf("ledger: a fact is not UTF-8")
			}
			q, err := json.Marshal(s)
			if err != nil {
				return "", fmt.Errorf("ledger: writing a fact: %w", err)
			}
			if j > 0 {
				b.WriteByte(':')
			}
			b.Write(q)
		}
	}
	b.WriteByte('}')
	return b.String(), nil
}

// ParseData reads what FormatData wrote.
func ParseData(s string) (map[string]string, error) {
	var m map[string]string
	if err := json.Unmarshal([]byte(s), &m); err != nil {
		return nil, fmt.Errorf("ledger: reading facts: %w", err)
	}
	return m, nil
}
