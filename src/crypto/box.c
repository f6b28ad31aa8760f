#include "base/base.h"
#include "crypto/box.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>

#include "crypto/crypto.h"
#include "crypto/import.h"
#include "crypto/internal.h"
#include "crypto/rand.h"
#include "crypto/softkey_key.h"

enum { MAGIC = 8, NONCE = 12, TAG = 16, SHARED_MAX = 66 };

static const char box_magic[MAGIC] = { 'C', 'H', 'Y', 'T', 'O', 'K', '0', '1' };
static const char envelope_magic[MAGIC] = { 'C', 'H', 'Y', 'E', 'N', 'V', '0', '1' };

OWN_DEFINE(EVP_KDF *, EVP_KDF_free)
OWN_DEFINE(EVP_KDF_CTX *, EVP_KDF_CTX_free)

/* ---- keys from keys ---- */

static enum rc
hkdf(struct bytes from, struct bytes info, struct secret **ret, struct err *e)
{
	OWN(EVP_KDF_free)
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	OWN(EVP_KDF_CTX_free)
	EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	OWN(secret_free)
	struct secret *to = secret_new(BOX_KEY);
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)from.p, from.n),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)info.p, info.n),
		OSSL_PARAM_construct_end(),
	};

	NEED(to != NULL, e, CHY_NO_MEMORY, NULL, "a key");
	if (ctx == NULL || EVP_KDF_derive(ctx, secret_data(to), BOX_KEY, params) != 1)
		return ossl_fail(e, CHY_CRYPTO_LIBRARY, "RFC 5869", "HKDF");
	*ret = to;
	to = NULL;
	return RC_OK;
}

enum rc
box_key(const struct secret *from, struct bytes purpose, struct secret **ret, struct err *e)
{
	return hkdf(secret_bytes(from), purpose, ret, e);
}

/* ---- boxes ---- */

/* in to out of the same length, with the tag made or checked. */
static bool
gcm(bool sealing, const struct secret *key, const uint8_t *nonce, struct bytes label, struct bytes in,
    uint8_t *out, uint8_t tag[TAG])
{
	OWN(EVP_CIPHER_CTX_free)
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	struct bytes k = secret_bytes(key);
	uint8_t last[TAG];
	int n;

	if (c == NULL || k.n != BOX_KEY ||
	    !EVP_CipherInit_ex(c, EVP_aes_256_gcm(), NULL, k.p, nonce, sealing) ||
	    !EVP_CipherUpdate(c, NULL, &n, label.p, (int)label.n) ||
	    (in.n > 0 && !EVP_CipherUpdate(c, out, &n, in.p, (int)in.n)))
		return false;
	if (!sealing && !EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, TAG, tag))
		return false;
	if (EVP_CipherFinal_ex(c, last, &n) != 1)
		return false;
	return !sealing || EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, TAG, tag);
}

enum rc
box_seal(const struct secret *key, struct bytes label, struct bytes plain, struct buf *out, struct err *e)
{
	uint8_t nonce[NONCE], tag[TAG], *to;

	NEED(plain.n <= BOX_MAX && label.n > 0, e, CHY_TOO_LONG, NULL, "%zu bytes for a box", plain.n);
	TRY(rand_bytes(nonce, sizeof(nonce), e));
	buf_put(out, BYTES_OF(box_magic));
	buf_put(out, BYTES_OF(nonce));
	to = buf_room(out, plain.n + TAG);
	NEED(to != NULL, e, CHY_NO_MEMORY, NULL, "a box of %zu bytes", plain.n);
	if (!gcm(true, key, nonce, label, plain, to, tag))
		return ossl_fail(e, CHY_CRYPTO_LIBRARY, "SP 800-38D", "AES-256-GCM");
	out->n += plain.n;
	buf_put(out, BYTES_OF(tag));
	return RC_OK;
}

enum rc
box_open(const struct secret *key, struct bytes label, struct bytes box, struct secret **ret, struct err *e)
{
	OWN(secret_free)
	struct secret *plain = NULL;
	uint8_t tag[TAG];
	struct bytes in;

	NEED(box.n >= BOX_OVERHEAD && box.n <= BOX_OVERHEAD + BOX_MAX && label.n > 0 &&
		 memcmp(box.p, box_magic, MAGIC) == 0,
	     e, CHY_BOX_FORM, NULL, "%zu bytes are no box", box.n);
	in = bytes_of(box.p + MAGIC + NONCE, box.n - BOX_OVERHEAD);
	memcpy(tag, in.p + in.n, TAG);
	plain = secret_new(in.n + 1);
	NEED(plain != NULL, e, CHY_NO_MEMORY, NULL, "what is in a box");
	if (!gcm(false, key, box.p + MAGIC, label, in, secret_data(plain), tag)) {
		ossl_forget();
		FAIL(e, CHY_BOX_OPEN, "SP 800-38D", "another key or label, or altered");
	}
	secret_cut(plain, in.n);
	*ret = plain;
	plain = NULL;
	return RC_OK;
}

/* ---- agreement ---- */

static EVP_PKEY *
public_of(struct bytes spki)
{
	struct pubkey pub;
	EVP_PKEY *k = NULL;

	if (pubkey_parse(spki, &pub, NULL) != RC_OK || pub.alg != KEY_EC ||
	    key_import(&pub, &k, NULL) != RC_OK)
		return NULL;
	return k;
}

static enum rc
agree(EVP_PKEY *private, EVP_PKEY *peer, struct secret **ret, struct err *e)
{
	OWN(EVP_PKEY_CTX_free)
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(NULL, private, NULL);
	OWN(secret_free)
	struct secret *z = secret_new(SHARED_MAX);
	size_t n = SHARED_MAX;

	NEED(z != NULL, e, CHY_NO_MEMORY, NULL, "a shared secret");
	/* set_peer with its check: the point is on the curve (SP 800-56A 5.6.2.3) */
	if (c == NULL || EVP_PKEY_derive_init(c) != 1 || EVP_PKEY_derive_set_peer_ex(c, peer, 1) != 1 ||
	    EVP_PKEY_derive(c, secret_data(z), &n) != 1) {
		ossl_forget();
		FAIL(e, CHY_KEY_KIND, "SP 800-56A 6.2.2.2", "the keys do not agree: not of one curve?");
	}
	secret_cut(z, n);
	*ret = z;
	z = NULL;
	return RC_OK;
}

enum rc
softkey_agree(const struct softkey *k, struct bytes peer_spki, struct secret **ret, struct err *e)
{
	OWN(EVP_PKEY_free)
	EVP_PKEY *peer = public_of(peer_spki);

	NEED(peer != NULL && EVP_PKEY_is_a(softkey_pkey(k), "EC"), e, CHY_KEY_KIND, NULL,
	     "only keys on NIST curves agree");
	return agree(softkey_pkey(k), peer, ret, e);
}

/* ---- envelopes ---- */

/* Both public keys go into the key (SP 800-56A 5.8.2): the envelope is this recipient's and nobody else's. */
static enum rc
envelope_key(const struct secret *shared, struct bytes ephemeral, struct bytes recipient, struct secret **ret,
	     struct err *e)
{
	OWN_BUF struct buf info = buf_max(4 << 10);

	buf_str(&info, "chancery envelope 1");
	buf_lv(&info, ephemeral);
	buf_lv(&info, recipient);
	NEED(buf_ok(&info), e, CHY_NO_MEMORY, NULL, "an envelope");
	return hkdf(secret_bytes(shared), buf_bytes(&info), ret, e);
}

enum rc
envelope_seal(struct bytes recipient, struct bytes label, struct bytes plain, struct buf *out, struct err *e)
{
	OWN(EVP_PKEY_free)
	EVP_PKEY *peer = public_of(recipient);
	OWN(softkey_free)
	struct softkey *ephemeral = NULL;
	OWN(secret_free)
	struct secret *shared = NULL, *key = NULL;
	char kind[KEY_NAME_MAX];
	struct pubkey pub;
	struct bytes spki;

	NEED(peer != NULL, e, CHY_KEY_KIND, NULL, "an envelope is for a key on a NIST curve");
	TRY(pubkey_parse(recipient, &pub, e));
	TRY(softkey_generate(key_type_text(kind, pubkey_type(&pub)), &ephemeral, e));
	spki = softkey_spki(ephemeral);
	TRY(agree(softkey_pkey(ephemeral), peer, &shared, e));
	TRY(envelope_key(shared, spki, recipient, &key, e));
	buf_put(out, BYTES_OF(envelope_magic));
	buf_u16(out, (uint16_t)spki.n);
	buf_put(out, spki);
	return box_seal(key, label, plain, out, e);
}

static enum rc
envelope_read(struct bytes envelope, struct bytes *ret_spki, struct bytes *ret_box, struct err *e)
{
	struct rd r = rd_of(envelope);
	struct bytes form = rd_take(&r, MAGIC);

	*ret_spki = rd_take(&r, rd_u16(&r));
	NEED(rd_ok(&r) && envelope.n <= ENVELOPE_MAX && bytes_eq(form, BYTES_OF(envelope_magic)), e,
	     CHY_BOX_FORM, NULL, "%zu bytes are no envelope", envelope.n);
	*ret_box = rd_take(&r, rd_left(&r));
	return RC_OK;
}

enum rc
envelope_peer(struct bytes envelope, struct bytes *ret_spki, struct err *e)
{
	struct bytes box;

	return envelope_read(envelope, ret_spki, &box, e);
}

enum rc
envelope_open(const struct secret *shared, struct bytes recipient, struct bytes label, struct bytes envelope,
	      struct secret **ret, struct err *e)
{
	OWN(secret_free)
	struct secret *key = NULL;
	struct bytes spki, box;

	TRY(envelope_read(envelope, &spki, &box, e));
	TRY(envelope_key(shared, spki, recipient, &key, e));
	return box_open(key, label, box, ret, e);
}
