package store_test

import (
	"path/filepath"
	"testing"

	"rempart/internal/pgtest"
	"rempart/store"
	"rempart/store/storetest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestSQLite(t *testing.T) {
	storetest.Test(t, func(t *testing.T, o store.Options) *store.DB {
		return open(t, filepath.Join(t.TempDir(), "rempart.db"), o)
	})
}

// open opens a store that is closed when the test ends.
func open(t *testing.T, dsn string, o store.Options) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), dsn, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}
