/*
 * A rescue in the journal (docs/formats/rescue.md): the one place where signatures by expired certificates count, and only where the
 * leaves before it show that fewer than two officers were left who could have renewed the others.
 */
#include "base/base.h"
#include "cli/journal_state.h"
#include "crypto/cms_verify.h"
#include "model/rescue.h"
#include "policy/approval.h"

enum { EVIDENCE_MAX = 4096 };

/* A certificate that the leaf shows; the journal's own leaf of it names its digest. */
struct evidence {
	uint8_t sha256[SHA256_LEN];
	int64_t not_after_ms;
};

struct signer {
	const struct officer_state *o;
	int64_t officer, signed_at_ms;
	struct bytes subject, spki;
};

struct reading {
	struct journal_verifier *v;
	struct arena *a;
	const struct leaf_view *l;
	struct evidence *shown;
	size_t shown_n;
	struct signer signers[RESCUE_SIGNERS];
	struct bytes content;
	struct rescue doc;
	struct rescue_state *state;
};

struct rescue_state {
	struct {
		int64_t officer;
		uint8_t csr[SHA256_LEN];
		bool issued;
	} v[RESCUE_OFFICERS_MAX];
	size_t n;
};

/* ---- who was there ---- */

static const struct certificate_state *
certificate_by(const struct journal_verifier *v, const uint8_t hash[SHA256_LEN])
{
	const struct certificate_state *s = pairmap_get(&v->prints, journal_print(hash, 0),
							journal_print(hash, 1));

	return s != NULL && memcmp(s->row.sha256, hash, SHA256_LEN) == 0 ? s : NULL;
}

static const struct evidence *
shown(const struct reading *r, const uint8_t hash[SHA256_LEN])
{
	for (size_t i = 0; i < r->shown_n; i++)
		if (memcmp(r->shown[i].sha256, hash, SHA256_LEN) == 0)
			return &r->shown[i];
	return NULL;
}

/* Good, and not shown to have expired. */
static bool
acts(const struct reading *r, int64_t id)
{
	const struct certificate_state *s = pairmap_get(&r->v->certificates, id, 0);
	const struct evidence *x = s ? shown(r, s->row.sha256) : NULL;

	return s == NULL || (s->state == CERT_VALID && (x == NULL || x->not_after_ms >= r->l->at_ms));
}

static bool
administers(const struct journal_verifier *v, const struct officer_state *o)
{
	const struct profile_state *p = pairmap_get(&v->profiles, o->profile, 0);
	const roles needed = ROLES(ROLE_USE_AWB) | ROLES(ROLE_OFFICER_TASKS);

	return o->active && o->domain == 0 && p != NULL && p->active && (p->roles & needed) == needed;
}

/* For whom of a token others were made, the leaves do not tell. */
static bool
could_act(const struct reading *r, const struct officer_state *o)
{
	const struct profile_state *p = pairmap_get(&r->v->profiles, o->profile, 0);

	if (p->by_token || o->certificate == 0 || acts(r, o->certificate))
		return true;
	for (const struct own_certificate *x = o->own; x != NULL && p->by_subject; x = x->next)
		if (x->id > o->certificate && journal_is_bound(r->a, &o->subject, x->subject, x->procedure) &&
		    acts(r, x->id))
			return true;
	return false;
}

static int64_t
newest_of(const struct reading *r, const struct officer_state *o)
{
	int64_t newest = o->certificate;

	for (const struct own_certificate *x = o->own; x != NULL; x = x->next)
		if (x->id > newest && journal_is_bound(r->a, &o->subject, x->subject, x->procedure))
			newest = x->id;
	return newest;
}

static enum rc
nobody_was_left(const struct reading *r, struct err *e)
{
	size_t left = 0;

	PAIRMAP_EACH(x, &r->v->officers)
	{
		const struct officer_state *o = x->value;

		left += administers(r->v, o) && could_act(r, o);
	}
	NEED(left < 2, e, CHY_JOURNAL_SIGNATURE, NULL,
	     "%zu officers were left who could have renewed the others", left);
	return RC_OK;
}

/* ---- what it says ---- */

static enum rc
read_evidence(struct reading *r, struct err *e)
{
	struct json *list;

	TRY(json_need_array(r->l->leaf, "certificates", &list, e));
	NEED(list->count <= EVIDENCE_MAX, e, CHY_JOURNAL_FORMAT, NULL, "%zu certificates", list->count);
	r->shown = arena_array(r->a, list->count + 1, sizeof(*r->shown));
	NEED(r->shown != NULL, e, CHY_NO_MEMORY, NULL, "a rescue");
	JSON_EACH(item, list)
	{
		struct evidence *x = &r->shown[r->shown_n];
		struct bytes der;
		struct cert c;

		NEED(item->type == JSON_STR, e, CHY_JOURNAL_FORMAT, NULL, "a certificate is a text");
		TRY(base64_parse(r->a, item->str, &der, e));
		TRY(cert_parse(r->a, der, &c, e));
		sha256(der, x->sha256);
		x->not_after_ms = c.not_after_at;
		r->shown_n++;
	}
	return RC_OK;
}

/* But for its end the certificate is as for every signature, and it is the newest that the officer has. */
static enum rc
read_signer(struct reading *r, const struct json *item, size_t i, struct err *e)
{
	const struct certificate_state *s;
	struct signer *x = &r->signers[i];
	struct bytes text, der;
	struct cms_signed cms;
	uint8_t hash[SHA256_LEN];
	struct cert c;

	TRY(json_need_int(item, "officer", 1, JSON_INT_MAX, &x->officer, e));
	TRY(json_need_str(item, "cms", &text, e));
	TRY(base64_parse(r->a, text, &der, e));
	TRY(cms_verify(r->a, der, &cms, e));
	TRY(journal_signer(r->v, r->a, x->officer, cms.signer, &x->o, e));
	TRY(cert_parse(r->a, cms.signer, &c, e));
	sha256(cms.signer, hash);
	s = certificate_by(r->v, hash);
	NEED(s != NULL && s->state == CERT_VALID && s->own_leaf == newest_of(r, x->o) &&
		 r->l->at_ms >= c.not_before_at,
	     e, CHY_JOURNAL_SIGNATURE, NULL,
	     "it is not the newest certificate of officer %lld, or was not good", (long long)x->officer);
	NEED(administers(r->v, x->o), e, CHY_JOURNAL_SIGNATURE, NULL,
	     "officer %lld could not have renewed others", (long long)x->officer);
	NEED(i == 0 || bytes_eq(cms.content, r->content), e, CHY_JOURNAL_SIGNATURE, NULL,
	     "the signatures are over different documents");
	x->subject = c.subject;
	x->spki = c.spki;
	x->signed_at_ms = cms.signed_at_ms;
	r->content = cms.content;
	return RC_OK;
}

static enum rc
read_signers(struct reading *r, struct err *e)
{
	const struct signer *x = &r->signers[0], *y = &r->signers[1];
	struct json *list;
	size_t i = 0;

	TRY(json_need_array(r->l->leaf, "signatures", &list, e));
	NEED(list->count == RESCUE_SIGNERS, e, CHY_JOURNAL_SIGNATURE, NULL, "%zu signatures", list->count);
	JSON_EACH(item, list)
	TRY(read_signer(r, item, i++, e));
	NEED(x->officer != y->officer && !bytes_eq(x->spki, y->spki) && !name_eq(x->subject, y->subject), e,
	     CHY_JOURNAL_SIGNATURE, NULL, "both signatures are of one person");
	return RC_OK;
}

static enum rc
in_time(const struct reading *r, struct err *e)
{
	int64_t at = r->l->at_ms, prepared = r->doc.prepared_at_ms;

	NEED(prepared <= at + SIGNING_TIME_SLACK_MS && at - prepared < RESCUE_DAYS_MS, e,
	     CHY_JOURNAL_SIGNATURE, NULL, "it was prepared at another time");
	for (size_t i = 0; i < RESCUE_SIGNERS; i++)
		NEED(r->signers[i].signed_at_ms <= at + SIGNING_TIME_SLACK_MS &&
			 r->signers[i].signed_at_ms >= prepared - SIGNING_TIME_SLACK_MS,
		     e, CHY_JOURNAL_SIGNATURE, NULL, "it was signed at another time");
	return RC_OK;
}

/* ---- whom it renews ---- */

static const struct officer_state *
officer_of(const struct reading *r, const struct certificate_state *s, int64_t *ret)
{
	*ret = s->stands_for;
	if (*ret != 0)
		return pairmap_get(&r->v->officers, *ret, 0);
	PAIRMAP_EACH(x, &r->v->officers)
	{
		const struct officer_state *o = x->value;

		*ret = x->a;
		if (o->certificate == s->own_leaf)
			return o;
	}
	return NULL;
}

static enum rc
read_renewed(struct reading *r, size_t i, struct err *e)
{
	const struct rescue_item *item = &r->doc.v[i];
	const struct certificate_state *s = certificate_by(r->v, item->certificate);
	const struct evidence *x = shown(r, item->certificate);
	const struct officer_state *o = s ? officer_of(r, s, &r->state->v[i].officer) : NULL;

	NEED(o != NULL && o->active && newest_of(r, o) == s->own_leaf, e, CHY_JOURNAL_SIGNATURE, NULL,
	     "certificate %zu of it is not the newest of an open officer", i);
	NEED(s->state == CERT_VALID && x != NULL && x->not_after_ms < r->l->at_ms, e, CHY_JOURNAL_SIGNATURE,
	     NULL, "the certificate of officer %lld had not expired, or was not good",
	     (long long)r->state->v[i].officer);
	sha256(item->csr, r->state->v[i].csr);
	r->state->n = i + 1;
	return RC_OK;
}

enum rc
journal_rescue(struct journal_verifier *v, struct arena *a, const struct leaf_view *l, struct err *e)
{
	struct reading r = { .v = v, .a = a, .l = l };

	v->ceremony = false;
	v->form = true;
	v->sum.rescues++;
	r.state = arena_one(v->mem, struct rescue_state);
	NEED(r.state != NULL, e, CHY_NO_MEMORY, NULL, "a rescue");
	TRY(read_evidence(&r, e));
	TRY(read_signers(&r, e));
	TRY(rescue_read(a, r.content, &r.doc, e));
	NEED(bytes_is(r.doc.instance, v->instance), e, CHY_JOURNAL_SIGNATURE, NULL,
	     "what was signed is a rescue of another installation");
	TRY(in_time(&r, e));
	TRY(nobody_was_left(&r, e));
	for (size_t i = 0; i < r.doc.n; i++)
		TRY(read_renewed(&r, i, e));
	return pairmap_put(&v->rescues, l->id, 0, r.state, e);
}

bool
journal_rescue_names(const struct journal_verifier *v, int64_t rescue, int64_t officer)
{
	const struct rescue_state *s = rescue ? pairmap_get(&v->rescues, rescue, 0) : NULL;

	for (size_t i = 0; s != NULL && i < s->n; i++)
		if (s->v[i].officer == officer)
			return true;
	return false;
}

enum rc
journal_rescued(struct journal_verifier *v, struct arena *a, int64_t rescue, const struct leaf_view *l,
		struct err *e)
{
	const struct certificate_state *s = pairmap_get(&v->certificates, l->id, 0), *bound;
	const struct officer_state *o = pairmap_get(&v->officers, s->stands_for, 0);
	struct rescue_state *r = pairmap_get(&v->rescues, rescue, 0);
	struct bytes hex, hash;

	NEED(r != NULL && o != NULL, e, CHY_JOURNAL_SIGNATURE, NULL, "there was no rescue %lld for it",
	     (long long)rescue);
	bound = pairmap_get(&v->certificates, o->certificate, 0);
	NEED(bound != NULL && bound->token_procedure == s->token_procedure, e, CHY_JOURNAL_SIGNATURE, NULL,
	     "another token procedure had issued the certificate of officer %lld", (long long)s->stands_for);
	TRY(json_need_str(l->leaf, "csr_sha256", &hex, e));
	TRY(hex_parse(a, hex, &hash, e));
	for (size_t i = 0; i < r->n; i++)
		if (!r->v[i].issued && r->v[i].officer == s->stands_for && hash.n == SHA256_LEN &&
		    memcmp(r->v[i].csr, hash.p, SHA256_LEN) == 0) {
			r->v[i].issued = true;
			return RC_OK;
		}
	FAIL(e, CHY_JOURNAL_SIGNATURE, NULL, "the rescue does not ask for it, or not so often");
}
