package flow

import (
	"context"
	"testing"
	"time"

	"rempart"
)

// FollowOnce reads one answer of the hub's feed.
func (f *Flow) FollowOnce(ctx context.Context, wait time.Duration) (int, error) {
	return f.followOnce(ctx, wait)
}

// SortMost has imports hold fewer records in memory, while t runs.
func SortMost(t *testing.T, n int) {
	before := sortMost
	sortMost = n
	t.Cleanup(func() { sortMost = before })
}

// ReadLimit has an answer of the change table given up after d, and returns what it
// was.
func ReadLimit(d time.Duration) time.Duration {
	before := readLimit
	readLimit = d
	return before
}

// Page is how many changes are asked for next. No round may be under way.
func (f *Flow) Page() int {
	f.index.waitRound()
	return f.index.page
}

// ReadSinceOpen returns how many changes the index has read.
func (f *Flow) ReadSinceOpen() int64 { return f.index.read.Load() }

// FollowCase is what the person is told of a case, without her code.
func (f *Flow) FollowCase(ctx context.Context, c *rempart.Case) (*Follow, error) {
	return f.follow(ctx, c)
}
