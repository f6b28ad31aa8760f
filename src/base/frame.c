#include "base/base.h"
#include "base/frame.h"

void
frame_put(struct buf *out, struct frame f)
{
	if (f.payload.n > LIMIT_FRAME) {
		out->bad = true;
		return;
	}
	buf_u32(out, (uint32_t)(FRAME_HEAD - 4 + f.payload.n));
	buf_u16(out, f.type);
	buf_u64(out, f.id);
	buf_put(out, f.payload);
}

enum rc
frame_take(struct bytes *in, struct frame *ret, bool *ret_whole, struct err *e)
{
	struct rd r = rd_of(*in);
	uint32_t len;

	*ret_whole = false;
	if (in->n < FRAME_HEAD)
		return RC_OK;
	len = rd_u32(&r);
	NEED(len >= FRAME_HEAD - 4 && len <= FRAME_HEAD - 4 + LIMIT_FRAME, e, CHY_FRAME, NULL, "length %u",
	     len);
	if (in->n - 4 < len)
		return RC_OK;
	ret->type = rd_u16(&r);
	ret->id = rd_u64(&r);
	ret->payload = rd_take(&r, len - (FRAME_HEAD - 4));
	*in = bytes_part(*in, 4 + (size_t)len, SIZE_MAX);
	*ret_whole = true;
	return RC_OK;
}
