package law

import (
	"encoding/json"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

const packName = "fr-2026-04-02.3.json"

// load loads the French pack after edit changed its JSON.
func load(t *testing.T, edit func(pack map[string]any)) error {
	t.Helper()
	b, err := fs.ReadFile(embedded, "data/fr/"+packName)
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
		return offence(func(o map[string]any) { edit(item(o, "when", 1)) })
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
		{"negative examples only", "no example", offence(func(o map[string]any) { o["examples"] = o["examples"].([]any)[13:] })},
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
		{"unknown fact", "undeclared reference to 'mood'", leaf(func(c map[string]any) { c["if"] = "mood == 'bad'" })},
		{"unknown word", "is not a word of sexual", leaf(func(c map[string]any) { c["if"] = "sexual in ['very']" })},
		{"unknown word of an equality", "is not a word of sexual", leaf(func(c map[string]any) { c["if"] = "sexual == 'very'" })},
		{"the word for what nobody said", "is not a word of origin", leaf(func(c map[string]any) { c["if"] = "origin == 'unknown'" })},
		{"a number", "no matching overload", leaf(func(c map[string]any) { c["if"] = "sexual == 3" })},
		{"no question", "no question", leaf(func(c map[string]any) { c["if"] = "sexual" })},
		{"no CEL", "Syntax error", leaf(func(c map[string]any) { c["if"] = "sexual in [" })},
		{"a function", "is not used in rules", leaf(func(c map[string]any) { c["if"] = "sexual.startsWith('p')" })},
		{"words without a fact", "is not compared with a fact", leaf(func(c map[string]any) { c["if"] = "'a' == 'b'" })},
		{"two facts with each other", "is not compared with its words", leaf(func(c map[string]any) { c["if"] = "capture_consent == diffusion_consent" })},
		{"neither if nor or", "an if or an or", leaf(func(c map[string]any) { delete(c, "if") })},
		{"no sentence", "no sentence", leaf(func(c map[string]any) { delete(c, "because") })},
		{"sentence in French only", "one of the languages", leaf(func(c map[string]any) { delete(c["because"].(map[string]any), "en") })},
		{"value without words", "has no words for", leaf(func(c map[string]any) { c["if"] = "sexual in ['none', 'intimate']" })},
		{"if and or at once", "and not both", leaf(func(c map[string]any) { c["or"] = []any{map[string]any{"if": "online"}} })},
		{"nothing asked", "nothing is asked", offence(func(o map[string]any) { o["when"] = []any{} })},
		{"by hand and by facts", "not both", offence(func(o map[string]any) { o["by_hand"] = map[string]any{"fr": "x", "en": "x"} })},
		{"asks when of no fact", "ask_when", offence(func(o map[string]any) { o["ask_when"] = []any{map[string]any{"if": "mood == 'good'"}} })},
		{"unknown procedure", "procedure", offence(func(o map[string]any) { o["procedure"] = []any{"prison"} })},
		{"question of no fact", "is not a fact", func(p map[string]any) { item(p, "questions", 0)["fact"] = "mood" }},
		{"question twice", "there twice", func(p map[string]any) { item(p, "questions", 0)["fact"] = "age_class" }},
		{"information without source", "no source", func(p map[string]any) { delete(item(p, "information", 0), "source") }},
		{"information without example", "no example", func(p map[string]any) { delete(item(p, "information", 0), "examples") }},
		{"information in force too early", "applies is", func(p map[string]any) { item(p, "information", 0)["from"] = "2027-01-01" }},
		{"clock without source", "no source", func(p map[string]any) { delete(item(p, "clocks", 0), "source") }},
		{"clock whose example is late", "due at", func(p map[string]any) { item(p, "clocks", 0)["within"] = "25h" }},
		{"twice the same", "there twice", func(p map[string]any) { p["offences"] = append(p["offences"].([]any), p["offences"].([]any)[0]) }},
		{"no rules", "no rules", func(p map[string]any) {
			for _, list := range []string{"offences", "not_covered", "questions", "information", "clocks"} {
				delete(p, list)
			}
		}},
		{"another version", "says that it is version", func(p map[string]any) { p["version"] = "fr-2026-04-02.4" }},
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
	names, err := fs.Glob(embedded, "data/*/*.json")
	if err != nil || len(names) < 5 {
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
	for _, v := range []string{"", "help-fr", "../data/fr/fr-2026-04-02.1", "fr-1999-01-01.1"} {
		if _, err := Version(v); err == nil {
			t.Errorf("Version(%q) found a pack", v)
		}
	}
	// Every row of the table of offences, law.md 1.1; 132-77 has no penalty of its
	// own and is information.
	want := []string{
		"fr-226-8", "fr-226-8-1", "fr-226-1", "fr-226-2", "fr-226-2-1", "fr-227-23", "fr-227-23-1", "fr-227-24", "fr-227-22", "fr-227-22-1", "fr-227-22-2",
		"fr-227-28-3", "fr-312-1", "fr-312-10", "fr-222-33-2-2", "fr-222-33-2-3", "fr-222-33", "fr-222-33-1-1", "fr-222-16", "fr-223-1-1", "fr-226-4-1", "fr-323-3-2",
	}
	if got := len(France().Offences()); got != len(want) {
		t.Errorf("the French pack has %d offences, want %d", got, len(want))
	}
	for _, id := range want {
		if o, ok := France().Offence(id); !ok || o.ID != id {
			t.Errorf("the French pack lacks %s", id)
		}
	}
	if France().Version != strings.TrimSuffix(packName, ".json") {
		t.Errorf("the newest French pack is %s", France().Version)
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
