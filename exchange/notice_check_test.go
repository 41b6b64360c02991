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
		"language":                    {func(n *Notice) { n.Lang = "de" }, []string{"lang "}},
		"identifier":                  {func(n *Notice) { n.ID = "a/b" }, []string{"id "}},
		"too long":                    {func(n *Notice) { n.Explanation = strings.Repeat("é", 20001) }, []string{"explanation 16(2)(a)"}},
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
		`[]`: {"notice: is not one JSON object"}, ``: {"notice: is not one JSON object"},
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
