#include "base/base.h"
#include "distributor/delivery.h"

void
delivery_put(struct buf *out, const struct delivery *d)
{
	buf_u64(out, (uint64_t)d->destination);
	buf_u64(out, (uint64_t)d->version);
	buf_u8(out, (uint8_t)d->what);
	buf_u8(out, (uint8_t)d->form);
	buf_u8(out, d->removal);
	buf_lv(out, d->rule);
	buf_lv(out, d->content);
	buf_lv(out, d->about);
	buf_lv(out, d->name);
	buf_u8(out, (uint8_t)d->chain_n);
	for (size_t i = 0; i < d->chain_n; i++)
		buf_lv(out, d->chain[i]);
	buf_u64(out, (uint64_t)d->object);
	buf_lv(out, d->instance);
	buf_lv(out, d->status);
}

enum rc
delivery_get(struct bytes in, struct delivery *ret, struct err *e)
{
	struct rd r = rd_of(in);

	*ret = (struct delivery){ .destination = (int64_t)rd_u64(&r), .version = (int64_t)rd_u64(&r) };
	ret->what = (enum delivery_what)rd_u8(&r);
	ret->form = (enum delivery_form)rd_u8(&r);
	ret->removal = rd_u8(&r) == 1;
	ret->rule = rd_lv(&r);
	ret->content = rd_lv(&r);
	ret->about = rd_lv(&r);
	ret->name = rd_lv(&r);
	ret->chain_n = rd_u8(&r);
	NEED(ret->chain_n <= LIMIT_DELIVERY_CHAIN && ret->what < DELIVERY_WHATS && ret->form < DELIVERY_FORMS,
	     e, CHY_DISTRIBUTOR_MESSAGE, NULL, "a delivery's numbers");
	for (size_t i = 0; i < ret->chain_n; i++)
		ret->chain[i] = rd_lv(&r);
	ret->object = (int64_t)rd_u64(&r);
	ret->instance = rd_lv(&r);
	ret->status = rd_lv(&r);
	NEED(rd_done(&r), e, CHY_DISTRIBUTOR_MESSAGE, NULL, "a delivery of %zu octets", in.n);
	return RC_OK;
}

void
outcome_put(struct buf *out, const struct err *e)
{
	buf_u32(out, (uint32_t)e->code);
	buf_lv(out, bytes_str(e->text));
}

enum rc
outcome_get(struct bytes in, struct err *ret, struct err *e)
{
	struct rd r = rd_of(in);
	uint32_t code = rd_u32(&r);
	struct bytes text = rd_lv(&r);

	*ret = (struct err){ 0 };
	NEED(rd_done(&r) && (code == 0 || code_rc((enum code)code) != RC_INTERNAL || code == CHY_INTERNAL), e,
	     CHY_DISTRIBUTOR_MESSAGE, NULL, "an outcome of %zu octets", in.n);
	if (code != 0)
		(void)!err_set(ret, (enum code)code, NULL, "%.*s", BYTES_FMT(text));
	return RC_OK;
}
