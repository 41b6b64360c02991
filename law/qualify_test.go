package law

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rempart"
)

const today = "2026-11-22"

// The pack runs its own examples as it loads; this names each that fails.
func TestWorkedExamples(t *testing.T) {
	p := France()
	for _, o := range p.Offences() {
		for _, ex := range o.Examples {
			t.Run(o.ID+"/"+ex.Name, func(t *testing.T) {
				if err := p.work(o, ex); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// deepfakeOfAnAdult is the case that the whole system was made for.
var deepfakeOfAnAdult = rempart.Facts{
	Sexual: rempart.SexualIntimate, Depicts: rempart.DepictsIdentified, AgeClass: rempart.AgeAdultEstablished,
	Origin: rempart.OriginAIManipulated, DiffusionConsent: rempart.ConsentNo,
	Communication: rempart.CommunicationOnlinePublic, Online: rempart.FlagYes,
}

func ids(r Result) []string {
	var out []string
	for _, q := range r.Qualifications {
		out = append(out, strings.Join(strings.Fields(q.ID+" "+q.Paragraph), " "))
	}
	return out
}

func TestQualify(t *testing.T) {
	with := func(change func(f *rempart.Facts)) rempart.Facts {
		f := deepfakeOfAnAdult
		change(&f)
		return f
	}
	for _, tt := range []struct {
		name  string
		facts rempart.Facts
		want  []string
	}{
		{"deepfake of an adult", deepfakeOfAnAdult, []string{"fr-226-8-1"}},
		{"of a minor: 227-23 first, then the montage", with(func(f *rempart.Facts) { f.AgeClass = rempart.Age15To17; f.Sexual = rempart.SexualPornographic }),
			[]string{"fr-227-23 al. 3", "fr-226-8-1"}},
		{"of a minor, described as intimate", with(func(f *rempart.Facts) { f.AgeClass = rempart.AgeUnder15 }),
			[]string{"fr-227-23 al. 3", "fr-226-8-1"}},
		{"of a minor nobody recognised", with(func(f *rempart.Facts) { f.AgeClass = rempart.Age15To17; f.Depicts = rempart.DepictsUnidentified }),
			[]string{"fr-227-23 al. 3"}},
		{"of a minor, shown to one, with blackmail online: 227-23 stays first",
			with(func(f *rempart.Facts) {
				f.AgeClass = rempart.Age15To17
				f.Communication = rempart.CommunicationThirdParty
				f.Threat = rempart.ThreatMoney
			}), []string{"fr-227-23 al. 2", "fr-312-10 1°", "fr-226-8-1"}},
		{"with blackmail and harassment by several", with(func(f *rempart.Facts) { f.Threat = rempart.ThreatImages; f.MultipleAuthors = rempart.FlagYes }),
			[]string{"fr-312-10 1°, 2°", "fr-226-8-1", "fr-222-33", "fr-222-33-2-2"}},
		{"real recording", with(func(f *rempart.Facts) { f.Origin = rempart.OriginReal; f.CaptureConsent = rempart.ConsentYes }),
			[]string{"fr-226-2-1 al. 2"}},
		{"origin unknown: both readings", with(func(f *rempart.Facts) { f.Origin = "" }), []string{"fr-226-8-1", "fr-226-2-1 al. 2"}},
		{"not sexual", with(func(f *rempart.Facts) { f.Sexual = rempart.SexualNone }), []string{"fr-226-8"}},
		{"not sexual, said to be fake", with(func(f *rempart.Facts) { f.Sexual = ""; f.DisclosedAsFake = rempart.DisclosureStated }), nil},
		{"shown to nobody", with(func(f *rempart.Facts) { f.Communication = "" }), nil},
		{"before the article existed", with(func(f *rempart.Facts) { f.Date = "2024-05-22" }), nil},
		{"threat of violence", rempart.Facts{Threat: rempart.ThreatForce}, []string{"fr-312-1"}},
		{"nothing said", rempart.Facts{}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := France().Qualify(tt.facts, today)
			if diff := cmp.Diff(tt.want, ids(r)); diff != "" {
				t.Errorf("qualifications (-want +got):\n%s", diff)
			}
			if len(tt.want) == 0 && len(r.NotCovered) == 0 {
				t.Error("nothing is proposed and no reason given")
			}
			if r.Pack != "fr-2026-04-02.3" {
				t.Errorf("pack is %q", r.Pack)
			}
		})
	}
}

func TestQualificationIsComplete(t *testing.T) {
	r := France().Qualify(deepfakeOfAnAdult, today)
	if len(r.Qualifications) != 1 || len(r.Open) != 0 {
		t.Fatalf("got %d qualifications, open %v", len(r.Qualifications), r.Open)
	}
	got := r.Qualifications[0]
	because := got.Because
	got.Because = nil
	want := rempart.Qualification{
		ID: "fr-226-8-1", Article: "226-8-1", Code: "Code pénal",
		Label:       rempart.Text{FR: "Hypertrucage ou montage à caractère sexuel montré sans consentement", EN: "Sexual deepfake or montage shown without consent"},
		PrisonYears: 3, FineEUR: 75000, TextDate: "2026-04-02",
		Source:   "Légifrance, Code pénal (LEGITEXT000006070719), art. 226-8-1 (LEGIARTI000049567458)",
		Verified: true, Confidence: rempart.ConfidenceHigh, State: rempart.QualificationProposed,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	wantEN := []string{
		"The content is sexual.",
		"It is a montage or content altered by artificial intelligence.",
		"It reproduces the image or words of a person who can be recognised.",
		"The person did not agree to its being shown.",
		"It was brought to the public, online.",
		"It was published through an online public communication service: the penalty is heavier.",
	}
	var en []string
	for _, b := range because {
		en = append(en, b.EN)
	}
	if diff := cmp.Diff(wantEN, en); diff != "" {
		t.Errorf("because (-want +got):\n%s", diff)
	}
}

// The pornographic character of an image that the person calls intimate is for
// the analyst: the qualification is proposed, and says what is missing.
func TestIntimateImageOfAMinorIsOpen(t *testing.T) {
	f := deepfakeOfAnAdult
	f.AgeClass = rempart.Age15To17
	r := France().Qualify(f, today)
	open := r.Open["fr-227-23"]
	if len(open) != 1 || !strings.Contains(open[0].EN, "pornographic character") {
		t.Errorf("left open: %v", open)
	}
	if because := r.Qualifications[0].Because; len(open) == 1 && !slices.Contains(because, open[0]) {
		t.Errorf("because lacks what is open: %v", because)
	}
	f.Sexual = rempart.SexualPornographic
	if r := France().Qualify(f, today); len(r.Open) != 0 {
		t.Errorf("left open when she says so: %v", r.Open)
	}
}

func TestOlderActsAreNotVerified(t *testing.T) {
	f := deepfakeOfAnAdult
	f.AgeClass, f.Date = rempart.Age15To17, "2019-05-01"
	r := France().Qualify(f, today)
	if len(r.Qualifications) != 1 || r.Qualifications[0].ID != "fr-227-23" || r.Qualifications[0].Verified {
		t.Fatalf("got %+v, want 227-23, not verified", r.Qualifications)
	}
	if len(r.NotCovered) != 1 || !strings.Contains(r.NotCovered[0].EN, "226-8-1 did not exist") {
		t.Errorf("not covered: %v", r.NotCovered)
	}
	f.Date = "the day before yesterday" // no date: today's law
	if r := France().Qualify(f, today); len(r.Qualifications) != 2 || !r.Qualifications[0].Verified {
		t.Errorf("with an unreadable date: %v", ids(r))
	}
}

// drawFacts draws any facts that the vocabulary allows, empty ones included.
func drawFacts(t *rapid.T) rempart.Facts {
	var f rempart.Facts
	for _, name := range slices.Sorted(maps.Keys(rempart.FactValues)) { // rapid replays draws in order
		f.Say(name, rapid.SampledFrom(append([]string{""}, rempart.FactValues[name]...)).Draw(t, name))
	}
	f.Date = rapid.SampledFrom([]string{"", "2019-05-01", "2024-05-22", "2024-05-23", "2026-11-21"}).Draw(t, "date")
	if err := f.Check(); err != nil {
		t.Fatal(err)
	}
	return f
}

func find(r Result, id string) (rempart.Qualification, bool) {
	i := slices.IndexFunc(r.Qualifications, func(q rempart.Qualification) bool { return q.ID == id })
	if i < 0 {
		return rempart.Qualification{}, false
	}
	return r.Qualifications[i], true
}

// Saying that sexual content is fake excuses nothing, and changes nothing.
func TestLabelIsNoDefence(t *testing.T) {
	seen := 0
	rapid.Check(t, func(t *rapid.T) {
		f := drawFacts(t)
		f.Sexual = rapid.SampledFrom([]rempart.Sexual{rempart.SexualIntimate, rempart.SexualPornographic}).Draw(t, "sexual content")
		f.DisclosedAsFake = ""
		want := France().Qualify(f, today)
		if _, ok := find(want, "fr-226-8-1"); ok {
			seen++
		}
		for _, v := range rempart.FactValues["disclosed_as_fake"] {
			f.DisclosedAsFake = rempart.Disclosure(v)
			if got := France().Qualify(f, today); !cmp.Equal(want, got) {
				t.Fatalf("disclosed %s changes the result:\n%s", v, cmp.Diff(want, got))
			}
		}
	})
	if seen == 0 {
		t.Error("no draw had 226-8-1")
	}
}

// Creating, and showing to nobody, is neither 226-8-1 nor 226-8; of an adult it
// is said to be not covered.
func TestShownToNobodyIsNotCovered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawFacts(t)
		f.Communication = rempart.CommunicationNone
		r := France().Qualify(f, today)
		for _, id := range []string{"fr-226-8-1", "fr-226-8"} {
			if _, ok := find(r, id); ok {
				t.Fatalf("%s is proposed for content shown to nobody", id)
			}
		}
		adult := f.AgeClass == rempart.AgeAdultApparent || f.AgeClass == rempart.AgeAdultEstablished
		said := slices.ContainsFunc(r.NotCovered, func(n rempart.Text) bool { return strings.Contains(n.EN, "merely creating such content of an adult") })
		if want := adult && f.Sexualised() && f.Made(); want && !said || f.Minor() && said {
			t.Fatalf("said to be not covered: %t, of an adult: %t", said, want)
		}
	})
}

// What nobody has said and the word for it are the same.
func TestUnknownIsUnsaid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawFacts(t)
		g := f
		g.Fill()
		if a, b := France().Qualify(f, today), France().Qualify(g, today); !cmp.Equal(a, b) {
			t.Fatal(cmp.Diff(a, b))
		}
	})
}

// expressions returns every expression that an offence must meet.
func expressions(elements []Element) []Expr {
	var out []Expr
	for _, e := range elements {
		if e.Or == nil {
			out = append(out, e.If)
		}
		out = append(out, expressions(e.Or)...)
	}
	return out
}

// A fact more never takes an offence away, unless the rule itself asks about that
// fact and the answer is no.
func TestMoreFactsTakeNothingAway(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawFacts(t)
		name := rapid.SampledFrom(slices.Sorted(maps.Keys(rempart.FactValues))).Draw(t, "fact")
		f.Say(name, "")
		if _, silent := takenAway(f, name, rapid.SampledFrom(rempart.FactValues[name]).Draw(t, "word")); len(silent) > 0 {
			t.Fatalf("%s takes %v away, and no rule says so", name, silent)
		}
	})
	f := deepfakeOfAnAdult
	f.Origin = ""
	if said, silent := takenAway(f, "origin", "real_capture"); len(said) != 1 || len(silent) != 0 {
		t.Errorf("a real recording takes away %v as the rule says, %v as none does", said, silent)
	}
}

// takenAway says one fact more, and returns the offences that are then no longer
// proposed: those whose rule asks about it and hears no, and the others.
func takenAway(f rempart.Facts, name, word string) (said, silent []string) {
	before := France().Qualify(f, today)
	f.Say(name, word)
	after := France().Qualify(f, today)
	v := see(f, dayOf(f, today), false)
	// A relation can tell that the person is a minor, and who it was brought to that
	// the acts are online.
	about := map[string][]string{"author_relation": {"author_relation", "age_class"}, "communication": {"communication", "online"}}[name]
	if about == nil {
		about = []string{name}
	}
	answers := func(elements []Element, want truth) bool {
		return slices.ContainsFunc(expressions(elements), func(e Expr) bool {
			is, _ := v.ask(e)
			return is == want && slices.ContainsFunc(about, func(n string) bool { return slices.Contains(e.facts, n) })
		})
	}
	for _, q := range before.Qualifications {
		if _, ok := find(after, q.ID); ok {
			continue
		}
		o, _ := France().Offence(q.ID)
		asked := o.When
		for _, form := range o.Forms {
			asked = slices.Concat(asked, form.When)
		}
		if answers(asked, no) || answers(o.Unless, yes) {
			said = append(said, q.ID)
		} else {
			silent = append(silent, q.ID)
		}
	}
	return said, silent
}

func TestEveryResult(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawFacts(t)
		r := France().Qualify(f, today)
		if again := France().Qualify(f, today); !cmp.Equal(r, again) {
			t.Fatalf("not deterministic:\n%s", cmp.Diff(r, again))
		}
		if len(r.Qualifications) == 0 && len(r.NotCovered) == 0 {
			t.Fatal("neither a qualification nor a reason")
		}
		if f.Minor() && f.Sexualised() && (len(r.Qualifications) == 0 || r.Qualifications[0].ID != "fr-227-23") {
			t.Fatalf("a minor's sexual case yields %v, not 227-23 first", ids(r))
		}
		if _, ok := find(r, "fr-227-23"); ok && !(f.Minor() && f.Sexualised()) {
			t.Fatal("227-23 is proposed without a minor or without sexual content")
		}
		for i, q := range r.Qualifications {
			o, ok := France().Offence(q.ID)
			if !ok {
				t.Fatalf("%s is not in the pack", q.ID)
			}
			if q.ComplaintRequired != slices.Contains([]string{"fr-226-1", "fr-226-2", "fr-226-2-1"}, q.ID) {
				t.Fatalf("%s: complaint required is %t", q.ID, q.ComplaintRequired)
			}
			if q.Verified && (!o.Verified || q.Source == "" || f.Date != "" && f.Date < o.InForce.From) {
				t.Fatalf("%s is verified and should not be", q.ID)
			}
			if q.State != rempart.QualificationProposed || q.TextDate == "" || q.PrisonYears <= 0 || q.FineEUR < 1 && q.Paragraph != "art. 312-6" || q.Confidence == "" {
				t.Fatalf("%s is incomplete: %+v", q.ID, q)
			}
			if len(q.Because) == 0 {
				t.Fatalf("%s: no reason", q.ID)
			}
			for _, b := range slices.Concat(q.Because, r.NotCovered) {
				if err := checkText(b); err != nil || strings.ContainsAny(b.FR+b.EN, "{}") {
					t.Fatalf("%s: sentence %q: %v", q.ID, b, err)
				}
			}
			if i > 0 && r.Qualifications[i-1].PrisonYears < q.PrisonYears && r.Qualifications[i-1].ID != "fr-227-23" {
				t.Fatalf("out of order: %v", ids(r))
			}
		}
		for id := range r.Open {
			if _, ok := find(r, id); !ok {
				t.Fatalf("open elements of %s, which is not proposed", id)
			}
		}
	})
}

// TestSexualIsAsked asks whether content is sexual where nothing else is open, for
// every article that hangs on it.
func TestSexualIsAsked(t *testing.T) {
	deepfake := rempart.Facts{Depicts: rempart.DepictsIdentified, AgeClass: rempart.AgeAdultEstablished, Origin: rempart.OriginAIGenerated,
		DiffusionConsent: rempart.ConsentNo, DisclosedAsFake: rempart.DisclosureNo, Communication: rempart.CommunicationOnlinePublic}
	real, minor := deepfake, deepfake
	real.Origin = rempart.OriginReal
	minor.AgeClass = rempart.Age15To17
	for name, tt := range map[string]struct {
		facts rempart.Facts
		want  []string
	}{
		"a deepfake":            {deepfake, []string{"226-8-1", "226-8"}},
		"a recording":           {real, []string{"226-2-1"}},
		"a deepfake of a minor": {minor, []string{"227-23", "226-8-1", "226-8"}},
	} {
		r := France().Qualify(tt.facts, "2026-11-22")
		if len(r.Missing) != 1 || r.Missing[0].Fact != "sexual" || !slices.Equal(r.Missing[0].Decides, tt.want) || len(r.Qualifications) != 0 {
			t.Errorf("%s: asks %+v, proposes %v; want what would decide %v", name, r.Missing, ids(r), tt.want)
		}
	}
}
