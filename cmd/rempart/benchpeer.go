package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
)

// A peer is what another program needs for the same work.
type peer struct {
	name   string
	value  float64 // 0 for none
	source string  // empty if it was measured in this run
}

// publishedWhere says where the figures of known come from. They were measured
// once and cannot be trusted further than a factor of two on other machines.
const publishedWhere = "published: medians of 22 November 2026, two cores of a shared AMD EPYC with AVX-512"

// known returns a figure of a peer that is not here.
func known(name string, value float64) peer { return peer{name, value, publishedWhere} }

// Peers that were measured once, elsewhere.
var (
	hmaHD   = known("HMA, POST /h/hash", 50)  // ms
	hma12MP = known("HMA, POST /h/hash", 510) // ms
	cppLuma = known("Meta's C++ PDQ", 34)     // ms, 1920 × 1080

	faissLookup = map[count]peer{ // µs, Debian's FAISS
		100_000: known("FAISS MultiHash", 228), 1_000_000: known("FAISS MultiHash", 3_850), 10_000_000: known("FAISS MultiHash", 50_000),
	}
	faissBuild = known("FAISS MultiHash", 32)  // s, ten million
	faissSize  = known("FAISS MultiHash", 260) // bytes a value, ten million

	// Meta's vpdq took 9.1 s of processor time where decoding alone took 6.9.
	vpdqOverDecoding = 9.1 / 6.9
)

// askPython runs a program of ours in Python and reads the object it prints
// into v. It reports whether that worked: it does not where a peer cannot be
// imported.
func askPython(ctx context.Context, python, program string, v any, args ...string) bool {
	path, err := exec.LookPath(python)
	if err != nil {
		return false
	}
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, path, append([]string{"-c", program}, args...)...)
	cmd.Stdout = &out
	return cmd.Run() == nil && json.Unmarshal(out.Bytes(), v) == nil
}

// pythonPDQ prints the median milliseconds from a file to its PDQ, as pytx does
// it, of as many runs as its first argument says.
const pythonPDQ = `
import sys, time, json, statistics
import numpy, pdqhash
from PIL import Image
def once():
    start = time.perf_counter()
    pdqhash.compute(numpy.asarray(Image.open(sys.argv[2]).convert("RGB")))
    return (time.perf_counter() - start) * 1000
once()
print(json.dumps({"ms": statistics.median(once() for _ in range(int(sys.argv[1])))}))
`

// pythonFAISS builds HMA's index of the values in a file and prints what it
// took: the arguments are the file, the number of queries at its beginning.
const pythonFAISS = `
import sys, time, json, statistics, resource
import numpy, faiss
faiss.omp_set_num_threads(1)
data = numpy.fromfile(sys.argv[1], dtype=numpy.uint8).reshape(-1, 32)
q, values = data[:int(sys.argv[2])], data[int(sys.argv[2]):]
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = time.perf_counter()
index = faiss.IndexBinaryMultiHash(256, 16, 16)
index.nflip = 1
index.add(values)
build = time.perf_counter() - start
size = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / len(values)
took = []
for i in range(len(q)):
    start = time.perf_counter()
    index.range_search(q[i:i+1], 32)
    took.append(time.perf_counter() - start)
print(json.dumps({"build": build, "us": statistics.median(took) * 1e6, "bytes": size}))
`

func progress(s streams, format string, a ...any) {
	fmt.Fprintf(s.err, "rempart: "+format+"\n", a...)
}
