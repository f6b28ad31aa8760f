#include "base/base.h"
#include "model/choices.h"

#define END \
	{ \
		NULL, NULL, NULL \
	}

const struct choice state_choices[] = {
	{ "active", "Active", "in use" },
	{ "closed", "Closed", "kept, but nothing new is made with it" },
	END,
};

const struct choice role_choices[] = {
#define X(e, name, workbench, label) { name, label, NULL },
	ROLE_TABLE(X)
#undef X
	    END,
};

/* enum entity_type */
const struct choice entity_choices[] = {
	{ "subject", "Subject", "any certificate of the same subject is the officer's credential" },
	{ "dynamic-token", "Dynamic token",
	  "bound to a card or soft token; later certificates on it count too" },
	{ "static-token", "Static token",
	  "bound to a card or soft token that gets no new certificates meanwhile" },
	END,
};

const struct choice ocsp_activation_choices[] = {
	{ "at-issue", "When it is issued", NULL },
	{ "by-officer", "By an officer's act",
	  "certificate.activate-ocsp; until then its status is unknown" },
	END,
};

const struct choice key_algorithm_choices[] = {
	{ "rsa-2048", "RSA 2048", NULL },
	{ "rsa-3072", "RSA 3072", NULL },
	{ "rsa-4096", "RSA 4096", NULL },
	{ "p-256", "P-256", NULL },
	{ "p-384", "P-384", NULL },
	{ "p-521", "P-521", NULL },
	{ "ed25519", "Ed25519", NULL },
	{ "ed448", "Ed448", NULL },
	{ "ml-dsa-44", "ML-DSA-44", "where the cryptographic library has it" },
	{ "ml-dsa-65", "ML-DSA-65", "where the cryptographic library has it" },
	{ "ml-dsa-87", "ML-DSA-87", "where the cryptographic library has it" },
	END,
};

const struct choice place_choices[] = {
	{ "software", "Software", "a file of the signer's, encrypted" },
	{ "pkcs11", "PKCS#11", "a token of a PKCS#11 module, such as a hardware security module" },
	END,
};

/* enum authority_type */
const struct choice authority_choices[] = {
	{ "root", "Root", "signs its own certificate" },
	{ "subordinate", "Subordinate", "its certificate is issued by another authority" },
	{ "external-subordinate", "External subordinate",
	  "its key is here; a foreign CA issues its certificate, which is imported" },
	{ "external-root", "External root", "a foreign trust anchor: its certificate alone, no key" },
	{ "cross", "Cross", "a foreign CA whose key an authority here certifies" },
	END,
};

const struct choice signature_algorithm_choices[] = {
	{ "rsa-pkcs1-sha256", "RSA with SHA-256", NULL },
	{ "rsa-pkcs1-sha384", "RSA with SHA-384", NULL },
	{ "rsa-pkcs1-sha512", "RSA with SHA-512", NULL },
	{ "rsa-pss-sha256", "RSA-PSS with SHA-256", NULL },
	{ "rsa-pss-sha384", "RSA-PSS with SHA-384", NULL },
	{ "rsa-pss-sha512", "RSA-PSS with SHA-512", NULL },
	{ "ecdsa-sha256", "ECDSA with SHA-256", NULL },
	{ "ecdsa-sha384", "ECDSA with SHA-384", NULL },
	{ "ecdsa-sha512", "ECDSA with SHA-512", NULL },
	{ "ed25519", "Ed25519", NULL },
	{ "ed448", "Ed448", NULL },
	{ "ml-dsa-44", "ML-DSA-44", NULL },
	{ "ml-dsa-65", "ML-DSA-65", NULL },
	{ "ml-dsa-87", "ML-DSA-87", NULL },
	END,
};

/* enum format_purpose */
const struct choice purpose_choices[] = {
	{ "end-entity", "End entity", "for certificate procedures" },
	{ "ca", "CA", "for authorities" },
	{ "attribute-certificate", "Attribute certificate", "for attribute certificate procedures" },
	END,
};

/* enum format_source */
const struct choice source_choices[] = {
	{ "request", "Request", "taken from the request" },
	{ "fixed", "Fixed", "always the value given here" },
	{ "none", "None", "never there: what a request asks of it is dropped" },
	END,
};

/* enum unknown_action */
const struct choice unknown_choices[] = {
	{ "refuse", "Refuse", "the request is refused" },
	{ "drop", "Drop", "left out of the certificate; the explanation says so" },
	{ "keep", "Keep", "taken over as it stands" },
	END,
};
const struct choice unknown_drop_choices[] = {
	{ "refuse", "Refuse", "the request is refused" },
	{ "drop", "Drop", "left out of the certificate; the explanation says so" },
	END,
};

/* enum modifier_kind */
const struct choice modifier_choices[] = {
	{ "trim", "Trim", "blanks at both ends go" },
	{ "collapse", "Collapse blanks", "blanks in a row become one" },
	{ "lower-case", "Lower case", "A to Z become a to z" },
	{ "upper-case", "Upper case", "a to z become A to Z" },
	{ "prefix", "Prefix", "prefix:TEXT stands before it" },
	{ "suffix", "Suffix", "suffix:TEXT stands behind it" },
	{ "truncate", "Truncate", "truncate:N leaves the first N characters" },
	{ "before", "Before",
	  "before:TEXT leaves what stands before the first TEXT; all of it where there is none" },
	{ "after", "After",
	  "after:TEXT leaves what stands behind the first TEXT; all of it where there is none" },
	{ "replace", "Replace",
	  "replace:/FROM/TO puts TO in place of each FROM; any character may stand for /" },
	{ "match", "Match", "match:PATTERN refuses other values; * is any text, ? a character, # a digit" },
	{ "only", "Only", "only:CHARACTERS refuses values with others; a-z is a range" },
	END,
};

const struct choice san_choices[] = {
	{ "dns", "DNS name", NULL },
	{ "email", "Mail address", "RFC 822" },
	{ "ip", "IP address", NULL },
	{ "uri", "URI", NULL },
	{ "directory", "Directory name", NULL },
	{ "rid", "Registered identifier", NULL },
	{ "upn", "User principal name", "otherName, for smart card logon" },
	{ "srv", "Service name", "otherName of RFC 4985" },
	{ "smtp-utf8", "Mail address beyond ASCII", "otherName of RFC 9598" },
	{ "fasc-n", "FASC-N", "otherName of FIPS 201, the number of a PIV card" },
	END,
};

const struct choice key_family_choices[] = {
	{ "rsa", "RSA", "with a length within the format's bounds" },
	{ "p-256", "P-256", NULL },
	{ "p-384", "P-384", NULL },
	{ "p-521", "P-521", NULL },
	{ "ed25519", "Ed25519", NULL },
	{ "ed448", "Ed448", NULL },
	{ "ml-dsa-44", "ML-DSA-44", NULL },
	{ "ml-dsa-65", "ML-DSA-65", NULL },
	{ "ml-dsa-87", "ML-DSA-87", NULL },
	END,
};

/* enum usage_source */
const struct choice usage_source_choices[] = {
	{ "request", "Request, else procedure",
	  "what the request asks; where it asks nothing, the procedure's" },
	{ "procedure", "Procedure", "always the procedure's" },
	{ "none", "None", "no key usage in the certificate" },
	END,
};
const struct choice extended_usage_source_choices[] = {
	{ "request", "Request within procedure",
	  "what the request asks, if the procedure has it; else the procedure's" },
	{ "procedure", "Procedure", "always the procedure's; what a request asks is dropped" },
	{ "none", "None", "no extended key usage in the certificate" },
	END,
};

/* In the order of the bits in RFC 5280 4.2.1.3. */
const struct choice key_usage_choices[] = {
	{ "digitalSignature", "Digital signature", NULL },
	{ "nonRepudiation", "Non-repudiation", "also called content commitment" },
	{ "keyEncipherment", "Key encipherment", NULL },
	{ "dataEncipherment", "Data encipherment", NULL },
	{ "keyAgreement", "Key agreement", NULL },
	{ "keyCertSign", "Certificate signing", "authorities only" },
	{ "cRLSign", "CRL signing", NULL },
	{ "encipherOnly", "Encipher only", "with key agreement" },
	{ "decipherOnly", "Decipher only", "with key agreement" },
	END,
};

const struct choice beyond_choices[] = {
	{ "cut", "Cut", "the certificate ends with its authority" },
	{ "refuse", "Refuse", "nothing is issued" },
	END,
};

/* enum storage_profile */
const struct choice storage_choices[] = {
	{ "smart-card", "Smart Card", "keys and certificates on a card" },
	{ "pkcs12", "PKCS#12", "a soft token, its keys made by the server" },
	{ "pkcs10", "PKCS#10", "the subject has the key and sends a request" },
	{ "attribute-certificate-file", "Attribute Certificate file", "a signed statement without a key" },
	END,
};

/* enum issuer_certificates */
const struct choice issuers_choices[] = {
	{ "all", "Store all", "the certificates of the whole CA chain" },
	{ "none", "Do not store any", "no issuer certificates" },
	{ "root", "Store the root", "only the root CA's certificate" },
	{ "issuing", "Store the issuing CA", "only the issuing CA's certificate" },
	END,
};

const struct choice omit_choices[] = {
	{ "crl", "CRL addresses", NULL },
	{ "ca-issuers", "CA certificate addresses", NULL },
	{ "ocsp", "OCSP addresses", NULL },
	END,
};

const struct choice qc_type_choices[] = {
	{ "esign", "Electronic signature", NULL },
	{ "eseal", "Electronic seal", NULL },
	{ "web", "Web site authentication", NULL },
	END,
};

/* EN 319 412-1 5.1 */
const struct choice qc_semantics_choices[] = {
	{ "natural", "Natural person", "serial number as PASSE-1234, IDCSE-1234, PNOSE-1234, TINSE-1234" },
	{ "legal", "Legal person", "organisation identifier as VATSE-1234, NTRSE-1234, PSDSE-FI-1234" },
	END,
};

const struct choice issuer_test_choices[] = {
	{ "is", "is", "some value of the attribute is this one" },
	{ "is-not", "is not", "no value of the attribute is this one; it may be absent" },
	END,
};

/* Schemes of addresses. */
const struct choice pkcs11_schemes[] = { { "pkcs11", "PKCS#11", NULL }, END };
const struct choice web_schemes[] = { { "http", "HTTP", NULL }, { "https", "HTTPS", NULL }, END };
const struct choice url_schemes[] = {
	{ "http", "HTTP", NULL },
	{ "https", "HTTPS", NULL },
	{ "ldap", "LDAP", NULL },
	{ "ldaps", "LDAPS", NULL },
	END,
};
