/* The sandbox: each profile lets the signer's work pass, denies the rest, and kills where the call is plainly hostile. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "signer/sandbox.h"

enum { PASSES = 0, DENIED = 40 };

static char dir[64];
static bool landlock;

static int
result(bool did)
{
	return did ? PASSES : errno == EPERM || errno == EACCES ? DENIED : 1;
}

static int
own_file(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/file", dir);
	return result(file_write(path, BYTES("x"), 0600, NULL) == RC_OK);
}

/* As when a segment of the journal is archived. */
static int
move_to_a_folder(void)
{
	char from[128], to[128], sub[128];

	snprintf(from, sizeof(from), "%s/file", dir);
	snprintf(sub, sizeof(sub), "%s/sub", dir);
	snprintf(to, sizeof(to), "%s/sub/file", dir);
	(void)mkdir(sub, 0700);
	return result(file_write(from, BYTES("x"), 0600, NULL) == RC_OK && rename(from, to) == 0 &&
		      unlink(to) == 0);
}

static int
other_file(void)
{
	return result(open("/etc/passwd", O_RDONLY) >= 0);
}

static int
write_elsewhere(void)
{
	return result(open("/tmp/chancery-sandbox-test", O_WRONLY | O_CREAT, 0600) >= 0);
}

static void *
nothing(void *arg)
{
	return arg;
}

static int
thread(void)
{
	pthread_t t;

	return result(pthread_create(&t, NULL, nothing, NULL) == 0 && pthread_join(t, NULL) == 0);
}

static int
inet(void)
{
	return result(socket(AF_INET, SOCK_STREAM, 0) >= 0);
}

static int
unix_socket(void)
{
	return result(socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
}

static int
netlink(void)
{
	return result(socket(AF_NETLINK, SOCK_RAW, 0) >= 0);
}

static int
program(void)
{
	execl("/bin/true", "true", (char *)NULL);
	return result(false);
}

static int
child(void)
{
	return result(syscall(SYS_fork) >= 0);
}

static int
executable_memory(void)
{
	return result(mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			   0) != MAP_FAILED);
}

static int
debug(void)
{
	return result(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) == 0);
}

static int
kill_parent(void)
{
	return result(kill(getppid(), 0) == 0);
}

static int
set_time(void)
{
	struct timespec t = { 0 };

	return result(syscall(SYS_clock_settime, 0, &t) == 0);
}

/* Wait status of a child that enters the sandbox and then does it. */
static int
in_sandbox(int (*what)(void), bool modules)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (sandbox_enter(dir, modules, &landlock, NULL) != RC_OK)
			_exit(99);
		_exit(what());
	}
	waitpid(pid, &status, 0);
	return status;
}

enum { KILLED = -1 };

static const struct {
	const char *name;
	int (*what)(void);
	int strict, wide;
} rows[] = {
	{ "own file", own_file, PASSES, PASSES },
	{ "move to a folder", move_to_a_folder, PASSES, PASSES },
	{ "other file", other_file, DENIED, PASSES },
	{ "write elsewhere", write_elsewhere, DENIED, PASSES },
	{ "thread", thread, PASSES, PASSES },
	{ "inet socket", inet, KILLED, KILLED },
	{ "netlink socket", netlink, KILLED, KILLED },
	{ "unix socket", unix_socket, KILLED, PASSES },
	{ "program", program, KILLED, KILLED },
	{ "process", child, KILLED, KILLED },
	{ "executable memory", executable_memory, KILLED, PASSES },
	{ "ptrace", debug, KILLED, KILLED },
	{ "signal to another", kill_parent, DENIED, DENIED },
	{ "set the clock", set_time, DENIED, DENIED },
};

static bool
is(int status, int want)
{
	if (want == KILLED)
		return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
	return WIFEXITED(status) && WEXITSTATUS(status) == want;
}

static void
each_profile(void **state)
{
	snprintf(dir, sizeof(dir), "/tmp/chy-sandbox-XXXXXX");
	assert_non_null(mkdtemp(dir));
	if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 2)
		print_message("no Landlock in this kernel: files are not restricted\n");
	else
		landlock = true;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool files = rows[i].what == other_file || rows[i].what == write_elsewhere;
		int strict = in_sandbox(rows[i].what, false), wide = in_sandbox(rows[i].what, true);

		if (!is(strict, files && !landlock ? PASSES : rows[i].strict))
			fail_msg("%s in the strict profile: status %x", rows[i].name, (unsigned)strict);
		if (!is(wide, rows[i].wide))
			fail_msg("%s in the wide profile: status %x", rows[i].name, (unsigned)wide);
	}
	unlink("/tmp/chancery-sandbox-test");
	{
		char path[128];

		snprintf(path, sizeof(path), "%s/file", dir);
		unlink(path);
		snprintf(path, sizeof(path), "%s/sub", dir);
		rmdir(path);
		rmdir(dir);
	}
}

static const struct CMUnitTest tests[] = { CASE(each_profile) };
TESTS_MAIN(tests)
