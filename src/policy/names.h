/*
 * Name constraints of authorities (RFC 5280 4.2.1.10) and what else officers say or import of a CA. Pure.
 */
#ifndef POLICY_NAMES_H
#define POLICY_NAMES_H

#include "pki/cert.h"
#include "policy/snapshot.h"

/* One permitted or excluded name as an authority's document has it: dns, email, ip, uri, dir, upn. CHY_GNAME_TEXT, CHY_GNAME. */
MUST enum rc names_from_text(struct arena *a, struct bytes text, struct gname *ret, struct err *e);

/* The extension's value from permitted_names and excluded_names of an authority's body, the arena's; empty: neither is
   given. Codes as above. */
MUST enum rc names_value(struct arena *a, const struct json *body, struct bytes *ret, struct err *e);

/* May a certificate with this subject and these alternative names be issued by `by`? Every constraint of it and of all
   above it is asked. ca: the certificate is a CA's. CHY_NAME_CONSTRAINT names the authority, the name and the subtree. */
MUST enum rc names_allowed(struct arena *a, const struct authority *by, struct bytes subject,
			   const struct gnames *san, bool ca, struct err *e);

/* The same by one constraint, an extension's value: of an officer's profile. Codes: those of tbs_check_names. */
MUST enum rc names_within(struct arena *a, struct bytes constraints, struct bytes subject,
			  const struct gnames *san, struct err *e);

/* The CA that a cross certificate is for, by a PKCS#10 request or its own certificate. */
struct foreign_ca {
	struct bytes der, subject, spki;
	struct pubkey key;
	bool is_request;
	struct bytes tbs, signature; /* what proves possession of the key */
	enum sigalg sigalg;
	int64_t not_before_ms, not_after_ms; /* of a certificate */
};

/* base64 of the DER. Neither a request nor a certificate: CHY_IMPORT_FORM; a certificate that is no CA's or not
   self-issued: CHY_IMPORT_NOT_CA, CHY_IMPORT_SIGNATURE. The signature itself is verified by whoever has crypto. */
MUST enum rc foreign_ca_read(struct arena *a, struct bytes base64, struct foreign_ca *ret, struct err *e);

/* The common name of the certificate that the journal's heads are signed by. It is the system authority's, made by the
   ceremony; nobody else gets one of this name from that authority, for the verifier knows it by nothing else. */
#define JOURNAL_NAME "Journal"
/* Whether a common name of the subject is this one, letters folded and blanks around it left out. */
bool is_journal_name(struct arena *a, struct bytes subject);

/* Whether a certificate with these extended key usages can be a TLS server's: one of them says so, or there are none, which is
   every usage (RFC 5280 4.2.1.12). The system authority's own server is known by nothing else than its names. */
bool is_for_servers(const struct oids *extended);

#endif
