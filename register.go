package rempart

import (
	"cmp"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// ServiceKind says what an entry of the register is; empty is a platform.
type ServiceKind string

// Kinds of service.
const (
	ServicePlatform ServiceKind = "platform" // shows what its users publish
	ServiceHost     ServiceKind = "host"     // stores for others
	ServiceStore    ServiceKind = "store"    // distributes apps
	ServiceHub      ServiceKind = "hub"      // distributes models
	ServiceAI       ServiceKind = "ai"       // generates or alters pictures
	ServiceNudify   ServiceKind = "nudify"   // made to undress people
	ServiceModel    ServiceKind = "model"    // a model by its weights files
)

// ServiceKinds lists every kind.
var ServiceKinds = []ServiceKind{ServicePlatform, ServiceHost, ServiceStore, ServiceHub, ServiceAI, ServiceNudify, ServiceModel}

// Surfaces lists where a service can be used.
var Surfaces = []string{"account", "app", "site", "api", "model_file"}

// A Profile is what the register knows of a service beside how to notify it. No
// fact in it is about a person.
type Profile struct {
	Entity     string   `json:"entity,omitempty"`     // the company or people behind it, as it says itself
	Surfaces   []string `json:"surfaces,omitempty"`   // see Surfaces
	Versions   string   `json:"versions,omitempty"`   // of the app or model
	Countries  string   `json:"countries,omitempty"`  // where it is offered
	AgeRating  string   `json:"age_rating,omitempty"` // as the store shows it
	Price      string   `json:"price,omitempty"`
	Payment    string   `json:"payment,omitempty"` // provider of payments
	Host       string   `json:"host,omitempty"`
	Store      string   `json:"store,omitempty"`
	StoreID    string   `json:"store_id,omitempty"`   // its identifier in the store
	StoreURL   string   `json:"store_url,omitempty"`  // its address in the store
	Repository string   `json:"repository,omitempty"` // address of a model's repository
	ReportedBy string   `json:"reported_by,omitempty"`
	Public     bool     `json:"public,omitempty"` // may be on the public page

	Weights []Weights     `json:"weights,omitempty"`
	Facts   []ServiceFact `json:"facts,omitempty"` // its time line
}

// Weights is one weights file of a model, by its exact bytes.
type Weights struct {
	SHA256 string `json:"sha256"`
	Name   string `json:"name,omitempty"` // of the file, as it was published
	Entry  string `json:"entry"`          // in the list of model weights
}

// A ServiceFactKind says what a dated fact about a service is.
type ServiceFactKind string

// Kinds of fact.
const (
	FactMeasure    ServiceFactKind = "measure"    // the service announced a measure
	FactObserved   ServiceFactKind = "observed"   // somebody looked whether it holds
	FactNotified   ServiceFactKind = "notified"   // a notice to it, to its store, host or hub
	FactGone       ServiceFactKind = "gone"       // no longer offered there
	FactBack       ServiceFactKind = "back"       // offered again
	FactAnonymised ServiceFactKind = "anonymised" // restricts users who stay anonymous (art. 323-3-2)
	FactIgnored    ServiceFactKind = "ignored"    // left a notice or a duty of DSA art. 15, 16 or 18 without an answer (art. 323-3-2)
	FactAnswer     ServiceFactKind = "answer"     // an answer to a line of the AI Act's checklist
)

// ServiceFactKinds lists every kind.
var ServiceFactKinds = []ServiceFactKind{FactMeasure, FactObserved, FactNotified, FactGone, FactBack, FactAnonymised, FactIgnored, FactAnswer}

// Dossier tells whether the fact belongs to the facts of Code pénal, art.
// 323-3-2: they are gathered, and qualify nothing.
func (k ServiceFactKind) Dossier() bool { return k == FactAnonymised || k == FactIgnored }

// A ServiceFact is one dated fact, with its source and who wrote it down.
type ServiceFact struct {
	Kind     ServiceFactKind `json:"kind"`
	Date     string          `json:"date"` // YYYY-MM-DD
	What     string          `json:"what"`
	Source   string          `json:"source"`
	Surfaces []string        `json:"surfaces,omitempty"` // that a measure covers
	Rule     string          `json:"rule,omitempty"`     // of FactAnswer: the line of the checklist
	Answer   string          `json:"answer,omitempty"`   // of FactAnswer: yes, no or unknown
	By       Actor           `json:"by"`
	At       time.Time       `json:"at"`
}

// MaxServiceText is the longest text of a service's entry, in runes.
const MaxServiceText = 500

// Check says what is wrong with an entry of the register.
func (s *Service) Check() error {
	var p Problems
	if s.ID == "" || len(s.ID) > 60 || strings.ContainsFunc(s.ID, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '.')
	}) {
		p.add("id", "service.id", "Give a short identifier of small letters, digits and hyphens, such as exemple-app.")
	}
	if n := utf8.RuneCountInString(strings.TrimSpace(s.Name)); n == 0 || n > 200 {
		p.add("name", "service.name", "Give the service's name.")
	}
	if s.Kind != "" && !slices.Contains(ServiceKinds, s.Kind) {
		p.add("kind", "service.kind", "Choose what it is.")
	}
	if strings.TrimSpace(s.Provenance) == "" {
		p.add("provenance", "service.provenance", "Say where these facts are from.")
	}
	for _, x := range s.Profile.Surfaces {
		if !slices.Contains(Surfaces, x) {
			p.add("surfaces", "service.surfaces", "Choose surfaces of the list.")
			break
		}
	}
	for field, address := range map[string]string{"store_url": s.Profile.StoreURL, "repository": s.Profile.Repository} {
		if u, err := url.Parse(address); address != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "") {
			p.add(field, "service.address", "Give an address that starts with https://.")
		}
	}
	for _, text := range []string{s.Profile.Entity, s.Profile.Versions, s.Profile.Countries, s.Profile.AgeRating, s.Profile.Price, s.Profile.Payment, s.Profile.Host, s.Profile.Store, s.Profile.StoreID, s.Profile.ReportedBy, s.Provenance} {
		if utf8.RuneCountInString(text) > MaxServiceText {
			p.add("profile", "service.long", "One of these texts is longer than 500 characters.")
			break
		}
	}
	slices.SortFunc(p, func(a, b *Error) int { return strings.Compare(a.Field, b.Field) })
	return p.err()
}

// AddFact adds a dated fact to the time line, which stays in the order of the
// dates. A date to come is refused; today's day is that of at.
func (s *Service) AddFact(f ServiceFact, by Actor, at time.Time) error {
	var p Problems
	f.What, f.Source = strings.TrimSpace(f.What), strings.TrimSpace(f.Source)
	if !slices.Contains(ServiceFactKinds, f.Kind) {
		p.add("kind", "service.fact_kind", "Choose what kind of fact it is.")
	}
	if d, err := time.Parse(time.DateOnly, f.Date); err != nil || d.After(at.Add(24*time.Hour)) {
		p.add("date", "service.fact_date", "Give the day of the fact as YYYY-MM-DD, today at the latest.")
	}
	if n := utf8.RuneCountInString(f.What); n == 0 || n > MaxServiceText {
		p.add("what", "service.fact_what", "Say what happened in 1 to 500 characters.")
	}
	if n := utf8.RuneCountInString(f.Source); n == 0 || n > MaxServiceText {
		p.add("source", "service.fact_source", "Say where this is known from: a fact without a source is not kept.")
	}
	if f.Kind == FactAnswer && !slices.Contains([]string{"yes", "no", "unknown"}, f.Answer) {
		p.add("answer", "service.fact_answer", "Answer yes, no or not known.")
	}
	if err := p.err(); err != nil {
		return err
	}
	if f.Kind != FactAnswer {
		f.Rule, f.Answer = "", ""
	}
	if f.Kind != FactMeasure {
		f.Surfaces = nil
	}
	f.By, f.At = by, at
	s.Profile.Facts = append(s.Profile.Facts, f)
	slices.SortStableFunc(s.Profile.Facts, func(a, b ServiceFact) int { return strings.Compare(a.Date, b.Date) })
	return nil
}

// GoneSince returns the day since which the service is no longer offered, "" if
// it is or nobody looked.
func (s *Service) GoneSince() string {
	day := ""
	for _, f := range s.Profile.Facts {
		switch f.Kind {
		case FactGone:
			day = cmp.Or(day, f.Date)
		case FactBack:
			day = ""
		}
	}
	return day
}

// Answer returns the newest answer to a line of the checklist, or nil.
func (s *Service) Answer(rule string) *ServiceFact {
	for k := len(s.Profile.Facts) - 1; k >= 0; k-- {
		if f := &s.Profile.Facts[k]; f.Kind == FactAnswer && f.Rule == rule {
			return f
		}
	}
	return nil
}

// ListModelWeights is the list that weights files of registered models are in.
const ListModelWeights = "model-weights"

// AddWeights adds a weights file by its SHA-256, in hexadecimal, and asks for its
// entry in the list, where an exact copy is found from then on. One that the
// service has already changes nothing.
func (s *Service) AddWeights(sum, name string, by Actor, at time.Time) (Consequences, error) {
	sum = strings.ToLower(strings.TrimSpace(sum))
	if b, err := hex.DecodeString(sum); err != nil || len(b) != 32 {
		return Consequences{}, &Error{Kind: Invalid, Field: "sha256", Code: "service.sha256", Public: "A SHA-256 has 64 hexadecimal digits."}
	}
	if utf8.RuneCountInString(name) > 200 {
		return Consequences{}, &Error{Kind: Invalid, Field: "name", Code: "service.weights_name", Public: "This file's name is longer than 200 characters."}
	}
	if slices.ContainsFunc(s.Profile.Weights, func(w Weights) bool { return w.SHA256 == sum }) {
		return Consequences{}, nil
	}
	w := Weights{SHA256: sum, Name: strings.TrimSpace(name), Entry: NewID(at)}
	s.Profile.Weights = append(s.Profile.Weights, w)
	return s.listed(w, EntryActive, "weights.listed", by, at), nil
}

// DropWeights takes a weights file out again: it stops matching.
func (s *Service) DropWeights(sum string, by Actor, at time.Time) (Consequences, error) {
	k := slices.IndexFunc(s.Profile.Weights, func(w Weights) bool { return w.SHA256 == sum })
	if k < 0 {
		return Consequences{}, notFound("weights")
	}
	w := s.Profile.Weights[k]
	s.Profile.Weights = slices.Delete(s.Profile.Weights, k, k+1)
	return s.listed(w, EntryWithdrawn, "weights.withdrawn", by, at), nil
}

func (s *Service) listed(w Weights, state EntryState, kind string, by Actor, at time.Time) Consequences {
	return Consequences{
		Entries: []EntryChange{{Entry{ID: w.Entry, List: ListModelWeights, Fingerprint: Fingerprint{Type: SHA256, Value: w.SHA256}, State: state, CaseRef: s.ID, Since: at}}},
		Events:  []Event{{Kind: kind, Subject: s.ID, Actor: by, At: at, Data: map[string]string{"entry": w.Entry}}},
	}
}
