-- Keys that status nodes want certificates for, signed by the node's own key; node: SHA-256 of that one, hex. The newest of each authority.
CREATE TABLE node_key (
	node $TEXT NOT NULL,
	authority $INT NOT NULL,
	label $TEXT NOT NULL,
	spki $BLOB NOT NULL,
	node_spki $BLOB NOT NULL,
	signature $BLOB NOT NULL,
	at $INT NOT NULL,
	PRIMARY KEY (node, authority)
);
-- Whose responder's certificate it is; empty: the issuing server's own.
ALTER TABLE responder ADD COLUMN node $TEXT NOT NULL DEFAULT '';
