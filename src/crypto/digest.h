/*
 * Digests (FIPS 180-4) and HMAC (RFC 2104). SHA-1 is here only because a subject key identifier is made with
 * it (RFC 5280 4.2.1.2 method 1); nothing is signed with it.
 *
 * The one-shot forms cannot fail once crypto_init has succeeded but for lack of memory, and a program that
 * cannot hash cannot do anything safe: they end the process (its parent starts it again) rather than return a
 * wrong value.
 */
#ifndef CRYPTO_DIGEST_H
#define CRYPTO_DIGEST_H

#include "base/bytes.h"
#include "base/rc.h"

enum hash_alg { HASH_SHA1, HASH_SHA256, HASH_SHA384, HASH_SHA512, HASH_ALGS };

enum { SHA1_LEN = 20, SHA256_LEN = 32, SHA384_LEN = 48, SHA512_LEN = 64, HASH_MAX = 64 };

/* Bytes of a digest. */
size_t hash_len(enum hash_alg alg);
/* "sha-256"; static. */
const char *hash_name(enum hash_alg alg);

/* out takes hash_len(alg) bytes; returns them as a view of out. */
struct bytes hash_of(enum hash_alg alg, struct bytes in, uint8_t *out);
void sha1(struct bytes in, uint8_t out[SHA1_LEN]);
void sha256(struct bytes in, uint8_t out[SHA256_LEN]);
void sha384(struct bytes in, uint8_t out[SHA384_LEN]);
void sha512(struct bytes in, uint8_t out[SHA512_LEN]);
/* Of the pieces one behind the other: a hash tree's nodes, for example. */
void sha256_parts(const struct bytes *parts, size_t count, uint8_t out[SHA256_LEN]);

/* RFC 2104 with SHA-256. */
void hmac_sha256(struct bytes key, struct bytes in, uint8_t out[SHA256_LEN]);

/* A digest over a stream. NULL only when memory is out. Owned by the caller. */
struct hasher;
struct hasher *hasher_new(enum hash_alg alg);
void hasher_free(struct hasher *d);
OWN_DEFINE(struct hasher *, hasher_free)
void hasher_add(struct hasher *d, struct bytes in);
/* Writes hash_len bytes to out and starts afresh. */
void hasher_end(struct hasher *d, uint8_t *out);

#endif
