/*
 * Fills a store with certificates as an organisation of that size has them: bench_inventory issued|many URL FROM TO ISSUER
 * TOKEN-PROCEDURE CERTIFICATE-PROCEDURE DER-FILE makes those with the numbers FROM to TO - 1. All share one DER; their rows differ.
 * issued: committed and entered for search as the server does it, at a speed that is told. many: the same rows, but sorted for each
 * table: their keys are digests, and millions of them by small commits would write every page of every index again and again. The index
 * of texts is the caller's to make afterwards.
 */
#include "base/base.h"
#include "base/file.h"
#include "base/idgen.h"
#include "factory/factory.h"
#include "factory/search_values.h"
#include "pki/cert.h"
#include "store/core.h"

#include <semaphore.h>

enum {
	PIECE = 500,          /* certificates of one change */
	ROWS_AT_ONCE = 20000, /* other rows of one */
	IN_FLIGHT = 4,        /* changes that wait for their commit */
	REVOKED_PERCENT = 5,
	DAYS_BACK = 1000, /* when the first one began */
	ORGANISATIONS = 500,
	UNITS = 20,      /* of each */
	SEARCH_ROWS = 6, /* of one certificate: subject, key, fingerprint, two names */
	LINKS = 12,
};

static const int64_t day_ms = 86400000;

/* A value's text stands in `texts`. */
struct text_value {
	int64_t id;
	uint32_t len;
	uint8_t attribute;
	size_t at;
};

struct generator {
	struct store *store;
	struct idgen ids;
	struct certificate_row like; /* issuer and procedures */
	struct bytes der, key_id;
	int64_t now;
	sem_t room;
	_Atomic(enum rc) failed;
	/* of those that are entered at once */
	struct search_row *rows;
	struct link_row *links;
	struct begin_row *begins;
	struct text_value *values;
	uint8_t *texts;
	size_t rows_n, links_n, begins_n, values_n, texts_n, texts_cap;
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
	change_add_counter(c, "certificates.revoked", 1);
}

/* ---- what the followers would enter ---- */

static void
add_value(struct generator *g, struct bytes attribute, struct bytes folded, int64_t certificate, int kind)
{
	int64_t id = search_value_id(attribute, folded);

	g->links[g->links_n++] = (struct link_row){ id, certificate };
	if (kind == 0 || g->texts_n + folded.n > g->texts_cap)
		return;
	memcpy(g->texts + g->texts_n, folded.p, folded.n);
	g->values[g->values_n++] = (struct text_value){ id, (uint32_t)folded.n, (uint8_t)kind, g->texts_n };
	g->texts_n += folded.n;
}

static void
add_number(struct generator *g, const char *attribute, int64_t number, int64_t certificate)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)number);
	add_value(g, bytes_str(attribute), bytes_str(text), certificate, 0);
}

static void
add_entry(struct generator *g, enum search_by by, struct bytes value, int64_t certificate)
{
	g->rows[g->rows_n++] = store_search_entry(by, value, certificate);
}

static enum rc
note(struct generator *g, const struct certificate_row *row, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	struct search_text *texts;
	char hex[2 * 64 + 1];
	size_t n;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "an arena");
	add_entry(g, SEARCH_SUBJECT, row->subject, row->id);
	add_entry(g, SEARCH_KEY, row->key_hash, row->id);
	add_entry(g, SEARCH_FINGERPRINT, row->fingerprint, row->id);
	for (struct bytes rest = row->san; rest.n > 0;)
		add_entry(g, SEARCH_SAN, text_cut(rest, '\n', &rest), row->id);
	TRY(search_texts_of(a, row, &texts, &n, e));
	for (size_t i = 0; i < n; i++)
		add_value(g, texts[i].attribute, search_fold(a, texts[i].value), row->id,
			  bytes_is(texts[i].attribute, "san") ? 2 : 1);
	add_number(g, "issuer", row->issuer, row->id);
	add_number(g, "token-procedure", row->token_procedure, row->id);
	if (g->key_id.n > 0)
		add_value(g, BYTES("ski"), bytes_str(hex_text(hex, g->key_id)), row->id, 0);
	g->begins[g->begins_n++] = (struct begin_row){ row->not_before, row->id };
	return RC_OK;
}

/* ---- certificates ---- */

/* As it is put where the followers have nothing left to do. */
static enum rc
put_entered(struct generator *g, struct change *c, const struct certificate_row *row, struct err *e)
{
	change_row(c, Q_PUT_CERTIFICATE, row);
	change_op(c, Q_PUT_DER, (const union value[]){ INT_VALUE(row->id), BYTES_VALUE(g->der) });
	return note(g, row, e);
}

/* Host number n of those that are generated: two names, every fourth a person with a mail address instead. */
static enum rc
put_one(struct generator *g, struct change *c, int64_t n, bool entered, struct err *e)
{
	uint64_t draw = mix((uint64_t)n + 1);
	unsigned org = (unsigned)(draw % ORGANISATIONS), unit = (unsigned)(draw >> 20) % UNITS;
	bool person = n % 4 == 3;
	uint8_t serial[18] = { 1 }, hash[2][32];
	char subject[160], san[160];
	struct certificate_row row = g->like;

	fill(serial + 6, sizeof(serial) - 6, (uint64_t)n * 29);
	for (size_t i = 0; i < 5; i++) /* ordered by time, as ours are */
		serial[1 + i] = (uint8_t)((uint64_t)n >> (32 - 8 * i));
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
	if (entered)
		TRY(put_entered(g, c, &row, e));
	else
		change_put_certificate(c, &row, g->der);
	change_add_counter(c, "certificates.issued", 1);
	if (row.status == CERTIFICATE_REVOKED)
		put_revoked(c, &row, draw);
	return RC_OK;
}

static void
committed(void *arg, enum rc rc, const struct err *e)
{
	struct generator *g = arg;

	if (rc != RC_OK) {
		fprintf(stderr, "CHY-%d %s\n", e->code, e->text);
		atomic_store(&g->failed, rc);
	}
	sem_post(&g->room);
}

static enum rc
submit(struct generator *g, struct change *c, struct err *e)
{
	sem_wait(&g->room);
	NEED(atomic_load(&g->failed) == RC_OK, e, CHY_STORE_IO, NULL, "a change before it failed");
	return store_submit(g->store, c, committed, g, e);
}

static enum rc
drain(struct generator *g, struct err *e)
{
	for (int i = 0; i < IN_FLIGHT; i++)
		sem_wait(&g->room);
	for (int i = 0; i < IN_FLIGHT; i++)
		sem_post(&g->room);
	NEED(atomic_load(&g->failed) == RC_OK, e, CHY_STORE_IO, NULL, "a change failed");
	return RC_OK;
}

static enum rc
put_all(struct generator *g, int64_t from, int64_t to, bool entered, struct err *e)
{
	while (from < to) {
		struct change *c = change_new();

		for (int64_t end = from + PIECE < to ? from + PIECE : to; from < end; from++)
			TRY(put_one(g, c, from, entered, e));
		TRY(submit(g, c, e));
	}
	return drain(g, e);
}

/* ---- sorted, table by table ---- */

/* Links by value and certificate, and what begins by time and certificate. */
static int
by_pair(const void *x, const void *y)
{
	const int64_t *a = x, *b = y;

	return a[0] != b[0] ? (a[0] > b[0]) - (a[0] < b[0]) : (a[1] > b[1]) - (a[1] < b[1]);
}
_Static_assert(sizeof(struct link_row) == 2 * sizeof(int64_t) &&
		   sizeof(struct begin_row) == 2 * sizeof(int64_t),
	       "pairs of numbers");

static int
by_id(const void *x, const void *y)
{
	const struct text_value *a = x, *b = y;

	return (a->id > b->id) - (a->id < b->id);
}

typedef void put_fn(struct generator *g, struct change *c, size_t i);

static void
put_entry(struct generator *g, struct change *c, size_t i)
{
	change_row(c, Q_PUT_SEARCH, &g->rows[i]);
}

static void
put_link(struct generator *g, struct change *c, size_t i)
{
	change_put_link(c, &g->links[i]);
}

static void
put_begin(struct generator *g, struct change *c, size_t i)
{
	change_put_begin(c, &g->begins[i]);
}

static void
put_value(struct generator *g, struct change *c, size_t i)
{
	const struct text_value *v = &g->values[i];

	const struct value_row row = { v->id, v->attribute, bytes_of(g->texts + v->at, v->len) };

	if (i > 0 && v->id == v[-1].id)
		return;
	change_row(c, Q_PUT_VALUE, &row);
	change_put_value_numbers(c, &row);
}

static enum rc
put_sorted(struct generator *g, const char *what, void *p, size_t n, size_t size,
	   int (*order)(const void *, const void *), put_fn *put, struct err *e)
{
	int64_t begun = clock_mono_us();

	qsort(p, n, size, order);
	for (size_t i = 0; i < n;) {
		struct change *c = change_new();

		for (size_t end = i + ROWS_AT_ONCE < n ? i + ROWS_AT_ONCE : n; i < end; i++)
			put(g, c, i);
		TRY(submit(g, c, e));
	}
	TRY(drain(g, e));
	fprintf(stderr, "%zu %s in %lld s\n", n, what, (long long)((clock_mono_us() - begun) / 1000000));
	return RC_OK;
}

static enum rc
room_for(struct generator *g, size_t n, struct err *e)
{
	g->texts_cap = n * 160;
	g->rows = calloc(n * SEARCH_ROWS + 1, sizeof(*g->rows));
	g->links = calloc(n * LINKS + 1, sizeof(*g->links));
	g->begins = calloc(n + 1, sizeof(*g->begins));
	g->values = calloc(n * LINKS + 1, sizeof(*g->values));
	g->texts = malloc(g->texts_cap + 1);
	NEED(g->rows && g->links && g->begins && g->values && g->texts, e, CHY_NO_MEMORY, NULL,
	     "%zu certificates", n);
	return RC_OK;
}

static enum rc
put_many(struct generator *g, int64_t from, int64_t to, struct err *e)
{
	TRY(room_for(g, (size_t)(to - from), e));
	TRY(put_all(g, from, to, true, e));
	TRY(put_sorted(g, "values", g->values, g->values_n, sizeof(*g->values), by_id, put_value, e));
	free(g->values);
	free(g->texts);
	TRY(put_sorted(g, "links", g->links, g->links_n, sizeof(*g->links), by_pair, put_link, e));
	free(g->links);
	TRY(put_sorted(g, "entries", g->rows, g->rows_n, sizeof(*g->rows), search_row_compare, put_entry, e));
	free(g->rows);
	TRY(put_sorted(g, "begins", g->begins, g->begins_n, sizeof(*g->begins), by_pair, put_begin, e));
	free(g->begins);
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
put_as_issued(struct generator *g, int64_t from, int64_t to, struct err *e)
{
	int64_t begun = clock_mono_us(), put;

	TRY(put_all(g, from, to, false, e));
	put = clock_mono_us();
	TRY(enter_all(g->store, e));
	printf("stored %.0f\nentered %.0f\n", (double)(to - from) * 1e6 / (double)(put - begun),
	       (double)(to - from) * 1e6 / (double)(clock_mono_us() - put));
	return RC_OK;
}

static enum rc
read_arguments(struct generator *g, struct arena *a, char **argv, int64_t *from, int64_t *to, struct err *e)
{
	struct cert cert;

	TRY(int_parse(bytes_str(argv[3]), 0, 100000000, from, e));
	TRY(int_parse(bytes_str(argv[4]), *from, 100000000, to, e));
	TRY(int_parse(bytes_str(argv[5]), 1, INT64_MAX, &g->like.issuer, e));
	TRY(int_parse(bytes_str(argv[6]), 1, INT64_MAX, &g->like.token_procedure, e));
	TRY(int_parse(bytes_str(argv[7]), 1, INT64_MAX, &g->like.certificate_procedure, e));
	TRY(file_read(a, argv[8], 1 << 16, &g->der, e));
	TRY(cert_parse(a, g->der, &cert, e));
	g->key_id = cert_key_id(&cert);
	return RC_OK;
}

static enum rc
generate(char **argv, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	struct generator g = { .now = clock_now_ms() };
	int64_t from, to, least;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "an arena");
	TRY(read_arguments(&g, a, argv, &from, &to, e));
	TRY(store_open(argv[2], NULL, &g.store, e));
	TRY(store_high_id(g.store, &least, e));
	idgen_init(&g.ids, 0, least);
	NEED(sem_init(&g.room, 0, IN_FLIGHT) == 0, e, CHY_SYSTEM, NULL, "a semaphore");
	TRY(strcmp(argv[1], "many") == 0 ? put_many(&g, from, to, e) : put_as_issued(&g, from, to, e));
	store_close(g.store);
	return RC_OK;
}

int
main(int argc, char **argv)
{
	struct err e = { 0 };

	if (argc != 9) {
		fprintf(stderr,
			"usage: bench_inventory issued|many URL FROM TO ISSUER TOKEN-PROCEDURE "
			"CERTIFICATE-PROCEDURE DER-FILE\n");
		return 2;
	}
	if (generate(argv, &e) != RC_OK) {
		fprintf(stderr, "CHY-%d %s\n", e.code, e.text);
		return 1;
	}
	return 0;
}
