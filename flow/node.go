package flow

import (
	"context"
	"sync/atomic"
	"time"

	"rempart"
)

// A Node says how an instance that is nothing but a matcher follows its hub. What
// it reads is in its own folder, so that it goes on answering while the hub is
// away, and goes on from its cursor when it is started again.
type Node struct {
	Every time.Duration // between two questions for what changed

	whole atomic.Bool // the feed was read to its end, now or before a restart
}

// keptWhole is where a node notes that it has read all of its hub's lists once.
const keptWhole = "feed read to its end"

// feedWait is how long the feed is waited on, and the pause behind it. A node asks
// often and does not wait, as it says how far behind it is: while a question is
// waited on nobody knows.
func (f *Flow) feedWait() (wait, pause time.Duration) {
	if f.Node != nil {
		return 0, f.Node.Every
	}
	return 10 * time.Second, 0
}

// heardUntil notes, once the index has read what was saved, that it holds all that
// was in the feed when that was asked. Who follows a hub that changes all the time
// hardly ever gets an answer that is empty, and would say that it falls behind.
func (f *Flow) heardUntil(ctx context.Context, asked time.Duration) {
	saved := time.Now()
	for range 2 { // the round under way may have begun before
		r, _ := f.index.join()
		select {
		case <-ctx.Done():
			return
		case <-r.done:
		}
		f.index.mu.RLock()
		at := f.index.at
		f.index.mu.RUnlock()
		if at.After(saved) {
			f.index.heard.Store(max(f.index.heard.Load(), int64(asked)))
			return
		}
	}
}

// heardAll notes that there is nothing in the feed that was not saved here. An
// answer that was the last but not empty does not say so by itself: the index may
// not have read yet what came with it, and a node must not say that it is less
// behind than it is.
func (f *Flow) heardAll(ctx context.Context) error {
	f.index.heard.Store(int64(time.Since(processStart)))
	return f.readWhole(ctx)
}

// readWhole notes that the feed was read to its end once.
func (f *Flow) readWhole(ctx context.Context) error {
	if f.Node == nil || f.Node.whole.Load() {
		return nil
	}
	if err := f.DB.Keep(ctx, keptWhole, "yes"); err != nil {
		return err
	}
	f.Node.whole.Store(true)
	return nil
}

// OpenNode tells the node what it read before.
func (f *Flow) OpenNode(ctx context.Context) error {
	v, err := f.DB.Kept(ctx, keptWhole)
	f.Node.whole.Store(v != "")
	return err
}

// ready brings the index up to date, as [index.catchUp] does. A node that never
// read its hub's lists whole answers nothing: that no fingerprint was found would
// not be true.
func (f *Flow) ready(ctx context.Context) (string, error) {
	if f.Node != nil && !f.Node.whole.Load() {
		return "", errNotWhole
	}
	return f.index.catchUp(ctx)
}

var errNotWhole = &rempart.Error{Kind: rempart.Unavailable, Code: "node.reading", Public: "This node has not read the lists of its hub to their end yet."}

// Whole returns nil once lookups are answered.
func (f *Flow) Whole() error {
	if f.Node != nil && !f.Node.whole.Load() {
		return errNotWhole
	}
	return nil
}

// Entries returns how many fingerprints lookups are answered from.
func (f *Flow) Entries() int { return f.index.len() }
