-- What deliveries of issuance lists name: a segment of a procedure's list, the same of each list and of those that take its place.
CREATE TABLE cil_list (
	id $ID NOT NULL PRIMARY KEY,
	procedure_id $INT NOT NULL,
	delta $INT NOT NULL,
	segment $INT NOT NULL
);
CREATE UNIQUE INDEX cil_list_segment ON cil_list (procedure_id, delta, segment);
