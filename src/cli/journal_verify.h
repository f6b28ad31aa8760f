/*
 * Verification of the journal from its export (docs/formats/journal.md), with nothing but the system root's certificate.
 * A stream: lines go in as they come, findings come out; what is kept is a few dozen bytes a document and certificate.
 *
 * What it shows when there is no finding:
 *	- the leaves' tree has the root of every signed head, and no head is missing at the end (RFC 9162 2.1);
 *	- each head is signed by the journal key, whose certificate the root has issued;
 *	- each officer's signature in a leaf is good, by a certificate that was an active officer's at that place of the
 *	  journal, over that request's bytes, for this installation;
 *	- each document, session and certificate leaf goes back to a request with as many signatures, by different
 *	  officers with the needed roles, as its act needs, or to the ceremony in the first leaf;
 *	- every document version, signature and certificate of the export has exactly one leaf with the same contents, and
 *	  each such leaf its row; each column of a certificate is what the certificate and its leaf say;
 *	- each certificate is signed by the authority that its leaf names;
 *	- no session's officer was closed when it issued;
 *	- no leaf claims a time far from those of the heads around it, unless the journal explains it.
 */
#ifndef CLI_JOURNAL_VERIFY_H
#define CLI_JOURNAL_VERIFY_H

#include "base/base.h"
#include "base/json.h"

enum { JOURNAL_LINE_MAX = 16 << 20 };

struct journal_verifier;

/* A head's signature by the journal key. size, at, root as signed; certificate: DER of the journal key's, up to root. */
struct journal_head {
	uint64_t size;
	int64_t at_ms;
	uint8_t root[32];
	struct bytes signature;
};

/* Something that does not hold. */
struct journal_finding {
	const char *where; /* "leaf 17", "certificate 2104" ... */
	struct err err;
};
typedef void journal_report_fn(void *arg, const struct journal_finding *f);

struct journal_summary {
	uint64_t leaves, heads, signatures, documents, certificates, findings;
	int64_t head_at_ms;                /* of the newest head */
	uint64_t restarts;                 /* the operator restored a backup; of the last one: */
	uint64_t restart_from, restart_to; /* the head given up, and the leaves that were left */
	int64_t restart_at_ms;
	uint64_t
	    older; /* signatures by renewed certificates before the journal said for whom they stand; the last of them: */
	int64_t older_at_ms;
	uint64_t rescues;  /* certificates of officers issued on the word of two whose own had expired */
	uint64_t clocks;   /* how often the server's clock was set back */
	uint64_t left_out; /* rows so young that their leaves may not be under the exported head yet */
};

/* root: DER of the system root's certificate, copied. Owned by the caller. */
MUST enum rc journal_verifier_new(struct bytes root, int64_t now_ms, journal_report_fn *report, void *arg,
				  struct journal_verifier **ret, struct err *e);
void journal_verifier_free(struct journal_verifier *v);
OWN_DEFINE(struct journal_verifier *, journal_verifier_free)

/* The last head that the signer has signed, asked for before the export was begun: the export must be of a journal that
   continues it. Before the first piece; the signature is not looked at. */
void journal_verifier_witness(struct journal_verifier *v, const struct journal_head *last);

/* Leaves the certificates' own signatures out: they are most of the work. Before the first piece. */
void journal_verifier_quick(struct journal_verifier *v);

/* The next piece of the export, wherever it was cut. Fails only for what ends the work (memory, a line over
   JOURNAL_LINE_MAX, CHY_JOURNAL_FORMAT in the header); everything else is a finding. */
MUST enum rc journal_verifier_take(struct journal_verifier *v, struct bytes piece, struct err *e);
uint64_t journal_verifier_lines(const struct journal_verifier *v);
/* The export has ended: what can be judged only now is, and the summary is filled in. */
MUST enum rc journal_verifier_end(struct journal_verifier *v, struct journal_summary *ret, struct err *e);

/* ---- one proof ---- */

struct proven {
	uint64_t index, size;
	int64_t at_ms;               /* of the head */
	struct bytes sha256, serial; /* hex, of the certificate in the leaf; the arena's */
};

/* GET /certificates/ID/proof: {"leaf", "index", "head", "path"}. The leaf must be certificate `id`'s. Codes: TREE_PROOF,
   JOURNAL_SIGNATURE, CHAIN_*, CLI_ANSWER. */
MUST enum rc journal_check_proof(struct arena *a, const struct json *proof, struct bytes root, int64_t id,
				 struct proven *ret, struct err *e);

/* {"size","root","at","signature"}; texts into the arena. */
MUST enum rc journal_head_read(struct arena *a, const struct json *in, struct journal_head *ret,
			       struct err *e);
MUST enum rc journal_head_check(const struct journal_head *h, struct bytes certificate, struct bytes root,
				struct err *e);

#endif
