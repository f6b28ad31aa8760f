/*
 * What lints look at: a certificate with everything decoded once. Inside of pki only.
 */
#ifndef PKI_LINT_INPUT_H
#define PKI_LINT_INPUT_H

#include "pki/lint.h"

struct lint_input {
	const struct cert *c; /* one of these three; the members behind belong to the first */
	const struct crl *crl;
	const struct ocsp_response *ocsp;
	struct arena *a;
	struct name issuer, subject;
	bool key_ok, exts_ok, self_issued;
	struct pubkey key;
	struct ext_value *v; /* one for each extension; only while exts_ok */
};

/* A decoded extension; NULL when it is absent or something cannot be decoded. */
static inline const struct ext_value *
lint_ext(const struct lint_input *in, enum oid o)
{
	for (size_t i = 0; in->exts_ok && i < in->c->exts.n; i++)
		if (in->v[i].kind == o)
			return &in->v[i];
	return NULL;
}

static inline enum lint_outcome
lint_judge(bool applies, bool holds)
{
	return !applies ? LINT_NA : holds ? LINT_PASS : LINT_FAIL;
}

/* One more judgement. */
void lint_count_in(struct lint_verdicts *v, const struct lint *l, enum lint_outcome outcome);

/* The two tables that make the list. */
extern const struct lint lint_5280_table[], lint_qc_table[];
extern const size_t lint_5280_count, lint_qc_count;

#endif
