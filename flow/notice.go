package flow

import (
	"context"
	"strings"

	"rempart"
)

// A Group is the addresses of a case that are on one service.
type Group struct {
	Service rempart.Service // ID "" when no service of the register serves them
	Items   []rempart.Item
}

// Groups sorts the addresses of a case that can still be notified by service.
func (f *Flow) Groups(ctx context.Context, c *rempart.Case) ([]Group, error) {
	services, err := f.DB.Services(ctx)
	if err != nil {
		return nil, err
	}
	var groups []Group
	place := map[string]int{}
	for _, i := range c.Items {
		if i.Kind != rempart.ItemAddress || i.State != rempart.ItemReported && i.State != rempart.ItemFailed && i.State != rempart.ItemRefused {
			continue
		}
		var s rempart.Service
		for _, candidate := range services {
			if candidate.Serves(i.Address) {
				s = candidate
				break
			}
		}
		k, ok := place[s.ID]
		if !ok {
			k = len(groups)
			place[s.ID] = k
			groups = append(groups, Group{Service: s})
		}
		groups[k].Items = append(groups[k].Items, i)
	}
	return groups, nil
}

// Draft prepares a notice on a case to a service with the given items and a
// proposed explanation, and returns its identifier.
func (f *Flow) Draft(ctx context.Context, caseID, serviceID string, items []string, by rempart.Actor) (string, error) {
	s, err := f.DB.Service(ctx, serviceID)
	if err != nil {
		return "", err
	}
	id := ""
	err = f.DB.UpdateCase(ctx, caseID, "", func(c *rempart.Case) error {
		for _, item := range items {
			if i := c.Item(item); i != nil && i.Address != "" && !s.Serves(i.Address) {
				return &rempart.Error{Kind: rempart.Invalid, Field: "items", Code: "notice.service", Public: "One of these addresses is not on this service."}
			}
		}
		var err error
		id, err = c.PrepareNotice(s, items, Explain(c, s.Lang), f.Notifier, by, f.Now())
		return err
	})
	return id, err
}

// Explain proposes the explanation of a notice (DSA art. 16(2)(a)) from the
// facts and the confirmed qualifications of a case, in lang. It holds nothing
// that the person wrote; the analyst reads and edits it.
func Explain(c *rempart.Case, lang string) string {
	var b strings.Builder
	t := func(fr, en string) {
		if lang == "en" {
			b.WriteString(en)
		} else {
			b.WriteString(fr)
		}
	}
	minor := c.Facts.Minor()
	switch {
	case minor && c.Facts.Sexualised():
		t("Les contenus aux adresses ci-dessous représentent une personne mineure, ou d’apparence mineure, dans une image à caractère sexuel.",
			"The content at the addresses below shows a person who is, or appears to be, a minor in a sexual picture.")
	case c.Facts.Sexualised():
		t("Les contenus aux adresses ci-dessous montrent une personne identifiée dans une image à caractère sexuel, portée à la connaissance du public ou de tiers sans son consentement.",
			"The content at the addresses below shows an identified person in a sexual picture, brought to the public or to third parties without that person’s consent.")
	default:
		t("Les contenus aux adresses ci-dessous montrent une personne identifiée sans son consentement.",
			"The content at the addresses below shows an identified person without that person’s consent.")
	}
	switch c.Facts.Origin {
	case rempart.OriginMontage, rempart.OriginAIGenerated, rempart.OriginAIManipulated:
		t(" L’image est un montage ou a été générée ou modifiée par un traitement algorithmique.",
			" The picture is a montage or was generated or altered by algorithmic processing.")
	}
	if q := c.Confirmed(); len(q) > 0 {
		t("\n\nCes faits sont susceptibles de constituer :\n", "\n\nThese facts may constitute:\n")
		for _, x := range q {
			b.WriteString("– " + x.Code + ", art. " + x.Article)
			if x.Paragraph != "" {
				b.WriteString(", " + x.Paragraph)
			}
			t(" : ", ": ")
			b.WriteString(x.Label.In(lang) + "\n")
		}
	}
	t("\nNous demandons leur retrait et qu’il soit veillé à ce que les copies identifiées par les empreintes jointes ne réapparaissent pas.",
		"\nWe ask for their removal, and that copies identified by the attached fingerprints do not reappear.")
	return b.String()
}
