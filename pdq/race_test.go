//go:build race

package pdq

// underRace tells that the race detector slows everything down ten times and
// makes sync.Pool drop things on purpose.
const underRace = true
