package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"rempart"
	"rempart/law"
	"rempart/store"
)

// benchConsoleCmd measures whether the console's pages stay as fast among many
// cases as among few.
type benchConsoleCmd struct {
	benchFlags
	N        []count `short:"n" name:"n" help:"Cases: the pages among the last number are held against those among the first." default:"1k,100k"`
	Database string  `help:"An empty PostgreSQL database for each number, postgres://…, separated by commas; SQLite in the temporary folder if none is given."`
}

// consoleGoal is how many times as long a page may take among the most cases as
// among the fewest.
const consoleGoal = 2

// consoleRuns is how many times each page is asked for at least: the machine may
// do other things, and the least of many is what they did not slow.
const consoleRuns = 31

// A consoleLook is one thing that an analyst asks the console for.
type consoleLook struct {
	name   string
	ask    func(b *consoleBench) *http.Request
	status int
}

var consoleLooks = []consoleLook{
	look("queue", "/console/"), look("queue, closed", "/console/?state=closed"), look("queue by clock", "/console/?sort=clock"),
	look("queue, urgent", "/console/?priority=1"), look("queue, mine", "/console/?who=me"), look("queue, nobody's", "/console/?who=nobody"),
	look("queue, minors", "/console/?minor=1"), look("queue, overdue", "/console/?late=1"), look("queue, a service", "/console/?service=forum-7.exemple.test"),
	look("queue, nobody's minors", "/console/?who=nobody&minor=1"),
	look("queue, mine by clock", "/console/?who=me&sort=clock"), look("queue, minors by clock", "/console/?minor=1&sort=clock"),
	{"queue, a page in the middle", func(b *consoleBench) *http.Request { return b.get("/console/?after=" + b.middle) }, http.StatusOK},
	look("dashboard", "/console/dashboard"),
	{"case", func(b *consoleBench) *http.Request { return b.get("/console/cases/" + b.one.Ref) }, http.StatusOK},
	search("number", func(b *consoleBench) string { return b.one.Ref }), search("address", func(b *consoleBench) string { return b.one.Items[0].Address }),
	search("SHA-256", func(b *consoleBench) string { return b.one.Items[1].Fingerprints[0].Value }),
}

func look(name, path string) consoleLook {
	return consoleLook{name, func(b *consoleBench) *http.Request { return b.get(path) }, http.StatusOK}
}

func search(by string, what func(b *consoleBench) string) consoleLook {
	return consoleLook{"search by " + by, func(b *consoleBench) *http.Request {
		r := httptest.NewRequest(http.MethodPost, "http://bench.exemple.test/console/search", strings.NewReader(url.Values{"q": {what(b)}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return b.signed(r)
	}, http.StatusSeeOther}
}

// A consoleBench is an instance with so many cases, and an analyst in it.
type consoleBench struct {
	inst   *instance
	token  string
	middle string // cursor of a page in the middle of the queue
	one    *rempart.Case
}

func (b *consoleBench) get(path string) *http.Request {
	return b.signed(httptest.NewRequest(http.MethodGet, "http://bench.exemple.test"+path, nil))
}

func (b *consoleBench) signed(r *http.Request) *http.Request {
	r.AddCookie(&http.Cookie{Name: "rempart_staff", Value: b.token})
	return r
}

// Run fills an instance for each number, measures each page in all of them by
// turns, and prints how many times as long those of the last take: in the median,
// and the least of each.
func (c *benchConsoleCmd) Run(ctx context.Context, s streams) (err error) {
	if err := c.begin(s, "the console"); err != nil {
		return err
	}
	databases := strings.FieldsFunc(c.Database, func(r rune) bool { return r == ',' })
	if len(c.N) < 2 || len(databases) > 0 && len(databases) != len(c.N) {
		return hinted{errors.New("bench: give two numbers of cases or more, and as many databases or none"), "rempart bench console -n 1k,100k"}
	}
	dir, err := os.MkdirTemp("", "rempart-bench-console-")
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	benches := make([]*consoleBench, len(c.N))
	for k, n := range c.N {
		dsn := ""
		if len(databases) > 0 {
			dsn = databases[k]
		}
		inst, err := openInstance(ctx, instanceConfig{site: "bench.exemple.test", data: filepath.Join(dir, fmt.Sprint(k)), database: dsn, hub: true, origin: "http://bench.exemple.test", log: slog.New(slog.DiscardHandler)})
		if err != nil {
			return fmt.Errorf("bench: %w", err)
		}
		defer func() { err = errors.Join(err, inst.db.Close()) }()
		benches[k] = &consoleBench{inst: inst}
		start := time.Now()
		if err := benches[k].fill(ctx, int(n)); err != nil {
			return fmt.Errorf("bench: filling %v cases: %w", n, err)
		}
		fmt.Fprintf(s.err, "rempart: %v cases in %s\n", n, time.Since(start).Round(time.Millisecond))
	}
	var ratios []figure
	for _, l := range consoleLooks {
		all, err := lookAll(ctx, benches, l, max(c.Runs, consoleRuns))
		if err != nil {
			return err
		}
		var figures []figure
		for k, t := range all {
			figures = append(figures, t.figure(fmt.Sprintf("%s, %v cases", l.name, c.N[k]), "ms"))
		}
		if err := c.say(s, figures); err != nil {
			return err
		}
		first, last := all[0], all[len(all)-1]
		ratios = append(ratios, figure{Name: fmt.Sprintf("%s, %v cases over %v", l.name, c.N[len(c.N)-1], c.N[0]), Ours: last.median / first.median, Best: last.best / first.best, Unit: "times"}.goal(consoleGoal))
	}
	return c.say(s, ratios)
}

// lookAll measures one page in every instance, in turns: what else the machine
// does meanwhile slows each of them as much.
func lookAll(ctx context.Context, benches []*consoleBench, l consoleLook, runs int) ([]spread, error) {
	took := make([][]time.Duration, len(benches))
	for run := range runs + 2 {
		for k, b := range benches {
			r, w := l.ask(b).WithContext(ctx), httptest.NewRecorder()
			start := time.Now()
			b.inst.handler.ServeHTTP(w, r)
			d := time.Since(start)
			if w.Code != l.status {
				return nil, fmt.Errorf("bench: %s: status %d, want %d", l.name, w.Code, l.status)
			}
			if run >= 2 { // what is read once is in memory
				took[k] = append(took[k], d)
			}
		}
	}
	out := make([]spread, len(took))
	for k, d := range took {
		out[k] = spreadOf(d, time.Millisecond)
	}
	return out, nil
}

// fill makes n cases, one in ten closed, at ten services, a quarter of them a
// minor's, a third with one of five analysts, a tenth with a clock past its
// end; the address of a closed one was removed by its service.
func (b *consoleBench) fill(ctx context.Context, n int) error {
	db, now := b.inst.db, time.Now()
	var staff []rempart.Staff
	for i := range 5 {
		m := rempart.Staff{ID: fmt.Sprintf("analyst-%d", i), Login: fmt.Sprintf("analyst-%d", i), Alias: rempart.Actor(fmt.Sprintf("Analyste-%d", i)), Role: rempart.RoleAnalyst, CreatedAt: now}
		if err := db.PutStaff(ctx, m, ""); err != nil {
			return err
		}
		staff = append(staff, m)
	}
	pack, proposals := law.France(), map[rempart.Age]rempart.Proposal{}
	var part []*rempart.Case
	for i := range n {
		c, err := benchCase(pack, proposals, i, now, staff)
		if err != nil {
			return err
		}
		if part = append(part, c); len(part) == 500 || i == n-1 {
			if err := db.AddCases(ctx, part); err != nil {
				return err
			}
			part = part[:0]
		}
		if i == n/2 {
			b.one = c
		}
	}
	if err := db.Analyze(ctx); err != nil {
		return err
	}
	var err error
	if b.token, err = db.StartSession(ctx, staff[3].ID); err != nil {
		return err
	}
	for seen := 0; seen < n/3; seen += 200 {
		if _, b.middle, err = db.Queue(ctx, store.QueueFilter{States: []rempart.CaseState{rempart.CaseOpen}, After: b.middle, Limit: 200}); err != nil {
			return err
		}
	}
	return nil
}

// benchCase makes case number i; proposals are what the law pack said of others.
func benchCase(pack *law.Pack, proposals map[rempart.Age]rempart.Proposal, i int, now time.Time, staff []rempart.Staff) (*rempart.Case, error) {
	at := now.Add(-time.Duration(i%2000) * time.Hour)
	r := rempart.Report{ID: rempart.NewID(at), CaseID: rempart.NewID(at), Depicted: rempart.DepictedSelf, Age: rempart.AgeSaidAdult, Made: rempart.MadeFakeSexual, Seen: rempart.SeenPublic,
		Words: "Un texte de mesure.", Addresses: []string{fmt.Sprintf("https://forum-%d.exemple.test/fil/%d", i/10%10, i)},
		Media: []rempart.Medium{{Fingerprints: []rempart.Fingerprint{{Type: rempart.SHA256, Value: fmt.Sprintf("%064x", i+1)}}}}}
	if i%4 == 0 {
		r.Age = rempart.AgeSaidUnder15
	}
	r, err := r.Normal(at)
	if err != nil {
		return nil, err
	}
	c := rempart.OpenCase(r)
	p, known := proposals[r.Age]
	if !known {
		q := pack.Qualify(c.Facts, now.Format(time.DateOnly))
		p = rempart.Proposal{Quals: q.Qualifications, Pack: q.Pack, Category: law.CategoryOf(c.Facts).Code}
		proposals[r.Age] = p
	}
	p.Quals = slices.Clone(p.Quals)
	p.Priority, p.Because = law.Priority(c.Facts, c.OpenedAt, now)
	if err := c.Propose(p, now); err != nil {
		return nil, err
	}
	if i%10 == 4 {
		if err := c.AddClock("mesure", now.Add(24*time.Hour), staff[0].Alias, now); err != nil {
			return nil, err
		}
		c.Clocks[0].State = rempart.ClockMissed
	}
	if i%3 == 0 {
		if err := c.Take(staff[i/3%len(staff)], now); err != nil {
			return nil, err
		}
	}
	if i%10 == 9 {
		if err := benchRemoved(c, i, staff[0].Alias, now); err != nil {
			return nil, err
		}
		for _, item := range c.Items {
			if !item.State.Settled() {
				if err := c.DropItem(item.ID, "mesure", staff[0].Alias, now); err != nil {
					return nil, err
				}
			}
		}
		if err := c.Close("mesure", staff[0].Alias, now); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// benchRemoved takes the address of case number i through a notice that its
// service answers by removing it, after up to four days.
func benchRemoved(c *rempart.Case, i int, by rempart.Actor, now time.Time) error {
	s := rempart.Service{ID: fmt.Sprintf("forum-%d", i/10%10), Name: fmt.Sprintf("Forum %d", i/10%10), Lang: "fr"}
	sent := c.OpenedAt.Add(time.Hour)
	answered := sent.Add(time.Duration(i*7919%5760) * time.Minute)
	if err := c.ConfirmQualification(c.Quals[0].ID, by, sent); err != nil {
		return err
	}
	id, err := c.PrepareNotice(s, []string{c.Items[0].ID}, "Un texte de mesure de plus de quarante caractères.", rempart.Notifier{Name: "Mesure", Email: "mesure@exemple.test"}, by, sent)
	if err != nil {
		return err
	}
	if err := c.EditNotice(id, "Un texte de mesure de plus de quarante caractères.", true, by, sent); err != nil {
		return err
	}
	if err := c.SendNotice(id, by, sent); err != nil {
		return err
	}
	if err := c.NoticeAccepted(id, fmt.Sprint("N-", i), rempart.Attempt{At: sent, Status: 201}, sent); err != nil {
		return err
	}
	d := rempart.Decision{Measure: rempart.MeasureRemoved, Ground: "law", Reference: "226-8-1", Facts: "Une page de mesure.", Explanation: "Un texte de mesure, assez long.", Redress: []string{"court"}}
	return c.NoticeDecided(id, fmt.Sprint("N-", i), s.ID, map[string]rempart.Decision{c.Items[0].ID: d}, answered)
}
