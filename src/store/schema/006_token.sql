-- Soft tokens under way, and archived keys. What is secret in them is sealed by the signer; nothing here opens it.

-- state: made (keys are there, certificates follow), ready (the file waits for its requester), delivered, expired.
CREATE TABLE token (
	id $ID NOT NULL PRIMARY KEY,
	officer_id $INT NOT NULL,
	token_procedure $INT NOT NULL,
	at $INT NOT NULL,
	expires_at $INT NOT NULL,
	state $TEXT NOT NULL,
	holder $TEXT NOT NULL,
	pin $BLOB NOT NULL,
	file $BLOB NOT NULL
);
CREATE INDEX token_expires ON token (expires_at) WHERE state = 'ready';

-- A token's keys until its file is there. source: the certificate whose archived key it is, 0: a new key.
CREATE TABLE token_key (
	token $INT NOT NULL,
	n $INT NOT NULL,
	certificate $INT NOT NULL,
	certificate_procedure $INT NOT NULL,
	source $INT NOT NULL,
	archive $TEXT NOT NULL,
	holder $TEXT NOT NULL,
	spki $BLOB NOT NULL,
	box $BLOB NOT NULL,
	envelope $BLOB NOT NULL,
	PRIMARY KEY (token, n)
);

CREATE TABLE archived_key (
	certificate $ID NOT NULL PRIMARY KEY,
	at $INT NOT NULL,
	archive $TEXT NOT NULL,
	holder $TEXT NOT NULL,
	spki $BLOB NOT NULL,
	envelope $BLOB NOT NULL
);
CREATE INDEX archived_key_holder ON archived_key (holder, certificate);

-- What was chosen for a certificate when it was issued. Written before the signature, so that no certificate is without it.
CREATE TABLE certificate_choice (
	certificate $ID NOT NULL PRIMARY KEY,
	publication $INT NOT NULL,
	revocation_password $TEXT NOT NULL
);
