-- Lists with partitions: which of them a certificate is on, decided when it was issued and for ever; 1 and up. What is on none has no row.
CREATE TABLE certificate_partition (certificate $ID NOT NULL PRIMARY KEY, part $INT NOT NULL);

-- The same beside the status, so that a list is gathered without looking at all others; 0: none.
ALTER TABLE certificate_status ADD COLUMN part $INT NOT NULL DEFAULT 0;
CREATE INDEX certificate_status_part ON certificate_status (issuer, part, serial) WHERE part <> 0;

-- part: the partition that the list is about, 0: it is the only one of its procedure.
ALTER TABLE crl ADD COLUMN part $INT NOT NULL DEFAULT 0;
DROP INDEX crl_procedure;
CREATE INDEX crl_procedure ON crl (procedure_id, part);
