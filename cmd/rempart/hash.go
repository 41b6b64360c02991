package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"

	"rempart"
	"rempart/media"
	"rempart/pdq"
	"rempart/vpdq"
)

// hashCmd prints fingerprints.
type hashCmd struct {
	JSON  bool     `name:"json" help:"One JSON object a line."`
	Files []string `arg:"" name:"file" help:"Pictures: JPEG, PNG, GIF, WebP, TIFF, BMP, AVIF, HEIC or JPEG XL; with -json videos too; or folders of them."`
}

// Help says what is printed.
func (c *hashCmd) Help() string {
	return `One line a file: its PDQ, 64 hexadecimal digits; its quality, 0 to 100, under 50 too flat to be recognised; its name, quoted if it holds control characters.

Of a folder, every file below it in the order of their names, but those whose names begin with a dot.

With -json, an object a line: file, sha256, pdq, quality, dihedral (the PDQ of the eight turns and mirrorings), width, height, orientation, format, animated, provenance. The picture is upright: width and height come after orientation, the EXIF value from 1 to 8 that was applied. Of an animated GIF, WebP or PNG pdq is that of the picture shown where nothing moves, as a rule the first frame; frame_pdq then lists the frames that were hashed, each with frame, timestamp in seconds, pdq and quality; frames is their number, frames_total that of all in the file, and frames_read that of the first ones from which they are a sample. Of a video: file, sha256, codec, width, height, rate, duration, frames, features, quality, vpdq. Where there are uniform borders, unbordered holds the same of what is within them: pdq, quality, dihedral, width, height; of a video frames, features, quality, vpdq.

A file that is cut short or damaged has no fingerprint, even if a part of it could be shown. It has a line on stderr, and with -json an object with file and error.

Exit status: 0 if every file has its line, 1 if one has not, 2 if the command was not understood.`
}

// Run prints a line for each file; it fails, at the end, if any file did.
func (c *hashCmd) Run(ctx context.Context, s streams) error {
	failed, printed := false, ""
	enc := json.NewEncoder(s.out)
	enc.SetEscapeHTML(false)
	for name, err := range filesOf(c.Files) {
		var line string
		var object any
		if err == nil {
			line, object, err = c.file(ctx, name)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		switch {
		case err != nil:
			failed = true
			why := strings.TrimPrefix(err.Error(), "media: ")
			fmt.Fprintf(s.err, "rempart: error: %s: %s\n", oneLine(name), why)
			if c.JSON {
				enc.Encode(map[string]string{"file": name, "error": why})
			}
		case c.JSON:
			printed = "; the others were printed"
			enc.Encode(object)
		default:
			printed = "; the others were printed"
			fmt.Fprintln(s.out, line)
		}
	}
	if failed {
		fmt.Fprintln(s.err, "rempart: hint: each file must be a whole picture, or with -json a video"+printed+"; rempart doctor says which formats are not read here")
		return errShown
	}
	return nil
}

// filesOf ranges over the files named, and over those below the folders named in
// the order of their names, but the hidden ones. A folder without any comes with
// an error, as does what cannot be listed.
func filesOf(names []string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, name := range names {
			if info, err := os.Stat(name); err != nil || !info.IsDir() {
				if !yield(name, nil) {
					return
				}
				continue
			}
			if !below(name, yield) {
				return
			}
		}
	}
}

// below is filesOf for one folder. It reports whether yield wants more.
func below(folder string, yield func(string, error) bool) bool {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return yield(folder, opening(err))
	}
	some := false
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		some = true
		name := filepath.Join(folder, e.Name())
		var more bool
		switch info, err := os.Stat(name); {
		case e.IsDir():
			more = below(name, yield)
		case err != nil:
			more = yield(name, opening(err))
		case info.IsDir(): // a link: it may lead back here
			more = yield(name, errors.New("is a link to a folder, which is not followed"))
		case !info.Mode().IsRegular():
			more = yield(name, errors.New("is neither a file nor a folder"))
		default:
			more = yield(name, nil)
		}
		if !more {
			return false
		}
	}
	return some || yield(folder, errors.New("is a folder without any file"))
}

// opening says that a file cannot be opened and why, without its name.
func opening(err error) error {
	if p := new(fs.PathError); errors.As(err, &p) {
		err = p.Err
	}
	return fmt.Errorf("cannot be opened: %w", err)
}

// oneLine returns a name so that it takes one line.
func oneLine(name string) string {
	if strings.ContainsFunc(name, unicode.IsControl) {
		return strconv.Quote(name)
	}
	return name
}

// file returns what is printed of one file, as a line and as an object.
func (c *hashCmd) file(ctx context.Context, name string) (line string, object any, err error) {
	f, err := os.Open(name)
	if err != nil {
		return "", nil, opening(err)
	}
	defer f.Close()
	var start [64]byte
	n, err := io.ReadFull(f, start[:])
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return "", nil, opening(err)
	}
	var whole io.Reader = f
	if _, err := f.Seek(0, io.SeekStart); err != nil { // a pipe
		whole = io.MultiReader(bytes.NewReader(start[:n]), f)
	}
	if media.IsVideo(start[:n]) {
		if !c.JSON {
			return "", nil, errors.New("is a video, of which one line says nothing: use -json")
		}
		v, err := readVideo(ctx, name, whole)
		return "", v, err
	}
	fp, err := media.Fingerprint(ctx, whole, media.Default)
	return fmt.Sprintf("%s %d %s", fp.PDQ, fp.Quality, oneLine(name)), struct {
		File string `json:"file"`
		media.Fingerprints
		Frames int `json:"frames,omitempty"` // of an animation: that were hashed
	}{name, fp, len(fp.Frames)}, err
}

// hashFile returns the fingerprints of a picture.
func hashFile(ctx context.Context, name string) (media.Fingerprints, error) {
	f, err := os.Open(name)
	if err != nil {
		return media.Fingerprints{}, opening(err)
	}
	defer f.Close()
	return media.Fingerprint(ctx, f, media.Default)
}

// A videoLine is what is said of a video.
type videoLine struct {
	File string `json:"file"`
	media.VideoFingerprints
	videoPrint
	Unbordered *videoPrint `json:"unbordered,omitempty"` // of the frames that have uniform borders, without them; nil if none has
}

// A videoPrint is what frames are known by.
type videoPrint struct {
	Frames   int    `json:"frames"`   // that were hashed
	Features int    `json:"features"` // of these, the ones that mean something, each value once
	Quality  int    `json:"quality"`  // of the best of them
	VPDQ     string `json:"vpdq"`     // the value of a fingerprint of type vpdq, such as a list holds
}

// printOf returns the print of one frame or more.
func printOf(features []vpdq.Feature) videoPrint {
	p := rempart.NewVPDQ(rempart.AtRate(features, rempart.ListedRate), rempart.ListedFrames)
	return videoPrint{len(features), len(vpdq.Dense(features)), p.Quality, p.Value}
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
		return videoLine{}, opening(err)
	}
	defer f.Close()
	return readVideo(ctx, name, f)
}

func readVideo(ctx context.Context, name string, r io.Reader) (videoLine, error) {
	v, err := media.FingerprintVideo(ctx, r, media.VideoOptions{Frames: 1_000_000, Most: rempart.MaxFrames})
	if err != nil {
		return videoLine{}, err
	}
	line := videoLine{File: name, VideoFingerprints: v, videoPrint: printOf(v.Features)}
	if inner := v.Unbordered(pdq.Original); len(rempart.CountedImages(inner)) > 0 {
		p := printOf(inner)
		line.Unbordered = &p
	}
	return line, nil
}
