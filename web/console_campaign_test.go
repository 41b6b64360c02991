package web

import (
	"strings"
	"testing"

	"rempart"
	"rempart/stats"
)

// TestCampaignLanguages: a protocol that has its texts in the page's language is
// read in it; what it has only in another one is marked as such.
func TestCampaignLanguages(t *testing.T) {
	d := newDesk(t, true, false)
	for _, r := range stats.Reconstructions() {
		p := r.Protocol
		if p.ID == "ccdh-2026-01" {
			p.Translations = nil
		}
		d.must(d.db.SaveCampaign(t.Context(), p.ID, stats.Campaign{Protocol: p, Registered: true, At: d.now, Digest: p.Digest()}, true, rempart.Event{Kind: "campaign.registered", Subject: p.ID, Actor: "lead", At: d.now}))
	}
	for _, x := range []struct {
		path    string
		has, no []string
	}{
		{"/ai-forensics-2026-01?lang=fr", []string{"Non un échantillon aléatoire", "selon un modèle de vision"}, []string{"Not a random sample", ` lang="fr">Images`}},
		{"/ai-forensics-2026-01?lang=en", []string{"Not a random sample", "by a vision model", "January 2026"}, []string{"échantillon", "Étiquettes", "janvier"}},
		{"/ccdh-2026-01?lang=en", []string{`<dd lang="fr">Échantillon aléatoire`}, nil},
		{"?lang=en", []string{"Grok, account in X", "CCDH, images publiées"}, nil},
	} {
		body := mainOf(d.sit(rempart.RoleAnalyst).page("/console/campaigns" + x.path).body)
		for _, s := range x.has {
			if !strings.Contains(body, s) {
				t.Errorf("%s does not say %q:\n%s", x.path, s, body)
			}
		}
		for _, s := range x.no {
			if strings.Contains(body, s) {
				t.Errorf("%s says %q", x.path, s)
			}
		}
	}
}
