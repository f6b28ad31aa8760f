-- The newest revocation list of each foreign authority that was imported, so that certificates that are imported after it get the
-- state that it says. scope: the value of its issuing distribution point, empty: the list of all; lists of one scope follow
-- each other. request_id: of the import.
CREATE TABLE imported_crl (
	authority $INT NOT NULL,
	scope $BLOB NOT NULL,
	this_update $INT NOT NULL,
	next_update $INT NOT NULL,
	number $BLOB NOT NULL,
	at $INT NOT NULL,
	request_id $INT NOT NULL,
	der $BLOB NOT NULL,
	PRIMARY KEY (authority, scope)
);
