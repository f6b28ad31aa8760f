/* certificate revoke, hold, reinstate, status; authority revoke. */
#include "base/base.h"
#include "cli/bulk.h"
#include "cli/certid.h"
#include "cli/flow.h"
#include "cli/groups.h"
#include "cli/options.h"
#include "cli/pin.h"
#include "cli/rest.h"
#include "cli/search.h"
#include "cli/status.h"
#include "model/status.h"

/* ---- what is asked ---- */

static void
add_text(struct cli *c, struct json *body, const char *option, const char *member)
{
	const char *v = args_text(&c->args, option);

	if (v != NULL)
		json_set(body, member, json_str(c->a, bytes_str(v)));
}

/* A check of who asks, or the certificates' revocation password, which goes beside what is signed. */
enum rc
status_verification(struct cli *c, struct json *body, struct json *secrets, struct err *e)
{
	const struct pin_source from = { args_text(&c->args, "password-file"),
					 (int)args_int(&c->args, "password-fd", -1), "Revocation password" };
	bool password = from.file != NULL || from.fd >= 0 || args_has(&c->args, "ask-password");
	const char *checked = args_text(&c->args, "checked");
	OWN(secret_free)
	struct secret *s = NULL;
	struct json *v;

	NEED(!password || checked == NULL, e, CHY_CLI_USAGE, NULL,
	     "give the password or --checked, not both");
	if (checked != NULL) {
		json_set(body, "verification", json_str(c->a, BYTES("manual")));
		json_set(body, "verification_note", json_str(c->a, bytes_str(checked)));
	}
	if (!password)
		return RC_OK;
	TRY(pin_get(&from, &s, e));
	v = json_str(c->a, secret_bytes(s));
	NEED(v != NULL, e, CHY_NO_MEMORY, NULL, "a password");
	json_set(body, "verification", json_str(c->a, BYTES("password")));
	json_set(secrets, "revocation_password", v);
	return RC_OK;
}

/* ---- what came of it ---- */

/* What is there of a certificate whose status is left as it is: it is gone, or told by OCSP from now on. */
static struct bytes
state_of(struct cli *c, const struct json *item)
{
	if (json_get(item, "ocsp_activated_at") != NULL)
		return BYTES("activated");
	return json_line(c->a, json_get(item, json_get(item, "outcome") ? "outcome" : "state"));
}

static void
show_one(struct cli *c, struct out_table *t, const struct json *item)
{
	const struct json *problem = json_get(item, "problem");
	const char *since = json_get(item, "ocsp_activated_at") ? "ocsp_activated_at" : "since";
	struct bytes cells[] = { json_line(c->a, json_get(item, "certificate")),
				 problem ? BYTES("refused") : state_of(c, item),
				 problem ? json_line(c->a, json_get(problem, "code"))
					 : json_line(c->a, json_get(item, "reason")),
				 problem ? json_line(c->a, json_get(problem, "detail"))
					 : json_line(c->a, json_get(item, since)) };

	out_table_row(t, cells);
}

/* A request that waits for a second officer has no outcomes yet. */
static enum rc
show_outcome(struct cli *c, const struct bulk_done *done, struct err *e)
{
	static const char *const heads[] = { "CERTIFICATE", "STATE", "REASON", "SINCE", NULL };
	struct out_table t;

	if (c->out.json)
		bulk_json(c, done);
	else
		JSON_EACH(answer, done->answers)
	if (json_get(json_get(answer, "result"), "certificates") == NULL)
		flow_show_outcome(c, answer);
	out_table_start(&t, &c->out, c->a, heads);
	JSON_EACH(item, done->outcomes)
	show_one(c, &t, item);
	if (done->outcomes->count > 0)
		out_table_end(&t);
	return bulk_end(done, e);
}

enum rc
status_outcome(struct cli *c, const struct json *answer, struct err *e)
{
	struct bulk_done done;

	TRY(bulk_of_one(c, answer, &done, e));
	return show_outcome(c, &done, e);
}

static enum rc
run_many(struct cli *c, struct bulk *b, struct err *e)
{
	struct bulk_done done;

	b->objects = true;
	TRY(bulk_run(c, b, &done, e));
	return show_outcome(c, &done, e);
}

static enum rc
run_act(struct cli *c, const char *act, const char *question, struct err *e)
{
	struct json *body = json_object(c->a), *secrets = json_object(c->a);

	NEED(body != NULL && secrets != NULL, e, CHY_NO_MEMORY, NULL, "request");
	add_text(c, body, "reason", "reason");
	add_text(c, body, "invalid-at", "invalid_at");
	add_text(c, body, "cause", "cause");
	TRY(status_verification(c, body, secrets, e));
	return run_many(
	    c,
	    &(struct bulk){ .act = act,
			    .body = body,
			    .secrets = secrets,
			    .question = question,
			    .most = secrets->count > 0 ? LIMIT_BULK_PASSWORD : LIMIT_BULK_STATUS },
	    e);
}

static enum rc
run_revoke(struct cli *c, struct err *e)
{
	return run_act(c, "certificate.revoke", "Revoke for good?", e);
}

static enum rc
run_hold(struct cli *c, struct err *e)
{
	return run_act(c, "certificate.hold", NULL, e);
}

static enum rc
run_reinstate(struct cli *c, struct err *e)
{
	return run_act(c, "certificate.reinstate", NULL, e);
}

/* No options: neither reason nor cause, and nobody's password. */
static enum rc
run_activate(struct cli *c, struct err *e)
{
	struct json *body = json_object(c->a);

	NEED(body != NULL, e, CHY_NO_MEMORY, NULL, "a request");
	return run_many(
	    c, &(struct bulk){ .act = "certificate.activate-ocsp", .body = body, .most = LIMIT_BULK_STATUS },
	    e);
}

/* Two officers sign; the reason is a text here. */
static enum rc
run_remove(struct cli *c, struct err *e)
{
	struct json *body = json_object(c->a);

	NEED(body != NULL, e, CHY_NO_MEMORY, NULL, "a request");
	add_text(c, body, "because", "reason");
	return run_many(c,
			&(struct bulk){ .act = "certificate.remove",
					.body = body,
					.question = "Remove for good?",
					.most = LIMIT_BULK },
			e);
}

static enum rc
run_authority_revoke(struct cli *c, struct err *e)
{
	return run_act(c, "authority.revoke", "Revoke this authority for good?", e);
}

/* ---- looking ---- */

static enum rc
run_status(struct cli *c, struct err *e)
{
	const struct json *status;
	struct json *explanation;
	struct rest *r;
	int64_t id;

	TRY(cert_id(c, args_text(&c->args, "CERTIFICATE"), &id, e));
	TRY(cli_rest(c, &r, e));
	TRY(rest_json(r, c->a, arena_printf(c->a, "/api/v1/certificates/%lld/explanation", (long long)id),
		      NULL, &explanation, e));
	status = json_get(explanation, "status");
	NEED(status != NULL, e, CHY_CLI_ANSWER, NULL, "the server's answer has no status in it");
	if (c->out.json) {
		out_json(&c->out, status);
		return RC_OK;
	}
	status_show(c, status);
	return RC_OK;
}

/* ---- the commands ---- */

static const struct opt revoke_options[] = {
	{ "reason", "REASON", OPT_CHOICE, OPT_MUST, "why, for all of them", revoke_reasons },
	{ "invalid-at", "TIME", OPT_TIME, 0, "since when the key may have been out" },
	OPTIONS_VERIFICATION,
	OPTIONS_BULK,
	{ 0 },
};
static const struct opt hold_options[] = {
	{ "cause", "TEXT", OPT_TEXT, 0, "what it is held for; each cause is lifted by itself" },
	OPTIONS_VERIFICATION,
	OPTIONS_BULK,
	{ 0 },
};
static const struct opt authority_options[] = {
	{ "reason", "REASON", OPT_CHOICE, OPT_MUST, "why", authority_reasons },
	{ "invalid-at", "TIME", OPT_TIME, 0, "since when the key may have been out" },
	OPTIONS_CO_OFFICER,
	{ 0 },
};
static const struct operand many[] = {
	{ "CERTIFICATE", OPT_FILE, OPT_MANY,
	  "a file that holds it, its serial number, its SHA-256 fingerprint, or its id" },
	{ 0 },
};
static const struct operand one[] = {
	{ "CERTIFICATE", OPT_FILE, OPT_MUST, "a file that holds it, its serial number, or its id" },
	{ 0 },
};

static const struct opt activate_options[] = { OPTIONS_BULK, { 0 } };
static const struct opt remove_options[] = {
	{ "because", "TEXT", OPT_TEXT, OPT_MUST, "why they are removed: the journal keeps it" },
	OPTIONS_BULK,
	OPTIONS_CO_OFFICER,
	{ 0 },
};

const struct command commands_status[] = {
	{ "certificate", "revoke", "revoke certificates for good",
	  "One reason for all of them; more than 1,000 are several requests. On a terminal it asks first, "
	  "unless --yes is "
	  "given. Officers with the role \"Revoke certificate "
	  "with "
	  "password\" alone need the revocation password; with both roles the password or --checked.",
	  revoke_options, many,
	  "chancery certificate revoke 4711 --reason key-compromise --checked \"called back\"", run_revoke },
	{ "certificate", "hold", "put certificates on hold",
	  "Without --cause only valid ones; with it a certificate is held for one more cause.", hold_options,
	  many, "chancery certificate hold 4711 --cause \"card lost\"", run_hold },
	{ "certificate", "reinstate", "lift a hold",
	  "A certificate is valid again when its last cause is lifted.", hold_options, many,
	  "chancery certificate reinstate 4711 --cause \"card lost\"", run_reinstate },
	{ "certificate", "activate-ocsp", "let the OCSP responder tell that certificates are good",
	  "Once for each, where its authority leaves it to an officer (OCSP activation); until then its "
	  "status "
	  "is unknown. Needs the role \"Activate OCSP\".",
	  activate_options, many, "chancery certificate activate-ocsp --officer rosa.p12 4711 4712",
	  run_activate },
	{ "certificate", "status", "show a certificate's state and how it came about", NULL, NULL, one, NULL,
	  run_status },
	{ "certificate", "remove", "remove certificates from the store",
	  "What a foreign CA has issued, at any time; what is ours, when nobody asks for its status any "
	  "more: a day after "
	  "its end, and where it was revoked when the lists have left it out. The journal keeps what it says "
	  "of them. "
	  "Two officers with the role revoke-certificate sign it. Revoking is another thing: what is removed "
	  "is not "
	  "revoked by it.",
	  remove_options, many,
	  "chancery certificate remove --officer rosa.p12 --co-officer ben.p12 --because \"retention is "
	  "over\" 4711",
	  run_remove },
	{ "authority", "revoke", "revoke an authority's own certificate",
	  "Two officers with CA and key tasks sign it. The authority issues nothing from then on.",
	  authority_options, one,
	  "chancery authority revoke ca.pem --reason ca-compromise --co-officer ben.p12",
	  run_authority_revoke },
	{ 0 },
};
