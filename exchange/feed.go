package exchange

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"rempart"
)

// A FeedLine is one line of the change feed of lists, GET /api/v1/feed: JSON
// Lines, one entry a line in its present state, in commit order, then one line
// with the cursor to go on from. An entry whose state is not "active" must stop
// matching.
type FeedLine struct {
	ID      string                  `json:"id,omitempty"`
	List    string                  `json:"list,omitempty"`
	Type    rempart.FingerprintType `json:"type,omitempty"`
	Value   string                  `json:"value,omitempty"`
	Quality int                     `json:"quality,omitempty"`
	Form    rempart.FingerprintForm `json:"form,omitempty"`
	State   rempart.EntryState      `json:"state,omitempty"`
	CaseRef string                  `json:"case_ref,omitempty"`
	Item    string                  `json:"item,omitempty"`
	Since   time.Time               `json:"since,omitzero"`

	End    bool   `json:"end,omitempty"`    // of the last line only: the answer is whole
	Cursor string `json:"cursor,omitempty"` // of the last line only: where to go on
	Whole  bool   `json:"whole,omitempty"`  // of the last line only: there was nothing more to tell when this was read
	Afresh bool   `json:"afresh,omitempty"` // of the last line only: the cursor asked with is held no more, and this begins at the beginning
}

// A FeedEnd is where an answer of the feed ends. Whole says that there was nothing
// more when it was read: who follows a hub that changes all the time never gets an
// empty answer, and is up to date nevertheless. Afresh says that the cursor asked
// with is held no more, so that the answer is the first of all there is: what was
// read before and is not given by the next Whole one must stop matching then.
type FeedEnd struct {
	Cursor string
	Whole  bool
	Afresh bool
}

// ErrFeedCursor says that a hub refuses the cursor it was asked with: one asks it
// from the beginning.
var ErrFeedCursor = errors.New("exchange: feed: the hub does not know this cursor")

// MaxFeedPage is the most entries one answer of the feed holds.
const MaxFeedPage = 5000

// What is read of one answer, and of one line of it: the fingerprint of a video
// is up to half a megabyte long, and a page holds 8 MiB of them (store.DB.Changes).
const (
	maxFeedAnswer = 32 << 20
	maxFeedLine   = 1 << 20
)

// feedIdle is how long an answer that has begun may say nothing: it is then given
// up, so that who follows is behind no longer than the network was away.
const feedIdle = 4 * time.Second

// WriteFeed writes entries, and where they end.
func WriteFeed(w io.Writer, entries []rempart.Entry, end FeedEnd) error {
	b := bufio.NewWriter(w)
	enc := json.NewEncoder(b)
	for _, e := range entries {
		l := FeedLine{ID: e.ID, List: e.List, Type: e.Fingerprint.Type, Value: e.Fingerprint.Value, Quality: e.Fingerprint.Quality, Form: e.Fingerprint.Form,
			State: e.State, CaseRef: e.CaseRef, Item: e.ItemID, Since: e.Since}
		if err := enc.Encode(l); err != nil {
			return fmt.Errorf("exchange: write feed: %w", err)
		}
	}
	if err := enc.Encode(FeedLine{End: true, Cursor: end.Cursor, Whole: end.Whole, Afresh: end.Afresh}); err != nil {
		return fmt.Errorf("exchange: write feed: %w", err)
	}
	return b.Flush()
}

// ReadFeed asks the hub at base for what changed after cursor, waiting up to
// wait for something to change. An answer that breaks off before its end is
// an error: nothing of it counts. It is ErrFeedCursor where the hub refuses the
// cursor.
func ReadFeed(ctx context.Context, c *http.Client, base, key, cursor string, wait time.Duration) ([]rempart.Entry, FeedEnd, error) {
	u, err := url.JoinPath(base, "/api/v1/feed")
	if err != nil {
		return nil, FeedEnd{}, fmt.Errorf("exchange: feed address: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	q := url.Values{"after": {cursor}, "wait": {fmt.Sprint(int(wait.Seconds()))}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u+"?"+q.Encode(), nil)
	if err != nil {
		return nil, FeedEnd{}, fmt.Errorf("exchange: feed: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := c.Do(req)
	if err != nil {
		return nil, FeedEnd{}, fmt.Errorf("exchange: feed: %s: %w", networkText(err), err)
	}
	resp.Body = &idleBody{ReadCloser: resp.Body, cancel: cancel, timer: time.AfterFunc(feedIdle, cancel), wait: feedIdle}
	defer resp.Body.Close()
	if cursor != "" && slices.Contains([]int{http.StatusBadRequest, http.StatusGone, http.StatusUnprocessableEntity}, resp.StatusCode) {
		return nil, FeedEnd{}, ErrFeedCursor
	}
	if resp.StatusCode != http.StatusOK {
		return nil, FeedEnd{}, fmt.Errorf("exchange: feed: answered %d", resp.StatusCode)
	}
	var out []rempart.Entry
	_, next, err := readFeed(resp.Body, nil, func(e rempart.Entry) { out = append(out, e) })
	if err != nil {
		return nil, FeedEnd{}, err
	}
	return out, next, nil
}

// readFeed gives each entry of an answer of the feed, and returns how many lines
// there were before the last, and what that one says. A line that gives no
// entry is refused by its number, or an error where refuse is nil.
func readFeed(r io.Reader, refuse func(line int, why string), give func(rempart.Entry)) (lines int, end FeedEnd, err error) {
	sc := bufio.NewScanner(io.LimitReader(r, maxFeedAnswer))
	sc.Buffer(make([]byte, 0, 64<<10), maxFeedLine)
	for sc.Scan() {
		var l FeedLine
		err := json.Unmarshal(sc.Bytes(), &l)
		if err == nil && l.End {
			return lines, FeedEnd{l.Cursor, l.Whole, l.Afresh}, nil
		}
		lines++
		why := "the line is not JSON of an entry"
		var f rempart.Fingerprint
		if err == nil {
			f, err = rempart.Fingerprint{Type: l.Type, Value: l.Value, Quality: l.Quality, Form: l.Form}.Normal()
			why = "the fingerprint is none"
		}
		if err == nil && refuse != nil && l.ID == "" {
			err, why = errors.New("no identifier"), "the entry has no identifier"
		}
		if err != nil && refuse == nil {
			return 0, FeedEnd{}, fmt.Errorf("exchange: feed line %d: %w", lines, err)
		}
		if err != nil {
			refuse(lines, why)
			continue
		}
		if l.State == rempart.EntryActive && !f.Listable() { // a flat picture would match others
			l.State = rempart.EntryRejected
		}
		give(rempart.Entry{ID: l.ID, List: l.List, Fingerprint: f, State: l.State, CaseRef: l.CaseRef, ItemID: l.Item, Since: l.Since})
	}
	if err := sc.Err(); err != nil {
		return 0, FeedEnd{}, fmt.Errorf("exchange: feed: %w", err)
	}
	return 0, FeedEnd{}, fmt.Errorf("exchange: feed: broke off before its end: %w", io.ErrUnexpectedEOF)
}
