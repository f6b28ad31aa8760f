/*
 * Issuing, as nouns: what is asked (request), what is known (facts), what was concluded and by which rules
 * (decision).
 */
#ifndef MODEL_ISSUE_H
#define MODEL_ISSUE_H

#include "base/json.h"
#include "model/document.h"
#include "model/officer.h"
#include "model/request.h"
#include "pki/cert.h"
#include "pki/csr.h"
#include "pki/key.h"

struct snapshot;
struct procedure;
struct token_procedure;
struct authority;

/* On whose word: a request that an officer signed (alone or for many), or a session that one opened. */
enum word { WORD_REQUEST, WORD_SESSION };

/* What somebody asks. */
struct issue_request {
	enum word word;
	struct request_id request;    /* WORD_REQUEST */
	struct session_id session;    /* WORD_SESSION */
	struct officer_id officer;    /* who signed it, or opened the session */
	struct bytes token_procedure; /* name or decimal id */
	struct bytes csr_der;
	int64_t not_before_ms, not_after_ms; /* asked; 0: not given */
	struct bytes idempotency_key;        /* empty: none */
	struct bytes card_serial;            /* of the card that it is for; empty: none is said */
	const struct json *input; /* {input: text | [texts]}, by the names of input_choices; NULL: none */
	const struct json
	    *attributes; /* [{type, values}] for attribute certificates that come with it; NULL: none */

	bool
	    renewal; /* of the officer's own certificate: no right to issue is needed, and nothing else may come of it */
	int64_t
	    rescue; /* renewal: the leaf of the journal on whose word it is, in place of a request; 0: none */
	struct gnames
	    bound_san; /* renewal: the alternative names of the certificate that the officer is bound to */

	/* chosen for the certificate itself */
	bool publication_said, publication; /* publication: allowed; nothing said: allowed */
	struct bytes revocation_password;   /* its scrypt form; empty: none */
	struct bytes
	    revocation_sha256; /* of that form, hex, where the form is stored already (soft tokens) */

	/* a key that the signer made, in place of csr_der; spki empty: a request */
	struct bytes spki, subject;
	struct gnames san;
	struct doc_id certificate_procedure; /* that it was made for */
	int64_t token, token_n;              /* whose key it is, and which */
	int64_t certificate;                 /* the certificate's number, fixed before; 0: a new one */
};

/* Whether what is issued may be published: nothing said is a yes. */
static inline bool
issue_is_public(const struct issue_request *r)
{
	return r->publication || !r->publication_said;
}

/* A judgement that is not policy's own, made by src/crypto. Unmade ones do not pass. */
struct verdict {
	bool made;
	struct err why; /* code CHY_NONE: good */
};

struct session_facts {
	struct session_id id;
	const int64_t *token_procedures; /* ids that it may use */
	size_t token_procedures_n;
	int64_t certificates_max, certificates_made;
	int64_t expires_at_ms;
	bool closed;
};

enum { SERIAL_RANDOM = 12, SERIAL_LEN = 18 };

/* What we know. Views live as long as the decision is used. */
struct issue_facts {
	const struct snapshot *policy;
	const struct issue_request *request;
	const struct csr *csr;
	struct verdict pop;  /* proof of possession, RFC 2986 4.2 */
	struct verdict weak; /* is the key fit to be certified */
	const struct credential
	    *credential; /* of the officer, as it stands now; NULL: not looked at (an officer who has
	                                        just signed was) */
	const struct session_facts *session; /* WORD_SESSION; else NULL */
	uint8_t key[32];                     /* SHA-256 of the request's SubjectPublicKeyInfo */
	struct bytes key_id; /* of the request's key, RFC 5280 4.2.1.2 (1) or RFC 7093; made by src/crypto */
	int64_t now_ms;
	uint8_t random[SERIAL_RANDOM];
};

struct rule_verdict {
	const char *rule; /* stable name: "proof-of-possession" */
	bool passed;
	const char *note; /* for people; NULL: nothing to say */
};

struct rule_trace {
	struct rule_verdict *v;
	size_t n, max;
};

/* Why a procedure of the list was or was not chosen. */
struct considered {
	struct doc_version procedure;
	struct bytes name;
	bool chosen;
	const char *reason, *text; /* stable name, and a sentence */
};

enum { SEARCH_FIELDS = 6, SEARCH_FIELD_MAX = 256 }; /* inputs field1 to field6; octets of each */
enum { SEARCH_CARD = 7, CARD_SERIAL_MAX = 64 };     /* stored behind them: the card's serial number */

/* What was concluded. All of it is the arena's or the snapshot's. */
struct issue_decision {
	const struct token_procedure *token_procedure;
	const struct procedure *procedure; /* chosen */
	const struct authority *authority;
	struct considered *considered;
	size_t considered_n;
	struct rule_trace trace; /* on a refusal too: the last one failed */

	struct doc_version token_version, certificate_version, format_version, authority_version, key_version;
	uint8_t serial[SERIAL_LEN];
	struct bytes subject; /* DER */
	struct officer_id
	    stands_for; /* the officer, bound by this subject, who asked for it; none: it is nobody's word */
	uint16_t key_usage; /* that go into it; 0: none */
	int64_t not_before_ms, not_after_ms;
	enum sigalg sigalg;
	struct bytes fields[SEARCH_FIELDS]; /* filled in to be searched by; p NULL: nothing */
	unsigned crl_partition;             /* of the list with partitions that it points to; 0: none has */
	struct exts *exts;                  /* those that vary: key usage, what the request brings */
	struct cert_inputs inputs;          /* with the procedure's template, all that cert_tbs_build needs */
};

#endif
