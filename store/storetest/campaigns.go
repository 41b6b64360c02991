package storetest

import (
	"slices"

	"rempart"
)

// campaigns keeps a protocol once, its tables as they come, each with its event,
// and lists what there is. A second of the same name changes nothing.
func campaigns(e *env) {
	type campaign struct{ Title string }
	if all, err := e.db.Campaigns(e.ctx); err != nil || len(all) != 0 {
		e.Errorf("%v, %v before any", all, err)
	}
	event := func(kind, id string) rempart.Event {
		return rempart.Event{Kind: kind, Subject: id, Actor: "admin", At: e.now()}
	}
	for _, id := range []string{"b-2026", "a-2026"} {
		e.ok(e.db.SaveCampaign(e.ctx, id, campaign{"Audit " + id}, true, event("campaign.registered", id)))
	}
	records := func() int64 {
		r, err := e.db.VerifyLedger(e.ctx, nil)
		e.ok(err)
		return r.Records
	}
	before := records()
	e.kind(e.db.SaveCampaign(e.ctx, "a-2026", campaign{"another"}, true, event("campaign.registered", "a-2026")), rempart.Conflict)
	if after := records(); after != before {
		e.Errorf("a refused protocol left %d records", after-before)
	}
	var got campaign
	e.ok(e.db.Campaign(e.ctx, "a-2026", &got))
	if got.Title != "Audit a-2026" {
		e.Errorf("%+v after a refused second", got)
	}
	e.ok(e.db.SaveCampaign(e.ctx, "a-2026", campaign{"with a table"}, false, event("campaign.imported", "a-2026")))
	e.ok(e.db.Campaign(e.ctx, "a-2026", &got))
	if after := records(); got.Title != "with a table" || after != before+1 {
		e.Errorf("%+v, %d more records", got, after-before)
	}
	e.kind(e.db.Campaign(e.ctx, "nothing", &got), rempart.NotFound)
	if all, err := e.db.Campaigns(e.ctx); err != nil || !slices.Equal(all, []string{"a-2026", "b-2026"}) {
		e.Errorf("%v, %v", all, err)
	}
}
