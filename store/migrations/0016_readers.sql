-- How far each reader of the feed has come: it asks from a place once it has
-- applied everything up to it, so that this confirms the withdrawals before. A
-- place is never below an older one's.
CREATE TABLE feed_readers (
	peer_id     TEXT PRIMARY KEY,
	entered_xid BIGINT NOT NULL, -- the first place it asked from
	entered_seq BIGINT NOT NULL,
	xid         BIGINT NOT NULL,
	seq         BIGINT NOT NULL
) STRICT;

-- Reports that were taken back whose fingerprints had been shared: what the code,
-- hashed under the instance's key, still opens is which platforms have confirmed.
-- The case itself is erased.
CREATE TABLE withdrawals (
	code_hash TEXT PRIMARY KEY,
	case_id   TEXT NOT NULL,
	at        BIGINT NOT NULL
) STRICT;
