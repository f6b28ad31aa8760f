/*
 * What a verifier of the journal knows at a place of it: who is an officer and may do what, which requests are signed
 * by whom, which sessions are open, which documents and certificates there are. Inner header of the verification.
 */
#ifndef CLI_JOURNAL_STATE_H
#define CLI_JOURNAL_STATE_H

#include "base/base.h"
#include "base/json.h"
#include "cli/journal_verify.h"
#include "cli/pairmap.h"
#include "crypto/digest.h"
#include "crypto/verify.h"
#include "model/request.h"
#include "model/role.h"
#include "model/status.h"
#include "model/tree.h"
#include "pki/ac.h"
#include "pki/cert.h"

enum { SIGNERS_MAX = 8, FINDINGS_SHOWN = 1000 };

/* What binds an officer by the subject: the name, and the certificate procedure, 0: none. */
struct by_subject {
	struct bytes text; /* RFC 4514 */
	int64_t procedure;
};

/* A certificate that an officer asked for, and that stands for the officer while bound to this. */
struct own_certificate {
	struct own_certificate *next;
	int64_t id, procedure;
	struct bytes subject;
};

/* Officers and profiles, as of the newest document. */
struct officer_state {
	int64_t profile, domain; /* domain 0: Root */
	int64_t certificate;     /* id; 0: none known */
	uint8_t fingerprint[SHA256_LEN];
	struct by_subject subject, subject_before; /* now, and by the version before */
	struct bytes keys;           /* SHA-256 of each key in the token, one behind the other */
	struct own_certificate *own; /* the newest first */
	bool active;
	int64_t closed_at_ms; /* of the leaf that closed it */
};
struct profile_state {
	roles roles;
	bool active, by_subject, by_token; /* entity type subject, dynamic token */
};
struct domain_state {
	int64_t parent;
};

struct signed_list; /* journal_import.h */

struct signed_request {
	struct act act;
	int64_t base_id, base_version;
	int64_t signers[SIGNERS_MAX];
	size_t signers_n;
	uint8_t bytes_sha256[SHA256_LEN]; /* of the signed bytes: all signatures are over the same */
	uint8_t body_sha256[SHA256_LEN];  /* of a document's body, as journal_document_hash */
	uint8_t *
	    csrs; /* certificate.issue: SHA-256 of each request, one behind the other; of an import: of each certificate */
	bool *issued; /* one for each of them: its certificate is in the journal */
	size_t csrs_n;
	int64_t token_procedure;  /* certificate.issue, attribute-certificate.issue: by which */
	int64_t base;             /* attribute-certificate.issue: for which certificate */
	int64_t renews;           /* officer.renew: whose */
	bool certified;           /* authority.create: its certificate is in the journal */
	bool ocsp;                /* an authority's document, which says that it answers OCSP */
	const struct json *body;  /* issuing-session.open */
	struct signed_list *list; /* crl.import */
	bool over;                /* has taken effect, or became void */
};

struct session_state {
	const struct json *body; /* the request's */
	int64_t max, expires_at_ms, used, officer;
	int64_t closed_at_ms; /* by an officer's act; 0: by none */
};

/* Bodies of leaves, as journal_leaf.c takes them apart. */
struct leaf_view {
	const struct json *leaf;
	int64_t id, at_ms;
};

/* A leaf that must have its row in part 3 of the export. */
struct row_state {
	uint8_t sha256[SHA256_LEN]; /* of the canonical body with the kind, or of the DER */
	bool found;
};

/* The same of a certificate, with what its leaf says of it. */
struct certificate_state {
	struct row_state row; /* the first: the map's values are row_states to some */
	int64_t issuer, authority, request, session, token_procedure, certificate_procedure;
	int64_t stands_for; /* the officer, bound by the subject, who asked for it; 0: nobody */
	int64_t base;       /* of an attribute certificate; 0: a public key certificate */
	bool void_;         /* adopted as revoked: its base was never made */
	bool responder;     /* an OCSP responder's */
	struct node_wished
	    *node;           /* at a status node, with what that one signed; NULL: at the issuing server */
	bool imported;       /* a foreign CA has issued it */
	struct bytes serial; /* of what was imported */
	uint8_t names[SHA256_LEN]; /* over serial and subject */
	/* its status, as the leaves up to here say */
	enum cert_state state;
	enum reason reason;
	int64_t since_ms, invalid_at_ms;
	int64_t own_leaf, status_leaf; /* its own; that of the last change, 0: never changed */
	int64_t adopted;               /* the leaf that says that it was found unclaimed; 0: none */
	int publication;               /* -1: nothing was chosen, 0: not allowed, 1: allowed */
	bool has_password;
	uint8_t password[SHA256_LEN]; /* digest of the revocation password's form */
	const uint8_t *fields;        /* digest of what it is searched by; NULL: nothing */
	struct cause_state *causes;   /* that it is on hold for */
	size_t causes_n;
};

struct cause_state {
	struct cause_state *next;
	struct bytes cause;
};

/* A key of an authority, from its own certificate. */
struct issuer_state {
	struct issuer_state *more; /* the authority's certificate before */
	struct bytes subject;
	struct verifier *key;
};

enum journal_row_kind { ROW_DOCUMENT, ROW_CERTIFICATE, ROW_SIGNATURE, ROW_REMOVED };

struct issuer_checks; /* journal_issuer.c: signatures of certificates that wait to be verified */

struct journal_verifier {
	struct arena *mem; /* for the whole run */
	struct bytes root; /* DER */
	char instance[2 * SHA256_LEN + 1];
	int64_t now_ms;
	journal_report_fn *report;
	void *arg;

	struct buf line;
	uint64_t lines;
	struct journal_summary sum;
	char where[64];

	bool header, ended;
	bool quick;    /* without certificates' own signatures */
	uint64_t size; /* as the header says */
	struct tree tree;
	uint64_t head_size;
	int64_t floor_ms;  /* time of the last head: what comes behind it cannot be much older */
	int64_t newest_ms; /* the youngest leaf since the last head */
	struct pairmap
	    late; /* certificates older than that, as row_states: found once an "adopted" leaf excuses them */
	struct journal_head witness; /* size 0: not given, or met */
	struct verifier *journal_key;
	enum sigalg journal_alg;
	int64_t journal_from_ms, journal_to_ms;
	int64_t genesis; /* id of the first leaf */
	bool ceremony;   /* no officer has signed yet */
	bool form;       /* by the rules of JOURNAL_FORM, from here on */

	struct pairmap officers, profiles, domains, requests, sessions, documents, certificates,
	    versions,   /* versions: newest one of each document */
	    signatures, /* (request, officer) */
	    issuers,    /* newest issuer_state of each authority */
	    rescues,    /* by the id of their leaf */
	    nodes,      /* (status node, version of its document) */
	    statuses,   /* (request, certificate): the request has changed that certificate's state */
	    prints;     /* certificates by their digest, see journal_print */
	uint64_t signature_rows;
	struct issuer_checks *checks; /* made when the first certificate comes */
};

/* Sixteen octets of a digest as the two numbers of a pairmap's key: which 0 or 1. */
static inline int64_t
journal_print(const uint8_t hash[SHA256_LEN], int which)
{
	int64_t n;

	memcpy(&n, hash + (size_t)which * sizeof(n), sizeof(n));
	return n;
}

/* Reports a finding and goes on; memory is the only thing that ends a verification. */
MUST enum rc journal_found(struct journal_verifier *v, enum rc rc, const struct err *found, struct err *e);

/* A leaf between two heads claims a time that lies between theirs, but for what clocks, commits and queues need. */
enum {
	LEAF_LATE_MS = 600000,  /* stored and placed at the latest: what the sequencer holds to, too */
	LEAF_EARLY_MS = 60000,  /* clocks of two factories */
	CLOSED_LATE_MS = 60000, /* until a closed officer is closed everywhere */
};
/* In journal_time.c. A leaf's time, of the two kinds that explain an old one, a head's; at the end, late certificates that
   nothing explains. */
MUST enum rc journal_time_leaf(struct journal_verifier *v, const struct leaf_view *l, struct bytes kind,
			       struct err *e);
MUST enum rc journal_time_clock(struct journal_verifier *v, const struct leaf_view *l, struct err *e);
MUST enum rc journal_time_adopted(struct journal_verifier *v, const struct leaf_view *l, struct err *e);
MUST enum rc journal_time_head(struct journal_verifier *v, const struct journal_head *h, struct err *e);
MUST enum rc journal_time_end(struct journal_verifier *v, struct err *e);

/* One leaf's body, parsed into the line's arena. Failures are findings, but for RC_NOMEM. */
MUST enum rc journal_leaf(struct journal_verifier *v, struct arena *a, const struct json *leaf,
			  struct err *e);

/* The row that part 3 must have, in v->certificates a certificate_state. CHY_JOURNAL_ALTERED: a second one. */
MUST enum rc journal_expect_row(struct journal_verifier *v, struct pairmap *m, int64_t a, int64_t b,
				const uint8_t hash[SHA256_LEN], struct err *e);

/* One row of part 3: in journal_rows.c. */
MUST enum rc journal_row(struct journal_verifier *v, struct arena *a, const struct json *line,
			 enum journal_row_kind kind, struct err *e);

/* In journal_status.c: a change of a certificate's state; what the row says of it. */
MUST enum rc journal_status(struct journal_verifier *v, struct arena *a, const struct leaf_view *l,
			    struct err *e);
/* A certificate was removed: its row is not looked for any more, and one that is there after all stands there once too often. */
MUST enum rc journal_removed(struct journal_verifier *v, const struct leaf_view *l, int64_t id,
			     struct err *e);
/* A member "unplaced": a leaf that has no place yet, and is as young as such are. */
MUST enum rc journal_is_unplaced(const struct journal_verifier *v, const struct json *changed, struct err *e);
MUST enum rc journal_status_row(const struct journal_verifier *v, const struct json *row,
				const struct certificate_state *s, struct err *e);

/* What was chosen when it was issued, what a publication made of it, what the row says of it. */
MUST enum rc journal_choice_leaf(const struct json *leaf, struct certificate_state *s, struct err *e);
MUST enum rc journal_choice_publication(struct journal_verifier *v, const struct leaf_view *l,
					const struct json *body, struct err *e);
MUST enum rc journal_choice_row(const struct journal_verifier *v, const struct json *row,
				const struct certificate_state *s, struct err *e);

/* The same of what was filled in to search it by. */
MUST enum rc journal_fields_leaf(struct journal_verifier *v, const struct json *leaf,
				 struct certificate_state *s, struct err *e);
MUST enum rc journal_fields_row(const struct json *row, const struct certificate_state *s, struct err *e);

/* Issuers' signatures, in journal_issuer.c: verified in batches, on all processors, beside the reading. What is found comes
   later, at the end at the latest. */
MUST enum rc journal_issuer_add(struct journal_verifier *v, int64_t authority, const struct cert *c,
				struct err *e);
/* An attribute certificate, as far as its issuer's signature is concerned. */
struct cert journal_as_cert(const struct ac *c);
MUST enum rc journal_issuer_check(struct journal_verifier *v, int64_t id, int64_t issuer,
				  const struct cert *c, struct err *e);
MUST enum rc journal_issuers_end(struct journal_verifier *v, struct err *e);
void journal_issuers_fini(struct journal_verifier *v);

/* Officers' signatures: in journal_signature.c. */
MUST enum rc journal_signature(struct journal_verifier *v, struct arena *a, const struct leaf_view *l,
			       struct err *e);
/* Does the certificate of this subject (RFC 4514 text) by this procedure stand for who is bound so? */
bool journal_is_bound(struct arena *a, const struct by_subject *s, struct bytes subject, int64_t procedure);
/* In journal_responder.c: a responder's certificate on the word of the officers' document that the authority answers OCSP, of which
   request it was; a status node's document; the certificate's row, which may sign answers and nothing else, for the key that the
   node asked for. */
MUST enum rc journal_responder(struct journal_verifier *v, struct arena *a, int64_t request,
			       const struct signed_request *r, const struct leaf_view *l, struct err *e);
MUST enum rc journal_node(struct journal_verifier *v, struct arena *a, const struct leaf_view *l, int64_t id,
			  int64_t version, const struct json *body, struct err *e);
MUST enum rc journal_responder_row(struct journal_verifier *v, struct arena *a,
				   const struct certificate_state *s, const struct cert *c, struct err *e);
/* In journal_session.c: an officer ended it, who had opened it or may change who had. */
MUST enum rc journal_session_closed(struct journal_verifier *v, const struct leaf_view *l, struct err *e);
/* In journal_renewal.c. The officer whose certificate an act renews; 0: another act. */
int64_t journal_renews(struct act act, const struct json *body);
/* The first signature of a renewal is the officer's own and needs no role, the other's those of changing that officer. */
MUST enum rc journal_renewal_right(const struct journal_verifier *v, const struct officer_state *o,
				   int64_t officer, int64_t whose, bool first, struct err *e);
MUST enum rc journal_read_renewal(struct journal_verifier *v, struct arena *a, const struct json *body,
				  struct signed_request *r, struct err *e);
/* A renewed certificate is the officer's: by the subject where the officer is bound by that, else by the key in the token. */
MUST enum rc journal_is_renewal(const struct journal_verifier *v, const struct signed_request *r,
				const struct leaf_view *l, struct err *e);
/* For whom a certificate's leaf says that it stands: signed for by that officer in this request (0: in none) or named in this rescue, and bound to this
   subject when it was decided, perhaps by the version before. */
MUST enum rc journal_own_certificate(struct journal_verifier *v, struct arena *a, int64_t request,
				     int64_t rescue, const struct leaf_view *l, struct err *e);
/* In journal_rescue.c: the leaf of a rescue; whether one (0: none) has this officer; a certificate on its word. */
MUST enum rc journal_rescue(struct journal_verifier *v, struct arena *a, const struct leaf_view *l,
			    struct err *e);
bool journal_rescue_names(const struct journal_verifier *v, int64_t rescue, int64_t officer);
MUST enum rc journal_rescued(struct journal_verifier *v, struct arena *a, int64_t rescue,
			     const struct leaf_view *l, struct err *e);
/* Whose certificate somebody signed with: bound to the officer or standing for him or her, and for signatures. Not whether it was
   valid, nor what its status was. */
MUST enum rc journal_signer(struct journal_verifier *v, struct arena *a, int64_t officer, struct bytes signer,
			    const struct officer_state **ret, struct err *e);
/* Is the domain the officer's own or below it? */
bool journal_domain_is_within(const struct journal_verifier *v, int64_t domain, int64_t home);

/* SHA-256 over kind, LF and the body in canonical JSON. */
MUST enum rc journal_document_hash(const char *kind, const struct json *body, uint8_t ret[SHA256_LEN],
				   struct err *e);

/* The journal key's verifier from its certificate, which the root must have issued. */
MUST enum rc journal_key_load(struct bytes certificate, struct bytes root, int64_t at_ms,
			      struct verifier **ret, enum sigalg *ret_alg, int64_t *ret_from_ms,
			      int64_t *ret_to_ms, struct err *e);
MUST enum rc journal_head_signed(const struct verifier *key, enum sigalg alg, const struct journal_head *h,
				 struct err *e);
/* The tree_sha256_fn here. */
enum rc journal_sha256(const struct bytes *parts, size_t count, struct tree_hash *ret, struct err *e);

/* The store's column of this row is the number that the journal says: CHY_JOURNAL_ACCOUNT. */
MUST enum rc journal_number_is(const struct json *row, const char *name, int64_t want, struct err *e);

#endif
