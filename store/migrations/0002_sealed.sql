-- Cases, intakes and reports are sealed, each under the key of its case or
-- intake; what is in a column doc is then a box (package keyring), and no longer
-- JSON. Go code seals the rows that were in clear, in the transaction of this
-- migration.

-- The keys, wrapped by the keyring, which is outside the database. They are the
-- one table that no backup holds beside the data: to destroy a row is to destroy
-- what it opens, in every copy.
CREATE TABLE sealed_keys (
	owner   TEXT NOT NULL, -- identifier of the case or intake
	box     TEXT NOT NULL CHECK (box IN ('case', 'intake', 'identity')),
	ring    TEXT NOT NULL, -- name of the keyring's key that wrapped it
	wrapped BYTEA NOT NULL,
	PRIMARY KEY (owner, box)
) STRICT;
CREATE INDEX sealed_keys_ring ON sealed_keys (ring, owner, box);

-- What the queue shows of a case and nobody else may read, sealed.
ALTER TABLE cases ADD COLUMN summary BYTEA;
ALTER TABLE cases DROP COLUMN services;

-- Blind indexes: what a case can be found by exactly, under the keyring's index
-- key.
CREATE TABLE case_index (
	hash    TEXT NOT NULL,
	case_id TEXT NOT NULL REFERENCES cases (id),
	PRIMARY KEY (hash, case_id)
) STRICT;
CREATE INDEX case_index_case ON case_index (case_id);
