#include "base/base.h"
#include "pki/signed.h"

#include "pki/pem.h"

enum rc
signed_parse(struct bytes der, size_t max, enum code too_long, struct signed_parts *ret, struct err *e)
{
	struct der d = der_of(der, e);

	*ret = (struct signed_parts){ .tbs = BYTES_NONE };
	NEED(der.n <= max, e, too_long, NULL, "%zu bytes, at most %zu are taken", der.n, max);
	der_enter(&d, DER_SEQUENCE);
	ret->tbs = der_tlv(&d, DER_SEQUENCE);
	ret->alg = der_tlv(&d, DER_SEQUENCE);
	ret->signature = der_bit_octets(&d);
	der_leave(&d);
	return der_end(&d);
}

void
signed_take_alg(struct der *d)
{
	der_enter(d, DER_SEQUENCE);
	der_oid(d);
	if (der_more(d))
		der_any(d, NULL);
	der_leave(d);
}

enum rc
signed_alg(struct bytes alg, enum sigalg *ret, struct err *e)
{
	struct der d = der_of(alg, e);

	if (sigalg_parse(alg, ret, NULL) != RC_OK)
		*ret = SIGALG_NONE;
	signed_take_alg(&d);
	TRY_AT(der_end(&d), e, "signatureAlgorithm");
	return der_check(alg, e);
}

enum rc
signed_text(struct arena *a, struct bytes in, size_t max, enum code too_long, const char *label,
	    struct bytes *ret, struct err *e)
{
	NEED(in.n <= 2 * max, e, too_long, NULL, "%zu bytes, at most %zu are taken", in.n, 2 * max);
	if (pem_is(in))
		return pem_one(a, in, label, ret, e);
	*ret = arena_dup(a, in);
	NEED(ret->p != NULL, e, CHY_NO_MEMORY, NULL, "%s", label);
	return RC_OK;
}
