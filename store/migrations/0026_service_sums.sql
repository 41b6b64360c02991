-- Items by service and day of Paris: 'notified', then what the service decided.
-- One row whatever their number: service_days had one for every time to removal,
-- so that the dashboard read more with every removal. Go code moves its rows here.
CREATE TABLE service_sums (
	day        BIGINT NOT NULL,
	service    TEXT NOT NULL,
	notified   BIGINT NOT NULL,
	removed    BIGINT NOT NULL,
	restricted BIGINT NOT NULL,
	refused    BIGINT NOT NULL,
	took       TEXT NOT NULL, -- minutes from the service's receipt of a notice to each removal, each with a comma after it, as they came
	PRIMARY KEY (day, service)
) STRICT;
