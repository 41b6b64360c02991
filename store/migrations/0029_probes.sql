-- A key that looked up too many values close to one that matched is a task too.
CREATE TABLE list_tasks_new (
	id         TEXT PRIMARY KEY,
	list       TEXT NOT NULL REFERENCES lists (id),
	key        TEXT NOT NULL,
	kind       TEXT NOT NULL CHECK (kind IN ('disputed', 'quarantined', 'received', 'probed')),
	peer_id    TEXT NOT NULL,
	stopped    BIGINT NOT NULL CHECK (stopped IN (0, 1)),
	opened_at  BIGINT NOT NULL,
	decided_at BIGINT NOT NULL, -- 0: open
	doc        BYTEA NOT NULL
) STRICT;
INSERT INTO list_tasks_new (id, list, key, kind, peer_id, stopped, opened_at, decided_at, doc)
	SELECT id, list, key, kind, peer_id, stopped, opened_at, decided_at, doc FROM list_tasks;
DROP TABLE list_tasks;
ALTER TABLE list_tasks_new RENAME TO list_tasks;
CREATE INDEX list_tasks_key ON list_tasks (key, list);
CREATE INDEX list_tasks_open ON list_tasks (opened_at, id) WHERE decided_at = 0;
CREATE INDEX list_tasks_peer ON list_tasks (peer_id, opened_at);
