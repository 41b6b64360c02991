package pgtest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// errMissing says that this machine has no PostgreSQL server.
var errMissing = errors.New("pgtest: PostgreSQL's initdb and pg_ctl were not found")

// cluster is a running server, in the hands of a shell (keeper) that waits for
// the end of its standard input. The other end of that pipe is ours, so it ends
// when we stop or when we die, by any signal; the shell then stops the server
// and deletes the folder. The shell has its own process group, so that Ctrl-C
// does not reach it first. The one limit: kill -9 of the shell itself.
type cluster struct {
	dir    string // everything is below it: data, socket, log
	keeper *exec.Cmd
	pipe   io.Closer // closing it ends the keeper
}

// keeper is the shell's program; $1 is the folder with the binaries, $2 the
// cluster's. It says "ready", or else why not. SIGPIPE is ignored so that a word
// said to a dead process is an error that reaches the trap.
const keeper = `
set -e
trap '' PIPE
ready=
end() {
	"$1/pg_ctl" -D "$2/data" -m immediate -w stop >/dev/null 2>&1 || true
	test "$ready" || cat "$2/log" || true
	rm -rf "$2"
}
trap 'end "$@"' EXIT
"$1/initdb" -D "$2/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$2/log" 2>&1
cat >>"$2/data/postgresql.conf" <<end
listen_addresses = ''
unix_socket_directories = '$2'
max_connections = 200
shared_buffers = 32MB
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
end
"$1/pg_ctl" -D "$2/data" -l "$2/log" -w -t 60 start >>"$2/log" 2>&1
ready=1
echo ready
cat >/dev/null
`

// start makes a cluster and waits until it answers: about two seconds.
func start() (*cluster, error) {
	bin, err := find(os.Getenv("PATH"), "/usr/lib/postgresql")
	if err != nil {
		return nil, err
	}
	// Not os.TempDir: a socket's path is at most 107 bytes, and the server's
	// user must be able to reach it.
	dir, err := os.MkdirTemp("/tmp", "rempart-pg-")
	if err != nil {
		return nil, fmt.Errorf("pgtest: making the cluster's folder: %w", err)
	}
	c := &cluster{dir: dir}
	if err := c.launch(bin); err != nil {
		os.RemoveAll(dir)
		return nil, fmt.Errorf("pgtest: starting PostgreSQL from %s: %w", bin, err)
	}
	return c, nil
}

func (c *cluster) launch(bin string) error {
	c.keeper = exec.Command("/bin/sh", "-c", keeper, "sh", bin, c.dir)
	c.keeper.Dir = c.dir
	c.keeper.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C"} // no PGDATA, PGPORT of the developer's
	c.keeper.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if os.Geteuid() == 0 { // PostgreSQL refuses to run as root
		cred, err := unprivileged()
		if err != nil {
			return err
		}
		if err := os.Chown(c.dir, int(cred.Uid), int(cred.Gid)); err != nil {
			return fmt.Errorf("giving the folder to PostgreSQL's user: %w", err)
		}
		c.keeper.SysProcAttr.Credential = cred
	}
	in, err := c.keeper.StdinPipe()
	if err != nil {
		return err
	}
	out, err := c.keeper.StdoutPipe()
	if err != nil {
		return err
	}
	c.pipe = in
	if err := c.keeper.Start(); err != nil {
		return err
	}
	r := bufio.NewReader(out)
	said, _ := r.ReadString('\n')
	if said == "ready\n" {
		return nil
	}
	rest, _ := io.ReadAll(io.LimitReader(r, 4096))
	return fmt.Errorf("%w: %s%s", c.stop(), said, rest)
}

// stop ends the server and waits until it and its folder are gone.
func (c *cluster) stop() error {
	c.pipe.Close()
	if err := c.keeper.Wait(); err != nil {
		return fmt.Errorf("pgtest: stopping PostgreSQL: %w", err)
	}
	if _, err := os.Stat(c.dir); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("pgtest: the cluster's folder %s is still there", c.dir)
	}
	return nil
}

// dsn returns the URL of one of the cluster's databases.
func (c *cluster) dsn(database string) string {
	return "postgres:///" + database + "?" + url.Values{"host": {c.dir}, "user": {"postgres"}}.Encode()
}

// find returns the folder of initdb and pg_ctl: the first one in path (as in
// $PATH), else that of the highest version below debian (debian/15/bin).
func find(path, debian string) (string, error) {
	for _, dir := range filepath.SplitList(path) {
		if has(dir, "initdb") && has(dir, "pg_ctl") {
			return dir, nil
		}
	}
	versions, err := os.ReadDir(debian)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("pgtest: looking for PostgreSQL: %w", err)
	}
	best, dir := -1, ""
	for _, v := range versions {
		bin := filepath.Join(debian, v.Name(), "bin")
		if n, err := strconv.Atoi(v.Name()); err == nil && n > best && has(bin, "initdb") && has(bin, "pg_ctl") {
			best, dir = n, bin
		}
	}
	if dir == "" {
		return "", errMissing
	}
	return dir, nil
}

// has says whether dir holds an executable file of that name.
func has(dir, name string) bool {
	info, err := os.Stat(filepath.Join(dir, name))
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// unprivileged returns who runs the server when we are root: the user that
// Debian's package makes, else nobody.
func unprivileged() (*syscall.Credential, error) {
	u, err := user.Lookup("postgres")
	if err != nil {
		u, err = user.Lookup("nobody")
	}
	if err != nil {
		return nil, fmt.Errorf("looking for a user to run as: %w", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("user %s: %w", u.Username, err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("user %s: %w", u.Username, err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}
