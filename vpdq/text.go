package vpdq

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"rempart/pdq"
)

// ErrFormat is wrapped by the errors of what cannot be read as features. They
// name the line or the place in the array, and never repeat what stood there.
var ErrFormat = errors.New("not a vpdq fingerprint")

// maxTimestamp bounds timestamps, in seconds: 115 days.
const maxTimestamp = 1e7

// Parse reads the text of the reference's sample files: a line for each frame,
//
//	frame,quality,pdq,timestamp
//
// with the PDQ as 64 hexadecimal digits and the timestamp in seconds. Lines
// may end in "\n" or "\r\n". Nothing else is read: no title, no empty line, no
// line above 200 bytes. An empty text is no feature, and no error.
func Parse(r io.Reader) ([]Feature, error) {
	var features []Feature
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 200), 200)
	for lines.Scan() {
		f, err := parseLine(lines.Text())
		if err != nil {
			return nil, fmt.Errorf("vpdq: line %d: %w", len(features)+1, err)
		}
		features = append(features, f)
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return nil, fmt.Errorf("vpdq: line %d: %w: the line is too long", len(features)+1, ErrFormat)
	} else if err != nil {
		return nil, fmt.Errorf("vpdq: reading line %d: %w", len(features)+1, err)
	}
	return features, nil
}

func parseLine(line string) (Feature, error) {
	col := strings.Split(line, ",")
	if len(col) != 4 {
		return Feature{}, fmt.Errorf("%w: %d columns, want 4", ErrFormat, len(col))
	}
	frame, err := strconv.ParseUint(col[0], 10, 31)
	if err != nil {
		return Feature{}, fmt.Errorf("%w: the frame is no number", ErrFormat)
	}
	return feature(int(frame), col[2], col[1], col[3])
}

func feature(frame int, hash, quality, timestamp string) (Feature, error) {
	h, err := pdq.Parse(hash)
	if err != nil {
		return Feature{}, fmt.Errorf("%w: the pdq is not 64 hexadecimal digits", ErrFormat)
	}
	q, err := strconv.ParseUint(quality, 10, 8)
	if err != nil || q > 100 {
		return Feature{}, fmt.Errorf("%w: the quality is not 0 to 100", ErrFormat)
	}
	t, err := strconv.ParseFloat(timestamp, 64)
	if err != nil || math.Signbit(t) || !(t <= maxTimestamp) {
		return Feature{}, fmt.Errorf("%w: the timestamp is not 0 to %g seconds", ErrFormat, maxTimestamp)
	}
	return Feature{PDQ: h, Quality: int(q), Frame: frame, Timestamp: t}, nil
}

// Format writes features as [Parse] reads them. Timestamps have three digits
// after the point, as in the sample files.
func Format(w io.Writer, features []Feature) error {
	out := bufio.NewWriter(w)
	for _, f := range features {
		fmt.Fprintf(out, "%d,%d,%s,%.3f\n", f.Frame, f.Quality, f.PDQ, f.Timestamp)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("vpdq: writing: %w", err)
	}
	return nil
}

// ParseSignal reads the signal string of Meta's Python tools (pytx): a JSON
// array of strings, each "pdq,quality,timestamp". It holds no frame numbers:
// Frame is the place in the array. Its timestamps have three significant
// digits only (12.345 s becomes 12.3), so that Frame and Timestamp say little.
func ParseSignal(text []byte) ([]Feature, error) {
	var items []string
	in := json.NewDecoder(bytes.NewReader(text))
	if err := in.Decode(&items); err != nil || items == nil {
		return nil, fmt.Errorf("vpdq: %w: not a JSON array of strings", ErrFormat)
	}
	if _, err := in.Token(); err != io.EOF {
		return nil, fmt.Errorf("vpdq: %w: something follows the array", ErrFormat)
	}
	features := make([]Feature, len(items))
	for i, item := range items {
		col := strings.Split(item, ",")
		if len(col) != 3 {
			return nil, fmt.Errorf("vpdq: feature %d: %w: %d columns, want 3", i, ErrFormat, len(col))
		}
		f, err := feature(i, col[0], col[1], col[2])
		if err != nil {
			return nil, fmt.Errorf("vpdq: feature %d: %w", i, err)
		}
		features[i] = f
	}
	return features, nil
}

// FormatSignal returns features as [ParseSignal] reads them, with timestamps
// to the millisecond, which pytx reads too.
func FormatSignal(features []Feature) []byte {
	out := []byte("[")
	for i, f := range features {
		if i > 0 {
			out = append(out, ", "...)
		}
		out = fmt.Appendf(out, `"%s,%d,%.3f"`, f.PDQ, f.Quality, f.Timestamp)
	}
	return append(out, ']')
}
