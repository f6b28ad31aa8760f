/*
 * The rescue of officers whose certificates have expired (docs/formats/rescue.md): what two of them sign.
 */
#ifndef MODEL_RESCUE_H
#define MODEL_RESCUE_H

#include "base/json.h"
#include "model/officer.h"

enum { RESCUE_OFFICERS_MAX = 16, RESCUE_SIGNERS = 2, RESCUE_NONCE = 16 };
#define RESCUE_DAYS_MS \
	(30LL * 86400 * 1000) /* what was prepared longer ago than that is not taken any more */

/* One officer: by the newest certificate that he or she has, and the request for the one to come. */
struct rescue_item {
	uint8_t certificate[FINGERPRINT_LEN]; /* of its DER */
	struct bytes csr;                     /* DER */
};

struct rescue {
	struct bytes instance; /* SHA-256 of the system root, hex */
	int64_t prepared_at_ms;
	struct rescue_item v[RESCUE_OFFICERS_MAX];
	size_t n;
};

/* The exact bytes that were signed: canonical JSON, nobody twice. Views are the arena's. RESCUE_DOCUMENT, JSON_*. */
MUST enum rc rescue_read(struct arena *a, struct bytes text, struct rescue *ret, struct err *e);
/* The bytes to sign; the arena's. nonce: RESCUE_NONCE octets. */
MUST enum rc rescue_write(struct arena *a, const struct rescue *r, struct bytes nonce, struct bytes *ret,
			  struct err *e);

#endif
