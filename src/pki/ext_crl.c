/* Extensions of CRLs and their entries: RFC 5280 5.2, 5.3; expiredCertsOnCRL of X.509 9.5.2.8; RFC 6960 4.4.4. */
#include "base/base.h"
#include "pki/ext_kinds.h"

static const char *const reasons[] = {
	[CRL_UNSPECIFIED] = "unspecified",      [CRL_KEY_COMPROMISE] = "keyCompromise",
	[CRL_CA_COMPROMISE] = "cACompromise",   [CRL_AFFILIATION] = "affiliationChanged",
	[CRL_SUPERSEDED] = "superseded",        [CRL_CESSATION] = "cessationOfOperation",
	[CRL_HOLD] = "certificateHold",         [CRL_REMOVE] = "removeFromCRL",
	[CRL_PRIVILEGE] = "privilegeWithdrawn", [CRL_AA_COMPROMISE] = "aACompromise",
};

const char *
crl_reason_name(int reason)
{
	return reason >= 0 && reason < (int)ARRAY_LEN(reasons) && reasons[reason] != NULL ? reasons[reason]
											  : "";
}

int
crl_reason_by_name(struct bytes name)
{
	for (int i = 0; i < (int)ARRAY_LEN(reasons); i++)
		if (reasons[i] != NULL && ascii_case_eq(name, bytes_str(reasons[i])))
			return i;
	return CRL_NO_REASON;
}

void
read_number(struct der *d, struct arena *a, struct ext_value *v)
{
	v->number = der_integer(d);
	if (der_ok(d) && (v->number.n > LIMIT_SERIAL || v->number.p[0] >= 0x80))
		der_fail(d, CHY_EXT, "RFC 5280 5.2.3", "CRL number is negative or longer than %d octets",
			 LIMIT_SERIAL);
}

void
write_number(struct dw *w, const struct ext_value *v)
{
	dw_tlv(w, DER_INTEGER, v->number);
}

void
read_reason(struct der *d, struct arena *a, struct ext_value *v)
{
	struct bytes b = der_take(d, DER_ENUMERATED);

	v->reason = b.n == 1 ? b.p[0] : CRL_NO_REASON;
	if (der_ok(d) && crl_reason_name(v->reason)[0] == 0)
		der_fail(d, CHY_EXT, "RFC 5280 5.3.1", "a reason without a meaning");
}

void
write_reason(struct dw *w, const struct ext_value *v)
{
	uint8_t b = (uint8_t)v->reason;

	dw_tlv(w, DER_ENUMERATED, bytes_of(&b, 1));
}

void
read_at(struct der *d, struct arena *a, struct ext_value *v)
{
	if (der_ok(d) && !der_next_is(d, DER_GENERALIZED_TIME))
		der_fail(d, CHY_EXT, "RFC 5280 5.3.2", "a time that is no GeneralizedTime");
	v->at = der_time(d, false);
}

void
write_at(struct dw *w, const struct ext_value *v)
{
	dw_generalized_time(w, DER_GENERALIZED_TIME, v->at);
}

/* BOOLEAN DEFAULT FALSE behind an IMPLICIT tag. */
static bool
take_flag(struct der *d, unsigned tag)
{
	struct bytes b;

	if (!der_next_is(d, DER_CTX(tag)))
		return false;
	b = der_take(d, DER_CTX(tag));
	if (der_ok(d) && (b.n != 1 || b.p[0] != 0xff))
		der_fail(d, b.n == 1 && b.p[0] == 0 ? CHY_DER_DEFAULT : CHY_DER_BOOLEAN, "X.690 11.1",
			 "a flag that is not TRUE must be left out");
	return true;
}

void
read_issuing(struct der *d, struct arena *a, struct ext_value *v)
{
	struct issuing_point *p = &v->point;

	der_enter(d, DER_SEQUENCE);
	if (der_ok(d) && !der_more(d))
		der_fail(d, CHY_EXT, "RFC 5280 5.2.5", "an empty issuing distribution point");
	if (der_next_is(d, DER_CTX_CONS(0)))
		take_point_name(d, a, &p->full_name, &p->relative);
	p->only_user = take_flag(d, 1);
	p->only_ca = take_flag(d, 2);
	if (der_next_is(d, DER_CTX(3))) {
		p->reasons = der_named_bits(d, DER_CTX(3));
		if (der_ok(d) && (p->reasons == 0 || p->reasons & ~0x1ffu))
			der_fail(d, CHY_EXT, "RFC 5280 5.2.5", "reasons without a meaning");
	}
	p->indirect = take_flag(d, 4);
	p->only_attribute = take_flag(d, 5);
	der_leave(d);
	if (der_ok(d) && p->only_user + p->only_ca + p->only_attribute > 1)
		der_fail(d, CHY_EXT, "RFC 5280 5.2.5", "of one kind of certificates only, and of another");
}

static void
write_flag(struct dw *w, unsigned tag, bool is)
{
	if (is)
		dw_tlv(w, DER_CTX(tag), BYTES("\xff"));
}

void
write_issuing(struct dw *w, const struct ext_value *v)
{
	const struct issuing_point *p = &v->point;
	size_t at = dw_mark(w);

	write_flag(w, 5, p->only_attribute);
	write_flag(w, 4, p->indirect);
	if (p->reasons != 0)
		dw_named_bits(w, DER_CTX(3), p->reasons);
	write_flag(w, 2, p->only_ca);
	write_flag(w, 1, p->only_user);
	write_point_name(w, &p->full_name, p->relative);
	dw_wrap(w, DER_SEQUENCE, at);
}
