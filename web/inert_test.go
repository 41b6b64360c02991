package web

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"image"
	"image/jpeg"
	"net/http"
	"strings"
	"testing"

	"rempart"
)

// TestNoPictureAsText sends a picture, written as characters, in each field with
// words that anybody can send, and in a reason that staff types: it is refused in
// a sentence, and kept nowhere.
func TestNoPictureAsText(t *testing.T) {
	d := newDesk(t, true, true)
	var file bytes.Buffer
	d.must(jpeg.Encode(&file, image.NewGray(image.Rect(0, 0, 64, 64)), nil))
	picture := "data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(file.Bytes())
	d.must(d.db.PutPeer(t.Context(), rempart.Peer{ID: "aulne", Name: "Aulne", Kind: rempart.PeerFlagger, CreatedAt: d.now}, "key-aulne", nil))
	c := d.open(rempart.AgeSaidAdult)

	send := func(path string, body map[string]any, header ...string) {
		t.Helper()
		b, err := json.Marshal(body)
		d.must(err)
		status, _, text := d.call("POST", path, "application/json", bytes.NewReader(b), header...)
		if status != http.StatusUnprocessableEntity || !strings.Contains(text, "file") || strings.Contains(text, picture[30:]) {
			t.Errorf("%s: %d %.300s", path, status, text)
		}
	}
	send("/api/v1/reports", map[string]any{"words": "Voici l’image : " + picture}, "Idempotency-Key", strings.Repeat("k", 30))
	send("/api/v1/reports", map[string]any{"words": strings.TrimPrefix(picture, "data:image/jpeg;base64,")}, "Idempotency-Key", strings.Repeat("l", 30))
	send("/api/v1/notices", map[string]any{"id": "n1", "lang": "fr", "good_faith": true, "explanation": "Le contenu est illicite. " + picture,
		"items": []any{map[string]any{"id": "i1", "address": "https://forum.exemple.test/1"}}, "notifier": map[string]any{"name": "Aulne", "email": "a@aulne.exemple.test"}},
		"Authorization", "Bearer key-aulne", "Idempotency-Key", strings.Repeat("n", 30))

	// The person's own words stay in the form, for her to take the picture out.
	a := d.sit("").post("/report", "words", "Ce que je voulais dire. "+picture, "key", strings.Repeat("m", 30))
	if a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "fichier écrit en caractères") || !strings.Contains(a.body, "Ce que je voulais dire.") {
		t.Errorf("the person's form: %d %.600s", a.status, mainOf(a.body))
	}
	s := d.sit(rempart.RoleAnalyst)
	if a := s.post("/console/cases/"+c.Ref+"/items/"+c.Items[0].ID, "action", "drop", "reason", "vu : "+picture); a.status != http.StatusUnprocessableEntity {
		t.Errorf("a reason: %d", a.status)
	}
	if got := d.reload(c); got.Items[0].State != c.Items[0].State {
		t.Errorf("the item is %s", got.Items[0].State)
	}
}
