-- How far each mailbox was read in which answers to notices come in. id is a keyed
-- digest of its address; one process at a time reads it, until due_at.
CREATE TABLE mailboxes (
	id       TEXT PRIMARY KEY,
	validity BIGINT NOT NULL, -- UIDVALIDITY
	uid      BIGINT NOT NULL, -- of the last message read
	since    BIGINT NOT NULL, -- when it was first read; 0: never
	due_at   BIGINT NOT NULL
) STRICT;

-- E-mails of which nobody knows yet what they are about, each sealed under a key
-- of its own, until somebody files or drops it.
CREATE TABLE mails (
	id  TEXT PRIMARY KEY,
	at  BIGINT NOT NULL,
	doc BYTEA NOT NULL
) STRICT;
CREATE INDEX mails_at ON mails (at, id);

-- The same table of keys, for one more kind of box.
CREATE TABLE sealed_keys_new (
	owner   TEXT NOT NULL, -- identifier of the case, intake or e-mail
	box     TEXT NOT NULL CHECK (box IN ('case', 'intake', 'identity', 'mail')),
	ring    TEXT NOT NULL, -- name of the keyring's key that wrapped it
	wrapped BYTEA NOT NULL,
	PRIMARY KEY (owner, box)
) STRICT;
INSERT INTO sealed_keys_new (owner, box, ring, wrapped) SELECT owner, box, ring, wrapped FROM sealed_keys;
DROP TABLE sealed_keys;
ALTER TABLE sealed_keys_new RENAME TO sealed_keys;
CREATE INDEX sealed_keys_ring ON sealed_keys (ring, owner, box);
