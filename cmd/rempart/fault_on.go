//go:build faults

package main

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

var (
	faultMu   sync.Mutex
	faultSeen = map[string]int{}
)

// lease is how long a worker holds a job: REMPART_LEASE, such as "5s", so that
// fault tests need not wait a minute for the jobs of a process they killed; or
// the usual one.
var lease, _ = time.ParseDuration(os.Getenv("REMPART_LEASE"))

// fault kills this process, as kill -9 does, at the point that REMPART_KILL_AT
// names, such as "notice.send.delivered" or "notice.send.delivered:2" for the
// second time it is reached. Only the binary that fault tests build has it.
func fault(point string) {
	name, nth, found := strings.Cut(os.Getenv("REMPART_KILL_AT"), ":")
	if name != point {
		return
	}
	n := 1
	if found {
		n, _ = strconv.Atoi(nth)
	}
	faultMu.Lock()
	defer faultMu.Unlock()
	if faultSeen[point]++; faultSeen[point] == n {
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // nothing more happens here
	}
}
