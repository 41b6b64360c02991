package exchange_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rempart"
	"rempart/exchange"
)

var bookDay = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func book() []rempart.Service {
	return []rempart.Service{
		{ID: "galerie", Name: "Galerie Exemple", Kind: rempart.ServicePlatform, Hosts: []string{"galerie.exemple.test", "img.exemple.test"}, PeerID: "galerie", Lang: "fr", Provenance: "page de contact, lue le 20 novembre", CheckedAt: "2026-11-20",
			Profile: rempart.Profile{Entity: "Galerie Exemple SAS", Price: "gratuit"},
			Contact: rempart.Contact{Country: "FR", Coordinator: "Arcom", Authorities: "autorites@galerie.exemple.test", Users: "https://galerie.exemple.test/aide",
				Channels: []rempart.Channel{{Kind: rempart.ChannelAPI}, {Kind: rempart.ChannelEmail, To: "notice@galerie.exemple.test"}, {Kind: rempart.ChannelForm, To: "https://galerie.exemple.test/signaler?a=1,2"}},
				Langs:    []string{"fr", "en"}, Expected: rempart.Span{N: 3, Unit: rempart.BusinessDays}, Caveats: `dit "oui", puis tarde`}},
		{ID: "formule", Name: "=HYPERLINK(1)", Kind: rempart.ServiceHost, Hosts: []string{"f.exemple.test"}, Lang: "en", Small: true, Provenance: "-1+1", CheckedAt: "2026-01-01",
			Contact: rempart.Contact{Coordinator: "@x", Authorities: "'=1", Users: "''", Caveats: "'s; =HYPERLINK(1);'+2;a;=3"}},
	}
}

// TestContactsRoundTrip writes a contact book and reads it: the same, and no cell
// that a spreadsheet would compute. What the file has no column for stays.
func TestContactsRoundTrip(t *testing.T) {
	var b bytes.Buffer
	if err := exchange.WriteContacts(&b, book()); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(b.Bytes())).ReadAll()
	if err != nil || len(rows) != 3 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for _, row := range rows {
		for _, cell := range row {
			for _, x := range strings.Split(cell, ";") { // as a spreadsheet in French may part them
				if x = strings.TrimSpace(x); x != "" && strings.ContainsRune("=+-@", rune(x[0])) {
					t.Errorf("a spreadsheet would compute %q", cell)
				}
			}
		}
	}
	known := map[string]rempart.Service{"galerie": book()[0]}
	got, faults := exchange.ReadContacts(&b, known, map[string]bool{"galerie": true}, bookDay)
	if len(faults) > 0 {
		t.Fatalf("%+v", faults)
	}
	if diff := cmp.Diff(book(), got); diff != "" {
		t.Error(diff)
	}
}

// FuzzContactCells: whatever one-line text is written comes back.
func FuzzContactCells(f *testing.F) {
	for _, s := range []string{"=1", "'=1", "''", "'", "a,b;c", `"`, "-", "\u00a0x", "a;=1", "a; '=1;;'"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "")), " ")
		s := book()[1]
		s.Contact.Caveats = text
		if s.CheckContact(bookDay) != nil {
			return
		}
		var b bytes.Buffer
		if err := exchange.WriteContacts(&b, []rempart.Service{s}); err != nil {
			t.Fatal(err)
		}
		got, faults := exchange.ReadContacts(&b, nil, nil, bookDay)
		if len(faults) > 0 || len(got) != 1 || got[0].Contact.Caveats != text {
			t.Errorf("%q became %+v, %+v", text, got, faults)
		}
	})
}

// TestContactsBadRows names each bad cell with its row, and takes nothing.
func TestContactsBadRows(t *testing.T) {
	head := "id,name,hosts,language,provenance,checked_at,country,channels,peer,expected,small\n"
	good := "a,A,a.exemple.test,fr,lu,2026-11-01,FR,form:https://a.exemple.test/s,,3bd,no\n"
	for _, x := range []struct {
		name, file string
		want       []string // row and column
	}{
		{"good", head + good, nil},
		{"semicolons and a mark", "\ufeff" + strings.ReplaceAll(strings.ReplaceAll(head+good, ";", "|"), ",", ";"), nil},
		{"several", head + good + "B!,,x,de,,demain,fr,fax:1,nobody,bientôt,oui\n",
			[]string{"3 channels", "3 checked_at", "3 country", "3 expected", "3 hosts", "3 id", "3 language", "3 name", "3 peer", "3 provenance", "3 small"}},
		{"twice", head + good + good, []string{"3 id"}},
		{"short row", head + "a,A\n" + good, []string{"2 "}},
		{"quote", head + "a,\"A\n", []string{"2 "}},
		{"unknown column", "id,name,hosts,language,provenance,checked_at,colour\n", []string{"1 colour"}},
		{"missing column", "id,name\na,A\n", []string{"1 checked_at", "1 hosts", "1 language", "1 provenance"}},
		{"nothing", head, []string{"0 "}},
		{"empty", "", []string{"0 "}},
		{"not UTF-8", head + "a,\xff\n", []string{"0 "}},
		{"too large", head + strings.Repeat("x", exchange.MaxContacts), []string{"0 "}},
		{"api without a peer", head + "a,A,a.exemple.test,fr,lu,2026-11-01,FR,api,,3bd,no\n", []string{"2 peer"}},
	} {
		got, faults := exchange.ReadContacts(strings.NewReader(x.file), nil, nil, bookDay)
		seen := map[string]bool{}
		for _, f := range faults {
			seen[fmt.Sprint(f.Row, " ", f.Column)] = true
			if f.Err == nil || f.Err.Public == "" || f.Err.Code == "" {
				t.Errorf("%s: a fault without a sentence: %+v", x.name, f)
			}
		}
		for _, w := range x.want {
			if !seen[w] {
				t.Errorf("%s: %q is not named; named are %v", x.name, w, seen)
			}
		}
		if len(seen) != len(x.want) || (len(got) > 0) == (len(x.want) > 0) {
			t.Errorf("%s: %d services, faults %v, want %v", x.name, len(got), seen, x.want)
		}
	}
}

// TestContactsAnything reads files that somebody has scribbled on: never a panic,
// and never both services and faults.
func TestContactsAnything(t *testing.T) {
	var b bytes.Buffer
	if err := exchange.WriteContacts(&b, book()); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		x := bytes.Clone(b.Bytes())
		for range 1 + r.IntN(4) {
			x[r.IntN(len(x))] = byte(r.IntN(256))
		}
		got, faults := exchange.ReadContacts(bytes.NewReader(x), nil, map[string]bool{"galerie": true}, bookDay)
		if (len(got) > 0) == (len(faults) > 0) {
			t.Fatalf("%d services and %d faults of %q", len(got), len(faults), x)
		}
	}
}
