/* attribute-certificate: issue, show. */
#include "base/base.h"
#include "base/file.h"
#include "cli/certid.h"
#include "cli/flow.h"
#include "cli/groups.h"
#include "cli/list.h"
#include "cli/options.h"
#include "cli/rest.h"
#include "pki/ac.h"
#include "pki/pem.h"

/* ---- what is asked ---- */

/* One --attribute TYPE=VALUE: the same type again is one more value of it. */
static enum rc
add_attribute(struct cli *c, struct json *list, const char *text, struct err *e)
{
	struct bytes value, type = text_cut(bytes_str(text), '=', &value);
	struct json *o = NULL, *values = NULL;

	NEED(value.p != NULL && type.n > 0, e, CHY_CLI_USAGE, NULL, "--attribute: TYPE=VALUE, not %s", text);
	JSON_EACH(x, list)
	if (bytes_eq(json_get(x, "type")->str, type))
		o = x;
	if (o == NULL) {
		o = json_object(c->a);
		values = json_array(c->a);
		NEED(o != NULL && values != NULL, e, CHY_NO_MEMORY, NULL, "attributes");
		json_set(o, "type", json_str(c->a, type));
		json_set(o, "values", values);
		json_add(list, o);
	}
	json_add(json_get(o, "values"), json_str(c->a, value));
	return RC_OK;
}

static enum rc
base_json(struct cli *c, struct json **ret, struct err *e)
{
	const char *certificate = args_text(&c->args, "certificate"),
		   *subject = args_text(&c->args, "subject");
	struct json *base = json_object(c->a);
	int64_t id;

	NEED((certificate != NULL) + (subject != NULL) == 1, e, CHY_CLI_USAGE, NULL,
	     "one of --certificate and --subject");
	if (certificate != NULL) {
		TRY(cert_id(c, certificate, &id, e));
		json_set(base, "certificate", json_int(c->a, id));
	} else {
		json_set(base, "subject", json_str(c->a, bytes_str(subject)));
	}
	*ret = base;
	return RC_OK;
}

static enum rc
make_body(struct cli *c, struct json **ret, struct err *e)
{
	struct json *body = json_object(c->a), *list = json_array(c->a), *base, *validity = json_object(c->a);
	const char *procedure = args_text(&c->args, "procedure"), *until = args_text(&c->args, "until");
	int64_t id;

	NEED(body && list && validity, e, CHY_NO_MEMORY, NULL, "request");
	TRY(base_json(c, &base, e));
	for (const struct arg *x = NULL; (x = args_next(&c->args, "attribute", x)) != NULL;)
		TRY(add_attribute(c, list, x->value, e));
	json_set(body, "token_procedure",
		 int_parse(bytes_str(procedure), 1, JSON_INT_MAX, &id, NULL) == RC_OK
		     ? json_int(c->a, id)
		     : json_str(c->a, bytes_str(procedure)));
	json_set(body, "base", base);
	json_set(body, "attributes", list);
	if (until != NULL) {
		json_set(validity, "not_after", json_str(c->a, bytes_str(until)));
		json_set(body, "validity", validity);
	}
	*ret = body;
	return RC_OK;
}

/* ---- what came ---- */

static enum rc
write_out(struct cli *c, const struct json *made, struct err *e)
{
	const char *out = args_text(&c->args, "out");
	OWN_BUF struct buf pem = buf_max(4 * LIMIT_CERT);
	struct bytes text, der;

	if (out == NULL)
		return RC_OK;
	JSON_EACH(x, made)
	{
		TRY(json_need_str(x, "der", &text, e));
		TRY(base64_parse(c->a, text, &der, e));
		pem_put(&pem, "ATTRIBUTE CERTIFICATE", der);
	}
	NEED(buf_ok(&pem), e, CHY_NO_MEMORY, NULL, "attribute certificates");
	return file_write(out, buf_bytes(&pem), 0644, e);
}

static enum rc
run_issue(struct cli *c, struct err *e)
{
	struct json *body = NULL, *answer = NULL;
	const struct json *made;
	int64_t id;

	TRY(make_body(c, &body, e));
	TRY(flow_run(c, &(struct asked){ "attribute-certificate.issue", NULL, 0, body }, &answer, e));
	made = json_get(json_get(answer, "result"), "attribute_certificates");
	if (made == NULL)
		return RC_OK; /* the outcome has been told */
	JSON_EACH(x, made)
	{
		TRY(json_need_int(x, "certificate", 1, JSON_INT_MAX, &id, e));
		out_note(&c->out, "Attribute certificate %lld\n", (long long)id);
	}
	return write_out(c, made, e);
}

static enum rc
run_show(struct cli *c, struct err *e)
{
	OWN_BUF struct buf text = buf_max(4 << 20);
	struct rest_call call = { .accept = "application/pkix-attr-cert" };
	struct rest_answer answer;
	struct rest *r;
	struct ac ac;
	int64_t id;

	TRY(cert_id(c, args_text(&c->args, "CERTIFICATE"), &id, e));
	call.path = arena_printf(c->a, "/api/v1/certificates/%lld", (long long)id);
	TRY(cli_rest(c, &r, e));
	TRY(rest_do(r, c->a, &call, &answer, e));
	TRY(ac_parse(c->a, answer.body, &ac, e));
	if (c->out.json) {
		struct json *v = ac_json(c->a, &ac);

		NEED(v != NULL, e, CHY_NO_MEMORY, NULL, "attribute certificate");
		json_set(v, "id", json_int(c->a, id));
		out_json(&c->out, v);
		return RC_OK;
	}
	ac_put_text(&text, &ac);
	NEED(buf_ok(&text), e, CHY_NO_MEMORY, NULL, "attribute certificate");
	for (struct bytes rest = buf_bytes(&text), line; rest.p && rest.n;) {
		line = text_cut(rest, '\n', &rest);
		out_text(&c->out, line);
		out_line(&c->out, "\n");
	}
	return RC_OK;
}

static void
row(struct cli *c, struct out_table *t, const struct json *item)
{
	struct bytes cells[] = { json_line(c->a, json_get(item, "id")),
				 json_line(c->a, json_get(item, "base")),
				 json_line(c->a, json_get(item, "subject")),
				 json_line(c->a, json_get(item, "not_after")) };

	out_table_row(t, cells);
}

static enum rc
run_holder(struct cli *c, struct err *e)
{
	static const char *const heads[] = { "ID", "BASE", "HOLDER", "NOT AFTER", NULL };
	static const char *const filters[] = { "identity=audit_identity", NULL };

	return list_run(c, &(struct list){ "/api/v1/certificates", filters, heads, row }, e);
}

static const struct opt holder_options[] = {
	{ "identity", "HEX", OPT_TEXT, OPT_MUST, "as it stands in a server's audit trail" },
	OPTIONS_PAGE,
	{ 0 },
};

static const struct opt issue_options[] = {
	{ "procedure", "NAME|ID", OPT_TEXT, OPT_MUST, "a token procedure for attribute certificate files" },
	{ "certificate", "CERTIFICATE", OPT_TEXT, 0,
	  "the base: its id, serial number, or a file that holds it" },
	{ "subject", "NAME", OPT_TEXT, 0, "the base: the one valid certificate with this subject" },
	{ "attribute", "TYPE=VALUE", OPT_TEXT, OPT_MANY,
	  "what the holder is: role=URI, group=TEXT, clearance=\"OID CLASS\", and others by number" },
	{ "until", "TIME", OPT_TIME, 0, "when it ends, if earlier than by its procedure" },
	{ "out", "FILE", OPT_FILE, 0, "write what was issued into FILE, as PEM" },
	{ 0 },
};

static const struct operand one[] = { { "CERTIFICATE", OPT_TEXT, OPT_MUST, "its id or serial number", NULL },
				      { 0 } };

const struct command commands_attribute[] = {
	{ "attribute-certificate", "issue", "issue attribute certificates for a certificate that is there",
	  "An attribute certificate says what the holder of a certificate, its base, may do. It has no key.",
	  issue_options, NULL,
	  "chancery attribute-certificate issue --officer rosa.p12 --procedure Clerks --subject "
	  "CN=Alice,O=Example "
	  "--attribute role=urn:role:clerk --out alice.pem",
	  run_issue },
	{ "attribute-certificate", "holder", "find the holder of an audit identity",
	  "Lists the attribute certificates of the holder whose pseudonym it is (RFC 5755 4.3.1).",
	  holder_options, NULL, "chancery attribute-certificate holder --identity 3f0a...", run_holder },
	{ "attribute-certificate", "show", "show an attribute certificate in readable form", NULL, NULL, one,
	  NULL, run_show },
	{ 0 },
};
