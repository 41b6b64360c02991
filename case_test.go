package rempart

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

var t0 = time.Date(2026, 11, 22, 9, 30, 0, 0, time.UTC)

const (
	hashA = "f8f8f0cee0f4a84f06370a22038f67f0b36e2ed596221e1d33e6339c4e9c9b22"
	sumA  = "5e683cb1711a8fdf65b18e68b4c7d8ae5c653314a982cd9d6c5b5673379fc298"
)

// opened returns a case in the queue with two addresses and a picture, and one
// proposed qualification.
func opened(t *testing.T) *Case {
	t.Helper()
	r, err := Report{
		CaseID: "c1", Depicted: DepictedSelf, Age: AgeSaidAdult, Made: MadeFakeSexual, Seen: SeenPublic,
		Addresses: []string{"https://galerie.exemple.test/1", "https://galerie.exemple.test/2"},
		Media:     []Medium{{Fingerprints: []Fingerprint{{Type: PDQ, Value: hashA, Quality: 100}, {Type: SHA256, Value: sumA}}}},
	}.Normal(t0)
	if err != nil {
		t.Fatal(err)
	}
	c := OpenCase(r)
	q := Qualification{ID: "fr-226-8-1", Article: "226-8-1", Code: "Code pénal", Label: Text{"Montage", "Montage"}, TextDate: "2026-04-02", Source: "s", State: QualificationProposed}
	if err := c.Propose(Proposal{Quals: []Qualification{q}, Pack: "p1", Category: "3f", Priority: PriorityHigh}, t0); err != nil {
		t.Fatal(err)
	}
	return c
}

var gallery = Service{ID: "galerie", Name: "Galerie", Hosts: []string{"galerie.exemple.test"}, PeerID: "galerie", Lang: "fr"}

const because = "Une explication assez longue pour être suffisamment étayée."

// sent returns a case whose notice waits in the outbox.
func sent(t *testing.T) (*Case, string) {
	t.Helper()
	c := opened(t)
	if err := c.ConfirmQualification("fr-226-8-1", "Saule", t0); err != nil {
		t.Fatal(err)
	}
	id, err := c.PrepareNotice(gallery, []string{c.Items[0].ID, c.Items[1].ID}, because, Notifier{Name: "A", Email: "a@exemple.test"}, "Saule", t0)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.EditNotice(id, because, true, "Saule", t0); err != nil {
		t.Fatal(err)
	}
	if err := c.SendNotice(id, "Saule", t0); err != nil {
		t.Fatal(err)
	}
	return c, id
}

func decision(m Measure) Decision {
	return Decision{Measure: m, Ground: "law", Reference: "art. 226-8-1", Facts: "Notification examinée.", Explanation: "Les faits correspondent à l’article.", Redress: []string{"complaint"}, At: t0}
}

func kinds(c Consequences) []string {
	var out []string
	for _, e := range c.Events {
		out = append(out, e.Kind)
	}
	return out
}

func TestOpenCase(t *testing.T) {
	c := opened(t)
	out := c.TakeConsequences()
	if got := kinds(out); !slices.Equal(got, []string{"report.received", "case.opened", "case.qualified"}) {
		t.Errorf("events %v", got)
	}
	if len(out.Jobs) != 1 || out.Jobs[0].Kind != JobQualify {
		t.Errorf("jobs %v", out.Jobs)
	}
	if len(out.Entries) != 2 || out.Entries[0].Entry.State != EntryProvisional || out.Entries[0].Entry.List != "ncii-adult" {
		t.Errorf("entries %+v", out.Entries)
	}
	for _, e := range out.Events[:2] {
		if !e.At.Equal(t0.Truncate(time.Hour)) {
			t.Errorf("event %s tells the minute of the report: %v", e.Kind, e.At)
		}
	}
	if again := c.TakeConsequences(); len(again.Events)+len(again.Jobs)+len(again.Entries) != 0 {
		t.Error("consequences are handed over twice")
	}
}

// A state may only be followed by those that the tables name; every other pair
// is refused and changes nothing.
func TestForbiddenTransitions(t *testing.T) {
	pairs := 0
	for from := range itemNext {
		for to := range itemNext {
			i := Item{State: from}
			err := i.move(to, t0)
			allowed := slices.Contains(itemNext[from], to)
			if allowed != (err == nil) || !allowed && i.State != from || allowed && i.State != to {
				t.Errorf("item %s → %s: %v, state %s", from, to, err, i.State)
			}
			if !allowed && KindOf(err) != Conflict {
				t.Errorf("item %s → %s: kind %v", from, to, KindOf(err))
			}
			pairs++
		}
	}
	for from := range noticeNext {
		for to := range noticeNext {
			n := Notice{State: from}
			if err := n.move(to, t0); slices.Contains(noticeNext[from], to) != (err == nil) {
				t.Errorf("notice %s → %s: %v", from, to, err)
			}
			pairs++
		}
	}
	for from := range caseNext {
		for to := range caseNext {
			c := Case{State: from}
			if err := c.to(to, t0); slices.Contains(caseNext[from], to) != (err == nil) {
				t.Errorf("case %s → %s: %v", from, to, err)
			}
			pairs++
		}
	}
	if pairs < 14*14 {
		t.Errorf("only %d pairs tried", pairs)
	}
}

func TestNoticeWay(t *testing.T) {
	c, id := sent(t)
	out := c.TakeConsequences()
	if len(out.Jobs) != 2 || out.Jobs[1].Kind != JobSend || out.Jobs[1].Payload != id {
		t.Fatalf("jobs %+v", out.Jobs)
	}
	if err := c.NoticeAccepted(id, "N-1", Attempt{At: t0, Status: 202}, t0); err != nil {
		t.Fatal(err)
	}
	if err := c.NoticeAccepted(id, "N-1", Attempt{At: t0, Status: 202}, t0); err != nil || len(c.Notice(id).Attempts) != 1 {
		t.Fatalf("the same receipt twice: %v, %d attempts", err, len(c.Notice(id).Attempts))
	}
	d := map[string]Decision{c.Items[0].ID: decision(MeasureRemoved)}
	if err := c.NoticeDecided(id, "N-1", "galerie", d, t0); KindOf(err) != Invalid {
		t.Fatalf("a decision that forgets an item: %v", err)
	}
	d[c.Items[1].ID] = decision(MeasureRefused)
	if err := c.NoticeDecided(id, "N-1", "galerie", d, t0); err != nil {
		t.Fatal(err)
	}
	if c.Items[0].State != ItemRemoved || c.Items[1].State != ItemRefused {
		t.Errorf("items %s, %s", c.Items[0].State, c.Items[1].State)
	}
	c.TakeConsequences()
	if err := c.NoticeDecided(id, "N-1", "galerie", d, t0); err != nil || len(c.TakeConsequences().Events) != 0 {
		t.Errorf("the same decision twice: %v", err)
	}
}

// The platform's answer can overtake our record of its receipt; no state is
// skipped in the events.
func TestAnswerOvertakesReceipt(t *testing.T) {
	c, id := sent(t)
	c.TakeConsequences()
	d := map[string]Decision{c.Items[0].ID: decision(MeasureRemoved), c.Items[1].ID: decision(MeasureRemoved)}
	if err := c.NoticeDecided(id, "N-1", "galerie", d, t0); err != nil {
		t.Fatal(err)
	}
	want := []string{"notice.sent", "notice.acknowledged", "item.decided", "item.decided"}
	if got := kinds(c.TakeConsequences()); !slices.Equal(got, want) {
		t.Errorf("events %v, want %v", got, want)
	}
}

func TestFailedDeliveryIsNotSilent(t *testing.T) {
	c, id := sent(t)
	if err := c.NoticeAttemptFailed(id, Attempt{At: t0, Status: 503, Answer: "busy", Next: t0.Add(time.Second)}, t0); err != nil || c.Notice(id).State != NoticeQueued {
		t.Fatalf("%v, %s", err, c.Notice(id).State)
	}
	if err := c.NoticeAttemptFailed(id, Attempt{At: t0, Status: 404, Answer: "gone"}, t0); err != nil || c.Notice(id).State != NoticeFailed || c.Items[0].State != ItemFailed {
		t.Fatalf("%v, %s, %s", err, c.Notice(id).State, c.Items[0].State)
	}
	if err := c.Close("fini", "Saule", t0); codeOf(err) != "case.unsettled" {
		t.Errorf("a case with a failed notice closes: %v", err)
	}
	c.TakeConsequences()
	if err := c.SendNotice(id, "Saule", t0); err != nil {
		t.Fatal(err)
	}
	if jobs := c.TakeConsequences().Jobs; len(jobs) != 1 || jobs[0].Key == "send:"+id+":0" {
		t.Errorf("sending again makes jobs %+v", jobs)
	}
}

func TestNoticeMissing(t *testing.T) {
	var fields []string
	for _, m := range (Notice{}).Missing() {
		if m.Article == "" || m.Public == "" || m.Code == "" {
			t.Errorf("%+v", m)
		}
		fields = append(fields, m.Field)
	}
	if want := []string{"explanation", "grounds", "items", "notifier", "good_faith"}; !slices.Equal(fields, want) {
		t.Errorf("an empty notice lacks %v, want %v", fields, want)
	}
	fields = nil
	for _, m := range (Notice{}).MissingAtIntake() {
		fields = append(fields, m.Field)
	}
	if want := []string{"explanation", "items", "notifier", "good_faith"}; !slices.Equal(fields, want) {
		t.Errorf("at intake an empty notice lacks %v, want %v", fields, want)
	}
	for _, m := range (Notice{Minor: true}).Missing() {
		if m.Field == "notifier" {
			t.Error("a minor's notice asks for an identity (DSA 16(2)(c) does not)")
		}
	}
	c := opened(t)
	id, err := c.PrepareNotice(gallery, []string{c.Items[0].ID}, "court", Notifier{}, "Saule", t0)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.SendNotice(id, "Saule", t0); KindOf(err) != Invalid || c.Notice(id).State != NoticeDraft || c.Items[0].State != ItemReported {
		t.Errorf("an incomplete notice was sent: %v", err)
	}
}

// A minor's notice leaves the association's identity out by default.
func TestMinorNotice(t *testing.T) {
	c := opened(t)
	c.Facts.AgeClass = Age15To17
	id, err := c.PrepareNotice(gallery, []string{c.Items[0].ID}, because, Notifier{Name: "A", Email: "a@exemple.test"}, "Saule", t0)
	if err != nil {
		t.Fatal(err)
	}
	if n := c.Notice(id); !n.Minor || n.Notifier.Name != "" || n.Notifier.Email != "" {
		t.Errorf("%+v", n)
	}
}

func TestFingerprintWay(t *testing.T) {
	c := opened(t)
	m := c.Items[2]
	c.TakeConsequences()
	if err := c.ConfirmFingerprint(c.Items[0].ID, "Saule", t0); KindOf(err) != NotFound {
		t.Errorf("an address was confirmed as a fingerprint: %v", err)
	}
	if err := c.RejectFingerprint(m.ID, "", "Saule", t0); codeOf(err) != "fingerprint.reason" {
		t.Errorf("rejected without a reason: %v", err)
	}
	if err := c.ConfirmFingerprint(m.ID, "Saule", t0); codeOf(err) != "fingerprint.unqualified" {
		t.Errorf("listed without a confirmed qualification: %v", err)
	}
	if err := c.ConfirmQualification("fr-226-8-1", "Saule", t0); err != nil {
		t.Fatal(err)
	}
	c.TakeConsequences()
	if err := c.ConfirmFingerprint(m.ID, "Saule", t0); err != nil {
		t.Fatal(err)
	}
	out := c.TakeConsequences()
	if len(out.Entries) != 2 || out.Entries[0].Entry.State != EntryActive || out.Entries[0].Entry.ID != m.Entries[0] || out.Entries[1].Entry.ID != m.Entries[1] {
		t.Errorf("entries %+v", out.Entries)
	}
	if err := c.Stopped(m.ID, "galerie", 4, t0); err != nil || c.Item(m.ID).Stops != 1 {
		t.Errorf("%v, %d stops", err, c.Item(m.ID).Stops)
	}
	if err := c.WithdrawFingerprint(m.ID, ActorReporter, t0); err != nil {
		t.Fatal(err)
	}
	if err := c.ConfirmFingerprint(m.ID, "Saule", t0); KindOf(err) != Conflict {
		t.Errorf("a withdrawn fingerprint was confirmed: %v", err)
	}
}

// Why an analyst drops something is kept with it.
func TestReasonIsKept(t *testing.T) {
	c := opened(t)
	if err := c.DropItem(c.Items[0].ID, "doublon", "Saule", t0); err != nil || c.Items[0].Reason != "doublon" {
		t.Errorf("%v, reason %q", err, c.Items[0].Reason)
	}
	if err := c.RejectFingerprint(c.Items[2].ID, "image banale", "Saule", t0); err != nil || c.Items[2].Reason != "image banale" {
		t.Errorf("%v, reason %q", err, c.Items[2].Reason)
	}
}

// A platform that never answers is no dead end: an analyst stops waiting, with a
// reason, and an answer that comes after all still counts.
func TestSilentPlatform(t *testing.T) {
	c, id := sent(t)
	if err := c.NoticeAccepted(id, "N-1", Attempt{At: t0}, t0); err != nil {
		t.Fatal(err)
	}
	if err := c.Close("silence", "Saule", t0); codeOf(err) != "case.unsettled" {
		t.Errorf("closed while items wait: %v", err)
	}
	for _, i := range c.Items[:2] {
		if err := c.DropItem(i.ID, "la plateforme ne répond pas", "Saule", t0); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.DropItem(c.Items[2].ID, "inutile", "Saule", t0); err != nil {
		t.Fatal(err)
	}
	if err := c.Close("silence", "Saule", t0); err != nil {
		t.Fatal(err)
	}
	if err := c.NoticeAcknowledged(id, "N-1", "galerie", t0); err != nil || c.Items[0].State != ItemDropped {
		t.Errorf("a late acknowledgement: %v, item %s", err, c.Items[0].State)
	}
	d := map[string]Decision{c.Items[0].ID: decision(MeasureRemoved), c.Items[1].ID: decision(MeasureRefused)}
	if err := c.NoticeDecided(id, "N-1", "galerie", d, t0); err != nil || c.Items[0].State != ItemRemoved || c.Items[1].State != ItemRefused {
		t.Errorf("a late decision: %v, items %s, %s", err, c.Items[0].State, c.Items[1].State)
	}
}

// A notice that failed and was taken up by another must not be moved by a late
// answer to the first: the second would be wedged for ever.
func TestLateAnswerToAFailedNotice(t *testing.T) {
	c, first := sent(t)
	if err := c.NoticeAttemptFailed(first, Attempt{At: t0, Status: 400}, t0); err != nil {
		t.Fatal(err)
	}
	items := []string{c.Items[0].ID, c.Items[1].ID}
	if _, err := c.PrepareNotice(gallery, items, because, Notifier{Name: "A", Email: "a@exemple.test"}, "Saule", t0); codeOf(err) != "item.held" {
		t.Fatalf("a second notice for an item that a failed one holds: %v", err)
	}
	if err := c.CancelNotice(first, "Saule", t0); err != nil {
		t.Fatal(err)
	}
	second, err := c.PrepareNotice(gallery, items, because, Notifier{Name: "A", Email: "a@exemple.test"}, "Saule", t0)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.EditNotice(second, because, true, "Saule", t0); err != nil {
		t.Fatal(err)
	}
	if err := c.SendNotice(second, "Saule", t0); err != nil {
		t.Fatal(err)
	}
	if err := c.NoticeAcknowledged(first, "N-1", "galerie", t0); err != nil || c.Items[0].State != ItemQueued {
		t.Fatalf("a late acknowledgement of the first: %v, item %s", err, c.Items[0].State)
	}
	if err := c.NoticeAccepted(second, "N-2", Attempt{At: t0}, t0); err != nil {
		t.Fatalf("the second cannot be recorded: %v", err)
	}
	d := map[string]Decision{items[0]: decision(MeasureRemoved), items[1]: decision(MeasureRemoved)}
	if err := c.NoticeDecided(first, "N-1", "galerie", d, t0); err != nil || c.Items[0].State != ItemNotified {
		t.Fatalf("a late decision on the first: %v, item %s", err, c.Items[0].State)
	}
	if err := c.NoticeDecided(second, "N-2", "galerie", d, t0); err != nil || c.Items[0].State != ItemRemoved {
		t.Fatalf("%v, item %s", err, c.Items[0].State)
	}
}

// Only a listed picture can have been stopped, within the distance of a match.
func TestStopped(t *testing.T) {
	c := opened(t)
	m := c.Items[2].ID
	if err := c.Stopped(m, "galerie", 3, t0); codeOf(err) != "stop.missing" {
		t.Errorf("a picture that is not listed was stopped: %v", err)
	}
	if err := errors.Join(c.ConfirmQualification("fr-226-8-1", "Saule", t0), c.ConfirmFingerprint(m, "Saule", t0)); err != nil {
		t.Fatal(err)
	}
	for _, distance := range []int{-1, 32, 1 << 30} {
		if err := c.Stopped(m, "galerie", distance, t0); codeOf(err) != "stop.missing" {
			t.Errorf("distance %d: %v", distance, err)
		}
	}
	if err := c.Stopped(m, "galerie", 31, t0); err != nil || c.Items[2].Stops != 1 {
		t.Errorf("%v, %d stops", err, c.Items[2].Stops)
	}
}

// A decision on an item is taken once.
func TestIntakeDecideOnce(t *testing.T) {
	n := Notice{ID: "n", Explanation: because, Items: []NoticeItem{{ID: "a", Address: "https://exemple.test/a"}, {ID: "b", Address: "https://exemple.test/b"}},
		Notifier: Notifier{Name: "A", Email: "a@exemple.test"}, GoodFaith: true}
	i, err := Receive(n, "k", Peer{ID: "p", Name: "P"}, t0)
	if err != nil {
		t.Fatal(err)
	}
	if err := i.Decide("a", decision(MeasureRemoved), "Noisetier", t0); err != nil {
		t.Fatal(err)
	}
	if err := i.Decide("a", decision(MeasureRefused), "Noisetier", t0); codeOf(err) != "intake.item_decided" || i.Decisions["a"].Measure != MeasureRemoved {
		t.Errorf("decided twice: %v, %s", err, i.Decisions["a"].Measure)
	}
}

// A threat is no ground against a page.
func TestConductIsNoGround(t *testing.T) {
	c := opened(t)
	c.Quals = append(c.Quals, Qualification{ID: "fr-312-10", Article: "312-10", Conduct: true, State: QualificationProposed})
	if err := c.ConfirmQualification("fr-312-10", "Saule", t0); err != nil {
		t.Fatal(err)
	}
	id, err := c.PrepareNotice(gallery, []string{c.Items[0].ID}, because, Notifier{Name: "A", Email: "a@exemple.test"}, "Saule", t0)
	if err != nil || len(c.Notice(id).Grounds) != 0 {
		t.Fatalf("%v, grounds %v", err, c.Notice(id).Grounds)
	}
	if err := c.EditNotice(id, because, true, "Saule", t0); err != nil {
		t.Fatal(err)
	}
	if err := c.SendNotice(id, "Saule", t0); codeOf(err) != "notice.grounds" {
		t.Errorf("sent on a threat alone: %v", err)
	}
}

func TestListable(t *testing.T) {
	flat := "000000002c4b11342c4b2c4b0000554b00002c4b113411342c4b585e2c4b017e" // every flat grey picture
	for f, want := range map[Fingerprint]bool{
		{Type: PDQ, Value: hashA, Quality: 100}: true, {Type: PDQ, Value: hashA, Quality: 50}: true, {Type: PDQ, Value: hashA, Quality: 49}: false, {Type: PDQ, Value: flat, Quality: 100}: false,
		{Type: PDQ, Value: strings.Repeat("0", 64), Quality: 100}: false, {Type: PDQ, Value: strings.Repeat("f", 64), Quality: 100}: false, {Type: SHA256, Value: sumA, Quality: 0}: true,
	} {
		if f.Listable() != want {
			t.Errorf("%+v listable: %v, want %v", f, !want, want)
		}
	}
}
