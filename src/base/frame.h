/*
 * Messages between our own processes over a stream socket: 32-bit length of what follows, 16-bit type, 64-bit id,
 * payload (rd/buf encoded). The id matches an answer to its request.
 */
#ifndef BASE_FRAME_H
#define BASE_FRAME_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/rc.h"

enum { FRAME_HEAD = 4 + 2 + 8 };

struct frame {
	uint16_t type;
	uint64_t id;
	struct bytes payload;
};

/* Appends one message to out. A payload over LIMIT_FRAME fails the buffer. */
void frame_put(struct buf *out, struct frame f);

/* Takes one whole message off the front of *in. *ret_whole = false: more bytes are needed. The payload is a view into
   *in. CHY_FRAME: over LIMIT_FRAME or shorter than its head; the stream cannot be used any more. */
MUST enum rc frame_take(struct bytes *in, struct frame *ret, bool *ret_whole, struct err *e);

#endif
