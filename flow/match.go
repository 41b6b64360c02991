package flow

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"rempart"
	"rempart/exchange"
	"rempart/media"
	"rempart/pdq"
	"rempart/provenance"
	"rempart/store"
)

// MaxQueries is the most fingerprints one lookup asks for.
const MaxQueries = 1000

// A Query is one fingerprint to look up. Dihedral may hold the PDQ of the same
// picture turned and mirrored, in the order of package pdq, so that such a copy
// is found too.
type Query struct {
	Fingerprint rempart.Fingerprint
	Dihedral    []pdq.Hash
}

// TooFlat is why the PDQ of a picture of low quality is not looked up.
const TooFlat = "the picture is too flat to be told from others; only exact copies can be looked for"

// A Result is what was found for one query, nearest first.
type Result struct {
	Query   Query
	Matches []rempart.Match
	Refused string // why it was not looked up; "" if it was
}

// An Upload is who asks and what for, so that a stop is told once.
type Upload struct {
	Peer string // identifier of the peer who asks
	Key  string // its idempotency key; "" if it gave none
	Tell bool   // the upload is being stopped: tell the hub on a match
}

// Match looks fingerprints up in the active entries and returns, beside the
// results, the position in the change table at which they were made. When the
// matches mean that an upload is stopped, each hub is told, once for each item
// and upload.
func (f *Flow) Match(ctx context.Context, queries []Query, up Upload) ([]Result, string, error) {
	if len(queries) > MaxQueries {
		return nil, "", &rempart.Error{Kind: rempart.TooLarge, Field: "fingerprints", Code: "match.too_many",
			Public: fmt.Sprintf("At most %d fingerprints can be asked for at once.", MaxQueries)}
	}
	var p rempart.Problems
	for i, q := range queries {
		n, err := q.Fingerprint.Normal()
		if err != nil {
			var e *rempart.Error
			if errors.As(err, &e) {
				p = append(p, &rempart.Error{Kind: e.Kind, Code: e.Code, Args: e.Args, Public: e.Public, Field: fmt.Sprintf("fingerprints[%d].%s", i, e.Field)})
			}
		}
		queries[i].Fingerprint = n
	}
	if len(p) > 0 {
		return nil, "", p
	}
	where, err := f.index.catchUp(ctx)
	if err != nil {
		return nil, "", err
	}
	out := make([]Result, len(queries))
	for i, q := range queries {
		out[i] = f.lookUp(q)
	}
	if up.Tell {
		err = f.stop(ctx, out, up)
	}
	return out, where, err
}

func (f *Flow) lookUp(q Query) Result {
	if q.Fingerprint.Quality > 0 && q.Fingerprint.Quality < rempart.MinQuality {
		return Result{Query: q, Refused: TooFlat} // flat pictures are all alike
	}
	r := Result{Query: q, Matches: f.index.find(q.Fingerprint, pdq.Original.String())}
	for i, h := range q.Dihedral {
		form := pdq.Dihedral(i)
		if q.Fingerprint.Type != rempart.PDQ || form == pdq.Original {
			continue
		}
		r.Matches = append(r.Matches, f.index.find(rempart.Fingerprint{Type: rempart.PDQ, Value: h.String()}, form.String())...)
	}
	// One line for each entry, in its nearest form.
	slices.SortStableFunc(r.Matches, func(a, b rempart.Match) int { return a.Distance - b.Distance })
	seen := map[string]bool{}
	r.Matches = slices.DeleteFunc(r.Matches, func(m rempart.Match) bool {
		again := seen[m.EntryID]
		seen[m.EntryID] = true
		return again
	})
	return r
}

// stop tells, once for each upload and item that matched, that an upload was
// stopped: a case of ours is changed at once, another hub is told by a job. What
// the hub sees of the upload's key is a keyed digest: who chose it may have
// written a name in it.
func (f *Flow) stop(ctx context.Context, results []Result, up Upload) error {
	nearest := map[string]rempart.Match{}
	for _, r := range results {
		for _, m := range r.Matches {
			k := m.PeerID + "/" + m.CaseRef + "/" + m.ItemID
			if best, ok := nearest[k]; !ok || m.Distance < best.Distance {
				nearest[k] = m
			}
		}
	}
	if len(nearest) == 0 {
		return nil
	}
	now := f.Now()
	upload := up.Key
	if upload == "" {
		upload = rempart.NewID(now)
	}
	for k, m := range nearest {
		mac := hmac.New(sha256.New, f.DB.Secret("stop"))
		fmt.Fprintf(mac, "%q %q %q", up.Peer, upload, k)
		key := "stop:" + hex.EncodeToString(mac.Sum(nil))
		if m.CaseID != "" {
			err := f.DB.UpdateCase(ctx, m.CaseID, key, func(c *rempart.Case) error { return c.Stopped(m.ItemID, up.Peer, m.Distance, now) })
			if err != nil && !errors.Is(err, store.ErrAlready) {
				return err
			}
			continue
		}
		payload, err := json.Marshal(exchange.Callback{Type: rempart.CallbackStopped, At: now,
			Stop: &exchange.Stop{CaseRef: m.CaseRef, Item: m.ItemID, List: m.List, Type: m.Type, Distance: m.Distance}})
		if err != nil {
			return fmt.Errorf("flow: write stop: %w", err)
		}
		err = f.DB.Commit(ctx, key, rempart.Consequences{
			Jobs: []rempart.Job{{Kind: jobStop, Subject: m.PeerID, Key: key, Payload: string(payload), RunAt: now}},
			Events: []rempart.Event{{Kind: "upload.stopped", Subject: m.EntryID, Actor: rempart.ActorPlatform + rempart.Actor(up.Peer), At: now,
				Data: map[string]string{"list": m.List, "distance": fmt.Sprint(m.Distance), "form": m.Form}}},
		})
		if err != nil && !errors.Is(err, store.ErrAlready) {
			return err
		}
	}
	f.Wake()
	return nil
}

// hub returns the peer whose feed this instance follows.
func (f *Flow) hub(ctx context.Context) (rempart.Peer, error) {
	peers, err := f.DB.Peers(ctx)
	if err != nil {
		return rempart.Peer{}, err
	}
	for _, p := range peers {
		if p.Kind == rempart.PeerFlagger && p.URL != "" && p.DisabledAt.IsZero() {
			return p, nil
		}
	}
	return rempart.Peer{}, &rempart.Error{Kind: rempart.NotFound, Code: "peer.hub", Public: "This instance follows no hub."}
}

// Checked is what a file's check found. There is nothing of the picture in it
// but its fingerprints, size and marks.
type Checked struct {
	Matches       []rempart.Match
	Quality       int
	PDQ, SHA256   string
	Width, Height int
	Format        string
	Animated      bool
	Frames        int // of an animation: that were looked up, the picture among them
	FramesTotal   int // that it has; 0 if it was not read frame by frame
	Position      string
	Provenance    []provenance.Mark // what the file says of how it was made; never nil
}

// CheckFile fingerprints a picture in memory and looks it up in its eight forms,
// and so each frame of an animation.
// The bytes live for the time of this call.
func (f *Flow) CheckFile(ctx context.Context, r io.Reader, up Upload) (Checked, error) {
	fp, err := media.Fingerprint(ctx, r, media.Default)
	if err != nil {
		return Checked{}, pictureError(err)
	}
	c := Checked{Quality: fp.Quality, PDQ: fp.PDQ.String(), SHA256: fp.SHA256, Width: fp.Width, Height: fp.Height, Format: fp.Format, Animated: fp.Animated,
		Frames: len(fp.Frames), FramesTotal: fp.FramesTotal, Provenance: fp.Provenance}
	if up.Key == "" {
		up.Key = rempart.NewID(f.Now())
	}
	queries := []Query{{Fingerprint: rempart.Fingerprint{Type: rempart.SHA256, Value: fp.SHA256}}}
	if fp.Quality >= rempart.MinQuality {
		queries = append(queries, Query{Fingerprint: rempart.Fingerprint{Type: rempart.PDQ, Value: c.PDQ, Quality: fp.Quality}, Dihedral: fp.Dihedral[:]})
	}
	queries = append(queries, frameQueries(fp)...)
	results, where, err := f.Match(ctx, queries, up)
	if err != nil {
		return Checked{}, err
	}
	c.Position = where
	for _, r := range results {
		c.Matches = append(c.Matches, r.Matches...)
	}
	c.Matches = once(c.Matches)
	return c, nil
}

// pictureError turns a decoder's refusal into a sentence.
func pictureError(err error) error {
	e := &rempart.Error{Kind: rempart.Invalid, Field: "file", Err: err}
	switch {
	case errors.Is(err, media.ErrTooManyBytes):
		e.Kind, e.Code, e.Public = rempart.TooLarge, "picture.bytes", "This file is too large; at most 64 MiB can be checked."
	case errors.Is(err, media.ErrTooManyPixels):
		e.Kind, e.Code, e.Public = rempart.TooLarge, "picture.pixels", "This picture has too many pixels; at most 100 million can be checked."
	case errors.Is(err, media.ErrTooCostly):
		e.Kind, e.Code, e.Public = rempart.TooLarge, "picture.costly", "This file was given up: it takes more work than a picture may."
	case errors.Is(err, media.ErrTruncated):
		e.Code, e.Public = "picture.truncated", "This file is incomplete: it ends before the picture does."
	case errors.Is(err, media.ErrDamaged):
		e.Code, e.Public = "picture.damaged", "This file is damaged: the picture in it cannot be read."
	case errors.Is(err, media.ErrUnsupported):
		e.Code, e.Public = "picture.unsupported", "Pictures of this format cannot be read here. JPEG, PNG, GIF, WebP, TIFF and BMP can."
	case errors.Is(err, media.ErrNotPicture):
		e.Code, e.Public = "picture.not", "This file is not a picture."
	default:
		return err
	}
	return e
}

// CatchUp reads the feed of the hub to its present end.
func (f *Flow) CatchUp(ctx context.Context) error {
	for {
		if n, err := f.followOnce(ctx, 0); n == 0 || err != nil {
			return err
		}
	}
}

// FollowHub follows the feed of the hub this platform works with, until ctx
// ends. What it reads is saved with the cursor reached, so a restart goes on
// where it stopped and misses nothing.
func (f *Flow) FollowHub(ctx context.Context) error {
	var once sync.Once
	for ctx.Err() == nil {
		n, err := f.followOnce(ctx, 10*time.Second)
		pause := time.Duration(0)
		switch {
		case rempart.KindOf(err) == rempart.NotFound:
			pause = 5 * time.Second // no hub yet
		case err != nil:
			pause = time.Second
			once.Do(func() { f.Log.WarnContext(ctx, "the hub's feed cannot be read; trying again each second", "err", err) })
		case n > 0:
			once = sync.Once{}
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
	return nil
}

// followOnce reads one answer of the feed, waiting up to wait for a change.
func (f *Flow) followOnce(ctx context.Context, wait time.Duration) (int, error) {
	hub, err := f.hub(ctx)
	if err != nil {
		return 0, err
	}
	cred, err := f.DB.Credentials(ctx, hub.ID)
	if err != nil {
		return 0, err
	}
	after, err := f.DB.FeedCursor(ctx, hub.ID)
	if err != nil {
		return 0, err
	}
	entries, cursor, err := exchange.ReadFeed(ctx, f.Client, hub.URL, cred.Key, after, wait)
	if err != nil {
		return 0, err
	}
	if len(entries) == 0 && cursor == after {
		return 0, nil
	}
	return len(entries), f.DB.ApplyFeed(ctx, hub.ID, entries, cursor)
}

// Feed returns what changed in the lists after cursor, waiting up to wait for
// something to change. Only what a platform may have is in it: our own entries
// that are active, and those that were withdrawn.
func (f *Flow) Feed(ctx context.Context, after string, wait time.Duration) ([]rempart.Entry, string, error) {
	end := time.Now().Add(wait)
	newcomer := after == "" // never had what was withdrawn, and need not learn it
	for {
		changes, cursor, err := f.DB.Changes(ctx, after, exchange.MaxFeedPage)
		if err != nil {
			return nil, "", err
		}
		var out []rempart.Entry
		for _, c := range changes {
			if c.Peer == "" && (c.Entry.State == rempart.EntryActive || c.Entry.State == rempart.EntryWithdrawn && !newcomer) {
				out = append(out, c.Entry)
			}
		}
		if len(out) > 0 || len(changes) == 0 && time.Now().After(end) {
			return out, cursor, nil
		}
		if after = cursor; len(changes) > 0 {
			continue // none of these is for others: what is may be behind them
		}
		select {
		case <-ctx.Done():
			return nil, cursor, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// Listed returns how many entries are active in the index.
func (f *Flow) Listed(ctx context.Context) (int, error) {
	if _, err := f.index.catchUp(ctx); err != nil {
		return 0, err
	}
	return f.index.len(), nil
}
