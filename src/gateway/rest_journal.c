/* The journal: head, export, and whether the signer's journal and the store account for each other. */
#include "base/base.h"
#include "factory/journal_out.h"
#include "factory/reconcile.h"
#include "gateway/rest.h"
#include "gateway/route.h"

static void
get_head(void *ctx, struct http_call *c)
{
	struct json *ret = NULL;
	struct err e = { 0 };
	enum rc rc = journal_head(ctx, c->arena, &ret, &e);

	rest_answer(c, rc, 200, ret, &e);
}

static void
get_witness(void *ctx, struct http_call *c)
{
	struct json *ret = NULL;
	struct err e = { 0 };
	enum rc rc = journal_witness(ctx, c->arena, &ret, &e);

	rest_answer(c, rc, 200, ret, &e);
}

static enum rc
put(void *arg, struct bytes piece, struct err *e)
{
	return http_stream_put(arg, piece, e);
}

/* It is whole or proves nothing, so it is for those only who may see all of it. */
static enum rc
may_export(const struct officer *who, struct err *e)
{
	NEED(doc_id_is_none(who->domain), e, CHY_DOMAIN_FOREIGN, NULL,
	     "officer \"%.*s\" sees a domain's part of the log only", BYTES_FMT(who->name));
	return RC_OK;
}

static void
get_export(void *ctx, struct http_call *c)
{
	OWN(snapshot_unref)
	struct snapshot *policy = NULL;
	const struct officer *who = rest_officer(ctx, c, &policy);
	struct json *head = NULL;
	struct err e = { 0 };
	enum rc rc;

	if (who == NULL)
		return;
	rc = may_export(who, &e);
	if (rc == RC_OK)
		rc = journal_head(ctx, c->arena, &head, &e);
	if (rc != RC_OK) {
		http_problem(c, &e);
		return;
	}
	http_stream_begin(c, 200, "application/jsonl");
	rc = journal_export(ctx, put, c, &e);
	if (rc != RC_OK && e.code != CHY_CLIENT_GONE)
		LOG(ERROR, "journal.export-failed", LE(&e));
	http_stream_end(c, rc == RC_OK);
}

static void
get_reconciliation(void *ctx, struct http_call *c)
{
	struct reconciliation r;
	struct json *o = json_object(c->arena);
	struct err e = { 0 };
	enum rc rc = reconcile_check(ctx, &r, &e);

	json_set(o, "records", json_int(c->arena, (int64_t)r.records));
	json_set(o, "certificates", json_int(c->arena, (int64_t)r.certificates));
	json_set(o, "missing_in_store", json_int(c->arena, (int64_t)r.missing_in_store));
	json_set(o, "position", json_int(c->arena, (int64_t)r.position_to));
	rest_answer(c, rc, 200, o, &e);
}

const struct route rest_journal_routes[] = {
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/journal/head",
	  .run = get_head,
	  .access = ACCESS_OFFICER,
	  .summary = "The newest signed head",
	  .tag = "journal",
	  .answers = { "application/json" },
	  .answer_schema = "Head" },
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/journal/witness",
	  .run = get_witness,
	  .access = ACCESS_OFFICER,
	  .needs = ROLES(ROLE_AUDIT_TASKS),
	  .summary = "The last head that the signer has signed, by its own journal",
	  .tag = "journal",
	  .answers = { "application/json" },
	  .answer_schema = "Witness" },
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/journal/export",
	  .run = get_export,
	  .access = ACCESS_OFFICER,
	  .needs = ROLES(ROLE_AUDIT_TASKS),
	  .summary = "The whole journal as JSON lines, verifiable with the system root alone; not for "
		     "officers of a domain",
	  .tag = "journal",
	  .answers = { "application/jsonl" } },
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/journal/reconciliation",
	  .run = get_reconciliation,
	  .access = ACCESS_OFFICER,
	  .needs = ROLES(ROLE_AUDIT_TASKS),
	  .summary = "Whether the signer's journal and the store account for each other",
	  .tag = "journal",
	  .answers = { "application/json" },
	  .answer_schema = "Reconciliation" },
	{ 0 },
};
