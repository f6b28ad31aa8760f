#include "base/base.h"
#include "factory/issue.h"

#include "crypto/digest.h"
#include "crypto/rand.h"
#include "crypto/verify.h"
#include "crypto/weak.h"
#include "factory/issue_leaf.h"
#include "factory/ca_keys.h"
#include "factory/leaf.h"
#include "factory/pending.h"
#include "factory/remember.h"
#include "policy/issue.h"
#include "store/read.h"

/* ---- the end, good or bad ---- */

static void
finish(struct issue_call *c, enum rc rc)
{
	struct factory *f = c->f;

	atomic_fetch_sub(&f->figures.issuing, 1);
	snapshot_unref(c->policy);
	c->policy = NULL;
	in_flight_leave(f->in_flight, &c->idempotency);
	if (c->taken && rc != RC_OK && !c->may_be_out)
		session_give_back(c->session);
	if (rc == RC_OK)
		atomic_fetch_add(&f->figures.issued, c->repeated ? 0 : 1);
	else if (rc != RC_DENIED && rc != RC_MALFORMED)
		atomic_fetch_add(&f->figures.failed, 1);
	remember(f, c, rc);
	c->done(c, rc);
}

/* ---- the same key again ---- */

static void
idempotency_hashes(struct issue_call *c)
{
	int64_t caller = c->session ? c->session->facts.id.v : c->request.officer.v;
	const struct bytes key[2] = { bytes_of(&caller, sizeof(caller)), c->request.idempotency_key };
	const int64_t validity[2] = { c->request.not_before_ms, c->request.not_after_ms };
	const struct bytes request[3] = { c->request.token_procedure, bytes_of(validity, sizeof(validity)),
					  c->request.csr_der };

	sha256_parts(key, 2, c->idempotency.key);
	sha256_parts(request, 3, c->idempotency_request);
}

/* *ret_found: the certificate that came of the same request before. */
static enum rc
look_up_repeated(struct issue_call *c, bool *ret_found)
{
	struct idempotency_row row;
	enum rc rc;

	*ret_found = false;
	if (c->request.idempotency_key.n == 0)
		return RC_OK;
	idempotency_hashes(c);
	NEED(in_flight_enter(c->f->in_flight, &c->idempotency), &c->err, CHY_IDEMPOTENCY_BUSY, NULL,
	     "a request with this Idempotency-Key is being carried out: try again");
	rc = store_idempotency(c->f->store, c->arena, BYTES_OF(c->idempotency.key), &row, &c->err);
	if (rc == RC_NOT_FOUND) {
		err_clear(&c->err);
		return RC_OK;
	}
	TRY(rc);
	NEED(bytes_eq(row.request_hash, BYTES_OF(c->idempotency_request)), &c->err, CHY_IDEMPOTENCY_OTHER,
	     NULL, "this Idempotency-Key was used for another request");
	c->id = row.result;
	c->repeated = *ret_found = true;
	return store_der(c->f->store, c->arena, c->id, &c->certificate, &c->err);
}

/* ---- facts and decision ---- */

static struct verdict
verdict_of(enum rc rc, const struct err *e)
{
	return (struct verdict){ .made = rc == RC_OK || rc == RC_DENIED || rc == RC_MALFORMED, .why = *e };
}

static enum rc
gather(struct issue_call *c)
{
	struct issue_facts *facts = &c->facts;
	struct err e = { 0 };
	enum rc rc;

	TRY_AT(csr_parse_any(c->arena, c->request.csr_der, &c->csr, &c->err), &c->err, "request");
	facts->policy = c->policy;
	facts->request = &c->request;
	facts->csr = &c->csr;
	sha1(c->csr.key.bits_der, c->key_id);
	facts->key_id = BYTES_OF(c->key_id);
	rc = key_check(&c->csr.key, NULL, &e);
	facts->weak = verdict_of(rc, &e);
	err_clear(&e);
	rc = facts->weak.why.code == CHY_NONE ? verify_csr(&c->csr, &e)
					      : RC_OK; /* a weak key is not worth 50 us */
	facts->pop = verdict_of(rc, &e);
	if (c->session != NULL) {
		c->session_facts = c->session->facts;
		session_take(c->session, &c->session_facts.certificates_made);
		c->taken = true;
		facts->session = &c->session_facts;
	}
	facts->now_ms = clock_now_ms();
	return rand_bytes(facts->random, sizeof(facts->random), &c->err);
}

static enum rc
prepare(struct issue_call *c)
{
	OWN_BUF struct buf context = buf_max(LIMIT_CONTEXT);
	struct pending p;

	TRY(gather(c));
	TRY(decide_issue(c->arena, &c->facts, &c->decision, &c->err));
	TRY(issue_tbs(c->arena, &c->decision, &c->tbs, &c->err));
	c->id = factory_new_id(c->f);
	TRY(issue_pending(c, &p));
	TRY(pending_put(&context, &p, &c->err));
	c->context = arena_dup(c->arena, buf_bytes(&context));
	NEED(c->context.p != NULL, &c->err, CHY_NO_MEMORY, NULL, "the context of a signature");
	return RC_OK;
}

/* ---- signed, stored ---- */

static void
stored(void *arg, enum rc rc, const struct err *e)
{
	struct issue_call *c = arg;

	FAULT("factory.after-commit");
	if (rc != RC_OK && e->code == CHY_STORE_EXISTS)
		rc = RC_OK; /* reconcile was faster: it is in the store */
	if (rc != RC_OK) {
		c->err = *e;
		atomic_store(&c->f->repairing, true);
	}
	finish(c, rc);
}

static void
signed_(void *arg, const struct signed_cert *s, const struct err *e)
{
	struct issue_call *c = arg;
	struct finished done = { 0 };
	struct pending p;
	enum rc rc;

	FAULT("factory.after-sign");
	if (s == NULL) {
		c->err = *e;
		if (e->code == CHY_SIGNER_LOST) {
			c->may_be_out = true;
			atomic_store(&c->f->repairing, true);
		}
		finish(c, e->rc);
		return;
	}
	c->may_be_out = true;
	rc = pending_get(c->context, &p, &c->err);
	if (rc == RC_OK)
		rc = pending_finish(c->arena, &p, c->tbs, s->signature, &done, &c->err);
	if (rc == RC_OK) {
		c->certificate = done.der;
		FAULT("factory.before-commit");
		rc = store_submit(c->f->store, done.change, stored, c, &c->err);
		if (rc == RC_OK)
			return;
		change_free(done.change);
	}
	/* it is in the signer's journal all the same: reconcile will bring it into the store */
	atomic_store(&c->f->repairing, true);
	finish(c, rc);
}

/* The answer waits until its leaf is durable; the event thread does not. */
static void
refusal_told(void *arg)
{
	struct issue_call *c = arg;

	finish(c, c->err.rc);
}

static void
refused(struct issue_call *c, enum rc rc)
{
	const struct refusal r = { .act = "certificate.issue",
				   .by = c->session ? "session" : "officer",
				   .id = c->session ? c->session->facts.id.v : c->request.officer.v,
				   .why = &c->err };

	if (is_refusal(rc))
		leaf_refusal_start(c->f, &r, refusal_told, c);
	else
		finish(c, rc);
}

void
issue_start(struct issue_call *c)
{
	bool repeated = false;
	char label[KEY_LABEL_MAX];
	enum rc rc;

	c->policy = factory_policy(c->f);
	atomic_fetch_add(&c->f->figures.issuing, 1);
	if (atomic_load(&c->f->repairing)) {
		finish(c,
		       err_set(&c->err, CHY_REPAIRING, NULL,
			       "what was interrupted is being put right: try again"));
		return;
	}
	rc = look_up_repeated(c, &repeated);
	if (rc != RC_OK || repeated) {
		finish(c, rc);
		return;
	}
	rc = prepare(c);
	if (rc != RC_OK) {
		refused(c, rc);
		return;
	}
	FAULT("factory.before-sign");
	rc = signer_sign_cert(c->f->signer,
			      &(struct sign_cert){ .key = key_label(c->decision.authority->key, label),
						   .alg = c->decision.sigalg,
						   .tbs = c->tbs,
						   .context = c->context },
			      signed_, c, &c->err);
	if (rc != RC_OK)
		finish(c, rc);
}

/* ---- waiting ---- */

struct waiter {
	pthread_mutex_t lock;
	pthread_cond_t over;
	bool is_over;
	enum rc rc;
};

static void
wake(struct issue_call *c, enum rc rc)
{
	struct waiter *w = c->user;

	pthread_mutex_lock(&w->lock);
	w->is_over = true;
	w->rc = rc;
	pthread_cond_signal(&w->over);
	pthread_mutex_unlock(&w->lock);
}

enum rc
issue_wait(struct issue_call *c)
{
	struct waiter w = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, RC_OK };

	c->done = wake;
	c->user = &w;
	issue_start(c);
	pthread_mutex_lock(&w.lock);
	while (!w.is_over)
		pthread_cond_wait(&w.over, &w.lock);
	pthread_mutex_unlock(&w.lock);
	return w.rc;
}
