package web

import (
	"bytes"
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"rempart"
)

// importBook sends a file as the page's form does.
func (s *seat) importBook(t *testing.T, file string) (int, string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part, err := w.CreateFormFile("file", "services.csv")
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(part, file)
	w.Close()
	r, err := s.http.Post(s.url+"/console/admin/services", w.FormDataContentType(), &b)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(text)
}

// TestContacts imports a contact book, shows it, writes the same file again, and
// takes nothing of one with a fault.
func TestContacts(t *testing.T) {
	d := newDesk(t, true, false)
	s := d.sit(rempart.RoleAdmin)
	good := "id,name,hosts,language,provenance,checked_at,country,coordinator,channels,caveats,small\n" +
		"album,Album Exemple,album.exemple.test,fr,sa page de contact,2026-11-20,FR,Arcom,form:https://album.exemple.test/s,'=1 à lire,yes\n"
	if status, text := s.importBook(t, good); status != http.StatusOK && status != http.StatusSeeOther {
		t.Fatalf("%d: %s", status, text)
	}
	s.page("/console/admin/services?n=1").want(t, "1 service enregistré", "Album Exemple", "=1 à lire", "Arcom", "micro ou petite entreprise", "vérifié le 20")
	got, err := d.db.Service(context.Background(), "album")
	if err != nil || !got.Small || got.Contact.Form() == "" {
		t.Errorf("%+v, %v", got, err)
	}
	out := s.page("/console/admin/services.csv").body
	if !strings.Contains(out, "'=1 à lire") || !strings.Contains(out, "Forum Exemple") {
		t.Errorf("the file: %s", out)
	}
	status, text := s.importBook(t, good+"zut,,pas un nom,fr,,hier,,,,,\n")
	if status != http.StatusUnprocessableEntity || !strings.Contains(text, "Ligne 3") || !strings.Contains(text, "Rien n’a été enregistré") {
		t.Errorf("a row with faults: %d", status)
	}
	if status, _ = s.importBook(t, strings.Replace(good, "Album Exemple", "Album Neuf", 1)+"zut\n"); status != http.StatusUnprocessableEntity {
		t.Errorf("a short row: %d", status)
	}
	if got, _ := d.db.Service(context.Background(), "album"); got.Name != "Album Exemple" {
		t.Error("half a file was imported")
	}
	if a := d.sit(rempart.RoleAnalyst).post("/console/admin/services"); a.status != http.StatusForbidden {
		t.Errorf("an analyst imports: %d", a.status)
	}
}

// TestSentByHand: a service without a channel is notified by its form: the fields to
// paste, the proof, then what it answered; nothing is said to be delivered before
// the proof.
func TestSentByHand(t *testing.T) {
	d := clocked(t)
	ctx := context.Background()
	d.must(d.db.PutService(ctx, rempart.Service{ID: forum, Name: "Forum Exemple", Hosts: []string{"forum.exemple.test"}, Lang: "fr", CheckedAt: "2026-11-01",
		Contact: rempart.Contact{Channels: []rempart.Channel{{Kind: rempart.ChannelForm, To: "https://forum.exemple.test/signaler"}}, Caveats: "Répond le lundi."}}))
	c := d.open(rempart.AgeSaidAdult)
	d.must(d.db.UpdateCase(ctx, c.ID, "", func(c *rempart.Case) error { return c.ConfirmQualification(c.Quals[0].ID, "Saule", d.now) }))
	id, err := d.flow.Draft(ctx, c.ID, forum, []string{c.Items[0].ID}, "Saule")
	d.must(err)
	at := "/console/cases/" + c.Ref + "/notices/" + id
	s := d.sit(rempart.RoleAnalyst)
	s.changed(at, "action", "send", "good_faith", "yes")
	d.work()
	if i := d.reload(c).Items[0]; i.State != rempart.ItemFailed {
		t.Fatalf("the item is %s", i.State)
	}
	s.page(at).want(t, "Envoyer à la main", "https://forum.exemple.test/signaler", "Répond le lundi.", "data-copy", c.Items[0].Address, "Bonne foi")
	if a := s.post(at, "action", "record", "day", "2026-11-22", "channel", "form", "proof", ""); a.status != http.StatusUnprocessableEntity {
		t.Errorf("without a proof: %d", a.status)
	}
	if i := d.reload(c).Items[0]; i.State != rempart.ItemFailed {
		t.Errorf("told as sent without a proof: %s", i.State)
	}
	s.changed(at, "action", "record", "day", "2026-11-22", "channel", "form", "proof", "copie d’écran 7").want(t, "copie d’écran 7")
	if i := d.reload(c).Items[0]; i.State != rempart.ItemNotified {
		t.Errorf("the item is %s", i.State)
	}
	events, err := d.db.Events(ctx, c.ID)
	d.must(err)
	for _, e := range events {
		for _, x := range e.Data {
			if strings.Contains(x, "copie") {
				t.Errorf("what somebody wrote is in the ledger: %+v", e)
			}
		}
	}
	s.page(at).want(t, `value="acknowledged"`)
}

// TestNextChannel: where the channel that the book prefers does not take a notice,
// its page proposes the others in order, and sends by one that the book has left.
func TestNextChannel(t *testing.T) {
	d := clocked(t)
	ctx := context.Background()
	d.must(d.db.PutService(ctx, rempart.Service{ID: forum, Name: "Forum Exemple", Hosts: []string{"forum.exemple.test"}, PeerID: forum, Lang: "fr", CheckedAt: "2026-11-01",
		Contact: rempart.Contact{Channels: []rempart.Channel{{Kind: rempart.ChannelEmail, To: "abus@forum.exemple.test"}, {Kind: rempart.ChannelAPI}, {Kind: rempart.ChannelForm, To: "https://forum.exemple.test/signaler"}}}}))
	c := d.open(rempart.AgeSaidAdult)
	d.must(d.db.UpdateCase(ctx, c.ID, "", func(c *rempart.Case) error { return c.ConfirmQualification(c.Quals[0].ID, "Saule", d.now) }))
	id, err := d.flow.Draft(ctx, c.ID, forum, []string{c.Items[0].ID}, "Saule")
	d.must(err)
	at := "/console/cases/" + c.Ref + "/notices/" + id
	s := d.sit(rempart.RoleAnalyst)
	s.changed(at, "action", "send", "good_faith", "yes")
	d.work() // no mail server is set up
	page := s.page(at)
	page.want(t, "Autres canaux", `name="way" value="api"`, "https://forum.exemple.test/signaler", "à la main, avec les champs préparés")
	wellFormed(t, "other channels", page.body)
	for _, way := range []string{"form:https://forum.exemple.test/signaler", "email:ailleurs@exemple.test", "zut"} {
		if a := s.post(at, "action", "by", "way", way); a.status != http.StatusConflict && a.status != http.StatusUnprocessableEntity {
			t.Errorf("by %s: %d", way, a.status)
		}
	}
	if a := d.sit(rempart.RoleAdmin).post(at, "action", "by", "way", "api"); a.status != http.StatusForbidden {
		t.Errorf("an administrator sends: %d", a.status)
	}
	if n := d.reload(c).Notice(id); n.State != rempart.NoticeFailed {
		t.Fatalf("the notice is %s", n.State)
	}
	s.changed(at, "action", "by", "way", "api")
	if n := d.reload(c).Notice(id); n.State != rempart.NoticeQueued || n.Via.Kind != rempart.ChannelAPI {
		t.Errorf("the notice is %s by %q", n.State, n.Via)
	}
	s.page("/console/cases/"+c.Ref).want(t, "prend un autre canal")
	d.sit(rempart.RoleAdmin).page("/console/admin/services").want(t, "le suivant est proposé à une personne")
}
