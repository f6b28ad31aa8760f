/*
 * The rows of the store, one struct per table, members named as the columns.
 *
 * Conventions: ids and *_at are int64_t (ids of base/idgen.h, times in ms); no column is NULL, 0 and the
 * empty string say "none" (domain 0 is Root). Text is UTF-8 without NUL. What a row read from the store
 * points at lives in the arena given to the call; what a row put into a change points at is copied by the
 * call.
 */
#ifndef STORE_ROWS_H
#define STORE_ROWS_H

#include "base/bytes.h"

/* One immutable version of a policy document. `stamp` is set by the store: it grows with every version
 * committed. */
struct document_row {
	int64_t id, version;
	struct bytes kind, name, state; /* state "active", "closed" or "deleted" */
	int64_t domain;
	struct bytes body; /* canonical JSON */
	int64_t at, request_id, stamp;
};

struct draft_row {
	int64_t id;
	struct bytes kind, name, body;
	int64_t officer_id, at; /* who wrote it last, and when */
	int64_t owner;          /* who wrote it first */
};

/* Certificates that an officer gathers for one act. */
struct selection_row {
	int64_t id, officer_id;
	struct bytes act, body; /* body JSON */
	int64_t at;             /* when it was changed last */
};

/* An officer's act, as prepared and as far as it has come. */
struct request_row {
	int64_t id;
	struct bytes act, state;
	int64_t object, base_version; /* what it changes; 0: a creation */
	struct bytes body;            /* the exact bytes to sign */
	int64_t prepared_by;
	struct bytes nonce;
	int64_t at, expires_at;
	struct bytes result; /* JSON; empty until it is done */
};

/* n counts from 1; the same officer twice is refused (CHY_STORE_EXISTS). */
struct signature_row {
	int64_t request_id, n, officer_id;
	struct bytes cms;
	int64_t at;
};

enum certificate_status { CERTIFICATE_VALID = 0, CERTIFICATE_HELD = 1, CERTIFICATE_REVOKED = 2 };

struct certificate_row {
	int64_t id;
	struct bytes serial;  /* as in the certificate, without a leading zero octet */
	int64_t issuer;       /* id of the authority's document; a root's own */
	int64_t status;       /* enum certificate_status */
	struct bytes subject; /* RFC 4514 */
	int64_t not_before, not_after;
	int64_t token_procedure,
	    certificate_procedure;      /* document ids; 0 for an authority's own certificate */
	int64_t authority;              /* the authority that this certificate is of; 0: an end entity's */
	int64_t request_id, session_id; /* who had it issued; one of the two */
	struct bytes san;               /* general names, one per line: "dns:www.example.org" */
	struct bytes key_hash;          /* SHA-256 of the SubjectPublicKeyInfo */
	struct bytes fingerprint;       /* SHA-256 of the DER */
	int64_t
	    base; /* an attribute certificate: the certificate that it names; 0: a public key certificate */
};

/* What came of a certificate that is or was on hold or revoked; state CERTIFICATE_VALID: reinstated. */
struct status_row {
	int64_t id, issuer;
	struct bytes serial;
	int64_t state;      /* enum certificate_status */
	int64_t reason;     /* RFC 5280 5.3.1: 6 while on hold, 8 when reinstated */
	int64_t at;         /* since when; of what was revoked while on hold, since it was held */
	int64_t invalid_at; /* 5.3.2; 0: none */
	int64_t not_after;  /* the certificate's */
	int64_t leaf;       /* of the journal, that says so; 0: none */
	int64_t
	    seq; /* set by the store: the issuer's next one with every change, 1 first; 0: never changed */
};

/* Taken over from the signer's journal, and asked for by nobody since; a soft token's until its file is there. */
struct unclaimed_row {
	int64_t certificate, at, leaf;
};

/* Wrong revocation passwords in a row; before until_at none is looked at. */
struct password_wrong_row {
	int64_t certificate, tries, until_at;
};

/* A revocation list that is built here (factory/crl.h); schema step crl says what is what. */
struct crl_row {
	int64_t id, procedure_id, list, part, delta, number, base, state, this_update, next_update,
	    status_seq, entries, entries_len, pieces;
	struct bytes sigalg, sha256, head, tail, signature;
	int64_t shape, left_at;
};
/* The signed lists of a procedure together, complete or delta: one, or of each partition one. */
struct crl_sum_row {
	int64_t delta, n;
	int64_t number, first_id, this_update, next_update; /* the highest; the lowest of the others */
	int64_t entries, octets; /* octets: of what is signed and of the signatures */
};
/* What a certificate is searched by: field n, 1 to 6. */
struct field_row {
	int64_t certificate, n;
	struct bytes value;
};

/* On which list with partitions a certificate is; 1 and up. */
struct partition_row {
	int64_t certificate, part;
};
struct crl_piece_row {
	int64_t crl, n;
	struct bytes entries;
};
/* A piece of the list, made by it or by one before it; schema step crl_part. */
struct crl_part_row {
	int64_t crl, n, made_by, made_n, entries, len, until;
	struct bytes last;
};

/* An issuance list that is in force, and a segment of one; schema step cil says what is what. */
struct cil_row {
	int64_t procedure_id, delta, build, number, last_number, base, this_update, next_update, place,
	    entries;
	struct bytes timing;
};
struct cil_file_row {
	int64_t build, segment, number;
	struct bytes sha256; /* of the TBSIssuanceList */
	struct bytes der;
};
/* What deliveries of it name. */
struct cil_list_row {
	int64_t id, procedure_id, delta, segment;
};

/* The certificate of an authority's OCSP responder; key: the signer's label. */
struct responder_row {
	int64_t certificate, authority;
	struct bytes key;
	int64_t not_before, not_after;
	struct bytes node; /* SHA-256 of the key of the status node that it is of, hex; empty: our own */
};

/* What a status node wants a responder's certificate for. */
struct node_key_row {
	struct bytes node; /* SHA-256 of node_spki, hex */
	int64_t authority;
	struct bytes label;           /* of the key in the node's signer */
	struct bytes spki, node_spki; /* the key; the node's own, SubjectPublicKeyInfo */
	struct bytes signature;       /* by the node's own, over model/node.h's words */
	int64_t at;
};

/* A certificate that an officer has activated for OCSP. */
struct activation_row {
	int64_t certificate, at, request_id;
};

/* One cause of a hold; a certificate is on hold while there is one. */
struct hold_row {
	int64_t certificate;
	struct bytes cause;
	int64_t at, request_id;
};

/* A certificate that officers have had removed. */
struct removed_row {
	int64_t id, issuer;
	struct bytes serial, fingerprint;
	int64_t at, request_id, leaf;
};

/* A foreign authority's revocation list, as it was imported last. */
struct imported_crl_row {
	int64_t authority;
	struct bytes scope; /* what it is of: the value of its issuing distribution point; empty: all */
	int64_t this_update, next_update; /* next 0: it does not say */
	struct bytes number;              /* INTEGER contents; empty: it has none */
	int64_t at, request_id;
	struct bytes der;
};

struct leaf_row {
	int64_t id;
	struct bytes kind;
	int64_t object;    /* what it is about */
	struct bytes body; /* canonical JSON */
	struct bytes hash; /* RFC 9162 leaf hash */
};

/* A value of an attribute that certificates are found by; what attributes there are is the factory's business. */
struct value_row {
	int64_t id, attribute;
	struct bytes value;
};
struct link_row {
	int64_t value, certificate;
};
struct begin_row {
	int64_t not_before, certificate;
};

/* A certificate as a search finds it, with what is known of it elsewhere. */
struct found_row {
	struct certificate_row c;
	int64_t reason, at;       /* of its status */
	int64_t publication;      /* 1: allowed, 0: not, -1: nothing was chosen */
	int64_t published;        /* when it was last, and is still; 0: it is not */
	int64_t activated;        /* for OCSP, by an officer; 0: by none */
	struct bytes card_serial; /* of the card that it is on; empty: none is known */
};

/* One number: an id, a count. */
struct number_row {
	int64_t value;
};

/* A leaf at its place in the tree. */
struct placed_leaf_row {
	int64_t idx, id;
	struct bytes kind;
	int64_t object;
	struct bytes body, hash;
};

struct seq_row {
	int64_t idx, leaf_id;
};

/* A run of hashes of one level of the tree; the store does not look inside. */
struct tile_row {
	int64_t level, idx;
	struct bytes hashes;
};

struct head_row {
	int64_t size; /* leaves that it covers */
	struct bytes root;
	int64_t at;
	struct bytes signature, key; /* key: which journal key */
};

/* A number that a card got, once and for ever. */
struct card_serial_row {
	int64_t number, token_procedure, at;
};

/* key: SHA-256 over caller and Idempotency-Key, 32 octets, made by the caller. */
struct idempotency_row {
	struct bytes key;
	int64_t caller; /* officer or session */
	struct bytes
	    request_hash;   /* the same key with another request is the caller's mistake, to be told apart */
	int64_t result, at; /* what came of it: certificate id or request id */
};

struct session_row {
	int64_t id;
	struct bytes token_hash; /* SHA-256 of the bearer token */
	int64_t request_id, officer_id;
	struct bytes body; /* as signed */
	int64_t used, maximum, expires_at;
	struct bytes state; /* "open" or "closed" */
};

/* A delivery of an object to a destination. For one object and destination they are carried out in the order of their ids. */
struct outbox_row {
	int64_t id;
	struct bytes kind; /* what object is: "certificate", "crl" */
	int64_t object;
	int64_t destination;    /* the distribution rule's document */
	int64_t by_procedure;   /* document of the procedure that says so; 0: none */
	int64_t request_id;     /* the officer's act that said so; 0: issuing did */
	struct bytes form;      /* "der", "pem", "pem-chain" */
	int64_t removal;        /* 1: to be taken back from there */
	int64_t at;             /* when it was put here */
	int64_t since, next_at; /* when trying it began (anew); not before */
	int64_t attempts;       /* that failed */
	struct bytes state;     /* "waiting", "done", "dead", "dropped" */
	struct bytes error;     /* of the last attempt: "CHY-1904 text"; empty: none */
	int64_t changed_at;
};

/* How many there are of a destination in a state that is not over. */
struct outbox_count_row {
	int64_t destination;
	struct bytes state;
	int64_t n;
	int64_t first; /* the lowest id */
};

/* When a certificate was last published by a procedure; withdrawn 1: and then unpublished. */
struct publication_row {
	int64_t certificate, by_procedure, at, request_id, withdrawn;
};

struct verdict_row {
	int64_t id;         /* of the certificate */
	int64_t at, ok;     /* 1: nothing found */
	struct bytes lints; /* JSON */
};

/* A stored certificate as the auditor job wants it. */
struct der_row {
	int64_t id;
	struct bytes der;
};

/* What reconcile compares with the signer's journal. */
struct serial_row {
	int64_t id, issuer;
	struct bytes serial;
};

struct counter_row {
	struct bytes name;
	int64_t value;
};

/* A soft token under way; pin and file are boxes of the signer, empty once they are not needed. */
struct token_row {
	int64_t id; /* of the request that made it */
	int64_t officer_id, token_procedure, at, expires_at;
	struct bytes state;             /* "made", "ready", "delivered", "expired" */
	struct bytes holder, pin, file; /* empty once it is delivered, expired or failed */
};

struct token_key_row {
	int64_t token, n;
	int64_t certificate;           /* as it will be numbered, or the one that is reused */
	int64_t certificate_procedure; /* 0: reused */
	int64_t source;                /* the certificate whose archived key it is; 0: a new key */
	struct bytes archive;          /* label of the archive key; empty: not archived */
	struct bytes holder, spki, box, envelope;
};

struct archived_row {
	int64_t certificate, at;
	struct bytes archive, holder, spki, envelope;
};

struct choice_row {
	int64_t certificate, publication; /* 1: allowed */
	struct bytes revocation_password; /* its scrypt form; empty: none */
};

/* Of a request that has its signatures and is not done. */
struct request_secret_row {
	int64_t request;
	struct bytes revocation_password; /* the scrypt form that its certificates get */
};

/* An archived key that was put into a token. */
struct recovery_row {
	int64_t certificate, token, at;
	int64_t issued; /* the new certificate that the key got; 0: none */
};

struct job_row {
	struct bytes name;
	int64_t owner, lease_until, cursor;
};

struct setting_row {
	struct bytes name, value;
};

/* The request log's view of a leaf; id is the leaf's. What categories mean is the factory's business: their numbers are
   ordered so that those of one group follow one another. */
struct log_row {
	int64_t id, at, category, failed; /* failed: 0 or 1 */
};

/* What leaves are found by. Those of officer, object and domain stand in statements.def as numbers. */
enum log_link_kind {
	LOG_BY_OFFICER = 1,
	LOG_BY_OBJECT = 2,
	LOG_BY_CATEGORY = 3,
	LOG_BY_GROUP = 4,
	LOG_BY_FAILED = 5,
	LOG_BY_DOMAIN = 6 /* those of what it is about, and all above them but Root */
};

struct log_link_row {
	int64_t kind, value, id;
};

/* What a session asked for, as it asked: for trying changed policy. */
struct remembered_row {
	int64_t id, at, session_id;
	struct bytes token_procedure;  /* as asked: a name or an id */
	int64_t not_before, not_after; /* as asked; 0: not given */
	int64_t certificate;           /* 0: it was refused */
	struct bytes csr;              /* DER */
	struct bytes input;            /* what was filled in, JSON; empty: nothing */
};

/* A row with its leaf. */
struct log_entry_row {
	int64_t id, at, category, failed;
	struct bytes kind;
	int64_t object;
	struct bytes body;
};

#endif
