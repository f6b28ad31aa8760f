#include "base/base.h"
#include "base/json.h"
#include "gateway/health.h"

#include <stdatomic.h>

enum { CHECKS_MAX = 32 };

struct health {
	struct {
		const char *name;
		enum rc (*check)(void *ctx, struct err *e);
		void *ctx;
	} checks[CHECKS_MAX];
	size_t n;
	_Atomic bool stopping;
};

struct health *
health_new(void)
{
	return calloc(1, sizeof(struct health));
}

void
health_free(struct health *h)
{
	free(h);
}

enum rc
health_check(struct health *h, const char *name, enum rc (*check)(void *ctx, struct err *e), void *ctx,
	     struct err *e)
{
	NEED(h->n < CHECKS_MAX, e, CHY_LIMIT, NULL, "more than %d health checks", CHECKS_MAX);
	h->checks[h->n].name = name;
	h->checks[h->n].check = check;
	h->checks[h->n++].ctx = ctx;
	return RC_OK;
}

void
health_stopping(struct health *h)
{
	atomic_store(&h->stopping, true);
}

static bool
put_check(struct buf *out, const char *name, enum rc rc, const struct err *e)
{
	buf_str(out, "{\"name\":");
	json_put_str(out, bytes_str(name));
	buf_printf(out, ",\"ok\":%s", rc == RC_OK ? "true" : "false");
	if (rc != RC_OK) {
		buf_printf(out, ",\"code\":\"CHY-%u\",\"detail\":", (unsigned)e->code);
		json_put_str(out, bytes_str(e->text));
	}
	buf_str(out, "}");
	return rc == RC_OK;
}

bool
health_put(struct health *h, struct buf *out)
{
	bool stopping = atomic_load(&h->stopping), ready = !stopping;
	struct buf OWN_BUF checks = buf_max(64 << 10);

	for (size_t i = 0; i < h->n; i++) {
		struct err e = { 0 };
		enum rc rc = h->checks[i].check(h->checks[i].ctx, &e);

		if (i > 0)
			buf_str(&checks, ",");
		ready = put_check(&checks, h->checks[i].name, rc, &e) && ready;
	}
	buf_printf(out, "{\"ready\":%s,\"stopping\":%s,\"checks\":[", ready ? "true" : "false",
		   stopping ? "true" : "false");
	buf_put(out, buf_bytes(&checks));
	buf_str(out, "]}");
	return ready;
}
