#!/usr/bin/env bash
# A forum and its Rempart, on this machine, in one command: a picture is listed;
# somebody uploads a changed copy of it, which is refused; a notice names a post;
# a moderator decides; the post is gone, and only then is the notifier told so.
# Exits 0 only if each step did what it says.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
pids=()
finish() {
	status=$?
	for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
	wait 2>/dev/null || true
	[ $status -eq 0 ] || { echo "examples: failed" >&2; tail -n 20 "$work"/*.err >&2 || true; }
	rm -rf "$work"
	exit $status
}
trap finish EXIT
die() { echo "examples: $*" >&2; exit 1; }
say() { echo "examples: $*"; }
# value NAME: the string NAME in the JSON on standard input (the first one).
value() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" | head -n 1; }
# until_says WHAT COMMAND…: runs COMMAND until its output holds WHAT, at most 30 s.
until_says() {
	local what=$1
	shift
	for _ in $(seq 150); do
		"$@" >"$work/out" 2>/dev/null || true
		grep -q -- "$what" "$work/out" && return
		sleep 0.2
	done
	cat "$work/out" >&2
	die "waited 30 s in vain for: $what"
}
# port: one that is free at this moment.
port() { "$work/parts"; }

say "building"
go build -o "$work/rempart" ./cmd/rempart
go build -o "$work/forum" ./examples/forum
go build -o "$work/changed-copy" scripts/changed-copy.go
go build -o "$work/parts" scripts/example-parts.go

# One instance is the association's hub and the forum's platform at once, to keep
# this short; in life these are two, see `rempart help admin peer add`.
data=$work/data
rempart=http://127.0.0.1:$(port)
forum=http://127.0.0.1:$(port)
admin() { "$work/rempart" admin "$@" -data "$data"; }
"$work/rempart" serve -role hub,platform -data "$data" -addr "${rempart#http://}" -site Exemple -name "Association Exemple" \
	-email notification@association.exemple.test 2>"$work/rempart.err" &
pids+=($!)
until_says ready curl -sS "$rempart/readyz"

say "1  the forum gets a key for its uploads, and Rempart the address of its webhook"
admin peer add -id uploads -name Uploads -kind platform -key rk_uploads-of-the-example 2>/dev/null >"$work/secret-of-uploads"
admin peer add -id association -name "Association Exemple" -kind flagger -key rk_association-of-the-example 2>/dev/null >"$work/secret-of-association"
secret=$(admin webhook set -url "$forum/hooks/rempart" 2>/dev/null | sed -n 's/^secret //p')
REMPART_KEY=rk_uploads-of-the-example REMPART_WEBHOOK_SECRET=$secret "$work/forum" -addr "${forum#http://}" -rempart "$rempart" 2>"$work/forum.err" &
pids+=($!)
until_says "404" curl -sS -o /dev/null -w '%{http_code}' "$forum/posts/none"

# sign_in ROLE ALIAS: adds a member and signs her in; page is then her browser.
page() { local who=$1; shift; curl -sS --fail-with-body -L -b "$work/$who" -c "$work/$who" "$@"; }
sign_in() {
	local link
	link=$(admin staff add -login "$2" -alias "$2" -role "$1" -origin "$rempart" 2>/dev/null | grep -o 'http[^ ]*token=[^ ]*' | head -n 1)
	[ -n "$link" ] || die "no link to sign in with"
	page "$2" -o /dev/null "$link"
	page "$2" -o /dev/null --data-urlencode "token=${link#*token=}" "$rempart/console/enter"
}
sign_in analyst Saule
sign_in moderator Noisetier
sign_in moderator Charme

say "2  a picture is listed: reported by its fingerprints, confirmed by an analyst"
"$work/parts" picture "$work/listed.png"
prints=$("$work/rempart" hash -json "$work/listed.png")
cat >"$work/report.json" <<JSON
{"depicted": "self", "age": "adult", "made": "fake_sexual", "seen": "online_public", "words": "Une image fausse de moi circule.",
 "media": [{"fingerprints": [{"type": "pdq", "value": "$(value pdq <<<"$prints")", "quality": $(sed 's/.*"quality":\([0-9]*\).*/\1/' <<<"$prints")}]}]}
JSON
key=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
answer=$(curl -sS --fail-with-body -H 'Content-Type: application/json' -H "Idempotency-Key: $key" --data-binary @"$work/report.json" "$rempart/api/v1/reports")
code=$(value code <<<"$answer")
case=$rempart/console/cases/$(sed -n 's/.*reference \([0-9A-Z]\{4\}-[0-9A-Z]\{4\}\).*/\1/p' <<<"$answer")
until_says "qualifications/fr-226-8-1" page Saule "$case"
page Saule -o /dev/null -d action=confirm "$case/qualifications/fr-226-8-1"
page Saule "$case" >"$work/case"
item=$(grep -B3 'value="confirm"' "$work/case" | grep -o '/items/[0-9a-v]*' | head -n 1)
[ -n "$item" ] || die "no fingerprint to confirm"
page Saule -o /dev/null -d action=confirm "$case$item"

say "3  somebody uploads a changed copy of it: a quarter of the size, JPEG quality 60"
"$work/changed-copy" "$work/listed.png" "$work/copy.jpg"
post() { curl -sS -o "$work/post" -w '%{http_code} %{redirect_url}' -F "words=Bonjour" -F "photo=@$1" "$forum/posts"; }
until_says "^422" post "$work/copy.jpg"
follow() { curl -sS --fail-with-body -H 'Content-Type: application/json' -d "{\"code\": \"$code\"}" "$rempart/api/v1/follow-up"; }
until_says '"stopped":1' follow
say "   refused; the person reads that one copy was stopped"

say "4  somebody publishes another picture, and it stays"
"$work/parts" other "$work/other.png"
answer=$(post "$work/other.png")
case $answer in 303\ *) ;; *) die "not published: $answer" ;; esac
author=${answer#303 }
url=${author%%\?*}
[ "$(curl -sS -o /dev/null -w '%{http_code}' "$url/photo")" = 200 ] || die "the picture is not there"

say "5  the association notifies it"
cat >"$work/notice.json" <<JSON
{"id": "example-1", "lang": "fr", "explanation": "Le contenu montre une personne identifiée sans son consentement.", "good_faith": true,
 "items": [{"id": "i1", "address": "$url"}], "notifier": {"name": "Association Exemple", "email": "notification@association.exemple.test"}}
JSON
api() { curl -sS --fail-with-body -H "Authorization: Bearer rk_association-of-the-example" -H 'Content-Type: application/json' "$@"; }
receipt=$(api --data-binary @"$work/notice.json" "$rempart/api/v1/notices")
notice=$(value id <<<"$receipt")
number=$rempart/console/notices/$(value number <<<"$receipt")

say "6  a moderator decides; the forum carries it out and confirms"
page Noisetier -o /dev/null "$number/items/i1" -d measure=removed -d ground=law --data-urlencode 'reference=Code pénal, art. 226-8-1' \
	--data-urlencode 'facts=Notification examinée par une personne.' --data-urlencode 'explanation=Le contenu correspond aux faits décrits ; il est retiré.' \
	-d scope=EU -d redress=complaint -d redress=court
until_says '"measure":"removed"' api "$rempart/api/v1/notices/$notice"
[ "$(curl -sS -o /dev/null -w '%{http_code}' "$url/photo")" = 410 ] || die "the notifier was told, and the picture is still there"
say "   gone: 410, and the notifier reads that it was removed"

say "7  a forged order is refused"
forged=$(curl -sS -o /dev/null -w '%{http_code}' -H 'webhook-id: x' -H "webhook-timestamp: $(date +%s)" -H 'webhook-signature: v1,AAAA' -d '{"type":"decision.lift"}' "$forum/hooks/rempart")
[ "$forged" = 401 ] || die "a forged order was answered $forged"
[ "$(curl -sS -o /dev/null -w '%{http_code}' "$url/photo")" = 410 ] || die "a forged order brought it back"
say "done: a changed copy refused, a notice received, the content gone"
