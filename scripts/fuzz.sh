#!/usr/bin/env bash
# Runs every fuzz target of the module, one after the other, for the time given
# (10s if none). Fails if a target fails, or if there is no target at all.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-10s}
n=0
for package in $(go list ./...); do
	list=$(go test -list '^Fuzz' "$package") # a package that does not build ends the script
	for target in $(grep '^Fuzz' <<<"$list" || true); do
		echo "$package $target"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$package"
		n=$((n + 1))
	done
done
[ "$n" -gt 0 ] || { echo "fuzz: no target found" >&2; exit 1; }
echo "fuzz: $n targets, $time each, no failure"
