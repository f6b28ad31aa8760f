/*
 * The store: SQLite or PostgreSQL behind named operations. This header opens, closes and looks after it;
 * store/change.h writes, store/read.h reads, store/rows.h has the rows.
 *
 * URLs
 *	sqlite:/dir/chancery.db		made when it is not there (its folder must be)
 *	postgresql://user@host/db	libpq's URL or "key=value ..." (host=/run/postgresql for a Unix
 *socket)
 *
 * One SQLite file belongs to one factory process; other processes may read it. Several processes may share
 *one PostgreSQL database, each with its own node number, unless they ask for it alone: issuing factories do (ARCHITECTURE.md).
 *
 * Threads: every function may be called from any thread. Writes go through one committer thread (group
 *commit, see change.h), reads through a pool of connections and block the caller for the time of the query.
 *
 * When the database goes away (PostgreSQL stopped), the committer reconnects with back-off. Changes wait for
 *it up to outage_ms and are then answered CHY_STORE_DOWN: nothing of them is stored. A change whose COMMIT
 *had been sent when the connection broke is looked up after reconnecting, so that its outcome is known; only
 *when the database stays away is it answered CHY_STORE_UNKNOWN.
 *
 * Codes of all operations: STORE_DOWN, STORE_BUSY, STORE_FULL, STORE_IO, STORE_DAMAGED, STORE_SQL, NO_MEMORY;
 *the others are named where they arise.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/rc.h"

struct store;

struct store_options {
	unsigned node;    /* this factory's number among those that share the store, 0 to 15 */
	unsigned readers; /* connections of the read pool; 0: 4 */
	int outage_ms;    /* how long changes wait for a database that is away; 0: 5000 */
	bool alone;       /* PostgreSQL: no second process with this option on the database at a time */
	bool
	    beside; /* PostgreSQL: beside the one that has it alone; brings no schema up to date (STORE_SCHEMA) */
	bool read_only; /* no committer, no migration, no file made: for `journal verify` beside a running
			     factory */
};

/* Opens it, bringing an older schema up to date (forward only, one transaction per step). options may be
   NULL. Codes: STORE_URL, STORE_OPEN, STORE_SCHEMA_NEWER, STORE_SCHEMA,
   STORE_TAKEN. *ret is the caller's: store_close. */
MUST enum rc store_open(const char *url, const struct store_options *options, struct store **ret,
			struct err *e);

/* Commits and answers what waits, then ends the threads and the connections. Nobody may use the store any
 * more. */
void store_close(struct store *s);
OWN_DEFINE(struct store *, store_close)

/* The newest schema that this program knows, and what the store has. */
int64_t store_schema_known(void);
MUST enum rc store_schema_version(struct store *s, int64_t *ret, struct err *e);

/* "sqlite" or "postgresql", for status and logs. */
const char *store_engine(const struct store *s);

/* For readiness: RC_OK when the database answers a query now. */
MUST enum rc store_ping(struct store *s, struct err *e);

/* What the database's clock says, ms since 1970. */
MUST enum rc store_clock_ms(struct store *s, int64_t *ret, struct err *e);

/* Figures for metrics; a consistent set is not promised. */
struct store_stats {
	uint64_t changes, failed; /* answered with and without success */
	uint64_t commits,
	    retries; /* transactions; batches run again change by change because one of them failed */
	uint64_t reconnects;
	uint64_t wal_pages, waiting; /* SQLite's write-ahead log; changes in the queue */
};
void store_stats(struct store *s, struct store_stats *ret);

/* Told when a document version was committed, by this or another process: soon after (SQLite: at once for
   this process, within a second for others; PostgreSQL: LISTEN/NOTIFY, and every second). Called on a thread
   of the store's own, with the newest stamp; one watcher per store. The first call comes with the stamp found
   at the start. */
typedef void store_watch_fn(void *arg, int64_t stamp);
MUST enum rc store_watch_documents(struct store *s, store_watch_fn *fn, void *arg, struct err *e);
/* The same of certificates' statuses: revoked, held, reinstated. The stamp is the sum of all issuers' seq; what has changed
   is told by store_status_changed. */
MUST enum rc store_watch_status(struct store *s, store_watch_fn *fn, void *arg, struct err *e);

/* How long ago the watcher of statuses last knew of all that there were, ms: about a second at most while the database answers. */
int64_t store_status_age_ms(const struct store *s);

/* A consistent copy of the SQLite store into a new file while it is used, checked (PRAGMA integrity_check)
   before the name appears. Codes: STORE_BACKUP (the file exists, or engine is PostgreSQL). PostgreSQL: its
   operators' own means, pg_basebackup with WAL archiving (point in time) or pg_dump -Fc; both are consistent
   with one transaction per change. The signer's journal is to be backed up *after* the store, so that it has
   a line for each certificate in it. */
MUST enum rc store_backup(struct store *s, const char *to_path, struct err *e);

/* Puts a backup in the place of the database of a sqlite: URL that nobody has open: the backup is checked,
   the old files are renamed to *.before-restore, never deleted. Codes: STORE_BACKUP, STORE_DAMAGED,
   STORE_SCHEMA_NEWER. */
MUST enum rc store_restore(const char *url, const char *from_path, struct err *e);

#endif
