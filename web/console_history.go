package web

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"rempart"
)

// A historyLine is one thing that happened, in a sentence.
type historyLine struct {
	Kind    string
	At      time.Time // of the last, when there are several
	Text    string
	Who     string
	Times   int // the same thing several times in a row
	Attempt *rempart.Attempt
	same    string // of a re-check: what it was about and what it found
}

// eventWords names, for each kind of event, the data that its sentence
// "event.<kind>" takes, in order. A test holds it against the kinds that the
// other packages write.
var eventWords = map[string][]string{
	"report.received":         {},
	"case.opened":             {"items"},
	"case.qualified":          {"proposed", "pack"},
	"case.requalified":        {"proposed", "pack", "from"},
	"case.viewed":             {},
	"case.taken":              {},
	"case.handed_over":        {"to"},
	"case.given_back":         {"from"},
	"case.skipped":            {"skip"},
	"message.received":        {},
	"message.sent":            {},
	"message.settled":         {},
	"case.closed":             {},
	"bulk.planned":            {"act", "until"},
	"bulk.undone":             {"act"},
	"bulk.done":               {"act"},
	"bulk.refused":            {"act"},
	"case.reopened":           {},
	"case.merged":             {"case", "items"},
	"case.joined":             {"case", "items"},
	"case.unmerged":           {"case", "items"},
	"case.left":               {"case"},
	"case.released":           {"case", "items"},
	"case.split":              {"case", "items"},
	"case.split_from":         {"case"},
	"case.withdrawn":          {},
	"hold.placed":             {},
	"hold.lifted":             {},
	"identity.kept":           {},
	"identity.opened":         {},
	"identity.erased":         {},
	"qualification.confirmed": {"qualification"},
	"qualification.rejected":  {"qualification"},
	"qualification.added":     {"qualification"},
	"qualification.lapsed":    {"qualification"},
	"facts.corrected":         {"facts", "proposed", "pack"},
	"fingerprint.relisted":    {"item"},
	"fingerprint.confirmed":   {"item"},
	"fingerprint.rejected":    {"item"},
	"fingerprint.withdrawn":   {"item"},
	"item.dropped":            {"item"},
	"item.decided":            {"item", "measure"},
	"item.rechecked":          {"item", "reach"},
	"item.back":               {"item"},
	"notice.prepared":         {"notice", "items"},
	"notice.edited":           {"notice"},
	"notice.cancelled":        {"notice"},
	"notice.queued":           {"notice"},
	"notice.recalled":         {"notice"},
	"notice.channel":          {"notice", "channel"},
	"notice.recorded":         {"notice"},
	"notice.leaves":           {"notice"},
	"notice.sent":             {"notice", "number"},
	"notice.attempt_failed":   {"notice"},
	"notice.failed":           {"notice"},
	"notice.trying":           {"notice"},
	"notice.unclear":          {"notice"},
	"notice.arrived":          {"notice"},
	"notice.acknowledged":     {"notice", "number"},
	"notice.mail":             {"notice", "mail"},
	"notice.bounced":          {"notice"},
	"item.redecided":          {"item", "measure", "why"},
	"item.reappeared":         {"item"},
	"item.added":              {"item"},
	"rung.moved":              {"notice", "step", "state"},
	"rung.attempt_failed":     {"notice", "step"},
	"rung.leaves":             {"notice", "step"},
	"rung.recalled":           {"notice", "step"},
	"rung.trying":             {"notice", "step"},
	"match.stopped":           {"item", "distance"},
	"match.published":         {"item", "distance"},
	"clock.started":           {"clock", "due"},
	"clock.changed":           {"clock", "due"},
	"clock.paused":            {"clock", "until"},
	"clock.resumed":           {"clock", "due"},
	"clock.warned":            {"clock"},
	"clock.missed":            {"clock"},
	"clock.escalated":         {"clock"},
	"clock.met":               {"clock"},
	"clock.cancelled":         {"clock"},
	"task.opened":             {"clock", "task"},
	"task.done":               {"clock", "task"},
	"task.closed":             {"clock", "task"},
	"intake.received":         {"items"},
	"intake.viewed":           {},
	"intake.item_decided":     {"item", "measure"},
	"intake.decided":          {},
	"intake.told":             {"callback"},
	"order.asked":             {"item", "do"},
	"order.attempt_failed":    {"item"},
	"order.failed":            {"item"},
	"order.retried":           {"item"},
	"order.done":              {"item", "do"},
	"order.shared":            {"item", "number"},
	"order.joined":            {"item", "number"},
	"notifier.warn":           {},
	"notifier.suspend":        {"until"},
	"notifier.lift":           {},
	"referral.opened":         {},
	"referral.sent":           {},
	"referral.dropped":        {},
	"complaint.received":      {"number", "by"},
	"complaint.item_reversed": {"item", "measure"},
	"complaint.decided":       {"number", "outcome"},
	"complaint.followed":      {"item", "measure", "number"},
	"intake.reminded":         {"count"},
	"statement.sent":          {"item"},
	"statement.withheld":      {"item"},
	"statement.dry_run":       {"item"},
	"statements.late":         {},
}

// attempted lists the kinds that come with an attempt at delivery, in the order
// in which the notice keeps them.
var attempted = map[string]bool{"notice.sent": true, "notice.attempt_failed": true, "notice.failed": true, "notice.unclear": true}

// folded lists the kinds that follow from another line of the history, when they
// came by themselves: the clocks of a case are shown beside it.
var folded = map[string]bool{"notice.trying": true, "clock.started": true, "clock.met": true, "task.closed": true}

// history puts events in sentences, newest first; events are oldest first. names gives the words for
// identifiers, tries the attempts at delivering each notice. The same look by
// the same person several times in a row is one line.
func history(p page, events []rempart.Event, names map[string]string, tries map[string][]rempart.Attempt) []historyLine {
	var out []historyLine
	next := map[string]int{}
	for _, e := range events {
		if folded[e.Kind] && e.Actor == rempart.ActorSystem {
			continue
		}
		l := historyLine{Kind: e.Kind, At: e.At, Who: who(p, e.Actor, names), Times: 1}
		if k := len(out) - 1; k >= 0 && e.Kind == "item.rechecked" && out[k].Kind == e.Kind && out[k].same == e.Data["item"]+e.Data["reach"] {
			out[k].Times++ // the same answer again: one line
			out[k].At = e.At
			continue
		}
		l.same = e.Data["item"] + e.Data["reach"]
		if k := len(out) - 1; k >= 0 && strings.HasSuffix(e.Kind, ".viewed") && out[k].Kind == e.Kind && out[k].Who == l.Who {
			out[k].Times++
			out[k].At = e.At
			continue
		}
		words, known := eventWords[e.Kind]
		if !known {
			l.Text = p.T("event.other", e.Kind)
			out = append(out, l)
			continue
		}
		args := make([]any, len(words))
		for k, name := range words {
			args[k] = eventWord(p, name, e.Data[name], names)
		}
		l.Text = p.T("event."+e.Kind, args...)
		if id := e.Data["notice"]; attempted[e.Kind] && next[id] < len(tries[id]) {
			l.Attempt = &tries[id][next[id]]
			next[id]++
		}
		out = append(out, l)
	}
	slices.Reverse(out)
	return out
}

// eventWord puts one datum of an event in words.
func eventWord(p page, name, value string, names map[string]string) string {
	if value == "" {
		return "–"
	}
	switch name {
	case "channel":
		return p.T("contacts.channel." + value)
	case "items", "proposed":
		if n, err := strconv.Atoi(value); err == nil {
			return p.N("count."+name, n)
		}
	case "facts":
		var facts []string
		for f := range strings.SplitSeq(value, ",") {
			facts = append(facts, lowerFirst(p.sentence("fact."+f, f)))
		}
		return strings.Join(facts, ", ")
	case "step":
		return p.T("rung." + value)
	case "mail":
		return p.T("pill.mail." + value)
	case "state":
		return p.T("pill.rung." + value)
	case "why":
		return p.T("redecided." + value)
	case "measure", "callback", "task", "skip", "do", "by", "outcome", "reach":
		return p.T(name + "." + value)
	case "act":
		return lowerFirst(p.T("bulk.act." + value))
	case "due", "until":
		if t, err := time.Parse(time.RFC3339, value); err == nil {
			return p.DateTime(t)
		}
	}
	if word, ok := names[value]; ok {
		return word
	}
	return value
}

// who names an actor: the instance, the person who reported, a peer, or a
// member by her alias.
func who(p page, a rempart.Actor, names map[string]string) string {
	switch {
	case a == rempart.ActorSystem:
		return p.T("actor.system")
	case a == rempart.ActorReporter, a == rempart.ActorAffected, a == rempart.ActorNotifier:
		return p.T("actor." + string(a))
	case strings.HasPrefix(string(a), string(rempart.ActorPlatform)):
		id := strings.TrimPrefix(string(a), string(rempart.ActorPlatform))
		if name, ok := names[id]; ok {
			return name
		}
		return id
	}
	return string(a)
}

// caseNames gives the words for the identifiers in the events of a case, with
// those of qualifications that are no longer in it.
func (s *Server) caseNames(p page, c *rempart.Case, peers []rempart.Peer) map[string]string {
	names := map[string]string{}
	for _, x := range peers {
		names[x.ID] = x.Name
	}
	for _, o := range s.Law.Offences() {
		names[o.ID] = p.T("qualification.article", o.Article)
	}
	for _, q := range c.Quals {
		names[q.ID] = p.T("qualification.article", q.Article)
	}
	for _, n := range c.Notices {
		names[n.ID] = n.ServiceName
	}
	for i := range c.Clocks {
		names[c.Clocks[i].ID] = clockName(p, c, &c.Clocks[i])
	}
	addresses, media := items(p, c)
	for _, i := range append(addresses, media...) {
		names[i.ID] = i.Label
	}
	return names
}

// attempts gives the attempts at delivering each notice of a case.
func attempts(c *rempart.Case) map[string][]rempart.Attempt {
	out := map[string][]rempart.Attempt{}
	for _, n := range c.Notices {
		out[n.ID] = n.Attempts
	}
	return out
}
