//go:build !linux

package media

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"

	"rempart/provenance"
)

// Programs are confined on Linux only; elsewhere none is run.

func waysHere() []way { return nil }

func (w way) command(context.Context, bound, string, []string) (*exec.Cmd, error) {
	return nil, fmt.Errorf("%w: programs can be confined on Linux only", ErrUnsupported)
}

func run(cmd *exec.Cmd, started, failed func()) error {
	failed()
	return ErrUnsupported
}

func widen(*os.File) {}

type sealed struct{ size int64 }

func seal(io.Reader, int64) (*sealed, error) {
	return nil, fmt.Errorf("media: %w: programs can be confined on Linux only", ErrUnsupported)
}

func (s *sealed) file() *os.File { return nil }

func (s *sealed) marks() []provenance.Mark { return []provenance.Mark{} }

func (s *sealed) close() {}
