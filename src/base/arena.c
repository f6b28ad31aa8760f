#include "base/base.h"

#include <pthread.h>
#include <stdarg.h>

#ifdef __SANITIZE_ADDRESS__
enum { SPARE_MAX = 0 }; /* so that the sanitizer sees a use after the end */
#else
enum { SPARE_MAX = 32 }; /* half a megabyte: an event thread has some ten requests under way */
#endif
enum { CHUNK = 16 << 10, ALIGN = 16 };

struct chunk {
	struct chunk *next;
	size_t cap, used;
	_Alignas(ALIGN) uint8_t data[];
};

struct arena {
	struct chunk *first; /* the one that we allocate from */
	size_t max, used;
	bool wipes, failed;
};

/* Standard chunks that this thread gave back: an issuing thread makes an arena ten thousand times a second. */
static __thread struct chunk *spare;
static __thread unsigned spares;
static pthread_key_t at_end;
static pthread_once_t at_end_once = PTHREAD_ONCE_INIT;

static void
spares_free(void *unused)
{
	for (struct chunk *next; spare != NULL; spare = next) {
		next = spare->next;
		free(spare);
	}
	spares = 0;
}

static void
at_end_make(void)
{
	(void)!pthread_key_create(&at_end, spares_free);
}

/* Asks for spares_free when this thread ends. */
static void
spares_owned(void)
{
	static __thread bool asked;

	if (asked)
		return;
	asked = true;
	pthread_once(&at_end_once, at_end_make);
	(void)!pthread_setspecific(at_end, &spares);
}

static struct chunk *
chunk_new(size_t need)
{
	size_t cap = need > CHUNK ? need : CHUNK;
	struct chunk *c = spare;

	if (cap == CHUNK && c != NULL) {
		spare = c->next;
		spares--;
	} else {
		c = cap <= PTRDIFF_MAX - sizeof(*c) ? malloc(sizeof(*c) + cap) : NULL;
	}
	if (c == NULL)
		return NULL;
	*c = (struct chunk){ .cap = cap };
	return c;
}

static void
chunk_free(struct chunk *c)
{
	if (c->cap == CHUNK && spares + 1 <= SPARE_MAX) {
		c->next = spare;
		spare = c;
		spares++;
		spares_owned();
	} else {
		free(c);
	}
}

struct arena *
arena_new(size_t max)
{
	struct chunk *c = chunk_new(CHUNK);
	struct arena *a;

	if (c == NULL)
		return NULL;
	a = (struct arena *)(void *)c->data; /* the arena lives in its first chunk */
	*a = (struct arena){ .first = c, .max = max };
	c->used = (sizeof(*a) + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	return a;
}

void
arena_wipes(struct arena *a)
{
	a->wipes = true;
}

/* The arena itself lives in the last of them. */
void
arena_free(struct arena *a)
{
	bool wipes = a != NULL && a->wipes;

	if (a == NULL)
		return;
	for (struct chunk *c = a->first, *next; c != NULL; c = next) {
		next = c->next;
		if (wipes)
			explicit_bzero(c->data, c->used);
		chunk_free(c);
	}
}

static void *
refuse(struct arena *a)
{
	arena_fail(a);
	return NULL;
}

void *
arena_raw(struct arena *a, size_t n)
{
	size_t need = (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	struct chunk *c = a->first;
	void *p;

	if (need < n || need > a->max - a->used || fault_fails("base.alloc"))
		return refuse(a);
	if (need > c->cap - c->used) {
		c = chunk_new(need);
		if (c == NULL)
			return refuse(a);
		c->next = a->first;
		a->first = c;
	}
	p = c->data + c->used;
	c->used += need;
	a->used += need;
	return p;
}

void *
arena_alloc(struct arena *a, size_t n)
{
	void *p = arena_raw(a, n);

	return p != NULL && n > 0 ? memset(p, 0, n) : p;
}

void *
arena_array(struct arena *a, size_t count, size_t size)
{
	if (size != 0 && count > SIZE_MAX / size)
		return refuse(a);
	return arena_alloc(a, count * size);
}

struct bytes
arena_dup(struct arena *a, struct bytes b)
{
	uint8_t *p = b.n < SIZE_MAX ? arena_raw(a, b.n + 1) : NULL;

	if (p == NULL)
		return BYTES_NONE;
	if (b.n > 0)
		memcpy(p, b.p, b.n);
	p[b.n] = 0;
	return bytes_of(p, b.n);
}

char *
arena_str(struct arena *a, struct bytes b)
{
	union {
		const uint8_t *in;
		char *out;
	} u = { .in = arena_dup(a, b).p };

	return u.out;
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || (p = arena_alloc(a, (size_t)n + 1)) == NULL)
		return NULL;
	va_start(ap, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return p;
}

void
arena_fail(struct arena *a)
{
	a->failed = true;
}

bool
arena_failed(const struct arena *a)
{
	return a->failed;
}

size_t
arena_used(const struct arena *a)
{
	return a->used;
}
