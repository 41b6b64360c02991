package flow_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"rempart"
	"rempart/exchange"
)

var removal = rempart.Decision{Measure: rempart.MeasureRemoved, Ground: "law", Reference: "Code pénal, art. 226-8-1",
	Facts: "Notification reçue et examinée.", Explanation: "Le contenu correspond aux faits décrits ; il a été retiré.", Redress: []string{"complaint"}, Scope: "EU"}

func decisions(c *rempart.Case, notice string) map[string]rempart.Decision {
	out := map[string]rempart.Decision{}
	for _, i := range c.Notice(notice).Items {
		out[i.ID] = removal
	}
	return out
}

// sent returns a hub with a notice that its platform has, and the platform as a
// peer.
func sent(t *testing.T, r rempart.Report) (s *side, c *rempart.Case, notice string, from rempart.Peer) {
	t.Helper()
	f := newFar(t)
	s = newSide(t, newClock(), patience)
	from = s.knows("forum", rempart.PeerPlatform, f.URL, keyAtHub, keyAtPlatform)
	s.serves("forum", "forum.exemple.test", "forum")
	c = s.submit(r)
	notice = s.notify(c, "forum")
	s.step()
	s.check()
	return s, s.caseOf(c.Ref), notice, from
}

func TestAnswer(t *testing.T) {
	s, c, id, from := sent(t, reportOf("https://forum.exemple.test/p/1", medium(hash(1))))
	s.confirm(c)
	var medium string
	for _, i := range c.Items {
		if i.Kind == rempart.ItemMedium {
			medium = i.ID
		}
	}
	stop := &exchange.Stop{CaseRef: c.Ref, Item: medium, List: "ncii-adult", Type: rempart.PDQ, Distance: 4}
	for _, x := range []struct {
		cb     exchange.Callback
		notice rempart.NoticeState
		item   rempart.ItemState
		stops  int
	}{
		{exchange.Callback{Type: rempart.CallbackAcknowledged, NoticeID: id, Number: "N-1"}, rempart.NoticeAcknowledged, rempart.ItemAcknowledged, 0},
		{exchange.Callback{Type: rempart.CallbackDecided, NoticeID: id, Number: "N-1", Items: decisions(c, id)}, rempart.NoticeDecided, rempart.ItemRemoved, 0},
		{exchange.Callback{Type: rempart.CallbackStopped, Stop: stop}, rempart.NoticeDecided, rempart.ItemRemoved, 1},
		{exchange.Callback{Type: rempart.CallbackAcknowledged, NoticeID: id, Number: "N-1"}, rempart.NoticeDecided, rempart.ItemRemoved, 1}, // late
	} {
		webhook := "msg_" + x.cb.Type + fmt.Sprint(s.clock.now().Unix())
		var after []*rempart.Case
		for range 3 { // the first, and two repetitions
			s.clock.advance(time.Minute)
			if err := s.Answer(t.Context(), from, webhook, x.cb); err != nil {
				t.Fatalf("%s: %v", x.cb.Type, err)
			}
			s.check()
			after = append(after, s.caseOf(c.Ref))
		}
		for _, again := range after[1:] {
			if d := cmp.Diff(after[0], again, cmp.AllowUnexported(rempart.Case{}), cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".changes" }, cmp.Ignore())); d != "" {
				t.Errorf("%s: a repetition changed the case:\n%s", x.cb.Type, d)
			}
		}
		now := after[0]
		if n := now.Notice(id); n.State != x.notice || now.Items[0].State != x.item || now.Item(medium).Stops != x.stops {
			t.Errorf("%s: notice %s, item %s, %d stops; want %s, %s, %d", x.cb.Type, n.State, now.Items[0].State, now.Item(medium).Stops, x.notice, x.item, x.stops)
		}
	}
}

// TestAnswerRefused checks that what a platform may not say changes nothing.
func TestAnswerRefused(t *testing.T) {
	s, c, id, from := sent(t, reportOf("https://forum.exemple.test/p/1"))
	other := s.knows("other", rempart.PeerPlatform, "", "rk_other", "")
	before := s.caseOf(c.Ref)
	partly := map[string]rempart.Decision{}
	lacking := removal
	lacking.Redress = nil
	for _, x := range []struct {
		name string
		from rempart.Peer
		cb   exchange.Callback
		want rempart.Kind
	}{
		{"acknowledged by another platform", other, exchange.Callback{Type: rempart.CallbackAcknowledged, NoticeID: id, Number: "N-1"}, rempart.NotFound},
		{"decided by another platform", other, exchange.Callback{Type: rempart.CallbackDecided, NoticeID: id, Number: "N-1", Items: decisions(c, id)}, rempart.NotFound},
		{"no such notice", from, exchange.Callback{Type: rempart.CallbackAcknowledged, NoticeID: "00000000000000000000000000", Number: "N-1"}, rempart.NotFound},
		{"no notice", from, exchange.Callback{Type: rempart.CallbackDecided}, rempart.NotFound},
		{"not every item decided", from, exchange.Callback{Type: rempart.CallbackDecided, NoticeID: id, Number: "N-1", Items: partly}, rempart.Invalid},
		{"reasons that lack something", from, exchange.Callback{Type: rempart.CallbackDecided, NoticeID: id, Number: "N-1", Items: map[string]rempart.Decision{c.Items[0].ID: lacking}}, rempart.Invalid},
		{"a type nobody knows", from, exchange.Callback{Type: "notice.lost", NoticeID: id}, rempart.Invalid},
		{"a stop of nothing", from, exchange.Callback{Type: rempart.CallbackStopped}, rempart.Invalid},
		{"a stop of no case", from, exchange.Callback{Type: rempart.CallbackStopped, Stop: &exchange.Stop{CaseRef: "0000-0000", Item: "x"}}, rempart.NotFound},
		{"a stop of an address", from, exchange.Callback{Type: rempart.CallbackStopped, Stop: &exchange.Stop{CaseRef: c.Ref, Item: c.Items[0].ID}}, rempart.NotFound},
	} {
		if err := kindIs(s.Answer(t.Context(), x.from, "msg_"+x.name, x.cb), x.want); err != nil {
			t.Errorf("%s: %v", x.name, err)
		}
		s.check()
		if now := s.caseOf(c.Ref); now.Version != before.Version {
			t.Errorf("%s: the case was changed", x.name)
		}
	}
	// Whose notice it is must not show: not there and not yours are one answer.
	mine := s.Answer(t.Context(), other, "a", exchange.Callback{Type: rempart.CallbackAcknowledged, NoticeID: id})
	none := s.Answer(t.Context(), other, "b", exchange.Callback{Type: rempart.CallbackAcknowledged, NoticeID: "none"})
	var a, b *rempart.Error
	if !errors.As(mine, &a) || !errors.As(none, &b) || a.Code != b.Code || a.Public != b.Public {
		t.Errorf("another's notice: %v; no notice: %v; want the same", mine, none)
	}
}

// TestAcknowledgementOvertakes lets the acknowledgement come before the receipt
// was recorded: the process was killed between the two, or the platform's other
// hand is quicker.
func TestAcknowledgementOvertakes(t *testing.T) {
	f := newFar(t)
	s, c, id := hubOf(t, f, patience)
	from, err := s.DB.Peer(t.Context(), "forum")
	if err != nil {
		t.Fatal(err)
	}
	slow := fine
	slow.answer = func(w http.ResponseWriter, r *http.Request, receipt string) {
		if err := s.Answer(r.Context(), from, "msg_ack", exchange.Callback{Type: rempart.CallbackAcknowledged, NoticeID: id, Number: "N-1"}); err != nil {
			t.Error(err)
		}
		fine.answer(w, r, receipt)
	}
	f.will(slow)
	s.step()
	s.check()
	s.clock.advance(time.Hour)
	if k := s.step(); k != 0 {
		t.Errorf("%d jobs left", k)
	}
	now := s.caseOf(c.Ref)
	if n := now.Notice(id); n.State != rempart.NoticeAcknowledged || n.Number != "N-1" || now.Items[0].State != rempart.ItemAcknowledged {
		t.Errorf("notice %s with number %q, item %s", n.State, n.Number, now.Items[0].State)
	}
	for _, kind := range []string{"notice.sent", "notice.acknowledged"} {
		if k := s.count(c.ID, kind); k != 1 {
			t.Errorf("%d events %s, want 1", k, kind)
		}
	}
	if f.tries != 1 {
		t.Errorf("delivered %d times, want once", f.tries)
	}
}

// TestAcknowledgementAfterFailure lets a platform acknowledge a notice whose
// delivery we had given up: it happened all the same.
func TestAcknowledgementAfterFailure(t *testing.T) {
	f := newFar(t)
	s, c, id := hubOf(t, f, patience)
	from, err := s.DB.Peer(t.Context(), "forum")
	if err != nil {
		t.Fatal(err)
	}
	f.will(fault{name: "409, but it happened", stores: true, answer: status(409, "")})
	s.step()
	s.check()
	if err := s.Answer(t.Context(), from, "msg_ack", exchange.Callback{Type: rempart.CallbackAcknowledged, NoticeID: id, Number: "N-1"}); err != nil {
		t.Fatal(err)
	}
	s.check()
	if n := s.caseOf(c.Ref).Notice(id); n.State != rempart.NoticeAcknowledged {
		t.Errorf("notice %s, want acknowledged", n.State)
	}
}

// TestCallbackSignature posts callbacks to the hub's door: only one that is
// signed with the peer's secret, now, is taken.
func TestCallbackSignature(t *testing.T) {
	s, c, id, _ := sent(t, reportOf("https://forum.exemple.test/p/1"))
	s.knows("flagger", rempart.PeerFlagger, "", "rk_flagger", "")
	url := s.serve(true, false) + "/api/v1/callbacks"
	client := getter(t)
	body, err := json.Marshal(exchange.Callback{Type: rempart.CallbackAcknowledged, NoticeID: id, Number: "N-1", At: s.clock.now()})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		name, key, secret string
		age               time.Duration
		body              string
		change            func(http.Header)
		want              int
	}{
		{"another secret", keyAtHub, "whsec_YW5vdGhlciBzZWNyZXQsIG9mIHNvbWVib2R5IGVsc2U=", 0, string(body), nil, 401},
		{"ten minutes old", keyAtHub, secret, 10 * time.Minute, string(body), nil, 401},
		{"ten minutes early", keyAtHub, secret, -10 * time.Minute, string(body), nil, 401},
		{"no signature", keyAtHub, secret, 0, string(body), func(h http.Header) { h.Del(standardwebhooks.HeaderWebhookSignature) }, 401},
		{"no identifier", keyAtHub, secret, 0, string(body), func(h http.Header) { h.Del(standardwebhooks.HeaderWebhookID) }, 401},
		{"another identifier", keyAtHub, secret, 0, string(body), func(h http.Header) { h.Set(standardwebhooks.HeaderWebhookID, "msg_2") }, 401},
		{"another body", keyAtHub, secret, 0, strings.Replace(string(body), "N-1", "N-2", 1), nil, 401},
		{"no key", "", secret, 0, string(body), nil, 401},
		{"a key nobody has", "rk_none", secret, 0, string(body), nil, 401},
		{"the key of a flagger", "rk_flagger", secret, 0, string(body), nil, 403},
		{"signed by the platform", keyAtHub, secret, 0, string(body), nil, 204},
		{"the same again", keyAtHub, secret, 0, string(body), nil, 204},
	} {
		wh, err := standardwebhooks.NewWebhook(x.secret)
		if err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(-x.age)
		sig, err := wh.Sign("msg_1", at, body)
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(x.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+x.key)
		req.Header.Set(standardwebhooks.HeaderWebhookID, "msg_1")
		req.Header.Set(standardwebhooks.HeaderWebhookTimestamp, fmt.Sprint(at.Unix()))
		req.Header.Set(standardwebhooks.HeaderWebhookSignature, sig)
		if x.change != nil {
			x.change(req.Header)
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != x.want {
			t.Errorf("%s: %s, want %d", x.name, resp.Status, x.want)
		}
		want := rempart.NoticeSent
		if x.want == 204 {
			want = rempart.NoticeAcknowledged
		}
		if n := s.caseOf(c.Ref).Notice(id); n.State != want {
			t.Errorf("%s: notice %s, want %s", x.name, n.State, want)
		}
	}
	s.check()
	if k := s.count(c.ID, "notice.acknowledged"); k != 1 {
		t.Errorf("%d events, want 1", k)
	}
}
