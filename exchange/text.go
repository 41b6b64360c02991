package exchange

import (
	"fmt"
	"strings"

	"rempart"
)

// RungMail writes what follows a notice as an e-mail: the words of the step, what
// it is about, and who writes.
func RungMail(n rempart.Notice, text string) (subject, body string) {
	subject, _ = NoticeText(n)
	t := func(french, english string) string {
		if n.Lang == "en" {
			return english
		}
		return french
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n%s %s / %s\n", strings.TrimSpace(text), t("Notre référence, à rappeler dans toute réponse\u00a0:", "Our reference, please keep it in every answer:"), n.CaseRef, n.ID)
	fmt.Fprintf(&b, "\n%s\n", t("Adresses exactes\u00a0:", "Exact addresses:"))
	for k, i := range n.Items {
		fmt.Fprintf(&b, "%d. %s\n", k+1, i.Address)
	}
	if n.Notifier.Name != "" {
		fmt.Fprintf(&b, "\n%s, %s\n", n.Notifier.Name, n.Notifier.Email)
	}
	return "Re: " + subject, b.String()
}

// NoticeText writes a notice as people read it, for e-mail: every element of DSA
// article 16(2), in the notice's language, and nothing else of the case. The
// subject holds our reference, by which an answer finds the case again.
func NoticeText(n rempart.Notice) (subject, body string) {
	fr := n.Lang != "en"
	t := func(french, english string) string {
		if fr {
			return french
		}
		return english
	}
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	subject = "[" + n.CaseRef + "] " + t("Notification d’un contenu illicite (DSA, art. 16)", "Notice of illegal content (DSA art. 16)")
	say("%s", t("Notification d’un contenu illicite, règlement (UE) 2022/2065 (DSA), article 16", "Notice of illegal content, Regulation (EU) 2022/2065 (DSA), article 16"))
	say("")
	say("%s %s", t("À l’attention de\u00a0:", "To:"), n.ServiceName)
	say("%s %s / %s", t("Notre référence, à rappeler dans toute réponse\u00a0:", "Our reference, please keep it in every answer:"), n.CaseRef, n.ID)
	say("\n(a) %s\n", t("Pourquoi le contenu est illicite", "Why the content is illegal"))
	say("%s", strings.TrimSpace(n.Explanation))
	for _, g := range n.Grounds {
		article := g.Article
		if g.Paragraph != "" {
			article += ", " + g.Paragraph
		}
		say("- %s, art. %s%s %s (%s %s; %s)", g.Code, article, t("\u00a0:", ":"), g.Label, t("texte lu tel qu’au", "text as of"), g.TextDate, g.Source)
	}
	if n.Category != "" {
		say("%s %s", t("Catégorie du règlement (UE) 2024/2835\u00a0:", "Category of Regulation (EU) 2024/2835:"), n.Category)
	}
	say("\n(b) %s\n", t("Adresses exactes", "Exact addresses"))
	for k, i := range n.Items {
		say("%d. %s", k+1, i.Address)
	}
	if len(n.Items) > 0 && len(n.Items[0].Fingerprints) > 0 {
		said := 0
		for _, f := range n.Items[0].Fingerprints {
			if f.Type == rempart.VPDQ { // too long to be read; it goes to platforms that take it by program
				continue
			}
			if said++; said == 1 {
				say("\n%s", t("Empreintes qui permettent de reconnaître des copies\u00a0:", "Fingerprints by which copies can be recognised:"))
			}
			say("- %s %s", f.Type, f.Value)
		}
	}
	say("\n(c) %s\n", t("Qui notifie", "Who notifies"))
	switch {
	case n.Notifier.Name != "":
		say("%s, %s", n.Notifier.Name, n.Notifier.Email)
	case n.Minor:
		say("%s", t("Non précisé\u00a0: l’article 16, paragraphe 2, point c), ne le demande pas pour les infractions visées aux articles 3 à 7 de la directive 2011/93/UE.",
			"Left out: article 16(2)(c) does not ask for it for the offences of articles 3 to 7 of Directive 2011/93/EU."))
	}
	if n.Notifier.TrustedFlagger {
		say("%s %s.", t("Signaleur de confiance (DSA, art. 22), domaine d’expertise\u00a0:", "Trusted flagger (DSA art. 22), area of expertise:"), n.Notifier.Expertise)
	}
	if n.DoNotTell {
		say("%s", t("Nous demandons que l’identité de l’auteur de cette notification ne soit pas communiquée.", "We ask that the identity of who notifies not be disclosed."))
	}
	say("\n(d) %s\n", t("Bonne foi", "Good faith"))
	if n.GoodFaith {
		say("%s", t("Nous croyons de bonne foi que les informations et les allégations de cette notification sont exactes et complètes.",
			"We believe in good faith that the information and allegations in this notice are accurate and complete."))
	}
	say("\n%s", t("Merci d’en confirmer la réception sans retard injustifié (art. 16, paragraphe 4), puis de nous faire connaître votre décision et les voies de recours (paragraphe 5), en répondant à ce message.",
		"Please confirm receipt without undue delay (art. 16(4)), then tell us your decision and the means of redress (art. 16(5)), by answering this message."))
	return subject, b.String()
}
