/*
 * Arena: memory with the lifetime of one request. Nothing is freed singly; arena_free ends it all.
 * The ceiling is compulsory: past it arena_alloc returns NULL. An arena belongs to one thread at a time.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/bytes.h"
#include "base/rc.h"

struct arena;

/* A new arena of at most max bytes. NULL only when memory is out. Owned by the caller: arena_free. */
struct arena *arena_new(size_t max);
void arena_free(struct arena *a);
OWN_DEFINE(struct arena *, arena_free)

/* What it hands out is wiped before it goes back: secrets come into it. From now on, all of it. */
void arena_wipes(struct arena *a);

/* n bytes, zeroed, aligned for any type; NULL past the ceiling. n = 0 gives a valid pointer. */
void *arena_alloc(struct arena *a, size_t n);
/* The same, but not zeroed: for what is written before it is read. It may hold what another request left. */
void *arena_raw(struct arena *a, size_t n);
#define arena_one(a, type) ((type *)arena_alloc((a), sizeof(type)))
/* An array; NULL on overflow of the product too. */
void *arena_array(struct arena *a, size_t count, size_t size);

/* Copies. The copy of text has a NUL behind it that its length does not count. p is NULL when memory is out. */
struct bytes arena_dup(struct arena *a, struct bytes b);
char *arena_str(struct arena *a, struct bytes b);
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF(2, 3);

/* Whether it ever had to refuse: who builds something of many parts asks once, at the end. */
bool arena_failed(const struct arena *a);
/* As if it had: for what could not be made on its way into the arena. */
void arena_fail(struct arena *a);

/* Bytes handed out so far. */
size_t arena_used(const struct arena *a);

#endif
