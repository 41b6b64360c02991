package e2e

import (
	"encoding/json"
	"fmt"
	"html"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// catalogues are the sentences of the pages, by language and key.
var catalogues = sync.OnceValues(func() (map[string]map[string]string, error) {
	all := map[string]map[string]string{}
	for _, lang := range []string{"fr", "en"} {
		names, err := filepath.Glob(filepath.Join(root, "web/i18n/*."+lang+".json"))
		if err != nil || len(names) == 0 {
			return nil, fmt.Errorf("catalogues of %s: %d files, %v", lang, len(names), err)
		}
		all[lang] = map[string]string{}
		for _, name := range names {
			b, err := os.ReadFile(name)
			if err != nil {
				return nil, err
			}
			var m map[string]string
			if err := json.Unmarshal(b, &m); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			maps.Copy(all[lang], m)
		}
	}
	return all, nil
})

// say returns the sentence of a key, with its verbs filled.
func say(t testing.TB, lang, key string, args ...any) string {
	t.Helper()
	all, err := catalogues()
	if err != nil {
		t.Fatal(err)
	}
	s, ok := all[lang][key]
	if !ok {
		t.Fatalf("no sentence %q in %s", key, lang)
	}
	if len(args) > 0 {
		s = fmt.Sprintf(s, args...)
	}
	return s
}

// words returns text with every space of any kind as one plain space, so that
// what is shown and what is written can be compared.
func words(text string) string { return strings.Join(strings.Fields(html.UnescapeString(text)), " ") }

// mustSay fails if page, a text or HTML, does not say the sentence.
func mustSay(t testing.TB, page, sentence string) {
	t.Helper()
	if !strings.Contains(words(page), words(sentence)) {
		t.Errorf("the page does not say %q; it says:\n%s", sentence, words(page))
	}
}
