package rempart

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits on the templates of an instance.
const (
	MaxTemplates     = 60
	MaxTemplateTitle = 80   // runes
	maxTemplateBody  = 3000 // runes: room is left for what fills it
)

// TemplateFields are the names that a template may have between braces, each
// filled from the case.
var TemplateFields = []string{"reference", "opened", "services", "removed", "waiting"}

// A Template is a text that a message to the person may begin with, in both
// languages. {services} and the like stand for what the case says.
type Template struct {
	ID    string `json:"id"`
	Title Text   `json:"title"` // for staff
	Body  Text   `json:"body"`  // for the person
}

// Templates are those of an instance. A change makes a new version.
type Templates struct {
	Version int        `json:"version"` // 0: nobody has changed [DefaultTemplates]
	By      Actor      `json:"by"`
	At      time.Time  `json:"at"`
	List    []Template `json:"list"`
	Steps   []StepText `json:"steps,omitempty"` // those of steps after a notice that somebody has changed
	What    string     `json:"what,omitempty"`  // what this version changed: "template:ID", "dropped:ID", "step:ID" or "default:ID"
}

// Get returns the template with an identifier, or nil.
func (t Templates) Get(id string) *Template {
	for k := range t.List {
		if t.List[k].ID == id {
			return &t.List[k]
		}
	}
	return nil
}

// With returns the templates with one added, or changed if its identifier is
// there. What is wrong with it is an error for each field.
func (t Templates) With(n Template) (Templates, error) {
	var out Problems
	for _, f := range []struct {
		name string
		text *string
		most int
	}{
		{"title_fr", &n.Title.FR, MaxTemplateTitle}, {"title_en", &n.Title.EN, MaxTemplateTitle},
		{"body_fr", &n.Body.FR, maxTemplateBody}, {"body_en", &n.Body.EN, maxTemplateBody},
	} {
		*f.text = strings.TrimSpace(*f.text)
		if r := utf8.RuneCountInString(*f.text); r == 0 || r > f.most {
			out.add(f.name, "template.length", "Write from 1 to "+itoa(f.most)+" characters here.", f.most)
		} else if CarriesFile(*f.text) {
			out = append(out, carried(f.name))
		}
		for _, field := range fields(*f.text) {
			if strings.HasPrefix(f.name, "title") || !slices.Contains(TemplateFields, field) {
				out.add(f.name, "template.field", "Nothing fills {"+field+"} here.", field)
			}
		}
	}
	if t.Get(n.ID) == nil && len(t.List) >= MaxTemplates {
		out.add("title_fr", "template.many", "There are "+itoa(MaxTemplates)+" templates already; remove one first.", MaxTemplates)
	}
	if err := out.err(); err != nil {
		return t, err
	}
	t.List, t.What = slices.Clone(t.List), "template:"+n.ID
	if at := t.Get(n.ID); at != nil {
		*at = n
	} else {
		t.List = append(t.List, n)
	}
	return t, nil
}

// Without returns the templates without one.
func (t Templates) Without(id string) Templates {
	t.List = slices.DeleteFunc(slices.Clone(t.List), func(x Template) bool { return x.ID == id })
	t.What = "dropped:" + id
	return t
}

// Fill returns a text with its names between braces replaced, and those of them
// that have no value, each once: they stay as they are, to be written by hand.
func Fill(text string, values map[string]string) (filled string, lacking []string) {
	var pairs []string
	for _, f := range fields(text) {
		if v := values[f]; v != "" {
			pairs = append(pairs, "{"+f+"}", v)
		} else {
			lacking = append(lacking, f)
		}
	}
	return strings.NewReplacer(pairs...).Replace(text), lacking
}

// fields returns the names between braces in a text, each once, in order.
func fields(text string) (out []string) {
	for rest := text; ; {
		_, after, found := strings.Cut(rest, "{")
		if !found {
			return out
		}
		name, tail, closed := strings.Cut(after, "}")
		if !closed {
			return out
		}
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
		rest = tail
	}
}

// DefaultTemplates are those that an instance begins with: plain sentences of
// our own, which say nothing that a case does not.
func DefaultTemplates() Templates {
	return Templates{By: ActorSystem, List: []Template{
		{"read", Text{"Signalement lu", "Report read"}, Text{
			"Bonjour,\n\nNous avons lu votre signalement du {opened}. Vous n’avez rien d’autre à faire pour l’instant : nous vous dirons ici chaque étape.\n\nVous pouvez nous écrire sur cette page quand vous voulez.",
			"Hello,\n\nWe have read your report of {opened}. You need not do anything else for now: we will tell you each step here.\n\nYou can write to us on this page whenever you want."}},
		{"ask", Text{"Demander une précision", "Ask for a detail"}, Text{
			"Bonjour,\n\nPour que la demande de retrait ait le plus de chances d’aboutir, nous aimerions savoir : \n\nSi vous ne savez pas, ou si vous ne souhaitez pas répondre, ce n’est pas grave : dites-le-nous simplement.",
			"Hello,\n\nTo give the request for removal its best chance, we would like to know: \n\nIf you do not know, or would rather not answer, that is fine: just tell us."}},
		{"notified", Text{"Plateforme prévenue", "Platform notified"}, Text{
			"Bonjour,\n\nNous avons demandé le retrait à : {services}. Nous suivons leur réponse, et nous insisterons s’il n’y en a pas.",
			"Hello,\n\nWe have asked for removal by: {services}. We follow their answer, and will insist if there is none."}},
		{"removed", Text{"Contenu retiré", "Content removed"}, Text{
			"Bonjour,\n\nD’après les réponses reçues, ont été retirés : {removed}.\n\nSi vous les voyez encore, ou si vous les voyez ailleurs, écrivez-nous ici avec l’adresse.",
			"Hello,\n\nAccording to the answers we received, these were removed: {removed}.\n\nIf you still see them, or see them elsewhere, write to us here with the address."}},
		{"refused", Text{"Refus d’une plateforme", "A platform refused"}, Text{
			"Bonjour,\n\nUne plateforme n’a pas fait tout ce que nous lui demandions. Nous lisons ses raisons, et cette décision peut être contestée. Nous vous dirons ici ce que nous proposons.",
			"Hello,\n\nA platform did not do all that we asked. We are reading its reasons, and that decision can be challenged. We will tell you here what we propose."}},
		{"closing", Text{"Avant de clore", "Before closing"}, Text{
			"Bonjour,\n\nNous pensons avoir fait ce que nous pouvions pour ce signalement, et nous allons clore le dossier {reference}. Un message de votre part sur cette page le rouvre.",
			"Hello,\n\nWe think that we have done what we could for this report, and will close case {reference}. A message from you on this page opens it again."}},
	}}
}

// unfilled returns the names of templates that still stand between braces.
func unfilled(text string) []string {
	return slices.DeleteFunc(fields(text), func(f string) bool { return !slices.Contains(TemplateFields, f) })
}
