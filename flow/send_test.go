package flow_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"rempart"
)

// hubOf returns a hub that knows a far platform, and a case with a notice that
// waits for its first delivery.
func hubOf(t *testing.T, f *far, patience time.Duration) (s *side, c *rempart.Case, notice string) {
	t.Helper()
	s = newSide(t, newClock(), patience)
	s.knows("forum", rempart.PeerPlatform, f.URL, keyAtHub, keyAtPlatform)
	s.serves("forum", "forum.exemple.test", "forum")
	c = s.submit(reportOf("https://forum.exemple.test/p/1"))
	notice = s.notify(c, "forum")
	s.check()
	return s, s.caseOf(c.Ref), notice
}

// patience is how long deliveries of a test wait for an answer.
const patience = 250 * time.Millisecond

// TestSend meets each fault at the first delivery of a notice: what is shown is
// never a silent success, the platform has the notice once in the end, and it is
// told under one key.
func TestSend(t *testing.T) {
	for _, x := range faults {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			f := newFar(t)
			s, c, id := hubOf(t, f, patience)
			f.will(x)
			before := s.clock.now()
			s.step()
			s.check()
			n := s.caseOf(c.Ref).Notice(id)
			if len(n.Attempts) != 1 {
				t.Fatalf("%d attempts noted, want 1: %+v", len(n.Attempts), n.Attempts)
			}
			a := n.Attempts[0]
			if a.Status != x.status || a.Answer == "" && x.status == 0 || len([]rune(a.Answer)) > 350 || strings.Contains(a.Answer, "\n") {
				t.Errorf("attempt %+v, want status %d and a line of text", a, x.status)
			}
			if x.human {
				if n.State != rempart.NoticeFailed || !a.Next.IsZero() || len(s.left(rempart.JobSend)) != 1 || s.left(rempart.JobSend)[0].State != "dead" {
					t.Fatalf("notice %s, attempt %+v, jobs %+v: want it given to a human at once", n.State, a, s.left(rempart.JobSend))
				}
				// The analyst tries again by hand.
				s.change(c, func(c *rempart.Case) error { return c.SendNotice(id, analyst, s.clock.now()) })
			} else {
				wait := max(2*time.Second, x.after)
				if n.State != rempart.NoticeQueued || !a.Next.Equal(before.Add(wait)) {
					t.Fatalf("notice %s, next try at %v, want queued and %v", n.State, a.Next, before.Add(wait))
				}
				s.clock.advance(wait - time.Millisecond)
				if k := s.step(); k != 0 {
					t.Errorf("%d jobs done before it was time", k)
				}
				s.clock.advance(time.Millisecond)
			}
			s.step()
			s.check()
			n = s.caseOf(c.Ref).Notice(id)
			if n.State != rempart.NoticeSent || n.Number != "N-1" {
				t.Errorf("notice %s with number %q, want sent and N-1", n.State, n.Number)
			}
			if len(f.told) != 1 || len(f.keys) != 1 || f.keys[id] != id {
				t.Errorf("the platform was told %d notices under the keys %v, want one under its identifier", len(f.told), f.keys)
			}
			f.decided(id)
			s.clock.advance(30 * 24 * time.Hour)
			if k := s.step(); k != 0 {
				t.Errorf("%d jobs left after the receipt", k)
			}
		})
	}
}

// TestSendPairs meets each two faults that may be tried again, one after the
// other.
func TestSendPairs(t *testing.T) {
	pairs := 0
	for _, x := range faults {
		for _, y := range faults {
			if !x.pair || !y.pair {
				continue // what takes long, or goes the same way as another, is met alone
			}
			pairs++
			t.Run(x.name+", then "+y.name, func(t *testing.T) {
				t.Parallel()
				f := newFar(t)
				s, c, id := hubOf(t, f, 5*time.Second)
				f.will(x, y)
				for range 3 {
					s.step()
					s.check()
					s.clock.advance(time.Hour)
				}
				// A cut on a connection that was used before is tried again by
				// net/http itself, as the request carries an idempotency key.
				if n := s.caseOf(c.Ref).Notice(id); n.State != rempart.NoticeSent || f.tries != 3 || len(f.told) != 1 {
					t.Errorf("notice %s after %d attempts, %d tries, %d told", n.State, len(n.Attempts), f.tries, len(f.told))
				}
			})
		}
	}
	if pairs == 0 {
		t.Fatal("no pairs")
	}
}

// TestBackoff lets a platform be away for ever: after about seven days, and not
// before, the notice is given to a human.
func TestBackoff(t *testing.T) {
	f := newFar(t)
	s, c, id := hubOf(t, f, patience)
	away := f.URL
	f.Close() // it does not accept connections
	tries := 0
	for {
		if s.step() == 0 {
			t.Fatal("nothing to do, and the notice is still queued")
		}
		tries++
		s.check()
		n := s.caseOf(c.Ref).Notice(id)
		if n.State == rempart.NoticeFailed {
			break
		}
		if next := n.Attempts[len(n.Attempts)-1].Next; next.After(s.clock.now()) && tries < 100 {
			s.clock.set(next)
			continue
		}
		t.Fatalf("after %d tries notice %s has no next try", tries, n.State)
	}
	if d := s.clock.now().Sub(start); d < 6*24*time.Hour+12*time.Hour || d > 7*24*time.Hour {
		t.Errorf("given to a human after %v, want about seven days", d)
	}
	if jobs := s.left(rempart.JobSend); len(jobs) != 1 || jobs[0].State != "dead" || jobs[0].Why == "" {
		t.Errorf("jobs left: %+v, want one given to a human, with a reason", jobs)
	}
	if i := s.caseOf(c.Ref).Items[0]; i.State != rempart.ItemFailed {
		t.Errorf("item %s, want failed", i.State)
	}
	s.clock.advance(30 * 24 * time.Hour)
	if k := s.step(); k != 0 {
		t.Errorf("%d jobs done after it was given up", k)
	}
	if n := s.count(c.ID, "notice.failed"); n != 1 {
		t.Errorf("%d events notice.failed, want 1", n)
	}
	for _, a := range s.caseOf(c.Ref).Notice(id).Attempts {
		if strings.Contains(a.Answer, away) || strings.Contains(a.Answer, "127.0.0.1") {
			t.Errorf("answer %q holds the platform's address", a.Answer)
		}
	}
}

// TestNoChannel checks that a service that cannot be reached at all shows as
// such at once.
func TestNoChannel(t *testing.T) {
	for name, prepare := range map[string]func(s *side){
		"no peer":           func(s *side) { s.serves("forum", "forum.exemple.test", "") },
		"peer is not known": func(s *side) { s.serves("forum", "forum.exemple.test", "nobody") },
		"no address":        func(s *side) { s.knows("forum", rempart.PeerPlatform, "", keyAtHub, keyAtPlatform) },
		"disabled": func(s *side) {
			p := rempart.Peer{ID: "forum", Kind: rempart.PeerPlatform, URL: "http://127.0.0.1:1", DisabledAt: start}
			if err := s.DB.PutPeer(s.t.Context(), p, "", nil); err != nil {
				s.t.Fatal(err)
			}
		},
		"no credentials": func(s *side) {
			p := rempart.Peer{ID: "other", Kind: rempart.PeerPlatform, URL: "http://127.0.0.1:1"}
			if err := s.DB.PutPeer(s.t.Context(), p, "rk_other", nil); err != nil {
				s.t.Fatal(err)
			}
			s.serves("forum", "forum.exemple.test", "other")
		},
		"an address that is none": func(s *side) { s.knows("forum", rempart.PeerPlatform, "::", keyAtHub, keyAtPlatform) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFar(t)
			s, c, id := hubOf(t, f, patience)
			prepare(s)
			s.step()
			s.check()
			n := s.caseOf(c.Ref).Notice(id)
			if n.State != rempart.NoticeFailed || len(n.Attempts) != 1 || n.Attempts[0].Answer == "" {
				t.Errorf("notice %s, attempts %+v, want failed with a reason", n.State, n.Attempts)
			}
			if f.tries != 0 {
				t.Errorf("the platform was told %d times", f.tries)
			}
		})
	}
}

// TestSlowPlatform checks that a platform that does not answer holds up no other
// notice.
func TestSlowPlatform(t *testing.T) {
	slow, quick := newFar(t), newFar(t)
	s := newSide(t, newClock(), 5*time.Second)
	s.knows("forum", rempart.PeerPlatform, slow.URL, keyAtHub, keyAtPlatform)
	s.serves("forum", "forum.exemple.test", "forum")
	s.knows("album", rempart.PeerPlatform, quick.URL, "rk_of-the-album", keyAtPlatform)
	s.serves("album", "album.exemple.test", "album")
	c, other := s.submit(reportOf("https://forum.exemple.test/p/1")), s.submit(reportOf("https://album.exemple.test/p/1"))
	first, second := s.notify(c, "forum"), s.notify(other, "album")
	slow.will(fault{stores: true, answer: func(w http.ResponseWriter, r *http.Request, receipt string) {
		until(r.Context(), t, "the notice to the other platform", quick.wasTold)
		fine.answer(w, r, receipt)
	}})
	s.step()
	s.check()
	if n := s.caseOf(c.Ref).Notice(first); n.State != rempart.NoticeSent {
		t.Errorf("notice to the slow platform: %s, want sent", n.State)
	}
	if n := s.caseOf(other.Ref).Notice(second); n.State != rempart.NoticeSent {
		t.Errorf("notice to the other platform: %s, want sent", n.State)
	}
}
