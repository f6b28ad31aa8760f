/*
 * Inside the store: the parts of one, and what its files share.
 */
#ifndef STORE_CORE_H
#define STORE_CORE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/mq.h"
#include "base/pace.h"
#include "store/change.h"
#include "store/db.h"
#include "store/read.h"

struct change {
	struct mq_item item; /* in the committer's queue; first, so that the item is the change */
	struct arena *mem;   /* the change itself lives in it */
	struct op *first, **last;
	size_t nops;
	bool no_memory, bad_text;
	bool documents, statuses; /* watchers are to be told */
	change_done *done;
	void *arg;
	enum rc rc;
	struct err err; /* set by the committer when only this change failed */
};

/* Adds an operation; the values are copied. Does nothing for a NULL change. */
void change_op(struct change *c, enum stmt_id stmt, const union value *v);
void change_row(struct change *c, enum stmt_id stmt, const void *row);

/* The read pool. */
struct pool {
	const struct db_ops *ops;
	const char *where;
	enum db_mode mode;
	pthread_mutex_t lock;
	pthread_cond_t free;
	struct db **db; /* NULL where none is open yet */
	unsigned n, nfree;
};

MUST enum rc pool_init(struct pool *p, const struct db_ops *ops, const char *where, enum db_mode mode,
		       unsigned n, struct err *e);
void pool_fini(struct pool *p);
/* A connection for this thread's use; waits for one. A lost one is opened again. */
MUST enum rc pool_take(struct pool *p, struct db **ret, struct err *e);
void pool_give(struct pool *p, struct db *db);

struct committer {
	struct store *store;
	struct db *db; /* NULL while it is away */
	pthread_t thread;
	bool running;
	struct mq queue;
	int64_t id, epoch, batch; /* see committer.c */
	int64_t down_since_us;    /* 0: the database is there */
	atomic_bool closing;
	atomic_ullong changes, failed, commits, retries, reconnects;
};

MUST enum rc committer_start(struct committer *c, struct store *s, struct err *e);
void committer_stop(struct committer *c);

/* Documents, or statuses. */
struct watcher {
	struct store *store;
	enum stmt_id stamp; /* the question that tells how far the database has come */
	const char *listen; /* PostgreSQL's notification */
	pthread_t thread;
	bool running;
	int wake[2]; /* a pipe: a byte for each such commit by ourselves */
	atomic_bool stop;
	_Atomic int64_t
	    asked_us; /* when the database last answered, and all until then was told; monotonic */
	store_watch_fn *fn;
	void *arg;
};

/* Wakes the watcher, if there is one. Any thread. */
void watcher_wake(struct watcher *w);
void watcher_stop(struct watcher *w);

/* What the index of numbers has of a value: "12345 23456"; nothing where it has no number of five digits. */
void store_number_grams(struct buf *out, struct bytes text);
void change_put_value_numbers(struct change *c, const struct value_row *row);

/* Some values of the search; see sample.c. */
struct sample {
	struct arena *mem;
	struct bytes *texts;
	size_t n;
	int64_t reach;   /* the highest id of them */
	uint16_t *grams; /* how many of them have a piece of three octets, by a hash of it */
	int64_t read_at_us;
};

struct store {
	const struct db_ops *ops;
	char *where; /* path, or connection string */
	struct store_options options;
	struct pool pool;
	struct committer committer;
	struct watcher documents, statuses;
	pthread_mutex_t search;   /* one follower at a time */
	pthread_mutex_t sampling; /* whoever looks at the sample */
	struct sample sample;
	struct pace search_pace; /* rows that it commits at once; under search */
};

/* Splits a URL; *where lives in it. */
MUST enum rc store_url(const char *url, const struct db_ops **ret_ops, const char **ret_where, struct err *e);

/* One question on a connection of the pool; asked again once when the connection turns out to be lost. */
MUST enum rc store_query(struct store *s, enum stmt_id id, const union value *args, db_row_fn *fn, void *arg,
			 struct err *e);
/* Its rows as an array of row structs in the arena. */
MUST enum rc store_rows(struct store *s, struct arena *a, enum stmt_id id, const union value *args, void *ret,
			size_t *n, struct err *e);
/* Exactly one row (the first one); STORE_NOT_FOUND. */
MUST enum rc store_row(struct store *s, struct arena *a, enum stmt_id id, const union value *args, void *ret,
		       struct err *e);
/* Of a new connection for writing: takes the database for this process, where that is asked for. On this very connection, so
   that whoever lost it cannot commit. STORE_TAKEN. */
MUST enum rc store_take_alone(struct store *s, struct db *db, struct err *e);
/* How the exact index has one value of a certificate. */
struct search_row store_search_entry(enum search_by by, struct bytes value, int64_t id);

/* "1,2,3", of which $LIST makes rows. */
MUST enum rc store_ids_text(struct arena *a, const int64_t *ids, size_t n, struct bytes *ret, struct err *e);
/* The rows with these ids, at most LIMIT_PAGE, by a statement whose only parameter they are. ret, n: as of store_rows. */
MUST enum rc store_rows_of(struct store *s, struct arena *a, enum stmt_id id, const int64_t *ids,
			   size_t ids_n, void *ret, size_t *n, struct err *e);
MUST enum rc store_number(struct store *s, enum stmt_id id, const union value *args, int64_t *ret,
			  struct err *e);

/* Collects rows into an arena, for several queries on one connection. */
struct rows {
	struct arena *a;
	const struct table *t;
	uint8_t *p;
	size_t n, cap, most; /* most: how many are wanted; 0: all */
};

enum rc rows_add(void *arg, const union value *cols, struct err *e);

#define INT_VALUE(x) ((union value){ .i = (x) })
#define BYTES_VALUE(x) ((union value){ .b = (x) })

#endif
