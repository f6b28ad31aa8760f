/*
 * The journal of what foreign CAs have issued: part of the verification (journal_state.h).
 */
#ifndef CLI_JOURNAL_IMPORT_H
#define CLI_JOURNAL_IMPORT_H

#include "cli/journal_state.h"
#include "policy/import.h"

/* A revocation list that an officer imported. */
struct signed_list {
	int64_t authority;
	uint8_t sha256[SHA256_LEN];
	struct crl_entry *entries; /* by serial number */
	size_t n;
};

/* A change of a state, on whose word it claims to be. */
struct import_word {
	int64_t request, certificate;
	enum status_verb verb;
	enum reason reason;
	int64_t since_ms, invalid_at_ms;
	bool keeps_since; /* it was on hold before and stays so */
	struct bytes cause;
};

/* What the verifier keeps of the body of an import. */
MUST enum rc journal_import_request(struct journal_verifier *v, struct arena *a, const struct json *body,
				    struct signed_request *r, struct err *e);
/* The two leaves. */
MUST enum rc journal_imported(struct journal_verifier *v, struct arena *a, const struct leaf_view *l,
			      struct certificate_state *s, struct err *e);
MUST enum rc journal_imported_crl(struct journal_verifier *v, struct arena *a, const struct leaf_view *l,
				  struct err *e);
/* Does that request say so? */
MUST enum rc journal_import_word(struct journal_verifier *v, const struct certificate_state *s,
				 const struct import_word *w, struct err *e);

#endif
