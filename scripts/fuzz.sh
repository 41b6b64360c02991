#!/usr/bin/env bash
# Runs every fuzz target of the module for the time given (30s if none), two of
# them at a time, one process each. Fails if a target fails, or if there is no
# target at all; what made it fail is then in testdata/fuzz of its package, to be
# kept with the mend.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-30s}
export FUZZTIME=$time FUZZBIN
FUZZBIN=$(mktemp -d)
trap 'rm -rf "$FUZZBIN"' EXIT
export FUZZCACHE=${FUZZCACHE:-$(go env GOCACHE)/fuzz}

targets=()
for package in $(go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}},{{.Dir}}{{end}}' ./...); do
	dir=${package#*,}
	grep -q '^func Fuzz' "$dir"/*_test.go || continue
	name=${package%%,*}
	binary=$FUZZBIN/${name//\//-}.test
	go test -c -fuzz=. -o "$binary" "$name" # instrumented, which a plain build is not
	for target in $(cd "$dir" && "$binary" -test.list '^Fuzz'); do
		targets+=("$name $dir $binary $target")
	done
done
[ ${#targets[@]} -gt 0 ] || { echo "fuzz: no target found" >&2; exit 1; }

# spurious TARGET OUTPUT: whether all that is wrong is that Go's coordinator took
# the end of the time given for a failure (https://go.dev/issue/75804, mended in
# Go 1.27): beside the lines of progress there are these three and no other. An
# input that fails, a panic or a hang always says more.
spurious() {
	local rest
	rest=$(grep -v -e '^fuzz: elapsed: ' -e '^warning: starting with empty corpus' <<<"$2" | sed 's/([0-9.]*s)/(time)/')
	[ "$rest" = "--- FAIL: $1 (time)"$'\n'"    context deadline exceeded"$'\n'"FAIL" ]
}
export -f spurious

# one PACKAGE DIR BINARY TARGET: runs it, and says how it went in one line, or
# in full if it failed.
one() {
	local out failed=
	out=$(cd "$2" && "$3" -test.run '^$' -test.fuzz "^$4\$" -test.fuzztime "$FUZZTIME" -test.fuzzminimizetime 5s \
		-test.parallel 1 -test.timeout 0 -test.fuzzcachedir "$FUZZCACHE/$1" 2>&1) || failed=1
	if [ -z "$failed" ] || spurious "$4" "$out"; then
		echo "fuzz: $1 $4: $(grep -o 'execs: [0-9]*' <<<"$out" | tail -1)"
		grep -q 'execs: [1-9]' <<<"$out" || { echo "fuzz: $1 $4: nothing was run: $out" >&2; return 1; }
	else
		printf 'fuzz: %s %s failed\n%s\n' "$1" "$4" "$out" >&2
		return 1
	fi
}
export -f one
printf '%s\n' "${targets[@]}" | xargs -P "${FUZZJOBS:-2}" -L 1 bash -c 'one "$@"' one
echo "fuzz: ${#targets[@]} targets, $time each, no failure"
