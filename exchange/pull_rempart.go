package exchange

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"rempart"
)

// feed asks another instance for what changed after a cursor. An entry that is
// not active, or not of a list that is read, must not match.
func (p *puller) feed(ctx context.Context, cursor string) (out SourcePage, err error) {
	u, err := url.JoinPath(p.s.URL, "/api/v1/feed")
	if err != nil {
		return out, err
	}
	resp, err := p.get(ctx, u+"?"+url.Values{"after": {cursor}, "wait": {"0"}}.Encode())
	if err != nil {
		var f *Failure
		if cursor != "" && (again(err) || errors.As(err, &f) && f.Status == http.StatusUnprocessableEntity) { // a cursor of another database: everything again
			return SourcePage{More: true, Afresh: true}, nil
		}
		return out, err
	}
	defer resp.Body.Close()
	entries, next, err := readFeed(resp.Body, func(_ int, why string) {
		out.Count++
		out.refuse(why)
	}, func(e rempart.Entry) {
		out.Count++
		listed := slices.ContainsFunc(rempart.Lists, func(l rempart.List) bool { return l.ID == e.List }) && (p.s.List == "" || p.s.List == e.List)
		gone := e.State != rempart.EntryActive
		if !listed && !gone {
			out.Other++
		}
		out.Records = append(out.Records, rempart.SourceRecord{ID: e.ID, List: e.List, Fingerprint: e.Fingerprint, Gone: gone || !listed})
	})
	if err != nil {
		return out, unreadable(err)
	}
	out.Next, out.More, out.Afresh = next.Cursor, entries > 0, next.Afresh
	return out, nil
}
