#include "base/base.h"
#include "policy/names.h"

#include "pki/csr.h"
#include "pki/name.h"
#include "pki/walker.h"
#include "policy/body.h"

enum { UP_MAX = 64 };

/* ---- from documents ---- */

static bool
can_constrain(const struct gname *g)
{
	return g->type == GN_DNS || g->type == GN_EMAIL || g->type == GN_IP || g->type == GN_URI ||
	    g->type == GN_DIR || (g->type == GN_OTHER && g->other_known == OID_ON_UPN);
}

enum rc
names_from_text(struct arena *a, struct bytes text, struct gname *ret, struct err *e)
{
	TRY(gname_from_text(a, text, GN_CONSTRAINT, ret, e));
	NEED(can_constrain(ret), e, CHY_GNAME, "RFC 5280 4.2.1.10",
	     "only dns, email, ip, uri, dir and upn can be constrained");
	return RC_OK;
}

static enum rc
read_list(struct arena *a, const struct json *list, struct gnames *ret, struct err *e)
{
	ret->v = arena_array(a, list ? list->count : 0, sizeof(*ret->v));
	NEED(ret->v != NULL, e, CHY_NO_MEMORY, NULL, "name constraints");
	JSON_EACH(x, list)
	{
		TRY(names_from_text(a, x->str, &ret->v[ret->n], e));
		ret->n++;
	}
	return RC_OK;
}

enum rc
names_value(struct arena *a, const struct json *body, struct bytes *ret, struct err *e)
{
	struct ext_value v = { .kind = OID_CE_NAME_CONSTRAINTS, .critical = true };
	struct ext x;

	*ret = BYTES_NONE;
	TRY_AT(read_list(a, body_list(body, "permitted_names"), &v.constraints.permitted, e), e,
	       "permitted_names");
	TRY_AT(read_list(a, body_list(body, "excluded_names"), &v.constraints.excluded, e), e,
	       "excluded_names");
	if (v.constraints.permitted.n + v.constraints.excluded.n == 0)
		return RC_OK;
	TRY(ext_encode(a, &v, &x, e));
	*ret = x.value;
	return RC_OK;
}

/* ---- against what is to be issued ---- */

static enum rc
san_value(struct arena *a, const struct gnames *san, struct bytes *ret, struct err *e)
{
	OWN_DW struct dw w = dw_growing(LIMIT_TBS);

	*ret = BYTES_NONE;
	if (san == NULL || san->n == 0)
		return RC_OK;
	dw_gnames(&w, DER_SEQUENCE, san);
	return dw_dup(&w, a, ret, e);
}

static bool
is_constrained(const struct authority *by)
{
	for (int depth = 0; by != NULL && depth < UP_MAX; depth++, by = by->issuer)
		if (by->constraints_n > 0)
			return true;
	return false;
}

enum rc
names_allowed(struct arena *a, const struct authority *by, struct bytes subject, const struct gnames *san,
	      bool ca, struct err *e)
{
	struct tbs_view v = { .subject = subject, .ca = ca };

	if (!is_constrained(by))
		return RC_OK;
	TRY(san_value(a, san, &v.san, e));
	for (int depth = 0; by != NULL && depth < UP_MAX; depth++, by = by->issuer)
		for (size_t i = 0; i < by->constraints_n; i++) {
			struct err why = { 0 };

			NEED(tbs_check_names(&v, by->constraints[i], &why) == RC_OK, e, CHY_NAME_CONSTRAINT,
			     "RFC 5280 4.2.1.10", "authority \"%.*s\": %.260s",
			     BYTES_FMT(bytes_part(by->doc->name, 0, 40)), why.text);
		}
	return RC_OK;
}

enum rc
names_within(struct arena *a, struct bytes constraints, struct bytes subject, const struct gnames *san,
	     struct err *e)
{
	struct tbs_view v = { .subject = subject };

	TRY(san_value(a, san, &v.san, e));
	return tbs_check_names(&v, constraints, e);
}

/* ---- foreign CAs ---- */

static enum rc
from_certificate(struct arena *a, struct bytes der, struct foreign_ca *ret, struct err *e)
{
	struct err why = { 0 };
	struct cert c;

	NEED(cert_parse(a, der, &c, &why) == RC_OK, e, CHY_IMPORT_FORM, NULL,
	     "neither a PKCS#10 request nor a certificate: %s", why.text);
	NEED(cert_is_ca(&c), e, CHY_IMPORT_NOT_CA, "RFC 5280 4.2.1.9", "the certificate is no CA's");
	NEED(cert_is_self_issued(&c), e, CHY_IMPORT_SIGNATURE, NULL,
	     "the certificate is not self-signed and shows nobody's possession of the key: a PKCS#10 request "
	     "is "
	     "needed");
	*ret = (struct foreign_ca){ .der = der,
				    .subject = c.subject,
				    .spki = c.spki,
				    .tbs = c.tbs,
				    .signature = c.signature,
				    .sigalg = c.sigalg,
				    .not_before_ms = c.not_before_at,
				    .not_after_ms = c.not_after_at };
	return pubkey_parse(c.spki, &ret->key, e);
}

enum rc
foreign_ca_read(struct arena *a, struct bytes base64, struct foreign_ca *ret, struct err *e)
{
	struct bytes der;
	struct csr csr;

	TRY(base64_parse(a, base64, &der, e));
	if (csr_parse(a, der, &csr, NULL) != RC_OK)
		return from_certificate(a, der, ret, e);
	*ret = (struct foreign_ca){ .der = der,
				    .is_request = true,
				    .subject = csr.subject,
				    .spki = csr.key.spki,
				    .key = csr.key,
				    .tbs = csr.tbs,
				    .signature = csr.signature,
				    .sigalg = csr.sigalg };
	return RC_OK;
}

/* ---- a name that is taken ---- */

static bool
is_folded(struct bytes text, const char *lower)
{
	if (text.n != strlen(lower))
		return false;
	for (size_t i = 0; i < text.n; i++)
		if ((text.p[i] >= 'A' && text.p[i] <= 'Z' ? text.p[i] + 32 : text.p[i]) != (uint8_t)lower[i])
			return false;
	return true;
}

bool
is_journal_name(struct arena *a, struct bytes subject)
{
	const struct ava *cn;
	struct name name;

	if (name_parse(a, subject, &name, NULL) != RC_OK)
		return false;
	for (size_t i = 0; (cn = name_get(&name, OID_AT_CN, i)) != NULL; i++)
		if (is_folded(text_trim(ava_utf8(a, cn)), "journal"))
			return true;
	return false;
}

/* The last two are older names for the first, which OpenSSL takes as well. */
bool
is_for_servers(const struct oids *extended)
{
	const struct bytes any[] = { oid_der(OID_EKU_SERVER_AUTH), oid_der(OID_EKU_ANY),
				     BYTES("\x2b\x06\x01\x04\x01\x82\x37\x0a\x03\x03"),
				     BYTES("\x60\x86\x48\x01\x86\xf8\x42\x04\x01") };

	for (size_t i = 0; i < extended->n; i++)
		for (size_t k = 0; k < ARRAY_LEN(any); k++)
			if (bytes_eq(extended->v[i], any[k]))
				return true;
	return extended->n == 0;
}
