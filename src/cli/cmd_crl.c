/* Revocation lists: one built at once, and any shown. */
#include "base/base.h"
#include "cli/flow.h"
#include "cli/groups.h"
#include "cli/kindcmd.h"
#include "cli/options.h"
#include "base/file.h"
#include "pki/crl.h"

enum { SHOWN = 1000 };

static enum rc
run_build(struct cli *c, struct err *e)
{
	struct json *body = json_object(c->a), *answer;
	int64_t id;

	TRY(document_id(c, "crl-procedure", args_text(&c->args, "NAME|ID"), &id, e));
	json_set(body, "crl_procedure", json_int(c->a, id));
	if (args_has(&c->args, "delta"))
		json_set(body, "delta", json_bool(c->a, true));
	NEED(body != NULL, e, CHY_NO_MEMORY, NULL, "request");
	return flow_run(c, &(struct asked){ "crl.build", NULL, 0, body }, &answer, e);
}

static enum rc
run_show(struct cli *c, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(3 * (size_t)LIMIT_CRL);
	OWN_BUF struct buf text = buf_max(16 << 20);
	struct bytes in;
	struct crl crl;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "revocation list");
	TRY(file_read(a, args_text(&c->args, "FILE"), LIMIT_CRL, &in, e));
	TRY(crl_parse_any(a, in, &crl, e));
	if (c->out.json) {
		struct json *v = crl_json(a, &crl, SHOWN);

		NEED(v != NULL, e, CHY_NO_MEMORY, NULL, "revocation list");
		out_json(&c->out, v);
		return RC_OK;
	}
	crl_put_text(&text, &crl, SHOWN);
	NEED(buf_ok(&text), e, CHY_NO_MEMORY, NULL, "revocation list");
	for (struct bytes rest = buf_bytes(&text), line; rest.p && rest.n;) {
		line = text_cut(rest, '\n', &rest);
		out_text(&c->out, line);
		out_line(&c->out, "\n");
	}
	return RC_OK;
}

static const struct opt build_options[] = {
	{ "delta", NULL, OPT_FLAG, 0, "a delta list" },
	{ 0 },
};
static const struct operand procedure[] = {
	{ "NAME|ID", OPT_TEXT, OPT_MUST, "the CRL procedure, by its name, path or id" }, { 0 }
};
static const struct operand file[] = { { "FILE", OPT_FILE, OPT_MUST, "the list, DER or PEM" }, { 0 } };

const struct command commands_crl[] = {
	{ "crl", "build", "have a revocation list built at once",
	  "Needs the role Manual build of CRL and CIL.", build_options, procedure,
	  "chancery crl build \"Issuing CRL\" --officer anna.p12", run_build },
	{ "crl", "show", "show a revocation list that is in a file", "The first 1,000 entries.", NULL, file,
	  "chancery crl show issuing.crl", run_show },
	{ 0 },
};
