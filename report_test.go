package rempart

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestReportNormal(t *testing.T) {
	r, err := Report{
		Words: "  bonjour ", Addresses: []string{" exemple.test/a ", "https://EXEMPLE.test/a", "", "http://[2001:db8::1]/x"},
		Media: []Medium{{Fingerprints: []Fingerprint{{Type: PDQ, Value: strings.ToUpper(hashA), Quality: 80}}}, {Fingerprints: []Fingerprint{{Type: PDQ, Value: hashA, Quality: 80}}}, {}},
	}.Normal(t0.Add(17 * time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"https://exemple.test/a", "http://[2001:db8::1]/x"}; !slices.Equal(r.Addresses, want) {
		t.Errorf("addresses %q, want %q", r.Addresses, want)
	}
	if len(r.Media) != 1 || r.Media[0].Fingerprints[0].Value != hashA || r.Words != "bonjour" || r.Lang != "fr" {
		t.Errorf("%+v", r)
	}
	if !r.At.Equal(t0.Truncate(time.Hour)) {
		t.Errorf("the minute is kept: %v", r.At)
	}
	if r.Depicted != DepictedUnknown || r.Age != AgeSaidUnknown || r.Threat != ThreatNone || r.Seen != SeenUnknown {
		t.Errorf("empty answers became %+v", r)
	}
}

// Every fault is named, at once.
func TestReportProblems(t *testing.T) {
	many := make([]string, MaxAddresses+1)
	for i := range many {
		many[i] = fmt.Sprintf("https://exemple.test/%d", i)
	}
	_, err := Report{
		Age: "12", Words: strings.Repeat("é", MaxWords+1), Addresses: append(many, "data:image/png;base64,AAAA", "javascript:alert(1)", "pas une adresse", "https://user@exemple.test/"),
		Media: []Medium{{Fingerprints: []Fingerprint{{Type: PDQ, Value: "zz", Quality: 80}}}, {Fingerprints: []Fingerprint{{Type: "phash", Value: hashA, Quality: 80}}}, {Fingerprints: []Fingerprint{{Type: PDQ, Value: hashA, Quality: 101}}},
			{Fingerprints: slices.Repeat([]Fingerprint{{Type: PDQ, Value: hashA, Quality: 90}}, MaxFingerprints+1)}},
	}.Normal(t0)
	var p Problems
	if !errors.As(err, &p) {
		t.Fatalf("%v", err)
	}
	count := map[string]int{}
	for _, e := range p {
		count[e.Code]++
		if strings.Contains(e.Public, strings.Repeat("é", 100)) {
			t.Error("a problem repeats the person's words")
		}
	}
	want := map[string]int{"report.choice": 1, "report.words": 1, "report.address": 4, "report.addresses": 1, "report.fingerprint": 3, "report.fingerprints": 1}
	for code, n := range want {
		if count[code] != n {
			t.Errorf("%s: %d problems, want %d (%v)", code, count[code], n, count)
		}
	}
	if _, err := (Report{}).Normal(t0); codeOf(err) != "report.nothing" {
		t.Errorf("an empty report: %v", err)
	}
}

func TestReportFacts(t *testing.T) {
	for _, c := range []struct {
		name string
		r    Report
		want func(Facts) bool
	}{
		{"an adult who reports for herself", Report{Depicted: DepictedSelf, Age: AgeSaidAdult, Made: MadeFakeSexual, Seen: SeenPublic},
			func(f Facts) bool {
				return f.AgeClass == AgeAdultEstablished && f.DiffusionConsent == ConsentNo && f.Communication == CommunicationOnlinePublic && f.Online.Yes() && f.Sexual == SexualIntimate
			}},
		{"a witness", Report{Depicted: DepictedOther, Age: AgeSaidAdult, Made: MadeRealSexual, Seen: SeenPrivate},
			func(f Facts) bool {
				return f.AgeClass == AgeAdultApparent && f.DiffusionConsent == ConsentUnknown && f.Communication == CommunicationThirdParty
			}},
		{"an address without an answer to where", Report{Addresses: []string{"https://exemple.test/"}}, func(f Facts) bool { return f.Communication == CommunicationOnlinePublic }},
		{"words alone", Report{Words: "x"}, func(f Facts) bool {
			return f.Communication == "" && f.Sexual == "" && f.Online == "" && f.Repetition == "" && f.AgeClass == AgeUnknown
		}},
		{"a threat only", Report{Seen: SeenNowhere, Threat: ThreatMoney}, func(f Facts) bool { return f.Online.Yes() && f.Communication == CommunicationNone }},
	} {
		r, err := func() (Report, error) { c.r.Words += "x"; return c.r.Normal(t0) }()
		if err != nil {
			t.Fatal(err)
		}
		f := r.Facts()
		if err := f.Check(); err != nil || !c.want(f) {
			t.Errorf("%s: %+v, %v", c.name, f, err)
		}
	}
}

// An age that is not known goes to the stricter list.
func TestListFor(t *testing.T) {
	for age, want := range map[AgeClass]string{AgeUnder15: "ncii-minor", Age15To17: "ncii-minor", AgeAppearsMinor: "ncii-minor", AgeUnknown: "ncii-minor", "": "ncii-minor",
		AgeAdultApparent: "ncii-adult", AgeAdultEstablished: "ncii-adult"} {
		if got := ListFor(Facts{AgeClass: age}).ID; got != want {
			t.Errorf("%q: %s, want %s", age, got, want)
		}
	}
}

func TestFactsCheck(t *testing.T) {
	var f Facts
	f.Fill()
	if err := f.Check(); err != nil {
		t.Errorf("filled facts: %v", err)
	}
	for name, p := range f.words() {
		old := *p
		*p = "blah"
		var e *Error
		if err := f.Check(); !errors.As(err, &e) || e.Field != name || !strings.Contains(e.Public, "blah") {
			t.Errorf("%s: %v", name, err)
		}
		*p = old
	}
}

func FuzzCleanAddress(f *testing.F) {
	for _, s := range []string{"https://exemple.test/a?b#c", "exemple.test", "data:text/html,x", "http://[::1]/", "//x.y", "https://a.b@c.d/", "jAvAsCrIpT:1", "\xe3." + strings.Repeat("\xe3", 600), "https://exemple.test/" + strings.Repeat("é", 900)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := CleanAddress(s)
		if err != nil {
			return
		}
		if !strings.HasPrefix(a, "https://") && !strings.HasPrefix(a, "http://") {
			t.Errorf("%q gives %q", s, a)
		}
		again, err := CleanAddress(a)
		if err != nil || again != a {
			t.Errorf("%q gives %q, which gives %q, %v", s, a, again, err)
		}
	})
}

// An address shown to staff reads as it is.
func TestCleanAddressDirection(t *testing.T) {
	a, err := CleanAddress("https://exemple.test/a?b=\u202egpj.\u2066x é#\u202e")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range a {
		if r < ' ' || r > '~' {
			t.Errorf("%q holds %U", a, r)
		}
	}
}

func TestServes(t *testing.T) {
	s := Service{Hosts: []string{"exemple.test"}}
	for a, want := range map[string]bool{"https://exemple.test/x": true, "https://www.exemple.test:8443/": true, "https://fauxexemple.test/": false, "https://exemple.test.autre.test/": false, "%": false} {
		if s.Serves(a) != want {
			t.Errorf("%s: %v", a, !want)
		}
	}
}
