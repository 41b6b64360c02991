// Package law tells which offences the facts of a case may constitute, and
// why. The law itself is data: a pack is a file of package data, with the date
// of the text it was read from, a source for each rule, and worked examples
// that must come out right or the pack does not load.
//
// What it says is indicative and is no legal advice. It proposes; an analyst
// confirms, rejects or adds. It never decides that an act is lawful: when no
// rule matches it says why not, in the terms of the pack.
//
// A released file is never edited. A change is a new file with a new version,
// and a case keeps the version that qualified it, so that an old case can be
// explained by the old rule: see [Version].
//
// Start with [France] and [Pack.Qualify]; [Priority], [CategoryOf], [Help] and
// [Clocks] are the smaller tables. The package reads nothing but its embedded
// files and never asks the time.
package law

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"rempart"
)

//go:embed data/*.json
var embedded embed.FS

// A Pack is the law of one country as it was read on one day. It is not to be
// changed once loaded, and safe for concurrent use.
type Pack struct {
	Version  string `json:"version"` // country, date of the text, edition: "fr-2026-04-02.1"
	Country  string `json:"country"` // ISO 3166, upper case
	TextDate string `json:"text_date"`

	Words   Vocabulary   `json:"words"`   // what the facts' values are called in a sentence
	Nothing rempart.Text `json:"nothing"` // said when no rule matches and no reason is known
	Earlier struct {
		Created rempart.Text `json:"created"` // the acts are older than the article; has "{article}"
		Amended rempart.Text `json:"amended"` // the acts are older than its wording
	} `json:"earlier"`

	OffenceList []Offence    `json:"offences"`
	Uncovered   []NotCovered `json:"not_covered"`
}

// An Offence is one rule of a pack.
type Offence struct {
	ID        string       `json:"id"`      // "fr-226-8-1"
	Code      string       `json:"code"`    // name of the code, such as "Code pénal"
	Article   string       `json:"article"` // "226-8-1"
	Label     rempart.Text `json:"label"`
	Covers    rempart.Text `json:"covers"`
	AI        string       `json:"ai"`     // the text and AI content: "explicit", "covered" by general words, or "no"
	Victim    string       `json:"victim"` // "any" or "minor"
	Complaint bool         `json:"complaint_required"`
	Conduct   bool         `json:"conduct"`         // it concerns what somebody does, not the content of a page
	First     bool         `json:"first,omitempty"` // shown before all others, whatever the penalties

	TextDate string  `json:"text_date"` // of the text it was read from, YYYY-MM-DD
	Source   string  `json:"source"`
	Verified bool    `json:"verified"` // wording and penalties were read in the source
	InForce  InForce `json:"in_force"`

	When          Condition      `json:"when"`
	Forms         []Form         `json:"forms"` // the first whose condition holds applies
	Circumstances []Circumstance `json:"circumstances,omitempty"`
	Also          []Circumstance `json:"also,omitempty"`   // paragraphs that apply besides, without effect on the penalty
	Doubts        []Doubt        `json:"doubts,omitempty"` // elements that the facts leave open
	Examples      []Example      `json:"examples"`
}

// InForce says since when an article, or its wording, applies.
type InForce struct {
	From       string `json:"from,omitempty"` // YYYY-MM-DD, only when sourced
	How        string `json:"how,omitempty"`  // "created": nothing before; "amended": another wording before
	Source     string `json:"source,omitempty"`
	Unverified bool   `json:"unverified,omitempty"` // no source for the date: never shown
}

// A Form is a way to commit the offence, with its own paragraph and penalties.
type Form struct {
	Paragraph string     `json:"paragraph,omitempty"`
	When      *Condition `json:"when,omitempty"` // absent: always
	Penalties []Penalty  `json:"penalties"`      // the last whose number of circumstances is reached applies
}

// A Penalty is the most a court may give to a natural person.
type Penalty struct {
	Circumstances int `json:"circumstances"` // that must be met, 0 for the base
	PrisonYears   int `json:"prison_years"`
	FineEUR       int `json:"fine_eur"`
}

// A Circumstance aggravates.
type Circumstance struct {
	Paragraph string    `json:"paragraph,omitempty"`
	When      Condition `json:"when"`
}

// A Doubt is an element of the offence that the facts do not settle.
type Doubt struct {
	When Condition    `json:"when"`
	Text rempart.Text `json:"text"`
}

// An Example is a case worked by hand; it is run each time the pack is loaded.
type Example struct {
	Name   string        `json:"name"`
	Facts  rempart.Facts `json:"facts"`
	Expect *Expect       `json:"expect"` // null: the offence is not proposed
}

// Expect is what an [Example] must yield.
type Expect struct {
	Paragraph   string `json:"paragraph"`
	PrisonYears int    `json:"prison_years"`
	FineEUR     int    `json:"fine_eur"`
	Doubts      int    `json:"doubts"` // how many elements are left open
}

// NotCovered is a reason why facts fall outside the pack's offences.
type NotCovered struct {
	ID      string        `json:"id"`
	When    Condition     `json:"when"`
	Text    rempart.Text  `json:"text"`
	Source  string        `json:"source"`
	Example rempart.Facts `json:"example"`
}

// Load reads the pack called name, such as "fr-2026-04-02.1.json", from fsys.
// It returns an error when the file cannot be read, has a word that this
// program does not know, lacks a source, a date, a sentence in one of the
// languages or an example, or when an example does not come out as it says.
func Load(fsys fs.FS, name string) (*Pack, error) {
	b, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, fmt.Errorf("law: reading the pack: %w", err)
	}
	p := new(Pack)
	if err := decode(b, p); err != nil {
		return nil, fmt.Errorf("law: pack %s: %w", name, err)
	}
	if p.Version+".json" != path.Base(name) {
		return nil, fmt.Errorf("law: pack %s: says that it is version %q", name, p.Version)
	}
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("law: pack %s: %w", name, err)
	}
	return p, nil
}

// decode reads one JSON value and refuses fields that v does not have.
func decode(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if d.More() {
		return fmt.Errorf("something follows the JSON value")
	}
	return nil
}

// France returns the newest French pack of this program. It panics if the
// embedded file is broken, which the tests rule out.
func France() *Pack { return france() }

var france = sync.OnceValue(func() *Pack {
	names, err := fs.Glob(embedded, "data/fr-*.json")
	if err != nil || len(names) == 0 {
		panic("law: no French pack is embedded")
	}
	p, err := Load(embedded, slices.MaxFunc(names, compareVersions))
	if err != nil {
		panic(err.Error())
	}
	return p
})

// Version returns the embedded pack of that version, to explain a case that it
// qualified.
func Version(version string) (*Pack, error) {
	if !versionPattern.MatchString(version) {
		return nil, fmt.Errorf("law: %q is not a version of a pack", version)
	}
	return Load(embedded, "data/"+version+".json")
}

var versionPattern = regexp.MustCompile(`^[a-z]{2}-\d{4}-\d{2}-\d{2}\.\d{1,4}$`)

// compareVersions orders file names by date, then by edition as a number.
func compareVersions(a, b string) int {
	dateA, edA := splitVersion(a)
	dateB, edB := splitVersion(b)
	if c := strings.Compare(dateA, dateB); c != 0 {
		return c
	}
	return edA - edB
}

func splitVersion(name string) (date string, edition int) {
	date, ed, _ := strings.Cut(strings.TrimSuffix(path.Base(name), ".json"), ".")
	edition, _ = strconv.Atoi(ed) // a name without edition is its first
	return date, edition
}

// Offences returns the pack's offences, in the order of the file.
func (p *Pack) Offences() []Offence { return slices.Clone(p.OffenceList) }

// Offence returns the offence called id, and whether the pack has it.
func (p *Pack) Offence(id string) (Offence, bool) {
	for _, o := range p.OffenceList {
		if o.ID == id {
			return o, true
		}
	}
	return Offence{}, false
}
