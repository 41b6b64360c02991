package flow

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"rempart"
	"rempart/provenance"
)

// CheckExact looks a file up by its exact bytes alone, whatever it is, such as
// the weights of a model. It is read once, and nothing of it is held.
func (f *Flow) CheckExact(ctx context.Context, r io.Reader, up Upload) (Checked, error) {
	return f.checkExact(ctx, r, up, nil)
}

// checkExact is CheckExact; where nothing is found it answers otherwise, if that
// is not nil.
func (f *Flow) checkExact(ctx context.Context, r io.Reader, up Upload, otherwise error) (Checked, error) {
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return Checked{}, fmt.Errorf("flow: reading a file: %w", err)
	}
	if up.Key == "" {
		up.Key = rempart.NewID(f.Now())
	}
	c := Checked{SHA256: hex.EncodeToString(h.Sum(nil)), Provenance: []provenance.Mark{}}
	results, where, err := f.Match(ctx, []Query{{Fingerprint: rempart.Fingerprint{Type: rempart.SHA256, Value: c.SHA256}}}, up)
	if err != nil {
		return Checked{}, err
	}
	c.Position, c.Matches = where, results[0].Matches
	if otherwise != nil && len(c.Matches) == 0 {
		return Checked{}, pictureError(otherwise)
	}
	return c, nil
}
