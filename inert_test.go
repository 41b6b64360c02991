package rempart_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"rempart"
)

// carriers are small pictures of a gradient, as the standard library writes them,
// each written as characters in every way that programs write them.
func carriers(t testing.TB) map[string]string {
	t.Helper()
	m := image.NewPaletted(image.Rect(0, 0, 24, 24), color.Palette{color.White, color.Black, color.Gray{128}, color.Gray{64}})
	for i := range m.Pix {
		m.Pix[i] = uint8(i*i/7) % 4
	}
	files := map[string][]byte{"webp": []byte("RIFF\x80\x02\x00\x00WEBPVP8 " + strings.Repeat("\x9d\x01\x2a\x20\xfe\x42\x07", 90)), "avif": []byte("\x00\x00\x00\x20ftypavif" + strings.Repeat("\x00\x81mif1\x9c", 90))}
	for name, write := range map[string]func(*bytes.Buffer) error{
		"jpeg": func(b *bytes.Buffer) error { return jpeg.Encode(b, m, nil) },
		"png":  func(b *bytes.Buffer) error { return png.Encode(b, m) },
		"gif":  func(b *bytes.Buffer) error { return gif.Encode(b, m, nil) },
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		files[name] = b.Bytes()
	}
	out := map[string]string{}
	for name, file := range files {
		text := base64.StdEncoding.EncodeToString(file)
		var folded, quoted strings.Builder
		for i := 0; i < len(text); i += 76 {
			folded.WriteString(text[i:min(i+76, len(text))] + "\r\n")
			quoted.WriteString("> " + text[i:min(i+76, len(text))] + "\n")
		}
		for way, s := range map[string]string{
			"a data address":          "data:image/" + name + ";base64," + text,
			"one with its parameters": "DATA:image/" + name + ";charset=utf-8;base64," + text,
			"one that is escaped":     url.QueryEscape("data:image/" + name + ";base64," + text),
			"one in an address":       "https://a.exemple.test/?x=" + url.QueryEscape(url.QueryEscape("data:image/"+name+";base64,"+text)),
			"base64":                  text,
			"base64 of addresses":     base64.RawURLEncoding.EncodeToString(file),
			"folded lines":            folded.String(),
			"an answer's lines":       quoted.String(),
			"hexadecimal":             hex.EncodeToString(file),
			"capitals":                strings.ToUpper(hex.EncodeToString(file)),
		} {
			if len(text) < 120 {
				t.Fatalf("%s is only %d characters", name, len(text))
			}
			out[name+" as "+way] = "Voici l’image : " + s + "\nMerci."
		}
	}
	if len(out) != 50 {
		t.Fatalf("%d texts", len(out))
	}
	return out
}

func TestCarriesFile(t *testing.T) {
	for name, text := range carriers(t) {
		if !rempart.CarriesFile(text) {
			t.Errorf("%s passes: %.120s", name, text)
		}
	}
	digests := make([]string, 40)
	for i := range digests {
		digests[i] = fmt.Sprintf("%064x", i*i*i+7)
	}
	token := base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte(`{"sub":"exemple"}`), 55))
	long := map[string]string{
		"words":            "On m’a envoyé une image. data: rien, base64, image/jpeg; voilà tout ce que je sais. " + strings.Repeat("Je ne sais pas qui l’a faite ni pourquoi. ", 60),
		"digests in lines": strings.Join(digests, "\n"), "digests in a line": strings.Join(digests, " "), "digests in JSON": `["` + strings.Join(digests, `","`) + `"]`,
		"an address":          "https://galerie.exemple.test/album/7/photo/5150-une-adresse-longue-comme-il-y-en-a-souvent?taille=grande&jeton=" + token,
		"a path":              "https://exemple.test/" + strings.Repeat("une-suite-de-mots-avec-des-tirets/", 20),
		"a signature":         "-----BEGIN SIGNATURE-----\n" + strings.Repeat(strings.Repeat("aB3/", 16)+"\n", 4),
		"an id in an address": "https://exemple.test/9j/4/R0lGOD/photo-de-vacances-avec-un-nom-assez-long-pour-depasser-la-limite-des-mots",
	}
	for _, name := range []string{"README.md", "DESIGN.md", "THREATMODEL.md", "go.sum", "web/i18n/person.fr.json", "law/data/fr/fr-2026-04-02.2.json"} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		long[name] = string(b)
	}
	for name, text := range long {
		if rempart.CarriesFile(text) {
			t.Errorf("%s is refused", name)
		}
	}
}

// FuzzCarriesFile writes what it is given as a program would, after the beginning
// of a picture, among words: it is found.
func FuzzCarriesFile(f *testing.F) {
	f.Add([]byte("a picture"), "avant ", uint8(0))
	f.Add(bytes.Repeat([]byte{0xff, 0x0d, 0x0a, ' '}, 500), "%41%", uint8(3))
	f.Fuzz(func(t *testing.T, rest []byte, words string, way uint8) {
		rempart.CarriesFile(words)
		rnd := rand.New(rand.NewPCG(1, uint64(len(rest))))
		file := append([]byte("\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01"), rest...)
		for len(file) < 300 {
			file = append(file, byte(rnd.Uint32()))
		}
		text := base64.StdEncoding.EncodeToString(file)
		if way%2 == 1 {
			text = hex.EncodeToString(file)
		}
		if way%3 == 0 {
			text = "data:image/jpeg;base64," + text
		}
		if !rempart.CarriesFile(words + "\n\"" + text + "\"") {
			t.Errorf("a picture passes after %q", words)
		}
	})
}

// TestNoFileInWords brings a picture as text to every door of the domain.
func TestNoFileInWords(t *testing.T) {
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	refused := func(err error) bool {
		var one *rempart.Error
		var many rempart.Problems
		if errors.As(err, &many) {
			for _, e := range many {
				if e.Code == "text.file" {
					return true
				}
			}
		}
		return errors.As(err, &one) && one.Code == "text.file"
	}
	has := func(missing []rempart.Missing) bool {
		for _, m := range missing {
			if m.Code == "text.file" {
				return true
			}
		}
		return false
	}
	n := 0
	for name, text := range carriers(t) {
		n++
		for door, ok := range map[string]func() bool{
			"a report":  func() bool { _, err := rempart.Report{Words: text}.Normal(at); return refused(err) },
			"a message": func() bool { return refused((&rempart.Case{State: rempart.CaseActive}).Hear(text, at)) },
			"an answer": func() bool { return refused((&rempart.Case{State: rempart.CaseActive}).Tell(text, "lune", at)) },
			"a notice": func() bool {
				return has(rempart.Notice{Explanation: text}.MissingAtIntake()) && has(rempart.Notice{Explanation: text}.MissingToSend())
			},
			"a notice received": func() bool {
				_, err := rempart.Receive(rempart.Notice{Explanation: text, Items: []rempart.NoticeItem{{ID: "i", Address: "https://exemple.test/"}}, GoodFaith: true, Minor: true}, "", rempart.Peer{ID: "hub"}, at)
				return refused(err)
			},
			"a complaint": func() bool {
				_, err := (&rempart.Intake{}).Complain(rempart.ByNotifier, "", nil, text, rempart.Window{}, "a", at)
				return refused(err)
			},
			"a decision": func() bool {
				return has(rempart.Decision{Facts: text}.MissingAtDecision(at)) && has(rempart.Decision{Explanation: text}.MissingAtDecision(at))
			},
			"a template": func() bool {
				_, err := rempart.Templates{}.With(rempart.Template{ID: "x", Title: rempart.Text{FR: "x", EN: "x"}, Body: rempart.Text{FR: text, EN: "x"}})
				return len(text) > 3000 || refused(err)
			},
			"an address": func() bool {
				_, err := rempart.CleanAddress("https://a.exemple.test/?x=" + url.QueryEscape(strings.TrimSuffix(strings.TrimPrefix(text, "Voici l’image : "), "\nMerci.")))
				return err != nil || strings.HasSuffix(name, "answer's lines") // no address has lines
			},
		} {
			if !ok() {
				t.Errorf("%s takes %s", door, name)
			}
		}
		m := rempart.Mail{Text: "Bonjour,\n" + text}.Normal()
		if rempart.CarriesFile(m.Text) || !m.Cut || !strings.HasPrefix(m.Text, "Bonjour,") || !strings.HasSuffix(m.Text, "Merci.") {
			t.Errorf("an e-mail keeps of %s: %q", name, m.Text)
		}
	}
	if n != 50 {
		t.Fatalf("%d texts", n)
	}
}
