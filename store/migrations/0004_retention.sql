-- How long a closed case is kept, and what is left of one that was erased.

ALTER TABLE cases ADD COLUMN kept TEXT NOT NULL DEFAULT ''; -- its class of retention; '' was not computed yet
ALTER TABLE cases ADD COLUMN closed_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE cases ADD COLUMN held BIGINT NOT NULL DEFAULT 0 CHECK (held IN (0, 1));
CREATE INDEX cases_due ON cases (kept, closed_at) WHERE state = 'closed' AND held = 0;

-- Who a case is about, each sealed under a key that is not the case's.
CREATE TABLE identities (
	case_id TEXT PRIMARY KEY REFERENCES cases (id),
	doc     BYTEA NOT NULL
) STRICT;

-- The ledger's leaves whose records were erased with their case: the hash in
-- leaves is all that is left of them, and a record case.erased accounts for them.
CREATE TABLE erasures (
	num     BIGINT PRIMARY KEY,
	subject TEXT NOT NULL
) STRICT;
