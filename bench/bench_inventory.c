/*
 * Fills a store with certificates as an organisation of that size has them, and has them entered for search as the server does:
 * bench_inventory URL CERTIFICATES ISSUER TOKEN-PROCEDURE CERTIFICATE-PROCEDURE DER-FILE. All share one DER; their rows differ.
 */
#include "base/base.h"
#include "base/file.h"
#include "base/idgen.h"
#include "factory/factory.h"
#include "factory/search_values.h"
#include "store/change.h"
#include "store/read.h"

#include <pthread.h>

enum {
	PIECE = 500, /* certificates of one change */
	REVOKED_PERCENT = 5,
	DAYS_BACK = 1000, /* when the first one began */
	ORGANISATIONS = 500,
	UNITS = 20, /* of each */
};

static const int64_t day_ms = 86400000;

struct generator {
	struct store *store;
	struct idgen ids;
	struct certificate_row like; /* issuer and procedures */
	struct bytes der;
	int64_t now;
};

static uint64_t
mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

static void
fill(uint8_t *p, size_t n, uint64_t seed)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(mix(seed + i / 8) >> (8 * (i % 8)));
}

static void
put_revoked(struct change *c, const struct certificate_row *row, uint64_t draw)
{
	struct status_row status = { .id = row->id,
				     .issuer = row->issuer,
				     .serial = row->serial,
				     .state = CERTIFICATE_REVOKED,
				     .reason = (int64_t)(draw >> 8) % 5 + 1,
				     .at = row->not_before + day_ms,
				     .not_after = row->not_after };

	change_put_new_status(c, &status);
}

/* Host number n of those that are generated: two names, every fourth a person with a mail address instead. */
static void
put_one(struct generator *g, struct change *c, int64_t n)
{
	uint64_t draw = mix((uint64_t)n + 1);
	unsigned org = (unsigned)(draw % ORGANISATIONS), unit = (unsigned)(draw >> 20) % UNITS;
	bool person = n % 4 == 3;
	uint8_t serial[18] = { 1 }, hash[2][32];
	char subject[160], san[160];
	struct certificate_row row = g->like;

	fill(serial + 1, sizeof(serial) - 1, (uint64_t)n * 29);
	fill(hash[0], sizeof(hash), (uint64_t)n * 31);
	snprintf(subject, sizeof(subject),
		 person ? "CN=Person %lld,OU=Unit %u.%u,O=Organisation %u,C=SE"
			: "CN=host-%lld.example.org,OU=Unit %u.%u,O=Organisation %u,C=SE",
		 (long long)n, org, unit, org);
	if (person)
		snprintf(san, sizeof(san), "email:person.%lld@org-%u.example", (long long)n, org);
	else
		snprintf(san, sizeof(san), "dns:host-%lld.example.org\ndns:www.host-%lld.example.org",
			 (long long)n, (long long)n);
	row.id = idgen_next(&g->ids, g->now);
	row.serial = BYTES_OF(serial);
	row.subject = bytes_str(subject);
	row.san = bytes_str(san);
	row.key_hash = BYTES_OF(hash[0]);
	row.fingerprint = BYTES_OF(hash[1]);
	row.not_before = g->now - (int64_t)(draw >> 32) % (DAYS_BACK * day_ms);
	row.not_after = row.not_before + (int64_t)(90 + (draw >> 44) % 700) * day_ms;
	if (draw % 100 < REVOKED_PERCENT)
		row.status = CERTIFICATE_REVOKED;
	change_put_certificate(c, &row, g->der);
	if (row.status == CERTIFICATE_REVOKED)
		put_revoked(c, &row, draw);
}

static enum rc
put_all(struct generator *g, int64_t n, struct err *e)
{
	for (int64_t i = 0; i < n;) {
		struct change *c = change_new();

		for (int64_t end = i + PIECE < n ? i + PIECE : n; i < end; i++)
			put_one(g, c, i);
		TRY(store_commit(g->store, c, e));
	}
	return RC_OK;
}

static enum rc
enter_all(struct store *s, struct err *e)
{
	struct factory f = { .store = s,
			     .valuing = PTHREAD_MUTEX_INITIALIZER,
			     .valuing_pace = { 64, 64, 4096 } };
	size_t done = 1;

	while (done > 0)
		TRY(search_values_catch_up(&f, 10000, &done, e));
	return RC_OK;
}

static enum rc
generate(char **argv, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	struct generator g = { .now = clock_now_ms() };
	int64_t n, begun = clock_mono_us(), put, least;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "an arena");
	TRY(int_parse(bytes_str(argv[2]), 1, 100000000, &n, e));
	TRY(int_parse(bytes_str(argv[3]), 1, INT64_MAX, &g.like.issuer, e));
	TRY(int_parse(bytes_str(argv[4]), 1, INT64_MAX, &g.like.token_procedure, e));
	TRY(int_parse(bytes_str(argv[5]), 1, INT64_MAX, &g.like.certificate_procedure, e));
	TRY(file_read(a, argv[6], 1 << 16, &g.der, e));
	TRY(store_open(argv[1], NULL, &g.store, e));
	TRY(store_high_id(g.store, &least, e));
	idgen_init(&g.ids, 0, least);
	TRY(put_all(&g, n, e));
	put = clock_mono_us();
	TRY(enter_all(g.store, e));
	printf("stored %.0f\nentered %.0f\n", (double)n * 1e6 / (double)(put - begun),
	       (double)n * 1e6 / (double)(clock_mono_us() - put));
	store_close(g.store);
	return RC_OK;
}

int
main(int argc, char **argv)
{
	struct err e = { 0 };

	if (argc != 7) {
		fprintf(stderr,
			"usage: bench_inventory URL CERTIFICATES ISSUER TOKEN-PROCEDURE "
			"CERTIFICATE-PROCEDURE DER-FILE\n");
		return 2;
	}
	if (generate(argv, &e) != RC_OK) {
		fprintf(stderr, "CHY-%d %s\n", e.code, e.text);
		return 1;
	}
	return 0;
}
