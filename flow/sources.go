package flow

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"rempart"
	"rempart/exchange"
	"rempart/store"
)

// sourcesAtOnce is how many sources one process reads at the same time.
const sourcesAtOnce = 4

// sourceRefused is the shortest wait after an answer that trying again unchanged
// does not mend: a key that was taken back may be given again.
const sourceRefused = time.Hour

// FollowSources reads the sources that are due, until ctx ends. Each is read by
// one process at a time; one that was killed is followed by another when its
// lease ends, at the page it was at.
func (f *Flow) FollowSources(ctx context.Context) error {
	var all sync.WaitGroup
	defer all.Wait()
	room := make(chan struct{}, sourcesAtOnce)
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		select {
		case room <- struct{}{}:
		default:
			continue
		}
		c, ok, err := f.DB.ClaimSource(ctx, "", f.Lease)
		if err != nil && ctx.Err() == nil && rempart.KindOf(err) != rempart.Unavailable {
			f.Log.ErrorContext(ctx, "claiming a source", "err", err)
		}
		if !ok {
			<-room
			continue
		}
		all.Go(func() {
			defer func() { <-room }()
			if _, err := f.readClaimed(ctx, c, nil); err != nil && ctx.Err() == nil {
				f.Log.WarnContext(ctx, "a source cannot be read; it is tried again", "source", c.Source.Name, "err", err)
			}
		})
	}
}

// ReadSource reads a source to its end now, and tells how it goes, if progress is
// not nil. It is a rempart.Conflict while another process reads it.
func (f *Flow) ReadSource(ctx context.Context, name string, progress func(rempart.SourceStatus)) (rempart.SourceStatus, error) {
	if _, err := f.DB.Source(ctx, name); err != nil {
		return rempart.SourceStatus{}, err
	}
	c, ok, err := f.DB.ClaimSource(ctx, name, f.Lease)
	if err != nil {
		return rempart.SourceStatus{}, err
	}
	if !ok {
		return rempart.SourceStatus{}, &rempart.Error{Kind: rempart.Conflict, Code: "source.busy", Public: "Another process reads this source now."}
	}
	return f.readClaimed(ctx, c, progress)
}

// readClaimed reads a source to its end, gives it back, and says when it is due
// again. What was saved stays when it fails: the next reading goes on there.
func (f *Flow) readClaimed(ctx context.Context, c store.SourceClaim, progress func(rempart.SourceStatus)) (rempart.SourceStatus, error) {
	ctx, lost := context.WithCancelCause(ctx)
	defer lost(nil)
	stop := f.holdSource(ctx, c, lost)
	defer stop()
	status := c.Status
	if c.Checkpoint == "" || !status.Ended.Before(status.Began) {
		status = status.Anew(f.Now())
	}
	read := f.readPages
	if c.Source.Kind == rempart.SourceFile {
		read = f.readFile
	}
	err := read(ctx, c, &status, progress)
	stop()
	if rempart.KindOf(err) == rempart.Conflict {
		return status, err // another process has it, or nobody
	}
	if cause := context.Cause(ctx); cause != nil {
		if rempart.KindOf(cause) == rempart.Conflict {
			return status, cause
		}
		// We are stopping: give it back, so that the next process need not wait.
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		return status, errors.Join(err, f.DB.EndSource(end, c, status, f.Now()))
	}
	now := f.Now()
	due := now.Add(c.Source.Every)
	var events []rempart.Event
	if err != nil {
		due = sourceFailed(&status, err, now)
	} else {
		status.Ended, status.Failed, status.Why, status.Failures = now, time.Time{}, "", 0
		if status.Added+status.Removed > 0 && c.Source.Kind != rempart.SourceFile { // of a file the import says so
			events = append(events, rempart.Event{Kind: "source.read", Subject: c.Source.Name, Actor: rempart.ActorSystem, At: now, Data: map[string]string{
				"added": strconv.Itoa(status.Added), "withdrawn": strconv.Itoa(status.Removed), "refused": strconv.Itoa(status.Refused)}})
		}
	}
	return status, errors.Join(err, f.DB.EndSource(ctx, c, status, due, events...))
}

// sourceFailed notes why a source could not be read, and returns when to try
// again: never before the far side asks.
func sourceFailed(status *rempart.SourceStatus, err error, now time.Time) time.Time {
	var fail *exchange.Failure
	status.Failures++
	status.Failed, status.Why = now, "our own fault: see the log"
	if errors.As(err, &fail) {
		status.Why = why(fail)
		if fail.Status == http.StatusOK {
			status.Why = fail.Answer
		}
	}
	wait := wait(status.Failures, fail)
	if fail != nil && fail.Permanent {
		wait = max(wait, sourceRefused)
	}
	return now.Add(wait)
}

// holdSource holds a source until stop is called. When it cannot any more, lost
// is told.
func (f *Flow) holdSource(ctx context.Context, c store.SourceClaim, lost context.CancelCauseFunc) (stop func()) {
	end, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(f.Lease / 3)
		defer tick.Stop()
		for {
			select {
			case <-end:
				return
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if err := f.DB.HoldSource(ctx, c, f.Lease); rempart.KindOf(err) == rempart.Conflict {
				lost(err)
				return
			}
		}
	}()
	return sync.OnceFunc(func() {
		close(end)
		<-done
	})
}

// readPages reads a source that is given in pages, and saves each with the place
// behind it.
func (f *Flow) readPages(ctx context.Context, c store.SourceClaim, status *rempart.SourceStatus, progress func(rempart.SourceStatus)) error {
	afresh, err := f.staleSource(ctx, c)
	if err != nil {
		return err
	}
	if afresh {
		c.Checkpoint, *status = "", status.Anew(f.Now())
	}
	if err := f.pages(ctx, c.SourceRow, status, func(p exchange.SourcePage) (err error) {
		f.at("source.read")
		if *status, err = f.DB.ApplySource(ctx, c, p.Records, p.Next, p.Afresh || afresh, *status, f.Lease); err != nil {
			return err
		}
		afresh = false
		f.at("source.saved")
		if progress != nil {
			progress(*status)
		}
		return nil
	}); err != nil {
		return err
	}
	n, err := f.DB.SweepSource(ctx, c, f.Lease)
	status.Removed += n
	return err
}

// staleSource tells whether a source was not read for so long that its place tells
// no more of all that was withdrawn since, so that it is read again whole. One
// that is being read so, and was left off, goes on.
func (f *Flow) staleSource(ctx context.Context, c store.SourceClaim) (bool, error) {
	old := func(t time.Time) bool { return f.Now().Sub(t) > exchange.StopNCIIKept }
	last := c.Status.Ended
	if last.IsZero() {
		last = c.Status.Began
	}
	if c.Source.Kind != rempart.SourceStopNCII || c.Checkpoint == "" || !old(last) {
		return false, nil
	}
	on, err := f.DB.Sweeping(ctx, c.Source.ID())
	return !on || old(c.Status.Began), err
}

// pages gives each page of a source, from its checkpoint on, and counts.
func (f *Flow) pages(ctx context.Context, r store.SourceRow, status *rempart.SourceStatus, give func(exchange.SourcePage) error) error {
	client, err := exchange.PullClient(r.Source)
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	cred, err := f.DB.SourceCredentials(ctx, r.Source.Name)
	if err != nil {
		return err
	}
	for at := r.Checkpoint; ; {
		p, err := exchange.PullSource(ctx, client, r.Source, cred, at, time.Now()) // theirs is the time of clocks, not of a demo
		if err != nil {
			return err
		}
		s := *status
		for _, x := range p.Refused {
			x.Place += s.Read
			s.Refuse(x)
		}
		s.Read += p.Count
		s.Other += p.Other
		for i := range p.Records {
			x := &p.Records[i]
			if x.Gone {
				continue
			}
			if x.Fingerprint.Type == rempart.PDQ && x.Fingerprint.Quality == 0 {
				x.Fingerprint.Quality = r.Source.Quality
			}
			if !x.Fingerprint.Listable() {
				s.Flat++
				x.Gone = true
			}
		}
		*status = s
		if err := give(p); err != nil {
			return err
		}
		if at = p.Next; !p.More {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// A SourceTrial is what reading a source from its beginning would change.
type SourceTrial struct {
	store.Diff
	Status rempart.SourceStatus `json:"status"` // what was read
}

// TrySource reads a source from its beginning to its end and saves nothing: it
// only says what would change. dir is for a temporary file; "" is the system's.
func (f *Flow) TrySource(ctx context.Context, name, dir string, progress func(rempart.SourceStatus)) (out SourceTrial, err error) {
	r, err := f.DB.Source(ctx, name)
	if err != nil {
		return out, err
	}
	r.Checkpoint = ""
	out.Status = rempart.SourceStatus{Began: f.Now()}
	if r.Source.Kind == rempart.SourceFile {
		var n Imported
		_, err := f.sourceFile(ctx, r.Source, dir, "", &out.Status, func(file *os.File) error {
			n, err = f.importSource(ctx, r.Source, file, dir, true, &out.Status, progress)
			return err
		})
		out.Diff = store.Diff{Added: n.Added, Removed: n.Withdrawn, Same: n.Same}
		return out, err
	}
	t, err := store.OpenTrial(ctx, dir)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	if err := f.pages(ctx, r, &out.Status, func(p exchange.SourcePage) error {
		if progress != nil {
			progress(out.Status)
		}
		return t.Put(ctx, p.Records)
	}); err != nil {
		return out, err
	}
	out.Diff, err = t.Compare(ctx, f.DB, r.Source.ID())
	return out, err
}

// readFile reads a source that is a file: all that it shares.
func (f *Flow) readFile(ctx context.Context, c store.SourceClaim, status *rempart.SourceStatus, progress func(rempart.SourceStatus)) error {
	version, err := f.sourceFile(ctx, c.Source, "", c.Status.Version, status, func(file *os.File) error {
		before, err := f.DB.CountSource(ctx, c.Source.ID())
		if err != nil {
			return err
		}
		trial := *status
		n, err := f.importSource(ctx, c.Source, file, "", true, &trial, progress)
		if err != nil {
			return err
		}
		if before > 0 && n.Valid == 0 || rempart.LacksMuch(n.Withdrawn, before, c.Source.Lacks()) { // more likely a fault of theirs than a change of heart
			return &exchange.Failure{Status: http.StatusOK, Permanent: true,
				Answer: fmt.Sprintf("the file has %d fingerprints and lacks %d of the %d that are held: nothing was changed; rempart import -whole does it", n.Valid, n.Withdrawn, before)}
		}
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			return err
		}
		_, err = f.importSource(ctx, c.Source, file, "", false, status, progress)
		return err
	})
	if err == nil {
		status.Version = version
	}
	return err
}

// sourceFile fetches the file of a source whole, and gives it, unless it is of the
// version that was read before.
func (f *Flow) sourceFile(ctx context.Context, s rempart.Source, dir, had string, status *rempart.SourceStatus, give func(*os.File) error) (version string, err error) {
	client, err := exchange.PullClient(s)
	if err != nil {
		return "", err
	}
	defer client.CloseIdleConnections()
	cred, err := f.DB.SourceCredentials(ctx, s.Name)
	if err != nil {
		return "", err
	}
	body, version, err := exchange.PullFile(ctx, client, s, cred, had)
	if err != nil || body == nil {
		return version, err
	}
	defer body.Close()
	file, err := os.CreateTemp(dir, "source")
	if err != nil {
		return "", fmt.Errorf("flow: source %s: %w", s.Name, err)
	}
	defer func() { err = errors.Join(err, file.Close(), os.Remove(file.Name())) }()
	n, err := io.Copy(file, io.LimitReader(body, maxSourceFile+1))
	switch {
	case err != nil:
		return "", &exchange.Failure{Status: http.StatusOK, Answer: "the file broke off", Err: err}
	case n > maxSourceFile:
		return "", &exchange.Failure{Status: http.StatusOK, Answer: "the file is larger than 8 GiB", Permanent: true}
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	*status = status.Anew(f.Now())
	return version, give(file)
}

// maxSourceFile is the most that is read of a file: a hundred million values.
const maxSourceFile = 8 << 30

// importSource takes a file in, and counts as a source does.
func (f *Flow) importSource(ctx context.Context, s rempart.Source, file io.Reader, dir string, dry bool, status *rempart.SourceStatus, progress func(rempart.SourceStatus)) (Imported, error) {
	count := func(n Imported) {
		status.Read, status.Added, status.Removed, status.Same = n.Valid+n.Refused+n.Flat+n.Unknown, n.Added, n.Withdrawn, n.Same+n.Twice
		status.Refused, status.Flat = n.Refused, n.Flat+n.Unknown
	}
	o := ImportOptions{List: s.List, Source: s.ID(), Usual: rempart.Fingerprint{Type: s.Type, Quality: s.Quality}, Whole: true, DryRun: dry, Temp: dir, By: rempart.ActorSystem,
		Refused: func(e *exchange.LineError) { status.Refuse(rempart.RefusedRecord{Place: e.Line, Why: e.Why}) }}
	if progress != nil {
		o.Progress = func(n Imported) {
			s := *status
			count(n)
			progress(*status)
			*status = s
		}
	}
	n, err := f.Import(ctx, file, o)
	count(n)
	return n, err
}
