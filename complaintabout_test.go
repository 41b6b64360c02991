package rempart

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestComplaintAbout tells what a complaint was about when it came, whatever later
// ones, and its own, made of the decisions; and which restrictions each imposed.
func TestComplaintAbout(t *testing.T) {
	at := func(h int) time.Time { return time.Date(2026, 11, 2, h, 0, 0, 0, time.UTC) }
	refused, account, removed := Decision{Measure: MeasureRefused}, Decision{Measure: MeasureRestricted, Restrictions: []Restriction{"account.suspended", "visibility.demoted"}}, Decision{Measure: MeasureRemoved}
	i := &Intake{
		Decisions: map[string]Decision{"i1": removed, "i2": refused},
		Complaints: []Complaint{
			{Items: []string{"i1", "i2"}, State: ComplaintDecided, ReceivedAt: at(1), DecidedAt: at(2), Changed: []DecisionChange{{Item: "i1", Was: refused}}},
			{Items: []string{"i1"}, State: ComplaintDecided, ReceivedAt: at(3), DecidedAt: at(4), Changed: []DecisionChange{{Item: "i1", Was: account}}},
			{Items: []string{"i1"}, State: ComplaintDecided, ReceivedAt: at(5), DecidedAt: at(6), Changed: []DecisionChange{{Item: "i1", Was: refused}}},
			{Items: []string{"i1"}, State: ComplaintReceived, ReceivedAt: at(7)},
		},
	}
	want := []struct {
		about   []string
		imposed int
	}{{[]string{"no_action"}, 1}, {[]string{"account", "visibility"}, 0}, {[]string{"no_action"}, 1}, {[]string{"visibility"}, 0}}
	for k := range i.Complaints {
		c := &i.Complaints[k]
		if diff := cmp.Diff(want[k].about, i.About(c)); diff != "" {
			t.Errorf("complaint %d: %s", k, diff)
		}
		if n := c.imposed(i); n != want[k].imposed {
			t.Errorf("complaint %d imposed %d", k, n)
		}
	}
}
