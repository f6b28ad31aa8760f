-- Values are searched by in lower case of all letters now, not of ASCII's alone: certificates with others are entered anew. $LETTERS: has any.
INSERT INTO value_todo (id) SELECT id FROM certificate WHERE (subject $LETTERS OR san $LETTERS OR id IN
	(SELECT certificate FROM certificate_field WHERE value $LETTERS)) AND id NOT IN (SELECT id FROM value_todo);
