package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"mime/multipart"
	"strings"
	"testing"
	"time"

	"rempart"
)

// TestRegister adds a service, writes its time line, answers the checklist before
// and after the day on which the prohibition applies, and shows what was wrong.
func TestRegister(t *testing.T) {
	d := newDesk(t, true, false)
	s := d.sit(rempart.RoleAnalyst)
	s.page("/console/register").want(t, "forum")
	s.post("/console/register", "id", "Pas Bon", "name", "", "kind", "nudify").want(t, "Donnez un identifiant court", "Donnez le nom du service.", "Dites d’où viennent ces faits.")
	s.changed("/console/register", "id", "exemple-app", "name", "Exemple App", "kind", "nudify", "provenance", "relevé de la boutique, 20 novembre 2026")
	s.post("/console/register", "id", "exemple-app", "name", "Encore", "kind", "ai", "provenance", "p").want(t, "déjà une entrée sous cet identifiant")
	at := "/console/register/exemple-app"
	s.changed(at, "action", "edit", "name", "Exemple App", "kind", "nudify", "provenance", "relevé", "entity", "Société Exemple", "surface", "app", "surface", "account",
		"age_rating", "4+", "price", "9,99 € par mois", "store", "Boutique Exemple", "store_id", "test.exemple.app", "reported_by", "Association Exemple", "public", "yes")
	s.changed(at, "action", "fact", "kind", "measure", "date", "2026-11-14", "what", "La fonction est réservée aux abonnés.", "source", "communiqué du service", "surface", "account")
	s.changed(at, "action", "fact", "kind", "ignored", "date", "2026-11-16", "what", "Deux notifications sans réponse.", "source", "dossiers de l’association")
	s.post(at, "action", "fact", "kind", "measure", "date", "2027-01-01", "what", "x", "source", "").want(t, "aujourd’hui au plus tard", "un fait sans source n’est pas gardé")
	s.changed(at, "action", "answer", "rule", "1a-outcome", "answer", "yes", "date", "2026-11-20", "what", "Quatre essais sur quatre, sur une image d’adulte consentant.", "source", "campagne A1")
	s.page(at).want(t, "Société Exemple", "test.exemple.app", "Mesure annoncée", "La fonction est réservée aux abonnés.", "compte dans un réseau", "pas encore applicable",
		"5(1)(ba)", "5(1)(bb)", "Quatre essais sur quatre", "sources secondaires", "Deux notifications sans réponse.", "Ces faits ne qualifient rien")
	s.changed(at, "action", "fact", "kind", "gone", "date", "2026-11-21", "what", "L’application n’est plus dans la boutique.", "source", "page de la boutique")
	s.page("/console/register").want(t, "Exemple App", "Société Exemple", "retiré depuis le 21\u00a0novembre\u00a02026", "1 fait au dossier 323-3-2")
	if _, _, text := d.call("GET", "/figures", "", nil); !strings.Contains(text, "Exemple App") || !strings.Contains(text, "réservée aux abonnés") || !strings.Contains(text, "Aucune publication n’a encore été figée.") ||
		strings.Contains(text, "Deux notifications sans réponse") || strings.Contains(text, "Forum") {
		t.Errorf("the public page: %s", mainOf(text))
	}
	d.now = time.Date(2026, 12, 2, 8, 0, 0, 0, time.UTC)
	d.sit(rempart.RoleAnalyst).page(at).want(t, "applicable depuis le 2\u00a0décembre\u00a02026")
	if a := d.sit(rempart.RoleReader).page(at); strings.Contains(a.body, `action="`+at) || strings.Contains(a.body, `action="/console/register`) {
		t.Error("who may only read is offered a form")
	}
}

// TestWeights registers a file of 3 MB as a model's weights; from then on an exact
// copy is refused by POST /api/v1/match, by its digest and as a file, and one
// that was changed, or taken off the list, is not.
func TestWeights(t *testing.T) {
	d := newDesk(t, true, false)
	file := bytes.Repeat([]byte("harmless weights of nothing. "), 110_000)
	sum := sha256.Sum256(file)
	digest := hex.EncodeToString(sum[:])
	s := d.sit(rempart.RoleAnalyst)
	s.changed("/console/register", "id", "modele-exemple", "name", "Modèle Exemple", "kind", "model", "provenance", "dépôt public")
	at := "/console/register/modele-exemple"
	s.post(at, "action", "weights", "sha256", "abc").want(t, "64 chiffres hexadécimaux")
	ask := func(as string, b []byte) (int, string) {
		var body bytes.Buffer
		m := multipart.NewWriter(&body)
		w, err := m.CreateFormFile("file", "model.safetensors")
		d.must(err)
		w.Write(b)
		m.Close()
		status, _, text := d.call("POST", "/api/v1/match"+as, m.FormDataContentType(), &body)
		return status, text
	}
	byDigest := func() string {
		status, _, text := d.call("POST", "/api/v1/match", "application/json", strings.NewReader(`{"fingerprints":[{"type":"sha256","value":"`+digest+`"}],"stopped":true}`))
		if status != 200 {
			t.Fatalf("%d %s", status, text)
		}
		return text
	}
	if status, text := ask("", file); status != 400 && status != 422 || strings.Contains(text, "model-weights") {
		t.Errorf("before it is listed: %d %s", status, text)
	}
	if text := byDigest(); !strings.Contains(text, `"matches":[]`) {
		t.Errorf("before it is listed: %s", text)
	}
	s.changed(at, "action", "weights", "sha256", strings.ToUpper(digest), "file", "model.safetensors")
	d.now = d.now.Add(time.Second)
	time.Sleep(20 * time.Millisecond) // a lookup may answer from an index of 10 ms
	refused := []string{`"list":"model-weights"`, `"class":"model_weights"`, `"action":"block"`, `"case_ref":"modele-exemple"`, `"distance":0`}
	for name, text := range map[string]string{"digest": byDigest()} {
		for _, want := range refused {
			if !strings.Contains(text, want) {
				t.Errorf("by %s: no %s in %s", name, want, text)
			}
		}
	}
	for _, as := range []string{"", "?as=file"} {
		status, text := ask(as, file)
		for _, want := range refused {
			if status != 200 || !strings.Contains(text, want) {
				t.Errorf("as a file %s: %d, no %s in %s", as, status, want, text)
			}
		}
	}
	if status, text := ask("?as=file", append([]byte("x"), file...)); status != 200 || strings.Contains(text, "model-weights") {
		t.Errorf("a changed file: %d %s", status, text)
	}
	s.page(at).want(t, digest, "model.safetensors")
	s.changed(at, "action", "drop", "sha256", digest)
	d.now = d.now.Add(time.Second)
	time.Sleep(20 * time.Millisecond)
	if text := byDigest(); !strings.Contains(text, `"matches":[]`) {
		t.Errorf("taken off the list: %s", text)
	}
}
