package flow

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"rempart"
	"rempart/store"
)

// Submitted is the answer to a report.
type Submitted struct {
	Code      rempart.CaseCode // shown once; not kept
	Ref       string           // the case's reference, which opens nothing
	Receipt   string           // signed note: a text with the date and counts, and a signature
	Addresses int
	Pictures  int // with at least one fingerprint
	TooFlat   int // pictures among them that are too flat to be recognised
	At        time.Time
}

// Submit saves a report and returns its code and receipt. key is the
// idempotency key, chosen by whoever sends: the same key with the same report
// gives the same answer again, and with another report is a Conflict.
func (f *Flow) Submit(ctx context.Context, r rempart.Report, key string) (Submitted, error) {
	r, err := r.Normal(f.Now())
	if err != nil {
		return Submitted{}, err
	}
	secret := f.DB.Secret("case code")
	code := rempart.NewCaseCode()
	if key != "" {
		code = rempart.DeriveCaseCode(secret, key)
	}
	body, err := digest(secret, r)
	if err != nil {
		return Submitted{}, err
	}
	r.ID, r.CaseID = rempart.NewID(r.At), rempart.NewID(r.At) // an identifier tells its time
	f.at("submit.before")
	saved, c, _, err := f.DB.Submit(ctx, store.Submission{
		Report: r, Case: rempart.OpenCase(r), CodeHash: code.Hash(secret), Key: key, Body: body,
	})
	if err != nil {
		return Submitted{}, err
	}
	f.at("submit.saved")
	f.Wake()
	s := Submitted{Code: code, Ref: c.Ref, Addresses: len(saved.Addresses), Pictures: len(saved.Media), At: saved.At}
	for _, m := range saved.Media {
		if tooFlat(m) {
			s.TooFlat++
		}
	}
	s.Receipt, err = f.DB.Sign(receipt(saved, c, s))
	return s, err
}

// digest returns a keyed digest of what a person sent, without its time.
func digest(secret []byte, r rempart.Report) (string, error) {
	r.At = time.Time{}
	b, err := json.Marshal(r)
	if err != nil {
		return "", fmt.Errorf("flow: digest of report: %w", err)
	}
	m := hmac.New(sha256.New, secret)
	m.Write([]byte("rempart report digest v1\x00"))
	m.Write(b)
	return hex.EncodeToString(m.Sum(nil)), nil
}

func tooFlat(m rempart.Medium) bool {
	for _, p := range m.Fingerprints {
		if p.Type.Perceptual() && p.Listable() {
			return false
		}
	}
	for _, p := range m.Fingerprints {
		if p.Type.Perceptual() {
			return true
		}
	}
	return false
}

// receipt is the text that the instance signs: it proves that a report with so
// many items was received on that day, and tells nothing of what it says. The
// digest lets the person prove later which fingerprints and addresses it held.
func receipt(r rempart.Report, c *rempart.Case, s Submitted) string {
	h := sha256.New()
	for _, a := range r.Addresses {
		fmt.Fprintf(h, "address %s\n", a)
	}
	for _, m := range r.Media {
		for _, p := range m.Fingerprints {
			fmt.Fprintf(h, "%s %s\n", p.Type, p.Value)
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "rempart receipt v1\n")
	fmt.Fprintf(&b, "reference %s\n", c.Ref)
	fmt.Fprintf(&b, "received %s\n", r.At.UTC().Format("2006-01-02 15h UTC"))
	fmt.Fprintf(&b, "addresses %d\npictures %d\n", s.Addresses, s.Pictures)
	fmt.Fprintf(&b, "items-sha256 %x\n", h.Sum(nil))
	return b.String()
}

// A Follow is what the holder of a code may see of her case.
type Follow struct {
	Ref      string
	Lang     string
	OpenedAt time.Time
	State    rempart.CaseState
	Minor    bool
	Items    []FollowItem
	Stops    int // over all items
	Messages []FollowMessage

	Withdrawals []store.Confirmation // platforms that could have a copy of fingerprints that were withdrawn
	Pass        string               // lets her write, from this page alone; "" where nobody may write any more
}

// A FollowItem is one item as its person may see it.
type FollowItem struct {
	Number   int // 1, 2, … among its kind
	Kind     rempart.ItemKind
	Address  string // empty for a picture
	State    rempart.ItemState
	Since    time.Time
	Service  string // name of the service notified, "" if none
	Measure  rempart.Measure
	Stops    int
	LastStop time.Time

	Checked bool // of a protected picture: each fingerprint of it waits for a decision, and no copy is stopped meanwhile

	Step     rempart.RungKind // the last step after a notice of which we hold the proof, "" for none
	StepAt   time.Time
	Answered bool      // and the platform answered it
	Mailed   bool      // the notice went by e-mail: only a mail server has confirmed it
	Told     bool      // a platform told of its own that a copy is there; until it is notified
	GoneAt   time.Time // when we found that it no longer answered, before the platform decided; zero if not
}

func (f *Flow) caseByCode(ctx context.Context, typed string) (*rempart.Case, error) {
	code, err := rempart.ParseCaseCode(typed)
	if err != nil {
		return nil, err
	}
	c, err := f.DB.CaseByCode(ctx, code.Hash(f.DB.Secret("case code")))
	if rempart.KindOf(err) == rempart.NotFound {
		return nil, &rempart.Error{Kind: rempart.NotFound, Field: "code", Code: "code.unknown", Public: "No report has this code. Please look at each group again."}
	}
	return c, err
}

// FollowUp returns what the holder of a code, as typed, may see. A code with a
// typing mistake and a code that opens nothing are different errors, as the
// check character tells them apart without asking the store.
func (f *Flow) FollowUp(ctx context.Context, typed string) (*Follow, error) {
	c, err := f.caseByCode(ctx, typed)
	if err != nil {
		return nil, err
	}
	v, err := f.follow(ctx, c)
	if err != nil {
		return nil, err
	}
	v.Withdrawals, err = f.DB.Confirmations(ctx, c.ID)
	return v, err
}

// follow is what the person of a case may see of it: her items and messages, and
// nothing of what another case has to do with it but where her items stand.
func (f *Flow) follow(ctx context.Context, c *rempart.Case) (*Follow, error) {
	there, err := f.carriers(ctx, c)
	if err != nil {
		return nil, err
	}
	v := &Follow{Ref: c.Ref, Lang: c.Lang, OpenedAt: c.OpenedAt, State: c.State, Minor: c.Facts.Minor(), Messages: followMessages(c)}
	if c.Withdrawn.IsZero() {
		v.Pass = f.pass(c.ID)
	}
	count := map[rempart.ItemKind]int{}
	if c.Merged != nil && there[c.Merged.CaseID] != nil {
		v.State = there[c.Merged.CaseID].State
	}
	for _, own := range c.Items {
		if own.From != "" { // another person's
			continue
		}
		c, i := place(there, c, own)
		count[i.Kind]++
		fi := FollowItem{Number: count[i.Kind], Kind: i.Kind, Address: own.Address, State: i.State, Since: i.Since, Stops: own.Stops, LastStop: own.LastStop}
		if own.State == rempart.ItemFollowed {
			fi.Stops += i.Stops
			if i.LastStop.After(fi.LastStop) {
				fi.LastStop = i.LastStop
			}
		}
		fi.Told = i.ToldBy != "" && i.State == rempart.ItemReported
		if n := c.Notice(i.NoticeID); n != nil {
			fi.Service = n.ServiceName
			fi.Step, fi.StepAt, fi.Answered = lastStep(n, i.State)
			fi.Mailed = i.State == rempart.ItemNotified && n.Mailed()
		}
		if i.Decision != nil {
			fi.Measure = i.Decision.Measure
		}
		if _, _, gone := i.Rechecks.Removal(); gone && (i.State == rempart.ItemNotified || i.State == rempart.ItemAcknowledged) {
			fi.GoneAt = i.Rechecks.Gone
		}
		if i.State == rempart.ItemProtected {
			if fi.Checked, err = f.DB.Checked(ctx, i.Entries); err != nil {
				return nil, err
			}
		}
		v.Stops += fi.Stops
		v.Items = append(v.Items, fi)
	}
	return v, nil
}
