package web

import (
	"net/http"

	"rempart/idp"
)

// area says whose door a route is, and so which session rule, headers and
// error page go with it.
type area string

const (
	areaPerson  area = "person"  // nobody is asked who she is: no cookie, no log of who came
	areaConsole area = "console" // staff, signed in
	areaOpen    area = "open"    // console pages before sign-in, static files
)

// A route is one door.
type route struct {
	pattern string
	area    area
	handle  func(*Server, http.ResponseWriter, *http.Request)
	doc     string
}

// person, console and platform are the pages; the JSON API is in api.go, and
// described by the OpenAPI document it serves.
var personRoutes = []route{
	{"GET /{$}", areaPerson, (*Server).home, "first screen: under 18, report, follow up, help lines"},
	{"GET /report", areaPerson, (*Server).reportForm, "the report's form"},
	{"POST /report", areaPerson, (*Server).reportPost, "saves the report; shows the case code, once"},
	{"POST /report/confirm", areaPerson, (*Server).reportConfirm, "the code's last group typed back; shows the receipt"},
	{"GET /follow", areaPerson, (*Server).followForm, "asks for a code"},
	{"POST /follow", areaPerson, (*Server).followPost, "what became of each item"},
	{"POST /follow/message", areaPerson, (*Server).messagePost, "pass or code, text: a message to those who work on the case"},
	{"POST /follow/address", areaPerson, (*Server).againPost, "pass or code, address: another address of what was reported"},
	{"GET /withdraw", areaPerson, (*Server).withdrawForm, "what taking a report back does; asks for its code"},
	{"POST /withdraw", areaPerson, (*Server).withdrawPost, "erases the report of a code"},
	{"GET /minor", areaPerson, (*Server).minor, "the path for someone under 18"},
	{"GET /figures", areaPerson, (*Server).publicFigures, "the last return's figures, public entries of the register, methods"},
	{"GET /how", areaPerson, (*Server).how, "what leaves the device, what is kept, what is not"},
}

var consoleRoutes = []route{
	{"GET /console/sign-in", areaOpen, (*Server).signInForm, "sign-in"},
	{"POST /console/sign-in", areaOpen, (*Server).signInPost, "sign-in by password"},
	{"GET /console/enter", areaOpen, (*Server).enter, "one-time sign-in link"},
	{"POST /console/enter", areaOpen, (*Server).enterPost, "spends a one-time sign-in link"},
	{"POST /console/sign-out", areaConsole, (*Server).signOut, "ends the session"},
	{"GET /console/{$}", areaConsole, (*Server).consoleHome, "queue of cases (hub) or of notices (platform)"},
	{"POST /console/passkey", areaOpen, (*Server).passkeySignIn, "sign-in by passkey"},
	{"POST /console/second", areaOpen, (*Server).secondPost, "the second factor of a sign-in"},
	{"GET /console/oidc", areaOpen, (*Server).oidcBegin, "to: sign-in at the identity provider; leaves for it"},
	{"GET " + idp.CallbackPath, areaOpen, (*Server).oidcBack, "state, code: back from the identity provider"},
	{"GET /console/verify", areaConsole, (*Server).verifyForm, "a second factor again, before what is sensitive"},
	{"POST /console/verify", areaConsole, (*Server).verifyPost, "the same, answer"},
	{"GET /console/me", areaConsole, (*Server).me, "my ways to sign in, my sessions"},
	{"POST /console/me/totp", areaConsole, (*Server).totpNew, "a key for an authenticator"},
	{"POST /console/me/totp/confirm", areaConsole, (*Server).totpConfirm, "the authenticator's first code"},
	{"POST /console/me/passkeys", areaConsole, (*Server).passkeyAdd, "adds a passkey"},
	{"POST /console/me/factors/{id}", areaConsole, (*Server).factorRemove, "removes a way to sign in"},
	{"POST /console/me/sessions", areaConsole, (*Server).otherSessions, "ends my other sessions"},
	{"GET /console/me/oidc", areaConsole, (*Server).accountBegin, "leaves for the identity provider, to link my account there"},
	{"POST /console/me/oidc", areaConsole, (*Server).accountLink, "ticket: links the account that the provider named"},
	{"POST /console/me/oidc/remove", areaConsole, (*Server).accountRemove, "unlinks my account at the identity provider"},
	{"GET /console/admin", areaConsole, (*Server).admin, "staff, services, peers, jobs, ledger"},
	{"GET /console/admin/staff", areaConsole, (*Server).staffAdmin, "invitations, roles, rights"},
	{"POST /console/admin/staff", areaConsole, (*Server).staffInvite, "invites somebody; shows the link once"},
	{"POST /console/admin/staff/{id}", areaConsole, (*Server).staffChange, "action=change|link|disable|enable|reset|unlink"},
	{"GET /console/places", areaConsole, (*Server).places, "where one can go: the command palette without a script"},
	{"GET /console/audit", areaConsole, (*Server).audit, "who looked at what, who was refused"},
}

var hubRoutes = []route{
	{"GET /console/cases/{ref}", areaConsole, (*Server).caseShow, "one case: facts, history, decision"},
	{"POST /console/cases/{ref}/facts", areaConsole, (*Server).factsPost, "was, and each fact: corrects them"},
	{"POST /console/cases/{ref}/pack", areaConsole, (*Server).packPost, "was: qualifies the case with the law pack of this program"},
	{"POST /console/cases/{ref}/qualifications", areaConsole, (*Server).qualificationAdd, "offence, reason: adds what was not proposed"},
	{"POST /console/cases/{ref}/qualifications/{id}", areaConsole, (*Server).qualificationPost, "action=confirm|reject, reason"},
	{"POST /console/cases/{ref}/items/{id}", areaConsole, (*Server).itemPost, "action=confirm|reject|withdraw|back|drop, reason"},
	{"POST /console/cases/{ref}/notices", areaConsole, (*Server).noticePrepare, "service, item…: drafts a notice"},
	{"GET /console/cases/{ref}/notices/{id}", areaConsole, (*Server).noticeShow, "the notice as the platform will see it"},
	{"POST /console/cases/{ref}/notices/{id}", areaConsole, (*Server).noticePost, "action=save|send|by|recall|cancel|record, explanation, good_faith, way"},
	{"POST /console/cases/{ref}/notices/{id}/items/{item}", areaConsole, (*Server).decisionPost, "measure, ground, reference, facts, explanation, redress…, reason: corrects a decision"},
	{"GET /console/cases/{ref}/steps/{id}", areaConsole, (*Server).rungShow, "a step after a notice that was not answered as asked"},
	{"POST /console/cases/{ref}/steps/{id}", areaConsole, (*Server).rungPost, "action=send|recall|record|skip|draft|answer, text, day, channel, proof, reason"},
	{"POST /console/cases/{ref}/clocks", areaConsole, (*Server).clockAdd, "label, due: a date set by hand"},
	{"POST /console/cases/{ref}/clocks/{id}", areaConsole, (*Server).clockPost, "action=pause|resume|stop|done, reason, until"},
	{"POST /console/cases/{ref}/assign", areaConsole, (*Server).assignPost, "action=take|hand|back, to, reason: who works on it"},
	{"POST /console/cases/{ref}/skip", areaConsole, (*Server).skipPost, "reason: leaves it to others for today; the next one"},
	{"GET /console/campaigns", areaConsole, (*Server).campaigns, "audit campaigns"},
	{"GET /console/campaigns/{id}", areaConsole, (*Server).campaignShow, "one campaign: protocol and cards"},
	{"GET /console/campaigns/{id}/annotate", areaConsole, (*Server).annotateShow, "the next item of a campaign that is mine to label"},
	{"POST /console/campaigns/{id}/annotate", areaConsole, (*Server).annotatePost, "action=label|skip, item, label.…, reason"},
	{"GET /console/campaigns/{id}/settle", areaConsole, (*Server).settleShow, "the next item on which two annotators differ"},
	{"POST /console/campaigns/{id}/settle", areaConsole, (*Server).settlePost, "item, label.…: the third person's answer"},
	{"POST /console/campaigns/{id}/end", areaConsole, (*Server).annotateEnd, "ends the labelling; makes the cards"},
	{"GET /console/campaigns/{id}/labels.csv", areaConsole, (*Server).annotateFile, "all labels as a labelled table, once they are ended"},
	{"GET /console/register", areaConsole, (*Server).register, "the register of services"},
	{"POST /console/register", areaConsole, (*Server).registerAdd, "id, name, kind, provenance: adds a service"},
	{"GET /console/register/{id}", areaConsole, (*Server).serviceShow, "one service: time line, weights files, the AI Act's checklist"},
	{"POST /console/register/{id}", areaConsole, (*Server).servicePost, "action=edit|fact|answer|weights|drop"},
	{"GET /console/lists", areaConsole, (*Server).listTasks, "fingerprints that wait for a decision; the lists and their policies"},
	{"POST /console/lists/{id}", areaConsole, (*Server).listTaskPost, "decision=keep|silence|off; of a list of others that lacks most of it, lacking"},
	{"GET /console/next", areaConsole, (*Server).next, "from: the next case of a selection"},
	{"POST /console/views", areaConsole, (*Server).viewsPost, "action=save|drop, name, query: a view of the queue"},
	{"GET /console/search", areaConsole, (*Server).searchForm, "what can be searched for"},
	{"POST /console/search", areaConsole, (*Server).searchPost, "q: case number, address, fingerprint, receipt, number of a notice"},
	{"GET /console/mails", areaConsole, (*Server).mails, "e-mails of which nobody knows yet what they are about"},
	{"POST /console/mails", areaConsole, (*Server).mailsPost, "id, several times: puts e-mails aside"},
	{"POST /console/mails/{id}", areaConsole, (*Server).mailPost, "action=file|drop, ref, notice: says what one is about"},
	{"GET /console/calendar", areaConsole, (*Server).calendar, "clocks of all cases: view=agenda, or month=YYYY-MM"},
	{"GET /console/calendar.ics", areaConsole, (*Server).calendarFile, "the live clocks as an iCalendar file"},
	{"POST /console/bulk", areaConsole, (*Server).bulkPost, "case…, act, to, reason: what it would do to each; plan=yes plans it"},
	{"GET /console/rest", areaConsole, (*Server).restShow, "what I opened today and this week, and what I set for my rest"},
	{"POST /console/rest", areaConsole, (*Server).restPost, "minors, without…: sets it"},
	{"POST /console/rest/least", areaConsole, (*Server).leastPost, "least: the association's minimum"},
	{"POST /console/rest/end", areaConsole, (*Server).endDay, "back: ends my day, gives my cases back if I wish"},
	{"GET /console/bulk/{id}", areaConsole, (*Server).bulkShow, "what became of an act on many cases"},
	{"POST /console/bulk/{id}/undo", areaConsole, (*Server).bulkUndo, "takes it back, while it waits"},
	{"GET /console/dashboard", areaConsole, (*Server).dashboard, "days: inflow, ages, times to removal, clocks at risk"},
	{"GET /console/admin/services", areaConsole, (*Server).contacts, "the contact book of services"},
	{"GET /console/admin/services.csv", areaConsole, (*Server).contactsFile, "the same as CSV"},
	{"POST /console/admin/services", areaConsole, (*Server).contactsPost, "file: a contact book as CSV, all of it or nothing"},
	{"GET /console/admin/delays", areaConsole, (*Server).delays, "the delays of clocks"},
	{"POST /console/admin/delays", areaConsole, (*Server).delaysPost, "a new version of them"},
	{"POST /console/cases/{ref}/messages", areaConsole, (*Server).talkPost, "action=fill|preview|send|settle, template, text: messages with the person"},
	{"GET /console/admin/templates", areaConsole, (*Server).templates, "the templates of messages to a person, and of the steps after a notice"},
	{"POST /console/admin/templates", areaConsole, (*Server).templatesPost, "action=save|drop|step_save|step_preview|step_default, was, id, title and body in both languages, example"},
	{"POST /console/cases/{ref}/addresses", areaConsole, (*Server).addressAdd, "address: adds it; a closed case is taken up again"},
	{"GET /console/cases/{ref}/merge", areaConsole, (*Server).mergeShow, "into: what merging the case into another would do"},
	{"POST /console/cases/{ref}/merge", areaConsole, (*Server).mergePost, "action=merge|undo, into, reason: one case carries the work of both"},
	{"GET /console/cases/{ref}/split", areaConsole, (*Server).splitShow, "which items can be moved to a new case"},
	{"POST /console/cases/{ref}/split", areaConsole, (*Server).splitPost, "item…, reason: what it would do; plan=yes does it"},
	{"POST /console/cases/{ref}/state", areaConsole, (*Server).casePost, "action=close|reopen, reason"},
	{"POST /console/cases/{ref}/hold", areaConsole, (*Server).holdPost, "action=place|lift, reason: a legal hold"},
	{"POST /console/cases/{ref}/identity", areaConsole, (*Server).identityPost, "action=keep|erase, name, contact, note"},
	{"POST /console/cases/{ref}/identity/open", areaConsole, (*Server).identityOpen, "reason: shows who a case is about, once"},
}

var platformRoutes = []route{
	{"GET /{$}", areaPerson, (*Server).platformHome, "what this instance is, where to sign in"},
	{"GET /notify", areaPerson, (*Server).notifyForm, "the form of a notice (DSA article 16), for anybody"},
	{"POST /notify", areaPerson, (*Server).notifyPost, "saves a notice; shows its number and code, once"},
	{"GET /redress", areaPerson, (*Server).redressForm, "asks for the code of a notice, or of a decision"},
	{"POST /redress", areaPerson, (*Server).redressPost, "the state of a notice, or the statement of reasons, and how to complain"},
	{"POST /redress/complaint", areaPerson, (*Server).redressComplaint, "code, item…, reasons: complains (DSA article 20)"},
	{"GET /console/notices/{number}", areaConsole, (*Server).intakeShow, "one notice received"},
	{"POST /console/notices/{number}/items/{id}", areaConsole, (*Server).intakeDecide, "a decision with its statement of reasons"},
	{"POST /console/notices/{number}/orders/{id}", areaConsole, (*Server).orderPost, "action=retry|by_hand: an order to the platform's own system that failed"},
	{"POST /console/notices/{number}/complaints/{complaint}", areaConsole, (*Server).complaintPost, "answer, and each item: decides on a complaint"},
	{"POST /console/notices/{number}/notifier", areaConsole, (*Server).notifierPost, "action=warn|suspend|lift, reason, days: misuse (DSA article 23)"},
	{"POST /console/notices/{number}/hold", areaConsole, (*Server).noticeHold, "action=place|lift, reason: it is kept whatever its time"},
	{"POST /console/notices/{number}/referral", areaConsole, (*Server).referralPost, "action=open|sent|drop, reason: an authority is informed (DSA article 18)"},
	{"GET /console/statements.csv", areaConsole, (*Server).statementsCSV, "every statement of reasons, in the columns of the EU's transparency database"},
	{"GET /console/matches", areaConsole, (*Server).listTasks, "fingerprints that wait for a decision, on a platform"},
	{"POST /console/matches/{id}", areaConsole, (*Server).listTaskPost, "decision=keep|silence|off; of a list of others that lacks most of it, lacking"},
	{"GET /console/check", areaConsole, (*Server).checkForm, "checks a picture by hand"},
	{"POST /console/check", areaConsole, (*Server).checkPost, "the same, answer"},
}
