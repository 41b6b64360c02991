package exchange

import (
	"context"
	"net/http"

	"rempart"
)

// followUpData is what the template of a reminder or a complaint can name.
type followUpData struct {
	Notice    Notice // as it was sent
	Number    string // that the service gave it; "" if it gave none
	Step      string // "reminder" or "complaint"
	Subject   string
	Text      string // the whole message as people read it, with our reference and the addresses
	Addresses []string
}

// renderFollowUp writes the body of a request that is a reminder or a complaint.
func renderFollowUp(r rempart.Request, n rempart.Notice, step rempart.RungKind, text string) ([]byte, error) {
	d := followUpData{Notice: FromNotice(n), Number: n.Number, Step: string(step), Addresses: addressesOf(n)}
	d.Subject, d.Text = RungMail(n, text)
	return execute(r, r.FollowUp, d)
}

// SendFollowUp delivers a reminder or a complaint on n to an API of somebody
// else's, by its template FollowUp, as [SendRequest] does a notice.
func SendFollowUp(ctx context.Context, c *http.Client, u string, r rempart.Request, headers map[string]string, key string, n rempart.Notice, step rempart.RungKind, text string) (number string, status int, answer string, err error) {
	body, err := renderFollowUp(r, n, step, text)
	if err != nil {
		return "", 0, "", &Failure{Answer: "the template for this service cannot write this step", Permanent: true, Err: err}
	}
	return sendBody(ctx, c, u, r, headers, key, body)
}
