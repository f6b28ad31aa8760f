/* authority: the certificates of CAs, for those who must trust them. */
#include "base/base.h"
#include "base/file.h"
#include "cli/cli.h"
#include "cli/flow.h"
#include "cli/groups.h"
#include "cli/kindcmd.h"
#include "cli/list.h"
#include "cli/options.h"
#include "cli/rest.h"
#include "pki/pem.h"

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
	int64_t id, number = args_int(&c->args, "number", 0);

	TRY(document_id(c, "authority", args_text(&c->args, "NAME|ID"), &id, e));
	if (number > 0)
		return get(c,
			   arena_printf(c->a, "/api/v1/authorities/%lld/certificate?version=%lld",
					(long long)id, (long long)number),
			   e);
	return get(c, arena_printf(c->a, "/api/v1/authorities/%lld/%s", (long long)id, part), e);
}

static void
certificate_row(struct cli *c, struct out_table *t, const struct json *item)
{
	static const char *const names[] = { "number",  "origin",     "current",
					     "subject", "not_before", "not_after" };
	struct bytes cells[ARRAY_LEN(names)];

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		cells[i] = json_line(c->a, json_get(item, names[i]));
	out_table_row(t, cells);
}

static enum rc
run_certificates(struct cli *c, struct err *e)
{
	static const char *const heads[] = { "NUMBER",     "ORIGIN",    "CURRENT", "SUBJECT",
					     "NOT BEFORE", "NOT AFTER", NULL };
	static const char *const filters[] = { NULL };
	const char *path;
	int64_t id;

	TRY(document_id(c, "authority", args_text(&c->args, "NAME|ID"), &id, e));
	path = arena_printf(c->a, "/api/v1/authorities/%lld/certificates", (long long)id);
	NEED(path != NULL, e, CHY_NO_MEMORY, NULL, "list");
	return list_run(
	    c,
	    &(struct list){
		.path = path, .filters = filters, .heads = heads, .row = certificate_row, .whole = true },
	    e);
}

/* The request as PEM, once the second officer has signed. */
static enum rc
give_request(struct cli *c, const struct json *answer, struct err *e)
{
	const struct json *text = json_get(json_get(answer, "result"), "request");
	OWN_BUF struct buf pem = buf_max(LIMIT_CSR * 2);
	struct bytes der;

	if (text == NULL || text->type != JSON_STR)
		return RC_OK;
	TRY(base64_parse(c->a, text->str, &der, e));
	pem_put(&pem, "CERTIFICATE REQUEST", der);
	return give(c, buf_bytes(&pem), e);
}

static enum rc
run_request(struct cli *c, struct err *e)
{
	struct json *d, *body, *answer;
	struct asked asked = { "authority.request", kind_of(KIND_AUTHORITY), 0, NULL };
	struct rest *r;

	TRY(document_id(c, "authority", args_text(&c->args, "NAME|ID"), &asked.object, e));
	TRY(cli_rest(c, &r, e));
	TRY(rest_json(r, c->a,
		      arena_printf(c->a, "/api/v1/documents/authority/%lld", (long long)asked.object), NULL,
		      &d, e));
	TRY_AT(json_need_object(d, "body", &body, e), e, "the server's answer");
	asked.body = body;
	TRY(flow_run(c, &asked, &answer, e));
	return give_request(c, answer, e);
}

static enum rc
run_root(struct cli *c, struct err *e)
{
	return get(c, "/api/v1/root", e);
}

static const struct opt certificate_options[] = {
	{ "with-chain", NULL, OPT_FLAG, 0, "with the certificates of the authorities above it" },
	{ "number", "N", OPT_INT, 0, "an earlier or foreign one, by its number in the list" },
	{ "out", "FILE", OPT_FILE, 0, "where it goes; standard output if not given" },
	{ 0 },
};
static const struct opt request_options[] = {
	OPTIONS_CO_OFFICER,
	{ "out", "FILE", OPT_FILE, 0, "where the request goes; standard output if not given" },
	{ 0 },
};
static const struct opt root_options[] = {
	{ "out", "FILE", OPT_FILE, 0, "where it goes; standard output if not given" },
	{ 0 },
};
static const struct operand one[] = {
	{ "NAME|ID", OPT_TEXT, OPT_MUST, "the authority, by its name, path or id" }, { 0 }
};

const struct command commands_authority[] = {
	{ "authority", "certificate", "write an authority's certificate as PEM", NULL, certificate_options,
	  one, "chancery authority certificate \"Issuing CA\" --with-chain --out chain.pem",
	  run_certificate },
	{ "authority", "certificates", "list all certificates that an authority has or had", NULL, NULL, one,
	  "chancery authority certificates \"Issuing CA\"", run_certificates },
	{ "authority", "request", "make a PKCS#10 request by an authority's key, for a foreign CA",
	  "Two officers sign it. What the foreign CA issues is imported by: chancery authority modify, with "
	  "--certificate and --chain for an external subordinate, with --cross-certificates for others.",
	  request_options, one,
	  "chancery authority request --officer anna.p12 --co-officer ben.p12 \"Issuing CA\" --out ca.csr",
	  run_request },
	{ "root", NULL, "write the system root's certificate as PEM",
	  "It comes over the connection that it shall secure: compare its fingerprint with one you got by "
	  "another way before you "
	  "trust it.",
	  root_options, NULL, NULL, run_root },
	{ 0 },
};
