-- The list of trusted flaggers as the operator imported it.
CREATE TABLE flaggers (
	id  TEXT PRIMARY KEY,
	doc BYTEA NOT NULL
) STRICT;

-- Who sent which notice, by a blind index or a peer's identifier, for misuse
-- (DSA article 23): numbers only.
CREATE TABLE notifiers (
	who         TEXT NOT NULL,
	intake_id   TEXT NOT NULL REFERENCES intakes (id),
	received_at BIGINT NOT NULL,
	decided     BIGINT NOT NULL,
	unfounded   BIGINT NOT NULL,
	PRIMARY KEY (who, intake_id)
) STRICT;

-- What was done about it.
CREATE TABLE notifier_measures (
	who TEXT PRIMARY KEY,
	doc BYTEA NOT NULL
) STRICT;
