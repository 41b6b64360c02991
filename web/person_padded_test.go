package web

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"rempart"
	"rempart/internal/browsertest"
	"rempart/store"
)

// orchard draws a landscape of plots that has detail to its edges: hills has a sky,
// which is as even as a border.
func orchard(w, h int) image.Image {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			s := uint32(x/41*31+y/37*17) * 2654435761
			m.SetRGBA(x, y, color.RGBA{uint8(s>>24)/2 + uint8(y*120/h), uint8(s>>16)/3 + uint8(x*150/w), uint8(s>>8) / 2, 255})
		}
	}
	return m
}

// letterboxed draws black bars above and below m.
func letterboxed(m image.Image, bar int) image.Image {
	b := m.Bounds()
	out := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()+2*bar))
	draw.Draw(out, out.Rect, image.NewUniform(color.Black), image.Point{}, draw.Src)
	draw.Draw(out, b.Add(image.Pt(0, bar)), m, b.Min, draw.Src)
	return out
}

// reportFile reports one file from a browser, as a person does, and has an
// analyst confirm it.
func (d *desk) reportFile(file []byte, name string) *rempart.Case {
	d.t.Helper()
	ctx := browsertest.New(d.t)
	rec := browsertest.Record(ctx)
	path := filepath.Join(d.t.TempDir(), name)
	d.must(os.WriteFile(path, file, 0o600))
	visit(d.t, ctx, chromedp.Navigate(d.url+"/report?lang=fr"), chromedp.WaitVisible(chromedp.CSS("[data-picker-input]")),
		chromedp.SetUploadFiles(chromedp.CSS("[data-picker-input]"), []string{path}),
		chromedp.WaitVisible(chromedp.CSS(`[data-picker-list] > li[data-state$="ready"]`)))
	for name, value := range map[string]string{"depicted": string(rempart.DepictedSelf), "age": string(rempart.AgeSaidAdult), "made": string(rempart.MadeFakeSexual), "seen": string(rempart.SeenPublic)} {
		eval[any](d.t, ctx, fmt.Sprintf(`document.querySelector('[name=%s][value="%s"]').click(), 0`, name, value))
	}
	visit(d.t, ctx, chromedp.Click(chromedp.CSS("main button[type=submit]")), chromedp.WaitReady(chromedp.CSS(".code-card")))
	for _, q := range rec.Requests() {
		if len(q.Body) > 8192 {
			d.t.Errorf("%s %s sends %d bytes", q.Method, q.URL, len(q.Body))
		}
	}
	d.work()
	rows, _, err := d.db.Queue(d.t.Context(), store.QueueFilter{})
	d.must(err)
	if len(rows) != 1 {
		d.t.Fatalf("%d cases, want 1", len(rows))
	}
	c, err := d.db.CaseByRef(d.t.Context(), rows[0].Ref)
	d.must(err)
	s := d.sit(rempart.RoleAnalyst)
	s.changed("/console/cases/"+c.Ref+"/qualifications/"+c.Quals[0].ID, "action", "confirm")
	s.changed("/console/cases/"+c.Ref+"/items/"+c.Items[0].ID, "action", "confirm")
	c = d.reload(c)
	if c.Items[0].State != rempart.ItemProtected {
		d.t.Fatalf("the item is %s, want it protected", c.Items[0].State)
	}
	return c
}

// TestPersonPadded: a picture with black bars that was reported in a browser and
// confirmed stops the picture without them; and the other way round.
func TestPersonPadded(t *testing.T) {
	plain := orchard(640, 480)
	bars := letterboxed(plain, 200)

	d := newDesk(t, true, true)
	c := d.reportFile(asPNG(t, bars), "bars.png")
	prints := c.Items[0].Fingerprints
	if len(prints) != 3 || prints[1].Type != rempart.PDQ || prints[1].Form != rempart.Unbordered || len(c.Items[0].Entries) != 3 {
		t.Fatalf("the case holds %+v in %d entries, want a PDQ, one without borders, and a SHA-256", prints, len(c.Items[0].Entries))
	}
	s := d.sit(rempart.RoleModerator)
	s.check(asJPEG(t, plain)).want(t, "1 correspondance", c.Ref, "sans ses bords")
	s.check(asJPEG(t, letterboxed(plain, 60))).want(t, "1 correspondance", c.Ref, "sans ses bords")
	s.check(asJPEG(t, hills(640, 480, false))).want(t, "Aucune correspondance")
	d.sit(rempart.RoleAnalyst).page("/console/cases/"+c.Ref).want(t, "sans ses bords")

	d = newDesk(t, true, true)
	c = d.reportFile(asPNG(t, plain), "plain.png")
	if n := len(c.Items[0].Fingerprints); n != 2 {
		t.Errorf("%d fingerprints of a picture without borders, want a PDQ and a SHA-256", n)
	}
	d.sit(rempart.RoleModerator).check(asJPEG(t, bars)).want(t, "1 correspondance", c.Ref, "sans ses bords")
}
