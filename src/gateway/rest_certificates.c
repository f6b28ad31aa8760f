/* Certificates: issuing by session (the hot path), reading, explaining, proving. */
#include "base/base.h"
#include "factory/explain.h"
#include "factory/issue.h"
#include "factory/journal_out.h"
#include "factory/leaf.h"
#include "gateway/rest.h"
#include "gateway/route.h"
#include "pki/cert.h"
#include "pki/pem.h"
#include "policy/rights.h"
#include "store/read.h"

enum { FORM_JSON, FORM_DER, FORM_PEM };

static const char type_der[] = "application/pkix-cert", type_pem[] = "application/x-pem-file",
		  type_pkcs10[] = "application/pkcs10", type_json[] = "application/json";

/* ---- issuing ---- */

struct issuing {
	struct http_call *http;
	struct issue_call call;
};

static enum rc
read_validity(const struct json *body, struct issue_request *r, struct err *e)
{
	static const char *const names[] = { "not_before", "not_after", NULL };
	struct bytes from = BYTES_NONE, to = BYTES_NONE;
	struct json *v;

	if (json_get(body, "validity") == NULL)
		return RC_OK;
	TRY(json_need_object(body, "validity", &v, e));
	TRY(json_only(v, names, e));
	TRY(json_opt_str(v, "not_before", &from, e));
	TRY(json_opt_str(v, "not_after", &to, e));
	if (from.n > 0)
		TRY_AT(time_parse(from, &r->not_before_ms, e), e, "validity.not_before");
	if (to.n > 0)
		TRY_AT(time_parse(to, &r->not_after_ms, e), e, "validity.not_after");
	return RC_OK;
}

/* Token procedure by name or id, request as PEM or as base64 of the DER. */
static enum rc
read_json(struct http_call *c, struct issue_request *r, struct err *e)
{
	static const char *const names[] = { "token_procedure", "request", "validity", NULL };
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
	return read_validity(body, r, e);
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
answer_certificate(struct http_call *c, int status, int64_t id, struct bytes der, bool repeated)
{
	OWN_BUF struct buf b = buf_max(LIMIT_CERT * 2);
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
		buf_printf(&b, "{\"id\":%lld,\"repeated\":%s,\"certificate\":\"", (long long)id, repeated ? "true" : "false");
		base64_put(&b, der);
		buf_str(&b, "\"}");
		http_answer(c, status, type_json, buf_bytes(&b));
	}
}

static void
issued(struct issue_call *call, enum rc rc)
{
	struct issuing *i = call->user;
	struct http_call *c = i->http;

	if (rc == RC_OK)
		answer_certificate(c, call->repeated ? 200 : 201, call->id, call->certificate, call->repeated);
	else
		http_problem_rule(c, &call->err, call->rule);
}

static void
post_certificate(void *ctx, struct http_call *c)
{
	struct factory *f = ctx;
	struct issuing *i = arena_one(c->arena, struct issuing);
	const struct session *s = c->caller->more;
	struct err e = { 0 };

	if (i == NULL || read_issue(c, &i->call.request, &e) != RC_OK) {
		if (i == NULL)
			err_set(&e, CHY_NO_MEMORY, NULL, "issuing");
		http_problem(c, &e);
		return;
	}
	i->http = c;
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

/* An officer sees the certificates of authorities that lie in the own domain's view. */
static enum rc
may_see(const struct snapshot *policy, const struct officer *who, const struct certificate_row *row, struct err *e)
{
	const struct document *authority = snapshot_document(policy, doc_id_of(row->issuer));

	if (authority == NULL)
		return RC_OK;
	return may_read(policy, who, authority, e);
}

static struct json *
row_json(struct arena *a, const struct certificate_row *row, struct bytes der)
{
	static const char *const states[] = { "valid", "held", "revoked" };
	struct json *o = json_object(a);
	struct cert cert;

	if (cert_parse(a, der, &cert, NULL) == RC_OK)
		o = cert_json(a, &cert);
	json_set(o, "id", json_int(a, row->id));
	json_set(o, "state", json_str(a, bytes_str(row->status >= 0 && row->status <= 2 ? states[row->status] : "")));
	json_set(o, "authority", json_int(a, row->issuer));
	json_set(o, "token_procedure", json_int(a, row->token_procedure));
	json_set(o, "certificate_procedure", json_int(a, row->certificate_procedure));
	json_set(o, "sha256", json_hex(a, row->fingerprint));
	json_set(o, "der", json_base64(a, der));
	return o;
}

static void
get_certificate(void *ctx, struct http_call *c)
{
	struct factory *f = ctx;
	OWN(snapshot_unref) struct snapshot *policy = NULL;
	const struct officer *who = rest_officer(f, c, &policy);
	struct certificate_row row;
	struct err e = { 0 };
	struct bytes der;

	if (who == NULL)
		return;
	if (store_certificate(f->store, c->arena, route_id(c, 0), &row, &e) != RC_OK ||
	    may_see(policy, who, &row, &e) != RC_OK || store_der(f->store, c->arena, row.id, &der, &e) != RC_OK)
		http_problem(c, &e);
	else if (c->accept == FORM_JSON)
		rest_answer(c, RC_OK, 200, row_json(c->arena, &row, der), &e);
	else
		answer_certificate(c, 200, row.id, der, false);
}

static enum rc
find(struct factory *f, struct http_call *c, struct certificate_row **rows, size_t *n, struct err *e)
{
	struct bytes sha = route_query_text(c, "sha256"), serial = route_query_text(c, "serial"), bin;
	int64_t issuer = route_query_int(c, "authority", 0);

	if (sha.n > 0) {
		TRY_AT(hex_parse(c->arena, sha, &bin, e), e, "sha256");
		return store_search(f->store, c->arena, SEARCH_FINGERPRINT, bin, 0, 1, rows, n, e);
	}
	if (serial.n > 0) {
		TRY_AT(hex_parse(c->arena, serial, &bin, e), e, "serial");
		if (issuer == 0) {
			err_field(e, "authority");
			FAIL(e, CHY_JSON_MISSING, NULL, "a serial number means something only with its authority");
		}
		*rows = arena_one(c->arena, struct certificate_row);
		NEED(*rows != NULL, e, CHY_NO_MEMORY, NULL, "a certificate");
		*n = 1;
		return store_certificate_by_serial(f->store, c->arena, issuer, bin, *rows, e);
	}
	return store_certificates(f->store, c->arena, route_query_int(c, "after", 0),
				  (size_t)route_query_int(c, "limit", 100), rows, n, e);
}

static struct json *
list_item(struct arena *a, const struct certificate_row *row)
{
	struct json *o = json_object(a);

	json_set(o, "id", json_int(a, row->id));
	json_set(o, "serial", json_hex(a, row->serial));
	json_set(o, "authority", json_int(a, row->issuer));
	json_set(o, "subject", json_str(a, row->subject));
	json_set(o, "not_before", json_time(a, row->not_before));
	json_set(o, "not_after", json_time(a, row->not_after));
	json_set(o, "token_procedure", json_int(a, row->token_procedure));
	return o;
}

static void
get_certificates(void *ctx, struct http_call *c)
{
	struct factory *f = ctx;
	OWN(snapshot_unref) struct snapshot *policy = NULL;
	const struct officer *who = rest_officer(f, c, &policy);
	size_t limit = (size_t)route_query_int(c, "limit", 100), n = 0;
	struct json *items = json_array(c->arena);
	struct certificate_row *rows = NULL;
	struct err e = { 0 };

	if (who == NULL)
		return;
	if (find(f, c, &rows, &n, &e) != RC_OK && e.rc != RC_NOT_FOUND) {
		http_problem(c, &e);
		return;
	}
	if (e.rc == RC_NOT_FOUND)
		n = 0;
	for (size_t i = 0; i < n; i++)
		if (may_see(policy, who, &rows[i], NULL) == RC_OK)
			json_add(items, list_item(c->arena, &rows[i]));
	rest_answer(c, RC_OK, 200, rest_page(c->arena, items, n == limit ? rows[n - 1].id : 0), &e);
}

static void
get_explanation(void *ctx, struct http_call *c)
{
	struct factory *f = ctx;
	OWN(snapshot_unref) struct snapshot *policy = NULL;
	const struct officer *who = rest_officer(f, c, &policy);
	struct certificate_row row;
	struct json *ret = NULL;
	struct err e = { 0 };
	enum rc rc;

	if (who == NULL)
		return;
	rc = store_certificate(f->store, c->arena, route_id(c, 0), &row, &e);
	if (rc == RC_OK)
		rc = may_see(policy, who, &row, &e);
	if (rc == RC_OK)
		rc = explain(f, c->arena, row.id, &ret, &e);
	rest_answer(c, rc, 200, ret, &e);
}

static void
get_proof(void *ctx, struct http_call *c)
{
	struct factory *f = ctx;
	struct json *ret = NULL;
	struct err e = { 0 };
	enum rc rc = journal_proof(f, c->arena, route_id(c, 0), &ret, &e);

	rest_answer(c, rc, 200, ret, &e);
}

#define FORMS { type_json, type_der, type_pem }

const struct route rest_certificate_routes[] = {
	{ .method = HTTP_POST, .pattern = "/api/v1/certificates", .run = post_certificate, .access = ACCESS_SESSION,
	  .summary = "Issue a certificate by an issuing session", .tag = "certificates",
	  .query = { { "token-procedure", QUERY_TEXT, "Name or id, where the body is a bare PKCS#10 request" } },
	  .bodies = { type_json, type_pkcs10, type_pem }, .body_schema = "IssueCall", .body_max = 2 * LIMIT_CSR,
	  .answers = FORMS, .answer_schema = "Issued", .status = 201, .flags = ROUTE_INLINE | ROUTE_WRITES },
	{ .method = HTTP_GET, .pattern = "/api/v1/certificates", .run = get_certificates, .access = ACCESS_OFFICER,
	  .summary = "Certificates by id, fingerprint, or authority and serial number", .tag = "certificates",
	  .query = { { "sha256", QUERY_TEXT, "SHA-256 of the DER, hexadecimal" },
		     { "serial", QUERY_TEXT, "Serial number, hexadecimal; needs authority" },
		     { "authority", QUERY_INT, "Id of the authority" },
		     { "after", QUERY_INT, "Cursor of the page before" },
		     { "limit", QUERY_INT, "Rows of a page", false, 1, LIMIT_PAGE } },
	  .answers = { type_json }, .answer_schema = "CertificatePage" },
	{ .method = HTTP_GET, .pattern = "/api/v1/certificates/{id}", .run = get_certificate, .access = ACCESS_OFFICER,
	  .summary = "One certificate", .tag = "certificates", .answers = FORMS, .answer_schema = "Certificate" },
	{ .method = HTTP_GET, .pattern = "/api/v1/certificates/{id}/explanation", .run = get_explanation,
	  .access = ACCESS_OFFICER, .summary = "How it came about: procedure, rules, signers, lints, journal",
	  .tag = "certificates", .answers = { type_json }, .answer_schema = "Explanation" },
	{ .method = HTTP_GET, .pattern = "/api/v1/certificates/{id}/proof", .run = get_proof, .access = ACCESS_OFFICER,
	  .summary = "Proof that it is in the journal (RFC 9162 2.1.3)", .tag = "certificates", .answers = { type_json },
	  .answer_schema = "Proof" },
	{ 0 },
};
