#!/usr/bin/env bash
# Makes sure that this machine has what `make test` needs beside Go: a C compiler
# (for the race detector), Chromium, PostgreSQL's server, what reads videos and
# phones' pictures (ffmpeg, libvips, bubblewrap), and the fixtures.
# Installs what is missing with apt-get, as root or through sudo; does nothing,
# and says nothing, when all is there. With -n it only says what it would do.
set -euo pipefail
cd "$(dirname "$0")/.."

die() { echo "test-deps: $*" >&2; exit 1; }

dry=
case "${1-}" in
'') ;;
-n) dry=1 ;;
*) die "usage: scripts/test-deps.sh [-n]" ;;
esac

command -v go >/dev/null || die "Go is missing; install the version that go.mod names, from https://go.dev/dl/"

fixtures=${REMPART_FIXTURES:-../shared/fixtures}
[ -n "$(ls "$fixtures" 2>/dev/null)" ] ||
	die "the pictures and vectors of the tests are not at $fixtures; say where they are with REMPART_FIXTURES=/path (make test-short does without them)"

# has_postgres: initdb and pg_ctl, where internal/pgtest looks for them.
has_postgres() {
	command -v initdb >/dev/null && command -v pg_ctl >/dev/null && return
	local bin
	for bin in "${POSTGRES_LIB:-/usr/lib/postgresql}"/*/bin; do
		[ -x "$bin/initdb" ] && [ -x "$bin/pg_ctl" ] && return
	done
	return 1
}
has_browser() {
	command -v chromium || command -v chromium-browser || command -v google-chrome
}

packages=()
if ! command -v gcc >/dev/null; then
	echo "test-deps: gcc is missing; go test -race needs it, as the race detector is linked through cgo"
	packages+=(gcc libc6-dev)
fi
if ! has_browser >/dev/null; then
	echo "test-deps: Chromium is missing; the end-to-end and accessibility tests drive it"
	packages+=(chromium fonts-liberation)
fi
if [ -z "${REMPART_TEST_POSTGRES-}" ] && ! has_postgres; then
	echo "test-deps: PostgreSQL is missing; the tests start a private server of their own (the one that Debian may start on port 5432 is not used)"
	packages+=(postgresql)
fi
# has_media NAME...: package media runs these, and its tests make files with others.
has_media() {
	local name
	for name in "$@"; do
		command -v "$name" >/dev/null || return
	done
}
if ! has_media ffmpeg ffprobe; then
	echo "test-deps: ffmpeg is missing; videos are read, and the tests' videos made, with it"
	packages+=(ffmpeg)
fi
if ! has_media vips heif-enc cjxl avifenc; then
	echo "test-deps: programs of libvips, libheif, libjxl or libavif are missing; AVIF, HEIC and JPEG XL are read with the first, and made for the tests with the others"
	packages+=(libvips-tools libheif-examples libjxl-tools libavif-bin)
fi
if ! has_media bwrap prlimit perl; then
	echo "test-deps: bubblewrap, prlimit or perl is missing; the first two confine the programs above, and the tests try to break out with the third"
	packages+=(bubblewrap util-linux perl)
fi
[ ${#packages[@]} -gt 0 ] || exit 0

command -v apt-get >/dev/null || die "there is no apt-get here; install these by hand: ${packages[*]}"
sudo=
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null || die "run this as root: apt-get install ${packages[*]}"
	sudo=sudo
fi
install=($sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${packages[@]}")
echo "test-deps: ${dry:+would run }${sudo:+sudo }apt-get update, then ${install[*]}"
[ -z "$dry" ] || exit 1
$sudo apt-get update -q
"${install[@]}"
