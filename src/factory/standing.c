#include "base/base.h"
#include "factory/standing.h"

#include "factory/callers.h"
#include "policy/rights.h"
#include "store/read.h"

enum { STANDING_PAGE = 100 };

/* What is asked of one officer after the other. */
struct search {
	struct factory *f;
	struct arena *a;
	const struct snapshot *policy;
	const int64_t *then; /* certificates that count as revoked */
	size_t then_n;
	int64_t now_ms;
	bool any;             /* one that acts is enough; else the one that does so longest is looked for */
	struct standing last; /* found so far; not_after_ms 0: none */
	int64_t *ids;         /* every one that stands, whatever its state; NULL: they are not wanted */
	size_t ids_n;
};

static bool
is_listed(const struct search *s, int64_t id)
{
	for (size_t i = 0; i < s->then_n; i++)
		if (s->then[i] == id)
			return true;
	return false;
}

static bool
is_found(const struct search *s)
{
	return s->any && s->last.not_after_ms != 0;
}

static void
take(struct search *s, const struct certificate_row *row)
{
	const struct standing c = { is_listed(s, row->id) ? CREDENTIAL_REVOKED
							  : credential_state_of(row->status),
				    row->not_before, row->not_after };
	const struct standing both[] = { s->last, c }, *last = standing_last(both, 2, s->now_ms);

	if (last != NULL)
		s->last = *last;
	if (s->ids != NULL && s->ids_n < OFFICER_CERTIFICATES_MAX)
		s->ids[s->ids_n++] = row->id;
}

/* By the subject: one that the officer asked for by the procedure. */
static enum rc
stands_for(struct search *s, struct arena *a, const struct officer *by_subject,
	   const struct certificate_row *row, bool *ret, struct err *e)
{
	struct officer_id asked;

	*ret = row->base == 0;
	if (by_subject == NULL || !*ret)
		return RC_OK;
	*ret = row->certificate_procedure == by_subject->certificate_procedure &&
	    row->id > by_subject->certificate;
	if (!*ret)
		return RC_OK;
	TRY(certificate_stands_for(s->f, a, row->id, &asked, e));
	*ret = asked.v == by_subject->id.v;
	return RC_OK;
}

/* by_subject NULL: whoever asked, by any procedure. */
static enum rc
look(struct search *s, enum search_by by, struct bytes what, const struct officer *by_subject, struct err *e)
{
	int64_t after = 0;
	size_t n;

	do {
		OWN(arena_free)
		struct arena *a = arena_new(LIMIT_REQUEST_ARENA); /* a subject may have any number of them */
		struct certificate_row *rows;
		bool stands;

		NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "officers");
		TRY(store_search(s->f->store, a, by, what, after, STANDING_PAGE, &rows, &n, e));
		for (size_t i = 0; i < n && !is_found(s); i++) {
			TRY(stands_for(s, a, by_subject, &rows[i], &stands, e));
			if (stands)
				take(s, &rows[i]);
		}
		after = n > 0 ? rows[n - 1].id : 0;
	} while (n == STANDING_PAGE && !is_found(s));
	return RC_OK;
}

/* An officer who is bound by the subject signs with any good certificate of it, one who is bound to a token with any of that. */
static enum rc
look_further(struct search *s, const struct officer *o, struct err *e)
{
	if (o->entity == ENTITY_SUBJECT && o->subject.n > 0)
		return look(s, SEARCH_SUBJECT, o->subject, o, e);
	for (size_t i = 0; o->entity == ENTITY_DYNAMIC_TOKEN && i < o->binding_n && !is_found(s); i++)
		TRY(look(s, SEARCH_KEY, bytes_of(o->keys[i], FINGERPRINT_LEN), NULL, e));
	return RC_OK;
}

/* With what is to be revoked or held only now nobody is counted on who is bound to a token, whatever the reason. */
static enum rc
is_stopped(struct search *s, const struct officer *o, int64_t id, bool *ret, struct err *e)
{
	struct credential c = { .bound = CREDENTIAL_REVOKED };

	if (!is_listed(s, id))
		TRY(officer_bound_state(s->f, s->a, s->policy, o, &c, e));
	*ret = bound_certificate_stops(o->entity, c.bound, c.bound_superseded);
	return RC_OK;
}

static enum rc
find_last(struct search *s, const struct officer *o, struct err *e)
{
	struct certificate_row row;
	bool stopped;
	int64_t id;

	s->last = (struct standing){ CREDENTIAL_GOOD, 0, 0 };
	TRY(officer_certificate(s->policy, o, &id, e));
	if (id == 0) {
		s->last.not_after_ms = INT64_MAX;
		return RC_OK;
	}
	TRY(store_certificate(s->f->store, s->a, id, &row, e));
	take(s, &row);
	if (is_found(s))
		return RC_OK;
	TRY(is_stopped(s, o, id, &stopped, e));
	return stopped ? RC_OK : look_further(s, o, e);
}

enum rc
officer_standing(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *o,
		 int64_t now_ms, struct standing *ret, struct err *e)
{
	struct search s = { .f = f, .a = a, .policy = policy, .now_ms = now_ms };

	TRY(find_last(&s, o, e));
	*ret = s.last;
	return RC_OK;
}

enum rc
officer_certificates(struct factory *f, struct arena *a, const struct snapshot *policy,
		     const struct officer *o, struct certificate_row **ret, size_t *ret_n, struct err *e)
{
	struct search s = { .f = f, .a = a, .policy = policy, .now_ms = clock_now_ms() };

	s.ids = arena_array(a, OFFICER_CERTIFICATES_MAX, sizeof(*s.ids));
	*ret = arena_array(a, OFFICER_CERTIFICATES_MAX, sizeof(**ret));
	NEED(s.ids != NULL && *ret != NULL, e, CHY_NO_MEMORY, NULL, "officers");
	TRY(find_last(&s, o, e));
	NEED(s.ids_n < OFFICER_CERTIFICATES_MAX, e, CHY_LIMIT, NULL, "%d certificates of one officer",
	     OFFICER_CERTIFICATES_MAX);
	for (*ret_n = 0; *ret_n < s.ids_n; (*ret_n)++)
		TRY(store_certificate(f->store, a, s.ids[*ret_n], &(*ret)[*ret_n], e));
	return RC_OK;
}

enum rc
officers_gone(struct factory *f, struct arena *a, const struct snapshot *policy, const int64_t *then,
	      size_t then_n, struct officers_gone *ret, struct err *e)
{
	struct search s = { .f = f,
			    .a = a,
			    .policy = policy,
			    .then = then,
			    .then_n = then_n,
			    .now_ms = clock_now_ms(),
			    .any = true };
	const struct document *const *docs;
	size_t n = snapshot_list(policy, KIND_OFFICER, &docs), found = 0;
	struct officer_id *ids = arena_array(a, n + 1, sizeof(*ids));

	NEED(ids != NULL, e, CHY_NO_MEMORY, NULL, "officers");
	for (size_t i = 0; i < n; i++) {
		const struct officer *o = snapshot_officer(policy, doc_officer(docs[i]->id));

		if (o == NULL || !o->active)
			continue;
		TRY(find_last(&s, o, e));
		if (s.last.not_after_ms == 0)
			ids[found++] = o->id;
	}
	*ret = (struct officers_gone){ ids, found };
	return RC_OK;
}
