package rempart

import (
	"net/mail"
	"slices"
	"strings"
)

// What a notice lacks is named here and nowhere else: before it is sent
// (Missing), when one is received (MissingAtIntake), and by the command
// "rempart notice check". The articles are of Regulation (EU) 2022/2065 (DSA).

// A Missing is an element that a notice or decision lacks, with the article
// that asks for it.
type Missing struct {
	Field   string
	Article string
	Code    string // key of the sentence in the catalogues
	Public  string // the sentence in English
}

// MinExplanation is the fewest characters with which a notice of ours says why
// the content is illegal; from others we take less.
const MinExplanation = 40

// Missing names each element that article 16(2) asks for and the notice lacks,
// and, as we never send a notice without one, a confirmed offence. A notice with
// anything missing cannot be sent.
func (n Notice) Missing() []Missing {
	m := n.MissingToSend()
	if len(n.Grounds) == 0 {
		m = slices.Insert(m, min(1, len(m)), Missing{"grounds", "16(2)(a)", "notice.grounds", "Confirm at least one qualification, so that the notice names an offence."})
	}
	return m
}

// MissingToSend names what anybody's notice lacks before it is sent: the
// elements of article 16(2), and what would send it astray at the platform. It
// does not ask for an offence by name, as the article does not.
func (n Notice) MissingToSend() []Missing {
	m := n.missing(MinExplanation)
	if e := strings.TrimSpace(n.Notifier.Email); e != "" && !emailFits(e) {
		m = append(m, Missing{"notifier", "16(2)(c)", "notice.email", "The e-mail address of who notifies is not complete."})
	}
	if n.Notifier.TrustedFlagger && strings.TrimSpace(n.Notifier.Expertise) == "" {
		m = append(m, Missing{"notifier", "22(1)", "notice.expertise", "Name the area of expertise the trusted flagger was designated for: only there do its notices have priority."})
	}
	if n.Category != "" && n.Minor && !strings.HasPrefix(n.Category, "9") {
		m = append(m, Missing{"category", "16(2)(a)", "notice.category_minor", "A case of a minor is in part 9 of the categories, such as 9b or 9c."})
	}
	return m
}

// MissingAtIntake names each element that article 16(2) asks for and that a
// notice from somebody else lacks. It does not ask for an offence by name, as
// the article does not.
func (n Notice) MissingAtIntake() []Missing { return n.missing(10) }

// missing names the elements of article 16(2) that lack; explanation is the
// fewest characters that the substantiation may have.
func (n Notice) missing(explanation int) []Missing {
	var m []Missing
	if len([]rune(strings.TrimSpace(n.Explanation))) < explanation {
		m = append(m, Missing{"explanation", "16(2)(a)", "notice.explanation", "Say in at least " + itoa(explanation) + " characters why the content is illegal."})
	}
	if CarriesFile(n.Explanation) {
		m = append(m, Missing{"explanation", "16(2)(a)", "text.file", carried("").Public})
	}
	addresses := 0
	for _, i := range n.Items {
		if i.Address != "" {
			addresses++
		}
	}
	if addresses == 0 {
		m = append(m, Missing{"items", "16(2)(b)", "notice.items", "Give at least one exact address."})
	}
	if !n.Anonymous() && (strings.TrimSpace(n.Notifier.Name) == "" || strings.TrimSpace(n.Notifier.Email) == "") {
		m = append(m, Missing{"notifier", "16(2)(c)", "notice.notifier", "Give the name and e-mail address of who notifies."})
	}
	if !n.GoodFaith {
		m = append(m, Missing{"good_faith", "16(2)(d)", "notice.good_faith", "Confirm the good-faith belief that the notice is accurate and complete."})
	}
	return m
}

// Anonymous tells whether the notice needs no name and e-mail address: it is
// considered to involve an offence of articles 3 to 7 of Directive 2011/93/EU
// (article 16(2)(c)). The categories are 9b to 9d of Implementing Regulation (EU)
// 2024/2835.
func (n Notice) Anonymous() bool {
	return n.Minor || n.Category == "9b" || n.Category == "9c" || n.Category == "9d"
}

// CategoryFor returns the category of Implementing Regulation (EU) 2024/2835 under
// which a notice that names category is counted: that one, but for a minor one of
// part 9, as the others leave out content depicting minors. 3f and 4g, deepfakes,
// are then 9c; all else is 9b.
func CategoryFor(category string, minor bool) string {
	switch {
	case !minor || strings.HasPrefix(category, "9"):
		return category
	case category == "3f", category == "4g":
		return "9c"
	}
	return "9b"
}

// emailFits tells whether s is one e-mail address and nothing else.
func emailFits(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s && strings.Contains(s[strings.LastIndex(s, "@"):], ".")
}
