/* Revocation lists and OCSP responses: the stub's side. */
#include "base/base.h"
#include "signer/client_impl.h"

/* ---- lists ---- */

enum { PARTS_ON_THE_WAY = 4 };

static MUST enum rc
begin(struct signer *s, const struct sign_crl *c, int timeout_ms, uint32_t *ret, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(16 << 10);
	OWN_BUF struct buf b = buf_max(LIMIT_FRAME);
	struct bytes part, answer;
	struct rd r;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "a revocation list");
	buf_lv(&b, bytes_str(c->key));
	buf_lv(&b, bytes_str(sigalg_name(c->alg)));
	buf_lv(&b, c->head);
	buf_lv(&b, c->context);
	NEED(buf_ok(&b), e, CHY_TOO_LONG, NULL, "head of %zu bytes, context of %zu", c->head.n, c->context.n);
	part = buf_bytes(&b);
	TRY(signer_ask(s, SIGNER_CRL_BEGIN, &part, 1, timeout_ms, a, &answer, e));
	r = rd_of(answer);
	*ret = rd_u32(&r);
	NEED(rd_done(&r), e, CHY_SIGNER_ANSWER, NULL, "a revocation list's handle");
	return RC_OK;
}

static MUST enum rc
send_begin(struct signer *s, struct wait *w, uint16_t type, uint32_t handle, struct bytes part, struct err *e)
{
	uint8_t head[8];
	struct buf b = { .p = head, .cap = sizeof(head), .max = sizeof(head) };
	struct bytes parts[2];

	buf_u32(&b, handle);
	buf_u32(&b, (uint32_t)part.n);
	parts[0] = buf_bytes(&b);
	parts[1] = part;
	return signer_ask_begin(s, w, type, parts, 2, e);
}

static MUST enum rc
send_part(struct signer *s, uint16_t type, uint32_t handle, struct bytes part, int timeout_ms,
	  struct arena *a, struct bytes *ret, struct err *e)
{
	struct wait w;

	TRY(send_begin(s, &w, type, handle, part, e));
	return signer_ask_end(s, &w, timeout_ms, a, ret, e);
}

/* Several parts are on their way at once, so that those who gather them and the signer who reads them work at the same time. */
static MUST enum rc
send_entries(struct signer *s, const struct sign_crl *c, uint32_t handle, int timeout_ms, struct err *e)
{
	struct wait w[PARTS_ON_THE_WAY];
	size_t sent = 0, answered = 0;
	struct bytes part;
	enum rc rc = RC_OK;

	do {
		part = BYTES_NONE;
		rc = c->next(c->arg, &part, e);
		if (rc == RC_OK && part.n > 0)
			rc = send_begin(s, &w[sent % PARTS_ON_THE_WAY], SIGNER_CRL_ENTRIES, handle, part, e);
		sent += rc == RC_OK && part.n > 0;
		if (rc == RC_OK && sent - answered == PARTS_ON_THE_WAY)
			rc = signer_ask_end(s, &w[answered++ % PARTS_ON_THE_WAY], timeout_ms, NULL, NULL, e);
	} while (rc == RC_OK && part.n > 0);
	while (answered < sent) { /* also after a failure: the first one is kept */
		enum rc last = signer_ask_end(s, &w[answered++ % PARTS_ON_THE_WAY], timeout_ms, NULL, NULL,
					      rc == RC_OK ? e : NULL);

		rc = rc == RC_OK ? last : rc;
	}
	return rc;
}

/* Where it was the signer that refused, it has dropped the list itself and says so: nothing to be told. */
static void
drop(struct signer *s, uint32_t handle, int timeout_ms)
{
	uint8_t room[4];
	struct buf b = { .p = room, .cap = sizeof(room), .max = sizeof(room) };
	struct bytes part;

	buf_u32(&b, handle);
	part = buf_bytes(&b);
	if (signer_ask(s, SIGNER_CRL_DROP, &part, 1, timeout_ms, NULL, NULL, NULL) != RC_OK)
		return;
}

enum rc
signer_sign_crl(struct signer *s, const struct sign_crl *c, int timeout_ms, struct arena *a,
		struct signed_cert *ret, struct err *e)
{
	struct bytes answer;
	uint32_t handle;
	enum rc rc;

	TRY(begin(s, c, timeout_ms, &handle, e));
	rc = c->next != NULL ? send_entries(s, c, handle, timeout_ms, e) : RC_OK;
	if (rc != RC_OK) {
		drop(s, handle, timeout_ms);
		return rc;
	}
	TRY(send_part(s, SIGNER_CRL_SIGN, handle, c->tail, timeout_ms, a, &answer, e));
	return signer_decode_signed(answer, ret, e);
}

enum rc
signer_crl_last(struct signer *s, const char *label, struct bytes point, int timeout_ms,
		struct signer_last_crl *ret, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(16 << 10);
	OWN_BUF struct buf b = buf_max(LIMIT_FRAME);
	struct bytes part, answer, digest;
	struct rd r;
	uint8_t there;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "the last revocation list");
	buf_lv(&b, bytes_str(label));
	buf_lv(&b, point);
	NEED(buf_ok(&b), e, CHY_TOO_LONG, NULL, "a distribution point of %zu bytes", point.n);
	part = buf_bytes(&b);
	TRY(signer_ask(s, SIGNER_CRL_LAST, &part, 1, timeout_ms, a, &answer, e));
	r = rd_of(answer);
	there = rd_u8(&r);
	*ret = (struct signer_last_crl){ .complete = there & 1, .delta = there & 2, .number = rd_u64(&r) };
	ret->this_update_at = (int64_t)rd_u64(&r);
	for (int i = 0; i < 2; i++) {
		digest = rd_take(&r, 32);
		if (digest.p != NULL)
			memcpy(ret->digest[i], digest.p, 32);
	}
	NEED(rd_done(&r), e, CHY_SIGNER_ANSWER, NULL, "the last revocation list");
	return RC_OK;
}

/* ---- OCSP ---- */

static void
ocsp_head(const struct sign_ocsp *o, struct buf *b)
{
	buf_lv(b, bytes_str(o->key));
	buf_lv(b, bytes_str(sigalg_name(o->alg)));
	buf_u16(b, (uint16_t)o->n);
}

static MUST enum rc
ocsp_request(const struct sign_ocsp *o, struct buf *b, struct err *e)
{
	NEED(o->n >= 1 && o->n <= SIGNER_OCSP_MAX, e, CHY_TOO_LONG, NULL, "%zu responses, 1 to %d", o->n,
	     SIGNER_OCSP_MAX);
	ocsp_head(o, b);
	for (size_t i = 0; i < o->n; i++)
		buf_lv(b, o->data[i]);
	NEED(buf_ok(b), e, CHY_TOO_LONG, NULL, "%zu responses are no message", o->n);
	return RC_OK;
}

enum rc
signer_sign_ocsp_sync(struct signer *s, const struct sign_ocsp *o, int timeout_ms, struct arena *a,
		      struct bytes *ret, uint64_t *ret_position, struct err *e)
{
	OWN_BUF struct buf b = buf_max(LIMIT_FRAME);
	struct bytes part, answer;
	uint64_t position;
	struct rd r;

	TRY(ocsp_request(o, &b, e));
	part = buf_bytes(&b);
	TRY(signer_ask(s, SIGNER_SIGN_OCSP, &part, 1, timeout_ms, a, &answer, e));
	r = rd_of(answer);
	position = rd_u64(&r);
	NEED(rd_u16(&r) == o->n, e, CHY_SIGNER_ANSWER, NULL, "another number of signatures");
	for (size_t i = 0; i < o->n; i++)
		ret[i] = rd_lv(&r);
	NEED(rd_done(&r), e, CHY_SIGNER_ANSWER, NULL, "signatures of OCSP responses");
	if (ret_position != NULL)
		*ret_position = position;
	return RC_OK;
}

enum rc
signer_sign_ocsp(struct signer *s, const struct sign_ocsp *o, bool hold, signer_done *done, void *arg,
		 struct err *e)
{
	uint8_t head_room[2 * SIGNER_LABEL_MAX + 64];
	struct buf head = { .p = head_room, .cap = sizeof(head_room), .max = sizeof(head_room) };
	struct slot slot = { .type = SIGNER_SIGN_OCSP, .done = done, .arg = arg };
	struct bytes parts[2];

	NEED(o->n == 1, e, CHY_TOO_LONG, NULL, "%zu responses at once", o->n);
	ocsp_head(o, &head);
	buf_u32(&head, (uint32_t)o->data->n);
	NEED(buf_ok(&head) && o->data->n <= LIMIT_FRAME, e, CHY_TOO_LONG, NULL, "a response of %zu bytes",
	     o->data->n);
	parts[0] = buf_bytes(&head);
	parts[1] = *o->data;
	return signer_submit(s, slot, parts, ARRAY_LEN(parts), hold, e);
}
