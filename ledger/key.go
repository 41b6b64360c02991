package ledger

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// ErrSignature says that a note was not signed with the expected key, or was
// changed afterwards.
var ErrSignature = errors.New("ledger: the signature does not fit")

// A Key signs checkpoints and other notes. It never leaves the instance.
type Key struct{ private ed25519.PrivateKey }

// NewKey returns the Ed25519 key of a 32-byte seed.
func NewKey(seed []byte) (Key, error) {
	if len(seed) != ed25519.SeedSize {
		return Key{}, fmt.Errorf("ledger: a key's seed has %d bytes, not %d", len(seed), ed25519.SeedSize)
	}
	return Key{ed25519.NewKeyFromSeed(seed)}, nil
}

// String keeps the key out of logs and error texts.
func (Key) String() string { return "[key]" }

// GoString keeps the key out of what %#v prints.
func (Key) GoString() string { return "[key]" }

// Verifier returns the verifier key, as golang.org/x/mod/sumdb/note writes it,
// for notes signed under a name such as "hub.exemple.test": without spaces or
// plus signs.
func (k Key) Verifier(name string) (string, error) {
	vkey, err := note.NewEd25519VerifierKey(name, k.private.Public().(ed25519.PublicKey))
	if err != nil {
		return "", fmt.Errorf("ledger: verifier key of %q: %w", name, err)
	}
	if _, err := note.NewVerifier(vkey); err != nil {
		return "", fmt.Errorf("ledger: verifier key of %q: %w", name, err)
	}
	return vkey, nil
}

// Sign signs a text as a note under a name. The same text gives the same note.
// The text must be UTF-8, without control characters but newlines.
func (k Key) Sign(name, text string) (string, error) {
	if !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	vkey, err := k.Verifier(name)
	if err != nil {
		return "", fmt.Errorf("ledger: signing as %q: %w", name, err)
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return "", fmt.Errorf("ledger: signing as %q: %w", name, err)
	}
	b, err := note.Sign(&note.Note{Text: text}, signer{v, k.private})
	if err != nil {
		return "", fmt.Errorf("ledger: signing: %w", err)
	}
	return string(b), nil
}

// signer is a note.Signer: a verifier's name and hash, with the private key.
type signer struct {
	note.Verifier
	private ed25519.PrivateKey
}

func (s signer) Sign(msg []byte) ([]byte, error) { return ed25519.Sign(s.private, msg), nil }

// A Verifier checks notes that one key signed, whatever the name it signed
// under: an instance may be renamed.
type Verifier struct{ public ed25519.PublicKey }

// ParseVerifier reads a verifier key, as Key.Verifier writes it.
func ParseVerifier(vkey string) (Verifier, error) {
	if _, err := note.NewVerifier(vkey); err != nil {
		return Verifier{}, fmt.Errorf("ledger: reading a verifier key: %w", err)
	}
	_, rest, _ := strings.Cut(vkey, "+") // name+hash+key: only the key, in base64, may hold another plus sign
	_, key64, _ := strings.Cut(rest, "+")
	key, err := base64.StdEncoding.DecodeString(key64)
	if err != nil || len(key) != 1+ed25519.PublicKeySize {
		return Verifier{}, fmt.Errorf("ledger: reading a verifier key: not an Ed25519 key")
	}
	return Verifier{ed25519.PublicKey(key[1:])}, nil
}

// Open returns the text of a note whose signature fits, else ErrSignature.
func (v Verifier) Open(signed string) (string, error) {
	name := ""
	if _, sig, ok := strings.Cut(signed, "\n\n— "); ok {
		name, _, _ = strings.Cut(sig, " ")
	}
	vkey, err := note.NewEd25519VerifierKey(name, v.public)
	if err != nil {
		return "", ErrSignature
	}
	nv, err := note.NewVerifier(vkey)
	if err != nil {
		return "", ErrSignature
	}
	n, err := note.Open([]byte(signed), note.VerifierList(nv))
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrSignature, err)
	}
	return n.Text, nil
}

// A Checkpoint says that a tree of Size records had the root Root.
type Checkpoint struct {
	Origin string `json:"origin"`
	Size   int64  `json:"size"`
	Root   Hash   `json:"root"` // in base64
}

// String returns the text that is signed, as c2sp.org/tlog-checkpoint has it:
// origin, size and root on a line each.
func (c Checkpoint) String() string {
	return c.Origin + "\n" + strconv.FormatInt(c.Size, 10) + "\n" + base64.StdEncoding.EncodeToString(c.Root[:]) + "\n"
}

// ParseCheckpoint reads the text of a checkpoint; it checks no signature. Lines
// after the third are extensions, and ignored.
func ParseCheckpoint(text string) (Checkpoint, error) {
	lines := strings.SplitN(text, "\n", 4)
	if len(lines) != 4 || lines[0] == "" {
		return Checkpoint{}, errors.New("ledger: not a checkpoint")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return Checkpoint{}, errors.New("ledger: a checkpoint without its size")
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != len(Hash{}) {
		return Checkpoint{}, errors.New("ledger: a checkpoint without its root")
	}
	return Checkpoint{lines[0], size, Hash(root)}, nil
}

// Checkpoint opens a signed checkpoint. Its origin must be the name it is
// signed under.
func (v Verifier) Checkpoint(signed string) (Checkpoint, error) {
	text, err := v.Open(signed)
	if err != nil {
		return Checkpoint{}, err
	}
	c, err := ParseCheckpoint(text)
	if err != nil {
		return Checkpoint{}, err
	}
	if !strings.Contains(signed, "\n\n— "+c.Origin+" ") {
		return Checkpoint{}, fmt.Errorf("%w: signed under another name than its origin", ErrSignature)
	}
	return c, nil
}

// JoinHashes writes hashes one after the other, 32 bytes each.
func JoinHashes(hashes []Hash) []byte {
	b := make([]byte, 0, len(hashes)*len(Hash{}))
	for _, h := range hashes {
		b = append(b, h[:]...)
	}
	return b
}

// SplitHashes reads what JoinHashes wrote.
func SplitHashes(b []byte) ([]Hash, error) {
	if len(b) == 0 || len(b)%len(Hash{}) != 0 {
		return nil, fmt.Errorf("ledger: %d bytes are no hashes", len(b))
	}
	out := make([]Hash, 0, len(b)/len(Hash{}))
	for ; len(b) > 0; b = b[len(Hash{}):] {
		out = append(out, Hash(b[:len(Hash{})]))
	}
	return out, nil
}
