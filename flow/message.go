package flow

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"

	"rempart"
)

// PassFor is how long the page that a code opened may send messages, and be shown
// again, without the code being typed again.
const PassFor = time.Hour

// A FollowMessage is one message as the person may see it: who of the staff wrote
// is not said.
type FollowMessage struct {
	Mine bool // she wrote it
	At   time.Time
	Text string
}

func followMessages(c *rempart.Case) (out []FollowMessage) {
	for _, m := range c.Messages {
		out = append(out, FollowMessage{Mine: m.FromPerson(), At: m.At, Text: m.Text})
	}
	return out
}

// pass returns what lets the holder of a code write in her case for [PassFor],
// and see the page that she wrote on again. It is in that page, and withdraws
// nothing.
func (f *Flow) pass(caseID string) string {
	end := binary.BigEndian.AppendUint64(nil, uint64(f.Now().Add(PassFor).Unix()))
	return base64.RawURLEncoding.EncodeToString(append(append(end, f.passSum(end, caseID)...), caseID...))
}

func (f *Flow) passSum(end []byte, caseID string) []byte {
	m := hmac.New(sha256.New, f.DB.Secret("message pass"))
	m.Write(end)
	m.Write([]byte(caseID))
	return m.Sum(nil)
}

// passed returns the identifier of the case that a pass is for; "" if it is none
// of ours or too old.
func (f *Flow) passed(pass string) string {
	b, err := base64.RawURLEncoding.Strict().DecodeString(pass)
	if err != nil || len(b) <= 8+sha256.Size {
		return ""
	}
	end, sum, id := b[:8], b[8:8+sha256.Size], string(b[8+sha256.Size:])
	if !hmac.Equal(sum, f.passSum(end, id)) || f.Now().After(time.Unix(int64(binary.BigEndian.Uint64(end)), 0)) {
		return ""
	}
	return id
}

// Hear takes a message from the holder of a code, as typed, or from the page that
// it opened: pass, if it is still one. It returns the case as the person then
// sees it, also when the message is refused and the case is hers. A pass that is
// too old is an error of the field "code": she types it again.
func (f *Flow) Hear(ctx context.Context, typed, pass, text string) (*Follow, error) {
	now := f.Now()
	return f.fromPerson(ctx, typed, pass, func(c *rempart.Case) error { return c.Hear(text, now) })
}

// AddAddress takes another address from the holder of a code, as Hear takes a
// message.
func (f *Flow) AddAddress(ctx context.Context, typed, pass, address string) (*Follow, error) {
	now := f.Now()
	v, err := f.fromPerson(ctx, typed, pass, func(c *rempart.Case) error {
		_, err := c.AddAddress(address, rempart.ActorReporter, now)
		return err
	})
	var e *rempart.Error
	if err == nil {
		f.Wake()
	} else if errors.As(err, &e) && e.Code == "message.pass" {
		return nil, &rempart.Error{Kind: rempart.Invalid, Field: "code", Code: "address.pass",
			Public: "This page was open for more than an hour. Please type your code again; the address is kept below."}
	}
	return v, err
}

// fromPerson changes the case that a code, as typed, or a pass opens.
func (f *Flow) fromPerson(ctx context.Context, typed, pass string, change func(*rempart.Case) error) (*Follow, error) {
	id := f.passed(pass)
	switch {
	case typed != "":
		c, err := f.caseByCode(ctx, typed)
		if err != nil {
			return nil, err
		}
		id = c.ID
	case id == "":
		return nil, &rempart.Error{Kind: rempart.Invalid, Field: "code", Code: "message.pass",
			Public: "This page was open for more than an hour. Please type your code again; your message is kept below."}
	}
	refused := f.DB.UpdateCase(ctx, id, "", change)
	if k := rempart.KindOf(refused); refused != nil && k != rempart.Invalid && k != rempart.Conflict {
		return nil, refused
	}
	c, err := f.DB.Case(ctx, id)
	if err != nil {
		return nil, err
	}
	v, err := f.follow(ctx, c)
	if err != nil {
		return nil, err
	}
	return v, refused
}
