-- What the queue can be narrowed by: one row for each trait of a case, in the
-- order of the queue, so that a page takes as long among many cases as among few.
-- A trait is 'minor', 'late' (a clock is past its end), 'with:' and an identifier
-- of staff ('with:' alone is nobody), or 'at:' and the blind index of a service.
-- Go code fills it for the cases that are here.
CREATE TABLE case_traits (
	trait     TEXT NOT NULL,
	state     TEXT NOT NULL,
	priority  BIGINT NOT NULL,
	opened_at BIGINT NOT NULL,
	case_id   TEXT NOT NULL REFERENCES cases (id),
	PRIMARY KEY (trait, state, priority, opened_at, case_id)
) STRICT;
CREATE UNIQUE INDEX case_traits_case ON case_traits (case_id, trait);

-- Views of the queue that somebody kept: the query of its address.
CREATE TABLE views (
	staff_id TEXT NOT NULL REFERENCES staff (id),
	name     TEXT NOT NULL,
	query    TEXT NOT NULL,
	PRIMARY KEY (staff_id, name)
) STRICT;

-- Fingerprints are in the blind index from now on.
DROP INDEX entries_value;
