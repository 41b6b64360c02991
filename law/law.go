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
// Conditions are CEL expressions over typed facts, see [Expr]. What nobody has
// said is unknown and not denied: a rule says of each element whether it may be
// left open, and what is missing is asked for, see [Result.Missing].
//
// Start with [France] and [Pack.Qualify]; [Europe] has what is the Union's.
// [Priority], [CategoryOf], [Help] and [Clocks] are the smaller tables. The package reads nothing but its embedded
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

//go:embed data
var embedded embed.FS

// A Pack is the law of one country, or of the European Union, as it was read on
// one day. It is not to be changed once loaded, and safe for concurrent use.
type Pack struct {
	Version  string       `json:"version"` // country, date of the text, edition: "fr-2026-04-02.1"
	Country  string       `json:"country"` // ISO 3166, upper case; EU for the Union
	Name     rempart.Text `json:"name,omitzero"`
	TextDate string       `json:"text_date"`

	Words   Vocabulary   `json:"words,omitempty"`  // what the facts' values are called in a sentence
	Nothing rempart.Text `json:"nothing,omitzero"` // said when no rule matches and no reason is known
	Earlier struct {
		Created  rempart.Text `json:"created,omitzero"`  // the acts are older than the article; has "{article}"
		Amended  rempart.Text `json:"amended,omitzero"`  // the acts are older than its wording
		Part     rempart.Text `json:"part,omitzero"`     // the acts are older than the part of it that covers them
		Doubtful rempart.Text `json:"doubtful,omitzero"` // the acts are about as old as the article, whose date is not verified
	} `json:"earlier,omitzero"`

	OffenceList  []Offence      `json:"offences,omitempty"`
	Uncovered    []NotCovered   `json:"not_covered,omitempty"`
	Questions    []Question     `json:"questions,omitempty"`
	Information  []Information  `json:"information,omitempty"`
	ClockList    []ClockRule    `json:"clocks,omitempty"`
	CategoryList []CategoryRule `json:"categories,omitempty"`

	filled bool // of the first format: see [firstFormat]
}

// An Offence is one rule of a pack.
type Offence struct {
	ID        string       `json:"id"`      // "fr-226-8-1"
	Code      string       `json:"code"`    // name of the code, such as "Code pénal"
	Article   string       `json:"article"` // "226-8-1"
	Label     rempart.Text `json:"label"`
	Covers    rempart.Text `json:"covers"`
	AI        string       `json:"ai"`     // the text and AI content: "explicit", "covered" by general words, "no", or "n/a": it has no content
	Victim    string       `json:"victim"` // "any", "minor", "under_15", "pupil" or "public"
	Complaint bool         `json:"complaint_required"`
	Conduct   bool         `json:"conduct"`             // it concerns what somebody does, not the content of a page
	First     bool         `json:"first,omitempty"`     // shown before all others, whatever the penalties
	Procedure []string     `json:"procedure,omitempty"` // "account_suspension" (131-35-1), "press_rules": who answers for what is published

	TextDate string  `json:"text_date"` // of the text it was read from, YYYY-MM-DD
	Source   string  `json:"source"`
	Verified bool    `json:"verified"` // wording and penalties were read in the source
	InForce  InForce `json:"in_force"`

	// ByHand says what an analyst has to find where no fact of a report tells.
	// Such an offence is never proposed; she adds it.
	ByHand rempart.Text `json:"by_hand,omitzero"`

	When          Elements       `json:"when,omitempty"`
	Unless        Elements       `json:"unless,omitempty"`   // when this holds for sure the offence is not proposed
	AskWhen       Elements       `json:"ask_when,omitempty"` // when this holds, what is not known of When is worth a question, its key elements too
	Forms         []Form         `json:"forms"`              // the first whose condition holds applies
	Circumstances []Circumstance `json:"circumstances,omitempty"`
	Also          []Circumstance `json:"also,omitempty"`   // paragraphs that apply besides, without effect on the penalty
	Doubts        []Doubt        `json:"doubts,omitempty"` // elements that the facts leave open
	Examples      []Example      `json:"examples"`
}

// InForce says since when an article, or its wording, applies.
type InForce struct {
	From       string `json:"from,omitempty"` // YYYY-MM-DD; when unverified, as much of it as was found
	To         string `json:"to,omitempty"`   // the first day it no longer applies
	How        string `json:"how,omitempty"`  // "created": nothing before; "amended": another wording before
	Source     string `json:"source,omitempty"`
	Unverified bool   `json:"unverified,omitempty"` // no source for the date: never shown as a fact
}

// A Form is a way to commit the offence, with its own paragraph and penalties.
type Form struct {
	Paragraph string    `json:"paragraph,omitempty"`
	To        string    `json:"to,omitempty"`   // acts from this day on have another form, YYYY-MM-DD
	When      Elements  `json:"when,omitempty"` // absent: always
	Penalties []Penalty `json:"penalties"`      // the last whose number of circumstances is reached applies
}

// A Penalty is the most a court may give to a natural person.
type Penalty struct {
	Circumstances int     `json:"circumstances"` // that must be met, 0 for the base
	PrisonYears   float64 `json:"prison_years"`  // six months are 0.5
	FineEUR       int     `json:"fine_eur"`      // 0 when the text read gives none
}

// graver tells whether p is heavier than q.
func (p Penalty) graver(q Penalty) bool {
	return p.PrisonYears > q.PrisonYears || p.PrisonYears == q.PrisonYears && p.FineEUR > q.FineEUR
}

// A Circumstance aggravates: it counts among those of [Penalty], or has a penalty
// of its own, of which the gravest one met applies.
type Circumstance struct {
	Paragraph string   `json:"paragraph,omitempty"`
	When      Elements `json:"when"`
	Penalty   *Penalty `json:"penalty,omitempty"`
}

// A Doubt is an element of the offence that the facts do not settle.
type Doubt struct {
	When    Elements     `json:"when,omitempty"`
	Unknown string       `json:"unknown,omitempty"` // instead of When: nobody has said this fact
	Text    rempart.Text `json:"text"`
}

// An Example is a case worked by hand; it is run each time the pack is loaded.
type Example struct {
	Name   string        `json:"name"`
	Facts  rempart.Facts `json:"facts"`
	Expect *Expect       `json:"expect,omitempty"` // absent: the offence is not proposed
	Added  *Expect       `json:"added,omitempty"`  // what it is when an analyst adds it
}

// Expect is what an [Example] must yield.
type Expect struct {
	Paragraph   string  `json:"paragraph"`
	PrisonYears float64 `json:"prison_years"`
	FineEUR     int     `json:"fine_eur"`
	Doubts      int     `json:"doubts"` // how many elements are left open
}

// NotCovered is a reason why facts fall outside the pack's offences.
type NotCovered struct {
	ID      string        `json:"id"`
	When    Elements      `json:"when"`
	Unless  Elements      `json:"unless,omitempty"` // when this holds for sure the reason is not given
	Text    rempart.Text  `json:"text"`
	Source  string        `json:"source"`
	Example rempart.Facts `json:"example"`
}

// A Question asks for a fact that nobody has said. A pack has them in the order
// of their use.
type Question struct {
	Fact string       `json:"fact"`
	Text rempart.Text `json:"text"`
	When Elements     `json:"when,omitempty"` // not asked where this is sure not to hold
}

// Load reads the pack called name, such as "fr-2026-04-02.1.json", from fsys.
// It returns an error when the file cannot be read, has a word that this
// program does not know, lacks a source, a date, a sentence in one of the
// languages or an example, or when an example does not come out as it says. The
// error names every rule that is at fault.
func Load(fsys fs.FS, name string) (*Pack, error) {
	b, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, fmt.Errorf("law: reading the pack: %w", err)
	}
	p, err := Read(b)
	if err != nil {
		return nil, fmt.Errorf("law: pack %s: %w", name, err)
	}
	if p.Version+".json" != path.Base(name) {
		return nil, fmt.Errorf("law: pack %s: says that it is version %q", name, p.Version)
	}
	return p, nil
}

// Read reads a pack from its JSON, and checks it as [Load] does.
func Read(b []byte) (*Pack, error) {
	p := new(Pack)
	if err := decode(b, p); err != nil {
		return nil, err
	}
	p.filled = len(p.OffenceList) > 0 && len(p.Questions) == 0
	if err := p.check(); err != nil {
		return nil, err
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

// Europe returns the newest pack of the European Union: information, the clocks
// and categories of the Digital Services Act. It panics as [France] does.
func Europe() *Pack { return europe() }

var (
	france = sync.OnceValue(func() *Pack { return newest("fr") })
	europe = sync.OnceValue(func() *Pack { return newest("eu") })
)

// newest returns the newest embedded pack of a country.
func newest(country string) *Pack {
	names, err := fs.Glob(embedded, "data/"+country+"/*.json")
	if err != nil || len(names) == 0 {
		panic("law: no pack is embedded for " + country)
	}
	p, err := Load(embedded, slices.MaxFunc(names, compareVersions))
	if err != nil {
		panic(err.Error())
	}
	return p
}

// Embedded is the folder of this program's packs, a folder for each country.
func Embedded() fs.FS {
	sub, err := fs.Sub(embedded, "data")
	if err != nil {
		panic("law: " + err.Error()) // only for a name that is no path
	}
	return sub
}

// Version returns the embedded pack of that version, to explain a case that it
// qualified.
func Version(version string) (*Pack, error) {
	if !versionPattern.MatchString(version) {
		return nil, fmt.Errorf("law: %q is not a version of a pack", version)
	}
	return Load(embedded, "data/"+version[:2]+"/"+version+".json")
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
