-- How long a notice received is kept once nothing of it waits any more; as of a
-- case in 0004.
ALTER TABLE intakes ADD COLUMN kept TEXT NOT NULL DEFAULT ''; -- its class of retention; '' was not computed yet
ALTER TABLE intakes ADD COLUMN ended_at BIGINT NOT NULL DEFAULT 0; -- 0 while something waits
ALTER TABLE intakes ADD COLUMN held BIGINT NOT NULL DEFAULT 0 CHECK (held IN (0, 1));
CREATE INDEX intakes_due ON intakes (kept, ended_at) WHERE ended_at > 0 AND held = 0;
