/*
 * An officer's key: in a PKCS#12 file or in a PKCS#11 token. One way of signing for both: the bytes to be signed go in,
 * a CMS SignedData comes out (docs/formats/request.md); and the same key proves the officer in TLS.
 */
#ifndef CLI_KEY_H
#define CLI_KEY_H

#include "base/base.h"
#include "cli/pin.h"
#include "crypto/tls.h"
#include "pki/key.h"

struct officer_key;

/* spec: path of a PKCS#12 file, or a pkcs11: URI. module: the PKCS#11 module where the URI has no module-path; NULL:
   p11-kit's. A PIN source in the URI counts when `pin` has neither file nor descriptor. Owned by the caller. Codes:
   those of p12_read, of src/pkcs11, of files and PINs; CLI_FILE_TYPE when the token has no certificate for the key. */
MUST enum rc officer_key_open(const char *spec, const char *module, struct pin_source pin,
			      struct officer_key **ret, struct err *e);
void officer_key_free(struct officer_key *k);
OWN_DEFINE(struct officer_key *, officer_key_free)

/* DER of the officer's certificate; lives as long as the key. */
struct bytes officer_key_cert(const struct officer_key *k);
/* The certificate's subject for people; lives as long as the key. */
const char *officer_key_name(const struct officer_key *k);

/* For TLS; lives as long as the key. */
struct tls_identity officer_key_identity(const struct officer_key *k);

/* CMS SignedData over the content, which is inside it; the arena's. */
MUST enum rc officer_key_sign(struct officer_key *k, struct arena *a, struct bytes content, int64_t now_ms,
			      struct bytes *ret, struct err *e);

/* All certificates of a file, PEM (one or more) or DER (one); the arena's. */
MUST enum rc certs_read(struct arena *a, const char *path, struct bytes *ret, size_t max, size_t *ret_n,
			struct err *e);

#endif
