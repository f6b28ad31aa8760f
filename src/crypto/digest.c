#include "base/base.h"
#include "crypto/digest.h"

#include <pthread.h>

#include "crypto/internal.h"

struct hasher {
	enum hash_alg alg;
	EVP_MD_CTX *ctx;
};

enum { HMAC_BLOCK = 64 }; /* of SHA-256, FIPS 180-4 figure 1 */

static const struct {
	size_t len;
	const char *name;
} algs[HASH_ALGS] = {
	[HASH_SHA1] = { SHA1_LEN, "sha-1" },
	[HASH_SHA256] = { SHA256_LEN, "sha-256" },
	[HASH_SHA384] = { SHA384_LEN, "sha-384" },
	[HASH_SHA512] = { SHA512_LEN, "sha-512" },
};

/* One context a thread: making and freeing one costs as much as hashing a certificate. */
static __thread EVP_MD_CTX *mine;
static pthread_key_t at_exit;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
forget(void *ctx)
{
	EVP_MD_CTX_free(ctx);
	mine = NULL;
}

static void
make_key(void)
{
	if (pthread_key_create(&at_exit, forget) != 0)
		abort();
}

static void
must(int ok)
{
	if (ok != 1) {
		fputs("a digest failed: out of memory, or a damaged library\n", stderr);
		abort();
	}
}

static EVP_MD_CTX *
thread_ctx(void)
{
	if (mine == NULL) {
		pthread_once(&once, make_key);
		mine = EVP_MD_CTX_new();
		must(mine != NULL && pthread_setspecific(at_exit, mine) == 0);
	}
	return mine;
}

size_t
hash_len(enum hash_alg alg)
{
	return algs[alg].len;
}

const char *
hash_name(enum hash_alg alg)
{
	return algs[alg].name;
}

static void
hash_parts(enum hash_alg alg, const struct bytes *parts, size_t count, uint8_t *out)
{
	EVP_MD_CTX *ctx = thread_ctx();

	must(EVP_DigestInit_ex2(ctx, crypto_md(alg), NULL));
	for (size_t i = 0; i < count; i++)
		must(EVP_DigestUpdate(ctx, parts[i].p, parts[i].n));
	must(EVP_DigestFinal_ex(ctx, out, NULL));
}

struct bytes
hash_of(enum hash_alg alg, struct bytes in, uint8_t *out)
{
	hash_parts(alg, &in, 1, out);
	return bytes_of(out, hash_len(alg));
}

void
sha1(struct bytes in, uint8_t out[SHA1_LEN])
{
	hash_parts(HASH_SHA1, &in, 1, out);
}

void
sha256(struct bytes in, uint8_t out[SHA256_LEN])
{
	hash_parts(HASH_SHA256, &in, 1, out);
}

void
sha384(struct bytes in, uint8_t out[SHA384_LEN])
{
	hash_parts(HASH_SHA384, &in, 1, out);
}

void
sha512(struct bytes in, uint8_t out[SHA512_LEN])
{
	hash_parts(HASH_SHA512, &in, 1, out);
}

void
sha256_parts(const struct bytes *parts, size_t count, uint8_t out[SHA256_LEN])
{
	hash_parts(HASH_SHA256, parts, count, out);
}

/* RFC 2104 2, over the digest above: the library's HMAC would need a context of its own for each key. */
void
hmac_sha256(struct bytes key, struct bytes in, uint8_t out[SHA256_LEN])
{
	uint8_t inner[HMAC_BLOCK] = { 0 }, outer[HMAC_BLOCK], mid[SHA256_LEN];

	if (key.n > HMAC_BLOCK)
		sha256(key, inner);
	else if (key.n > 0)
		memcpy(inner, key.p, key.n);
	for (size_t i = 0; i < HMAC_BLOCK; i++) {
		outer[i] = inner[i] ^ 0x5c;
		inner[i] ^= 0x36;
	}
	sha256_parts((struct bytes[]){ BYTES_OF(inner), in }, 2, mid);
	sha256_parts((struct bytes[]){ BYTES_OF(outer), BYTES_OF(mid) }, 2, out);
	explicit_bzero(inner, sizeof(inner));
	explicit_bzero(outer, sizeof(outer));
}

struct hasher *
hasher_new(enum hash_alg alg)
{
	struct hasher *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	d->alg = alg;
	d->ctx = EVP_MD_CTX_new();
	if (d->ctx == NULL) {
		free(d);
		return NULL;
	}
	must(EVP_DigestInit_ex2(d->ctx, crypto_md(alg), NULL));
	return d;
}

void
hasher_free(struct hasher *d)
{
	if (d == NULL)
		return;
	EVP_MD_CTX_free(d->ctx);
	free(d);
}

void
hasher_add(struct hasher *d, struct bytes in)
{
	must(EVP_DigestUpdate(d->ctx, in.p, in.n));
}

void
hasher_end(struct hasher *d, uint8_t *out)
{
	must(EVP_DigestFinal_ex(d->ctx, out, NULL));
	must(EVP_DigestInit_ex2(d->ctx, crypto_md(d->alg), NULL));
}
