-- What an officer gathers for one act until it is submitted: nobody else's, and nobody's word yet. The certificates stand in the body:
-- they are read and changed together.
CREATE TABLE selection (id $ID NOT NULL PRIMARY KEY, officer_id $INT NOT NULL, act $TEXT NOT NULL, body $TEXT NOT NULL, at $INT NOT NULL);
CREATE INDEX selection_officer ON selection (officer_id, id);
