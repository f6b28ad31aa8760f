/* What the factory cannot do any more once it has given its rights away; each case in a process of its own. */
#include "test.h"

#include "programs/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static bool cannot_listen(void);

/* Runs fn in a child behind the sandbox; true: it said so. */
static bool
in_sandbox(bool may_connect, bool (*fn)(void))
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		struct sandbox s = { .may_connect = may_connect, .never_listens = fn == cannot_listen };

		_exit(sandbox_enter(&s, NULL) == RC_OK && s.seccomp && fn() ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool
cannot_start_programs(void)
{
	char name[] = "true", *const argv[] = { name, NULL };

	return execv("/bin/true", argv) == -1 && errno == EPERM && fork() == -1 && errno == EPERM &&
	    system("true") != 0;
}

static bool
cannot_trace_or_mount(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1 && errno == EPERM && unshare(CLONE_NEWNS) == -1 &&
	    errno == EPERM && syscall(SYS_io_uring_setup, 1, NULL) == -1 && errno == EPERM &&
	    setuid(0) == -1 && errno == EPERM;
}

static bool
cannot_listen(void)
{
	int s = socket(AF_INET, SOCK_STREAM, 0);

	return s >= 0 && listen(s, 1) == -1 && errno == EPERM && accept(s, NULL, NULL) == -1 &&
	    errno == EPERM;
}

static bool
has_ip(void)
{
	int v4 = socket(AF_INET, SOCK_STREAM, 0), v6 = socket(AF_INET6, SOCK_STREAM, 0);

	return v4 >= 0 && v6 >= 0;
}

static bool
has_no_ip(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) == -1 && errno == EPERM &&
	    socket(AF_INET6, SOCK_DGRAM, 0) == -1 && socket(AF_NETLINK, SOCK_RAW, 0) == -1 &&
	    socket(AF_UNIX, SOCK_STREAM, 0) >= 0;
}

static void *
try_socket(void *arg)
{
	bool *denied = arg;

	*denied = socket(AF_INET, SOCK_STREAM, 0) == -1;
	return NULL;
}

/* Threads still start, and are in it as well. */
static bool
binds_threads(void)
{
	pthread_t t;
	bool denied = false;

	return pthread_create(&t, NULL, try_socket, &denied) == 0 && pthread_join(t, NULL) == 0 && denied;
}

static pthread_barrier_t entered;

static void *
wait_and_try(void *arg)
{
	pthread_barrier_wait(&entered);
	return try_socket(arg);
}

/* Those that ran before it was entered are in it too. */
static void
binds_threads_that_run_already(void **state)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		struct sandbox s = { 0 };
		bool denied = false;
		pthread_t t;

		pthread_barrier_init(&entered, NULL, 2);
		if (pthread_create(&t, NULL, wait_and_try, &denied) != 0 || sandbox_enter(&s, NULL) != RC_OK)
			_exit(2);
		pthread_barrier_wait(&entered);
		pthread_join(t, NULL);
		_exit(denied ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
starts_no_programs(void **state)
{
	assert_true(in_sandbox(false, cannot_start_programs));
	assert_true(in_sandbox(true, cannot_start_programs));
}

static void
traces_and_mounts_nothing(void **state)
{
	assert_true(in_sandbox(false, cannot_trace_or_mount));
}

static void
connects_only_where_the_database_needs_it(void **state)
{
	assert_true(in_sandbox(false, has_no_ip));
	assert_true(in_sandbox(true, has_ip));
	assert_false(in_sandbox(false, has_ip));
}

/* Below the folder that is named everything may be written, elsewhere nothing; reading stays. */
static bool
writes_below(const char *folder, const char *elsewhere)
{
	struct sandbox s = { .may_connect = true, .writes_apart = true, .folders = folder };
	char path[128], to[128], other[128];
	int fd;
	bool ok;

	if (sandbox_enter(&s, NULL) != RC_OK)
		return false;
	snprintf(path, sizeof(path), "%s/.one", folder);
	snprintf(to, sizeof(to), "%s/one", folder);
	snprintf(other, sizeof(other), "%s/one", elsewhere);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	ok = fd >= 0 && write(fd, "x", 1) == 1 && close(fd) == 0 && rename(path, to) == 0 && unlink(to) == 0;
	if (!s.landlock) /* an old kernel: nothing is promised */
		return ok;
	ok = ok && open(other, O_WRONLY | O_CREAT, 0644) == -1 && errno == EACCES &&
	    mkdir(other, 0700) == -1 && errno == EACCES;
	snprintf(other, sizeof(other), "%s/there", elsewhere);
	return ok && open(other, O_RDWR) == -1 && errno == EACCES && unlink(other) == -1 && errno == EACCES &&
	    (fd = open(other, O_RDONLY)) >= 0 && close(fd) == 0;
}

static void
writes_where_it_may(void **state)
{
	char folder[] = "/tmp/chancery-writes.XXXXXX", elsewhere[] = "/tmp/chancery-reads.XXXXXX", path[64];
	int status = 1, fd;
	pid_t pid;

	assert_non_null(mkdtemp(folder));
	assert_non_null(mkdtemp(elsewhere));
	snprintf(path, sizeof(path), "%s/there", elsewhere);
	fd = open(path, O_WRONLY | O_CREAT, 0644);
	assert_true(fd >= 0 && close(fd) == 0);
	pid = fork();
	if (pid == 0)
		_exit(writes_below(folder, elsewhere) ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(elsewhere), 0);
	assert_int_equal(rmdir(folder), 0);
	assert_int_equal(status, 0);
}

static void
listens_nowhere_where_it_never_does(void **state)
{
	assert_true(in_sandbox(true, cannot_listen));
}

static void
goes_on_starting_threads(void **state)
{
	assert_true(in_sandbox(false, binds_threads));
}

static const struct CMUnitTest tests[] = {
	CASE(starts_no_programs),
	CASE(traces_and_mounts_nothing),
	CASE(connects_only_where_the_database_needs_it),
	CASE(listens_nowhere_where_it_never_does),
	CASE(writes_where_it_may),
	CASE(goes_on_starting_threads),
	CASE(binds_threads_that_run_already),
};
TESTS_MAIN(tests)
