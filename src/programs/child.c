#include "base/base.h"
#include "programs/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { FDS_MAX = 12, ARGS_MAX = 8, FIRST_FD = 3, PARKING = 64 };

static const char *
in_folder(struct arena *a, const char *folder, const char *name)
{
	char *path = folder != NULL ? arena_printf(a, "%s/%s", folder, name) : NULL;

	return path != NULL && access(path, X_OK) == 0 ? path : NULL;
}

/* The folder of our own executable. */
static const char *
own_folder(struct arena *a)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	while (n > 0 && path[n - 1] != '/')
		n--;
	return n > 1 ? arena_str(a, bytes_of(path, (size_t)n - 1)) : NULL;
}

enum rc
child_find(struct arena *a, const char *name, const char **ret, struct err *e)
{
	const char *own = own_folder(a);

	*ret = in_folder(a, getenv("CHANCERY_LIBEXEC"), name);
	if (*ret == NULL)
		*ret = in_folder(a, own, name);
	if (*ret == NULL && own != NULL)
		*ret = in_folder(a, arena_printf(a, "%s/../libexec/chancery", own), name);
	NEED(*ret != NULL, e, CHY_PROGRAM_MISSING, NULL, "%s is neither in $CHANCERY_LIBEXEC nor in %s", name,
	     own ? own : "our own folder");
	return RC_OK;
}

/* Between fork and exec: only what is safe after fork in a process with threads. */
static void
become(const char *path, char *const *argv, const int *fds, size_t nfds, pid_t parent)
{
	int parked[FDS_MAX];
	sigset_t none;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(1);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	for (size_t i = 0; i < nfds; i++) /* out of the way of the numbers that they are to get */
		parked[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, PARKING);
	for (size_t i = 0; i < nfds; i++)
		if (parked[i] < 0 || dup2(parked[i], FIRST_FD + (int)i) < 0)
			_exit(126);
	close_range(FIRST_FD + (unsigned)nfds, ~0U, 0);
	execv(path, argv);
	_exit(127);
}

enum rc
child_start(const char *path, const char *config, const char *const *more, const int *fds, size_t nfds,
	    pid_t *ret, struct err *e)
{
	union {
		const char *in[ARGS_MAX + 4];
		char *out[ARGS_MAX + 4];
	} argv = { .in = { path, config ? "--config" : NULL, config, NULL } };
	pid_t parent = getpid(), pid;
	size_t n = config ? 3 : 1;

	for (; more != NULL && *more != NULL; more++) {
		NEED(n < ARGS_MAX + 3, e, CHY_INTERNAL, NULL, "more than %d arguments for a program",
		     ARGS_MAX);
		argv.in[n++] = *more;
	}
	NEED(nfds <= FDS_MAX, e, CHY_INTERNAL, NULL, "%zu descriptors for a program", nfds);
	pid = fork();
	if (pid == 0)
		become(path, argv.out, fds, nfds, parent);
	NEED(pid > 0, e, CHY_PROGRAM_START, NULL, "fork: %s", strerror(errno));
	setpgid(pid, pid); /* here as well: whichever comes first */
	*ret = pid;
	return RC_OK;
}
