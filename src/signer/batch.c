/* Requests that share a sync: from the messages to the output. */
#include "base/base.h"
#include "signer/core_impl.h"

/* ---- life ---- */

enum rc
batch_init(struct batch *b, struct err *e)
{
	b->items = calloc(LIMIT_SIGNER_BATCH, sizeof(*b->items));
	NEED(b->items != NULL, e, CHY_NO_MEMORY, NULL, "the signer");
	for (size_t i = 0; i < LIMIT_SIGNER_BATCH; i++) {
		b->items[i].payload = buf_max(LIMIT_FRAME);
		b->items[i].signature = buf_max(KEYSTORE_SIGNATURE_MAX);
		b->items[i].many = buf_max(LIMIT_FRAME);
	}
	return RC_OK;
}

void
batch_fini(struct batch *b)
{
	for (size_t i = 0; b->items != NULL && i < LIMIT_SIGNER_BATCH; i++) {
		buf_fini(&b->items[i].payload);
		buf_fini(&b->items[i].signature);
		buf_fini(&b->items[i].many);
	}
	free(b->items);
}

/* ---- requests ---- */

struct item *
batch_add(struct batch *b, struct frame f)
{
	struct item *it = &b->items[b->n++];
	struct buf payload = it->payload, signature = it->signature, many = it->many;

	payload.n = signature.n = 0; /* memory of the batch before is used again */
	payload.bad = signature.bad = false;
	memset(it, 0, offsetof(struct item, head));
	it->in = f;
	it->payload = payload;
	it->signature = signature;
	it->many = many;
	return it;
}

void
batch_checked(struct batch *b)
{
	const struct item *it = &b->items[b->n - 1];

	if (!it->signs)
		return;
	b->signs = true;
	b->slow = b->slow || it->key->slow;
}

bool
batch_is_movable(const struct batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->items[i].crl != NULL || (b->items[i].signs && !core_is_beside(b->items[i].in.type)))
			return false;
	return true;
}

/* ---- answers ---- */

static void
put_error(struct buf *out, uint64_t id, const struct err *e)
{
	OWN_BUF struct buf p = buf_max(4 << 10);

	buf_u32(&p, (uint32_t)e->code);
	buf_lv(&p, bytes_str(e->field));
	buf_lv(&p, bytes_str(e->std));
	buf_lv(&p, bytes_str(e->text));
	frame_put(out, (struct frame){ SIGNER_ERROR, id, buf_bytes(&p) });
}

void
answer_put(struct buf *out, struct frame request, struct bytes payload, const struct err *e)
{
	if (e->code != CHY_NONE)
		put_error(out, request.id, e);
	else
		frame_put(out, (struct frame){ request.type | SIGNER_ANSWER, request.id, payload });
}

static void
put_answer(struct signer_core *c, struct item *it)
{
	if (it->e.code == CHY_NONE && !buf_ok(&it->payload))
		(void)err_set(&it->e, CHY_NO_MEMORY, NULL, "an answer");
	answer_put(&c->out, it->in, buf_bytes(&it->payload), &it->e);
}

void
batch_settle(struct signer_core *c, struct batch *b)
{
	pthread_mutex_lock(&c->writing);
	for (size_t i = 0; i < b->n; i++)
		if (!b->items[i].later)
			put_answer(c, &b->items[i]);
	pthread_mutex_unlock(&c->writing);
	for (size_t i = 0; i < b->n; i++) {
		crl_answered(&b->items[i]);
		buf_fini(&b->items[i].many);
	}
	for (size_t i = 0; i < b->n; i++) /* one may be a PIN, and the memory is used again */
		buf_drop_wipe(&b->items[i].payload, b->items[i].payload.n);
	b->n = b->given = 0;
	b->signs = b->slow = false;
}
