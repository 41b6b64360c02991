package web

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	ics "github.com/arran4/golang-ical"

	"rempart"
)

// clocked is a desk whose clocks run.
func clocked(t *testing.T) *desk {
	t.Helper()
	d := newDesk(t, true, false)
	d.must(d.flow.Prepare(context.Background()))
	return d
}

// sendNotice sends a notice of a case to the forum, which has it, and returns its
// clock.
func (d *desk) sendNotice(c *rempart.Case) rempart.Clock {
	d.t.Helper()
	ctx := context.Background()
	change := func(f func(*rempart.Case) error) { d.must(d.db.UpdateCase(ctx, c.ID, "", f)) }
	change(func(c *rempart.Case) error { return c.ConfirmQualification(c.Quals[0].ID, "Saule", d.now) })
	id, err := d.flow.Draft(ctx, c.ID, forum, []string{c.Items[0].ID}, "Saule")
	d.must(err)
	change(func(c *rempart.Case) error { return c.EditNotice(id, c.Notice(id).Explanation, true, "Saule", d.now) })
	change(func(c *rempart.Case) error {
		if err := c.SendNotice(id, "Saule", d.now); err != nil {
			return err
		}
		return c.NoticeAccepted(id, "F-1", rempart.Attempt{At: d.now}, d.now)
	})
	for _, k := range d.reload(c).Clocks {
		if k.Await == rempart.AwaitAcknowledgement {
			return k
		}
	}
	d.t.Fatal("no clock waits for the acknowledgement")
	return rempart.Clock{}
}

// TestClockOfSilentPlatform: what used to be a dead end, a platform that says
// nothing, becomes a task in the case, the queue and the agenda.
func TestClockOfSilentPlatform(t *testing.T) {
	d := clocked(t)
	c := d.open(rempart.AgeSaidAdult)
	k := d.sendNotice(c)
	at := "/console/cases/" + c.Ref
	for _, lang := range langs {
		s := d.sit(rempart.RoleAnalyst)
		s.lang = lang
		s.page(at).want(t, map[string]string{"fr": "fixé par cette association, pas par la loi", "en": "set by this association, not by law"}[lang])
	}
	d.now = d.now.Add(49 * time.Hour)
	d.work()
	s := d.sit(rempart.RoleAnalyst)
	a := s.page(at)
	a.want(t, "À faire : relancer la plateforme.", "En retard de", "échue")
	step := regexp.MustCompile(at + `/steps/[0-9a-v]+`).FindString(a.body)
	if step == "" {
		t.Fatal("no way to the step that is to be done")
	}
	s.page("/console/").want(t, "Accusé de réception", "échéance proche ou passée")
	s.page("/console/calendar?view=agenda").want(t, "En retard", c.Ref, "relancer la plateforme")
	s.page(step).want(t, "Le rappel n’a pas pu partir de lui-même", "enregistrée sous le numéro F-1", "Noter l’envoi et sa preuve")
	if b := s.post(step, "action", "record", "text", "Un rappel.", "day", "2026-11-30", "channel", "form", "proof", ""); b.status != http.StatusUnprocessableEntity {
		t.Errorf("a proof to come, without a reference: %d", b.status)
	} else {
		b.want(t, "aujourd’hui au plus tard", "le lieu où la copie est gardée", "Un rappel.")
	}
	s.changed(step, "action", "record", "text", "Un rappel.", "day", d.now.Format(time.DateOnly), "channel", "form", "proof", "formulaire 42").want(t, "L’envoi et sa preuve sont au dossier.", "formulaire 42")
	s.page(at).want(t, "Suites de la notification", "Rappel n° 2", "fait, preuve tenue")
	if got := d.reload(c).Clocks; got[len(got)-1].Round != 2 || got[len(got)-1].Task != "" {
		t.Errorf("after the reminder: %+v", got[len(got)-1])
	}
	if a := s.post(step, "action", "record", "text", "Un rappel.", "day", d.now.Format(time.DateOnly), "channel", "form", "proof", "x"); a.status != http.StatusConflict {
		t.Errorf("the same step again: %d", a.status)
	}
	if a := s.post(at+"/clocks/"+k.ID, "action", "explode"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("an action that is none: %d", a.status)
	}
	if a := s.post(at+"/clocks/nulle-part", "action", "done"); a.status != http.StatusNotFound {
		t.Errorf("a clock that is none: %d", a.status)
	}
}

func TestClockForms(t *testing.T) {
	d := clocked(t)
	c := d.open(rempart.AgeSaidAdult)
	k := d.sendNotice(c)
	s := d.sit(rempart.RoleAnalyst)
	at := "/console/cases/" + c.Ref
	// Nothing typed is lost.
	a := s.post(at+"/clocks/"+k.ID, "action", "pause", "reason", "la plateforme est en maintenance", "until", "hier")
	if a.status != http.StatusUnprocessableEntity {
		t.Fatalf("a pause without a day: %d", a.status)
	}
	a.want(t, "la plateforme est en maintenance", "Dites quel jour")
	until := d.now.AddDate(0, 0, 5).Format(time.DateOnly)
	a = s.changed(at+"/clocks/"+k.ID, "action", "pause", "reason", "la plateforme est en maintenance", "until", until)
	a.want(t, "L’échéance est en pause.", "la plateforme est en maintenance", `value="resume"`)
	s.page("/console/").want(t, "en pause")
	s.changed(at+"/clocks/"+k.ID, "action", "resume").want(t, "L’échéance a repris.")

	a = s.post(at+"/clocks", "label", "rappeler la famille", "due", "")
	if a.status != http.StatusUnprocessableEntity {
		t.Fatalf("a date that is none: %d", a.status)
	}
	a.want(t, `value="rappeler la famille"`, "Choisissez un jour")
	day := d.now.AddDate(0, 0, 3)
	s.changed(at+"/clocks", "label", "rappeler <b>la famille</b>", "due", day.Format(time.DateOnly)).want(t, "Rappeler &lt;b&gt;la famille&lt;/b&gt;")
	if events, err := d.db.Events(context.Background(), c.ID); err != nil {
		t.Error(err)
	} else {
		for _, e := range events {
			for _, v := range e.Data {
				if strings.Contains(v, "famille") || strings.Contains(v, "maintenance") {
					t.Errorf("the ledger holds what somebody wrote: %v", e)
				}
			}
		}
	}
	// In the calendar and its file: the reference and what is awaited, no words.
	a = s.page("/console/calendar?month=" + day.Format("2006-01"))
	a.want(t, c.Ref, "Date notée", "9 h 00")
	a.lacks(t, "famille")
	a = s.get("/console/calendar.ics")
	if a.status != http.StatusOK || a.head.Get("Content-Type") != "text/calendar; charset=utf-8" || strings.Contains(a.body, "famille") || strings.Contains(a.body, "forum.exemple.test") {
		t.Errorf("the calendar's file: %d %v\n%s", a.status, a.head, a.body)
	}
	cal, err := ics.ParseCalendar(strings.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, e := range cal.Events() {
		at, err := e.GetStartAt()
		if err != nil {
			t.Error(err)
		}
		if e.GetProperty(ics.ComponentPropertySummary).Value == c.Ref+" – Date notée" && at.Equal(dayField(day.Format(time.DateOnly), ownHour)) {
			found++
		}
	}
	if found != 1 {
		t.Errorf("the date is %d times in the file:\n%s", found, a.body)
	}
}

// TestCalendarMonths: each day of a month is once in its weeks, which are whole,
// whatever the month; in 2026, 25 October and 29 March have 25 and 23 hours.
func TestCalendarMonths(t *testing.T) {
	d := clocked(t)
	s := d.sit(rempart.RoleAnalyst)
	day := regexp.MustCompile(`<time datetime="(\d{4}-\d\d-\d\d)">`)
	for m := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC); m.Year() < 2029; m = m.AddDate(0, 1, 0) {
		a := s.page("/console/calendar?month=" + m.Format("2006-01"))
		var days []string
		for _, x := range day.FindAllStringSubmatch(a.body, -1) {
			days = append(days, x[1])
		}
		if len(days)%7 != 0 || len(days) < 28 {
			t.Fatalf("%s has %d days", m.Format("2006-01"), len(days))
		}
		first, err := time.Parse(time.DateOnly, days[0])
		if err != nil || first.Weekday() != time.Monday {
			t.Fatalf("%s begins on %s", m.Format("2006-01"), days[0])
		}
		for k, got := range days {
			if want := first.AddDate(0, 0, k).Format(time.DateOnly); got != want {
				t.Fatalf("%s: day %d is %s, want %s", m.Format("2006-01"), k, got, want)
			}
		}
		if first.After(m) || first.AddDate(0, 0, len(days)).Before(m.AddDate(0, 1, 0)) {
			t.Errorf("%s is not whole: %s to %s", m.Format("2006-01"), days[0], days[len(days)-1])
		}
		a.want(t, "Aucune échéance ce mois-ci.")
	}
	s.page("/console/calendar?month=2027-05").want(t, "Ascension", "Lundi de Pentecôte")
	for _, bad := range []string{"hier", "2026-13", "1200-01", "2026-1"} {
		if a := s.get("/console/calendar?month=" + bad); a.status != http.StatusUnprocessableEntity {
			t.Errorf("month %q: %d", bad, a.status)
		}
	}
}

// TestWindowInCalendar: six months from a refusal end with a day, and are shown
// on it.
func TestWindowInCalendar(t *testing.T) {
	d := clocked(t)
	d.now = time.Date(2026, 8, 31, 8, 0, 0, 0, time.UTC)
	c := d.open(rempart.AgeSaidAdult)
	d.sendNotice(c)
	n := d.reload(c).Notices[0]
	dec := rempart.Decision{Measure: rempart.MeasureRefused, Ground: "law", Facts: "Faits de l’essai.", Explanation: "Une explication assez longue.", Redress: []string{"complaint"}, At: d.now}
	d.must(d.db.UpdateCase(context.Background(), c.ID, "", func(c *rempart.Case) error {
		return c.NoticeDecided(n.ID, "F-1", forum, map[string]rempart.Decision{n.Items[0].ID: dec}, d.now)
	}))
	s := d.sit(rempart.RoleAnalyst)
	s.page("/console/cases/"+c.Ref).want(t, "jusqu’au 28 février 2027 inclus", "Délai de la loi", "1182/71")
	body := mainOf(s.page("/console/calendar?month=2027-02").body)
	cell := regexp.MustCompile(`(?s)<td[^>]*>\s*<p class="day"[^>]*><time datetime="2027-02-28">.*?</td>`).FindString(body)
	if !strings.Contains(cell, c.Ref) {
		t.Errorf("28 February shows %q", cell)
	}
	if a := s.get("/console/calendar.ics"); !strings.Contains(a.body, "DTSTART;VALUE=DATE:20270228") {
		t.Errorf("in the file:\n%s", a.body)
	}
}

func TestDelays(t *testing.T) {
	d := clocked(t)
	s := d.sit(rempart.RoleAdmin)
	at := "/console/admin/delays"
	a := s.page(at)
	a.want(t, "sans retard injustifié", "Code du travail, art. L3133-1", "Délai de la loi", "Vendredi saint")
	a.lacks(t, `name="complaint.within"`)
	fields := func() []string {
		var pairs []string
		body := s.page(at).body
		for _, m := range regexp.MustCompile(`<input type="(?:text|hidden)"[^>]* name="([^"]+)" value="([^"]*)"`).FindAllStringSubmatch(body, -1) {
			pairs = append(pairs, m[1], m[2])
		}
		for _, m := range regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`).FindAllStringSubmatch(body, -1) {
			pairs = append(pairs, m[1], m[2])
		}
		for _, m := range regexp.MustCompile(`(?s)<select id="[^"]+" name="([^"]+)">.*?value="(\w+)" selected`).FindAllStringSubmatch(body, -1) {
			pairs = append(pairs, m[1], m[2])
		}
		return pairs
	}
	set := func(pairs []string, name, value string) []string {
		for k := 0; k < len(pairs); k += 2 {
			if pairs[k] == name {
				pairs[k+1] = value
				return pairs
			}
		}
		t.Fatalf("the form has no %s", name)
		return nil
	}
	// As it is, it changes nothing but the version.
	s.changed(at, fields()...).want(t, "Les délais sont enregistrés.")
	p, _, err := d.db.ClockPolicy(context.Background())
	if err != nil || p.Version != 2 || p.By != "Alias-admin" || p.Rule("acknowledgement-sexual").Within.String() != "48h" || p.Rule("complaint").Within.String() != "6mo" {
		t.Fatalf("policy %+v, %v", p, err)
	}
	a = s.post(at, set(fields(), "draft.within", "bientôt")...)
	if a.status != http.StatusUnprocessableEntity {
		t.Errorf("a delay that is no number: %d", a.status)
	}
	a.want(t, `value="bientôt"`, "Brouillon de notification à envoyer : Donnez une durée")
	a = s.post(at, set(fields(), "decision-other.warn", "300")...)
	if a.status != http.StatusUnprocessableEntity {
		t.Errorf("a warning before the start: %d", a.status)
	}
	// The law's delay cannot be sent, nor its clock be turned off.
	s.changed(at, append(set(fields(), "failed.within", "5"), "complaint.within", "1", "complaint.within.unit", "d", "complaint.off", "yes", "look-3.off", "yes", "local", "yes")...)
	p, cal, err := d.db.ClockPolicy(context.Background())
	if err != nil || p.Version != 3 || p.Rule("failed").Within.String() != "5h" || p.Rule("complaint").Within.String() != "6mo" || p.Rule("complaint").Off || !p.Rule("look-3").Off || !cal.Local {
		t.Fatalf("policy %+v, %v", p, err)
	}
	stale := set(fields(), "was", "2")
	if a := s.post(at, stale...); a.status != http.StatusConflict {
		t.Errorf("a form shown before the last change: %d", a.status)
	}
	// An analyst has no key to this door.
	if a := d.sit(rempart.RoleAnalyst).get(at); a.status != http.StatusForbidden {
		t.Errorf("an analyst at the delays: %d", a.status)
	}
	// A second start leaves what somebody chose alone.
	d.must(d.flow.Prepare(context.Background()))
	if again, _, err := d.db.ClockPolicy(context.Background()); err != nil || again.Version != 3 {
		t.Errorf("after another start: version %d, %v", again.Version, err)
	}
}

// TestQueueByClock keeps the order through tabs and pages.
func TestQueueByClock(t *testing.T) {
	d := clocked(t)
	s := d.sit(rempart.RoleAnalyst)
	s.page("/console/?sort=clock").want(t, "Aucun dossier d’ici n’a d’échéance qui court.")
	late := d.open(rempart.AgeSaidAdult)
	soon := d.open(rempart.AgeSaidUnder15)
	a := s.page("/console/?sort=clock")
	if i, j := strings.Index(a.body, soon.Ref), strings.Index(a.body, late.Ref); i < 0 || j < 0 || i > j {
		t.Errorf("the urgent case, due first, is at %d, the other at %d", i, j)
	}
	a.want(t, "/console/?sort=clock&amp;state=open", "Premier examen")
	s.page("/console/?state=active&sort=clock").want(t, "Aucun dossier d’ici")
}
