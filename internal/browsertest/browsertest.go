// Package browsertest starts a real browser for tests of the pages, and records
// every request that leaves it.
//
// The browser is Chromium, headless, with a fresh profile. The tabs are in a
// private window, and all traffic of that window, the loopback included, goes
// through a proxy inside the test process: that is where requests are recorded,
// so that nothing a page, a worker or a beacon sends is missed. The proxy reaches
// the loopback only; any other host is recorded and answered with 502. What
// Chromium sends of its own accord (sign-in, search, updates) belongs to another
// profile, whose proxy does not exist. So tests never touch the internet.
//
// The browser is REMPART_CHROMIUM, or the first of chromium, chromium-browser,
// google-chrome and chrome in PATH. Without one a test is skipped, and fails
// where CI is set.
//
// It is for tests only: it runs the browser without its sandbox.
package browsertest

import (
	"context"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// nowhere is the proxy of the browser's own profile: the discard port, where
// nothing listens.
const nowhere = "127.0.0.1:9"

// aim are the features by which Chromium asks www.google.com, once for each
// window and at its start, whether the search engine has an "AI mode": a private
// window asks through that window's own proxy, 0.1 to 0.3 s after it is opened.
const aim = "AimEnabled,AimServerEligibilityEnabled,AimServerRequestOnStartupEnabled"

// patience bounds one test's use of the browser.
const patience = 5 * time.Minute

// New starts a browser and returns the chromedp context of its first tab. The
// browser ends with the test. chromedp.NewContext(ctx) opens another tab.
func New(t testing.TB) context.Context {
	t.Helper()
	path := find(t)
	p, stop, err := startProxy()
	if err != nil {
		t.Fatalf("browsertest: %v", err)
	}
	t.Cleanup(stop)

	alloc, cancelAlloc := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(path),
		chromedp.NoFirstRun,
		chromedp.NoDefaultBrowserCheck,
		chromedp.NoSandbox,
		chromedp.DisableGPU,
		chromedp.Flag("headless", "new"),
		chromedp.Flag("hide-scrollbars", true),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-default-apps", true),
		chromedp.Flag("disable-extensions", true),
		chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("disable-renderer-backgrounding", true),
		chromedp.Flag("disable-backgrounding-occluded-windows", true),
		chromedp.Flag("disable-features",
			"Translate,OptimizationHints,MediaRouter,AutofillServerCommunication,PreconnectToSearch,NavigationPredictor,"+aim),
		chromedp.Flag("enable-automation", true),
		chromedp.Flag("disable-client-side-phishing-detection", true),
		chromedp.Flag("no-pings", true),
		chromedp.Flag("force-color-profile", "srgb"),
		chromedp.Flag("metrics-recording-only", true),
		chromedp.Flag("password-store", "basic"),
		chromedp.Flag("use-mock-keychain", true),
		chromedp.ProxyServer("http://"+nowhere),
	)
	t.Cleanup(cancelAlloc)

	browser, cancel := chromedp.NewContext(context.WithValue(alloc, proxyKey{}, p))
	t.Cleanup(func() {
		bounded, done := context.WithTimeout(browser, 10*time.Second)
		defer done()
		if err := chromedp.Cancel(bounded); err != nil {
			t.Logf("browsertest: closing the browser: %v", err)
		}
		cancel()
	})
	// The browser lives as long as the context of the first Do: no timeout here.
	if err := chromedp.Do(browser); err != nil {
		t.Fatalf("browsertest: starting %s: %v", path, err)
	}
	limited, done := context.WithTimeout(browser, patience)
	t.Cleanup(done)
	ctx, closeTab := chromedp.NewContext(limited, chromedp.WithNewBrowserContext(func(c *target.CreateBrowserContextParams) {
		c.ProxyServer = "http://" + p.addr
		c.ProxyBypassList = "<-loopback>"
	}))
	t.Cleanup(closeTab)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("browsertest: opening a tab: %v", err)
	}
	return ctx
}

// find returns the path of the browser, or ends the test.
func find(t testing.TB) string {
	t.Helper()
	names := []string{"chromium", "chromium-browser", "google-chrome", "chrome"}
	if name := os.Getenv("REMPART_CHROMIUM"); name != "" {
		names = []string{name}
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatal("browsertest: no Chromium found: install it, or set REMPART_CHROMIUM to its path")
	}
	t.Skip("browsertest: no Chromium found: install it, or set REMPART_CHROMIUM to its path")
	return ""
}

// Complaints starts to collect what the browser finds wrong with the pages of
// ctx's tab: uncaught exceptions, console.error, failed loads, refusals of the
// content security policy. The func returns those so far. Workers have a console
// of their own, which is not heard.
func Complaints(ctx context.Context) (func() []string, error) {
	var (
		mu    sync.Mutex // guards texts
		texts []string
	)
	add := func(text string) {
		mu.Lock()
		defer mu.Unlock()
		texts = append(texts, text)
	}
	err := chromedp.Listen(ctx, func(ev any) {
		switch ev := ev.(type) {
		case *runtime.EventExceptionThrown:
			text := ev.ExceptionDetails.Text
			if e := ev.ExceptionDetails.Exception; e != nil {
				text += " " + e.Description
			}
			add(text)
		case *runtime.EventConsoleAPICalled:
			if ev.Type == runtime.ConsoleAPICalledTypeError {
				for _, arg := range ev.Args {
					add("console.error: " + string(arg.Value) + arg.Description)
				}
			}
		case *log.EventEntryAdded:
			if ev.Entry.Level == log.EntryLevelError {
				add(ev.Entry.Text + " " + ev.Entry.URL)
			}
		}
	})
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return append([]string(nil), texts...)
	}, err
}
