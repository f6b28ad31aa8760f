/*
 * The signer's own reader of a TBSCertList, which may be longer than any message: it comes in parts and is read as it comes.
 * Independent of crl.c (it shares the DER cursor and the check of names). The parts are
 *
 *	head     from the beginning to in front of the first entry (or of the extensions, where there is none)
 *	entries  whole entries, as many parts as it takes
 *	tail     the extensions
 *
 * and joined they are what is signed. What must hold, of any list that we sign: DER; version 2; an algorithm in the form that we write; a
 * name as issuer that is not empty; times by RFC 5280 5.1.2.4, both there and in order; entries that are not none, with positive
 * serial numbers whose octets ascend, so that none stands twice; of extensions of entries only reason (never `unspecified`, and
 * removeFromCRL only in a delta list), invalidityDate and, in an indirect list, certificateIssuer, whose names ascend too; of the list's
 * own extensions authorityKeyIdentifier and cRLNumber always, the rest of RFC 5280 5.2 and expiredCertsOnCRL by their
 * rules, no other. An issuance list (pki/cil.h) is walked by the same rules, but for what it begins with, for its entries,
 * which have the hash of their certificate and nothing else, and for the extensions that say how revocation lists are
 * found. Codes: DER_*, NAME, CRL_TBS, SIGALG, EXT_DUPLICATE.
 */
#ifndef PKI_CRL_WALKER_H
#define PKI_CRL_WALKER_H

#include "pki/key.h"

struct crl_walk {
	enum { CRL_WALK_HEAD, CRL_WALK_ENTRIES, CRL_WALK_TAIL, CRL_WALK_DONE } at;
	size_t total, left; /* bytes of the whole; still to come */
	size_t entries_left;
	size_t n;         /* entries so far */
	bool issued;      /* it is an issuance list */
	unsigned segment; /* of an issuance list, from 1 */
	bool last;
	enum sigalg sigalg;
	int64_t this_update_at, next_update_at; /* ms */
	bool removes, names_issuers;            /* an entry does */
	uint8_t serial[LIMIT_SERIAL];           /* of the last entry */
	size_t serial_n;
	uint8_t issuer[LIMIT_CRL_ENTRY]; /* named last */
	size_t issuer_n;
	/* from the tail */
	uint64_t number;
	bool delta;
	uint64_t base;
};

/* Begins. *ret_issuer is a view of the part. */
MUST enum rc crl_walk_head(struct crl_walk *w, struct bytes part, struct bytes *ret_issuer, struct err *e);
MUST enum rc crl_walk_entries(struct crl_walk *w, struct bytes part, struct err *e);
/* Ends: nothing may be left. *ret_point: value of the issuing distribution point, a view of the part; p NULL: none. Of an issuance
   list, whose numbers are a row of their own: octets that are no such value. */
MUST enum rc crl_walk_tail(struct crl_walk *w, struct bytes part, struct bytes *ret_point, struct err *e);

#endif
