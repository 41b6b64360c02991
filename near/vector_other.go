//go:build !amd64

package near

import "sync/atomic"

// Other processors have the plain ways only.
var scanVector, vector atomic.Bool

func headsNear(*uint64, *[2]uint64, int, *words, uint64)             { panic("near: no vector ways") }
func rowsNear(*uint64, *[2]uint64, *[2]uint64, int, *words, uint64)  { panic("near: no vector ways") }
func headsNear2(*uint64, *[2]uint64, int, *words, uint64)            { panic("near: no vector ways") }
func rowsNear2(*uint64, *[2]uint64, *[2]uint64, int, *words, uint64) { panic("near: no vector ways") }
func tagsNear(*candidate, int, *run, int, **byte) (found, done int)  { panic("near: no vector ways") }
