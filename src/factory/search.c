#include "base/base.h"
#include "factory/search.h"

#include <endian.h>

#include "factory/leaf.h"
#include "factory/search_values.h"
#include "model/status.h"
#include "policy/rights.h"
#include "store/read.h"

enum {
	SCAN_PAGE = 250,        /* candidates asked for at once */
	SCAN_MOST = 2000,       /* candidates that one call looks at */
	VALUES_LIKE_MAX = 1000, /* values that a substring stands for; with more it selects nothing */
	CATCH_UP_MOST = 500,    /* certificates that are entered before a search */
	BEHIND_MOST = 1000000,
	KEY_MAX = 2048, /* of a cursor */
	SCRATCH_KEPT = 128 << 10,
	LIKE_LEN = 8, /* of a text's part that the index is asked for */
};

/* ---- is it what was asked for? ---- */

static bool
within(int64_t at, int64_t from, int64_t to)
{
	return at >= from && at < to;
}

/* The text with * for anything, by steps back to the last star. */
static bool
glob(struct bytes p, struct bytes s)
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
		bool right = p->attribute.n == 0 || bytes_eq(texts[i].attribute, p->attribute);

		if (p->email)
			right = bytes_is(texts[i].attribute, "emailAddress") ||
			    bytes_is(texts[i].attribute, "san");
		if (right && glob(p->text, folded[i]))
			return true;
	}
	return false;
}

static enum rc
has_texts(struct arena *a, const struct search_query *q, const struct certificate_row *c, bool *ret,
	  struct err *e)
{
	struct search_text *texts;
	struct bytes *folded;
	size_t n;

	if (q->patterns_n == 0)
		return RC_OK;
	TRY(search_texts_of(a, c, &texts, &n, e));
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

	if (q->states != 0 && !(q->states & 1u << r->c.status))
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

/* Where nothing was chosen at issue, it may. */
static bool
may_be_published(const struct found_row *r)
{
	return r->publication != 0;
}

/* The key identifier is no column: the index alone knows it, so it is always what the candidates come by. */
static bool
has_numbers(const struct search_query *q, const struct found_row *r)
{
	return (q->serial.n == 0 || bytes_eq(q->serial, r->c.serial)) &&
	    (q->sha256.n == 0 || bytes_eq(q->sha256, r->c.fingerprint)) &&
	    (q->token_procedure == 0 || q->token_procedure == r->c.token_procedure) &&
	    (q->certificate_procedure == 0 || q->certificate_procedure == r->c.certificate_procedure) &&
	    (q->publication < 0 || q->publication == may_be_published(r)) &&
	    ((q->activated_from == 0 && q->activated_to == INT64_MAX) ||
	     (r->activated != 0 && within(r->activated, q->activated_from, q->activated_to))) &&
	    ((q->published_from == 0 && q->published_to == INT64_MAX) ||
	     (r->published != 0 && within(r->published, q->published_from, q->published_to)));
}

struct searching {
	struct factory *f;
	struct arena *a;
	const struct snapshot *policy;
	const struct officer *who;
	const struct search_query *q;
	struct search_walk walk;
	bool few; /* the walk has at most SEARCH_TOTAL_MAX rows: all of them are taken and sorted */
	struct found_row *hits;
	size_t hits_n, scanned;
	bool ended; /* the walk is at its end */
	int64_t key, id;
	struct arena *scratch; /* of the texts that are looked at */
};

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

static enum rc
matches(struct searching *s, const struct found_row *r, bool *ret, struct err *e)
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
	return has_texts(scratch, q, &r->c, ret, e);
}

/* ---- by which index ---- */

/* Takes the walk if it has fewer rows than the one before; *best: how many. */
static enum rc
consider(struct searching *s, const struct search_walk *w, int64_t *best, struct err *e)
{
	int64_t n;

	TRY(store_search_count(s->f->store, s->a, w, SEARCH_TOTAL_MAX + 1, &n, e));
	if (n < *best) {
		*best = n;
		s->walk = *w;
	}
	return RC_OK;
}

static size_t
characters(struct bytes text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++)
		n += (text.p[i] & 0xc0) != 0x80; /* UTF-8: what continues a character is none */
	return n;
}

/* The index intersects the lists of all three-character pieces of a pattern, and those of common words are long: a part of a
   long text is enough, best the one with the most digits, for digits tell apart. */
static struct bytes
telling_part(struct bytes text)
{
	size_t best = 0, most = 0;

	if (text.n <= LIKE_LEN)
		return text;
	for (size_t i = 0; i + LIKE_LEN <= text.n; i++) {
		size_t digits = 0;

		for (size_t k = i; k < i + LIKE_LEN; k++) {
			if (text.p[k] & 0x80)
				return text; /* no character is cut */
			digits += text.p[k] >= '0' && text.p[k] <= '9';
		}
		if (digits > most) {
			most = digits;
			best = i;
		}
	}
	return bytes_part(text, best, LIKE_LEN);
}

/* The longest run of characters that mean nothing to us or to SQL's LIKE, as a pattern of it: more than was asked for is
   found, and every candidate is checked. Nothing where it is too short for the index of three characters. */
static struct bytes
like_of(struct arena *a, struct bytes pattern)
{
	struct bytes best = BYTES_NONE;
	uint8_t *p;

	for (size_t i = 0, from = 0; i <= pattern.n; i++) {
		if (i < pattern.n && memchr("*%_\\", pattern.p[i], 4) == NULL)
			continue;
		if (i - from > best.n)
			best = bytes_part(pattern, from, i - from);
		from = i + 1;
	}
	best = telling_part(best);
	p = arena_alloc(a, best.n + 2);
	if (p == NULL || characters(best) < 3 || !utf8_ok(best))
		return BYTES_NONE;
	p[0] = p[best.n + 1] = '%';
	memcpy(p + 1, best.p, best.n);
	return bytes_of(p, best.n + 2);
}

/* The values that a pattern can stand for: one that is named, those with its beginning, or those with a part of it. *n
   VALUES_LIKE_MAX: there are more. */
static enum rc
values_of_pattern(struct searching *s, const struct search_pattern *p, int64_t **ids, size_t *n,
		  struct err *e)
{
	struct bytes rest, begin = text_cut(p->text, '*', &rest), like;

	*n = VALUES_LIKE_MAX;
	if (rest.p == NULL && !p->email && p->attribute.n > 0) {
		*ids = arena_one(s->a, int64_t);
		NEED(*ids != NULL, e, CHY_NO_MEMORY, NULL, "a search");
		**ids = search_value_id(p->attribute, p->text);
		*n = 1;
		return RC_OK;
	}
	if (begin.n > 0)
		TRY(store_search_beginnings(s->f->store, s->a, begin, VALUES_LIKE_MAX, ids, n, e));
	like = like_of(s->a, begin.n > 0 ? rest : p->text); /* of a common beginning no part tells more */
	if (*n == VALUES_LIKE_MAX && like.n > 0)
		TRY(store_search_values(s->f->store, s->a, like, VALUES_LIKE_MAX, ids, n, e));
	return RC_OK;
}

static enum rc
consider_pattern(struct searching *s, const struct search_pattern *p, int64_t *best, struct err *e)
{
	struct search_walk w = { .by = WALK_VALUES, .descending = s->q->descending };
	int64_t *ids;

	TRY(values_of_pattern(s, p, &ids, &w.values_n, e));
	if (w.values_n == VALUES_LIKE_MAX)
		return RC_OK; /* nearly every row has one */
	w.values = ids;
	return consider(s, &w, best, e);
}

static enum rc
consider_value(struct searching *s, const char *attribute, struct bytes text, int64_t *best, struct err *e)
{
	int64_t *id = arena_one(s->a, int64_t);

	NEED(id != NULL, e, CHY_NO_MEMORY, NULL, "a search");
	*id = search_value_id(bytes_str(attribute), text);
	return consider(s,
			&(struct search_walk){
			    .by = WALK_VALUES, .descending = s->q->descending, .values = id, .values_n = 1 },
			best, e);
}

static enum rc
consider_states(struct searching *s, int64_t *best, struct err *e)
{
	const struct search_query *q = s->q;
	unsigned states = q->states ? q->states : ~0u;

	if (q->reasons != 0)
		states &= q->reasons == 1u << REASON_HOLD ? 1u << CERT_HELD
		    : q->reasons & 1u << REASON_HOLD      ? ~(1u << CERT_VALID)
							  : 1u << CERT_REVOKED;
	else if (q->since_from != 0 || q->since_to != INT64_MAX)
		states &= ~(1u << CERT_VALID);
	states &= (1u << CERT_STATE_COUNT) - 1;
	if (states != 1u << CERT_HELD && states != 1u << CERT_REVOKED)
		return RC_OK; /* two indexes' worth, or the many that are valid */
	return consider(s,
			&(struct search_walk){ .by = WALK_STATE,
					       .descending = q->descending,
					       .state = states == 1u << CERT_HELD ? CERT_HELD : CERT_REVOKED,
					       .from = q->since_from,
					       .to = q->since_to },
			best, e);
}

static enum rc
consider_between(struct searching *s, enum walk_by by, int64_t from, int64_t to, int64_t *best, struct err *e)
{
	const struct search_walk w = { .by = by, .descending = s->q->descending, .from = from, .to = to };

	return from > 0 || to != INT64_MAX ? consider(s, &w, best, e) : RC_OK;
}

static enum rc
consider_times(struct searching *s, int64_t *best, struct err *e)
{
	const struct search_query *q = s->q;
	int64_t end_from = q->end_from, end_to = q->end_to, begin_from = q->begin_from;

	if (q->is_expired == 1 && q->now_ms < end_to)
		end_to = q->now_ms;
	if (q->is_expired == 0 && q->now_ms > end_from)
		end_from = q->now_ms;
	if (q->is_not_yet_valid == 1 && q->now_ms > begin_from)
		begin_from = q->now_ms;
	TRY(consider_between(s, WALK_PUBLISHED, q->published_from, q->published_to, best, e));
	TRY(consider_between(s, WALK_ACTIVATED, q->activated_from, q->activated_to, best, e));
	TRY(consider_between(s, WALK_NOT_AFTER, end_from, end_to, best, e));
	return consider_between(s, WALK_NOT_BEFORE, begin_from, q->begin_to, best, e);
}

static enum rc
consider_numbers(struct searching *s, int64_t *best, struct err *e)
{
	const struct search_query *q = s->q;
	char hex[2 * 64 + 1], number[24];

	if (q->key_id.n > 0 && q->key_id.n <= 64)
		TRY(consider_value(s, "ski", bytes_str(hex_text(hex, q->key_id)), best, e));
	if (q->by_issuer && q->issuers_n == 1) {
		snprintf(number, sizeof(number), "%lld", (long long)q->issuers[0]);
		TRY(consider_value(s, "issuer", bytes_str(number), best, e));
	}
	if (q->token_procedure != 0) {
		snprintf(number, sizeof(number), "%lld", (long long)q->token_procedure);
		TRY(consider_value(s, "token-procedure", bytes_str(number), best, e));
	}
	return RC_OK;
}

static bool
is_broad_order(enum search_order order)
{
	return order == ORDER_SUBJECT || order == ORDER_SERIAL;
}

/* Of many: along the index of the order that was asked. */
static enum rc
plan_broad(struct searching *s, struct err *e)
{
	const struct search_query *q = s->q;
	struct search_walk w = { .descending = q->descending, .to = INT64_MAX };

	NEED(!is_broad_order(q->order) && (q->order != ORDER_SINCE || s->walk.by == WALK_STATE), e,
	     CHY_SEARCH_BROAD, NULL, "more than %d certificates: ask for fewer, or for another order",
	     SEARCH_TOTAL_MAX);
	NEED(q->key_id.n == 0 || s->walk.by == WALK_VALUES, e, CHY_SEARCH_BROAD, NULL,
	     "more than %d certificates have this key", SEARCH_TOTAL_MAX);
	if (q->order == ORDER_SINCE ||
	    (q->order == ORDER_ID && s->walk.by == WALK_VALUES && s->walk.values_n == 1))
		return RC_OK;
	w.by = q->order == ORDER_NOT_AFTER ? WALK_NOT_AFTER
	    : q->order == ORDER_NOT_BEFORE ? WALK_NOT_BEFORE
					   : WALK_ALL;
	if (w.by == WALK_NOT_AFTER) {
		w.from = q->end_from;
		w.to = q->end_to;
	}
	if (w.by == WALK_NOT_BEFORE) {
		w.from = q->begin_from;
		w.to = q->begin_to;
	}
	s->walk = w;
	return RC_OK;
}

static enum rc
plan(struct searching *s, struct err *e)
{
	int64_t best = SEARCH_TOTAL_MAX + 2;

	s->walk = (struct search_walk){ .by = WALK_ALL, .descending = s->q->descending, .to = INT64_MAX };
	TRY(consider_numbers(s, &best, e));
	for (size_t i = 0; i < s->q->patterns_n; i++)
		TRY(consider_pattern(s, &s->q->patterns[i], &best, e));
	TRY(consider_states(s, &best, e));
	TRY(consider_times(s, &best, e));
	s->few = best <= SEARCH_TOTAL_MAX;
	return s->few ? RC_OK : plan_broad(s, e);
}

/* ---- along it ---- */

static int64_t
key_of(enum walk_by by, const struct found_row *r)
{
	switch (by) {
	case WALK_NOT_AFTER:
		return r->c.not_after;
	case WALK_NOT_BEFORE:
		return r->c.not_before;
	case WALK_STATE:
		return r->at;
	default:
		return 0;
	}
}

static enum rc
step(struct searching *s, size_t most, struct err *e)
{
	struct found_row *rows;
	size_t n;

	TRY(store_search_walk(s->f->store, s->a, &s->walk, s->key, s->id, SCAN_PAGE, &rows, &n, e));
	for (size_t i = 0; i < n && s->hits_n < most; i++) {
		bool hit;

		s->key = key_of(s->walk.by, &rows[i]);
		s->id = rows[i].c.id;
		s->scanned++;
		TRY(matches(s, &rows[i], &hit, e));
		if (hit)
			s->hits[s->hits_n++] = rows[i];
	}
	s->ended = n < SCAN_PAGE && s->hits_n < most;
	return RC_OK;
}

/* *most* hits, or as far as one call goes. */
static enum rc
scan(struct searching *s, size_t most, size_t candidates, struct err *e)
{
	s->hits = arena_array(s->a, most + 1, sizeof(*s->hits));
	NEED(s->hits != NULL, e, CHY_NO_MEMORY, NULL, "a search");
	while (!s->ended && s->hits_n < most && s->scanned < candidates)
		TRY(step(s, most, e));
	return RC_OK;
}

/* ---- order ---- */

static uint64_t
ordered(int64_t v)
{
	return htobe64((uint64_t)v ^ (uint64_t)1 << 63);
}

/* Bytes that compare as the rows do. */
static struct bytes
order_key(struct arena *a, enum search_order order, const struct found_row *r)
{
	uint64_t n;

	switch (order) {
	case ORDER_SUBJECT:
		return bytes_part(r->c.subject, 0, KEY_MAX / 4);
	case ORDER_SERIAL:
		return r->c.serial;
	case ORDER_NOT_AFTER:
		n = ordered(r->c.not_after);
		break;
	case ORDER_NOT_BEFORE:
		n = ordered(r->c.not_before);
		break;
	case ORDER_SINCE:
		n = ordered(r->at);
		break;
	default:
		return BYTES_NONE;
	}
	return arena_dup(a, bytes_of((const uint8_t *)&n, sizeof(n)));
}

struct sorted {
	struct bytes key;
	const struct found_row *row;
};

static int
compare(struct bytes k1, int64_t id1, struct bytes k2, int64_t id2)
{
	int c = bytes_cmp(k1, k2);

	return c != 0 ? c : (id1 > id2) - (id1 < id2);
}

static int
by_key(const void *x, const void *y)
{
	const struct sorted *p = x, *q = y;

	return compare(p->key, p->row->c.id, q->key, q->row->c.id);
}

static int
by_key_down(const void *x, const void *y)
{
	return by_key(y, x);
}

/* ---- pages ---- */

/* "hexkey.id" */
static enum rc
cursor_read(struct arena *a, struct bytes text, struct bytes *key, int64_t *id, struct err *e)
{
	struct bytes number, hex = text_cut(text, '.', &number);

	*key = BYTES_NONE;
	if (hex.n > 0)
		TRY_AT(hex_parse(a, hex, key, e), e, "after");
	TRY_AT(int_parse(number, INT64_MIN, INT64_MAX, id, e), e, "after");
	return RC_OK;
}

static struct json *
cursor_json(struct arena *a, struct bytes key, int64_t id)
{
	OWN_BUF struct buf b = buf_max(2 * KEY_MAX + 64);

	hex_put(&b, key);
	buf_printf(&b, ".%lld", (long long)id);
	return json_str(a, buf_bytes(&b));
}

static const char *
validity_of(const struct certificate_row *c, int64_t now_ms)
{
	return c->not_after < now_ms ? "expired" : c->not_before > now_ms ? "not-yet-valid" : "valid";
}

static struct json *
item_json(struct arena *a, const struct found_row *r, int64_t now_ms)
{
	struct json *o = json_object(a);
	const struct certificate_row *c = &r->c;

	json_set(o, "id", json_int(a, c->id));
	json_set(o, "serial", json_hex(a, c->serial));
	json_set(o, "authority", json_int(a, c->issuer));
	json_set(o, "subject", json_str(a, c->subject));
	json_set(o, "alternative_names", json_str(a, c->san));
	json_set(o, "not_before", json_time(a, c->not_before));
	json_set(o, "not_after", json_time(a, c->not_after));
	json_set(o, "validity", json_str(a, bytes_str(validity_of(c, now_ms))));
	json_set(o, "state", json_str(a, bytes_str(cert_state_name(c->status))));
	if (c->status != CERT_VALID) {
		json_set(o, "reason", json_str(a, bytes_str(reason_name(r->reason))));
		json_set(o, "since", json_time(a, r->at));
	}
	json_set(o, "subject_type",
		 json_str(a,
			  bytes_str(c->base != 0            ? "AC"
					: c->authority != 0 ? "CA"
							    : "EE")));
	json_set(o, "publication_allowed", json_bool(a, may_be_published(r)));
	json_set(o, "ocsp_activated_at", r->activated ? json_time(a, r->activated) : json_null(a));
	json_set(o, "published_at", r->published ? json_time(a, r->published) : json_null(a));
	json_set(o, "token_procedure", json_int(a, c->token_procedure));
	json_set(o, "certificate_procedure", json_int(a, c->certificate_procedure));
	json_set(o, "sha256", json_hex(a, c->fingerprint));
	return o;
}

/* Few: all of them, sorted; the page is what stands behind the cursor. */
static enum rc
run_few(struct searching *s, struct json *items, struct json **next, struct err *e)
{
	struct sorted *list;
	struct bytes key = BYTES_NONE;
	int64_t id = 0;
	size_t shown = 0;

	s->walk.descending = false;
	s->key = s->id = INT64_MIN;
	TRY(scan(s, SEARCH_TOTAL_MAX + 1, SIZE_MAX, e));
	list = arena_array(s->a, s->hits_n + 1, sizeof(*list));
	NEED(list != NULL, e, CHY_NO_MEMORY, NULL, "a search");
	for (size_t i = 0; i < s->hits_n; i++)
		list[i] = (struct sorted){ order_key(s->a, s->q->order, &s->hits[i]), &s->hits[i] };
	qsort(list, s->hits_n, sizeof(*list), s->q->descending ? by_key_down : by_key);
	if (s->q->after.n > 0)
		TRY(cursor_read(s->a, s->q->after, &key, &id, e));
	for (size_t i = 0; i < s->hits_n; i++) {
		int c = compare(list[i].key, list[i].row->c.id, key, id);

		if (s->q->after.n > 0 && (s->q->descending ? c >= 0 : c <= 0))
			continue;
		if (shown == s->q->limit) {
			const struct sorted *last = &list[i - 1];

			*next = cursor_json(s->a, last->key, last->row->c.id);
			break;
		}
		json_add(items, item_json(s->a, list[i].row, s->q->now_ms));
		shown++;
	}
	return RC_OK;
}

static enum rc
start_at(struct searching *s, struct err *e)
{
	struct bytes key;
	uint64_t n;

	s->key = s->id = s->walk.descending ? INT64_MAX : INT64_MIN;
	if (s->q->after.n == 0)
		return RC_OK;
	TRY(cursor_read(s->a, s->q->after, &key, &s->id, e));
	if (key.n == sizeof(n)) {
		memcpy(&n, key.p, sizeof(n));
		s->key = (int64_t)(be64toh(n) ^ (uint64_t)1 << 63);
	}
	return RC_OK;
}

static struct json *
walk_cursor(struct searching *s, int64_t key, int64_t id)
{
	uint64_t n = ordered(key);
	bool keyed = s->walk.by == WALK_NOT_AFTER || s->walk.by == WALK_NOT_BEFORE ||
	    s->walk.by == WALK_STATE;

	return cursor_json(s->a, keyed ? bytes_of((const uint8_t *)&n, sizeof(n)) : BYTES_NONE, id);
}

/* Many: along the index. On the first page the total is counted as well, as far as one call goes. */
static enum rc
run_many(struct searching *s, struct json *items, struct json **next, struct err *e)
{
	bool first = s->q->after.n == 0;
	const struct found_row *last;

	TRY(start_at(s, e));
	TRY(scan(s, first ? SEARCH_TOTAL_MAX + 1 : s->q->limit + 1, SCAN_MOST, e));
	for (size_t i = 0; i < s->hits_n && i < s->q->limit; i++)
		json_add(items, item_json(s->a, &s->hits[i], s->q->now_ms));
	if (s->hits_n > s->q->limit) {
		last = &s->hits[s->q->limit - 1];
		*next = walk_cursor(s, key_of(s->walk.by, last), last->c.id);
	} else if (!s->ended) {
		*next = walk_cursor(s, s->key, s->id);
	}
	return RC_OK;
}

/* ---- one by its number ---- */

static enum rc
add_one(struct searching *s, int64_t id, struct json *items, struct err *e)
{
	struct found_row row;
	bool hit;

	TRY(store_search_one(s->f->store, s->a, id, &row, e));
	TRY(matches(s, &row, &hit, e));
	if (!hit)
		return RC_OK;
	s->hits_n++;
	json_add(items, item_json(s->a, &row, s->q->now_ms));
	return RC_OK;
}

/* A serial number is one certificate of each authority; a digest one of all. */
static enum rc
run_exact(struct searching *s, struct json *items, struct err *e)
{
	const struct document *const *docs;
	size_t n = snapshot_list(s->policy, KIND_AUTHORITY, &docs);
	struct certificate_row row;
	enum rc rc;

	s->ended = true;
	for (size_t i = 0; i < n && s->q->serial.n > 0; i++) {
		rc = store_certificate_by_serial(s->f->store, s->a, docs[i]->id.v, s->q->serial, &row, e);
		if (rc == RC_OK)
			rc = add_one(s, row.id, items, e);
		if (rc == RC_NOT_FOUND)
			err_clear(e);
		else
			TRY(rc);
	}
	if (s->q->serial.n > 0)
		return RC_OK;
	rc = store_certificate_by_fingerprint(s->f->store, s->a, s->q->sha256, &row, e);
	if (rc == RC_OK)
		rc = add_one(s, row.id, items, e);
	if (rc != RC_NOT_FOUND)
		return rc;
	err_clear(e);
	return RC_OK;
}

static enum rc
run(struct searching *s, struct json *items, struct json **next, struct err *e)
{
	size_t done;

	if (s->q->serial.n > 0 || s->q->sha256.n > 0)
		return run_exact(s, items, e);
	if (s->q->by_issuer && s->q->issuers_n == 0) {
		s->ended = true;
		return RC_OK;
	}
	TRY(search_values_catch_up(s->f, CATCH_UP_MOST, &done, e));
	TRY(plan(s, e));
	return s->few ? run_few(s, items, next, e) : run_many(s, items, next, e);
}

enum rc
search_run(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *who,
	   const struct search_query *q, struct json **ret, struct err *e)
{
	struct searching s = { .f = f, .a = a, .policy = policy, .who = who, .q = q };
	struct json *items = json_array(a), *next = json_null(a), *o = json_object(a);
	bool whole, counted = q->after.n == 0;
	int64_t behind;
	enum rc rc = run(&s, items, &next, e);

	arena_free(s.scratch);
	TRY(rc);
	TRY(store_values_behind(f->store, BEHIND_MOST, &behind, e));
	whole = s.few || s.ended;
	counted = counted || s.few;
	json_set(o, "items", items);
	json_set(o, "next", next);
	json_set(o, "total",
		 counted ? json_int(a, (int64_t)(s.hits_n < SEARCH_TOTAL_MAX ? s.hits_n : SEARCH_TOTAL_MAX))
			 : json_null(a));
	json_set(o, "more", counted ? json_bool(a, !whole || s.hits_n > SEARCH_TOTAL_MAX) : json_null(a));
	json_set(o, "behind", json_int(a, behind));
	NEED(o != NULL && items != NULL, e, CHY_NO_MEMORY, NULL, "a search");
	*ret = o;
	return RC_OK;
}
