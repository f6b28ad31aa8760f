-- What certificates are found by: the distinct values of their attributes, and which certificates have them; filled behind the path
-- of issuing. The id of a value is a digest of attribute and value, so that nobody looks it up to enter it.
CREATE TABLE search_value (id $ID NOT NULL PRIMARY KEY, attribute $INT NOT NULL, value $TEXT NOT NULL);
CREATE TABLE search_link (value $INT NOT NULL, certificate $INT NOT NULL, PRIMARY KEY (value, certificate)) $CLUSTERED;
CREATE TABLE search_begin (not_before $INT NOT NULL, certificate $INT NOT NULL, PRIMARY KEY (not_before, certificate)) $CLUSTERED;
$TRIGRAMS
CREATE TABLE value_todo (id $ID NOT NULL PRIMARY KEY);
INSERT INTO value_todo (id) SELECT id FROM certificate;
CREATE INDEX certificate_status_at ON certificate_status (state, at, id);
