package pdq

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/bits"
)

// A Hash is the 256 bits of PDQ, most significant first: the bytes are the
// hexadecimal digits read from left to right. Bit 16·i + j of the big-endian
// number tells whether the frequency (i+1, j+1) of the picture is above the
// median, i counted down and j across. Hashes are comparable and can be keys.
type Hash [32]byte

// Parse reads 64 hexadecimal digits, in either case and nothing around them.
func Parse(s string) (Hash, error) {
	var h Hash
	if len(s) != 2*len(h) {
		return Hash{}, fmt.Errorf("pdq: a hash has 64 hexadecimal digits, not %d characters", len(s))
	}
	if _, err := hex.Decode(h[:], []byte(s)); err != nil {
		return Hash{}, fmt.Errorf("pdq: a hash has 64 hexadecimal digits: %w", err)
	}
	return h, nil
}

// String returns the 64 hexadecimal digits of h, in lower case.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText returns what String does.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads what [Parse] does.
func (h *Hash) UnmarshalText(text []byte) error {
	v, err := Parse(string(text))
	if err != nil {
		return err
	}
	*h = v
	return nil
}

// Distance returns the number of bits, 0 to 256, in which h and o differ.
func (h Hash) Distance(o Hash) int {
	a, b := h.Words(), o.Words()
	return bits.OnesCount64(a[0]^b[0]) + bits.OnesCount64(a[1]^b[1]) +
		bits.OnesCount64(a[2]^b[2]) + bits.OnesCount64(a[3]^b[3])
}

// Words returns h as four words, the most significant first.
func (h Hash) Words() [4]uint64 {
	return [4]uint64{
		binary.BigEndian.Uint64(h[0:]),
		binary.BigEndian.Uint64(h[8:]),
		binary.BigEndian.Uint64(h[16:]),
		binary.BigEndian.Uint64(h[24:]),
	}
}
