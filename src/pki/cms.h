/*
 * The parts of an officer's signature: CMS SignedData (RFC 5652) with encapsulated content and exactly one SignerInfo;
 * signed attributes content-type, message-digest, signing-time and ESS signing-certificate-v2 (RFC 5035); the signer's
 * certificate included; DER. Digests and the signature itself come from the caller.
 *
 *	cms_signed_attrs(..., &attrs)    the SET OF that is signed (ECDSA and RSA: its digest)
 *	signature = sign(attrs)
 *	cms_assemble(..., attrs, signature, &der)
 *
 * The digest of content and attributes is cms_digest(sigalg): that of the algorithm; Ed25519 takes SHA-512 for the
 * content (RFC 8419) and signs the attributes themselves. Ed448 (SHAKE256) and ML-DSA are refused here: CMS_ALG.
 */
#ifndef PKI_CMS_H
#define PKI_CMS_H

#include "pki/cert.h"

/* DIGEST_NONE when the algorithm cannot sign CMS here. */
enum digest cms_digest(enum sigalg s);

struct cms_inputs {
	enum sigalg sigalg;
	struct bytes content;        /* what is signed */
	struct bytes content_digest; /* by cms_digest */
	struct bytes cert;           /* signer's certificate, DER */
	struct bytes cert_sha256;    /* of cert */
	int64_t signing_at;
};

/* The signed attributes as SET OF (tag 31): the bytes that are signed; the arena's. */
MUST enum rc cms_signed_attrs(struct arena *a, const struct cms_inputs *in, struct bytes *ret, struct err *e);
/* ContentInfo; attrs as cms_signed_attrs made them, signature as the key made it (ECDSA: DER); the arena's. */
MUST enum rc cms_assemble(struct arena *a, const struct cms_inputs *in, struct bytes attrs,
			  struct bytes signature, struct bytes *ret, struct err *e);

#endif
