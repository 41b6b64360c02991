package flow_test

import (
	"fmt"
	"testing"
	"time"

	"rempart"
)

// TestRetainMails lets the time of e-mails that nobody filed pass: each goes when
// its own is over, counted from when it was taken and not from the day it names,
// none comes back from the mailbox, and without an end they stay.
func TestRetainMails(t *testing.T) {
	onBoth(t, func(t *testing.T, s *side) {
		const day = 24 * time.Hour
		keep := func(id string) error {
			m := rempart.Mail{ID: id, At: s.clock.now().Add(-1000 * day), Kind: rempart.MailReply, Subject: "Publicité"}
			return s.DB.KeepMail(t.Context(), m, "mail:"+id, s.clock.now())
		}
		wait := func(erased int, want ...string) {
			t.Helper()
			if n, err := s.Retain(t.Context()); err != nil || n != erased {
				t.Errorf("erased %d, %v, want %d", n, err, erased)
			}
			all, err := s.DB.Mails(t.Context(), 10)
			if err != nil {
				t.Fatal(err)
			}
			got := []string{}
			for _, m := range all {
				got = append(got, m.ID)
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("there are %v, want %v", got, want)
			}
		}
		if err := keep("m1"); err != nil {
			t.Fatal(err)
		}
		s.clock.advance(day)
		if err := keep("m2"); err != nil {
			t.Fatal(err)
		}
		s.Retention = rempart.Retention{rempart.KeptAdult: day}
		s.clock.advance(88 * day)
		wait(0, "m1", "m2")
		s.Retention = rempart.DefaultRetention
		s.clock.advance(day - time.Minute)
		wait(0, "m1", "m2")
		s.clock.advance(time.Minute)
		wait(1, "m2")
		if err := keep("m1"); err == nil {
			t.Error("the mailbox brings back what was erased")
		}
		s.clock.advance(day)
		wait(1)
		if s.count("m1", "mail.erased") != 1 || s.count("m2", "mail.erased") != 1 {
			t.Error("the ledger does not say that they were erased")
		}
		if rep, err := s.DB.VerifyLedger(t.Context(), nil); err != nil || !rep.Whole {
			t.Errorf("the ledger: %+v, %v", rep, err)
		}
	})
}
