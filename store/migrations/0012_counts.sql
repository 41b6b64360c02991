-- What returns are made of: counts without identity. A row is never changed or
-- deleted; what leaves a cell is counted there with -1.
CREATE TABLE counts (
	seq  SERIAL PRIMARY KEY,
	at   BIGINT NOT NULL, -- the hour of what it follows from
	kind TEXT NOT NULL,
	of   TEXT NOT NULL, -- YYYY-MM-DD
	dims TEXT NOT NULL, -- as ledger.FormatData writes it
	n    BIGINT NOT NULL
) STRICT;
CREATE INDEX counts_of ON counts (of, kind);

-- Returns as they were frozen, one row an edition; never changed.
CREATE TABLE returns (
	id   TEXT PRIMARY KEY, -- kind/period/edition
	doc  BYTEA NOT NULL
) STRICT;
