-- The first schema. $ID: 64-bit integer that may be a primary key; $INT: 64-bit integer; $TEXT: text in byte order; $BLOB: bytes.
-- On the path of issuing stand only: primary keys, unique (issuer, serial), not_after. Ids are time-ordered, so all of
-- these grow at one end, but for not_after, which has as many ends as there are validity periods.

CREATE TABLE setting (name $TEXT NOT NULL PRIMARY KEY, value $TEXT NOT NULL) $CLUSTERED;

-- One row: what policy snapshots compare to see that something changed.
CREATE TABLE document_stamp (value $INT NOT NULL);
INSERT INTO document_stamp (value) VALUES (0);

CREATE TABLE document_current (
	id $ID NOT NULL PRIMARY KEY,
	version $INT NOT NULL,
	kind $TEXT NOT NULL,
	domain $INT NOT NULL,
	name $TEXT NOT NULL,
	state $TEXT NOT NULL
);
CREATE UNIQUE INDEX document_current_name ON document_current (kind, domain, name) WHERE state <> 'deleted';

CREATE TABLE document (
	id $ID NOT NULL REFERENCES document_current (id),
	version $INT NOT NULL,
	kind $TEXT NOT NULL,
	name $TEXT NOT NULL,
	state $TEXT NOT NULL,
	domain $INT NOT NULL,
	body $TEXT NOT NULL,
	at $INT NOT NULL,
	request_id $INT NOT NULL,
	stamp $INT NOT NULL,
	PRIMARY KEY (id, version)
);

CREATE TABLE draft (
	id $ID NOT NULL PRIMARY KEY,
	kind $TEXT NOT NULL,
	name $TEXT NOT NULL,
	body $TEXT NOT NULL,
	officer_id $INT NOT NULL,
	at $INT NOT NULL
);

CREATE TABLE request (
	id $ID NOT NULL PRIMARY KEY,
	act $TEXT NOT NULL,
	state $TEXT NOT NULL,
	object $INT NOT NULL,
	base_version $INT NOT NULL,
	body $BLOB NOT NULL,
	prepared_by $INT NOT NULL,
	nonce $BLOB NOT NULL,
	at $INT NOT NULL,
	expires_at $INT NOT NULL,
	result $TEXT NOT NULL
);
CREATE INDEX request_state ON request (state, id);

CREATE TABLE request_signature (
	request_id $INT NOT NULL REFERENCES request (id),
	n $INT NOT NULL,
	officer_id $INT NOT NULL,
	cms $BLOB NOT NULL,
	at $INT NOT NULL,
	PRIMARY KEY (request_id, n),
	UNIQUE (request_id, officer_id)
);

CREATE TABLE certificate (
	id $ID NOT NULL PRIMARY KEY,
	serial $BLOB NOT NULL,
	issuer $INT NOT NULL,
	status $INT NOT NULL,
	subject $TEXT NOT NULL,
	not_before $INT NOT NULL,
	not_after $INT NOT NULL,
	token_procedure $INT NOT NULL,
	certificate_procedure $INT NOT NULL,
	authority $INT NOT NULL,
	request_id $INT NOT NULL,
	session_id $INT NOT NULL,
	san $TEXT NOT NULL,
	key_hash $BLOB NOT NULL,
	fingerprint $BLOB NOT NULL
);
CREATE UNIQUE INDEX certificate_serial ON certificate (issuer, serial);
CREATE INDEX certificate_not_after ON certificate (not_after);
-- These two are empty for what machines have issued.
CREATE INDEX certificate_authority ON certificate (authority) WHERE authority <> 0;
CREATE INDEX certificate_request ON certificate (request_id) WHERE request_id <> 0;

CREATE TABLE certificate_der (id $ID NOT NULL PRIMARY KEY, der $BLOB NOT NULL);

CREATE TABLE journal_leaf (
	id $ID NOT NULL PRIMARY KEY,
	kind $TEXT NOT NULL,
	object $INT NOT NULL,
	body $TEXT NOT NULL,
	hash $BLOB NOT NULL
);
-- Leaves without a place yet. A queue rather than a search for what is missing: ids do not become visible in their order.
CREATE TABLE journal_todo (id $ID NOT NULL PRIMARY KEY);
CREATE TABLE journal_seq (idx $ID NOT NULL PRIMARY KEY, leaf_id $INT NOT NULL UNIQUE);
CREATE TABLE journal_tile (level $INT NOT NULL, idx $INT NOT NULL, hashes $BLOB NOT NULL, PRIMARY KEY (level, idx));
CREATE TABLE journal_head (
	size $ID NOT NULL PRIMARY KEY,
	root $BLOB NOT NULL,
	at $INT NOT NULL,
	signature $BLOB NOT NULL,
	key $BLOB NOT NULL
);

-- slot: the first eight octets of the key; the one random index on the path, and only for requests that bring a key.
CREATE TABLE idempotency (
	slot $ID NOT NULL PRIMARY KEY,
	key $BLOB NOT NULL,
	caller $INT NOT NULL,
	request_hash $BLOB NOT NULL,
	result $INT NOT NULL,
	at $INT NOT NULL
);

CREATE TABLE issuing_session (
	id $ID NOT NULL PRIMARY KEY,
	token_hash $BLOB NOT NULL UNIQUE,
	request_id $INT NOT NULL,
	officer_id $INT NOT NULL,
	body $TEXT NOT NULL,
	used $INT NOT NULL,
	maximum $INT NOT NULL,
	expires_at $INT NOT NULL,
	state $TEXT NOT NULL
);

CREATE TABLE outbox (
	id $ID NOT NULL PRIMARY KEY,
	kind $TEXT NOT NULL,
	object $INT NOT NULL,
	at $INT NOT NULL,
	state $TEXT NOT NULL
);
CREATE INDEX outbox_open ON outbox (state, id) WHERE state <> 'done';

CREATE TABLE job (
	name $TEXT NOT NULL PRIMARY KEY,
	owner $INT NOT NULL,
	lease_until $INT NOT NULL,
	cursor $INT NOT NULL
) $CLUSTERED;

-- One row for each factory, so that their commits do not wait for one another.
CREATE TABLE counter (name $TEXT NOT NULL, node $INT NOT NULL, value $INT NOT NULL, PRIMARY KEY (name, node)) $CLUSTERED;

CREATE TABLE verdict (id $ID NOT NULL PRIMARY KEY, at $INT NOT NULL, ok $INT NOT NULL, lints $TEXT NOT NULL);

-- What each committer has committed last; see committer.c.
CREATE TABLE commit_mark (committer $ID NOT NULL PRIMARY KEY, epoch $INT NOT NULL, batch $INT NOT NULL, at $INT NOT NULL);
