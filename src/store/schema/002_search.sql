-- Exact search by attribute, filled behind the path of issuing; what is there already is queued for it.
CREATE TABLE certificate_search (
	attribute $INT NOT NULL,
	hash $INT NOT NULL,
	id $INT NOT NULL,
	PRIMARY KEY (attribute, hash, id)
) $CLUSTERED;

CREATE TABLE certificate_todo (id $ID NOT NULL PRIMARY KEY);
INSERT INTO certificate_todo (id) SELECT id FROM certificate;

-- Certificates that the auditor job has not looked at; filled by the same follower.
CREATE TABLE verdict_todo (id $ID NOT NULL PRIMARY KEY);
