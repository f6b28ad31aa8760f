/*
 * Reading page by page where a row may take a megabyte (an officer's signature over a hundred requests): as many rows as
 * fit into the arena, so that no store is too full to be started, listed or exported.
 */
#ifndef FACTORY_PAGE_H
#define FACTORY_PAGE_H

#include "base/arena.h"
#include "base/rc.h"

enum { PAGE_ARENA = 64 << 20 };

/* arena: a struct arena * of its own, made anew here and the caller's to free; limit: a size_t with the rows wanted, after it
   those that were asked for (fewer where they did not fit: fewer rows than that are the end). call: what reads, with both;
   nothing that may not happen twice. Gives its enum rc; CHY_NO_MEMORY when a single row does not fit. */
#define PAGE_READ(arena, limit, octets, e, call) \
	({ \
		enum rc page_rc; \
		for (;;) { \
			arena_free(arena); \
			(arena) = arena_new(octets); \
			page_rc = (arena) == NULL ? err_set(e, CHY_NO_MEMORY, NULL, "a page of rows") \
						  : (call); \
			if (page_rc != RC_NOMEM || (limit) <= 1) \
				break; \
			(limit) /= 2; \
			err_clear(e); \
		} \
		page_rc; \
	})

#endif
