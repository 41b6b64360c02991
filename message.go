package rempart

import (
	"strings"
	"time"
	"unicode/utf8"
)

// Limits on messages. One over a limit is refused with a sentence that says so,
// and stays in its form.
const (
	MaxMessage    = 4000 // runes of one message
	MaxUnanswered = 20   // messages of the person in a row
)

// A Message is what the person who reported wrote to those who work on her case,
// or they to her. It is text and nothing else: no file, and no link is made of
// what it says.
type Message struct {
	ID      string    `json:"id"`
	At      time.Time `json:"at"` // the hour, when the person wrote: the minute would help to find her
	By      Actor     `json:"by"` // ActorReporter, or the member who wrote; the person is told no alias
	Text    string    `json:"text"`
	Settled Actor     `json:"settled,omitempty"` // who said that it needs no answer
}

// FromPerson tells whether the person wrote the message.
func (m Message) FromPerson() bool { return m.By == ActorReporter }

// Hear takes a message of the person who reported. A closed case is opened again,
// so that somebody reads it. The same text sent twice in a row is one message.
func (c *Case) Hear(text string, at time.Time) error {
	if !c.Withdrawn.IsZero() {
		return conflict("message.withdrawn", "This report was withdrawn: nobody writes in it any more. You can send a new one.")
	}
	text, err := messageText(text)
	if err != nil {
		return err
	}
	if c.repeats(ActorReporter, text) {
		return nil
	}
	if len(c.Unanswered()) >= MaxUnanswered {
		return &Error{Kind: Conflict, Field: "text", Code: "message.many", Args: []any{MaxUnanswered},
			Public: "You wrote " + itoa(MaxUnanswered) + " messages that nobody has answered yet. They are all kept and will be read; please wait for an answer."}
	}
	at = at.UTC().Truncate(time.Hour)
	m := Message{ID: NewID(at), At: at, By: ActorReporter, Text: text}
	c.Messages = append(c.Messages, m)
	c.event("message.received", c.ID, ActorReporter, at, "message", m.ID)
	if c.UpdatedAt.Before(at) {
		c.UpdatedAt = at
	}
	if c.State == CaseClosed {
		return c.Reopen(ActorReporter, at)
	}
	return nil
}

// Tell sends a message to the person who reported: she reads it when she follows
// her report.
func (c *Case) Tell(text string, by Actor, at time.Time) error {
	text, err := messageText(text)
	if err != nil {
		return err
	}
	switch {
	case len(unfilled(text)) > 0:
		f := unfilled(text)[0]
		return &Error{Kind: Invalid, Field: "text", Code: "message.unfilled", Args: []any{f}, Public: "Nothing was written yet in place of {" + f + "}."}
	case c.State == CaseClosed:
		return conflict("case.closed", "This case is closed. Reopen it first.")
	case c.PartOf != nil:
		return &Error{Kind: Conflict, Field: "text", Code: "message.part", Args: []any{c.PartOf.Ref}, Public: "Nobody reads messages in a case that was split off: write to the person in " + c.PartOf.Ref + "."}
	case !c.Withdrawn.IsZero():
		return conflict("message.gone", "The person withdrew this report: she cannot read it any more.")
	case c.repeats(by, text):
		return nil
	}
	m := Message{ID: NewID(at), At: at, By: by, Text: text}
	c.Messages = append(c.Messages, m)
	c.event("message.sent", c.ID, by, at, "message", m.ID)
	return c.act(at)
}

// Settle records that the person's messages need no answer.
func (c *Case) Settle(by Actor, at time.Time) error {
	open := c.Unanswered()
	if len(open) == 0 {
		return conflict("message.none", "No message of the person waits for an answer.")
	}
	for k := range open {
		open[k].Settled = by
	}
	c.event("message.settled", c.ID, by, at, "messages", itoa(len(open)))
	return c.act(at)
}

// Unanswered returns the person's last messages that nobody answered or settled.
// It shares its memory with the case.
func (c *Case) Unanswered() []Message {
	n := len(c.Messages)
	for n > 0 && c.Messages[n-1].FromPerson() && c.Messages[n-1].Settled == "" {
		n--
	}
	return c.Messages[n:]
}

// repeats tells whether text is what by wrote last, and nobody wrote since: a
// form that was sent twice.
func (c *Case) repeats(by Actor, text string) bool {
	n := len(c.Messages)
	return n > 0 && c.Messages[n-1].By == by && c.Messages[n-1].Text == text
}

// messageText is a message in its normal form: line ends as \n, no control
// characters, and none that turn the direction of the text around it.
func messageText(s string) (string, error) {
	s = strings.TrimSpace(plainRunes(s))
	switch n := utf8.RuneCountInString(s); {
	case n == 0:
		return "", &Error{Kind: Invalid, Field: "text", Code: "message.empty", Public: "Write your message first."}
	case CarriesFile(s):
		return "", carried("text")
	case n > MaxMessage:
		return "", &Error{Kind: Invalid, Field: "text", Code: "message.long", Args: []any{n, MaxMessage},
			Public: "This message has " + itoa(n) + " characters; at most " + itoa(MaxMessage) + " can be sent. Please shorten it, or send it in two."}
	}
	return s, nil
}
