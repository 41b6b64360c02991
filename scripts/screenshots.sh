#!/usr/bin/env bash
# Makes docs/screenshots again: the end-to-end tests write there what they see,
# as REMPART_SCREENSHOTS asks. Fails if they wrote nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/test-deps.sh
export REMPART_SCREENSHOTS=$PWD/docs/screenshots
mkdir -p "$REMPART_SCREENSHOTS"
stamp=$(mktemp)
trap 'rm -f "$stamp"' EXIT
CI=1 go test -count=1 -timeout 20m ./internal/e2e/...
n=$(find "$REMPART_SCREENSHOTS" -name '*.png' -newer "$stamp" | wc -l)
[ "$n" -gt 0 ] || { echo "screenshots: the end-to-end tests wrote none" >&2; exit 1; }
echo "screenshots: $n pictures in docs/screenshots; look at them"
