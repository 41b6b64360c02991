package flow

import (
	"cmp"
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"time"

	"rempart"
	"rempart/media"
	"rempart/pdq"
)

// processStart is where this process counts its own time from, which nobody sets
// back.
var processStart = time.Now().Add(-time.Nanosecond)

// LookUp returns every active entry of q's type in the lists of who asks that q
// matches as it is, nearest first: a PDQ in no other form, and no image of a video. That is what matchers
// which know neither of them answer for the same lists. Errors are those of
// [rempart.Fingerprint.Normal].
func (f *Flow) LookUp(ctx context.Context, q rempart.Fingerprint, up Upload) ([]rempart.Match, string, error) {
	n, err := q.Normal()
	if err != nil {
		return nil, "", err
	}
	where, err := f.ready(ctx)
	if err != nil {
		return nil, "", err
	}
	look := func(queries []Query) []Result {
		out := make([]Result, len(queries))
		for i, q := range queries {
			out[i] = Result{Query: q, Matches: within(slices.DeleteFunc(f.index.find(q.Fingerprint, pdq.Original.String()), func(m rempart.Match) bool { return m.Type != n.Type }), up.Lists)}
		}
		return out
	}
	var all []rempart.Match
	if asked := []Query{{Fingerprint: n}}; up.Only {
		all = f.guarded(ctx, asked, up, look)[0].Matches
	} else {
		all = look(asked)[0].Matches
	}
	slices.SortFunc(all, func(a, b rempart.Match) int {
		return cmp.Or(a.Distance-b.Distance, cmp.Compare(a.Num, b.Num))
	})
	if err := f.index.broken(); err != nil {
		return nil, "", err
	}
	return all, where, nil
}

// PictureSignal returns the PDQ of a picture, whose bytes live for the time of
// this call. Its value is "" where the picture is too flat to be looked up.
func (f *Flow) PictureSignal(ctx context.Context, r io.Reader) (rempart.Fingerprint, error) {
	fp, err := media.Fingerprint(ctx, r, media.Default)
	if err != nil {
		return rempart.Fingerprint{}, pictureError(err)
	}
	out := rempart.Fingerprint{Type: rempart.PDQ, Quality: fp.Quality}
	if fp.Quality >= rempart.MinQuality {
		out.Value = fp.PDQ.String()
	}
	return out, nil
}

// BytesSignal returns the MD5 of a file, which is all that some matchers know of
// a video. The bytes are not kept.
func (f *Flow) BytesSignal(r io.Reader) (rempart.Fingerprint, error) {
	h := md5.New()
	if _, err := io.Copy(h, r); err != nil {
		return rempart.Fingerprint{}, err
	}
	return rempart.Fingerprint{Type: rempart.MD5, Value: hex.EncodeToString(h.Sum(nil))}, nil
}

// A Freshness says how old what lookups answer from is.
type Freshness struct {
	Position string        // in the change table
	Follows  bool          // the lists are a hub's, followed over its feed
	Heard    bool          // that feed was read to its end since this process began
	Age      time.Duration // since everything there was, here and at that hub, was known; without Heard only here
	Waiting  int           // lists that were read again whole, lack most of what is held and wait for somebody, if the database says so
}

// Freshness brings the index up to date, if the database lets it, and says how
// old it is: by the time that this process counts itself, whatever its clock says.
func (f *Flow) Freshness(ctx context.Context) (Freshness, error) {
	where, err := f.ready(ctx)
	if err != nil {
		return Freshness{}, err
	}
	out := Freshness{Position: where, Age: f.index.age()}
	out.Follows, err = f.follows(ctx)
	if at := f.index.heard.Load(); out.Follows && at > 0 {
		out.Heard, out.Age = true, max(out.Age, time.Since(processStart)-time.Duration(at))
	}
	if !f.index.away() {
		brief, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		held, fault := f.DB.HeldSweeps(brief)
		if out.Waiting = len(held); fault != nil && rempart.KindOf(fault) != rempart.Unavailable && brief.Err() == nil {
			err = errors.Join(err, fault)
		}
	}
	return out, err
}

// follows tells whether this instance follows a hub; while the database is away,
// whether it did.
func (f *Flow) follows(ctx context.Context) (bool, error) {
	known := f.index.follows.Load()
	if known != followsUnknown && f.index.away() {
		return known == followsHub, nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err := f.hub(ctx)
	switch {
	case err == nil:
		known = followsHub
	case rempart.KindOf(err) == rempart.NotFound:
		known = followsNone
	case known == followsUnknown:
		return false, err
	}
	f.index.follows.Store(known)
	return known == followsHub, nil
}

// What is known of a hub that is followed.
const (
	followsUnknown = iota
	followsNone
	followsHub
)
