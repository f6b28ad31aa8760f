/*
 * How fast the store takes certificates: bench_store URL [SECONDS]. One change is what issuing writes (row, DER, leaf, their two
 * queue entries, session use, counter); a fixed number of changes is outstanding.
 */
#include "base/base.h"
#include "base/idgen.h"
#include "store/change.h"
#include "store/read.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>

enum { SESSION = 50, OUTSTANDING_MAX = 1024, SAMPLES_MAX = 1 << 20 };

static struct store *store;
static struct idgen ids;
static bool with_key;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t freed = PTHREAD_COND_INITIALIZER;
static unsigned outstanding;
static uint64_t done_count, failed_count;
static uint32_t *sample;

struct ticket {
	int64_t begun_us;
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

static struct change *
issue(int64_t id, int64_t now_ms)
{
	struct change *c = change_new();
	uint8_t serial[18], hash[3][32], der[800];
	char subject[96], san[128], body[640];

	for (int i = 0; i < 6; i++)
		serial[i] = (uint8_t)(now_ms >> (40 - 8 * i));
	fill(serial + 6, 12, (uint64_t)id);
	fill(hash[0], sizeof(hash), (uint64_t)id * 31);
	fill(der, sizeof(der), (uint64_t)id * 37);
	snprintf(subject, sizeof(subject), "CN=host-%lld.example.org,OU=Servers,O=Example,C=AT",
		 (long long)id);
	snprintf(san, sizeof(san), "dns:host-%lld.example.org\ndns:www.host-%lld.example.org", (long long)id,
		 (long long)id);
	snprintf(body, sizeof(body),
		 "{\"at\":\"2026-11-21T12:00:00Z\",\"by\":{\"session\":50},\"certificate\":{\"sha256\":\"%"
		 "0128d\"},"
		 "\"id\":%lld,\"kind\":\"certificate\",\"rules\":[\"pop\",\"key\",\"names\",\"validity\"]}",
		 0, (long long)id);
	struct certificate_row row = { .id = id,
				       .serial = BYTES_OF(serial),
				       .issuer = 7,
				       .subject = bytes_str(subject),
				       .not_before = now_ms,
				       .not_after = now_ms + 86400000LL * (id % 20 + 1),
				       .token_procedure = 11,
				       .certificate_procedure = 12,
				       .session_id = SESSION,
				       .san = bytes_str(san),
				       .key_hash = BYTES_OF(hash[0]),
				       .fingerprint = BYTES_OF(hash[1]) };
	struct leaf_row leaf = { id, BYTES("certificate"), id, bytes_str(body), BYTES_OF(hash[2]) };
	struct idempotency_row key = { BYTES_OF(hash[2]), SESSION, BYTES_OF(hash[0]), id, now_ms };

	change_put_certificate(c, &row, BYTES_OF(der));
	change_put_leaf(c, &leaf);
	change_session_use(c, SESSION, 1);
	change_add_counter(c, "issued", 1);
	if (with_key)
		change_put_idempotency(c, &key);
	return c;
}

static void
on_done(void *arg, enum rc rc, const struct err *e)
{
	struct ticket *t = arg;
	int64_t took = clock_mono_us() - t->begun_us;

	if (rc != RC_OK)
		fprintf(stderr, "CHY-%d %s\n", e->code, e->text);
	free(t);
	pthread_mutex_lock(&lock);
	if (done_count < SAMPLES_MAX)
		sample[done_count] = (uint32_t)took;
	done_count += rc == RC_OK;
	failed_count += rc != RC_OK;
	outstanding--;
	pthread_cond_signal(&freed);
	pthread_mutex_unlock(&lock);
}

static int
compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static int64_t
cpu_us(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000LL + u.ru_utime.tv_usec + u.ru_stime.tv_usec;
}

static void
submit_one(void)
{
	int64_t now = clock_now_ms();
	struct ticket *t = malloc(sizeof(*t));
	struct err e = { 0 };

	t->begun_us = clock_mono_us();
	if (store_submit(store, issue(idgen_next(&ids, now), now), on_done, t, &e) != RC_OK) {
		fprintf(stderr, "CHY-%d %s\n", e.code, e.text);
		exit(1);
	}
}

static void
measure(unsigned most, bool key, double seconds)
{
	struct store_stats before, after;
	int64_t start, cpu, end;
	uint64_t n;

	with_key = key;
	done_count = failed_count = 0;
	store_stats(store, &before);
	start = clock_mono_us();
	cpu = cpu_us();
	end = start + (int64_t)(seconds * 1e6);
	while (clock_mono_us() < end) {
		pthread_mutex_lock(&lock);
		while (outstanding >= most)
			pthread_cond_wait(&freed, &lock);
		outstanding++;
		pthread_mutex_unlock(&lock);
		submit_one();
	}
	pthread_mutex_lock(&lock);
	while (outstanding > 0)
		pthread_cond_wait(&freed, &lock);
	pthread_mutex_unlock(&lock);
	end = clock_mono_us();
	store_stats(store, &after);
	n = done_count < SAMPLES_MAX ? done_count : SAMPLES_MAX;
	if (n == 0)
		return;
	qsort(sample, n, sizeof(*sample), compare);
	printf("%-10s %4u %-4s %9.0f %9.1f %9.2f %9.2f %9.1f %8llu\n", store_engine(store), most,
	       key ? "yes" : "no", (double)done_count * 1e6 / (double)(end - start),
	       (double)done_count / (double)(after.commits - before.commits), sample[n / 2] / 1e3,
	       sample[n * 99 / 100] / 1e3, (double)(cpu_us() - cpu) / (double)done_count,
	       (unsigned long long)failed_count);
	fflush(stdout);
}

/* The follower behind it: how fast, and how long an exact question may wait for it. */
static void
measure_search(void)
{
	int64_t start = clock_mono_us(), cpu = cpu_us(), longest = 0;
	size_t sum = 0, n = 1;

	while (n > 0) {
		int64_t begun = clock_mono_us();

		if (store_search_catch_up(store, 4096, &n, NULL) != RC_OK)
			return;
		longest = clock_mono_us() - begun > longest ? clock_mono_us() - begun : longest;
		sum += n;
	}
	printf("%-10s search follower: %zu certificates, %.0f/s, %.1f us of cpu each, longest batch of 4096 "
	       "%.1f ms\n",
	       store_engine(store), sum, (double)sum * 1e6 / (double)(clock_mono_us() - start),
	       (double)(cpu_us() - cpu) / (double)(sum ? sum : 1), (double)longest / 1e3);
}

static enum rc
prepare(const char *url, struct err *e)
{
	struct session_row session = { .id = SESSION,
				       .token_hash = BYTES("token"),
				       .officer_id = 3,
				       .body = BYTES("{}"),
				       .maximum = INT64_MAX / 2,
				       .state = BYTES("open") };
	struct change *c;
	int64_t least;
	enum rc rc;

	TRY(store_open(url, NULL, &store, e));
	TRY(store_high_id(store, &least, e));
	idgen_init(&ids, 0, least);
	c = change_new();
	change_put_session(c, &session);
	rc = store_commit(store, c, e);
	if (rc == RC_CONFLICT) {
		err_clear(e);
		rc = RC_OK;
	}
	return rc;
}

int
main(int argc, char **argv)
{
	const char *url = argc > 1 ? argv[1] : getenv("CHANCERY_TEST_POSTGRES");
	int64_t seconds = 2;
	struct err e = { 0 };

	if (url == NULL || (argc > 2 && int_parse(bytes_str(argv[2]), 1, 600, &seconds, &e) != RC_OK)) {
		fprintf(stderr, "usage: bench_store URL [SECONDS]\n");
		return 2;
	}
	sample = malloc(SAMPLES_MAX * sizeof(*sample));
	if (sample == NULL || prepare(url, &e) != RC_OK) {
		fprintf(stderr, "CHY-%d %s\n", e.code, e.text);
		return 1;
	}
	printf("%-10s %4s %-4s %9s %9s %9s %9s %9s %8s\n", "engine", "out", "key", "rows/s", "rows/comm",
	       "p50 ms", "p99 ms", "cpu us", "failed");
	for (size_t i = 0; i < 8; i++)
		measure((const unsigned[]){ 1, 8, 32, 128 }[i % 4], i >= 4, (double)seconds);
	measure_search();
	store_close(store);
	free(sample);
	return 0;
}
