package law

import (
	"encoding/json"
	"os"
	"slices"
	"testing"
	"time"
	_ "time/tzdata"

	"rempart"
)

func loadParis(t *testing.T) *time.Location {
	t.Helper()
	l, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// calendarFR is what somebody else's library makes of the French calendar; see
// testdata/README.md.
type calendarFR struct {
	Years []struct {
		Year     int
		Holidays []string
		Good     string `json:"good_friday"`
	}
	Steps []struct {
		From, To string
		Days     int
	}
}

func readCalendarFR(t *testing.T) calendarFR {
	t.Helper()
	b, err := os.ReadFile("testdata/calendar-fr.json")
	if err != nil {
		t.Fatal(err)
	}
	var v calendarFR
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Years) != 71 || len(v.Steps) < 500 {
		t.Fatalf("%d years and %d steps", len(v.Years), len(v.Steps))
	}
	return v
}

// TestHolidays compares every day of 71 years.
func TestHolidays(t *testing.T) {
	p := DefaultClocks()
	cal := p.Calendar(time.UTC)
	local := cal
	local.Local = true
	for _, y := range readCalendarFR(t).Years {
		for d := time.Date(y.Year, 1, 1, 12, 0, 0, 0, time.UTC); d.Year() == y.Year; d = d.AddDate(0, 0, 1) {
			day := d.Format(time.DateOnly)
			want := slices.Contains(y.Holidays, day)
			if _, got := cal.Holiday(d); got != want {
				t.Errorf("%s is a holiday: %v, want %v", day, got, want)
			}
			if _, got := local.Holiday(d); got != (want || day == y.Good || day[5:] == "12-26") {
				t.Errorf("%s is a holiday in Alsace and Moselle: %v", day, got)
			}
		}
	}
}

// TestBusinessDays compares steps of 1 to 30 business days from noon of a day
// that is worked.
func TestBusinessDays(t *testing.T) {
	p := DefaultClocks()
	paris := loadParis(t)
	cal := p.Calendar(paris)
	for _, s := range readCalendarFR(t).Steps {
		from, err := time.ParseInLocation(time.DateOnly, s.From, paris)
		if err != nil {
			t.Fatal(err)
		}
		from = from.Add(12 * time.Hour)
		span := rempart.Span{N: s.Days, Unit: rempart.BusinessDays}
		got := cal.Add(from, span)
		if at := got.In(paris).Format("2006-01-02 15"); at != s.To+" 12" {
			t.Errorf("%s and %d business days: %s, want %s", s.From, s.Days, at, s.To)
		}
		if back := cal.Before(got, span); !back.Equal(from) {
			t.Errorf("%d business days before %s: %s, want %s", s.Days, s.To, back, from)
		}
		if e := cal.Elapsed(from, got, rempart.BusinessDays); e != time.Duration(s.Days)*24*time.Hour {
			t.Errorf("from %s to %s, %s of business days count, want %d days", s.From, s.To, e, s.Days)
		}
	}
}

// TestDefaultClocks holds the defaults to what the law says: it gives no number
// but for complaints.
func TestDefaultClocks(t *testing.T) {
	p := DefaultClocks()
	for _, r := range p.Rules {
		if law := r.Basis == rempart.BasisLaw; law != (r.ID == "complaint") {
			t.Errorf("%s: basis %s", r.ID, r.Basis)
		}
	}
	for id, want := range map[string]string{"acknowledgement-minor": "24h", "acknowledgement-sexual": "48h", "acknowledgement-other": "7d", "complaint": "6mo"} {
		r := p.Rule(id)
		if r == nil || r.Within.String() != want || r.Source == "" {
			t.Errorf("%s: %+v, want within %s and a source", id, r, want)
		}
	}
	// Both homes of the rule for six months agree, on every day of ten years.
	paris := loadParis(t)
	cal := p.Calendar(paris)
	for d := time.Date(2023, 1, 1, 15, 0, 0, 0, paris); d.Year() < 2033; d = d.AddDate(0, 0, 1) {
		if got, want := cal.Add(d, p.Rule("complaint").Within), ComplaintUntil(d); !got.Equal(want) {
			t.Errorf("six months from %s: %s and %s", d.Format(time.DateOnly), got, want)
		}
	}
}
