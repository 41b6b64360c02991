// Command rempart is the whole system in one binary: a hub for an association,
// the platform's side for a hosting service, and the tools beside them.
//
// Its voice: answers on stdout, everything else on stderr; errors in lower case
// with a hint of what to do next; exit 0 only if all that was asked was done.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

// cli is every command, with its flags. Flags are written with one dash or two.
type cli struct {
	Serve     serveCmd     `cmd:"" help:"Run an instance: a hub, a platform, or both."`
	Demo      demoCmd      `cmd:"" help:"Run a hub and two platforms with fictional cases, on this machine only."`
	Hash      hashCmd      `cmd:"" help:"Print the fingerprints of pictures and videos."`
	MatchNode matchNodeCmd `cmd:"" name:"match-node" help:"Answer lookups from a hub's lists: needs its address and a key, and no database."`
	Match     matchCmd     `cmd:"" help:"Ask an instance whether pictures are listed."`
	Import    importCmd    `cmd:"" help:"Take fingerprints of a file into a list, CSV or plain text, any number of them."`
	Notice    noticeCmd    `cmd:"" help:"Check notices (DSA article 16)."`
	Sor       sorCmd       `cmd:"" help:"Check statements of reasons for the EU's transparency database (DSA articles 17 and 24(5))."`
	Verify    verifyCmd    `cmd:"" help:"Check that the ledger is whole, or that a receipt is genuine."`
	Return    returnCmd    `cmd:"" help:"Make a return: the report to Parliament, the trusted flagger's, the platform's harmonised one."`
	Campaign  campaignCmd  `cmd:"" help:"Figures of audit campaigns, from labelled tables."`
	Law       lawCmd       `cmd:"" help:"Check the law packs; qualify facts with them."`
	Bench     benchCmd     `cmd:"" help:"Measure this machine."`
	Doctor    doctorCmd    `cmd:"" help:"Say which programs are missing, and what does not work without them."`
	Backup    backupCmd    `cmd:"" help:"Write a backup of the data, and of the keys of cases."`
	Restore   restoreCmd   `cmd:"" help:"Put a backup in the place of the database."`
	Admin     adminCmd     `cmd:"" help:"Manage staff, peers and services of an instance."`

	Help    helpCmd    `cmd:"" help:"Say what a command does: rempart help admin peer."`
	Version versionCmd `cmd:"" help:"Print which version this is."`
}

// helpCmd stands for the word help: run turns it into the flag.
type helpCmd struct {
	Command []string `arg:"" optional:"" help:"A command and its own commands."`
}

// versionCmd prints which version this is.
type versionCmd struct{}

// Run prints the version of the module, the commit it was built from if that is
// known, and the version of Go.
func (versionCmd) Run(s streams) error {
	b, ok := debug.ReadBuildInfo()
	if !ok {
		return errors.New("this binary was built without its version")
	}
	line := "rempart " + b.Main.Version
	for _, set := range b.Settings {
		switch {
		case set.Key == "vcs.revision":
			line += " " + set.Value
		case set.Key == "vcs.modified" && set.Value == "true":
			line += " (changed)"
		}
	}
	_, err := fmt.Fprintln(s.out, line, b.GoVersion)
	return err
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends what the first cannot, such as opening a pipe that nobody writes to
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// streams are where a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// errShown ends a command whose faults are already on stderr.
var errShown = errors.New("shown")

// A hinted error says what to do next.
type hinted struct {
	error
	hint string
}

func (h hinted) Unwrap() error { return h.error }

// run runs one command and returns its exit status.
func run(ctx context.Context, args []string, in io.Reader, out, stderr io.Writer) int {
	var c cli
	exit := -1
	p, err := kong.New(&c, kong.Name("rempart"), kong.Writers(out, stderr), kong.Exit(func(n int) { exit = n }),
		kong.Description("From a report to removal, and it stays removed. Start with: rempart demo"),
		kong.UsageOnError(), kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(streams{in, out, stderr}))
	if err != nil {
		fmt.Fprintln(stderr, "rempart: error:", err)
		return 2
	}
	if len(args) > 0 && args[0] == "help" {
		args = append(args[1:len(args):len(args)], "--help")
	}
	k, err := p.Parse(twoDashes(args))
	if exit >= 0 {
		return exit
	}
	if err != nil {
		command := "rempart"
		var pe *kong.ParseError
		if errors.As(err, &pe) && pe.Context != nil && pe.Context.Selected() != nil {
			command = pe.Context.Selected().FullPath()
		}
		fmt.Fprintf(stderr, "rempart: error: %v\nrempart: hint: %s --help lists the commands and flags\n", err, command)
		return 2
	}
	err = k.Run()
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errShown):
		return 1
	}
	fmt.Fprintln(stderr, "rempart: error:", err)
	var h hinted
	if errors.As(err, &h) {
		fmt.Fprintln(stderr, "rempart: hint:", h.hint)
	}
	return 1
}

// twoDashes lets flags be written as Go writes them, with one dash.
func twoDashes(args []string) []string {
	out := make([]string, len(args))
	for i, a := range args {
		if a == "--" {
			copy(out[i:], args[i:])
			break
		}
		if len(a) > 2 && a[0] == '-' && a[1] != '-' && strings.IndexByte("0123456789.", a[1]) < 0 {
			a = "-" + a
		}
		out[i] = a
	}
	return out
}
