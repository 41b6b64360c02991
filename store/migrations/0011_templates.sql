-- The texts that messages to a person begin with, by version; the newest counts.
-- Without a row the program's own count.
CREATE TABLE templates (
	version INTEGER PRIMARY KEY,
	doc     BYTEA NOT NULL
) STRICT;
