#include "base/base.h"
#include "store/db.h"

/* Statements in the two dialects. */

#define INSERT(id, tab, flags, dup) \
	[Q_##id] = { NULL, NULL, tab, STMT_INSERT | (flags), CHY_NONE, CHY_##dup, NULL },
#define EXEC(id, types, flags, none, dup, sql, bulk) \
	[Q_##id] = { sql, types, NULL, flags, CHY_##none, CHY_##dup, bulk },
#define QUERY(id, types, tab, sql) [Q_##id] = { sql, types, tab, 0, CHY_NONE, CHY_STORE_EXISTS, NULL },
#define QUERY_PLANNED(id, types, tab, sql) \
	[Q_##id] = { sql, types, tab, STMT_PLAN_ANEW, CHY_NONE, CHY_STORE_EXISTS, NULL },

const struct stmt statements[STMT_COUNT] = {
#include "store/statements.def"
};

static const struct word {
	const char *word, *sqlite, *postgres;
} words[] = {
	{ "NOW", "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)",
	  "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)" },
	{ "ID", "INTEGER", "BIGINT" }, /* SQLite: an alias of the row's own number */
	{ "INT", "INTEGER", "BIGINT" },
	{ "TEXT", "TEXT", "TEXT COLLATE \"C\"" },
	{ "BLOB", "BLOB", "BYTEA" },
	{ "CLUSTERED", "WITHOUT ROWID", "" },
	/* substrings of distinct values */
	{ "TRIGRAMS",
	  "CREATE VIRTUAL TABLE search_text USING fts5 (value, content='search_value', content_rowid='id', "
	  "tokenize='trigram', detail='none');",
	  "CREATE EXTENSION IF NOT EXISTS pg_trgm;"
	  "CREATE INDEX search_text ON search_value USING gin (value gin_trgm_ops);" },
	/* numbers in distinct values, by all five digits in a row that they have */
	{ "NUMBERS",
	  "CREATE VIRTUAL TABLE search_number USING fts5 (grams, content='', detail='none', "
	  "tokenize='ascii');",
	  "CREATE TABLE search_number (id BIGINT NOT NULL PRIMARY KEY, grams INT[] NOT NULL);"
	  "CREATE INDEX search_number_grams ON search_number USING gin (grams);" },
	{ "GRAMS", "?2", "CAST(string_to_array($2, ' ') AS INT[])" },
	{ "HAS_GRAMS", "search_number MATCH ?1", "grams @> CAST(string_to_array($1, ' ') AS INT[])" },
	/* behind a column: it has such a number */
	{ "LONG_NUMBER", "GLOB '*[0-9][0-9][0-9][0-9][0-9]*'", "~ '[0-9]{5}'" },
	{ "VALUES", "search_text", "search_value" },
	{ "HAS_TEXT", "search_text MATCH ?1", "value LIKE $1" },
	{ "VALUE", "rowid", "id" },
	/* behind a column: it has letters that are not ASCII's */
	{ "LETTERS", "GLOB '*[^' || char(1) || '-' || char(127) || ']*'", "~ '[^\\x01-\\x7f]'" },
	/* behind a column: it is one of the first parameter, "1,2,3"; with PostgreSQL along an index in its order */
	{ "AMONG", "IN (SELECT CAST(value AS INTEGER) FROM json_each('[' || ?1 || ']'))",
	  "= ANY (string_to_array($1, ',')::bigint[])" },
	/* behind a table: SQLite would rather read the row than its index */
	{ "BY_TIMES", "INDEXED BY certificate_times", "" },
	/* the same as rows, of one column: id */
	{ "LIST", "(SELECT CAST(value AS INTEGER) AS id FROM json_each('[' || ?1 || ']'))",
	  "(SELECT unnest(string_to_array($1, ',')::bigint[]) AS id)" },
};

size_t
stmt_nparams(const struct stmt *s)
{
	return s->flags & STMT_INSERT ? s->table->n : strlen(s->types);
}

char
stmt_type(const struct stmt *s, size_t param)
{
	return s->flags & STMT_INSERT ? s->table->cols[param].type : s->types[param];
}

/* What stands for the word behind a $, and how long the word is; NULL: none of ours. */
static const char *
word_of(const char *at, enum sql_form form, size_t *ret_len)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		size_t n = strlen(words[i].word);

		if (strncmp(at, words[i].word, n) == 0 && !(at[n] >= 'A' && at[n] <= 'Z')) {
			*ret_len = n;
			return form == SQL_SQLITE ? words[i].sqlite : words[i].postgres;
		}
	}
	return NULL;
}

static void
put_columns(struct buf *out, const struct table *t, struct bytes alias)
{
	for (size_t i = 0; i < t->n; i++) {
		buf_str(out, i ? ", " : "");
		if (alias.n > 0 && i > 0) /* the first one has it in the text already */
			buf_put(out, alias);
		buf_str(out, t->cols[i].name);
	}
}

void
sql_expand(struct buf *out, const char *text, const struct table *t, enum sql_form form)
{
	for (const char *p = text; *p; p++) {
		size_t len = 0;
		const char *word = *p == '$' ? word_of(p + 1, form, &len) : NULL;

		if (word != NULL) {
			buf_str(out, word);
			p += len;
		} else if (*p == '$') {
			buf_str(out, form == SQL_SQLITE ? "?" : "$");
		} else if (*p == '#') {
			put_columns(out, t, p > text + 1 && p[-1] == '.' ? bytes_of(p - 2, 2) : BYTES_NONE);
		} else {
			buf_u8(out, (uint8_t)*p);
		}
	}
}

static const char *
array_type(char type)
{
	return type == 'i' ? "bigint[]" : type == 't' ? "text[]" : "bytea[]";
}

static void
sql_insert(struct buf *out, const struct stmt *s, enum sql_form form)
{
	const struct table *t = s->table;

	buf_printf(out, "INSERT INTO %s (", t->name);
	put_columns(out, t, BYTES_NONE);
	buf_str(out, form == SQL_POSTGRES_BULK ? ") SELECT * FROM unnest(" : ") VALUES (");
	for (size_t i = 0; i < t->n; i++) {
		buf_printf(out, "%s%c%zu", i ? ", " : "", form == SQL_SQLITE ? '?' : '$', i + 1);
		if (form == SQL_POSTGRES_BULK)
			buf_printf(out, "::%s", array_type(t->cols[i].type));
	}
	buf_str(out, s->flags & STMT_IGNORE ? ") ON CONFLICT DO NOTHING" : ")");
}

/* PostgreSQL finds out by itself, by a division by zero, that too few rows were affected: so the operations and the
   COMMIT can travel together. */
static void
sql_checked(struct buf *out, const struct stmt *s, const char *sql, enum sql_form form)
{
	bool bulk = form == SQL_POSTGRES_BULK;

	buf_str(out, "WITH affected AS (");
	sql_expand(out, sql, s->table, form);
	buf_printf(out, " RETURNING 1) SELECT 1 / %s FROM affected",
		   bulk ? "CAST(count(*) = cardinality($1) AS INT)" : "count(*)");
}

void
sql_of_stmt(struct buf *out, const struct stmt *s, enum sql_form form)
{
	const char *sql = form == SQL_POSTGRES_BULK ? s->bulk_sql : s->sql;

	if (s->flags & STMT_INSERT)
		sql_insert(out, s, form);
	else if (form != SQL_SQLITE && s->none != CHY_NONE && !(s->flags & STMT_PG_BULK))
		sql_checked(out, s, sql, form);
	else
		sql_expand(out, sql, s->table, form);
}

bool
code_is_systemic(enum code code)
{
	switch (code) {
	case CHY_STORE_DOWN:
	case CHY_STORE_UNKNOWN:
	case CHY_STORE_FULL:
	case CHY_STORE_IO:
	case CHY_STORE_BUSY:
	case CHY_STORE_DAMAGED:
	case CHY_NO_MEMORY:
		return true;
	default:
		return false;
	}
}
