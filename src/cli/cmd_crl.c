/* Revocation lists: how it stands with them, one built at once, and any shown. */
#include "base/base.h"
#include "cli/flow.h"
#include "cli/groups.h"
#include "cli/kindcmd.h"
#include "cli/liststate.h"
#include "cli/options.h"
#include "base/file.h"
#include "crypto/verify.h"
#include "pki/cert.h"
#include "pki/crl.h"
#include "pki/name.h"

enum { SHOWN = 1000 };

static enum rc
run_list(struct cli *c, struct err *e)
{
	return lists_run(c, "crl", e);
}

static enum rc
run_build(struct cli *c, struct err *e)
{
	struct json *body = json_object(c->a), *answer;
	int64_t id;

	TRY(lists_wait_check(c, e));
	TRY(document_id(c, "crl-procedure", args_text(&c->args, "NAME|ID"), &id, e));
	json_set(body, "crl_procedure", json_int(c->a, id));
	if (args_has(&c->args, "delta"))
		json_set(body, "delta", json_bool(c->a, true));
	NEED(body != NULL, e, CHY_NO_MEMORY, NULL, "request");
	TRY(flow_with_secrets(c, &(struct asked){ "crl.build", NULL, 0, body }, NULL, &answer, e));
	return lists_built(c, "crl", id, args_has(&c->args, "delta"), answer, e);
}

static enum rc
show(struct cli *c, struct arena *a, const struct crl *crl, struct err *e)
{
	OWN_BUF struct buf text = buf_max(16 << 20);

	if (c->out.json) {
		struct json *v = crl_json(a, crl, SHOWN);

		NEED(v != NULL, e, CHY_NO_MEMORY, NULL, "revocation list");
		out_json(&c->out, v);
		return RC_OK;
	}
	crl_put_text(&text, crl, SHOWN);
	NEED(buf_ok(&text), e, CHY_NO_MEMORY, NULL, "revocation list");
	for (struct bytes rest = buf_bytes(&text), line; rest.p && rest.n;) {
		line = text_cut(rest, '\n', &rest);
		out_text(&c->out, line);
		out_line(&c->out, "\n");
	}
	return RC_OK;
}

static enum rc
read_cert(struct cli *c, const char *option, struct cert *ret, struct err *e)
{
	struct bytes in;

	TRY(file_read(c->a, args_text(&c->args, option), 2 * LIMIT_CERT, &in, e));
	return cert_parse_any(c->a, in, ret, e);
}

/* The list is its issuer's, and of now. */
static enum rc
verify(struct cli *c, const struct crl *list, struct err *e)
{
	struct cert ca;

	TRY(read_cert(c, "issuer", &ca, e));
	NEED(name_eq(ca.subject, list->issuer), e, CHY_CRL, NULL, "another authority has issued it");
	TRY(verify_signature(ca.spki, list->sigalg, list->tbs, list->signature, e));
	NEED(list->next_update_at == CRL_NO_TIME || list->next_update_at > clock_now_ms(), e, CHY_CRL, NULL,
	     "it is no longer good: a newer one was due");
	out_note(&c->out, "The signature is the CA's.\n");
	return RC_OK;
}

/* A serial number is one certificate of the issuer that the entry, or one before it, names (RFC 5280 5.3.3). */
static enum rc
find(struct cli *c, struct arena *a, const struct crl *list, struct err *e)
{
	struct bytes rest = list->entries, issuer = list->issuer;
	struct issuing_point point;
	struct crl_entry x;
	struct cert cert;
	char since[32];

	TRY(read_cert(c, "certificate", &cert, e));
	while (crl_next(&rest, &x)) {
		if (x.issuer.p != NULL)
			issuer = x.issuer;
		if (!bytes_eq(x.serial, cert.serial) || !name_eq(issuer, cert.issuer))
			continue;
		out_note(&c->out, "The certificate stands on the list since %s%s%s.\n",
			 time_text(since, x.revoked_at), x.reason == CRL_NO_REASON ? "" : ": ",
			 x.reason == CRL_NO_REASON ? "" : crl_reason_name(x.reason));
		return RC_OK;
	}
	FAIL(e, CHY_CRL_NOT_ON, NULL, "it does not stand on this list%s%s",
	     list->base.p ? ", a delta list" : "",
	     crl_issuing_point(a, list, &point) ? ", which is of a part of the certificates" : "");
}

static enum rc
run_show(struct cli *c, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(3 * (size_t)LIMIT_CRL);
	struct bytes in;
	struct crl crl;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "revocation list");
	TRY(file_read(a, args_text(&c->args, "FILE"), LIMIT_CRL, &in, e));
	TRY(crl_parse_any(a, in, &crl, e));
	TRY(show(c, a, &crl, e));
	if (args_has(&c->args, "issuer"))
		TRY(verify(c, &crl, e));
	return args_has(&c->args, "certificate") ? find(c, a, &crl, e) : RC_OK;
}

static const struct opt show_options[] = {
	{ "issuer", "FILE", OPT_FILE, 0, "verify the signature by this CA certificate" },
	{ "certificate", "FILE", OPT_FILE, 0, "fail unless this certificate stands on it" },
	{ 0 },
};
static const struct opt build_options[] = {
	{ "delta", NULL, OPT_FLAG, 0, "a delta list" },
	OPTIONS_WAIT,
	{ 0 },
};
static const struct operand procedure[] = {
	{ "NAME|ID", OPT_TEXT, OPT_MUST, "the CRL procedure, by its name, path or id" }, { 0 }
};
static const struct operand file[] = { { "FILE", OPT_FILE, OPT_MUST, "the list, DER or PEM" }, { 0 } };

static const struct opt list_options[] = { OPTIONS_PAGE, { 0 } };

const struct command commands_crl[] = {
	{ "crl", "list", "show how it stands with the revocation lists of each CRL procedure",
	  "What is in force, when the next one is due, whether it is late, and what keeps it from being "
	  "built.",
	  list_options, NULL, "chancery crl list --officer anna.p12", run_list },
	{ "crl", "build", "have a revocation list built at once",
	  "Needs the role Manual build of CRL and CIL. Shows number, times and entries once it is there.",
	  build_options, procedure, "chancery crl build \"Issuing CRL\" --officer anna.p12", run_build },
	{ "crl", "show", "show a revocation list that is in a file", "The first 1,000 entries.", show_options,
	  file, "chancery crl show issuing.crl --issuer issuing.pem --certificate web.pem", run_show },
	{ 0 },
};
