-- Written in PostgreSQL's words; dialect.words says what SQLite makes of them.
-- Times are microseconds since 1970, UTC; 0 is "never". What is JSON in a column
-- doc is the whole thing, and the columns beside it are copies for queues and
-- lookups. A line that begins with "--postgres" is for PostgreSQL alone.
-- Forward only: a released file is never edited.

CREATE TABLE meta (
	name  TEXT PRIMARY KEY,
	value TEXT NOT NULL
) STRICT;

CREATE TABLE lists (
	id  TEXT PRIMARY KEY,
	doc BYTEA NOT NULL
) STRICT;

CREATE TABLE cases (
	id         TEXT PRIMARY KEY,
	ref        TEXT NOT NULL UNIQUE,
	version    BIGINT NOT NULL,
	state      TEXT NOT NULL CHECK (state IN ('new', 'open', 'active', 'closed')),
	priority   BIGINT NOT NULL CHECK (priority BETWEEN 1 AND 4),
	minor      BIGINT NOT NULL CHECK (minor IN (0, 1)),
	items      BIGINT NOT NULL,
	unsettled  BIGINT NOT NULL,
	failed     BIGINT NOT NULL,
	stops      BIGINT NOT NULL,
	services   TEXT NOT NULL, -- JSON
	articles   TEXT NOT NULL, -- JSON
	opened_at  BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	doc        BYTEA NOT NULL
) STRICT;
CREATE INDEX cases_queue ON cases (priority, opened_at, id);
CREATE INDEX cases_state_queue ON cases (state, priority, opened_at, id);

-- How many cases are in each state, in 16 parts so that two changes seldom wait
-- for each other: counting the rows would take longer with every closed case.
CREATE TABLE case_counts (
	state TEXT NOT NULL,
	part  BIGINT NOT NULL,
	n     BIGINT NOT NULL,
	PRIMARY KEY (state, part)
) STRICT;

CREATE TABLE reports (
	id      TEXT PRIMARY KEY,
	case_id TEXT NOT NULL REFERENCES cases (id),
	doc     BYTEA NOT NULL
) STRICT;
CREATE INDEX reports_case ON reports (case_id);

-- Idempotency keys of reports, hashed under the instance's key.
CREATE TABLE report_keys (
	hash      TEXT PRIMARY KEY,
	body      TEXT NOT NULL,
	report_id TEXT NOT NULL
) STRICT;

-- Case codes, hashed under the instance's key.
CREATE TABLE case_codes (
	hash    TEXT PRIMARY KEY,
	case_id TEXT NOT NULL REFERENCES cases (id)
) STRICT;

CREATE TABLE case_notices (
	notice_id TEXT PRIMARY KEY,
	case_id   TEXT NOT NULL REFERENCES cases (id)
) STRICT;

CREATE TABLE intakes (
	id          TEXT PRIMARY KEY,
	number      TEXT NOT NULL UNIQUE,
	version     BIGINT NOT NULL,
	state       TEXT NOT NULL CHECK (state IN ('received', 'decided')),
	priority    BIGINT NOT NULL CHECK (priority BETWEEN 1 AND 4),
	peer_id     TEXT NOT NULL,
	key_hash    TEXT, -- of the idempotency key, under the instance's key
	body        TEXT NOT NULL, -- digest of the notice, under the instance's key
	received_at BIGINT NOT NULL,
	updated_at  BIGINT NOT NULL,
	doc         BYTEA NOT NULL,
	UNIQUE (peer_id, key_hash)
) STRICT;
CREATE INDEX intakes_queue ON intakes (priority, received_at, id);
CREATE INDEX intakes_state_queue ON intakes (state, priority, received_at, id);

-- One row an entry, in its last state, placed (xid, seq) where its last change
-- is: this is the change table that indexes and partners follow.
CREATE TABLE entries (
	num      SERIAL PRIMARY KEY,
	peer_id  TEXT NOT NULL, -- whose feed it came from; '' is ours
	id       TEXT NOT NULL,
	list     TEXT NOT NULL REFERENCES lists (id),
	type     TEXT NOT NULL CHECK (type IN ('sha256', 'md5', 'pdq')),
	value    TEXT NOT NULL,
	quality  BIGINT NOT NULL CHECK (quality BETWEEN 0 AND 100),
	state    TEXT NOT NULL CHECK (state IN ('provisional', 'active', 'rejected', 'withdrawn')),
	case_id  TEXT NOT NULL,
	case_ref TEXT NOT NULL,
	item_id  TEXT NOT NULL,
	since    BIGINT NOT NULL,
	xid      BIGINT NOT NULL, -- transaction of the last change; 0 in SQLite
	seq      BIGINT NOT NULL,
	UNIQUE (peer_id, id)
) STRICT;
CREATE UNIQUE INDEX entries_changes ON entries (xid, seq);
--postgres CREATE SEQUENCE entry_changes;

CREATE TABLE feed_cursors (
	peer_id TEXT PRIMARY KEY,
	reached TEXT NOT NULL
) STRICT;

CREATE TABLE jobs (
	id         SERIAL PRIMARY KEY,
	kind       TEXT NOT NULL,
	subject    TEXT NOT NULL,
	key        TEXT UNIQUE,
	payload    TEXT NOT NULL,
	state      TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'dead')),
	due_at     BIGINT NOT NULL, -- when it may run; while it runs, the end of its lease
	attempt    BIGINT NOT NULL,
	why        TEXT NOT NULL, -- of the last try that failed
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL
) STRICT;
CREATE INDEX jobs_due ON jobs (due_at, id) WHERE state IN ('waiting', 'running');
CREATE INDEX jobs_left ON jobs (state, id) WHERE state <> 'done';
CREATE INDEX jobs_subject ON jobs (subject, id);

-- Keys that may be spent once, hashed under the instance's key.
CREATE TABLE spent (
	hash TEXT PRIMARY KEY,
	at   BIGINT NOT NULL
) STRICT;

CREATE TABLE peers (
	id          TEXT PRIMARY KEY,
	key_hash    TEXT UNIQUE, -- SHA-256 of the key it comes in with
	credentials BYTEA, -- what we go out with, sealed under the instance's key
	doc         BYTEA NOT NULL
) STRICT;

CREATE TABLE services (
	id  TEXT PRIMARY KEY,
	doc BYTEA NOT NULL
) STRICT;

CREATE TABLE staff (
	id       TEXT PRIMARY KEY,
	login    TEXT NOT NULL UNIQUE,
	password TEXT NOT NULL, -- argon2id, PHC string; '' is none
	doc      BYTEA NOT NULL
) STRICT;

-- Sign-ins that failed, by login hashed under the instance's key: some people
-- type their password there.
CREATE TABLE tries (
	login_hash TEXT PRIMARY KEY,
	failures   BIGINT NOT NULL,
	not_before BIGINT NOT NULL,
	last_at    BIGINT NOT NULL
) STRICT;

CREATE TABLE links (
	hash     TEXT PRIMARY KEY, -- SHA-256 of the token
	staff_id TEXT NOT NULL REFERENCES staff (id),
	ends_at  BIGINT NOT NULL
) STRICT;

CREATE TABLE sessions (
	hash       TEXT PRIMARY KEY, -- SHA-256 of the token
	staff_id   TEXT NOT NULL REFERENCES staff (id),
	started_at BIGINT NOT NULL,
	used_at    BIGINT NOT NULL
) STRICT;
CREATE INDEX sessions_staff ON sessions (staff_id);

-- The ledger. Rows of these three tables are never changed.
CREATE TABLE records (
	seq     SERIAL PRIMARY KEY,
	kind    TEXT NOT NULL,
	subject TEXT NOT NULL,
	actor   TEXT NOT NULL,
	at      BIGINT NOT NULL,
	data    TEXT NOT NULL, -- as ledger.FormatData writes it
	xid     BIGINT NOT NULL -- transaction that wrote it; 0 in SQLite
) STRICT;
CREATE INDEX records_subject ON records (subject, seq);
--postgres CREATE INDEX records_xid ON records (xid);

CREATE TABLE leaves (
	num    BIGINT PRIMARY KEY, -- from 0, without a gap
	record BIGINT NOT NULL UNIQUE,
	hashes BYTEA NOT NULL -- as ledger.JoinHashes writes them
) STRICT;

CREATE TABLE checkpoints (
	size BIGINT PRIMARY KEY,
	note TEXT NOT NULL,
	at   BIGINT NOT NULL
) STRICT;
