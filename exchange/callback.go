package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"rempart"
)

// A Callback is what a platform tells the hub: POST /api/v1/callbacks, signed as
// the Standard Webhooks convention says (https://www.standardwebhooks.com).
// Which fields are filled depends on Type.
type Callback struct {
	Type     string                      `json:"type" enum:"notice.acknowledged,notice.decided,match.stopped,match.published,complaint.decided"`
	At       time.Time                   `json:"at" doc:"when it happened"`
	NoticeID string                      `json:"notice_id,omitempty" doc:"the notifier's identifier"`
	Number   string                      `json:"number,omitempty" doc:"the platform's number"`
	Items    map[string]rempart.Decision `json:"items,omitempty" doc:"notice.decided: the decision on each item, by its identifier; complaint.decided: the decision on each item now, reversed or not"`
	Stop     *Stop                       `json:"stop,omitempty" doc:"match.stopped, match.published"`

	Complaint *ComplaintState `json:"complaint,omitempty" doc:"complaint.decided: what it came to, once what was reversed is carried out"`
}

// A Stop tells that an upload matched and was stopped, or that it is online.
type Stop struct {
	CaseRef  string                  `json:"case_ref"`
	Item     string                  `json:"item" doc:"as the feed gave it"`
	List     string                  `json:"list"`
	Type     rempart.FingerprintType `json:"type"`
	Distance int                     `json:"distance"`
	Address  string                  `json:"address,omitempty" maxLength:"2048" doc:"match.published: the exact address of the copy"`
}

// SendCallback delivers a callback. id is the message's identifier, the same at
// every attempt: the receiver acts on it once.
func SendCallback(ctx context.Context, c *http.Client, base string, cred rempart.Credentials, id string, cb Callback) (status int, answer string, err error) {
	body, err := json.Marshal(cb)
	if err != nil {
		return 0, "", fmt.Errorf("exchange: write callback: %w", err)
	}
	h, err := signed(cred.Secret, id, body)
	if err != nil {
		return 0, "", err
	}
	h.Set("Authorization", "Bearer "+cred.Key)
	return post(ctx, c, base, "/api/v1/callbacks", body, h, nil)
}

// signed returns the headers with which Standard Webhooks signs body.
func signed(secret, id string, body []byte) (http.Header, error) {
	wh, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		return nil, &Failure{Answer: "the secret shared with this peer cannot be used", Permanent: true, Err: err}
	}
	now := time.Now() // of the wall, not of the demo: receivers compare it with theirs
	sig, err := wh.Sign(id, now, body)
	if err != nil {
		return nil, fmt.Errorf("exchange: sign message: %w", err)
	}
	h := http.Header{}
	h.Set(standardwebhooks.HeaderWebhookID, id)
	h.Set(standardwebhooks.HeaderWebhookTimestamp, fmt.Sprint(now.Unix()))
	h.Set(standardwebhooks.HeaderWebhookSignature, sig)
	return h, nil
}

// ReadCallback checks the signature over body and returns the message and its
// identifier. A wrong or missing signature, or one from more than five minutes
// before or after now, is Unauthorized; the latter says that it is the clock.
func ReadCallback(secret string, h http.Header, body []byte) (Callback, string, error) {
	var cb Callback
	wh, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		return cb, "", fmt.Errorf("exchange: secret of peer: %w", err)
	}
	err = wh.Verify(body, h)
	if (errors.Is(err, standardwebhooks.ErrMessageTooOld) || errors.Is(err, standardwebhooks.ErrMessageTooNew)) && wh.VerifyIgnoringTimestamp(body, h) == nil {
		return cb, "", &rempart.Error{Kind: rempart.Unauthorized, Code: "callback.clock", Err: err,
			Public: "This message was signed more than five minutes away from the time here: set the clock of one of us right, and send it signed anew."}
	}
	if err != nil {
		return cb, "", &rempart.Error{Kind: rempart.Unauthorized, Code: "callback.signature", Public: "The signature of this message does not fit.", Err: err}
	}
	if err := json.Unmarshal(body, &cb); err != nil {
		return cb, "", &rempart.Error{Kind: rempart.Invalid, Code: "callback.json", Public: "This message is not a callback in JSON."}
	}
	if (cb.Type == rempart.CallbackAcknowledged || cb.Type == rempart.CallbackDecided || cb.Type == rempart.CallbackComplaint) && !numberFits(cb.Number) {
		return cb, "", &rempart.Error{Kind: rempart.Invalid, Field: "number", Code: "callback.number", Public: "The number of a notice has 1 to 100 printable characters."}
	}
	return cb, h.Get(standardwebhooks.HeaderWebhookID), nil
}
