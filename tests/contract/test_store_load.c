#include "base/base.h"
#include "store/db.h"
#include "store/migrate.h"
#include "store_world.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

/* Many threads, batches in which one fails, backup under load, older and newer schemas: on both engines. */

enum { THREADS = 8, EACH = 300 };

static void
pause_ms(long ms)
{
	nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000L }, NULL);
}

/* What was answered to one change. */
struct answer {
	atomic_int times;
	enum rc rc;
	enum code code;
};

static void
note(void *arg, enum rc rc, const struct err *e)
{
	struct answer *a = arg;

	a->rc = rc;
	a->code = e ? e->code : CHY_NONE;
	atomic_fetch_add(&a->times, 1);
}

static void
wait_for(struct answer *a, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (int ms = 0; atomic_load(&a[i].times) == 0; ms++) {
			assert_true(ms < 20000);
			pause_ms(1);
		}
	pause_ms(20); /* for an answer too many */
	for (size_t i = 0; i < n; i++)
		assert_int_equal(atomic_load(&a[i].times), 1);
}

struct crew {
	struct store *s;
	int number;
	struct answer answers[EACH];
};

/* Every tenth certificate is one that the next thread submits as well. */
static void *
submit_many(void *arg)
{
	struct crew *m = arg;

	for (int i = 0; i < EACH; i++) {
		int64_t n = i % 10 ? 1000 * m->number + i : 100000 + 1000 * (m->number / 2) + i;
		struct change *c = issue_change(n);

		change_add_counter(c, "issued", 1);
		while (store_submit(m->s, c, note, &m->answers[i], NULL) == RC_AGAIN)
			pause_ms(1);
	}
	return NULL;
}

static void
every_change_is_answered_once(void **state)
{
	struct world *w = *state;
	struct crew *crew = calloc(THREADS, sizeof(*crew));
	pthread_t threads[THREADS];
	struct store_stats stats;
	int64_t issued, good = 0, bad = 0;
	struct serial_row *rows;
	size_t n;

	for (int i = 0; i < THREADS; i++) {
		crew[i].s = w->s;
		crew[i].number = i;
		pthread_create(&threads[i], NULL, submit_many, &crew[i]);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		wait_for(crew[i].answers, EACH);
		for (int k = 0; k < EACH; k++) {
			good += crew[i].answers[k].rc == RC_OK;
			bad += crew[i].answers[k].code == CHY_STORE_EXISTS;
		}
	}
	free(crew);
	assert_int_equal(good + bad, THREADS * EACH);
	assert_int_equal(bad, THREADS / 2 * EACH / 10); /* one of each pair */
	ok(store_counter(w->s, "issued", &issued, &w->e));
	assert_int_equal(issued, good);
	for (int64_t after = 0, sum = 0;; after = rows[n - 1].id) {
		ok(store_serials(w->s, w->a, after, LIMIT_PAGE, &rows, &n, &w->e));
		sum += (int64_t)n;
		if (n < LIMIT_PAGE) {
			assert_int_equal(sum, good);
			break;
		}
	}
	store_stats(w->s, &stats);
	assert_int_equal(stats.changes, good);
	assert_int_equal(stats.failed, bad);
	assert_true(stats.commits < stats.changes); /* in groups */
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void
wait_at_gate(void *arg, enum rc rc, const struct err *e)
{
	note(arg, rc, e);
	pthread_mutex_lock(&gate);
	pthread_mutex_unlock(&gate);
}

/* Holds the committer in an answer until the batch behind it is complete. */
static void
open_batch(struct world *w, struct answer *first)
{
	pthread_mutex_lock(&gate);
	ok(store_submit(w->s, change_new(), wait_at_gate, first, &w->e));
	while (atomic_load(&first->times) == 0)
		pause_ms(1);
}

static void
one_failing_change_fails_alone(void **state)
{
	struct world *w = *state;
	struct answer first = { 0 }, a[10] = { 0 };
	struct session_row session = {
		.id = 50, .token_hash = BYTES("t"), .body = BYTES("{}"), .maximum = 3, .state = BYTES("open")
	};
	struct store_stats before, after;
	struct certificate_row row;
	struct change *c = change_new();
	int64_t issued;

	change_put_session(c, &session);
	ok(store_commit(w->s, c, &w->e));
	ok(store_commit(w->s, issue_change(3), &w->e));
	store_stats(w->s, &before);
	open_batch(w, &first);
	for (int i = 0; i < 10; i++) {
		c = issue_change(i); /* number 3 is there already */
		change_add_counter(c, "issued", 1);
		if (i >= 5)
			change_session_use(c, 50, 1); /* 5, 6 and 7 fit */
		ok(store_submit(w->s, c, note, &a[i], &w->e));
	}
	pthread_mutex_unlock(&gate);
	wait_for(a, 10);
	for (int i = 0; i < 10; i++)
		assert_int_equal(a[i].code,
				 i == 3       ? CHY_STORE_EXISTS
				     : i >= 8 ? CHY_STORE_SESSION
					      : CHY_NONE);
	store_stats(w->s, &after);
	assert_int_equal(after.commits - before.commits, 2);
	assert_int_equal(after.retries - before.retries, 1);
	ok(store_counter(w->s, "issued", &issued, &w->e));
	assert_int_equal(issued, 7);
	ok(store_certificate(w->s, w->a, 1007, &row, &w->e));
	fails(store_certificate(w->s, w->a, 1008, &row, &w->e), STORE_NOT_FOUND);
}

static void
changes_of_a_batch_see_one_another(void **state)
{
	struct world *w = *state;
	struct answer first = { 0 }, a[4] = { 0 };
	struct document_row row = { .id = 10,
				    .version = 1,
				    .kind = BYTES("officer"),
				    .name = BYTES("Anna"),
				    .state = BYTES("active"),
				    .body = BYTES("{}") };
	struct change *c;

	open_batch(w, &first);
	for (int i = 0; i < 4; i++) { /* versions 1, 2, 2, 3 */
		c = change_new();
		row.version = i < 2 ? i + 1 : i;
		change_put_document(c, &row);
		ok(store_submit(w->s, c, note, &a[i], &w->e));
	}
	pthread_mutex_unlock(&gate);
	wait_for(a, 4);
	for (int i = 0; i < 4; i++)
		assert_int_equal(a[i].code, i == 2 ? CHY_STORE_VERSION : CHY_NONE);
}

struct racer {
	struct store *s;
	int64_t number;
	atomic_int *won;
	enum code lost_with;
};

static void *
race(void *arg)
{
	struct racer *r = arg;
	struct change *c = change_new();
	struct document_row row = { .id = 10,
				    .version = 2,
				    .kind = BYTES("officer"),
				    .name = BYTES("Anna"),
				    .state = BYTES("active"),
				    .body = BYTES("{}") };
	struct err e = { 0 };

	if (r->number % 2)
		change_put_document(c, &row);
	else
		change_request_state(c, 20, BYTES("waiting"), BYTES("done"), BYTES("{}"));
	if (store_commit(r->s, c, &e) == RC_OK)
		atomic_fetch_add(&r->won[r->number % 2], 1);
	else
		r->lost_with = e.code;
	return NULL;
}

static void
one_of_many_wins(void **state)
{
	struct world *w = *state;
	struct document_row row = { .id = 10,
				    .version = 1,
				    .kind = BYTES("officer"),
				    .name = BYTES("Anna"),
				    .state = BYTES("active"),
				    .body = BYTES("{}") };
	struct request_row request = { .id = 20, .act = BYTES("x"), .state = BYTES("waiting") };
	struct store *other = w->s;
	struct racer racers[16];
	pthread_t threads[16];
	atomic_int won[2] = { 0 };
	struct change *c = change_new();

	change_put_document(c, &row);
	change_put_request(c, &request);
	ok(store_commit(w->s, c, &w->e));
	if (w->postgres) /* from two factories */
		ok(store_open(w->url, &(struct store_options){ .node = 1 }, &other, &w->e));
	for (int i = 0; i < 16; i++) {
		racers[i] = (struct racer){ i / 2 % 2 ? other : w->s, i, won, CHY_NONE };
		pthread_create(&threads[i], NULL, race, &racers[i]);
	}
	for (int i = 0; i < 16; i++) {
		pthread_join(threads[i], NULL);
		assert_true(racers[i].lost_with == CHY_NONE || racers[i].lost_with == CHY_STORE_VERSION ||
			    racers[i].lost_with == CHY_STORE_STATE);
	}
	assert_int_equal(won[0], 1);
	assert_int_equal(won[1], 1);
	if (other != w->s)
		store_close(other);
}

static void
a_full_queue_refuses(void **state)
{
	struct world *w = *state;
	struct answer first = { 0 }, *a = calloc(LIMIT_COMMIT_QUEUE, sizeof(*a));
	struct change *c = change_new();

	open_batch(w, &first);
	for (int i = 0; i < LIMIT_COMMIT_QUEUE; i++)
		ok(store_submit(w->s, change_new(), note, &a[i], &w->e));
	fails(store_submit(w->s, c, note, NULL, &w->e), QUEUE_FULL);
	change_free(c); /* still ours */
	pthread_mutex_unlock(&gate);
	wait_for(a, LIMIT_COMMIT_QUEUE);
	free(a);
}

static void
closing_answers_what_waits(void **state)
{
	struct world *w = *state;
	struct answer a[200] = { 0 };
	struct certificate_row row;

	for (int i = 0; i < 200; i++)
		ok(store_submit(w->s, issue_change(i), note, &a[i], &w->e));
	world_reopen(w, NULL);
	wait_for(a, 200);
	for (int i = 0; i < 200; i++) {
		assert_int_equal(a[i].rc, RC_OK);
		ok(store_certificate(w->s, w->a, 1000 + i, &row, &w->e));
	}
}

struct load {
	struct store *s;
	atomic_bool stop;
	atomic_llong acknowledged; /* all below are stored */
};

static void *
keep_issuing(void *arg)
{
	struct load *l = arg;

	for (int64_t n = 0; !atomic_load(&l->stop); n++) {
		struct change *c = issue_change(n);

		change_add_counter(c, "issued", 1);
		if (store_commit(l->s, c, NULL) != RC_OK)
			break;
		atomic_store(&l->acknowledged, n + 1);
	}
	return NULL;
}

static int64_t
count_certificates(struct world *w, struct store *s)
{
	struct serial_row *rows;
	int64_t sum = 0, after = 0;
	size_t n = LIMIT_PAGE;

	while (n == LIMIT_PAGE) {
		ok(store_serials(s, w->a, after, LIMIT_PAGE, &rows, &n, &w->e));
		sum += (int64_t)n;
		after = n ? rows[n - 1].id : after;
	}
	return sum;
}

static void
backup_while_writing(void **state)
{
	struct world *w = *state;
	struct load load = { .s = w->s };
	char path[256], url[300], kept[300];
	int64_t before, after, there, counted;
	struct store *copy;
	pthread_t thread;
	struct stat st;

	snprintf(path, sizeof(path), "%s/backup-%d", scratch(), w->postgres);
	if (w->postgres) {
		fails(store_backup(w->s, path, &w->e), STORE_BACKUP);
		fails(store_restore(w->url, path, &w->e), STORE_BACKUP);
		return;
	}
	pthread_create(&thread, NULL, keep_issuing, &load);
	while (atomic_load(&load.acknowledged) < 200)
		pause_ms(1);
	before = atomic_load(&load.acknowledged);
	ok(store_backup(w->s, path, &w->e));
	fails(store_backup(w->s, path, &w->e), STORE_BACKUP); /* never over another */
	while (atomic_load(&load.acknowledged) < before + 100)
		pause_ms(1);
	atomic_store(&load.stop, true);
	pthread_join(thread, NULL);
	after = atomic_load(&load.acknowledged);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);

	fails(store_restore(w->url, path, &w->e), STORE_BACKUP); /* in use */
	assert_int_equal(count_certificates(w, w->s), after);
	snprintf(url, sizeof(url), "sqlite:%s/restored.db", scratch());
	ok(store_restore(url, path, &w->e));
	ok(store_open(url, NULL, &copy, &w->e));
	there = count_certificates(w, copy);
	ok(store_counter(copy, "issued", &counted, &w->e));
	assert_int_equal(there, counted); /* one state of it */
	assert_true(there >= before && there < after);
	ok(store_commit(copy, issue_change(500000), &w->e));
	store_close(copy);

	store_close(w->s);
	w->s = NULL;
	ok(store_restore(w->url, path, &w->e));
	snprintf(kept, sizeof(kept), "%s.before-restore", w->url + strlen("sqlite:"));
	assert_int_equal(access(kept, R_OK), 0);
	ok(store_open(w->url, NULL, &w->s, &w->e));
	assert_int_equal(count_certificates(w, w->s), there);
}

static void
a_damaged_backup_is_refused(void **state)
{
	struct world *w = *state;
	char path[256], url[300];
	FILE *f;

	for (int i = 0; i < 200; i++)
		ok(store_commit(w->s, issue_change(i), &w->e));
	snprintf(path, sizeof(path), "%s/damaged", scratch());
	ok(store_backup(w->s, path, &w->e));
	f = fopen(path, "r+");
	assert_non_null(f);
	fseek(f, 20 * 4096, SEEK_SET);
	for (int i = 0; i < 4096; i++)
		fputc(0x5a, f);
	fclose(f);
	snprintf(url, sizeof(url), "sqlite:%s/never.db", scratch());
	fails(store_restore(url, path, &w->e), STORE_DAMAGED);
	assert_int_not_equal(access(url + strlen("sqlite:"), F_OK), 0);
	f = fopen(path, "w");
	fputs("not a database, but long enough to look at: ............................................", f);
	fclose(f);
	fails(store_restore(url, path, &w->e), STORE_DAMAGED);
}

static const struct db_ops *
engine(const struct world *w)
{
	return w->postgres ? &postgres_ops : &sqlite_ops;
}

static const char *
where(const char *url)
{
	return bytes_starts(bytes_str(url), "sqlite:") ? url + strlen("sqlite:") : url;
}

static void
an_older_schema_is_brought_up(void **state)
{
	struct world *w = *state;
	char url[512];
	struct certificate_row *rows;
	struct store *s;
	struct db *db;
	int64_t version;
	size_t n;

	world_url(url, sizeof(url), w->postgres);
	ok(engine(w)->open(where(url), DB_WRITER, &db, &w->e));
	ok(migrate_up(db, 1, &w->e));
	ok(engine(w)->script(db,
			     "INSERT INTO certificate VALUES (1001, '1', 7, 0, 'CN=old', 1, 2, 3, 4, 0, 0, "
			     "5, 'dns:old', '6', '7')",
			     &w->e));
	engine(w)->close(db);
	fails(store_open(url, &(struct store_options){ .read_only = true }, &s, &w->e), STORE_SCHEMA);
	ok(store_open(url, NULL, &s, &w->e));
	ok(store_schema_version(s, &version, &w->e));
	assert_int_equal(version, store_schema_known());
	ok(store_search(s, w->a, SEARCH_SAN, BYTES("dns:old"), 0, 10, &rows, &n, &w->e));
	assert_int_equal(n, 1); /* what was there before is found as well */
	store_close(s);
	ok(store_open(url, NULL, &s, &w->e)); /* a second time nothing happens */
	store_close(s);
}

static void
a_newer_schema_is_refused(void **state)
{
	struct world *w = *state;
	struct store *s;
	struct db *db;

	ok(engine(w)->open(where(w->url), DB_WRITER, &db, &w->e));
	ok(engine(w)->script(db, "INSERT INTO schema_version VALUES (999, 'future', 0)", &w->e));
	engine(w)->close(db);
	fails(store_open(w->url, NULL, &s, &w->e), STORE_SCHEMA_NEWER);
	fails(store_open(w->url, &(struct store_options){ .read_only = true }, &s, &w->e),
	      STORE_SCHEMA_NEWER);
}

static void *
open_it(void *arg)
{
	struct store *s;
	struct err e = { 0 };

	if (store_open(arg, NULL, &s, &e) != RC_OK) {
		print_error("CHY-%d %s\n", e.code, e.text);
		return arg;
	}
	store_close(s);
	return NULL;
}

static void
several_may_make_the_schema_at_once(void **state)
{
	struct world *w = *state;
	pthread_t threads[4];
	char url[512];
	void *bad;

	world_url(url, sizeof(url), w->postgres);
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, open_it, url);
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], &bad);
		assert_null(bad);
	}
}

static void *
read_along(void *arg)
{
	struct load *l = arg;
	intptr_t wrong = 0;

	while (!atomic_load(&l->stop)) {
		int64_t n = atomic_load(&l->acknowledged);
		OWN(arena_free)
		struct arena *a = arena_new(1 << 20);
		struct certificate_row row;

		if (n > 0 && store_certificate(l->s, a, 1000 + n - 1, &row, NULL) != RC_OK)
			wrong++;
	}
	return (void *)wrong;
}

static void
what_is_answered_can_be_read(void **state)
{
	struct world *w = *state;
	struct load load = { .s = w->s };
	pthread_t writer, readers[6];
	void *wrong;

	pthread_create(&writer, NULL, keep_issuing, &load);
	for (int i = 0; i < 6; i++) /* more than there are connections */
		pthread_create(&readers[i], NULL, read_along, &load);
	pause_ms(700);
	for (int ms = 0; ms < 60000 && atomic_load(&load.acknowledged) <= 10; ms++)
		pause_ms(1); /* a slow machine's commits take their time */
	atomic_store(&load.stop, true);
	pthread_join(writer, NULL);
	for (int i = 0; i < 6; i++) {
		pthread_join(readers[i], &wrong);
		assert_null(wrong);
	}
	assert_true(atomic_load(&load.acknowledged) > 10);
}

static void
put_big(struct world *w, char fill)
{
	static char text[200000];
	struct change *c = change_new();

	memset(text, fill, sizeof(text));
	change_set_setting(c, "big", bytes_of(text, sizeof(text)));
	ok(store_commit(w->s, c, &w->e));
}

static enum rc
ignore_row(void *arg, const union value *cols, struct err *e)
{
	(void)arg;
	(void)cols;
	(void)e;
	return RC_OK;
}

static void
the_log_is_emptied_when_a_reader_has_gone(void **state)
{
	struct world *w = *state;
	struct store_stats stats;
	struct db *reader;
	int ms = 0;

	ok(engine(w)->open(where(w->url), DB_READER, &reader, &w->e));
	ok(engine(w)->script(reader, "BEGIN", &w->e));
	ok(engine(w)->query(reader, Q_ONE, NULL, ignore_row, NULL, &w->e));
	ok(engine(w)->query(reader, Q_DOCUMENT_STAMP, NULL, ignore_row, NULL, &w->e));
	for (int i = 0; i < 220; i++)
		put_big(w, (char)('a' + i % 26));
	store_stats(w->s, &stats);
	assert_true(stats.wal_pages > 8000); /* the reader keeps it, and the writer was not held up */
	ok(engine(w)->script(reader, "COMMIT", &w->e));
	for (stats.wal_pages = 9999; stats.wal_pages > 1000; ms += 100) {
		assert_true(ms < 150000); /* a machine may be busy */
		pause_ms(100);
		put_big(w, 'x');
		store_stats(w->s, &stats);
	}
	engine(w)->close(reader);
}

/* ---- many documents ---- */

enum { DOCUMENTS = 10000, DOCUMENT_PAGE = 700, A_CHANGE = 500 };

static void
put_many(struct world *w)
{
	for (int64_t id = 1; id <= DOCUMENTS;) {
		struct change *c = change_new();

		for (int i = 0; i < A_CHANGE && id <= DOCUMENTS; i++, id++) {
			const char *name = arena_printf(w->a, "Format %lld", (long long)id);

			change_put_document(c,
					    &(struct document_row){ .id = id,
								    .version = 1,
								    .kind = BYTES("format"),
								    .name = bytes_str(name),
								    .state = BYTES("active"),
								    .body = BYTES("{}"),
								    .at = id });
		}
		ok(store_commit(w->s, c, &w->e));
	}
}

static void
delete_document(struct world *w, int64_t id)
{
	struct change *c = change_new();

	change_put_document(c,
			    &(struct document_row){ .id = id,
						    .version = 2,
						    .kind = BYTES("format"),
						    .name = BYTES("gone"),
						    .state = BYTES("deleted"),
						    .body = BYTES("{}"),
						    .at = id });
	ok(store_commit(w->s, c, &w->e));
}

/* Each page begins behind the last id of the one before: what is deleted or made meanwhile shifts none. */
static void
ten_thousand_documents_by_pages(void **state)
{
	struct world *w = *state;
	int64_t after = 0, seen = 0, pages = 0;
	struct document_row *rows;
	size_t n;

	put_many(w);
	do {
		ok(store_documents(w->s, w->a, BYTES("format"), BYTES_NONE, BYTES_NONE, after, DOCUMENT_PAGE,
				   &rows, &n, &w->e));
		for (size_t i = 0; i < n; i++)
			assert_int_equal(rows[i].id, ++seen);
		after = seen;
		pages++;
		delete_document(w, pages); /* of the first page */
	} while (n == DOCUMENT_PAGE);
	assert_int_equal(seen, DOCUMENTS);
	assert_int_equal(pages, DOCUMENTS / DOCUMENT_PAGE + 1);
	ok(store_documents(w->s, w->a, BYTES("format"), BYTES_NONE, BYTES_NONE, 0, DOCUMENT_PAGE, &rows, &n,
			   &w->e));
	assert_int_equal(rows[0].id, pages + 1);
	assert_int_equal(n, DOCUMENT_PAGE);
}

int
main(void)
{
	static const struct world_test tests[] = {
		{ "every change is answered once", every_change_is_answered_once },
		{ "one failing change fails alone", one_failing_change_fails_alone },
		{ "changes of a batch see one another", changes_of_a_batch_see_one_another },
		{ "one of many wins", one_of_many_wins },
		{ "a full queue refuses", a_full_queue_refuses },
		{ "closing answers what waits", closing_answers_what_waits },
		{ "backup while writing, restore", backup_while_writing },
		{ "a damaged backup is refused", a_damaged_backup_is_refused, ONLY_SQLITE },
		{ "an older schema is brought up", an_older_schema_is_brought_up },
		{ "a newer schema is refused", a_newer_schema_is_refused },
		{ "several may make the schema at once", several_may_make_the_schema_at_once },
		{ "what is answered can be read", what_is_answered_can_be_read },
		{ "ten thousand documents by pages", ten_thousand_documents_by_pages },
		{ "the log is emptied when a reader has gone", the_log_is_emptied_when_a_reader_has_gone,
		  ONLY_SQLITE },
	};

	return world_run("store under load", tests, ARRAY_LEN(tests));
}
