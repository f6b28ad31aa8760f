-- Issuance lists (CIL) that are in force: of a procedure the complete one, and the delta list to it. number, last_number: of the first and
-- the last segment. base: last number of the complete list that a delta list continues, else 0. place: how many leaves had their place in the
-- journal when it was begun. timing: the settings that it was built by.
CREATE TABLE cil (
	procedure_id $INT NOT NULL,
	delta $INT NOT NULL,
	build $INT NOT NULL,
	number $INT NOT NULL,
	last_number $INT NOT NULL,
	base $INT NOT NULL,
	this_update $INT NOT NULL,
	next_update $INT NOT NULL,
	place $INT NOT NULL,
	entries $INT NOT NULL,
	timing $TEXT NOT NULL,
	PRIMARY KEY (procedure_id, delta)
);

-- Their segments, signed; also of builds that are not in force yet, and what a crash left of such.
CREATE TABLE cil_file (
	build $INT NOT NULL,
	segment $INT NOT NULL,
	number $INT NOT NULL,
	sha256 $BLOB NOT NULL,
	der $BLOB NOT NULL,
	PRIMARY KEY (build, segment)
);
