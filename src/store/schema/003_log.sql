-- The request log: what the journal's leaves say, by what officers ask for. Filled behind the path of issuing, in the order
-- of the tree; nothing stands here that could not be read from the leaves again.
CREATE TABLE log (id $ID NOT NULL PRIMARY KEY, at $INT NOT NULL, category $INT NOT NULL, failed $INT NOT NULL);

-- kind: enum log_link_kind. One row for each officer, object and category of a leaf.
CREATE TABLE log_link (kind $INT NOT NULL, value $INT NOT NULL, id $INT NOT NULL, PRIMARY KEY (kind, value, id)) $CLUSTERED;

-- One row: the place in the tree up to which leaves were read.
CREATE TABLE log_cursor (value $INT NOT NULL);
INSERT INTO log_cursor (value) VALUES (0);

-- Requests of issuing sessions, the newest ones only, for trying changed policy on them; no evidence, nothing depends on
-- it. certificate 0: refused.
CREATE TABLE remembered (
	id $ID NOT NULL PRIMARY KEY,
	at $INT NOT NULL,
	session_id $INT NOT NULL,
	token_procedure $TEXT NOT NULL,
	not_before $INT NOT NULL,
	not_after $INT NOT NULL,
	certificate $INT NOT NULL,
	csr $BLOB NOT NULL
);
