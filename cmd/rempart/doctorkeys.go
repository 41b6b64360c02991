package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"rempart/media"
)

// keys says whether the keyring of the instance, if there is one, is its owner's
// alone, is the database's, and opens the key of everything that is sealed there.
func (c *doctorCmd) keys(ctx context.Context, s streams) media.Finding {
	f := media.Finding{Program: "keyring"}
	_, err := os.Stat(filepath.Join(c.Data, "instance.key"))
	if errors.Is(err, fs.ErrNotExist) {
		f.Found, f.Version = true, "not checked: no instance in "+c.Data
		return f
	}
	broken := func(err error) media.Finding {
		f.Means = err.Error()
		var h hinted
		if errors.As(err, &h) {
			f.Means += " (" + h.hint + ")"
		}
		return f
	}
	i, err := c.open(ctx) // refuses a ring that others can read, is not there, or is not this database's
	if err != nil {
		return broken(err)
	}
	defer i.db.Close()
	check, err := i.db.CheckKeys(ctx, func(done int) {
		if done%10_000 == 0 {
			fmt.Fprintf(s.err, "rempart: %d keys opened\n", done)
		}
	})
	switch {
	case err != nil:
		return broken(err)
	case check.Broken > 0:
		f.Means = fmt.Sprintf("%d of %d keys open with no key of this ring: what they seal cannot be read (put the newest copy of the file back)", check.Broken, check.Keys)
	case check.Keyless > 0:
		f.Means = fmt.Sprintf("%d cases or notices received have no key and cannot be read (restore the newest file of keys, or restore again: what was erased since is erased again)", check.Keyless)
	default:
		f.Found, f.Version = true, fmt.Sprintf("key %s is current; all %d keys of cases, notices received and identities open", i.ring.Primary(), check.Keys)
	}
	return f
}
