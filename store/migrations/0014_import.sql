-- Entries by value: what a list holds of a source, in the order in which an
-- import compares it with a file, and what an exact value is shared as. A video's
-- value is up to half a megabyte long, and is never looked for.
CREATE INDEX entries_value ON entries (peer_id, list, type, value, num) WHERE type <> 'vpdq';
