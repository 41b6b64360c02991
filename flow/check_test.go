package flow_test

import (
	"rempart"
)

// noticeEvents says in which state each event leaves a notice, and from which
// states it may come.
var noticeEvents = map[string]struct {
	to   rempart.NoticeState
	from []rempart.NoticeState
}{
	"notice.prepared":       {rempart.NoticeDraft, []rempart.NoticeState{""}},
	"notice.edited":         {rempart.NoticeDraft, []rempart.NoticeState{rempart.NoticeDraft}},
	"notice.recalled":       {rempart.NoticeDraft, []rempart.NoticeState{rempart.NoticeQueued}},
	"notice.queued":         {rempart.NoticeQueued, []rempart.NoticeState{rempart.NoticeDraft, rempart.NoticeFailed}},
	"notice.attempt_failed": {rempart.NoticeQueued, []rempart.NoticeState{rempart.NoticeQueued}},
	"notice.failed":         {rempart.NoticeFailed, []rempart.NoticeState{rempart.NoticeQueued}},
	"notice.unclear":        {rempart.NoticeFailed, []rempart.NoticeState{rempart.NoticeQueued}},
	"notice.arrived":        {rempart.NoticeSent, []rempart.NoticeState{rempart.NoticeFailed}},
	"notice.sent":           {rempart.NoticeSent, []rempart.NoticeState{rempart.NoticeQueued, rempart.NoticeFailed}},
	"notice.acknowledged":   {rempart.NoticeAcknowledged, []rempart.NoticeState{rempart.NoticeSent}},
	"notice.cancelled":      {rempart.NoticeCancelled, []rempart.NoticeState{rempart.NoticeDraft, rempart.NoticeFailed}},
}

// itemOf says in which state an address is while its notice is in a state.
var itemOf = map[rempart.NoticeState]rempart.ItemState{
	rempart.NoticeQueued:       rempart.ItemQueued,
	rempart.NoticeFailed:       rempart.ItemFailed,
	rempart.NoticeSent:         rempart.ItemNotified,
	rempart.NoticeAcknowledged: rempart.ItemAcknowledged,
}

// check holds every invariant of a side against what is in its database: each
// change of a notice has its event and skips no state, a notice that waits has
// its job and its next try, a notice that does not wait has none, items stand
// where their notice does, stops are counted as often as they were noted, and
// the ledger is whole.
func (s *side) check() {
	s.t.Helper()
	rows, _, err := s.DB.Queue(s.t.Context(), store200)
	if err != nil {
		s.t.Fatal(err)
	}
	jobs := s.jobs()
	for _, row := range rows {
		c, err := s.DB.Case(s.t.Context(), row.ID)
		if err != nil {
			s.t.Fatal(err)
		}
		s.checkCase(c, jobs)
	}
	if _, err := s.DB.Seal(s.t.Context()); err != nil {
		s.t.Error(err)
	}
	if r, err := s.DB.VerifyLedger(s.t.Context(), nil); err != nil || !r.Whole || r.Sealed != r.Records {
		s.t.Errorf("ledger: %+v, %v", r, err)
	}
}

func (s *side) checkCase(c *rempart.Case, jobs []job) {
	s.t.Helper()
	events, err := s.DB.Events(s.t.Context(), c.ID)
	if err != nil {
		s.t.Fatal(err)
	}
	state := map[string]rempart.NoticeState{}
	tried := map[string]int{}
	decided, stops := map[string]int{}, map[string]int{}
	for _, e := range events {
		id := e.Data["notice"]
		switch e.Kind {
		case "item.decided":
			decided[e.Data["item"]]++
			continue
		case "match.stopped":
			stops[e.Data["item"]]++
			continue
		case "notice.attempt_failed", "notice.failed", "notice.unclear", "notice.sent":
			tried[id]++
		}
		step, ok := noticeEvents[e.Kind]
		if !ok {
			continue
		}
		skipped := true
		for _, from := range step.from {
			skipped = skipped && state[id] != from
		}
		if skipped {
			s.t.Errorf("notice %s: event %s in state %q", id, e.Kind, state[id])
		}
		state[id] = step.to
	}
	for _, n := range c.Notices {
		want := state[n.ID]
		if n.State == rempart.NoticeDecided {
			want = n.State
			for _, i := range n.Items {
				if decided[i.ID] == 0 {
					s.t.Errorf("notice %s is decided without an event for item %s", n.ID, i.ID)
				}
			}
		}
		if n.State != want {
			s.t.Errorf("notice %s is %s; its events say %s", n.ID, n.State, want)
		}
		if len(n.Attempts) != tried[n.ID] {
			s.t.Errorf("notice %s has %d attempts and %d events of attempts", n.ID, len(n.Attempts), tried[n.ID])
		}
		s.checkNotice(c, n, jobs)
	}
	for _, i := range c.Items {
		if decided[i.ID] > 1 || (i.Decision != nil) != (decided[i.ID] == 1) {
			s.t.Errorf("item %s: decision %v, %d events", i.ID, i.Decision, decided[i.ID])
		}
		if i.Stops != stops[i.ID] {
			s.t.Errorf("item %s: %d stops, %d events", i.ID, i.Stops, stops[i.ID])
		}
	}
}

// checkNotice checks that the state of a notice can be seen for what it is.
func (s *side) checkNotice(c *rempart.Case, n rempart.Notice, jobs []job) {
	s.t.Helper()
	waiting := 0
	for _, j := range jobs {
		if j.Kind != rempart.JobSend || j.Payload != n.ID || j.State == "done" || j.State == "dead" {
			continue
		}
		waiting++
		if k := len(n.Attempts); n.State == rempart.NoticeQueued && k > 0 && !n.Attempts[k-1].Next.IsZero() && !n.Attempts[k-1].Next.Equal(j.Due) {
			s.t.Errorf("notice %s is said to be tried again at %v; its job is due at %v", n.ID, n.Attempts[k-1].Next, j.Due)
		}
	}
	if n.State == rempart.NoticeQueued && waiting != 1 {
		s.t.Errorf("notice %s is queued with %d jobs: nothing will deliver it, or two will", n.ID, waiting)
	}
	if n.State == rempart.NoticeFailed && waiting != 0 {
		s.t.Errorf("notice %s has failed, and %d jobs still deliver it", n.ID, waiting)
	}
	switch n.State {
	case rempart.NoticeSent, rempart.NoticeAcknowledged, rempart.NoticeDecided:
		if last := len(n.Attempts) - 1; n.Number == "" && (last < 0 || n.Attempts[last].Channel != rempart.ChannelMail && !n.Attempts[last].Unclear) { // an e-mail has none, nor what a human found out to have arrived
			s.t.Errorf("notice %s is %s without a number", n.ID, n.State)
		}
	}
	for _, ni := range n.Items {
		i := c.Item(ni.ID)
		if want, ok := itemOf[n.State]; ok && i.NoticeID == n.ID && i.State != want {
			s.t.Errorf("item %s is %s; its notice is %s", i.ID, i.State, n.State)
		}
	}
}
