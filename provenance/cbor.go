package provenance

import (
	"encoding/binary"
	"errors"
)

// cbor reads one CBOR value (RFC 8949) as far as claims need it: maps as
// map[string]any (other keys are passed over, the last of equal ones counts),
// lists as []any, texts as string, cut to maxWord bytes; nil for all else, and
// for what is damaged or beyond a limit.
func (f *found) cbor(b []byte) any {
	d := cbor{b, f.items}
	v, err := d.value(0)
	f.items = d.items
	if err != nil {
		return nil
	}
	return v
}

var errCBOR = errors.New("provenance: CBOR")

// errBreak is the end of a list or a map whose length was not said.
var errBreak = errors.New("provenance: CBOR break")

type cbor struct {
	b     []byte // what is left
	items int    // read so far, of the whole file
}

// head reads the type (3 bits) and the number that follows. open: the length is
// not said.
func (d *cbor) head() (major byte, n uint64, open bool, err error) {
	if d.items++; len(d.b) == 0 || d.items > maxItems {
		return 0, 0, false, errCBOR
	}
	major, info := d.b[0]>>5, d.b[0]&31
	d.b = d.b[1:]
	switch {
	case info < 24:
		return major, uint64(info), false, nil
	case info == 31:
		return major, 0, true, nil
	case info > 27 || len(d.b) < 1<<(info-24):
		return 0, 0, false, errCBOR
	}
	size := 1 << (info - 24)
	var wide [8]byte
	copy(wide[8-size:], d.b)
	d.b = d.b[size:]
	return major, binary.BigEndian.Uint64(wide[:]), false, nil
}

func (d *cbor) value(depth int) (any, error) {
	major, n, open, err := d.head()
	if err != nil || depth > maxDepth {
		return nil, errCBOR
	}
	switch major {
	case 0, 1:
		if open {
			return nil, errCBOR
		}
		return nil, nil
	case 2, 3:
		text, err := d.bytes(n, open)
		if major == 2 || err != nil {
			return nil, err
		}
		return text, nil
	case 4:
		list := []any{}
		for i := uint64(0); open || i < n; i++ {
			v, err := d.value(depth + 1)
			if open && err == errBreak {
				break
			}
			if err != nil {
				return nil, errCBOR
			}
			list = append(list, v)
		}
		return list, nil
	case 5:
		return d.mapping(n, open, depth)
	case 6:
		if open {
			return nil, errCBOR
		}
		v, err := d.value(depth + 1)
		if err != nil {
			return nil, errCBOR
		}
		return v, nil
	}
	if open {
		return nil, errBreak
	}
	return nil, nil // true, false, null, a number
}

func (d *cbor) mapping(n uint64, open bool, depth int) (any, error) {
	out := map[string]any{}
	for i := uint64(0); open || i < n; i++ {
		k, err := d.value(depth + 1)
		if open && err == errBreak {
			break
		}
		if err != nil {
			return nil, errCBOR
		}
		v, err := d.value(depth + 1)
		if err != nil {
			return nil, errCBOR
		}
		if name, ok := k.(string); ok {
			out[name] = v
		}
	}
	return out, nil
}

// bytes reads a text or a string of bytes of n bytes, or of pieces up to a break.
func (d *cbor) bytes(n uint64, open bool) (string, error) {
	if !open {
		if n > uint64(len(d.b)) {
			return "", errCBOR
		}
		text := string(d.b[:min(n, maxWord)])
		d.b = d.b[n:]
		return text, nil
	}
	all := ""
	for {
		major, n, open, err := d.head()
		if err != nil || open && major != 7 {
			return "", errCBOR
		}
		if open {
			return all, nil
		}
		piece, err := d.bytes(n, false)
		if err != nil || major != 2 && major != 3 {
			return "", errCBOR
		}
		all += piece[:min(len(piece), maxWord-len(all))]
	}
}
