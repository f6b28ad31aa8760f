#include "base/base.h"
#include "pkcs11/impl.h"

struct sign {
	struct p11_key *k;
	CK_MECHANISM mechanism;
	CK_RSA_PKCS_PSS_PARAMS pss;
	uint8_t block[16 + 3 + 64]; /* DigestInfo */
	struct bytes in;
	uint8_t out[P11_SIGNATURE_MAX];
	CK_ULONG out_n;
};

/* DigestInfo (RFC 8017 9.2): AlgorithmIdentifier with NULL, unlike in certificates. */
static struct bytes
digest_info(struct sign *w, enum sigalg alg, struct bytes digest)
{
	static const uint8_t heads[3][19] = {
		{ 0x30, 0x31, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0, 4, 0x20 },
		{ 0x30, 0x41, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2, 5, 0, 4, 0x30 },
		{ 0x30, 0x51, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3, 5, 0, 4, 0x40 },
	};

	memcpy(w->block, heads[sigalg_digest(alg) - DIGEST_SHA256], sizeof(heads[0]));
	memcpy(w->block + sizeof(heads[0]), digest.p, digest.n);
	return bytes_of(w->block, sizeof(heads[0]) + digest.n);
}

static void
set_pss(struct sign *w, enum digest d)
{
	static const CK_MECHANISM_TYPE hashes[] = { CKM_SHA256, CKM_SHA384, CKM_SHA512 };
	static const CK_RSA_PKCS_MGF_TYPE mgfs[] = { CKG_MGF1_SHA256, CKG_MGF1_SHA384, CKG_MGF1_SHA512 };

	w->pss = (CK_RSA_PKCS_PSS_PARAMS){ hashes[d - DIGEST_SHA256], mgfs[d - DIGEST_SHA256],
					   digest_len(d) };
	w->mechanism = (CK_MECHANISM){ CKM_RSA_PKCS_PSS, &w->pss, sizeof(w->pss) };
}

static MUST enum rc
prepare(struct sign *w, enum sigalg alg, struct bytes digest, struct err *e)
{
	enum digest d = sigalg_digest(alg);

	NEED(sigalg_fits(alg, &w->k->type), e, CHY_SIGNATURE_ALGORITHM, NULL, "%s with a key %s",
	     sigalg_name(alg), w->k->kind);
	NEED(d == DIGEST_NONE || digest.n == digest_len(d), e, CHY_SIGNATURE_ALGORITHM, NULL,
	     "digest of %zu bytes", digest.n);
	w->in = digest;
	switch (alg) {
	case SIGALG_RSA_PKCS1_SHA256:
	case SIGALG_RSA_PKCS1_SHA384:
	case SIGALG_RSA_PKCS1_SHA512:
		w->mechanism.mechanism = CKM_RSA_PKCS;
		w->in = digest_info(w, alg, digest);
		return RC_OK;
	case SIGALG_RSA_PSS_SHA256:
	case SIGALG_RSA_PSS_SHA384:
	case SIGALG_RSA_PSS_SHA512:
		set_pss(w, d);
		return RC_OK;
	case SIGALG_ECDSA_SHA256:
	case SIGALG_ECDSA_SHA384:
	case SIGALG_ECDSA_SHA512:
		w->mechanism.mechanism = CKM_ECDSA;
		return RC_OK;
	case SIGALG_ED25519:
	case SIGALG_ED448:
		w->mechanism.mechanism = CKM_EDDSA;
		return RC_OK;
	default:
		FAIL(e, CHY_P11_MECHANISM, NULL, "%s is not done by PKCS#11 tokens", sigalg_name(alg));
	}
}

static CK_RV
sign(struct p11_session *s, void *arg, struct err *e)
{
	struct sign *w = arg;
	CK_OBJECT_HANDLE key;
	CK_RV rv = p11_private_object(w->k, s, &key);

	if (fault_fails("pkcs11.sign"))
		rv = CKR_DEVICE_ERROR;
	if (rv == CKR_OK)
		rv = s->f->C_SignInit(s->h, &w->mechanism, key);
	w->out_n = sizeof(w->out);
	if (rv == CKR_OK)
		rv = s->f->C_Sign(s->h, p11_unconst(w->in), w->in.n, w->out, &w->out_n);
	return rv;
}

static MUST enum rc
put_signature(const struct sign *w, struct buf *out, struct err *e)
{
	struct bytes raw = bytes_of(w->out, w->out_n);
	uint8_t room[ECDSA_DER_MAX];
	struct dw d = dw_fixed(room, sizeof(room));

	if (w->k->type.alg == KEY_EC) {
		NEED(raw.n == 2 * curve_field_len(w->k->type.curve), e, CHY_P11_FAILED, NULL,
		     "the token's ECDSA signature has %zu bytes", raw.n);
		dw_ecdsa(&d, raw);
		TRY(dw_end(&d, e));
		raw = dw_bytes(&d);
	}
	buf_put(out, raw);
	NEED(buf_ok(out), e, CHY_NO_MEMORY, NULL, "a signature");
	return RC_OK;
}

enum rc
p11_sign(struct p11_key *k, enum sigalg alg, struct bytes digest, struct buf *out, struct err *e)
{
	struct sign w = { .k = k };

	TRY(prepare(&w, alg, digest, e));
	TRY(p11_do(k->t, sign, &w, "sign", e));
	return put_signature(&w, out, e);
}

/* ---- blocks that are encoded already ---- */

enum rc
p11_sign_encoded(struct p11_key *k, struct bytes block, struct buf *out, struct err *e)
{
	struct sign w = { .k = k, .mechanism = { CKM_RSA_X_509, NULL, 0 }, .in = block };

	NEED(k->type.alg == KEY_RSA, e, CHY_SIGNATURE_ALGORITHM, NULL, "RSA-PSS with a key %s", k->kind);
	/* what a bare operation over anything else would give could be a decryption or another kind's signature */
	NEED(block.n == (k->type.bits + 7) / 8 && block.p[block.n - 1] == 0xbc, e, CHY_SIGNATURE_ALGORITHM,
	     "RFC 8017 9.1.1", "a block of %zu bytes that is not encoded by PSS", block.n);
	TRY(p11_do(k->t, sign, &w, "sign", e));
	return put_signature(&w, out, e);
}

struct ability {
	struct p11_key *k;
	CK_MECHANISM_TYPE mechanism;
	bool there;
};

/* A key may be bound to some of the mechanisms that its token has. */
static bool
key_allows(struct p11_session *s, CK_OBJECT_HANDLE key, CK_MECHANISM_TYPE want)
{
	CK_MECHANISM_TYPE list[64];
	CK_ATTRIBUTE a = { CKA_ALLOWED_MECHANISMS, list, sizeof(list) };

	if (s->f->C_GetAttributeValue(s->h, key, &a, 1) != CKR_OK || a.ulValueLen == 0 ||
	    a.ulValueLen > sizeof(list))
		return true; /* it does not say */
	for (size_t i = 0; i < a.ulValueLen / sizeof(list[0]); i++)
		if (list[i] == want)
			return true;
	return false;
}

static CK_RV
ask_mechanism(struct p11_session *s, void *arg, struct err *e)
{
	struct ability *w = arg;
	CK_OBJECT_HANDLE key;
	CK_MECHANISM_INFO info;
	CK_RV rv = p11_private_object(w->k, s, &key);

	if (rv != CKR_OK)
		return rv;
	rv = s->f->C_GetMechanismInfo(s->t->slot, w->mechanism, &info);
	w->there = rv == CKR_OK && (info.flags & CKF_SIGN) && key_allows(s, key, w->mechanism);
	return rv == CKR_MECHANISM_INVALID ? CKR_OK : rv;
}

enum rc
p11_signs_encoded(struct p11_key *k, bool *ret, struct err *e)
{
	struct ability w = { .k = k, .mechanism = CKM_RSA_X_509 };

	if (k->type.alg == KEY_RSA)
		TRY(p11_do(k->t, ask_mechanism, &w, "mechanisms", e));
	*ret = w.there;
	return RC_OK;
}
