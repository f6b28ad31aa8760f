/*
 * Revocation lists, version 2 (RFC 5280 5): parse, build, show. A list may have a million entries and more, so nobody ever
 * holds them as an array: a parsed list is walked entry by entry, and one is built as three parts, its front, its entries
 * one by one, and its end, which need no more memory than the largest of them.
 *
 *	for each entry: crl_entry_build, keep the bytes, add up their length
 *	crl_head_build (in, that length)       the TBSCertList up to its first entry
 *	crl_tail_build (in)                    what follows the last one
 *	crl_open_build, crl_close_build        what a signature puts around a TBSCertList
 */
#ifndef PKI_CRL_H
#define PKI_CRL_H

#include "base/json.h"
#include "pki/ext.h"
#include "pki/key.h"

#define CRL_NO_TIME INT64_MIN

struct crl_entry {
	struct bytes serial;   /* INTEGER contents */
	int64_t revoked_at;    /* ms, whole seconds */
	int reason;            /* enum crl_reason; CRL_NO_REASON: none stands there */
	int64_t invalidity_at; /* CRL_NO_TIME: none */
	struct bytes
	    issuer; /* Name in certificateIssuer; p NULL: as the entry before, or the CRL's own issuer */
	bool
	    critical_unknown; /* has a critical extension that we do not know: RFC 5280 5.3 forbids to rely on the list */
};

struct crl {
	struct bytes der, tbs;
	int version;                            /* 1 or 2 */
	struct bytes tbs_alg;                   /* AlgorithmIdentifier inside the TBSCertList */
	struct bytes issuer;                    /* Name */
	int64_t this_update_at, next_update_at; /* ms; next: CRL_NO_TIME where there is none */
	size_t n;                               /* entries */
	struct bytes entries;                   /* all of them, for crl_next */
	struct exts exts;
	struct bytes alg;
	enum sigalg sigalg; /* SIGALG_NONE when it is none of ours */
	struct bytes signature;
	struct bytes number, base; /* INTEGER contents of cRLNumber and deltaCRLIndicator; p NULL: none */
	bool critical_unknown;     /* has a critical extension that we do not know, or an entry has */
};

/* One list and nothing behind it, at most LIMIT_CRL bytes; every entry is looked at. Views into der, extensions in the arena. That
   no serial number stands twice is not checked. Codes: DER_*, NAME, EXT, EXT_DUPLICATE, CRL, CRL_SIZE. */
MUST enum rc crl_parse(struct arena *a, struct bytes der, struct crl *ret, struct err *e);
/* From PEM ("X509 CRL", exactly one block) or DER; everything is the arena's. */
MUST enum rc crl_parse_any(struct arena *a, struct bytes in, struct crl *ret, struct err *e);
/* Takes the next entry off *rest, which begins as crl->entries of a parsed list. False at the end. */
bool crl_next(struct bytes *rest, struct crl_entry *ret);
/* What the issuing distribution point says; false: there is none. Arrays are the arena's. */
bool crl_issuing_point(struct arena *a, const struct crl *c, struct issuing_point *ret);
/* A number as an unsigned value; false when it has more than 63 bits. */
bool crl_number(struct bytes number, uint64_t *ret);

/* ---- building ---- */

struct crl_inputs {
	enum sigalg sigalg;
	struct bytes issuer; /* Name */
	int64_t this_update_at, next_update_at;
	struct exts exts; /* in their order */
	unsigned segment; /* of an issuance list (pki/cil.h), from 1; 0: a revocation list */
	bool last;        /* none follows that segment */
};

/* One entry in front of what is written. A reason of 0 is left out (RFC 5280 5.3.1). Codes: CRL (serial number, reason), DER_ROOM. */
MUST enum rc crl_entry_build(const struct crl_entry *x, struct dw *w, struct err *e);
/* What stands in front of the entries, whose encodings take entries_len bytes together; 0: the list of them is left out, as it
   must not be empty. Codes: CRL (times, issuer, an extension twice), NAME, SIGALG, CRL_SIZE, DER_ROOM. */
MUST enum rc crl_head_build(const struct crl_inputs *in, size_t entries_len, struct dw *w, struct err *e);
/* What stands behind the entries: the extensions. May be nothing. */
MUST enum rc crl_tail_build(const struct crl_inputs *in, struct dw *w, struct err *e);
/* The same as a whole, for lists that fit into memory. */
MUST enum rc crl_tbs_build(const struct crl_inputs *in, const struct crl_entry *v, size_t n, struct dw *w,
			   struct err *e);
/* What a CertificateList has in front of its TBSCertList of tbs_len bytes, and behind it. */
MUST enum rc crl_open_build(size_t tbs_len, enum sigalg s, struct bytes signature, struct dw *w,
			    struct err *e);
MUST enum rc crl_close_build(enum sigalg s, struct bytes signature, struct dw *w, struct err *e);

/* ---- for people ---- */

/* A readable listing with the first `max` entries, ends with a new line. */
void crl_put_text(struct buf *out, const struct crl *c, size_t max);
/* As members: version, number, base, issuer, this_update, next_update, signature_algorithm, extensions as in cert_json, count,
   entries [{serial, revoked, reason, invalid, issuer}], the first `max`. NULL when memory is out. */
struct json *crl_json(struct arena *a, const struct crl *c, size_t max);

#endif
