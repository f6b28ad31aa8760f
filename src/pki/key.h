/*
 * Public keys (SubjectPublicKeyInfo) and signature algorithms, as bytes: RFC 3279, 4055, 5480, 8410, 9881.
 *
 * Checks here are cheap ones of form: sizes, odd exponent, point length. That a point lies on its curve, that primes are
 * not close, ROCA and the like are src/crypto's.
 */
#ifndef PKI_KEY_H
#define PKI_KEY_H

#include "pki/der.h"

enum key_alg {
	KEY_NONE = 0,
	KEY_RSA,
	KEY_EC,
	KEY_ED25519,
	KEY_ED448,
	KEY_ML_DSA_44,
	KEY_ML_DSA_65,
	KEY_ML_DSA_87,
};

enum curve { CURVE_NONE = 0, CURVE_P256, CURVE_P384, CURVE_P521 };

enum digest { DIGEST_NONE = 0, DIGEST_SHA256, DIGEST_SHA384, DIGEST_SHA512 };
size_t digest_len(enum digest d);          /* 32, 48, 64; 0 */
const char *digest_name(enum digest d);    /* "sha256" */
struct bytes digest_alg_id(enum digest d); /* AlgorithmIdentifier DER, parameters absent (RFC 5754) */

/* A kind of key as policy names it: "rsa-3072", "p-256", "ed25519", "ml-dsa-65". */
struct key_type {
	enum key_alg alg;
	enum curve curve; /* of KEY_EC */
	unsigned bits;    /* RSA: modulus; EC: field; Ed25519 256; Ed448 456; ML-DSA: of the encoded key */
};

struct pubkey {
	enum key_alg alg;
	enum curve curve;
	unsigned bits;
	struct bytes modulus;  /* RSA: magnitude without leading zeros */
	struct bytes exponent; /* RSA: the same */
	struct bytes point;    /* EC: 04 x y or 02/03 x; Ed*, ML-DSA: the raw key */
	struct bytes
	    bits_der; /* contents of the BIT STRING: what a SHA-1 key identifier is made of (RFC 5280 4.2.1.2) */
	struct bytes spki; /* the whole SubjectPublicKeyInfo */
};

/* Views into der. Codes: DER_*, KEY_ALG (unknown or not allowed algorithm or curve), KEY_EXPLICIT (EC parameters given
   explicitly or by implicitCA), KEY_EXPONENT (even or below 3), KEY_SIZE (modulus under 1024 or over 16384 bits, point
   of another length), KEY_FORM (parameters where none belong, unused bits, hybrid point). */
MUST enum rc pubkey_parse(struct bytes der, struct pubkey *ret, struct err *e);
struct key_type pubkey_type(const struct pubkey *k);

enum { KEY_NAME_MAX = 24 };
/* "rsa-3072", "p-256", "ed25519"; dst holds KEY_NAME_MAX. Returns dst. */
char *key_type_text(char *dst, struct key_type t);
/* KEY_ALG for what is none. RSA sizes are multiples of 8 from 1024 to 16384 (what is allowed is policy's business). */
MUST enum rc key_type_parse(struct bytes text, struct key_type *ret, struct err *e);
const char *key_alg_name(enum key_alg a); /* "rsa", "ec", "ed25519", ... */
const char *curve_name(enum curve c);     /* "p-256" */
struct bytes curve_oid(enum curve c);     /* contents octets */
size_t curve_field_len(enum curve c);     /* 32, 48, 66 */

/* SubjectPublicKeyInfo from parts: RSA modulus and exponent; everything else its raw bytes (EC: the point). */
void dw_spki_rsa(struct dw *w, struct bytes modulus, struct bytes exponent);
void dw_spki(struct dw *w, struct key_type t, struct bytes raw);

enum sigalg {
	SIGALG_NONE = 0,
	SIGALG_RSA_PKCS1_SHA256,
	SIGALG_RSA_PKCS1_SHA384,
	SIGALG_RSA_PKCS1_SHA512,
	SIGALG_RSA_PSS_SHA256, /* MGF1 with the same digest, salt of its length (RFC 4055) */
	SIGALG_RSA_PSS_SHA384,
	SIGALG_RSA_PSS_SHA512,
	SIGALG_ECDSA_SHA256,
	SIGALG_ECDSA_SHA384,
	SIGALG_ECDSA_SHA512,
	SIGALG_ED25519,
	SIGALG_ED448,
	SIGALG_ML_DSA_44,
	SIGALG_ML_DSA_65,
	SIGALG_ML_DSA_87,
	SIGALG_COUNT,
};

const char *sigalg_name(enum sigalg s);        /* "rsa-pkcs1-sha256"; "" for none */
enum sigalg sigalg_by_name(struct bytes name); /* SIGALG_NONE when unknown */
struct bytes sigalg_alg_id(enum sigalg s);     /* AlgorithmIdentifier, whole DER */
enum digest sigalg_digest(enum sigalg s);      /* NONE where the algorithm takes the message itself */
enum key_alg sigalg_key(enum sigalg s);
bool sigalg_fits(enum sigalg s, const struct key_type *t);
/* What a key of this type signs with unless told otherwise: P-256 -> ecdsa-sha256, RSA -> rsa-pkcs1-sha256 ... */
enum sigalg sigalg_default(const struct key_type *t);
/* AlgorithmIdentifier -> enum. SIGALG for what is not in the table (SHA-1, MD5, PSS with mixed digests ...). RSA without
   its NULL passes (RFC 4055 2.1), other forms of the same algorithm do not. */
MUST enum rc sigalg_parse(struct bytes alg_id, enum sigalg *ret, struct err *e);

/* ECDSA signature values: SEQUENCE { r, s } <-> r || s, each len octets (curve_field_len). */
MUST enum rc ecdsa_from_der(struct bytes der, size_t len, uint8_t *ret_rs, struct err *e);
void dw_ecdsa(struct dw *w, struct bytes rs);
enum { ECDSA_DER_MAX = 144 };

#endif
