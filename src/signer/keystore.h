/*
 * The signer's keys: in software, encrypted at rest, or in PKCS#11 tokens, where the key store keeps a reference. One
 * file for each key, keys/LABEL.key in the vault, with its class, its public key and, for CA keys, the hard limits.
 *
 * One thread changes the key store (the signer's main one); keystore_sign may be called by several at once meanwhile.
 */
#ifndef SIGNER_KEYSTORE_H
#define SIGNER_KEYSTORE_H

#include "pkcs11/pkcs11.h"
#include "signer/limits.h"
#include "signer/protocol.h"
#include "signer/vault.h"
#include "signer/witness.h"

enum { KEYSTORE_SIGNATURE_MAX = 5 << 10, KEYSTORE_PINS_MAX = 16 };

struct keystore;

struct skey {
	char label[SIGNER_LABEL_MAX + 1];
	enum signer_class class;
	const char *kind;  /* "p-256" */
	const char *where; /* "software", or the key's PKCS#11 URI */
	struct bytes spki;
	struct key_type type;
	bool limited;
	struct signer_limits limits; /* its bytes are the key's */
	struct rate rate;
	struct witness witness;  /* journal keys: the last head */
	struct ocsp_names names; /* CA and OCSP keys: made when first needed */
	bool slow;               /* worth a thread of its own: in a token, or RSA */
	bool in_token;           /* who signs with it waits for a device */
	struct skey_inside *inside;
};

/* A PKCS#11 module by its configured name, with the PIN of its tokens (NULL: none). */
struct keystore_module {
	const char *name, *path;
	const struct secret *pin;
};

/* Opens the key store in dir and loads all keys. Modules that cannot be loaded are an error; tokens that are away are
   not. CHY_SIGNER_PASSPHRASE, CHY_SIGNER_KEY_FILE, CHY_SIGNER_KEY_CHANGED (a software key that does not belong to its
   recorded public key), CHY_P11_... */
MUST enum rc keystore_open(const char *dir, const struct secret *passphrase,
			   const struct keystore_module *modules, size_t n_modules, struct keystore **ret,
			   struct err *e);
void keystore_free(struct keystore *s);
OWN_DEFINE(struct keystore *, keystore_free)

size_t keystore_count(const struct keystore *s);
struct skey *keystore_at(struct keystore *s, size_t i);
/* NULL: no such key. */
struct skey *keystore_find(struct keystore *s, struct bytes label);
bool keystore_uses_modules(const struct keystore *s);

/* where: "software" or a PKCS#11 URI of one token. CHY_SIGNER_LABEL, _KEY_EXISTS, _KEYS_FULL, KEY_KIND, P11_... */
MUST enum rc keystore_generate(struct keystore *s, struct bytes label, enum signer_class class,
			       const char *kind, struct bytes where, struct skey **ret, struct err *e);
/* The same in three parts, for keys in tokens: the second may take long, touches nothing but the key and its token, and may
   be done by any thread. A key of keystore_begin is in no list until keystore_add, which takes it over in any case; who
   does not come so far gives it to keystore_drop. */
MUST enum rc keystore_begin(struct keystore *s, struct bytes label, enum signer_class class,
			    struct bytes where, struct skey **ret, struct err *e);
MUST enum rc keystore_make(struct skey *k, const char *kind, struct err *e);
MUST enum rc keystore_add(struct keystore *s, struct skey *k, struct err *e);
void keystore_drop(struct skey *k);
/* The file goes first: a crash between leaves a key in the token that nobody refers to. */
MUST enum rc keystore_delete(struct keystore *s, struct skey *k, struct err *e);
/* Checks that they make sense and widen nothing, and stores them. */
MUST enum rc keystore_limit(struct keystore *s, struct skey *k, const struct signer_limits *l, struct err *e);

/* Signs the message: hashes it where the algorithm has a hash. Any thread. */
MUST enum rc keystore_sign(struct skey *k, enum sigalg alg, struct bytes message, struct buf *out,
			   struct err *e);
/* Signs a digest; for Ed25519 and Ed448 the message. */
MUST enum rc keystore_sign_digest(struct skey *k, enum sigalg alg, struct bytes digest, struct buf *out,
				  struct err *e);
/* ECDH of a key of class archive with another's public key. The caller frees the secret. */
MUST enum rc keystore_agree(struct skey *k, struct bytes peer_spki, struct secret **ret, struct err *e);
/* The key of boxes that others keep for this signer; lives as long as the key store. */
const struct secret *keystore_box_key(const struct keystore *s);
/* Can it sign now? Tries to reach its token. */
bool keystore_there(struct skey *k);

#endif
