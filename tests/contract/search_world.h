/*
 * Certificates that are made up, drawn from SEED, and what a question says of each of them when it is looked at by itself: what the
 * search is held against (test_search_pages.c).
 */
#ifndef TESTS_SEARCH_WORLD_H
#define TESTS_SEARCH_WORLD_H

#include "base/base.h"
#include "factory/search.h"
#include "factory/search_values.h"
#include "model/status.h"
#include "store_world.h"

#include <fnmatch.h>

enum {
	SEED = 20261130,
	MANY = 6000, /* more than the search sorts, looks at in one call, or gathers of several values */
	OLD = 60,    /* the first of them have a unit that the others have not */
	PIECE = 500,
	LARGE_NAME = 40000,
};

#define HOUR_MS 3600000LL
#define DAY_MS (24 * HOUR_MS)
#define NOW 1795262400000LL /* 2026-11-21T12:00:00Z */

/* Documents. All officers see what lies in Root; those of a domain nothing of another beside it. */
enum {
	NORTH = 101,
	SOUTH = 102,
	KEY = 401,
	MAIN_CA = 501,
	TWIN_CA = 502,
	SOUTH_CA = 503, /* of the same name as TWIN_CA */
	NOWHERE_CA = 999,
	IN_SOUTH = 801,
	IN_NORTH = 802,
};

static const struct officer chief = { .roles = ROLES(ROLE_USE_AWB) },
			    of_north = { .roles = ROLES(ROLE_USE_AWB), .domain = { NORTH } };

struct issued {
	int64_t id, issuer, procedure, not_before, not_after, since;
	enum cert_state state;
	enum reason reason;
	char name[16], organisation[16], unit[16], country[4], hosts[2][32], subject[96], san[80];
	uint8_t serial[18], hash[32];
	bool removed;
};

static struct issued certs[MANY];
static size_t certs_n;

static char large_name[LARGE_NAME + 1]; /* that all of them have; mostly empty */

static uint64_t luck;

/* 0 to n - 1, the same ones in every run (xorshift). */
static int64_t
below(int64_t n)
{
	luck ^= luck << 13;
	luck ^= luck >> 7;
	luck ^= luck << 17;
	return (int64_t)(luck % (uint64_t)n);
}

static const char *
one_of(const char *const *words)
{
	int64_t n = 0;

	while (words[n] != NULL)
		n++;
	return words[below(n)];
}

/* ---- what there is ---- */

static struct snapshot *
policy(void)
{
#define TWIN "\"type\":\"root\",\"ca_key\":401,\"subject\":\"CN=Twin,O=Example,C=SE\""
	static const struct document docs[] = {
		{ { NORTH }, 1, KIND_DOMAIN, .text = BYTES("{\"name\":\"North\"}") },
		{ { SOUTH }, 1, KIND_DOMAIN, .text = BYTES("{\"name\":\"South\"}") },
		{ { KEY }, 1, KIND_CA_KEY, .text = BYTES("{\"name\":\"Key\",\"algorithm\":\"p-256\"}") },
		{ { MAIN_CA },
		  1,
		  KIND_AUTHORITY,
		  .text = BYTES(
		      "{\"name\":\"Main\",\"type\":\"root\",\"ca_key\":401,\"subject\":\"CN=Main,C=SE\"}") },
		{ { TWIN_CA }, 1, KIND_AUTHORITY, .text = BYTES("{\"name\":\"Twin\"," TWIN "}") },
		{ { SOUTH_CA },
		  1,
		  KIND_AUTHORITY,
		  .text = BYTES("{\"name\":\"South twin\",\"domain\":102," TWIN "}") },
		{ { IN_SOUTH },
		  1,
		  KIND_TOKEN_PROCEDURE,
		  .text = BYTES("{\"name\":\"South\",\"domain\":102}") },
		{ { IN_NORTH },
		  1,
		  KIND_TOKEN_PROCEDURE,
		  .text = BYTES("{\"name\":\"North\",\"domain\":101}") },
	};
#undef TWIN
	const struct snapshot_input in = { .documents = docs, .documents_n = ARRAY_LEN(docs) };
	struct snapshot *ret = NULL;
	struct err e = { 0 };

	assert_ok(snapshot_build(&in, &ret, &e), &e, __FILE__, __LINE__);
	return ret;
}

/* The older ones are mostly revoked, so that what is found is not spread evenly. */
static void
make_state(struct issued *c, size_t i)
{
	static const enum reason reasons[] = { REASON_UNSPECIFIED, REASON_KEY_COMPROMISE, REASON_SUPERSEDED };
	int64_t n = below(10);

	c->state = n < (i < certs_n / 3 ? 6 : 1) ? CERT_REVOKED : n == 9 ? CERT_HELD : CERT_VALID;
	if (c->state == CERT_VALID)
		return;
	c->reason = c->state == CERT_HELD ? REASON_HOLD : reasons[below(3)];
	c->since = NOW - below(300) * HOUR_MS;
}

static void
make_texts(struct issued *c, size_t i)
{
	static const char *const countries[] = { "SE", "DE", "FR" };

	snprintf(c->name, sizeof(c->name), "Name%zu", i);
	snprintf(c->organisation, sizeof(c->organisation), "Org %zu", i % 4);
	snprintf(c->unit, sizeof(c->unit), "%s%lld", i < OLD ? "old" : "unit", (long long)below(12));
	snprintf(c->country, sizeof(c->country), "%s", countries[i % 3]);
	snprintf(c->hosts[0], sizeof(c->hosts[0]), "h%zu.%s.example", i, i % 2 ? "odd" : "even");
	snprintf(c->hosts[1], sizeof(c->hosts[1]), "%c.wide.example", "wxyz"[below(4)]);
	snprintf(c->subject, sizeof(c->subject), "CN=%s,OU=%s,O=%s,C=%s", c->name, c->unit, c->organisation,
		 c->country);
	snprintf(c->san, sizeof(c->san), "dns:%s\ndns:%s", c->hosts[0], c->hosts[1]);
}

static void
make(struct issued *c, size_t i)
{
	*c = (struct issued){ .id = 1000 + 3 * (int64_t)i,
			      .issuer = i % 10 == 9 ? SOUTH_CA
				  : i % 10 < 3      ? TWIN_CA
						    : MAIN_CA,
			      .procedure = i % 7 ? IN_SOUTH : IN_NORTH,
			      .not_before = NOW - (below(200) - 20) * DAY_MS,
			      .not_after = NOW + (below(300) - 100) * DAY_MS };
	make_texts(c, i);
	make_state(c, i);
	for (size_t k = 0; k < sizeof(c->hash); k++)
		c->hash[k] = (uint8_t)below(256);
	memcpy(c->serial, c->hash, sizeof(c->serial));
	c->serial[0] = 1;
}

static void
put(struct change *change, const struct issued *c)
{
	OWN_BUF struct buf san = buf_max(sizeof(c->san) + sizeof(large_name));
	struct certificate_row row = { .id = c->id,
				       .serial = BYTES_OF(c->serial),
				       .issuer = c->issuer,
				       .subject = bytes_str(c->subject),
				       .not_before = c->not_before,
				       .not_after = c->not_after,
				       .token_procedure = c->procedure,
				       .certificate_procedure = 12,
				       .key_hash = BYTES_OF(c->hash),
				       .fingerprint = BYTES_OF(c->hash) };

	buf_printf(&san, "%s%s", c->san, large_name);
	row.san = buf_bytes(&san);
	change_put_certificate(change, &row, BYTES("x"));
}

static void
put_state(struct change *change, const struct issued *c)
{
	const struct status_row row = { .id = c->id,
					.issuer = c->issuer,
					.serial = BYTES_OF(c->serial),
					.state = c->state,
					.reason = c->reason,
					.at = c->since,
					.not_after = c->not_after };

	if (c->state != CERT_VALID)
		change_put_status(change, &row, 0);
}

static void
put_all(struct world *w, void (*fn)(struct change *, const struct issued *))
{
	for (size_t i = 0; i < certs_n; i += PIECE) {
		struct change *c = change_new();

		for (size_t k = i; k < i + PIECE && k < certs_n; k++)
			fn(c, &certs[k]);
		ok(store_commit(w->s, c, &w->e));
	}
}

/* What searching needs of a factory. */
static struct factory
fill(struct world *w, size_t n)
{
	struct factory f = { .store = w->s,
			     .valuing = PTHREAD_MUTEX_INITIALIZER,
			     .valuing_pace = { .n = 500, .least = 64, .most = 4096 } };
	size_t done;

	luck = SEED;
	certs_n = n;
	for (size_t i = 0; i < n; i++)
		make(&certs[i], i);
	put_all(w, put);
	put_all(w, put_state);
	ok(search_values_catch_up(&f, n + 1, &done, &w->e));
	assert_int_equal(done, n);
	return f;
}

/* ---- what is right ---- */

static bool
like(const char *pattern, const char *text)
{
	return fnmatch(pattern, text, FNM_CASEFOLD) == 0;
}

/* member: of the question; "text" and "email" are of several. */
static bool
has(const struct issued *c, struct bytes member, const char *pattern)
{
	const struct {
		const char *member, *text;
	} values[] = { { "common_name", c->name },          { "organisation", c->organisation },
		       { "organisational_unit", c->unit },  { "country", c->country },
		       { "alternative_name", c->hosts[0] }, { "alternative_name", c->hosts[1] } };

	if (bytes_is(member, "email"))
		member = BYTES("alternative_name");
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		if ((bytes_is(member, "text") || bytes_is(member, values[i].member)) &&
		    like(pattern, values[i].text))
			return true;
	return false;
}

static bool
has_words(const struct issued *c, struct bytes member, const struct json *v)
{
	char pattern[64];

	if (!bytes_is(member, "text"))
		return has(c, member, (const char *)v->str.p);
	for (struct bytes word, rest = v->str; rest.n > 0;) {
		word = text_cut(rest, ' ', &rest);
		snprintf(pattern, sizeof(pattern), "*%.*s*", BYTES_FMT(word));
		if (!has(c, member, pattern))
			return false;
	}
	return true;
}

/* One word, or one of a list. */
static bool
says(const struct json *v, const char *word)
{
	JSON_EACH(x, v)
	{
		if (bytes_is(x->str, word))
			return true;
	}
	return v->type == JSON_STR && bytes_is(v->str, word);
}

static bool
has_issuer(const struct issued *c, struct bytes member, const struct json *v)
{
	return bytes_is(member, "authority") ? c->issuer == v->integer : c->issuer != MAIN_CA;
}

static bool
has_procedure(const struct issued *c, struct bytes member, const struct json *v)
{
	(void)member;
	return c->procedure == v->integer;
}

static bool
has_state(const struct issued *c, struct bytes member, const struct json *v)
{
	(void)member;
	return says(v, cert_state_name(c->state));
}

static bool
has_reason(const struct issued *c, struct bytes member, const struct json *v)
{
	(void)member;
	return c->state != CERT_VALID && says(v, reason_name(c->reason));
}

static bool
is_so(const struct issued *c, struct bytes member, const struct json *v)
{
	bool is = bytes_is(member, "is_expired") ? c->not_after < NOW
	    : bytes_is(member, "is_not_revoked") ? c->state != CERT_REVOKED
						 : c->not_before > NOW;

	return is == v->boolean;
}

static bool
is_in_time(const struct issued *c, struct bytes member, const struct json *v)
{
	int64_t is = bytes_starts(member, "revoked_") ? c->since
	    : bytes_starts(member, "valid_from_")     ? c->not_before
						      : c->not_after;
	bool from = bytes_is(member, "revoked_from") || bytes_is(member, "valid_from_from") ||
	    bytes_is(member, "valid_to_from");
	int64_t at = 0;

	assert_int_equal(time_parse(v->str, &at, NULL), RC_OK);
	if (bytes_starts(member, "revoked_") && c->state == CERT_VALID)
		return false;
	return from ? is >= at : is < at;
}

typedef bool holds_fn(const struct issued *, struct bytes member, const struct json *);

static const struct {
	const char *member;
	holds_fn *holds; /* NULL: says how it is shown */
} members[] = {
	{ "text", has_words },
	{ "common_name", has_words },
	{ "organisation", has_words },
	{ "organisational_unit", has_words },
	{ "country", has_words },
	{ "alternative_name", has_words },
	{ "email", has_words },
	{ "authority", has_issuer },
	{ "issuer", has_issuer },
	{ "token_procedure", has_procedure },
	{ "state", has_state },
	{ "reason", has_reason },
	{ "is_not_revoked", is_so },
	{ "is_expired", is_so },
	{ "is_not_yet_valid", is_so },
	{ "revoked_from", is_in_time },
	{ "revoked_to", is_in_time },
	{ "valid_from_from", is_in_time },
	{ "valid_from_to", is_in_time },
	{ "valid_to_from", is_in_time },
	{ "valid_to_to", is_in_time },
	{ "order", NULL },
	{ "descending", NULL },
	{ "limit", NULL },
	{ "after", NULL },
};

static bool
holds(const struct issued *c, const struct json *condition)
{
	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		if (bytes_is(condition->name, members[i].member))
			return members[i].holds == NULL || members[i].holds(c, condition->name, condition);
	fail_msg("nobody here knows what %.*s is", BYTES_FMT(condition->name));
	return false;
}

static bool
is_seen(const struct issued *c, const struct officer *who)
{
	return who == &chief || (c->procedure == IN_NORTH && c->issuer != SOUTH_CA);
}

static bool
is_wanted(const struct issued *c, const struct json *question, const struct officer *who)
{
	if (c->removed || !is_seen(c, who))
		return false;
	JSON_EACH(condition, question)
	{
		if (!holds(c, condition))
			return false;
	}
	return true;
}

static int
difference(int64_t x, int64_t y)
{
	return (x > y) - (x < y);
}

/* Which is first, where it goes up. */
static int
compare(struct bytes order, const struct issued *x, const struct issued *y)
{
	if (bytes_is(order, "valid_to"))
		return difference(x->not_after, y->not_after);
	if (bytes_is(order, "valid_from"))
		return difference(x->not_before, y->not_before);
	if (bytes_is(order, "since"))
		return difference(x->since, y->since);
	if (bytes_is(order, "subject"))
		return strcmp(x->subject, y->subject);
	if (bytes_is(order, "serial"))
		return memcmp(x->serial, y->serial, sizeof(x->serial));
	return difference(x->id, y->id);
}

#endif
