#include "base/base.h"
#include "programs/offline.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "programs/child.h"
#include "programs/config.h"
#include "programs/control.h"

enum { OUTCOME_MAX = 1 << 20, INPUT_MAX = 4 << 20 };

/* How the two are started. */
struct offline {
	struct arena *a;
	const char *config, *option, *in, *out;
	pid_t signer, factory;
};

static enum rc
start_signer(struct offline *o, int *ret_link, struct err *e)
{
	const char *path;
	struct config config;
	int link[2], fds[2];
	enum rc rc;

	TRY(config_load(o->a, o->config, &config, NULL, e));
	TRY(child_find(o->a, "chancery-signer", &path, e));
	fds[1] = open(config.signer.passphrase_file, O_RDONLY | O_CLOEXEC);
	NEED(fds[1] >= 0, e, CHY_FILE_OPEN, NULL, "%s: %s", config.signer.passphrase_file, strerror(errno));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, link) != 0) {
		close(fds[1]);
		FAIL(e, CHY_SYSTEM, NULL, "socketpair: %s", strerror(errno));
	}
	fds[0] = link[1];
	rc = child_start(path, o->config, NULL, fds, 2, &o->signer, e);
	close(fds[0]);
	close(fds[1]);
	if (rc != RC_OK)
		close(link[0]);
	*ret_link = link[0];
	return rc;
}

static enum rc
start_factory(struct offline *o, int *ret_control, struct err *e)
{
	const char *more[] = { o->option, o->in, "--outcome", o->out, NULL }, *path;
	int control[2];
	enum rc rc;

	TRY(child_find(o->a, "chancery-factory", &path, e));
	TRY(control_pair(control, e));
	rc = child_start(path, o->config, more, &control[1], 1, &o->factory, e);
	close(control[1]);
	if (rc != RC_OK)
		close(control[0]);
	*ret_control = control[0];
	return rc;
}

static enum rc
run_both(struct offline *o, struct err *e)
{
	int link, control;
	enum rc rc;

	TRY(start_signer(o, &link, e));
	rc = start_factory(o, &control, e);
	if (rc == RC_OK) {
		rc = control_send(control, CONTROL_SIGNER, link, "", e);
		close(link);
		if (rc == RC_OK)
			waitpid(o->factory, NULL, 0);
		close(control);
	} else {
		close(link);
	}
	waitpid(o->signer, NULL, 0); /* it ends when its link is closed */
	return rc;
}

enum rc
offline_run(struct arena *a, const char *config, const char *dir, const char *option, const struct json *in,
	    struct json **ret, struct err *e)
{
	struct offline o = { .a = a,
			     .config = config,
			     .option = option,
			     .in = arena_printf(a, "%s/%s-request.json", dir, option + 2),
			     .out = arena_printf(a, "%s/%s-outcome.json", dir, option + 2) };
	OWN_BUF struct buf text = buf_max(INPUT_MAX);
	struct bytes outcome;
	enum rc rc;

	*ret = NULL;
	NEED(o.in != NULL && o.out != NULL, e, CHY_NO_MEMORY, NULL, "a path");
	json_put_pretty(&text, in);
	NEED(buf_ok(&text), e, CHY_NO_MEMORY, NULL, "what is handed over");
	TRY(file_write(o.in, buf_bytes(&text), 0600, e));
	unlink(o.out);
	rc = run_both(&o, e);
	unlink(o.in);
	TRY(rc);
	if (access(o.out, F_OK) != 0)
		return RC_OK;
	TRY(file_read(a, o.out, OUTCOME_MAX, &outcome, e));
	unlink(o.out);
	return json_parse(a, outcome, ret, e);
}
