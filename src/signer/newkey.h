/* New private keys in software, as PKCS#8 (RFC 5958) in secret memory: what the vault keeps. */
#ifndef SIGNER_NEWKEY_H
#define SIGNER_NEWKEY_H

#include "base/rc.h"
#include "base/secret.h"

/* Kinds as in crypto/softkey.h. CHY_KEY_KIND, CHY_ALGORITHM_MISSING, CHY_CRYPTO_LIBRARY. */
MUST enum rc newkey_pkcs8(const char *kind, struct secret **ret, struct err *e);

#endif
