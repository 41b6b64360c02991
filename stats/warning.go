package stats

import (
	"fmt"
	"strings"

	"rempart"
)

// A Warning is what must be said with a figure: a code of [warningTexts], and what
// stands in its sentence.
type Warning struct {
	Code string   `json:"code"`
	Args []string `json:"args,omitempty"`
}

func warn(code string, args ...any) Warning {
	w := Warning{Code: code}
	for _, a := range args {
		w.Args = append(w.Args, fmt.Sprint(a))
	}
	return w
}

// In writes the warning in a language, "fr" or "en"; one of a later version, whose
// code is not known here, is its code.
func (w Warning) In(lang string) string {
	text, ok := warningTexts[w.Code]
	if !ok || strings.Count(text.EN, "%s") != len(w.Args) {
		return w.Code
	}
	args := make([]any, len(w.Args))
	for i, a := range w.Args {
		if lang == "fr" && w.Code == "unreliable" {
			a = strings.Replace(a, ".", ",", 1)
		}
		args[i] = a
	}
	return fmt.Sprintf(text.In(lang), args...)
}

// In returns the card with its warnings in a language, "fr" or "en". One that was
// made before warnings had codes keeps the English that it has.
func (c Card) In(lang string) Card {
	if len(c.Said) == 0 {
		return c
	}
	c.Warnings = make([]string, len(c.Said))
	for i, w := range c.Said {
		c.Warnings[i] = w.In(lang)
	}
	return c
}

// say adds warnings to the card.
func (c *Card) say(w ...Warning) {
	c.Said = append(c.Said, w...)
	for _, x := range w {
		c.Warnings = append(c.Warnings, x.In("en"))
	}
}

// warningTexts are the sentences of warnings, by code. What stands in for %s comes
// in the same order in both languages.
var warningTexts = map[string]rempart.Text{
	"not_probability": {
		FR: "échantillon non probabiliste : l’intervalle dit le hasard du tirage des éléments, non la façon dont ils ont été collectés",
		EN: "not a probability sample: the interval covers chance in drawing the items, not how they were collected"},
	"no_row": {
		FR: "aucune ligne n’a %s ; la valeur est-elle écrite comme dans la table ? (valeurs trouvées : %s)",
		EN: "no row has %s; is the value spelt as in the table? (values found: %s)"},
	"spelling": {
		FR: "la table a aussi %s : d’autres lettres que dans %s, donc non compté avec",
		EN: "%s is in the table too: other letters than in %s, so not counted as it"},
	"unlabelled": {
		FR: "éléments hors du dénominateur (%s), faute d’étiquette %s",
		EN: "%s items without the label %s are not in the denominator"},
	"empty": {
		FR: "aucun élément au dénominateur : il n’y a pas de part",
		EN: "no item is in the denominator: there is no share"},
	"label_spelling": {
		FR: "la table a aussi l’étiquette %s : d’autres lettres que dans celle demandée, donc non comptée",
		EN: "the table has the label %s too: other letters than in the one asked about, so not counted"},
	"undecided": {
		FR: "éléments sur lesquels les annotateurs sont à égalité ou se contredisent, sans arbitrage : %s, dont %s indécis, hors du numérateur et du dénominateur, et %s selon l’annotateur qui a étiqueté au moins %s fois plus d’éléments que l’autre ; tranchés autrement, le résultat serait entre %s sur %s et %s sur %s",
		EN: "%s items on which annotators tie or contradict themselves, not adjudicated: %s are undecided and in neither numerator nor denominator, %s go by the annotator who labelled at least %s times as many items as the other; settled otherwise, the figure would lie between %s of %s and %s of %s"},
	"two_addresses": {
		FR: "éléments auxquels la table donne deux adresses, hors du numérateur et du dénominateur : %s",
		EN: "%s items to which the table gives two addresses are in neither numerator nor denominator"},
	"several_surfaces": {
		FR: "éléments que la table place sur plusieurs surfaces (%s) : comptés une fois, et dans la part d’aucune surface ; un identifiant est-il bien un élément ?",
		EN: "%s items are on several surfaces in the table: counted once, and in no surface's share; is one identifier one item?"},
	"contradictory": {
		FR: "étiquettes d’un élément auxquelles un même annotateur a donné plusieurs valeurs (%s) : aucune d’elles n’est comptée",
		EN: "%s labels of an item to which one annotator gave several values; none of these is counted"},
	"tied": { // on cards made while the first label of the file stood
		FR: "éléments sur lesquels les annotateurs sont à égalité, sans arbitrage (%s) : l’étiquette donnée la première vaut ; si les égalités étaient tranchées autrement, le résultat serait entre %s sur %s et %s sur %s",
		EN: "%s items on which annotators tie, not adjudicated: the label given first stands; were ties settled otherwise, the figure would lie between %s of %s and %s of %s"},
	"ties": { // on cards made before the denominator was told
		FR: "éléments sur lesquels les annotateurs sont à égalité, sans arbitrage (%s) : l’étiquette donnée la première vaut ; si chaque égalité était tranchée dans l’autre sens, le numérateur serait entre %s et %s",
		EN: "%s items on which annotators tie, not adjudicated: the label given first stands; were every tie settled the other way, the numerator would lie between %s and %s"},
	"adjudicated": {
		FR: "éléments départagés par une tierce personne (%s) : c’est son étiquette qui compte ; l’accord est mesuré sur les étiquettes d’avant",
		EN: "%s items were settled by a third person: her label is the one that counts; agreement is measured on the labels before it"},
	"unfinished": {
		FR: "étiquettes données : %s sur %s prévues par le tirage ; éléments en désaccord non départagés : %s",
		EN: "%s of the %s labels that the drawing asked for were given; items in dispute that nobody settled: %s"},
	"repeated": {
		FR: "lignes où un annotateur redit la même chose du même élément (%s) : comptées une fois",
		EN: "%s rows say again what the same annotator said of the same item; counted once"},
	"contradicted": { // on cards made while the earlier of two rows stood
		FR: "lignes qui contredisent une ligne antérieure (%s) : non comptées",
		EN: "%s rows contradict an earlier row and are not counted"},
	"refused": {
		FR: "lignes qui n’ont pas pu être lues (%s) : non comptées",
		EN: "%s rows could not be read and are not counted"},
	"agreement_unknown": {
		FR: "aucun élément n’a été annoté deux fois : on ne sait pas jusqu’où les annotateurs s’accordent",
		EN: "no item was labelled twice: how far annotators agree is not known"},
	"agreement_undefined": {
		FR: "les étiquettes des éléments annotés deux fois sont toutes les mêmes : l’accord au-delà du hasard n’est pas défini",
		EN: "all labels of the doubly labelled items are the same: agreement beyond chance is not defined"},
	"kappa_undefined": {
		FR: "les éléments n’ont pas tous été annotés le même nombre de fois : le kappa n’est pas défini, voir l’alpha de Krippendorff",
		EN: "the items were not all labelled the same number of times: kappa is not defined, see Krippendorff's alpha"},
	"unreliable": {
		FR: "peu fiable : l’accord entre annotateurs est inférieur à %s",
		EN: "unreliable: agreement between annotators is below %s"},
	"machine": {
		FR: "étiqueté par %s, sans sensibilité ni spécificité données : la part n’est pas corrigée de ses erreurs",
		EN: "labelled by %s, with no sensitivity and specificity given: the share is not corrected for its errors"},
	"early": {
		FR: "lignes collectées avant l’enregistrement du protocole : %s",
		EN: "%s rows were collected before the protocol was registered"},
	"unregistered": {
		FR: "aucun protocole n’a été enregistré avant la collecte",
		EN: "no protocol was registered before collection"},
	"reconstruction": {
		FR: "reconstitution : faite à partir de chiffres publiés, non des lignes qui les ont produits",
		EN: "reconstruction: made from published figures, not from the rows behind them"},
}
