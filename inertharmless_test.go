package rempart_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"

	"rempart"
)

// TestHarmlessLong: long addresses as services make them, and long words that hold
// no file, are taken. Whoever is refused one has nobody to ask why.
func TestHarmlessLong(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 23))
	bytes := func(n int) []byte {
		b := make([]byte, n)
		for k := range b {
			b[k] = byte(rnd.Uint32())
		}
		return b
	}
	b64 := func(n int) string { return base64.RawURLEncoding.EncodeToString(bytes(n)) }
	std := func(n int) string { return url.QueryEscape(base64.StdEncoding.EncodeToString(bytes(n))) }
	hexed := func(n int) string { return hex.EncodeToString(bytes(n)) }
	jwt := func(n int) string {
		return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","typ":"JWT","kid":"`+b64(12)+`"}`)) + "." +
			base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"https://login.exemple.test","sub":"`+b64(n)+`"}`)) + "." + b64(256)
	}
	addresses := []string{
		"https://cdn.exemple.test/attachments/1111111111111111111/2222222222222222222/IMG_20260601_123456.jpg?ex=66a1b2c3&is=66a06143&hm=" + hexed(32) + "&=&format=webp&width=550&height=733",
		"https://scontent.exemple.test/v/t51.2885-15/123456789_1234567890123456_1234567890123456789_n.jpg?stp=dst-jpg_e35_p1080x1080_tt6&efg=eyJ2ZW5jb2RlX3RhZyI6ImltYWdlX3VybGdlbi4xMDgweDEzNTAuc2RyIn0&_nc_oc=" + b64(60) + "&_nc_ohc=" + b64(20) + "&ig_cache_key=MzYyMjg5NDYxNzM0OTk3NjQ0NQ%3D%3D.3-ccb7-5&oh=00_AfX" + b64(30) + "&oe=68123456",
		"https://recherche.exemple.test/search?q=photo+de+moi&sca_esv=" + hexed(8) + "&udm=2&sxsrf=" + b64(40) + "%3A1732345678901&ei=" + b64(24) + "&ved=0ahUKEwi" + b64(30) + "&gs_lp=" + b64(300) + "#vhid=" + b64(20) + "&vssid=mosaic",
		"https://cartes.exemple.test/maps/place/Tour+Eiffel/@48.8583701,2.2944813,17z/data=!3m2!4b1!5s0x47e66e2964e34e2d:0x8ddca9ee380ef7e0!4m6!3m5!1s0x47e66e2964e34e2d:0x8ddca9ee380ef7e0!16zL20vMDJqODE?entry=ttu&g_ep=EgoyMDI2MTEyMC4wIKXMDSoASAFQAw%3D%3D",
		"https://photos.exemple.test/pw/AP1GczM" + b64(250) + "=w1024-h768-s-no-gm?authuser=0",
		"https://reseau.exemple.test/photo/?fbid=1234567890&set=a.123&__cft__[0]=AZ" + b64(180) + "&__tn__=EH-R",
		"https://l.reseau.exemple.test/l.php?u=https%3A%2F%2Fexemple.test%2F%3Ffbclid%3D" + b64(80) + "&h=AT0" + b64(200) + "&__tn__=%2CmH-R&c[0]=AT" + b64(300),
		"https://liens.exemple.test/?url=https%3A%2F%2Fexemple.test%2Fa%3Fb%3Dc&data=05%7C02%7C%7C" + hexed(16) + "%7C0%7C0%7C638%7CUnknown%7C" + std(120) + "%3D%7C0%7C%7C%7C&sdata=" + std(32) + "&reserved=0",
		"https://exemple.test/" + strings.Repeat(url.PathEscape("صورة-شخصية-"), 12),
		"https://exemple.test/搜索?词=" + strings.Repeat("照片", 100),
		"https://exemple.test/?q=" + strings.Repeat(url.QueryEscape("照片和视频"), 15),
		"https://exemple.test/" + strings.Repeat("😭💔", 60),
		"https://exemple.test/?filters=H4sIAAAAAAAAA6tWyk0tLk5MT1WyUkpUqgUAzKj1ChEAAAA&sort=1&utm_source=newsletter_hebdo_2026",
	}
	for _, n := range []int{16, 32, 64, 128, 256, 400, 500, 600, 700, 800, 900, 1000} {
		addresses = append(addresses,
			"https://app.exemple.test/login?token="+jwt(n/2),
			"https://seau.exemple.test/photos/IMG_1234.jpg?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=ASIA%2F20261123%2Feu-west-3%2Fs3%2Faws4_request&X-Amz-Date=20261123T000000Z&X-Amz-Security-Token=IQoJb3JpZ2luX2VjE"+std(n)+"&X-Amz-Signature="+hexed(32),
			"https://clic.exemple.test/ls/click?upn=u001."+b64(n)+"_"+b64(20),
			"https://exemple.test/e/"+b64(n)+"/view",
			"https://exemple.test/tableau?state=H4sIAAAAAAAA"+b64(n*2/5),
			"https://exemple.test/sso?SAMLRequest="+std(n)+"&RelayState="+std(30),
			"https://exemple.test/"+hexed(n/2)+".html")
	}
	for _, first := range []string{"women", "work", "world", "workspace", "woocommerce", "wordpress", "wp-content", "wrestling"} {
		for _, name := range []string{"next", "returnUrl", "u"} {
			for _, rest := range []string{"/Robe-Longue-2026/collection-Ete/Modele-A12345-Taille-38-Couleur-Noir-Edition-Limitee", "/" + strings.Repeat("une-longue-suite-de-mots/", 8), "/2026/11/23/IMG_20261123_101112-Photo-De-Classe-3B-College-Du-Parc-1024x768"} {
				addresses = append(addresses, "https://boutique.exemple.test/login?"+name+"=/"+first+rest, "https://boutique.exemple.test/login?"+name+"="+url.QueryEscape("/"+first+rest))
			}
		}
	}
	taken := 0
	for _, a := range addresses {
		if rempart.CarriesFile("On m’a montré ceci : " + a + " et je ne sais pas quoi faire.") {
			t.Errorf("refused among words, %d bytes: %.120s", len(a), a)
		}
		if len(a) > rempart.MaxAddressLength {
			continue
		}
		taken++
		if _, err := rempart.CleanAddress(a); err != nil {
			t.Errorf("address of %d bytes: %v: %.120s", len(a), err, a)
		}
	}
	if len(addresses) < 200 || taken < 200 {
		t.Fatalf("only %d addresses, %d of a length that is taken", len(addresses), taken)
	}
	for name, words := range map[string]string{
		"rules":       strings.Repeat(strings.Repeat("-", 72)+"\n", 25),
		"underlines":  strings.Repeat("_", 1600),
		"a cry":       "aidez moi " + strings.Repeat("A", 1600),
		"laughter":    strings.Repeat("haha", 500),
		"a type":      "Les données data: image/jpeg, 2 Mo ; envoyées par lui. " + strings.Repeat("Je ne sais pas. ", 10),
		"two types":   "Content data: video/mp4; 12 Mo. " + strings.Repeat("Je ne sais pas. ", 10),
		"a magnet":    "magnet:?xt=urn:btih:" + hexed(20) + "&xt=urn:btmh:1220" + hexed(32) + "&dn=Nom+du+fichier&tr=udp%3A%2F%2Ftraceur.exemple.test%3A1337%2Fannounce",
		"numbers":     strings.Repeat("255, 12, 7, 216, 255, 3, ", 40),
		"identifiers": strings.Repeat("89 50 12 34 ", 40),
		"begin":       "begin 644 things, he said.\nNobody listened to a word of it, and so it went on for hours, as ever.\n",
	} {
		if rempart.CarriesFile(words) {
			t.Errorf("%s: refused", name)
		}
	}
}

// TestSpelledFile: a picture is found where its bytes are written one by one, as
// dumps and programs do, or with the marks of JSON and HTML.
func TestSpelledFile(t *testing.T) {
	var buf strings.Builder
	m := image.NewGray(image.Rect(0, 0, 48, 48))
	for k := range m.Pix {
		m.Pix[k] = uint8(k * k / 7)
	}
	if err := jpeg.Encode(&buf, m, nil); err != nil {
		t.Fatal(err)
	}
	picture := []byte(buf.String())
	var decimal, apart, escaped, pairs strings.Builder
	for k, c := range picture {
		fmt.Fprintf(&decimal, "%d, ", c)
		fmt.Fprintf(&apart, "%02X ", c)
		fmt.Fprintf(&escaped, `\x%02x`, c)
		if fmt.Fprintf(&pairs, "%02x", c); k%2 == 1 {
			pairs.WriteByte(' ')
		}
	}
	text := base64.StdEncoding.EncodeToString(picture)
	jxl := append([]byte("\xff\x0a\x7a\x1f"), picture[600:]...)
	for name, s := range map[string]string{
		"an array":       "[" + decimal.String() + "]",
		"bytes":          apart.String(),
		"escapes":        escaped.String(),
		"xxd":            "00000000: " + pairs.String(),
		"hexdump -C":     hex.Dump(picture),
		"PHP's JSON":     strings.ReplaceAll(text, "/", `\/`),
		"HTML":           strings.ReplaceAll(text, "+", "&#43;"),
		"bare JPEG XL":   base64.StdEncoding.EncodeToString(jxl),
		"uuencode":       "begin 644 a.jpg\nM_]C_X``02D9)1@`!`0$`8`!@``#_VP!#``@&!@<&!0@'!P<)\"0@*#!0-#`L+\nM#!D2$P\\4'1H?'AT:'!P@)\"XG(\"(L(QP<*#<I+#`Q-#0T'R<Y/3@R/\"XS-#+_\n",
		"its data":       "data:image/jpeg,%FF%D8%FF" + strings.Repeat("%E0", 30),
		"SVG":            base64.StdEncoding.EncodeToString([]byte(`<svg xmlns="http://www.w3.org/2000/svg">` + strings.Repeat(`<path d="M0 0"/>`, 20) + `</svg>`)),
		"a BMP":          base64.StdEncoding.EncodeToString(append([]byte("BM\x36\x04\x00\x00\x00\x00\x00\x00\x36\x04\x00\x00\x28\x00\x00\x00"), picture[100:700]...)),
		"data with utf8": "data:image/svg+xml;utf8,<svg xmlns='http://www.w3.org/2000/svg'><path d='M0 0h1v1'/></svg>",
	} {
		if !rempart.CarriesFile("Voici : "+s) && !rempart.CarriesFile("Voici :\n"+s) {
			t.Errorf("%s passes: %.100q", name, s)
		}
	}
}
