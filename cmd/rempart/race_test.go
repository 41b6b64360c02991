//go:build race

package main

// raced says that the race detector is on, under which SQLite, which is Go here,
// takes ten times as long or more.
const raced = true
