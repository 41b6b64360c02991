package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"rempart/internal/durable"
	"rempart/store"
)

// keysFile is the file of wrapped keys in a folder of backups: one, replaced by
// each backup.
const keysFile = "case-keys.jsonl"

// backupCmd writes a backup.
type backupCmd struct {
	place
	To       string `help:"Folder of the backups." required:"" type:"path"`
	KeysOnly bool   `help:"Write the keys alone: after pg_dump, with PostgreSQL."`
}

// Help says what is in a backup and what is not.
func (c *backupCmd) Help() string {
	return "Writes two files while the instance serves: the data, in a new file each time, in which every case is sealed; and the wrapped keys of the cases, in " + keysFile +
		", which replaces the one before. Keep as many of the first as you like, and of the second only the newest: a case that is erased loses its key there too, and with it every older copy of its data. " +
		"The keyring (keyring.json), instance.key and ledger.head are in neither: copy them elsewhere, once, and the keyring again after it was rotated."
}

// Run writes both files.
func (c *backupCmd) Run(ctx context.Context, s streams) error {
	i, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer i.db.Close()
	if c.Database != "" && !c.KeysOnly {
		fmt.Fprintf(s.out, "pg_dump --format=custom --exclude-table-data='*.sealed_keys' --file='%s' \"$REMPART_DATABASE\"\nrempart backup -keys-only -to '%s'\n",
			filepath.Join(c.To, "rempart-"+stamp()+".pgdump"), c.To)
		return hinted{fmt.Errorf("nothing was written: PostgreSQL is backed up by pg_dump"), "run the two commands above, in this order; the first without the keys of cases, the second for them"}
	}
	if err := os.MkdirAll(c.To, 0o700); err != nil {
		return hinted{fmt.Errorf("folder of the backups: %w", err), "choose a folder you can write with -to"}
	}
	if !c.KeysOnly {
		if _, err := i.db.Seal(ctx); err != nil {
			return err
		}
		name := filepath.Join(c.To, "rempart-"+stamp()+".db")
		if err := i.db.Backup(ctx, name); err != nil {
			return err
		}
		if err := durable.SyncDir(c.To); err != nil {
			return err
		}
		fmt.Fprintf(s.out, "data  %s\n", name)
	}
	// After the data, so that no case in the data lacks its key.
	f, err := os.CreateTemp(c.To, ".keys")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	n, err := i.db.ExportKeys(ctx, f)
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	b, err := os.ReadFile(f.Name())
	if err != nil {
		return err
	}
	keys := filepath.Join(c.To, keysFile)
	if err := durable.WriteFile(keys, b); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "keys  %s (%d, wrapped; keep only this newest one)\n", keys, n)
	fmt.Fprintf(s.err, "rempart: the keyring %s is not in this backup, nor are instance.key and ledger.head: without the first two it opens nothing. Keep copies of them elsewhere\n", i.cfg.keyringPath())
	return nil
}

func stamp() string { return time.Now().UTC().Format("20060102T150405Z") }

// readKeysFile reads a file of wrapped keys.
func readKeysFile(name string) ([]store.SealedKey, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return store.ReadKeys(f)
}
