// Package pgtest gives tests a real PostgreSQL: a private cluster, started once
// for the test process that asks for it and thrown away with it, or the server
// that REMPART_TEST_POSTGRES names.
//
//	func TestMain(m *testing.M) { pgtest.Main(m) }
//
//	func TestPostgres(t *testing.T) {
//		db, err := sql.Open("pgx", pgtest.Fresh(t))
//		…
//	}
//
// The cluster is Debian's own (initdb and pg_ctl from PATH, else the newest of
// /usr/lib/postgresql/*/bin), listens on a unix socket only, and does not sync:
// it is fast and worth nothing after a power cut. Durability is not tested here.
//
// Nothing is left behind, even if the test process is killed: see cluster. A
// machine without PostgreSQL skips the test, unless CI is set: then it fails.
package pgtest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// Env names the variable with the address of a server to use instead of a
// private cluster, as a URL (postgres://user@host/db); its role needs CREATEDB.
const Env = "REMPART_TEST_POSTGRES"

// The cluster of this process: started by the first call of DSN, ended by Stop.
var (
	mu       sync.Mutex
	running  *cluster
	startErr error
)

// Main runs the tests of a package and then stops the cluster, if one was
// started. A package with a TestMain of its own calls Stop after m.Run.
func Main(m *testing.M) {
	m.Run()
	if err := Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// DSN returns the URL of a PostgreSQL server's database "postgres", with the
// rights to create others; it starts the process's cluster if need be. It skips
// t if PostgreSQL is not installed, and fails it if CI is set.
func DSN(t testing.TB) string {
	t.Helper()
	if dsn := os.Getenv(Env); dsn != "" {
		return dsn
	}
	mu.Lock()
	defer mu.Unlock()
	if running == nil && startErr == nil {
		running, startErr = start()
	}
	if startErr != nil {
		refuse(t, startErr)
	}
	return running.dsn("postgres")
}

// Fresh returns the URL of a new, empty database, which no other test sees and
// which is dropped when t ends, whoever is still connected to it.
func Fresh(t testing.TB) string {
	t.Helper()
	admin := DSN(t)
	name := "t_" + strings.ToLower(rand.Text())
	dsn, err := withDatabase(admin, name)
	if err != nil {
		t.Fatalf("pgtest: reading %s: %v", Env, err)
	}
	if err := run(admin, "CREATE DATABASE "+name); err != nil {
		t.Fatalf("pgtest: creating a database for the test: %v", err)
	}
	t.Cleanup(func() {
		if err := run(admin, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("pgtest: dropping the test's database: %v", err)
		}
	})
	return dsn
}

// Stop ends the cluster of this process and waits until its processes and its
// folder are gone. It does nothing if none was started.
func Stop() error {
	mu.Lock()
	defer mu.Unlock()
	if running == nil {
		return nil
	}
	err := running.stop()
	running, startErr = nil, errors.New("pgtest: the cluster of this process was stopped")
	return err
}

// refuse ends t for want of a server: skipped if PostgreSQL is missing on a
// developer's machine, failed in every other case.
func refuse(t testing.TB, err error) {
	t.Helper()
	if errors.Is(err, errMissing) && os.Getenv("CI") == "" {
		t.Skipf("%v; install it (apt-get install postgresql) or set %s to run this test", err, Env)
	}
	t.Fatal(err)
}

// withDatabase returns the URL dsn with its database replaced by name.
func withDatabase(dsn, name string) (string, error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return "", errors.New("not a URL") // the parser's error would repeat a password
	}
	if u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return "", errors.New("not a URL of the form postgres://user@host/database")
	}
	u.Path = "/" + name
	return u.String(), nil
}

// run sends one statement over a connection of its own.
func run(dsn, statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, statement)
	return err
}
