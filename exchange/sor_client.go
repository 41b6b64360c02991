package exchange

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// maxSorAnswer is how much of the database's answer is read: it repeats each
// statement of a batch.
const maxSorAnswer = 4 << 20

// A SorDatabase is the EU's transparency database, or a server that speaks its
// API. Source of what it answers: as in sor_rules.go, with routes/api_v1.php and
// app/Exceptions.
type SorDatabase struct {
	Client *http.Client
	Base   string // address before /api/v1
	Token  string
}

// A Taken is what the database made of statements.
type Taken struct {
	UUIDs    map[string]string // by puid: those it took now
	Existing []string          // puids that it has already; if there are any, it took none of the call
}

// Send submits 1 to 100 statements in one call, which the database takes whole
// or not at all. A puid that it has already is no failure: it is in
// Taken.Existing, and the others are to be sent again. Any other outcome is a
// *Failure; one without a status, or a 2xx that cannot be read, leaves open
// whether they were taken: ask [SorDatabase.Exists] before sending again.
func (db SorDatabase) Send(ctx context.Context, list []Statement) (Taken, error) {
	t := Taken{UUIDs: map[string]string{}}
	path, body := "/api/v1/statements", any(map[string]any{"statements": list})
	switch {
	case len(list) == 0 || len(list) > MaxStatements:
		return t, fmt.Errorf("exchange: %d statements in one call, not 1 to %d", len(list), MaxStatements)
	case len(list) == 1:
		path, body = "/api/v1/statement", list[0]
	}
	b, err := json.Marshal(body)
	if err != nil {
		return t, fmt.Errorf("exchange: write statements: %w", err)
	}
	status, answer, err := db.call(ctx, http.MethodPost, path, b)
	if err != nil {
		return t, err
	}
	type one struct {
		PUID string `json:"puid"`
		UUID string `json:"uuid"`
	}
	var a struct {
		one
		Statements []one `json:"statements"`
		Existing   one   `json:"existing"`
		Errors     struct {
			Existing []string `json:"existing_puids"`
		} `json:"errors"`
	}
	unread := json.Unmarshal(answer, &a)
	switch {
	case status == http.StatusUnprocessableEntity && len(a.Errors.Existing) > 0:
		t.Existing = a.Errors.Existing
		return t, nil
	case status == http.StatusUnprocessableEntity && a.Existing.PUID != "":
		t.Existing = []string{a.Existing.PUID}
		return t, nil
	case status != http.StatusCreated:
		return t, db.failure(status, answer)
	case unread != nil:
		return t, &Failure{Status: status, Answer: "the answer is not a receipt: " + oneLine(answer), Err: unread}
	}
	for _, x := range append(a.Statements, a.one) {
		if x.PUID != "" {
			t.UUIDs[x.PUID] = x.UUID
		}
	}
	for _, s := range list {
		if t.UUIDs[s.PUID] == "" {
			return t, &Failure{Status: status, Answer: "the answer leaves out a statement that was sent"}
		}
	}
	return t, nil
}

// Exists tells whether the database has a statement with this puid: it answers
// 302, without an address to go to, or 404. Any other outcome is a *Failure.
func (db SorDatabase) Exists(ctx context.Context, puid string) (bool, error) {
	status, answer, err := db.call(ctx, http.MethodGet, "/api/v1/statement/existing-puid/"+url.PathEscape(puid), nil)
	if err != nil {
		return false, err
	}
	var a struct {
		Message string `json:"message"`
	}
	read := json.Unmarshal(answer, &a) == nil && a.Message != ""
	switch {
	case status == http.StatusFound:
		return true, nil
	case status == http.StatusNotFound && read: // a 404 of something else than the database is no answer
		return false, nil
	}
	return false, db.failure(status, answer)
}

// failure is an answer that helps nobody. A token that is refused can be mended
// by the operator while we wait, as can an address.
func (db SorDatabase) failure(status int, answer []byte) *Failure {
	f := &Failure{Status: status, Answer: oneLine(answer)}
	f.Permanent = status == http.StatusUnprocessableEntity || status == http.StatusBadRequest || status == http.StatusRequestEntityTooLarge
	return f
}

// call makes one call and returns its answer, unless there is none or it asks to
// wait.
func (db SorDatabase) call(ctx context.Context, method, path string, body []byte) (int, []byte, error) {
	u, err := url.JoinPath(db.Base, path)
	if err != nil {
		return 0, nil, &Failure{Answer: "the database's address cannot be read", Permanent: true, Err: err}
	}
	req, err := http.NewRequestWithContext(ctx, method, u, bytes.NewReader(body))
	if err != nil {
		return 0, nil, &Failure{Answer: "the database's address cannot be used", Permanent: true, Err: err}
	}
	req.Header.Set("Authorization", "Bearer "+db.Token)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "rempart")
	resp, err := db.Client.Do(req)
	if err != nil {
		return 0, nil, &Failure{Answer: networkText(err), Err: err}
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxSorAnswer))
	if err != nil {
		return 0, nil, &Failure{Status: resp.StatusCode, Answer: "the answer broke off", Err: err}
	}
	if resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500 {
		return 0, nil, &Failure{Status: resp.StatusCode, Answer: oneLine(answer), RetryAfter: retryAfter(resp.Header.Get("Retry-After"))}
	}
	return resp.StatusCode, answer, nil
}
