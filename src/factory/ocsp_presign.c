/* Answers of live certificates, signed ahead of any question and again when half of their time is over. */
#include "base/base.h"
#include "factory/ocsp.h"

#include "factory/node.h"
#include "store/read.h"

enum {
	PAGE = SIGNER_OCSP_MAX,
	ARENA = 4 << 20,
	SWEEP_EVERY_MS = 60000,
	REST_MOST_MS = 600000, /* what was issued meanwhile is signed at the first question */
	REST_LEAST_MS = 1000,
};

/* Where the job is; its own thread alone. */
struct walk {
	size_t row;
	uint8_t after[LIMIT_SERIAL];
	size_t after_n;
	int64_t rest_ms; /* between two rounds: the shortest that one of the authorities wants */
	int64_t swept_at, next_at;
};

struct page {
	struct factory *f;
	struct arena *a;
	struct ocsp_by *by;
	int64_t epoch, now;
	struct ocsp_signed v[PAGE];
	struct bytes data[PAGE];
	size_t n;
	bool refused; /* a status changed meanwhile: what was signed is not kept */
};

static MUST enum rc
add(struct page *p, const struct status_row *row, struct err *e)
{
	uint8_t *id = arena_alloc(p->a, OCSP_ID_MAX), *der = arena_alloc(p->a, 1024);
	struct ocsp_signed *s = &p->v[p->n];
	struct ocsp_word word;
	struct bytes cert_id;
	struct dw w;

	NEED(id != NULL && der != NULL, e, CHY_NO_MEMORY, NULL, "OCSP answers");
	cert_id = ocsp_id_write(p->by, OCSP_SHA1, row->serial, id); /* RFC 5019 2.1.1 */
	if (kept_state(desk_kept(p->f->ocsp), cert_id, p->now) == KEPT_FRESH)
		return RC_OK;
	TRY(ocsp_word_of(p->f, p->a, p->by, row, true, &word, e));
	if (word.status == OCSP_UNKNOWN)
		return RC_OK;
	s->by = p->by;
	s->single = ocsp_single_of(p->by, cert_id, &word, p->now);
	w = dw_fixed(der, 1024);
	TRY(ocsp_data_build(&(struct ocsp_inputs){ .key_hash = BYTES_OF(p->by->key_hash),
						   .produced_at = p->now / 1000 * 1000,
						   .v = &s->single,
						   .n = 1 },
			    &w, e));
	p->data[p->n] = s->data = dw_bytes(&w);
	p->n++;
	return RC_OK;
}

static MUST enum rc
sign(struct page *p, struct err *e)
{
	struct bytes signatures[PAGE];
	const struct sign_ocsp ask = {
		.key = p->by->label, .alg = p->by->sigalg, .data = p->data, .n = p->n
	};

	if (p->n == 0)
		return RC_OK;
	TRY(signer_sign_ocsp_sync(p->f->signer, &ask, SIGNER_WAIT_MS, p->a, signatures, NULL, e));
	FAULT("ocsp.presigned");
	for (size_t i = 0; i < p->n; i++) {
		p->v[i].signature = signatures[i];
		if (kept_put(desk_kept(p->f->ocsp), p->epoch, &p->v[i], false))
			atomic_fetch_add(&desk_figures(p->f->ocsp)->resigned, 1);
		else
			p->refused = true;
	}
	return RC_OK;
}

/* One page of one authority's certificates. *ret_end: it was the last one. */
static MUST enum rc
presign_page(struct factory *f, struct walk *w, struct ocsp_by *by, int64_t epoch, bool *ret_end,
	     struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(ARENA);
	struct page *p = a ? arena_one(a, struct page) : NULL;
	struct status_row *rows;
	size_t n;

	NEED(p != NULL, e, CHY_NO_MEMORY, NULL, "OCSP answers");
	*p = (struct page){ .f = f, .a = a, .by = by, .epoch = epoch, .now = clock_now_ms() };
	TRY(store_statuses(f->store, a, by->authority, bytes_of(w->after, w->after_n), PAGE, &rows, &n, e));
	for (size_t i = 0; i < n; i++)
		if (rows[i].not_after > p->now)
			TRY(add(p, &rows[i], e));
	TRY(sign(p, e));
	if (p->refused)
		w->rest_ms = REST_LEAST_MS; /* another round soon */
	*ret_end = n < PAGE;
	if (n > 0 && rows[n - 1].serial.n <= sizeof(w->after)) {
		w->after_n = rows[n - 1].serial.n;
		memcpy(w->after, rows[n - 1].serial.p, w->after_n);
	}
	return RC_OK;
}

static void
next_row(struct walk *w, const struct ocsp_by *by)
{
	int64_t rest = duration_add(0, by->settings.answer) / 20;

	w->row++;
	w->after_n = 0;
	if (by->certificate_id == 0)
		rest = REST_LEAST_MS;
	if (w->rest_ms == 0 || rest < w->rest_ms)
		w->rest_ms = rest > REST_LEAST_MS ? rest : REST_LEAST_MS;
}

static void
end_round(struct walk *w)
{
	int64_t rest = w->rest_ms > 0 && w->rest_ms < REST_MOST_MS ? w->rest_ms : REST_MOST_MS;

	if (w->row == 0)
		rest = REST_LEAST_MS; /* nobody answers OCSP yet */
	*w = (struct walk){ .swept_at = w->swept_at, .next_at = clock_mono_us() / 1000 + rest };
}

static void
sweep(struct factory *f, struct walk *w)
{
	int64_t now = clock_mono_us() / 1000;

	if (now < w->swept_at + SWEEP_EVERY_MS)
		return;
	kept_sweep(desk_kept(f->ocsp), clock_now_ms());
	w->swept_at = now;
}

enum rc
ocsp_presign_step(struct factory *f, bool *ret_more, struct err *e)
{
	static struct walk w;
	int64_t epoch = kept_epoch(desk_kept(f->ocsp)); /* before settings and statuses are read */
	OWN(ocsp_by_unref)
	struct ocsp_by *by = desk_row(f->ocsp, w.row);
	bool end = true;

	sweep(f, &w);
	if (clock_mono_us() / 1000 < w.next_at)
		return RC_OK;
	if (by == NULL) {
		end_round(&w);
		return RC_OK;
	}
	*ret_more = true;
	if (!signer_is_there(f->signer) || kept_is_full(desk_kept(f->ocsp)) || !node_may_say(f)) {
		*ret_more = false;
		return RC_OK;
	}
	if (by->certificate_id != 0)
		TRY(presign_page(f, &w, by, epoch, &end, e));
	if (end)
		next_row(&w, by);
	return RC_OK;
}
