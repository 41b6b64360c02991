package pdq_test

import (
	"encoding/json"
	"strings"
	"testing"

	"rempart/pdq"
)

const bridge = "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22"

func TestParse(t *testing.T) {
	want, err := pdq.Parse(bridge)
	if err != nil {
		t.Fatal(err)
	}
	if want.String() != bridge {
		t.Errorf("String() = %s", want)
	}
	if got, err := pdq.Parse(strings.ToUpper(bridge)); err != nil || got != want {
		t.Errorf("upper case: %v, %v", got, err)
	}
	if w := want.Words(); w[0] != 0xf8f8f0cee0f4a84f || w[3] != 0x33e6b39c4e9c9b22 {
		t.Errorf("Words() = %x", w)
	}
	for _, s := range []string{
		"", bridge[1:], bridge + "0", " " + bridge[1:], bridge[:63] + "g", bridge[:63] + "\n", "0x" + bridge[2:],
		strings.Repeat("é", 32),
	} {
		if h, err := pdq.Parse(s); err == nil || h != (pdq.Hash{}) {
			t.Errorf("Parse(%q) = %v, %v", s, h, err)
		}
	}
}

func TestJSON(t *testing.T) {
	h, _ := pdq.Parse(bridge)
	data, err := json.Marshal(map[pdq.Hash]pdq.Hash{h: h})
	if err != nil || string(data) != `{"`+bridge+`":"`+bridge+`"}` {
		t.Fatalf("Marshal = %s, %v", data, err)
	}
	var back map[pdq.Hash]pdq.Hash
	if err := json.Unmarshal(data, &back); err != nil || back[h] != h {
		t.Errorf("Unmarshal = %v, %v", back, err)
	}
	if err := json.Unmarshal([]byte(`"f8"`), new(pdq.Hash)); err == nil {
		t.Error("two digits made a hash")
	}
}

func TestDistance(t *testing.T) {
	h, _ := pdq.Parse(bridge)
	if d := h.Distance(h); d != 0 {
		t.Errorf("to itself: %d", d)
	}
	var not pdq.Hash
	for i := range h {
		not[i] = ^h[i]
	}
	if d := h.Distance(not); d != 256 {
		t.Errorf("to its opposite: %d", d)
	}
	for k := range 256 {
		o := h
		o[k/8] ^= 1 << (k % 8)
		if d := h.Distance(o); d != 1 {
			t.Errorf("bit %d turned: %d", k, d)
		}
	}
}

func TestDihedralString(t *testing.T) {
	for d, want := range map[pdq.Dihedral]string{
		pdq.Original: "original", pdq.Rot90: "rot90", pdq.Rot180: "rot180", pdq.Rot270: "rot270", pdq.FlipX: "flipX",
		pdq.FlipY: "flipY", pdq.FlipPlus1: "flipPlus1", pdq.FlipMinus1: "flipMinus1", 8: "Dihedral(8)", -1: "Dihedral(-1)",
	} {
		if d.String() != want {
			t.Errorf("%d: %q, want %q", int(d), d.String(), want)
		}
	}
}
