/*
 * What the store's tests stand on: an empty database per test, on SQLite or on a PostgreSQL server that this process starts
 * for itself on a Unix socket in a scratch directory (as the user postgres or nobody when root runs the tests).
 */
#ifndef TESTS_STORE_WORLD_H
#define TESTS_STORE_WORLD_H

#include <sys/types.h>

#include "store/change.h"
#include "store/read.h"
#include "store/store.h"

/* cmocka.h wants these in front of it */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct world {
	bool postgres;
	char url[512];
	struct store *s; /* open, with default options */
	struct arena *a;
	struct err e;
};

/* cmocka fixtures: *state is a struct world. */
int world_sqlite(void **state);
int world_postgres(void **state);
int world_end(void **state);

/* A fresh database of either kind, not opened yet. */
void world_url(char *ret, size_t size, bool postgres);
/* Closes the store and opens it again. */
void world_reopen(struct world *w, const struct store_options *o);

/* The private server. Stop: as an administrator would (fast); crash: at once, as after a power failure. */
void postgres_stop(bool crash);
void postgres_start(void);

/* A scratch directory that is removed at the end of the process. */
const char *scratch(void);

/* Runs each test on both engines, unless it is about what only one of them has; names get the engine in front. */
enum world_only { BOTH, ONLY_SQLITE, ONLY_POSTGRES };
struct world_test {
	const char *name;
	CMUnitTestFunction fn;
	enum world_only only;
};
int world_run(const char *group, const struct world_test *tests, size_t n);

#define ok(call) assert_ok((call), &w->e, __FILE__, __LINE__)
void assert_ok(enum rc rc, const struct err *e, const char *file, int line);
/* The call fails with this code. */
#define fails(call, want) assert_fails((call), CHY_##want, &w->e, __FILE__, __LINE__)
void assert_fails(enum rc rc, enum code want, struct err *e, const char *file, int line);
#define same(bytes, text) assert_true(bytes_is((bytes), (text)))

/* A certificate's change as issuing makes it: row, DER, leaf. n: which one; the id is 1000 + n. */
struct change *issue_change(int64_t n);
struct certificate_row certificate_of(int64_t n, uint8_t room[3][32]);

#endif
