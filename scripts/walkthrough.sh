#!/usr/bin/env bash
# The whole chain once, with curl and the keys that the demo prints: a report
# with a fingerprint, an analyst who confirms and notifies, a platform that
# decides, an upload of a changed copy that is stopped, and what the person then
# reads; then three notices: one removed, one refused and reversed on complaint,
# one ignored until reminders and escalation run out; and the first person takes
# her report back: each platform that had her fingerprints confirms that it has
# withdrawn them, and the copy matches no more. Exits 0 only if every step did
# what it says.
#
# The picture is fixtures/bridge-mods/aaa-orig.jpg, from REMPART_FIXTURES or
# ../shared/fixtures; without fixtures, one that the demo draws.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
pid=
finish() {
	status=$?
	[ -z "$pid" ] || kill "$pid" 2>/dev/null || true
	[ -z "$pid" ] || wait "$pid" 2>/dev/null || true
	[ $status -eq 0 ] || { echo "walkthrough: failed" >&2; tail -n 20 "$work/err" >&2 || true; }
	rm -rf "$work"
	exit $status
}
trap finish EXIT
die() { echo "walkthrough: $*" >&2; exit 1; }
say() { echo "walkthrough: $*"; }

# value NAME: the string NAME in the JSON on standard input (the first one).
value() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" | head -n 1; }
# until_says WHAT COMMAND…: runs COMMAND until its output holds WHAT, at most 30 s.
until_says() {
	local what=$1 n
	shift
	for n in $(seq 150); do
		"$@" >"$work/out" 2>/dev/null || true
		grep -q -- "$what" "$work/out" && return
		sleep 0.2
	done
	cat "$work/out" >&2
	die "waited 30 s in vain for: $what"
}

say "building"
go build -o "$work/rempart" ./cmd/rempart
go build -o "$work/changed-copy" scripts/changed-copy.go

start=$(date +%s%N)
"$work/rempart" demo -json -addr 127.0.0.1:0 -data "$work/demo" >"$work/line" 2>"$work/err" &
pid=$!
for n in $(seq 750); do
	[ -s "$work/line" ] && break
	kill -0 "$pid" 2>/dev/null || die "the demo ended before its line"
	sleep 0.02
done
[ -s "$work/line" ] || die "no line after fifteen seconds"
say "the demo printed its line after $((($(date +%s%N) - start) / 1000000)) ms"

hub=$(value hub <"$work/line")
analyst=$(value analyst_login <"$work/line")
first=$(sed 's/.*"platforms":\[\({[^}]*}\).*/\1/' "$work/line")
platform=$(value url <<<"$first")
moderator=$(value login <<<"$first")
key=$(value api_key <<<"$first")

picture=${REMPART_FIXTURES:-../shared/fixtures}/bridge-mods/aaa-orig.jpg
[ -f "$picture" ] || { picture=$work/demo/pictures/collines.png; say "no fixtures here: using a drawn picture"; }
"$work/changed-copy" "$picture" "$work/copy.jpg"

say "1  the person reports, with the fingerprints of her picture"
prints=$("$work/rempart" hash -json "$picture")
pdq=$(value pdq <<<"$prints")
sha256=$(value sha256 <<<"$prints")
quality=$(sed 's/.*"quality":\([0-9]*\).*/\1/' <<<"$prints")
cat >"$work/report.json" <<JSON
{"depicted": "self", "age": "adult", "made": "fake_sexual", "seen": "online_public",
 "words": "Une image fausse de moi circule.",
 "addresses": ["https://galerie.exemple.test/photo/4711"],
 "media": [{"fingerprints": [{"type": "pdq", "value": "$pdq", "quality": $quality}, {"type": "sha256", "value": "$sha256"}]}]}
JSON
key_of_report=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
report() { curl -sS --fail-with-body -H 'Content-Type: application/json' -H "Idempotency-Key: $key_of_report" --data-binary @"$work/report.json" "$hub/api/v1/reports"; }
answer=$(report)
code=$(value code <<<"$answer")
[ -n "$code" ] || die "no code: $answer"
[ "$(report | value code)" = "$code" ] || die "the same report sent twice has two codes"
ref=$(sed -n 's/.*reference \([0-9A-Z]\{4\}-[0-9A-Z]\{4\}\).*/\1/p' <<<"$answer")
[ -n "$ref" ] || die "no reference in the receipt: $answer"

say "2  the analyst signs in and opens case $ref"
analyst() { curl -sS --fail-with-body -L -b "$work/analyst" -c "$work/analyst" "$@"; }
analyst -o /dev/null "$analyst"
until_says "qualifications/fr-226-8-1" analyst "$hub/console/cases/$ref"

say "3  she confirms the qualification and the fingerprint"
analyst -o /dev/null -d action=confirm "$hub/console/cases/$ref/qualifications/fr-226-8-1"
analyst "$hub/console/cases/$ref" >"$work/case"
item=$(grep -B3 'value="confirm"' "$work/case" | grep -o "/console/cases/$ref/items/[0-9a-v]*" | head -n 1)
[ -n "$item" ] || die "no fingerprint to confirm"
analyst -o /dev/null -d action=confirm "$hub$item"

say "4  she prepares the notice, reads it, and sends it"
analyst "$hub/console/cases/$ref" >"$work/case"
address=$(grep -o 'name="item" value="[0-9a-v]*"' "$work/case" | head -n 1 | cut -d'"' -f4)
[ -n "$address" ] || die "no address to notify"
analyst -d service=galerie -d "item=$address" -w '%{url_effective}\n' "$hub/console/cases/$ref/notices" >"$work/notice"
notice=$(tail -n 1 "$work/notice" | sed "s/?.*//; s|^$hub||")
case $notice in /console/cases/$ref/notices/?*) ;; *) die "no draft: $notice" ;; esac
analyst -o /dev/null -d action=send -d good_faith=yes "$hub$notice"
follow() { curl -sS --fail-with-body -H 'Content-Type: application/json' -d "{\"code\": \"$code\"}" "$hub/api/v1/follow-up"; }
until_says '"state":"acknowledged"' follow

say "5  the platform's moderator decides, with a statement of reasons"
moderator() { curl -sS --fail-with-body -L -b "$work/moderator" -c "$work/moderator" "$@"; }
moderator "$moderator" >"$work/queue"
number=
for n in $(grep -o '/console/notices/N-[0-9A-Z-]*' "$work/queue" | sort -u); do
	moderator "$platform$n" >"$work/intake"
	if grep -q 'photo/4711' "$work/intake"; then number=$n; fi
done
[ -n "$number" ] || die "the notice is not in the platform's queue"
moderator -o /dev/null "$platform$number/items/$address" \
	-d measure=removed -d ground=law --data-urlencode 'reference=Code pénal, art. 226-8-1' \
	--data-urlencode 'facts=Notification d’un signaleur, examinée par une personne.' \
	--data-urlencode 'explanation=Le contenu correspond aux faits décrits ; il est retiré.' \
	-d scope=EU -d redress=complaint -d redress=court
until_says '"state":"removed"' follow

say "6  somebody uploads a changed copy: a quarter of the size, JPEG quality 60"
match() { curl -sS --fail-with-body -H "Authorization: Bearer $key" -H "Idempotency-Key: upload-1" -F "photo=@$work/copy.jpg" "$platform/api/v1/match"; }
until_says '"list":"ncii-adult"' match
grep -o '"list":"ncii-adult","type":"pdq"[^}]*"distance":[0-9]*[^}]*"action":"[a-z]*"' "$work/out" | sed 's/"value":"[^"]*",//; s/^/walkthrough:    /'
match >/dev/null # the same upload asked again is the same stop

say "7  what the person reads"
until_says '"stopped":1' follow
follow >"$work/out"
grep -q '"state":"removed"' "$work/out" && grep -q '"state":"protected"' "$work/out" || die "not removed and protected: $(cat "$work/out")"
grep -o '"sentence":"[^"]*"' "$work/out" | sed 's/"sentence":"/walkthrough:    – /; s/"$//'
! grep -q '"stopped":2' "$work/out" || die "one upload was counted twice"
say "8  three notices, as the person reads them"
way() { sed -n "s/.*{\"way\":\"$1\",\"case\":\"\([^\"]*\)\",\"code\":\"\([^\"]*\)\"}.*/\1 \2/p" <"$work/line"; }
reads() { curl -sS --fail-with-body -H 'Content-Type: application/json' -d "{\"code\": \"$1\"}" "$hub/api/v1/follow-up"; }
read -r _ gone <<<"$(way removed)"
read -r _ contested <<<"$(way reversed)"
read -r ignored silent <<<"$(way ignored)"
[ -n "$gone" ] && [ -n "$contested" ] && [ -n "$silent" ] || die "the demo's line names no three notices"
until_says '"state":"removed"' reads "$gone"
grep -o '"sentence":"[^"]*"' "$work/out" | head -n 1 | sed 's/"sentence":"/walkthrough:    removed: /; s/"$//'
until_says 'répondu à notre contestation' reads "$contested"
grep -q '"state":"removed"' "$work/out" || die "the complaint did not lead to a removal: $(cat "$work/out")"
grep -o '"sentence":"[^"]*"' "$work/out" | head -n 1 | sed 's/"sentence":"/walkthrough:    reversed: /; s/"$//'
until_says 'nous avons relancé' reads "$silent"

say "9  the notice that nobody answers: reminded by itself, then a second notice, then the coordinator"
on() { curl -sS --fail-with-body -o /dev/null -H 'Content-Type: application/json' -d "{\"advance\": \"$1\"}" "$hub/demo/clock"; }
step() { # the step that waits for somebody
	until_says "class=\"button\" href=\"/console/cases/$ignored/steps/" analyst "$hub/console/cases/$ignored"
	grep -o "class=\"button\" href=\"/console/cases/$ignored/steps/[0-9a-v]*" "$work/out" | head -n 1 | cut -d'"' -f4
}
analyst "$hub$(step)" >"$work/step"
draft=$(grep -o "/console/cases/$ignored/notices/[0-9a-v]*\">Lire" "$work/step" | cut -d'"' -f1)
[ -n "$draft" ] || die "no draft of a second notice"
analyst -o /dev/null -d action=send -d good_faith=yes "$hub$draft"
until_says 'seconde demande' reads "$silent"
on 168h
at=$(step)
analyst -o /dev/null -d action=record --data-urlencode "text=Nous portons ce silence à votre connaissance, avec la notification et les rappels." \
	-d "day=$(analyst "$hub$at" | sed -n 's/.*id="proof-day" name="day" value="\([^"]*\)".*/\1/p')" -d channel=form -d proof=formulaire-12 "$hub$at"
until_says 'autorité qui surveille' reads "$silent"
on 168h
until_says 'toutes les étapes ont été faites' analyst "$hub/console/cases/$ignored"
reads "$silent" | grep -o '"sentence":"[^"]*"' | sed 's/"sentence":"/walkthrough:    ignored: /; s/"$//'
reads "$silent" | grep -q '"state":"acknowledged"' || die "a silence was told as something else"

say "10 the first person takes her report back"
page() { curl -sS --fail-with-body -H "Origin: $hub" --data-urlencode "code=$code" "$hub$1"; }
page "/withdraw?lang=fr" >"$work/out"
grep -q 'Votre signalement est effacé' "$work/out" || die "it is not taken back: $(cat "$work/out")"
readers() { sed -n 's/.*<p>\([^<]*\) <span class="pill [a-z]*">\([^<]*\)<.*/\1: \2/p' "$work/out"; }
readers | tee "$work/readers.before" | sed 's/^/walkthrough:    at once: /'
[ "$(wc -l <"$work/readers.before")" -ge 2 ] || die "it names no two platforms that had the fingerprints"
for n in $(seq 150); do
	page "/follow?lang=fr" >"$work/out"
	readers >"$work/readers"
	cmp -s "$work/readers" "$work/readers.before" || sed 's/^/walkthrough:    then: /' "$work/readers"
	cp "$work/readers" "$work/readers.before"
	grep -q 'pas encore' "$work/readers" || break
	sleep 0.2
done
! grep -q 'pas encore' "$work/readers" || die "waited 30 s in vain for a confirmation"
match() { curl -sS --fail-with-body -H "Authorization: Bearer $key" -H "Idempotency-Key: upload-2" -F "photo=@$work/copy.jpg" "$platform/api/v1/match"; }
match >"$work/out"
! grep -q '"list":"ncii-adult"' "$work/out" || die "the copy matches still: $(cat "$work/out")"
grep -q '"matches":\[\]\|"decision":"allow"' "$work/out" || die "no answer to the upload: $(cat "$work/out")"
say "   the same copy is uploaded again: nothing matches"
say "done: removed, stopped once, and withdrawn"
