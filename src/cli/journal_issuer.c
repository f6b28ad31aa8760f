/* Each certificate's own signature, by the key of the authority that its leaf names. */
#include "base/base.h"
#include "cli/journal_state.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum { BATCH = 512, THREADS_MAX = 8, LATER_MAX = 10000 };

struct check {
	int64_t id;
	const struct verifier *key;
	enum sigalg alg;
	struct bytes tbs, signature; /* the batch's arena */
	bool good;
};

/* Two of them: one is filled while the other one is verified. */
struct batch {
	struct arena *mem;
	struct check at[BATCH];
	size_t n;
	_Atomic size_t next;
	pthread_t threads[THREADS_MAX];
	size_t running;
};

/* A certificate that came before its issuer's: clocks of two factories differ by a little. */
struct later {
	struct later *more;
	int64_t id, issuer;
	struct bytes der;
};

struct issuer_checks {
	struct batch batches[2];
	size_t filling;
	struct later *later;
	size_t later_n;
};

static void *
work(void *arg)
{
	struct batch *b = arg;

	for (;;) {
		size_t i = atomic_fetch_add(&b->next, 1);
		struct check *c = &b->at[i < b->n ? i : 0];
		struct err e = { 0 };

		if (i >= b->n)
			return NULL;
		c->good = verifier_check(c->key, c->alg, c->tbs, c->signature, &e) == RC_OK;
	}
}

static void
start(struct batch *b)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	atomic_store(&b->next, 0);
	while (b->running < THREADS_MAX && (long)b->running < processors &&
	       pthread_create(&b->threads[b->running], NULL, work, b) == 0)
		b->running++;
	if (b->running == 0)
		work(b); /* no threads to be had: slowly, then */
}

static void
join(struct batch *b)
{
	while (b->running > 0)
		pthread_join(b->threads[--b->running], NULL);
}

/* Waits for the batch, tells what does not hold, and empties it. */
static enum rc
finish(struct journal_verifier *v, struct batch *b, struct err *e)
{
	char where[sizeof(v->where)];

	join(b);
	memcpy(where, v->where, sizeof(where));
	for (size_t i = 0; i < b->n; i++) {
		struct err why = { 0 };

		if (b->at[i].good)
			continue;
		snprintf(v->where, sizeof(v->where), "certificate %lld", (long long)b->at[i].id);
		TRY(journal_found(v,
				  err_set(&why, CHY_JOURNAL_SIGNATURE, "RFC 5280 4.1.1.3",
					  "it was not signed by the authority that its leaf names"),
				  &why, e));
	}
	memcpy(v->where, where, sizeof(where));
	b->n = 0;
	arena_free(b->mem);
	b->mem = NULL;
	return RC_OK;
}

static enum rc
add(struct journal_verifier *v, int64_t id, const struct verifier *key, const struct cert *c, struct err *e)
{
	struct batch *b = &v->checks->batches[v->checks->filling];
	struct check *x = &b->at[b->n];

	if (b->mem == NULL)
		b->mem = arena_new((size_t)BATCH * 2 * LIMIT_CERT);
	NEED(b->mem != NULL, e, CHY_NO_MEMORY, NULL, "a certificate's signature");
	*x = (struct check){ .id = id,
			     .key = key,
			     .alg = c->sigalg,
			     .tbs = arena_dup(b->mem, c->tbs),
			     .signature = arena_dup(b->mem, c->signature) };
	NEED(x->tbs.p != NULL && x->signature.p != NULL, e, CHY_NO_MEMORY, NULL, "a certificate's signature");
	if (++b->n < BATCH)
		return RC_OK;
	start(b);
	v->checks->filling ^= 1;
	return finish(v, &v->checks->batches[v->checks->filling], e);
}

static enum rc
begin(struct journal_verifier *v, struct err *e)
{
	if (v->checks == NULL)
		v->checks = calloc(1, sizeof(*v->checks));
	NEED(v->checks != NULL, e, CHY_NO_MEMORY, NULL, "certificates' signatures");
	return RC_OK;
}

enum rc
journal_issuer_add(struct journal_verifier *v, int64_t authority, const struct cert *c, struct err *e)
{
	struct issuer_state *s = arena_one(v->mem, struct issuer_state);

	NEED(s != NULL, e, CHY_NO_MEMORY, NULL, "an issuer");
	s->more = pairmap_get(&v->issuers, authority, 0);
	s->subject = arena_dup(v->mem, c->subject);
	NEED(s->subject.p != NULL, e, CHY_NO_MEMORY, NULL, "an issuer");
	TRY(pairmap_put(&v->issuers, authority, 0, s, e));
	return verifier_new(c->spki, &s->key, e);
}

static enum rc
keep(struct journal_verifier *v, int64_t id, int64_t issuer, const struct cert *c, struct err *e)
{
	struct later *x = arena_one(v->mem, struct later);

	NEED(v->checks->later_n < LATER_MAX, e, CHY_JOURNAL_SIGNATURE, NULL,
	     "its issuer has no certificate in the journal");
	NEED(x != NULL, e, CHY_NO_MEMORY, NULL, "a certificate");
	*x = (struct later){ v->checks->later, id, issuer, arena_dup(v->mem, c->der) };
	NEED(x->der.p != NULL, e, CHY_NO_MEMORY, NULL, "a certificate");
	v->checks->later = x;
	v->checks->later_n++;
	return RC_OK;
}

/* An authority that was certified again may have several keys. Names and key ids say which; where more than one is left,
   each is tried. */
static enum rc
check(struct journal_verifier *v, int64_t id, const struct issuer_state *s, const struct cert *c,
      struct err *e)
{
	const struct issuer_state *only = NULL;
	struct err why = { 0 };

	for (; s != NULL; s = s->more) {
		if (s->key == NULL || !bytes_eq(s->subject, c->issuer))
			continue;
		if (only != NULL && verifier_check(only->key, c->sigalg, c->tbs, c->signature, &why) == RC_OK)
			return RC_OK;
		err_clear(&why);
		only = s;
	}
	NEED(only != NULL, e, CHY_JOURNAL_SIGNATURE, "RFC 5280 4.1.2.4",
	     "it names another issuer than the authority in its leaf");
	return add(v, id, only->key, c, e);
}

struct cert
journal_as_cert(const struct ac *c)
{
	return (struct cert){ .der = c->der,
			      .tbs = c->tbs,
			      .issuer = c->issuer,
			      .not_before_at = c->not_before_at,
			      .not_after_at = c->not_after_at,
			      .alg = c->alg,
			      .sigalg = c->sigalg,
			      .signature = c->signature };
}

enum rc
journal_issuer_check(struct journal_verifier *v, int64_t id, int64_t issuer, const struct cert *c,
		     struct err *e)
{
	const struct issuer_state *s = pairmap_get(&v->issuers, issuer, 0);

	if (v->quick)
		return RC_OK;
	TRY(begin(v, e));
	return s == NULL ? keep(v, id, issuer, c, e) : check(v, id, s, c, e);
}

static enum rc
check_later(struct journal_verifier *v, const struct later *x, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	const struct issuer_state *s = pairmap_get(&v->issuers, x->issuer, 0);
	struct cert c;
	struct ac ac;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "a certificate");
	NEED(s != NULL, e, CHY_JOURNAL_SIGNATURE, NULL, "its issuer has no certificate in the journal");
	if (ac_is(x->der)) {
		TRY(ac_parse(a, x->der, &ac, e));
		c = journal_as_cert(&ac);
	} else {
		TRY(cert_parse(a, x->der, &c, e));
	}
	return check(v, x->id, s, &c, e);
}

enum rc
journal_issuers_end(struct journal_verifier *v, struct err *e)
{
	if (v->checks == NULL)
		return RC_OK;
	for (const struct later *x = v->checks->later; x != NULL; x = x->more) {
		struct err why = { 0 };
		enum rc rc = check_later(v, x, &why);

		snprintf(v->where, sizeof(v->where), "certificate %lld", (long long)x->id);
		TRY(journal_found(v, rc, &why, e));
	}
	start(&v->checks->batches[v->checks->filling]);
	for (size_t i = 0; i < ARRAY_LEN(v->checks->batches); i++)
		TRY(finish(v, &v->checks->batches[i], e));
	return RC_OK;
}

void
journal_issuers_fini(struct journal_verifier *v)
{
	for (size_t i = 0; v->checks != NULL && i < ARRAY_LEN(v->checks->batches); i++) {
		join(&v->checks->batches[i]);
		arena_free(v->checks->batches[i].mem);
	}
	free(v->checks);
	PAIRMAP_EACH(x, &v->issuers)
	{
		for (struct issuer_state *s = x->value; s != NULL; s = s->more)
			if (s->key != NULL)
				verifier_free(s->key);
	}
}
