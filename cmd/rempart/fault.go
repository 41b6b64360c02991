//go:build !faults

package main

// fault is nil but in builds for fault tests; see fault_on.go.
var fault func(string)
