package store_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"rempart"
	"rempart/store"
)

// TestAccounts: an account at the provider is one member's, is found by issuer
// and subject together, and stands nowhere in the database.
func TestAccounts(t *testing.T) {
	both(t, func(t *testing.T, db *store.DB, dsn string) {
		ctx := context.Background()
		now := time.Now()
		for _, id := range []string{"saule", "tilleul"} {
			if err := db.PutStaff(ctx, rempart.Staff{ID: id, Login: id, Alias: rempart.Actor(id), Role: rempart.RoleAnalyst, CreatedAt: now}, ""); err != nil {
				t.Fatal(err)
			}
		}
		event := func(kind string) rempart.Event {
			return rempart.Event{Kind: kind, Subject: "saule", Actor: "admin", At: now}
		}
		link := func(id, issuer, subject string) error {
			return db.LinkAccount(ctx, id, issuer, subject, event("staff.account_linked"))
		}
		const issuer, subject = "https://login.exemple.test", "planted-subject"
		if err := link("saule", issuer, subject); err != nil {
			t.Fatal(err)
		}
		if err := link("saule", issuer, subject); err != nil {
			t.Errorf("again: %v", err)
		}
		if err := link("tilleul", issuer, subject); rempart.KindOf(err) != rempart.Conflict {
			t.Errorf("somebody else's: %v", err)
		}
		if err := link("nobody", issuer, "x"); rempart.KindOf(err) != rempart.NotFound {
			t.Errorf("of nobody: %v", err)
		}
		if m, err := db.AccountHolder(ctx, issuer, subject); err != nil || m.ID != "saule" {
			t.Errorf("holder %s, %v", m.ID, err)
		}
		for _, a := range [][2]string{{issuer, "other"}, {"https://autre.exemple.test", subject}, {issuer + " planted-subject", ""}, {issuer, strings.ToUpper(subject)}} {
			if m, err := db.AccountHolder(ctx, a[0], a[1]); rempart.KindOf(err) != rempart.NotFound {
				t.Errorf("%q: holder %s, %v", a, m.ID, err)
			}
		}
		var n int
		if err := store.Raw(db).QueryRow("SELECT count(*) FROM accounts WHERE hash LIKE '%planted%' OR hash LIKE '%exemple%'").Scan(&n); err != nil || n != 0 {
			t.Errorf("%d accounts in clear, %v", n, err)
		}
		// Another account takes the place of the first.
		if err := link("saule", issuer, "second"); err != nil {
			t.Fatal(err)
		}
		if _, err := db.AccountHolder(ctx, issuer, subject); rempart.KindOf(err) != rempart.NotFound {
			t.Errorf("the account before: %v", err)
		}
		if err := link("tilleul", issuer, subject); err != nil {
			t.Errorf("an account that is free again: %v", err)
		}
		m, err := db.Member(ctx, "saule")
		if err != nil {
			t.Fatal(err)
		}
		m.DisabledAt = now
		if err := db.PutStaff(ctx, m, ""); err != nil {
			t.Fatal(err)
		}
		if m, err := db.AccountHolder(ctx, issuer, "second"); rempart.KindOf(err) != rempart.Forbidden || m.ID != "saule" {
			t.Errorf("disabled: %s, %v", m.ID, err)
		}
		if all, err := db.Accounts(ctx); err != nil || len(all) != 2 || all["saule"].IsZero() {
			t.Errorf("accounts %v, %v", all, err)
		}
		for _, want := range []bool{true, false} {
			if had, err := db.UnlinkAccount(ctx, "saule", event("staff.account_removed")); err != nil || had != want {
				t.Errorf("unlinked %v, %v, want %v", had, err, want)
			}
		}
	})
}
