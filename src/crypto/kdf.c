#include "base/base.h"
#include "crypto/kdf.h"

#include "crypto/crypto.h"
#include "crypto/internal.h"
#include "crypto/rand.h"

enum {
	SALT = 16,
	HASH = 32,
	KEY = 32,
	NONCE = 12,
	TAG = 16,
	HEAD = 8 + 4 + SALT + NONCE,
	LOG_N = 15, /* today's cost */
	R = 8,
	P = 1,
};
/* The library counts some more than the table of 128 * r * N itself. */
#define SCRYPT_MEMORY_MAX (((uint64_t)128 * R << LOG_N) + (1 << 20))

struct cost {
	unsigned log_n, r, p;
};

static const struct cost cost_now = { LOG_N, R, P };

static const char magic[8] = { 'C', 'H', 'Y', 'S', 'E', 'A', 'L', '1' };

/* What has ever been written, and nothing else: whoever writes into the store would have the server pay for more. A dearer cost of
   some day stands beside these. */
static const struct cost costs_known[] = { { LOG_N, R, P } };

static bool
cost_ok(struct cost c)
{
	for (size_t i = 0; i < ARRAY_LEN(costs_known); i++)
		if (c.log_n == costs_known[i].log_n && c.r == costs_known[i].r && c.p == costs_known[i].p)
			return true;
	return false;
}

static enum rc
scrypt(struct bytes password, struct bytes salt, struct cost c, uint8_t *out, size_t n, struct err *e)
{
	if (EVP_PBE_scrypt((const char *)password.p, password.n, salt.p, salt.n, (uint64_t)1 << c.log_n, c.r,
			   c.p, SCRYPT_MEMORY_MAX, out, n) != 1)
		return ossl_fail(e, CHY_CRYPTO_LIBRARY, "RFC 7914", "scrypt");
	return RC_OK;
}

/* ---- stored passwords ---- */

/* PHC strings carry base64 without its padding. */
static void
put_unpadded(struct buf *out, struct bytes b)
{
	base64_put(out, b);
	while (buf_ok(out) && out->n > 0 && out->p[out->n - 1] == '=')
		out->n--;
}

enum rc
password_hash(const struct secret *password, char text[PASSWORD_TEXT_MAX], struct err *e)
{
	uint8_t salt[SALT], hash[HASH];
	OWN_BUF struct buf b = buf_max(PASSWORD_TEXT_MAX - 1);

	TRY(rand_bytes(salt, sizeof(salt), e));
	TRY(scrypt(secret_bytes(password), BYTES_OF(salt), cost_now, hash, sizeof(hash), e));
	buf_printf(&b, "$scrypt$ln=%u,r=%u,p=%u$", cost_now.log_n, cost_now.r, cost_now.p);
	put_unpadded(&b, BYTES_OF(salt));
	buf_str(&b, "$");
	put_unpadded(&b, BYTES_OF(hash));
	NEED(buf_ok(&b), e, CHY_NO_MEMORY, NULL, "a password form");
	memcpy(text, b.p, b.n);
	text[b.n] = 0;
	return RC_OK;
}

/* Octets from base64 without padding. */
static bool
take_unpadded(struct arena *a, struct bytes text, struct bytes *ret)
{
	char padded[64];
	size_t len = text.n;

	if (len + 3 > sizeof(padded) || len == 0 || memchr(text.p, '=', len) != NULL)
		return false;
	memcpy(padded, text.p, len);
	while (len % 4 != 0)
		padded[len++] = '=';
	return base64_parse(a, bytes_of(padded, len), ret, NULL) == RC_OK;
}

/* "name=number" */
static bool
take_number(struct bytes text, const char *name, unsigned *ret)
{
	int64_t v;

	if (!bytes_starts(text, name) ||
	    int_parse(bytes_part(text, strlen(name), text.n), 0, 1000, &v, NULL) != RC_OK)
		return false;
	*ret = (unsigned)v;
	return true;
}

static bool
cost_parse(struct bytes text, struct cost *ret)
{
	struct bytes r, p, none;
	struct bytes n = text_cut(text, ',', &r);

	r = text_cut(r, ',', &p);
	p = text_cut(p, ',', &none);
	return none.p == NULL && take_number(n, "ln=", &ret->log_n) && take_number(r, "r=", &ret->r) &&
	    take_number(p, "p=", &ret->p) && cost_ok(*ret);
}

struct form {
	struct cost cost;
	struct bytes salt, hash;
};

static enum rc
form_parse(struct arena *a, struct bytes text, struct form *ret, struct err *e)
{
	struct bytes rest, cost_text, salt_text, none;

	NEED(bytes_starts(text, "$scrypt$"), e, CHY_PASSWORD_FORM, NULL, "not a $scrypt$ form");
	cost_text = text_cut(bytes_part(text, 8, text.n), '$', &rest);
	salt_text = text_cut(rest, '$', &rest);
	rest = text_cut(rest, '$', &none);
	NEED(cost_parse(cost_text, &ret->cost), e, CHY_PASSWORD_FORM, NULL,
	     "its cost is damaged, or none that was ever in use");
	NEED(none.p == NULL && take_unpadded(a, salt_text, &ret->salt) && ret->salt.n >= 8 &&
		 take_unpadded(a, rest, &ret->hash) && ret->hash.n == HASH,
	     e, CHY_PASSWORD_FORM, NULL, "its salt or hash is damaged");
	return RC_OK;
}

enum rc
password_form_check(struct bytes text, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(4096);
	struct form f;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "a password check");
	NEED(text.n < PASSWORD_TEXT_MAX, e, CHY_PASSWORD_FORM, NULL, "longer than %d bytes",
	     PASSWORD_TEXT_MAX - 1);
	TRY(form_parse(a, text, &f, e));
	/* exactly: a dearer one would be paid for by the server, at each guess */
	NEED(f.cost.log_n == cost_now.log_n && f.cost.r == cost_now.r && f.cost.p == cost_now.p &&
		 f.salt.n >= SALT,
	     e, CHY_PASSWORD_FORM, NULL, "ln=%u, r=%u, p=%u and a salt of %d bytes or more are wanted",
	     cost_now.log_n, cost_now.r, cost_now.p, SALT);
	return RC_OK;
}

enum rc
password_verify(const struct secret *password, struct bytes text, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(4096);
	uint8_t hash[HASH];
	struct form f;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "a password check");
	TRY(form_parse(a, text, &f, e));
	TRY(scrypt(secret_bytes(password), f.salt, f.cost, hash, sizeof(hash), e));
	NEED(bytes_eq_secret(BYTES_OF(hash), f.hash), e, CHY_PASSWORD_WRONG, NULL,
	     "the password is not the one");
	return RC_OK;
}

/* ---- sealed bytes ---- */

/* in to out, both n bytes, with the tag read or written; aad is authenticated. False: the library failed, or
   (opening) the tag is wrong. */
static bool
gcm(bool sealing, const uint8_t key[KEY], const uint8_t *nonce, const struct bytes aad[2], struct bytes in,
    uint8_t *out, uint8_t tag[TAG])
{
	OWN(EVP_CIPHER_CTX_free)
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int n, ctrl = sealing ? EVP_CTRL_AEAD_GET_TAG : EVP_CTRL_AEAD_SET_TAG;

	if (c == NULL || !EVP_CipherInit_ex(c, EVP_aes_256_gcm(), NULL, key, nonce, sealing))
		return false;
	for (size_t i = 0; i < 2; i++)
		if (aad[i].n > 0 && !EVP_CipherUpdate(c, NULL, &n, aad[i].p, (int)aad[i].n))
			return false;
	if (in.n > 0 && !EVP_CipherUpdate(c, out, &n, in.p, (int)in.n))
		return false;
	if (!sealing && !EVP_CIPHER_CTX_ctrl(c, ctrl, TAG, tag))
		return false;
	if (EVP_CipherFinal_ex(c, out + in.n, &n) != 1)
		return false;
	return !sealing || EVP_CIPHER_CTX_ctrl(c, ctrl, TAG, tag);
}

enum rc
seal(struct bytes plain, const struct secret *passphrase, struct bytes label, struct buf *out, struct err *e)
{
	uint8_t head[HEAD], tag[TAG], *to;
	OWN(secret_free)
	struct secret *key = secret_new(KEY);

	NEED(key != NULL, e, CHY_NO_MEMORY, NULL, "a key");
	NEED(plain.n <= SEAL_MAX && label.n <= SEAL_MAX, e, CHY_LIMIT, NULL, "%zu bytes to seal", plain.n);
	memcpy(head, magic, sizeof(magic));
	memcpy(head + 8, (uint8_t[]){ 1, LOG_N, R, P }, 4);
	TRY(rand_bytes(head + 12, SALT + NONCE, e));
	TRY(scrypt(secret_bytes(passphrase), bytes_of(head + 12, SALT), cost_now, secret_data(key), KEY, e));
	buf_put(out, BYTES_OF(head));
	to = buf_room(out, plain.n + TAG);
	NEED(to != NULL, e, CHY_NO_MEMORY, NULL, "sealed bytes");
	if (!gcm(true, secret_data(key), head + 12 + SALT, (struct bytes[]){ BYTES_OF(head), label }, plain,
		 to, tag))
		return ossl_fail(e, CHY_CRYPTO_LIBRARY, "SP 800-38D", "AES-256-GCM");
	out->n += plain.n;
	buf_put(out, BYTES_OF(tag));
	return RC_OK;
}

enum rc
unseal(struct bytes sealed, const struct secret *passphrase, struct bytes label, struct secret **ret,
       struct err *e)
{
	struct bytes head = bytes_part(sealed, 0, HEAD);
	OWN(secret_free)
	struct secret *key = secret_new(KEY);
	OWN(secret_free)
	struct secret *plain = NULL;
	uint8_t tag[TAG];
	struct cost c;

	NEED(sealed.n >= SEAL_OVERHEAD && sealed.n - SEAL_OVERHEAD <= SEAL_MAX, e, CHY_SEAL_FORM, NULL,
	     "%zu bytes cannot be a seal", sealed.n);
	NEED(memcmp(head.p, magic, sizeof(magic)) == 0 && head.p[8] == 1, e, CHY_SEAL_FORM, NULL,
	     "unknown form or version");
	c = (struct cost){ head.p[9], head.p[10], head.p[11] };
	NEED(cost_ok(c), e, CHY_SEAL_FORM, NULL, "its cost is out of bounds");
	/* a byte more: the cipher's end wants a place to write nothing to */
	plain = secret_new(sealed.n - SEAL_OVERHEAD + 1);
	NEED(key != NULL && plain != NULL, e, CHY_NO_MEMORY, NULL, "a sealed secret");
	secret_cut(plain, sealed.n - SEAL_OVERHEAD);
	TRY(scrypt(secret_bytes(passphrase), bytes_of(head.p + 12, SALT), c, secret_data(key), KEY, e));
	memcpy(tag, sealed.p + sealed.n - TAG, TAG);
	if (!gcm(false, secret_data(key), head.p + 12 + SALT, (struct bytes[]){ head, label },
		 bytes_part(sealed, HEAD, sealed.n - SEAL_OVERHEAD), secret_data(plain), tag)) {
		ossl_forget();
		FAIL(e, CHY_SEAL_OPEN, "SP 800-38D", "wrong passphrase or altered");
	}
	*ret = plain;
	plain = NULL;
	return RC_OK;
}
