#include "base/base.h"

#ifdef CHY_FAULTS

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

enum { FAULTS_MAX = 16, WAIT_STEP_US = 20000, WAIT_STEPS_MAX = 3000 };
enum action { KILL, STOP, WAIT, FAILS };

bool fault_armed;

static struct point {
	struct bytes name;
	long nth; /* 0: every time */
	enum action action;
	atomic_long passed;
} points[FAULTS_MAX];
static unsigned npoints;
static int64_t clock_offset;
static const char *once; /* a file: the first process that hits a point makes it, the others pass */

static void
arm(struct bytes spec)
{
	struct bytes action, nth, name;
	struct point *p = &points[npoints];
	int64_t n = 0;

	name = text_cut(spec, '=', &action);
	name = text_cut(name, '@', &nth);
	if (name.n == 0 || npoints == FAULTS_MAX ||
	    (nth.n > 0 && int_parse(nth, 1, 1 << 30, &n, NULL) != RC_OK))
		return;
	p->name = name;
	p->nth = (long)n;
	p->action = bytes_is(action, "stop") ? STOP
	    : bytes_is(action, "wait")       ? WAIT
	    : bytes_is(action, "fail")       ? FAILS
					     : KILL;
	npoints++;
}

__attribute__((constructor)) static void
fault_init(void)
{
	const char *spec = getenv("CHANCERY_FAULT"), *offset = getenv("CHANCERY_CLOCK_OFFSET_MS");
	struct bytes rest = bytes_str(spec);

	once = getenv("CHANCERY_FAULT_ONCE");
	while (rest.n > 0)
		arm(text_cut(rest, ',', &rest));
	fault_armed = npoints > 0;
	if (offset != NULL &&
	    int_parse(bytes_str(offset), INT64_MIN / 2, INT64_MAX / 2, &clock_offset, NULL) != RC_OK)
		clock_offset = 0;
}

/* The armed point of this name and action class whose turn it is. */
static struct point *
due(const char *name, bool fails)
{
	for (unsigned i = 0; i < npoints; i++) {
		struct point *p = &points[i];

		if ((p->action == FAILS) != fails || !bytes_is(p->name, name))
			continue;
		if (atomic_fetch_add(&p->passed, 1) + 1 == p->nth || p->nth == 0)
			return p;
	}
	return NULL;
}

static bool
first_time(void)
{
	int fd;

	if (once == NULL)
		return true;
	fd = open(once, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void
wait_for_test(void)
{
	for (int i = 0; i < WAIT_STEPS_MAX && once != NULL && access(once, F_OK) == 0; i++)
		usleep(WAIT_STEP_US);
}

void
fault_hit(const char *name)
{
	struct point *p = due(name, false);

	if (p == NULL || !first_time())
		return;
	if (p->action == WAIT)
		wait_for_test();
	else
		kill(getpid(), p->action == STOP ? SIGSTOP : SIGKILL);
}

bool
fault_asked(const char *name)
{
	return due(name, true) != NULL;
}

int64_t
fault_clock_offset_ms(void)
{
	return clock_offset;
}

#endif
