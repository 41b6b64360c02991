package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestPrintFigures(t *testing.T) {
	var out bytes.Buffer
	if err := printFigures(&out, []figure{{Name: "alone", Ours: 2, Unit: "ms"}, {Name: "beside", Ours: 2, Naive: 7, Unit: "ms", Ratio: 3.5}}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(out.String()) {
		got = append(got, strings.Join(strings.Fields(line), " "))
	}
	if want := "WHAT OURS NAIVE UNIT RATIO|alone 2.000 – ms –|beside 2.000 7.000 ms 3.5"; strings.Join(got, "|") != want {
		t.Errorf("%q, want %q", strings.Join(got, "|"), want)
	}
}
