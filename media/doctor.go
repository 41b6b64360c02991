package media

import (
	"bytes"
	"context"
	"os/exec"
	"strings"
	"time"
)

// A Finding says whether one thing that this package uses beside itself is
// there, and what its absence means.
type Finding struct {
	Program string `json:"program"` // its name, or "confinement"
	Found   bool   `json:"found"`
	Version string `json:"version"` // its own first line, or the kind of confinement; "" if not found
	Means   string `json:"means"`   // what does not work without it, and how to get it; "" if found
}

// programs are what we run, with the argument that makes each print its
// version.
var programs = []struct{ name, arg, means string }{
	{"prlimit", "--version", "no other program is run, as none could be bounded: neither videos nor AVIF, HEIC or JPEG XL are read (Debian: util-linux)"},
	{"bwrap", "--version", "other programs run with less between them and this machine, see confinement (Debian: bubblewrap)"},
	{"ffmpeg", "-version", "videos are not read (Debian: ffmpeg)"},
	{"ffprobe", "-version", "videos are not read (Debian: ffmpeg)"},
	{"vips", "--version", "AVIF, HEIC, JPEG XL, and TIFF that is BigTIFF, of 16-bit CMYK or has JPEG within are not read (Debian: libvips-tools)"},
}

// Doctor says what is there and what is missing on this machine. Without any
// of it JPEG, PNG, GIF, WebP, TIFF and BMP are read.
func Doctor(ctx context.Context) []Finding {
	var out []Finding
	for _, p := range programs {
		f := Finding{Program: p.name, Version: version(ctx, p.name, p.arg)}
		if f.Found = f.Version != ""; !f.Found {
			f.Means = p.means
		}
		out = append(out, f)
	}
	f := Finding{Program: "confinement"}
	switch name := confinement().name; name {
	case "bwrap":
		f.Found, f.Version = true, "bwrap"
	case "namespaces":
		f.Version = name
		f.Means = "programs that read AVIF, HEIC, JPEG XL and videos have no network and cannot fill files, but see the files of this machine as the user nobody, or this one, sees them: install bubblewrap, and let it make user namespaces"
	case "limits":
		f.Version = name
		f.Means = "programs that read AVIF, HEIC, JPEG XL and videos are bounded in time, memory and files, but have the network and see the files of this machine: install bubblewrap, and let it make user namespaces"
	default:
		f.Means = "no other program is run: neither videos nor AVIF, HEIC or JPEG XL are read"
	}
	return append(out, f)
}

// version returns the first line that a program prints about itself, "" if it
// cannot be run.
func version(ctx context.Context, program, arg string) string {
	path, err := exec.LookPath(program)
	if err != nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, arg).Output()
	if err != nil {
		return ""
	}
	line, _, _ := bytes.Cut(out, []byte("\n"))
	if short, _, found := strings.Cut(string(line), " Copyright"); found {
		return short
	}
	return string(line)
}
