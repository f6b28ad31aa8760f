/*
 * Lints: rules of RFC 5280 and EN 319 412 that a certificate of ours must keep, of RFC 5280 for revocation lists, and of RFC 6960 and
 * 5019 for OCSP responses, each a small function in one table for each kind. A lint judges one parsed object; those that need
 * another one beside it are not here.
 */
#ifndef PKI_LINT_H
#define PKI_LINT_H

#include "pki/cert.h"
#include "pki/crl.h"
#include "pki/ocsp.h"

enum lint_severity { LINT_ERROR, LINT_WARNING, LINT_NOTICE };
enum lint_outcome { LINT_PASS, LINT_NA, LINT_FAIL };

struct lint_input; /* the certificate with everything decoded, lint.c's own */

struct lint {
	const char *id; /* "rfc5280-4.2.1.9-ca-keyusage"; stable */
	enum lint_severity severity;
	const char *std;  /* "RFC 5280 4.2.1.9" */
	const char *text; /* what must hold, one sentence */
	enum lint_outcome (*fn)(const struct lint_input *in);
};

/* All lints of certificates, for documentation: their number, and the i-th (i below it). */
size_t lint_count(void);
const struct lint *lint_at(size_t i);

struct lint_verdict {
	const struct lint *lint;
	enum lint_outcome outcome;
};
struct lint_verdicts {
	size_t n; /* one for every lint, in the order of the table */
	struct lint_verdict *v;
	size_t errors, warnings, notices; /* that failed */
};

/* Judges one certificate. A certificate whose extension or key cannot be decoded fails "rfc5280-4.2-extension-syntax" or
   "rfc5280-4.1.2.7-key-syntax"; lints that would need it do not apply. Fails only with NO_MEMORY. */
MUST enum rc lint_cert(struct arena *a, const struct cert *c, struct lint_verdicts *ret, struct err *e);
/* The same for a revocation list and for an OCSP response, by tables of their own. No lint applies to a refusal. */
MUST enum rc lint_crl(struct arena *a, const struct crl *c, struct lint_verdicts *ret, struct err *e);
MUST enum rc lint_ocsp(struct arena *a, const struct ocsp_response *r, struct lint_verdicts *ret,
		       struct err *e);
const struct lint *lint_crl_list(size_t *ret_n);
const struct lint *lint_ocsp_list(size_t *ret_n);
const char *lint_severity_name(enum lint_severity s); /* "error" */
/* [{id, severity, outcome, text}] of those that failed; all when `all`. NULL when memory is out. */
struct json *lint_json(struct arena *a, const struct lint_verdicts *v, bool all);

#endif
