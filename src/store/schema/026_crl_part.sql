-- Which pieces a revocation list has, in their order: its own, and those of the lists before it in which nothing has changed. (made_by, made_n)
-- is the row of crl_piece. entries, len: how many, and their octets; last: the serial number of the last entry; until: none of them leaves
-- a list before that time, 0: nobody knows.
CREATE TABLE crl_part (
	crl $INT NOT NULL,
	n $INT NOT NULL,
	made_by $INT NOT NULL,
	made_n $INT NOT NULL,
	entries $INT NOT NULL,
	len $INT NOT NULL,
	until $INT NOT NULL,
	last $BLOB NOT NULL,
	PRIMARY KEY (crl, n)
) $CLUSTERED;
CREATE INDEX crl_part_made ON crl_part (made_by, made_n);
INSERT INTO crl_part SELECT crl, n, crl, n, 0, 0, 0, CAST('' AS $BLOB) FROM crl_piece;

-- shape: what else the entries depend on, 0: nobody knows; left_at: whoever ended before it is on the list no longer.
ALTER TABLE crl ADD COLUMN shape $INT NOT NULL DEFAULT 0;
ALTER TABLE crl ADD COLUMN left_at $INT NOT NULL DEFAULT 0;
