package web

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"rempart"
	"rempart/flow"
)

// receive has the instance receive a notice about two addresses.
func (d *desk) receive(key string, minor bool, from rempart.Peer) *rempart.Intake {
	d.t.Helper()
	n := rempart.Notice{
		ID: rempart.NewID(d.now), CaseRef: "7F3K-9QXM", ServiceID: forum, State: rempart.NoticeQueued, Lang: "fr", Minor: minor, DoNotTell: true, GoodFaith: true,
		Explanation: "Les contenus à ces adresses montrent une personne identifiée <b>sans</b> son consentement.",
		Grounds:     []rempart.Ground{{Article: "226-8-1", Code: "Code pénal", Label: "Montage à caractère sexuel sans consentement", TextDate: "2026-04-02", Source: "https://www.legifrance.gouv.fr/"}},
		Items: []rempart.NoticeItem{
			{ID: "i1" + key, Address: "https://forum.exemple.test/page/1", Fingerprints: prints()},
			{ID: "i2" + key, Address: "https://forum.exemple.test/page/2"},
		},
		Notifier: rempart.Notifier{Name: "Association Exemple", Email: "notification@association.exemple.test"},
	}
	i, err := rempart.Receive(n, key, from, d.now)
	d.must(err)
	i, _, err = d.db.CreateIntake(context.Background(), i)
	d.must(err)
	return i
}

// flagger adds a peer that sends notices and asks for the answers itself.
func (d *desk) flagger(id string, trusted bool) rempart.Peer {
	d.t.Helper()
	p := rempart.Peer{ID: id, Name: "Association " + id, Kind: rempart.PeerFlagger, TrustedFlagger: trusted, CreatedAt: d.now}
	d.must(d.db.PutPeer(context.Background(), p, "key-"+id, nil))
	return p
}

func TestIntakes(t *testing.T) {
	d := newDesk(t, false, true)
	s := d.sit(rempart.RoleModerator)
	s.page("/console/").want(t, "Aucune notification n’attend de décision.")
	plain := d.receive("a", false, d.flagger("aulne", false))
	trusted := d.receive("b", false, d.flagger("bouleau", true))
	minor := d.receive("c", true, d.flagger("chêne", false))
	for _, lang := range langs {
		s.lang = lang
		body := s.page("/console/").body
		if a, b, c := strings.Index(body, minor.Number), strings.Index(body, trusted.Number), strings.Index(body, plain.Number); a < 0 || a > b || b > c {
			t.Errorf("order of the queue: minor at %d, trusted at %d, other at %d", a, b, c)
		}
	}
	s.lang = "fr"
	s.page("/console/").want(t, "signaleur de confiance", "mineur")
	s.page("/console/?state=decided").want(t, "Aucune notification décidée encore.")
}

func TestDecide(t *testing.T) {
	for _, lang := range langs {
		t.Run(lang, func(t *testing.T) {
			d := newDesk(t, false, true)
			i := d.receive("a", false, d.flagger("aulne", true))
			d.work()
			s := d.sit(rempart.RoleModerator)
			s.lang = lang
			at := "/console/notices/" + i.Number
			a := s.page(at)
			a.want(t, "https://forum.exemple.test/page/1", "&lt;b&gt;sans&lt;/b&gt;", "Code pénal, art. 226-8-1", i.Number, "5a5a33cc…5a5a33cc")
			a.lacks(t, `href="https://forum`, "<b>sans</b>")

			a = s.post(at+"/items/i1a", "measure", "removed", "ground", "law", "facts", "court", "explanation", "une raison écrite", "redress", "ailleurs")
			if a.status != http.StatusUnprocessableEntity {
				t.Fatalf("an incomplete decision: %d, want 422", a.status)
			}
			sober(t, at, a.body)
			a.want(t, "17(3)(b)", "17(3)(d)", "17(3)(f)", "une raison écrite")
			if got, err := d.db.Intake(context.Background(), i.ID); err != nil || len(got.Decisions) != 0 {
				t.Errorf("an incomplete decision was saved: %v %v", got.Decisions, err)
			}

			decision := []string{"measure", "removed", "ground", "law", "reference", "Code pénal, art. 226-8-1", "facts", "Contenu vu le 22 novembre.",
				"explanation", "Le montage montre une personne sans son accord.", "scope", "EU", "redress", "complaint", "redress", "court", "automated", "no"}
			s.changed(at+"/items/i1a", decision...).want(t, i.Number)
			got, err := d.db.Intake(context.Background(), i.ID)
			d.must(err)
			if x := got.Decisions["i1a"]; x.Measure != rempart.MeasureRemoved || x.Scope != "EU" || len(x.Redress) != 2 || x.Automated || got.State != rempart.IntakeReceived {
				t.Errorf("decision saved: %+v, intake %s", x, got.State)
			}
			if a := s.post(at+"/items/ailleurs", decision...); a.status != http.StatusNotFound {
				t.Errorf("an item of another notice: %d, want 404", a.status)
			}
			decision[1] = "refused"
			s.changed(at+"/items/i2a", decision...)
			if a := s.post(at+"/items/i2a", decision...); a.status != http.StatusConflict {
				t.Errorf("deciding twice: %d, want 409", a.status)
			}
			a = s.page(at) // the notifier has no address: it asks
			if lang == "fr" {
				a.want(t, "Le notifiant lira la décision quand il la demandera.", "Élément 2 : décision « refusé ».")
				a.lacks(t, "a reçu la décision")
			}
			aulne := d.flagger("aulne", true)
			aulne.URL = "http://aulne.exemple.test"
			d.must(d.db.PutPeer(context.Background(), aulne, "", nil))
			if a = s.page(at); lang == "fr" {
				a.want(t, "Le notifiant est en train d’être informé.")
			}
			d.must(d.db.Commit(context.Background(), "", rempart.Consequences{Events: []rempart.Event{{Kind: "intake.told", Subject: i.ID, Actor: rempart.ActorSystem, At: d.now,
				Data: map[string]string{"callback": rempart.CallbackDecided}}}}))
			if a = s.page(at); lang == "fr" {
				a.want(t, "le notifiant a reçu la décision", "Le notifiant a reçu la décision et ses motifs.")
			}
		})
	}
	d := newDesk(t, false, true)
	if a := d.sit(rempart.RoleModerator).get("/console/notices/N-0000-0000"); a.status != http.StatusNotFound {
		t.Errorf("a notice that is not there: %d, want 404", a.status)
	}
}

func TestMinorIntake(t *testing.T) {
	d := newDesk(t, false, true)
	i := d.receive("a", true, d.flagger("aulne", true))
	a := d.sit(rempart.RoleModerator).page("/console/notices/" + i.Number)
	rest := a.body
	for strings.Contains(rest, "<details>") {
		before, after, _ := strings.Cut(rest, "<details>")
		_, after, _ = strings.Cut(after, "</details>")
		rest = before + after
	}
	if strings.Contains(rest, "forum.exemple.test/page") {
		t.Error("an address of a minor's notice is shown openly")
	}
	a.want(t, "Afficher l’adresse", "https://forum.exemple.test/page/2")
}

// check posts a file to be checked.
func (s *seat) check(data []byte) answer {
	s.t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	if data != nil {
		part, err := m.CreateFormFile("photo", "vacances.jpg")
		s.must(err)
		part.Write(data)
	}
	m.Close()
	r, err := http.NewRequest(http.MethodPost, s.url+"/console/check", &b)
	s.must(err)
	r.Header.Set("Content-Type", m.FormDataContentType())
	return s.send(r)
}

// hills draws a made-up landscape; turned, it lies on its side.
func hills(w, h int, turned bool) image.Image {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	if turned {
		m = image.NewRGBA(image.Rect(0, 0, h, w))
	}
	for y := range h {
		for x := range w {
			c := color.RGBA{120, uint8(150 + y*80/h), 230, 255}
			for k, tall := range []float64{0.35, 0.5, 0.7} {
				fx := float64(x) / float64(w)
				if float64(y)/float64(h) > tall+0.12*math.Sin(fx*float64(7+5*k)+float64(k)) {
					c = color.RGBA{uint8(40 + 50*k), uint8(110 - 25*k), uint8(60 + x*60/w), 255}
				}
			}
			if (x/40*7+y/40*13)%11 < 3 { // fields
				c = color.RGBA{uint8(x * 200 / w), 200, 90, 255}
			}
			if turned {
				m.Set(h-1-y, x, c)
			} else {
				m.Set(x, y, c)
			}
		}
	}
	return m
}

func asPNG(t *testing.T, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asJPEG(t *testing.T, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 70}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// hugePNG is the head of a picture of 50,000 × 50,000 pixels, and nothing else.
var hugePNG = func() []byte {
	head := []byte("IHDR\x00\x00\xc3\x50\x00\x00\xc3\x50\x08\x06\x00\x00\x00")
	b := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), head...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(head))
}()

func TestCheck(t *testing.T) {
	d := newDesk(t, false, true)
	s := d.sit(rempart.RoleModerator)
	photo := asPNG(t, hills(640, 480, false))
	for _, lang := range langs {
		s.lang = lang
		s.page("/console/check").want(t, `name="photo"`)
		a := s.check(photo)
		if a.status != http.StatusOK {
			t.Fatalf("a picture: %d\n%s", a.status, mainOf(a.body))
		}
		sober(t, "/console/check", a.body)
		a.lacks(t, "vacances")
	}
	s.lang = "fr"
	s.check(photo).want(t, "Aucune correspondance", "640 × 480")

	found, err := d.flow.CheckFile(context.Background(), bytes.NewReader(photo), flow.Upload{})
	d.must(err)
	d.must(d.db.Commit(context.Background(), "", rempart.Consequences{Entries: []rempart.EntryChange{
		{Entry: rempart.Entry{ID: "e1", List: "ncii-adult", Fingerprint: found.Print, State: rempart.EntryActive, CaseRef: "7F3K-9QXM", ItemID: "i1", Since: d.now}},
	}}))
	for _, lang := range langs {
		s.lang = lang
		a := s.check(asJPEG(t, hills(640, 480, true)))
		sober(t, "/console/check", a.body)
		a.want(t, "7F3K-9QXM", "pdq")
		if lang == "fr" {
			a.want(t, "1 correspondance", "Images intimes d’adultes sans consentement", "quart", "bloquer")
		}
	}
	s.lang = "fr"
	for name, x := range map[string]struct {
		data     []byte
		status   int
		sentence string
	}{
		"no file":       {nil, 422, "Choisissez un fichier à vérifier."},
		"no picture":    {[]byte("Bonjour, ceci est un texte."), 422, "n’est pas une image"},
		"truncated":     {photo[:len(photo)/2], 422, "incomplet"},
		"a huge header": {hugePNG, 413, "trop de pixels"},
		"too large":     {append(bytes.Clone(photo), make([]byte, maxCheck)...), 413, "64 Mio"},
	} {
		a := s.check(x.data)
		if a.status != x.status {
			t.Errorf("%s: %d, want %d", name, a.status, x.status)
		}
		sober(t, "/console/check", a.body)
		a.want(t, x.sentence)
	}
}

func TestPlatformHome(t *testing.T) {
	d := newDesk(t, false, true)
	s := d.sit("")
	for _, lang := range langs {
		s.lang = lang
		s.page("/").want(t, "/api/v1/notices", "/api/openapi.json", "/console/sign-in")
	}
}

// TestNoticeKept shows how long a notice received is kept, and places and lifts a
// hold on it.
func TestNoticeKept(t *testing.T) {
	d := newDesk(t, false, true)
	i := d.receive("a", true, d.flagger("hub", true))
	s, at := d.sit(rempart.RoleModerator), "/console/notices/"+i.Number
	s.page(at).want(t, "tant que quelque chose y attend", "au bout de 365 jours", "notification, personne mineure", "réglée par la plateforme")
	if a := s.post(at+"/hold", "action", "place", "reason", "oui"); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, ">oui</textarea>") {
		t.Errorf("a hold without a reason: %d", a.status)
	}
	s.changed(at+"/hold", "action", "place", "reason", "Procédure en cours.").want(t, "Conservation forcée demandée.", "Rien ni personne", "Procédure en cours.")
	for _, ni := range i.Notice.Items {
		d.must(d.db.UpdateIntake(context.Background(), i.ID, func(i *rempart.Intake) error {
			return i.Decide(ni.ID, rempart.Decision{Measure: rempart.MeasureRefused, Explanation: "Cette page montre un paysage.", Ground: "law", Reference: "226-8-1", Facts: "Un paysage.", Redress: []string{"complaint"}}, "Alias-moderator", d.now)
		}))
	}
	d.now = d.now.Add(3000 * 24 * time.Hour)
	s = d.sit(rempart.RoleModerator)
	if n, err := d.flow.Retain(context.Background()); err != nil || n != 0 {
		t.Errorf("under a hold %d are erased, %v", n, err)
	}
	s.page(at).want(t, "Rien ni personne")
	s.changed(at+"/hold", "action", "lift", "reason", "Elle est finie.").want(t, "Son terme est passé", "1 conservation forcée levée")
	if n, err := d.flow.Retain(context.Background()); err != nil || n != 1 {
		t.Errorf("%d erased, %v, want 1", n, err)
	}
	if a := s.get(at); a.status != http.StatusNotFound {
		t.Errorf("after its erasure: %d", a.status)
	}
}
