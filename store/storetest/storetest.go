// Package storetest is the promise of package store as a test suite: a promise
// that is not here is not a promise. It speaks to the store through its API
// alone and runs on every database; what only a look into the tables can show
// is tested in package store itself.
package storetest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rempart"
	"rempart/keyring"
	"rempart/store"
)

// Open opens a store on a fresh, empty database of its own, closed when t ends.
type Open func(t *testing.T, o store.Options) *store.DB

// Key is the instance key of the stores under test.
var Key = []byte("a key of the tests, 32 bytes long")[:32]

// Ring is the keyring of the tests, and Keyring gives it to a store.
var Ring = func() *keyring.Ring {
	r, err := keyring.New()
	if err != nil {
		panic(err) // only for want of random numbers
	}
	return r
}()

// Keyring gives the keyring of the tests, whether the database is fresh or not.
func Keyring(bool) (*keyring.Ring, error) { return Ring, nil }

// Test runs the suite.
func Test(t *testing.T, open Open) {
	for _, c := range []struct {
		name string
		f    func(*env)
	}{
		{"submit", submit},
		{"submit same key", submitKey},
		{"submit same key together", submitTogether},
		{"submit whole or not", submitWhole},
		{"update", update},
		{"update refused", updateRefused},
		{"update whole or not", updateWhole},
		{"update together", updateTogether},
		{"once", once},
		{"whole way", wholeWay},
		{"queue", queue},
		{"search", search},
		{"counts", counts},
		{"campaigns", campaigns},
		{"annotate", annotate},
		{"narrowed queue", narrow},
		{"cases alike", alike},
		{"intakes", intakes},
		{"places", places},
		{"clock policies", clockPolicies},
		{"templates", templates},
		{"clocks", clocks},
		{"figures", figures},
		{"rest", rest},
		{"sources", sources},
		{"re-checks", rechecks},
		{"jobs", jobs},
		{"jobs together", jobsTogether},
		{"changes", changes},
		{"readers", readers},
		{"readers of copies", copies},
		{"changes together", changesTogether},
		{"feed of a peer", feed},
		{"list that is read again whole", sweeps},
		{"list that lacks most when it is read again whole", lacks},
		{"bulk", bulk},
		{"disputes", disputes},
		{"disputes a day", disputesADay},
		{"probes", probes},
		{"tasks of lists", listTasks},
		{"policies of lists", listPolicies},
		{"seconds", seconds},
		{"seconds in ranges", secondsRange},
		{"seconds together", secondsTogether},
		{"peers", peers},
		{"keys of peers", peerKeys},
		{"services", services},
		{"staff", staff},
		{"wrong passwords", wrongPasswords},
		{"links", links},
		{"sessions", sessions},
		{"factors", factors},
		{"ledger", ledgerWhole},
		{"ledger together", ledgerTogether},
		{"signing", signing},
		{"secrets", secrets},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := &env{T: t, ctx: t.Context()}
			e.clock.Store(time.Date(2026, 3, 14, 9, 26, 53, 589793000, time.UTC).UnixMicro())
			e.db = open(t, store.Options{Key: Key, Keyring: Keyring, Name: "hub.exemple.test", Now: e.now})
			c.f(e)
		})
	}
}

// env is what a test of the suite works with: a store, and the clock it reads.
type env struct {
	*testing.T
	ctx    context.Context
	db     *store.DB
	clock  atomic.Int64 // microseconds
	prints atomic.Int64
}

func (e *env) now() time.Time          { return time.UnixMicro(e.clock.Load()).UTC() }
func (e *env) advance(d time.Duration) { e.clock.Add(d.Microseconds()) }

func (e *env) ok(err error) {
	e.Helper()
	if err != nil {
		e.Fatal(err)
	}
}

func (e *env) kind(err error, want rempart.Kind) {
	e.Helper()
	if err == nil || rempart.KindOf(err) != want {
		e.Errorf("error %v of kind %v, want kind %v", err, rempart.KindOf(err), want)
	}
}

// together runs f n times at once and returns what each answered.
func together[T any](n int, f func(i int) T) []T {
	out := make([]T, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			out[i] = f(i)
		})
	}
	close(start)
	wg.Wait()
	return out
}

// pdq returns a fingerprint that may enter a list, another one each time.
func (e *env) pdq() rempart.Fingerprint {
	for {
		h := sha256.Sum256(fmt.Append(nil, "landscape ", e.prints.Add(1)))
		f := rempart.Fingerprint{Type: rempart.PDQ, Value: hex.EncodeToString(h[:]), Quality: 90}
		if f.Listable() {
			return f
		}
	}
}

// report returns a report of one address and one picture.
func (e *env) report() rempart.Report {
	e.Helper()
	p := e.pdq()
	r, err := rempart.Report{
		ID: rempart.NewID(e.now()), CaseID: rempart.NewID(e.now()), Depicted: rempart.DepictedSelf, Age: rempart.AgeSaidAdult,
		Made: rempart.MadeFakeSexual, Seen: rempart.SeenPublic, Words: "Un texte de test.",
		Addresses: []string{"https://forum.exemple.test/fil/" + p.Value[:8]},
		Media:     []rempart.Medium{{Fingerprints: []rempart.Fingerprint{p, {Type: rempart.SHA256, Value: p.Value}}}},
	}.Normal(e.now())
	e.ok(err)
	return r
}

// submission returns a report ready to be saved, with a code and a key.
func (e *env) submission() store.Submission {
	e.Helper()
	r := e.report()
	return store.Submission{Report: r, Case: rempart.OpenCase(r), CodeHash: "code of " + r.ID, Key: "key of " + r.ID, Body: "body of " + r.ID}
}

// submitted saves a new case and returns it.
func (e *env) submitted() *rempart.Case {
	e.Helper()
	_, c, created, err := e.db.Submit(e.ctx, e.submission())
	e.ok(err)
	if !created {
		e.Fatal("a new report was not saved")
	}
	return c
}

// opened saves a new case that has gone through qualification.
func (e *env) opened() *rempart.Case {
	e.Helper()
	c := e.submitted()
	e.update(c.ID, func(c *rempart.Case) error { return e.propose(c, rempart.PriorityHigh) })
	return e.load(c.ID)
}

// alreadyConfirmed is a qualification that propose gives as confirmed, so that
// fingerprints can be confirmed; it has no event of its own.
const alreadyConfirmed = "confirmed-by-the-tests"

func (e *env) propose(c *rempart.Case, p rempart.Priority) error {
	q := rempart.Qualification{ID: "rule-of-the-tests", Article: "226-8-1", Code: "Code pénal", Label: rempart.Text{FR: "texte", EN: "text"}, State: rempart.QualificationProposed}
	confirmed := q
	confirmed.ID, confirmed.State = alreadyConfirmed, rempart.QualificationConfirmed
	return c.Propose(rempart.Proposal{Quals: []rempart.Qualification{q, confirmed}, Pack: "pack-of-the-tests", Category: "3f", Priority: p}, e.now())
}

func (e *env) update(id string, f func(*rempart.Case) error) {
	e.Helper()
	e.ok(e.db.UpdateCase(e.ctx, id, "", f))
}

func (e *env) load(id string) *rempart.Case {
	e.Helper()
	c, err := e.db.Case(e.ctx, id)
	e.ok(err)
	return c
}

// medium returns the first medium of a case.
func medium(c *rempart.Case) *rempart.Item {
	for k := range c.Items {
		if c.Items[k].Kind == rempart.ItemMedium {
			return &c.Items[k]
		}
	}
	return nil
}

// marker is a peer whose entries the tests look for and leave out.
const marker = "marker-of-the-tests"

// mark writes an entry of its own after everything that was committed before,
// and returns its identifier. On PostgreSQL a change shows only when every
// older transaction of the whole cluster has ended, and other tests run there:
// a reader who sees the mark has seen all that was before it.
func (e *env) mark() string {
	e.Helper()
	id := fmt.Sprint("mark-", e.prints.Add(1))
	e.ok(e.db.ApplyFeed(e.ctx, marker, []rempart.Entry{{ID: id, List: "ncii-adult", Fingerprint: e.pdq(), State: rempart.EntryActive, Since: e.now()}}, ""))
	return id
}

// follow reads the changes after a cursor, up to all that was committed before
// the call.
func (e *env) follow(after string) (out []store.Change, next string) {
	e.Helper()
	mark := e.mark()
	deadline := time.Now().Add(30 * time.Second)
	for time.Now().Before(deadline) {
		page, cursor, err := e.db.Changes(e.ctx, after, 7)
		e.ok(err)
		for _, c := range page {
			if c.Peer != marker {
				out = append(out, c)
			}
			if c.Entry.ID == mark {
				return out, cursor
			}
		}
		if after = cursor; len(page) == 0 {
			time.Sleep(time.Millisecond)
		}
	}
	e.Fatal("a change did not show within thirty seconds")
	return nil, ""
}

// everything is all that the API shows of one case, to be compared before and
// after something that must change nothing.
type everything struct {
	Case   *rempart.Case
	Events []rempart.Event
	Jobs   []store.JobRow
	Row    store.CaseRow
	Feed   []store.Change
}

func (e *env) everything(id string) everything {
	e.Helper()
	c := e.load(id)
	events, err := e.db.Events(e.ctx, id)
	e.ok(err)
	jobs, err := e.db.Jobs(e.ctx, id)
	e.ok(err)
	out := everything{Case: c, Events: events, Jobs: jobs}
	for _, r := range e.rows() {
		if r.ID == id {
			out.Row = r
		}
	}
	changes, _ := e.follow("")
	for _, ch := range changes {
		if ch.Entry.CaseID == id {
			out.Feed = append(out.Feed, ch)
		}
	}
	return out
}

// rows returns the whole queue, read in small pages.
func (e *env) rows() (out []store.CaseRow) {
	e.Helper()
	after := ""
	for {
		page, next, err := e.db.Queue(e.ctx, store.QueueFilter{After: after, Limit: 3})
		e.ok(err)
		out = append(out, page...)
		if next == "" {
			return out
		}
		after = next
	}
}
