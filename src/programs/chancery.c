/* The program `chancery`: the command line, and the parent of the server. Wiring only. */
#include "base/base.h"

#include <sys/wait.h>

#include "cli/cli.h"
#include "cli/flow.h"
#include "programs/child.h"
#include "programs/config.h"
#include "programs/serve.h"
#include "programs/setup.h"

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

static enum rc
run_restore(struct cli *c, struct err *e)
{
	TRY(cli_confirm(c, "Put the backup in the place of the store? The server must be stopped.", e));
	TRY(run_factory(c, "--restore", args_text(&c->args, "FILE"), e));
	out_note(&c->out,
		 "Restored; what was there is kept as *.before-restore. At its start the server takes over "
		 "from the "
		 "signer's journal what is younger than the backup.\n");
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
static const struct operand backup_operands[] = { { "FILE", OPT_FILE, OPT_MUST, "the backup", NULL }, { 0 } };
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
	{ "config", "check", "check the server's configuration and say all that is wrong", NULL,
	  config_options, NULL, "chancery config check --config chancery.ini", run_config_check },
	{ "config", "reference", "print a configuration file with every setting explained", NULL,
	  reference_options, NULL, NULL, run_config_reference },
	{ 0 },
};

int
main(int argc, char **argv)
{
	struct command commands[ARRAY_LEN(own) + 1] = { setup_command };

	memcpy(commands + 1, own, sizeof(own));
	return cli_main(argc, argv, commands);
}
