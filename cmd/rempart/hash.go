package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"rempart/media"
	"rempart/vpdq"
)

// hashCmd prints fingerprints.
type hashCmd struct {
	JSON  bool     `name:"json" help:"One JSON object a line."`
	Files []string `arg:"" name:"file" help:"Pictures: JPEG, PNG, GIF, WebP, TIFF, BMP, AVIF, HEIC or JPEG XL; with -json videos too."`
}

// Run prints a line for each file; it fails, at the end, if any file did.
func (c *hashCmd) Run(ctx context.Context, s streams) error {
	failed, printed := false, ""
	enc := json.NewEncoder(s.out)
	enc.SetEscapeHTML(false)
	for _, name := range c.Files {
		line, object, err := c.file(ctx, name)
		switch {
		case err != nil:
			failed = true
			fmt.Fprintf(s.err, "rempart: error: %s: %v\n", name, err)
			if c.JSON {
				enc.Encode(map[string]string{"file": name, "error": err.Error()})
			}
		case c.JSON:
			printed = "; the others were printed"
			enc.Encode(object)
		default:
			printed = "; the others were printed"
			fmt.Fprintln(s.out, line)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if failed {
		fmt.Fprintln(s.err, "rempart: hint: each file must be a whole picture, or with -json a video"+printed+"; rempart doctor says which formats are not read here")
		return errShown
	}
	return nil
}

// file returns what is printed of one file, as a line and as an object.
func (c *hashCmd) file(ctx context.Context, name string) (line string, object any, err error) {
	if isVideo(name) {
		if !c.JSON {
			return "", nil, errors.New("is a video, of which one line says nothing: use -json")
		}
		v, err := hashVideo(ctx, name)
		return "", v, err
	}
	fp, err := hashFile(ctx, name)
	return fmt.Sprintf("%s %d %s", fp.PDQ, fp.Quality, name), struct {
		File string `json:"file"`
		media.Fingerprints
	}{name, fp}, err
}

// hashFile returns the fingerprints of a picture.
func hashFile(ctx context.Context, name string) (media.Fingerprints, error) {
	f, err := os.Open(name)
	if err != nil {
		return media.Fingerprints{}, fmt.Errorf("cannot be opened: %w", err)
	}
	defer f.Close()
	return media.Fingerprint(ctx, f, media.Default)
}

// A videoLine is what is said of a video, which is sampled once a second.
type videoLine struct {
	File string `json:"file"`
	media.VideoFingerprints
	Frames   int `json:"frames"`   // that were hashed
	Features int `json:"features"` // of these, the ones that mean something, each value once
}

// isVideo says whether a file is one by its beginning; not if it cannot be
// read.
func isVideo(name string) bool {
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	start := make([]byte, 64)
	n, _ := io.ReadFull(f, start)
	return media.IsVideo(start[:n])
}

func hashVideo(ctx context.Context, name string) (videoLine, error) {
	f, err := os.Open(name)
	if err != nil {
		return videoLine{}, fmt.Errorf("cannot be opened: %w", err)
	}
	defer f.Close()
	v, err := media.FingerprintVideo(ctx, f, media.VideoOptions{Seconds: 1})
	return videoLine{name, v, len(v.Features), len(vpdq.Dense(v.Features))}, err
}
