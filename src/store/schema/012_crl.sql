-- Revocation lists that are built here. state: 0 its entries are being gathered, 1 to be signed, 2 signed and in force. base: number of the list that
-- a delta list continues, else 0. status_seq: how far the issuer's changes are in it. head, tail: the TBSCertList in front of the entries and behind them.
CREATE TABLE crl (
	id $ID NOT NULL PRIMARY KEY,
	procedure_id $INT NOT NULL,
	delta $INT NOT NULL,
	number $INT NOT NULL,
	base $INT NOT NULL,
	state $INT NOT NULL,
	this_update $INT NOT NULL,
	next_update $INT NOT NULL,
	status_seq $INT NOT NULL,
	entries $INT NOT NULL,
	entries_len $INT NOT NULL,
	pieces $INT NOT NULL,
	sigalg $TEXT NOT NULL,
	sha256 $BLOB NOT NULL,
	head $BLOB NOT NULL,
	tail $BLOB NOT NULL,
	signature $BLOB NOT NULL
);
CREATE INDEX crl_procedure ON crl (procedure_id);

-- The entries, in pieces of whole ones; n from 0.
CREATE TABLE crl_piece (
	crl $INT NOT NULL,
	n $INT NOT NULL,
	entries $BLOB NOT NULL,
	PRIMARY KEY (crl, n)
);
