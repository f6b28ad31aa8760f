/*
 * Which officers can still act: those are gone of whom every certificate that could is revoked, on hold or expired.
 */
#ifndef FACTORY_STANDING_H
#define FACTORY_STANDING_H

#include "factory/factory.h"
#include "model/officer.h"
#include "policy/last_pair.h"
#include "policy/standing.h"
#include "store/rows.h"

/* The certificate by which the officer can act longest, of those that stand for him or her and act at now. not_after_ms 0: none
   does, the officer is gone; INT64_MAX: no certificate is known by its number. */
MUST enum rc officer_standing(struct factory *f, struct arena *a, const struct snapshot *policy,
			      const struct officer *o, int64_t now_ms, struct standing *ret, struct err *e);

/* Every certificate that stands for the officer, the bound one first, good or not; fewer than OFFICER_CERTIFICATES_MAX (LIMIT). */
enum { OFFICER_CERTIFICATES_MAX = 256 };
MUST enum rc officer_certificates(struct factory *f, struct arena *a, const struct snapshot *policy,
				  const struct officer *o, struct certificate_row **ret, size_t *ret_n,
				  struct err *e);

/* Of all open officers those who are gone now, or will be once the certificates `then` are revoked or on hold. */
MUST enum rc officers_gone(struct factory *f, struct arena *a, const struct snapshot *policy,
			   const int64_t *then, size_t then_n, struct officers_gone *ret, struct err *e);

#endif
