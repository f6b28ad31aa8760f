/* Choices of tokens, delivery and input. */
#include "base/base.h"
#include "model/choices.h"

#define END \
	{ \
		NULL, NULL, NULL \
	}

/* enum key_action */
const struct choice key_action_choices[] = {
	{ "archive", "Archive", "keys that the server makes are kept, to be recovered later" },
	{ "recover", "Recover", "archived keys are put on the token" },
	END,
};

/* enum recovered_certificate */
const struct choice recovered_certificate_choices[] = {
	{ "new", "New", "a new certificate is issued for the key" },
	{ "reuse", "Reuse", "the certificate that the key had" },
	END,
};

/* enum recovered_keys */
const struct choice recovered_keys_choices[] = {
	{ "latest", "Latest", "the key of the certificate that was issued last" },
	{ "all", "All", "every archived key of the person" },
	END,
};

/* enum pin_method */
const struct choice pin_method_choices[] = {
	{ "shown", "Shown", "made by the server and shown once, in the answer" },
	{ "entered", "Entered", "chosen by the officer and sent beside the signed request" },
	END,
};

/* enum pin_characters */
const struct choice pin_character_choices[] = {
	{ "digits", "Digits", NULL },
	{ "letters-and-digits", "Letters and digits", NULL },
	END,
};

const struct choice encryption_choices[] = {
	{ "modern", "Modern", "AES-256 with 600,000 rounds of PBKDF2" },
	{ "legacy", "Legacy", "triple DES and SHA-1, for software that knows nothing else" },
	END,
};

/* enum crl_type */
const struct choice crl_type_choices[] = {
	{ "complete", "Complete", "all revoked certificates of the authority" },
	{ "partial", "Partial", "those that point to it" },
	END,
};

/* enum crl_covers, from COVERS_END_ENTITIES on */
const struct choice crl_covers_choices[] = {
	{ "end-entities", "End entities", "certificates of people, servers and things" },
	{ "authorities", "Authorities", "certificates of authorities below it" },
	{ "attribute-certificates", "Attribute certificates", NULL },
	END,
};

const struct choice distribution_choices[] = {
	{ "ldap", "LDAP", "into a directory" },
	{ "http", "HTTP", "to a web server or a responder" },
	{ "file", "File", "into a folder of this machine, for its web server" },
	{ "mail", "Mail", "by mail" },
	END,
};

const struct choice destination_schemes[] = {
	{ "ldap", "LDAP", NULL },
	{ "ldaps", "LDAPS", NULL },
	{ "http", "HTTP", NULL },
	{ "https", "HTTPS", NULL },
	{ "smtp", "SMTP", NULL },
	{ "smtps", "SMTPS", NULL },
	END,
};

/* enum update_policy */
const struct choice update_choices[] = {
	{ "add", "Add", "the certificate is added to those that are there" },
	{ "replace", "Replace", "the certificate takes the place of those that are there" },
	{ "delete", "Delete", "the attribute is taken out of the entry" },
	END,
};

const struct choice content_choices[] = {
	{ "file", "File", "the certificate or list itself, as its format says" },
	{ "push", "Push",
	  "a message for identity management: the certificate, and what is to be done with it" },
	END,
};

const struct choice method_choices[] = {
	{ "put", "PUT", "it is what the address shows from then on; unpublishing deletes it" },
	{ "post", "POST", "it is handed over" },
	END,
};

/* enum publication_form */
const struct choice publication_choices[] = {
	{ "der", "DER", "the certificate alone, binary" },
	{ "pem", "PEM", "the certificate alone, as text" },
	{ "pem-chain", "PEM with chain", "the certificate and those of the authorities above it, as text" },
	END,
};

const struct choice crl_format_choices[] = {
	{ "der", "DER", "binary, as at the addresses of certificates (RFC 5280 4.2.1.13)" },
	{ "pem", "PEM", "as text" },
	END,
};

/* enum transport_control: bits 1 << position */
const struct choice transport_choices[] = {
	{ "issuer", "Issuer", "it was issued by one of the transport certificate issuers" },
	{ "validity", "Validity", "it is within its validity" },
	{ "revocation", "Revocation", "it is not revoked" },
	{ "key", "Key", "its key is the key that the card proves to have" },
	{ "card-serial", "Card serial number", "its serial number is the card's, and within the range" },
	{ "unused", "Not used before", "no card was issued with it before" },
	END,
};

/* enum ac_attribute; RFC 5755 4.4 */
const struct choice ac_attribute_choices[] = {
	{ "role", "Role", "a URI that says what the holder is" },
	{ "group", "Group", "what the holder belongs to" },
	{ "charging-identity", "Charging identity", "whom the holder's acts are charged to" },
	{ "access-identity", "Access identity",
	  "how the holder is known to a service: both as general names, a blank between" },
	{ "clearance", "Clearance",
	  "a policy's object identifier, a blank, classes with commas: 1.2.3 secret" },
	END,
};

/* enum view_purpose */
const struct choice view_choices[] = {
	{ "issue", "Issue", "for issuing" },
	{ "preregistration", "Preregistration", "for registering devices that will enrol by themselves" },
	END,
};

/* What a person can fill in. A position is private; inputs of a subject are the attribute of the name behind the dot. */
#define TEXT_INPUTS \
	{ "subject.common-name", "Common name", "CN" }, { "subject.given-name", "Given name", "GN" }, \
	    { "subject.surname", "Surname", "SN" }, { "subject.pseudonym", "Pseudonym", "pseudonym" }, \
	    { "subject.title", "Title", "title" }, \
	    { "subject.serial-number", "Serial number", "serialNumber" }, \
	    { "subject.country", "Country", "C" }, { "subject.state", "State or province", "ST" }, \
	    { "subject.locality", "Locality", "L" }, { "subject.street", "Street", "street" }, \
	    { "subject.postal-code", "Postal code", "postalCode" }, \
	    { "subject.organisation", "Organisation", "O" }, \
	    { "subject.organisational-unit", "Organisational unit", "OU" }, \
	    { "subject.organisation-identifier", "Organisation identifier", "organizationIdentifier" }, \
	    { "subject.email", "Mail address in the subject", "emailAddress" }, \
	    { "subject.user-id", "User identifier", "UID" }, \
	    { "subject.domain-component", "Domain component", "DC" }, { "san.dns", "DNS name", "dns" }, \
	    { "san.email", "Mail address", "email" }, { "san.ip", "IP address", "ip" }, \
	    { "san.uri", "URI", "uri" }, { "san.directory", "Directory name", "directory" }, \
	    { "san.rid", "Registered identifier", "rid" }, { "san.upn", "User principal name", "upn" }, \
	    { "san.srv", "Service name", "srv" }, \
	    { "san.smtp-utf8", "Mail address beyond ASCII", "smtp-utf8" }, \
	    { "san.fasc-n", "FASC-N", "fasc-n" }, { "person.name", "Name of the person", NULL }, \
	    { "person.given-name", "Given name of the person", NULL }, \
	    { "person.surname", "Surname of the person", NULL }, \
	    { "person.email", "Mail address of the person", NULL }, \
	    { "person.user-name", "User name of the person", NULL }, \
	    { "person.number", "Number of the person", NULL }, \
	    { "person.department", "Department of the person", NULL }, \
	    { "device.fqdn", "Host name of the device", NULL }, \
	    { "device.ip", "IP address of the device", NULL }, \
	{ \
		"device.serial-number", "Serial number of the device", NULL \
	}

const struct choice input_choices[] = {
	TEXT_INPUTS,
	{ "validity.not_before", "Valid from", NULL },
	{ "validity.not_after", "Valid to", NULL },
	{ "key_usage", "Key usage", NULL },
	{ "extended_key_usage", "Extended key usage", NULL },
	{ "publication", "Publication allowed", NULL },
	{ "revocation_password", "Revocation password", NULL },
	{ "pin", "PIN", NULL },
	{ "device.allowed-domains", "Domains that it may ask", NULL },
	{ "device.secret", "Secret with which it enrols", NULL },
	{ "qc_statements", "QC statements", NULL },
	{ "field1", "Search field 1", NULL },
	{ "field2", "Search field 2", NULL },
	{ "field3", "Search field 3", NULL },
	{ "field4", "Search field 4", NULL },
	{ "field5", "Search field 5", NULL },
	{ "field6", "Search field 6", NULL },
	END,
};

/* Those that a format can put into a certificate: the first ones of input_choices, in its order. */
const struct choice format_input_choices[] = {
	TEXT_INPUTS,
	END,
};

/* Of a text in an extension. */
const struct choice text_form_choices[] = {
	{ "utf8", "UTF8String", NULL },
	{ "printable", "PrintableString", "letters, digits and some signs" },
	{ "ia5", "IA5String", "ASCII" },
	END,
};

const struct choice settings_choices[] = {
	{ "all", "All", "every setting can be used" },
	{ "listed", "Listed", "only those listed" },
	END,
};

/* Named as the members of a certificate procedure. */
const struct choice open_setting_choices[] = {
	{ "key_usage", "Key usage", NULL },
	{ "extended_key_usage", "Extended key usage", NULL },
	{ "certificate_policies", "Certificate policies", NULL },
	{ "crl_procedure", "CRL procedure", NULL },
	{ "crl_urls", "CRL addresses", NULL },
	{ "freshest_crl_urls", "Delta CRL addresses", NULL },
	{ "ca_issuers_urls", "CA certificate addresses", NULL },
	{ "ocsp_urls", "OCSP addresses", NULL },
	{ "omit", "Leave out", NULL },
	{ "qc_statements", "QC statements", NULL },
	{ "tls_feature", "TLS features", NULL },
	{ "ocsp_no_check", "OCSP no check", NULL },
	{ "issuer_alternative_names", "Issuer alternative names", NULL },
	{ "extensions", "Other extensions", NULL },
	END,
};
