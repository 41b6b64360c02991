-- Whose lists this instance reads: how far (checkpoint), when next, and which
-- process does (held_until; claim rises each time, so that one whose time ended
-- saves nothing any more).
CREATE TABLE sources (
	id          TEXT PRIMARY KEY,
	doc         BYTEA NOT NULL,
	credentials BYTEA,
	status      BYTEA NOT NULL,
	checkpoint  TEXT NOT NULL,
	running     BIGINT NOT NULL CHECK (running IN (0, 1)),
	due_at      BIGINT NOT NULL,
	held_until  BIGINT NOT NULL,
	claim       BIGINT NOT NULL
) STRICT;
