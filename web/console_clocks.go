package web

import (
	"rempart"
)

// clockName says what a clock of a case waits for.
func clockName(p page, c *rempart.Case, k *rempart.Clock) string {
	if k.Await == rempart.AwaitOwn {
		return k.Label
	}
	service := "–"
	if n := c.Notice(k.NoticeID); n != nil {
		service = n.ServiceName
	}
	return p.T("clock."+string(k.Await), service)
}
