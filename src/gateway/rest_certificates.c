/* Certificates: issuing by session (the hot path), reading, explaining, proving. */
#include "base/base.h"
#include "factory/acts.h"
#include "factory/card_serial.h"
#include "factory/certificates.h"
#include "factory/choice.h"
#include "factory/explain.h"
#include "factory/issue.h"
#include "factory/journal_out.h"
#include "factory/leaf.h"
#include "gateway/rest.h"
#include "gateway/route.h"
#include "pki/ac.h"
#include "pki/pem.h"

enum { FORM_JSON, FORM_DER, FORM_PEM, FORM_AC };

static const char type_der[] = "application/pkix-cert", type_pem[] = "application/x-pem-file",
		  type_ac[] = "application/pkix-attr-cert", type_pkcs10[] = "application/pkcs10",
		  type_json[] = "application/json";

/* ---- issuing ---- */

struct issuing {
	struct http_call *http;
	struct issue_call call;
};

/* Nothing is signed here: the session's token is the word. */
static enum rc
read_choices(const struct json *body, struct issue_request *r, struct err *e)
{
	TRY(choice_publication(body, &r->publication_said, &r->publication, e));
	TRY(json_opt_str(body, "revocation_password", &r->revocation_password, e));
	if (r->revocation_password.n > 0)
		TRY_AT(choice_form_check(r->revocation_password, e), e, "revocation_password");
	return RC_OK;
}

/* Token procedure by name or id, request as PEM or as base64 of the DER. */
static enum rc
read_json(struct http_call *c, struct issue_request *r, struct err *e)
{
	static const char *const names[] = {
		"token_procedure",     "request", "validity",    "attributes", "publication_allowed",
		"revocation_password", "input",   "card_serial", NULL
	};
	const struct json *procedure;
	struct bytes text;
	struct json *body;

	TRY(json_parse(c->arena, c->body, &body, e));
	TRY(json_only(body, names, e));
	procedure = json_get(body, "token_procedure");
	if (procedure != NULL && procedure->type == JSON_INT)
		r->token_procedure = bytes_str(arena_printf(c->arena, "%lld", (long long)procedure->integer));
	else
		TRY(json_need_str(body, "token_procedure", &r->token_procedure, e));
	TRY(json_need_str(body, "request", &text, e));
	text = text_trim(text);
	r->csr_der = text;
	if (!bytes_starts(text, "-----"))
		TRY_AT(base64_parse(c->arena, text, &r->csr_der, e), e, "request");
	r->attributes = json_get(body, "attributes");
	NEED(r->attributes == NULL || r->attributes->type == JSON_ARRAY, e, CHY_JSON_TYPE, NULL,
	     "attributes: a list of {type, values}");
	TRY(read_choices(body, r, e));
	TRY(card_serial_read(body, &r->card_serial, e));
	r->input = json_get(body, "input");
	NEED(r->input == NULL || r->input->type == JSON_OBJECT, e, CHY_JSON_TYPE, NULL,
	     "input: an object, each member an input");
	return act_validity(body, &r->not_before_ms, &r->not_after_ms, e);
}

static enum rc
read_issue(struct http_call *c, struct issue_request *r, struct err *e)
{
	const char *type = route_body_type(c);

	size_t keys;

	r->idempotency_key = http_header_get(&c->head, "Idempotency-Key", &keys);
	NEED(keys <= 1 && r->idempotency_key.n <= 255, e, CHY_TOO_LONG, NULL,
	     "one Idempotency-Key of at most 255 characters");
	if (type != NULL && strcmp(type, type_json) == 0)
		return read_json(c, r, e);
	r->csr_der = c->body;
	r->token_procedure = route_query_text(c, "token-procedure");
	if (r->token_procedure.n == 0) {
		err_field(e, "token-procedure");
		FAIL(e, CHY_JSON_MISSING, NULL, "?token-procedure= is missing");
	}
	return RC_OK;
}

static void
put_attributes(struct buf *b, const struct issue_call *call)
{
	if (call == NULL || call->acs_n == 0)
		return;
	buf_str(b, ",\"attribute_certificates\":[");
	for (size_t i = 0; i < call->acs_n; i++) {
		buf_printf(b, "%s{\"certificate\":\"", i ? "," : "");
		base64_put(b, call->acs[i].done.der);
		buf_printf(b, "\",\"id\":%lld}", (long long)call->acs[i].pending.id);
	}
	buf_u8(b, ']');
}

static void
answer_certificate(struct http_call *c, int status, int64_t id, struct bytes der, bool repeated,
		   const struct issue_call *call)
{
	OWN_BUF struct buf b = buf_max(LIMIT_CERT * 2 * (1 + AC_MOST));
	char location[64];

	snprintf(location, sizeof(location), "/api/v1/certificates/%lld", (long long)id);
	http_set(c, "Location", location);
	switch (c->accept) {
	case FORM_DER:
		http_answer(c, status, type_der, der);
		return;
	case FORM_PEM:
		pem_put(&b, "CERTIFICATE", der);
		http_answer(c, status, type_pem, buf_bytes(&b));
		return;
	default:
		buf_reserve(&b, der.n * 2);
		buf_printf(&b, "{\"id\":%lld,\"repeated\":%s,\"certificate\":\"", (long long)id,
			   repeated ? "true" : "false");
		base64_put(&b, der);
		buf_str(&b, "\"");
		put_attributes(&b, call);
		buf_str(&b, "}");
		http_answer(c, status, type_json, buf_bytes(&b));
	}
}

static void
issued(struct issue_call *call, enum rc rc)
{
	struct issuing *i = call->user;
	struct http_call *c = i->http;

	if (rc == RC_OK)
		answer_certificate(c, call->repeated ? 200 : 201, call->id, call->certificate, call->repeated,
				   call);
	else
		http_problem(c, &call->err);
}

static void
unread(void *arg)
{
	struct issuing *i = arg;

	http_problem(i->http, &i->call.err);
}

static void
post_certificate(void *ctx, struct http_call *c)
{
	struct factory *f = ctx;
	struct issuing *i = arena_one(c->arena, struct issuing);
	const struct session *s = c->caller->more;
	struct err e = { 0 };

	if (i == NULL) {
		err_set(&e, CHY_NO_MEMORY, NULL, "issuing");
		http_problem(c, &e);
		return;
	}
	i->http = c;
	if (read_issue(c, &i->call.request, &i->call.err) != RC_OK) {
		leaf_refusal_start(f,
				   &(struct refusal){ .act = "certificate.issue",
						      .by = "session",
						      .id = s->facts.id.v,
						      .why = &i->call.err },
				   unread, i);
		return;
	}
	i->call.f = f;
	i->call.arena = c->arena;
	i->call.session = s;
	i->call.request.word = WORD_SESSION;
	i->call.request.session = s->facts.id;
	i->call.request.officer = s->officer;
	i->call.done = issued;
	i->call.user = i;
	issue_start(&i->call);
}

/* ---- reading ---- */

/* An attribute certificate is not what application/pkix-cert names (RFC 5877), and the other way round. */
static void
answer_one(struct http_call *c, struct bytes der)
{
	OWN_BUF struct buf b = buf_max(LIMIT_CERT * 2);
	struct err e = { 0 };
	bool ac = ac_is(der);

	if ((c->accept == FORM_DER && ac) || (c->accept == FORM_AC && !ac)) {
		err_set(&e, CHY_NOT_ACCEPTABLE, NULL,
			ac ? "it is an attribute certificate: %s" : "it is none: %s",
			ac ? type_ac : type_der);
		http_problem(c, &e);
		return;
	}
	if (!ac) {
		answer_certificate(c, 200, route_id(c, 0), der, false, NULL);
		return;
	}
	if (c->accept == FORM_AC) {
		http_answer(c, 200, type_ac, der);
		return;
	}
	pem_put(&b, "ATTRIBUTE CERTIFICATE", der);
	http_answer(c, 200, type_pem, buf_bytes(&b));
}

static void
get_certificate(void *ctx, struct http_call *c)
{
	struct factory *f = ctx;
	OWN(snapshot_unref)
	struct snapshot *policy = NULL;
	const struct officer *who = rest_officer(f, c, &policy);
	struct json *ret = NULL;
	struct err e = { 0 };
	struct bytes der;
	enum rc rc;

	if (who == NULL)
		return;
	if (c->accept == FORM_JSON) {
		rc = certificate_show(f, c->arena, policy, who, route_id(c, 0), &ret, &e);
		rest_answer(c, rc, 200, ret, &e);
	} else if (certificate_der(f, c->arena, policy, who, route_id(c, 0), &der, &e) == RC_OK) {
		answer_one(c, der);
	} else {
		http_problem(c, &e);
	}
}

static enum rc
read_query(struct http_call *c, struct certificate_query *q, struct err *e)
{
	struct bytes sha = route_query_text(c, "sha256"), serial = route_query_text(c, "serial"),
		     audit = route_query_text(c, "audit_identity");

	*q = (struct certificate_query){ .authority = route_query_int(c, "authority", 0),
					 .base = route_query_int(c, "base", 0),
					 .after = rest_after(c),
					 .limit = rest_limit(c) };
	if (sha.n > 0)
		TRY_AT(hex_parse(c->arena, sha, &q->sha256, e), e, "sha256");
	if (audit.n > 0)
		TRY_AT(hex_parse(c->arena, audit, &q->audit_identity, e), e, "audit_identity");
	if (serial.n > 0)
		TRY_AT(hex_parse(c->arena, serial, &q->serial, e), e, "serial");
	return RC_OK;
}

static enum rc
ask_certificates(const struct asked *q, struct json **ret, struct err *e)
{
	struct certificate_query wanted;

	TRY(read_query(q->c, &wanted, e));
	return certificate_list(q->f, q->a, q->policy, q->who, &wanted, ret, e);
}

/* May it be seen at all? */
static MUST enum rc
sees(const struct asked *q, struct err *e)
{
	struct bytes der;

	return certificate_der(q->f, q->a, q->policy, q->who, route_id(q->c, 0), &der, e);
}

static enum rc
ask_explanation(const struct asked *q, struct json **ret, struct err *e)
{
	TRY(sees(q, e));
	return explain(q->f, q->a, route_id(q->c, 0), ret, e);
}

static enum rc
ask_proof(const struct asked *q, struct json **ret, struct err *e)
{
	TRY(sees(q, e));
	return journal_proof(q->f, q->a, route_id(q->c, 0), ret, e);
}

#define FORMS \
	{ \
		type_json, type_der, type_pem \
	}

const struct route rest_certificate_routes[] = {
	{ .method = HTTP_POST,
	  .pattern = "/api/v1/certificates",
	  .run = post_certificate,
	  .access = ACCESS_SESSION,
	  .summary = "Issue a certificate by an issuing session",
	  .tag = "certificates",
	  .query = { { "token-procedure", QUERY_TEXT,
		       "Name or id, where the body is a bare PKCS#10 request" } },
	  .bodies = { type_json, type_pkcs10, type_pem },
	  .body_schema = "IssueCall",
	  .body_max = 2 * LIMIT_CSR,
	  .answers = FORMS,
	  .answer_schema = "Issued",
	  .status = 201,
	  .flags = ROUTE_INLINE | ROUTE_WRITES },
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/certificates",
	  .run = rest_ask,
	  .ask = ask_certificates,
	  .access = ACCESS_OFFICER,
	  .summary = "Certificates by id, fingerprint, or authority and serial number",
	  .tag = "certificates",
	  .query = { { "sha256", QUERY_TEXT, "SHA-256 of the DER, hexadecimal" },
		     { "serial", QUERY_TEXT, "Serial number, hexadecimal; needs authority" },
		     { "authority", QUERY_INT, "Id of the authority" },
		     { "audit_identity", QUERY_TEXT,
		       "Hexadecimal: the attribute certificates whose holder has it" },
		     { "base", QUERY_INT, "Id of a certificate: the attribute certificates that name it" },
		     { "after", QUERY_INT, "Cursor of the page before" },
		     { "limit", QUERY_INT, "Rows of a page", false, 1, LIMIT_PAGE } },
	  .answers = { type_json },
	  .answer_schema = "CertificatePage" },
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/certificates/{id}",
	  .run = get_certificate,
	  .access = ACCESS_OFFICER,
	  .summary = "One certificate, or attribute certificate",
	  .tag = "certificates",
	  .answers = { type_json, type_der, type_pem, type_ac },
	  .answer_schema = "Certificate" },
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/certificates/{id}/explanation",
	  .run = rest_ask,
	  .ask = ask_explanation,
	  .access = ACCESS_OFFICER,
	  .summary = "How it came about: procedure, rules, signers, lints, journal",
	  .tag = "certificates",
	  .answers = { type_json },
	  .answer_schema = "Explanation" },
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/certificates/{id}/proof",
	  .run = rest_ask,
	  .ask = ask_proof,
	  .access = ACCESS_OFFICER,
	  .summary = "Proof that it is in the journal (RFC 9162 2.1.3)",
	  .tag = "certificates",
	  .answers = { type_json },
	  .answer_schema = "Proof" },
	{ 0 },
};
