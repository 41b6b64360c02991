package law

import (
	"time"

	"rempart"
)

// Priority says how soon a person must look at a case with these facts that
// has waited from since to now, and why. A case that nobody has looked at
// within its [Acknowledgement] moves up one place, but a wait alone never
// makes it urgent. A zero since means that it has not waited.
func Priority(f rempart.Facts, since, now time.Time) (rempart.Priority, []rempart.Text) {
	public := f.Communication == rempart.CommunicationOnlinePublic
	var p rempart.Priority
	var why []rempart.Text
	// at keeps the reasons of the most urgent place only.
	at := func(place rempart.Priority, holds bool, fr, en string) {
		if !holds || p != 0 && p < place {
			return
		}
		p = place
		why = append(why, rempart.Text{FR: fr, EN: en})
	}
	at(rempart.PriorityUrgent, f.Minor() && f.Sexualised() && public,
		"Un contenu sexuel d’une personne mineure, ou qui le paraît, est public.", "Sexual content of a minor, or of a person who looks like one, is public.")
	at(rempart.PriorityUrgent, f.Threatened(),
		"Quelqu’un menace la personne.", "Somebody is threatening the person.")
	at(rempart.PriorityHigh, f.Minor(),
		"La personne est mineure, ou le paraît.", "The person is a minor, or looks like one.")
	at(rempart.PriorityHigh, f.Sexualised() && public,
		"Un contenu sexuel est public.", "Sexual content is public.")
	at(rempart.PriorityNormal, f.Sexualised(),
		"Le contenu est sexuel.", "The content is sexual.")
	at(rempart.PriorityNormal, f.Repetition.Yes() || f.MultipleAuthors.Yes(),
		"Les actes se répètent, ou viennent de plusieurs personnes.", "The acts are repeated, or come from several people.")
	at(rempart.PriorityNormal, public,
		"Le contenu est public.", "The content is public.")
	at(rempart.PriorityLow, p == 0,
		"Rien de sexuel, de public ni de menaçant n’est indiqué.", "Nothing sexual, public or threatening is given.")

	if !since.IsZero() && now.Sub(since) > Acknowledgement(f) && p > rempart.PriorityHigh {
		p--
		why = append(why, rempart.Text{FR: "Le dossier attend depuis longtemps.", EN: "The case has waited for long."})
	}
	return p, why
}
