/*
 * Inside the store: statements, and the two engines that carry them out. Nobody else includes this.
 *
 * A statement is written once with $1 parameters; sql.c turns it into the engine's text. A connection (struct db) is used by
 * one thread at a time.
 */
#ifndef STORE_DB_H
#define STORE_DB_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/rc.h"
#include "store/rows.h"
#include "store/store.h"

/* A parameter or a column; which member is said by its type: 'i' integer, 't' text, 'b' bytes. */
union value {
	int64_t i;
	struct bytes b;
};

/* How a row struct and its table correspond. */
struct column {
	const char *name;
	char type;
	uint16_t offset;
};

struct table {
	const char *name;
	const struct column *cols;
	size_t n, size; /* columns; sizeof the row struct */
};

enum { PARAMS_MAX = 24 };

enum stmt_flag {
	STMT_INSERT = 1, /* sql is made from the table */
	STMT_BULK = 2,   /* plain rows: last in a change, as arrays on PostgreSQL */
	STMT_MERGE = 4,  /* the last parameter is summed over equal others */
	STMT_IGNORE = 8, /* INSERT that leaves alone what is there */
	STMT_PG_ONLY = 16,
	STMT_SQLITE_ONLY = 32,
	STMT_PG_BULK = 128, /* as BULK on PostgreSQL, by a bulk_sql that checks by itself what `none` says */
	STMT_PLAN_ANEW =
	    64, /* PostgreSQL plans it for its parameters each time: a common word, a wide range want another way */
};

struct stmt {
	const char *sql;
	const char *types; /* of the parameters; for INSERT as the table's columns */
	const struct table *table;
	unsigned flags;
	enum code none;       /* how it is called when no row was affected; CHY_NONE: nothing wrong */
	enum code dup;        /* how a violation of uniqueness is called */
	const char *bulk_sql; /* PostgreSQL's form over arrays, where it is no INSERT */
};

enum stmt_id {
#define INSERT(id, ...) Q_##id,
#define EXEC(id, ...) Q_##id,
#define QUERY(id, ...) Q_##id,
#define QUERY_PLANNED(id, ...) Q_##id,
#include "store/statements.def"
#undef INSERT
#undef EXEC
#undef QUERY
#undef QUERY_PLANNED
	STMT_COUNT
};

extern const struct stmt statements[STMT_COUNT];

size_t stmt_nparams(const struct stmt *s);
char stmt_type(const struct stmt *s, size_t param);

/* The tables; their columns are in tables.c. */
#define TABLE(name) extern const struct table table_##name;
#include "store/tables.def"
#undef TABLE

/* Reads the members of a row struct as values, and back (bytes are copied into the arena). */
void row_values(const struct table *t, const void *row, union value *ret);
void row_view(const struct table *t, const union value *cols, void *row); /* without copies */
MUST enum rc row_load(const struct table *t, const union value *cols, struct arena *a, void *row,
		      struct err *e);

/* An idempotency row behind its place in the index: the key's first eight octets. */
struct slot_row {
	int64_t slot;
	struct idempotency_row row;
};

/* One value of one attribute (enum search_by) of one certificate. */
struct search_row {
	int64_t attribute, hash, id;
};
/* For qsort: in the order of the table's key, so that rows are entered along it. */
int search_row_compare(const void *x, const void *y);

enum sql_form { SQL_SQLITE, SQL_POSTGRES, SQL_POSTGRES_BULK };

/* The engine's text of a statement, and of a schema step. */
void sql_of_stmt(struct buf *out, const struct stmt *s, enum sql_form form);
void sql_expand(struct buf *out, const char *text, const struct table *t, enum sql_form form);

/* One operation of a change. */
struct op {
	struct op *next;
	enum stmt_id stmt;
	union value v[];
};

enum batch { BATCH_BEGIN = 1, BATCH_SAVEPOINT = 2, BATCH_COMMIT = 4 };

typedef enum rc db_row_fn(void *arg, const union value *cols, struct err *e);

struct db {
	const struct db_ops *ops;
	bool lost; /* the connection is of no use any more: close it and open another */
};

/* READ_ONLY: a reader that makes no file either; BRIEF: one that would rather have no answer than wait long. */
enum db_mode { DB_READER, DB_WRITER, DB_READ_ONLY, DB_BRIEF };

struct db_ops {
	const char *name;
	const char *begin_read; /* a transaction that sees one state, ended by COMMIT */
	enum sql_form form;
	MUST enum rc (*open)(const char *where, enum db_mode mode, struct db **ret, struct err *e);
	void (*close)(struct db *db);
	/* Several statements without parameters. */
	MUST enum rc (*script)(struct db *db, const char *sql, struct err *e);
	MUST enum rc (*query)(struct db *db, enum stmt_id id, const union value *args, db_row_fn *fn,
			      void *arg, struct err *e);
	/* Carries out operations (n may be 0) in a transaction: flags say whether it begins before them, whether they stand in
	   a savepoint, whether it is committed behind them. After a failure nothing of the operations is there; with SAVEPOINT
	   the transaction is still open, else it is gone. */
	MUST enum rc (*batch)(struct db *db, const struct op *const *ops, size_t n, unsigned flags,
			      struct err *e);
	void (*rollback)(struct db *db);
	/* Blocks until something may have been committed by others or wait_ms are over; NULL: cannot tell. */
	void (*listen)(struct db *db, int wait_ms, int wake_fd);
	void (*stats)(struct db *db, struct store_stats *ret);
};

extern const struct db_ops sqlite_ops, postgres_ops;

/* A failure of the database or the machine, not of one change: CHY_STORE_FULL and the like. */
bool code_is_systemic(enum code code);

#endif
