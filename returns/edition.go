package returns

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A Kind says which return it is.
type Kind string

// Kinds of return.
const (
	Parliament     Kind = "parliament"
	TrustedFlagger Kind = "trusted-flagger"
	Harmonised     Kind = "harmonised"
)

// Kinds lists every kind.
var Kinds = []Kind{Parliament, TrustedFlagger, Harmonised}

// A Period is the days that a return is about, both included, YYYY-MM-DD.
type Period struct {
	Name  string `json:"name"` // as it was asked for: 2026, or 2026-H1
	From  string `json:"from"`
	Until string `json:"until"`
}

var periods = regexp.MustCompile(`^([0-9]{4})(-[Hh][12])?$`)

// ParsePeriod reads a calendar year, such as 2026, or for the harmonised return
// a half of it too, such as 2026-H1. The others take whole years only: two
// periods that overlap would let a hidden figure be found by subtraction.
func ParsePeriod(s string, k Kind) (Period, error) {
	m := periods.FindStringSubmatch(strings.TrimSpace(s))
	if m == nil {
		return Period{}, fmt.Errorf("%q is no period: give a year, such as 2026", s)
	}
	if m[1] < "2020" || m[1] > "2100" {
		return Period{}, fmt.Errorf("%q is no period that this instance can have seen", s)
	}
	p := Period{m[1] + strings.ToUpper(m[2]), m[1] + "-01-01", m[1] + "-12-31"}
	switch {
	case m[2] == "":
		return p, nil
	case k != Harmonised:
		return Period{}, errors.New("this return is of a whole year: two periods that overlap would let a hidden figure be found by subtraction")
	case strings.HasSuffix(p.Name, "1"):
		p.Until = m[1] + "-06-30"
	default:
		p.From = m[1] + "-07-01"
	}
	return p, nil
}

// End is the moment at which the period is over, in UTC.
func (p Period) End() time.Time {
	t, err := time.Parse(time.DateOnly, p.Until)
	if err != nil {
		return time.Time{}
	}
	return t.AddDate(0, 0, 1)
}

// An Edition is what is frozen about a return beside its counts: how far they
// were read, and what cannot be counted anew. It never changes.
type Edition struct {
	Format  int       `json:"format"` // of the files, 1
	Kind    Kind      `json:"kind"`
	Period  Period    `json:"period"`
	Number  int       `json:"edition"` // from 1
	Frozen  string    `json:"frozen"`  // the day, YYYY-MM-DD
	Seq     int64     `json:"seq"`     // last line of the tally that counts
	Before  time.Time `json:"before"`  // lines of this moment or later do not count
	Whole   bool      `json:"whole"`   // the period was over
	Until   string    `json:"until"`   // the last day that is counted
	Site    string    `json:"site"`
	Name    string    `json:"name"`              // of the association or provider
	Area    string    `json:"area,omitempty"`    // in which it is a trusted flagger
	Trusted bool      `json:"trusted,omitempty"` // it is one (DSA art. 22)
	Demo    bool      `json:"demo,omitempty"`    // everything in it is fictional

	Independence string         `json:"independence,omitempty"` // the procedures, in the organisation's words (art. 22(3))
	Staff        map[string]int `json:"staff,omitempty"`        // active accounts on the day it was frozen, by role
	Previous     string         `json:"previous,omitempty"`     // day of the previous return's publication
	Law          string         `json:"law,omitempty"`          // version of the law pack in use

	Files map[string]string `json:"files,omitempty"` // SHA-256 of each file, in hexadecimal
}

// ID is what the edition is kept under.
func (e Edition) ID() string { return fmt.Sprintf("%s/%s/%d", e.Kind, e.Period.Name, e.Number) }

// Prefix is what the identifiers of a return's editions begin with.
func Prefix(k Kind, p Period) string { return fmt.Sprintf("%s/%s/", k, p.Name) }

// A File is one file of a return.
type File struct {
	Name string
	Body []byte
}

// Sums returns the SHA-256 of each file, in hexadecimal.
func Sums(files []File) map[string]string {
	out := map[string]string{}
	for _, f := range files {
		h := sha256.Sum256(f.Body)
		out[f.Name] = hex.EncodeToString(h[:])
	}
	return out
}

// Statement is the text that is signed with a return: which it is, how far the
// tally was read, and the digest of each file.
func (e Edition) Statement(files []File) string {
	var b strings.Builder
	fmt.Fprintf(&b, "rempart return v1\n%s %s edition %d\nfrozen %s\ncounts up to %d\n", e.Kind, e.Period.Name, e.Number, e.Frozen, e.Seq)
	sums := Sums(files)
	for _, name := range slices.Sorted(func(yield func(string) bool) {
		for n := range sums {
			if !yield(n) {
				return
			}
		}
	}) {
		fmt.Fprintf(&b, "sha256 %s %s\n", sums[name], name)
	}
	return b.String()
}
