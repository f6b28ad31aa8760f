/*
 * A new key of an officer, made at the command line: its file, and requests for certificates with it.
 */
#ifndef CLI_NEWKEY_H
#define CLI_NEWKEY_H

#include "base/base.h"
#include "crypto/softkey.h"
#include "pki/ext.h"

/* A key must not be lost by a mistyped name. FILE_WRITE: it is there already. */
MUST enum rc newkey_must_be_new(const char *path, struct err *e);

/* PKCS#8 in PEM, encrypted under the password. */
#define NEWKEY_LABEL "ENCRYPTED PRIVATE KEY"
MUST enum rc newkey_write(const struct softkey *key, const struct secret *password, const char *path,
			  struct err *e);

/* A PKCS#10 request for the subject (DER of the Name), with the extensions it asks for (NULL: none); the arena's. */
MUST enum rc newkey_request(struct arena *a, const struct softkey *key, struct bytes subject,
			    const struct exts *exts, struct bytes *ret, struct err *e);

#endif
