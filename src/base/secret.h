/*
 * Secrets: memory of their own that is locked, left out of core dumps and wiped at the end. A struct secret has no
 * way into a log or an error text; what needs its bytes says so by secret_bytes.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include "base/bytes.h"
#include "base/rc.h"

struct secret;

/* n bytes, zeroed; NULL when memory is out. Owned by the caller. */
struct secret *secret_new(size_t n);
struct secret *secret_of(struct bytes b);
void secret_free(struct secret *s);
OWN_DEFINE(struct secret *, secret_free)

uint8_t *secret_data(struct secret *s);
size_t secret_len(const struct secret *s);
struct bytes secret_bytes(const struct secret *s);
/* Shortens it, wiping the rest; n at most its length. */
void secret_cut(struct secret *s, size_t n);

/* The first line of a file without its end, at most 4096 bytes (CHY_FILE_OPEN, CHY_FILE_READ, CHY_TOO_LONG). */
MUST enum rc secret_read_file(const char *path, struct secret **ret, struct err *e);
/* The same from an open descriptor, which stays open. */
MUST enum rc secret_read_fd(int fd, struct secret **ret, struct err *e);

#endif
