/*
 * Keys in PKCS#11 tokens: HSMs of the signer, cards and soft tokens of officers at the command line. Several
 * modules and tokens at once; C_Sign directly (OASIS PKCS#11 2.40 and, where the module has it, 3.0 for
 * EdDSA).
 *
 * Any thread may use anything here at any time. A token keeps a pool of logged-in sessions; each call borrows
 * one.
 *
 * A token that is pulled, a network HSM that restarts, a module that reports CKR_DEVICE_ERROR: the call at
 * hand is tried once more over a new session; then it fails with CHY_P11_AWAY (RC_AGAIN: no signature was
 * given out). The next call looks for the token by its URI again, logs in with the PIN kept, finds the key by
 * its id and goes on. Keys and tokens stay valid as C objects all the time. A wrong PIN is never tried twice:
 * after CHY_P11_PIN the token refuses further logins until p11_open is called anew, so that a stale PIN file
 * cannot lock an HSM.
 */
#ifndef PKCS11_PKCS11_H
#define PKCS11_PKCS11_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/rc.h"
#include "base/secret.h"
#include "pki/key.h"
#include "pkcs11/uri.h"

enum {
	P11_MODULES_MAX = 16,
	P11_SLOTS_MAX = 256,
	P11_OBJECTS_MAX = 4096, /* listed of one token */
	P11_SESSIONS_MAX = 64,  /* of one token's pool */
	P11_SIGNATURE_MAX = 2048,
};

struct p11;
struct p11_token;
struct p11_key;

/* ---- modules ---- */

/* No module loaded yet. Owned by the caller; freed after all of its tokens. */
MUST enum rc p11_new(struct p11 **ret, struct err *e);
void p11_free(struct p11 *p);
OWN_DEFINE(struct p11 *, p11_free)

/* Loads a module: path of a shared object, absolute or in p11-kit's module folder. name: what "module-name"
   of a URI refers to. CHY_P11_MODULE. Loading the same path again only gives the module one more name. */
MUST enum rc p11_load(struct p11 *p, const char *name, const char *path, struct err *e);
unsigned p11_modules(const struct p11 *p);

struct p11_token_info {
	struct bytes module; /* the name given to p11_load */
	struct bytes label, manufacturer, model, serial;
	uint64_t slot;
	bool login_required, pin_set, pin_locked;
	struct bytes uri; /* names just this token */
};

/* Tokens that are there now and match, u = NULL: all. Uninitialised ones are left out. */
MUST enum rc p11_tokens(struct p11 *p, const struct p11_uri *u, struct arena *a, struct p11_token_info **ret,
			size_t *ret_n, struct err *e);

/* ---- a token ---- */

/* Opens the one token that the URI's token, slot and module attributes name; with a PIN logs in (a copy is
   kept, for coming back). pin NULL: only what is public is to be seen. CHY_P11_NO_TOKEN, CHY_P11_AMBIGUOUS,
   CHY_P11_PIN (wrong), CHY_P11_PIN_LOCKED. module-path in the URI is refused unless that module has been
   loaded (CHY_P11_MODULE). Owned by the caller; freed after its keys. */
MUST enum rc p11_open(struct p11 *p, const struct p11_uri *u, const struct secret *pin,
		      struct p11_token **ret, struct err *e);
/* The same for a token that may be away at the moment: never fails for that. */
MUST enum rc p11_open_lazy(struct p11 *p, const struct p11_uri *u, const struct secret *pin,
			   struct p11_token **ret, struct err *e);
void p11_token_free(struct p11_token *t);
OWN_DEFINE(struct p11_token *, p11_token_free)
/* Is it there, and can we log in? Tries to come back if it was away. */
bool p11_token_there(struct p11_token *t);

/* A key pair, certificate or both with the same CKA_ID. */
struct p11_item {
	struct bytes id, label;
	bool has_private;
	struct bytes kind; /* of the key: "p-256" ...; empty where there is a certificate only, or a kind
			      unknown to us */
	struct bytes spki; /* DER; empty when the token tells no public key */
	struct bytes cert; /* DER; empty: none */
	struct bytes uri;  /* names just this one */
};

/* Everything that matches id, object and type of u (NULL: all), by CKA_ID. */
MUST enum rc p11_list(struct p11_token *t, const struct p11_uri *u, struct arena *a, struct p11_item **ret,
		      size_t *ret_n, struct err *e);

/* ---- a key ---- */

/* The one private key that the URI's id and object name. CHY_P11_NO_KEY, CHY_P11_AMBIGUOUS.
   Owned by the caller. */
MUST enum rc p11_key_open(struct p11_token *t, const struct p11_uri *u, struct p11_key **ret, struct err *e);
/* Generates one that stays in the token: sensitive, not extractable, sign only, a random 16 byte CKA_ID given
   by the caller. kinds as in crypto/softkey.h but ML-DSA. CHY_P11_MECHANISM: the module cannot do it. */
MUST enum rc p11_key_generate(struct p11_token *t, const char *kind, struct bytes id, struct bytes label,
			      struct p11_key **ret, struct err *e);
/* The same for a key that agrees on secrets (CKA_DERIVE) and signs nothing; kinds on NIST curves only. */
MUST enum rc p11_key_generate_agreeing(struct p11_token *t, const char *kind, struct bytes id,
				       struct bytes label, struct p11_key **ret, struct err *e);
/* ECDH (CKM_ECDH1_DERIVE without a KDF) with another's public key, DER SubjectPublicKeyInfo of the same curve: the
   x-coordinate. The caller frees it. KEY_KIND, P11_MECHANISM, P11_AWAY, P11_FAILED. */
MUST enum rc p11_agree(struct p11_key *k, struct bytes peer_spki, struct secret **ret, struct err *e);
/* Deletes private and public object; k stays the caller's, and useless. */
MUST enum rc p11_key_delete(struct p11_key *k, struct err *e);
void p11_key_free(struct p11_key *k);
OWN_DEFINE(struct p11_key *, p11_key_free)

/* All live as long as the key. */
const char *p11_key_kind(const struct p11_key *k);
struct bytes p11_key_spki(const struct p11_key *k);
const char *p11_key_uri(const struct p11_key *k);

/* Signs a digest made with the algorithm's own hash, or, for Ed25519 and Ed448, the message itself. Appends
   the signature in its X.509 form (ECDSA: Ecdsa-Sig-Value). CHY_SIGNATURE_ALGORITHM: does not fit the key;
   CHY_P11_MECHANISM, CHY_P11_USAGE (the key may not sign), CHY_P11_AWAY, CHY_P11_FAILED. Fault point "pkcs11.sign" (fail): CHY_P11_AWAY. */
MUST enum rc p11_sign(struct p11_key *k, enum sigalg alg, struct bytes digest, struct buf *out,
		      struct err *e);

/* Signs with an RSA key a block that is encoded by PSS already (RFC 8017 9.1.1) and as long as the modulus: TLS 1.3
   libraries encode themselves. Needs CKM_RSA_X_509, which not every token has and not every key allows:
   p11_signs_encoded asks. CHY_SIGNATURE_ALGORITHM: no such block, or no RSA key; else as p11_sign. */
MUST enum rc p11_sign_encoded(struct p11_key *k, struct bytes block, struct buf *out, struct err *e);
MUST enum rc p11_signs_encoded(struct p11_key *k, bool *ret, struct err *e);

#endif
