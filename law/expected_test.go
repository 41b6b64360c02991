package law

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rempart"
)

// TestExpected is a table written from the words of the code, article by article,
// before the pack was run: facts, then every offence with its penalty, the facts
// asked for, and a word of each reason why something is not covered. Which facts
// are worth asking for is our choice, not the law's.
func TestExpected(t *testing.T) {
	for _, tt := range []struct {
		name, facts string
		want        []string // "article paragraph years/fine"
		missing     []string
		reasons     []string
	}{
		// 226-8-1: sexual montage or AI content, brought to others without consent.
		{"adult, sexual deepfake, published", adult + ai + public, []string{"226-8-1 3/75000"}, nil, nil},
		{"said to be fake: nothing changes", adult + ai + public + `,"disclosed_as_fake":"stated"`, []string{"226-8-1 3/75000"}, nil, nil},
		{"obviously fake: nothing changes", adult + ai + public + `,"disclosed_as_fake":"obvious"`, []string{"226-8-1 3/75000"}, nil, nil},
		{"sent to one person", adult + ai + private, []string{"226-8-1 2/60000"}, nil, nil},
		{"sent to one person by a network: not published", adult + ai + private + `,"online":true`, []string{"226-8-1 2/60000"}, nil, nil},
		{"montage without AI", adult + montage + public, []string{"226-8-1 3/75000"}, nil, nil},
		{"agreed to the recording, not to its being shown", adult + ai + public + `,"capture_consent":"yes"`, []string{"226-8-1 3/75000"}, nil, nil},
		{"pornographic", strings.Replace(adult, "intimate", "pornographic", 1) + ai + public, []string{"226-8-1 3/75000"}, nil, nil},
		{"created, shown to nobody", adult + ai + nobody, nil, nil, []string{"226-8-1", "2024/1689"}},
		{"an adult from the looks, shown to nobody", strings.Replace(adult, "established", "apparent", 1) + ai + nobody, nil, nil, []string{"226-8-1", "2024/1689"}},
		{"nobody knows whether it was shown", adult + ai, nil, []string{"communication"}, []string{"No article"}},
		{"agreed", strings.Replace(adult, `"diffusion_consent":"no"`, `"diffusion_consent":"yes"`, 1) + ai + public, nil, nil, []string{"agreed"}},
		{"nobody real", strings.Replace(adult, `"identified"`, `"synthetic"`, 1) + ai + public, nil, nil, []string{"nobody real"}},
		{"the day before its creation", adult + ai + public + `,"date":"2024-05-22"`, nil, nil, []string{"did not exist"}},
		{"the day of its creation", adult + ai + public + `,"date":"2024-05-23"`, []string{"226-8-1 3/75000"}, nil, nil},
		{"the origin would decide", adult + public, []string{"226-8-1 3/75000", "226-2-1 al. 2 2/60000 complaint"}, []string{"origin", "capture_consent"}, nil},

		// 226-8: not sexual.
		{"not sexual, published", plain + `,"disclosed_as_fake":"no"` + ai + public, []string{"226-8 2/45000"}, nil, nil},
		{"not sexual, sent to one", plain + `,"disclosed_as_fake":"no"` + montage + private, []string{"226-8 1/15000"}, nil, nil},
		{"not sexual, said to be fake", plain + `,"disclosed_as_fake":"stated"` + ai + public, nil, nil, []string{"226-8 does not apply"}},
		{"not sexual, obviously fake", plain + `,"disclosed_as_fake":"obvious"` + ai + public, nil, nil, []string{"226-8 does not apply"}},
		{"not sexual, not said whether it is said to be fake", plain + ai + public, []string{"226-8 2/45000"}, []string{"disclosed_as_fake"}, nil},
		{"not sexual, shown to nobody", plain + ai + nobody, nil, nil, []string{"226-8"}},
		{"not sexual, generated, before the law", plain + `,"disclosed_as_fake":"no"` + ai + public + `,"date":"2023-01-01"`, nil, nil, []string{"not yet in force"}},
		{"not sexual, montage, before the wording read", plain + `,"disclosed_as_fake":"no"` + montage + private + `,"date":"2023-01-01"`, []string{"226-8 1/15000 unverified"}, nil, nil},

		// 226-1 to 226-2-1: real recordings; only these need a complaint.
		{"real, shown without agreement", adult + real + `,"capture_consent":"yes"` + public, []string{"226-2-1 al. 2 2/60000 complaint"}, nil, nil},
		{"real, private exchange shown on", adult + real + `,"capture_consent":"yes"` + private, []string{"226-2-1 al. 2 2/60000 complaint"}, nil, nil},
		{"real, recorded without agreement", adult + real + `,"capture_consent":"no"` + nobody, []string{"226-2-1 al. 1 2/60000 complaint"}, nil, nil},
		{"real, agreed, shown to nobody", adult + real + `,"capture_consent":"yes"` + nobody, nil, nil, []string{"226-2-1"}},
		{"real, not sexual, recorded without agreement", plain + real + `,"capture_consent":"no","author_relation":"same_school"` + nobody, []string{"226-1 1/45000 complaint"}, []string{"repetition", "multiple_authors"}, nil},
		{"the same by a partner, shown", plain + real + `,"capture_consent":"no","author_relation":"partner"` + private, []string{"226-1 2/60000 complaint", "226-2 2/60000 complaint"}, nil, nil},
		{"of a minor, real: both", minor + real + `,"capture_consent":"yes"` + private, []string{"227-23 al. 2 5/75000", "226-2-1 al. 2 2/60000 complaint"}, nil, nil},

		// 227-23: minors, real or represented.
		{"minor, published", minor + ai + public, []string{"227-23 al. 3 7/100000", "226-8-1 3/75000"}, nil, nil},
		{"minor, sent to one", minor + ai + private, []string{"227-23 al. 2 5/75000", "226-8-1 2/60000"}, nil, nil},
		{"minor of 16, shown to nobody: held", minor + ai + nobody, []string{"227-23 al. 4 5/75000"}, nil, nil},
		{"under 15, shown to nobody: no view to diffusion needed", strings.Replace(minor, "15_17", "under_15", 1) + ai + nobody, []string{"227-23 al. 1 5/75000"}, nil, nil},
		{"minor, said to be fake", minor + ai + public + `,"disclosed_as_fake":"stated"`, []string{"227-23 al. 3 7/100000", "226-8-1 3/75000"}, nil, nil},
		{"looks like a minor, nobody real", `"age_class":"appears_minor","sexual":"pornographic","depicts":"synthetic"` + ai + public, []string{"227-23 al. 3, al. 7 7/100000"}, nil, nil},
		{"minor, nobody real, shown to nobody", `"age_class":"appears_minor","sexual":"pornographic","depicts":"synthetic"` + ai + nobody, []string{"227-23 al. 4, al. 7 5/75000"}, nil, nil},
		{"gang", minor + ai + public + `,"aggravation":"gang"`, []string{"227-23 al. 3, al. 5 10/500000", "226-8-1 3/75000"}, nil, nil},
		{"paid", minor + ai + nobody + `,"aggravation":"paid"`, []string{"227-23 al. 4 5/75000"}, nil, nil},
		{"minor who agreed", strings.Replace(minor, `"diffusion_consent":"no"`, `"diffusion_consent":"yes"`, 1) + ai + private, []string{"227-23 al. 2 5/75000"}, nil, nil},
		{"minor, not sexual", `"age_class":"15_17",` + plain + `,"disclosed_as_fake":"no"` + ai + public, []string{"226-8 2/45000"}, nil, []string{"227-23 requires"}},
		{"holding before April 2021", minor + real + `,"capture_consent":"yes"` + nobody + `,"date":"2021-04-22"`, []string{"227-23 al. 4 2/30000 unverified"}, nil, nil},
		{"the age would decide", `"sexual":"pornographic","depicts":"identified","diffusion_consent":"no"` + ai + public, []string{"226-8-1 3/75000"}, []string{"age_class"}, nil},

		// 312-10, 312-1: threats.
		{"money, online, by sexual images", adult + ai + nobody + `,"threat":"money","online":true`, []string{"312-10 1° 7/100000"}, nil, []string{"226-8-1", "2024/1689"}},
		{"images wanted, online", `"threat":"images","online":true,"sexual":"none"`, []string{"312-10 2° 7/100000"}, nil, nil},
		{"money, not online", adult + ai + nobody + `,"threat":"money","online":false`, []string{"312-10 5/75000"}, nil, []string{"226-8-1", "2024/1689"}},
		{"money, nothing sexual", `"threat":"money","online":true,"sexual":"none"`, []string{"312-10 5/75000"}, nil, nil},
		{"money: online would decide", `"threat":"money","sexual":"intimate"`, []string{"312-10 5/75000"}, []string{"age_class", "communication", "capture_consent", "online"}, nil},
		{"before the online limb", adult + ai + nobody + `,"threat":"money","online":true,"date":"2024-05-22"`, []string{"312-10 5/75000 unverified"}, nil, []string{"226-8-1", "2024/1689"}},
		{"something else", `"threat":"other","online":true,"sexual":"none"`, []string{"312-10 5/75000"}, nil, nil},
		{"force", `"threat":"force"`, []string{"312-1 7/100000"}, nil, nil},
		{"force, gang", `"threat":"force","aggravation":"gang"`, []string{"312-1 art. 312-6 20/0"}, nil, nil},

		// 227-22-1, 227-22-2, 227-23-1: an adult and a minor.
		{"adult wants images of a minor", `"age_class":"15_17","author_relation":"adult_to_minor","threat":"images","online":true`,
			[]string{"227-22-2 7/100000", "227-23-1 7/100000", "312-10 2° 7/100000"}, []string{"sexual"}, nil},
		{"of a minor under 15", `"age_class":"under_15","author_relation":"adult_to_minor","threat":"images","online":true,"sexual":"none"`,
			[]string{"227-22-2 10/150000", "227-23-1 10/150000", "312-10 2° 7/100000", "227-22-1 2/30000"}, nil, []string{"227-23 requires"}},
		{"in a gang", `"age_class":"under_15","author_relation":"adult_to_minor","threat":"images","online":true,"sexual":"none","aggravation":"gang"`,
			[]string{"227-22-2 10/1000000", "227-23-1 10/1000000", "312-10 2° 7/100000", "227-22-1 2/30000"}, nil, []string{"227-23 requires"}},
		{"an adult’s private sexual exchange with a child", `"age_class":"under_15","author_relation":"adult_to_minor","online":true,"threat":"none","origin":"real_capture","capture_consent":"yes","diffusion_consent":"yes",` + `"sexual":"pornographic","depicts":"identified"` + private,
			[]string{"227-23 al. 2 5/75000", "227-22-2 10/150000", "227-22-1 2/30000"}, nil, nil},

		// 222-33-2-2, 222-33-2-3, 222-33: harassment.
		{"repeated, not online, an adult", `"age_class":"adult_established","repetition":true,"online":false,"author_relation":"unknown"`, []string{"222-33-2-2 1/15000"}, nil, nil},
		{"repeated, online, an adult", `"age_class":"adult_established","repetition":true,"online":true`, []string{"222-33-2-2 2/30000"}, nil, nil},
		{"a pack, online, an adult", `"age_class":"adult_established","multiple_authors":true,"repetition":false,"online":true`, []string{"222-33-2-2 2/30000"}, nil, nil},
		{"a minor, online: always two", `"age_class":"15_17","multiple_authors":true,"online":true`, []string{"222-33-2-2 3/45000"}, []string{"sexual"}, nil},
		{"same school, repeated", `"age_class":"15_17","author_relation":"same_school","repetition":true,"online":true`, []string{"222-33-2-2 3/45000", "222-33-2-3 3/45000"}, []string{"sexual"}, nil},
		{"same school, repeated, not online", `"age_class":"15_17","author_relation":"same_school","repetition":true,"online":false`, []string{"222-33-2-3 3/45000", "222-33-2-2 2/30000"}, []string{"sexual"}, nil},
		{"same school, a pack", `"age_class":"under_15","author_relation":"same_school","multiple_authors":true,"online":true`, []string{"222-33-2-2 3/45000", "222-33-2-3 3/45000"}, []string{"sexual"}, nil},
		{"same school, one act", `"age_class":"15_17","author_relation":"same_school","repetition":false,"multiple_authors":false`, nil, []string{"sexual"}, []string{"single act"}},
		{"same school: repetition would decide", `"age_class":"15_17","author_relation":"same_school"`, nil, []string{"sexual", "repetition", "multiple_authors"}, []string{"No article"}},
		{"sexual and repeated", adult + ai + public + `,"repetition":true`, []string{"226-8-1 3/75000", "222-33 3/45000", "222-33-2-2 2/30000"}, nil, nil},
		{"sexual, repeated, not online", adult + ai + private + `,"repetition":true,"online":false,"multiple_authors":false,"author_relation":"partner"`, []string{"226-8-1 2/60000", "222-33 2/30000", "222-33-2-2 1/15000"}, nil, nil},

		// Nothing, and nearly nothing: one question to begin with.
		{"nothing said", ``, nil, []string{"sexual"}, []string{"No article"}},
		{"only that it was shown", `"communication":"online_public"`, nil, []string{"sexual"}, []string{"No article"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var f rempart.Facts
			if err := decode([]byte("{"+strings.TrimPrefix(tt.facts, ",")+"}"), &f); err != nil {
				t.Fatal(err)
			}
			if err := f.Check(); err != nil {
				t.Fatal(err)
			}
			r := France().Qualify(f, today)
			var got []string
			for _, q := range r.Qualifications {
				line := fmt.Sprintf("%s %s %g/%d", q.Article, q.Paragraph, q.PrisonYears, q.FineEUR)
				if q.ComplaintRequired {
					line += " complaint"
				}
				if !q.Verified {
					line += " unverified"
				}
				got = append(got, strings.Join(strings.Fields(line), " "))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("offences (-want +got):\n%s", diff)
			}
			var asked []string
			for _, q := range r.Missing {
				asked = append(asked, q.Fact)
				if len(q.Decides) == 0 || q.Ask.FR == "" {
					t.Errorf("question about %s: %+v", q.Fact, q)
				}
			}
			if diff := cmp.Diff(tt.missing, asked); diff != "" {
				t.Errorf("missing (-want +got):\n%s", diff)
			}
			if len(r.NotCovered) != len(tt.reasons) {
				t.Errorf("not covered: %v, want %v", r.NotCovered, tt.reasons)
			}
			for k, n := range r.NotCovered {
				if k < len(tt.reasons) && !strings.Contains(n.EN, tt.reasons[k]) {
					t.Errorf("reason %d is %q, want %q in it", k, n.EN, tt.reasons[k])
				}
			}
		})
	}
}

// Parts of facts, as JSON.
const (
	adult   = `"age_class":"adult_established","sexual":"intimate","depicts":"identified","diffusion_consent":"no"`
	minor   = `"age_class":"15_17","sexual":"pornographic","depicts":"identified","diffusion_consent":"no"`
	plain   = `"sexual":"none","depicts":"identified","diffusion_consent":"no"`
	ai      = `,"origin":"ai_generated"`
	montage = `,"origin":"montage"`
	real    = `,"origin":"real_capture"`
	public  = `,"communication":"online_public"`
	private = `,"communication":"third_party"`
	nobody  = `,"communication":"none"`
)
