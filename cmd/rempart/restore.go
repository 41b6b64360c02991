package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"rempart"
	"rempart/internal/durable"
	"rempart/store"
)

// restoreCmd puts a backup in the place of an instance's database.
type restoreCmd struct {
	place
	From          string `help:"File with the data, as rempart backup wrote it; with PostgreSQL none: use pg_restore first." type:"path"`
	Keys          string `help:"File with the newest keys of the cases, as rempart backup wrote it; default: those of the database that is replaced, else the one beside -from." type:"path"`
	Replace       bool   `help:"There is a database in the data folder: move it aside, with its name and the time."`
	ForgetRecords int64  `help:"How many sealed records of the ledger are lost by going back: the command says the number, and goes on only if it is given." default:"-1"`
}

// Help says what must be there before.
func (c *restoreCmd) Help() string {
	return "Stop the instance first. Put instance.key and keyring.json, from where you keep them, into the data folder: they are in no backup. " +
		"A case that was erased after the backup was made has no key any more; what is left of it is erased again. " +
		"If ledger.head, in the data folder, knows of more records than the backup, they are lost: -forget-records accepts that, and ledger.head is moved aside, not deleted."
}

// Run restores, in a copy first: what is there is moved when the copy is ready.
func (c *restoreCmd) Run(ctx context.Context, s streams) error {
	if _, err := os.Stat(filepath.Join(c.Data, "instance.key")); err != nil {
		return hinted{fmt.Errorf("no instance.key in %s: %w", c.Data, err), "put back the copy that you kept elsewhere, with keyring.json; they are in no backup"}
	}
	cfg := instanceConfig{data: c.Data, keyring: c.Keyring, kms: c.KMS}
	ring, err := cfg.ring(false)
	if err != nil {
		return err
	}
	at, tmp := filepath.Join(c.Data, "rempart.db"), filepath.Join(c.Data, "rempart.db.restoring")
	to := tmp
	var keys []store.SealedKey
	if c.Database != "" {
		if c.From != "" || c.Keys == "" {
			return hinted{errors.New("PostgreSQL's data is restored by pg_restore"), "run pg_restore into an empty database, then this command with -keys and without -from"}
		}
		to = c.Database
	} else {
		if c.From == "" {
			return hinted{errors.New("no backup is named"), "give the file with -from"}
		}
		if keys, err = c.replaced(ctx, at); err != nil {
			return err
		}
		if err := copyFile(c.From, tmp); err != nil {
			return hinted{fmt.Errorf("backup: %w", err), "name the file that rempart backup wrote with -from"}
		}
		defer os.Remove(tmp)
	}
	if c.Keys == "" && keys == nil {
		c.Keys = filepath.Join(filepath.Dir(c.From), keysFile)
	}
	if c.Keys != "" {
		if keys, err = readKeysFile(c.Keys); err != nil {
			return hinted{fmt.Errorf("keys: %w", err), "name the newest file of keys that rempart backup wrote with -keys"}
		}
	}
	r, err := store.PutKeys(ctx, to, keys, ring)
	if err != nil {
		return keyringHint(err, cfg.keyringPath())
	}
	head, moved := filepath.Join(c.Data, "ledger.head"), "-before-restore-"+stamp()
	size, root, err := store.HeadOf(head)
	if err != nil {
		return err
	}
	lost := max(0, size-r.Records)
	if lost != max(0, c.ForgetRecords) {
		return hinted{fmt.Errorf("the ledger here was sealed with %d records, that of the backup with %d: going back loses %d records of what was done. Nothing was changed", size, r.Records, lost),
			fmt.Sprintf("if you know why, say so: -forget-records %d; a newer backup may lose less", lost)}
	}
	if c.Database == "" {
		if err := os.Rename(at, at+moved); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := os.Rename(tmp, at); err != nil {
			return err
		}
	}
	if lost > 0 {
		if err := os.Rename(head, head+moved); err != nil {
			return err
		}
	}
	if err := durable.SyncDir(c.Data); err != nil {
		return err
	}
	return c.finish(ctx, s, r, lost, root)
}

// replaced returns the keys of the database that is replaced, nil if there is
// none.
func (c *restoreCmd) replaced(ctx context.Context, at string) ([]store.SealedKey, error) {
	if _, err := os.Stat(at); err != nil {
		return nil, nil
	}
	if !c.Replace {
		return nil, hinted{fmt.Errorf("there is a database in %s", c.Data), "-replace moves it aside; or choose another folder with -data"}
	}
	keys, err := store.Alone(ctx, at)
	if err != nil {
		if c.Keys != "" && !errors.Is(err, fs.ErrPermission) {
			if _, logErr := os.Stat(at + "-wal"); errors.Is(logErr, fs.ErrNotExist) { // damaged, and nobody's
				return nil, nil
			}
		}
		return nil, hinted{err, "stop the instance first; if its database is damaged, give -keys and move it away"}
	}
	return keys, nil
}

// finish opens what was restored, erases again what was erased since, and notes
// all of it in the ledger.
func (c *restoreCmd) finish(ctx context.Context, s streams, r store.Restored, lost int64, root string) error {
	// The index is ahead of what was restored; it is made again.
	if err := os.RemoveAll(indexFolder(c.Data)); err != nil {
		return err
	}
	i, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer i.db.Close()
	if err := noted(ctx, i, "instance.restored", "instance", "lost", fmt.Sprint(lost), "head", root, "records", fmt.Sprint(r.Records)); err != nil {
		return err
	}
	erased, notices, err := i.db.EraseKeyless(ctx, rempart.Erasure{Why: rempart.EraseRestored, By: byCommandLine, At: time.Now().UTC()})
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "restored %d cases and %d intakes", r.Cases-erased, r.Intakes-notices)
	if erased > 0 {
		fmt.Fprintf(s.out, "; %d cases had been erased since, and were erased again", erased)
	}
	if notices > 0 {
		fmt.Fprintf(s.out, "; %d notices received had been erased since, and were erased again", notices)
	}
	if lost > 0 {
		fmt.Fprintf(s.out, "; %d records of the ledger are lost, and the ledger says so", lost)
	}
	fmt.Fprintln(s.out)
	return nil
}

func copyFile(from, to string) error {
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	return durable.Write(to, func(w io.Writer) error {
		_, err := io.Copy(w, f)
		return err
	})
}
