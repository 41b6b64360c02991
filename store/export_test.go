package store

import "database/sql"

// Raw is the database behind the store, for tests that must see or damage what
// the API does not show.
func Raw(db *DB) *sql.DB { return db.w }

// IsPostgres tells which database the store is on.
func IsPostgres(db *DB) bool { return db.dialect == postgresDialect }
