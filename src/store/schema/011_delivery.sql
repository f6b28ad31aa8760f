-- What is to go out: one row for an object and a destination. The outbox of the first step was never written to.
DROP TABLE outbox;

-- kind: certificate, crl ... : what object is an id of. destination: the distribution rule. removal: 1: taken back.
-- by_procedure: the procedure that says so. since: when the time began after which it is given up. next_at: not before.
-- state: waiting, done, dead (given up; an officer decides), dropped.
CREATE TABLE outbox (
	id $ID NOT NULL PRIMARY KEY,
	kind $TEXT NOT NULL,
	object $INT NOT NULL,
	destination $INT NOT NULL,
	by_procedure $INT NOT NULL,
	request_id $INT NOT NULL,
	form $TEXT NOT NULL,
	removal $INT NOT NULL,
	at $INT NOT NULL,
	since $INT NOT NULL,
	next_at $INT NOT NULL,
	attempts $INT NOT NULL,
	state $TEXT NOT NULL,
	error $TEXT NOT NULL,
	changed_at $INT NOT NULL
);
CREATE INDEX outbox_due ON outbox (destination, next_at, id) WHERE state = 'waiting';
CREATE INDEX outbox_dead ON outbox (id) WHERE state = 'dead';
CREATE INDEX outbox_object ON outbox (object, destination, id);

-- Where certificates have been published by an officer, and when.
CREATE TABLE publication (
	certificate $INT NOT NULL,
	by_procedure $INT NOT NULL,
	at $INT NOT NULL,
	request_id $INT NOT NULL,
	withdrawn $INT NOT NULL,
	PRIMARY KEY (certificate, by_procedure)
) $CLUSTERED;
CREATE INDEX publication_at ON publication (by_procedure, at, certificate);
