//go:build faults

package main

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

var (
	faultMu   sync.Mutex
	faultSeen = map[string]int{}
)

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
