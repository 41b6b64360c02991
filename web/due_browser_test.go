package web

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"rempart"
)

// longWords is what a person may write: long messages, long words.
var longWords = strings.Repeat("Anticonstitutionnellement, l’intercommunicationnalité contre-révolutionnaire a été incompréhensiblement désinstitutionnalisée. ", 20)

// heavy opens a case with twelve addresses and ten pictures of four fingerprints,
// and long words.
func (d *desk) heavy() *rempart.Case {
	d.t.Helper()
	r := rempart.Report{Lang: "fr", Depicted: rempart.DepictedSelf, Age: rempart.AgeSaidAdult, Made: rempart.MadeFakeSexual, Seen: rempart.SeenPublic, Words: longWords}
	for k := range 12 {
		host := "forum.exemple.test"
		if k > 9 {
			host = "ailleurs.exemple.test"
		}
		r.Addresses = append(r.Addresses, fmt.Sprintf("https://%s/%d/%s", host, k, strings.Repeat("une-adresse-longue-", 8)))
	}
	for k := range 10 {
		var m rempart.Medium
		for j := range 4 {
			f := rempart.Fingerprint{Type: rempart.PDQ, Value: strings.Repeat(fmt.Sprintf("%x%x5a33cc", k, j), 8), Quality: 90}
			if j > 1 {
				f = rempart.Fingerprint{Type: rempart.SHA256, Value: f.Value}
			}
			m.Fingerprints = append(m.Fingerprints, f)
		}
		r.Media = append(r.Media, m)
	}
	sub, err := d.flow.Submit(context.Background(), r, "")
	d.must(err)
	d.work()
	c, err := d.db.CaseByRef(context.Background(), sub.Ref)
	d.must(err)
	for k := range 6 {
		d.must(d.db.UpdateCase(context.Background(), c.ID, "", func(c *rempart.Case) error {
			return c.Tell(fmt.Sprintf("%d. %s", k, longWords[:1500]), "Saule", d.now)
		}))
	}
	return d.reload(c)
}

// TestDecidingInSight walks a case through its stages: at each, whatever decides
// now and the way to the next case lie in the window before anything is scrolled,
// at 1440 by 900 and at 1280 by 800, in both languages, with few things in the
// case and with many; and go on lying there while the facts are scrolled.
func TestDecidingInSight(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a browser")
	}
	for name, open := range map[string]func(d *desk) *rempart.Case{
		"few":  func(d *desk) *rempart.Case { return d.open(rempart.AgeSaidAdult) },
		"many": (*desk).heavy,
	} {
		t.Run(name, func(t *testing.T) {
			d := clocked(t)
			ctx := context.Background()
			c := open(d)
			l := d.looker(rempart.RoleAnalyst)
			at := "/console/cases/" + c.Ref
			see := func(stage, to string, controls ...string) {
				t.Helper()
				for _, size := range [][2]int64{{1440, 900}, {1280, 800}} {
					_, err := chromedp.Call(l.ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: size[0], Height: size[1], DeviceScaleFactor: 1})
					d.must(err)
					for _, lang := range langs {
						visit(t, l.ctx, chromedp.Navigate(l.url+to+"?lang="+lang+"&ok=case_taken"), chromedp.WaitReady(chromedp.CSS("#main")))
						if h := eval[string](t, l.ctx, `document.querySelector('main')?.textContent.trim().slice(0, 300) ?? ''`); !strings.Contains(h, c.Ref) && stage != "new" {
							t.Fatalf("%s: another page: %s", stage, h)
						}
						for _, scrolled := range []bool{false, true} {
							if scrolled {
								eval[any](t, l.ctx, `scrollTo({top: 700, behavior: 'instant'}), 0`)
							}
							for _, css := range controls {
								if scrolled && css != controls[0] {
									continue // their keys work wherever one is
								}
								where := eval[string](t, l.ctx, fmt.Sprintf(`(() => {
									const all = [...document.querySelectorAll(%q)].filter((e) => e.checkVisibility());
									if (all.length === 0) return 'is not there';
									const r = all[0].getBoundingClientRect();
									const top = document.elementFromPoint(r.x + r.width / 2, r.y + r.height / 2);
									if (r.width < 20 || r.height < 20 || r.top < 0 || r.left < 0 || r.bottom > innerHeight || r.right > innerWidth) return 'lies from ' + Math.round(r.top) + ' to ' + Math.round(r.bottom);
									return all[0].contains(top) || top?.contains(all[0]) ? '' : 'is covered';
								})()`, css))
								if where != "" {
									t.Errorf("%s, %d by %d, %s, scrolled %v: %s %s", stage, size[0], size[1], lang, scrolled, css, where)
								}
							}
						}
						if dir := os.Getenv("REMPART_SCREENS"); dir != "" && size[0] == 1440 && (lang == "fr") {
							eval[any](t, l.ctx, `scrollTo({top: 0, behavior: 'instant'}), 0`)
							shot, err := chromedp.Call(l.ctx, cdppage.CaptureScreenshot, cdppage.CaptureScreenshotParams{Format: cdppage.CaptureScreenshotFormatPng})
							d.must(err)
							d.must(os.WriteFile(filepath.Join(dir, "due-"+name+"-"+stage+"-"+lang+".png"), shot.Data, 0o644))
						}
					}
				}
			}
			change := func(f func(c *rempart.Case) error) { t.Helper(); d.must(d.db.UpdateCase(ctx, c.ID, "", f)) }
			const next = `main [data-key=n]`

			fresh, err := d.flow.Submit(ctx, rempart.Report{Lang: "fr", Depicted: rempart.DepictedSelf, Age: rempart.AgeSaidAdult, Made: rempart.MadeFakeSexual, Seen: rempart.SeenPublic, Words: longWords, Addresses: []string{"https://forum.exemple.test/9"}}, "")
			d.must(err)
			see("new", "/console/cases/"+fresh.Ref, `main .due`, next)
			see("qualify", at, `main button[value=confirm][data-key="1"]`, `main details:has(button[value=reject]) > summary`, next, `main [data-key=s]`, `main [data-key=t]`)
			for _, q := range c.Quals {
				change(func(c *rempart.Case) error { return c.ConfirmQualification(q.ID, "Saule", d.now) })
			}
			see("qualified", at, `main button[value=confirm][data-key="2"]`, `main details:has(button[value=reject]) > summary`, next)
			for _, i := range c.Items {
				if i.Kind == rempart.ItemMedium {
					change(func(c *rempart.Case) error { return c.ConfirmFingerprint(i.ID, "Saule", d.now) })
				}
			}
			see("notify", at, `main form[action*="/notices"] button[data-key="3"]`, next)
			n, err := d.flow.Draft(ctx, c.ID, forum, []string{c.Items[0].ID}, "Saule")
			d.must(err)
			see("drafted", at, `main [data-key="4"]`, next)
			change(func(c *rempart.Case) error { return c.EditNotice(n, c.Notice(n).Explanation, true, "Saule", d.now) })
			see("drafted-notice", at+"/notices/"+n, `main button[value=send]`)
			change(func(c *rempart.Case) error {
				if err := c.SendNotice(n, "Saule", d.now); err != nil {
					return err
				}
				for _, i := range c.Items {
					if i.Kind == rempart.ItemAddress && i.NoticeID == "" {
						if err := c.DropItem(i.ID, "déjà hors ligne", "Saule", d.now); err != nil {
							return err
						}
					}
				}
				return c.NoticeAccepted(n, "F-1", rempart.Attempt{At: d.now}, d.now)
			})
			see("sent", at, `main .due`, next)
			change(func(c *rempart.Case) error {
				return c.NoticeDecided(n, "F-1", forum, map[string]rempart.Decision{c.Notice(n).Items[0].ID: {Measure: rempart.MeasureRefused, Ground: "terms", Reference: "règle 4",
					Facts: "Notification lue par une personne.", Explanation: longWords, Redress: []string{"complaint"}}}, d.now)
			})
			see("answered", at, `main form[action*="/notices"] button[data-key="3"]`, next)
			d.now = d.now.AddDate(0, 0, 4)
			d.work()
			link, err := d.db.NewLink(ctx, string(rempart.RoleAnalyst), time.Hour) // the session ended days ago
			d.must(err)
			visit(t, l.ctx, chromedp.Navigate(d.url+"/console/enter?token="+link), chromedp.Click(chromedp.CSS("main button")), chromedp.WaitReady(chromedp.CSS(".alias")))
			see("complaint", at, `main .due a[href*="/steps/"], main .clock a[href*="/steps/"]`, next)
			change(func(c *rempart.Case) error { return c.Close("tout est réglé", "Saule", d.now) })
			see("closed", at, `main button[value=reopen]`, next)
		})
	}
}
