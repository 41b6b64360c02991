-- What a member set for her own rest; nobody else is shown it. minors is after how
-- many minors' cases of a day a pause is proposed to her (0: as the association
-- says), without the kinds of cases that she is not offered, with no reason.
CREATE TABLE rests (
	staff_id TEXT PRIMARY KEY REFERENCES staff (id),
	minors   BIGINT NOT NULL CHECK (minors >= 0),
	without  TEXT NOT NULL -- words of a closed list, apart by spaces
) STRICT;

-- Which cases somebody opened, and when.
CREATE INDEX records_views ON records (actor, at, subject) WHERE kind = 'case.viewed';
