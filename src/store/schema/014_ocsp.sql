-- Certificates of OCSP responders; key: the signer's label. The newest of an authority is the one in use.
CREATE TABLE responder (
	certificate $ID NOT NULL PRIMARY KEY,
	authority $INT NOT NULL,
	key $TEXT NOT NULL,
	not_before $INT NOT NULL,
	not_after $INT NOT NULL
);
CREATE INDEX responder_authority ON responder (authority, certificate);

-- Certificates that an officer has activated for OCSP, once and for ever.
CREATE TABLE ocsp_activation (certificate $ID NOT NULL PRIMARY KEY, at $INT NOT NULL, request_id $INT NOT NULL);
CREATE INDEX ocsp_activation_at ON ocsp_activation (at, certificate);
