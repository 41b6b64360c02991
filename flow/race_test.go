//go:build race

package flow_test

// raced says that the race detector is on, under which all takes ten times as
// long or more.
const raced = true
