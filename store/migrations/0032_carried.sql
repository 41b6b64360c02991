-- Fingerprints of a report that was taken back which another case had listed for
-- it: the one that carried it, or a part that was split off. The code of the
-- report shows who has confirmed these withdrawals too.
CREATE TABLE withdrawal_entries (
	case_id  TEXT NOT NULL, -- of the report, as in withdrawals
	entry_id TEXT NOT NULL,
	PRIMARY KEY (case_id, entry_id)
) STRICT;
