-- Of the key that a peer comes in with: since when, and the last day it was used,
-- YYYY-MM-DD; '' before that was noted.
ALTER TABLE peers ADD COLUMN key_made BIGINT NOT NULL DEFAULT 0;
ALTER TABLE peers ADD COLUMN key_used TEXT NOT NULL DEFAULT '';

-- Keys that have a successor: they open what their peer's does until their end, and
-- afterwards the answer says that they ended.
CREATE TABLE old_keys (
	key_hash TEXT PRIMARY KEY, -- SHA-256
	peer_id  TEXT NOT NULL,
	made_at  BIGINT NOT NULL, -- 0: not known
	until    BIGINT NOT NULL,
	used_on  TEXT NOT NULL
) STRICT;
CREATE INDEX old_keys_peer ON old_keys (peer_id, until);

-- Who read lists by a protocol that has no word for "applied", and the end of the
-- change table when it first did.
CREATE TABLE copy_readers (
	peer_id     TEXT PRIMARY KEY,
	entered_xid BIGINT NOT NULL,
	entered_seq BIGINT NOT NULL
) STRICT;
