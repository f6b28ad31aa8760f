#include "base/base.h"
#include "factory/search_impl.h"
#include "factory/search_values.h"
#include "model/status.h"
#include "policy/rights.h"

enum { SCRATCH_KEPT = 128 << 10 };

static bool
within(int64_t at, int64_t from, int64_t to)
{
	return at >= from && at < to;
}

/* By steps back to the last star. */
bool
search_glob(struct bytes p, struct bytes s)
{
	size_t i = 0, k = 0, star = SIZE_MAX, back = 0;

	while (k < s.n) {
		if (i < p.n && p.p[i] == '*') {
			star = i++;
			back = k;
		} else if (i < p.n && p.p[i] == s.p[k]) {
			i++;
			k++;
		} else if (star != SIZE_MAX) {
			i = star + 1;
			k = ++back;
		} else {
			return false;
		}
	}
	while (i < p.n && p.p[i] == '*')
		i++;
	return i == p.n;
}

static bool
has_pattern(const struct search_pattern *p, const struct search_text *texts, const struct bytes *folded,
	    size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool right = p->attribute.n == 0 ? !search_is_field(texts[i].attribute)
						 : bytes_eq(texts[i].attribute, p->attribute);

		if (p->email)
			right = bytes_is(texts[i].attribute, "emailAddress") ||
			    bytes_is(texts[i].attribute, "san");
		if (right && search_glob(p->text, folded[i]))
			return true;
	}
	return false;
}

static bool
asks_for_fields(const struct search_query *q)
{
	for (size_t i = 0; i < q->patterns_n; i++)
		if (search_is_field(q->patterns[i].attribute))
			return true;
	return false;
}

static enum rc
has_texts(struct searching *s, struct arena *a, const struct certificate_row *c, bool *ret, struct err *e)
{
	const struct search_query *q = s->q;
	struct search_text *texts;
	struct bytes *folded;
	size_t n;

	if (q->patterns_n == 0)
		return RC_OK;
	TRY(search_texts_of(a, c, &texts, &n, e));
	if (asks_for_fields(q))
		TRY(search_fields_of(s->f, a, c->id, texts, &n, e));
	folded = arena_array(a, n + 1, sizeof(*folded));
	NEED(folded != NULL, e, CHY_NO_MEMORY, NULL, "a search");
	for (size_t i = 0; i < n; i++)
		folded[i] = search_fold(a, texts[i].value);
	for (size_t i = 0; i < q->patterns_n && *ret; i++)
		*ret = has_pattern(&q->patterns[i], texts, folded, n);
	return RC_OK;
}

static bool
has_issuer(const struct search_query *q, int64_t issuer)
{
	for (size_t i = 0; i < q->issuers_n; i++)
		if (q->issuers[i] == issuer)
			return true;
	return !q->by_issuer;
}

static bool
has_status(const struct search_query *q, const struct found_row *r)
{
	bool revoked = r->c.status != CERT_VALID;

	if (!(q->states & 1u << r->c.status))
		return false;
	if (q->reasons != 0 && !(revoked && r->reason < 32 && q->reasons & 1u << r->reason))
		return false;
	return (q->since_from == 0 && q->since_to == INT64_MAX) ||
	    (revoked && within(r->at, q->since_from, q->since_to));
}

static bool
has_times(const struct search_query *q, const struct certificate_row *c)
{
	return within(c->not_before, q->begin_from, q->begin_to) &&
	    within(c->not_after, q->end_from, q->end_to) &&
	    (q->is_expired < 0 || q->is_expired == (c->not_after < q->now_ms)) &&
	    (q->is_not_yet_valid < 0 || q->is_not_yet_valid == (c->not_before > q->now_ms));
}

static bool
is_of_kind(const struct search_query *q, const struct certificate_row *c)
{
	int kind = c->base != 0 ? 3 : c->authority != 0 ? 2 : 1;

	return q->kind == 0 || q->kind == kind;
}

bool
search_may_be_published(const struct found_row *r)
{
	return r->publication != 0;
}

/* The key identifier is no column: candidates come by it, or are looked into (search.c). */
static bool
has_numbers(const struct search_query *q, const struct found_row *r)
{
	return (q->serial.n == 0 || bytes_eq(q->serial, r->c.serial)) &&
	    (q->sha256.n == 0 || bytes_eq(q->sha256, r->c.fingerprint)) &&
	    (q->token_procedure == 0 || q->token_procedure == r->c.token_procedure) &&
	    (q->certificate_procedure == 0 || q->certificate_procedure == r->c.certificate_procedure) &&
	    (q->publication < 0 || q->publication == search_may_be_published(r)) &&
	    ((q->activated_from == 0 && q->activated_to == INT64_MAX) ||
	     (r->activated != 0 && within(r->activated, q->activated_from, q->activated_to))) &&
	    ((q->published_from == 0 && q->published_to == INT64_MAX) ||
	     (r->published != 0 && within(r->published, q->published_from, q->published_to)));
}

/* Memory for one candidate's texts: one arena for some hundred of them. */
static struct arena *
scratch_of(struct searching *s)
{
	if (s->scratch != NULL && arena_used(s->scratch) > SCRATCH_KEPT) {
		arena_free(s->scratch);
		s->scratch = NULL;
	}
	if (s->scratch == NULL)
		s->scratch = arena_new(LIMIT_REQUEST_ARENA);
	return s->scratch;
}

enum rc
search_matches(struct searching *s, const struct found_row *r, bool *ret, struct err *e)
{
	const struct search_query *q = s->q;
	struct arena *scratch;

	*ret = has_numbers(q, r) && has_issuer(q, r->c.issuer) && has_status(q, r) && has_times(q, &r->c) &&
	    is_of_kind(q, &r->c) &&
	    may_see_certificate(s->policy, s->who, snapshot_document(s->policy, doc_id_of(r->c.issuer)),
				snapshot_document(s->policy, doc_id_of(r->c.token_procedure)), NULL) == RC_OK;
	if (!*ret || q->patterns_n == 0)
		return RC_OK;
	NEED((scratch = scratch_of(s)) != NULL, e, CHY_NO_MEMORY, NULL, "a search");
	TRY(has_texts(s, scratch, &r->c, ret, e));
	NEED(!arena_failed(scratch), e, CHY_NO_MEMORY, NULL, "a search");
	return RC_OK;
}
