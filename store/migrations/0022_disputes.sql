-- What an administrator set for a list in place of what it begins with.
CREATE TABLE list_policies (
	list TEXT PRIMARY KEY,
	doc  BYTEA NOT NULL
) STRICT;

-- Why an entry that its case or its source calls active does not match: '' if it
-- does. It is the list's word, so that neither a case nor a feed moves it.
ALTER TABLE entries ADD COLUMN held TEXT NOT NULL DEFAULT '' CHECK (held IN ('', 'disputed', 'quarantined', 'deleted', 'expired'));
ALTER TABLE entries ADD COLUMN held_since BIGINT NOT NULL DEFAULT 0; -- when held last changed

-- Fingerprints about which somebody of the staff has to decide, or did. key is
-- rempart.Fingerprint.Key; no words but tags.
CREATE TABLE list_tasks (
	id         TEXT PRIMARY KEY,
	list       TEXT NOT NULL REFERENCES lists (id),
	key        TEXT NOT NULL,
	kind       TEXT NOT NULL CHECK (kind IN ('disputed', 'quarantined', 'received')),
	peer_id    TEXT NOT NULL,
	stopped    BIGINT NOT NULL CHECK (stopped IN (0, 1)),
	opened_at  BIGINT NOT NULL,
	decided_at BIGINT NOT NULL, -- 0: open
	doc        BYTEA NOT NULL
) STRICT;
CREATE INDEX list_tasks_key ON list_tasks (key, list);
CREATE INDEX list_tasks_open ON list_tasks (opened_at, id) WHERE decided_at = 0;
CREATE INDEX list_tasks_peer ON list_tasks (peer_id, opened_at);
