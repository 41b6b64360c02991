package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"rempart"
)

// flashes are the codes that may follow ?ok= after a change; the sentence of
// each is "ok.<code>" in the catalogues. Nothing else of an address is shown.
var flashes = []string{
	"case_merged", "case_unmerged", "case_split",
	"signed_out", "qualification_confirmed", "qualification_rejected", "fingerprint_confirmed", "fingerprint_rejected",
	"fingerprint_withdrawn", "item_dropped", "notice_prepared", "notice_saved", "notice_queued", "notice_cancelled", "notice_arrived", "notice_acknowledged",
	"case_closed", "case_reopened", "item_decided", "intake_decided", "facts_corrected", "facts_same", "qualification_added", "case_requalified",
	"clock_added", "clock_paused", "clock_resumed", "clock_stopped", "task_done", "delays_saved",
	"factor_added", "factor_removed", "sessions_ended", "staff_changed", "account_linked", "account_removed",
	"case_taken", "case_handed_over", "case_given_back", "view_saved", "view_dropped", "case_skipped", "queue_end",
	"rest_saved", "bulk_planned", "bulk_undone",
	"hold_placed", "hold_lifted", "identity_kept", "identity_erased",
	"order_retried", "order_by_hand", "complaint_decided", "notifier_warn", "notifier_suspend", "notifier_lift",
	"referral_open", "referral_sent", "referral_drop",
	"rung_queued", "rung_recorded", "rung_skipped", "answer_recorded", "decision_corrected", "ladder_saved", "notice_recalled", "notice_recorded", "item_back",
	"mail_filed", "mail_dropped", "mails_dropped",
	"template_saved", "template_dropped", "step_saved", "step_default", "rung_recalled",
	"item_labelled", "item_skipped", "item_settled", "labelling_ended",
	"list_task_decided", "service_saved", "fact_added", "weights_listed", "weights_dropped",
}

// consolePage starts a page of the staff's side.
func (s *Server) consolePage(r *http.Request) page {
	p := s.newPage(r, "console", "", nil)
	if m, ok := staffOf(r); ok {
		p.Staff = &m
	}
	if code := r.URL.Query().Get("ok"); slices.Contains(flashes, code) {
		p.Flash = p.T("ok." + code)
	}
	return p
}

// done answers a change with the page to look at next, and the code of the
// sentence that says what was done.
func done(w http.ResponseWriter, r *http.Request, to, code string) {
	to += "?ok=" + url.QueryEscape(code)
	if ref := r.PathValue("ref"); ref != "" && r.FormValue("then") == "next" {
		q := url.Values{"from": {ref}, "ok": {code}}
		selected(q, r.Form)
		to = "/console/next?" + q.Encode()
	}
	http.Redirect(w, r, withLang(r, to), http.StatusSeeOther)
}

// A remark is one thing to put right, in the page's language.
type remark struct {
	Field   string // name of the field at fault, "" if none is
	Article string // article of the DSA that asks for it, "" if none does
	Text    string
}

// remarksOf returns the sentences of an error that a person can put right.
func remarksOf(p page, err error) []remark {
	var out []remark
	for _, e := range faults(err) {
		out = append(out, remark{Field: e.Field, Text: p.Problem(e)})
	}
	return out
}

// missingRemarks are the elements that a notice or a decision lacks.
func missingRemarks(p page, missing []rempart.Missing) []remark {
	var out []remark
	for _, m := range missing {
		out = append(out, remark{m.Field, m.Article, p.Problem(&rempart.Error{Code: m.Code, Public: m.Public})})
	}
	return out
}

// remarkOn returns the remark of a field, or nil, for templates.
func remarkOn(all []remark, name string) *remark {
	for k := range all {
		if all[k].Field == name {
			return &all[k]
		}
	}
	return nil
}

// ago says how long ago at was, in the largest unit that is not 0.
func ago(p page, at, now time.Time) string {
	switch d := now.Sub(at); {
	case d < time.Hour:
		return p.T("age.hour")
	case d < 24*time.Hour:
		return p.N("age.hours", int(d.Hours()))
	default:
		return p.N("age.days", int(d.Hours()/24))
	}
}

// A tab shows the rows in one state.
type tab struct {
	Label   string
	URL     string
	Count   int // negative: not shown
	Current bool
}

// consoleHome is where each role's work is: cases, notices, or the instance.
func (s *Server) consoleHome(w http.ResponseWriter, r *http.Request) {
	m, _ := staffOf(r)
	switch {
	case m.May(rempart.RightRead) && s.Hub:
		s.queue(w, r)
	case m.May(rempart.RightModerate) && s.Platform:
		s.intakes(w, r)
	case m.May(rempart.RightAdmin):
		http.Redirect(w, r, withLang(r, "/console/admin"), http.StatusSeeOther)
	case m.May(rempart.RightAudit):
		http.Redirect(w, r, withLang(r, "/console/audit"), http.StatusSeeOther)
	default:
		s.fail(w, r, "console", &rempart.Error{Kind: rempart.Forbidden, Code: "staff.no_work", Public: "This instance has no work for your role."})
	}
}

// turn returns the addresses of the next page and of the first one, with the
// filters of the present one; "" where there is none.
func turn(r *http.Request, p page, next string) (nextURL, firstURL string) {
	q := url.Values{}
	for _, name := range queueNames {
		if x := r.URL.Query().Get(name); x != "" {
			q.Set(name, x)
		}
	}
	at := func() string {
		if len(q) == 0 {
			return p.URL(r.URL.Path)
		}
		return p.URL(r.URL.Path + "?" + q.Encode())
	}
	if r.URL.Query().Get("after") != "" {
		firstURL = at()
	}
	if next != "" {
		q.Set("after", next)
		nextURL = at()
	}
	return nextURL, firstURL
}

// plainText returns what a form's text area sent with the line ends of a text
// and valid UTF-8.
func plainText(s string) string {
	return strings.TrimSpace(strings.ToValidUTF8(strings.ReplaceAll(s, "\r\n", "\n"), "\uFFFD"))
}

// Day returns a day written YYYY-MM-DD as the language writes it, and anything
// else as it is.
func (p page) Day(iso string) string {
	t, err := time.ParseInLocation(time.DateOnly, iso, paris)
	if err != nil {
		return iso
	}
	return p.Date(t)
}

// A pillView is a state in a word, with a tone beside it.
type pillView struct{ Tone, Text string }

// tones are the colours of the states that are not neutral; each also has its
// word.
var tones = map[string]string{
	"priority.1": "danger", "priority.2": "warn",
	"case.open": "warn", "case.active": "info",
	"item.reported": "warn", "item.queued": "info", "item.failed": "danger", "item.notified": "info",
	"item.acknowledged": "info", "item.removed": "success", "item.restricted": "success", "item.refused": "warn",
	"item.filed": "warn", "item.protected": "success",
	"notice.draft": "warn", "notice.queued": "info", "notice.failed": "danger", "notice.sent": "info", "notice.mailed": "info",
	"notice.acknowledged": "info", "notice.decided": "success",
	"qualification.proposed": "warn", "qualification.confirmed": "success",
	"intake.received": "warn", "intake.decided": "success",
	"clock.running": "info", "clock.warned": "warn", "clock.missed": "danger", "clock.escalated": "danger", "clock.met": "success",
	"rung.queued": "info", "rung.asked": "warn", "rung.sent": "success", "rung.answered": "success", "rung.next": "info",
	"bulk.good": "success", "bulk.refused": "danger", "bulk.waiting": "warn", "bulk.done": "success",
	"mail.reply": "info", "mail.bounce": "danger",
	"entry.disputed": "warn", "entry.quarantined": "danger", "entry.received": "info", "entry.probed": "warn",
	"step.todo": "warn", "step.review": "warn", "step.waiting": "info", "step.done": "success",
}

// Pill returns the word of a state of a kind of thing, such as "item" and
// "removed": the sentence "pill.<kind>.<state>".
func (p page) Pill(kind string, state any) pillView {
	name := fmt.Sprintf("%s.%v", kind, state)
	tone := tones[name]
	if tone == "" {
		tone = "neutral"
	}
	return pillView{tone, p.T("pill." + name)}
}
