// Package keyring keeps the keys that are outside the database. Each case has a
// key of its own, which seals all that was written in it; a ring's key wraps
// the key of each case, and what is wrapped lies in the database. Whoever has
// the database alone, or the ring alone, opens nothing.
//
// To destroy the key of one case is to destroy the case, wherever copies of its
// boxes lie. To drop a key from the ring, after the keys that it wrapped were
// wrapped again under another, is to make every older copy of the wrapped keys
// worthless.
//
// The cryptography is Tink's (github.com/tink-crypto/tink-go): AES-256-GCM for
// rings and boxes, HMAC-SHA-256 for blind indexes. A ring is a file (see
// [Open]), in clear and readable by its owner only, or encrypted under a key of
// a key management service. It never makes a file over another one.
package keyring

import (
	"encoding/hex"
	"errors"
	"fmt"
	"sync"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/prf"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// ErrWrongKey says that no key of the ring opens what was wrapped: it was
// wrapped by another ring or by a key that was dropped, or was altered, or
// belongs to another owner.
var ErrWrongKey = errors.New("no key of this keyring opens it")

// A Ring wraps and unwraps the keys of cases, and computes blind indexes. It is
// safe for concurrent use.
type Ring struct {
	source source // where it is kept; zero for one in memory

	mu    sync.RWMutex // guards what follows, which Reload and the steps of a rotation replace
	keys  *keyset.Handle
	index *keyset.Handle
	wrap  tink.AEAD
	prf   *prf.Set
}

// New returns a new ring that is kept nowhere: for tests, and to be saved.
func New() (*Ring, error) {
	keys, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("keyring: new key: %w", err)
	}
	index, err := keyset.NewHandle(prf.HMACSHA256PRFKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("keyring: new index key: %w", err)
	}
	r := new(Ring)
	return r, r.set(keys, index)
}

// set makes the ring's keys those of two keysets.
func (r *Ring) set(keys, index *keyset.Handle) error {
	wrap, err := aead.New(keys)
	if err != nil {
		return fmt.Errorf("keyring: keys: %w", err)
	}
	set, err := prf.NewPRFSet(index)
	if err != nil {
		return fmt.Errorf("keyring: index key: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keys, r.index, r.wrap, r.prf = keys, index, wrap, set
	return nil
}

// Primary names the key that wraps now: eight hexadecimal digits.
func (r *Ring) Primary() string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return name(r.keys.KeysetInfo().GetPrimaryKeyId())
}

// Keys names every key of the ring, in the order in which they were made.
func (r *Ring) Keys() []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var out []string
	for _, k := range r.keys.KeysetInfo().GetKeyInfo() {
		out = append(out, name(k.GetKeyId()))
	}
	return out
}

func name(id uint32) string { return fmt.Sprintf("%08x", id) }

// Check returns what tells this ring from others, and nothing of its keys. It
// stays the same through rotations.
func (r *Ring) Check() (string, error) { return r.Index("check", "") }

// Index returns the blind index of a value in a domain: the same for the same
// two, and without the ring nothing that a guess could be tested with. A domain
// is a constant of ours, such as "address".
func (r *Ring) Index(domain, value string) (string, error) {
	r.mu.RLock()
	set := r.prf
	r.mu.RUnlock()
	// A domain holds no zero byte, so that no two pairs read the same.
	b, err := set.ComputePrimaryPRF([]byte("rempart index v1\x00"+domain+"\x00"+value), 32)
	if err != nil {
		return "", fmt.Errorf("keyring: index: %w", err)
	}
	return hex.EncodeToString(b), nil
}

// A Wrapped is the key of one owner, as the database keeps it: opened by the
// ring alone, for that owner and box alone.
type Wrapped []byte

// RingKey names the key of the ring that wrapped it, "" if that can't be told.
func (w Wrapped) RingKey() string {
	if len(w) < 5 || w[0] != 1 { // Tink's output prefix: 1, and the key's number
		return ""
	}
	return hex.EncodeToString(w[1:5])
}

// NewKey makes the key of a box ("case", "identity"…) of an owner, and wraps it.
func (r *Ring) NewKey(box, owner string) (Key, Wrapped, error) {
	raw := randomKey()
	k, err := newKey(raw)
	if err != nil {
		return Key{}, nil, err
	}
	w, err := r.wrapKey(raw, box, owner)
	return k, w, err
}

func (r *Ring) wrapKey(raw []byte, box, owner string) (Wrapped, error) {
	r.mu.RLock()
	wrap := r.wrap
	r.mu.RUnlock()
	w, err := wrap.Encrypt(raw, about(box, owner))
	if err != nil {
		return nil, fmt.Errorf("keyring: wrapping: %w", err)
	}
	return w, nil
}

// Unwrap opens the key of a box of an owner. ErrWrongKey if the ring can't.
func (r *Ring) Unwrap(w Wrapped, box, owner string) (Key, error) {
	raw, err := r.unwrap(w, box, owner)
	if err != nil {
		return Key{}, err
	}
	return newKey(raw)
}

// Rewrap wraps a key again, under the key that wraps now.
func (r *Ring) Rewrap(w Wrapped, box, owner string) (Wrapped, error) {
	raw, err := r.unwrap(w, box, owner)
	if err != nil {
		return nil, err
	}
	return r.wrapKey(raw, box, owner)
}

func (r *Ring) unwrap(w Wrapped, box, owner string) ([]byte, error) {
	r.mu.RLock()
	wrap := r.wrap
	r.mu.RUnlock()
	raw, err := wrap.Decrypt(w, about(box, owner))
	if err != nil {
		return nil, ErrWrongKey // Tink's error says no more
	}
	return raw, nil
}

// about binds what is sealed to its place, so that it opens nowhere else.
func about(what, owner string) []byte {
	return []byte("rempart v1\x00" + what + "\x00" + owner)
}
