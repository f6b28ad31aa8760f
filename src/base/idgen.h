/*
 * Ids: time-ordered integers below 2^53, so that JSON carries them and an index over them grows at one end.
 * 41 bits of milliseconds since 2025-01-01 (until 2094), 4 bits of node, 8 bits of counter. When a millisecond is used
 * up, or the clock steps back, ids go on counting from the last one: never twice from one generator.
 */
#ifndef BASE_IDGEN_H
#define BASE_IDGEN_H

#include <stdatomic.h>

#include "base/rc.h"

struct idgen {
	_Atomic int64_t last;
	unsigned node; /* 0 to 15, another one for each factory on one store */
};

/* least: an id that all new ones must be above, the highest in the store. */
void idgen_init(struct idgen *g, unsigned node, int64_t least);
/* Any thread. now_ms as of clock_now_ms. */
int64_t idgen_next(struct idgen *g, int64_t now_ms);
/* The time that an id was made at, ms. */
int64_t id_at_ms(int64_t id);
/* The lowest id of a time, for ranges. */
int64_t id_least(int64_t at_ms);
bool id_is_among(const int64_t *ids, size_t n, int64_t id);

#endif
