/* authority: the certificates of CAs, for those who must trust them. */
#include "base/base.h"
#include "base/file.h"
#include "cli/cli.h"
#include "cli/groups.h"
#include "cli/kindcmd.h"
#include "cli/rest.h"

static enum rc
give(struct cli *c, struct bytes what, struct err *e)
{
	const char *out = args_text(&c->args, "out");

	if (out)
		return file_write(out, what, 0644, e);
	fwrite(what.p, 1, what.n, c->out.to);
	return RC_OK;
}

static enum rc
get(struct cli *c, const char *path, struct err *e)
{
	struct rest_call call = { .path = path, .accept = "application/x-pem-file" };
	struct rest_answer answer;
	struct rest *r;

	NEED(path != NULL, e, CHY_NO_MEMORY, NULL, "certificate");
	TRY(cli_rest(c, &r, e));
	TRY(rest_do(r, c->a, &call, &answer, e));
	return give(c, answer.body, e);
}

static enum rc
run_certificate(struct cli *c, struct err *e)
{
	const char *part = args_has(&c->args, "with-chain") ? "chain" : "certificate";
	int64_t id;

	TRY(document_id(c, "authority", args_text(&c->args, "NAME|ID"), &id, e));
	return get(c, arena_printf(c->a, "/api/v1/authorities/%lld/%s", (long long)id, part), e);
}

static enum rc
run_root(struct cli *c, struct err *e)
{
	return get(c, "/api/v1/root", e);
}

static const struct opt certificate_options[] = {
	{ "with-chain", NULL, OPT_FLAG, 0, "with the certificates of the authorities above it" },
	{ "out", "FILE", OPT_FILE, 0, "where it goes; standard output if not given" },
	{ 0 },
};
static const struct opt root_options[] = {
	{ "out", "FILE", OPT_FILE, 0, "where it goes; standard output if not given" },
	{ 0 },
};
static const struct operand one[] = { { "NAME|ID", OPT_TEXT, OPT_MUST, "the authority, by its name or id" },
				      { 0 } };

const struct command commands_authority[] = {
	{ "authority", "certificate", "write an authority's certificate as PEM", NULL, certificate_options,
	  one, "chancery authority certificate \"Issuing CA\" --with-chain --out chain.pem",
	  run_certificate },
	{ "root", NULL, "write the system root's certificate as PEM",
	  "It comes over the connection that it shall secure: compare its fingerprint with one you got by "
	  "another way before you "
	  "trust it.",
	  root_options, NULL, NULL, run_root },
	{ 0 },
};
