package exchange

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"rempart"
)

// A Reminder asks again for what a notice waits for: POST
// /api/v1/notices/{id}/reminders. The platform answers with the notice's receipt
// as it stands.
type Reminder struct {
	NoticeID string    `json:"notice_id" doc:"the notifier's identifier of the notice"`
	SentAt   time.Time `json:"sent_at" doc:"when the notice was received, by its receipt"`
	Awaits   string    `json:"awaits" enum:"acknowledgement,decision" doc:"what has not come: articles 16(4) and 16(5)"`
	Text     string    `json:"text" maxLength:"20000" doc:"the same in words, for a moderator"`
}

// ReminderOf returns the reminder of a notice that has been waiting.
func ReminderOf(n rempart.Notice, text string) Reminder {
	r := Reminder{NoticeID: n.ID, SentAt: n.Since, Awaits: "acknowledgement", Text: text}
	if n.State == rempart.NoticeAcknowledged {
		r.Awaits = "decision"
	}
	return r
}

// SendReminder delivers a reminder of the notice that a platform knows under a
// number. id is its idempotency key: delivering it again gives the same receipt
// and reminds nobody twice. Any outcome but a receipt is a *Failure.
func SendReminder(ctx context.Context, c *http.Client, base, key, id, number string, m Reminder) (r Receipt, status int, answer string, err error) {
	body, err := json.Marshal(m)
	if err != nil {
		return r, 0, "", fmt.Errorf("exchange: write reminder %s: %w", id, err)
	}
	h := http.Header{"Authorization": {"Bearer " + key}, "Idempotency-Key": {id}}
	status, answer, err = post(ctx, c, base, "/api/v1/notices/"+url.PathEscape(number)+"/reminders", body, h, &r)
	if err == nil && !numberFits(r.Number) {
		err = &Failure{Status: status, Answer: "the answer holds no number: " + answer}
	}
	return r, status, answer, err
}

// SendComplaint delivers a complaint against the decisions on the notice that a
// platform knows under a number. Its identifier is its idempotency key. Any
// outcome but its state, with a number, is a *Failure.
func SendComplaint(ctx context.Context, c *http.Client, base, key, number string, m Complaint) (s ComplaintState, status int, answer string, err error) {
	body, err := json.Marshal(m)
	if err != nil {
		return s, 0, "", fmt.Errorf("exchange: write complaint %s: %w", m.ID, err)
	}
	h := http.Header{"Authorization": {"Bearer " + key}, "Idempotency-Key": {m.ID}}
	status, answer, err = post(ctx, c, base, "/api/v1/notices/"+url.PathEscape(number)+"/complaints", body, h, &s)
	if err == nil && !numberFits(s.Number) {
		err = &Failure{Status: status, Answer: "the answer holds no number: " + answer}
	}
	return s, status, answer, err
}
