#include "base/base.h"
#include "gateway/metrics.h"

#include <pthread.h>
#include <stdalign.h>
#include <time.h>
#include <unistd.h>

enum { BUCKETS = 16 };

static const struct {
	int64_t us;
	const char *text;
} buckets[BUCKETS] = {
	{ 100, "0.0001" },  { 250, "0.00025" }, { 500, "0.0005" },  { 1000, "0.001" },
	{ 2500, "0.0025" }, { 5000, "0.005" },  { 10000, "0.01" },  { 25000, "0.025" },
	{ 50000, "0.05" },  { 100000, "0.1" },  { 250000, "0.25" }, { 500000, "0.5" },
	{ 1000000, "1" },   { 2500000, "2.5" }, { 5000000, "5" },   { 10000000, "10" },
};

/* A cache line of its own each: threads count different things without disturbing one another. */
struct counter {
	alignas(64) _Atomic int64_t v;
};

struct histogram {
	alignas(64) _Atomic uint64_t count[BUCKETS + 1];
	_Atomic uint64_t sum_us;
};

struct series {
	struct series *next;
	char *labels;
	struct counter *counter;
	struct histogram *histogram;
	int64_t (*read)(void *ctx);
	void *ctx;
};

struct family {
	struct family *next;
	char *name, *help;
	const char *type;
	struct series *first, **last;
};

struct metrics {
	pthread_mutex_t lock; /* of the lists; counting takes none */
	struct family *first, **last;
	int64_t began_ms;
};

/* With the lock held. */
static struct family *
family_of(struct metrics *m, const char *name, const char *help, const char *type)
{
	struct family *f;

	for (f = m->first; f != NULL; f = f->next)
		if (strcmp(f->name, name) == 0)
			return f;
	f = calloc(1, sizeof(*f));
	if (f == NULL)
		return NULL;
	f->name = strdup(name);
	f->help = strdup(help);
	f->type = type;
	f->last = &f->first;
	if (f->name == NULL || f->help == NULL) {
		free(f->name);
		free(f->help);
		free(f);
		return NULL;
	}
	*m->last = f;
	m->last = &f->next;
	return f;
}

/* With the lock held: the series of these labels, a new empty one where there is none. */
static struct series *
series_of(struct family *f, const char *labels)
{
	struct series *s;

	if (labels == NULL)
		labels = "";
	for (s = f->first; s != NULL; s = s->next)
		if (strcmp(s->labels, labels) == 0)
			return s;
	s = calloc(1, sizeof(*s));
	if (s == NULL || (s->labels = strdup(labels)) == NULL) {
		free(s);
		return NULL;
	}
	*f->last = s;
	f->last = &s->next;
	return s;
}

static struct series *
series_get(struct metrics *m, const char *name, const char *help, const char *labels, const char *type)
{
	struct family *f = family_of(m, name, help, type);

	return f != NULL ? series_of(f, labels) : NULL;
}

static void *
line_alloc(size_t n)
{
	void *p = aligned_alloc(64, (n + 63) / 64 * 64);

	return p != NULL ? memset(p, 0, n) : NULL;
}

static struct counter *
number(struct metrics *m, const char *name, const char *help, const char *labels, const char *type)
{
	struct series *s;
	struct counter *c = NULL;

	if (m == NULL)
		return NULL;
	pthread_mutex_lock(&m->lock);
	s = series_get(m, name, help, labels, type);
	if (s != NULL && s->counter == NULL)
		s->counter = line_alloc(sizeof(*s->counter));
	if (s != NULL)
		c = s->counter;
	pthread_mutex_unlock(&m->lock);
	return c;
}

struct counter *
metrics_counter(struct metrics *m, const char *name, const char *help, const char *labels)
{
	return number(m, name, help, labels, "counter");
}

struct counter *
metrics_gauge(struct metrics *m, const char *name, const char *help, const char *labels)
{
	return number(m, name, help, labels, "gauge");
}

struct histogram *
metrics_histogram(struct metrics *m, const char *name, const char *help, const char *labels)
{
	struct series *s;
	struct histogram *h = NULL;

	if (m == NULL)
		return NULL;
	pthread_mutex_lock(&m->lock);
	s = series_get(m, name, help, labels, "histogram");
	if (s != NULL && s->histogram == NULL)
		s->histogram = line_alloc(sizeof(*s->histogram));
	if (s != NULL)
		h = s->histogram;
	pthread_mutex_unlock(&m->lock);
	return h;
}

enum rc
metrics_read(struct metrics *m, enum metric_type type, const char *name, const char *help, const char *labels,
	     int64_t (*read)(void *ctx), void *ctx, struct err *e)
{
	struct series *s;

	pthread_mutex_lock(&m->lock);
	s = series_get(m, name, help, labels, type == METRIC_COUNTER ? "counter" : "gauge");
	if (s != NULL) {
		s->read = read;
		s->ctx = ctx;
	}
	pthread_mutex_unlock(&m->lock);
	NEED(s != NULL, e, CHY_NO_MEMORY, NULL, "no memory for the metric %s", name);
	return RC_OK;
}

void
counter_add(struct counter *c, uint64_t n)
{
	if (c != NULL)
		atomic_fetch_add_explicit(&c->v, (int64_t)n, memory_order_relaxed);
}

void
gauge_set(struct counter *c, int64_t v)
{
	if (c != NULL)
		atomic_store_explicit(&c->v, v, memory_order_relaxed);
}

void
histogram_us(struct histogram *h, int64_t us)
{
	size_t i = 0;

	if (h == NULL)
		return;
	while (i < BUCKETS && us > buckets[i].us)
		i++;
	atomic_fetch_add_explicit(&h->count[i], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&h->sum_us, us > 0 ? (uint64_t)us : 0, memory_order_relaxed);
}

void
metrics_label(struct buf *dst, const char *name, struct bytes value)
{
	if (dst->n > 0)
		buf_u8(dst, ',');
	buf_printf(dst, "%s=\"", name);
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] == '\n') {
			buf_str(dst, "\\n");
			continue;
		}
		if (value.p[i] == '"' || value.p[i] == '\\')
			buf_u8(dst, '\\');
		buf_u8(dst, value.p[i]);
	}
	buf_u8(dst, '"');
}

/* Writing. */

static void
put_histogram(struct buf *out, const struct family *f, const struct series *s)
{
	const char *comma = s->labels[0] ? "," : "";
	uint64_t n = 0, sum = atomic_load_explicit(&s->histogram->sum_us, memory_order_relaxed);

	for (size_t i = 0; i <= BUCKETS; i++) {
		n += atomic_load_explicit(&s->histogram->count[i], memory_order_relaxed);
		buf_printf(out, "%s_bucket{%s%sle=\"%s\"} %llu\n", f->name, s->labels, comma,
			   i < BUCKETS ? buckets[i].text : "+Inf", (unsigned long long)n);
	}
	buf_printf(out, "%s_sum%s%s%s %llu.%06llu\n", f->name, s->labels[0] ? "{" : "", s->labels,
		   s->labels[0] ? "}" : "", (unsigned long long)(sum / 1000000),
		   (unsigned long long)(sum % 1000000));
	buf_printf(out, "%s_count%s%s%s %llu\n", f->name, s->labels[0] ? "{" : "", s->labels,
		   s->labels[0] ? "}" : "", (unsigned long long)n);
}

static void
put_series(struct buf *out, const struct family *f, const struct series *s)
{
	int64_t v = 0;

	if (s->histogram != NULL) {
		put_histogram(out, f, s);
		return;
	}
	if (s->read != NULL)
		v = s->read(s->ctx);
	else if (s->counter != NULL)
		v = atomic_load_explicit(&s->counter->v, memory_order_relaxed);
	buf_printf(out, "%s%s%s%s %lld\n", f->name, s->labels[0] ? "{" : "", s->labels,
		   s->labels[0] ? "}" : "", (long long)v);
}

static void
put_one(struct buf *out, const char *name, const char *type, const char *help, const char *value)
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %s\n", name, help, name, type, name, value);
}

/* The figures that every Prometheus client gives of its process. */
static void
put_process(struct buf *out, const struct metrics *m)
{
	char text[64];
	struct timespec cpu;
	long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (f != NULL) {
		if (fscanf(f, "%*s %ld", &pages) != 1) /* NOLINT(cert-err34-c): the kernel wrote it */
			pages = 0;
		fclose(f);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
	snprintf(text, sizeof(text), "%lld.%03ld", (long long)cpu.tv_sec, cpu.tv_nsec / 1000000);
	put_one(out, "process_cpu_seconds_total", "counter", "User and system time of this process", text);
	snprintf(text, sizeof(text), "%lld", (long long)pages * sysconf(_SC_PAGESIZE));
	put_one(out, "process_resident_memory_bytes", "gauge", "Memory of this process in RAM", text);
	snprintf(text, sizeof(text), "%lld.%03lld", (long long)(m->began_ms / 1000),
		 (long long)(m->began_ms % 1000));
	put_one(out, "process_start_time_seconds", "gauge", "When this process started, since 1970", text);
	buf_str(out,
		"# HELP chancery_build_info Which build this is\n# TYPE chancery_build_info gauge\n"
		"chancery_build_info{version=\"" CHY_VERSION "\"} 1\n");
}

void
metrics_put(struct metrics *m, struct buf *out)
{
	pthread_mutex_lock(&m->lock);
	for (const struct family *f = m->first; f != NULL; f = f->next) {
		buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", f->name, f->help, f->name, f->type);
		for (const struct series *s = f->first; s != NULL; s = s->next)
			put_series(out, f, s);
	}
	pthread_mutex_unlock(&m->lock);
	put_process(out, m);
}

struct metrics *
metrics_new(void)
{
	struct metrics *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	pthread_mutex_init(&m->lock, NULL);
	m->last = &m->first;
	m->began_ms = clock_now_ms();
	return m;
}

static void
series_free(struct series *s)
{
	free(s->labels);
	free(s->counter);
	free(s->histogram);
	free(s);
}

void
metrics_free(struct metrics *m)
{
	if (m == NULL)
		return;
	for (struct family *f = m->first, *next; f != NULL; f = next) {
		next = f->next;
		for (struct series *s = f->first, *after; s != NULL; s = after) {
			after = s->next;
			series_free(s);
		}
		free(f->name);
		free(f->help);
		free(f);
	}
	pthread_mutex_destroy(&m->lock);
	free(m);
}
