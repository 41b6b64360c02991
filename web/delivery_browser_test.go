package web

import (
	"strings"
	"testing"
	"time"

	"rempart"
	"rempart/flow"
	"rempart/recheck"
)

// TestDeliveryScreens looks at the pages of a notice that went by e-mail and of a
// case whose addresses were re-checked.
func TestDeliveryScreens(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a browser")
	}
	d := newDesk(t, true, false)
	d.flow.Rechecks = flow.Rechecks{Checker: recheck.New(recheck.Options{})}
	c := d.open(rempart.AgeSaidAdult)
	change := func(f func(c *rempart.Case) error) { t.Helper(); d.must(d.db.UpdateCase(t.Context(), c.ID, "", f)) }
	change(func(c *rempart.Case) error { return c.ConfirmQualification(c.Quals[0].ID, "Saule", d.now) })
	id, err := d.flow.Draft(t.Context(), c.ID, forum, []string{c.Items[0].ID, c.Items[1].ID}, "Saule")
	d.must(err)
	try := id + ".1@association.exemple.test"
	change(func(c *rempart.Case) error {
		if err := c.EditNotice(id, c.Notice(id).Explanation, true, "Saule", d.now); err != nil {
			return err
		}
		if err := c.SendNotice(id, "Saule", d.now); err != nil {
			return err
		}
		if _, err := c.NoticeTrying(id, rempart.ChannelMail, try, d.now); err != nil {
			return err
		}
		return c.NoticeTried(id, try, "", rempart.Attempt{Unclear: true, Answer: "the connection ended before the mail server said whether it took the message"}, d.now)
	})
	l := d.looker(rempart.RoleAnalyst)
	l.unfold = true
	at := "/console/cases/" + c.Ref
	l.look("unclear", at+"/notices/"+id)
	change(func(c *rempart.Case) error { return c.NoticeArrived(id, "Saule", d.now) })
	answer := rempart.Mail{ID: "m1", At: d.now, Kind: rempart.MailReply, From: "Modération <abus@forum.exemple.test>", Subject: "Re: [" + c.Ref + "] Notification", Text: "Nous avons retiré la première page.\n\nhttps://forum.exemple.test/une-adresse-tres-longue-" + strings.Repeat("abc", 40),
		Files: []rempart.MailFile{{Name: "décision.pdf", Type: "application/pdf", Size: 70_000}}, Cut: true, Size: 90_000}
	returned := rempart.Mail{ID: "m2", At: d.now, Kind: rempart.MailBounce, From: "MAILER-DAEMON@mx.exemple.test", Subject: "Undelivered", Status: "5.1.1", Recipient: "abus@forum.exemple.test", Answer: "550 5.1.1 no such mailbox", About: []string{try}, Unread: true}
	d.must(d.db.KeepMail(t.Context(), answer, "mail:1", d.now))
	d.must(d.db.KeepMail(t.Context(), returned, "mail:2", d.now))
	l.look("mails", "/console/mails")
	l.look("mails-queue", "/console/")
	change(func(c *rempart.Case) error { return c.TakeMail(id, answer, d.now) })
	l.look("arrived", at+"/notices/"+id)
	change(func(c *rempart.Case) error { return c.TakeMail(id, returned, d.now) })
	l.look("bounced", at+"/notices/"+id)
	change(func(c *rempart.Case) error { return c.SendNotice(id, "Saule", d.now) })
	change(func(c *rempart.Case) error {
		return c.NoticeAccepted(id, "N-1", rempart.Attempt{At: d.now, Status: 202}, d.now)
	})
	for k, r := range []rempart.Recheck{{Reach: rempart.ReachThere, Status: 200}, {Reach: rempart.ReachGone, Status: 404}, {Reach: rempart.ReachThere, Status: 200}} {
		r.At, r.Why = d.now.Add(time.Duration(k+1)*3*time.Hour), recheck.WhyStatus
		change(func(c *rempart.Case) error { return c.Rechecked(c.Items[0].ID, r) })
	}
	change(func(c *rempart.Case) error {
		return c.Rechecked(c.Items[1].ID, rempart.Recheck{At: d.now.Add(time.Hour), Reach: rempart.ReachRefused, Why: recheck.WhyPrivate})
	})
	l.look("rechecked", at)
}
