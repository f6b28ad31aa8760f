#include "search_world.h"

/*
 * The search as officers ask it, on both engines alike, over certificates that are made up: every page of many questions is compared with
 * what looking at each certificate says. Whichever index the search goes by, over all pages those that fit and that the officer sees
 * come once each, nothing else comes, in the order that was asked for, and totals are right.
 *
 * Certificates and questions are drawn from SEED; what goes wrong says the question as JSON, which asked alone gives the same again.
 */

enum {
	FEW = 900, /* nothing of so few is too broad */
	SOME = 2000,
	QUESTIONS = 150,
	QUESTIONS_POSTGRES = 60, /* each takes it five times as long */
	PAGES_MOST = 30,         /* else the question gets a larger limit */
	SLOW_PAGE = 25,          /* certificates that a page gets on by at least, if it is not full */
	LARGE = 600,             /* of which no thousand fits into a call's memory */
};

/* ---- asking ---- */

struct asking {
	struct factory *f;
	const struct snapshot *policy;
	const struct officer *who;
	struct json *question;
	struct arena *a; /* keeps the question */
	char text[1024]; /* the question without its cursor */

	struct bytes order; /* "id" where none was asked for */
	bool down;
	size_t limit;

	size_t wanted; /* how many there are */
	bool came[MANY];
	const struct issued *last; /* that came */
	size_t pages;
	bool refused, ended;
};

static void
asking_free(struct asking *q)
{
	arena_free(q->a);
}
OWN_DEFINE(struct asking *, asking_free)

#define wrong(q, fmt, ...) \
	fail_msg("seed %d, %zu certificates, %s, %s, page %zu of %zu that fit: " fmt, SEED, certs_n, \
		 (q)->who == &chief ? "who sees all" : "of the north", (q)->text, (q)->pages, (q)->wanted, \
		 ##__VA_ARGS__)

/* Again when certificates were removed. */
static void
count_wanted(struct asking *q)
{
	q->wanted = 0;
	for (size_t i = 0; i < certs_n; i++)
		q->wanted += is_wanted(&certs[i], q->question, q->who);
}

static void
set_limit(struct asking *q)
{
	const struct json *limit = json_get(q->question, "limit");

	q->limit = limit != NULL ? (size_t)limit->integer : 100;
	if (q->wanted / q->limit < PAGES_MOST)
		return;
	q->limit = q->wanted / PAGES_MOST + 1;
	json_set(q->question, "limit", json_int(q->a, (int64_t)q->limit));
}

static struct asking *
begin(struct world *w, struct factory *f, const struct snapshot *policy, const struct officer *who,
      struct bytes text)
{
	OWN_BUF struct buf b = buf_max(sizeof(((struct asking *)NULL)->text));
	struct arena *a = arena_new(1 << 20);
	struct asking *q = arena_one(a, struct asking);
	const struct json *order, *down;

	assert_non_null(q);
	*q = (struct asking){ .f = f, .policy = policy, .who = who, .a = a };
	ok(json_parse(q->a, text, &q->question, &w->e));
	order = json_get(q->question, "order");
	down = json_get(q->question, "descending");
	q->order = order != NULL ? order->str : BYTES("id");
	q->down = down != NULL ? down->boolean : bytes_is(q->order, "id"); /* the newest first */
	count_wanted(q);
	set_limit(q);
	json_put(&b, q->question);
	snprintf(q->text, sizeof(q->text), "%.*s", BYTES_FMT(buf_bytes(&b)));
	return q;
}

static bool
is_itself(const struct issued *c, const struct json *item)
{
	const struct json *reason = json_get(item, "reason");
	struct bytes san = json_get(item, "alternative_names")->str;
	size_t n = strlen(c->san);

	return bytes_is(json_get(item, "subject")->str, c->subject) && san.n == n + strlen(large_name) &&
	    bytes_is(bytes_part(san, 0, n), c->san) &&
	    bytes_is(json_get(item, "state")->str, cert_state_name(c->state)) &&
	    (reason != NULL) == (c->state != CERT_VALID) &&
	    (reason == NULL || bytes_is(reason->str, reason_name(c->reason)));
}

static void
take_item(struct asking *q, const struct json *item)
{
	int64_t id = json_get(item, "id")->integer;
	size_t i = (size_t)(id - 1000) / 3;
	int way;

	if (id < 1000 || i >= certs_n || certs[i].id != id || !is_wanted(&certs[i], q->question, q->who))
		wrong(q, "certificate %lld is none of them", (long long)id);
	if (q->came[i])
		wrong(q, "certificate %lld comes again", (long long)id);
	q->came[i] = true;
	if (!is_itself(&certs[i], item))
		wrong(q, "certificate %lld is not itself", (long long)id);
	way = q->last != NULL ? compare(q->order, q->last, &certs[i]) : 0;
	if (q->down ? way < 0 : way > 0)
		wrong(q, "%lld does not come behind %lld", (long long)id, (long long)q->last->id);
	q->last = &certs[i];
}

/* Exact, or there may be more: which says that not all were looked at. */
static void
check_total(struct asking *q, const struct json *answer)
{
	const struct json *total = json_get(answer, "total"), *more = json_get(answer, "more");

	if (total->type == JSON_NULL && q->pages > 1)
		return;
	if (total->type != JSON_INT || more->type != JSON_BOOL)
		wrong(q, "there is no total");
	if (total->integer > SEARCH_TOTAL_MAX || (size_t)total->integer > q->wanted ||
	    (!more->boolean && (size_t)total->integer != q->wanted))
		wrong(q, "the total is %lld%s", (long long)total->integer, more->boolean ? " and more" : "");
}

static bool
is_broad(const struct asking *q)
{
	return certs_n > SEARCH_TOTAL_MAX && q->pages == 1 &&
	    (bytes_is(q->order, "subject") || bytes_is(q->order, "serial") || bytes_is(q->order, "since"));
}

static void
take(struct asking *q, const struct json *answer)
{
	const struct json *items = json_get(answer, "items"), *next = json_get(answer, "next");

	if (items->count > q->limit)
		wrong(q, "%zu come at once", items->count);
	JSON_EACH(item, items)
	{
		take_item(q, item);
	}
	check_total(q, answer);
	q->ended = next->type != JSON_STR;
	if (!q->ended)
		json_set(q->question, "after", json_str(q->a, next->str));
}

/* One page, as the API does it but for the clock. */
static size_t
turn(struct asking *q)
{
	OWN(arena_free)
	struct arena *a = arena_new(LIMIT_REQUEST_ARENA);
	struct search_query query;
	struct json *answer;
	struct err e = { 0 };
	enum rc rc;

	q->pages++;
	if (search_read(q->f, a, q->policy, q->question, &query, &e) != RC_OK)
		wrong(q, "CHY-%d %s: %s", e.code, e.field, e.text);
	query.now_ms = NOW;
	rc = search_run(q->f, a, q->policy, q->who, &query, &answer, &e);
	q->refused = rc != RC_OK && e.code == CHY_SEARCH_BROAD && is_broad(q);
	if (rc != RC_OK && !q->refused)
		wrong(q, "CHY-%d %s", e.code, e.text);
	q->ended = q->refused;
	if (q->refused)
		return 0;
	take(q, answer);
	return json_get(answer, "items")->count;
}

/* To the end. */
static void
follow(struct asking *q)
{
	while (!q->ended) {
		(void)turn(q);
		if (q->pages > q->wanted / q->limit + certs_n / SLOW_PAGE + 2)
			wrong(q, "it does not end");
	}
	for (size_t i = 0; i < certs_n && !q->refused; i++)
		if (!q->came[i] && is_wanted(&certs[i], q->question, q->who))
			wrong(q, "certificate %lld does not come", (long long)certs[i].id);
}

/* ---- questions that chance makes ---- */

static bool
one_in(int64_t n)
{
	return below(n) == 0;
}

/* A # of the pattern is a number below most. */
static void
ask_text(struct buf *b, const char *member, const char *const *patterns, int64_t most)
{
	const char *pattern = one_of(patterns), *rest = strchr(pattern, '#');

	buf_printf(b, ",\"%s\":\"", member);
	if (rest == NULL)
		buf_str(b, pattern);
	else
		buf_printf(b, "%.*s%lld%s", (int)(rest - pattern), pattern, (long long)below(most), rest + 1);
	buf_str(b, "\"");
}

static const struct {
	const char *member, *patterns[6];
	int64_t most;
} texts[] = {
	{ "common_name", { "name#*", "Name#", "*me#*", "name*", NULL }, 60 },
	{ "organisation", { "org #", "ORG*", "*#", NULL }, 5 },
	{ "organisational_unit", { "unit#", "unit#*", "old*", "*l*", NULL }, 12 },
	{ "country", { "se", "DE", "*", NULL }, 1 },
	{ "alternative_name", { "w.wide.example", "*.odd.*", "h#.*", "*y.wi*", NULL }, 30 },
	{ "email", { "x.wide.example", "z.*", NULL }, 1 },
	{ "text", { "wide", "me#", "org #", "y.wide unit#", "old", NULL }, 12 },
};

static void
ask_texts(struct buf *b)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (one_in(7))
			ask_text(b, texts[i].member, texts[i].patterns, texts[i].most);
}

static void
ask_numbers(struct buf *b)
{
	static const int authorities[] = { MAIN_CA, MAIN_CA, TWIN_CA, TWIN_CA, SOUTH_CA, NOWHERE_CA };

	if (one_in(5))
		buf_printf(b, ",\"authority\":%d", authorities[below(ARRAY_LEN(authorities))]);
	if (one_in(10))
		buf_str(b, ",\"issuer\":\"CN=Twin,O=Example,C=SE\"");
	if (one_in(5))
		buf_printf(b, ",\"token_procedure\":%d", one_in(2) ? IN_SOUTH : IN_NORTH);
}

static void
ask_states(struct buf *b)
{
	static const char *const states[] = { "\"valid\"",
					      "\"held\"",
					      "\"revoked\"",
					      "[\"held\",\"revoked\"]",
					      "[\"valid\",\"revoked\"]",
					      "[\"valid\",\"held\"]",
					      NULL };
	static const char *const reasons[] = { "\"key-compromise\"",
					       "\"certificate-hold\"",
					       "[\"unspecified\",\"superseded\"]",
					       "[\"certificate-hold\",\"key-compromise\"]",
					       "\"privilege-withdrawn\"",
					       NULL };

	if (one_in(3))
		buf_printf(b, ",\"state\":%s", one_of(states));
	if (one_in(6))
		buf_printf(b, ",\"reason\":%s", one_of(reasons));
}

static void
ask_flag(struct buf *b, const char *member, int64_t seldom)
{
	if (one_in(seldom))
		buf_printf(b, ",\"%s\":%s", member, one_in(2) ? "true" : "false");
}

/* Some time of many ones, or from one to another. */
static void
ask_times(struct buf *b, const char *from, const char *to, int64_t first, int64_t step, int64_t many)
{
	char text[32];

	if (one_in(8))
		buf_printf(b, ",\"%s\":\"%s\"", from, time_text(text, first + below(many) * step));
	if (one_in(8))
		buf_printf(b, ",\"%s\":\"%s\"", to, time_text(text, first + below(many) * step));
}

static void
ask_order(struct buf *b)
{
	static const char *const orders[] = { "id",      "valid_to", "valid_from", "since",
					      "subject", "serial",   NULL };
	static const int limits[] = { 1, 3, 20, 70, 100, 249, 250, 251, 300, 1000 };

	buf_printf(b, "\"limit\":%d", limits[below(ARRAY_LEN(limits))]);
	if (one_in(2))
		buf_printf(b, ",\"order\":\"%s\"", one_of(orders));
	ask_flag(b, "descending", 2);
}

static void
ask_anything(struct buf *b)
{
	buf_str(b, "{");
	ask_order(b);
	ask_texts(b);
	ask_numbers(b);
	ask_states(b);
	ask_flag(b, "is_not_revoked", 12);
	ask_flag(b, "is_expired", 6);
	ask_flag(b, "is_not_yet_valid", 9);
	ask_times(b, "revoked_from", "revoked_to", NOW - 300 * HOUR_MS, HOUR_MS, 300);
	ask_times(b, "valid_from_from", "valid_from_to", NOW - 180 * DAY_MS, DAY_MS, 200);
	ask_times(b, "valid_to_from", "valid_to_to", NOW - 100 * DAY_MS, DAY_MS, 300);
	buf_str(b, "}");
}

static void
ask_what_chance_makes(struct world *w, size_t n)
{
	OWN(snapshot_unref)
	struct snapshot *s = policy();
	struct factory f = fill(w, n);

	for (int i = 0; i < (w->postgres ? QUESTIONS_POSTGRES : QUESTIONS); i++) {
		OWN_BUF struct buf text = buf_max(4096);
		OWN(asking_free)
		struct asking *q = NULL;

		ask_anything(&text);
		q = begin(w, &f, s, one_in(5) ? &of_north : &chief, buf_bytes(&text));
		follow(q);
	}
}

static void
many_are_found_page_by_page(void **state)
{
	ask_what_chance_makes(*state, MANY);
}

/* Of so few no question is too broad for its order. */
static void
few_are_found_page_by_page(void **state)
{
	ask_what_chance_makes(*state, FEW);
}

/* ---- questions of their own ---- */

static void
ask_one_after_the_other(struct world *w, size_t n, const char *const *questions, void (*fn)(struct asking *q))
{
	OWN(snapshot_unref)
	struct snapshot *s = policy();
	struct factory f = fill(w, n);

	for (size_t i = 0; questions[i] != NULL; i++) {
		OWN(asking_free)
		struct asking *q = begin(w, &f, s, &chief, bytes_str(questions[i]));

		fn(q);
	}
}

static void
finds_nothing(struct asking *q)
{
	assert_int_equal(q->wanted, 0);
	follow(q);
}

static void
what_contradicts_itself_finds_nothing(void **state)
{
	static const char *const questions[] = {
		"{\"state\":\"revoked\",\"is_not_revoked\":true}",
		"{\"state\":\"revoked\",\"is_not_revoked\":true,\"order\":\"since\"}",
		"{\"state\":\"revoked\",\"is_not_revoked\":true,\"text\":\"wide\"}",
		"{\"state\":[\"valid\",\"held\"],\"is_not_revoked\":false}",
		"{\"state\":\"held\",\"reason\":\"key-compromise\"}",
		"{\"state\":\"valid\",\"reason\":\"unspecified\"}",
		"{\"state\":\"valid\",\"revoked_from\":\"2000-01-01T00:00:00Z\"}",
		"{\"is_not_revoked\":true,\"reason\":\"superseded\",\"order\":\"valid_to\"}",
		"{\"authority\":501,\"issuer\":\"CN=Twin,O=Example,C=SE\"}",
		"{\"is_expired\":true,\"valid_to_from\":\"2026-11-21T12:00:00Z\"}",
		NULL,
	};

	ask_one_after_the_other(*state, SOME, questions, finds_nothing);
}

static void
begins_at_once(struct asking *q)
{
	assert_true(q->wanted > 0);
	if (turn(q) == 0)
		wrong(q, "%s", "the first page is empty");
	follow(q);
}

/* However many newer ones one of the conditions has, the other one finds them. */
static void
what_is_old_and_rare_is_found_at_once(void **state)
{
	static const char *const questions[] = {
		"{\"authority\":501,\"text\":\"old\"}",
		"{\"authority\":502,\"text\":\"old\"}",
		"{\"authority\":502,\"organisational_unit\":\"old*\"}",
		"{\"authority\":502,\"organisational_unit\":\"old1\"}",
		"{\"authority\":502,\"text\":\"old\",\"order\":\"valid_to\"}",
		"{\"token_procedure\":801,\"text\":\"old\"}",
		"{\"organisation\":\"org 1\",\"organisational_unit\":\"*old*\"}",
		NULL,
	};

	ask_one_after_the_other(*state, MANY, questions, begins_at_once);
}

/* Of one value's certificates, those that have others too: on the first page as well as far behind it, in both directions. */
static void
values_together_are_found_in_order(void **state)
{
	static const char *const questions[] = {
		"{\"limit\":20,\"organisation\":\"org 1\",\"country\":\"se\"}",
		"{\"limit\":100,\"organisation\":\"org 1\",\"country\":\"se\"}",
		"{\"limit\":100,\"organisation\":\"org 1\",\"country\":\"se\",\"descending\":false}",
		"{\"limit\":1000,\"organisation\":\"org 2\",\"country\":\"de\",\"token_procedure\":802}",
		"{\"limit\":100,\"authority\":502,\"country\":\"fr\"}",
		"{\"limit\":100,\"authority\":502,\"country\":\"fr\",\"descending\":false}",
		"{\"limit\":7,\"authority\":502,\"organisational_unit\":\"unit5\"}",
		"{\"limit\":100,\"alternative_name\":\"w.wide.example\",\"state\":\"revoked\"}",
		"{\"limit\":100,\"alternative_name\":\"w.wide.example\",\"state\":\"revoked\",\"descending\":"
		"false}",
		NULL,
	};

	ask_one_after_the_other(*state, SOME, questions, begins_at_once);
}

/* A page ends where a call's memory does, and the next one goes on there. */
static void
large_ones_come_on_short_pages(void **state)
{
	static const char *const questions[] = {
		"{\"limit\":1000}",
		"{\"limit\":1000,\"order\":\"valid_to\",\"descending\":true}",
		"{\"limit\":1000,\"token_procedure\":802,\"state\":\"valid\"}",
		"{\"limit\":1000,\"common_name\":\"name1*\",\"country\":\"se\"}",
		NULL,
	};

	memset(large_name, 'x', LARGE_NAME);
	memcpy(large_name, "\ndns:", 5);
	ask_one_after_the_other(*state, LARGE, questions, begins_at_once);
	memset(large_name, 0, sizeof(large_name));
}

/* ---- removed meanwhile ---- */

/* As the officers' act does. */
static void
remove_one(struct asking *q, struct world *w, struct issued *c)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	struct change *change = change_new();
	struct certificate_row row;
	const struct removed_row removed = { .id = c->id,
					     .issuer = c->issuer,
					     .serial = BYTES_OF(c->serial),
					     .fingerprint = BYTES_OF(c->hash),
					     .at = NOW };

	ok(store_certificate(w->s, a, c->id, &row, &w->e));
	ok(search_values_remove(q->f, a, change, &row, &w->e));
	change_remove_certificate(change, &removed, c->not_before);
	ok(store_commit(w->s, change, &w->e));
	c->removed = true;
}

/* The one that the cursor stands on, and every third that is found, on the pages before and behind. */
static void
remove_some(struct asking *q, struct world *w)
{
	size_t n = 0;

	for (size_t i = 0; i < certs_n; i++)
		if (is_wanted(&certs[i], q->question, q->who) && (n++ % 3 == 0 || &certs[i] == q->last))
			remove_one(q, w, &certs[i]);
	assert_true(q->last->removed);
	count_wanted(q);
}

static void
what_is_removed_meanwhile_leaves_the_rest_as_it_is(void **state)
{
	static const char *const questions[] = {
		"{\"limit\":20,\"common_name\":\"name12*\"}",
		"{\"limit\":20,\"common_name\":\"name13*\",\"order\":\"subject\"}",
		"{\"limit\":20,\"common_name\":\"name14*\",\"order\":\"valid_to\",\"descending\":true}",
		"{\"limit\":20,\"state\":\"held\",\"order\":\"since\"}",
		"{\"limit\":20,\"reason\":\"key-compromise\",\"order\":\"since\",\"descending\":true}",
		"{\"limit\":20,\"token_procedure\":802,\"state\":\"valid\"}",
		"{\"limit\":50,\"organisational_unit\":\"unit3\",\"descending\":false}",
		"{\"limit\":50,\"authority\":503,\"order\":\"serial\"}",
		"{\"limit\":100,\"order\":\"valid_from\"}",
		"{\"limit\":100}",
		NULL,
	};
	OWN(snapshot_unref)
	struct snapshot *s = policy();
	struct world *w = *state;
	struct factory f = fill(w, SOME);

	for (size_t i = 0; questions[i] != NULL; i++) {
		OWN(asking_free)
		struct asking *q = begin(w, &f, s, &chief, bytes_str(questions[i]));

		while (q->pages < 2 || q->last == NULL) {
			(void)turn(q);
			assert_false(q->ended);
		}
		remove_some(q, w);
		follow(q);
	}
}

/* ---- without memory ---- */

static _Thread_local int64_t allocations, failing = INT64_MAX;

bool __real_fault_asked(const char *name);
bool __wrap_fault_asked(const char *name);

bool
__wrap_fault_asked(const char *name)
{
	if (strcmp(name, "base.alloc") == 0 && failing < INT64_MAX)
		return ++allocations == failing;
	return __real_fault_asked(name);
}

static enum rc
answer_of(struct asking *q, struct buf *out, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(LIMIT_REQUEST_ARENA);
	struct search_query query;
	struct json *answer;

	TRY(search_read(q->f, a, q->policy, q->question, &query, e));
	query.now_ms = NOW;
	TRY(search_run(q->f, a, q->policy, q->who, &query, &answer, e));
	failing = INT64_MAX; /* the answer is made */
	json_put(out, answer);
	return RC_OK;
}

/* One allocation after the other fails: what is answered all the same is the whole answer. */
static void
is_whole_or_refused(struct asking *q)
{
	OWN_BUF struct buf whole = buf_max(1 << 20);
	struct err e = { 0 };
	int64_t refused = 0;

	assert_ok(answer_of(q, &whole, &e), &e, __FILE__, __LINE__);
	for (int64_t n = 1, reached = 1; reached; n++) {
		OWN_BUF struct buf b = buf_max(1 << 20);
		enum rc rc;

		err_clear(&e);
		allocations = 0;
		failing = n;
		rc = answer_of(q, &b, &e);
		failing = INT64_MAX;
		reached = allocations >= n;
		refused += rc != RC_OK;
		if (rc == RC_OK && !bytes_eq(buf_bytes(&b), buf_bytes(&whole)))
			wrong(q, "without allocation %lld: %s", (long long)n, buf_cstr(&b));
		if (rc != RC_OK && e.code != CHY_NO_MEMORY)
			wrong(q, "without allocation %lld: CHY-%d %s", (long long)n, e.code, e.text);
	}
	assert_true(refused > 50);
}

static void
without_memory_nothing_is_left_out(void **state)
{
	static const char *const questions[] = {
		"{\"limit\":3,\"organisation\":\"org 1\",\"country\":\"se\"}",
		"{\"limit\":3,\"text\":\"name1 wide\",\"order\":\"subject\"}",
		"{\"limit\":3,\"common_name\":\"name*\",\"state\":[\"revoked\",\"held\"],\"order\":"
		"\"since\"}",
		"{\"limit\":3,\"alternative_name\":\"*wide*\",\"is_expired\":false}",
		NULL,
	};

	fault_armed = true;
	ask_one_after_the_other(*state, 60, questions, is_whole_or_refused);
}

int
main(void)
{
	static const struct world_test tests[] = {
		{ "many are found page by page", many_are_found_page_by_page },
		{ "few are found page by page", few_are_found_page_by_page },
		{ "what contradicts itself finds nothing", what_contradicts_itself_finds_nothing },
		{ "what is old and rare is found at once", what_is_old_and_rare_is_found_at_once },
		{ "values together are found in order", values_together_are_found_in_order },
		{ "large ones come on short pages", large_ones_come_on_short_pages },
		{ "without memory nothing is left out", without_memory_nothing_is_left_out },
		{ "what is removed meanwhile leaves the rest as it is",
		  what_is_removed_meanwhile_leaves_the_rest_as_it_is },
	};

	return world_run("pages of the search", tests, ARRAY_LEN(tests));
}
