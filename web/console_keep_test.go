package web

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"rempart"
)

// TestKeep reads until when a case is kept, and places and lifts a hold.
func TestKeep(t *testing.T) {
	d := newDesk(t, true, false)
	c := d.open(rempart.AgeSaidAdult)
	s := d.sit(rempart.RoleAnalyst)
	at := "/console/cases/" + c.Ref
	s.page(at).want(t, "Gardé tant que le dossier est ouvert. Une fois clos, il est effacé au bout de 90 jours.", "Catégorie : sans suite", "La durée est réglée par l’association")
	d.must(d.db.UpdateCase(context.Background(), c.ID, "", func(c *rempart.Case) error {
		for _, i := range c.Items {
			if err := c.DropItem(i.ID, "nothing there", "Alias", d.now); err != nil {
				return err
			}
		}
		return c.Close("nothing to do", "Alias", d.now)
	}))
	s.page(at).want(t, "Effacé dans 90 jours, le 20 février 2027.")
	d.now = d.now.Add(89*24*time.Hour + time.Hour)
	s.sitAgain().page(at).want(t, "Effacé dans 1 jour, le 20 février 2027.")
	s = s.sitAgain()

	a := s.post(at+"/hold", "action", "place", "reason", " no ")
	if a.status != http.StatusUnprocessableEntity && a.status != http.StatusBadRequest {
		t.Errorf("a hold without a reason: %d", a.status)
	}
	a.want(t, "Dites en quelques mots pourquoi")
	s.changed(at+"/hold", "action", "place", "reason", "Procédure <b>en cours</b>").want(t, "Conservation forcée demandée.",
		"Rien ni personne n’efface ce dossier tant que la conservation forcée dure.", "Procédure &lt;b&gt;en cours&lt;/b&gt;", "Demandée par Alias-analyst")
	if a := s.post(at+"/hold", "action", "place", "reason", "once more"); a.status != http.StatusConflict {
		t.Errorf("a second hold: %d", a.status)
	}
	d.now = d.now.Add(48 * time.Hour)
	if n, err := d.flow.Retain(context.Background()); n != 0 || err != nil {
		t.Errorf("erased %d under a hold, %v", n, err)
	}
	s = s.sitAgain()
	s.changed(at+"/hold", "action", "lift", "reason", "Procédure terminée").want(t, "Conservation forcée levée.", "Son terme est passé", "1 conservation forcée levée", "Procédure terminée")
	s.lang = "en"
	s.page(at).want(t, "Its time has passed: it is about to be erased.", "1 legal hold lifted")
	if n, err := d.flow.Retain(context.Background()); n != 1 || err != nil {
		t.Errorf("erased %d after the hold, %v", n, err)
	}
	if a := s.get(at); a.status != http.StatusNotFound {
		t.Errorf("the case that was erased: %d", a.status)
	}
	s.page("/console/").lacks(t, c.Ref)
}

// sitAgain is a new session of an analyst, as an hour ends one.
func (s *seat) sitAgain() *seat { return s.sit(rempart.RoleAnalyst) }

// TestIdentityBox keeps, opens and erases an identity: it is on the page that
// answers the opening, and on no other.
func TestIdentityBox(t *testing.T) {
	d := newDesk(t, true, false)
	c := d.open(rempart.AgeSaidAdult)
	s := d.sit(rempart.RoleAnalyst)
	at := "/console/cases/" + c.Ref
	s.page(at).want(t, "Aucune identité n’est gardée")
	s.post(at+"/identity", "action", "keep", "note", "Après dix-huit heures").want(t, "Donnez un nom ou un moyen de joindre la personne.", "Après dix-huit heures")
	const name, contact = "Camille Exemple", "camille@exemple.test"
	s.changed(at+"/identity", "action", "keep", "name", name, "contact", contact).want(t, "Identité gardée sous clé.", "Identité enregistrée, sous clé.")
	s.page(at).lacks(t, name, contact)
	s.page(at).want(t, "L’ouvrir demande un droit")
	if a := s.post(at+"/identity/open", "reason", "La rappeler avant sa plainte"); a.status != http.StatusForbidden || strings.Contains(a.body, name) {
		t.Errorf("opened without the right: %d", a.status)
	}
	d.must(d.db.PutStaff(context.Background(), rempart.Staff{ID: "analyst", Login: "analyst", Alias: "Alias-analyst", Role: rempart.RoleAnalyst, Grants: []rempart.Right{rempart.RightIdentity}, CreatedAt: d.now}, ""))
	s = s.sitAgain()
	if a := s.post(at+"/identity/open", "reason", "La rappeler avant sa plainte"); a.status != http.StatusForbidden || strings.Contains(a.body, name) {
		t.Errorf("opened without a recent second proof: %d", a.status)
	}
	d.must(d.db.ProveSession(context.Background(), s.http.Jar.(jar)[0].Value))
	if a := s.post(at+"/identity/open", "reason", ""); a.status == http.StatusOK || strings.Contains(a.body, name) {
		t.Errorf("opened without a reason: %d", a.status)
	}
	a := s.post(at+"/identity/open", "reason", "La rappeler avant sa plainte")
	a.want(t, name, contact, "Affichée cette fois seulement", "Identité ouverte, pour une raison écrite.", "La rappeler avant sa plainte", "Ouverte 1 fois")
	if a.status != http.StatusOK || a.head.Get("Cache-Control") != "no-store" {
		t.Errorf("the page with the identity: %d, %q", a.status, a.head.Get("Cache-Control"))
	}
	s.page(at).lacks(t, name, contact)
	s.changed(at+"/identity", "action", "erase").want(t, "Identité effacée.", "Aucune identité n’est gardée")
	if a := s.post(at+"/identity/open", "reason", "once more, to see"); a.status != http.StatusConflict {
		t.Errorf("opened after it was erased: %d", a.status)
	}
}

// TestWithdrawPages takes a report back on the person's pages.
func TestWithdrawPages(t *testing.T) {
	for _, held := range []bool{false, true} {
		d := newDesk(t, true, false)
		sub, err := d.flow.Submit(context.Background(), rempart.Report{Lang: "fr", Words: "Un texte de test.", Media: []rempart.Medium{{Fingerprints: prints()}}}, "")
		d.must(err)
		d.work()
		c := d.only()
		s := d.sit("")
		s.post("/follow", "code", sub.Code.String()).want(t, "Retirer mon signalement")
		s.get("/withdraw").want(t, "Vous pouvez le retirer à tout moment", "ne peut pas être rappelé")
		a := s.post("/withdraw", "code", "ABCD")
		a.want(t, "seize caractères")
		a.lacks(t, "ABCD")
		if held {
			d.must(d.db.UpdateCase(context.Background(), c.ID, "", func(c *rempart.Case) error { return c.PlaceHold("proceedings", "Alias", d.now) }))
		}
		a = s.post("/withdraw", "code", sub.Code.String())
		if a.status != http.StatusOK {
			t.Fatalf("withdrawn: %d\n%s", a.status, mainOf(a.body))
		}
		if held {
			a.want(t, "Votre demande est enregistrée", "doit être gardé pour l’instant")
			d.sit(rempart.RoleAnalyst).page("/console/cases/"+c.Ref).want(t, "La personne a retiré son signalement le")
			continue
		}
		a.want(t, "Votre signalement est effacé.")
		if _, err := d.db.Case(context.Background(), c.ID); rempart.KindOf(err) != rempart.NotFound {
			t.Errorf("the case: %v", err)
		}
		s.post("/withdraw", "code", sub.Code.String()).want(t, "Ce code n’ouvre aucun dossier")
	}
}
