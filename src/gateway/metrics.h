/*
 * Metrics in Prometheus' text format 0.0.4. Counting is one relaxed atomic addition without a lock; series are made once,
 * beforehand, and never go away. Layers below the gateway keep numbers of their own and are read by metrics_read.
 */
#ifndef GATEWAY_METRICS_H
#define GATEWAY_METRICS_H

#include <stdatomic.h>

#include "base/base.h"

enum metric_type { METRIC_COUNTER, METRIC_GAUGE };

struct metrics;
struct counter;   /* a number that grows, or a gauge that moves */
struct histogram; /* seconds */

/* With build info and process figures in it. NULL: memory. */
struct metrics *metrics_new(void);
void metrics_free(struct metrics *m);
OWN_DEFINE(struct metrics *, metrics_free)

/* One series. name: "chancery_certificates_issued_total"; labels: NULL or "route=\"/x\",status=\"200\"" (values escaped
   by the caller, see metrics_label). The same name and labels give the same series; its help and type are those of the first.
   Lives as long as m; the texts are copied. NULL only when memory is out; counting on NULL does nothing. */
struct counter *metrics_counter(struct metrics *m, const char *name, const char *help, const char *labels);
struct counter *metrics_gauge(struct metrics *m, const char *name, const char *help, const char *labels);
struct histogram *metrics_histogram(struct metrics *m, const char *name, const char *help,
				    const char *labels);

void counter_add(struct counter *c, uint64_t n);
void gauge_set(struct counter *c, int64_t v);
/* Duration in microseconds; buckets from 100 us to 10 s. */
void histogram_us(struct histogram *h, int64_t us);

/* A series whose value is asked for when it is scraped; read may be called on any thread. */
MUST enum rc metrics_read(struct metrics *m, enum metric_type type, const char *name, const char *help,
			  const char *labels, int64_t (*read)(void *ctx), void *ctx, struct err *e);

/* Appends name="value" with its escapes, with a comma before it unless dst is empty. */
void metrics_label(struct buf *dst, const char *name, struct bytes value);

/* All of it as text. */
void metrics_put(struct metrics *m, struct buf *out);
#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

#endif
