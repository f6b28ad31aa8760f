-- Certificates that are or were on hold or revoked: the state, and what CRLs and OCSP say of it. What was never held or revoked
-- has no row. state: as certificate.status, 0: reinstated; at: since when; invalid_at: invalidity date, 0: none; seq: grows with
-- every change of a certificate of the issuer, without gaps; leaf: of the journal, that says so.
CREATE TABLE certificate_status (
	id $ID NOT NULL PRIMARY KEY,
	issuer $INT NOT NULL,
	serial $BLOB NOT NULL,
	state $INT NOT NULL,
	reason $INT NOT NULL,
	at $INT NOT NULL,
	invalid_at $INT NOT NULL,
	not_after $INT NOT NULL,
	leaf $INT NOT NULL,
	seq $INT NOT NULL
);
CREATE UNIQUE INDEX certificate_status_serial ON certificate_status (issuer, serial);
CREATE UNIQUE INDEX certificate_status_seq ON certificate_status (issuer, seq);

-- How far each issuer has come.
CREATE TABLE status_seq (issuer $ID NOT NULL PRIMARY KEY, value $INT NOT NULL);

-- Why a certificate is on hold, each cause by itself; lifting one leaves the others.
CREATE TABLE certificate_hold (
	certificate $INT NOT NULL,
	cause $TEXT NOT NULL,
	at $INT NOT NULL,
	request_id $INT NOT NULL,
	PRIMARY KEY (certificate, cause)
) $CLUSTERED;

-- Wrong revocation passwords in a row, and until when the next one is not looked at.
CREATE TABLE password_wrong (certificate $ID NOT NULL PRIMARY KEY, tries $INT NOT NULL, until_at $INT NOT NULL);

-- Certificates that were taken over from the signer's journal and that nobody has asked for since. leaf: that says so.
CREATE TABLE certificate_unclaimed (certificate $ID NOT NULL PRIMARY KEY, at $INT NOT NULL, leaf $INT NOT NULL);
