package exchange

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"rempart"
)

// A Notice is what travels: POST /api/v1/notices, the elements of DSA article
// 16(2) and nothing else of the case.
type Notice struct {
	ID          string               `json:"id" required:"false" doc:"the notifier's identifier of this notice, the same at every attempt"`
	CaseRef     string               `json:"case_ref" required:"false" doc:"the notifier's reference, to quote when writing"`
	Lang        string               `json:"lang" required:"false" enum:"fr,en" doc:"language of the texts"`
	Explanation string               `json:"explanation" required:"false" maxLength:"20000" doc:"16(2)(a): why the content is illegal"`
	Grounds     []rempart.Ground     `json:"grounds" required:"false" doc:"the offences it rests on, with the date and source of each text"`
	Items       []rempart.NoticeItem `json:"items" required:"false" maxItems:"200" doc:"16(2)(b): the exact addresses, and fingerprints to identify the content"`
	Notifier    rempart.Notifier     `json:"notifier" required:"false" doc:"16(2)(c); may be empty where minor is true"`
	GoodFaith   bool                 `json:"good_faith" required:"false" doc:"16(2)(d): good-faith belief that the notice is accurate and complete"`
	Category    string               `json:"category,omitempty" doc:"category of Regulation (EU) 2024/2835, such as 3f"`
	Minor       bool                 `json:"minor,omitempty" doc:"concerns offences of articles 3 to 7 of Directive 2011/93/EU"`
	DoNotTell   bool                 `json:"do_not_disclose,omitempty" doc:"asks that the notifier's identity not be disclosed"`
}

// identifier is what an identifier chosen by somebody else may be: it goes into
// addresses of our pages and into the ledger, so it can be neither a path nor
// words.
var identifier = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// FromNotice returns what travels of n.
func FromNotice(n rempart.Notice) Notice {
	return Notice{ID: n.ID, CaseRef: n.CaseRef, Lang: n.Lang, Explanation: n.Explanation, Grounds: n.Grounds, Items: n.Items,
		Notifier: n.Notifier, GoodFaith: n.GoodFaith, Category: n.Category, Minor: n.Minor, DoNotTell: n.DoNotTell}
}

// Domain returns the notice as the platform that received it keeps it. It
// returns problems for addresses and fingerprints that cannot be used.
func (n Notice) Domain() (rempart.Notice, error) {
	out := rempart.Notice{ID: n.ID, CaseRef: n.CaseRef, Lang: n.Lang, Explanation: n.Explanation, Grounds: n.Grounds,
		Notifier: n.Notifier, GoodFaith: n.GoodFaith, Category: n.Category, Minor: n.Minor, DoNotTell: n.DoNotTell}
	var p rempart.Problems
	if !identifier.MatchString(n.ID) && n.ID != "" {
		p = append(p, &rempart.Error{Kind: rempart.Invalid, Field: "id", Code: "notice.id", Public: "An identifier has 1 to 64 letters, digits, dashes or underscores."})
	}
	seen := map[string]bool{}
	for k, i := range n.Items {
		if i.ID == "" {
			i.ID = fmt.Sprintf("item-%d", k+1)
		}
		if !identifier.MatchString(i.ID) {
			p = append(p, &rempart.Error{Kind: rempart.Invalid, Field: fmt.Sprintf("items[%d].id", k), Code: "notice.item_id", Public: "An identifier has 1 to 64 letters, digits, dashes or underscores."})
		}
		if seen[i.ID] {
			p = append(p, &rempart.Error{Kind: rempart.Invalid, Field: fmt.Sprintf("items[%d].id", k), Code: "notice.item_id", Public: "Two items have the same identifier."})
		}
		seen[i.ID] = true
		if i.Address != "" {
			a, err := rempart.CleanAddress(i.Address)
			if err != nil {
				p = append(p, &rempart.Error{Kind: rempart.Invalid, Field: fmt.Sprintf("items[%d].address", k), Code: "notice.address", Public: "This is not an http address."})
			}
			i.Address = a
		}
		for j, f := range i.Fingerprints {
			f, err := f.Normal()
			if err != nil {
				p = append(p, &rempart.Error{Kind: rempart.Invalid, Field: fmt.Sprintf("items[%d].fingerprints[%d]", k, j), Code: "notice.fingerprint", Public: err.Error()})
			}
			i.Fingerprints[j] = f
		}
		out.Items = append(out.Items, i)
	}
	if len(p) > 0 {
		return out, p
	}
	return out, nil
}

// A Receipt is a platform's answer to a notice: it has it, under this number.
type Receipt struct {
	ID         string    `json:"id" doc:"identifier to ask for the notice's state with"`
	Number     string    `json:"number" doc:"number for people to quote"`
	State      string    `json:"state" enum:"received,decided"`
	ReceivedAt time.Time `json:"received_at"`
}

// MaxNumber is the longest number of a platform, in bytes: it is written to the
// ledger, where nothing else that others write may get.
const MaxNumber = 100

// numberFits tells whether a platform's number is one line of printable
// characters.
func numberFits(n string) bool {
	return n != "" && len(n) <= MaxNumber && strings.IndexFunc(n, func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }) < 0
}

// SendNotice delivers a notice to the instance at base, with key as our
// credential there. The notice's identifier is the idempotency key: delivering
// it again gives the same receipt. Any outcome but a receipt is a *Failure.
func SendNotice(ctx context.Context, c *http.Client, base, key string, n Notice) (r Receipt, status int, answer string, err error) {
	body, err := json.Marshal(n)
	if err != nil {
		return r, 0, "", fmt.Errorf("exchange: write notice %s: %w", n.ID, err)
	}
	h := http.Header{"Authorization": {"Bearer " + key}, "Idempotency-Key": {n.ID}}
	status, answer, err = post(ctx, c, base, "/api/v1/notices", body, h, &r)
	if err == nil && !numberFits(r.Number) {
		err = &Failure{Status: status, Answer: "the answer holds no number: " + answer}
	}
	return r, status, answer, err
}

// Identifier tells whether s can be an identifier that somebody else chose.
func Identifier(s string) bool { return identifier.MatchString(s) }
