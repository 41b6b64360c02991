package web

import (
	"context"
	"errors"
	"strings"
	"testing"

	"rempart"
	"rempart/flow"
)

// TestFollowChecked reads the person's sentences while a partner disputes one
// fingerprint of her picture, then all of them, and after somebody decided.
func TestFollowChecked(t *testing.T) {
	d := newDesk(t, true, false)
	ctx := context.Background()
	sub, err := d.flow.Submit(ctx, rempart.Report{Lang: "fr", Depicted: rempart.DepictedSelf, Age: rempart.AgeSaidAdult, Made: rempart.MadeFakeSexual, Seen: rempart.SeenPublic,
		Addresses: []string{"https://forum.exemple.test/page/1"}, Media: []rempart.Medium{{Fingerprints: prints()}}}, "")
	d.must(err)
	d.work()
	c, err := d.db.CaseByRef(ctx, sub.Ref)
	d.must(err)
	d.must(d.db.UpdateCase(ctx, c.ID, "", func(c *rempart.Case) error {
		for _, i := range c.Items {
			if i.Kind == rempart.ItemMedium {
				return errors.Join(c.ConfirmQualification(c.Quals[0].ID, "ana", d.now), c.ConfirmFingerprint(i.ID, "ana", d.now))
			}
		}
		t.Fatal("no picture")
		return nil
	}))
	item := func() flow.FollowItem {
		t.Helper()
		f, err := d.flow.FollowUp(ctx, sub.Code.String())
		d.must(err)
		for _, i := range f.Items {
			if i.Kind == rempart.ItemMedium {
				return i
			}
		}
		t.Fatal("no picture")
		return flow.FollowItem{}
	}
	says := func(when string, checked bool) {
		t.Helper()
		i := item()
		for lang, words := range map[string][2]string{"fr": {"les arrêter", "ne sont pas arrêtées"}, "en": {"stop them", "are not stopped"}} {
			got := d.srv.itemSentence(lang, i)
			if strings.Contains(got, words[0]) == checked || strings.Contains(got, words[1]) != checked {
				t.Errorf("%s, %s: %q", when, lang, got)
			}
		}
	}
	says("confirmed", false)
	by := rempart.Peer{ID: forum, Name: "Forum", Kind: rempart.PeerPlatform}
	for k, f := range prints() {
		n, err := d.flow.Opine(ctx, by, []flow.Remark{{Opinion: rempart.Opinion{Fingerprint: rempart.Fingerprint{Type: f.Type, Value: f.Value}, Value: rempart.OpinionNotSame}}})
		d.must(err)
		if n != 1 {
			t.Fatalf("%d opinions kept", n)
		}
		says("disputed", k == len(prints())-1)
	}
	tasks, err := d.db.ListTasks(ctx, true, 10)
	d.must(err)
	for _, k := range tasks {
		d.must(d.flow.DecideListTask(ctx, k.ID, rempart.TaskKeep, "ana"))
	}
	says("decided", false)
}
