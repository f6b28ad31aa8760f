#include "base/base.h"
#include "store/db.h"
#include "store_world.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * What the store promises when it is killed, the disk is full, or the database goes away: what was answered is there, whole
 * and once; what was refused is not. The loads run in a child process (this program again) that reports each answer by a
 * pipe: the number of the certificate, negative when it was refused.
 */
enum { OUTSTANDING = 32 };

static void
pause_ms(long ms)
{
	nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000L }, NULL);
}

/* --- the child --- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t freed = PTHREAD_COND_INITIALIZER;
static int outstanding;

static void
report(void *arg, enum rc rc, const struct err *e)
{
	int64_t n = (int64_t)(intptr_t)arg;

	if (rc != RC_OK && e->code == CHY_STORE_UNKNOWN)
		n = -n - 1000000000;
	else if (rc != RC_OK)
		n = -n;
	if (write(STDOUT_FILENO, &n, sizeof(n)) != sizeof(n))
		_exit(3);
	pthread_mutex_lock(&lock);
	outstanding--;
	pthread_cond_signal(&freed);
	pthread_mutex_unlock(&lock);
}

static int
child(const char *url, int64_t first, int64_t count, int most, int outage_ms)
{
	struct store_options options = { .outage_ms = outage_ms };
	struct err e = { 0 };
	struct store *s;

	if (store_open(url, &options, &s, &e) != RC_OK) {
		fprintf(stderr, "CHY-%d %s\n", e.code, e.text);
		return 2;
	}
	for (int64_t n = first; n < first + count; n++) {
		struct change *c = issue_change(n);

		change_add_counter(c, "issued", 1);
		pthread_mutex_lock(&lock);
		while (outstanding >= most)
			pthread_cond_wait(&freed, &lock);
		outstanding++;
		pthread_mutex_unlock(&lock);
		if (store_submit(s, c, report, (void *)(intptr_t)n, &e) != RC_OK)
			return 2;
	}
	store_close(s);
	return 0;
}

/* --- the parent --- */

struct load {
	pid_t pid;
	int fd;
	int64_t good, bad, unknown;
	uint8_t *answer; /* by certificate: 1 stored, 2 refused, 3 unknown */
	int64_t cap;
};

static char self[512];

static void
start(struct load *l, const char *url, int64_t first, int64_t count, int most, int outage_ms,
      const char *fault)
{
	char a[4][24];
	int fds[2];

	*l = (struct load){ .cap = first + count };
	l->answer = calloc((size_t)l->cap, 1);
	assert_int_equal(pipe(fds), 0);
	snprintf(a[0], 24, "%lld", (long long)first);
	snprintf(a[1], 24, "%lld", (long long)count);
	snprintf(a[2], 24, "%d", most);
	snprintf(a[3], 24, "%d", outage_ms);
	l->pid = fork();
	if (l->pid == 0) {
		dup2(fds[1], STDOUT_FILENO);
		close(fds[0]);
		close(fds[1]);
		if (fault != NULL)
			setenv("CHANCERY_FAULT", fault, 1);
		execl(self, self, "child", url, a[0], a[1], a[2], a[3], NULL);
		_exit(127);
	}
	close(fds[1]);
	l->fd = fds[0];
}

/* Takes answers until there are `most` good ones or the child is gone; false: gone. */
static bool
take(struct load *l, int64_t most)
{
	int64_t n;

	while (l->good < most) {
		ssize_t got = read(l->fd, &n, sizeof(n));
		int64_t which = n < -1000000000 ? -n - 1000000000 : n < 0 ? -n : n;

		if (got <= 0)
			return false;
		assert_true(which < l->cap && l->answer[which] == 0); /* once */
		l->answer[which] = n >= 0 ? 1 : n < -1000000000 ? 3 : 2;
		l->good += n >= 0;
		l->bad += n < 0 && n >= -1000000000;
		l->unknown += n < -1000000000;
	}
	return true;
}

/* The child's end: its exit status, or the signal that killed it. */
static int
end(struct load *l)
{
	int status;

	take(l, INT64_MAX);
	waitpid(l->pid, &status, 0);
	close(l->fd);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* What was answered is there, whole and once; counter and rows agree. Certificates from `first` on; `others`: certificates that
   were there before. */
static void
verify(struct world *w, struct load *l, int64_t first, int64_t others)
{
	int64_t there = 0, issued;

	world_reopen(w, NULL);
	for (int64_t n = first; n < l->cap; n++) {
		OWN(arena_free)
		struct arena *a = arena_new(1 << 20);
		uint8_t room[3][32];
		struct certificate_row row, want = certificate_of(n, room);
		struct leaf_row leaf;
		struct bytes der;
		enum rc rc = store_certificate(w->s, a, 1000 + n, &row, &w->e);

		err_clear(&w->e);
		assert_false(l->answer[n] == 1 && rc != RC_OK);
		assert_false(l->answer[n] == 2 && rc == RC_OK);
		if (rc != RC_OK) {
			fails(store_der(w->s, a, 1000 + n, &der, &w->e), STORE_NOT_FOUND);
			fails(store_leaf(w->s, a, 1000 + n, &leaf, &w->e), STORE_NOT_FOUND);
			continue;
		}
		there++;
		assert_true(bytes_eq(row.fingerprint, want.fingerprint));
		ok(store_der(w->s, a, 1000 + n, &der, &w->e));
		assert_true(der.n == 800 && der.p[799] == (uint8_t)n);
		ok(store_leaf(w->s, a, 1000 + n, &leaf, &w->e));
	}
	ok(store_counter(w->s, "issued", &issued, &w->e));
	assert_int_equal(issued, there + others);
	free(l->answer);
}

static void
killed_under_load(void **state)
{
	struct world *w = *state;
	int64_t first = 0, others = 0;

	store_close(w->s);
	w->s = NULL;
	for (int round = 0; round < 5; round++) {
		struct load l;

		start(&l, w->url, first, 100000, OUTSTANDING, 5000, NULL);
		assert_true(take(&l, 50 + 97 * round));
		pause_ms(3 * round);
		kill(l.pid, SIGKILL);
		assert_int_equal(end(&l), -SIGKILL);
		l.cap = first + 2 * l.good + 3000 < l.cap ? first + 2 * l.good + 3000 : l.cap;
		verify(w, &l, first, others);
		ok(store_counter(w->s, "issued", &others, &w->e));
		first += 100000;
		store_close(w->s);
		w->s = NULL;
	}
	ok(store_open(w->url, NULL, &w->s, &w->e));
}

static void
killed_at_each_point(void **state)
{
	struct world *w = *state;
	static const char *const points[] = { "store.before-begin@7=kill", "store.before-commit@7=kill",
					      "store.after-commit@7=kill" };
	int64_t first = 0, others = 0;

	store_close(w->s);
	w->s = NULL;
	for (size_t i = 0; i < ARRAY_LEN(points); i++) {
		struct load l;
		struct certificate_row row;

		start(&l, w->url, first, 20, 1, 5000, points[i]);
		assert_int_equal(end(&l), -SIGKILL);
		/* one change per commit; the store's own housekeeping commits too */
		assert_true(l.good >= 5 && l.good <= 6);
		int64_t last = first + l.good;
		verify(w, &l, first, others);
		if (i == 2) /* committed, but nobody was told */
			ok(store_certificate(w->s, w->a, 1000 + last, &row, &w->e));
		else
			fails(store_certificate(w->s, w->a, 1000 + last, &row, &w->e), STORE_NOT_FOUND);
		ok(store_counter(w->s, "issued", &others, &w->e));
		store_close(w->s);
		w->s = NULL;
		first += 100;
	}
	ok(store_open(w->url, NULL, &w->s, &w->e));
}

static void
a_commit_that_fails(void **state)
{
	struct world *w = *state;
	struct load l;

	store_close(w->s);
	w->s = NULL;
	start(&l, w->url, 0, 20, 1, 5000, "store.commit@7=fail");
	assert_int_equal(end(&l), 0);
	assert_int_equal(l.good, 19);
	assert_int_equal(l.bad, 1);
	verify(w, &l, 0, 0);
}

/* Certificates until none fits any more; *n: how many there are. */
static void
fill(struct world *w, int64_t *n)
{
	enum rc rc = RC_OK;

	while (rc == RC_OK && *n < 20000) {
		struct change *c = issue_change(*n);

		change_add_counter(c, "issued", 1);
		rc = store_commit(w->s, c, &w->e);
		*n += rc == RC_OK;
	}
	fails(rc, STORE_FULL);
}

static void
a_full_disk_is_survived(void **state)
{
	struct world *w = *state;
	struct rlimit all, some;
	struct certificate_row row;
	int64_t n = 0, issued;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &all);
	some = all;
	some.rlim_cur = 3 << 20;
	setrlimit(RLIMIT_FSIZE, &some);
	fill(w, &n);
	fill(w, &n); /* it goes on refusing, but for what a checkpoint has made room for */
	ok(store_certificate(w->s, w->a, 1000 + n - 1, &row, &w->e)); /* reading goes on */
	fails(store_certificate(w->s, w->a, 1000 + n, &row, &w->e), STORE_NOT_FOUND);
	setrlimit(RLIMIT_FSIZE, &all);
	ok(store_commit(w->s, issue_change(n), &w->e)); /* and writing, when there is room again */
	ok(store_counter(w->s, "issued", &issued, &w->e));
	assert_int_equal(issued, n);
	world_reopen(w, NULL);
	for (int64_t i = 0; i <= n; i++) {
		OWN(arena_free)
		struct arena *a = arena_new(1 << 20);

		ok(store_certificate(w->s, a, 1000 + i, &row, &w->e));
	}
}

/* Something done to the database behind the store's back. */
static void
behind(struct world *w, const char *sql)
{
	struct db *db;

	ok(postgres_ops.open(w->url, DB_WRITER, &db, &w->e));
	ok(postgres_ops.script(db, sql, &w->e));
	postgres_ops.close(db);
}

/* What the server answers is what it would answer if its disk were full. */
static void
the_servers_disk_is_full(void **state)
{
	struct world *w = *state;
	struct certificate_row row;

	behind(
	    w,
	    "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS "
	    "$$BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = '53100'; END$$; "
	    "CREATE TRIGGER no_room BEFORE INSERT ON journal_leaf FOR EACH ROW EXECUTE FUNCTION no_room()");
	fails(store_commit(w->s, issue_change(1), &w->e), STORE_FULL);
	fails(store_certificate(w->s, w->a, 1001, &row, &w->e), STORE_NOT_FOUND);
	behind(w, "DROP TRIGGER no_room ON journal_leaf");
	ok(store_commit(w->s, issue_change(1), &w->e));
}

/* The first two tries end in what the server says to the loser of a deadlock. */
static void
a_deadlock_is_tried_again(void **state)
{
	struct world *w = *state;
	struct store_stats stats;

	behind(w,
	       "CREATE SEQUENCE tries; CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS "
	       "$$BEGIN IF nextval('tries') < 3 THEN RAISE EXCEPTION 'deadlock' USING ERRCODE = '40P01'; END "
	       "IF; "
	       "RETURN NEW; END$$; "
	       "CREATE TRIGGER lose BEFORE INSERT ON journal_leaf FOR EACH ROW EXECUTE FUNCTION lose()");
	ok(store_commit(w->s, issue_change(1), &w->e));
	store_stats(w->s, &stats);
	assert_int_equal(stats.changes, 1);
	assert_int_equal(stats.failed, 0);
}

static void
the_server_is_stopped_and_started(void **state)
{
	struct world *w = *state;
	int64_t first = 0, others = 0;

	store_close(w->s);
	w->s = NULL;
	for (int round = 0; round < 4; round++) {
		struct load l;

		start(&l, w->url, first, 1500, OUTSTANDING, 20000, NULL);
		assert_true(take(&l, 200));
		postgres_stop(round % 2); /* fast, and as by a power failure */
		pause_ms(100 * round);
		postgres_start();
		assert_int_equal(end(&l), 0);
		assert_int_equal(l.good, 1500); /* nobody noticed but by the time */
		verify(w, &l, first, others);
		ok(store_counter(w->s, "issued", &others, &w->e));
		store_close(w->s);
		w->s = NULL;
		first += 1500;
	}
	ok(store_open(w->url, NULL, &w->s, &w->e));
}

static void
the_server_stays_away(void **state)
{
	struct world *w = *state;
	struct certificate_row row;
	struct load l;

	store_close(w->s);
	w->s = NULL;
	start(&l, w->url, 0, 30000, OUTSTANDING, 150, NULL);
	assert_true(take(&l, 200));
	postgres_stop(true);
	pause_ms(600);
	postgres_start();
	assert_int_equal(end(&l), 0);
	assert_true(l.bad > 0);
	assert_true(l.unknown <= OUTSTANDING); /* the one batch that was under way */
	assert_true(l.good > 200);             /* it came back by itself */
	assert_int_equal(l.good + l.bad + l.unknown, 30000);
	verify(w, &l, 0, 0);
	/* the readers too find their way back */
	postgres_stop(true);
	fails(store_certificate(w->s, w->a, 1000, &row, &w->e), STORE_DOWN);
	postgres_start();
	ok(store_certificate(w->s, w->a, 1000, &row, &w->e));
}

/* All server processes of our connections stop, or go on. How many there are. */
static int
signal_sessions(struct world *w, int sig)
{
	char command[1024];
	FILE *pids;
	int n = 0, pid;

	snprintf(
	    command, sizeof(command),
	    "psql -AtqX '%s' -c \"SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND "
	    "application_name = 'chancery'\"",
	    w->url);
	pids = popen(command, "r");
	assert_non_null(pids);
	for (; fscanf(pids, "%d", &pid) == 1; n++)
		assert_int_equal(kill(pid, sig), 0);
	assert_int_equal(pclose(pids), 0);
	return n;
}

/* Its connections stay open, and nothing comes by them. A status node does not wait for ever, and asks by another connection. */
static void
a_session_hangs(void **state)
{
	struct world *w = *state;
	struct store *beside;
	int64_t size;
	enum rc rc;

	ok(store_open(w->url, &(struct store_options){ .beside = true, .node = 1 }, &beside, &w->e));
	ok(store_tree_size(beside, &size, &w->e));
	assert_in_range(signal_sessions(w, SIGSTOP), 2, 100);
	rc = store_tree_size(beside, &size, &w->e);
	signal_sessions(w, SIGCONT);
	ok(rc);
	store_close(beside);
	ok(store_commit(w->s, issue_change(1), &w->e));
}

static void
the_outcome_is_looked_up(void **state)
{
	struct world *w = *state;
	/* before the request left, and when it was carried out but the answer was lost */
	static const char *const points[] = { "store.lose-request@9=fail", "store.lose-answer@9=fail" };
	int64_t first = 0, others = 0;

	store_close(w->s);
	w->s = NULL;
	for (size_t i = 0; i < ARRAY_LEN(points); i++) {
		struct load l;

		start(&l, w->url, first, 50, 4, 5000, points[i]);
		assert_int_equal(end(&l), 0);
		assert_int_equal(l.good, 50);
		verify(w, &l, first, others);
		ok(store_counter(w->s, "issued", &others, &w->e));
		store_close(w->s);
		w->s = NULL;
		first += 100;
	}
	ok(store_open(w->url, NULL, &w->s, &w->e));
}

static int64_t
number(const char *text)
{
	int64_t n = 0;

	return int_parse(bytes_str(text), 0, INT64_MAX, &n, NULL) == RC_OK ? n : 0;
}

int
main(int argc, char **argv)
{
	static const struct world_test tests[] = {
		{ "killed under load", killed_under_load },
		{ "killed at each point", killed_at_each_point },
		{ "a commit that fails", a_commit_that_fails },
		{ "a full disk is survived", a_full_disk_is_survived, ONLY_SQLITE },
		{ "the server's disk is full", the_servers_disk_is_full, ONLY_POSTGRES },
		{ "a deadlock is tried again", a_deadlock_is_tried_again, ONLY_POSTGRES },
		{ "the server is stopped and started", the_server_is_stopped_and_started, ONLY_POSTGRES },
		{ "the server stays away", the_server_stays_away, ONLY_POSTGRES },
		{ "a session hangs", a_session_hangs, ONLY_POSTGRES },
		{ "the outcome is looked up", the_outcome_is_looked_up, ONLY_POSTGRES },
	};

	if (argc == 7 && strcmp(argv[1], "child") == 0)
		return child(argv[2], number(argv[3]), number(argv[4]), (int)number(argv[5]),
			     (int)number(argv[6]));
	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	return world_run("store and its faults", tests, ARRAY_LEN(tests));
}
