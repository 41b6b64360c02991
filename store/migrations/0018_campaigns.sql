-- Audit campaigns: protocol and cards, without any row of a labelled table.
CREATE TABLE campaigns (
	id  TEXT PRIMARY KEY,
	doc BYTEA NOT NULL
) STRICT;
