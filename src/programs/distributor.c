/*
 * chancery-distributor: the process through which everything goes out. Wiring only. Started by `chancery serve` with the link
 * to the factory as descriptor 3.
 */
#include "base/base.h"

#include <getopt.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "distributor/distributor.h"
#include "programs/config.h"
#include "programs/control.h"
#include "programs/sandbox.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANDBOX = 0 }; /* the sanitizers' runtime does what the sandbox forbids */
#else
enum { SANDBOX = 1 };
#endif

enum { NICE = 5 }; /* what goes out waits for what is issued, when both want the processor */

static enum rc
run(const struct config *c, struct err *e)
{
	OWN(secrets_free)
	struct secrets *secrets = NULL;
	struct sandbox s = { .may_connect = true,
			     .never_listens = true,
			     .writes_apart = true,
			     .folders = c->distributor.folders };
	struct distributor_options o = { .folders = c->distributor.folders };

	TRY(distributor_init(e));
	TRY(secrets_open(c->distributor.directory, &secrets, e));
	o.secrets = secrets;
	if (SANDBOX && c->serve.sandbox)
		TRY(sandbox_enter(&s, e));
	LOG(INFO, "distributor.started", LI("sandboxed", s.seccomp), LI("landlock", s.landlock),
	    LS("folders", c->distributor.folders ? c->distributor.folders : "none"));
	return distributor_run(&o, DISTRIBUTOR_LINK_FD, e);
}

static int
start(const char *path)
{
	OWN(arena_free)
	struct arena *a = arena_new(16 << 20);
	struct config c = { 0 };
	enum log_level level = LOG_INFO;
	struct err e = { 0 };

	if (a == NULL || config_load(a, path, &c, NULL, &e) != RC_OK) {
		LOG(ERROR, "distributor.failed", LE(&e));
		return 1;
	}
	log_level_parse(bytes_str(c.log.level), &level);
	log_init("chancery-distributor", strcmp(c.log.format, "json") == 0, level);
	if (run(&c, &e) != RC_OK) {
		LOG(ERROR, "distributor.failed", LE(&e));
		_exit(1); /* lanes may be at work: nothing of theirs is taken away */
	}
	LOG(INFO, "distributor.ended");
	_exit(0);
}

int
main(int argc, char **argv)
{
	static const struct option known[] = { { "config", required_argument, NULL, 'c' },
					       { "version", no_argument, NULL, 'V' },
					       { NULL, 0, NULL, 0 } };
	struct rlimit none = { 0, 0 };
	const char *path = NULL;
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (c == 'V')
			return puts("chancery-distributor " CHY_VERSION) < 0;
		if (c != 'c')
			return 2;
		path = optarg;
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN); /* a terminal's Ctrl-C is the parent's business: it closes our socket */
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)!nice(NICE);
	return start(path);
}
