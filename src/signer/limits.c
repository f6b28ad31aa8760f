#include "base/base.h"
#include "signer/limits.h"

enum { DAY_MS = 86400000, DAYS_MAX = 365 * 100 };

/* A responder says nothing but the status of one issuer's certificates. */
static MUST enum rc
check_class(const struct signer_limits *l, enum signer_class class, struct err *e)
{
	struct pubkey k;

	if (class != SIGNER_OCSP) {
		NEED(l->issuer_key.n == 0, e, CHY_SIGNER_LIMITS, NULL, "a CA's issuer is itself");
		return RC_OK;
	}
	NEED(!l->ca_allowed && !l->acs_allowed && l->name_constraints.n == 0, e, CHY_SIGNER_LIMITS, NULL,
	     "a responder signs no certificates");
	NEED(pubkey_parse(l->issuer_key, &k, NULL) == RC_OK, e, CHY_SIGNER_LIMITS, "RFC 6960 4.1.1",
	     "the issuer's key is missing");
	return RC_OK;
}

enum rc
limits_check_sense(const struct signer_limits *l, const struct key_type *t, enum signer_class class,
		   struct err *e)
{
	TRY(check_class(l, class, e));
	TRY_AT(name_check(l->issuer, e), e, "issuer");
	NEED(!name_is_empty(l->issuer), e, CHY_SIGNER_LIMITS, "RFC 5280 4.1.2.4", "empty issuer");
	NEED(l->n_algs > 0 && l->n_algs <= SIGNER_ALGS_MAX, e, CHY_SIGNER_LIMITS, NULL, "%zu algorithms",
	     l->n_algs);
	for (size_t i = 0; i < l->n_algs; i++)
		NEED(sigalg_fits(l->algs[i], t), e, CHY_SIGNER_LIMITS, NULL, "%s does not fit the key",
		     sigalg_name(l->algs[i]));
	NEED(l->validity_max_days > 0 && l->validity_max_days <= DAYS_MAX, e, CHY_SIGNER_LIMITS, NULL,
	     "%u days", l->validity_max_days);
	NEED(l->path_len_max >= -1 && l->path_len_max <= 64, e, CHY_SIGNER_LIMITS, NULL, "path length %d",
	     l->path_len_max);
	NEED(l->name_constraints.n <= SIGNER_NAMES_MAX, e, CHY_SIGNER_LIMITS, NULL,
	     "name constraints too long");
	if (l->name_constraints.n > 0)
		TRY_AT(der_check(l->name_constraints, e), e, "name_constraints");
	return RC_OK;
}

static bool
has_alg(const struct signer_limits *l, enum sigalg alg)
{
	for (size_t i = 0; i < l->n_algs; i++)
		if (l->algs[i] == alg)
			return true;
	return false;
}

enum rc
limits_check_tighter(const struct signer_limits *was, const struct signer_limits *next, struct err *e)
{
	NEED(bytes_eq(was->issuer, next->issuer) && bytes_eq(was->issuer_key, next->issuer_key), e,
	     CHY_SIGNER_LIMITS_WIDER, NULL, "another issuer");
	for (size_t i = 0; i < next->n_algs; i++)
		NEED(has_alg(was, next->algs[i]), e, CHY_SIGNER_LIMITS_WIDER, NULL, "%s",
		     sigalg_name(next->algs[i]));
	NEED(next->validity_max_days <= was->validity_max_days, e, CHY_SIGNER_LIMITS_WIDER, NULL, "validity");
	NEED(was->ca_allowed || !next->ca_allowed, e, CHY_SIGNER_LIMITS_WIDER, NULL, "CA certificates");
	NEED(was->acs_allowed || !next->acs_allowed, e, CHY_SIGNER_LIMITS_WIDER, NULL,
	     "attribute certificates");
	NEED(was->path_len_max < 0 || (next->path_len_max >= 0 && next->path_len_max <= was->path_len_max), e,
	     CHY_SIGNER_LIMITS_WIDER, NULL, "path length");
	/* whether one set of subtrees lies within another is not decided here: they stay, or are set once */
	NEED(was->name_constraints.n == 0 || bytes_eq(was->name_constraints, next->name_constraints), e,
	     CHY_SIGNER_LIMITS_WIDER, NULL, "name constraints");
	NEED(was->per_second == 0 || (next->per_second > 0 && next->per_second <= was->per_second), e,
	     CHY_SIGNER_LIMITS_WIDER, NULL, "rate");
	return RC_OK;
}

static MUST enum rc
check_ca(const struct signer_limits *l, const struct tbs_view *v, bool own, struct err *e)
{
	if (!v->ca || own)
		return RC_OK;
	NEED(l->ca_allowed, e, CHY_SIGNER_CA_FLAG, "RFC 5280 4.2.1.9", "CA certificates are not allowed");
	if (l->path_len_max < 0)
		return RC_OK;
	NEED(v->path_len >= 0 && v->path_len <= l->path_len_max, e, CHY_SIGNER_CA_FLAG, "RFC 5280 4.2.1.9",
	     "path length %d, at most %d", v->path_len, l->path_len_max);
	return RC_OK;
}

enum rc
limits_check(const struct signer_limits *l, const struct tbs_view *v, struct bytes spki, struct err *e)
{
	bool own = bytes_eq(v->spki, spki) && bytes_eq(v->issuer, v->subject);
	struct err names = { 0 };

	NEED(bytes_eq(v->issuer, l->issuer), e, CHY_SIGNER_ISSUER, "RFC 5280 4.1.2.4", "another issuer");
	NEED(has_alg(l, v->sigalg), e, CHY_SIGNER_ALGORITHM, NULL, "%s", sigalg_name(v->sigalg));
	NEED(v->not_after_at - v->not_before_at <= (int64_t)l->validity_max_days * DAY_MS, e,
	     CHY_SIGNER_VALIDITY, "RFC 5280 4.1.2.5", "longer than %u days", l->validity_max_days);
	TRY(check_ca(l, v, own, e));
	if (own || l->name_constraints.n == 0)
		return RC_OK;
	NEED(tbs_check_names(v, l->name_constraints, &names) == RC_OK, e, CHY_SIGNER_NAME,
	     "RFC 5280 4.2.1.10", "%s", names.text);
	return RC_OK;
}

enum rc
limits_check_ac(const struct signer_limits *l, const struct ac_view *v, struct err *e)
{
	NEED(bytes_eq(v->issuer, l->issuer), e, CHY_SIGNER_ISSUER, "RFC 5755 4.2.3", "another issuer");
	NEED(l->acs_allowed, e, CHY_SIGNER_AC_FLAG, "RFC 5755 4.5", "attribute certificates are not allowed");
	NEED(has_alg(l, v->sigalg), e, CHY_SIGNER_ALGORITHM, NULL, "%s", sigalg_name(v->sigalg));
	NEED(v->not_after_at - v->not_before_at <= (int64_t)l->validity_max_days * DAY_MS, e,
	     CHY_SIGNER_VALIDITY, "RFC 5755 4.2.6", "longer than %u days", l->validity_max_days);
	return RC_OK;
}

enum rc
limits_rate(struct rate *r, uint32_t per_second, int64_t now_us, struct err *e)
{
	uint64_t full = (uint64_t)per_second * 1000000, gone = (uint64_t)(now_us - r->at_us);

	if (per_second == 0)
		return RC_OK;
	if (r->at_us == 0 || gone >= 1000000)
		r->micro = full;
	else
		r->micro = r->micro + gone * per_second < full ? r->micro + gone * per_second : full;
	r->at_us = now_us;
	NEED(r->micro >= 1000000, e, CHY_SIGNER_RATE, NULL, "%u certificates a second", per_second);
	r->micro -= 1000000;
	return RC_OK;
}
