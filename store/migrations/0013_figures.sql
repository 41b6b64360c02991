-- Figures of the dashboard, kept as they happen: counting cases would take longer
-- with every case. Days are counted from 1970-01-01, those of Paris. None of them
-- says which case it is of. Go code fills them for the cases that are here.

-- What is 'opened' and 'closed' (on that day), 'live:' and a priority (cases that
-- are not closed, by the day when they were opened), or 'clock:', what it waits
-- for and its state (live clocks; the day is 0). In parts, as case_counts.
CREATE TABLE day_counts (
	what TEXT NOT NULL,
	day  BIGINT NOT NULL,
	part BIGINT NOT NULL,
	n    BIGINT NOT NULL,
	PRIMARY KEY (what, day, part)
) STRICT;

-- Items by service and day: 'notified', then what the service decided, with the
-- minutes since its receipt of the notice.
CREATE TABLE service_days (
	day     BIGINT NOT NULL,
	service TEXT NOT NULL,
	what    TEXT NOT NULL CHECK (what IN ('notified', 'removed', 'restricted', 'refused')),
	minutes BIGINT NOT NULL,
	n       BIGINT NOT NULL,
	PRIMARY KEY (day, service, what, minutes)
) STRICT;
