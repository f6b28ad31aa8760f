/* Issuance lists: how it stands with them, one built at once, any shown, and whether a certificate stands on it. */
#include "base/base.h"
#include "base/file.h"
#include "cli/flow.h"
#include "cli/groups.h"
#include "cli/kindcmd.h"
#include "cli/liststate.h"
#include "cli/options.h"
#include "crypto/digest.h"
#include "crypto/verify.h"
#include "pki/cert.h"
#include "pki/cil.h"

enum { SHOWN = 1000 };

static enum rc
run_list(struct cli *c, struct err *e)
{
	return lists_run(c, "cil", e);
}

static enum rc
run_build(struct cli *c, struct err *e)
{
	struct json *body = json_object(c->a), *answer;
	int64_t id;

	TRY(lists_wait_check(c, e));
	TRY(document_id(c, "cil-procedure", args_text(&c->args, "NAME|ID"), &id, e));
	json_set(body, "cil_procedure", json_int(c->a, id));
	NEED(body != NULL, e, CHY_NO_MEMORY, NULL, "request");
	TRY(flow_with_secrets(c, &(struct asked){ "cil.build", NULL, 0, body }, NULL, &answer, e));
	return lists_built(c, "cil", id, false, answer, e);
}

static enum rc
show(struct cli *c, const struct cil *list, struct err *e)
{
	OWN_BUF struct buf text = buf_max(16 << 20);

	if (c->out.json) {
		struct json *v = cil_json(c->a, list, SHOWN);

		NEED(v != NULL, e, CHY_NO_MEMORY, NULL, "issuance list");
		out_json(&c->out, v);
		return RC_OK;
	}
	cil_put_text(&text, list, SHOWN);
	NEED(buf_ok(&text), e, CHY_NO_MEMORY, NULL, "issuance list");
	for (struct bytes rest = buf_bytes(&text), line; rest.p && rest.n;) {
		line = text_cut(rest, '\n', &rest);
		out_text(&c->out, line);
		out_line(&c->out, "\n");
	}
	return RC_OK;
}

static enum rc
read_cert(struct cli *c, const char *file, struct cert *ret, struct err *e)
{
	struct bytes in;

	TRY(file_read(c->a, file, 2 * LIMIT_CERT, &in, e));
	return cert_parse_any(c->a, in, ret, e);
}

/* The list is its CA's, and of now. */
static enum rc
verify(struct cli *c, const struct cil *list, struct err *e)
{
	struct cert ca;
	int64_t now = clock_now_ms();

	TRY(read_cert(c, args_text(&c->args, "issuer"), &ca, e));
	NEED(bytes_eq(ca.subject, list->issuer), e, CHY_CIL, NULL, "another authority has issued it");
	TRY(verify_signature(ca.spki, list->sigalg, list->tbs, list->signature, e));
	NEED(list->next_update_at > now, e, CHY_CIL, NULL, "it is no longer good: a newer one was due");
	out_note(&c->out, "The signature is the CA's.\n");
	return RC_OK;
}

static enum rc
find(struct cli *c, const struct cil *list, struct err *e)
{
	struct bytes rest = list->entries;
	uint8_t sum[SHA256_LEN];
	struct cil_entry x;
	struct cert cert;

	TRY(read_cert(c, args_text(&c->args, "certificate"), &cert, e));
	sha256(cert.der, sum);
	while (cil_next(&rest, &x)) {
		if (!bytes_eq(x.serial, cert.serial))
			continue;
		NEED(bytes_eq(x.sha256, BYTES_OF(sum)), e, CHY_CIL_NONE, NULL,
		     "its serial number stands there for another certificate");
		out_note(&c->out, "The certificate stands on the list.\n");
		return RC_OK;
	}
	FAIL(e, CHY_CIL_NONE, NULL, "the certificate does not stand in this file (segment %u%s)",
	     list->segment, list->last ? "" : ", others follow");
}

static enum rc
run_show(struct cli *c, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(2 * (size_t)LIMIT_CRL);
	struct bytes in;
	struct cil list;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "issuance list");
	TRY(file_read(a, args_text(&c->args, "FILE"), LIMIT_CRL, &in, e));
	TRY(cil_parse(in, &list, e));
	TRY(show(c, &list, e));
	if (args_has(&c->args, "issuer"))
		TRY(verify(c, &list, e));
	return args_has(&c->args, "certificate") ? find(c, &list, e) : RC_OK;
}

static const struct operand procedure[] = {
	{ "NAME|ID", OPT_TEXT, OPT_MUST, "the CIL procedure, by its name or id" }, { 0 }
};
static const struct operand file[] = { { "FILE", OPT_FILE, OPT_MUST, "the list, DER" }, { 0 } };
static const struct opt show_options[] = {
	{ "issuer", "FILE", OPT_FILE, 0, "verify the signature by this CA certificate" },
	{ "certificate", "FILE", OPT_FILE, 0, "fail unless this certificate stands on it" },
	{ 0 },
};

static const struct opt build_options[] = { OPTIONS_WAIT, { 0 } };
static const struct opt list_options[] = { OPTIONS_PAGE, { 0 } };

const struct command commands_cil[] = {
	{ "cil", "list", "show how it stands with the issuance lists of each CIL procedure",
	  "What is in force, when the next one is due, whether it is late, and what keeps it from being "
	  "built.",
	  list_options, NULL, "chancery cil list --officer anna.p12", run_list },
	{ "cil", "build", "have an issuance list built at once",
	  "Needs the role Manual build of CRL and CIL. Shows number, times and entries once it is there.",
	  build_options, procedure, "chancery cil build \"Issuing CIL\" --officer anna.p12", run_build },
	{ "cil", "show", "show an issuance list that is in a file", "The first 1,000 entries.", show_options,
	  file, "chancery cil show issuing.cil --issuer issuing.pem --certificate web.pem", run_show },
	{ 0 },
};
