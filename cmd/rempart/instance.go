package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"golang.org/x/sync/errgroup"

	"rempart"
	"rempart/flow"
	"rempart/idp"
	"rempart/keyring"
	"rempart/law"
	"rempart/store"
	"rempart/web"
)

// An instanceConfig is what one instance is made of.
type instanceConfig struct {
	pauseAfter int // as web.Config has it

	site     string // name shown on its pages
	data     string // its folder: the key, and the database when it is SQLite
	database string // postgres:// address, or "" for SQLite in data
	keyring  string // its file; "" for the one in data
	kms      string // key of a key management service that encrypts that file, "" for none
	hub      bool
	platform bool
	demo     bool
	untold   bool   // as web.Config has it
	origin   string // base address for others, "" to take it from the listener
	notifier rempart.Notifier
	keep     rempart.Retention // nil for the default
	undo     time.Duration     // how long a notice that was sent can be called back
	node     *flow.Node        // nothing but a matcher; nil: more
	client   *http.Client      // for what leaves; nil: the usual one
	index    string            // folder of the index and what goes with it; "" for one in memory
	now      func() time.Time
	advance  func(time.Duration) time.Time
	log      *slog.Logger

	transparency flow.Transparency
	rechecks     flow.Rechecks
	mail         flow.Mailer   // nil: no e-mail is sent
	inbox        flow.Inbox    // nil: no mailbox is read
	signIn       *idp.Provider // where staff may sign in too; nil: nowhere
}

// An instance is one running Rempart: a store, its flow and its pages.
type instance struct {
	cfg     instanceConfig
	db      *store.DB
	ring    *keyring.Ring
	flow    *flow.Flow
	handler http.Handler
}

// openInstance opens the store and makes the rest ready; nothing runs yet.
func openInstance(ctx context.Context, c instanceConfig) (*instance, error) {
	given := c.now // nil: the wall's, and the store then shares its database's
	if c.now == nil {
		c.now = time.Now
	}
	key, err := instanceKey(c.data)
	if err != nil {
		return nil, err
	}
	dsn := c.database
	if dsn == "" {
		dsn = filepath.Join(c.data, "rempart.db")
	}
	var ring *keyring.Ring
	openRing := func(fresh bool) (_ *keyring.Ring, err error) {
		ring, err = c.ring(fresh)
		return ring, err
	}
	db, err := store.Open(ctx, dsn, store.Options{Key: key, Keyring: openRing, Name: signerName(c.site), Head: filepath.Join(c.data, "ledger.head"), Now: given})
	if err != nil {
		return nil, keyringHint(err, c.keyringPath())
	}
	f := flow.New(flow.Flow{DB: db, Law: law.France(), Now: c.now, Notifier: c.notifier, Node: c.node, Client: c.client, Retention: c.keep, Undo: c.undo, Origin: c.origin, Log: c.log, Lease: lease, Fault: fault,
		Transparency: c.transparency, Rechecks: c.rechecks, Mail: c.mail, Inbox: c.inbox})
	if c.index != "" {
		if err := f.OpenIndex(ctx, c.index); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	if c.node != nil {
		if err := f.OpenNode(ctx); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	if c.hub {
		if err := f.Prepare(ctx); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	h, err := web.New(web.Config{Site: c.site, Hub: c.hub, Platform: c.platform, Matcher: c.node != nil, Untold: c.untold, Demo: c.demo, DB: db, Flow: f, Law: f.Law, OIDC: c.signIn,
		Notifier: c.notifier, Now: c.now, Log: c.log, Advance: c.advance, PauseAfter: c.pauseAfter})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &instance{cfg: c, db: db, ring: ring, flow: f, handler: h}, nil
}

// signerName turns the name of an instance into one that signed notes allow: no
// spaces and no plus. Of no name it is "", which leaves it to the store.
func signerName(site string) string {
	return strings.Join(strings.FieldsFunc(site, func(r rune) bool { return unicode.IsSpace(r) || r == '+' }), "-")
}

// instanceKey reads the secret of an instance, or makes it at its first start.
// It is a file of its own, outside the database, so that a dump of the database
// alone opens nothing.
func instanceKey(data string) ([]byte, error) {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, hinted{fmt.Errorf("data folder: %w", err), "choose a folder you can write with -data"}
	}
	name := filepath.Join(data, "instance.key")
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(filepath.Join(data, "rempart.db")); err == nil {
			return nil, hinted{fmt.Errorf("instance key: there is no %s, and a database beside it", name), "put the file back: the codes and credentials of this database need it; nothing was changed"}
		}
		b = make([]byte, 32)
		rand.Read(b)
		if err = writeKey(name, b); errors.Is(err, fs.ErrExist) { // another process was first
			b, err = os.ReadFile(name)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("instance key: %w", err)
	}
	if len(b) != 32 {
		return nil, hinted{fmt.Errorf("instance key: %s has %d bytes, not 32", name, len(b)), "restore the file from a backup; without it codes and credentials cannot be read"}
	}
	return b, nil
}

// writeKey writes a new key whole or not at all: a link from a temporary file
// fails when the name exists.
func writeKey(name string, b []byte) error {
	t, err := os.CreateTemp(filepath.Dir(name), "key")
	if err != nil {
		return err
	}
	defer os.Remove(t.Name())
	_, err = t.Write(b)
	if err := errors.Join(err, t.Sync(), t.Close()); err != nil {
		return err
	}
	return os.Link(t.Name(), name)
}

// run serves on ln and works until ctx ends, then ends requests and jobs in
// hand, at most for ten seconds, and closes the store.
func (i *instance) run(ctx context.Context, ln net.Listener) error {
	now := make(chan struct{})
	close(now)
	return i.runAfter(ctx, ln, now)
}

// readTimeout bounds the time in which a request arrives. It is more than the 30
// seconds that the feed waits, as at its end the client counts as gone; a body
// with a file moves it (package web).
const readTimeout = time.Minute

// runAfter is run, but for the workers, which start when work is closed.
func (i *instance) runAfter(ctx context.Context, ln net.Listener, work <-chan struct{}) error {
	srv := &http.Server{Handler: i.handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: readTimeout, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10,
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)} // its lines hold addresses of people
	g, ctx := errgroup.WithContext(ctx)
	worker := func(f func(context.Context) error) {
		g.Go(func() error {
			select {
			case <-ctx.Done():
				return nil
			case <-work:
				return f(ctx)
			}
		})
	}
	worker(i.flow.Work)
	worker(i.flow.Follow)
	worker(i.flow.FollowSources)
	if i.cfg.hub {
		worker(i.flow.FollowMail)
	}
	if i.cfg.platform || i.cfg.node != nil {
		worker(i.flow.FollowHub)
	}
	g.Go(func() error {
		if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		if err := srv.Shutdown(end); err != nil {
			return srv.Close()
		}
		return nil
	})
	err := g.Wait()
	return errors.Join(err, i.flow.Close(), i.db.Close())
}
