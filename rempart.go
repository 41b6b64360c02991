// Package rempart holds the words that the whole system speaks and the rules
// that go with them: report, case, item, fingerprint, list, match,
// qualification, notice, decision, service, actor, and the kinds of error.
//
// It does no I/O: it opens no file, asks no database, makes no request and
// never asks what time it is. Time comes in as an argument, and a change of a
// [Case] or an [Intake] carries the [Event] that tells of it and the [Job]
// that follows from it, so that the store can save the three together or not
// at all.
//
// Start with [Report], then [Case] and its states; [Notice] is what travels to
// a platform and [Intake] is the same notice on the platform's side.
package rempart

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"strings"
	"time"
)

// ids are written in lower-case base32hex, which sorts as the bytes do.
var ids = base32.HexEncoding.WithPadding(base32.NoPadding)

// NewID returns an identifier that nobody can guess: 48 bits of at in
// milliseconds, so that identifiers sort by age, then 80 random bits; 26
// characters of 0-9 and a-v.
func NewID(at time.Time) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(at.UnixMilli())<<16)
	rand.Read(b[6:]) // never fails since Go 1.24
	return strings.ToLower(ids.EncodeToString(b[:]))
}

// NewRef returns a reference for people to read out and type: eight random
// Crockford characters in two groups, such as "7F3K-9QXM". It says nothing of
// how many cases there are.
func NewRef() string {
	var b [8]byte
	rand.Read(b[:])
	for i := range b {
		b[i] = crockford[b[i]&31]
	}
	return string(b[:4]) + "-" + string(b[4:])
}

// An Actor is who did something, as the ledger and the other side may see it:
// an alias, never a person's name.
type Actor string

// Actors that are no person.
const (
	ActorSystem   Actor = "rempart"   // a step of the flow
	ActorReporter Actor = "reporter"  // the person who reported
	ActorAffected Actor = "affected"  // who put an item there, on a platform
	ActorNotifier Actor = "notifier"  // who notified by the form, without a key
	ActorPlatform Actor = "platform:" // prefix: followed by the peer's identifier
)

// An Event tells that something was done. It is written to the ledger in the
// transaction of what it tells, and never holds what a person wrote, an
// address, a name or a code: identifiers, states and numbers only.
type Event struct {
	Kind    string            // such as "notice.sent"; see events.go
	Subject string            // identifier of the case, intake or other thing
	Actor   Actor             // who did it
	At      time.Time         // when
	Data    map[string]string // small facts: item, notice, state, number
}

// A Job is work that follows from a change: saved with it, done by a worker
// afterwards, at least once. What it does to the outside carries Key, so that
// doing it twice has one effect.
type Job struct {
	Kind    string    // which step of the flow does it
	Subject string    // identifier of the case or intake
	Key     string    // unique: a second job with the same key is not queued
	Payload string    // JSON, at most a few kilobytes
	RunAt   time.Time // not before
}

// Consequences is what a change asks to be saved with it, in one transaction.
type Consequences struct {
	Events  []Event
	Jobs    []Job
	Entries []EntryChange
}

// changes is embedded in what can change; it collects the consequences.
type changes struct{ c Consequences }

// event notes an event; data is pairs of name and value.
func (o *changes) event(kind, subject string, actor Actor, at time.Time, data ...string) {
	m := make(map[string]string, len(data)/2)
	for i := 0; i+1 < len(data); i += 2 {
		if data[i+1] != "" {
			m[data[i]] = data[i+1]
		}
	}
	o.c.Events = append(o.c.Events, Event{Kind: kind, Subject: subject, Actor: actor, At: at, Data: m})
}

func (o *changes) job(j Job) { o.c.Jobs = append(o.c.Jobs, j) }

func (o *changes) entry(e Entry) { o.c.Entries = append(o.c.Entries, EntryChange{e}) }

// TakeConsequences hands over what has been asked for since the last call, and
// forgets it. Only the store calls it, once for each save.
func (o *changes) TakeConsequences() Consequences {
	out := o.c
	o.c = Consequences{}
	return out
}
