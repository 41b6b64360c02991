package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"sync"
	"time"

	"rempart"
	"rempart/flow"
	"rempart/media"
)

// What goes on at once is bounded over everybody: nobody's address is asked for
// it. A code has 75 random bits, so that no limit protects it; this one keeps
// a flood of codes from taking the database away from others.
const (
	lookupsAtOnce = 32
	lookupWait    = 2 * time.Second
)

// uploadsAtOnce is how many bodies with a file are in memory at once, each of
// up to 65 MiB.
func uploadsAtOnce() int { return 2*runtime.GOMAXPROCS(0) + 6 }

// An upload has uploadTime to arrive, and one second more for each uploadPace
// bytes that came.
const (
	uploadTime = time.Minute
	uploadPace = 128 << 10
	uploadEnd  = 5 * time.Second // for what is left of a body when the answer is known
)

// followUp returns what the holder of a code sees. What is no code at all is
// answered without the database.
func (s *Server) followUp(ctx context.Context, typed string) (*flow.Follow, error) {
	if _, err := rempart.ParseCaseCode(typed); err != nil {
		return nil, err
	}
	done, err := s.lookup(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	return s.Flow.FollowUp(ctx, typed)
}

// withdraw erases the report of the holder of a code, among as many at once as
// codes are looked up. What is no code at all is answered without the database.
func (s *Server) withdraw(ctx context.Context, typed string) (held bool, gone flow.Withdrawal, err error) {
	if _, err := rempart.ParseCaseCode(typed); err != nil {
		return false, gone, err
	}
	done, err := s.lookup(ctx)
	if err != nil {
		return false, gone, err
	}
	defer done()
	if held, err = s.Flow.Withdraw(ctx, typed); err != nil {
		return false, gone, err
	}
	if gone, err = s.Flow.Withdrawal(ctx, typed); err != nil { // it is done: the page says so all the same
		gone = flow.Withdrawal{}
	}
	return held, gone, nil
}

// lookup takes one of the places for what a code opens; done gives it back.
func (s *Server) lookup(ctx context.Context) (done func(), err error) {
	wait, cancel := context.WithTimeout(ctx, lookupWait)
	defer cancel()
	select {
	case s.lookups <- struct{}{}:
		return func() { <-s.lookups }, nil
	case <-wait.Done():
		return nil, &rempart.Error{Kind: rempart.Unavailable, Code: "code.busy", Public: "Many codes are being tried at this moment. Please try again in a minute."}
	}
}

// intakeByCode returns what a code opens on a platform. What is no code at all is
// answered without the database.
func (s *Server) intakeByCode(ctx context.Context, typed string) (flow.Holder, error) {
	if _, err := rempart.ParseCaseCode(typed); err != nil {
		return flow.Holder{}, err
	}
	done, err := s.lookup(ctx)
	if err != nil {
		return flow.Holder{}, err
	}
	defer done()
	return s.Flow.IntakeByCode(ctx, typed)
}

// What anybody may send without a key is bounded over everybody, as nobody's
// address is asked for: formsAtOnce in a row, then one each formsEvery.
const (
	formsAtOnce = 60
	formsEvery  = 2 * time.Second
)

// A bucket lets so much through.
type bucket struct {
	mu   sync.Mutex
	free time.Time // when it is full again; before now it is
}

// take takes one place, or says that there is none.
func (b *bucket) take(now time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.free.Before(now) {
		b.free = now
	}
	if b.free.Sub(now) > (formsAtOnce-1)*formsEvery {
		return &rempart.Error{Kind: rempart.Unavailable, Code: "form.flood", Public: "Many notices are arriving at this moment. What you wrote is still here: please send it again in a minute."}
	}
	b.free = b.free.Add(formsEvery)
	return nil
}

// upload takes one of the places for a body with a file, of at most limit
// bytes, and bounds the time in which it arrives. done gives the place back; it
// is called when nothing of the body is used any more.
func (s *Server) upload(w http.ResponseWriter, r *http.Request, limit int64) (done func(), err error) {
	c := http.NewResponseController(w)
	select {
	case s.uploads <- struct{}{}:
	default:
		c.SetReadDeadline(time.Now().Add(uploadEnd))
		return nil, &rempart.Error{Kind: rempart.Unavailable, Code: "upload.busy", Public: "Many files are being checked at this moment. Please send this one again in a few seconds."}
	}
	b := &paced{ReadCloser: http.MaxBytesReader(w, r.Body, limit), deadline: c.SetReadDeadline, end: time.Now().Add(s.uploadTime)}
	b.deadline(b.end)
	r.Body = b
	return func() {
		if end := time.Now().Add(uploadEnd); !b.ended && end.Before(b.end) {
			b.deadline(end)
		}
		<-s.uploads
	}, nil
}

// A paced body moves its deadline as it arrives. At its end there is none: the
// server goes on reading behind it, to see whether the client leaves.
type paced struct {
	io.ReadCloser
	deadline func(time.Time) error // fails where there is no connection, as in a test
	end      time.Time
	came     int // bytes since the deadline was moved
	ended    bool
}

// Read reads on.
func (b *paced) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.came += n
	switch {
	case err == io.EOF:
		b.ended = true
		b.deadline(time.Time{})
	case b.came >= uploadPace:
		b.end = b.end.Add(time.Duration(b.came/uploadPace) * time.Second)
		b.came %= uploadPace
		b.deadline(b.end)
	}
	return n, err
}

// A part is the file of a multipart body. That it breaks off is the sender's
// fault or misfortune, and not ours.
type part struct{ in io.Reader }

// Read reads on.
func (p part) Read(b []byte) (int, error) {
	n, err := p.in.Read(b)
	var big *http.MaxBytesError
	if err != nil && err != io.EOF && !errors.As(err, &big) {
		err = &rempart.Error{Kind: rempart.Invalid, Field: "file", Code: "upload.broke_off", Public: "This file did not arrive whole. Please send it again.", Err: err}
	}
	return n, err
}

// bodyError gives the errors of a body their own sentence. public is that of
// one that is wrong, "" if err has its sentence.
func bodyError(err error, public string) error {
	var big *http.MaxBytesError
	var ours *rempart.Error
	switch {
	case errors.Is(err, media.ErrTooMuchMemory):
		return &rempart.Error{Kind: rempart.TooLarge, Field: "file", Code: "picture.memory", Public: "This picture takes more memory to read than a check may. Send a copy with fewer pixels, or with 8 bits a colour.", Err: err}
	case errors.As(err, &big) && big.Limit == maxMatchJSON:
		return &rempart.Error{Kind: rempart.TooLarge, Field: "body", Code: "match.large", Public: "This list is too large: at most 1 MiB of JSON."}
	case errors.As(err, &big), errors.Is(err, media.ErrTooManyBytes):
		return &rempart.Error{Kind: rempart.TooLarge, Field: "file", Code: "picture.bytes", Public: "This file is too large; at most 64 MiB can be checked."}
	case public == "", errors.As(err, &ours):
		return err
	}
	return &rempart.Error{Kind: rempart.Invalid, Field: "body", Code: "match.body", Public: public, Err: err}
}
