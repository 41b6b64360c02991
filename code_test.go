package rempart

import (
	"errors"
	"strings"
	"testing"
)

func codeOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// Every wrong character, and every two neighbours swapped, must show.
func TestCaseCodeCheck(t *testing.T) {
	for range 20 {
		c := string(NewCaseCode())
		for i := range 16 {
			for _, r := range crockford {
				if byte(r) == c[i] {
					continue
				}
				wrong := c[:i] + string(r) + c[i+1:]
				if _, err := ParseCaseCode(wrong); codeOf(err) != "code.check" {
					t.Fatalf("%s for %s: got %v, want code.check", wrong, c, err)
				}
			}
			if i < 15 && c[i] != c[i+1] {
				swapped := c[:i] + string(c[i+1]) + string(c[i]) + c[i+2:]
				if _, err := ParseCaseCode(swapped); codeOf(err) != "code.check" {
					t.Fatalf("%s for %s: got %v, want code.check", swapped, c, err)
				}
			}
		}
	}
}

func TestParseCaseCode(t *testing.T) {
	var c CaseCode // one with a 0 and a 1 in it
	for !strings.Contains(string(c), "0") || !strings.Contains(string(c), "1") {
		c = NewCaseCode()
	}
	s := c.String()
	for _, typed := range []string{
		s, strings.ToLower(s), strings.ReplaceAll(s, "-", ""), strings.ReplaceAll(s, "-", " "), strings.ReplaceAll(s, "-", " \u00a0–"),
		strings.ReplaceAll(s, "0", "O"), strings.ReplaceAll(s, "0", "o"), strings.ReplaceAll(s, "1", "I"), strings.ReplaceAll(s, "1", "l"), "  " + s + "\r\n",
	} {
		if got, err := ParseCaseCode(typed); err != nil || got != c {
			t.Errorf("ParseCaseCode(%q) = %#v, %v; want the code", typed, got, err)
		}
	}
	for typed, want := range map[string]string{
		"": "code.length", "ABCD": "code.length", s + "0": "code.length", strings.Repeat("A", 1<<20): "code.length",
		"UUUU-UUUU-UUUU-UUUU": "code.character", "été!": "code.character",
	} {
		if _, err := ParseCaseCode(typed); codeOf(err) != want {
			t.Errorf("ParseCaseCode(%.20q): %v, want code %s", typed, err, want)
		}
	}
}

func TestDeriveCaseCode(t *testing.T) {
	a, b := []byte("one secret"), []byte("another secret")
	first := DeriveCaseCode(a, "k")
	if DeriveCaseCode(a, "k") != first {
		t.Error("the same key gives two codes")
	}
	if DeriveCaseCode(a, "k") == DeriveCaseCode(b, "k") || DeriveCaseCode(a, "k") == DeriveCaseCode(a, "l") {
		t.Error("another secret or key gives the same code")
	}
	if _, err := ParseCaseCode(DeriveCaseCode(a, "k").String()); err != nil {
		t.Errorf("a derived code does not parse: %v", err)
	}
	c := NewCaseCode()
	if h := c.Hash(a); h == c.Hash(b) || strings.Contains(strings.ToUpper(h), string(c)) || len(h) != 64 {
		t.Errorf("hash %s", h)
	}
}

func FuzzParseCaseCode(f *testing.F) {
	f.Add("7F3K-9QXM-AB12-CD3E")
	f.Add("o o o o")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseCaseCode(s)
		if err != nil {
			return
		}
		if again, err := ParseCaseCode(c.String()); err != nil || again != c {
			t.Errorf("%q parses to %#v, whose text does not", s, c)
		}
	})
}
