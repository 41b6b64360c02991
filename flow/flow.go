// Package flow is the way of a report from start to end, one step after
// another, each safe to run twice.
//
//	Submit      the report is saved with its case, items and provisional entries
//	qualify     the law pack proposes qualifications; the case enters the queue
//	(analyst)   confirms a qualification, a fingerprint, prepares a notice, sends it
//	send        the notice is delivered; its identifier is the idempotency key
//	(platform)  receives, acknowledges, decides; each answer is a signed callback
//	Answer      the answer moves the notice and its items
//	Match       an upload is checked; a stop is told to the hub
//
// What a person does calls a method here; what follows by itself is a job that
// [Flow.Work] takes from the store. Between any two steps the process may be
// killed: the store has either all of a step or none, and what reaches the
// outside carries a key that makes the second time a repetition.
package flow

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"net/http"
	"time"

	"rempart"
	"rempart/exchange"
	"rempart/law"
	"rempart/near"
	"rempart/store"
)

// A Flow does the steps on one instance. Fill the fields, then call New.
type Flow struct {
	DB        *store.DB
	Law       *law.Pack
	Now       func() time.Time
	Client    *http.Client     // for deliveries; default: one with timeouts
	Notifier  rempart.Notifier // the association's identity in notices
	Origin    string           // base address under which others reach this instance
	Log       *slog.Logger
	Retention rempart.Retention // how long closed cases are kept; default: rempart.DefaultRetention
	Undo      time.Duration     // how long a notice or a step that was sent can be called back before it leaves; default: not at all
	Lease     time.Duration     // how long a worker holds a job; default: a minute

	Node         *Node        // how a matcher that is nothing else follows its hub; nil: it is more
	Mail         Mailer       // sends notices by e-mail; nil: none is sent
	Inbox        Inbox        // where answers by e-mail come in; nil: none is read
	Rechecks     Rechecks     // whether reported addresses are asked if they still answer; default: no
	Transparency Transparency // where a platform's statements of reasons go; default: nowhere

	// Fault, if set, is called between any two steps with the name of the
	// point reached, by several goroutines at once. Only fault tests set it.
	Fault func(point string)

	index   *index
	wake    chan struct{}
	traffic *traffic
	probes  *probes
}

// New makes a filled Flow ready.
func New(f Flow) *Flow {
	if f.Now == nil {
		f.Now = time.Now
	}
	if f.Client == nil {
		f.Client = exchange.NewClient()
	}
	if f.Retention == nil {
		f.Retention = rempart.DefaultRetention
	}
	if f.Lease <= 0 {
		f.Lease = lease
	}
	if f.Log == nil {
		f.Log = slog.New(slog.DiscardHandler)
	}
	f.index = newIndex(f.DB)
	f.index.log = f.Log
	f.wake = make(chan struct{}, 1)
	f.traffic, f.probes = &traffic{}, &probes{keys: map[string]*probed{}, seed: maphash.MakeSeed()}
	return &f
}

// OpenIndex has the index of active entries, and what is known of them, kept in a
// folder of this machine, so that the next start needs not read them all again:
// Close closes it. It is called before anything is looked up.
func (f *Flow) OpenIndex(ctx context.Context, dir string) error {
	x, err := openIndex(ctx, f.DB, dir)
	if err != nil {
		return fmt.Errorf("flow: opening the index: %w", err)
	}
	x.log = f.Log
	f.index = x
	return nil
}

// updateTries is how often in a row the change table may answer too late, without
// giving anything, before UpdateIndex gives up.
const updateTries = 6

// UpdateIndex brings the index in a folder up to date and closes it, for whoever
// serves from it next. progress is told the number of entries now and then. Where
// another process serves from it already, which follows by itself, it does
// nothing and reports false.
func (f *Flow) UpdateIndex(ctx context.Context, dir string, progress func(entries int)) (did bool, err error) {
	x, err := openFirst(ctx, f.DB, dir)
	if errors.Is(err, near.ErrLocked) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("flow: opening the index: %w", err)
	}
	defer func() { err = errors.Join(err, x.close(context.WithoutCancel(ctx))) }()
	done := make(chan error, 1)
	go func() {
		var err error
		for tries := 0; tries < updateTries; tries++ { // a slow answer is asked for again, a smaller one
			before := x.read.Load()
			if _, err = x.catchUp(ctx); !errors.Is(err, context.DeadlineExceeded) {
				break
			}
			if x.read.Load() > before {
				tries = 0
			}
		}
		done <- err
	}()
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			if err == nil {
				x.near.Tidy() // close waits for it
			}
			return true, err
		case <-tick.C:
			progress(x.len())
		}
	}
}

// Close closes the index, when nothing is looked up any more.
func (f *Flow) Close() error { return f.index.close(context.Background()) }

// Wake tells the worker that there may be work; it need not be called, as the
// worker looks by itself a few times a second.
func (f *Flow) Wake() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// at marks a point between two steps.
func (f *Flow) at(point string) {
	if f.Fault != nil {
		f.Fault(point)
	}
}
