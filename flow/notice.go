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
		if i.Kind != rempart.ItemAddress || !i.State.Notifiable() {
			continue
		}
		s := serving(services, i.Address)
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

// serving is the service of the register that an address is on; ID "" for none.
func (f *Flow) serving(ctx context.Context, address string) (rempart.Service, error) {
	services, err := f.DB.Services(ctx)
	return serving(services, address), err
}

func serving(services []rempart.Service, address string) rempart.Service {
	for _, s := range services {
		if s.Serves(address) {
			return s
		}
	}
	return rempart.Service{}
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
// facts and the confirmed qualifications of a case, in lang. It says nothing
// that no fact says, and holds nothing that the person wrote; the analyst reads
// and edits it before it is sent in good faith.
func Explain(c *rempart.Case, lang string) string {
	var b strings.Builder
	t := func(fr, en string) {
		if lang == "en" {
			b.WriteString(en)
		} else {
			b.WriteString(fr)
		}
	}
	t("Les contenus aux adresses ci-dessous montrent ", "The content at the addresses below shows ")
	switch f := c.Facts; {
	case f.Minor():
		t("une personne mineure, ou d’apparence mineure,", "a person who is, or appears to be, a minor")
	case f.Depicts == rempart.DepictsIdentified:
		t("une personne qui peut être reconnue", "a person who can be recognised")
	default:
		t("une personne", "a person")
	}
	if c.Facts.Sexualised() {
		t(" dans une image à caractère sexuel", " in a sexual picture")
	}
	if c.Facts.DiffusionConsent == rempart.ConsentNo {
		t(", diffusée sans son accord", ", shown without that person’s agreement")
	}
	b.WriteString(".")
	switch c.Facts.Origin {
	case rempart.OriginMontage, rempart.OriginAIGenerated, rempart.OriginAIManipulated:
		t(" L’image est un montage ou a été générée ou modifiée par un traitement algorithmique.",
			" The picture is a montage or was generated or altered by algorithmic processing.")
	}
	first := true
	for _, q := range c.Confirmed() {
		if q.Conduct {
			continue
		}
		if first {
			t("\n\nCes faits sont susceptibles de constituer\u00a0:\n", "\n\nThese facts may constitute:\n")
			first = false
		}
		b.WriteString("– " + q.Code + ", art. " + q.Article)
		if q.Paragraph != "" {
			b.WriteString(", " + q.Paragraph)
		}
		t("\u00a0: ", ": ")
		b.WriteString(q.Label.In(lang) + "\n")
	}
	t("\nNous demandons leur retrait.", "\nWe ask for their removal.")
	for _, i := range c.Items {
		if i.Kind == rempart.ItemMedium && i.State == rempart.ItemProtected {
			t(" Les empreintes jointes permettent d’en reconnaître les copies.", " The attached fingerprints let copies be recognised.")
			break
		}
	}
	return b.String()
}
