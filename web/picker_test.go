package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"rempart/internal/browsertest"
	"rempart/pdq"
)

// pickerPage follows the contract at the top of report.js, with sentences that
// are their own names.
func pickerPage(away string) string {
	var say strings.Builder
	for name := range strings.FieldsSeq(`waiting working ready low_quality animated exact_only duplicate not_picture
		truncated too_large too_many_pixels unsupported failed title remove removed too_many wait all_done no_exact
		video video_ready video_long video_low_quality video_exact_only video_failed no_exact_large
		mark_made mark_ai mark_changed mark_edited mark_other`) {
		fmt.Fprintf(&say, "<template data-say=%q>%s {n}</template>\n", name, name)
	}
	return `<!DOCTYPE html><html lang="en"><title>Test</title><link rel="icon" href="/test/none.png">
<a data-leave href="` + away + `" rel="noreferrer">Leave</a>
<form method="post" action="/sent"><input name="address" value="https://exemple.test/page">
<section data-rempart-picker hidden>
<input type="file" multiple accept="image/*,video/*" data-picker-input aria-label="Pictures">
<p data-picker-message role="alert" tabindex="-1"></p><ul data-picker-list></ul><p data-picker-live role="status"></p>
<template data-picker-row><li><strong data-row-title></strong> <span data-row-name></span>
<progress data-row-progress max="1"></progress> <span data-row-state></span> <span data-row-note></span>
<button type="button" data-row-remove>Remove</button></li></template>
` + say.String() + `</section><button id="send">Send</button></form>
<script type="module" src="/static/js/report.js"></script><script type="module" src="/static/js/leave.js"></script>`
}

// states returns the data-state of the rows, once no picture is being read.
func states(t *testing.T, ctx context.Context) string {
	t.Helper()
	got, err := chromedp.Run(ctx, chromedp.Poll[string](`(() => {
		const all = [...document.querySelectorAll('[data-picker-list] > li')].map((row) => row.dataset.state);
		return all.length > 0 && !all.includes('waiting') && !all.includes('working') && all.join(' ');
	})()`))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func text(t *testing.T, ctx context.Context, sel string) string {
	t.Helper()
	got, err := chromedp.Run(ctx, chromedp.TextContent(chromedp.CSS(sel)))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(got)
}

func do(t *testing.T, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

// TestPictureNeverLeaves chooses pictures on the page as a person would, and looks
// at every byte that the browser sends: nothing while they are read, and then a
// form with fingerprints, without the pictures, their names or their previews.
func TestPictureNeverLeaves(t *testing.T) {
	srv := serveScripts(t, pickerPage("https://exemple.test/"))
	ctx := browsertest.New(t)
	complaints, err := browsertest.Complaints(ctx)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	grey := image.NewGray(image.Rect(0, 0, 90, 90))
	first := scene(640, 480)
	photo := jpegOf(t, scene(800, 500))
	files := []string{
		save(t, dir, "secret-name-1.png", pngOf(t, first)),
		save(t, dir, "secret-name-2.jpg", photo),
		save(t, dir, "secret-name-3.png", pngOf(t, grey)),
		save(t, dir, "secret-name-4.gif", gifOf(t, 3)),
		save(t, dir, "secret-name-5.txt", []byte("not a picture")),
		save(t, dir, "secret-name-6.jpg", photo[:5000]),
		save(t, dir, "secret-name-7.png", pngHeader(50_000, 50_000)),
		save(t, dir, "secret-name-8.heic", heic(4032, 3024)),
		save(t, dir, "secret-name-9.jpg", photo),
	}

	rec := browsertest.Record(ctx)
	do(t, ctx, chromedp.Navigate(srv.URL+"/"), chromedp.WaitVisible(chromedp.CSS("[data-picker-input]")))
	loaded := len(rec.Requests())
	for _, q := range rec.Requests() {
		if p := strings.TrimPrefix(q.URL, srv.URL); q.Method != "GET" || p != "/" && p != "/test/none.png" && !strings.HasPrefix(p, "/static/js/") {
			t.Errorf("loading the page sent %s %s", q.Method, q.URL)
		}
	}

	do(t, ctx, chromedp.SetUploadFiles(chromedp.CSS("[data-picker-input]"), files))
	want := "ready ready low_quality animated not_picture truncated too_many_pixels exact_only duplicate"
	if got := states(t, ctx); got != want {
		t.Errorf("states %s, want %s", got, want)
	}
	if got := text(t, ctx, "[data-picker-live]"); got != "title 9. duplicate 9 all_done" {
		t.Errorf("announced %q", got)
	}
	if got := text(t, ctx, "[data-picker-list] > li:first-child [data-row-name]"); got != "secret-name-1.png" {
		t.Errorf("the row shows %q, want the file's name", got)
	}
	if sent := rec.Requests()[loaded:]; len(sent) > 0 {
		t.Errorf("reading the pictures sent %d requests, the first one %s %s", len(sent), sent[0].Method, sent[0].URL)
	}

	// Take one away, by keyboard, and send.
	do(t, ctx,
		chromedp.Focus(chromedp.CSS("[data-picker-list] > li:nth-child(2) [data-row-remove]")),
		chromedp.KeyEvent(kb.Enter))
	if got := states(t, ctx); len(strings.Fields(got)) != 8 {
		t.Errorf("after removing one: %s", got)
	}
	if focus, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.activeElement.getAttribute('aria-label')`)); err != nil || focus != "remove 3" {
		t.Errorf("focus on %q, %v, want the next row's button", focus, err)
	}
	if _, err := chromedp.RunResponse(ctx, chromedp.Click(chromedp.CSS("#send"))); err != nil {
		t.Fatal(err)
	}

	var posts []browsertest.Request
	for _, q := range rec.Requests()[loaded:] {
		if q.Method == "POST" {
			posts = append(posts, q)
		}
	}
	if len(posts) != 1 || posts[0].URL != srv.URL+"/sent" {
		t.Fatalf("%d posts, want one to /sent", len(posts))
	}
	form, err := url.ParseQuery(string(posts[0].Body))
	if err != nil {
		t.Fatal(err)
	}
	if len(form) != 2 || len(form["media"]) != 4 {
		t.Errorf("the form has %d fields and %d media, want address and 4 media: %s", len(form), len(form["media"]), posts[0].Body)
	}
	type fingerprint struct {
		Type    string `json:"type"`
		Value   string `json:"value"`
		Quality int    `json:"quality"`
		Form    string `json:"form"`
	}
	var media struct {
		Fingerprints []fingerprint `json:"fingerprints"`
	}
	if err := json.Unmarshal([]byte(form["media"][0]), &media); err != nil {
		t.Fatal(err)
	}
	r := pdq.FromImage(first)
	bare := pdq.FromImage(first.SubImage(pdq.Inside(first))) // its sky is as even as a border
	if len(media.Fingerprints) != 3 || media.Fingerprints[0] != (fingerprint{"pdq", r.Hash.String(), r.Quality, ""}) ||
		media.Fingerprints[1] != (fingerprint{"pdq", bare.Hash.String(), bare.Quality, "unbordered"}) ||
		media.Fingerprints[2].Type != "sha256" || len(media.Fingerprints[2].Value) != 64 {
		t.Errorf("media %s, want PDQ %v %d, without borders %v %d, and a SHA-256", form["media"][0], r.Hash, r.Quality, bare.Hash, bare.Quality)
	}
	for _, q := range rec.Requests() {
		all := fmt.Sprint(q.URL, q.Header, string(q.Body))
		if strings.Contains(all, "secret-name") || len(q.Body) > 4096 || bytes.Contains(q.Body, photo[100:140]) {
			t.Errorf("%s %s says too much: %q", q.Method, q.URL, all)
		}
	}
	if elsewhere := rec.Elsewhere(srv.URL); len(elsewhere) > 0 {
		t.Errorf("requests to others: %v", elsewhere)
	}
	if got := complaints(); len(got) > 0 {
		for _, c := range got {
			if !strings.Contains(c, "/test/none.png") && !strings.Contains(c, "/sent") { // both do not exist
				t.Errorf("the browser complains: %s", c)
			}
		}
	}
}

// TestScriptsCannotSend: what the policy promises, tried.
func TestScriptsCannotSend(t *testing.T) {
	srv := serveScripts(t, drivePage)
	ctx := browsertest.New(t)
	openDriverAt(t, ctx, srv.URL)
	rec := browsertest.Record(ctx)
	refused, err := chromedp.Run(ctx, chromedp.Evaluate[string](`(async () => {
		const tries = [() => fetch('/sent'), () => fetch('https://exemple.test/'), () => new WebSocket('wss://exemple.test/'),
			() => import('https://exemple.test/x.js'), () => new EventSource('/sent'),
			...['/sent', 'https://exemple.test/'].map((src) => () => Object.assign(document.createElement('video'), {src}).play())];
		const said = [];
		for (const attempt of tries) {
			try { const r = await attempt(); said.push(r instanceof Response ? 'sent' : 'no answer'); } catch { said.push('refused'); }
		}
		navigator.sendBeacon('/sent', 'b');
		await new Promise((done) => setTimeout(done, 300));
		return said.join(' ');
	})()`, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(refused, "sent") {
		t.Errorf("a script could send: %s", refused)
	}
	for _, q := range rec.Requests() {
		// The page's icon, and the last of the worker's own modules, may come late.
		if q.URL != srv.URL+"/test/none.png" && q.URL != srv.URL+"/static/js/inside.js" {
			t.Errorf("a script sent %s %s", q.Method, q.URL)
		}
	}
}

// TestFormWaits: a form sent while pictures are read is held back, and says so;
// more pictures than one report takes are refused with a sentence.
func TestFormWaits(t *testing.T) {
	srv := serveScripts(t, pickerPage("https://exemple.test/"))
	ctx := browsertest.New(t)
	dir := t.TempDir()
	files := []string{save(t, dir, "large.png", pngOf(t, scene(2400, 1800)))}
	for i := range 22 {
		files = append(files, save(t, dir, fmt.Sprintf("p%d.png", i), pngOf(t, scene(40+i, 40))))
	}
	do(t, ctx, chromedp.Navigate(srv.URL+"/"), chromedp.WaitVisible(chromedp.CSS("[data-picker-input]")),
		chromedp.SetUploadFiles(chromedp.CSS("[data-picker-input]"), files))
	if got := text(t, ctx, "[data-picker-message]"); got != "too_many" {
		t.Errorf("message %q, want too_many", got)
	}
	held, err := chromedp.Run(ctx, chromedp.Evaluate[string](`(() => {
		document.querySelector('#send').click();
		const message = document.querySelector('[data-picker-message]');
		return [location.pathname, message.textContent.trim(), document.activeElement === message].join(' ');
	})()`))
	if err != nil {
		t.Fatal(err)
	}
	if held != "/ wait true" {
		t.Errorf("sending early: %q, want the page to stay, to say wait and to have the focus there", held)
	}
	if rows := len(strings.Fields(states(t, ctx))); rows != 20 {
		t.Errorf("%d rows, want 20", rows)
	}
	if got := text(t, ctx, "[data-picker-message]"); got != "all_done" {
		t.Errorf("message %q, want all_done", got)
	}
}

// TestRemoveWhileReading takes away the picture that is being read: the others
// are still read.
func TestRemoveWhileReading(t *testing.T) {
	srv := serveScripts(t, pickerPage("https://exemple.test/"))
	ctx := browsertest.New(t)
	dir := t.TempDir()
	files := []string{
		save(t, dir, "large.png", pngOf(t, scene(2400, 1800))),
		save(t, dir, "small.png", pngOf(t, scene(90, 80))),
	}
	do(t, ctx, chromedp.Navigate(srv.URL+"/"), chromedp.WaitVisible(chromedp.CSS("[data-picker-input]")),
		chromedp.SetUploadFiles(chromedp.CSS("[data-picker-input]"), files),
		chromedp.Evaluate[chromedp.Void](`document.querySelector('[data-state="working"] [data-row-remove]').click()`))
	if got := states(t, ctx); got != "ready" {
		t.Errorf("states %q, want one row, ready", got)
	}
	if got := text(t, ctx, "[data-row-title]"); got != "title 2" {
		t.Errorf("the row left is %q, want title 2", got)
	}
}

// TestWithoutWorkers: where a browser lacks what is needed, or the page lacks a
// sentence, the section stays hidden, and addresses can still be reported.
func TestWithoutWorkers(t *testing.T) {
	page := pickerPage("https://exemple.test/")
	for name, page := range map[string]string{
		"no worker":   strings.Replace(page, `<script type="module" src="/static/js/report.js">`, `<script src="/test/noworker.js"></script><script type="module" src="/static/js/report.js">`, 1),
		"no sentence": strings.Replace(page, `data-say="ready"`, `data-say="raedy"`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			srv := serveScripts(t, page)
			ctx := browsertest.New(t)
			do(t, ctx, chromedp.Navigate(srv.URL+"/"))
			got, err := chromedp.Run(ctx, chromedp.Evaluate[string](`(async () => {
				await new Promise((done) => setTimeout(done, 500));
				const section = document.querySelector('[data-rempart-picker]');
				return section.hidden + ' ' + section.querySelector('[data-picker-input]').checkVisibility();
			})()`, chromedp.EvalAwaitPromise))
			if err != nil {
				t.Fatal(err)
			}
			if got != "true false" {
				t.Errorf("hidden, visible = %s, want true false", got)
			}
		})
	}
}

// TestLeave leaves by the link and by Escape twice: "back" must not return to the
// page, and the other site must not learn where the visitor was.
func TestLeave(t *testing.T) {
	away := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, `<!DOCTYPE html><title>Elsewhere</title>`)
	}))
	defer away.Close()
	srv := serveScripts(t, pickerPage(away.URL+"/"))
	for name, leave := range map[string][]chromedp.Action[chromedp.Void]{
		"link":   {chromedp.Click(chromedp.CSS("a[data-leave]"))},
		"escape": {chromedp.KeyEvent(kb.Escape), chromedp.KeyEvent(kb.Escape)},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := browsertest.New(t)
			rec := browsertest.Record(ctx)
			do(t, ctx, chromedp.Navigate(srv.URL+"/"), chromedp.WaitVisible(chromedp.CSS("[data-picker-input]")))
			do(t, ctx, leave...)
			if err := chromedp.Do(ctx, chromedp.WaitReady(chromedp.CSS("title")), chromedp.Sleep(300_000_000)); err != nil {
				t.Fatal(err)
			}
			history, err := chromedp.Run(ctx, chromedp.NavigationEntries())
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range history.Entries {
				if strings.HasPrefix(e.URL, srv.URL) {
					t.Errorf("the page is still in the history: %s", e.URL)
				}
			}
			arrived := false
			for _, q := range rec.Elsewhere(srv.URL) {
				arrived = arrived || q.URL == away.URL+"/"
				if strings.Contains(q.Header.Get("Referer"), srv.URL) {
					t.Errorf("%s was told Referer %s", q.URL, q.Header.Get("Referer"))
				}
			}
			if !arrived {
				t.Errorf("did not leave: %v", filepath.ToSlash(fmt.Sprint(history.Entries)))
			}
		})
	}
}
