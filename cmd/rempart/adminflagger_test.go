package main

import (
	"strings"
	"testing"
)

// TestReadFlaggers: a whole list or none; what is wrong is named with its line.
func TestReadFlaggers(t *testing.T) {
	head := "id,name,country,expertise,categories,status,from,until,source,source_date\n"
	good := `fr-1,"Association fictive, Paris",FR,images intimes,3 4 9b,active,2026-01-01,,https://liste.exemple.test,2026-11-01` + "\n"
	list, err := readFlaggers(strings.NewReader("\ufeff" + head + good))
	if err != nil || len(list) != 1 || list[0].Name != "Association fictive, Paris" || len(list[0].Categories) != 3 {
		t.Fatalf("%+v, %v", list, err)
	}
	for what, c := range map[string]struct{ file, want string }{
		"a column":     {strings.Replace(head, "source,", "", 1) + good, "no column source"},
		"a status":     {head + good + strings.Replace(strings.Replace(good, "fr-1", "fr-2", 1), "active", "trusted", 1), "line 3"},
		"a day":        {head + strings.Replace(good, "2026-01-01", "01/01/2026", 1), "line 2"},
		"twice":        {head + good + good, "line 3"},
		"fewer fields": {head + "fr-1,x\n", "line 2"},
		"nothing":      {head, "no entry"},
		"empty":        {"", "line 1"},
	} {
		if list, err := readFlaggers(strings.NewReader(c.file)); err == nil || !strings.Contains(err.Error(), c.want) || list != nil {
			t.Errorf("%s: %v, %v, want an error with %q", what, list, err, c.want)
		}
	}
}

func TestGoodSecret(t *testing.T) {
	if err := goodSecret(newSecret()); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"", "secret", "whsec_", "whsec_c2hvcnQ=", "whsec_!!!!"} {
		if goodSecret(bad) == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
