-- Clocks of cases: copies of what is in the case's document, for the queue, the
-- calendar and the worker that lets them run down. No words of anybody.
CREATE TABLE clocks (
	id         TEXT PRIMARY KEY,
	case_id    TEXT NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
	await      TEXT NOT NULL,
	notice_id  TEXT NOT NULL,
	basis      TEXT NOT NULL CHECK (basis IN ('law', 'policy', 'own')),
	state      TEXT NOT NULL CHECK (state IN ('running', 'paused', 'warned', 'missed', 'escalated', 'met', 'cancelled')),
	live       BIGINT NOT NULL CHECK (live IN (0, 1)),
	nearest    BIGINT NOT NULL CHECK (nearest IN (0, 1)), -- of its case's live clocks, the one that ends first
	round      BIGINT NOT NULL,
	task       TEXT NOT NULL, -- '' for none
	due_at     BIGINT NOT NULL,
	next_at    BIGINT NOT NULL -- when it next does something by itself; 0: never
) STRICT;
CREATE INDEX clocks_case ON clocks (case_id);
CREATE INDEX clocks_next ON clocks (next_at) WHERE next_at > 0;
CREATE INDEX clocks_nearest ON clocks (due_at, id) WHERE nearest = 1;
CREATE INDEX clocks_due ON clocks (due_at, id);
CREATE INDEX clocks_risk ON clocks (state, due_at, id) WHERE live = 1;

-- Versions of the policy that clocks take their terms from; never changed.
CREATE TABLE clock_policies (
	version BIGINT PRIMARY KEY,
	doc     BYTEA NOT NULL
) STRICT;
