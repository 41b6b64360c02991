package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"rempart"
	"rempart/flow"
)

// place is where an instance keeps what it keeps.
type place struct {
	Data     string `help:"Folder of the instance: its key, and its database unless -database is given." default:"rempart-data" env:"REMPART_DATA" type:"path"`
	Database string `help:"PostgreSQL address, postgres://…; default: SQLite in the data folder." env:"REMPART_DATABASE"`
	Keyring  string `help:"File of the keyring that opens the cases; default: keyring.json in the data folder." env:"REMPART_KEYRING" type:"path"`
	KMS      string `name:"keyring-kms" help:"Key of a key management service that encrypts the keyring's file, in a build with that service's client." env:"REMPART_KEYRING_KMS"`
}

// serveCmd runs an instance.
type serveCmd struct {
	place
	Addr    string   `help:"Address to listen on." default:"127.0.0.1:8080" env:"REMPART_ADDR"`
	Metrics string   `help:"Address for /metrics; default: none." env:"REMPART_METRICS"`
	Role    []string `help:"Roles: hub, platform." default:"hub" enum:"hub,platform" env:"REMPART_ROLE"`
	Site    string   `help:"Name of the instance, shown on its pages." default:"Rempart" env:"REMPART_SITE"`
	Origin  string   `help:"Address under which others reach it, such as https://signaler.exemple.test." env:"REMPART_ORIGIN"`

	Name      string `help:"Hub: name of the association, in its notices." env:"REMPART_NAME"`
	Email     string `help:"Hub: e-mail address of the association, in its notices." env:"REMPART_EMAIL"`
	Trusted   bool   `help:"Hub: the association is a trusted flagger (DSA art. 22)." env:"REMPART_TRUSTED"`
	Expertise string `help:"Hub: the area it was designated for." env:"REMPART_EXPERTISE"`

	PauseAfter int           `help:"Hub: after how many minors' cases that somebody opened in a day a pause is proposed to her; she can ask for it sooner, not later." default:"15" env:"REMPART_PAUSE_AFTER"`
	Undo       time.Duration `help:"Hub: how long a notice that was sent can be called back before it leaves; 0s is not at all." default:"60s" env:"REMPART_UNDO"`

	Keep map[string]int `help:"Days for which closed cases and notices received are kept before they are erased, by class, and e-mails that nobody filed: minor=365;adult=365;unfounded=90;mail=90;notice-minor=365;notice-acted=365;notice-refused=270, which is the default; 0 is without end." env:"REMPART_KEEP"`

	recheckFlags
	mailFlags
	oidcFlags

	Transparency      string `help:"Platform: address of the EU's transparency database, or of its sandbox, to send statements of reasons to; default: a dry run." env:"REMPART_TRANSPARENCY"`
	TransparencyToken string `help:"Platform: file that holds the token for it." type:"path" env:"REMPART_TRANSPARENCY_TOKEN"`
}

// Run serves until it is told to stop.
func (c *serveCmd) Run(ctx context.Context, s streams) error {
	if c.Trusted && strings.TrimSpace(c.Expertise) == "" {
		return hinted{errors.New("a trusted flagger is designated for an area of expertise, and none is named (DSA art. 22)"), "name it with -expertise, or leave -trusted out"}
	}
	transparency, err := c.transparency()
	if err != nil {
		return err
	}
	if c.PauseAfter < 1 {
		return hinted{fmt.Errorf("a pause cannot be proposed after %d cases", c.PauseAfter), "give -pause-after a number from 1"}
	}
	if c.Undo < 0 || c.Undo > time.Hour {
		return hinted{fmt.Errorf("a notice cannot be called back for %s", c.Undo), "give -undo from 0s to 1h"}
	}
	rechecks, err := c.rechecks()
	if err != nil {
		return err
	}
	sender, err := c.sender(c.Email, c.Name)
	if err != nil {
		return err
	}
	inbox, err := c.inbox()
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(s.err, nil))
	keep, err := retention(c.Keep)
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", c.Addr)
	if err != nil {
		return hinted{err, "another program has this address; choose one with -addr"}
	}
	origin := c.Origin
	if origin == "" {
		origin = "http://" + ln.Addr().String()
	}
	has := func(role string) bool { return strings.Contains(" "+strings.Join(c.Role, " ")+" ", " "+role+" ") }
	signIn, err := c.provider(origin)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	i, err := openInstance(ctx, instanceConfig{
		site: c.Site, data: c.Data, database: c.Database, keyring: c.Keyring, kms: c.KMS, hub: has("hub"), platform: has("platform"), origin: origin, keep: keep, undo: c.Undo, pauseAfter: c.PauseAfter, log: log, index: indexFolder(c.Data),
		notifier:     rempart.Notifier{Name: c.Name, Email: c.Email, TrustedFlagger: c.Trusted, Expertise: c.Expertise},
		transparency: transparency, rechecks: rechecks, mail: sender, inbox: inbox, signIn: signIn,
	})
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	if err := i.keep(ctx); err != nil {
		return errors.Join(err, ln.Close(), i.db.Close())
	}
	if err := c.welcome(ctx, i, origin, s); err != nil {
		return errors.Join(err, ln.Close(), i.db.Close())
	}
	if c.Metrics != "" {
		if err := serveMetrics(ctx, c.Metrics, log); err != nil {
			return errors.Join(err, ln.Close(), i.db.Close())
		}
	}
	return i.run(ctx, ln)
}

// indexFolder is where the instance of a data folder keeps its index.
func indexFolder(data string) string { return filepath.Join(data, "index") }

// retention is the policy that days by class make; what is not said is as in the
// default.
func retention(days map[string]int) (rempart.Retention, error) {
	keep := maps.Clone(rempart.DefaultRetention)
	for class, n := range days {
		notice := slices.Contains(rempart.NoticeClasses, rempart.RetentionClass(class))
		if !notice && !slices.Contains(rempart.RetentionClasses, rempart.RetentionClass(class)) && class != string(rempart.KeptMail) || n < 0 || n > 36500 {
			return nil, hinted{fmt.Errorf("-keep %s=%d: not a class with a number of days", class, n), "the classes are minor, adult and unfounded, mail for e-mails that nobody filed, and of notices received notice-minor, notice-acted and notice-refused: -keep 'minor=730;unfounded=30'"}
		}
		if least := int(rempart.MinNoticeRetention / (24 * time.Hour)); notice && n > 0 && n < least {
			return nil, hinted{fmt.Errorf("-keep %s=%d: a decision may be complained about for six months (DSA art. 20(1))", class, n), fmt.Sprintf("give at least %d days, or 0 to keep it without end", least)}
		}
		keep[rempart.RetentionClass(class)] = time.Duration(n) * 24 * time.Hour
	}
	return keep, nil
}

// transparency returns where statements of reasons go: nowhere, unless both an
// address and a token are given. The token is in a file, as what is on a command
// line can be read by every user of the machine.
func (c *serveCmd) transparency() (flow.Transparency, error) {
	if c.Transparency == "" && c.TransparencyToken == "" {
		return flow.Transparency{}, nil
	}
	u, err := url.Parse(c.Transparency)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return flow.Transparency{}, hinted{errors.New("the address of the transparency database is not one"), "give -transparency https://… and -transparency-token FILE, or neither for a dry run"}
	}
	token, err := os.ReadFile(c.TransparencyToken)
	if err == nil && strings.TrimSpace(string(token)) == "" {
		err = errors.New("it is empty")
	}
	if err != nil {
		return flow.Transparency{}, hinted{fmt.Errorf("token for the transparency database: %w", err), "write it to a file that only you can read, and name the file with -transparency-token"}
	}
	return flow.Transparency{URL: c.Transparency, Token: strings.TrimSpace(string(token))}, nil
}

// welcome says where to click, and, when there is no staff yet, makes the first
// administrator and a link for her to sign in with once.
func (c *serveCmd) welcome(ctx context.Context, i *instance, origin string, s streams) error {
	fmt.Fprintf(s.err, "rempart: serving %s (%s) on %s\n", c.Site, strings.Join(c.Role, ", "), origin)
	if openToOthers(c.Data) {
		fmt.Fprintf(s.err, "rempart: warning: %s is open to other users of this machine; it holds the instance's key: chmod 700 %[1]s\n", filepath.Clean(c.Data))
	}
	staff, err := i.db.AllStaff(ctx)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(staff, func(m rempart.Staff) bool { return m.DisabledAt.IsZero() }) {
		return nil
	}
	role := rempart.RoleAnalyst
	if i.cfg.platform && !i.cfg.hub {
		role = rempart.RoleModerator
	}
	database := ""
	if c.Database != "" {
		database = " -database …" // the address may hold a password
	}
	fmt.Fprintf(s.err, "rempart: nobody can sign in yet. In another window:\n"+
		"rempart:   rempart admin staff add -data %s%s -login LOGIN -alias ALIAS -role %s -origin %s\n"+
		"rempart: prints a link that signs in once.\n", filepath.Clean(c.Data), database, role, origin)
	return nil
}

// openToOthers tells whether other users of the machine may read or write in a
// folder. Where there are no such permissions it says no.
func openToOthers(dir string) bool {
	i, err := os.Stat(dir)
	return err == nil && runtime.GOOS != "windows" && i.Mode().Perm()&0o077 != 0
}

// serveMetrics answers /metrics on a listener of its own, so that it is never
// open to the world by accident.
func serveMetrics(ctx context.Context, addr string, log *slog.Logger) error {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return hinted{err, "choose another address with -metrics"}
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.Handler())
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		<-ctx.Done()
		srv.Close()
	}()
	go func() {
		if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			log.Error("metrics", "err", err)
		}
	}()
	return nil
}

// open opens the store of a place that must exist already.
func (p place) open(ctx context.Context) (*instance, error) {
	if _, err := os.Stat(filepath.Join(p.Data, "instance.key")); err != nil {
		return nil, hinted{fmt.Errorf("no instance in %s: %w", p.Data, err), "name its folder with -data; rempart serve makes one"}
	}
	return openInstance(ctx, instanceConfig{data: p.Data, database: p.Database, keyring: p.Keyring, kms: p.KMS, log: slog.New(slog.DiscardHandler)})
}
