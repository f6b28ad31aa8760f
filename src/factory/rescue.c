#include "base/base.h"
#include "factory/rescue.h"

#include "crypto/cms_verify.h"
#include "crypto/digest.h"
#include "factory/callers.h"
#include "factory/issue.h"
#include "factory/leaf.h"
#include "factory/sequencer.h"
#include "factory/standing.h"
#include "pki/cert.h"
#include "pki/csr.h"
#include "policy/rescue.h"
#include "store/read.h"

struct rescuing {
	struct factory *f;
	struct arena *a;
	struct snapshot *policy;
	struct change *change;
	int64_t leaf, now_ms;
	struct rescue doc;
	struct bytes cms[RESCUE_SIGNERS], content;
	struct rescue_officer signers[RESCUE_SIGNERS], renewed[RESCUE_OFFICERS_MAX];
	struct certificate_row bound[RESCUE_OFFICERS_MAX]; /* of those who are renewed */
	struct gnames san[RESCUE_OFFICERS_MAX];
	struct json *shown, *out; /* certificates that show that nobody was left; what came of it */
	size_t left;
};

/* ---- facts ---- */

static enum rc
look_up(struct rescuing *x, struct bytes der, struct rescue_officer *ret, struct err *e)
{
	struct certificate_row *rows;
	int64_t own = 0, newest = 0;
	size_t n;

	TRY(credential_of(x->f, x->a, x->policy, der, &ret->credential, &ret->officer, e));
	if (ret->officer == NULL)
		return RC_OK;
	TRY(officer_certificates(x->f, x->a, x->policy, ret->officer, &rows, &n, e));
	for (size_t i = 0; i < n; i++) {
		if (bytes_eq(rows[i].fingerprint, BYTES_OF(ret->credential.fingerprint)))
			own = rows[i].id;
		newest = rows[i].id > newest ? rows[i].id : newest;
	}
	ret->is_newest = own != 0 && own == newest;
	return RC_OK;
}

static enum rc
read_signature(struct rescuing *x, size_t i, struct err *e)
{
	struct cms_signed s;

	TRY(cms_verify(x->a, x->cms[i], &s, e));
	NEED(i == 0 || bytes_eq(s.content, x->content), e, CHY_REQUEST_OTHER_BYTES, NULL,
	     "the signatures are over different documents");
	x->content = s.content;
	x->signers[i].signed_at_ms = s.signed_at_ms;
	return look_up(x, s.signer, &x->signers[i], e);
}

static enum rc
read_input(struct rescuing *x, const struct json *in, struct err *e)
{
	static const char *const names[] = { "signatures", NULL };
	struct json *list;
	size_t i = 0;

	TRY(json_only(in, names, e));
	TRY(json_need_array(in, "signatures", &list, e));
	NEED(list->count == RESCUE_SIGNERS, e, CHY_RESCUE_SIGNERS, NULL, "%d officers sign it",
	     RESCUE_SIGNERS);
	JSON_EACH(item, list)
	{
		NEED(item->type == JSON_STR, e, CHY_JSON_TYPE, NULL, "a signature is a string");
		TRY_AT(base64_parse(x->a, item->str, &x->cms[i], e), e, "signatures[%zu]", i);
		TRY_AT(read_signature(x, i, e), e, "signatures[%zu]", i);
		i++;
	}
	return rescue_read(x->a, x->content, &x->doc, e);
}

/* Whose certificate it is that the document names. */
static enum rc
find_renewed(struct rescuing *x, size_t i, struct err *e)
{
	struct certificate_row row;
	struct bytes der;
	enum rc rc = store_certificate_by_fingerprint(
	    x->f->store, x->a, bytes_of(x->doc.v[i].certificate, FINGERPRINT_LEN), &row, e);

	if (rc == RC_NOT_FOUND) {
		err_clear(e);
		FAIL(e, CHY_RESCUE_OFFICER, NULL, "no certificate that was issued here is this one");
	}
	TRY(rc);
	TRY(store_der(x->f->store, x->a, row.id, &der, e));
	TRY(look_up(x, der, &x->renewed[i], e));
	NEED(x->renewed[i].officer != NULL, e, CHY_RESCUE_OFFICER, NULL,
	     "certificate %lld stands for no officer", (long long)row.id);
	return RC_OK;
}

static enum rc
show(struct rescuing *x, const struct certificate_row *row, struct err *e)
{
	struct bytes der;

	TRY(store_der(x->f->store, x->a, row->id, &der, e));
	json_add(x->shown, json_base64(x->a, der));
	return RC_OK;
}

/* What the journal's verifier cannot tell is counted as there: whoever is bound to a token may have any certificate for a key in it. */
static enum rc
count_one(struct rescuing *x, const struct officer *o, struct err *e)
{
	struct certificate_row *rows;
	bool acts = o->entity == ENTITY_DYNAMIC_TOKEN || o->certificate == 0;
	size_t n;

	TRY(officer_certificates(x->f, x->a, x->policy, o, &rows, &n, e));
	for (size_t i = 0; i < n; i++) {
		const struct standing s = { credential_state_of(rows[i].status), rows[i].not_before,
					    rows[i].not_after };

		acts = acts || (s.state == CREDENTIAL_GOOD && s.not_after_ms >= x->now_ms);
		if (s.state == CREDENTIAL_GOOD)
			TRY(show(x, &rows[i], e));
	}
	x->left += acts;
	return RC_OK;
}

static enum rc
count_left(struct rescuing *x, struct err *e)
{
	const struct document *const *docs;
	size_t n = snapshot_list(x->policy, KIND_OFFICER, &docs);

	for (size_t i = 0; i < n; i++) {
		const struct officer *o = snapshot_officer(x->policy, doc_officer(docs[i]->id));

		if (o != NULL && rescue_administers(o))
			TRY(count_one(x, o, e));
	}
	return RC_OK;
}

static enum rc
decide(struct rescuing *x, struct err *e)
{
	const struct rescue_facts facts = { .policy = x->policy,
					    .rescue = &x->doc,
					    .instance = x->f->instance,
					    .now_ms = x->now_ms,
					    .left = x->left,
					    .signers = x->signers,
					    .signers_n = RESCUE_SIGNERS,
					    .renewed = x->renewed };

	return decide_rescue(&facts, e);
}

/* ---- certificates ---- */

static enum rc
read_bound(struct rescuing *x, size_t i, struct err *e)
{
	const struct officer *o = x->renewed[i].officer;
	const struct ext *san;
	struct cert cert;
	struct bytes der;

	TRY(store_certificate(x->f->store, x->a, o->certificate, &x->bound[i], e));
	NEED(x->bound[i].token_procedure != 0 && o->entity == ENTITY_SUBJECT, e, CHY_RENEWAL_NONE, NULL,
	     "officer \"%.*s\" is not bound by the subject to what a token procedure has issued",
	     BYTES_FMT(o->name));
	TRY(store_der(x->f->store, x->a, x->bound[i].id, &der, e));
	TRY(cert_parse(x->a, der, &cert, e));
	san = exts_find(&cert.exts, OID_CE_SUBJECT_ALT_NAME);
	return san != NULL ? gnames_parse(x->a, san->value, &x->san[i], e) : RC_OK;
}

static void
add_made(struct rescuing *x, struct json *item, const struct officer *o, int64_t id, struct bytes der)
{
	json_set(item, "officer", json_int(x->a, o->id.v));
	json_set(item, "name", json_str(x->a, o->name));
	json_set(item, "certificate", json_int(x->a, id));
	json_set(item, "der", json_base64(x->a, der));
	json_add(x->out, item);
}

/* By the rules of the procedure, as every certificate. Into the change that has all of it. */
static enum rc
issue(struct rescuing *x, size_t i, struct err *e)
{
	const struct officer *o = x->renewed[i].officer;
	struct issue_call *c = arena_one(x->a, struct issue_call);
	struct json *item = json_object(x->a);
	enum rc rc;

	NEED(c != NULL, e, CHY_NO_MEMORY, NULL, "a rescue");
	c->f = x->f;
	c->arena = x->a;
	c->into = x->change;
	c->request.word = WORD_REQUEST;
	c->request.officer = o->id;
	c->request.renewal = true;
	c->request.rescue = x->leaf;
	c->request.bound_san = x->san[i];
	c->request.csr_der = x->doc.v[i].csr;
	c->request.token_procedure = bytes_str(
	    arena_printf(x->a, "%lld", (long long)x->bound[i].token_procedure));
	rc = issue_wait(c);
	if (rc != RC_OK) {
		*e = c->err;
		return rc;
	}
	add_made(x, item, o, c->id, c->certificate);
	return RC_OK;
}

/* ---- applied before, and not answered ---- */

static enum rc
find_made(struct rescuing *x, size_t i, bool *ret, struct err *e)
{
	const struct officer *o = x->renewed[i].officer;
	struct json *item = json_object(x->a);
	struct certificate_row *rows;
	uint8_t key[SHA256_LEN];
	struct bytes der;
	struct csr csr;
	size_t n;

	TRY(csr_parse(x->a, x->doc.v[i].csr, &csr, e));
	sha256(csr.key.spki, key);
	TRY(officer_certificates(x->f, x->a, x->policy, o, &rows, &n, e));
	*ret = false;
	for (size_t k = 0; k < n; k++) {
		if (!bytes_eq(rows[k].key_hash, BYTES_OF(key)))
			continue;
		TRY(store_der(x->f->store, x->a, rows[k].id, &der, e));
		add_made(x, item, o, rows[k].id, der);
		*ret = true;
		return RC_OK;
	}
	return RC_OK;
}

/* The same document once more, after a crash: what came of it is told again. */
static enum rc
was_applied(struct rescuing *x, bool *ret, struct err *e)
{
	*ret = true;
	for (size_t i = 0; i < x->doc.n && *ret; i++)
		TRY_AT(find_made(x, i, ret, e), e, "officers[%zu]", i);
	if (!*ret)
		x->out = json_array(x->a);
	return RC_OK;
}

/* ---- all of it ---- */

static enum rc
put_leaf(struct rescuing *x, struct err *e)
{
	struct json *m = json_object(x->a), *list = json_array(x->a);

	for (size_t i = 0; i < RESCUE_SIGNERS; i++) {
		struct json *item = json_object(x->a);

		json_set(item, "officer", json_int(x->a, x->signers[i].officer->id.v));
		json_set(item, "cms", json_base64(x->a, x->cms[i]));
		json_add(list, item);
	}
	for (size_t i = 0; i < x->doc.n; i++)
		if (!rescue_administers(x->renewed[i].officer)) {
			struct certificate_row row;

			TRY(store_certificate_by_fingerprint(
			    x->f->store, x->a, bytes_of(x->doc.v[i].certificate, FINGERPRINT_LEN), &row, e));
			TRY(show(x, &row, e));
		}
	json_set(m, "certificates", x->shown);
	json_set(m, "signatures", list);
	return leaf_add(x->f, x->a, x->change, LEAF_RESCUE, x->leaf, 0, m, e);
}

static enum rc
hold(struct rescuing *x, const struct json *in, bool *ret_done, struct err *e)
{
	TRY(read_input(x, in, e));
	for (size_t i = 0; i < x->doc.n; i++)
		TRY_AT(find_renewed(x, i, e), e, "officers[%zu]", i);
	TRY(was_applied(x, ret_done, e));
	if (*ret_done)
		return RC_OK;
	TRY(count_left(x, e));
	TRY(decide(x, e));
	TRY(put_leaf(x, e));
	for (size_t i = 0; i < x->doc.n; i++) {
		TRY_AT(read_bound(x, i, e), e, "officers[%zu]", i);
		TRY_AT(issue(x, i, e), e, "officers[%zu]", i);
	}
	return RC_OK;
}

enum rc
rescue(struct factory *f, struct arena *a, const struct json *in, struct json **ret, struct err *e)
{
	struct rescuing x = { .f = f, .a = a, .now_ms = clock_now_ms(), .leaf = factory_new_id(f) };
	bool done = false;
	enum rc rc;

	x.policy = factory_policy(f);
	x.change = change_new();
	x.shown = json_array(a);
	x.out = json_array(a);
	rc = hold(&x, in, &done, e);
	snapshot_unref(x.policy);
	if (rc != RC_OK || done)
		change_free(x.change);
	TRY(rc);
	FAULT("factory.before-rescue");
	if (!done)
		TRY(store_commit(f->store, x.change, e));
	FAULT("factory.after-rescue");
	TRY(sequencer_drain(f, e));
	*ret = json_object(a);
	json_set(*ret, "officers", x.out);
	return RC_OK;
}
