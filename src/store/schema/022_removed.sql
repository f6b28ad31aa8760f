-- Certificates that officers have had removed: that they were there, so that nothing takes them over from the signer's journal again.
-- leaf: of the journal, which keeps all that was said of them.
CREATE TABLE certificate_removed (
	id $ID NOT NULL PRIMARY KEY,
	issuer $INT NOT NULL,
	serial $BLOB NOT NULL,
	fingerprint $BLOB NOT NULL,
	at $INT NOT NULL,
	request_id $INT NOT NULL,
	leaf $INT NOT NULL
);
