-- Partners whose protocols go by seconds and not by our cursor. A row says: all
-- changes up to the place (xid, seq), and after that of the row before, are of
-- the second at. Rows are only added; a place is never below an older one's.
CREATE TABLE change_seconds (
	at    BIGINT PRIMARY KEY, -- Unix seconds
	until BIGINT NOT NULL, -- the last second for which this was told to be all
	xid   BIGINT NOT NULL,
	seq   BIGINT NOT NULL
) STRICT;
CREATE INDEX change_seconds_place ON change_seconds (xid, seq);

-- Where an entry was first active; NULL if never. Who did not read that far
-- never had it, and is not told of its withdrawal.
ALTER TABLE entries ADD COLUMN first_xid BIGINT;
ALTER TABLE entries ADD COLUMN first_seq BIGINT;
UPDATE entries SET first_xid = -1, first_seq = 1 WHERE state IN ('active', 'withdrawn');

-- What partners say of a fingerprint that was shared with them.
CREATE TABLE opinions (
	peer_id TEXT NOT NULL,
	type    TEXT NOT NULL,
	value   TEXT NOT NULL,
	doc     BYTEA NOT NULL,
	PRIMARY KEY (value, type, peer_id)
) STRICT;
