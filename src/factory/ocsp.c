#include "base/base.h"
#include "factory/ocsp.h"

#include "factory/node.h"
#include "store/read.h"

enum {
	UNKNOWN_MS = 5 * 60 *
	    1000, /* how long the status of what we do not know is good: it may be issued next */
	DATA_MAX = LIMIT_OCSP_RESPONSE,
};

/* ---- the end ---- */

static void
finish(struct ocsp_call *c)
{
	ocsp_by_unref(c->by);
	c->by = NULL;
	c->done(c);
}

static void
count_refusal(struct ocsp_figures *g, enum ocsp_result why)
{
	if (why == OCSP_MALFORMED_REQUEST)
		atomic_fetch_add(&g->malformed, 1);
	else if (why == OCSP_UNAUTHORIZED)
		atomic_fetch_add(&g->unauthorized, 1);
	else
		atomic_fetch_add(&g->try_later, 1);
}

void
ocsp_refuse(struct ocsp_call *c, enum ocsp_result why)
{
	c->response = ocsp_refusal(why);
	c->cacheable = false;
	count_refusal(desk_figures(c->f->ocsp), why);
	finish(c);
}

/* RFC 6960 2.3: what will pass is tryLater. */
static enum ocsp_result
result_of(const struct err *e)
{
	if (e->rc == RC_MALFORMED)
		return OCSP_MALFORMED_REQUEST;
	return e->rc == RC_AGAIN || e->rc == RC_PEER || e->rc == RC_NOMEM ? OCSP_TRY_LATER
									  : OCSP_INTERNAL_ERROR;
}

static void
count_statuses(struct ocsp_figures *g, const struct ocsp_single *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		atomic_fetch_add(v[i].status == OCSP_GOOD          ? &g->good
				     : v[i].status == OCSP_REVOKED ? &g->revoked
								   : &g->unknown,
				 1);
}

/* ---- what is kept ---- */

static bool
put_response(struct ocsp_call *c, const struct ocsp_by *by, struct bytes data, struct bytes signature)
{
	size_t room = data.n + signature.n + by->certificate.n + 256;
	uint8_t *der = arena_raw(c->arena, room);
	struct dw w;

	if (der == NULL)
		return false;
	w = dw_fixed(der, room);
	if (ocsp_response_build(data, by->sigalg, signature, &by->certificate, 1, &w, &c->err) != RC_OK)
		return false;
	c->response = dw_bytes(&w);
	return true;
}

static bool
answer_kept(struct ocsp_call *c, int64_t now)
{
	struct ocsp_figures *g = desk_figures(c->f->ocsp);
	struct ocsp_signed s;

	if (!kept_get(desk_kept(c->f->ocsp), c->arena, c->parsed.v[0].der, now, &s))
		return false;
	c->by = s.by;
	if (!put_response(c, s.by, s.data, s.signature)) {
		ocsp_refuse(c, OCSP_TRY_LATER);
		return true;
	}
	c->cacheable = true;
	c->this_update_at = s.single.this_update_at;
	c->next_update_at = s.single.next_update_at;
	memcpy(c->etag, s.etag, sizeof(c->etag));
	atomic_fetch_add(&g->kept, 1);
	count_statuses(g, &s.single, 1);
	finish(c);
	return true;
}

/* ---- signing ---- */

static void
keep(struct ocsp_call *c, struct bytes signature)
{
	struct ocsp_signed s = {
		.by = c->by, .data = c->data, .signature = signature, .single = c->singles[0]
	};

	if (c->parsed.n != 1 || c->parsed.nonce.p != NULL || c->singles[0].status == OCSP_UNKNOWN)
		return;
	(void)!kept_put(desk_kept(c->f->ocsp), c->epoch, &s, true);
}

static void
signed_(void *arg, const struct signed_cert *s, const struct err *e)
{
	struct ocsp_call *c = arg;
	struct ocsp_figures *g = desk_figures(c->f->ocsp);

	if (s == NULL && e->code == CHY_SIGNER_NO_KEY)
		desk_key_gone(c->f->ocsp, c->by->certificate_id);
	if (s == NULL) {
		ocsp_refuse(c, e->code == CHY_SIGNER_NO_KEY ? OCSP_TRY_LATER : result_of(e));
		return;
	}
	atomic_fetch_add(&g->signed_, 1);
	keep(c, s->signature);
	if (!put_response(c, c->by, c->data, s->signature)) {
		ocsp_refuse(c, OCSP_TRY_LATER);
		return;
	}
	count_statuses(g, c->singles, c->singles_n);
	finish(c);
}

static MUST enum rc
build(struct ocsp_call *c, int64_t now, struct err *e)
{
	const struct ocsp_inputs in = { .key_hash = BYTES_OF(c->by->key_hash),
					.produced_at = now / 1000 * 1000,
					.v = c->singles,
					.n = c->singles_n,
					.nonce = c->parsed.nonce };
	size_t room = 512 + c->singles_n * (OCSP_ID_MAX + 128);
	uint8_t *der = arena_raw(c->arena, room);
	struct dw w;

	NEED(der != NULL, e, CHY_NO_MEMORY, NULL, "an OCSP response");
	w = dw_fixed(der, room);
	TRY(ocsp_data_build(&in, &w, e));
	c->data = dw_bytes(&w);
	return RC_OK;
}

static void
sign(struct ocsp_call *c, int64_t now)
{
	enum rc rc = build(c, now, &c->err);

	if (rc == RC_OK && c->held != NULL)
		*c->held = true; /* before: once it is on its way the call may be over at any time */
	if (rc == RC_OK)
		rc = signer_sign_ocsp(
		    c->f->signer,
		    &(struct sign_ocsp){
			.key = c->by->label, .alg = c->by->sigalg, .data = &c->data, .n = 1 },
		    c->held != NULL, signed_, c, &c->err);
	if (rc != RC_OK)
		ocsp_refuse(c, result_of(&c->err));
}

/* ---- what is told ---- */

/* Not later than it is told: a clock that was set back may lie before the revocation. */
struct ocsp_single
ocsp_single_of(const struct ocsp_by *by, struct bytes cert_id, const struct ocsp_word *w, int64_t now)
{
	int64_t at = now / 1000 * 1000, next = duration_add(at, by->settings.answer);
	struct ocsp_single x = { .cert_id = cert_id,
				 .status = w->status,
				 .revoked_at = w->revoked_at < at ? w->revoked_at : at,
				 .reason = w->reason,
				 .this_update_at = at,
				 .next_update_at = next,
				 .archive_cutoff_at = OCSP_NO_TIME };

	if (w->status == OCSP_UNKNOWN)
		x.next_update_at = at + UNKNOWN_MS;
	if (x.next_update_at > by->not_after_at) /* who checks it then must find its certificate valid */
		x.next_update_at = by->not_after_at;
	if (by->settings.has_archive)
		x.archive_cutoff_at = duration_sub(at, by->settings.archive);
	return x;
}

enum rc
ocsp_word_of(struct factory *f, struct arena *a, const struct ocsp_by *by, const struct status_row *row,
	     bool issued, struct ocsp_word *ret, struct err *e)
{
	struct ocsp_facts facts = { .issued = issued, .by_officer = by->settings.by_officer };
	struct activation_row activation;

	if (issued) {
		facts.state = (enum cert_state)row->state;
		facts.reason = row->reason;
		facts.at_ms = row->at;
	}
	if (issued && facts.by_officer) {
		TRY(store_activation(f->store, a, row->id, &activation, e));
		facts.activated = activation.certificate != 0;
	}
	*ret = decide_ocsp(&facts);
	return RC_OK;
}

/* As the store has it: a positive INTEGER without the zero octet in front. */
static struct bytes
bare_serial(struct bytes serial)
{
	return serial.n > 1 && serial.p[0] == 0 ? bytes_part(serial, 1, SIZE_MAX) : serial;
}

static MUST enum rc
tell(struct ocsp_call *c, const struct ocsp_id *id, int64_t now, struct ocsp_single *ret, struct err *e)
{
	struct err why = { 0 };
	struct status_row row = { 0 };
	struct ocsp_word word;
	bool negative = (id->serial.p[0] & 0x80) != 0;
	enum rc rc = negative ? RC_NOT_FOUND
			      : store_status_by_serial(c->f->store, c->arena, c->by->authority,
						       bare_serial(id->serial), &row, &why);

	NEED(rc == RC_OK || rc == RC_NOT_FOUND, e, why.code, NULL, "%s", why.text);
	TRY(ocsp_word_of(c->f, c->arena, c->by, &row, rc == RC_OK, &word, e));
	*ret = ocsp_single_of(c->by, id->der, &word, now);
	return RC_OK;
}

static MUST enum rc
tell_all(struct ocsp_call *c, int64_t now, struct err *e)
{
	c->singles = arena_array(c->arena, c->parsed.n, sizeof(*c->singles));
	NEED(c->singles != NULL, e, CHY_NO_MEMORY, NULL, "an OCSP response");
	for (c->singles_n = 0; c->singles_n < c->parsed.n; c->singles_n++)
		TRY(tell(c, &c->parsed.v[c->singles_n], now, &c->singles[c->singles_n], e));
	return RC_OK;
}

/* The one issuer of all that is asked for; NULL: there is none. */
static struct ocsp_by *
one_issuer(struct ocsp_call *c)
{
	struct ocsp_by *by = desk_find(c->f->ocsp, &c->parsed.v[0]);

	for (size_t i = 1; by != NULL && i < c->parsed.n; i++) {
		struct ocsp_by *other = desk_find(c->f->ocsp, &c->parsed.v[i]);
		bool same = other != NULL && other->authority == by->authority;

		ocsp_by_unref(other);
		if (!same) {
			ocsp_by_unref(by);
			by = NULL;
		}
	}
	return by;
}

/* ---- in ---- */

/* Statuses that are kept are known without the database: who wants a nonce, or several at once, gets them signed anew. */
static bool
tell_kept(struct ocsp_call *c, int64_t now)
{
	struct ocsp_kept *kept = desk_kept(c->f->ocsp);

	c->singles = arena_array(c->arena, c->parsed.n, sizeof(*c->singles));
	if (c->singles == NULL)
		return false;
	for (c->singles_n = 0; c->singles_n < c->parsed.n; c->singles_n++) {
		struct ocsp_single *x = &c->singles[c->singles_n];
		struct ocsp_signed s;

		if (!kept_get(kept, c->arena, c->parsed.v[c->singles_n].der, now, &s))
			return false;
		ocsp_by_unref(s.by);
		*x = ocsp_single_of(
		    c->by, s.single.cert_id,
		    &(struct ocsp_word){ s.single.status, s.single.revoked_at, s.single.reason, NULL }, now);
	}
	return true;
}

bool
ocsp_answer_at_once(struct ocsp_call *c)
{
	int64_t now = clock_now_ms();
	bool plain; /* its answer may be kept */

	c->by = NULL;
	c->cacheable = false;
	if (ocsp_request_parse(c->request, &c->parsed, &c->err) != RC_OK) {
		ocsp_refuse(c, OCSP_MALFORMED_REQUEST);
		return true;
	}
	plain = c->parsed.n == 1 && c->parsed.nonce.p == NULL;
	if (plain && answer_kept(c, now))
		return true;
	if (!node_may_say(c->f)) { /* nor wait for a database that may hang */
		ocsp_refuse(c, OCSP_TRY_LATER);
		return true;
	}
	if (plain)
		return false;
	c->by = one_issuer(c);
	if (c->by == NULL) {
		ocsp_refuse(c, OCSP_UNAUTHORIZED);
		return true;
	}
	if (c->by->certificate_id == 0 || !tell_kept(c, now)) {
		ocsp_by_unref(c->by);
		c->by = NULL;
		return false;
	}
	sign(c, now);
	return true;
}

void
ocsp_send(struct factory *f)
{
	signer_flush(f->signer);
}

void
ocsp_answer(struct ocsp_call *c)
{
	int64_t now = clock_now_ms();

	c->held = NULL;
	c->epoch = kept_epoch(desk_kept(c->f->ocsp)); /* before the settings and the status are read */
	c->by = one_issuer(c);
	if (c->by == NULL) {
		ocsp_refuse(c, OCSP_UNAUTHORIZED);
		return;
	}
	if (c->by->certificate_id == 0 || c->by->not_after_at <= now) {
		ocsp_refuse(c, OCSP_TRY_LATER);
		return;
	}
	if (tell_all(c, now, &c->err) != RC_OK)
		ocsp_refuse(c, result_of(&c->err));
	else
		sign(c, now);
}
