package flow_test

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"rempart"
)

// undoable returns a hub with a notice that was sent and can be called back for a
// minute.
func undoable(t *testing.T, f *far) (s *side, c *rempart.Case, notice string) {
	t.Helper()
	s = newSide(t, newClock(), patience)
	s.knows("forum", rempart.PeerPlatform, f.URL, keyAtHub, keyAtPlatform)
	s.serves("forum", "forum.exemple.test", "forum")
	c = s.submit(reportOf("https://forum.exemple.test/p/1"))
	s.change(c, func(c *rempart.Case) error { return c.ConfirmQualification(c.Quals[0].ID, analyst, s.clock.now()) })
	notice, err := s.Draft(t.Context(), c.ID, "forum", []string{c.Items[0].ID}, analyst)
	if err != nil {
		t.Fatal(err)
	}
	s.resend(c, notice)
	return s, c, notice
}

func (s *side) resend(c *rempart.Case, notice string) {
	s.t.Helper()
	s.change(c, func(c *rempart.Case) error {
		if err := c.EditNotice(notice, c.Notice(notice).Explanation, true, analyst, s.clock.now()); err != nil {
			return err
		}
		return c.SendNoticeIn(notice, time.Minute, analyst, s.clock.now())
	})
}

// TestUndo: nothing leaves before its time; what is called back is as it was, and
// can be sent again, once, at its new time; what has left cannot be called back.
func TestUndo(t *testing.T) {
	f := newFar(t)
	s, c, id := undoable(t, f)
	s.clock.advance(time.Minute - time.Millisecond)
	s.settle()
	if f.wasTold() {
		t.Fatal("it left before its time")
	}
	recall := func(c *rempart.Case) error { return c.RecallNotice(id, analyst, s.clock.now()) }
	s.change(c, recall)
	s.check()
	got := s.caseOf(c.Ref)
	if i := got.Items[0]; got.Notice(id).State != rempart.NoticeDraft || i.State != rempart.ItemReported || i.NoticeID != "" || !i.Since.Equal(c.Items[0].Since) {
		t.Errorf("called back: notice %s, item %s since %s of notice %q", got.Notice(id).State, i.State, i.Since, i.NoticeID)
	}
	s.resend(c, id) // a second later, so that the first job comes due in the window of the second
	s.clock.advance(30 * time.Second)
	s.settle()
	if f.wasTold() {
		t.Fatal("the job that was called back sent the notice before its time")
	}
	s.clock.advance(31 * time.Second)
	s.settle()
	s.check()
	if n := s.caseOf(c.Ref).Notice(id); n.State != rempart.NoticeSent || len(n.Attempts) != 1 {
		t.Errorf("sent again: %s after %d attempts", n.State, len(n.Attempts))
	}
	if err := s.DB.UpdateCase(t.Context(), c.ID, "", recall); rempart.KindOf(err) != rempart.Conflict {
		t.Errorf("what has left was called back: %v", err)
	}
}

// TestUndoTooLate: once delivery has begun, whatever becomes of it, the notice
// cannot be called back, even by a machine whose time has gone back.
func TestUndoTooLate(t *testing.T) {
	f := newFar(t)
	f.will(fault{answer: status(500, "our database is away")})
	s, c, id := undoable(t, f)
	var killed atomic.Bool
	s.Fault = func(point string) {
		if point == "notice.send.leaves" && killed.CompareAndSwap(false, true) {
			runtime.Goexit()
		}
	}
	s.clock.advance(time.Minute)
	s.step()
	s.clock.advance(-30 * time.Second)
	if err := s.DB.UpdateCase(t.Context(), c.ID, "", func(c *rempart.Case) error { return c.RecallNotice(id, analyst, s.clock.now()) }); rempart.KindOf(err) != rempart.Conflict {
		t.Errorf("called back while it may be on its way: %v", err)
	}
	for range 5 {
		s.clock.advance(2 * time.Minute)
		s.settle()
	}
	s.check()
	if n := s.caseOf(c.Ref).Notice(id); n.State != rempart.NoticeSent || !killed.Load() {
		t.Errorf("after the kill: %s", n.State)
	}
}
