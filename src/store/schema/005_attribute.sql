-- base: of an attribute certificate the certificate that it names; 0: a public key certificate. Attribute certificates stand
-- among the others, so that no issuer has one serial number twice, and so that what is done with certificates is done with them.
ALTER TABLE certificate ADD COLUMN base $INT NOT NULL DEFAULT 0;
CREATE INDEX certificate_base ON certificate (base) WHERE base <> 0;
