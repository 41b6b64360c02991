package main

import (
	"bufio"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// What tests make smaller: the memory that is read, in words of 8 bytes, and
// the values of the worst cases.
var benchWords, worstValues = 64 << 20, 200_000

// benchMachine measures what nothing can beat: how fast memory is read in
// order, and at random places, one after another and many at once.
func benchMachine(runs int) []figure {
	words := benchWords
	mem := make([]uint64, words)
	// A walk through all lines: a full-period generator modulo a power of two.
	lines := uint64(words / 8)
	next := func(i uint64) uint64 { return (i*6364136223846793005 + 1442695040888963407) % lines }
	for i := range lines {
		mem[8*i] = next(i)
	}
	var sum uint64
	stream := spreadOf(timed(runs, func(int) {
		for i := 0; i < words; i += 8 {
			w := mem[i : i+8 : i+8]
			sum += w[0] + w[1] + w[2] + w[3] + w[4] + w[5] + w[6] + w[7]
		}
	}), time.Second)
	const steps = 1 << 18
	at := uint64(1)
	chained := spreadOf(timed(runs, func(int) {
		for range steps {
			at = mem[8*at]
		}
	}), time.Nanosecond)
	free := spreadOf(timed(runs, func(int) {
		i := at
		for range steps {
			i = next(i)
			sum += mem[8*i]
		}
	}), time.Nanosecond)
	runtime.KeepAlive(sum + at) // what was measured is not left out by the compiler
	return []figure{
		{Name: "machine: memory read in order", Ours: float64(words) * 8 / stream.median / 1e9, Best: float64(words) * 8 / stream.best / 1e9, Unit: "GB/s"},
		{Name: "machine: memory at random, one after another", Ours: chained.median / steps, Best: chained.best / steps, Unit: "ns"},
		{Name: "machine: memory at random, many at once", Ours: free.median / steps, Best: free.best / steps, Unit: "ns"},
	}
}

// processor returns the name of the processor, or its kind.
func processor() string {
	for key, value := range lines("/proc/cpuinfo") {
		if key == "model name" {
			return value
		}
	}
	return runtime.GOARCH
}

// load says how many processes want to run, where the system tells.
func load() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	one, _, _ := strings.Cut(string(b), " ")
	return ", load " + one
}

// memoryLeft returns the bytes that can be had without swapping, 0 if the
// system does not tell.
func memoryLeft() int64 {
	for key, value := range lines("/proc/meminfo") {
		if key == "MemAvailable" {
			kb, _ := strconv.ParseInt(strings.TrimSuffix(value, " kB"), 10, 64)
			return kb << 10
		}
	}
	return 0
}

// lines ranges over the lines "key: value" of a file; over none if it cannot be
// read.
func lines(name string) func(yield func(key, value string) bool) {
	return func(yield func(string, string) bool) {
		f, err := os.Open(name)
		if err != nil {
			return
		}
		defer f.Close()
		for s := bufio.NewScanner(f); s.Scan(); {
			key, value, _ := strings.Cut(s.Text(), ":")
			if !yield(strings.TrimSpace(key), strings.TrimSpace(value)) {
				return
			}
		}
	}
}
