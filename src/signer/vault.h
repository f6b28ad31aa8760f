/*
 * Bytes at rest in the signer's folder. One random master key, sealed with the passphrase by scrypt in the file
 * "master", encrypts every other file by AES-256-GCM: so a start costs one scrypt, not one for each key, and limits and
 * references to tokens are protected against change as private keys are.
 *
 *	file = "CHYBOX01", nonce (12), ciphertext, tag (16); the file's name is authenticated with it
 */
#ifndef SIGNER_VAULT_H
#define SIGNER_VAULT_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/rc.h"
#include "base/secret.h"

enum { VAULT_FILE_MAX = 128 << 10 };

struct vault;

/* Opens the vault in dir, making it when there is none. CHY_SIGNER_PASSPHRASE, CHY_SIGNER_KEY_FILE, CHY_FILE_WRITE. */
MUST enum rc vault_open(const char *dir, const struct secret *passphrase, struct vault **ret, struct err *e);
void vault_free(struct vault *v);
OWN_DEFINE(struct vault *, vault_free)

/* The key of boxes that others keep for this signer (crypto/box.h); lives as long as the vault. */
const struct secret *vault_box_key(const struct vault *v);

/* name: relative to dir. Atomically, synced. */
MUST enum rc vault_write(const struct vault *v, const char *name, struct bytes plain, struct err *e);
/* CHY_SIGNER_KEY_FILE: damaged, or another file's contents. */
MUST enum rc vault_read(const struct vault *v, const char *name, struct secret **ret, struct err *e);

#endif
