/*
 * Nobody's word is taken for our own output: before a procedure may issue, one certificate is built by it, read by
 * OpenSSL, compared field by field, and linted.
 */
#ifndef FACTORY_JUDGE_SAMPLE_H
#define FACTORY_JUDGE_SAMPLE_H

#include "base/rc.h"
#include "policy/snapshot.h"

/* Judges a finished certificate the same way. *ret_why: what is wrong, in the arena, NULL when nothing is; lints:
   may be NULL, else gets the failed lints as JSON. issuer: DER of the issuer's certificate, may be empty. */
struct json;
MUST enum rc judge_certificate(struct arena *a, struct bytes der, struct bytes issuer, const char **ret_why,
			       struct json **lints, struct err *e);

/* The same of an attribute certificate; issuer: the authority's certificate, DER. */
MUST enum rc judge_attribute_certificate(struct arena *a, struct bytes der, struct bytes issuer,
					 const char **ret_why, struct err *e);

/*
 * Verdicts over samples, by what the sample is made of: thousands of procedures have a few templates between them, and most
 * are the same in the next policy. Not for several threads at once.
 */
struct judged;
/* Codes: NO_MEMORY, CRYPTO_LIBRARY. */
MUST enum rc judged_new(struct judged **ret, struct err *e);
void judged_free(struct judged *j);
OWN_DEFINE(struct judged *, judged_free)
/* Samples that had to be made and judged since the beginning. */
size_t judged_count(const struct judged *j);
/* Condemns the procedure in s (snapshot_condemn, CHY_PROCEDURE_SAMPLE) if its sample is not accepted. Fails only for lack of
   memory. Some 40 us, unless the verdict is known already. s is not shared yet. */
MUST enum rc judge_once(struct judged *j, struct snapshot *s, const struct procedure *p, struct err *e);

#endif
