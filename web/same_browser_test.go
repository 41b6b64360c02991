package web

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"rempart"
)

// TestOrderStandScreens looks at the notices about one posting: the one whose
// order stands for two, the other one, and a later one that waits.
func TestOrderStandScreens(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a browser")
	}
	d := newDesk(t, false, true)
	d.system(func(w http.ResponseWriter) { io.WriteString(w, `{"outcome":"done"}`) })
	visitor, s := d.sit(""), d.sit(rempart.RoleModerator)
	notify := func(k int) {
		pairs := noticeForm(strings.Repeat(string(rune('A'+k)), 26))
		pairs[5] = bad
		visitor.postForm("/notify", 200, pairs...)
	}
	notify(0)
	notify(1)
	all, _, err := d.db.Intakes(t.Context(), "", "", 0)
	d.must(err)
	s.changed("/console/notices/"+all[0].Number+"/items/item-1", append(slices.Clone(decided), "also", "yes")...)
	d.work()
	notify(2)
	waits, _, err := d.db.Intakes(t.Context(), rempart.IntakeReceived, "", 0)
	d.must(err)
	if len(waits) != 1 {
		t.Fatalf("%d notices wait, want 1", len(waits))
	}
	l := d.looker(rempart.RoleModerator)
	l.look("order-lead", "/console/notices/"+all[0].Number)
	l.look("order-shared", "/console/notices/"+all[1].Number)
	l.look("order-stands", "/console/notices/"+waits[0].Number)
}
