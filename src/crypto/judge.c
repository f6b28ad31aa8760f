#include "base/base.h"
#include "crypto/judge.h"

#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <time.h>

#include "crypto/internal.h"
#include "crypto/judge_key.h"
#include "crypto/x509.h"
#include "pki/ext.h"
#include "pki/name.h"

/* One judgement on its way: every point is looked at, also after a disagreement. */
struct judge {
	struct arena *a;
	struct judgement *verdict;
	struct disagreement **last;
	const struct cert *ours;
	X509 *x;
	const struct judge_key *key; /* its key, which x has not decoded; NULL: x has */
	struct cert parsed;          /* ours, where the caller has none */
	bool nomem;
};

static void disagree(struct judge *j, const char *field, const char *fmt, ...) PRINTF(3, 4);

static void
disagree(struct judge *j, const char *field, const char *fmt, ...)
{
	struct disagreement *d = arena_one(j->a, struct disagreement);
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ossl_forget();
	if (d == NULL || (d->field = arena_str(j->a, bytes_str(field))) == NULL ||
	    (d->text = arena_str(j->a, bytes_str(text))) == NULL) {
		j->nomem = true;
		return;
	}
	*j->last = d;
	j->last = &d->next;
	j->verdict->count++;
}

/* What the library encodes (n bytes at p, freed here) against ours. */
static void
same(struct judge *j, const char *field, uint8_t *p, int n, struct bytes ours)
{
	if (n < 0 || p == NULL)
		disagree(j, field, "the library cannot encode it");
	else if (!bytes_eq(bytes_of(p, (size_t)n), ours))
		disagree(j, field, "the library has other bytes (%d, not %zu)", n, ours.n);
	OPENSSL_free(p);
}

/* ---- plain fields ---- */

static void
judge_serial(struct judge *j)
{
	uint8_t *p = NULL;
	int n = i2d_ASN1_INTEGER(X509_get0_serialNumber(j->x), &p);
	OWN_DW struct dw w = dw_growing(64);

	dw_tlv(&w, DER_INTEGER, j->ours->serial);
	same(j, "serial", p, n, dw_bytes(&w));
}

/* The library keeps a name's bytes as they came; so its attributes are compared one by one too. */
static void
judge_name(struct judge *j, const char *field, const X509_NAME *theirs, struct bytes ours)
{
	struct name name;
	uint8_t *p = NULL;
	int n = i2d_X509_NAME(theirs, &p);

	same(j, field, p, n, ours);
	if (name_parse(j->a, ours, &name, NULL) != RC_OK) {
		disagree(j, field, "we cannot read it");
		return;
	}
	if ((size_t)X509_NAME_entry_count(theirs) != name.n) {
		disagree(j, field, "%d attributes, not %zu", X509_NAME_entry_count(theirs), name.n);
		return;
	}
	for (size_t i = 0; i < name.n; i++) {
		const X509_NAME_ENTRY *entry = X509_NAME_get_entry(theirs, (int)i);
		const ASN1_STRING *value = X509_NAME_ENTRY_get_data(entry);
		const ASN1_OBJECT *type = X509_NAME_ENTRY_get_object(entry);

		if (!bytes_eq(bytes_of(OBJ_get0_data(type), OBJ_length(type)), name.ava[i].oid) ||
		    (uint32_t)ASN1_STRING_type(value) != name.ava[i].tag ||
		    !bytes_eq(bytes_of(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)),
			      name.ava[i].value) ||
		    (unsigned)X509_NAME_ENTRY_set(entry) != name.ava[i].rdn)
			disagree(j, field, "attribute %zu", i);
	}
}

static void
judge_time(struct judge *j, const char *field, const ASN1_TIME *theirs, int64_t at_ms, bool generalized)
{
	struct tm tm = { 0 };

	if (ASN1_TIME_to_tm(theirs, &tm) != 1)
		disagree(j, field, "the library cannot read it");
	else if ((int64_t)timegm(&tm) * 1000 != at_ms)
		disagree(j, field, "another time by %lld s",
			 (long long)timegm(&tm) - (long long)(at_ms / 1000));
	if ((ASN1_STRING_type(theirs) == V_ASN1_GENERALIZEDTIME) != generalized)
		disagree(j, field, "the kind of time differs");
}

static void
judge_key(struct judge *j)
{
	uint8_t *p = NULL;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(j->x), &p);
	EVP_PKEY *pkey = j->key ? j->key->pkey : X509_get0_pubkey(j->x);
	struct pubkey key;
	struct err e = { 0 };

	same(j, "spki", p, n, j->ours->spki);
	if (j->key != NULL && !bytes_eq(j->key->spki, j->ours->spki))
		disagree(j, "spki", "another key than the library has read");
	if (pubkey_parse(j->ours->spki, &key, &e) != RC_OK)
		disagree(j, "spki", "we cannot read it: %s", e.text);
	else if (pkey == NULL && key.alg < KEY_ML_DSA_44)
		disagree(j, "spki", "the library cannot read it");
	else if ((key.alg == KEY_RSA || key.alg == KEY_EC) && (unsigned)EVP_PKEY_get_bits(pkey) != key.bits)
		disagree(j, "spki", "%d bits, not %u", EVP_PKEY_get_bits(pkey), key.bits);
}

static void
judge_algorithms(struct judge *j)
{
	const X509_ALGOR *outer, *inner = X509_get0_tbs_sigalg(j->x);
	const ASN1_BIT_STRING *signature;
	uint8_t *p = NULL, *q = NULL;
	int n;

	X509_get0_signature(&signature, &outer, j->x);
	n = i2d_X509_ALGOR(outer, &p);
	same(j, "signature algorithm", p, n, j->ours->alg);
	n = i2d_X509_ALGOR(inner, &q);
	same(j, "signature algorithm inside", q, n, j->ours->tbs_alg);
	if (!bytes_eq(bytes_of(signature->data, (size_t)signature->length), j->ours->signature))
		disagree(j, "signature", "other octets");
}

/* ---- extensions ---- */

/* Decodes by the library and encodes again; an extension that it does not know passes. */
static void
judge_ext_again(struct judge *j, const char *field, X509_EXTENSION *theirs, struct bytes ours)
{
	const X509V3_EXT_METHOD *m = X509V3_EXT_get(theirs);
	uint8_t *p = NULL;
	void *value;
	int n;

	if (m == NULL)
		return;
	value = X509V3_EXT_d2i(theirs);
	if (value == NULL) {
		disagree(j, field, "the library cannot read it");
		return;
	}
	if (m->it != NULL) {
		n = ASN1_item_i2d(value, &p, ASN1_ITEM_ptr(m->it));
		ASN1_item_free(value, ASN1_ITEM_ptr(m->it));
	} else {
		n = m->i2d(value, NULL);
		p = n > 0 ? OPENSSL_malloc((size_t)n) : NULL;
		if (p != NULL) {
			uint8_t *to = p;

			m->i2d(value, &to);
		}
		m->ext_free(value);
	}
	same(j, field, p, n, ours);
}

static void
judge_ext(struct judge *j, X509_EXTENSION *theirs, const struct ext *ours)
{
	char dotted[OID_TEXT_MAX], field[OID_TEXT_MAX + 16];
	const ASN1_OBJECT *type = X509_EXTENSION_get_object(theirs);
	const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(theirs);
	struct ext_value said;
	struct err e = { 0 };

	snprintf(field, sizeof(field), "extension %s", oid_text(dotted, ours->oid));
	if (!bytes_eq(bytes_of(OBJ_get0_data(type), OBJ_length(type)), ours->oid))
		disagree(j, field, "another extension in this place");
	if ((X509_EXTENSION_get_critical(theirs) > 0) != ours->critical)
		disagree(j, field, "critical for one reader only");
	if (!bytes_eq(bytes_of(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)), ours->value))
		disagree(j, field, "other bytes");
	if (ext_decode(j->a, ours, &said, &e) != RC_OK)
		disagree(j, field, "we cannot read it: %s", e.text);
	judge_ext_again(j, field, theirs, ours->value);
}

static void
judge_exts(struct judge *j)
{
	size_t n = (size_t)(X509_get_ext_count(j->x) < 0 ? 0 : X509_get_ext_count(j->x));

	if (n != j->ours->exts.n) {
		disagree(j, "extensions", "%zu, not %zu", n, j->ours->exts.n);
		return;
	}
	for (size_t i = 0; i < n; i++)
		judge_ext(j, X509_get_ext(j->x, (int)i), &j->ours->exts.v[i]);
}

/* ---- what they mean ---- */

static void
judge_usage(struct judge *j)
{
	/* an extended key usage promises what the purpose of the library must find possible */
	static const struct {
		uint32_t eku;
		const char *name;
		int purpose, other; /* one of them must do */
	} promises[] = {
		{ XKU_SSL_SERVER, "serverAuth", X509_PURPOSE_SSL_SERVER, X509_PURPOSE_SSL_SERVER },
		{ XKU_SSL_CLIENT, "clientAuth", X509_PURPOSE_SSL_CLIENT, X509_PURPOSE_SSL_CLIENT },
		{ XKU_SMIME, "emailProtection", X509_PURPOSE_SMIME_SIGN, X509_PURPOSE_SMIME_ENCRYPT },
		{ XKU_TIMESTAMP, "timeStamping", X509_PURPOSE_TIMESTAMP_SIGN, X509_PURPOSE_TIMESTAMP_SIGN },
	};
	uint32_t flags = X509_get_extension_flags(j->x), eku = X509_get_extended_key_usage(j->x);
	const struct ext *ku = exts_find(&j->ours->exts, OID_CE_KEY_USAGE);
	uint32_t bits = 0;

	if (flags & EXFLAG_INVALID)
		disagree(j, "extensions", "the library finds them invalid");
	if (((flags & EXFLAG_CA) != 0) != cert_is_ca(j->ours))
		disagree(j, "basicConstraints", "a CA for one reader only");
	if (((flags & EXFLAG_KUSAGE) != 0) != (ku != NULL))
		disagree(j, "keyUsage", "there for one reader only");
	else if (ku != NULL && ext_key_usage(ku->value, &bits, NULL) == RC_OK) {
		/* theirs: the first octet as it stands, the second one above it; ours: bit n is 1 << n */
		uint32_t theirs = X509_get_key_usage(j->x), want = 0;

		for (unsigned b = 0; b < 9; b++)
			if (bits >> b & 1)
				want |= b < 8 ? 0x80u >> b : 0x8000u;
		if (theirs != want)
			disagree(j, "keyUsage", "%04x, not %04x", theirs, want);
	}
	/* the library knows mail to RSA keys only, not by key agreement (RFC 5753 3) */
	for (size_t i = 0; (flags & EXFLAG_XKUSAGE) && i < ARRAY_LEN(promises); i++)
		if ((eku & promises[i].eku) && !cert_is_ca(j->ours) &&
		    !(promises[i].eku == XKU_SMIME && (bits & USAGE_KEY_AGREEMENT)) &&
		    X509_check_purpose(j->x, promises[i].purpose, 0) != 1 &&
		    X509_check_purpose(j->x, promises[i].other, 0) != 1)
			disagree(j, "extKeyUsage", "not usable for %s", promises[i].name);
}

/* RFC 5280 6 with the issuer as trust anchor, at the first moment of its life. */
static void
judge_path(struct judge *j, struct bytes issuer)
{
	OWN(X509_STORE_free)
	X509_STORE *store = x509_store(&issuer, 1);
	OWN(X509_STORE_CTX_free)
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *param;

	if (store == NULL || ctx == NULL || !X509_STORE_CTX_init(ctx, store, j->x, NULL)) {
		disagree(j, "path", "the library cannot begin");
		return;
	}
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_time(param, (time_t)(j->ours->not_before_at / 1000));
	/* the issuer may have run out since, or its procedure's sample begin before it */
	X509_VERIFY_PARAM_set_flags(
	    param, X509_V_FLAG_X509_STRICT | X509_V_FLAG_IGNORE_CRITICAL | X509_V_FLAG_NO_CHECK_TIME);
	if (X509_verify_cert(ctx) != 1)
		disagree(j, "path", "%s", X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
}

static void
judge_issuer(struct judge *j, struct bytes issuer)
{
	OWN(X509_free)
	X509 *x = x509_of(issuer);
	EVP_PKEY *key = x ? X509_get0_pubkey(x) : NULL;
	int why;

	if (key == NULL) {
		disagree(j, "issuer", "the library cannot read the issuer's certificate");
		return;
	}
	if (X509_verify(j->x, key) != 1)
		disagree(j, "signature", "it is not the issuer's over this certificate");
	why = X509_check_issued(x, j->x);
	if (why != X509_V_OK)
		disagree(j, "issuer", "%s", X509_verify_cert_error_string(why));
	judge_path(j, issuer);
}

static void
judge_all(struct judge *j, struct bytes issuer)
{
	const struct cert *c = j->ours;
	uint8_t *p = NULL;
	int n;

	if (X509_get_version(j->x) + 1 != c->version)
		disagree(j, "version", "%ld, not %d", X509_get_version(j->x) + 1, c->version);
	judge_serial(j);
	judge_name(j, "issuer", X509_get_issuer_name(j->x), c->issuer);
	judge_name(j, "subject", X509_get_subject_name(j->x), c->subject);
	judge_time(j, "notBefore", X509_get0_notBefore(j->x), c->not_before_at, c->not_before_generalized);
	judge_time(j, "notAfter", X509_get0_notAfter(j->x), c->not_after_at, c->not_after_generalized);
	judge_key(j);
	judge_algorithms(j);
	judge_exts(j);
	judge_usage(j);
	if (issuer.n > 0)
		judge_issuer(j, issuer);
	/* last, as it drops what the library has kept of the original bytes */
	n = i2d_re_X509_tbs(j->x, &p);
	same(j, "tbs", p, n, c->tbs);
}

/* j->x: what the library has read of cert, NULL: nothing; freed here. */
static enum rc
judge_read(struct judge *j, struct bytes cert, struct bytes issuer, struct err *e)
{
	struct err why = { 0 };

	if (j->x == NULL)
		disagree(j, "certificate", "the library cannot read it, or bytes stand behind it");
	if (j->ours == NULL && cert_parse(j->a, cert, &j->parsed, &why) == RC_OK)
		j->ours = &j->parsed;
	if (j->ours == NULL)
		disagree(j, "certificate", "we cannot read it: %s", why.text);
	if (j->x != NULL && j->ours != NULL)
		judge_all(j, issuer);
	X509_free(j->x);
	/* some of the library's questions leave an error behind them although they are answered */
	ossl_forget();
	NEED(!j->nomem && why.rc != RC_NOMEM, e, CHY_NO_MEMORY, NULL, "judging a certificate");
	return RC_OK;
}

enum rc
judge_cert(struct arena *a, struct bytes cert, struct bytes issuer, const struct cert *ours,
	   struct judgement *ret, struct err *e)
{
	struct judge j = { .a = a, .verdict = ret, .last = &ret->first, .ours = ours, .x = x509_of(cert) };

	*ret = (struct judgement){ 0 };
	return judge_read(&j, cert, issuer, e);
}

enum rc
judge_cert_of_key(struct arena *a, struct bytes cert, const struct judge_key *key, const struct cert *ours,
		  struct judgement *ret, struct err *e)
{
	struct judge j = { .a = a,
			   .verdict = ret,
			   .last = &ret->first,
			   .ours = ours,
			   .x = judge_key_cert(key, cert),
			   .key = key };

	*ret = (struct judgement){ 0 };
	return judge_read(&j, cert, BYTES_NONE, e);
}
