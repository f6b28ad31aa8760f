-- Numbers in values are found by five digits at once: every three digits are in too many. Certificates that have some are entered anew.
$NUMBERS
INSERT INTO value_todo (id) SELECT id FROM certificate WHERE (subject $LONG_NUMBER OR san $LONG_NUMBER OR id IN
	(SELECT certificate FROM certificate_field WHERE value $LONG_NUMBER)) AND id NOT IN (SELECT id FROM value_todo);
