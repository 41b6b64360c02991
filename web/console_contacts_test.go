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
