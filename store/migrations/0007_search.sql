-- Cases are found by the exact fingerprint of an entry. A video's is up to half a
-- megabyte long, and nobody types it.
CREATE INDEX entries_value ON entries (value) WHERE type <> 'vpdq';
