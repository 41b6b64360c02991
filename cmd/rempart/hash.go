package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"rempart/media"
)

// hashCmd prints fingerprints.
type hashCmd struct {
	JSON  bool     `name:"json" help:"One JSON object a line."`
	Files []string `arg:"" name:"file" help:"Pictures: JPEG, PNG, GIF or WebP."`
}

// Run prints a line for each file; it fails, at the end, if any file did.
func (c *hashCmd) Run(ctx context.Context, s streams) error {
	failed := false
	enc := json.NewEncoder(s.out)
	enc.SetEscapeHTML(false)
	for _, name := range c.Files {
		fp, err := hashFile(ctx, name)
		switch {
		case err != nil:
			failed = true
			fmt.Fprintf(s.err, "rempart: error: %s: %v\n", name, err)
			if c.JSON {
				enc.Encode(map[string]string{"file": name, "error": err.Error()})
			}
		case c.JSON:
			enc.Encode(struct {
				File string `json:"file"`
				media.Fingerprints
			}{name, fp})
		default:
			fmt.Fprintf(s.out, "%s %d %s\n", fp.PDQ, fp.Quality, name)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if failed {
		fmt.Fprintln(s.err, "rempart: hint: each file must be a whole picture in JPEG, PNG, GIF or WebP; the others were printed")
		return errShown
	}
	return nil
}

func hashFile(ctx context.Context, name string) (media.Fingerprints, error) {
	f, err := os.Open(name)
	if err != nil {
		return media.Fingerprints{}, fmt.Errorf("cannot be opened: %w", err)
	}
	defer f.Close()
	return media.Fingerprint(ctx, f, media.Default)
}
