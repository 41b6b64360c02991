package keyring

import (
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/tink-crypto/tink-go/v2/aead/aesgcm"
	"github.com/tink-crypto/tink-go/v2/insecuresecretdataaccess"
	"github.com/tink-crypto/tink-go/v2/secretdata"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// A box is one byte, its version, then what Tink's AES-256-GCM writes: a random
// nonce of 12 bytes, the sealed text, a tag of 16 bytes. No JSON begins with
// that byte, so that a box is told from a document in clear. The nonces of one
// key may be drawn at random for 2^32 boxes, many more than a case is changed.
//
//	1  first version, 2026
const boxVersion = 1

// errBox is all that is said of a box that does not open.
var errBox = errors.New("keyring: the box does not open: it was altered or moved, or sealed under another key")

// A Key seals what belongs to one owner.
type Key struct{ aead tink.AEAD }

// String keeps a key out of logs and error texts.
func (Key) String() string { return "[key]" }

func randomKey() []byte {
	b := make([]byte, 32)
	rand.Read(b) // never fails since Go 1.24
	return b
}

func newKey(raw []byte) (Key, error) {
	p, err := aesgcm.NewParameters(aesgcm.ParametersOpts{KeySizeInBytes: 32, IVSizeInBytes: 12, TagSizeInBytes: 16, Variant: aesgcm.VariantNoPrefix})
	if err != nil {
		return Key{}, fmt.Errorf("keyring: %w", err)
	}
	k, err := aesgcm.NewKey(secretdata.NewBytesFromData(raw, insecuresecretdataaccess.Token{}), 0, p)
	if err != nil {
		return Key{}, fmt.Errorf("keyring: %w", err)
	}
	a, err := aesgcm.NewAEAD(k)
	if err != nil {
		return Key{}, fmt.Errorf("keyring: %w", err)
	}
	return Key{a}, nil
}

// Seal seals a document. what and owner say which it is ("report", its
// identifier): the box opens as that one alone.
func (k Key) Seal(doc []byte, what, owner string) ([]byte, error) {
	b, err := k.aead.Encrypt(doc, about(what, owner))
	if err != nil {
		return nil, fmt.Errorf("keyring: sealing: %w", err)
	}
	return append([]byte{boxVersion}, b...), nil
}

// Open opens what Seal sealed.
func (k Key) Open(box []byte, what, owner string) ([]byte, error) {
	if !Sealed(box) {
		return nil, errBox
	}
	doc, err := k.aead.Decrypt(box[1:], about(what, owner))
	if err != nil {
		return nil, errBox
	}
	return doc, nil
}

// Sealed tells whether something is a box, and not a document in clear.
func Sealed(b []byte) bool { return len(b) > 0 && b[0] == boxVersion }
