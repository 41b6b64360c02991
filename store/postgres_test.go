package store_test

import (
	"testing"

	"rempart/internal/pgtest"
	"rempart/store"
	"rempart/store/storetest"
)

func TestPostgres(t *testing.T) {
	pgtest.DSN(t) // so that a missing PostgreSQL is told once
	storetest.Test(t, func(t *testing.T, o store.Options) *store.DB {
		return open(t, pgtest.Fresh(t), o)
	})
}
