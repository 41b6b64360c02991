-- Items of audit campaigns that are labelled in the console. Text and labels are
-- sealed under the campaign's key; in clear are the order, how many persons label
-- an item, and how far it is. ended_at of a campaign: 0 while it is labelled.
ALTER TABLE campaigns ADD COLUMN ended_at BIGINT NOT NULL DEFAULT 0;
CREATE TABLE campaign_items (
	campaign TEXT NOT NULL REFERENCES campaigns (id),
	id       TEXT NOT NULL,
	place    TEXT NOT NULL,
	persons  BIGINT NOT NULL CHECK (persons IN (1, 2)),
	state    TEXT NOT NULL CHECK (state IN ('open', 'disputed', 'done')),
	doc      BYTEA NOT NULL,
	PRIMARY KEY (campaign, id)
) STRICT;
CREATE INDEX campaign_items_state ON campaign_items (campaign, state, place, id);

-- One row for each person and item, so that nobody is given an item twice. slot: 1
-- and 2 are the annotators', 3 the one's who settles, NULL who passed.
CREATE TABLE campaign_labels (
	campaign TEXT NOT NULL,
	item     TEXT NOT NULL,
	staff    TEXT NOT NULL,
	slot     BIGINT CHECK (slot IN (1, 2, 3)),
	state    TEXT NOT NULL CHECK (state IN ('drawn', 'labelled', 'skipped', 'settled')),
	at       BIGINT NOT NULL,
	doc      BYTEA,
	PRIMARY KEY (campaign, item, staff),
	UNIQUE (campaign, item, slot),
	FOREIGN KEY (campaign, item) REFERENCES campaign_items (campaign, id)
) STRICT;
CREATE INDEX campaign_labels_staff ON campaign_labels (campaign, staff, state);

-- The same table of keys, for one more kind of box.
CREATE TABLE sealed_keys_new (
	owner   TEXT NOT NULL, -- identifier of the case, intake, e-mail or campaign
	box     TEXT NOT NULL CHECK (box IN ('case', 'intake', 'identity', 'mail', 'campaign')),
	ring    TEXT NOT NULL, -- name of the keyring's key that wrapped it
	wrapped BYTEA NOT NULL,
	PRIMARY KEY (owner, box)
) STRICT;
INSERT INTO sealed_keys_new (owner, box, ring, wrapped) SELECT owner, box, ring, wrapped FROM sealed_keys;
DROP TABLE sealed_keys;
ALTER TABLE sealed_keys_new RENAME TO sealed_keys;
CREATE INDEX sealed_keys_ring ON sealed_keys (ring, owner, box);
