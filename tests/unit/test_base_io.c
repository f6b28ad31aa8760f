#include "base/base.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/frame.h"
#include "base/json.h"
#include "test.h"

static char dir[] = "/tmp/chancery-io.XXXXXX";
static struct arena *mem;

static int
enter(void **state)
{
	mem = arena_new(1 << 20);
	return mem == NULL || mkdtemp(dir) == NULL || chdir(dir) != 0;
}

static int
leave(void **state)
{
	const char *command = arena_printf(mem, "rm -rf '%s'", dir);
	int rc = chdir("/") != 0 || system(command) != 0;

	arena_free(mem);
	return rc;
}

static void
files_come_back(void **state)
{
	struct err e = { 0 };
	struct bytes got;
	struct stat st;

	assert_ok(file_write("f", BYTES("one\0two"), 0640, &e));
	assert_ok(file_read(mem, "f", 7, &got, &e));
	assert_bytes(got, BYTES("one\0two"));
	assert_int_equal(stat("f", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_ok(file_write("f", BYTES_NONE, 0600, &e));
	assert_ok(file_read(mem, "f", 0, &got, &e));
	assert_int_equal(got.n, 0);
	assert_int_equal(stat("f", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

/* --out /dev/null by root must leave the device what it is. */
static void
pipes_and_devices_are_written_into(void **state)
{
	struct err e = { 0 };
	struct stat st;
	char got[8];
	int fd;

	assert_int_equal(mkfifo("pipe", 0600), 0);
	fd = open("pipe", O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_ok(file_write("pipe", BYTES("one"), 0644, &e));
	assert_int_equal(read(fd, got, sizeof(got)), 3);
	close(fd);
	assert_int_equal(stat("pipe", &st), 0);
	assert_true(S_ISFIFO(st.st_mode) && (st.st_mode & 0777) == 0600);
}

static void
files_fail_with_their_code(void **state)
{
	struct err e = { 0 };
	struct bytes got;

	assert_ok(file_write("long", BYTES("12345678"), 0600, &e));
	assert_code(file_read(mem, "long", 7, &got, &e), CHY_TOO_LONG);
	assert_code(file_read(mem, "none", 7, &got, &e), CHY_FILE_OPEN);
	assert_code(file_read(mem, ".", 7, &got, &e), CHY_FILE_READ);
	assert_code(file_write("none/f", BYTES("x"), 0600, &e), CHY_FILE_WRITE);
	assert_code(file_write(".", BYTES("x"), 0600, &e), CHY_FILE_WRITE);
	assert_code(file_may_write("none/f", &e), CHY_FILE_WRITE);
	assert_code(file_may_write(".", &e), CHY_FILE_WRITE);
	err_clear(&e);
	assert_ok(file_may_write("f", &e));
	assert_ok(file_may_write("new", &e));
	assert_ok(file_may_write("/dev/null", &e));
}

static unsigned
entries_of(const char *prefix)
{
	char command[128];
	unsigned n = 0;
	FILE *f;

	snprintf(command, sizeof(command), "ls -A | grep -c '^%s'", prefix);
	f = popen(command, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%u", &n), 1);
	pclose(f);
	return n;
}

/* What a process with our number left when it died does not stand in the way, and a failed write leaves nothing. */
static void
files_left_over(void **state)
{
	struct err e = { 0 };
	struct bytes got;
	char name[64];

	for (unsigned i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "again.new.%d.%u", (int)getpid(), i);
		close(open(name, O_CREAT | O_WRONLY, 0600));
	}
	assert_ok(file_write("again", BYTES("new"), 0600, &e));
	assert_ok(file_read(mem, "again", 10, &got, &e));
	assert_text(got, "new");
	assert_ok(dir_make("folder", 0700, &e));
	assert_code(file_write("folder", BYTES("x"), 0600, &e), CHY_FILE_WRITE);
	assert_int_equal(entries_of("folder"), 1);
}

static void
folders(void **state)
{
	struct err e = { 0 };

	assert_ok(dir_make("a/b//c/", 0700, &e));
	assert_ok(dir_make("a/b/c", 0700, &e));
	assert_int_equal(access("a/b/c", X_OK), 0);
	assert_ok(file_write("a/file", BYTES("x"), 0600, &e));
	assert_code(dir_make("a/file", 0700, &e), CHY_FILE_WRITE);
	assert_code(dir_make("a/file/b", 0700, &e), CHY_FILE_WRITE);
	assert_code(dir_make("", 0700, &e), CHY_FILE_WRITE);
	assert_ok(dir_make(".", 0700, &e));
	assert_ok(dir_make("/", 0700, &e));
}

static struct secret *
secret_in(const char *name, struct bytes text, enum code want)
{
	struct secret *s = NULL;
	struct err e = { 0 };

	assert_ok(file_write(name, text, 0600, &e));
	if (want == CHY_NONE)
		assert_ok(secret_read_file(name, &s, &e));
	else
		assert_code(secret_read_file(name, &s, &e), want);
	return s;
}

static void
secrets_from_files(void **state)
{
	static const struct {
		const char *file, *want;
	} rows[] = { { "1234", "1234" },     { "1234\n", "1234" },
		     { "1234\r\n", "1234" }, { "12 34 \nmore\n", "12 34 " },
		     { "\n", "" },           { "", "" } };
	uint8_t long_line[5000];
	struct err e = { 0 };
	struct secret *s = NULL;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		s = secret_in("pin", bytes_str(rows[i].file), CHY_NONE);
		assert_text(secret_bytes(s), rows[i].want);
		secret_free(s);
	}
	memset(long_line, 'x', sizeof(long_line));
	secret_in("pin", BYTES_OF(long_line), CHY_TOO_LONG);
	secret_in("pin", bytes_of(long_line, 4096), CHY_TOO_LONG);
	long_line[4] = '\n'; /* a short line, whatever follows */
	s = secret_in("pin", BYTES_OF(long_line), CHY_NONE);
	assert_text(secret_bytes(s), "xxxx");
	secret_free(s);
	assert_code(secret_read_file("none", &s, &e), CHY_FILE_OPEN);
}

static void
descriptors(void **state)
{
	uint8_t got[10];
	struct err e = { 0 };
	int p[2];

	assert_int_equal(pipe(p), 0);
	assert_ok(fd_write_all(p[1], BYTES("0123456789abc"), &e));
	assert_ok(fd_read_all(p[0], got, 10, &e));
	assert_memory_equal(got, "0123456789", 10);
	close(p[1]);
	assert_code(fd_read_all(p[0], got, 4, &e), CHY_SYSTEM);
	assert_ok(fd_read_all(p[0], got, 0, &e));
	close(p[0]);
	assert_code(fd_write_all(p[0], BYTES("x"), &e), CHY_SYSTEM);
}

static void
frames(void **state)
{
	OWN_BUF struct buf b = buf_max(1 << 20);
	struct err e = { 0 };
	struct bytes in;
	struct frame f;
	bool whole;

	frame_put(&b, (struct frame){ 7, 0xfedcba9876543210, BYTES("payload") });
	frame_put(&b, (struct frame){ 8, 1, BYTES_NONE });
	for (size_t n = 0; n < FRAME_HEAD + 7; n++) { /* every beginning of the first is not whole */
		in = bytes_part(buf_bytes(&b), 0, n);
		assert_ok(frame_take(&in, &f, &whole, &e));
		assert_false(whole);
		assert_int_equal(in.n, n);
	}
	in = buf_bytes(&b);
	assert_ok(frame_take(&in, &f, &whole, &e));
	assert_true(whole && f.type == 7 && f.id == 0xfedcba9876543210);
	assert_text(f.payload, "payload");
	assert_ok(frame_take(&in, &f, &whole, &e));
	assert_true(whole && f.type == 8 && f.id == 1 && f.payload.n == 0);
	assert_int_equal(in.n, 0);
}

static void
damaged_frames(void **state)
{
	uint8_t head[FRAME_HEAD] = { 0 };
	OWN_BUF struct buf b = buf_max(1 << 20);
	struct bytes in = BYTES_OF(head);
	struct err e = { 0 };
	struct frame f;
	bool whole;

	assert_code(frame_take(&in, &f, &whole, &e), CHY_FRAME); /* shorter than its head */
	head[3] = FRAME_HEAD - 5;
	assert_code(frame_take(&in, &f, &whole, &e), CHY_FRAME);
	memset(head, 0xff, 4);
	assert_code(frame_take(&in, &f, &whole, &e), CHY_FRAME);
	buf_room(&b, LIMIT_FRAME + 1);
	frame_put(&b, (struct frame){ 1, 1, { b.p, LIMIT_FRAME + 1 } });
	assert_false(buf_ok(&b));
}

/* Runs fn in a child with the environment and gives its standard error and how it ended. */
static struct bytes
child_says(void (*fn)(void), int *status)
{
	int p[2];
	ssize_t n;
	char *text = arena_alloc(mem, 16384);
	pid_t pid;

	assert_int_equal(pipe(p), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(p[1], STDERR_FILENO);
		fn();
		_exit(0);
	}
	close(p[1]);
	n = read(p[0], text, 16384);
	assert_true(n >= 0);
	close(p[0]);
	assert_int_equal(waitpid(pid, status, 0), pid);
	return bytes_of(text, (size_t)n);
}

static void
log_json(void)
{
	log_init("tester", true, LOG_INFO);
	LOG(DEBUG, "not.this");
	LOG(WARNING, "some.event", LS("peer", "a\"b\n\xff\x1b[31m"), LI("n", -5), LS("none", NULL));
}

static void
log_text(void)
{
	log_init("tester", false, LOG_DEBUG);
	LOG(DEBUG, "some.event", LS("peer", "a\nb forged line"), LI("n", 5));
}

static void
log_too_long(void)
{
	char text[20000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	log_init("tester", true, LOG_INFO);
	LOG(ERROR, "big", LS("text", text));
}

static void
log_lines(void **state)
{
	struct err e = { 0 };
	struct json *v;
	struct bytes line, s;
	int status;
	int64_t n;

	line = child_says(log_json, &status);
	assert_ok(json_parse(mem, line, &v, &e));
	assert_ok(json_need_str(v, "event", &s, &e));
	assert_text(s, "some.event");
	assert_ok(json_need_str(v, "peer", &s, &e));
	assert_text(s, "a\"b\n\xef\xbf\xbd\x1b[31m");
	assert_ok(json_need_int(v, "n", -5, -5, &n, &e));
	assert_true(memchr(line.p, '\n', line.n) == line.p + line.n - 1);
	line = child_says(log_text, &status);
	assert_true(memchr(line.p, '\n', line.n) == line.p + line.n - 1);
	line = child_says(log_too_long, &status);
	assert_ok(json_parse(mem, line, &v, &e));
}

#ifdef CHY_FAULTS

static void
passes_points(void)
{
	for (int i = 1; i <= 5; i++) {
		fprintf(stderr, "%d%s", i, fault_fails("test.fails") ? "!" : "");
		FAULT("test.kills");
	}
}

/* The point is armed before main: a program of its own. */
static void
faults_hit_their_turn(void **state)
{
	static const struct {
		const char *fault, *want;
		int signal;
	} rows[] = {
		{ "", "12345", 0 },
		{ "test.other=kill", "12345", 0 },
		{ "test.kills=kill", "1", SIGKILL },
		{ "test.kills@3=kill", "123", SIGKILL },
		{ "test.fails=fail", "1!2!3!4!5!", 0 },
		{ "test.fails@2=fail", "12!345", 0 },
		{ "test.fails@2=fail,test.kills@4=kill", "12!34", SIGKILL },
		{ "test.kills=fail", "12345", 0 }, /* nobody asks there */
		{ "test.fails@0=fail,=,@,,test.fails@x=fail", "12345", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int status = 0;
		char *self = arena_printf(mem, "CHANCERY_FAULT='%s' exec /proc/%d/exe points 2>points.out",
					  rows[i].fault, (int)getpid());
		struct err e = { 0 };
		struct bytes got;

		status = system(self);
		assert_ok(file_read(mem, "points.out", 100, &got, &e));
		assert_text(got, rows[i].want);
		assert_int_equal(WIFSIGNALED(status) ? WTERMSIG(status) : 0, rows[i].signal);
	}
}

#endif

static const struct CMUnitTest tests[] = {
	CASE(files_come_back),
	CASE(pipes_and_devices_are_written_into),
	CASE(files_fail_with_their_code),
	CASE(files_left_over),
	CASE(folders),
	CASE(secrets_from_files),
	CASE(descriptors),
	CASE(frames),
	CASE(damaged_frames),
	CASE(log_lines),
#ifdef CHY_FAULTS
	CASE(faults_hit_their_turn),
#endif
};

int
main(int argc, char **argv)
{
#ifdef CHY_FAULTS
	if (argc > 1) {
		passes_points();
		return 0;
	}
#endif
	return cmocka_run_group_tests(tests, enter, leave);
}
