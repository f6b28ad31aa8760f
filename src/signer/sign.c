#include "base/base.h"
#include "signer/core_impl.h"

enum { REPAIR_US = 1000000 };

enum rc
core_journal_ready(struct signer_core *c, struct err *e)
{
	int64_t now = clock_mono_us();

	if (!sj_is_broken(c->o.journal))
		return RC_OK;
	NEED(c->repaired_us == 0 || now - c->repaired_us >= REPAIR_US, e, CHY_SJ_BROKEN, NULL,
	     "the signer's journal could not be written a moment ago");
	c->repaired_us = now;
	TRY(sj_repair(c->o.journal, e));
	LOG(WARNING, "signer.journal-repaired", LI("synced", (int64_t)sj_synced(c->o.journal)));
	return RC_OK;
}

static bool
to_sign(const struct item *it)
{
	return it->signs && it->e.code == CHY_NONE;
}

static bool
is_unsigned(const struct item *it)
{
	return to_sign(it) && !it->has_signature;
}

static void
sign_one(struct item *it)
{
	enum rc rc = it->type == SJ_OCSP ? ocsp_sign_list(it)
	    : it->digest ? keystore_sign_digest(it->key, it->alg, it->tbs, &it->signature, &it->e)
			 : keystore_sign(it->key, it->alg, it->tbs, &it->signature, &it->e);

	it->has_signature = true;
	if (rc == RC_OK && !buf_ok(&it->signature))
		rc = err_set(&it->e, CHY_NO_MEMORY, NULL, "a signature");
	/* whoever fails says why: this cannot be, but an answer without a signature must not leave */
	if (rc != RC_OK && it->e.code == CHY_NONE)
		(void)err_set(&it->e, CHY_INTERNAL, NULL, "signing failed without a reason");
}

struct slow {
	struct item *items[LIMIT_SIGNER_BATCH];
	size_t n;
};

static void
sign_slow(void *arg, size_t i)
{
	struct slow *s = arg;

	sign_one(s->items[i]);
}

/* P-256 in software takes 16 us, less than waking a thread: done here. Everything else by all threads. */
static void
sign_each(struct signer_core *c)
{
	struct slow slow = { .n = 0 };

	for (size_t i = 0; i < c->n_items; i++)
		if (is_unsigned(&c->items[i]) && c->items[i].key->slow)
			slow.items[slow.n++] = &c->items[i];
	if (slow.n > 0)
		workers_do(c->workers, slow.n, sign_slow, &slow);
	for (size_t i = 0; i < c->n_items; i++)
		if (is_unsigned(&c->items[i]) && !c->items[i].key->slow)
			sign_one(&c->items[i]);
}

static void
journal_one(struct signer_core *c, struct item *it, int64_t now)
{
	struct sj_record r = {
		.at_ms = now,
		.type = it->type,
		.key = bytes_str(it->key->label),
		.tbs = it->record.p != NULL ? it->record : it->tbs,
		.signature = buf_bytes(&it->signature),
		.context = it->context,
	};

	if (sj_add(c->o.journal, &r, &it->e) == RC_OK)
		it->position = r.position;
}

static void
fail_all(struct signer_core *c, const struct err *e)
{
	for (size_t i = 0; i < c->n_items; i++)
		if (to_sign(&c->items[i]))
			c->items[i].e = *e;
}

/* OCSP responses have one record for all of a key's. */
static void
journal_all(struct signer_core *c, int64_t now)
{
	for (size_t i = 0; i < c->n_items; i++) {
		if (!to_sign(&c->items[i]))
			continue;
		if (c->items[i].type != SJ_OCSP)
			journal_one(c, &c->items[i], now);
		else if (c->items[i].position == 0)
			ocsp_journal(c, i, now);
	}
}

static void
answer_one(struct signer_core *c, struct item *it)
{
	if (it->type == SJ_OCSP) {
		ocsp_answer(it);
		return;
	}
	if (it->type == SJ_CRL)
		crl_synced(c, it);
	if (it->type == SJ_HEAD) { /* synced: the witness knows it from now on, as after a restart */
		bool known;

		witness_take(&it->key->witness,
			     &(struct sj_record){ .position = it->position,
						  .type = SJ_HEAD,
						  .tbs = it->tbs,
						  .signature = buf_bytes(&it->signature) },
			     &known);
	}
	buf_u64(&it->payload, it->position);
	buf_lv(&it->payload, buf_bytes(&it->signature));
}

/* Handshakes come at any time; a test that means certificates must be able to say so. */
static bool
has_certificate(const struct signer_core *c)
{
	for (size_t i = 0; i < c->n_items; i++)
		if (to_sign(&c->items[i]) && c->items[i].type == SJ_CERT)
			return true;
	return false;
}

bool
core_sign_ahead(struct signer_core *c)
{
	if (core_journal_ready(c, NULL) != RC_OK)
		return false;
	sign_each(c);
	return true;
}

void
core_sign_all(struct signer_core *c)
{
	struct err e = { 0 };
	int64_t now = clock_now_ms();

	if (core_journal_ready(c, &e) != RC_OK) {
		fail_all(c, &e);
		return;
	}
	sign_each(c);
	FAULT("signer.after-sign");
	if (has_certificate(c))
		FAULT("signer.after-sign-certificate");
	journal_all(c, now);
	if (sj_commit(c->o.journal, &e) != RC_OK) {
		LOG(ERROR, "signer.journal", LE(&e));
		fail_all(c, &e);
		return;
	}
	if (has_certificate(c))
		FAULT("signer.after-sync-certificate");
	for (size_t i = 0; i < c->n_items; i++)
		if (to_sign(&c->items[i])) {
			answer_one(c, &c->items[i]);
			c->signed_total += c->items[i].type == SJ_OCSP ? c->items[i].sum.n : 1;
		}
}

enum rc
core_record(struct signer_core *c, enum sj_type type, struct skey *k, struct bytes what, struct bytes context,
	    struct err *e)
{
	struct sj_record r = {
		.at_ms = clock_now_ms(),
		.type = type,
		.key = bytes_str(k->label),
		.tbs = what,
		.context = context,
	};

	TRY(core_journal_ready(c, e));
	TRY(sj_add(c->o.journal, &r, e));
	TRY(sj_commit(c->o.journal, e));
	return c->crl_seen != NULL ? crl_seen_take(c->crl_seen, &r, e)
				   : RC_OK; /* a key made anew begins anew */
}
