package law

import (
	"encoding/json"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"rempart"
)

const packName = "fr-2026-04-02.1.json"

// load loads the French pack after edit changed its JSON.
func load(t *testing.T, edit func(pack map[string]any)) error {
	t.Helper()
	b, err := fs.ReadFile(embedded, "data/"+packName)
	if err != nil {
		t.Fatal(err)
	}
	var pack map[string]any
	if err := json.Unmarshal(b, &pack); err != nil {
		t.Fatal(err)
	}
	edit(pack)
	if b, err = json.Marshal(pack); err != nil {
		t.Fatal(err)
	}
	_, err = Load(fstest.MapFS{packName: {Data: b}}, packName)
	return err
}

// item returns the i-th object of a list of the object.
func item(in map[string]any, list string, i int) map[string]any {
	return in[list].([]any)[i].(map[string]any)
}

func TestLoadRefuses(t *testing.T) {
	if err := load(t, func(map[string]any) {}); err != nil {
		t.Fatalf("the pack itself: %v", err)
	}
	offence := func(edit func(o map[string]any)) func(map[string]any) {
		return func(p map[string]any) { edit(item(p, "offences", 0)) }
	}
	leaf := func(edit func(c map[string]any)) func(map[string]any) {
		return offence(func(o map[string]any) { edit(item(o["when"].(map[string]any), "all", 0)) })
	}
	for _, tt := range []struct {
		name string
		want string
		edit func(map[string]any)
	}{
		{"no source", "no source", offence(func(o map[string]any) { delete(o, "source") })},
		{"source not sourced", "says that it is none", offence(func(o map[string]any) { o["source"] = "page [U]" })},
		{"no text date", "text_date", offence(func(o map[string]any) { delete(o, "text_date") })},
		{"text date after the pack", "after that of the pack", offence(func(o map[string]any) { o["text_date"] = "2026-04-03" })},
		{"no examples", "no example", offence(func(o map[string]any) { delete(o, "examples") })},
		{"negative examples only", "no example", offence(func(o map[string]any) { o["examples"] = o["examples"].([]any)[8:] })},
		{"wrong example", "yields", offence(func(o map[string]any) { item(o, "examples", 0)["expect"].(map[string]any)["prison_years"] = 2 })},
		{"example with an unknown word", "sexual", offence(func(o map[string]any) { item(o, "examples", 0)["facts"].(map[string]any)["sexual"] = "very" })},
		{"example with an unknown fact", "unknown field", offence(func(o map[string]any) { item(o, "examples", 0)["facts"].(map[string]any)["mood"] = "bad" })},
		{"unknown field", "unknown field", offence(func(o map[string]any) { o["penalty"] = 3 })},
		{"no date in force, nor said so", "in_force", offence(func(o map[string]any) { o["in_force"] = map[string]any{} })},
		{"in force and unverified", "in_force", offence(func(o map[string]any) { o["in_force"].(map[string]any)["unverified"] = true })},
		{"in force without source", "in_force", offence(func(o map[string]any) { delete(o["in_force"].(map[string]any), "source") })},
		{"no label in English", "one of the languages", offence(func(o map[string]any) { delete(o["label"].(map[string]any), "en") })},
		{"unknown ai", "ai:", offence(func(o map[string]any) { o["ai"] = "maybe" })},
		{"unknown victim", "victim:", offence(func(o map[string]any) { o["victim"] = "anyone" })},
		{"no forms", "no forms", offence(func(o map[string]any) { o["forms"] = []any{} })},
		{"no base penalty", "no base penalty", offence(func(o map[string]any) { item(item(o, "forms", 0), "penalties", 0)["circumstances"] = 1 })},
		{"penalty out of reach", "more circumstances", offence(func(o map[string]any) { item(item(o, "forms", 0), "penalties", 1)["circumstances"] = 2 })},
		{"unknown fact", "is not a fact", leaf(func(c map[string]any) { c["fact"] = "mood" })},
		{"unknown word", "is not a word", leaf(func(c map[string]any) { c["in"] = []any{"young"} })},
		{"no words", "no words", leaf(func(c map[string]any) { delete(c, "in") })},
		{"no sentence", "no sentence", leaf(func(c map[string]any) { delete(c, "because") })},
		{"sentence in French only", "one of the languages", leaf(func(c map[string]any) { delete(c["because"].(map[string]any), "en") })},
		{"value without words", "has no words for", leaf(func(c map[string]any) { c["in"] = []any{"unknown"} })},
		{"two questions at once", "exactly one", leaf(func(c map[string]any) { c["any"] = []any{map[string]any{"fact": "online", "in": []any{"true"}}} })},
		{"twice the same", "there twice", func(p map[string]any) { p["offences"] = append(p["offences"].([]any), p["offences"].([]any)[0]) }},
		{"no offences", "no offences", func(p map[string]any) { p["offences"] = []any{} }},
		{"another version", "says that it is version", func(p map[string]any) { p["version"] = "fr-2026-04-02.2" }},
		{"another country", "country", func(p map[string]any) { p["country"] = "BE" }},
		{"words for an unknown word", "is not a word", func(p map[string]any) {
			p["words"].(map[string]any)["origin"].(map[string]any)["drawn"] = map[string]any{"fr": "x", "en": "x"}
		}},
		{"reason without source", "no source", func(p map[string]any) { delete(item(p, "not_covered", 0), "source") }},
		{"reason whose example is another", "does not meet", func(p map[string]any) {
			item(p, "not_covered", 0)["example"].(map[string]any)["communication"] = "third_party"
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := load(t, tt.edit)
			if err == nil {
				t.Fatal("it loads")
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error is %q, want %q in it", err, tt.want)
			}
		})
	}
	if _, err := Load(fstest.MapFS{}, packName); err == nil {
		t.Error("a missing file loads")
	}
}

// Each offence must fail to load without its source, not just the first.
func TestEachOffenceNeedsItsSource(t *testing.T) {
	for i, o := range France().Offences() {
		err := load(t, func(p map[string]any) { item(p, "offences", i)["source"] = "" })
		if err == nil || !strings.Contains(err.Error(), o.ID) {
			t.Errorf("%s without source: error is %v", o.ID, err)
		}
	}
}

func TestEmbeddedPacks(t *testing.T) {
	names, err := fs.Glob(embedded, "data/fr-*.json")
	if err != nil || len(names) == 0 {
		t.Fatalf("packs: %v, %v", names, err)
	}
	for _, name := range names {
		p, err := Load(embedded, name)
		if err != nil {
			t.Error(err)
			continue
		}
		if again, err := Version(p.Version); err != nil || again.Version != p.Version {
			t.Errorf("Version(%q): %v", p.Version, err)
		}
	}
	for _, v := range []string{"", "help-fr", "../data/fr-2026-04-02.1", "fr-1999-01-01.1"} {
		if _, err := Version(v); err == nil {
			t.Errorf("Version(%q) found a pack", v)
		}
	}
	want := []string{"fr-222-33-2-2", "fr-226-2-1", "fr-226-8", "fr-226-8-1", "fr-227-23", "fr-312-10"}
	if got := len(France().Offences()); got != len(want) {
		t.Errorf("the French pack has %d offences, want %d", got, len(want))
	}
	for _, id := range want {
		if o, ok := France().Offence(id); !ok || o.ID != id {
			t.Errorf("the French pack lacks %s", id)
		}
	}
	if _, ok := France().Offence("fr-222-33-1-2"); ok {
		t.Error("the pack has an article that was struck down")
	}
}

func TestNewestVersion(t *testing.T) {
	for _, tt := range []struct{ older, newer string }{
		{"data/fr-2026-04-02.1.json", "data/fr-2026-04-02.2.json"},
		{"data/fr-2026-04-02.9.json", "data/fr-2026-04-02.10.json"},
		{"data/fr-2026-04-02.10.json", "data/fr-2026-10-01.1.json"},
	} {
		if compareVersions(tt.older, tt.newer) >= 0 {
			t.Errorf("%s is not older than %s", tt.older, tt.newer)
		}
	}
}

// Every fact of the root package can be asked for by its JSON name.
func TestEveryFactHasAWord(t *testing.T) {
	var f rempart.Facts
	f.Fill()
	for name, values := range rempart.FactValues {
		if got := word(f, name); got != values[len(values)-1] {
			t.Errorf("fact %s of empty facts is %q, want %q", name, got, values[len(values)-1])
		}
	}
	for _, name := range flags {
		if got := word(f, name); got != "false" {
			t.Errorf("fact %s of empty facts is %q", name, got)
		}
	}
	f.Online, f.Repetition, f.MultipleAuthors = true, true, true
	for _, name := range flags {
		if got := word(f, name); got != "true" {
			t.Errorf("fact %s is %q, want true", name, got)
		}
	}
}
