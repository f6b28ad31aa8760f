/*
 * OCSP answers that are signed already, in memory: by the octets of the CertID that they are about. Bounded by LIMIT_OCSP_KEPT;
 * what is asked for when it is full takes the place of the oldest.
 *
 * An answer is never kept behind a change of the status that it tells: who makes one takes the epoch before it reads the
 * status, and nothing is kept with an epoch that is over. Who drops goes on the epoch first.
 */
#ifndef FACTORY_OCSP_KEPT_H
#define FACTORY_OCSP_KEPT_H

#include <stdatomic.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "pki/key.h"
#include "pki/ocsp.h"
#include "policy/ocsp.h"
#include "policy/snapshot.h"
#include "store/rows.h"

/* Who signs for an authority: immutable, shared, by references. */
struct ocsp_by {
	_Atomic int refs;
	int64_t authority, version; /* of its document */
	struct ocsp_settings settings;
	uint8_t name[OCSP_HASHES][OCSP_HASH_MAX], key[OCSP_HASHES][OCSP_HASH_MAX]; /* of the issuer */
	/* of the responder's certificate; certificate_id 0: none yet */
	int64_t certificate_id, not_before_at, not_after_at;
	struct bytes certificate;
	char label[65]; /* of its key */
	enum sigalg sigalg;
	uint8_t key_hash[20]; /* SHA-1 of that key */
};
struct ocsp_by *ocsp_by_ref(struct ocsp_by *by);
void ocsp_by_unref(struct ocsp_by *by);
OWN_DEFINE(struct ocsp_by *, ocsp_by_unref)

/* A signed answer. */
struct ocsp_signed {
	struct ocsp_by *by;
	struct bytes data, signature; /* ResponseData with one single response */
	struct ocsp_single single;    /* its cert_id within data */
	uint8_t etag[20];             /* SHA-1 of the whole response (RFC 5019 6.2): made by kept_put */
};

struct ocsp_kept;
struct ocsp_kept *kept_new(void); /* NULL: no memory */
void kept_free(struct ocsp_kept *k);

int64_t kept_epoch(const struct ocsp_kept *k);
void kept_next_epoch(struct ocsp_kept *k);

enum kept { KEPT_NONE, KEPT_AGING, KEPT_FRESH };
/* Is there one, and is it less than half over? */
enum kept kept_state(struct ocsp_kept *k, struct bytes cert_id, int64_t now);
/* Copies one that is good now into the arena; ret->by is the caller's (ocsp_by_unref). False: none, or no memory. */
bool kept_get(struct ocsp_kept *k, struct arena *a, struct bytes cert_id, int64_t now,
	      struct ocsp_signed *ret);
/* Keeps a copy in place of what is there. evict: when all is full, instead of the oldest. False: it was not kept. */
bool kept_put(struct ocsp_kept *k, int64_t epoch, const struct ocsp_signed *s, bool evict);
void kept_drop(struct ocsp_kept *k, struct bytes cert_id);
void kept_drop_authority(struct ocsp_kept *k, int64_t authority);
/* Those that are over. */
void kept_sweep(struct ocsp_kept *k, int64_t now);
size_t kept_count(const struct ocsp_kept *k);
bool kept_is_full(const struct ocsp_kept *k);

#endif
