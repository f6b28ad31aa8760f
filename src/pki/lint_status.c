/* Lints of revocation lists (RFC 5280 5) and of OCSP responses (RFC 6960, RFC 5019, CA/Browser Forum BR 4.9). */
#include "base/base.h"
#include "pki/lint_input.h"

enum { HOUR_MS = 3600000, TWICE_MAX = 20000 };

/* ---- revocation lists ---- */

static const struct ext *
list_ext(const struct lint_input *in, enum oid o)
{
	return exts_find(&in->crl->exts, o);
}

static enum lint_outcome
critical_as(const struct lint_input *in, enum oid o, bool want)
{
	const struct ext *x = list_ext(in, o);

	return lint_judge(x != NULL, x != NULL && x->critical == want);
}

static enum lint_outcome
crl_version(const struct lint_input *in)
{
	return lint_judge(true, in->crl->version == 2);
}

static enum lint_outcome
crl_algorithm(const struct lint_input *in)
{
	return lint_judge(true, in->crl->sigalg != SIGALG_NONE);
}

static enum lint_outcome
crl_next_update(const struct lint_input *in)
{
	return lint_judge(true, in->crl->next_update_at != CRL_NO_TIME);
}

static enum lint_outcome
crl_times(const struct lint_input *in)
{
	return lint_judge(in->crl->next_update_at != CRL_NO_TIME,
			  in->crl->this_update_at < in->crl->next_update_at);
}

static enum lint_outcome
crl_aki(const struct lint_input *in)
{
	const struct ext *x = list_ext(in, OID_CE_AUTHORITY_KEY_ID);
	struct ext_value v;

	return lint_judge(
	    true, x != NULL && !x->critical && ext_decode(in->a, x, &v, NULL) == RC_OK && v.aki.key_id.n > 0);
}

static enum lint_outcome
crl_number_there(const struct lint_input *in)
{
	return lint_judge(in->crl->version == 2, in->crl->number.p != NULL);
}

static enum lint_outcome
crl_number_plain(const struct lint_input *in)
{
	return critical_as(in, OID_CE_CRL_NUMBER, false);
}

static enum lint_outcome
crl_delta_critical(const struct lint_input *in)
{
	return critical_as(in, OID_CE_DELTA_CRL, true);
}

static enum lint_outcome
crl_delta_order(const struct lint_input *in)
{
	struct bytes n = in->crl->number, b = in->crl->base;

	return lint_judge(b.p != NULL && n.p != NULL, b.n < n.n || (b.n == n.n && bytes_cmp(b, n) < 0));
}

static enum lint_outcome
crl_point_critical(const struct lint_input *in)
{
	return critical_as(in, OID_CE_ISSUING_POINT, true);
}

static enum lint_outcome
crl_freshest_plain(const struct lint_input *in)
{
	return critical_as(in, OID_CE_FRESHEST_CRL, false);
}

static enum lint_outcome
crl_freshest_place(const struct lint_input *in)
{
	return lint_judge(list_ext(in, OID_CE_FRESHEST_CRL) != NULL, in->crl->base.p == NULL);
}

static enum lint_outcome
crl_unknown(const struct lint_input *in)
{
	return lint_judge(true, !in->crl->critical_unknown);
}

/* Is there an entry of which the question is answered yes? */
static bool
any_entry(const struct lint_input *in, bool (*is)(const struct lint_input *in, const struct crl_entry *x))
{
	struct bytes rest = in->crl->entries;
	struct crl_entry x;

	while (crl_next(&rest, &x))
		if (is(in, &x))
			return true;
	return false;
}

static bool
says_unspecified(const struct lint_input *in, const struct crl_entry *x)
{
	return x->reason == CRL_UNSPECIFIED;
}

static bool
says_remove(const struct lint_input *in, const struct crl_entry *x)
{
	return x->reason == CRL_REMOVE;
}

static bool
names_issuer(const struct lint_input *in, const struct crl_entry *x)
{
	return x->issuer.p != NULL;
}

static bool
in_future(const struct lint_input *in, const struct crl_entry *x)
{
	return x->revoked_at > in->crl->this_update_at;
}

static enum lint_outcome
crl_unspecified(const struct lint_input *in)
{
	return lint_judge(in->crl->n > 0, !any_entry(in, says_unspecified));
}

static enum lint_outcome
crl_remove(const struct lint_input *in)
{
	return lint_judge(in->crl->n > 0, in->crl->base.p != NULL || !any_entry(in, says_remove));
}

static bool
is_indirect(const struct lint_input *in)
{
	struct issuing_point p;

	return crl_issuing_point(in->a, in->crl, &p) && p.indirect;
}

static enum lint_outcome
crl_issuers(const struct lint_input *in)
{
	return lint_judge(in->crl->n > 0, is_indirect(in) || !any_entry(in, names_issuer));
}

static enum lint_outcome
crl_future(const struct lint_input *in)
{
	return lint_judge(in->crl->n > 0, !any_entry(in, in_future));
}

static int
by_serial(const void *a, const void *b)
{
	const struct bytes *x = a, *y = b;

	return bytes_cmp(*x, *y);
}

static enum lint_outcome
crl_twice(const struct lint_input *in)
{
	struct bytes *v, rest = in->crl->entries;
	struct crl_entry x;
	size_t n = 0;
	bool twice = false;

	if (in->crl->n == 0 || in->crl->n > TWICE_MAX || is_indirect(in) ||
	    (v = arena_array(in->a, in->crl->n, sizeof(*v))) == NULL)
		return LINT_NA;
	while (crl_next(&rest, &x))
		v[n++] = x.serial;
	qsort(v, n, sizeof(*v), by_serial);
	for (size_t i = 1; i < n; i++)
		twice |= bytes_eq(v[i - 1], v[i]);
	return lint_judge(true, !twice);
}

#define S5 "RFC 5280 "
static const struct lint crl_table[] = {
	{ "rfc5280-5.1.2.1-crl-version-2", LINT_ERROR, S5 "5.1.2.1", "version must be 2", crl_version },
	{ "rfc5280-5.1.1.2-crl-known-algorithm", LINT_ERROR, S5 "5.1.1.2",
	  "signature algorithm must be a known one", crl_algorithm },
	{ "rfc5280-5.1.2.5-next-update", LINT_ERROR, S5 "5.1.2.5",
	  "the list must say when the next one comes", crl_next_update },
	{ "rfc5280-5.1.2.5-times-ordered", LINT_ERROR, S5 "5.1.2.5", "the next list must come after this one",
	  crl_times },
	{ "rfc5280-5.1.2.6-serial-twice", LINT_ERROR, S5 "5.1.2.6", "no serial number may stand twice",
	  crl_twice },
	{ "rfc5280-5.1.2.6-not-in-future", LINT_WARNING, S5 "5.1.2.6",
	  "no certificate should be revoked later than the list is made", crl_future },
	{ "rfc5280-5.2.1-crl-aki", LINT_ERROR, S5 "5.2.1",
	  "the authority key identifier must stand there, not critical, with a key identifier", crl_aki },
	{ "rfc5280-5.2.3-number", LINT_ERROR, S5 "5.2.3", "a list must have a number", crl_number_there },
	{ "rfc5280-5.2.3-number-not-critical", LINT_ERROR, S5 "5.2.3", "the number must not be critical",
	  crl_number_plain },
	{ "rfc5280-5.2.4-delta-critical", LINT_ERROR, S5 "5.2.4", "the delta indicator must be critical",
	  crl_delta_critical },
	{ "rfc5280-5.2.4-delta-after-base", LINT_ERROR, S5 "5.2.4", "a delta list must come after its base",
	  crl_delta_order },
	{ "rfc5280-5.2.5-point-critical", LINT_ERROR, S5 "5.2.5",
	  "the issuing distribution point must be critical", crl_point_critical },
	{ "rfc5280-5.2.6-freshest-not-critical", LINT_ERROR, S5 "5.2.6", "freshestCRL must not be critical",
	  crl_freshest_plain },
	{ "rfc5280-5.2.6-freshest-not-in-delta", LINT_ERROR, S5 "5.2.6",
	  "freshestCRL must not stand in a delta list", crl_freshest_place },
	{ "rfc5280-5.2-critical-unknown", LINT_ERROR, S5 "5.2",
	  "no critical extension may stand there that is not known", crl_unknown },
	{ "rfc5280-5.3.1-unspecified", LINT_WARNING, S5 "5.3.1", "the reason unspecified should be left out",
	  crl_unspecified },
	{ "rfc5280-5.3.1-remove-only-in-delta", LINT_ERROR, S5 "5.3.1",
	  "removeFromCRL may stand in delta lists only", crl_remove },
	{ "rfc5280-5.3.3-issuer-only-indirect", LINT_ERROR, S5 "5.3.3",
	  "certificateIssuer may stand in indirect lists only", crl_issuers },
};

/* ---- OCSP ---- */

/* Does it hold of every certificate in it? */
static enum lint_outcome
each(const struct lint_input *in,
     enum lint_outcome (*judge)(const struct lint_input *in, const struct ocsp_single *x))
{
	enum lint_outcome all = LINT_NA;
	struct bytes rest = in->ocsp->singles;
	struct ocsp_single x;

	while (all != LINT_FAIL && ocsp_single_next(&rest, &x)) {
		enum lint_outcome one = judge(in, &x);

		if (one != LINT_NA)
			all = one;
	}
	return all;
}

static enum lint_outcome
one_next(const struct lint_input *in, const struct ocsp_single *x)
{
	return lint_judge(true, x->next_update_at != OCSP_NO_TIME);
}

static enum lint_outcome
one_produced(const struct lint_input *in, const struct ocsp_single *x)
{
	return lint_judge(true, x->this_update_at <= in->ocsp->produced_at);
}

static enum lint_outcome
one_times(const struct lint_input *in, const struct ocsp_single *x)
{
	return lint_judge(x->next_update_at != OCSP_NO_TIME, x->this_update_at < x->next_update_at);
}

static enum lint_outcome
one_span(const struct lint_input *in, const struct ocsp_single *x)
{
	int64_t span = x->next_update_at == OCSP_NO_TIME ? 0 : x->next_update_at - x->this_update_at;

	return lint_judge(x->next_update_at != OCSP_NO_TIME,
			  span >= 8ll * HOUR_MS && span <= 240ll * HOUR_MS);
}

static enum lint_outcome
one_revoked(const struct lint_input *in, const struct ocsp_single *x)
{
	return lint_judge(x->status == OCSP_REVOKED, x->revoked_at <= x->this_update_at);
}

static enum lint_outcome
one_reason(const struct lint_input *in, const struct ocsp_single *x)
{
	return lint_judge(x->status == OCSP_REVOKED, x->reason != CRL_REMOVE);
}

static enum lint_outcome
one_cutoff(const struct lint_input *in, const struct ocsp_single *x)
{
	return lint_judge(x->archive_cutoff_at != OCSP_NO_TIME,
			  x->archive_cutoff_at <= in->ocsp->produced_at);
}

#define EACH(name, judge) \
	static enum lint_outcome name(const struct lint_input *in) \
	{ \
		return each(in, judge); \
	}
EACH(ocsp_next, one_next)
EACH(ocsp_produced, one_produced)
EACH(ocsp_times, one_times)
EACH(ocsp_span, one_span)
EACH(ocsp_revoked, one_revoked)
EACH(ocsp_reason, one_reason)
EACH(ocsp_cutoff, one_cutoff)

static enum lint_outcome
ocsp_algorithm(const struct lint_input *in)
{
	return lint_judge(true, in->ocsp->sigalg != SIGALG_NONE);
}

static enum lint_outcome
ocsp_by_key(const struct lint_input *in)
{
	return lint_judge(true, in->ocsp->key_hash.n > 0);
}

static enum lint_outcome
ocsp_nonce(const struct lint_input *in)
{
	size_t n = in->ocsp->nonce.n;

	return lint_judge(in->ocsp->nonce.p != NULL, n >= 1 && n <= OCSP_NONCE_MAX);
}

static enum lint_outcome
ocsp_one(const struct lint_input *in)
{
	return lint_judge(in->ocsp->nonce.p == NULL, in->ocsp->n == 1);
}

static const struct lint ocsp_table[] = {
	{ "rfc6960-4.2.1-ocsp-known-algorithm", LINT_ERROR, "RFC 6960 4.2.1",
	  "signature algorithm must be a known one", ocsp_algorithm },
	{ "rfc6960-4.2.2.1-this-update", LINT_ERROR, "RFC 6960 4.2.2.1",
	  "what is said must have been known when the response was made", ocsp_produced },
	{ "rfc6960-4.2.2.1-times-ordered", LINT_ERROR, "RFC 6960 4.2.2.1",
	  "the next update must come after this one", ocsp_times },
	{ "rfc6960-4.2.2.1-revoked-before", LINT_ERROR, "RFC 6960 4.2.2.1",
	  "a certificate must be revoked before it is said to be", ocsp_revoked },
	{ "rfc5280-5.3.1-ocsp-reason", LINT_ERROR, "RFC 5280 5.3.1",
	  "removeFromCRL is no reason of a certificate", ocsp_reason },
	{ "rfc6960-4.4.4-archive-cutoff", LINT_ERROR, "RFC 6960 4.4.4",
	  "an archive must not begin in the future", ocsp_cutoff },
	{ "rfc9654-2.1-nonce-length", LINT_ERROR, "RFC 9654 2.1", "a nonce must have 1 to 128 octets",
	  ocsp_nonce },
	{ "rfc5019-2.2.4-next-update", LINT_WARNING, "RFC 5019 2.2.4",
	  "a response should say how long it is good for", ocsp_next },
	{ "cabf-4.9.10-ocsp-interval", LINT_NOTICE, "CA/Browser Forum BR 4.9.10",
	  "a response should be good for 8 hours to 10 days", ocsp_span },
	{ "rfc5019-2.2.1-one-certificate", LINT_NOTICE, "RFC 5019 2.2.1",
	  "a response without nonce should be about one certificate", ocsp_one },
	{ "rfc5019-2.2.2-by-key", LINT_NOTICE, "RFC 5019 2.2.2", "the responder should be named by its key",
	  ocsp_by_key },
};

/* ---- both ---- */

static enum rc
judge_all(struct lint_input *in, const struct lint *table, size_t n, bool applies, struct lint_verdicts *ret,
	  struct err *e)
{
	struct lint_verdicts v = { 0 };

	v.v = arena_array(in->a, n, sizeof(*v.v));
	NEED(v.v != NULL, e, CHY_NO_MEMORY, NULL, "verdicts");
	for (size_t i = 0; i < n; i++)
		lint_count_in(&v, &table[i], applies ? table[i].fn(in) : LINT_NA);
	*ret = v;
	return RC_OK;
}

enum rc
lint_crl(struct arena *a, const struct crl *c, struct lint_verdicts *ret, struct err *e)
{
	struct lint_input in = { .crl = c, .a = a };

	return judge_all(&in, crl_table, ARRAY_LEN(crl_table), true, ret, e);
}

enum rc
lint_ocsp(struct arena *a, const struct ocsp_response *r, struct lint_verdicts *ret, struct err *e)
{
	struct lint_input in = { .ocsp = r, .a = a };

	return judge_all(&in, ocsp_table, ARRAY_LEN(ocsp_table), r->result == OCSP_SUCCESSFUL, ret, e);
}

const struct lint *
lint_crl_list(size_t *ret_n)
{
	*ret_n = ARRAY_LEN(crl_table);
	return crl_table;
}

const struct lint *
lint_ocsp_list(size_t *ret_n)
{
	*ret_n = ARRAY_LEN(ocsp_table);
	return ocsp_table;
}
