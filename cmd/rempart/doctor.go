package main

import (
	"context"
	"encoding/json"
	"fmt"

	"rempart/media"
)

// doctorCmd says what this machine lacks.
type doctorCmd struct {
	place
	recheckFlags
	mailFlags
	oidcFlags
	JSON bool `name:"json" help:"One JSON object a line."`
}

// Run prints a line for each program that is used beside this one, and for what
// is set up to reach the outside; it fails, at the end, if something is missing
// or does not work. It sends nothing to anybody a notice is about.
func (c *doctorCmd) Run(ctx context.Context, s streams) error {
	missing := 0
	enc := json.NewEncoder(s.out)
	enc.SetEscapeHTML(false)
	for _, f := range append(media.Doctor(ctx), c.recheckFlags.doctor(ctx), c.mailFlags.doctor(ctx), c.mailFlags.inboxDoctor(ctx), c.oidcFlags.doctor(ctx), c.keys(ctx, s)) {
		if !f.Found {
			missing++
		}
		switch {
		case c.JSON:
			if err := enc.Encode(f); err != nil {
				return err
			}
		case f.Found:
			fmt.Fprintf(s.out, "ok       %s: %s\n", f.Program, f.Version)
		case f.Version != "":
			fmt.Fprintf(s.out, "weak     %s: %s: %s\n", f.Program, f.Version, f.Means)
		default:
			fmt.Fprintf(s.out, "missing  %s: %s\n", f.Program, f.Means)
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if missing > 0 {
		fmt.Fprintln(s.err, "rempart: hint: all else works; for programs, on Debian: apt-get install ffmpeg libvips-tools bubblewrap")
		return errShown
	}
	return nil
}
