package flow

import (
	"bufio"
	"cmp"
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
	"rempart/vpdq"
)

// MaxQueries is the most fingerprints one lookup asks for.
const MaxQueries = 1000

// A Query is one fingerprint to look up. Dihedral may hold the PDQ of the same
// picture turned and mirrored, in the order of package pdq, so that such a copy
// is found too.
type Query struct {
	Fingerprint rempart.Fingerprint
	Dihedral    []pdq.Hash
	Video       *VideoQuery // more images of the video than Fingerprint holds; nil if that is all there is
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
	Peer      string // identifier of the peer who asks
	Key       string // its idempotency key; "" if it gave none
	Tell      bool   // the upload is being stopped: tell the hub on a match
	Published string // the address at which it is online, to be told to the hub on a match; "" if that is not known
	file      string // whose fingerprints they all are, by SHA-256; "" where each is for itself

	Lists []string // that it may know of, by identifier; nil: all
	Only  bool     // its key may only look up, see [probes]
	Seed  string   // decides whether a list counts that does for a share of uploads; "": what is looked up
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
	frames := 0
	for i, q := range queries {
		n, err := q.Fingerprint.Normal()
		if err != nil {
			var e *rempart.Error
			if errors.As(err, &e) {
				p = append(p, &rempart.Error{Kind: e.Kind, Code: e.Code, Args: e.Args, Public: e.Public, Field: fmt.Sprintf("fingerprints[%d].%s", i, e.Field)})
			}
		}
		queries[i].Fingerprint = n
		frames += len(n.Frames())
	}
	if len(p) > 0 {
		return nil, "", p
	}
	if frames > maxQueryFrames {
		return nil, "", &rempart.Error{Kind: rempart.TooLarge, Field: "fingerprints", Code: "match.too_many_images",
			Public: fmt.Sprintf("At most %d images of videos can be asked for at once.", maxQueryFrames)}
	}
	where, err := f.ready(ctx)
	if err != nil {
		return nil, "", err
	}
	look := func(queries []Query) []Result {
		out := f.lookUpAll(queries)
		for i := range out {
			out[i].Matches = f.RollOut(within(out[i].Matches, up.Lists), cmp.Or(up.Seed, out[i].Query.Fingerprint.Value))
		}
		return out
	}
	var out []Result
	if up.Only {
		out = f.guarded(ctx, queries, up, look)
	} else {
		out = look(queries)
	}
	seen := [][]rempart.Match{}
	for i := range out {
		seen = append(seen, out[i].Matches)
	}
	if err := f.index.broken(); err != nil {
		return nil, "", err
	}
	f.Saw(ctx, up.Peer, seen...)
	if up.Tell {
		err = f.stop(ctx, out, up)
	} else if up.Published != "" {
		err = f.published(ctx, out, up)
	}
	return out, where, err
}

// within returns the matches that are in one of the lists; nil is all lists.
func within(all []rempart.Match, lists []string) []rempart.Match {
	if lists == nil {
		return all
	}
	return slices.DeleteFunc(all, func(m rempart.Match) bool { return !slices.Contains(lists, m.List) })
}

// maxQueryFrames is the most images of videos, over all queries, that one lookup
// asks for; each is looked for in eight forms.
const maxQueryFrames = 3 * rempart.MaxFrames

// lookUpAll looks the queries up, the values of pictures together.
func (f *Flow) lookUpAll(queries []Query) []Result {
	out := make([]Result, len(queries))
	var values []pdq.Hash
	type of struct {
		query int
		form  pdq.Dihedral
	}
	var whose []of
	for i, q := range queries {
		out[i].Query = q
		switch {
		case q.Fingerprint.Type == rempart.VPDQ:
			out[i] = f.lookUpVideo(q)
		case q.Fingerprint.Quality > 0 && q.Fingerprint.Quality < rempart.MinQuality:
			out[i].Refused = TooFlat // flat pictures are all alike
		case q.Fingerprint.Type != rempart.PDQ:
			out[i].Matches = nearest(f.index.findExact(q.Fingerprint))
		default:
			h, _ := hashOf(q.Fingerprint)
			values, whose = append(values, h), append(whose, of{i, pdq.Original})
			for k, h := range q.Dihedral {
				if form := pdq.Dihedral(k); form != pdq.Original {
					values, whose = append(values, h), append(whose, of{i, form})
				}
			}
		}
	}
	f.index.findAll(values, func(k int) string { return whose[k].form.String() }, func(k int, m []rempart.Match) {
		r := &out[whose[k].query]
		r.Matches = append(r.Matches, m...)
	})
	for _, w := range whose {
		if w.form != pdq.Original {
			continue
		}
		r := &out[w.query]
		r.Matches = nearest(r.Matches)
		if r.Query.Fingerprint.Form == rempart.Unbordered {
			unbordered(r.Matches)
		}
	}
	return out
}

func (f *Flow) lookUpVideo(q Query) Result {
	if !q.Fingerprint.Listable() && q.Video == nil {
		return Result{Query: q, Refused: TooFlat}
	}
	v := q.Video
	if v == nil {
		v = ofVideo(q.Fingerprint)
	}
	whole, bare := f.index.findVideo(v.Whole), f.index.findVideo(v.Unbordered)
	unbordered(bare)
	bare = slices.DeleteFunc(bare, func(b rempart.Match) bool {
		return slices.ContainsFunc(whole, func(w rempart.Match) bool {
			return w.EntryID == b.EntryID && w.PeerID == b.PeerID && w.Video != nil && !better(b.Video, w.Video)
		})
	})
	r := Result{Query: q, Matches: nearest(append(bare, whole...))}
	if q.Fingerprint.Form == rempart.Unbordered {
		unbordered(r.Matches)
	}
	return r
}

// nearest returns one match for each entry, in its nearest form. Where a picture
// is listed with and without its borders, that is one match.
func nearest(all []rempart.Match) []rempart.Match {
	if len(all) < 2 {
		return all
	}
	slices.SortStableFunc(all, func(a, b rempart.Match) int { return a.Distance - b.Distance })
	entries, media := map[string]bool{}, map[string]bool{}
	return slices.DeleteFunc(all, func(m rempart.Match) bool {
		entry, medium := m.PeerID+" "+m.EntryID, m.PeerID+" "+m.CaseRef+" "+m.ItemID+" "+string(m.Type)
		if entries[entry] || m.ListedForm != "" && media[medium+" whole"] || m.ListedForm == "" && media[medium+" bare"] {
			return true
		}
		form := " whole"
		if m.ListedForm != "" {
			form = " bare"
		}
		entries[entry], media[medium+form] = true, true
		return false
	})
}

func unbordered(matches []rempart.Match) {
	for i := range matches {
		matches[i].Unbordered = true
	}
}

// stop tells, once for each upload and item that matched, that an upload was
// stopped: a case of ours is changed at once, another hub is told by a job. What
// the hub sees of the upload's key is a keyed digest: who chose it may have
// written a name in it.
func (f *Flow) stop(ctx context.Context, results []Result, up Upload) error {
	nearest := nearestOf(results, func(m rempart.Match) bool { return m.Action != rempart.ActionReview }) // that is to be looked at: not stopped by it
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
		if m.PeerID == "" || m.Class == rempart.ClassModelWeights { // of a service, not of a case: there is nobody to tell
			err := f.DB.Commit(ctx, key, rempart.Consequences{Events: []rempart.Event{{Kind: "upload.stopped", Subject: m.EntryID, Actor: rempart.ActorPlatform + rempart.Actor(up.Peer), At: now,
				Data: map[string]string{"list": m.List, "service": m.CaseRef}}}})
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
		var tell []rempart.Job
		if m.PeerID != "" && !rempart.IsSource(m.PeerID) {
			tell = append(tell, rempart.Job{Kind: jobStop, Subject: m.PeerID, Key: key, Payload: string(payload), RunAt: now})
		}
		err = f.DB.Commit(ctx, key, rempart.Consequences{
			Jobs: tell,
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

// nearestOf returns the nearest match of each item, among those that count.
func nearestOf(results []Result, counts func(rempart.Match) bool) map[string]rempart.Match {
	nearest := map[string]rempart.Match{}
	for _, r := range results {
		for _, m := range r.Matches {
			if !counts(m) {
				continue
			}
			k := m.PeerID + "/" + m.CaseRef + "/" + m.ItemID
			if m.CaseRef == "" {
				k += m.EntryID // taken in from elsewhere, without a case
			}
			if best, ok := nearest[k]; !ok || m.Distance < best.Distance {
				nearest[k] = m
			}
		}
	}
	return nearest
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

// Checked is what a file's check found. There is nothing of the picture or video
// in it but its fingerprints, size and marks.
type Checked struct {
	Matches       []rempart.Match
	Print         rempart.Fingerprint // the PDQ or the vPDQ
	SHA256        string
	Width, Height int
	Format        string // of a picture; the codec of a video
	Animated      bool
	Frames        int     // of an animation: that were looked up, the picture among them
	FramesTotal   int     // that it has; 0 if it was not read frame by frame
	Bordered      bool    // and looked up without its borders too
	Images        int     // of a video: how many were fingerprinted; 0 of a picture
	Duration      float64 // of a video, in seconds; 0 if the file does not say
	Position      string
	Provenance    []provenance.Mark // what the file says of how it was made; never nil
}

// CheckFile fingerprints a picture or a video in memory and looks it up in its
// eight forms, and so each frame of an animation. The bytes live for the time of this call.
func (f *Flow) CheckFile(ctx context.Context, r io.Reader, up Upload) (Checked, error) {
	b := bufio.NewReader(r)
	start, _ := b.Peek(64) // what cannot be read is told by who reads on
	if len(start) > 0 && !media.Known(start) {
		return f.checkExact(ctx, b, up, media.ErrNotPicture)
	}
	check := pictureQueries
	if media.IsVideo(start) {
		check = videoQueries
	}
	c, queries, err := check(ctx, b)
	if err != nil {
		return Checked{}, err
	}
	if up.Key == "" {
		up.Key = rempart.NewID(f.Now())
	}
	up.Seed, up.file = cmp.Or(up.Seed, c.SHA256), c.SHA256
	queries = append([]Query{{Fingerprint: rempart.Fingerprint{Type: rempart.SHA256, Value: c.SHA256}}}, queries...)
	results, where, err := f.Match(ctx, queries, up)
	if err != nil {
		return Checked{}, err
	}
	c.Position = where
	for _, r := range results {
		c.Matches = append(c.Matches, r.Matches...)
	}
	c.Matches = nearest(c.Matches)
	return c, nil
}

func pictureQueries(ctx context.Context, r io.Reader) (Checked, []Query, error) {
	fp, err := media.Fingerprint(ctx, r, media.Default)
	if err != nil {
		return Checked{}, nil, pictureError(err)
	}
	c := Checked{Print: rempart.Fingerprint{Type: rempart.PDQ, Value: fp.PDQ.String(), Quality: fp.Quality},
		SHA256: fp.SHA256, Width: fp.Width, Height: fp.Height, Format: fp.Format, Animated: fp.Animated,
		Frames: len(fp.Frames), FramesTotal: fp.FramesTotal, Provenance: fp.Provenance}
	var queries []Query
	if fp.Quality >= rempart.MinQuality {
		queries = append(queries, Query{Fingerprint: c.Print, Dihedral: fp.Dihedral[:]})
	}
	if in := fp.Unbordered; in != nil {
		c.Bordered = true
		queries = append(queries, Query{Dihedral: in.Dihedral[:],
			Fingerprint: rempart.Fingerprint{Type: rempart.PDQ, Value: in.PDQ.String(), Quality: in.Quality, Form: rempart.Unbordered}})
	}
	return c, append(queries, frameQueries(fp)...), nil
}

// Of a video at most checkFrames images are looked up, whatever its length.
const checkFrames = 12_000

// checkVideo bounds one video of an upload check: it is held in memory.
var checkVideo = media.VideoOptions{Bytes: media.Default.Bytes, Frames: 1_000_000, Most: checkFrames}

// videoQueries reads every image: a list may hold but one or two a second, and
// two samples of a fast scene miss each other.
func videoQueries(ctx context.Context, r io.Reader) (Checked, []Query, error) {
	v, err := media.FingerprintVideo(ctx, r, checkVideo)
	if err != nil {
		return Checked{}, nil, videoError(err)
	}
	c := Checked{Print: rempart.NewVPDQ(v.Features, rempart.ListedFrames), SHA256: v.SHA256,
		Width: v.Width, Height: v.Height, Format: v.Codec, Duration: v.Duration, Images: len(v.Features), Provenance: v.Provenance}
	q := &VideoQuery{}
	for form := range q.Whole {
		q.Whole[form] = inForm(v.Features, v.Dihedral, pdq.Dihedral(form))
		q.Unbordered[form] = rempart.CountedImages(v.Unbordered(pdq.Dihedral(form)))
		c.Bordered = c.Bordered || len(q.Unbordered[form]) > 0
	}
	if !c.Print.Listable() && !c.Bordered {
		return c, nil, nil
	}
	return c, []Query{{Fingerprint: c.Print, Video: q}}, nil
}

// inForm returns the images that count, each value once, in one of their forms.
func inForm(features []vpdq.Feature, dihedral [][8]pdq.Hash, form pdq.Dihedral) []vpdq.Feature {
	turned := make([]vpdq.Feature, len(features))
	for k, x := range features {
		turned[k] = x
		turned[k].PDQ = dihedral[k][form]
	}
	return rempart.CountedImages(turned)
}

// videoError turns a refusal of a video into a sentence.
func videoError(err error) error {
	e := &rempart.Error{Kind: rempart.Invalid, Field: "file", Err: err}
	switch {
	case errors.Is(err, media.ErrMissing):
		e.Kind, e.Code, e.Public = rempart.Unavailable, "video.missing", "Videos cannot be read here: ffmpeg is not installed on this server. Pictures can."
	case errors.Is(err, media.ErrTooLong):
		e.Kind, e.Code, e.Public = rempart.TooLarge, "video.long", "This video is too long; at most four hours can be checked."
	case errors.Is(err, media.ErrTooManyPixels):
		e.Kind, e.Code, e.Public = rempart.TooLarge, "video.pixels", "The images of this video have too many pixels; at most 36 million can be checked."
	case errors.Is(err, media.ErrTooCostly):
		e.Kind, e.Code, e.Public = rempart.TooLarge, "video.costly", "This video was given up: it takes more work than a check may."
	case errors.Is(err, media.ErrNotVideo), errors.Is(err, media.ErrUnsupported):
		e.Code, e.Public = "video.unsupported", "This video is of a kind that cannot be read here. MP4, MOV, WebM, Matroska, AVI and MPEG can."
	case errors.Is(err, media.ErrDamaged):
		e.Code, e.Public = "video.damaged", "This file is damaged or incomplete: the video in it cannot be read."
	default:
		return pictureError(err)
	}
	return e
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
		wait, pause := f.feedWait()
		n, err := f.followOnce(ctx, wait)
		switch {
		case rempart.KindOf(err) == rempart.NotFound:
			pause = 5 * time.Second // no hub yet
		case err != nil:
			if pause = time.Second; f.Node != nil {
				pause = f.Node.Every
			}
			once.Do(func() { f.Log.WarnContext(ctx, "the hub's feed cannot be read; trying again each second", "err", err) })
		case n > 0:
			once, pause = sync.Once{}, 0
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
	asked := time.Since(processStart)
	entries, end, err := exchange.ReadFeed(ctx, f.Client, hub.URL, cred.Key, after, wait)
	if errors.Is(err, exchange.ErrFeedCursor) { // a hub that was restored, and has not come so far yet
		entries, end, err = exchange.ReadFeed(ctx, f.Client, hub.URL, cred.Key, "", 0)
		end.Afresh = true
	}
	if err != nil {
		return 0, err
	}
	if len(entries) == 0 && end.Cursor == after && !end.Afresh {
		return 0, f.heardAll(ctx)
	}
	page := store.FeedPage{From: after, Entries: entries, Cursor: end.Cursor, Afresh: end.Afresh, Whole: end.Whole}
	err = f.DB.ApplyFeedPage(ctx, hub.ID, page)
	if rempart.KindOf(err) == rempart.Conflict { // another process on this database was first: go on where it is
		return 1, nil
	}
	if err != nil || !end.Whole {
		return len(entries), err
	}
	f.heardUntil(ctx, asked)
	return len(entries), f.readWhole(ctx)
}

// Feed returns what changed in the lists after cursor, waiting up to wait for
// something to change. Only what a platform may have is in it: our own entries of those lists
// that are active, and those that were withdrawn, or stopped matching otherwise and
// may match again: to who follows they are rejected, which may end.
func (f *Flow) Feed(ctx context.Context, lists []string, after string, wait time.Duration) ([]rempart.Entry, exchange.FeedEnd, error) {
	until := time.Now().Add(wait)
	newcomer := after == "" // never had what was withdrawn, and need not learn it
	afresh := f.DB.Elsewhere(after)
	for {
		changes, cursor, err := f.DB.Changes(ctx, after, exchange.MaxFeedPage)
		if err != nil {
			return nil, exchange.FeedEnd{}, err
		}
		size := 0
		var out []rempart.Entry
		for _, c := range changes {
			size += len(c.Entry.Fingerprint.Value)
			switch c.Entry.State {
			case rempart.EntryActive:
			case rempart.EntryDisputed, rempart.EntryQuarantined, rempart.EntryDeleted, rempart.EntryExpired:
				c.Entry.State = rempart.EntryRejected
				fallthrough
			case rempart.EntryWithdrawn:
				if newcomer {
					continue
				}
			default:
				continue
			}
			if c.Peer == "" && slices.Contains(lists, c.Entry.List) {
				out = append(out, c.Entry)
			}
		}
		if afresh && len(changes) == 0 && len(out) == 0 {
			return nil, exchange.FeedEnd{Cursor: f.DB.Start(cursor), Whole: true, Afresh: true}, nil
		}
		if len(out) > 0 || len(changes) == 0 && time.Now().After(until) {
			return out, exchange.FeedEnd{Cursor: cursor, Whole: len(changes) < exchange.MaxFeedPage && size < store.MaxChangeBytes, Afresh: afresh}, nil
		}
		if after = cursor; len(changes) > 0 {
			continue // none of these is for others: what is may be behind them
		}
		select {
		case <-ctx.Done():
			return nil, exchange.FeedEnd{}, ctx.Err()
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
