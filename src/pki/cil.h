/*
 * Issuance lists (CIL): what an authority has issued, signed by it, in the form of a revocation list with other entries. A list
 * may be cut into segments, a file each; docs/formats/cil.md is the whole of it.
 *
 *	TBSIssuanceList ::= SEQUENCE {
 *		content    OBJECT IDENTIFIER,    -- certHash: what each entry has of its certificate
 *		version    INTEGER,              -- 1
 *		segment    INTEGER,              -- from 1
 *		last       BOOLEAN,              -- none follows it
 *		signature  AlgorithmIdentifier,
 *		issuer     Name,
 *		thisUpdate Time, nextUpdate Time,
 *		issued     SEQUENCE OF SEQUENCE { serialNumber INTEGER, at Time, extensions Extensions } OPTIONAL,
 *		extensions [0] Extensions }      -- authorityKeyIdentifier, cRLNumber, deltaCRLIndicator
 *
 * It begins with an OBJECT IDENTIFIER, as neither a TBSCertificate, a TBSCertList nor a ResponseData does: so a signature over
 * the one never stands for another.
 */
#ifndef PKI_CIL_H
#define PKI_CIL_H

#include "pki/crl.h"

struct cil_entry {
	struct bytes serial; /* INTEGER contents */
	int64_t at;          /* when it was made: ms, whole seconds */
	struct bytes sha256; /* of the certificate */
};

/* In front of what is written. Codes: CRL (serial number, hash), DER_ROOM. Around the entries stand crl_head_build and
   crl_tail_build, with crl_inputs.segment. */
MUST enum rc cil_entry_build(const struct cil_entry *x, struct dw *w, struct err *e);

struct cil {
	struct bytes der, tbs;
	unsigned segment;
	bool last;
	struct bytes issuer;
	int64_t this_update_at, next_update_at;
	size_t n;             /* entries */
	struct bytes entries; /* all of them, for cil_next */
	uint64_t number;
	bool delta;
	uint64_t base; /* of a delta list: the number of the last segment that it continues */
	enum sigalg sigalg;
	struct bytes signature;
};

/* One segment and nothing behind it, by the rules of the signer's walker (pki/crl_walker.h). Views into der. Codes: DER_*, CIL,
   CRL_TBS, CRL_SIZE, NAME, SIGALG, EXT_DUPLICATE. */
MUST enum rc cil_parse(struct bytes der, struct cil *ret, struct err *e);
/* Takes the next entry off *rest, which begins as cil->entries of a parsed list. False at the end. */
bool cil_next(struct bytes *rest, struct cil_entry *ret);

/* A readable listing with the first `max` entries, ends with a new line; and as members: number, base, segment, last, issuer,
   this_update, next_update, signature_algorithm, count, entries [{serial, at, sha256}]. NULL when memory is out. */
void cil_put_text(struct buf *out, const struct cil *c, size_t max);
struct json *cil_json(struct arena *a, const struct cil *c, size_t max);

#endif
