/* The program `chancery`: the command line, and the parent of the server. Wiring only. */
#include "base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/cli.h"
#include "cli/flow.h"
#include "cli/pin.h"
#include "distributor/secrets.h"
#include "programs/child.h"
#include "programs/config.h"
#include "programs/rescue.h"
#include "programs/serve.h"
#include "programs/setup.h"
#include "signer/witness.h"

/* ---- serve ---- */

static enum rc
run_serve(struct cli *c, struct err *e)
{
	int code = serve_main(
	    &(struct serve_options){ .config_path = args_text(&c->args, "config"), .quiet = c->out.quiet });

	NEED(code == 0, e, CHY_CLI_SOME_FAILED, NULL, "the server ended with code %d; its log says why",
	     code);
	return RC_OK;
}

/* ---- backup, restore: the factory's program does it, for it alone knows databases ---- */

static enum rc
run_factory(struct cli *c, const char *option, const char *file, struct err *e)
{
	const char *path, *more[] = { option, file, NULL };
	int status = -1;
	pid_t pid;

	TRY(child_find(c->a, "chancery-factory", &path, e));
	TRY(child_start(path, args_text(&c->args, "config"), more, NULL, 0, &pid, e));
	NEED(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0, e,
	     CHY_CLI_SOME_FAILED, NULL, "it was not done; the lines above say why");
	return RC_OK;
}

static enum rc
run_backup(struct cli *c, struct err *e)
{
	const char *to = args_text(&c->args, "FILE");

	TRY(run_factory(c, "--backup", to, e));
	out_note(&c->out, "%s is a whole, checked copy. Back the signer's folder up now, after it.\n", to);
	return RC_OK;
}

/* Where the signer looks at its start (signer/witness.h). Nobody may be writing its journal. */
static enum rc
restart_path(struct cli *c, const char **ret, struct err *e)
{
	struct config config = { 0 };
	const char *lock;
	int fd, busy;

	TRY(config_load(c->a, args_text(&c->args, "config"), &config, NULL, e));
	NEED(config.signer.directory != NULL, e, CHY_CONFIG_FILE, NULL, "[signer] directory is missing");
	lock = arena_printf(c->a, "%s/journal/lock", config.signer.directory);
	*ret = arena_printf(c->a, "%s/journal/" WITNESS_RESTART_NAME, config.signer.directory);
	NEED(lock != NULL && *ret != NULL, e, CHY_NO_MEMORY, NULL, "a path");
	fd = open(lock, O_RDWR | O_CLOEXEC);
	NEED(fd >= 0, e, CHY_FILE_OPEN, NULL, "%s: %s", lock, strerror(errno));
	busy = flock(fd, LOCK_EX | LOCK_NB);
	close(fd);
	NEED(busy == 0, e, CHY_SJ_LOCKED, NULL, "the signer is running: stop the server first");
	return RC_OK;
}

/* The operator's word that the store has gone back for a reason: the signer writes it down at its next start, and the
   journal gets a leaf that names what was cut. */
static enum rc
put_restart(struct cli *c, const char *path, const char *why, struct err *e)
{
	char at[32];

	return file_write(path,
			  bytes_str(arena_printf(c->a, "%s at %s by user %u", why,
						 time_text(at, clock_now_ms()), (unsigned)getuid())),
			  0600, e);
}

static enum rc
run_journal_restart(struct cli *c, struct err *e)
{
	const char *path;

	NEED(args_has(&c->args, "after-restore"), e, CHY_CLI_USAGE, NULL,
	     "--after-restore is the only reason for this");
	TRY(restart_path(c, &path, e));
	TRY(cli_confirm(
	    c,
	    "Has a backup of the database been restored, so that the journal is shorter than what "
	    "was signed? This stays in both journals for ever.",
	    e));
	TRY(put_restart(c, path, "restart after restore", e));
	out_note(&c->out, "Start the server now; \"chancery journal verify\" tells what was cut.\n");
	return RC_OK;
}

static enum rc
run_restore(struct cli *c, struct err *e)
{
	const char *path;

	TRY(restart_path(c, &path, e));
	TRY(cli_confirm(c, "Put the backup in the place of the store? The server must be stopped.", e));
	TRY(run_factory(c, "--restore", args_text(&c->args, "FILE"), e));
	TRY(put_restart(c, path, "store restored", e));
	out_note(&c->out,
		 "Restored; what was there is kept as *.before-restore. At its start the server takes over "
		 "from the "
		 "signer's journal what is younger than the backup.\n");
	return RC_OK;
}

/* ---- secret: passwords of destinations, which the distributor alone opens ---- */

/* A password is a line, a client certificate is a whole file. */
static enum rc
read_secret(struct cli *c, struct buf *out, struct err *e)
{
	const char *pem = args_text(&c->args, "client-certificate-file");
	const struct pin_source from = { args_text(&c->args, "password-file"),
					 (int)args_int(&c->args, "password-fd", -1), "Password" };
	OWN(secret_free)
	struct secret *password = NULL;
	struct bytes text;

	if (pem == NULL) {
		TRY(pin_new(&from, &password, e));
		buf_put(out, secret_bytes(password));
	} else {
		TRY(file_read(c->a, pem, SECRET_MAX, &text, e));
		buf_put(out, text);
	}
	NEED(buf_ok(out), e, CHY_NO_MEMORY, NULL, "a secret");
	return RC_OK;
}

static enum rc
run_secret_seal(struct cli *c, struct err *e)
{
	const char *name = args_text(&c->args, "NAME"), *address = args_text(&c->args, "address");
	struct buf what = buf_max(SECRET_MAX);
	struct config config = { 0 };
	enum rc rc;

	TRY(config_load(c->a, args_text(&c->args, "config"), &config, NULL, e));
	rc = read_secret(c, &what, e);
	if (rc == RC_OK)
		rc = secrets_seal(config.distributor.directory, bytes_str(name), bytes_str(address),
				  buf_bytes(&what), e);
	buf_wipe(&what);
	TRY(rc);
	out_note(&c->out, "Secret \"%s\" is sealed for %s. The distributor reads it when it needs it.\n",
		 name, address);
	return RC_OK;
}

/* ---- config ---- */

static void
show_problems(struct cli *c, const struct config_problems *all, const char *path)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct config_problem *p = &all->list[i];

		if (c->out.json) {
			struct json *o = json_object(c->a);

			json_set(o, "line", json_int(c->a, p->line));
			json_set(o, "code",
				 json_str(c->a, bytes_str(arena_printf(c->a, "CHY-%d", (int)p->err.code))));
			json_set(o, "field", json_str(c->a, bytes_str(p->err.field)));
			json_set(o, "detail", json_str(c->a, bytes_str(p->err.text)));
			out_json_line(&c->out, o);
			continue;
		}
		if (p->line)
			out_line(&c->out, "%s:%u: ", path, p->line);
		out_line(&c->out, "%s%s%s\n", p->err.field, p->err.field[0] ? ": " : "", p->err.text);
	}
	if (all->more)
		out_line(&c->out, "... and %zu more\n", all->more);
}

static enum rc
run_config_check(struct cli *c, struct err *e)
{
	const char *path = args_text(&c->args, "config");
	struct config_problems all = { 0 };
	struct config config = { 0 };
	enum rc rc = config_load(c->a, path, &config, &all, e);

	if (rc == RC_OK)
		rc = config_check(&config, &all, e);
	show_problems(c, &all, path ? path : config.path ? config.path : "configuration");
	TRY(rc);
	NEED(all.n == 0, e, CHY_CLI_SOME_FAILED, NULL, "%zu things are wrong", all.n + all.more);
	out_note(&c->out, "%s: good.\n", config.path ? config.path : "No file, defaults and environment");
	return RC_OK;
}

static enum rc
run_config_reference(struct cli *c, struct err *e)
{
	OWN_BUF struct buf b = buf_max(1 << 20);

	if (args_has(&c->args, "man"))
		config_put_man(&b);
	else
		config_put_reference(&b);
	NEED(buf_ok(&b), e, CHY_NO_MEMORY, NULL, "reference");
	fwrite(b.p, 1, b.n, c->out.to);
	return RC_OK;
}

static const struct opt config_options[] = {
	{ "config", "FILE", OPT_FILE, 0,
	  "the server's configuration; /etc/chancery/chancery.ini if not given" },
	{ 0 },
};
static const struct opt restart_options[] = {
	{ "after-restore", NULL, OPT_FLAG, 0, "a backup of the database has been restored" },
	{ "config", "FILE", OPT_FILE, 0,
	  "the server's configuration; /etc/chancery/chancery.ini if not given" },
	{ 0 },
};
static const struct operand backup_operands[] = { { "FILE", OPT_FILE, OPT_MUST, "the backup", NULL }, { 0 } };
static const struct opt secret_options[] = {
	{ "address", "URL", OPT_TEXT, OPT_MUST, "scheme, host and port that it is for, and no other" },
	{ "password-file", "FILE", OPT_FILE, 0, "its first line is the password; asked for if not given" },
	{ "password-fd", "N", OPT_INT, 0, "the same from a descriptor" },
	{ "client-certificate-file", "FILE", OPT_FILE, 0,
	  "in place of a password: private key and certificate in PEM" },
	{ "config", "FILE", OPT_FILE, 0,
	  "the server's configuration; /etc/chancery/chancery.ini if not given" },
	{ 0 },
};
static const struct operand secret_operands[] = {
	{ "NAME", OPT_TEXT, OPT_MUST, "what distribution rules call it: a-z, 0-9 and hyphen", NULL }, { 0 }
};
static const struct opt reference_options[] = {
	{ "man", NULL, OPT_FLAG, 0, "as roff, for the man page" },
	{ 0 },
};

static const struct command own[] = {
	{ "serve", NULL, "run the server: start, watch and restart its programs",
	  "Runs in the foreground until SIGTERM or SIGINT. A child that dies is started again.",
	  config_options, NULL, "chancery serve --config /etc/chancery/chancery.ini", run_serve },
	{ "store", "backup", "copy the SQLite store while the server runs", NULL, config_options,
	  backup_operands, "chancery store backup --config chancery.ini /backup/monday.db", run_backup },
	{ "store", "restore", "put a backup in the place of the SQLite store", NULL, config_options,
	  backup_operands, "chancery store restore --config chancery.ini /backup/monday.db", run_restore },
	{ "journal", "restart", "let the journal go on from a database that was restored by its own means",
	  "After a restore the journal is shorter than the head that the signer has signed last, and the "
	  "signer "
	  "signs no other one. This has the signer give that head up, once, at its next start: it stands in "
	  "the "
	  "signer's journal and in a leaf of the journal. \"chancery store restore\" does it by itself; this "
	  "is "
	  "for PostgreSQL and for copies of files. What is only in the signer's journal is taken over again.",
	  restart_options, NULL, "chancery journal restart --after-restore --config chancery.ini",
	  run_journal_restart },
	{ "secret", "seal", "seal a destination's password, or a client certificate, on this server",
	  "Distribution rules name it. It is kept sealed with a key of the distributor's own and given to "
	  "the "
	  "address that it was sealed for alone, whatever a rule says. The first one makes that key.",
	  secret_options, secret_operands,
	  "chancery secret seal directory --address ldaps://ldap.example.org --config chancery.ini",
	  run_secret_seal },
	{ "config", "check", "check the server's configuration and say all that is wrong", NULL,
	  config_options, NULL, "chancery config check --config chancery.ini", run_config_check },
	{ "config", "reference", "print a configuration file with every setting explained", NULL,
	  reference_options, NULL, NULL, run_config_reference },
	{ 0 },
};

int
main(int argc, char **argv)
{
	struct command commands[ARRAY_LEN(own) + ARRAY_LEN(rescue_commands) + 1] = { setup_command };

	memcpy(commands + 1, rescue_commands, sizeof(rescue_commands));
	memcpy(commands + 1 + ARRAY_LEN(rescue_commands), own, sizeof(own));
	return cli_main(argc, argv, commands);
}
