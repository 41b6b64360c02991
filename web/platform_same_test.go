package web

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"rempart"
)

// TestOrderStands: the page of a later notice about a posting says that it was
// ordered away already and asks for nothing more, unless the moderator says that
// it is back.
func TestOrderStands(t *testing.T) {
	for _, lang := range langs {
		t.Run(lang, func(t *testing.T) {
			d := newDesk(t, false, true)
			asked := d.system(func(w http.ResponseWriter) { io.WriteString(w, `{"outcome":"done"}`) })
			visitor := d.sit("")
			s := d.sit(rempart.RoleModerator)
			s.lang = lang
			back := map[string]string{"fr": "est de nouveau en ligne", "en": "is online again"}[lang]
			var numbers []string
			notify := func(k int) string {
				pairs := noticeForm(strings.Repeat(string(rune('A'+k)), 26))
				pairs[5] = bad
				visitor.postForm("/notify", 200, pairs...)
				all, _, err := d.db.Intakes(t.Context(), "", "", 0)
				d.must(err)
				for _, i := range all {
					if !slices.Contains(numbers, i.Number) {
						numbers = append(numbers, i.Number)
						return "/console/notices/" + i.Number
					}
				}
				t.Fatal("no notice came")
				return ""
			}
			at, second := notify(0), notify(1)
			s.page(at).lacks(t, back)
			s.changed(at+"/items/item-1", append(slices.Clone(decided), "also", "yes")...)
			d.work()
			page := s.page(at)
			page.want(t, numbers[1])
			wellFormed(t, at, page.body)
			page = s.page(second)
			page.want(t, map[string]string{"fr": "Une seule demande", "en": "was asked once"}[lang], numbers[0])
			wellFormed(t, second, page.body)

			third := notify(2)
			page = s.page(third)
			page.want(t, back, map[string]string{"fr": "sans nouvelle demande", "en": "without a second request"}[lang])
			wellFormed(t, third, page.body)
			s.changed(third+"/items/item-1", decided...)
			d.work()
			if *asked != 1 {
				t.Errorf("the system was asked %d times, want once for one posting", *asked)
			}
			fourth := notify(3)
			typed := append(slices.Clone(decided), "back", "yes", "action", "write")
			if a := s.post(fourth+"/items/item-1", typed...); !strings.Contains(a.body, `name="back" value="yes" checked`) {
				t.Error("what was ticked is lost when the text is written")
			}
			s.changed(fourth+"/items/item-1", append(slices.Clone(decided), "back", "yes")...)
			d.work()
			if *asked != 2 {
				t.Errorf("the system was asked %d times: the posting is back", *asked)
			}
		})
	}
}
