package web

import (
	"strings"
	"testing"
	"time"

	"rempart"
	"rempart/flow"
	"rempart/recheck"
)

// TestRecheckWords: every answer of a re-check has a sentence in each language.
func TestRecheckWords(t *testing.T) {
	d := newDesk(t, true, false)
	at := d.now
	n := 0
	for _, lang := range langs {
		p := page{Lang: lang, pages: d.srv.pages}
		for _, reach := range []rempart.Reach{rempart.ReachThere, rempart.ReachGone, rempart.ReachUnknown, rempart.ReachRefused} {
			for _, why := range recheck.Whys {
				w := &rempart.Rechecks{Sent: at, Asked: 1, Next: at.Add(time.Hour), Last: rempart.Recheck{At: at, Reach: reach, Why: why},
					There: at.Add(time.Hour), Lost: at.Add(time.Hour), Gone: at.Add(90 * time.Minute), Back: at.Add(time.Duration(n%2) * time.Hour * 100)}
				if why == recheck.WhyStatus || why == recheck.WhyElsewhere || why == recheck.WhyMethod {
					w.Last.Status = 404
				}
				for _, l := range recheckLines(p, rempart.Item{State: rempart.ItemRemoved, Rechecks: w}, true) {
					n++
					if strings.Contains(l, "recheck.") || strings.Contains(l, "%") {
						t.Errorf("%s %s %s: %q", lang, reach, why, l)
					}
				}
			}
		}
	}
	if n < 100 {
		t.Fatalf("%d lines", n)
	}
}

// TestRecheckShown: the case page says what was found and in which bounds, the
// history has the same answer once, and the person is told no more than what was
// seen.
func TestRecheckShown(t *testing.T) {
	d := newDesk(t, true, false)
	d.flow.Rechecks = flow.Rechecks{Checker: recheck.New(recheck.Options{})}
	sub, err := d.flow.Submit(t.Context(), rempart.Report{Lang: "fr", Depicted: rempart.DepictedSelf, Age: rempart.AgeSaidAdult, Made: rempart.MadeFakeSexual, Seen: rempart.SeenPublic,
		Addresses: []string{"https://forum.exemple.test/page/1", "https://forum.exemple.test/page/2"}}, "")
	d.must(err)
	d.work()
	c, err := d.db.CaseByRef(t.Context(), sub.Ref)
	d.must(err)
	d.must(d.db.UpdateCase(t.Context(), c.ID, "", func(c *rempart.Case) error { return c.ConfirmQualification(c.Quals[0].ID, "Saule", d.now) }))
	id, err := d.flow.Draft(t.Context(), c.ID, forum, []string{c.Items[0].ID, c.Items[1].ID}, "Saule")
	d.must(err)
	change := func(f func(c *rempart.Case) error) { d.t.Helper(); d.must(d.db.UpdateCase(t.Context(), c.ID, "", f)) }
	change(func(c *rempart.Case) error {
		if err := c.EditNotice(id, c.Notice(id).Explanation, true, "Saule", d.now); err != nil {
			return err
		}
		if err := c.SendNotice(id, "Saule", d.now); err != nil {
			return err
		}
		return c.NoticeAccepted(id, "N-1", rempart.Attempt{At: d.now, Status: 202}, d.now)
	})
	sent := d.now
	for _, x := range []struct {
		hours  int
		reach  rempart.Reach
		status int
	}{{1, rempart.ReachThere, 200}, {6, rempart.ReachThere, 200}, {24, rempart.ReachGone, 404}} {
		change(func(c *rempart.Case) error {
			return c.Rechecked(c.Items[0].ID, rempart.Recheck{At: sent.Add(time.Duration(x.hours) * time.Hour), Reach: x.reach, Status: x.status, Why: recheck.WhyStatus})
		})
	}
	s := d.sit(rempart.RoleAnalyst)
	fr, en := s.page("/console/cases/"+c.Ref).body, s.page("/console/cases/"+c.Ref+"?lang=en").body
	for _, want := range []string{"l’adresse ne répond plus (statut 404)", "Disparue entre 6 heures et 24 heures après la notification", "Prochaine vérification"} {
		if !strings.Contains(fr, want) {
			t.Errorf("the French page lacks %q", want)
		}
	}
	for _, want := range []string{"the address no longer answers (status 404)", "Gone between 6 hours and 24 hours after the notice"} {
		if !strings.Contains(en, want) {
			t.Errorf("the English page lacks %q", want)
		}
	}
	if n := strings.Count(en, "re-check, it still answers"); n != 1 {
		t.Errorf("the history says %d times that it still answers, want one line", n)
	}
	f, err := d.flow.FollowUp(t.Context(), string(sub.Code))
	d.must(err)
	p := page{Lang: "en", pages: d.srv.pages}
	v := newFollowView(p, f)
	if got := v.Items[0]; got.State != p.T("follow.state.notified") || !strings.Contains(got.Sentence, "no longer answered. The platform has not confirmed it") {
		t.Errorf("the person is told %+v", got)
	}
	if strings.Contains(v.Items[1].Sentence, "no longer") {
		t.Errorf("of an address that nobody asked the person is told %q", v.Items[1].Sentence)
	}
}
