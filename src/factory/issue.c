#include "base/base.h"
#include "factory/issue.h"

#include "crypto/rand.h"
#include "factory/issue_facts.h"
#include "factory/issue_leaf.h"
#include "factory/issue_repeated.h"
#include "factory/ca_keys.h"
#include "factory/leaf.h"
#include "factory/pending.h"
#include "factory/remember.h"
#include "pki/name.h"
#include "policy/issue.h"
#include "policy/token.h"
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
	if (c->taken != NULL)
		sessions_give(c->taken, rc == RC_OK || c->may_be_out);
	if (rc == RC_OK)
		atomic_fetch_add(&f->figures.issued, c->repeated ? 0 : 1);
	else if (rc != RC_DENIED && rc != RC_MALFORMED)
		atomic_fetch_add(&f->figures.failed, 1);
	remember(f, c, rc);
	c->done(c, rc);
}

/* ---- facts and decision ---- */

/* A key that the signer made: it has tried it, which proves possession. */
static enum rc
made_key(struct issue_call *c)
{
	c->csr = (struct csr){ .subject = c->request.subject, .san = c->request.san };
	return pubkey_parse(c->request.spki, &c->csr.key, &c->err);
}

static enum rc
gather(struct issue_call *c)
{
	struct issue_facts *facts = &c->facts;

	if (c->request.spki.n > 0)
		TRY(made_key(c));
	else
		TRY_AT(csr_parse_any(c->arena, c->request.csr_der, &c->csr, &c->err), &c->err, "request");
	facts->policy = c->policy;
	facts->request = &c->request;
	issue_facts_of_csr(facts, &c->csr, c->key_id, c->request.spki.n > 0);
	if (c->session != NULL) {
		c->session_facts = c->session->facts;
		TRY(session_take(c->f, c->session, &c->taken, &c->session_facts.certificates_made, &c->err));
		facts->session = &c->session_facts;
	}
	facts->now_ms = clock_now_ms();
	return rand_bytes(facts->random, sizeof(facts->random), &c->err);
}

/* ---- attribute certificates that come with it ---- */

static void
base_of(struct issue_call *c)
{
	const struct issue_decision *d = &c->decision;

	c->base = (struct ac_base){ .authority = d->authority->doc->id,
				    .issuer = d->authority->subject_in_force,
				    .serial = BYTES_OF(d->serial),
				    .not_before_ms = d->not_before_ms,
				    .not_after_ms = d->not_after_ms,
				    .key_usage = d->key_usage };
}

static enum rc
base_subject(struct issue_call *c)
{
	OWN_BUF struct buf subject = buf_max(8 << 10);

	name_put_der_text(&subject, c->decision.subject);
	c->base.subject = arena_dup(c->arena, buf_bytes(&subject));
	NEED(c->base.subject.p != NULL, &c->err, CHY_NO_MEMORY, NULL, "the holder's name");
	return RC_OK;
}

/* All of them are decided before anything is signed: one that is refused refuses the certificate too. */
static enum rc
plan_attributes(struct issue_call *c)
{
	const struct token_procedure *t = c->decision.token_procedure;
	const struct ac_word word = { .request = c->session ? request_id_of(0) : c->request.request,
				      .session = c->session ? c->session->facts.id : session_id_of(0),
				      .base = c->id,
				      .with_base = true,
				      .unpublished = !issue_is_public(&c->request) };

	if (t->acs_n == 0) {
		NEED(c->request.attributes == NULL, &c->err, CHY_AC_ATTRIBUTE_UNKNOWN, NULL,
		     "the token procedure has no attribute certificates");
		return RC_OK;
	}
	NEED(c->request.rescue == 0, &c->err, CHY_RENEWAL_NONE, NULL,
	     "the token procedure makes attribute certificates too: a rescue does not");
	NEED(t->acs_n <= AC_MOST, &c->err, CHY_LIMIT, NULL, "more than %d attribute certificates", AC_MOST);
	base_of(c);
	TRY(base_subject(c));
	c->acs = arena_array(c->arena, t->acs_n, sizeof(*c->acs));
	NEED(c->acs != NULL, &c->err, CHY_NO_MEMORY, NULL, "attribute certificates");
	for (c->acs_n = 0; c->acs_n < t->acs_n; c->acs_n++) {
		const struct ac_facts facts = {
			.policy = c->policy,
			.officer = c->request.officer,
			.with = t,
			.which = c->acs_n,
			.base = &c->base,
			.attributes = ac_attributes_for(c->arena, t, c->acs_n, c->request.attributes),
			.now_ms = c->facts.now_ms,
		};

		TRY(ac_plan_make(c->f, c->arena, &facts, &word, &c->acs[c->acs_n], NULL, &c->err));
	}
	return RC_OK;
}

/* What the input view says of them: not asked of changed policy that is tried on old requests, which are remembered without
   them. */
static enum rc
take_choices(struct issue_call *c)
{
	struct issue_request *r = &c->request;
	bool password = r->revocation_password.n > 0 || r->revocation_sha256.n > 0;
	enum rc rc = token_choices(c->decision.token_procedure, &r->publication_said, &r->publication,
				   password, &c->err);

	if (rc != RC_OK)
		err_rule(&c->err, "choices");
	return rc;
}

static enum rc
prepare(struct issue_call *c)
{
	OWN_BUF struct buf context = buf_max(LIMIT_CONTEXT);
	struct pending p;

	TRY(gather(c));
	TRY(decide_issue(c->arena, &c->facts, &c->decision, &c->err));
	TRY(take_choices(c));
	TRY(issue_tbs(c->arena, &c->decision, &c->tbs, &c->err));
	c->id = c->request.certificate ? c->request.certificate : factory_new_id(c->f);
	TRY(issue_pending(c, &p));
	TRY(pending_put(&context, &p, &c->err));
	c->context = arena_dup(c->arena, buf_bytes(&context));
	NEED(c->context.p != NULL, &c->err, CHY_NO_MEMORY, NULL, "the context of a signature");
	return plan_attributes(c);
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
		doubt_raise(&c->f->doubt);
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
			doubt_raise(&c->f->doubt);
		}
		finish(c, e->rc);
		return;
	}
	c->may_be_out = true;
	rc = pending_get(c->context, &p, &c->err);
	if (rc == RC_OK && c->into != NULL) {
		rc = pending_add(c->arena, &p, c->tbs, s->signature, c->into, &done, &c->err);
		for (size_t i = 0; rc == RC_OK && i < c->acs_n; i++)
			rc = ac_plan_add(c->arena, &c->acs[i], c->into, &c->err);
		c->certificate = done.der;
		if (rc != RC_OK)
			doubt_raise(&c->f->doubt);
		finish(c, rc);
		return;
	}
	if (rc == RC_OK)
		rc = pending_finish(c->arena, &p, c->tbs, s->signature, &done, &c->err);
	for (size_t i = 0; rc == RC_OK && i < c->acs_n; i++)
		rc = ac_plan_add(c->arena, &c->acs[i], done.change, &c->err);
	if (rc != RC_OK)
		change_free(done.change);
	if (rc == RC_OK) {
		c->certificate = done.der;
		FAULT("factory.before-commit");
		rc = store_submit(c->f->store, done.change, stored, c, &c->err);
		if (rc == RC_OK)
			return;
		change_free(done.change);
	}
	/* it is in the signer's journal all the same: reconcile will bring it into the store */
	doubt_raise(&c->f->doubt);
	finish(c, rc);
}

/* What a rescue makes is signed without a context, as by the boot ceremony: one that is interrupted is applied again from its
   start, and nothing of it is adopted. The certificate itself is signed last: where the signer's journal has it, it has all that comes with it. */
static void
sign_certificate(struct issue_call *c)
{
	char label[KEY_LABEL_MAX];
	enum rc rc;

	FAULT("factory.before-sign");
	rc = signer_sign_cert(c->f->signer,
			      &(struct sign_cert){ .key = key_label(c->decision.authority->key, label),
						   .alg = c->decision.sigalg,
						   .tbs = c->tbs,
						   .context = c->request.rescue ? BYTES_NONE : c->context },
			      signed_, c, &c->err);
	if (rc != RC_OK)
		finish(c, rc);
}

static void sign_next(struct issue_call *c);

static void
attribute_signed(void *arg, const struct signed_cert *s, const struct err *e)
{
	struct issue_call *c = arg;
	struct ac_plan *p = &c->acs[c->acs_signed];

	FAULT("factory.after-sign-attribute");
	if (s != NULL)
		p->signature = arena_dup(c->arena, s->signature);
	if (p->signature.p == NULL) {
		if (s == NULL)
			c->err = *e;
		else
			err_set(&c->err, CHY_NO_MEMORY, NULL, "a signature");
		if (s != NULL || e->code == CHY_SIGNER_LOST || c->acs_signed > 0)
			doubt_raise(&c->f->doubt); /* what was signed in vain is put right */
		finish(c, c->err.rc);
		return;
	}
	c->acs_signed++;
	sign_next(c);
}

static void
sign_next(struct issue_call *c)
{
	char label[KEY_LABEL_MAX];
	struct sign_cert ask;
	enum rc rc;

	if (c->acs_signed == c->acs_n) {
		sign_certificate(c);
		return;
	}
	ac_plan_request(&c->acs[c->acs_signed], label, &ask);
	FAULT("factory.before-sign-attribute");
	rc = signer_sign_cert(c->f->signer, &ask, attribute_signed, c, &c->err);
	if (rc != RC_OK)
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
	enum rc rc;

	c->policy = factory_policy(c->f);
	atomic_fetch_add(&c->f->figures.issuing, 1);
	rc = issue_no_doubt(c);
	if (rc == RC_OK)
		rc = issue_repeated(c, &repeated);
	if (rc != RC_OK || repeated) {
		finish(c, rc);
		return;
	}
	rc = prepare(c);
	if (rc != RC_OK) {
		refused(c, rc);
		return;
	}
	sign_next(c);
}

enum rc
issue_try(struct issue_call *c, struct err *e)
{
	enum rc rc;

	c->policy = factory_policy(c->f);
	rc = gather(c);
	if (rc == RC_OK)
		rc = decide_issue(c->arena, &c->facts, &c->decision, &c->err);
	if (rc == RC_OK)
		rc = take_choices(c);
	snapshot_unref(c->policy);
	c->policy = NULL;
	if (rc != RC_OK)
		*e = c->err;
	return rc;
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
