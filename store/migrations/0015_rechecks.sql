-- Addresses that are asked, when their time comes, whether they still answer:
-- copies of what is in the case's document, for the worker. No address: host is
-- a keyed digest of the host's name, so that no host is asked too often.
CREATE TABLE rechecks (
	item_id  TEXT PRIMARY KEY,
	case_id  TEXT NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
	host     TEXT NOT NULL,
	cautious BIGINT NOT NULL CHECK (cautious IN (0, 1)), -- of a case that may be a minor's
	due_at   BIGINT NOT NULL
) STRICT;
CREATE INDEX rechecks_due ON rechecks (due_at, item_id);
CREATE INDEX rechecks_case ON rechecks (case_id);

-- When a host may be asked again.
CREATE TABLE recheck_hosts (
	host    TEXT PRIMARY KEY,
	next_at BIGINT NOT NULL
) STRICT;
