-- A list that was read again whole and lacks most of what is held of it withdraws
-- nothing before somebody says so.
ALTER TABLE feed_sweeps ADD COLUMN had BIGINT NOT NULL DEFAULT -1; -- what was held when it began; -1: not known
ALTER TABLE feed_sweeps ADD COLUMN lacking BIGINT NOT NULL DEFAULT 0; -- what was not given, when it was last counted
ALTER TABLE feed_sweeps ADD COLUMN held_at BIGINT NOT NULL DEFAULT 0; -- since when it waits for somebody; 0: it does not
ALTER TABLE feed_sweeps ADD COLUMN judged_at BIGINT NOT NULL DEFAULT 0; -- when it was last counted; 0: it is not read to its end
ALTER TABLE feed_sweeps ADD COLUMN passed_at BIGINT NOT NULL DEFAULT 0; -- since when it may withdraw; 0: it may not
