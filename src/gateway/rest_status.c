/* Who we are, who calls, and the certificates of authorities for everybody. */
#include "base/base.h"
#include "factory/ca_list.h"
#include "factory/expiry.h"
#include "factory/in_force.h"
#include "factory/leaf.h"
#include "factory/list_state.h"
#include "gateway/rest.h"
#include "gateway/route.h"
#include "pki/pem.h"
#include "policy/path.h"

static void
get_status(void *ctx, struct http_call *c)
{
	struct factory *f = ctx;
	struct json *o = json_object(c->arena);
	struct err e = { 0 };

	json_set(o, "program", json_str(c->arena, BYTES("chancery")));
	json_set(o, "version", json_str(c->arena, BYTES(CHY_VERSION)));
	json_set(o, "instance", json_str(c->arena, bytes_str(f->instance)));
	json_set(o, "store", json_str(c->arena, bytes_str(store_engine(f->store))));
	json_set(o, "policy_stamp", json_int(c->arena, atomic_load(&f->policy_stamp)));
	json_set(o, "issued", json_int(c->arena, (int64_t)atomic_load(&f->figures.issued)));
	json_set(o, "refused", json_int(c->arena, (int64_t)atomic_load(&f->figures.refused)));
	json_set(o, "officers", expiry_json(f, c->arena));
	json_set(o, "authorities", ca_expiry_json(f, c->arena));
	json_set(o, "crls", lists_json(f, c->arena, KIND_CRL_PROCEDURE));
	json_set(o, "cils", lists_json(f, c->arena, KIND_CIL_PROCEDURE));
	rest_answer(c, RC_OK, 200, o, &e);
}

static void
get_root(void *ctx, struct http_call *c)
{
	struct factory *f = ctx;
	OWN_BUF struct buf b = buf_max(LIMIT_CERT * 2);

	if (c->accept == 1) {
		http_answer(c, 200, "application/pkix-cert", f->root);
		return;
	}
	pem_put(&b, "CERTIFICATE", f->root);
	http_answer(c, 200, "application/x-pem-file", buf_bytes(&b));
}

static void
get_whoami(void *ctx, struct http_call *c)
{
	struct factory *f = ctx;
	OWN(snapshot_unref)
	struct snapshot *policy = NULL;
	const struct officer *o = rest_officer(f, c, &policy);
	struct json *v = json_object(c->arena), *list = json_array(c->arena);
	const struct document *domain;
	const char *path;
	struct err e = { 0 };

	if (o == NULL)
		return;
	json_set(v, "officer", json_int(c->arena, o->id.v));
	json_set(v, "name", json_str(c->arena, o->name));
	json_set(v, "profile", json_str(c->arena, o->profile_name));
	json_set(v, "boot", json_bool(c->arena, o->boot));
	json_set(v, "domain", o->domain.v ? json_int(c->arena, o->domain.v) : json_null(c->arena));
	domain = snapshot_of_kind(policy, KIND_DOMAIN, o->domain);
	path = domain ? path_of(policy, c->arena, domain) : NULL;
	json_set(v, "domain_path", path ? json_str(c->arena, bytes_str(path)) : json_null(c->arena));
	for (int r = 0; r < ROLE_COUNT; r++)
		if (o->roles & ROLES(r))
			json_add(list, json_str(c->arena, bytes_str(role_name((enum role)r))));
	json_set(v, "roles", list);
	rest_answer(c, RC_OK, 200, v, &e);
}

/* The authority's certificate, or it and those above it up to the root. */
static enum rc
chain_of(struct factory *f, struct http_call *c, bool whole, struct buf *out, struct err *e)
{
	OWN(snapshot_unref)
	struct snapshot *policy = factory_policy(f);
	const struct authority *a = snapshot_authority(policy, doc_id_of(route_id(c, 0)));
	struct bytes chain[AUTHORITY_CHAIN_MAX];
	size_t n;

	NEED(a != NULL, e, CHY_STORE_NOT_FOUND, NULL, "no such authority");
	NEED(a->certificate.n > 0, e, CHY_AUTHORITY_NO_CERTIFICATE, NULL,
	     "authority %lld has no certificate yet", (long long)a->doc->id.v);
	n = whole ? authority_chain(a, chain) : 1;
	if (!whole)
		chain[0] = a->certificate;
	if (!whole && c->accept == 1)
		buf_put(out, a->certificate);
	else
		for (size_t i = 0; i < n; i++)
			pem_put(out, "CERTIFICATE", chain[i]);
	return RC_OK;
}

static void
answer_chain(struct factory *f, struct http_call *c, bool whole)
{
	OWN_BUF struct buf b = buf_max(LIMIT_CERT * 40);
	struct err e = { 0 };

	if (chain_of(f, c, whole, &b, &e) != RC_OK)
		http_problem(c, &e);
	else
		http_answer(c, 200,
			    !whole && c->accept == 1 ? "application/pkix-cert" : "application/x-pem-file",
			    buf_bytes(&b));
}

/* An earlier one, or one by a foreign CA, by its number in the list. */
static enum rc
numbered(struct factory *f, struct http_call *c, int64_t number, struct bytes *ret, struct err *e)
{
	struct ca_certificate *list;
	size_t n;

	TRY(ca_list(f, c->arena, doc_id_of(route_id(c, 0)), &list, &n, e));
	NEED(number >= 1 && number <= (int64_t)n, e, CHY_STORE_NOT_FOUND, NULL,
	     "the authority has certificates 1 to %zu", n);
	*ret = list[number - 1].der;
	return RC_OK;
}

static void
get_certificate(void *ctx, struct http_call *c)
{
	int64_t number = route_query_int(c, "version", 0);
	OWN_BUF struct buf b = buf_max(LIMIT_CERT * 2);
	struct err e = { 0 };
	struct bytes der;

	if (number == 0) {
		answer_chain(ctx, c, false);
	} else if (numbered(ctx, c, number, &der, &e) != RC_OK) {
		http_problem(c, &e);
	} else if (c->accept == 1) {
		http_answer(c, 200, "application/pkix-cert", der);
	} else {
		pem_put(&b, "CERTIFICATE", der);
		http_answer(c, 200, "application/x-pem-file", buf_bytes(&b));
	}
}

static void
get_certificates(void *ctx, struct http_call *c)
{
	struct json *ret = NULL;
	struct err e = { 0 };
	enum rc rc = ca_list_json(ctx, c->arena, doc_id_of(route_id(c, 0)), &ret, &e);

	rest_answer(c, rc, 200, ret, &e);
}

static void
get_chain(void *ctx, struct http_call *c)
{
	answer_chain(ctx, c, true);
}

const struct route rest_status_routes[] = {
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/status",
	  .run = get_status,
	  .access = ACCESS_PUBLIC,
	  .summary = "Program, version, instance",
	  .tag = "status",
	  .answers = { "application/json" },
	  .answer_schema = "Status" },
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/root",
	  .run = get_root,
	  .access = ACCESS_PUBLIC,
	  .summary = "The system root certificate",
	  .tag = "status",
	  .answers = { "application/x-pem-file", "application/pkix-cert" } },
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/whoami",
	  .run = get_whoami,
	  .access = ACCESS_OFFICER,
	  .summary = "The officer who calls",
	  .tag = "status",
	  .answers = { "application/json" },
	  .answer_schema = "Officer" },
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/authorities/{id}/certificate",
	  .run = get_certificate,
	  .access = ACCESS_PUBLIC,
	  .summary = "An authority's certificate: the newest, or another one",
	  .tag = "authorities",
	  .query = { { "version", QUERY_INT, "Its number in the list of certificates, from 1" } },
	  .answers = { "application/x-pem-file", "application/pkix-cert" } },
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/authorities/{id}/certificates",
	  .run = get_certificates,
	  .access = ACCESS_PUBLIC,
	  .summary = "All certificates that an authority has or had",
	  .tag = "authorities",
	  .answers = { "application/json" },
	  .answer_schema = "CertificatePage" },
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/authorities/{id}/chain",
	  .run = get_chain,
	  .access = ACCESS_PUBLIC,
	  .summary = "An authority's certificate and those above it",
	  .tag = "authorities",
	  .answers = { "application/x-pem-file" } },
	{ 0 },
};
