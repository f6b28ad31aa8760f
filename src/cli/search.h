/*
 * What certificates are searched by, from the command line: the same options where they are listed and where they are selected.
 */
#ifndef CLI_SEARCH_H
#define CLI_SEARCH_H

#include "cli/cli.h"

extern const char *const search_states[], *const search_reasons[], *const search_types[];
/* Why a certificate may be revoked, and an authority's own. */
extern const char *const revoke_reasons[], *const authority_reasons[];

#define SEARCH_OPTIONS \
	{ "common-name", "TEXT", OPT_TEXT, 0, "of the subject; * stands for anything, here and below" }, \
	    { "given-name", "TEXT", OPT_TEXT, 0, "of the subject" }, \
	    { "surname", "TEXT", OPT_TEXT, 0, "of the subject" }, \
	    { "organisation", "TEXT", OPT_TEXT, 0, "of the subject" }, \
	    { "organisational-unit", "TEXT", OPT_TEXT, 0, "of the subject" }, \
	    { "subject-serial-number", "TEXT", OPT_TEXT, 0, "of the subject" }, \
	    { "country", "TEXT", OPT_TEXT, 0, "of the subject" }, \
	    { "email", "TEXT", OPT_TEXT, 0, "of the subject or an alternative name" }, \
	    { "alternative-name", "TEXT", OPT_TEXT, 0, "an alternative name: host name, mail address" }, \
	    { "field1", "TEXT", OPT_TEXT, 0, "what was filled in as search field 1" }, \
	    { "field2", "TEXT", OPT_TEXT, 0, "what was filled in as search field 2" }, \
	    { "field3", "TEXT", OPT_TEXT, 0, "what was filled in as search field 3" }, \
	    { "field4", "TEXT", OPT_TEXT, 0, "what was filled in as search field 4" }, \
	    { "field5", "TEXT", OPT_TEXT, 0, "what was filled in as search field 5" }, \
	    { "field6", "TEXT", OPT_TEXT, 0, "what was filled in as search field 6" }, \
	    { "card-serial", "TEXT", OPT_TEXT, 0, "serial number of the card that it is on" }, \
	    { "serial", "HEX", OPT_TEXT, 0, "serial number; colons between its octets do not matter" }, \
	    { "authority", "NAME|ID", OPT_TEXT, 0, "who issued it" }, \
	    { "issuer", "NAME", OPT_TEXT, 0, "the same, by its distinguished name" }, \
	    { "authority-key-identifier", "HEX", OPT_TEXT, 0, "the same, by its key" }, \
	    { "key-identifier", "HEX", OPT_TEXT, 0, "of the certificate's key" }, \
	    { "sha256", "HEX", OPT_TEXT, 0, "digest of the certificate" }, \
	    { "state",      "STATE", OPT_CHOICE, OPT_MANY, "valid, held or revoked; any of those given", \
	      search_states }, \
	    { "reason",      "REASON", OPT_CHOICE, OPT_MANY, "why it is revoked or held; any of those given", \
	      search_reasons }, \
	    { "revoked-from", "TIME", OPT_TIME, 0, "revoked or held at this time or later" }, \
	    { "revoked-to", "TIME", OPT_TIME, 0, "before this time" }, \
	    { "published-from", "TIME", OPT_TIME, 0, "last published at this time or later" }, \
	    { "published-to", "TIME", OPT_TIME, 0, "before this time" }, \
	    { "ocsp-activated-from", "TIME", OPT_TIME, 0, "activated for OCSP at this time or later" }, \
	    { "ocsp-activated-to", "TIME", OPT_TIME, 0, "before this time" }, \
	    { "valid-from-from", "TIME", OPT_TIME, 0, "its validity begins at this time or later" }, \
	    { "valid-from-to", "TIME", OPT_TIME, 0, "before this time" }, \
	    { "valid-to-from", "TIME", OPT_TIME, 0, "its validity ends at this time or later" }, \
	    { "valid-to-to", "TIME", OPT_TIME, 0, "before this time" }, \
	    { "not-revoked", NULL, OPT_FLAG, 0, "only those that are valid or on hold" }, \
	    { "expired", NULL, OPT_FLAG, 0, "only expired ones" }, \
	    { "not-expired", NULL, OPT_FLAG, 0, "only those that are not expired" }, \
	    { "not-yet-valid", NULL, OPT_FLAG, 0, "only those that are not valid yet" }, \
	    { "publication-allowed", "yes|no", OPT_YESNO, 0, "as chosen when it was issued" }, \
	    { "subject-type", "TYPE", OPT_CHOICE, 0, "EE, CA, or AC for attribute certificates", search_types }, \
	    { "token-procedure", "NAME|ID", OPT_TEXT, 0, "by which it was issued" }, \
	{ \
		"certificate-procedure", "NAME|ID", OPT_TEXT, 0, "by which it was issued" \
	}

/* The body of POST /api/v1/certificates/search, of the options that were given, and of the operand TEXT or the option --text. */
MUST enum rc search_query(struct cli *c, struct json **ret, struct err *e);

#endif
