-- What staff prove who they are with, beside a password: passkeys and one-time
-- passwords.
CREATE TABLE factors (
	id       TEXT PRIMARY KEY, -- of a passkey: SHA-256 of its credential's identifier
	staff_id TEXT NOT NULL REFERENCES staff (id),
	used     BIGINT NOT NULL, -- one-time passwords: the last time step that was accepted; passkeys: the signature counter
	secret   BYTEA NOT NULL,  -- sealed: the shared key, or the public credential
	doc      BYTEA NOT NULL
) STRICT;
CREATE INDEX factors_staff ON factors (staff_id);

ALTER TABLE sessions ADD COLUMN proved_at BIGINT NOT NULL DEFAULT 0; -- when a factor was last given in it
