package flow_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rempart"
	"rempart/flow"
	"rempart/internal/pgtest"
)

// asks posts a check of fingerprints to a platform's own address.
func asks(t *testing.T, base, key, idempotency, body string) (status int, answer string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/api/v1/match", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", idempotency)
	resp, err := getter(t).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// TestPublishedTold: over real HTTP, a platform that let a copy through tells its
// hub where it is. The closed case is taken up and one notice drafted, which none
// but an analyst sends; the notice before has no clock that runs.
func TestPublishedTold(t *testing.T) {
	for name, fresh := range map[string]func() string{
		"SQLite":     func() string { return filepath.Join(t.TempDir(), "rempart.db") },
		"PostgreSQL": func() string { return pgtest.Fresh(t) },
	} {
		t.Run(name, func(t *testing.T) {
			clock := newClock()
			hub, platform := sideAt(t, clock, 5*time.Second, fresh()), sideAt(t, clock, 5*time.Second, fresh())
			if err := hub.Prepare(t.Context()); err != nil {
				t.Fatal(err)
			}
			hubURL, platformURL := hub.serve(true, false), platform.serve(false, true)
			hub.knows("forum", rempart.PeerPlatform, platformURL, keyAtHub, keyAtPlatform)
			hub.serves("forum", "forum.exemple.test", "forum")
			hub.serves("album", "album.exemple.test", "album")
			platform.knows("hub", rempart.PeerFlagger, hubURL, keyAtPlatform, keyAtHub)
			platform.knows("uploads", rempart.PeerPlatform, "", "rk_uploads", "")

			sub, err := hub.Submit(t.Context(), reportOf("https://forum.exemple.test/p/1", medium(hash(3))), "")
			if err != nil {
				t.Fatal(err)
			}
			hub.step()
			c := hub.caseOf(sub.Ref)
			first := hub.notify(c, "forum")
			hub.confirm(c)
			hub.step()
			number := hub.caseOf(c.Ref).Notice(first).Number
			hub.change(c, func(c *rempart.Case) error {
				return c.NoticeDecided(first, number, "forum", map[string]rempart.Decision{itemAt(c, "forum"): removal}, clock.now())
			})
			hub.change(c, func(c *rempart.Case) error { return c.Close("retiré", analyst, clock.now()) })
			platform.catchUp()
			clock.advance(time.Hour)

			tell := func(key, address, more string) (int, string) {
				t.Helper()
				time.Sleep(15 * time.Millisecond) // a lookup may rest on what was read 10 ms ago
				s, a := asks(t, platformURL, "rk_uploads", key, fmt.Sprintf(`{"fingerprints":[{"type":"pdq","value":%q,"quality":90}],"published":%q%s}`, hash(3), address, more))
				platform.step()
				hub.settle()
				return s, a
			}
			if s, a := tell("u0", "javascript:1", ""); s != http.StatusUnprocessableEntity && s != http.StatusBadRequest {
				t.Errorf("no address: %d %s", s, a)
			}
			if s, a := tell("u0", "https://forum.exemple.test/p/1", `,"stopped":true`); s/100 != 4 {
				t.Errorf("stopped and online: %d %s", s, a)
			}
			if got := hub.caseOf(c.Ref); got.State != rempart.CaseClosed {
				t.Fatalf("the case is %s before it was told of anything", got.State)
			}
			for range 2 {
				if s, a := tell("u1", "https://forum.exemple.test/p/1", ""); s != http.StatusOK || !strings.Contains(a, `"case_ref":"`+c.Ref) {
					t.Fatalf("%d %s", s, a)
				}
			}
			tell("u2", "https://forum.exemple.test/p/1", "")
			tell("u3", "https://forum.exemple.test/copy/2", "")
			tell("u4", "https://album.exemple.test/not-its-own", "")
			got := hub.caseOf(c.Ref)
			if got.State != rempart.CaseActive || len(got.Items) != len(c.Items)+1 {
				t.Fatalf("case %s, %d items", got.State, len(got.Items))
			}
			for _, i := range got.Items {
				if i.Kind == rempart.ItemAddress && (i.State != rempart.ItemReported || i.ToldBy != "forum") || i.Stops != 0 {
					t.Errorf("item %+v", i)
				}
			}
			if n := hub.count(c.ID, "match.published"); n != 2 {
				t.Errorf("%d events, want one an address: 2", n)
			}
			if len(got.Notices) != 2 || got.Notices[1].State != rempart.NoticeDraft || got.Notices[1].Cites != first || got.Notices[1].Items[0].Address != "https://forum.exemple.test/p/1" {
				t.Fatalf("notices %+v", got.Notices[1:])
			}
			for _, k := range got.Clocks {
				if k.NoticeID == first && k.Live() && k.Await != rempart.AwaitBack {
					t.Errorf("clock %s of the first notice is %s", k.Await, k.State)
				}
			}
			v, err := hub.FollowUp(t.Context(), sub.Code.String())
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range v.Items {
				if i.Told != (i.Kind == rempart.ItemAddress) {
					t.Errorf("her page: %+v", i)
				}
			}
			// Sent, the next notice has clocks of its own.
			next := got.Notices[1].ID
			hub.change(c, func(c *rempart.Case) error {
				if err := c.EditNotice(next, c.Notice(next).Explanation, true, analyst, clock.now()); err != nil {
					return err
				}
				return c.SendNotice(next, analyst, clock.now())
			})
			hub.step()
			own := 0
			got = hub.caseOf(c.Ref)
			for _, k := range got.Clocks {
				if k.Live() && k.NoticeID == next {
					own++
				}
				if k.NoticeID == first && k.Live() && k.Await != rempart.AwaitBack {
					t.Errorf("clock %s of the first notice is %s after the second", k.Await, k.State)
				}
			}
			if own == 0 || got.Notice(next).State != rempart.NoticeSent {
				t.Errorf("the next notice is %s, %d clocks run", got.Notice(next).State, own)
			}
		})
	}
}

// TestPublishedOldHub: a hub that does not know the message refuses it; it is not
// told again, and the platform's answers go on.
func TestPublishedOldHub(t *testing.T) {
	f := newFar(t)
	f.will(fault{answer: status(http.StatusUnprocessableEntity, `{"detail":"The type of a callback is notice.acknowledged, notice.decided or match.stopped."}`)})
	s, hub := platformOf(t, f.URL)
	s.feed(hub, "1-0-1", entryOf("e1", "m1", hash(1), rempart.EntryActive))
	up := flow.Upload{Peer: "uploads", Key: "upload-1", Published: "https://forum.exemple.test/zq-copy"}
	for range 2 {
		if m := s.matches(pdqQuery(hash(1)), up); len(m) != 1 {
			t.Fatalf("%d matches", len(m))
		}
	}
	jobs := s.left("publication.tell")
	if len(jobs) != 1 || s.count("e1", "upload.published") != 1 {
		t.Fatalf("%d jobs, want 1", len(jobs))
	}
	s.settle()
	s.clock.advance(8 * 24 * time.Hour)
	s.settle()
	jobs = s.left("publication.tell")
	if len(jobs) != 1 || jobs[0].State != "dead" || jobs[0].Attempt != 1 {
		t.Errorf("%d jobs, the first %s after %d attempts", len(jobs), jobs[0].State, jobs[0].Attempt)
	}
}

// TestPublishedFile: the field before the file says where it is; the case of the
// instance itself is changed at once. One that carries another's work is told of
// the other's.
func TestPublishedFile(t *testing.T) {
	s := newSide(t, newClock(), patience)
	base := s.serve(true, true)
	s.knows("forum", rempart.PeerPlatform, "", "rk_uploads", "")
	s.serves("forum", "forum.exemple.test", "forum")
	m := landscape(640, 480)
	c, err := s.CheckFile(t.Context(), bytes.NewReader(pngOf(t, m)), flow.Upload{Peer: "forum"})
	if err != nil {
		t.Fatal(err)
	}
	own := s.submit(reportOf("", rempart.Medium{Fingerprints: []rempart.Fingerprint{c.Print}}))
	s.confirm(own)
	into := s.submit(reportOf("https://forum.exemple.test/p/1"))
	s.confirm(into)
	if err := s.Merge(t.Context(), own.ID, into.ID, "la même affaire", analyst); err != nil {
		t.Fatal(err)
	}
	time.Sleep(15 * time.Millisecond)
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	w.WriteField("published", "https://forum.exemple.test/copy/9")
	part, err := w.CreateFormFile("file", "x.png")
	if err != nil {
		t.Fatal(err)
	}
	part.Write(pngOf(t, m))
	w.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/api/v1/match", &b)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer rk_uploads")
	r.Header.Set("Content-Type", w.FormDataContentType())
	resp, err := getter(t).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var ans struct {
		Results []struct{ Matches []json.RawMessage }
	}
	if err := json.NewDecoder(resp.Body).Decode(&ans); err != nil || resp.StatusCode != http.StatusOK || len(ans.Results) != 2 || len(ans.Results[1].Matches) != 1 {
		t.Fatalf("%d: %+v, %v", resp.StatusCode, ans, err)
	}
	s.settle()
	got := s.caseOf(into.Ref)
	last := got.Items[len(got.Items)-1]
	if last.Address != "https://forum.exemple.test/copy/9" || last.ToldBy != "forum" || len(got.Notices) != 1 || got.Notices[0].State != rempart.NoticeDraft {
		t.Errorf("carrier: item %+v, %d notices", last, len(got.Notices))
	}
	for _, i := range s.caseOf(own.Ref).Items {
		if i.Address != "" {
			t.Errorf("the case that follows has %+v", i)
		}
	}
}
