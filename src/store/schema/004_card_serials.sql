-- Serial numbers that cards got. A number names one card for ever, whichever procedures have had its range.
CREATE TABLE card_serial (number $INT NOT NULL PRIMARY KEY, token_procedure $INT NOT NULL, at $INT NOT NULL) $CLUSTERED;
