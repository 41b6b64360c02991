// Package durable makes files that are there whole or not at all, and stay:
// after a function here has returned without an error, neither a crash of the
// program nor of the system undoes what it did, if the disk keeps its word.
//
// A file is written under another name in the same folder, synced, renamed,
// and the folder is synced. A crash before the rename leaves the old file and
// perhaps one whose name ends in [Unfinished], which is never read: whoever
// owns the folder calls [Sweep] before it writes there.
//
// An error of the last step, of syncing the folder, means that the new file is
// in its place but may not stay: the outcome is unknown. The caller must stop,
// and read again what there is.
package durable

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Unfinished ends the names of files that were being written.
const Unfinished = ".unfinished"

// WriteFile puts data in the file called name, in place of what it held.
func WriteFile(name string, data []byte) error {
	return Write(name, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// Write puts what write writes in the file called name, in place of what it
// held. If write fails, nothing has changed. The file can be read and written
// by its owner alone. One goroutine may write a name at a time.
func Write(name string, write func(io.Writer) error) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("durable: writing %s: %w", filepath.Base(name), err)
		}
	}()
	f, err := os.OpenFile(name+Unfinished, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	if err := os.Rename(f.Name(), name); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return SyncDir(filepath.Dir(name))
}

// Remove deletes the file called name, which must be there.
func Remove(name string) error {
	if err := os.Remove(name); err != nil {
		return fmt.Errorf("durable: %w", err)
	}
	return SyncDir(filepath.Dir(name))
}

// SyncDir makes last what was created, renamed and deleted in the folder dir.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("durable: syncing a folder: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("durable: syncing the folder %s: %w", filepath.Base(dir), err)
	}
	return nil
}

// Sweep deletes the unfinished files in dir, which a crash left.
func Sweep(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("durable: sweeping: %w", err)
	}
	swept := false
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), Unfinished) {
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
				return fmt.Errorf("durable: sweeping: %w", err)
			}
			swept = true
		}
	}
	if !swept {
		return nil
	}
	return SyncDir(dir)
}
