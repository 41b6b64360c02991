package flow

import (
	"context"
	"time"

	"rempart"
)

// How the index follows the change table. A lookup that finds it older than fresh
// waits until it is read again, but no longer than patience after the reading
// began, and not at all while the database is away: it then answers from what
// there is.
const (
	fresh    = 10 * time.Millisecond
	patience = 500 * time.Millisecond

	followEvery = 200 * time.Millisecond
	saveEvery   = 2 * time.Second
)

// How many changes are asked for at once, and when an answer of the database is
// given up: then fewer are asked for the next time, so that a slow one is read too.
const (
	mostRead  = 10_000
	leastRead = 100
)

// readLimit is shorter in tests.
var readLimit = 3 * time.Second

// A round is one reading of the change table to its end.
type round struct {
	start time.Time
	done  chan struct{} // closed when it has ended
	err   error         // readable then
}

// catchUp sees to it that the index was brought up to date within fresh, or as far
// as patience lets it, and returns the position reached. An error is that there
// is no index yet, or that it cannot be read.
func (x *index) catchUp(ctx context.Context) (string, error) {
	asked := time.Now()
	for {
		x.mu.RLock()
		at, where := x.at, x.where
		x.mu.RUnlock()
		if err := x.broken(); err != nil {
			return "", err
		}
		if asked.Sub(at) < fresh {
			return where, nil
		}
		r, failed := x.join()
		if at.IsZero() {
			select {
			case <-ctx.Done():
				return "", ctx.Err()
			case <-r.done:
				if r.err != nil {
					return "", r.err
				}
			}
			continue
		}
		left := time.Until(r.start.Add(patience))
		if failed || left <= 0 || time.Since(asked) > patience {
			return where, nil
		}
		timer := time.NewTimer(left)
		select {
		case <-ctx.Done():
			timer.Stop()
			return "", ctx.Err()
		case <-r.done:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// away tells whether the database did not answer the last time, or does not now.
func (x *index) away() bool {
	x.following.Lock()
	defer x.following.Unlock()
	return x.failed || x.round != nil && time.Since(x.round.start) > patience
}

// age is how long ago the change table was last read to its end.
func (x *index) age() time.Duration {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return time.Since(x.at)
}

// broken returns why nothing may be answered, nil if nothing is wrong.
func (x *index) broken() error {
	if x.disk == nil {
		return nil
	}
	if err := x.disk.fault.Load(); err != nil {
		return &rempart.Error{Kind: rempart.Unavailable, Code: "index.broken", Err: *err, Public: "The copy of the lists on this machine cannot be read. Please ask another one."}
	}
	return nil
}

// join returns the round under way, or begins one, and whether the one before it
// failed.
func (x *index) join() (r *round, failed bool) {
	x.following.Lock()
	defer x.following.Unlock()
	failed = x.failed
	if x.round == nil {
		x.round = &round{start: time.Now(), done: make(chan struct{})}
		go x.readAll(x.round)
	}
	return x.round, failed
}

// waitRound returns when no round is under way.
func (x *index) waitRound() {
	x.following.Lock()
	r := x.round
	x.following.Unlock()
	if r != nil {
		<-r.done
	}
}

// readAll reads the change table to its end.
func (x *index) readAll(r *round) {
	for more := true; more && r.err == nil; {
		if more, r.err = x.readOn(); x.closing.Load() && r.err == nil {
			r.err = context.Canceled
		}
	}
	x.following.Lock()
	x.failed, x.round = r.err != nil, nil
	x.following.Unlock()
	close(r.done)
}

// readOn reads one page of changes, and reports whether there may be more. Only
// the round under way calls it, which owns cursor and page.
func (x *index) readOn() (more bool, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), readLimit)
	defer cancel()
	start := time.Now()
	changes, cursor, err := x.db.Changes(ctx, x.cursor, x.page)
	if err != nil {
		if ctx.Err() != nil {
			x.page = max(x.page/4, leastRead)
		}
		return false, err
	}
	x.page = min(2*x.page, mostRead)
	for _, c := range changes {
		x.apply(c)
	}
	x.read.Add(int64(len(changes)))
	x.readPolicies(ctx)
	x.mu.Lock()
	x.cursor = cursor
	if len(changes) == 0 {
		x.at, x.where = start, cursor
	}
	full := x.disk != nil && len(x.disk.pending) >= maxPending
	x.mu.Unlock()
	if full {
		x.save(context.Background())
	}
	return len(changes) > 0, nil
}

// save writes the local copy. That it cannot is told once until it can again.
func (x *index) save(ctx context.Context) {
	x.saves.Lock()
	defer x.saves.Unlock()
	err := x.disk.save(ctx, x)
	if err != nil && !x.unsaved {
		x.log.ErrorContext(ctx, "the local copy of the lists cannot be written; lookups go on from memory", "err", err)
	}
	x.unsaved = err != nil
}

// Follow keeps the index up to date while nobody asks, and its local copy on disk,
// until ctx ends.
func (f *Flow) Follow(ctx context.Context) error {
	saved := time.Now()
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		r, _ := f.index.join()
		select {
		case <-ctx.Done():
			return nil
		case <-r.done:
		}
		if r.err == nil {
			f.index.near.Tidy()
		}
		if f.index.disk != nil && time.Since(saved) > saveEvery {
			f.index.save(ctx)
			saved = time.Now()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
