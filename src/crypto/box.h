/*
 * Private keys and PINs of tokens at rest, without a passphrase: boxes under a key of this process, and envelopes for
 * whoever has a private key (the key archive). Both bind what is in them to a label, so that one cannot be put in
 * another's place; neither says more than its length to who cannot open it.
 */
#ifndef CRYPTO_BOX_H
#define CRYPTO_BOX_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/rc.h"
#include "base/secret.h"
#include "crypto/softkey.h"

enum {
	BOX_KEY = 32,
	BOX_MAX = 128 << 10,                /* what is put in, bytes */
	BOX_OVERHEAD = 8 + 12 + 16,         /* name of the form, nonce, tag */
	ENVELOPE_MAX = BOX_MAX + (1 << 10), /* a whole envelope */
};

/* A key of its own for one purpose, made of another by HKDF-SHA-256 (RFC 5869). to: BOX_KEY octets. */
MUST enum rc box_key(const struct secret *from, struct bytes purpose, struct secret **ret, struct err *e);

/* "CHYTOK01", nonce, AES-256-GCM ciphertext, tag; label is authenticated and not stored. key: BOX_KEY octets. */
MUST enum rc box_seal(const struct secret *key, struct bytes label, struct bytes plain, struct buf *out,
		      struct err *e);
/* BOX_FORM: not a box; BOX_OPEN: another key, another label, or altered, which cannot be told apart. *ret: the
   caller's. */
MUST enum rc box_open(const struct secret *key, struct bytes label, struct bytes box, struct secret **ret,
		      struct err *e);

/*
 * Envelopes: ephemeral-static ECDH with the recipient's key on a NIST curve (SP 800-56A 6.2.2.2), HKDF-SHA-256 over both
 * public keys, then a box.
 *
 *	"CHYENV01", length of the ephemeral SubjectPublicKeyInfo (2), it, box
 */

/* recipient: DER SubjectPublicKeyInfo of an EC key (KEY_KIND for another). */
MUST enum rc envelope_seal(struct bytes recipient, struct bytes label, struct bytes plain, struct buf *out,
			   struct err *e);
/* The ephemeral public key in it: what whoever has the private key derives the shared secret with. BOX_FORM. */
MUST enum rc envelope_peer(struct bytes envelope, struct bytes *ret_spki, struct err *e);
/* shared: the x-coordinate, as softkey_agree or a PKCS#11 token made it. BOX_FORM, BOX_OPEN. */
MUST enum rc envelope_open(const struct secret *shared, struct bytes recipient, struct bytes label,
			   struct bytes envelope, struct secret **ret, struct err *e);

/* ECDH of a software key with a public one of the same curve. KEY_KIND: not of the same curve. */
MUST enum rc softkey_agree(const struct softkey *k, struct bytes peer_spki, struct secret **ret,
			   struct err *e);

#endif
