package flow_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"rempart"
	"rempart/flow"
	"rempart/law"
	"rempart/store"
	"rempart/store/storetest"
)

// A year is twelve months of an association's work, in front of a real store:
// cases come, analysts act or do not, platforms answer or do not, clocks are
// paused and resumed; the process is stopped for hours and starts again; the
// machine's time goes back an hour. All instants are whole minutes.
type year struct {
	*side
	r     *rand.Rand
	paris *time.Location
	days  map[string]bool // holidays
	seq   int
	ticks []moment                     // each look at the clocks
	seen  map[string]int               // events read so far, by case
	log   map[string][]yearEvent       // by clock
	rules map[string]rempart.ClockRule // by clock
	cases []string
}

type moment struct {
	seq int
	at  time.Time
}

type yearEvent struct {
	rempart.Event
	seq int
}

// TestYear checks, against a count of minutes that shares nothing with the
// calendar of the product, that in a simulated year nothing is warned of twice,
// nothing is forgotten and nothing comes early: each warning, end and escalation
// happens once, at the first look at the clocks that was not before it.
func TestYear(t *testing.T) {
	if testing.Short() {
		t.Skip("a year takes some seconds")
	}
	for _, seed := range []uint64{1} {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { simulate(t, seed) })
	}
}

func simulate(t *testing.T, seed uint64) {
	c := newClock()
	begin := time.Date(2027, 10, 4, 6, 0, 0, 0, time.UTC) // two changes of time, a 29 February and all holidays follow
	c.set(begin)
	y := &year{side: newSide(t, c, time.Second), r: rand.New(rand.NewPCG(seed, 1)), days: map[string]bool{},
		seen: map[string]int{}, log: map[string][]yearEvent{}, rules: map[string]rempart.ClockRule{}}
	var err error
	if y.paris, err = time.LoadLocation("Europe/Paris"); err != nil {
		t.Fatal(err)
	}
	// Written out: Easter is 16 April 2028 and 1 April 2029.
	for _, d := range []string{"2027-11-01", "2027-11-11", "2027-12-25", "2028-01-01", "2028-04-17", "2028-05-01", "2028-05-08", "2028-05-25",
		"2028-06-05", "2028-07-14", "2028-08-15", "2028-11-01", "2028-11-11", "2028-12-25", "2029-01-01", "2029-04-02", "2029-05-01"} {
		y.days[d] = true
	}
	if err := y.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	p, _, err := y.DB.ClockPolicy(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for k := range p.Ladder { // which has tests of its own: a clock with a ladder takes another delay at each step
		p.Ladder[k].Off = true
	}
	p.By = analyst
	if _, err := y.DB.SaveClockPolicy(t.Context(), p, p.Version); err != nil {
		t.Fatal(err)
	}
	y.serves("galerie", "galerie.exemple.test", "galerie")
	often, most := 50, 90 // of 400 moments bring a report; cases in all
	if raced {
		often, most = 20, 36
	}
	for c.now().Before(begin.AddDate(1, 0, 14)) {
		c.advance(time.Duration(5+y.r.IntN(295)) * time.Minute)
		switch k := y.r.IntN(400); {
		case k < 6:
			c.advance(-time.Hour) // the machine's time was wrong
		case k < 10:
			c.advance(time.Duration(y.r.IntN(4*24*60)) * time.Minute) // stopped
			y.restart()
		case k < 10+often && len(y.cases) < most:
			y.report()
		}
		if y.r.IntN(2) == 0 {
			y.act()
		}
		y.tick()
	}
	y.check()
}

// restart opens the store again, as another process would.
func (y *year) restart() {
	y.t.Helper()
	if err := y.DB.Close(); err != nil {
		y.t.Fatal(err)
	}
	db, err := store.Open(y.t.Context(), y.path, store.Options{Key: make([]byte, 32), Keyring: storetest.Keyring, Name: "instance.exemple.test", Now: y.clock.now})
	if err != nil {
		y.t.Fatal(err)
	}
	y.t.Cleanup(func() { db.Close() })
	y.Flow = flow.New(flow.Flow{DB: db, Law: law.France(), Now: y.clock.now, Notifier: association})
	if err := y.Prepare(y.t.Context()); err != nil {
		y.t.Fatal(err)
	}
}

func (y *year) report() {
	r := reportOf("https://galerie.exemple.test/p/" + fmt.Sprint(len(y.cases)))
	r.Age = []rempart.Age{rempart.AgeSaidAdult, rempart.AgeSaidUnder15, rempart.AgeSaidUnknown}[y.r.IntN(3)]
	r.Made = []rempart.Made{rempart.MadeFakeSexual, rempart.MadeFakeOther}[y.r.IntN(2)]
	sub, err := y.Submit(y.t.Context(), r, "")
	if err != nil {
		y.t.Fatal(err)
	}
	y.tick() // qualifies it
	y.cases = append(y.cases, y.caseOf(sub.Ref).ID)
	y.read(y.cases[len(y.cases)-1])
}

// act does something to a case that is possible there, or nothing.
func (y *year) act() {
	if len(y.cases) == 0 {
		return
	}
	id := y.cases[y.r.IntN(len(y.cases))]
	now := y.clock.now()
	_, cal, err := y.DB.ClockPolicy(y.t.Context())
	if err != nil {
		y.t.Fatal(err)
	}
	err = y.DB.UpdateCase(y.t.Context(), id, "", func(c *rempart.Case) error {
		if len(c.Clocks) > 0 && y.r.IntN(3) == 0 {
			k := c.Clocks[y.r.IntN(len(c.Clocks))]
			switch {
			case k.Pausable() && now.Before(k.DueAt):
				return c.PauseClock(k.ID, "raison d’essai", now.Add(time.Duration(1+y.r.IntN(20*24*60))*time.Minute), analyst, now)
			case k.State == rempart.ClockPaused:
				return c.ResumeClock(k.ID, cal, analyst, now)
			case k.Doable() && k.Task != rempart.TaskComplain:
				return c.DoTask(k.ID, cal, analyst, now)
			}
			return nil
		}
		if len(c.Notices) == 0 {
			if c.State == rempart.CaseOpen && y.r.IntN(2) == 0 {
				return c.ConfirmQualification(c.Quals[0].ID, analyst, now)
			}
			if c.State != rempart.CaseActive {
				return nil
			}
			s := rempart.Service{ID: "galerie", Name: "Galerie", Hosts: []string{"galerie.exemple.test"}, Lang: "fr"}
			_, err := c.PrepareNotice(s, []string{c.Items[0].ID}, "Un texte assez long pour dire pourquoi ce contenu est illicite.", association, analyst, now)
			return err
		}
		n := &c.Notices[0]
		a := rempart.Attempt{At: now}
		switch n.State {
		case rempart.NoticeDraft:
			if err := c.EditNotice(n.ID, n.Explanation, true, analyst, now); err != nil {
				return err
			}
			if err := c.SendNotice(n.ID, analyst, now); err != nil {
				return err
			}
			if y.r.IntN(3) == 0 {
				return c.NoticeAttemptFailed(n.ID, a, now)
			}
			return c.NoticeAccepted(n.ID, "G-1", a, now)
		case rempart.NoticeFailed:
			if err := c.SendNotice(n.ID, analyst, now); err != nil {
				return err
			}
			return c.NoticeAccepted(n.ID, "G-1", a, now)
		case rempart.NoticeSent:
			return c.NoticeAcknowledged(n.ID, "G-1", "galerie", now)
		case rempart.NoticeAcknowledged:
			if y.r.IntN(6) > 0 {
				return nil
			}
			m := []rempart.Measure{rempart.MeasureRemoved, rempart.MeasureRefused}[y.r.IntN(2)]
			d := rempart.Decision{Measure: m, Ground: "law", Reference: "art. 226-8-1", Facts: "Faits de l’essai.", Explanation: "Une explication assez longue.", Redress: []string{"court"}, At: now}
			return c.NoticeDecided(n.ID, "G-1", "galerie", map[string]rempart.Decision{n.Items[0].ID: d}, now)
		}
		return nil
	})
	if err != nil {
		y.t.Fatalf("%s: %v", now, err)
	}
	y.read(id)
}

// tick looks at the clocks until none is due, as the worker does.
func (y *year) tick() {
	due, err := y.DB.DueClocks(y.t.Context(), 1000)
	if err != nil {
		y.t.Fatal(err)
	}
	for y.step() > 0 {
		more, err := y.DB.DueClocks(y.t.Context(), 1000)
		if err != nil {
			y.t.Fatal(err)
		}
		due = append(due, more...)
	}
	y.seq++
	y.ticks = append(y.ticks, moment{y.seq, y.clock.now()})
	for _, id := range due {
		y.log0(id)
	}
}

// read notes the events of a case that came since it was last read.
func (y *year) read(id string) {
	y.seq++
	y.log0(id)
}

func (y *year) log0(id string) {
	events, err := y.DB.Events(y.t.Context(), id)
	if err != nil {
		y.t.Fatal(err)
	}
	for _, e := range events[y.seen[id]:] {
		if k := e.Data["clock"]; k != "" {
			y.log[k] = append(y.log[k], yearEvent{e, y.seq})
		}
	}
	y.seen[id] = len(events)
}

type yearPause struct {
	seq      int
	from, to time.Time
}

// check holds each round of each clock against the count of minutes.
func (y *year) check() {
	p, _, err := y.DB.ClockPolicy(y.t.Context())
	if err != nil {
		y.t.Fatal(err)
	}
	fired := map[string]int{}
	awaits := map[string]int{}
	for id, events := range y.log {
		rule := p.Rule(events[0].Data["rule"])
		if events[0].Kind != "clock.started" || rule == nil {
			y.t.Fatalf("clock %s begins with %s of rule %q", id, events[0].Kind, events[0].Data["rule"])
		}
		awaits[events[0].Data["await"]]++
		for len(events) > 0 {
			end := slices.IndexFunc(events[1:], func(e yearEvent) bool { return e.Kind == "clock.started" }) + 1
			if end == 0 {
				end = len(events)
			}
			y.round(rule, events[:end], fired)
			events = events[end:]
		}
	}
	y.t.Logf("%d cases, %d clocks %v, %d looks at them; %v", len(y.cases), len(y.log), awaits, len(y.ticks), fired)
	for _, kind := range []string{"clock.warned", "clock.missed", "clock.escalated", "clock.met", "clock.resumed by itself", "clock.resumed", "task.done"} {
		if fired[kind] < 5 {
			y.t.Errorf("%s happened %d times: this year shows too little", kind, fired[kind])
		}
	}
}

func (y *year) round(rule *rempart.ClockRule, events []yearEvent, fired map[string]int) {
	start, last := events[0], 1<<62
	var pauses []yearPause
	for _, e := range events {
		fired[e.Kind]++
		switch e.Kind {
		case "clock.paused":
			until, err := time.Parse(time.RFC3339, e.Data["until"])
			if err != nil {
				y.t.Fatal(err)
			}
			pauses = append(pauses, yearPause{e.seq, e.At, until})
		case "clock.resumed":
			if e.Actor == rempart.ActorSystem {
				fired["clock.resumed by itself"]++
			} else {
				pauses[len(pauses)-1].to = e.At
			}
			if p := &pauses[len(pauses)-1]; p.to.Before(p.from) {
				p.to = p.from
			}
		case "clock.met", "clock.cancelled", "task.done":
			last = e.seq
		}
	}
	due := func(taken []yearPause) time.Time { return y.after(start.At, rule.Within, taken) }
	y.once(rule.ID, "clock.warned", events, last, pauses, func(taken []yearPause) time.Time {
		w := y.before(due(taken), rule.WarnBefore)
		if !w.After(start.At) {
			y.t.Fatalf("%s would be warned of before it starts", rule.ID)
		}
		return w
	})
	y.once(rule.ID, "clock.missed", events, last, pauses, due)
	if !rule.EscalateAfter.IsZero() {
		y.once(rule.ID, "clock.escalated", events, last, pauses, func(taken []yearPause) time.Time {
			return y.after(due(taken), rule.EscalateAfter, nil)
		})
	}
}

// once checks that a kind of event came exactly when it ought to.
func (y *year) once(rule, kind string, events []yearEvent, last int, pauses []yearPause, when func([]yearPause) time.Time) {
	var at time.Time
	want := -1
	for n := 0; ; n++ { // with the pauses that began before it came
		at = when(pauses[:n])
		k := slices.IndexFunc(y.ticks, func(m moment) bool { return m.seq > events[0].seq && !m.at.Before(at) })
		want = -1
		if k >= 0 && y.ticks[k].seq < last {
			want = y.ticks[k].seq
		}
		if n == len(pauses) || want >= 0 && want < pauses[n].seq {
			break
		}
	}
	var got []int
	for _, e := range events {
		if e.Kind != kind {
			continue
		}
		got = append(got, e.seq)
		if e.At.Before(at) {
			y.t.Errorf("%s: %s at %s, before %s", rule, kind, e.At, at)
		}
	}
	if want < 0 && len(got) > 0 || want >= 0 && !slices.Equal(got, []int{want}) {
		y.t.Errorf("%s of %s: %s at steps %v, want %d (started %s, expected %s, %d pauses)", rule, events[0].Data["clock"], kind, got, want, events[0].At.In(y.paris), at.In(y.paris), len(pauses))
	}
}

// after counts minutes from a start until a span has passed, not counting
// pauses.
func (y *year) after(start time.Time, s rempart.Span, pauses []yearPause) time.Time {
	local := start.In(y.paris)
	if s.Unit == rempart.Months {
		month := int(local.Month()) - 1 + s.N
		yy, mm, dd := local.Year()+month/12, month%12+1, local.Day()
		for ; ; dd-- {
			if d, err := time.Parse(time.DateOnly, fmt.Sprintf("%04d-%02d-%02d", yy, mm, dd)); err == nil {
				until := d.Format(time.DateOnly)
				at := start.Truncate(time.Minute)
				for at.In(y.paris).Format(time.DateOnly) <= until {
					at = at.Add(time.Minute)
					if at.Sub(start) < 150*24*time.Hour {
						at = at.Add(12 * time.Hour)
					}
				}
				return at
			}
		}
	}
	paused := func(at time.Time) bool {
		return slices.ContainsFunc(pauses, func(p yearPause) bool { return !at.Before(p.from) && at.Before(p.to) })
	}
	need := map[rempart.Unit]int{rempart.Hours: 60, rempart.Days: 1440, rempart.BusinessDays: 1440}[s.Unit] * s.N
	at := start
	for need > 0 {
		if !paused(at) {
			need -= y.worth(at, s.Unit)
		}
		at = at.Add(time.Minute)
	}
	return at
}

func (y *year) before(end time.Time, s rempart.Span) time.Time {
	need := map[rempart.Unit]int{rempart.Hours: 60, rempart.Days: 1440, rempart.BusinessDays: 1440}[s.Unit] * s.N
	at := end
	for need > 0 {
		at = at.Add(-time.Minute)
		need -= y.worth(at, s.Unit)
	}
	return at
}

// worth is how many minutes of a unit one minute is: those of the hour that is
// skipped in spring come at once, and those that come twice in autumn count once.
func (y *year) worth(at time.Time, u rempart.Unit) int {
	l := at.In(y.paris)
	switch u {
	case rempart.BusinessDays:
		if l.Weekday() == time.Saturday || l.Weekday() == time.Sunday || y.days[l.Format(time.DateOnly)] {
			return 0
		}
	case rempart.Days:
		_, before := l.Zone()
		_, after := at.Add(time.Minute).In(y.paris).Zone()
		return 1 + (after-before)/60
	}
	return 1
}
