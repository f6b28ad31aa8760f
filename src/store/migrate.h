/*
 * The schema's steps (schema/NNN_name.sql), compiled in. They only go forward.
 */
#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H

#include "store/db.h"

struct schema_step {
	int64_t version;
	const char *name, *sql;
};

extern const struct schema_step schema_steps[];
extern const size_t schema_nsteps;

/* Carries out the steps that the database does not have yet, up to version `upto`, each in a transaction of its own. Several
   factories may do so at once. STORE_SCHEMA_NEWER: the database has a step that we do not know. */
MUST enum rc migrate_up(struct db *db, int64_t upto, struct err *e);
/* 0: an empty database. */
MUST enum rc migrate_version(struct db *db, int64_t *ret, struct err *e);

#endif
