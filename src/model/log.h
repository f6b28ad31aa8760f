/*
 * What the request log sorts events by: groups and their categories, once. From the table come the names of the API, the
 * command line's choices and the numbers in the store, which therefore never change: number / 100 is the group.
 */
#ifndef MODEL_LOG_H
#define MODEL_LOG_H

#include "base/base.h"

/* X(enum, number, "name", "group's label") */
#define LOG_GROUPS(X) \
	X(CERTIFICATES, 1, "certificates", "Certificates") \
	X(KEYS, 2, "keys", "Keys") \
	X(ADMINISTRATION, 3, "administration", "Administration") \
	X(CARD_PRODUCTION, 4, "card-production", "Card production")

#define LOG_CATEGORIES(X) \
	X(ISSUED, 101, "certificates.issued") \
	X(REVOKED, 102, "certificates.revoked") \
	X(PUBLISHED, 103, "certificates.published") \
	X(SESSION, 104, "certificates.session") \
	X(IMPORTED, 105, "certificates.imported") \
	X(ARCHIVED, 201, "keys.archived") \
	X(RECOVERED, 202, "keys.recovered") \
	X(CA, 301, "administration.ca") \
	X(KEY, 302, "administration.key") \
	X(POLICY, 303, "administration.policy") \
	X(OFFICER, 304, "administration.officer") \
	X(DOMAIN, 305, "administration.domain") \
	X(SYSTEM, 306, "administration.system") \
	X(ORDER, 401, "card-production.order") \
	X(BATCH, 402, "card-production.batch")

enum log_category {
	LOG_NONE = 0,
#define X(e, number, name) LOG_##e = number,
	LOG_CATEGORIES(X)
#undef X
};

/* "certificates.issued"; "" for a number that is none. */
const char *log_category_name(int64_t category);
/* The label of its group: "Certificates". */
const char *log_group_label(int64_t category);

/* What a filter selects: [from, to] of numbers. */
struct log_range {
	int64_t from, to;
	int64_t category, group; /* the exact one, 0 where it is a group (or the other way round) */
	bool failed;             /* "certificates.refused": failures only */
};
/* A category's name, a group's name, or "certificates.refused". False: none of them. */
bool log_range_of(struct bytes name, struct log_range *ret);

/* Which rules a journal is written by, from its first leaf or from a leaf "form" on. 2: a certificate's leaf says for which officer it
   stands beside the bound one, and without that it stands for none. */
enum { JOURNAL_FORM = 2 };

/* X(enum, "name", category): every kind of leaf that the journal has (docs/formats/journal.md). LOG_NONE: that of the act
   that it is about. */
#define LEAF_KINDS(X) \
	X(GENESIS, "genesis", LOG_SYSTEM) \
	X(SIGNATURE, "signature", LOG_NONE) \
	X(DOCUMENT, "document", LOG_NONE) \
	X(SESSION, "session", LOG_SESSION) \
	X(SESSION_CLOSED, "session-closed", LOG_SESSION) \
	X(CERTIFICATE, "certificate", LOG_ISSUED) \
	X(CA_CERTIFICATE, "ca-certificate", LOG_CA) \
	X(ATTRIBUTE_CERTIFICATE, "attribute-certificate", LOG_ISSUED) \
	X(ADOPTED, "adopted", LOG_ISSUED) \
	X(REQUEST_STATE, "request-state", LOG_NONE) \
	X(DISAGREEMENT, "disagreement", LOG_ISSUED) \
	X(CLOCK, "clock", LOG_SYSTEM) \
	X(RESTART, "restart", LOG_SYSTEM) \
	X(TOKEN, "token", LOG_ISSUED) \
	X(TOKEN_FILE, "token-file", LOG_ISSUED) \
	X(CERTIFICATE_STATE, "certificate-state", LOG_REVOKED) \
	X(OCSP_CERTIFICATE, "ocsp-certificate", LOG_CA) \
	X(OCSP_ACTIVATION, "ocsp-activation", LOG_PUBLISHED) \
	X(REVOCATION_PASSWORD, "revocation-password", LOG_REVOKED) \
	X(PUBLICATION, "publication", LOG_PUBLISHED) \
	X(DELIVERY, "delivery", LOG_PUBLISHED) \
	X(CRL, "crl", LOG_CA) \
	X(CIL, "cil", LOG_CA) \
	X(REMOVED, "removed", LOG_REVOKED) \
	X(RESCUE, "rescue", LOG_OFFICER) \
	X(FORM, "form", LOG_SYSTEM) \
	X(IMPORTED, "imported", LOG_IMPORTED) \
	X(IMPORTED_CRL, "imported-crl", LOG_IMPORTED) \
	X(REFUSAL, "refusal", LOG_NONE)

enum leaf_kind {
#define X(e, name, category) LEAF_##e,
	LEAF_KINDS(X)
#undef X
	    LEAF_KIND_COUNT
};
const char *leaf_kind_name(enum leaf_kind kind);

/* The category of an officer's act by its name ("token-procedure.create"); LOG_NONE: it is no act. */
enum log_category log_category_of_act(struct bytes act);
/* ... and of a leaf by its kind's name; LOG_NONE as in the table, LOG_SYSTEM for a name that is none. */
enum log_category log_category_of_leaf(struct bytes kind);

#endif
