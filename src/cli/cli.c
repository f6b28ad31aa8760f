#include "base/base.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/groups.h"
#include "cli/help.h"
#include "cli/key.h"
#include "cli/kindcmd.h"
#include "cli/rest.h"
#include "crypto/crypto.h"
#include "pki/cert.h"
#include "policy/standing.h"

#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

enum { COMMANDS_MAX = 512 };

static const struct command *const groups[] = {
	commands_procedure,   commands_certificate, commands_explain,   commands_request, commands_session,
	commands_officer,     commands_authority,   commands_draft,     commands_journal, commands_log,
	commands_policy,      commands_try,         commands_attribute, commands_token,   commands_status,
	commands_publication, commands_starter,     commands_crl,       commands_search,  commands_selection,
	commands_server,      commands_help,        commands_import,    commands_cil,     commands_doctor,
};

/* ---- the table ---- */

static size_t
take_group(const struct command **list, size_t n, const struct command *group)
{
	for (; group && group->noun && n < COMMANDS_MAX; group++)
		list[n++] = group;
	return n;
}

enum rc
cli_commands(struct arena *a, const struct command *more, struct commands *ret, struct err *e)
{
	const struct command **list = arena_array(a, COMMANDS_MAX, sizeof(*list));
	size_t n = 0, made;

	NEED(list != NULL, e, CHY_NO_MEMORY, NULL, "commands");
	n = take_group(list, n, more);
	for (size_t i = 0; i < ARRAY_LEN(groups); i++)
		n = take_group(list, n, groups[i]);
	for (int k = 0; k < KIND_COUNT; k++) {
		const struct kind *kind = kind_of((enum kind_id)k);

		if (kind == NULL || n + KIND_VERBS > COMMANDS_MAX)
			continue;
		TRY(kind_commands(a, kind, list + n, &made, e));
		n += made;
	}
	*ret = (struct commands){ list, n };
	return RC_OK;
}

/* ---- what commands share ---- */

enum rc
cli_officer(struct cli *c, struct officer_key **ret, struct err *e)
{
	struct pin_source pin = { c->set.pin_file, c->set.pin_fd, NULL };

	NEED(c->set.officer != NULL, e, CHY_CLI_USAGE, NULL,
	     "who acts? give --officer FILE.p12 or --officer pkcs11:..., CHANCERY_OFFICER, or \"officer\" in "
	     "the profile");
	if (c->officer == NULL)
		TRY_AT(officer_key_open(c->set.officer, c->set.pkcs11_module, pin, &c->officer, e), e,
		       "officer");
	*ret = c->officer;
	return RC_OK;
}

/* The officer's own certificate, in time: renewing needs one that is valid still. */
static void
warn_of_end(struct cli *c, const struct officer_key *key)
{
	int64_t now_ms = clock_now_ms();
	struct standing s = { 0 };
	struct cert cert;
	char at[32];

	if (c->out.json || c->out.quiet || cert_parse(c->a, officer_key_cert(key), &cert, NULL) != RC_OK)
		return;
	s.not_before_ms = cert.not_before_at;
	s.not_after_ms = cert.not_after_at;
	if (standing_acts(&s, now_ms) && standing_ends_soon(&s, now_ms))
		fprintf(c->out.err, "The certificate of %s ends at %s; a new one: chancery officer renew\n",
			officer_key_name(key), time_text(at, cert.not_after_at));
}

enum rc
cli_co_officer(struct cli *c, struct officer_key **ret, struct err *e)
{
	const char *spec = args_text(&c->args, "co-officer");
	struct pin_source pin = { args_text(&c->args, "co-pin-file"),
				  (int)args_int(&c->args, "co-pin-fd", -1), NULL };

	if (c->co_officer == NULL && spec != NULL)
		TRY_AT(officer_key_open(spec, c->set.pkcs11_module, pin, &c->co_officer, e), e, "co-officer");
	*ret = c->co_officer;
	return RC_OK;
}

enum rc
cli_rest(struct cli *c, struct rest **ret, struct err *e)
{
	struct officer_key *key = NULL;

	NEED(c->set.server != NULL, e, CHY_CLI_USAGE, NULL,
	     "no server: give --server URL, CHANCERY_SERVER, or \"server\" in the settings file");
	if (c->rest == NULL) {
		if (c->set.officer && bytes_starts(bytes_str(c->set.server), "https://"))
			TRY(cli_officer(c, &key, e));
		TRY(rest_new(&c->set, key, &c->rest, e));
		if (key != NULL)
			warn_of_end(c, key);
	}
	*ret = c->rest;
	return RC_OK;
}

static bool
is_somebody_here(const struct cli *c)
{
	return isatty(STDIN_FILENO) && c->out.terminal;
}

enum rc
cli_confirm_here(struct cli *c, const char *question, struct err *e)
{
	return is_somebody_here(c) ? cli_confirm(c, question, e) : RC_OK;
}

enum rc
cli_confirm(struct cli *c, const char *question, struct err *e)
{
	char line[64] = "";

	if (args_has(&c->args, "yes"))
		return RC_OK;
	NEED(is_somebody_here(c), e, CHY_CLI_USAGE, NULL,
	     "there is nobody to ask \"%s\"; with --yes the answer is yes", question);
	fprintf(c->out.err, "%s [y/N] ", question);
	fflush(c->out.err);
	NEED(fgets(line, sizeof(line), stdin) != NULL && (line[0] == 'y' || line[0] == 'Y'), e,
	     CHY_CLI_CANCELLED, NULL, "nothing was signed");
	return RC_OK;
}

/* ---- errors ---- */

static const char *
what_happened(const struct err *e)
{
	switch (e->rc) {
	case RC_DENIED:
		return "refused";
	case RC_NOT_FOUND:
		return "not found";
	case RC_CONFLICT:
		return "conflict";
	case RC_AGAIN:
		return "try again later";
	case RC_MALFORMED:
		return "not accepted";
	default:
		return "failed";
	}
}

static void
print_error_json(const struct out *o, const struct err *e)
{
	OWN_BUF struct buf b = buf_max(4096);

	buf_printf(&b, "{\"code\":\"CHY-%d\",\"title\":", (int)e->code);
	json_put_str(&b, bytes_str(code_title(e->code)));
	buf_str(&b, ",\"detail\":");
	json_put_str(&b, bytes_str(e->text));
	if (e->cause != CHY_NONE)
		buf_printf(&b, ",\"cause\":\"CHY-%d\"", (int)e->cause);
	if (e->field[0]) {
		buf_str(&b, ",\"field\":");
		json_put_str(&b, bytes_str(e->field));
	}
	if (e->std[0]) {
		buf_str(&b, ",\"standard\":");
		json_put_str(&b, bytes_str(e->std));
	}
	fprintf(o->err, "%s}\n", buf_cstr(&b));
}

void
cli_print_error(const struct out *o, const struct err *e)
{
	struct out to_err = *o;

	if (o->json) {
		print_error_json(o, e);
		return;
	}
	to_err.to = o->err;
	if (e->code == CHY_CLI_USAGE)
		fputs("chancery: ", o->err);
	else {
		fprintf(o->err, "chancery: %s (CHY-%d", what_happened(e), (int)e->code);
		if (e->cause != CHY_NONE)
			fprintf(o->err, ": CHY-%d", (int)e->cause);
		fputs(") ", o->err);
	}
	if (e->field[0]) {
		out_text(&to_err, bytes_str(e->field));
		fputs(": ", o->err);
	}
	out_text(&to_err, bytes_str(e->text));
	if (e->std[0]) {
		fputs(" — ", o->err);
		out_text(&to_err, bytes_str(e->std));
	}
	fputc('\n', o->err);
}

int
cli_exit_code(enum rc rc, const struct err *e)
{
	return rc == RC_OK ? CLI_EXIT_DONE : e->code == CHY_CLI_USAGE ? CLI_EXIT_USAGE : CLI_EXIT_FAILED;
}

/* ---- a run ---- */

static enum rc
show_help(struct cli *c, struct err *e)
{
	OWN_BUF struct buf b = buf_max(4 << 20);

	if (c->args.version)
		buf_str(&b, "chancery " CHY_VERSION "\n");
	else if (c->args.command)
		help_command(&b, c->args.command);
	else if (c->args.noun)
		help_noun(&b, c->all, c->args.noun);
	else
		help_overview(&b, c->all);
	NEED(buf_ok(&b), e, CHY_NO_MEMORY, NULL, "help");
	fwrite(b.p, 1, b.n, c->out.to);
	return RC_OK;
}

/* Nobody reads any more, as behind "| head". */
static bool
is_left(FILE *to)
{
	struct pollfd p = { .fd = fileno(to), .events = POLLOUT };

	return poll(&p, 1, 0) == 1 && (p.revents & (POLLERR | POLLHUP)) != 0;
}

/* What was printed must have arrived: a full disk behind a pipe is a failure, a reader who has gone is none. */
static enum rc
flush(struct cli *c, enum rc rc, struct err *e)
{
	bool lost = fflush(c->out.to) != 0 || ferror(c->out.to);

	c->left = lost && is_left(c->out.to);
	if (lost && !c->left && rc == RC_OK)
		return err_set(e, CHY_FILE_WRITE, NULL, "the output cannot be written");
	return rc;
}

/* As every program in a pipe whose reader has gone; only now, so that nothing was left half done. */
static void
die_of_pipe(void)
{
	signal(SIGPIPE, SIG_DFL);
	raise(SIGPIPE);
}

static enum rc
run(struct cli *c, int argc, char *const *argv, const struct command *more, struct err *e)
{
	struct commands *all = arena_one(c->a, struct commands);
	enum rc rc;

	NEED(all != NULL, e, CHY_NO_MEMORY, NULL, "commands");
	TRY(cli_commands(c->a, more, all, e));
	c->all = all;
	rc = args_parse(c->a, all, argc, argv, &c->args, e);
	out_init(&c->out, stdout, stderr, args_has(&c->args, "json"), args_has(&c->args, "quiet"));
	if (rc != RC_OK)
		return rc;
	if (c->args.help || c->args.version)
		return show_help(c, e);
	TRY(settings_load(c->a, &c->args, environ, &c->set, e));
	TRY(crypto_init(e));
	return c->args.command->run(c, e);
}

/* The server has asked who acts, and nobody had been named. */
static void
hint_at_officer(const struct cli *c, const struct err *e)
{
	if (e->code == CHY_CREDENTIAL_MISSING && c->set.officer == NULL && !c->out.json)
		fputs("Who acts? Give --officer FILE.p12 or --officer pkcs11:..., CHANCERY_OFFICER, or "
		      "\"officer\" in the "
		      "profile.\n",
		      c->out.err);
}

int
cli_main(int argc, char *const *argv, const struct command *more)
{
	struct cli c = { .a = arena_new(CLI_ARENA_MAX) };
	struct err e = { 0 };
	enum rc rc;

	setlocale(LC_CTYPE, "");
	signal(SIGPIPE, SIG_IGN); /* a server that hangs up is an error to be told */
	out_init(&c.out, stdout, stderr, false, false);
	if (c.a == NULL)
		return CLI_EXIT_FAILED;
	rc = run(&c, argc, argv, more, &e);
	rc = flush(&c, rc, &e);
	if (rc != RC_OK) {
		cli_print_error(&c.out, &e);
		hint_at_officer(&c, &e);
	}
	rest_free(c.rest);
	officer_key_free(c.officer);
	officer_key_free(c.co_officer);
	arena_free(c.a);
	if (rc == RC_OK && c.left)
		die_of_pipe();
	return rc != RC_OK && c.failed ? c.failed : cli_exit_code(rc, &e);
}
