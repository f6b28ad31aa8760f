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

void
core_sign_item(void *item)
{
	struct item *it = item;
	enum rc rc = it->type == SJ_OCSP ? ocsp_sign_list(it)
	    : it->digest ? keystore_sign_digest(it->key, it->alg, it->tbs, &it->signature, &it->e)
			 : keystore_sign(it->key, it->alg, it->tbs, &it->signature, &it->e);

	if (rc == RC_OK && !buf_ok(&it->signature))
		rc = err_set(&it->e, CHY_NO_MEMORY, NULL, "a signature");
	/* whoever fails says why: this cannot be, but an answer without a signature must not leave */
	if (rc != RC_OK && it->e.code == CHY_NONE)
		(void)err_set(&it->e, CHY_INTERNAL, NULL, "signing failed without a reason");
}

/* P-256 in software takes 16 us, less than to wake a thread for it; everything else is worth one. */
static unsigned
weight_of(const struct item *it)
{
	if (it->key->slow)
		return WORKERS_WEIGHT;
	return it->type == SJ_OCSP ? it->sum.n : 1;
}

static void
start_each(struct workers *w, struct batch *b)
{
	for (; b->given < b->n; b->given++) {
		struct item *it = &b->items[b->given];

		if (to_sign(it))
			workers_add(w, it, weight_of(it), it->key->in_token);
	}
}

static void
journal_one(struct sj *j, struct item *it, int64_t now)
{
	struct sj_record r = {
		.at_ms = now,
		.type = it->type,
		.key = bytes_str(it->key->label),
		.tbs = it->record.p != NULL ? it->record : it->tbs,
		.signature = buf_bytes(&it->signature),
		.context = it->context,
	};

	if (sj_add(j, &r, &it->e) == RC_OK)
		it->position = r.position;
}

static void
fail_all(struct batch *b, const struct err *e)
{
	for (size_t i = 0; i < b->n; i++)
		if (to_sign(&b->items[i]))
			b->items[i].e = *e;
}

/* OCSP responses have one record for all of a key's. */
static void
journal_all(struct sj *j, struct batch *b, int64_t now)
{
	for (size_t i = 0; i < b->n; i++) {
		if (!to_sign(&b->items[i]))
			continue;
		if (b->items[i].type != SJ_OCSP)
			journal_one(j, &b->items[i], now);
		else if (b->items[i].position == 0)
			ocsp_journal(j, b, i, now);
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
has_certificate(const struct batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		if (to_sign(&b->items[i]) && b->items[i].type == SJ_CERT)
			return true;
	return false;
}

/* While a batch is committed nobody else may look whether the journal is written; core_sign_all does when it is done. */
static MUST enum rc
may_sign(struct signer_core *c, struct err *e)
{
	return committer_busy(c) ? RC_OK : core_journal_ready(c, e);
}

bool
core_sign_ahead(struct signer_core *c)
{
	if (may_sign(c, NULL) != RC_OK)
		return false;
	start_each(c->workers, c->now);
	return true;
}

static MUST enum rc
sign_and_wait(struct signer_core *c, struct err *e)
{
	enum rc rc = may_sign(c, e);

	if (rc == RC_OK)
		start_each(c->workers, c->now);
	workers_finish(c->workers); /* also what was begun ahead, before the journal failed */
	TRY(rc);
	committer_wait(c);
	return core_journal_ready(c, e);
}

bool
core_sign_all(struct signer_core *c)
{
	struct err e = { 0 };

	if (sign_and_wait(c, &e) != RC_OK) {
		fail_all(c->now, &e);
		return false;
	}
	FAULT("signer.after-sign");
	if (has_certificate(c->now))
		FAULT("signer.after-sign-certificate");
	journal_all(c->o.journal, c->now, clock_now_ms());
	return true;
}

void
core_commit(struct signer_core *c, struct batch *b)
{
	struct err e = { 0 };

	if (sj_commit(c->o.journal, &e) != RC_OK) {
		LOG(ERROR, "signer.journal", LE(&e));
		fail_all(b, &e);
		return;
	}
	if (has_certificate(b))
		FAULT("signer.after-sync-certificate");
	for (size_t i = 0; i < b->n; i++)
		if (to_sign(&b->items[i])) {
			answer_one(c, &b->items[i]);
			c->signed_total += b->items[i].type == SJ_OCSP ? b->items[i].sum.n : 1;
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

	committer_wait(c);
	TRY(core_journal_ready(c, e));
	TRY(sj_add(c->o.journal, &r, e));
	TRY(sj_commit(c->o.journal, e));
	return c->crl_seen != NULL ? crl_seen_take(c->crl_seen, &r, e)
				   : RC_OK; /* a key made anew begins anew */
}
