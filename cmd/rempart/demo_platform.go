package main

import (
	"context"
	"time"

	"rempart"
)

// patience is how long the demo leaves a notice to you before its moderator
// decides by itself.
const patience = 20 * time.Second

// moderator is who decides by itself on the demo's platforms.
const moderator rempart.Actor = "Noisetier"

// moderate is a platform's own moderator: the first platform removes what it is
// notified of; the second refuses one notice in two and leaves the others
// without an answer.
func (d *demo) moderate(ctx context.Context, k int) error {
	in := d.platforms[k]
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		waiting, _, err := in.db.Intakes(ctx, rempart.IntakeReceived, "", 50)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
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
				return err
			}
		}
		if err := d.reverse(ctx, in); err != nil && ctx.Err() == nil {
			return err
		}
	}
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
	for _, i := range decided {
		for _, c := range i.Complaints {
			if c.State == rempart.ComplaintDecided || d.clock.now().Sub(c.ReceivedAt) < patience {
				continue
			}
			changes := map[string]rempart.Decision{}
			for _, item := range c.Items {
				changes[item] = demoDecision(i, rempart.MeasureRemoved)
			}
			err := in.flow.DecideComplaint(ctx, i.ID, c.Number, changes, "Nous avons relu la notification : la première décision était une erreur, et le contenu est retiré.", reviewer)
			if err != nil && rempart.KindOf(err) != rempart.Conflict && rempart.KindOf(err) != rempart.Forbidden {
				return err
			}
		}
	}
	return nil
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
	}
	switch m {
	case rempart.MeasureRefused:
		d.Ground, d.Reference = "terms", ""
		d.Explanation = "Le contenu est présenté comme une parodie ; nous ne le retirons pas. Une réclamation est possible."
	default:
		d.Explanation = "Le contenu correspond aux faits décrits dans la notification ; il a été retiré."
	}
	return d
}
