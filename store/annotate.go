package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"rempart"
	"rempart/keyring"
)

// boxCampaign holds the items of a campaign and what annotators said of them.
const boxCampaign = "campaign"

// lockCampaign opens a campaign whose items are about to be drawn, labelled or
// added: one transaction at a time, so that no item gets a label too many.
func (t *tx) lockCampaign(id string) (keyring.Key, error) {
	var ended int64
	var wrapped []byte
	err := t.row("SELECT ended_at, "+keyColumn(boxCampaign, "campaigns.id")+" FROM campaigns WHERE id = $1"+t.db.forUpdate, id).Scan(&ended, &wrapped)
	if err != nil {
		return keyring.Key{}, missing(err, "campaign")
	}
	if ended != 0 {
		return keyring.Key{}, &rempart.Error{Kind: rempart.Conflict, Code: "annotate.ended", Public: "The labelling of this campaign has ended. What you labelled before is kept."}
	}
	if wrapped == nil {
		return t.newKey(boxCampaign, id)
	}
	return t.db.unwrap(wrapped, boxCampaign, id)
}

// AddSampled gives a campaign items to be labelled, all or none; those it has
// already are left as they are. It returns how many are new.
func (db *DB) AddSampled(ctx context.Context, campaign string, d rempart.Drawing, items []rempart.Sampled, e rempart.Event) (added int, err error) {
	err = db.write(ctx, func(t *tx) error {
		added = 0
		key, err := t.lockCampaign(campaign)
		if err != nil {
			return err
		}
		for _, s := range items {
			id := rempart.SampledID(campaign, s.Name)
			doc, err := sealed(key, s, "sampled", id)
			if err != nil {
				return err
			}
			place, persons := d.Draw(s.Name)
			n, err := t.exec("INSERT INTO campaign_items (campaign, id, place, persons, state, doc) VALUES ($1, $2, $3, $4, 'open', $5) ON CONFLICT (campaign, id) DO NOTHING",
				campaign, id, place, persons, doc)
			if err != nil {
				return fmt.Errorf("store: item of campaign %s: %w", campaign, err)
			}
			added += int(n)
		}
		return t.event(e)
	})
	return added, err
}

// notMine leaves out items of which $2 has had anything to do.
const notMine = "NOT EXISTS (SELECT 1 FROM campaign_labels l WHERE l.campaign = i.campaign AND l.item = i.id AND l.staff = $2)"

// free leaves in items that lack a label which nobody was shown them for since $3.
const free = "i.state = 'open' AND (SELECT count(*) FROM campaign_labels l WHERE l.campaign = i.campaign AND l.item = i.id AND (l.state = 'labelled' OR l.state = 'drawn' AND l.at > $3)) < i.persons"

// DrawSampled returns the item that a person is to label next: the one she was
// shown and has not answered, else the first in the sealed order that she never
// had and that lacks a label. It is kept for her for [rempart.DrawnFor]. Without
// one it is a NotFound.
func (db *DB) DrawSampled(ctx context.Context, campaign, staff string) (id string, s rempart.Sampled, err error) {
	err = db.write(ctx, func(t *tx) error {
		key, err := t.lockCampaign(campaign)
		if err != nil {
			return err
		}
		var doc []byte
		err = t.row("SELECT i.id, i.doc FROM campaign_items i JOIN campaign_labels l ON l.campaign = i.campaign AND l.item = i.id WHERE l.campaign = $1 AND l.staff = $2 AND l.state = 'drawn' ORDER BY i.place, i.id LIMIT 1",
			campaign, staff).Scan(&id, &doc)
		if errors.Is(err, sql.ErrNoRows) {
			id, doc, err = t.draw(campaign, staff)
		} else if err == nil {
			_, err = t.exec("UPDATE campaign_labels SET at = $1 WHERE campaign = $2 AND item = $3 AND staff = $4", micros(t.now), campaign, id, staff)
		}
		if err != nil {
			return missing(err, "sampled")
		}
		return unsealed(key, doc, "sampled", id, &s, decode)
	})
	return id, s, err
}

// draw gives a person an item that she never had, and a place among its labels:
// one that is free, or one whose holder did not answer in time.
func (t *tx) draw(campaign, staff string) (id string, doc []byte, err error) {
	since := micros(t.now.Add(-rempart.DrawnFor))
	if err := t.row("SELECT i.id, i.doc FROM campaign_items i WHERE i.campaign = $1 AND "+notMine+" AND "+free+" ORDER BY i.place, i.id LIMIT 1",
		campaign, staff, since).Scan(&id, &doc); err != nil {
		return "", nil, err
	}
	if _, err := t.exec("DELETE FROM campaign_labels WHERE campaign = $1 AND item = $2 AND state = 'drawn' AND at <= $3", campaign, id, since); err != nil {
		return "", nil, err
	}
	var first int64
	if err := t.row("SELECT count(*) FROM campaign_labels WHERE campaign = $1 AND item = $2 AND slot = 1", campaign, id).Scan(&first); err != nil {
		return "", nil, err
	}
	_, err = t.exec("INSERT INTO campaign_labels (campaign, item, staff, slot, state, at) VALUES ($1, $2, $3, $4, 'drawn', $5)", campaign, id, staff, 1+first, micros(t.now))
	return id, doc, err
}

// LabelSampled keeps what a person said of the item that she was shown, or that
// she passes it. The ledger says who and when, and neither what nor of which
// text, so that who reads it stays blind. Sent twice, it counts once.
func (db *DB) LabelSampled(ctx context.Context, campaign, item string, l rempart.Labelling) error {
	return db.write(ctx, func(t *tx) error {
		key, err := t.lockCampaign(campaign)
		if err != nil {
			return err
		}
		var state string
		err = t.row("SELECT state FROM campaign_labels WHERE campaign = $1 AND item = $2 AND staff = $3", campaign, item, l.StaffID).Scan(&state)
		switch {
		case errors.Is(err, sql.ErrNoRows), state == "settled":
			return &rempart.Error{Kind: rempart.Conflict, Code: "annotate.gone", Public: "This item was given to somebody else meanwhile: it no longer needs your label."}
		case err != nil:
			return fmt.Errorf("store: label: %w", err)
		case state != "drawn":
			return nil
		}
		doc, err := sealed(key, l, "label", item+l.StaffID)
		if err != nil {
			return err
		}
		e := rempart.Event{Kind: "campaign.labelled", Subject: campaign, Actor: l.Alias, At: l.At, Data: map[string]string{"item": item}}
		set := "state = 'labelled'"
		if l.Skip != "" {
			e.Kind, e.Data["reason"], set = "campaign.skipped", l.Skip, "state = 'skipped', slot = NULL"
		}
		if _, err := t.exec("UPDATE campaign_labels SET "+set+", at = $1, doc = $2 WHERE campaign = $3 AND item = $4 AND staff = $5", micros(l.At), doc, campaign, item, l.StaffID); err != nil {
			return fmt.Errorf("store: label: %w", err)
		}
		if err := t.weigh(key, campaign, item); err != nil {
			return err
		}
		return t.event(e)
	})
}

// weigh says what an item is once it has the labels it was drawn for.
func (t *tx) weigh(key keyring.Key, campaign, item string) error {
	var persons int
	if err := t.row("SELECT persons FROM campaign_items WHERE campaign = $1 AND id = $2", campaign, item).Scan(&persons); err != nil {
		return fmt.Errorf("store: item of campaign %s: %w", campaign, err)
	}
	labels, err := t.labels(key, campaign, item)
	if err != nil || len(labels) < persons {
		return err
	}
	state := rempart.SampledDone
	if persons == 2 && len(rempart.Disputed(labels[0].Values, labels[1].Values)) > 0 {
		state = rempart.SampledDisputed
	}
	_, err = t.exec("UPDATE campaign_items SET state = $1 WHERE campaign = $2 AND id = $3", string(state), campaign, item)
	return err
}

// labels are those of an item's annotators, in the order of their places.
func (t *tx) labels(key keyring.Key, campaign, item string) ([]rempart.Labelling, error) {
	rows, err := t.Tx.QueryContext(t.ctx, "SELECT staff, doc FROM campaign_labels WHERE campaign = $1 AND item = $2 AND state = 'labelled' ORDER BY slot", campaign, item)
	out, err := collect(rows, err, func(s scanner) (l rempart.Labelling, err error) {
		var staff string
		var doc []byte
		if err := s.Scan(&staff, &doc); err != nil {
			return l, err
		}
		err = unsealed(key, doc, "label", item+staff, &l, decode)
		l.StaffID = staff
		return l, err
	})
	if err != nil {
		return nil, fmt.Errorf("store: labels of campaign %s: %w", campaign, err)
	}
	return out, nil
}

// DisputedSampled returns the first item on which two persons differ and with
// which staff has had nothing to do. Without one it is a NotFound.
func (db *DB) DisputedSampled(ctx context.Context, campaign, staff string) (x rempart.Labelled, err error) {
	err = db.write(ctx, func(t *tx) error {
		key, err := t.lockCampaign(campaign)
		if err != nil {
			return err
		}
		x = rempart.Labelled{State: rempart.SampledDisputed, Persons: 2}
		var doc []byte
		if err := t.row("SELECT i.id, i.doc FROM campaign_items i WHERE i.campaign = $1 AND i.state = 'disputed' AND "+notMine+" ORDER BY i.place, i.id LIMIT 1", campaign, staff).Scan(&x.ID, &doc); err != nil {
			return missing(err, "sampled")
		}
		if err := unsealed(key, doc, "sampled", x.ID, &x.Sampled, decode); err != nil {
			return err
		}
		x.Labels, err = t.labels(key, campaign, x.ID)
		return err
	})
	return x, err
}

// SettleSampled keeps what a third person decided of a disputed item; check holds
// it against the two labels first. One who labelled or passed it is Forbidden.
func (db *DB) SettleSampled(ctx context.Context, campaign, item string, l rempart.Labelling, check func([]rempart.Labelling) error) error {
	return db.write(ctx, func(t *tx) error {
		key, err := t.lockCampaign(campaign)
		if err != nil {
			return err
		}
		var had int
		if err := t.row("SELECT count(*) FROM campaign_labels WHERE campaign = $1 AND item = $2 AND staff = $3 AND state <> 'settled'", campaign, item, l.StaffID).Scan(&had); err != nil {
			return fmt.Errorf("store: labels: %w", err)
		}
		if had > 0 {
			return &rempart.Error{Kind: rempart.Forbidden, Code: "annotate.third", Public: "You had this item to label yourself: a third person settles it."}
		}
		var state string
		if err := t.row("SELECT state FROM campaign_items WHERE campaign = $1 AND id = $2", campaign, item).Scan(&state); err != nil {
			return missing(err, "sampled")
		}
		if state != string(rempart.SampledDisputed) {
			return &rempart.Error{Kind: rempart.Conflict, Code: "annotate.settled", Public: "This item is settled already."}
		}
		labels, err := t.labels(key, campaign, item)
		if err != nil {
			return err
		}
		if err := check(labels); err != nil {
			return err
		}
		doc, err := sealed(key, l, "label", item+l.StaffID)
		if err != nil {
			return err
		}
		if _, err := t.exec("INSERT INTO campaign_labels (campaign, item, staff, slot, state, at, doc) VALUES ($1, $2, $3, 3, 'settled', $4, $5)", campaign, item, l.StaffID, micros(l.At), doc); err != nil {
			return fmt.Errorf("store: settling an item of campaign %s: %w", campaign, err)
		}
		if _, err := t.exec("UPDATE campaign_items SET state = 'done' WHERE campaign = $1 AND id = $2", campaign, item); err != nil {
			return fmt.Errorf("store: settling an item of campaign %s: %w", campaign, err)
		}
		return t.event(rempart.Event{Kind: "campaign.settled", Subject: campaign, Actor: l.Alias, At: l.At, Data: map[string]string{"item": item}})
	})
}

// Annotation says how far the labelling of a campaign is, and what is left for
// one person.
func (db *DB) Annotation(ctx context.Context, campaign, staff string) (p rempart.Progress, err error) {
	var ended int64
	var wanted sql.NullInt64
	for _, q := range []struct {
		query string
		args  []any
		into  []any
	}{
		{"SELECT ended_at FROM campaigns WHERE id = $1", []any{campaign}, []any{&ended}},
		{"SELECT count(*), count(CASE WHEN state = 'done' THEN 1 END), count(CASE WHEN state = 'disputed' THEN 1 END), sum(persons) FROM campaign_items WHERE campaign = $1",
			[]any{campaign}, []any{&p.Items, &p.Done, &p.Disputed, &wanted}},
		{"SELECT count(CASE WHEN state = 'labelled' THEN 1 END), count(CASE WHEN state = 'skipped' THEN 1 END), count(CASE WHEN state = 'labelled' AND staff = $2 THEN 1 END) FROM campaign_labels WHERE campaign = $1",
			[]any{campaign, staff}, []any{&p.Given, &p.Skipped, &p.Mine}},
		{"SELECT (SELECT count(*) FROM campaign_items i WHERE i.campaign = $1 AND " + notMine + " AND " + free + ") + (SELECT count(*) FROM campaign_labels WHERE campaign = $1 AND staff = $2 AND state = 'drawn')",
			[]any{campaign, staff, micros(db.now().Add(-rempart.DrawnFor))}, []any{&p.Left}},
		{"SELECT count(*) FROM campaign_items i WHERE i.campaign = $1 AND i.state = 'disputed' AND " + notMine, []any{campaign, staff}, []any{&p.ToSettle}},
	} {
		if err := db.r.QueryRowContext(ctx, q.query, q.args...).Scan(q.into...); err != nil {
			return p, db.explain(missing(err, "campaign"))
		}
	}
	p.Wanted, p.EndedAt = int(wanted.Int64), fromMicros(ended)
	return p, nil
}

// labelled reads all items of a campaign with what was said of them, in the order
// in which they were drawn.
func (t *tx) labelled(key keyring.Key, campaign string) ([]rempart.Labelled, error) {
	rows, err := t.Tx.QueryContext(t.ctx, "SELECT id, persons, state, doc FROM campaign_items WHERE campaign = $1 ORDER BY place, id", campaign)
	out, err := collect(rows, err, func(s scanner) (x rempart.Labelled, err error) {
		var doc []byte
		if err := s.Scan(&x.ID, &x.Persons, &x.State, &doc); err != nil {
			return x, err
		}
		return x, unsealed(key, doc, "sampled", x.ID, &x.Sampled, decode)
	})
	if err != nil {
		return nil, fmt.Errorf("store: items of campaign %s: %w", campaign, err)
	}
	at := map[string]*rempart.Labelled{}
	for i := range out {
		at[out[i].ID] = &out[i]
	}
	type said struct {
		item, state string
		rempart.Labelling
	}
	rows, err = t.Tx.QueryContext(t.ctx, "SELECT item, staff, state, doc FROM campaign_labels WHERE campaign = $1 AND state IN ('labelled', 'settled') ORDER BY item, slot", campaign)
	all, err := collect(rows, err, func(s scanner) (x said, err error) {
		var doc []byte
		var staff string
		if err := s.Scan(&x.item, &staff, &x.state, &doc); err != nil {
			return x, err
		}
		err = unsealed(key, doc, "label", x.item+staff, &x.Labelling, decode)
		x.StaffID = staff
		return x, err
	})
	if err != nil {
		return nil, fmt.Errorf("store: labels of campaign %s: %w", campaign, err)
	}
	for _, x := range all {
		if l := at[x.item]; x.state == "settled" {
			l.Settled = &x.Labelling
		} else {
			l.Labels = append(l.Labels, x.Labelling)
		}
	}
	return out, nil
}

// EndAnnotation ends the labelling of a campaign, once: it is read into v, f makes
// of all labels what v is from then on, and the event that says so. The texts that
// were labelled are erased with it, and the key under which they were sealed.
// Nothing changes if f fails.
func (db *DB) EndAnnotation(ctx context.Context, campaign string, at time.Time, v any, f func([]rempart.Labelled) (rempart.Event, error)) error {
	return db.write(ctx, func(t *tx) error {
		key, err := t.lockCampaign(campaign)
		if err != nil {
			return err
		}
		all, err := t.labelled(key, campaign)
		if err != nil {
			return err
		}
		var doc []byte
		if err := t.row("SELECT doc FROM campaigns WHERE id = $1", campaign).Scan(&doc); err != nil {
			return missing(err, "campaign")
		}
		if err := decode(doc, v); err != nil {
			return err
		}
		e, err := f(all)
		if err != nil {
			return err
		}
		doc, err = encode(v)
		if err != nil {
			return err
		}
		if _, err := t.exec("UPDATE campaigns SET doc = $1, ended_at = $2 WHERE id = $3", doc, micros(at), campaign); err != nil {
			return fmt.Errorf("store: campaign %s: %w", campaign, err)
		}
		if err := t.forgetTexts(key, campaign); err != nil {
			return err
		}
		return t.event(e)
	})
}

// forgetTexts seals what a campaign keeps of its items, and what was said of them,
// under a new key. The texts, which nobody needs to make the figures again, are
// not among it, and the key that opens them is destroyed.
func (t *tx) forgetTexts(old keyring.Key, campaign string) error {
	if _, err := t.exec("DELETE FROM sealed_keys WHERE owner = $1 AND box = $2", campaign, boxCampaign); err != nil {
		return fmt.Errorf("store: key of campaign %s: %w", campaign, err)
	}
	key, err := t.newKey(boxCampaign, campaign)
	if err != nil {
		return err
	}
	type row struct {
		item, staff string
		doc         []byte
	}
	read := func(query string) ([]row, error) {
		rows, err := t.Tx.QueryContext(t.ctx, query, campaign)
		return collect(rows, err, func(s scanner) (r row, err error) { return r, s.Scan(&r.item, &r.staff, &r.doc) })
	}
	items, err := read("SELECT id, '', doc FROM campaign_items WHERE campaign = $1")
	if err != nil {
		return fmt.Errorf("store: items of campaign %s: %w", campaign, err)
	}
	for _, r := range items {
		var s rempart.Sampled
		if err := unsealed(old, r.doc, "sampled", r.item, &s, decode); err != nil {
			return err
		}
		s.Fields = nil
		doc, err := sealed(key, s, "sampled", r.item)
		if err != nil {
			return err
		}
		if _, err := t.exec("UPDATE campaign_items SET doc = $1 WHERE campaign = $2 AND id = $3", doc, campaign, r.item); err != nil {
			return fmt.Errorf("store: item of campaign %s: %w", campaign, err)
		}
	}
	labels, err := read("SELECT item, staff, doc FROM campaign_labels WHERE campaign = $1 AND doc IS NOT NULL")
	if err != nil {
		return fmt.Errorf("store: labels of campaign %s: %w", campaign, err)
	}
	for _, r := range labels {
		doc, err := old.Open(r.doc, "label", r.item+r.staff)
		if err != nil {
			return err
		}
		if doc, err = key.Seal(doc, "label", r.item+r.staff); err != nil {
			return err
		}
		if _, err := t.exec("UPDATE campaign_labels SET doc = $1 WHERE campaign = $2 AND item = $3 AND staff = $4", doc, campaign, r.item, r.staff); err != nil {
			return fmt.Errorf("store: labels of campaign %s: %w", campaign, err)
		}
	}
	return nil
}

// Labelled returns every label of a campaign whose labelling has ended; before, it
// is a Conflict: who labels must not see what others said.
func (db *DB) Labelled(ctx context.Context, campaign string) (out []rempart.Labelled, err error) {
	err = db.write(ctx, func(t *tx) error {
		var ended int64
		var wrapped []byte
		if err := t.row("SELECT ended_at, "+keyColumn(boxCampaign, "campaigns.id")+" FROM campaigns WHERE id = $1", campaign).Scan(&ended, &wrapped); err != nil {
			return missing(err, "campaign")
		}
		if ended == 0 {
			return &rempart.Error{Kind: rempart.Conflict, Code: "annotate.running", Public: "The labels can be taken out once the labelling has ended: until then nobody sees what others said."}
		}
		key, err := t.db.unwrap(wrapped, boxCampaign, campaign)
		if err != nil {
			return err
		}
		out, err = t.labelled(key, campaign)
		return err
	})
	return out, err
}
