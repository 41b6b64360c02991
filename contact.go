package rempart

import (
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// A Contact is what the contact book says of how a service answers. It is data
// that somebody read and may be wrong by now: the service's provenance and its
// day say of when.
type Contact struct {
	Country     string    `json:"country,omitempty"`     // of establishment, ISO 3166, upper case
	Coordinator string    `json:"coordinator,omitempty"` // the Digital Services Coordinator in charge
	Authorities string    `json:"authorities,omitempty"` // point of contact for authorities (DSA art. 11)
	Users       string    `json:"users,omitempty"`       // point of contact for recipients (art. 12)
	Channels    []Channel `json:"channels,omitempty"`    // in order of preference
	Onward      bool      `json:"onward,omitempty"`      // where a channel did not take a notice, the next one is used by itself; else it is proposed to somebody
	Langs       []string  `json:"langs,omitempty"`       // that it answers in, ISO 639-1, lower case
	Expected    Span      `json:"expected,omitzero"`     // how long it usually takes to decide
	Caveats     string    `json:"caveats,omitempty"`     // what whoever notifies it must know
}

// A ChannelKind is a way in which a notice can reach a service.
type ChannelKind string

// Kinds of channel.
const (
	ChannelAPI   ChannelKind = "api"   // Rempart's, or any that takes notices of article 16, through a peer
	ChannelEmail ChannelKind = "email" // a message to an address
	ChannelForm  ChannelKind = "form"  // a form on a page, filled in by hand
)

// ChannelKinds lists every kind.
var ChannelKinds = []ChannelKind{ChannelAPI, ChannelEmail, ChannelForm}

// A Channel is one way to a service: "api", "email:ADDRESS" or "form:URL" as a
// text.
type Channel struct {
	Kind ChannelKind `json:"kind"`
	To   string      `json:"to,omitempty"` // address of e-mail, or of the page of the form; "" of an API, which its peer leads to
}

// String returns the channel as ParseChannel reads it.
func (c Channel) String() string {
	if c.To == "" {
		return string(c.Kind)
	}
	return string(c.Kind) + ":" + c.To
}

// ParseChannel reads a channel. The error is Invalid.
func ParseChannel(s string) (Channel, error) {
	kind, to, _ := strings.Cut(strings.TrimSpace(s), ":")
	c := Channel{ChannelKind(kind), to}
	ok := false
	switch c.Kind {
	case ChannelAPI:
		ok = to == ""
	case ChannelEmail:
		ok = emailFits(to)
	case ChannelForm:
		u, err := url.Parse(to)
		ok = err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && !strings.ContainsAny(to, " ;")
	}
	if !ok {
		return Channel{}, &Error{Kind: Invalid, Field: "channels", Code: "contact.channel", Public: "A channel is api, email:ADDRESS or form:URL."}
	}
	return c, nil
}

// Form returns the address of the service's form, "" if it has none.
func (c Contact) Form() string {
	for _, x := range c.Channels {
		if x.Kind == ChannelForm {
			return x.To
		}
	}
	return ""
}

// CheckContact says what is wrong with a service as the contact book holds it,
// beside what [Service.Check] says.
func (s *Service) CheckContact(at time.Time) error {
	var p Problems
	c := s.Contact
	code := func(x string, n int, from, to rune) bool {
		return len(x) == n && !strings.ContainsFunc(x, func(r rune) bool { return r < from || r > to })
	}
	if len(s.Hosts) == 0 {
		p.add("hosts", "contact.hosts", "Give at least one name that it serves, such as exemple.test.")
	}
	for _, h := range s.Hosts {
		if h == "" || h != strings.ToLower(h) || strings.ContainsAny(h, " /:@,;") || !strings.Contains(h, ".") {
			p.add("hosts", "contact.hosts", "Give at least one name that it serves, such as exemple.test.")
			break
		}
	}
	if s.Lang != "fr" && s.Lang != "en" {
		p.add("language", "contact.language", "Notices are written in fr or en.")
	}
	if c.Country != "" && !code(c.Country, 2, 'A', 'Z') {
		p.add("country", "contact.country", "Give the country as two capital letters, such as FR.")
	}
	for _, l := range c.Langs {
		if !code(l, 2, 'a', 'z') {
			p.add("languages", "contact.languages", "Give the languages as two small letters each, such as fr en.")
			break
		}
	}
	if d, err := time.Parse(time.DateOnly, s.CheckedAt); err != nil || d.After(at.Add(24*time.Hour)) {
		p.add("checked_at", "contact.checked", "Give the day on which this was last checked as YYYY-MM-DD, today at the latest.")
	}
	if slices.ContainsFunc(c.Channels, func(x Channel) bool { return x.Kind == ChannelAPI }) && s.PeerID == "" {
		p.add("peer", "contact.peer", "A service with the channel api needs the peer that leads to it.")
	}
	for field, text := range map[string]string{"coordinator": c.Coordinator, "authorities": c.Authorities, "users": c.Users, "caveats": c.Caveats, "entity": s.Profile.Entity, "name": s.Name, "provenance": s.Provenance} {
		if utf8.RuneCountInString(text) > MaxServiceText || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' }) {
			p.add(field, "contact.long", "This is one line of at most 500 characters.")
		}
	}
	slices.SortFunc(p, func(a, b *Error) int { return strings.Compare(a.Field, b.Field) })
	return p.err()
}
