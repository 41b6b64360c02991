package store_test

import (
	"testing"
	"time"

	"rempart"
	"rempart/store"
)

// TestTextsForgotten ends a labelling: who then has the item as a backup held it,
// and today's keys, reads its text no more; the labels are read as before.
func TestTextsForgotten(t *testing.T) {
	everywhere(t, func(t *testing.T, dsn string) {
		ctx, at := t.Context(), time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
		db := open(t, dsn, options)
		e := rempart.Event{Kind: "campaign.items", Subject: "audit", Actor: "admin", At: at}
		if err := db.SaveCampaign(ctx, "audit", map[string]string{"title": "Audit"}, true, e); err != nil {
			t.Fatal(err)
		}
		item := rempart.Sampled{Name: "item-1", Surface: "app", Fields: []rempart.Field{{Name: "text", Text: "une annonce fictive"}}}
		if _, err := db.AddSampled(ctx, "audit", rempart.Drawing{Seed: "s"}, []rempart.Sampled{item}, e); err != nil {
			t.Fatal(err)
		}
		id, _, err := db.DrawSampled(ctx, "audit", "anna")
		if err != nil {
			t.Fatal(err)
		}
		if err := db.LabelSampled(ctx, "audit", id, rempart.Labelling{StaffID: "anna", Alias: "A", Values: map[string]string{"offer": "yes"}, At: at}); err != nil {
			t.Fatal(err)
		}
		var before []byte
		if err := store.Raw(db).QueryRow("SELECT doc FROM campaign_items").Scan(&before); err != nil {
			t.Fatal(err)
		}
		var doc map[string]string
		if err := db.EndAnnotation(ctx, "audit", at, &doc, func([]rempart.Labelled) (rempart.Event, error) { return e, nil }); err != nil {
			t.Fatal(err)
		}
		all, err := db.Labelled(ctx, "audit")
		if err != nil || len(all) != 1 || all[0].Name != "item-1" || all[0].Surface != "app" || all[0].Fields != nil || len(all[0].Labels) != 1 || all[0].Labels[0].Values["offer"] != "yes" {
			t.Fatalf("after the end: %+v, %v", all, err)
		}
		if _, err := store.Raw(db).Exec("UPDATE campaign_items SET doc = $1", before); err != nil {
			t.Fatal(err)
		}
		if all, err := db.Labelled(ctx, "audit"); err == nil {
			t.Errorf("the item of a backup still opens: %+v", all)
		}
	})
}
