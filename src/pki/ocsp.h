/*
 * OCSP (RFC 6960, RFC 5019, nonces by RFC 9654): requests in, responses out, and our own responses read again. Without memory:
 * everything is a view, and lists are short.
 */
#ifndef PKI_OCSP_H
#define PKI_OCSP_H

#include "base/json.h"
#include "pki/ext.h"
#include "pki/key.h"

#define OCSP_NO_TIME INT64_MIN

/* Hashes that a certificate's issuer may be named by; the numbers are those of crypto/digest.h. */
enum ocsp_hash { OCSP_SHA1, OCSP_SHA256, OCSP_SHA384, OCSP_SHA512, OCSP_HASHES, OCSP_OTHER_HASH };
size_t ocsp_hash_len(enum ocsp_hash h); /* 20, 32, 48, 64; 0 */

enum {
	OCSP_HASH_MAX = 64,
	OCSP_NONCE_MAX = 128, /* RFC 9654 2.1 */
	OCSP_NONCE_KEPT =
	    32, /* longer ones we leave unanswered: the response would be the requester's to fill */
	OCSP_ID_MAX = 256, /* a CertID of ours */
};

/* CertID: which certificate. */
struct ocsp_id {
	struct bytes der; /* the whole of it, as it was asked: the response has the same octets */
	enum ocsp_hash hash;
	struct bytes name_hash, key_hash; /* of the hash's length, unless it is another one */
	struct bytes serial;              /* INTEGER contents, at most LIMIT_SERIAL octets */
};

struct ocsp_request {
	size_t n;
	struct ocsp_id v[LIMIT_OCSP_IDS];
	struct bytes nonce; /* p NULL: none */
	bool is_signed;     /* the signature is neither needed nor looked at */
};

/* One request and nothing behind it. Codes: DER_*, OCSP_REQUEST (version, no certificate or more than LIMIT_OCSP_IDS, hash
   of a wrong length, nonce of 0 or more than OCSP_NONCE_MAX octets, a critical extension that we do not know). Each is a
   malformedRequest to the requester. */
MUST enum rc ocsp_request_parse(struct bytes der, struct ocsp_request *ret, struct err *e);
/* For tests, tools and checks of our own: asks about certificates, with or without nonce. */
void dw_ocsp_request(struct dw *w, const struct ocsp_id *v, size_t n, struct bytes nonce);
/* A CertID in front of what is written; parameters of the hash are NULL, as everybody writes it (RFC 6960 errata and practice). der is not used. */
void dw_ocsp_id(struct dw *w, const struct ocsp_id *id);

/* ---- responses ---- */

enum ocsp_result {
	OCSP_SUCCESSFUL = 0,
	OCSP_MALFORMED_REQUEST = 1,
	OCSP_INTERNAL_ERROR = 2,
	OCSP_TRY_LATER = 3,
	OCSP_SIG_REQUIRED = 5,
	OCSP_UNAUTHORIZED = 6,
};
/* "malformedRequest"; "" for what is none. */
const char *ocsp_result_name(int r);

enum ocsp_status { OCSP_GOOD, OCSP_REVOKED, OCSP_UNKNOWN };
const char *ocsp_status_name(enum ocsp_status s);

struct ocsp_single {
	struct bytes cert_id; /* whole CertID */
	enum ocsp_status status;
	int64_t revoked_at; /* OCSP_REVOKED only */
	int reason;         /* the same; CRL_NO_REASON: none stands there */
	int64_t this_update_at;
	int64_t next_update_at;    /* OCSP_NO_TIME: none, newer information is there all the time */
	int64_t archive_cutoff_at; /* OCSP_NO_TIME: none */
};

struct ocsp_inputs {
	struct bytes name;     /* responder byName (a Name), or */
	struct bytes key_hash; /* byKey: SHA-1 of its key, 20 octets; one of both */
	int64_t produced_at;
	const struct ocsp_single *v;
	size_t n;
	struct bytes nonce; /* p NULL: none */
};

/* ResponseData: what is signed. Codes: OCSP_RESPONSE (responder, no certificate, times, reason, nonce), DER_ROOM. */
MUST enum rc ocsp_data_build(const struct ocsp_inputs *in, struct dw *w, struct err *e);
/* The whole response. certs: certificates that go with it, DER. */
MUST enum rc ocsp_response_build(struct bytes data, enum sigalg s, struct bytes signature,
				 const struct bytes *certs, size_t n_certs, struct dw *w, struct err *e);
/* A refusal: five octets. */
struct bytes ocsp_refusal(enum ocsp_result r);

struct ocsp_response {
	enum ocsp_result result;     /* the rest only of OCSP_SUCCESSFUL */
	struct bytes data;           /* ResponseData */
	struct bytes name, key_hash; /* one of both */
	int64_t produced_at;
	struct bytes singles; /* for ocsp_single_next */
	size_t n;
	struct bytes nonce;
	struct bytes alg;
	enum sigalg sigalg; /* SIGALG_NONE when it is none of ours */
	struct bytes signature;
	struct bytes certs; /* joined, for ocsp_cert_next; may be empty */
	size_t certs_n;
};

/* One response and nothing behind it, at most LIMIT_OCSP_RESPONSE bytes. Codes: DER_*, OCSP_RESPONSE. */
MUST enum rc ocsp_response_parse(struct bytes der, struct ocsp_response *ret, struct err *e);
/* Takes the next one off *rest; false at the end. */
bool ocsp_single_next(struct bytes *rest, struct ocsp_single *ret);
bool ocsp_cert_next(struct bytes *rest, struct bytes *ret);
/* The CertID of a single response. */
MUST enum rc ocsp_id_parse(struct bytes der, struct ocsp_id *ret, struct err *e);

/* ---- for people ---- */

void ocsp_response_put_text(struct buf *out, const struct ocsp_response *r);
/* As members: result; responder, produced, signature_algorithm, nonce, responses [{hash, issuer_name_hash, issuer_key_hash,
   serial, status, revoked, reason, this_update, next_update, archive_cutoff}], certificates. NULL when memory is out. */
struct json *ocsp_response_json(struct arena *a, const struct ocsp_response *r);

#endif
