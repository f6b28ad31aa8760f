/* The hard limits for what says which certificates are revoked. */
#include "base/base.h"
#include "signer/limits.h"

enum {
	AHEAD_MS = 5 * 60 * 1000,       /* of our clock: both processes have the same one */
	BEHIND_MS = 2 * 60 * 60 * 1000, /* relying parties' clocks may go slow */
	DAY_MS = 86400000,
};

static bool
has_alg(const struct signer_limits *l, enum sigalg alg)
{
	for (size_t i = 0; i < l->n_algs; i++)
		if (l->algs[i] == alg)
			return true;
	return false;
}

static enum rc
check_now(int64_t at, int64_t now, const char *what, struct err *e)
{
	NEED(at <= now + AHEAD_MS && at >= now - BEHIND_MS, e, CHY_SIGNER_CLOCK, NULL,
	     "%s is %lld s away from the signer's clock", what, (long long)((at - now) / 1000));
	return RC_OK;
}

enum rc
limits_check_crl(const struct signer_limits *l, struct bytes issuer, const struct crl_walk *w, struct err *e)
{
	NEED(bytes_eq(issuer, l->issuer), e, CHY_SIGNER_ISSUER, "RFC 5280 5.1.2.3", "another issuer");
	NEED(has_alg(l, w->sigalg), e, CHY_SIGNER_ALGORITHM, NULL, "%s", sigalg_name(w->sigalg));
	NEED(w->next_update_at - w->this_update_at <= (int64_t)l->validity_max_days * DAY_MS, e,
	     CHY_SIGNER_VALIDITY, "RFC 5280 5.1.2.5", "good for longer than %u days", l->validity_max_days);
	return RC_OK;
}

enum rc
limits_check_crl_time(const struct crl_walk *w, int64_t now, struct err *e)
{
	if (!w->issued)
		return check_now(w->this_update_at, now, "thisUpdate", e);
	/* an issuance list is stamped with the time at which it was due; that it lies back makes nobody's certificate good */
	NEED(w->this_update_at <= now + AHEAD_MS && w->next_update_at > now, e, CHY_SIGNER_CLOCK, NULL,
	     "the list is not of now by the signer's clock");
	return RC_OK;
}

enum rc
ocsp_names_make(struct ocsp_names *n, struct bytes issuer, struct bytes issuer_key, struct bytes own,
		struct err *e)
{
	struct pubkey of_issuer, of_own;

	TRY(pubkey_parse(issuer_key, &of_issuer, e));
	TRY(pubkey_parse(own, &of_own, e));
	for (int h = 0; h < HASH_ALGS; h++) {
		hash_of((enum hash_alg)h, issuer, n->name[h]);
		hash_of((enum hash_alg)h, of_issuer.bits_der, n->key[h]);
	}
	sha1(of_own.bits_der, n->own);
	n->known = true;
	return RC_OK;
}

static enum rc
check_one(const struct signer_limits *l, const struct ocsp_names *n, const struct ocsp_view_one *x,
	  int64_t now, struct err *e)
{
	NEED(bytes_eq(x->name_hash, bytes_of(n->name[x->hash], x->name_hash.n)) &&
		 bytes_eq(x->key_hash, bytes_of(n->key[x->hash], x->key_hash.n)),
	     e, CHY_SIGNER_RESPONDER, "RFC 6960 4.1.1", "a certificate of another issuer");
	NEED(x->next_update_at != INT64_MAX, e, CHY_SIGNER_VALIDITY, "RFC 5019 2.2.4", "good for ever");
	NEED(x->next_update_at - x->this_update_at <= (int64_t)l->validity_max_days * DAY_MS, e,
	     CHY_SIGNER_VALIDITY, "RFC 6960 4.2.2.1", "good for longer than %u days", l->validity_max_days);
	return check_now(x->this_update_at, now, "thisUpdate", e);
}

enum rc
limits_check_ocsp(const struct signer_limits *l, const struct ocsp_names *n, const struct ocsp_view *v,
		  enum sigalg alg, int64_t now, struct err *e)
{
	NEED(has_alg(l, alg), e, CHY_SIGNER_ALGORITHM, NULL, "%s", sigalg_name(alg));
	NEED(bytes_eq(v->key_hash, BYTES_OF(n->own)), e, CHY_SIGNER_RESPONDER, "RFC 6960 4.2.2.3",
	     "the responder is not named by this key");
	TRY(check_now(v->produced_at, now, "producedAt", e));
	for (size_t i = 0; i < v->n; i++)
		TRY(check_one(l, n, &v->v[i], now, e));
	return RC_OK;
}
