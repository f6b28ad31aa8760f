#include "base/base.h"
#include "store_world.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char scratch_dir[64];
static pid_t owner, server;
static bool cluster_made;
static unsigned databases;

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void
clean_up(void)
{
	if (getpid() != owner)
		return;
	postgres_stop(false);
	nftw(scratch_dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *
scratch(void)
{
	if (scratch_dir[0] == 0) {
		const char *above = getenv("TMPDIR");

		snprintf(scratch_dir, sizeof(scratch_dir), "%s/chy-store-XXXXXX", above ? above : "/tmp");
		assert_non_null(mkdtemp(scratch_dir));
		chmod(scratch_dir, 0755);
		owner = getpid();
		atexit(clean_up);
	}
	return scratch_dir;
}

/* PostgreSQL refuses to run as root. */
static void
become_nobody(void)
{
	const struct passwd *u = getuid() == 0 ? getpwnam("postgres") : NULL;

	if (getuid() == 0 && u == NULL)
		u = getpwnam("nobody");
	if (u != NULL && (setgroups(0, NULL) != 0 || setgid(u->pw_gid) != 0 || setuid(u->pw_uid) != 0))
		_exit(127);
}

/* The newest of Debian's versions, else what the PATH has. */
static const char *
postgres_bin(const char *program)
{
	static char path[256];
	struct dirent **names;
	int n = scandir("/usr/lib/postgresql", &names, NULL, versionsort);

	snprintf(path, sizeof(path), "%s", program);
	for (int i = 0; i < n; i++) {
		char try[256];

		snprintf(try, sizeof(try), "/usr/lib/postgresql/%.32s/bin/%s", names[i]->d_name, program);
		if (access(try, X_OK) == 0)
			memcpy(path, try, sizeof(path));
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	return path;
}

/* initdb looks for postgres beside the path that it was called by, so argv[0] becomes the whole path. */
static pid_t
spawn(const char *argv[], const char *log)
{
	pid_t parent = getpid(), pid;

	argv[0] = postgres_bin(argv[0]);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0666);

		dup2(fd, 1);
		dup2(fd, 2);
		become_nobody();
		prctl(PR_SET_PDEATHSIG, SIGQUIT); /* nothing stays behind a test that dies */
		if (getppid() != parent || chdir("/") != 0)
			_exit(127);
		execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	return pid;
}

static void
make_cluster(void)
{
	char dir[128], log[128];
	const char *argv[] = { "initdb",           "-D", dir, "-U", "chancery", "-A", "trust", "-E", "UTF8",
			       "--locale=C.UTF-8", "-N", NULL };
	const struct passwd *u = getpwnam("postgres");
	int status;

	snprintf(dir, sizeof(dir), "%s/pg", scratch());
	snprintf(log, sizeof(log), "%s/pg.log", scratch());
	assert_int_equal(mkdir(dir, 0700), 0);
	close(open(log, O_CREAT | O_WRONLY, 0666));
	chmod(log, 0666);
	if (getuid() == 0) {
		u = u ? u : getpwnam("nobody");
		assert_int_equal(chown(dir, u->pw_uid, u->pw_gid), 0);
	}
	assert_true(waitpid(spawn(argv, log), &status, 0) > 0);
	assert_int_equal(status, 0);
	cluster_made = true;
}

static PGconn *
admin(void)
{
	char where[256];

	snprintf(where, sizeof(where), "host=%s/pg user=chancery dbname=postgres", scratch());
	return PQconnectdb(where);
}

void
postgres_start(void)
{
	char dir[128], log[128];
	const char *argv[] = { "postgres",
			       "-D",
			       dir,
			       "-k",
			       dir,
			       "-c",
			       "listen_addresses=",
			       "-c",
			       "max_connections=60",
			       "-c",
			       "shared_buffers=32MB",
			       NULL };
	bool up = false;

	if (server > 0)
		return;
	if (!cluster_made)
		make_cluster();
	snprintf(dir, sizeof(dir), "%s/pg", scratch());
	snprintf(log, sizeof(log), "%s/pg.log", scratch());
	server = spawn(argv, log);
	for (int i = 0; i < 400 && !up; i++) {
		PGconn *c = admin();

		up = PQstatus(c) == CONNECTION_OK;
		PQfinish(c);
		if (!up)
			nanosleep(&(struct timespec){ 0, 50000000 }, NULL);
	}
	assert_true(up);
}

void
postgres_stop(bool crash)
{
	if (server <= 0)
		return;
	kill(server, crash ? SIGQUIT : SIGINT);
	waitpid(server, NULL, 0);
	server = 0;
}

void
world_url(char *ret, size_t size, bool postgres)
{
	char sql[64];
	PGconn *c;
	PGresult *r;

	databases++;
	if (!postgres) {
		snprintf(ret, size, "sqlite:%s/t%u.db", scratch(), databases);
		return;
	}
	postgres_start();
	c = admin();
	snprintf(sql, sizeof(sql), "CREATE DATABASE t%u", databases);
	r = PQexec(c, sql);
	assert_int_equal(PQresultStatus(r), PGRES_COMMAND_OK);
	PQclear(r);
	PQfinish(c);
	snprintf(ret, size, "host=%s/pg user=chancery dbname=t%u", scratch(), databases);
}

static int
world_begin(void **state, bool postgres)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->postgres = postgres;
	w->a = arena_new(64 << 20);
	world_url(w->url, sizeof(w->url), postgres);
	ok(store_open(w->url, NULL, &w->s, &w->e));
	*state = w;
	return 0;
}

int
world_sqlite(void **state)
{
	return world_begin(state, false);
}

int
world_postgres(void **state)
{
	return world_begin(state, true);
}

int
world_end(void **state)
{
	struct world *w = *state;

	store_close(w->s);
	arena_free(w->a);
	free(w);
	return 0;
}

void
world_reopen(struct world *w, const struct store_options *o)
{
	store_close(w->s);
	w->s = NULL;
	ok(store_open(w->url, o, &w->s, &w->e));
}

int
world_run(const char *group, const struct world_test *tests, size_t n)
{
	struct CMUnitTest *all = calloc(2 * n, sizeof(*all));
	size_t count = 0;
	int failed;

	scratch();
	for (size_t i = 0; i < 2 * n; i++) {
		const struct world_test *t = &tests[i % n];
		bool postgres = i >= n;
		char *name = NULL;

		if (t->only == (postgres ? ONLY_SQLITE : ONLY_POSTGRES))
			continue;
		if (asprintf(&name, "%s: %s", postgres ? "postgresql" : "sqlite", t->name) < 0)
			abort();
		all[count++] = (struct CMUnitTest){ name, t->fn, postgres ? world_postgres : world_sqlite,
						    world_end, NULL };
	}
	failed = _cmocka_run_group_tests(group, all, count, NULL, NULL);
	for (size_t i = 0; i < count; i++)
		free((void *)(uintptr_t)all[i].name);
	free(all);
	return failed;
}

void
assert_ok(enum rc rc, const struct err *e, const char *file, int line)
{
	if (rc != RC_OK)
		print_error("CHY-%d %s: %s\n", e->code, rc_name(rc), e->text);
	_assert_int_equal(rc, RC_OK, file, line);
}

void
assert_fails(enum rc rc, enum code want, struct err *e, const char *file, int line)
{
	if (rc == RC_OK || e->code != want)
		print_error("CHY-%d in place of CHY-%d: %s\n", e->code, want, e->text);
	_assert_int_equal(e->code, want, file, line);
	_assert_int_equal(rc, code_rc(want), file, line);
	err_clear(e);
}

/* Made up from n, so that any process knows what certificate n must be. */
struct certificate_row
certificate_of(int64_t n, uint8_t room[3][32])
{
	static __thread char subject[64], san[96];

	memset(room, 0, 3 * 32);
	for (int i = 0; i < 8; i++) {
		room[0][i + 1] = (uint8_t)((uint64_t)n >> (56 - 8 * i));
		room[1][i] = room[2][i] = (uint8_t)((uint64_t)n * 0x9e3779b97f4a7c15u >> (56 - 8 * i));
	}
	room[0][0] = 1;
	room[2][31] = 2;
	snprintf(subject, sizeof(subject), "CN=host %lld,O=Example", (long long)n);
	snprintf(san, sizeof(san), "dns:h%lld.example.org\ndns:www.h%lld.example.org", (long long)n,
		 (long long)n);
	return (struct certificate_row){
		.id = 1000 + n,
		.serial = bytes_of(room[0], 18),
		.issuer = 7,
		.subject = bytes_str(subject),
		.not_before = 1000 * n,
		.not_after = 1000 * n + 1000000,
		.token_procedure = 11,
		.certificate_procedure = 12,
		.request_id = n % 10 ? 0 : 5000 + n / 100,
		.session_id = n % 10 ? 99 : 0,
		.san = bytes_str(san),
		.key_hash = bytes_of(room[1], 32),
		.fingerprint = bytes_of(room[2], 32),
	};
}

struct change *
issue_change(int64_t n)
{
	struct change *c = change_new();
	uint8_t room[3][32], der[800];
	struct certificate_row row = certificate_of(n, room);
	char body[128];
	struct leaf_row leaf = {
		.id = row.id, .kind = BYTES("certificate"), .object = row.id, .hash = bytes_of(room[2], 32)
	};

	memset(der, (int)(n & 255), sizeof(der));
	snprintf(body, sizeof(body), "{\"id\":%lld,\"kind\":\"certificate\"}", (long long)row.id);
	leaf.body = bytes_str(body);
	change_put_certificate(c, &row, bytes_of(der, sizeof(der)));
	change_put_leaf(c, &leaf);
	return c;
}
