package rempart

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestMessages(t *testing.T) {
	at := time.Date(2026, 11, 22, 10, 42, 7, 0, time.UTC)
	fresh := func() *Case {
		c := &Case{ID: NewID(at), State: CaseActive, OpenedAt: at}
		return c
	}
	code := func(err error) string {
		var e *Error
		errors.As(err, &e)
		if e == nil {
			return ""
		}
		return e.Code
	}

	c := fresh()
	if err := c.Hear("  Bonjour,\r\nune \u202equestion\x07.  ", at); err != nil {
		t.Fatal(err)
	}
	if m := c.Messages[0]; m.Text != "Bonjour,\nune question." || m.At.Minute() != 0 || !m.FromPerson() {
		t.Errorf("heard %+v", m)
	}
	if err := c.Hear("Bonjour,\nune question.", at.Add(time.Minute)); err != nil || len(c.Messages) != 1 {
		t.Errorf("sent twice: %v, %d messages", err, len(c.Messages))
	}
	if got := code(c.Close("fini", "lune", at)); got != "case.unanswered" {
		t.Errorf("closed with a question open: %q", got)
	}
	if err := c.Tell("Nous avons lu.", "lune", at.Add(time.Hour)); err != nil || len(c.Unanswered()) != 0 {
		t.Errorf("answered: %v, %d open", err, len(c.Unanswered()))
	}
	if got := code(c.Settle("lune", at)); got != "message.none" {
		t.Errorf("settled nothing: %q", got)
	}
	if err := c.Close("fini", "lune", at.Add(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got := code(c.Tell("Encore.", "lune", at)); got != "case.closed" {
		t.Errorf("told in a closed case: %q", got)
	}
	if err := c.Hear("Elle est revenue.", at.Add(3*time.Hour)); err != nil || c.State != CaseActive || len(c.Unanswered()) != 1 {
		t.Errorf("a message to a closed case: %v, %s, %d open", err, c.State, len(c.Unanswered()))
	}
	if err := c.Settle("soleil", at); err != nil || len(c.Unanswered()) != 0 || c.Messages[2].Settled != "soleil" {
		t.Errorf("settled: %v, %+v", err, c.Messages[2])
	}
	for _, e := range c.TakeConsequences().Events {
		for k, v := range e.Data {
			if strings.Contains(v, "question") || strings.Contains(v, "revenue") {
				t.Errorf("event %s tells what was written: %s=%q", e.Kind, k, v)
			}
		}
		if e.Actor == ActorReporter && e.At.Minute() != 0 {
			t.Errorf("event %s tells the minute %s", e.Kind, e.At)
		}
	}

	for _, x := range []struct{ text, want string }{
		{" \n\t", "message.empty"}, {"\u202e\u2066", "message.empty"},
		{strings.Repeat("é", MaxMessage+1), "message.long"}, {strings.Repeat("é", MaxMessage), ""},
	} {
		if got := code(fresh().Hear(x.text, at)); got != x.want {
			t.Errorf("%.10q heard: %q, want %q", x.text, got, x.want)
		}
	}
	c = fresh()
	for k := range MaxUnanswered {
		if err := c.Hear("message "+itoa(k), at); err != nil {
			t.Fatal(err)
		}
	}
	if got := code(c.Hear("un de plus", at)); got != "message.many" || len(c.Messages) != MaxUnanswered {
		t.Errorf("one too many: %q, %d kept", got, len(c.Messages))
	}
	if got := code(fresh().Tell("Nous avons demandé le retrait à {services}.", "lune", at)); got != "message.unfilled" {
		t.Errorf("a name left in: %q", got)
	}
	c = fresh()
	c.Withdrawn = at
	if got := code(c.Hear("Bonjour", at)); got != "message.withdrawn" {
		t.Errorf("after a withdrawal: %q", got)
	}
	if got := code(c.Tell("Bonjour", "lune", at)); got != "message.gone" {
		t.Errorf("told after a withdrawal: %q", got)
	}
}
