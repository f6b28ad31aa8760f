#include "base/base.h"
#include "factory/auditor.h"

#include "factory/in_force.h"
#include "factory/judge_sample.h"
#include "factory/leaf.h"
#include "policy/import.h"
#include "store/read.h"

enum { AT_ONCE = 50, AUDIT_ARENA = 64 << 20 };

struct verdict_of {
	const char *why; /* NULL: good */
	struct json *lints;
};

static enum rc
judge(struct factory *f, struct arena *a, const struct der_row *row, const struct certificate_row *cert,
      struct verdict_of *ret, struct err *e)
{
	struct bytes issuer;

	TRY(authority_certificate(f, a, doc_id_of(cert->issuer), &issuer, e));
	if (cert->base == 0)
		return judge_certificate(a, row->der, issuer, &ret->why, &ret->lints, e);
	ret->lints = json_array(a);
	return judge_attribute_certificate(a, row->der, issuer, &ret->why, e);
}

static enum rc
put_verdict(struct factory *f, struct arena *a, struct change *c, int64_t id, const struct verdict_of *v,
	    struct err *e)
{
	OWN_BUF struct buf text = buf_max(64 << 10);
	struct json *m;

	json_put(&text, v->lints);
	NEED(buf_ok(&text), e, CHY_NO_MEMORY, NULL, "a verdict");
	change_put_verdict(
	    c,
	    &(struct verdict_row){
		.id = id, .at = clock_now_ms(), .ok = v->why == NULL, .lints = buf_bytes(&text) });
	if (v->why == NULL)
		return RC_OK;
	m = json_object(a);
	json_set(m, "certificate", json_int(a, id));
	json_set(m, "why", json_str(a, bytes_str(v->why)));
	return leaf_add(f, a, c, LEAF_DISAGREEMENT, 0, id, m, e);
}

/* The version that it was issued by: the one in force may have been mended since. Where its leaf does not tell, the one in force. */
static int64_t
version_of(struct factory *f, struct arena *a, const struct certificate_row *cert, const struct document *p)
{
	const struct json *procedures, *pair;
	struct leaf_row leaf;
	struct json *body;

	if (store_leaf(f->store, a, cert->id, &leaf, NULL) != RC_OK ||
	    json_parse(a, leaf.body, &body, NULL) != RC_OK)
		return p->version;
	procedures = json_get(body, "procedures");
	pair = json_get(procedures, cert->base != 0 ? "attribute" : "certificate");
	if (pair == NULL || pair->type != JSON_ARRAY || pair->count != 2 || pair->last->type != JSON_INT)
		return p->version;
	return pair->last->integer;
}

static enum rc
stop_procedure(struct factory *f, struct arena *a, const struct certificate_row *cert, const char *why,
	       struct err *e)
{
	OWN(snapshot_unref)
	struct snapshot *policy = NULL;
	const struct document *p;

	atomic_fetch_add(&f->figures.disagreements, 1);
	LOG(ERROR, "auditor.disagreement", LI("certificate", cert->id), LS("why", why));
	FAULT("auditor.disagreed");
	policy = factory_policy(f);
	p = snapshot_document(policy, doc_id_of(cert->certificate_procedure));
	return p == NULL ? RC_OK : policy_condemn(f, p->id, version_of(f, a, cert, p), why, e);
}

/* What others have made is not for us to judge. */
static bool
is_imported(struct factory *f, const struct certificate_row *cert)
{
	OWN(snapshot_unref)
	struct snapshot *policy = factory_policy(f);

	return authority_is_foreign(snapshot_authority(policy, doc_id_of(cert->issuer)));
}

/* One certificate's verdict, into the step's change. */
static enum rc
audit_one(struct factory *f, struct arena *a, struct change *c, const struct der_row *row, struct err *e)
{
	struct verdict_of v = { 0 };
	struct certificate_row cert;

	TRY(store_certificate(f->store, a, row->id, &cert, e));
	if (is_imported(f, &cert)) {
		change_drop_verdict(c, row->id);
		return RC_OK;
	}
	TRY(judge(f, a, row, &cert, &v, e));
	if (fault_fails("auditor.disagrees"))
		v.why = "asked to disagree";
	TRY(put_verdict(f, a, c, row->id, &v, e));
	atomic_fetch_add(&f->figures.judged, 1);
	return v.why ? stop_procedure(f, a, &cert, v.why, e) : RC_OK;
}

static enum rc
audit_all(struct factory *f, struct change *c, const struct der_row *rows, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		OWN(arena_free)
		struct arena *a = arena_new(LIMIT_REQUEST_ARENA);

		NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "the auditor");
		TRY(audit_one(f, a, c, &rows[i], e));
	}
	return RC_OK;
}

enum rc
auditor_step(struct factory *f, bool *ret_more, struct err *e)
{
	OWN(arena_free)
	struct arena *list = arena_new(AUDIT_ARENA);
	struct der_row *rows;
	struct change *c;
	enum rc rc;
	size_t n;

	NEED(list != NULL, e, CHY_NO_MEMORY, NULL, "the auditor");
	TRY(store_certificates_unjudged(f->store, list, AT_ONCE, &rows, &n, e));
	if (n == 0)
		return RC_OK;
	c = change_new(); /* one commit a step: the disk belongs to issuing */
	rc = audit_all(f, c, rows, n, e);
	if (rc != RC_OK) {
		change_free(c);
		return rc;
	}
	TRY(store_commit(f->store, c, e));
	*ret_more = n == AT_ONCE;
	return RC_OK;
}
