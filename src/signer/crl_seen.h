/*
 * The signer as the witness of revocation lists. For each CA key and each scope (the issuing distribution point; none is one
 * too) it knows which number it has signed last, from its own journal, and signs only lists that come after it: whoever can
 * write to the database, or put an old copy in its place, cannot bring back a list in which something is not revoked yet. The
 * very list that was signed last may be signed once more: that is how a crash between signature and store is repaired without
 * a gap in the numbers. A complete list and a delta list may share a number (RFC 5280 5.2.4), if they speak of one moment.
 *
 * What it knows is kept in the file `lists` beside the segments, so that a start need not read the whole archive. The file is a
 * copy: it names the record up to which it was made, and counts only when that record stands in the journal.
 */
#ifndef SIGNER_CRL_SEEN_H
#define SIGNER_CRL_SEEN_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/rc.h"
#include "crypto/digest.h"
#include "signer/journal.h"

#define CRL_SEEN_NAME "lists"
enum { CRL_SEEN_MAX = 1 << 20 }; /* scopes of all keys together */

/* What the journal keeps of a list: its digest in place of the list, and its two ends, in which everything stands but the
   entries. */
struct crl_record {
	uint8_t digest[SHA256_LEN]; /* of the TBSCertList */
	uint64_t bytes, entries;    /* of it, in it */
	uint8_t scope[SHA256_LEN];
	uint64_t number;
	int64_t this_update_at;
	bool delta;
	struct bytes head, tail;
};

void crl_record_put(struct buf *out, const struct crl_record *r);
/* Views of the input; false: it is none. */
bool crl_record_get(struct bytes in, struct crl_record *ret);

/* Of one scope. */
struct crl_last {
	uint64_t number;
	int64_t this_update_at;
	bool there[2];                 /* a complete list, a delta list of this number */
	uint8_t digest[2][SHA256_LEN]; /* of each */
};

struct crl_seen;
MUST enum rc crl_seen_new(struct crl_seen **ret, struct err *e);
void crl_seen_free(struct crl_seen *s);
OWN_DEFINE(struct crl_seen *, crl_seen_free)

/* From dir, up to the journal's record at `synced`. CHY_SJ_DAMAGED, CHY_SJ_READ, CHY_NO_MEMORY. */
MUST enum rc crl_seen_load(struct crl_seen *s, const char *dir, uint64_t synced, struct err *e);
/* Writes the copy: up to the record at `position`, whose hash this is. */
MUST enum rc crl_seen_save(const struct crl_seen *s, const char *dir, uint64_t position,
			   const uint8_t hash[SJ_HASH], struct err *e);

/* A record was synced. CHY_LIMIT, CHY_NO_MEMORY. */
MUST enum rc crl_seen_take(struct crl_seen *s, const struct sj_record *r, struct err *e);
/* NULL: none yet. */
const struct crl_last *crl_seen_last(const struct crl_seen *s, struct bytes label,
				     const uint8_t scope[SHA256_LEN]);
/* May the key sign this one? *ret_again: it has signed just this one before. CHY_SIGNER_CRL_NUMBER. */
MUST enum rc crl_seen_check(const struct crl_seen *s, struct bytes label, const struct crl_record *r,
			    bool *ret_again, struct err *e);

#endif
