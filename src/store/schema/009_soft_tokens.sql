-- What came beside a signed request and is needed until it is done: the scrypt form of the revocation password that its
-- certificates get. The signed request has this form's digest only.
CREATE TABLE request_secret (request $ID NOT NULL PRIMARY KEY, revocation_password $TEXT NOT NULL);

-- Each time that an archived key was put into a token. certificate: whose key it was; issued: the new certificate that the
-- key got with it, 0: the one that it had.
CREATE TABLE key_recovery (
	certificate $INT NOT NULL,
	token $INT NOT NULL,
	at $INT NOT NULL,
	issued $INT NOT NULL,
	PRIMARY KEY (certificate, token, issued)
);
CREATE INDEX key_recovery_issued ON key_recovery (issued) WHERE issued <> 0;
