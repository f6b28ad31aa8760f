/*
 * The hard limits of a key: is what is to be signed inside of them? Pure; times are arguments.
 */
#ifndef SIGNER_LIMITS_H
#define SIGNER_LIMITS_H

#include "crypto/digest.h"
#include "pki/crl_walker.h"
#include "pki/ocsp_walker.h"
#include "pki/walker.h"
#include "signer/protocol.h"

/* Do they make sense for a key of this type and class? CHY_SIGNER_LIMITS. */
MUST enum rc limits_check_sense(const struct signer_limits *l, const struct key_type *t,
				enum signer_class class, struct err *e);
/* Does next allow nothing that was does not? CHY_SIGNER_LIMITS_WIDER. */
MUST enum rc limits_check_tighter(const struct signer_limits *was, const struct signer_limits *next,
				  struct err *e);
/* spki: the CA key's own. Its own self-signed certificate need not respect CA flag, path length and name constraints, as
   RFC 5280 6.1 does not apply them to it. CHY_SIGNER_ISSUER, _ALGORITHM, _VALIDITY, _CA_FLAG, _NAME. */
MUST enum rc limits_check(const struct signer_limits *l, const struct tbs_view *v, struct bytes spki,
			  struct err *e);

/* An attribute certificate: CHY_SIGNER_ISSUER, _ALGORITHM, _VALIDITY, _AC_FLAG. Name constraints do not apply: its holder is
   not certified by it. */
MUST enum rc limits_check_ac(const struct signer_limits *l, const struct ac_view *v, struct err *e);

/* ---- limits_status.c: what says which certificates are revoked ---- */

/* The head of a list: issuer, algorithm, how long it is good. CHY_SIGNER_ISSUER, _ALGORITHM, _VALIDITY. */
MUST enum rc limits_check_crl(const struct signer_limits *l, struct bytes issuer, const struct crl_walk *w,
			      struct err *e);
/* thisUpdate at most 5 minutes ahead of our clock and 2 hours behind. CHY_SIGNER_CLOCK. */
MUST enum rc limits_check_crl_time(const struct crl_walk *w, int64_t now, struct err *e);

/* How CertIDs name the issuer, by each hash, and the SHA-1 that names the responder's key. */
struct ocsp_names {
	bool known;
	uint8_t name[HASH_ALGS][HASH_MAX], key[HASH_ALGS][HASH_MAX], own[SHA1_LEN];
};
/* issuer: Name; issuer_key, own: SubjectPublicKeyInfo. */
MUST enum rc ocsp_names_make(struct ocsp_names *n, struct bytes issuer, struct bytes issuer_key,
			     struct bytes own, struct err *e);
/* Named by the key that signs, of certificates of the issuer alone, good for no longer than the limits allow, made now.
   CHY_SIGNER_ALGORITHM, _RESPONDER, _VALIDITY, _CLOCK. */
MUST enum rc limits_check_ocsp(const struct signer_limits *l, const struct ocsp_names *n,
			       const struct ocsp_view *v, enum sigalg alg, int64_t now, struct err *e);

/* A bucket that holds one second's worth. */
struct rate {
	uint64_t micro; /* millionths of a certificate */
	int64_t at_us;
};
/* CHY_SIGNER_RATE when it is empty, else takes one out. now_us: monotonic. */
MUST enum rc limits_rate(struct rate *r, uint32_t per_second, int64_t now_us, struct err *e);

#endif
