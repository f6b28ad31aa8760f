/*
 * Certificate requests, PKCS#10 (RFC 2986): parse and build. The proof of possession is verified by src/crypto, with
 * tbs, sigalg, signature and key of the parsed request.
 */
#ifndef PKI_CSR_H
#define PKI_CSR_H

#include "pki/ext.h"
#include "pki/key.h"

struct csr {
	struct bytes der;     /* the whole request */
	struct bytes tbs;     /* CertificationRequestInfo: what is signed */
	struct bytes subject; /* Name, judged by name_check; may be empty */
	struct pubkey key;
	enum sigalg sigalg;
	struct bytes signature;          /* octets of the BIT STRING */
	struct bytes attributes;         /* contents of [0]; may be empty */
	struct bytes challenge_password; /* contents; p NULL: absent */
	struct exts exts;   /* of extensionRequest (PKCS#9; Microsoft's OID of the same syntax too) */
	struct gnames san;  /* requested; n 0: none */
	uint32_t key_usage; /* requested; 0: none */
	struct oids eku;    /* requested; n 0: none */
};

/* One request and nothing behind it, at most LIMIT_CSR bytes. Views into der; arrays in the arena. Codes: DER_*, NAME,
   GNAME, EXT*, KEY_*, SIGALG, CSR (version other than v1, an attribute twice, key and signature algorithm that do not
   fit, attribute with other than one value), CSR_SIZE. */
MUST enum rc csr_parse(struct arena *a, struct bytes der, struct csr *ret, struct err *e);
/* From PEM ("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST", exactly one block) or DER; *ret is the arena's. */
MUST enum rc csr_parse_any(struct arena *a, struct bytes in, struct csr *ret, struct err *e);

/* CertificationRequestInfo from subject (a Name's DER), SPKI and requested extensions (may be none); the arena's. */
MUST enum rc csr_tbs_build(struct arena *a, struct bytes subject, struct bytes spki, const struct exts *exts,
			   struct bytes *ret, struct err *e);
MUST enum rc csr_assemble(struct arena *a, struct bytes tbs, enum sigalg s, struct bytes signature,
			  struct bytes *ret, struct err *e);

#endif
