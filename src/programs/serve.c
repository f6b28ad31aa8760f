/*
 * The parent: one loop over signals, messages and restart times. It holds no keys, no database and no listener.
 *
 * The factory and the signer are joined by a socket pair that the parent makes anew with each signer: the signer gets its end
 * as descriptor 3, the factory the other by SCM_RIGHTS. A signer whose link closes has nobody to work for and ends; so when
 * the factory dies both start anew.
 */
#include "base/base.h"
#include "programs/child.h"
#include "programs/control.h"
#include "programs/serve.h"
#include "programs/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

enum {
	BACKOFF_FIRST_MS = 1000,
	STEADY_MS = 3000, /* a program that ran so long starts again at once */
	START_FAILS_MAX = 5,
	KILL_AFTER_MS = 5000,
};

struct program {
	const char *name, *path;
	pid_t pid;           /* 0: does not run */
	int64_t started_ms;  /* monotonic, as all here */
	int64_t start_at_ms; /* when to start it again */
	int64_t backoff_ms;  /* before the next one but this */
	unsigned fails;      /* starts in a row that did not last */
};

enum phase { STARTING, RUNNING, STOPPING_FACTORY, STOPPING_SIGNER, OVER };

struct serve {
	struct config config;
	const char *config_path;
	struct program factory, signer, distributor;
	int control;  /* to the factory, -1: none */
	int link;     /* the factory's end of a signer's link that it has not got yet, -1: none */
	int out_link; /* the same of a distributor's */
	int signals;
	struct sockets
	    sockets; /* of systemd; stay open here, so that connections wait while a factory starts */
	int64_t ping_ms,
	    ping_at_ms; /* how often, and when next, systemd's watchdog is told that we live; 0: never */
	enum phase phase;
	int64_t kill_at_ms; /* while stopping */
	bool insisted;      /* SIGTERM was sent already */
	int exit_code;
};

static int64_t
now_ms(void)
{
	return clock_mono_us() / 1000;
}

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Starting. */

static void
note_started(struct program *p)
{
	p->started_ms = now_ms();
	LOG(INFO, "serve.started", LS("program", p->name), LI("pid", p->pid));
}

static enum rc
start_factory(struct serve *s, struct err *e)
{
	const char *const more[] = { "--sockets", s->sockets.text, NULL };
	int pair[2], fds[1 + SOCKETS_MAX];
	enum rc rc;

	TRY(control_pair(pair, e));
	fds[0] = pair[1];
	memcpy(fds + 1, s->sockets.fd, s->sockets.n * sizeof(fds[0]));
	rc = child_start(s->factory.path, s->config_path, s->sockets.n > 0 ? more : NULL, fds,
			 1 + s->sockets.n, &s->factory.pid, e);
	close(pair[1]);
	if (rc != RC_OK) {
		close(pair[0]);
		return rc;
	}
	s->control = pair[0];
	note_started(&s->factory);
	return RC_OK;
}

/* The signer is handed the open file, so that it need not be able to open it. */
static enum rc
open_passphrase(const struct serve *s, int *ret, struct err *e)
{
	const char *path = s->config.signer.passphrase_file;

	*ret = open(path ? path : "/dev/null", O_RDONLY | O_CLOEXEC);
	NEED(*ret >= 0, e, CHY_CONFIG_FILE, NULL, "%s: %s", path ? path : "/dev/null", strerror(errno));
	return RC_OK;
}

static enum rc
start_signer(struct serve *s, struct err *e)
{
	int pair[2], fds[2];
	enum rc rc;

	TRY(open_passphrase(s, &fds[1], e));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
		close(fds[1]);
		FAIL(e, CHY_SYSTEM, NULL, "socketpair: %s", strerror(errno));
	}
	fds[0] = pair[1];
	rc = child_start(s->signer.path, s->config_path, NULL, fds, 2, &s->signer.pid, e);
	close(pair[1]);
	close(fds[1]);
	if (rc != RC_OK) {
		close(pair[0]);
		return rc;
	}
	close_fd(&s->link);
	s->link = pair[0];
	note_started(&s->signer);
	return RC_OK;
}

static enum rc
start_distributor(struct serve *s, struct err *e)
{
	int pair[2];
	enum rc rc;

	NEED(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0, e, CHY_SYSTEM, NULL,
	     "socketpair: %s", strerror(errno));
	rc = child_start(s->distributor.path, s->config_path, NULL, &pair[1], 1, &s->distributor.pid, e);
	close(pair[1]);
	if (rc != RC_OK) {
		close(pair[0]);
		return rc;
	}
	close_fd(&s->out_link);
	s->out_link = pair[0];
	note_started(&s->distributor);
	return RC_OK;
}

static void begin_stop(struct serve *s, int exit_code);

static void
pass_link(struct serve *s, enum control_type type, int *link)
{
	struct err e = { 0 };

	if (*link < 0 || s->control < 0)
		return;
	if (control_send(s->control, type, *link, NULL, &e) != RC_OK)
		LOG(WARNING, "serve.link-not-passed",
		    LE(&e)); /* the factory is going: its end is being reaped */
	close_fd(link);
}

/* Nothing goes out from a status node. */
static bool
has_distributor(const struct serve *s)
{
	return !config_is_status_node(&s->config);
}

/* What keeps the distributor from starting keeps nobody else from working. It comes after the factory, for it has nobody to
   work for before; the first link to the factory is the signer's. */
static void
start_distributor_if_due(struct serve *s)
{
	struct err e = { 0 };

	if (!has_distributor(s) || s->distributor.pid != 0 || s->factory.pid == 0 ||
	    now_ms() < s->distributor.start_at_ms)
		return;
	if (start_distributor(s, &e) != RC_OK) {
		LOG(ERROR, "serve.start-failed", LE(&e));
		s->distributor.start_at_ms = now_ms() + BACKOFF_FIRST_MS;
	}
}

static void
start_what_is_due(struct serve *s)
{
	struct err e = { 0 };
	enum rc rc = RC_OK;

	if (s->phase > RUNNING)
		return;
	if (s->signer.pid == 0 && now_ms() >= s->signer.start_at_ms)
		rc = start_signer(s, &e);
	if (rc == RC_OK && s->factory.pid == 0 && now_ms() >= s->factory.start_at_ms)
		rc = start_factory(s, &e);
	if (rc != RC_OK) {
		LOG(ERROR, "serve.start-failed", LE(&e));
		if (s->phase == STARTING)
			begin_stop(s, 1);
		s->signer.start_at_ms = s->factory.start_at_ms = now_ms() + BACKOFF_FIRST_MS;
	}
	pass_link(s, CONTROL_SIGNER, &s->link);
	start_distributor_if_due(s);
	if (s->link < 0)
		pass_link(s, CONTROL_DISTRIBUTOR, &s->out_link);
}

/* Ending. */

static void
begin_stop(struct serve *s, int exit_code)
{
	struct err e = { 0 };

	if (s->phase >= STOPPING_FACTORY)
		return;
	s->exit_code = exit_code;
	s->phase = STOPPING_FACTORY;
	s->insisted = false;
	s->kill_at_ms = now_ms() + s->config.serve.drain_seconds * 1000 + KILL_AFTER_MS;
	sd_notify(0, "STOPPING=1\nSTATUS=finishing open requests");
	LOG(INFO, "serve.stopping", LI("drain_seconds", s->config.serve.drain_seconds));
	if (s->control >= 0 && control_send(s->control, CONTROL_STOP, -1, NULL, &e) != RC_OK &&
	    s->factory.pid > 0)
		kill(s->factory.pid, SIGTERM);
}

/* The factory is gone: now the signer, whose link is closed, may end; and we with it. */
static void
go_on_stopping(struct serve *s)
{
	if (s->phase == STOPPING_FACTORY && s->factory.pid == 0) {
		s->phase = STOPPING_SIGNER;
		s->insisted = true;
		s->kill_at_ms = now_ms() + KILL_AFTER_MS;
		close_fd(&s->link);
		close_fd(&s->out_link);
		if (s->signer.pid > 0)
			kill(s->signer.pid, SIGTERM);
		if (s->distributor.pid > 0)
			kill(s->distributor.pid, SIGTERM);
	}
	if (s->phase == STOPPING_SIGNER && s->signer.pid == 0 && s->distributor.pid == 0)
		s->phase = OVER;
}

/* Time is up: first the polite signal, then the other. */
static void
insist(struct serve *s)
{
	struct program *p = s->phase == STOPPING_FACTORY ? &s->factory
	    : s->signer.pid > 0                          ? &s->signer
							 : &s->distributor;

	if (s->phase < STOPPING_FACTORY || s->phase == OVER || p->pid == 0 || now_ms() < s->kill_at_ms)
		return;
	LOG(WARNING, s->insisted ? "serve.killing" : "serve.insisting", LS("program", p->name));
	kill(p->pid, s->insisted ? SIGKILL : SIGTERM);
	s->insisted = true;
	s->kill_at_ms = now_ms() + KILL_AFTER_MS;
}

static bool
ended_well(int status)
{
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void
log_ended(const struct program *p, int status)
{
	if (WIFSIGNALED(status))
		LOG(ERROR, "serve.died", LS("program", p->name), LI("signal", WTERMSIG(status)));
	else if (WEXITSTATUS(status) != 0)
		LOG(ERROR, "serve.failed", LS("program", p->name), LI("status", WEXITSTATUS(status)));
	else
		LOG(INFO, "serve.ended", LS("program", p->name));
}

/* When to start it again: at once after a long run or an orderly end, else ever later. */
static void
plan_restart(struct program *p, int status, int64_t longest_ms)
{
	bool steady = now_ms() - p->started_ms >= STEADY_MS;

	if (steady || ended_well(status)) {
		p->fails = 0;
		p->backoff_ms = 0;
	} else {
		p->fails++;
	}
	p->start_at_ms = now_ms() + p->backoff_ms;
	p->backoff_ms = p->backoff_ms == 0 ? BACKOFF_FIRST_MS : p->backoff_ms * 2;
	if (p->backoff_ms > longest_ms)
		p->backoff_ms = longest_ms;
}

/* A program that says no at the very start (wrong passphrase, no certificate) will say so again; not so one whose peer died. */
static bool
hopeless(const struct serve *s, const struct program *p, int status)
{
	bool refused = WIFEXITED(status) && WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != EX_TEMPFAIL;

	return s->phase == STARTING && p != &s->distributor && (refused || p->fails >= START_FAILS_MAX);
}

static void
ended(struct serve *s, struct program *p, int status)
{
	p->pid = 0;
	log_ended(p, status);
	if (p == &s->factory)
		close_fd(&s->control);
	if (p == &s->signer)
		close_fd(&s->link);
	if (p == &s->distributor)
		close_fd(&s->out_link);
	if (s->phase > RUNNING)
		return;
	plan_restart(p, status, s->config.serve.restart_ms_max);
	if (hopeless(s, p, status))
		begin_stop(s, 1);
}

static void
reap(struct serve *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == s->factory.pid)
			ended(s, &s->factory, status);
		else if (pid == s->signer.pid)
			ended(s, &s->signer, status);
		else if (pid == s->distributor.pid)
			ended(s, &s->distributor, status);
	}
}

/* What comes in. */

static void
on_signal(struct serve *s)
{
	struct signalfd_siginfo info;

	if (read(s->signals, &info, sizeof(info)) != (ssize_t)sizeof(info) || info.ssi_signo == SIGCHLD)
		return; /* the children are looked after in each round */
	if (s->phase > RUNNING)
		s->kill_at_ms = now_ms(); /* asked twice */
	begin_stop(s, 0);
}

static void
on_ready(struct serve *s, const char *text)
{
	if (s->phase != STARTING)
		return;
	s->phase = RUNNING;
	sd_notifyf(0, "READY=1\nSTATUS=%s", text);
	LOG(INFO, "serve.ready", LS("listeners", text));
}

static void
on_control(struct serve *s)
{
	struct control m;
	struct err e = { 0 };

	if (control_recv(s->control, 0, &m, &e) != RC_OK) {
		if (e.code != CHY_CONTROL_TIMEOUT)
			close_fd(&s->control); /* its end is being reaped */
		return;
	}
	if (m.fd >= 0)
		close(m.fd);
	if (m.type == CONTROL_READY)
		on_ready(s, m.text);
	else if (m.type == CONTROL_STATUS)
		sd_notifyf(0, "STATUS=%s", m.text);
}

/* systemd's watchdog sees that this loop goes round; the other programs are this loop's own business. */
static void
ping_when_due(struct serve *s)
{
	if (s->ping_ms == 0 || now_ms() < s->ping_at_ms)
		return;
	sd_notify(0, "WATCHDOG=1");
	s->ping_at_ms = now_ms() + s->ping_ms;
}

/* Until something is due. */
static int
wait_ms(const struct serve *s)
{
	int64_t at = s->ping_ms > 0 ? s->ping_at_ms : INT64_MAX, wait;

	if (s->phase > RUNNING && s->factory.pid == 0 && s->signer.pid == 0 && s->distributor.pid == 0)
		return 0;
	if (s->phase > RUNNING && s->kill_at_ms < at)
		at = s->kill_at_ms;
	if (s->phase <= RUNNING && s->signer.pid == 0 && s->signer.start_at_ms < at)
		at = s->signer.start_at_ms;
	if (s->phase <= RUNNING && s->factory.pid == 0 && s->factory.start_at_ms < at)
		at = s->factory.start_at_ms;
	if (s->phase <= RUNNING && has_distributor(s) && s->distributor.pid == 0 &&
	    s->distributor.start_at_ms < at)
		at = s->distributor.start_at_ms;
	if (at == INT64_MAX)
		return -1;
	wait = at - now_ms();
	return wait < 0 ? 0 : wait > 60000 ? 60000 : (int)wait;
}

static void
one_round(struct serve *s)
{
	struct pollfd fds[2] = { { .fd = s->signals, .events = POLLIN },
				 { .fd = s->control, .events = POLLIN } };

	if (poll(fds, 2, wait_ms(s)) > 0) {
		if (fds[1].revents != 0 && s->control >= 0)
			on_control(s);
		if (fds[0].revents != 0)
			on_signal(s);
	}
	reap(s);
	go_on_stopping(s);
	insist(s);
	start_what_is_due(s);
	ping_when_due(s);
}

/* A third of the time that systemd gives, so that a slow round does no harm. */
static void
know_watchdog(struct serve *s)
{
	uint64_t us;

	if (sd_watchdog_enabled(0, &us) > 0)
		s->ping_ms = us < 3000 ? 1 : (int64_t)(us / 3000);
}

static enum rc
prepare(struct serve *s, struct arena *a, const struct serve_options *o, struct err *e)
{
	struct config_problems all;
	enum log_level level = LOG_INFO;
	sigset_t set;
	enum rc rc = config_load(a, o->config_path, &s->config, &all, e);

	for (size_t i = 0; rc != RC_OK && i + 1 < all.n; i++) /* the first is in *e */
		LOG(ERROR, "serve.configuration", LE(&all.list[i + 1].err));
	TRY(rc);
	log_level_parse(bytes_str(s->config.log.level), &level);
	log_init("chancery", strcmp(s->config.log.format, "json") == 0, o->quiet ? LOG_WARNING : level);
	s->config_path = s->config.path;
	TRY(sockets_take(&s->sockets, e));
	know_watchdog(s);
	TRY(child_find(a, "chancery-signer", &s->signer.path, e));
	TRY(child_find(a, "chancery-factory", &s->factory.path, e));
	TRY(child_find(a, "chancery-distributor", &s->distributor.path, e));
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	NEED(s->signals >= 0, e, CHY_SYSTEM, NULL, "signalfd: %s", strerror(errno));
	signal(SIGPIPE, SIG_IGN);
	return RC_OK;
}

int
serve_main(const struct serve_options *o)
{
	struct arena OWN(arena_free) *a = arena_new(4 << 20);
	struct serve s = { .factory = { .name = "chancery-factory" },
			   .signer = { .name = "chancery-signer" },
			   .distributor = { .name = "chancery-distributor" },
			   .control = -1,
			   .link = -1,
			   .out_link = -1,
			   .signals = -1 };
	struct err e = { 0 };

	log_init("chancery", false, LOG_INFO);
	if (a == NULL || prepare(&s, a, o, &e) != RC_OK) {
		LOG(ERROR, "serve.not-started", LE(&e));
		return 1;
	}
	start_what_is_due(&s);
	while (s.phase != OVER)
		one_round(&s);
	close_fd(&s.control);
	close_fd(&s.link);
	close_fd(&s.out_link);
	close_fd(&s.signals);
	LOG(INFO, "serve.over", LI("status", s.exit_code));
	return s.exit_code;
}
