package exchange

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rempart"
)

// whole is a notice with all that article 16(2) asks for.
func whole() Notice {
	return Notice{
		ID: "n1", CaseRef: "R-1", Lang: "fr", Explanation: "Ces adresses montrent une personne sans son accord, dans une image à caractère sexuel.",
		Items:    []rempart.NoticeItem{{ID: "a", Address: "https://forum.exemple.test/fil/12#3"}, {ID: "b", Address: "https://forum.exemple.test/fil/13"}},
		Notifier: rempart.Notifier{Name: "Association Exemple", Email: "signalement@exemple.test", TrustedFlagger: true, Expertise: "violences sexuelles en ligne"}, GoodFaith: true,
		Category: "3f", DoNotTell: true,
	}
}

// TestNoticeCheck takes one thing away at a time, or breaks it.
func TestNoticeCheck(t *testing.T) {
	for name, x := range map[string]struct {
		change func(*Notice)
		want   []string
	}{
		"whole":             {func(n *Notice) {}, nil},
		"nothing":           {func(n *Notice) { *n = Notice{} }, []string{"explanation 16(2)(a)", "items 16(2)(b)", "notifier.name 16(2)(c)", "notifier.email 16(2)(c)", "good_faith 16(2)(d)"}},
		"no explanation":    {func(n *Notice) { n.Explanation = "" }, []string{"explanation 16(2)(a)"}},
		"short explanation": {func(n *Notice) { n.Explanation = "  C’est illégal.                            " }, []string{"explanation 16(2)(a)"}},
		"no items":          {func(n *Notice) { n.Items = nil }, []string{"items 16(2)(b)"}},
		"no address":        {func(n *Notice) { n.Items[0].Address = "" }, []string{"items[0].address 16(2)(b)"}},
		"no address but a print": {func(n *Notice) {
			n.Items[0] = rempart.NoticeItem{ID: "a", Fingerprints: []rempart.Fingerprint{{Type: rempart.SHA256, Value: strings.Repeat("ab", 32)}}}
		}, nil},
		"prints only": {func(n *Notice) {
			n.Items = []rempart.NoticeItem{{ID: "a", Fingerprints: []rempart.Fingerprint{{Type: rempart.SHA256, Value: strings.Repeat("ab", 32)}}}}
		}, []string{"items 16(2)(b)"}},
		"no exact address":            {func(n *Notice) { n.Items[1].Address = "le forum, fil 13" }, []string{"items[1].address 16(2)(b)"}},
		"only address is wrong":       {func(n *Notice) { n.Items = []rempart.NoticeItem{{ID: "a", Address: "ftp://exemple.test/x"}} }, []string{"items[0].address 16(2)(b)"}},
		"two items, one name":         {func(n *Notice) { n.Items[1].ID = "a" }, []string{"items[1].id 16(2)(b)"}},
		"wrong fingerprint":           {func(n *Notice) { n.Items[0].Fingerprints = []rempart.Fingerprint{{Type: rempart.SHA256, Value: "ab"}} }, []string{"items[0].fingerprints[0] 16(2)(b)"}},
		"no name":                     {func(n *Notice) { n.Notifier.Name = "" }, []string{"notifier.name 16(2)(c)"}},
		"no e-mail":                   {func(n *Notice) { n.Notifier.Email = " " }, []string{"notifier.email 16(2)(c)"}},
		"half an e-mail":              {func(n *Notice) { n.Notifier.Email = "signalement" }, []string{"notifier.email 16(2)(c)"}},
		"minor, nobody named":         {func(n *Notice) { n.Notifier, n.Minor, n.Category = rempart.Notifier{}, true, "9c" }, nil},
		"category of minors":          {func(n *Notice) { n.Notifier, n.Category = rempart.Notifier{}, "9b" }, nil},
		"other category, nobody":      {func(n *Notice) { n.Notifier, n.Category = rempart.Notifier{}, "9f" }, []string{"notifier.name 16(2)(c)", "notifier.email 16(2)(c)"}},
		"minor, category of adults":   {func(n *Notice) { n.Minor = true }, []string{"category 16(2)(a)"}},
		"trusted flagger for nothing": {func(n *Notice) { n.Notifier.Expertise = "" }, []string{"notifier.expertise 22(1)"}},
		"not in good faith":           {func(n *Notice) { n.GoodFaith = false }, []string{"good_faith 16(2)(d)"}},
		"a ground of no text":         {func(n *Notice) { n.Grounds = []rempart.Ground{{Label: "x"}} }, []string{"grounds[0].article 16(2)(a)"}},
		"no category of the text":     {func(n *Notice) { n.Category = "deepfake" }, []string{"category "}},
		"category of a whole part":    {func(n *Notice) { n.Category = "4" }, nil},
		"minor, deepfake of adults":   {func(n *Notice) { n.Minor, n.Category = true, "4g" }, []string{"category 16(2)(a)"}},
		"category past its part":      {func(n *Notice) { n.Category = "3h" }, []string{"category "}},
		"category of orders":          {func(n *Notice) { n.Category = "16" }, []string{"category "}},
		"category of notices":         {func(n *Notice) { n.Category = "17" }, nil},
		"one item twice":              {func(n *Notice) { n.Items[1].Address = "HTTPS://Forum.exemple.test/fil/12#3" }, []string{"items[1].address 16(2)(b)"}},
		"two pictures of a page": {func(n *Notice) {
			for k := range n.Items {
				n.Items[k].Address = "https://forum.exemple.test/fil/12"
				n.Items[k].Fingerprints = []rempart.Fingerprint{{Type: rempart.SHA256, Value: strings.Repeat([]string{"ab", "cd"}[k], 32)}}
			}
		}, nil},
		"fingerprint of no type": {func(n *Notice) { n.Items[0].Fingerprints = []rempart.Fingerprint{{Type: "crc", Value: "ab"}} }, []string{"items[0].fingerprints[0].type 16(2)(b)"}},
		"one's own machine":      {func(n *Notice) { n.Items[1].Address = "http://localhost:8080/x" }, []string{"items[1].address 16(2)(b)"}},
		"one's own network":      {func(n *Notice) { n.Items[1].Address = "http://192.168.0.2/x" }, []string{"items[1].address 16(2)(b)"}},
		"no such port":           {func(n *Notice) { n.Items[1].Address = "https://exemple.test:99999/x" }, []string{"items[1].address 16(2)(b)"}},
		"whole site":             {func(n *Notice) { n.Items[1].Address = "https://exemple.test" }, nil},
		"language":               {func(n *Notice) { n.Lang = "de" }, []string{"lang "}},
		"identifier":             {func(n *Notice) { n.ID = "a/b" }, []string{"id "}},
		"too long":               {func(n *Notice) { n.Explanation = strings.Repeat("é", 20001) }, []string{"explanation 16(2)(a)"}},
		"too many": {func(n *Notice) {
			for len(n.Items) < 201 {
				n.Items = append(n.Items, rempart.NoticeItem{Address: "https://forum.exemple.test/"})
			}
		}, []string{"items 16(2)(b)"}},
	} {
		n := whole()
		x.change(&n)
		b, err := json.Marshal(n)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range CheckNotice(b) {
			got = append(got, f.Field+" "+f.Article)
			if f.Text == "" || strings.ContainsAny(f.String(), "\n") {
				t.Errorf("%s: fault %q is no line", name, f)
			}
		}
		if diff := cmp.Diff(x.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestNoticeShape holds what no Notice of ours could be.
func TestNoticeShape(t *testing.T) {
	const rest = `"explanation":"Ces adresses montrent une personne sans son accord.","good_faith":true,"notifier":{"name":"A","email":"a@exemple.test"}`
	for body, want := range map[string][]string{
		`{` + rest + `,"items":[{"address":"https://exemple.test/1"}]}`:                                  nil,
		`{` + rest + `,"items":[{"url":"https://exemple.test/1"}]}`:                                      {"items[0].url: is no field of a notice (art. 16(2)(b))", "items[0].address: is missing (art. 16(2)(b))"},
		`{` + rest + `,"items":"https://exemple.test/1"}`:                                                {"items: must be a list (art. 16(2)(b))"},
		`{` + rest + `,"items":[{"address":"https://exemple.test/1"}],"lang":["fr","en"],"goodfaith":1}`: {"lang: must be a text", "goodfaith: is no field of a notice"},
		`{"explanation":7,"good_faith":"yes","notifier":"A","items":[{"address":"https://exemple.test/1"}]}`: {
			"explanation: must be a text (art. 16(2)(a))", "notifier: must be an object (art. 16(2)(c))", "good_faith: must be true or false (art. 16(2)(d))"},
		"\ufeff{" + rest + `,"items":[{"address":"https://exemple.test/1"}]}`: nil, // as some editors write UTF-8
		`{` + rest + `,"items":[{"address":"https://exemple.test/1","address":"https://exemple.test/2"}],"good_faith":true}`: {
			"items[0].address: is there twice (art. 16(2)(b))", "good_faith: is there twice (art. 16(2)(d))"},
		`{` + rest + `,"items":[{"address":"https://exemple.test/1"}],"Explanation":"x"}`:            {"Explanation: is no field of a notice"},
		`{` + rest + `,"items":[{"address":"https://exemple.test/1"}],"a\nb":1}`:                     {`"a\nb": is no field of a notice`},
		`{` + rest + `,"items":[{"address":"https://exemple.test/1"}],"minor":true,"category":"4g"}`: {"category: must be of part 9, here 9c: the notice is about a minor, and is counted there (art. 16(2)(a))"},
		`{` + rest + `,"items":[{"address":"https://exemple.test/1"}],"case_ref":"` + "\xff" + `"}`:  {"notice: is not UTF-8"},
		strings.Repeat(" ", 1<<20) + `{}`: {"notice: is longer than 1 MiB, the most that an intake reads"},
		`[]`:                              {"notice: is not one JSON object"}, ``: {"notice: is not one JSON object"},
	} {
		var got []string
		for _, f := range CheckNotice([]byte(body)) {
			got = append(got, f.String())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", body, diff)
		}
	}
}

// TestNoticeHints: a whole site is taken, with a word; a page is not spoken of.
func TestNoticeHints(t *testing.T) {
	n := whole()
	n.Items[1].Address = "https://exemple.test/"
	b, err := json.Marshal(n)
	if err != nil {
		t.Fatal(err)
	}
	got := NoticeHints(b)
	if len(got) != 1 || got[0].Field != "items[1].address" || got[0].Article != "16(2)(b)" {
		t.Errorf("hints %v, want one on items[1].address", got)
	}
	if got := NoticeHints([]byte(`{"items":["x",null,{"address":7}]}`)); got != nil {
		t.Errorf("hints %v of what are no items", got)
	}
}

// TestTwice holds RFC 8259, section 4, at each depth.
func TestTwice(t *testing.T) {
	for body, want := range map[string][]string{
		`{"a":1,"b":{"a":2}}`:                  nil,
		`{"a":1,"A":2}`:                        nil, // two names
		`{"a":1,"a":1,"a":1}`:                  {"a"},
		`{"a":1,"\u0061":2}`:                   {"a"},
		`{"l":[{"x":1},{"x":1,"x":2}],"l":[]}`: {"l[1].x", "l"},
		`{"o":{"p":{"q":[],"q":{}}},"r":{}}`:   {"o.p.q"},
		`{"a":1,"a":`:                          {"a"},
		``:                                     nil,
		`{"a":1,"a":` + strings.Repeat(`[`, 5000) + strings.Repeat(`]`, 5000) + `,"b":1,"b":1}`: {"a", "b"},
		`[` + strings.Repeat(`[`, 100_000) + `1]`:                                               nil,
	} {
		if diff := cmp.Diff(want, twice([]byte(body))); diff != "" {
			t.Errorf("%.60s (-want +got):\n%s", body, diff)
		}
	}
}
