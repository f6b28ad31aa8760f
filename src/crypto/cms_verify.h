/*
 * An officer's signature: CMS SignedData (RFC 5652) as docs/formats/request.md describes it. Strict, because
 * the same bytes are evidence for decades: DER throughout, one signer, content inside, nothing that two
 * readers could understand differently.
 */
#ifndef CRYPTO_CMS_VERIFY_H
#define CRYPTO_CMS_VERIFY_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/rc.h"

struct cms_signed {
	struct bytes content; /* what was signed */
	struct bytes signer;  /* DER of the signer's certificate */
	int64_t signed_at_ms; /* the signing-time attribute: the signer's claim */
};

/*
 * Checks that the bytes are such a SignedData and that the certificate in it signed the content. Whether that
 * certificate is an officer's, and was good at the time, is the caller's question.
 *
 *	CHY_CMS_LARGE       over LIMIT_CMS
 *	CHY_CMS_DER         not DER, or something behind it
 *	CHY_CMS_TYPE        not SignedData with id-data inside
 *	CHY_CMS_DETACHED    no content inside
 *	CHY_CMS_SIGNERS     not exactly one signer
 *	CHY_CMS_DIGEST      a digest other than SHA-256, SHA-384, SHA-512
 *	CHY_CMS_ALGORITHM   signature algorithm unknown, not the key's, or of another hash than the digest (RFC 5652 5.4;
 *	                    RFC 8419: Ed25519 goes with SHA-512; Ed448 is not taken)
 *	CHY_CMS_ATTRIBUTE   a signed attribute missing, twice, with two values or wrong: content-type, message-digest,
 *	                    signing-time (RFC 5652 11), signingCertificateV2 (RFC 5035); or unsigned attributes
 *	CHY_CMS_CERTIFICATE the signer's certificate is not inside, is not the one that signingCertificateV2 names, or one
 *	                    of the certificates cannot be read
 *	CHY_CMS_CONTENT     message-digest is not the content's: the content was altered
 *	CHY_CMS_SIGNATURE   the signature is not that key's over the attributes
 *
 * All of *ret are views into der, which must live as long. Needs some 80 us with a P-256 key.
 */
MUST enum rc cms_verify(struct arena *a, struct bytes der, struct cms_signed *ret, struct err *e);

#endif
