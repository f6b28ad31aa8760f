#include "base/base.h"
#include "pki/key.h"

#include "pki/oid.h"

static const struct digest_row {
	const char *name;
	size_t len;
	const char *alg_id; /* 13 octets */
} digests[] = {
	[DIGEST_NONE] = { "", 0, "" },
	[DIGEST_SHA256] = { "sha256", 32, "\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01" },
	[DIGEST_SHA384] = { "sha384", 48, "\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02" },
	[DIGEST_SHA512] = { "sha512", 64, "\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03" },
};

/* AlgorithmIdentifiers as RFC 4055 (RSA with NULL; PSS with hash, MGF1 of the same hash, salt of its length), RFC 5758,
   RFC 8410 and RFC 9881 want them; a test compares each with what OpenSSL writes. */
static const struct sig_row {
	const char *name;
	enum digest digest;
	enum key_alg key;
	size_t n;
	const char *alg_id;
} sigs[] = {
	[SIGALG_NONE] = { "", DIGEST_NONE, KEY_NONE, 0, "" },
	[SIGALG_RSA_PKCS1_SHA256] = { "rsa-pkcs1-sha256", DIGEST_SHA256, KEY_RSA, 15,
				      "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00" },
	[SIGALG_RSA_PKCS1_SHA384] = { "rsa-pkcs1-sha384", DIGEST_SHA384, KEY_RSA, 15,
				      "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c\x05\x00" },
	[SIGALG_RSA_PKCS1_SHA512] = { "rsa-pkcs1-sha512", DIGEST_SHA512, KEY_RSA, 15,
				      "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d\x05\x00" },
	[SIGALG_RSA_PSS_SHA256] = { "rsa-pss-sha256", DIGEST_SHA256, KEY_RSA, 67,
				    "\x30\x41\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x34\xa0\x0f\x30"
				    "\x0d\x06"
				    "\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\xa1\x1c\x30\x1a\x06\x09"
				    "\x2a\x86"
				    "\x48\x86\xf7\x0d\x01\x01\x08\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04"
				    "\x02\x01"
				    "\x05\x00\xa2\x03\x02\x01\x20" },
	[SIGALG_RSA_PSS_SHA384] = { "rsa-pss-sha384", DIGEST_SHA384, KEY_RSA, 67,
				    "\x30\x41\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x34\xa0\x0f\x30"
				    "\x0d\x06"
				    "\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\xa1\x1c\x30\x1a\x06\x09"
				    "\x2a\x86"
				    "\x48\x86\xf7\x0d\x01\x01\x08\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04"
				    "\x02\x02"
				    "\x05\x00\xa2\x03\x02\x01\x30" },
	[SIGALG_RSA_PSS_SHA512] = { "rsa-pss-sha512", DIGEST_SHA512, KEY_RSA, 67,
				    "\x30\x41\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x34\xa0\x0f\x30"
				    "\x0d\x06"
				    "\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\xa1\x1c\x30\x1a\x06\x09"
				    "\x2a\x86"
				    "\x48\x86\xf7\x0d\x01\x01\x08\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04"
				    "\x02\x03"
				    "\x05\x00\xa2\x03\x02\x01\x40" },
	[SIGALG_ECDSA_SHA256] = { "ecdsa-sha256", DIGEST_SHA256, KEY_EC, 12,
				  "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02" },
	[SIGALG_ECDSA_SHA384] = { "ecdsa-sha384", DIGEST_SHA384, KEY_EC, 12,
				  "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03" },
	[SIGALG_ECDSA_SHA512] = { "ecdsa-sha512", DIGEST_SHA512, KEY_EC, 12,
				  "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x04" },
	[SIGALG_ED25519] = { "ed25519", DIGEST_NONE, KEY_ED25519, 7, "\x30\x05\x06\x03\x2b\x65\x70" },
	[SIGALG_ED448] = { "ed448", DIGEST_NONE, KEY_ED448, 7, "\x30\x05\x06\x03\x2b\x65\x71" },
	[SIGALG_ML_DSA_44] = { "ml-dsa-44", DIGEST_NONE, KEY_ML_DSA_44, 13,
			       "\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x11" },
	[SIGALG_ML_DSA_65] = { "ml-dsa-65", DIGEST_NONE, KEY_ML_DSA_65, 13,
			       "\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x12" },
	[SIGALG_ML_DSA_87] = { "ml-dsa-87", DIGEST_NONE, KEY_ML_DSA_87, 13,
			       "\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x13" },
};

static const struct digest_row *
digest_row(enum digest d)
{
	return &digests[(unsigned)d < ARRAY_LEN(digests) ? d : DIGEST_NONE];
}

size_t
digest_len(enum digest d)
{
	return digest_row(d)->len;
}

const char *
digest_name(enum digest d)
{
	return digest_row(d)->name;
}

struct bytes
digest_alg_id(enum digest d)
{
	const struct digest_row *r = digest_row(d);

	return r->len ? bytes_of(r->alg_id, 13) : BYTES_NONE;
}

static const struct sig_row *
sig_row(enum sigalg s)
{
	return &sigs[(unsigned)s < SIGALG_COUNT ? s : SIGALG_NONE];
}

const char *
sigalg_name(enum sigalg s)
{
	return sig_row(s)->name;
}

enum sigalg
sigalg_by_name(struct bytes name)
{
	for (unsigned i = 1; i < SIGALG_COUNT; i++)
		if (ascii_case_eq(name, bytes_str(sigs[i].name)))
			return (enum sigalg)i;
	return SIGALG_NONE;
}

struct bytes
sigalg_alg_id(enum sigalg s)
{
	return bytes_of(sig_row(s)->alg_id, sig_row(s)->n);
}

enum digest
sigalg_digest(enum sigalg s)
{
	return sig_row(s)->digest;
}

enum key_alg
sigalg_key(enum sigalg s)
{
	return sig_row(s)->key;
}

bool
sigalg_fits(enum sigalg s, const struct key_type *t)
{
	return s != SIGALG_NONE && sig_row(s)->key == t->alg;
}

enum sigalg
sigalg_default(const struct key_type *t)
{
	if (t->alg == KEY_EC)
		return t->curve == CURVE_P521 ? SIGALG_ECDSA_SHA512
		    : t->curve == CURVE_P384  ? SIGALG_ECDSA_SHA384
					      : SIGALG_ECDSA_SHA256;
	if (t->alg == KEY_RSA)
		return SIGALG_RSA_PKCS1_SHA256;
	for (unsigned i = 1; i < SIGALG_COUNT; i++)
		if (sigs[i].key == t->alg)
			return (enum sigalg)i;
	return SIGALG_NONE;
}

/* RFC 4055 2.1: the NULL of RSA and of the digests inside PSS may be left out. Everything else is one encoding. */
static enum sigalg
without_null(struct bytes oid)
{
	switch (oid_find(oid)) {
	case OID_ALG_RSA_SHA256:
		return SIGALG_RSA_PKCS1_SHA256;
	case OID_ALG_RSA_SHA384:
		return SIGALG_RSA_PKCS1_SHA384;
	case OID_ALG_RSA_SHA512:
		return SIGALG_RSA_PKCS1_SHA512;
	default:
		return SIGALG_NONE;
	}
}

static enum digest
take_digest(struct der *d)
{
	struct bytes oid;

	der_enter(d, DER_SEQUENCE);
	oid = der_oid(d);
	if (der_more(d))
		der_null(d);
	der_leave(d);
	for (unsigned i = 1; i < ARRAY_LEN(digests); i++)
		if (der_ok(d) && bytes_eq(oid, bytes_part(digest_alg_id((enum digest)i), 4, SIZE_MAX)))
			return (enum digest)i;
	return DIGEST_NONE;
}

/* RSASSA-PSS-params (RFC 4055 3.1) that say the same with other NULLs. */
static enum sigalg
pss_of(struct bytes alg_id)
{
	struct der d = der_of(alg_id, NULL);
	enum digest hash, mgf;
	int64_t salt;

	der_enter(&d, DER_SEQUENCE);
	if (!bytes_eq(der_oid(&d), oid_der(OID_ALG_RSA_PSS)))
		return SIGALG_NONE;
	der_enter(&d, DER_SEQUENCE);
	der_enter(&d, DER_CTX_CONS(0));
	hash = take_digest(&d);
	der_leave(&d);
	der_enter(&d, DER_CTX_CONS(1));
	der_enter(&d, DER_SEQUENCE);
	if (!bytes_eq(der_oid(&d), oid_der(OID_ALG_MGF1)))
		return SIGALG_NONE;
	mgf = take_digest(&d);
	der_leave(&d);
	der_leave(&d);
	der_enter(&d, DER_CTX_CONS(2));
	salt = der_int(&d, 0, 1024);
	der_leave(&d);
	der_leave(&d);
	der_leave(&d);
	if (der_end(&d) != RC_OK || hash == DIGEST_NONE || hash != mgf || salt != (int64_t)digest_len(hash))
		return SIGALG_NONE;
	return (enum sigalg)(SIGALG_RSA_PSS_SHA256 + (hash - DIGEST_SHA256));
}

enum rc
sigalg_parse(struct bytes alg_id, enum sigalg *ret, struct err *e)
{
	struct der d = der_of(alg_id, e);
	char text[OID_TEXT_MAX];
	struct bytes oid;
	bool bare;

	for (unsigned i = 1; i < SIGALG_COUNT; i++) {
		if (bytes_eq(alg_id, sigalg_alg_id((enum sigalg)i))) {
			*ret = (enum sigalg)i;
			return RC_OK;
		}
	}
	der_enter(&d, DER_SEQUENCE);
	oid = der_oid(&d);
	bare = !der_more(&d);
	if (!bare)
		der_any(&d, NULL);
	der_leave(&d);
	TRY(der_end(&d));
	*ret = bare ? without_null(oid) : pss_of(alg_id);
	NEED(*ret != SIGALG_NONE, e, CHY_SIGALG, NULL,
	     "signature algorithm %s, or its parameters, is not supported", oid_text(text, oid));
	return RC_OK;
}

/* ---- ECDSA values ---- */

static enum rc
fixed(struct bytes v, size_t len, uint8_t *out, struct err *e)
{
	NEED(v.n <= len, e, CHY_SIGNATURE_FORM, "RFC 3279 2.2.3",
	     "ECDSA value longer than the curve's field");
	memset(out, 0, len - v.n);
	memcpy(out + len - v.n, v.p, v.n);
	return RC_OK;
}

enum rc
ecdsa_from_der(struct bytes der, size_t len, uint8_t *ret_rs, struct err *e)
{
	struct der d = der_of(der, e);
	struct bytes r, s;

	der_enter(&d, DER_SEQUENCE);
	r = der_unsigned(&d);
	s = der_unsigned(&d);
	der_leave(&d);
	TRY(der_end(&d));
	TRY(fixed(r, len, ret_rs, e));
	return fixed(s, len, ret_rs + len, e);
}

void
dw_ecdsa(struct dw *w, struct bytes rs)
{
	size_t at = dw_mark(w), half = rs.n / 2;

	if (rs.n % 2 != 0)
		w->bad = true;
	dw_unsigned(w, bytes_part(rs, half, SIZE_MAX));
	dw_unsigned(w, bytes_part(rs, 0, half));
	dw_wrap(w, DER_SEQUENCE, at);
}
