package main

import (
	"context"
	"errors"
	"time"

	"rempart"
)

// patience is how long the demo leaves a notice to you before its moderator
// decides by itself.
const patience = 20 * time.Second

// moderator is who decides by itself on the demo's platforms.
const moderator rempart.Actor = "Noisetier"

// moderate is a platform's own moderator, until ctx ends. What she cannot do is
// logged, and left to you.
func (d *demo) moderate(ctx context.Context, k int) error {
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := d.decideWaiting(ctx, k); err != nil && ctx.Err() == nil {
			d.platforms[k].cfg.log.ErrorContext(ctx, "the demo's moderator could not decide", "err", err)
		}
	}
}

// decideWaiting decides what has waited: the first platform removes what it is
// notified of; the second refuses one notice in two and leaves the others without
// an answer. Both grant complaints.
func (d *demo) decideWaiting(ctx context.Context, k int) error {
	in := d.platforms[k]
	waiting, _, err := in.db.Intakes(ctx, rempart.IntakeReceived, "", 50)
	if err != nil {
		return err
	}
	var failed error
	for _, i := range waiting {
		if d.ignored != "" && i.Notice.CaseRef == d.ignored {
			continue // the notice that nobody answers
		}
		if d.clock.now().Sub(i.ReceivedAt) < patience {
			continue
		}
		m := rempart.MeasureRemoved
		if k == 1 {
			if i.Number[len(i.Number)-1]%2 == 0 {
				continue // stays silent
			}
			m = rempart.MeasureRefused
		}
		if err := d.decide(ctx, in, i, m); err != nil && rempart.KindOf(err) != rempart.Conflict {
			failed = errors.Join(failed, err)
		}
	}
	return errors.Join(failed, d.reverse(ctx, in))
}

// reviewer is who decides on complaints: another one than who decided.
const reviewer rempart.Actor = "Tilleul"

// reverse grants the complaints that have waited at a platform, as its second
// moderator would.
func (d *demo) reverse(ctx context.Context, in *instance) error {
	decided, _, err := in.db.Intakes(ctx, rempart.IntakeDecided, "", 50)
	if err != nil {
		return err
	}
	var failed error
	for _, i := range decided {
		for _, c := range i.Complaints {
			if c.State == rempart.ComplaintDecided || d.clock.now().Sub(c.ReceivedAt) < patience {
				continue
			}
			changes, m := map[string]rempart.Decision{}, rempart.MeasureRemoved
			if c.By == rempart.ByAffected {
				m = rempart.MeasureRefused
			}
			for _, item := range c.Items {
				changes[item] = demoDecision(i, m)
			}
			err := in.flow.DecideComplaint(ctx, i.ID, c.Number, changes, "Nous avons relu la notification : la première décision était une erreur, et nous l’avons changée.", reviewer)
			if err != nil && rempart.KindOf(err) != rempart.Conflict && rempart.KindOf(err) != rempart.Forbidden {
				failed = errors.Join(failed, err)
			}
		}
	}
	return failed
}

// decideAll decides every notice of a case that waits at a platform.
func (d *demo) decideAll(ctx context.Context, k int, m rempart.Measure, ref string) error {
	waiting, _, err := d.platforms[k].db.Intakes(ctx, rempart.IntakeReceived, "", 50)
	if err != nil {
		return err
	}
	for _, i := range waiting {
		if i.Notice.CaseRef != ref {
			continue
		}
		if err := d.decide(ctx, d.platforms[k], i, m); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) decide(ctx context.Context, in *instance, i *rempart.Intake, m rempart.Measure) error {
	for _, item := range i.Notice.Items {
		if _, done := i.Decisions[item.ID]; done {
			continue
		}
		if err := in.flow.Decide(ctx, i.ID, item.ID, demoDecision(i, m), moderator); err != nil {
			return err
		}
	}
	return nil
}

func demoDecision(i *rempart.Intake, m rempart.Measure) rempart.Decision {
	d := rempart.Decision{Measure: m, Ground: "law", Redress: []string{"complaint", "out_of_court", "court"}, Scope: "EU",
		Facts: "Notification reçue d’un signaleur, examinée par une personne."}
	if len(i.Notice.Grounds) > 0 {
		d.Reference = i.Notice.Grounds[0].Code + ", art. " + i.Notice.Grounds[0].Article
	} else { // a notice by the form names none
		d.Ground, d.Reference = "terms", "conditions d’utilisation (fictives), images de personnes"
	}
	switch m {
	case rempart.MeasureRefused:
		d.Ground, d.Reference = "terms", ""
		d.Explanation = "Le contenu est présenté comme une parodie ; nous ne le retirons pas. Une réclamation est possible."
	default:
		d.Explanation = "Le contenu correspond aux faits décrits dans la notification ; il a été retiré."
		// What the platform knows of its own pages, and the EU's database asks for.
		d.PostedOn, d.ContentTypes = i.ReceivedAt.UTC().AddDate(0, 0, -2).Format(time.DateOnly), []string{"image"}
		switch rempart.CategoryFor(i.Notice.Category, i.Notice.Minor) {
		case "3f", "4g", "9c":
			d.ContentTypes = append(d.ContentTypes, "synthetic_media")
		}
	}
	return d
}
