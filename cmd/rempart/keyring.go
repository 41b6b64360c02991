package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"rempart/keyring"
	"rempart/store"
)

// keyringPath is where the keyring of an instance is, unless it is said.
func (c instanceConfig) keyringPath() string {
	if c.keyring != "" {
		return c.keyring
	}
	return filepath.Join(c.data, "keyring.json")
}

// ring opens the keyring, or makes it for a database that was never sealed. It
// never makes one for a database that was: what is sealed there would look as if
// it could be opened, and could not.
func (c instanceConfig) ring(fresh bool) (*keyring.Ring, error) {
	path := c.keyringPath()
	r, err := keyring.Open(path, c.kms)
	if fresh && errors.Is(err, keyring.ErrMissing) {
		if r, err = keyring.Create(path, c.kms); err == nil && c.log != nil {
			c.log.Info("made a keyring: without it nobody can ever read what people write here; keep a copy apart from the backups", "file", path)
		}
	}
	return r, keyringHint(err, path)
}

// keyringHint says what to do about an error of the keyring.
func keyringHint(err error, path string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, keyring.ErrMissing):
		return hinted{err, "put the file back, or name it with -keyring: the cases here were sealed with it, and no new one opens them; nothing was changed"}
	case errors.Is(err, keyring.ErrOpen):
		return hinted{err, "chmod 600 " + path}
	case errors.Is(err, keyring.ErrFormat):
		return hinted{err, "put back the file that was saved; nothing was changed"}
	case errors.Is(err, keyring.ErrKMS):
		return hinted{err, "name the key that encrypts the file with -keyring-kms, in a build with that service's client"}
	case errors.Is(err, store.ErrWrongKeyring), errors.Is(err, store.ErrOldKeyring):
		return hinted{fmt.Errorf("keyring %s: %w", path, err), "name the right file with -keyring; nothing was changed"}
	}
	return err
}
