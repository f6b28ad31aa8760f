/*
 * The factory's way to the signer process: a stub that puts typed requests on a socket and matches the
 * answers by id. No key code and no OpenSSL here. What a request means, and what is refused:
 * docs/formats/signer-protocol.md.
 *
 * Any thread may call anything at any time. A thread of the stub's own reads the answers and calls the
 * callbacks: they must not block and must not call the synchronous functions.
 *
 * When the signer dies, everything that waits ends with CHY_SIGNER_LOST (RC_PEER): whether the signature was
 * made is unknown until the signer's journal has been read (signer_journal_read after signer_attach). New
 * requests fail with CHY_SIGNER_AWAY (RC_AGAIN) until signer_attach gives the stub the new process's socket.
 */
#ifndef SIGNER_CLIENT_H
#define SIGNER_CLIENT_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/rc.h"
#include "model/tree.h"
#include "pki/key.h"
#include "signer/journal.h"
#include "signer/protocol.h"

struct signer;

/* Takes over fd (a connected stream socket), starts the reader and exchanges HELLO. CHY_SIGNER_LOST,
   CHY_SIGNER_PROTOCOL (another version), CHY_NO_MEMORY. Owned by the caller. On failure fd is closed too. */
MUST enum rc signer_open(int fd, struct signer **ret, struct err *e);
/* Ends what waits with CHY_SIGNER_LOST, stops the reader, closes the socket. Not from a callback. */
void signer_close(struct signer *s);
OWN_DEFINE(struct signer *, signer_close)
/* The signer was started again: ends what still waits on the old socket, then goes on with this one. Not from
   a callback. */
MUST enum rc signer_attach(struct signer *s, int fd, struct err *e);
/* Called in the reader's thread, once each time that the socket ends by itself. Set it before sharing the
 * stub. */
void signer_on_lost(struct signer *s, void (*lost)(void *arg), void *arg);
bool signer_is_there(struct signer *s);

/* ---- signing a certificate, or an attribute certificate: asynchronous, the hot path ---- */

struct sign_cert {
	const char *key;  /* label of a CA key */
	enum sigalg alg;  /* must be the one that the TBSCertificate names */
	struct bytes tbs; /* at most LIMIT_TBS */
	struct bytes
	    context; /* goes to the signer's journal, at most LIMIT_CONTEXT: what reconciling needs */
	bool ac;     /* tbs is an AttributeCertificateInfo (at most LIMIT_TBS), not a TBSCertificate */
};

struct signed_cert {
	struct bytes
	    signature;     /* what goes into the certificate's BIT STRING, without the count of unused bits */
	uint64_t position; /* in the signer's journal */
};

/* rc RC_OK: *s is the answer, valid during the call. Else *e says why; a refusal is CHY_SIGNER_... with
 * RC_DENIED. */
typedef void signer_done(void *arg, const struct signed_cert *s, const struct err *e);

/* Writes the request to the socket and returns; done is called exactly once, in the reader's thread, if and
   only if this returns RC_OK. Nothing of *c is kept. CHY_SIGNER_BUSY (RC_AGAIN): LIMIT_SIGNER_INFLIGHT are on
   their way. */
MUST enum rc signer_sign_cert(struct signer *s, const struct sign_cert *c, signer_done *done, void *arg,
			      struct err *e);

/* ---- everything else: synchronous; timeout_ms as the longest wait (CHY_SIGNER_TIMEOUT: the outcome is
 * unknown) ---- */

/* The same as signer_sign_cert and waits; the signature is the arena's. For ceremonies and tests. */
MUST enum rc signer_sign_cert_sync(struct signer *s, const struct sign_cert *c, int timeout_ms,
				   struct arena *a, struct signed_cert *ret, struct err *e);

struct signer_key {
	struct bytes label;
	enum signer_class class;
	const char *kind;   /* "p-256", "rsa-3072" ... as in crypto/softkey.h */
	struct bytes where; /* "software", or the URI of the key in its token */
	struct bytes spki;  /* SubjectPublicKeyInfo, DER */
	bool limited;       /* CA keys: limits are set; without them it signs no certificate */
	bool there;         /* false: its token is away at the moment */
};

/* where: "software", or a PKCS#11 URI that names exactly one token. The label: 1 to 64 of a-z A-Z 0-9 . _ -,
   not there yet (CHY_SIGNER_KEY_EXISTS). */
MUST enum rc signer_key_generate(struct signer *s, const char *label, enum signer_class class,
				 const char *kind, const char *where, int timeout_ms, struct arena *a,
				 struct signer_key *ret, struct err *e);
MUST enum rc signer_key_list(struct signer *s, int timeout_ms, struct arena *a, struct signer_key **ret,
			     size_t *ret_n, struct err *e);
MUST enum rc signer_key_public(struct signer *s, const char *label, int timeout_ms, struct arena *a,
			       struct signer_key *ret, struct err *e);
MUST enum rc signer_key_delete(struct signer *s, const char *label, int timeout_ms, struct err *e);
/* Sets a CA key's hard limits: once freely, later only tighter (CHY_SIGNER_LIMITS_WIDER). */
MUST enum rc signer_limits_set(struct signer *s, const char *label, const struct signer_limits *l,
			       int timeout_ms, struct err *e);
MUST enum rc signer_limits_get(struct signer *s, const char *label, int timeout_ms, struct arena *a,
			       struct signer_limits *ret, struct err *e);

/* The last head that this key has signed, by the signer's own journal. */
struct signer_last_head {
	struct signer_head head; /* size 0: none yet */
	uint64_t position;       /* of its record, or of the restart's */
	uint64_t
	    restart; /* the operator has given this head up (witness.h): position of that record; else 0 */
	struct bytes signature; /* none after a restart */
};
MUST enum rc signer_head_last(struct signer *s, const char *label, int timeout_ms, struct arena *a,
			      struct signer_last_head *ret, struct err *e);

/* Signs signer_head_put()'s bytes with a key of class journal, ECDSA or RSA PKCS#1 with SHA-256 (Ed25519: as
 * it is). proof: that it continues the last one (empty: none yet, the same size, or after a restart). Codes:
 * SIGNER_HEAD_BACK, SIGNER_HEAD_OTHER. */
MUST enum rc signer_sign_head(struct signer *s, const char *label, const struct signer_head *head,
			      const struct tree_proof *proof, int timeout_ms, struct arena *a,
			      struct signed_cert *ret, struct err *e);
/* Signs a digest (or for Ed25519/Ed448 a message, at most 4 KB) with a key of class tls. */
MUST enum rc signer_sign_tls(struct signer *s, const char *label, enum sigalg alg, struct bytes digest,
			     int timeout_ms, struct arena *a, struct signed_cert *ret, struct err *e);
/* Signs a CertificationRequestInfo (RFC 2986) that holds this key, of any class. */
MUST enum rc signer_sign_csr(struct signer *s, const char *label, enum sigalg alg, struct bytes info,
			     struct bytes context, int timeout_ms, struct arena *a, struct signed_cert *ret,
			     struct err *e);

/* ---- which certificates are revoked ---- */

struct sign_crl {
	const char *key; /* label of a CA key */
	enum sigalg alg;
	struct bytes head, tail; /* of the TBSCertList, pki/crl.h */
	struct bytes context;    /* at most LIMIT_CONTEXT */
	/* The entries in parts of at most 100 KB, each of whole entries; none at the end. NULL: the list has no entries. */
	enum rc (*next)(void *arg, struct bytes *ret, struct err *e);
	void *arg;
};
/* timeout_ms is for each part. The signature is the arena's. CHY_SIGNER_CRL_NUMBER: this number, or a higher one, is taken. */
MUST enum rc signer_sign_crl(struct signer *s, const struct sign_crl *c, int timeout_ms, struct arena *a,
			     struct signed_cert *ret, struct err *e);

struct signer_last_crl {
	bool complete,
	    delta; /* of this number the signer has signed a complete list, a delta list; neither: nothing yet */
	uint64_t number;
	int64_t this_update_at;
	uint8_t digest[2][32]; /* SHA-256 of the TBSCertList of each */
};
/* point: value of the issuing distribution point; none for lists without. */
MUST enum rc signer_crl_last(struct signer *s, const char *label, struct bytes point, int timeout_ms,
			     struct signer_last_crl *ret, struct err *e);

struct sign_ocsp {
	const char *key; /* of class ocsp, or a CA's own */
	enum sigalg alg;
	const struct bytes *data; /* ResponseDatas, pki/ocsp.h */
	size_t n;                 /* 1 to SIGNER_OCSP_MAX */
};
/* ret: n signatures, the arena's. */
MUST enum rc signer_sign_ocsp_sync(struct signer *s, const struct sign_ocsp *o, int timeout_ms,
				   struct arena *a, struct bytes *ret, uint64_t *ret_position, struct err *e);
/* Of one response, as signer_sign_cert. hold: it may wait until signer_flush, which the caller calls soon whatever else happens. */
MUST enum rc signer_sign_ocsp(struct signer *s, const struct sign_ocsp *o, bool hold, signer_done *done,
			      void *arg, struct err *e);
/* What waits for it leaves, as one write. */
void signer_flush(struct signer *s);

/* Synced records from this position on, as many as fit one message (0 at the end). */
MUST enum rc signer_journal_read(struct signer *s, uint64_t from, int timeout_ms, struct arena *a,
				 struct sj_record **ret, size_t *ret_n, struct err *e);
/* The store holds everything up to this position. */
MUST enum rc signer_journal_ack(struct signer *s, uint64_t position, int timeout_ms, struct err *e);

MUST enum rc signer_status(struct signer *s, int timeout_ms, struct signer_status *ret, struct err *e);

#endif
