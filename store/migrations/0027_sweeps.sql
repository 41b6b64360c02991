-- A list that is read again whole, because its server no longer holds the place
-- that was reached: what it gave since that began. The rest is withdrawn at its
-- end.
CREATE TABLE feed_sweeps (
	peer_id TEXT PRIMARY KEY -- as of entries
) STRICT;

CREATE TABLE feed_seen (
	peer_id TEXT NOT NULL,
	id      TEXT NOT NULL, -- of an entry
	PRIMARY KEY (peer_id, id)
) STRICT;
