/*
 * Bytes are {pointer, length}: a view that owns nothing. Text is bytes too; BYTES("x") makes one of a literal.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
	const uint8_t *p;
	size_t n;
};

#define BYTES(lit) ((struct bytes){ (const uint8_t *)("" lit), sizeof(lit) - 1 })
#define BYTES_OF(array) ((struct bytes){ (const uint8_t *)(array), sizeof(array) })
#define BYTES_NONE ((struct bytes){ NULL, 0 })

/* For printf("%.*s", BYTES_FMT(b)). */
#define BYTES_FMT(b) (int)(b).n, (const char *)(b).p

static inline struct bytes
bytes_of(const void *p, size_t n)
{
	return (struct bytes){ (const uint8_t *)p, n };
}

/* A C string without its NUL; NULL is empty. */
static inline struct bytes
bytes_str(const char *s)
{
	return (struct bytes){ (const uint8_t *)s, s ? strlen(s) : 0 };
}

static inline bool
bytes_eq(struct bytes a, struct bytes b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool
bytes_is(struct bytes a, const char *s)
{
	return bytes_eq(a, bytes_str(s));
}

static inline bool
bytes_starts(struct bytes a, const char *s)
{
	size_t n = strlen(s);

	return a.n >= n && (n == 0 || memcmp(a.p, s, n) == 0);
}

/* Order as of memcmp, the shorter first where one begins with the other. */
int bytes_cmp(struct bytes a, struct bytes b);

/* Equal, in a time that depends on the lengths only. */
bool bytes_eq_secret(struct bytes a, struct bytes b);

/* The part from `from` of at most n bytes; what lies outside is cut. */
struct bytes bytes_part(struct bytes a, size_t from, size_t n);

#endif
