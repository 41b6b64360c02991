//go:build !faults

package main

import "time"

// fault is nil but in builds for fault tests; see fault_on.go.
var fault func(string)

// lease is 0, the usual one, but in builds for fault tests.
const lease time.Duration = 0
