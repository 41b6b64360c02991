package rempart

import (
	"slices"
	"time"
)

// NoticeState is where a notice stands, on the side of who sends it.
type NoticeState string

// States of a notice.
const (
	NoticeDraft        NoticeState = "draft"
	NoticeQueued       NoticeState = "queued"       // an analyst sent it; delivery is under way
	NoticeFailed       NoticeState = "failed"       // delivery gave up; a human has it
	NoticeSent         NoticeState = "sent"         // the platform answered with its receipt
	NoticeAcknowledged NoticeState = "acknowledged" // the platform confirmed reception (art. 16(4))
	NoticeDecided      NoticeState = "decided"      // the platform decided on every item (art. 16(5))
	NoticeCancelled    NoticeState = "cancelled"    // given up before it was sent
)

// noticeNext lists, for each state, the states that may follow it.
var noticeNext = map[NoticeState][]NoticeState{
	NoticeDraft:        {NoticeQueued, NoticeCancelled},
	NoticeQueued:       {NoticeSent, NoticeFailed, NoticeCancelled}, // called back before it left, or without object
	NoticeFailed:       {NoticeQueued, NoticeSent, NoticeCancelled},
	NoticeSent:         {NoticeAcknowledged, NoticeFailed}, // failed: the e-mail came back
	NoticeAcknowledged: {NoticeDecided},
	NoticeDecided:      {},
	NoticeCancelled:    {NoticeSent}, // given up after a failure, and then the platform answers: it had it
}

// A Notice is a notice of illegal content to one service, with the elements of
// Regulation (EU) 2022/2065 (DSA), article 16(2).
type Notice struct {
	ID          string      `json:"id"` // also the idempotency key of its delivery
	CaseRef     string      `json:"case_ref"`
	ServiceID   string      `json:"service_id"`
	ServiceName string      `json:"service_name"`
	State       NoticeState `json:"state"`
	Since       time.Time   `json:"since"`
	Lang        string      `json:"lang"` // "fr" or "en"

	Explanation string       `json:"explanation"`     // 16(2)(a): why the content is illegal
	Grounds     []Ground     `json:"grounds"`         // the offences it rests on
	Items       []NoticeItem `json:"items"`           // 16(2)(b): the exact addresses
	Notifier    Notifier     `json:"notifier"`        // 16(2)(c)
	GoodFaith   bool         `json:"good_faith"`      // 16(2)(d)
	Category    string       `json:"category"`        // Regulation (EU) 2024/2835, such as "3f"
	Minor       bool         `json:"minor,omitempty"` // child sexual abuse material: 16(2)(c) asks for no identity
	DoNotTell   bool         `json:"do_not_disclose"` // asks that the notifier's identity not be disclosed (recital 54)

	Number   string    `json:"number,omitempty"` // the platform's identifier, from its receipt
	Attempts []Attempt `json:"attempts,omitempty"`

	LeavesAt time.Time   `json:"leaves_at,omitzero"` // queued: nothing leaves before, and until then it can be called back
	Left     time.Time   `json:"left,omitzero"`      // when its delivery began
	Job      string      `json:"job,omitempty"`      // key of the one job that delivers it
	Before   []Before    `json:"before,omitempty"`   // its items as they were, to call it back
	From     NoticeState `json:"from,omitempty"`     // its state as it was
	Recalls  int         `json:"recalls,omitempty"`  // how often it was queued so that it could be called back

	Via Channel `json:"via,omitzero"` // the channel of the contact book that was chosen after another one failed; zero: the first

	Proof *Proof `json:"proof,omitempty"` // that it was sent by hand; nil when it went through a channel of ours

	Cites  string `json:"cites,omitempty"`  // the earlier notice of this case that it insists on
	Exempt bool   `json:"exempt,omitempty"` // the service handles no complaints, as a micro or small enterprise (art. 19)
	Rungs  []Rung `json:"rungs,omitempty"`  // the steps taken because it was not answered as asked

	Mails []Mail `json:"mails,omitempty"` // that came back about it, oldest first
}

// A Ground is an offence that a notice rests on.
type Ground struct {
	Article   string `json:"article"`
	Paragraph string `json:"paragraph,omitempty"`
	Code      string `json:"code"`
	Label     string `json:"label"`
	TextDate  string `json:"text_date"`
	Source    string `json:"source"`
}

// A NoticeItem is one item of a notice.
type NoticeItem struct {
	ID           string        `json:"id"`
	Address      string        `json:"address,omitempty"`
	Fingerprints []Fingerprint `json:"fingerprints,omitempty"` // additional information to identify the content
}

// A Notifier is who notifies: an association, never the person who reported.
type Notifier struct {
	Name           string `json:"name,omitempty"`
	Email          string `json:"email,omitempty"`
	TrustedFlagger bool   `json:"trusted_flagger,omitempty"` // article 22
	Expertise      string `json:"expertise,omitempty"`       // the area it was designated for
}

// An Attempt is one try at delivering a notice, with what was answered.
type Attempt struct {
	At     time.Time `json:"at"`
	Status int       `json:"status,omitempty"` // HTTP status, 0 if there was no answer
	Answer string    `json:"answer"`           // the start of the answer, or what went wrong
	Next   time.Time `json:"next,omitzero"`    // when it is tried again; zero: never by itself

	Channel   string `json:"channel,omitempty"`    // "" is an instance of Rempart, see ChannelMail
	MessageID string `json:"message_id,omitempty"` // of an e-mail, without brackets; or the key under which an API was asked
	Begun     bool   `json:"begun,omitempty"`      // under way: how it ends is not recorded yet
	Failed    bool   `json:"failed,omitempty"`     // by e-mail: it did not arrive, for certain
	Unclear   bool   `json:"unclear,omitempty"`    // it may have arrived
	Bounced   string `json:"bounced,omitempty"`    // by e-mail: it came back, with this status of RFC 3463
}

func (n *Notice) move(to NoticeState, at time.Time) error {
	if !slices.Contains(noticeNext[n.State], to) {
		return &Error{Kind: Conflict, Code: "notice.state", Args: []any{string(n.State), string(to)},
			Public: "This notice is " + string(n.State) + "; it cannot become " + string(to) + "."}
	}
	n.State, n.Since = to, at
	return nil
}

// Measure is what a platform decided to do with an item.
type Measure string

// Measures.
const (
	MeasureRemoved    Measure = "removed"    // removed or made inaccessible
	MeasureRestricted Measure = "restricted" // shown to fewer people, or only in some countries
	MeasureRefused    Measure = "refused"    // no action
)

// A Decision is a platform's answer on one item (art. 16(5)) with its statement
// of reasons (art. 17(3)).
type Decision struct {
	Measure     Measure   `json:"measure" enum:"removed,restricted,refused"`
	Ground      string    `json:"ground" enum:"law,terms"`                     // "law" or "terms": 17(3)(d) or (e)
	Reference   string    `json:"reference"`                                   // the article of law or the clause of the terms
	Facts       string    `json:"facts"`                                       // 17(3)(b): facts and circumstances
	Explanation string    `json:"explanation"`                                 // why the ground applies, or why it does not
	Automated   bool      `json:"automated"`                                   // 16(6), 17(3)(c): automated means were used
	Redress     []string  `json:"redress" enum:"complaint,out_of_court,court"` // 17(3)(f): "complaint", "out_of_court", "court"
	Scope       string    `json:"scope"`                                       // 17(3)(a): where it holds, such as "EU", "FR", "world"
	At          time.Time `json:"at"`

	Restrictions []Restriction `json:"restrictions,omitempty"`        // 17(3)(a): what exactly was done; empty for a refusal, or not said
	Other        string        `json:"other,omitempty"`               // what an "other" restriction is
	Until        string        `json:"until,omitempty"`               // 17(3)(a): last day of the restrictions, YYYY-MM-DD; "" has no end
	Detected     bool          `json:"automated_detection,omitempty"` // 17(3)(c): automated means found the content
	Means        Means         `json:"automated_decision,omitempty" enum:"not_automated,partially,fully"`
	ContentTypes []string      `json:"content_types,omitempty"`        // 17(3)(b): see ContentTypes
	Unfounded    bool          `json:"manifestly_unfounded,omitempty"` // of a refusal: counted against the notifier (article 23(2))
	PostedOn     string        `json:"posted_on,omitempty"`            // 17(3)(b): the day the content was put online, YYYY-MM-DD; "" is unknown
}

// Missing names each element that articles 16 and 17 ask for and the decision
// lacks.
func (d Decision) Missing() []Missing {
	var m []Missing
	switch d.Measure {
	case MeasureRemoved, MeasureRestricted, MeasureRefused:
	default:
		m = append(m, Missing{"measure", "17(3)(a)", "decision.measure", "Say what is done: removed, restricted or refused."})
	}
	if d.Ground != "law" && d.Ground != "terms" {
		m = append(m, Missing{"ground", "17(3)(d)", "decision.ground", "Say whether the decision rests on the law or on your terms."})
	}
	if d.Measure != MeasureRefused && d.Reference == "" {
		m = append(m, Missing{"reference", "17(3)(d)", "decision.reference", "Name the article of law or the clause of your terms."})
	}
	if len([]rune(d.Facts)) < 10 {
		m = append(m, Missing{"facts", "17(3)(b)", "decision.facts", "State the facts and circumstances relied on."})
	}
	if len([]rune(d.Explanation)) < 20 {
		m = append(m, Missing{"explanation", "17(3)(d)", "decision.explanation", "Explain in at least twenty characters why the ground applies, or why it does not."})
	}
	if len(d.Redress) == 0 {
		m = append(m, Missing{"redress", "17(3)(f)", "decision.redress", "Name at least one means of redress."})
	}
	return m
}

// itemState is the state that the decision puts an item in.
func (d Decision) itemState() ItemState {
	switch d.Measure {
	case MeasureRemoved:
		return ItemRemoved
	case MeasureRestricted:
		return ItemRestricted
	}
	return ItemRefused
}
