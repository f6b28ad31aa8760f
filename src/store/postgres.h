/*
 * The PostgreSQL engine's own parts: a connection, and the encoding of parameters.
 */
#ifndef STORE_POSTGRES_H
#define STORE_POSTGRES_H

#include <libpq-fe.h>

#include "store/db.h"

struct postgres_db {
	struct db db;
	PGconn *c;
	int answer_ms; /* how long an answer may take; 0: as long as it does, for a step of the schema may be long */
	bool in_transaction;
	bool prepared[2][STMT_COUNT]; /* [1]: the form over arrays */
	struct buf array[PARAMS_MAX]; /* reused from batch to batch */
};

/* Parameters of one execution, in binary. */
struct postgres_params {
	const char *p[PARAMS_MAX];
	int len[PARAMS_MAX], format[PARAMS_MAX];
	uint64_t number[PARAMS_MAX];
	int n;
};

/* What every connection of readers begins with. */
extern const char postgres_reader_settings[];

/* The answer to what was sent (sent: as PQsend... said); of several commands the last one's. NULL: the connection is lost, also where it
   took longer than d->answer_ms: a server that hangs keeps its connections open. */
PGresult *postgres_answer(struct postgres_db *d, int sent);

void postgres_params(struct postgres_params *ret, const struct stmt *s, const union value *v);
/* The same columns of n operations as one array each; false: out of memory or too large. */
bool postgres_arrays(struct postgres_db *d, struct postgres_params *ret, const struct stmt *s,
		     const struct op *const *ops, size_t n);
/* The type's OID for PQprepare. */
Oid postgres_type(char type, bool array);

/* Prepares a statement unless the connection has it; name is of 16 characters. */
MUST enum rc postgres_prepare(struct postgres_db *d, enum stmt_id id, bool bulk, char *ret_name,
			      struct err *e);
/* What a failed result means; notes a lost connection. s may be NULL. */
enum rc postgres_fail(struct postgres_db *d, const PGresult *r, const struct stmt *s, struct err *e);

/* The batch of db_ops, and its rollback. */
MUST enum rc postgres_batch(struct db *db, const struct op *const *ops, size_t n, unsigned flags,
			    struct err *e);
void postgres_rollback(struct db *db);

#endif
