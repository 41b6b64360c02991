package flow

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"rempart"
	"rempart/exchange"
	"rempart/law"
	"rempart/store"
)

// Transparency is where statements of reasons go: the EU's transparency
// database, or a sandbox of it. Without an address and a token nothing is sent:
// each statement is made and checked, and that is all (a dry run).
type Transparency struct {
	URL   string // before /api/v1
	Token string
}

// On tells whether statements are sent.
func (t Transparency) On() bool { return t.URL != "" && t.Token != "" }

// A Prepared is the statement of reasons of one item of an intake, as the
// transparency database would get it. One with faults is not sent.
type Prepared struct {
	Item      string
	Statement exchange.Statement
	Faults    []exchange.Fault
}

// Statements returns the statement of each item of an intake whose decision
// restricts somebody, in the order of the notice. What another notice about the same
// posting has restricted already has its statement there.
func (f *Flow) Statements(i *rempart.Intake) []Prepared {
	n := i.Notice
	known := []string{n.Notifier.Name, n.Notifier.Email, i.From}
	for _, item := range n.Items {
		known = append(known, item.Address)
	}
	c := law.NoticeCategory(n.Category, n.Minor)
	var out []Prepared
	for _, item := range n.Items {
		d, ok := i.Decisions[item.ID]
		if !ok || d.Measure == rempart.MeasureRefused {
			continue
		}
		if o := i.LastOrder(item.ID); o != nil && o.With != nil { // one restriction has one statement: that of the notice whose order does it
			continue
		}
		s := exchange.NewStatement(exchange.Decided{Decision: d, Fingerprints: item.Fingerprints, Category: c.Statement, Keyword: c.Keyword, Code: c.Code,
			Trusted: i.Trusted, Received: i.ReceivedAt, Lang: n.Lang, PUID: f.puid(i.ID, item.ID, i.Reversed(item.ID))})
		out = append(out, Prepared{item.ID, s, append(s.Check(), exchange.PersonalIn(s, known)...)})
	}
	return out
}

// puid names a statement at the database: the same at every attempt, and nothing
// that points to the notice for whoever has not our key. The database takes no
// correction of a statement: a decision that a complaint reversed has another one.
func (f *Flow) puid(intake, item string, reversed int) string {
	mac := hmac.New(sha256.New, f.DB.Secret("statement"))
	fmt.Fprintf(mac, "%q %q", intake, item)
	if reversed > 0 {
		fmt.Fprintf(mac, " %d", reversed)
	}
	return "rempart-" + hex.EncodeToString(mac.Sum(nil)[:16])
}

// What became of a statement, as kinds of event.
const (
	StatementSent     = "statement.sent"     // the database has it; uuid, if it said so to us
	StatementWithheld = "statement.withheld" // it has faults: a human must look
	StatementDryRun   = "statement.dry_run"  // made and checked; nothing is sent from here
	StatementsLate    = "statements.late"    // somebody asked for those only made to be sent
)

// submit sends the statements of an intake. What the database has is noted
// statement by statement, so that none is sent twice: at another attempt those
// noted are left out, and for the others it is asked first.
func (f *Flow) submit(ctx context.Context, claim store.Claim) (*exchange.Failure, error) {
	i, err := f.DB.Intake(ctx, claim.Job.Subject)
	if err != nil {
		return nil, err
	}
	done, err := f.statementsDone(ctx, i.ID)
	if err != nil {
		return nil, err
	}
	db := exchange.SorDatabase{Client: f.Client, Base: f.Transparency.URL, Token: f.Transparency.Token}
	items := map[string]string{} // by puid
	var todo []exchange.Statement
	withheld := 0
	for _, p := range f.Statements(i) {
		items[p.Statement.PUID] = p.Item
		var e error
		switch {
		case done[doneKey(p.Item, i.Reversed(p.Item))]:
		case !f.Transparency.On():
			e = f.noteStatement(ctx, i, p.Item, StatementDryRun, map[string]string{"faults": fmt.Sprint(len(p.Faults))})
		case len(p.Faults) > 0:
			withheld++
			e = f.noteStatement(ctx, i, p.Item, StatementWithheld, map[string]string{"faults": fmt.Sprint(len(p.Faults))})
		default:
			todo = append(todo, p.Statement)
		}
		if e != nil {
			return nil, e
		}
	}
	note := func(puid, uuid string) error {
		return f.noteStatement(ctx, i, items[puid], StatementSent, map[string]string{"puid": puid, "uuid": uuid})
	}
	if claim.Attempt > 1 {
		if todo, err = f.unknownThere(ctx, db, todo, note); err != nil {
			return failureOf(ctx, err)
		}
	}
	for len(todo) > 0 {
		batch := todo[:min(len(todo), exchange.MaxStatements)]
		taken, err := db.Send(ctx, batch)
		if err != nil {
			return failureOf(ctx, err)
		}
		f.at("statements.delivered")
		there := taken.UUIDs
		for _, puid := range taken.Existing {
			there[puid] = ""
		}
		var left []exchange.Statement
		for _, s := range todo {
			uuid, ok := there[s.PUID]
			if !ok {
				left = append(left, s)
			} else if err := note(s.PUID, uuid); err != nil {
				return nil, err
			}
		}
		if len(left) == len(todo) {
			return &exchange.Failure{Answer: "the database names identifiers that are not ours", Permanent: true}, nil
		}
		todo = left
	}
	if withheld > 0 {
		return &exchange.Failure{Answer: fmt.Sprintf("%d statements of reasons have faults and were not sent", withheld), Permanent: true}, nil
	}
	return nil, nil
}

// unknownThere returns the statements that the database does not have, and notes
// those it has.
func (f *Flow) unknownThere(ctx context.Context, db exchange.SorDatabase, list []exchange.Statement, note func(puid, uuid string) error) ([]exchange.Statement, error) {
	var out []exchange.Statement
	for _, s := range list {
		ok, err := db.Exists(ctx, s.PUID)
		if err != nil {
			return nil, err
		}
		if !ok {
			out = append(out, s)
		} else if err := note(s.PUID, ""); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// failureOf tells a delivery that failed from a fault of ours.
func failureOf(ctx context.Context, err error) (*exchange.Failure, error) {
	var fail *exchange.Failure
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if errors.As(err, &fail) {
		return fail, nil
	}
	return nil, err
}

// noteStatement writes down, once, what became of the statement of an item.
func (f *Flow) noteStatement(ctx context.Context, i *rempart.Intake, item, kind string, data map[string]string) error {
	intake, key := i.ID, kind+":"+i.ID+":"+item
	data["item"] = item
	if n := i.Reversed(item); n > 0 {
		data["reversed"] = fmt.Sprint(n)
		key += ":" + data["reversed"]
	}
	err := f.DB.Commit(ctx, key, rempart.Consequences{Events: []rempart.Event{{
		Kind: kind, Subject: intake, Actor: rempart.ActorSystem, At: f.Now(), Data: data,
	}}})
	if errors.Is(err, store.ErrAlready) {
		return nil
	}
	return err
}

// doneKey names the statement of an item after its decision was reversed so often.
func doneKey(item string, reversed int) string { return fmt.Sprintf("%d %s", reversed, item) }

// statementsDone returns which statements of an intake the database has, by
// doneKey.
func (f *Flow) statementsDone(ctx context.Context, intake string) (map[string]bool, error) {
	events, err := f.DB.Events(ctx, intake)
	if err != nil {
		return nil, err
	}
	out := map[string]bool{}
	for _, e := range events {
		if e.Kind == StatementSent {
			n, _ := strconv.Atoi(e.Data["reversed"])
			out[doneKey(e.Data["item"], n)] = true
		}
	}
	return out, nil
}
