package rempart

import (
	"errors"
	"fmt"
)

// Kind says what whoever caused an error can do about it.
type Kind int

// Kinds of error. One table in package web turns them into HTTP statuses.
const (
	Internal     Kind = iota // our fault: nothing to do but try again later
	Invalid                  // change what was sent
	NotFound                 // it is not there, or not for you
	Conflict                 // it changed meanwhile, or is in a state that forbids this
	Unauthorized             // say who you are
	Forbidden                // you may not
	TooLarge                 // send less
	Unavailable              // a part is missing or busy: try again
	Unknown                  // it may have happened: do not repeat blindly, look first
	Limited                  // asked too often: wait, then go on
)

var kindNames = [...]string{"internal", "invalid", "not found", "conflict", "unauthorized", "forbidden", "too large", "unavailable", "unknown outcome", "limited"}

// String returns the kind in a few lower-case words.
func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return fmt.Sprintf("kind %d", int(k))
	}
	return kindNames[k]
}

// An Error has a sentence for the person and a cause for the operator. Only
// Code, Field, Args and Public may be shown to anyone; Err is for the log, and
// never holds content either.
type Error struct {
	Kind   Kind
	Code   string // key of the sentence in the catalogues, such as "report.nothing"
	Field  string // name of the field at fault, if one is
	Public string // the sentence in English, for programs and as a fallback
	Args   []any  // numbers the sentence needs
	Err    error
}

// Error returns the sentence and, behind it, the cause.
func (e *Error) Error() string {
	s := e.Public
	if s == "" {
		s = e.Kind.String()
	}
	if e.Field != "" {
		s = e.Field + ": " + s
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of err: that of the first [Error] in its chain, or
// Internal.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// Problems are all faults found in one thing a person or program sent, so that
// all can be said at once. It is never empty when returned as an error.
type Problems []*Error

// Error joins the sentences.
func (p Problems) Error() string {
	s := ""
	for i, e := range p {
		if i > 0 {
			s += "; "
		}
		s += e.Error()
	}
	return s
}

// Unwrap returns the faults, so that errors.As finds the first.
func (p Problems) Unwrap() []error {
	out := make([]error, len(p))
	for i, e := range p {
		out[i] = e
	}
	return out
}

func (p *Problems) add(field, code, public string, args ...any) {
	*p = append(*p, &Error{Kind: Invalid, Field: field, Code: code, Public: public, Args: args})
}

func (p Problems) err() error {
	if len(p) == 0 {
		return nil
	}
	return p
}

func conflict(code, public string) error {
	return &Error{Kind: Conflict, Code: code, Public: public}
}
