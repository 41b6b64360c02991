//go:build !amd64

package pdq

// Other processors have the plain passes only.
var vector = false

func (*filter) turnedFloats(_, _ []float32) bool         { panic("pdq: no vector passes") }
func (*filter) turnedBytes(_ []float32, _ []byte, _ int) { panic("pdq: no vector passes") }
func (*filter) turnedColumns()                           { panic("pdq: no vector passes") }
