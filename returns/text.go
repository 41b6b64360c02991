package returns

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"rempart"
)

// parliament writes the report to Parliament in one language.
func (e Edition) parliament(f *Figures, lang string) document {
	w := newWriter(lang,
		rempart.Text{FR: "Hypertrucages sexuels et images de mineurs\u00a0: rapport au Parlement", EN: "Sexual deepfakes and images of minors: report to Parliament"}, e.subtitle())
	e.opening(w)

	w.heading("1. Les risques\u00a0: génération", "1. The risks: generation")
	w.text("Chaque dossier dit ce que l’IA a à voir avec le contenu, d’après les faits rapportés et retenus par un analyste. Rien n’est déduit d’un détecteur automatique.",
		"Each case says what AI has to do with the content, by the facts that were reported and that an analyst kept. Nothing is inferred by an automatic detector.")
	if s := w.share(sumOf(f.Cases, "generated", "manipulated"), f.Cases.Total()); s != "" {
		w.text("Dossiers dont le contenu est dit généré ou modifié par une IA\u00a0: "+s+".", "Cases whose content is said to be generated or altered by AI: "+s+".")
	}
	w.table(f.Cases, true)
	w.table(f.Months, true)

	w.heading("2. Les risques\u00a0: diffusion", "2. The risks: diffusion")
	w.table(f.Communication, true)
	w.table(f.Addresses, true)

	w.heading("3. Les risques\u00a0: usage", "3. The risks: use")
	w.text("L’usage relevé ici est le chantage et la menace, tels que la personne les rapporte.", "The use recorded here is blackmail and threats, as the person reports them.")
	w.table(f.Threat, true)

	w.heading("4. Les moyens techniques", "4. Technical means")
	w.text("Aucune image n’est reçue ni conservée\u00a0: un média est connu par ses seules empreintes, calculées sur l’appareil de la personne. Une empreinte n’arrête rien avant qu’un analyste ne l’ait confirmée, et c’est la plateforme qui décide.",
		"No picture is received or kept: a medium is known by its fingerprints alone, computed on the person’s device. A fingerprint stops nothing before an analyst has confirmed it, and the platform decides.")
	w.table(f.Media, false)
	w.table(f.Stops, false)

	w.heading("5. Les moyens juridiques", "5. Legal means")
	w.text("Les faits sont qualifiés avec un corpus de règles datées et sourcées (version "+e.Law+"), puis confirmés par un analyste. Une qualification est indicative\u00a0: seul un tribunal décide. Les contenus sont notifiés selon l’article 16 du règlement (UE) 2022/2065\u00a0; les catégories sont celles du règlement d’exécution (UE) 2024/2835.",
		"Facts are qualified with a pack of dated and sourced rules (version "+e.Law+"), then confirmed by an analyst. A qualification is indicative: only a court decides. Content is notified under article 16 of Regulation (EU) 2022/2065; the categories are those of Implementing Regulation (EU) 2024/2835.")

	w.heading("6. Les moyens humains", "6. Human means")
	e.staff(w)

	w.heading("7. La coopération des plateformes", "7. The cooperation of platforms")
	e.notices(w, f)

	w.heading("8. Les délais", "8. Delays")
	w.text("En heures. La loi demande d’agir «\u00a0sans retard injustifié\u00a0» et ne donne pas de nombre\u00a0; ces délais ne sont donc comparés à aucun seuil.",
		"In hours. The law asks to act “without undue delay” and gives no number; these delays are thus compared with no threshold.")
	w.delays(f.Acknowledged, f.Decided)

	w.heading("9. Ce que ce document ne mesure pas", "9. What this document does not measure")
	w.list(
		rempart.Text{FR: "l’ampleur du phénomène\u00a0: ce sont les dossiers qu’une seule instance a reçus, non un échantillon de la population\u00a0;", EN: "how widespread this is: these are the cases that one instance received, not a sample of the population;"},
		rempart.Text{FR: "ce que personne n’a signalé, ce qui a été signalé ailleurs, et les doublons entre organismes\u00a0;", EN: "what nobody reported, what was reported elsewhere, and what several bodies count twice;"},
		rempart.Text{FR: "le sexe de la personne, qui n’est jamais demandé, ni son identité\u00a0;", EN: "the person’s sex, which is never asked, nor who she is;"},
		rempart.Text{FR: "les auteurs, les enquêtes et les condamnations\u00a0;", EN: "authors, investigations and convictions;"},
		rempart.Text{FR: "si un contenu dit retiré par une plateforme l’est réellement\u00a0: aucune adresse n’est ouverte\u00a0;", EN: "whether content that a platform says it removed is gone: no address is opened;"},
		rempart.Text{FR: "les services d’IA eux-mêmes, qui relèvent des campagnes d’audit.", EN: "AI services themselves, which are for audit campaigns."},
	)

	w.heading("10. Ce que publient d’autres organismes", "10. What other bodies publish")
	w.note("Ces chiffres ne sont pas les nôtres. Ils ont d’autres définitions, d’autres périodes et d’autres dénominateurs\u00a0: ils ne s’ajoutent ni entre eux ni aux nôtres.",
		"These figures are not ours. They have other definitions, other periods and other denominators: they add up neither with each other nor with ours.")
	w.external()
	e.method(w)
	return w.document
}

// flagger writes the trusted flagger's annual report in one language.
func (e Edition) flagger(f *Figures, lang string) document {
	w := newWriter(lang, rempart.Text{FR: "Rapport annuel du signaleur de confiance", EN: "Annual report of the trusted flagger"}, e.subtitle())
	w.text("Règlement (UE) 2022/2065, article 22, paragraphe 3.", "Regulation (EU) 2022/2065, article 22(3).")
	e.opening(w)
	w.heading("1. L’entité", "1. The entity")
	w.text("Nom\u00a0: "+e.Name+".", "Name: "+e.Name+".")
	switch {
	case e.Trusted && e.Area != "":
		w.text("Domaine de la désignation\u00a0: "+e.Area+".", "Area of designation: "+e.Area+".")
	case !e.Trusted:
		w.note("Cette instance n’est pas réglée comme celle d’un signaleur de confiance désigné\u00a0: ce document a la forme du rapport, il n’en tient pas lieu.",
			"This instance is not set up as that of a designated trusted flagger: this document has the form of the report, and does not stand for it.")
	}
	w.heading("2. Notifications par fournisseur, type de contenu et suite donnée", "2. Notices by provider, type of content and action taken")
	e.notices(w, f)
	w.heading("3. Délais de réponse", "3. Times of response")
	w.delays(f.Acknowledged, f.Decided)
	w.heading("4. Procédures garantissant l’indépendance", "4. Procedures that ensure independence")
	if e.Independence == "" {
		w.note("À compléter par l’organisme\u00a0: l’article 22, paragraphe 3, demande ici l’explication des procédures qui garantissent l’indépendance vis-à-vis de tout fournisseur de plateformes. Aucun texte n’a été fourni.",
			"To be completed by the organisation: article 22(3) asks here for an explanation of the procedures that ensure independence from any provider of platforms. No text was given.")
	}
	for _, p := range strings.Split(e.Independence, "\n\n") {
		if p = strings.Join(strings.Fields(p), " "); p != "" {
			w.text(p, p)
		}
	}
	w.heading("5. Données personnelles", "5. Personal data")
	w.text("Ce rapport ne contient aucune donnée personnelle\u00a0: ni adresse, ni nom, ni texte d’un signalement.", "This report holds no personal data: no address, no name, no text of a report.")
	e.method(w)
	return w.document
}

func (e Edition) subtitle() rempart.Text {
	return rempart.Text{
		FR: fmt.Sprintf("%s — du %s au %s — édition %d", e.Name, day(e.Period.From, "fr"), day(e.Until, "fr"), e.Number),
		EN: fmt.Sprintf("%s — %s to %s — edition %d", e.Name, day(e.Period.From, "en"), day(e.Until, "en"), e.Number),
	}
}

// opening says what a reader must know before the first figure.
func (e Edition) opening(w *writer) {
	if e.Demo {
		w.note("Démonstration\u00a0: tout ici est fictif.", "Demonstration: everything here is fictional.")
	}
	if !e.Whole {
		w.note("Édition provisoire\u00a0: la période n’est pas terminée. Les chiffres vont jusqu’au "+day(e.Until, "fr")+".",
			"Provisional edition: the period is not over. The figures go up to "+day(e.Until, "en")+".")
	}
	w.text("Source\u00a0: les événements enregistrés par l’instance «\u00a0"+e.Site+"\u00a0». Figé le "+day(e.Frozen, "fr")+", signé avec la clé de son journal scellé.",
		"Source: the events recorded by the instance “"+e.Site+"”. Frozen on "+day(e.Frozen, "en")+", signed with the key of its ledger.")
	w.text("«\u00a0Masqué\u00a0» veut dire\u00a0: un nombre de 1 à 4, ou un nombre qui permettrait d’en retrouver un. Zéro est publié.",
		"“Hidden” means: a number from 1 to 4, or a number that would let such a one be found. Zero is published.")
}

func (e Edition) staff(w *writer) {
	var parts []string
	for _, role := range slices.Sorted(maps.Keys(e.Staff)) {
		name := role
		if t, ok := roles[role]; ok {
			name = t.In(w.Lang)
		}
		parts = append(parts, fmt.Sprintf("%s%s %d", name, w.say("\u00a0:", ":"), e.Staff[role]))
	}
	if len(parts) == 0 {
		w.text("Le nombre de personnes n’est pas connu.", "The number of people is not known.")
		return
	}
	w.text("Comptes actifs le "+day(e.Frozen, "fr")+" – "+strings.Join(parts, ", ")+". Le temps de travail n’est pas mesuré.",
		"Active accounts on "+day(e.Frozen, "en")+" – "+strings.Join(parts, ", ")+". Working time is not measured.")
}

var roles = map[string]rempart.Text{
	"analyst": {FR: "analystes", EN: "analysts"}, "lead": {FR: "responsables", EN: "leads"}, "reader": {FR: "lecture", EN: "readers"}, "admin": {FR: "administration", EN: "administrators"},
	"moderator": {FR: "modération", EN: "moderators"}, "auditor": {FR: "audit", EN: "auditors"},
}

func (e Edition) notices(w *writer, f *Figures) {
	w.text("Une notification est comptée le jour où la plateforme en a accusé l’envoi, une fois, avec la suite donnée à tous ses éléments telle qu’elle était connue à la fin de la période.",
		"A notice is counted on the day on which the platform gave its receipt, once, with the action taken on all its items as it was known at the end of the period.")
	if s := w.share(sumOf(f.Notices, "removed"), f.Notices.Total()); s != "" {
		w.text("Notifications dont tous les éléments ont été retirés, selon la plateforme\u00a0: "+s+".", "Notices of which every item was removed, says the platform: "+s+".")
	}
	w.table(f.Notices, true)
	w.text("Notifications qui n’ont pas pu être remises\u00a0: "+w.figure(f.Lost)+".", "Notices that could not be delivered: "+w.figure(f.Lost)+".")
}

// delays adds the table of delays.
func (w *writer) delays(all ...Delay) {
	s := &shown{Caption: w.say("Délais, en heures", "Delays, in hours"), Head: []string{w.say("Délai", "Delay"), w.say("Nombre", "Number"), w.say("Médiane", "Median"), w.say("9 sur 10 en moins de", "9 in 10 within")}}
	for _, d := range all {
		line := []string{d.Title.In(w.Lang), w.say("masqué", "hidden"), w.say("masqué", "hidden"), w.say("masqué", "hidden")}
		switch {
		case d.N == 0:
			line = []string{d.Title.In(w.Lang), "0", "–", "–"}
		case !d.Hidden:
			line[1], line[2], line[3] = number(d.N, w.Lang), decimal(d.Median, w.Lang), "–"
			if d.Tail {
				line[3] = decimal(d.P90, w.Lang)
			}
		}
		s.Rows = append(s.Rows, line)
	}
	w.Blocks = append(w.Blocks, block{Table: s})
	w.text("La dernière colonne n’est donnée qu’à partir de 20 notifications.", "The last column is only given from 20 notices on.")
}

// method says how the return was made and how to make it again.
func (e Edition) method(w *writer) {
	w.heading("Méthode", "Method")
	w.list(
		rempart.Text{FR: "Chaque chiffre vient de lignes écrites dans la même transaction que l’événement qu’elles comptent. Elles ne portent ni identifiant ni texte et restent quand un dossier est effacé.", EN: "Each figure comes from lines written in the same transaction as the event they count. They hold no identifier and no text, and stay when a case is erased."},
		rempart.Text{FR: "Un dossier est compté le jour de son ouverture\u00a0; une notification, le jour de son envoi. Ce qui change après la fin de la période ne change pas ces chiffres. Un jour est celui du temps universel.", EN: "A case is counted on the day it was opened; a notice, on the day it was sent. What changes after the end of the period does not change these figures. A day is that of universal time."},
		rempart.Text{FR: "Les nombres de 1 à 4 sont masqués\u00a0; puis d’autres, les plus petits qui suffisent, tant qu’un lecteur qui connaît tous les autres nombres et les totaux pourrait en retrouver un. Un nombre de 1 à 4 qui est masqué garde au moins cinq valeurs possibles.", EN: "Numbers from 1 to 4 are hidden; then others, the smallest that will do, as long as a reader who knows every other number and the totals could find one. A number from 1 to 4 that is hidden keeps at least five possible values."},
		rempart.Text{FR: "Aucune part n’est donnée sans son numérateur et son dénominateur.", EN: "No share is given without its numerator and denominator."},
		rempart.Text{FR: "La même édition, refaite plus tard, donne les mêmes fichiers, octet pour octet\u00a0: «\u00a0rempart return " + string(e.Kind) + " -period " + e.Period.Name + "\u00a0» le vérifie. Le fichier manifest.txt porte l’empreinte de chacun et la signature.", EN: "The same edition made again later gives the same files, byte for byte: “rempart return " + string(e.Kind) + " -period " + e.Period.Name + "” checks it. The file manifest.txt has the digest of each and the signature."},
		rempart.Text{FR: "Les données ouvertes sont dans figures.csv et external.csv, décrites par dictionary.csv et datapackage.json (Frictionless Data).", EN: "The open data are in figures.csv and external.csv, described by dictionary.csv and datapackage.json (Frictionless Data)."},
	)
}

// sumOf sums some columns of a table's totals; it is hidden if one of them is.
func sumOf(t *Table, columns ...string) Figure {
	var out Figure
	last := t.Figures[len(t.Figures)-1]
	for j, c := range t.Columns {
		if slices.Contains(columns, c.Code) {
			out.N += last[j].N
			out.Hidden = out.Hidden || last[j].Hidden
		}
	}
	return out
}
