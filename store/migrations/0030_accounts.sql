-- Who of the staff signs in with which account at the operator's identity
-- provider (OpenID Connect). Only a keyed digest of issuer and subject is kept.
CREATE TABLE accounts (
	staff_id  TEXT PRIMARY KEY REFERENCES staff (id),
	hash      TEXT NOT NULL UNIQUE,
	linked_at BIGINT NOT NULL
) STRICT;
