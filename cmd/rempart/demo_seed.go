package main

import (
	"context"
	"fmt"
	"time"

	"rempart"
	"rempart/flow"
	"rempart/pdq"
	"rempart/provenance"
)

// A story is one fictional case of the demo, told through the real flow: the
// report is submitted, and, as far as the story goes, an analyst confirms and
// notifies, the platform receives over HTTP, and decides.
type story struct {
	ago     time.Duration // when the report was sent
	report  rempart.Report
	picture int // number of a drawn picture, 0 for none
	flat    bool
	marks   []provenance.Mark // that the picture's file carries

	notify  string // service to notify, "" to leave the case in the queue
	measure rempart.Measure
	stops   int // uploads of a copy that the platform stops afterwards

	way      string // of one of the three notices that the demo shows from the person's side
	complain bool   // the refusal is complained against, and reversed
}

// stories are sober and say nothing that any real person lived.
var stories = []story{
	{ago: 12 * 24 * time.Hour, notify: "miroir", way: "ignored",
		report: rempart.Report{Depicted: rempart.DepictedSelf, Age: rempart.AgeSaidAdult, Made: rempart.MadeFakeSexual, Seen: rempart.SeenPublic,
			Words: "La page est toujours en ligne.", Addresses: []string{"https://miroir.exemple.test/p/5d1"}}},
	{ago: 11 * 24 * time.Hour, picture: 1, notify: "galerie", measure: rempart.MeasureRemoved, stops: 2, way: "removed",
		report: rempart.Report{Depicted: rempart.DepictedSelf, Age: rempart.AgeSaidAdult, Made: rempart.MadeFakeSexual, Seen: rempart.SeenPublic, Relation: rempart.RelationUnknown,
			Words: "Une amie m’a prévenue hier soir. Je n’ai jamais posé pour cette image.", Addresses: []string{"https://galerie.exemple.test/photo/1873", "https://galerie.exemple.test/album/42/photo/1873"}}},
	{ago: 10 * 24 * time.Hour, picture: 2, notify: "miroir", measure: rempart.MeasureRefused, way: "reversed", complain: true,
		report: rempart.Report{Depicted: rempart.DepictedSelf, Age: rempart.AgeSaidAdult, Made: rempart.MadeFakeSexual, Seen: rempart.SeenPublic,
			Words: "L’image est présentée comme une parodie, mais on me reconnaît.", Addresses: []string{"https://miroir.exemple.test/p/9f2"}}},
	{ago: 3 * 24 * time.Hour, notify: "galerie", measure: rempart.MeasureRemoved,
		report: rempart.Report{Depicted: rempart.DepictedChild, Age: rempart.AgeSaid15To17, Made: rempart.MadeFakeSexual, Seen: rempart.SeenPublic, Relation: rempart.RelationSameSchool,
			Words: "Des élèves de sa classe ont fait circuler l’adresse.", Addresses: []string{"https://galerie.exemple.test/photo/2210"}}},
	{ago: 52 * time.Hour,
		report: rempart.Report{Depicted: rempart.DepictedSelf, Age: rempart.AgeSaidAdult, Made: rempart.MadeFakeSexual, Seen: rempart.SeenNowhere, Threat: rempart.ThreatMoney,
			Words: "On me demande de l’argent avant vendredi. Je n’ai pas répondu."}},
	{ago: 30 * time.Hour, picture: 3, notify: "miroir",
		marks: []provenance.Mark{{Kind: "iptc", Part: "APP1", Key: "DigitalSourceType", Source: "compositeWithTrainedAlgorithmicMedia"}},
		report: rempart.Report{Depicted: rempart.DepictedSelf, Age: rempart.AgeSaidAdult, Made: rempart.MadeRealSexual, Seen: rempart.SeenPublic, Relation: rempart.RelationPartner,
			Words: "La photographie a été publiée après notre séparation.", Addresses: []string{"https://miroir.exemple.test/p/a01"}}},
	{ago: 20 * time.Hour,
		report: rempart.Report{Depicted: rempart.DepictedSelf, Age: rempart.AgeSaid15To17, Made: rempart.MadeFakeSexual, Seen: rempart.SeenPrivate, Relation: rempart.RelationSameSchool, Repeated: true, SeveralAuthors: true,
			Words: "L’image tourne dans un groupe du lycée depuis lundi."}},
	{ago: 9 * time.Hour, picture: 4,
		marks: []provenance.Mark{
			{Kind: "c2pa", Part: "APP11", Key: "manifest", Generator: "Adobe Firefly", Source: "trainedAlgorithmicMedia", Signature: "not_verified"},
			{Kind: "xmp", Part: "APP1", Key: "CreatorTool", Generator: "Adobe Photoshop"},
		},
		report: rempart.Report{Lang: "en", Depicted: rempart.DepictedSelf, Age: rempart.AgeSaidAdult, Made: rempart.MadeFakeOther, Seen: rempart.SeenPublic,
			Words: "A false advertisement uses my face.", Addresses: []string{"https://annonces.exemple.test/offre/77"}}},
	{ago: 5 * time.Hour, picture: 5, flat: true,
		report: rempart.Report{Depicted: rempart.DepictedOther, Age: rempart.AgeSaidUnknown, Made: rempart.MadeUnknown, Seen: rempart.SeenPublic,
			Words: "Je ne connais pas la personne.", Addresses: []string{"https://miroir.exemple.test/p/c77"}}},
	{ago: time.Hour,
		report: rempart.Report{Depicted: rempart.DepictedChild, Age: rempart.AgeSaidUnder15, Made: rempart.MadeFakeSexual, Seen: rempart.SeenPublic,
			Words: "Mon enfant m’a montré l’adresse. Nous n’avons rien téléchargé.", Addresses: []string{"https://galerie.exemple.test/photo/2301"}}},
}

// seed tells the stories, each at its own time. A demo kept from an earlier run
// already has them.
func (d *demo) seed(ctx context.Context) error {
	counts, err := d.hub.db.CaseCounts(ctx)
	if err != nil || len(counts) > 0 {
		return err
	}
	defer d.clock.offset.Store(0)
	for i, s := range stories {
		if err := d.pass(ctx, -s.ago); err != nil {
			return err
		}
		if err := d.tell(ctx, s); err != nil {
			return fmt.Errorf("case %d: %w", i+1, err)
		}
	}
	if err := d.pass(ctx, 0); err != nil {
		return err
	}
	if err := reconstruct(ctx, d.hub); err != nil {
		return err
	}
	if err := annotated(ctx, d.hub); err != nil {
		return err
	}
	for _, in := range append([]*instance{d.hub}, d.platforms...) {
		if _, err := in.db.Seal(ctx); err != nil {
			return err
		}
	}
	return nil
}

// pass lets time go by until the demo's clock is so far from the machine's, half
// a day at a time, with all that happens by itself.
func (d *demo) pass(ctx context.Context, to time.Duration) error {
	for first := d.clock.offset.Load() == 0; !first; {
		at := time.Duration(d.clock.offset.Load())
		if at+12*time.Hour >= to {
			break
		}
		d.clock.advance(12 * time.Hour)
		if err := d.settle(ctx); err != nil {
			return err
		}
	}
	d.clock.offset.Store(int64(to))
	return d.settle(ctx)
}

func (d *demo) tell(ctx context.Context, s story) error {
	if s.picture > 0 {
		s.report.Media = []rempart.Medium{pictureMedium(s.picture, s.flat)}
		s.report.Media[0].Provenance = s.marks
	}
	sub, err := d.hub.flow.Submit(ctx, s.report, "")
	if err != nil {
		return err
	}
	if err := d.settle(ctx); err != nil || s.notify == "" {
		return err
	}
	c, err := d.hub.db.CaseByRef(ctx, sub.Ref)
	if err != nil {
		return err
	}
	if s.way != "" {
		d.told = append(d.told, demoNotice{s.way, sub.Ref, sub.Code.String()})
	}
	if s.way == "ignored" {
		d.ignored = sub.Ref
	}
	d.clock.advance(35 * time.Minute)
	if err := d.work(ctx, c, s.notify); err != nil {
		return err
	}
	if s.measure != "" {
		d.clock.advance(20 * time.Minute)
		k := platformNumber(s.notify)
		if err := d.decideAll(ctx, k, s.measure, sub.Ref); err != nil {
			return err
		}
		if err := d.settle(ctx); err != nil {
			return err
		}
		if s.complain {
			if err := d.contest(ctx, k, c.ID); err != nil {
				return err
			}
		}
	}
	for range s.stops {
		d.clock.advance(3 * time.Hour)
		if err := d.uploadCopy(ctx, platformNumber(s.notify), s.picture); err != nil {
			return err
		}
	}
	return d.settle(ctx)
}

// contest waits until a complaint against a refusal is to be made, sends it, and
// lets another moderator reverse the decision.
func (d *demo) contest(ctx context.Context, k int, caseID string) error {
	for range 10 {
		d.clock.advance(12 * time.Hour)
		if err := d.settle(ctx); err != nil {
			return err
		}
		sent := false
		err := d.hub.db.UpdateCase(ctx, caseID, "", func(c *rempart.Case) error {
			for i := range c.Notices {
				for j := range c.Notices[i].Rungs {
					r := c.Notices[i].Rungs[j]
					if r.Kind == rempart.RungComplaint && r.State == rempart.RungAsked {
						sent = true
						return c.SendRung(r.ID, flow.RungText(rempart.DefaultTemplates(), c, &c.Notices[i], &r), d.analyst, d.clock.now())
					}
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		if !sent {
			continue
		}
		if err := d.settle(ctx); err != nil {
			return err
		}
		d.clock.advance(20 * time.Hour)
		if err := d.reverse(ctx, d.platforms[k]); err != nil {
			return err
		}
		return d.settle(ctx)
	}
	return fmt.Errorf("no complaint was to be made within five days of a refusal")
}

// work does an analyst's part: confirm, prepare, send.
func (d *demo) work(ctx context.Context, c *rempart.Case, service string) error {
	err := d.hub.db.UpdateCase(ctx, c.ID, "", func(c *rempart.Case) error {
		if len(c.Quals) == 0 {
			return fmt.Errorf("the law pack proposed nothing for this story")
		}
		if err := c.ConfirmQualification(c.Quals[0].ID, d.analyst, d.clock.now()); err != nil {
			return err
		}
		for _, i := range c.Items {
			if i.Kind == rempart.ItemMedium && len(i.Entries) > 0 {
				if err := c.ConfirmFingerprint(i.ID, d.analyst, d.clock.now()); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	var items []string
	for _, i := range c.Items {
		if i.Kind == rempart.ItemAddress {
			items = append(items, i.ID)
		}
	}
	id, err := d.hub.flow.Draft(ctx, c.ID, service, items, d.analyst)
	if err != nil {
		return err
	}
	err = d.hub.db.UpdateCase(ctx, c.ID, "", func(c *rempart.Case) error {
		if err := c.EditNotice(id, c.Notice(id).Explanation, true, d.analyst, d.clock.now()); err != nil {
			return err
		}
		return c.SendNotice(id, d.analyst, d.clock.now())
	})
	if err != nil {
		return err
	}
	return d.settle(ctx)
}

// settle does the jobs of all three until there are none that are due.
func (d *demo) settle(ctx context.Context) error {
	for quiet := 0; quiet < 2; {
		done := 0
		for _, in := range append([]*instance{d.hub}, d.platforms...) {
			n, err := in.flow.Step(ctx)
			if err != nil {
				return err
			}
			done += n
		}
		if quiet++; done > 0 {
			quiet = 0
		}
	}
	return nil
}

// uploadCopy lets somebody try to upload a changed copy to a platform.
func (d *demo) uploadCopy(ctx context.Context, k, picture int) error {
	in := d.platforms[k]
	if err := in.flow.CatchUp(ctx); err != nil {
		return err
	}
	copied, err := jpegOf(shrink(draw(picture, false), 3), 60)
	if err != nil {
		return err
	}
	checked, err := in.flow.CheckFile(ctx, copied, flow.Upload{Peer: "depots", Tell: true})
	if err != nil {
		return err
	}
	if len(checked.Matches) == 0 {
		return fmt.Errorf("the copy of picture %d was not found", picture)
	}
	return nil
}

// pictureMedium returns the fingerprints of a drawn picture, as the browser of
// the person in the story would have computed them.
func pictureMedium(n int, flat bool) rempart.Medium {
	_, sum := pngOf(draw(n, flat))
	r := pdq.FromImage(draw(n, flat))
	return rempart.Medium{Fingerprints: []rempart.Fingerprint{
		{Type: rempart.PDQ, Value: r.Hash.String(), Quality: r.Quality},
		{Type: rempart.SHA256, Value: sum},
	}}
}

func platformNumber(id string) int {
	for k, p := range demoPlatforms {
		if p.id == id {
			return k
		}
	}
	panic("rempart: demo: no platform " + id)
}
