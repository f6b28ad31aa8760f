/*
 * What goes over the signer's socket: base/frame.h messages whose payloads are encoded with base/buf.h and
 * read with base/rd.h. Shared by the signer and its client stub. docs/formats/signer-protocol.md describes
 * every message.
 */
#ifndef SIGNER_PROTOCOL_H
#define SIGNER_PROTOCOL_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/rc.h"
#include "base/rd.h"
#include "pki/key.h"

enum {
	SIGNER_VERSION = 1,
	SIGNER_FD = 3, /* where the signer finds its socket */
	SIGNER_LABEL_MAX = 64,
	SIGNER_URI_MAX = 1024,
	SIGNER_NAMES_MAX = 16 << 10, /* bytes of the name constraints in a CA key's limits */
	SIGNER_ALGS_MAX = 16,
	SIGNER_TLS_MAX = 4096,
	SIGNER_KEYS_MAX = 256,
	SIGNER_PIN_MAX = 256,     /* of a token, bytes */
	SIGNER_TOKEN_KEYS = 32,   /* in one token */
	SIGNER_TOKENS_QUEUE = 64, /* token requests that wait */
	SIGNER_OCSP_MAX = 200,    /* responses in one request */
	SIGNER_CRL_WHOLE = 4
	    << 20, /* bytes of a list for a key that signs whole messages: Ed25519 and others */
};

/* Requests. The answer to type t is t | SIGNER_ANSWER, or SIGNER_ERROR. */
enum signer_msg {
	SIGNER_HELLO = 1,
	SIGNER_KEY_GENERATE = 2,
	SIGNER_KEY_LIST = 3,
	SIGNER_KEY_PUBLIC = 4,
	SIGNER_KEY_DELETE = 5,
	SIGNER_LIMITS_SET = 6,
	SIGNER_LIMITS_GET = 7,
	SIGNER_SIGN_CERT = 16,
	SIGNER_SIGN_HEAD = 17,
	SIGNER_SIGN_TLS = 18,
	SIGNER_SIGN_CSR = 19,
	SIGNER_HEAD_LAST = 20,
	SIGNER_SIGN_AC = 21,
	SIGNER_SIGN_OCSP = 22,
	SIGNER_CRL_LAST = 23,
	SIGNER_TOKEN_KEY = 24,
	SIGNER_TOKEN_PIN = 25,
	SIGNER_TOKEN_BUILD = 26,
	SIGNER_TOKEN_OPEN = 27,
	SIGNER_CRL_BEGIN = 28,
	SIGNER_CRL_ENTRIES = 29,
	SIGNER_CRL_SIGN = 30,
	SIGNER_CRL_DROP = 31,
	SIGNER_JOURNAL_READ = 32,
	SIGNER_JOURNAL_ACK = 33,
	SIGNER_STATUS = 34,
	SIGNER_ANSWER = 0x4000,
	SIGNER_ERROR = 0x7fff,
};

/* What a key may be used for; fixed when it is made. */
enum signer_class {
	SIGNER_CA = 1,
	SIGNER_OCSP = 2,
	SIGNER_JOURNAL = 3,
	SIGNER_TLS = 4,
	SIGNER_ARCHIVE = 5, /* opens archived keys, into tokens only; on a NIST curve */
};

/* "ca" "ocsp" "journal" "tls" "archive"; NULL for another number. */
const char *signer_class_name(enum signer_class c);
bool signer_class_of(struct bytes name, enum signer_class *ret);
/* 1 to 64 of a-z A-Z 0-9 . _ -, not beginning with a dot. */
bool signer_label_ok(struct bytes label);

/*
 * Hard limits of a CA key. The signer keeps them beside the key and checks every TBSCertificate, and what says which
 * certificates are revoked, against them, whatever the factory's policy says. A key without limits signs no certificate. They may
 * be tightened later, never widened. A key of class ocsp has limits too: the issuer for whose certificates it answers, by
 * name and key, the algorithms, how long a response is good (validity_max_days) and the rate; the rest does not apply.
 */
struct signer_limits {
	struct bytes issuer; /* Name, DER: the issuer of everything it signs, octet for octet */
	enum sigalg algs[SIGNER_ALGS_MAX];
	size_t n_algs;
	uint32_t validity_max_days; /* from notBefore to notAfter, 1 or more */
	bool ca_allowed;            /* may basicConstraints say cA */
	int32_t path_len_max; /* the highest pathLenConstraint in such certificates; -1: also none at all */
	/* Value of a NameConstraints extension: subject and alternative names are checked by it as RFC 5280 4.2.1.10
	   has it; empty: no limit. */
	struct bytes name_constraints;
	uint32_t per_second;     /* certificates; 0: no limit */
	bool acs_allowed;        /* may it sign attribute certificates */
	struct bytes issuer_key; /* class ocsp: SubjectPublicKeyInfo of the issuer; else empty */
};

void signer_limits_put(struct buf *out, const struct signer_limits *l);
/* Views into the input. CHY_SIGNER_MESSAGE. */
MUST enum rc signer_limits_get_from(struct rd *r, struct signer_limits *ret, struct err *e);

/* What a journal key signs: one head of the store's journal (RFC 9162 2.1), nothing else. */
struct signer_head {
	uint64_t size;
	uint8_t root[32];
	int64_t at_ms;
};

enum { SIGNER_HEAD_BYTES = 32 + 8 + 8 + 32 };

/* The 80 bytes: "Chancery journal head, version 1" (32 octets of ASCII), size and at_ms as 64-bit big-endian,
 * root. */
void signer_head_put(uint8_t out[SIGNER_HEAD_BYTES], const struct signer_head *h);

/* One record of the signer's journal in a message. */
struct sj_record;
void signer_record_put(struct buf *out, const struct sj_record *r);
/* Views into the input; failure is the reader's. The hash is not computed again: that is for those who read the files. */
void signer_record_get(struct rd *r, struct sj_record *ret);

struct signer_status {
	uint64_t synced, acked; /* journal positions */
	uint64_t signed_total, refused_total;
	uint32_t keys, keys_away; /* keys_away: their token is not there */
	uint32_t segments;
	bool journal_broken; /* signs nothing until it could be written again */
	bool sandboxed;
	int64_t started_at;
};

#endif
