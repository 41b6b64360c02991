-- What a human is asked to do about a notice received, beside deciding on it: a
-- row for each kind, kept with the intake. No words.
CREATE TABLE intake_tasks (
	intake_id TEXT NOT NULL REFERENCES intakes (id),
	kind      TEXT NOT NULL,
	opened_at BIGINT NOT NULL,
	PRIMARY KEY (intake_id, kind)
) STRICT;
CREATE INDEX intake_tasks_queue ON intake_tasks (opened_at, intake_id);

-- What an intake is found by: exact addresses of its items under the keyring's
-- index key, codes under the instance's.
CREATE TABLE intake_index (
	hash      TEXT NOT NULL,
	intake_id TEXT NOT NULL REFERENCES intakes (id),
	PRIMARY KEY (hash, intake_id)
) STRICT;
CREATE INDEX intake_index_intake ON intake_index (intake_id);
