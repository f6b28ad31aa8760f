#include "base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SECRET_FILE_MAX = 4096 };

struct secret {
	size_t n, mapped;
	uint8_t data[];
};

struct secret *
secret_new(size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t total = (sizeof(struct secret) + n + page - 1) / page * page;
	struct secret *s;

	if (total < n)
		return NULL;
	s = mmap(NULL, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (s == MAP_FAILED)
		return NULL;
	/* where the limit on locked memory is too low we still wipe and keep it out of dumps */
	(void)mlock(s, total);
	(void)madvise(s, total, MADV_DONTDUMP);
	s->n = n;
	s->mapped = total;
	return s;
}

struct secret *
secret_of(struct bytes b)
{
	struct secret *s = secret_new(b.n);

	if (s != NULL && b.n > 0)
		memcpy(s->data, b.p, b.n);
	return s;
}

void
secret_free(struct secret *s)
{
	size_t mapped;

	if (s == NULL)
		return;
	mapped = s->mapped;
	explicit_bzero(s, mapped);
	munmap(s, mapped);
}

uint8_t *
secret_data(struct secret *s)
{
	return s->data;
}

size_t
secret_len(const struct secret *s)
{
	return s->n;
}

struct bytes
secret_bytes(const struct secret *s)
{
	return bytes_of(s->data, s->n);
}

void
secret_cut(struct secret *s, size_t n)
{
	if (n < s->n) {
		explicit_bzero(s->data + n, s->n - n);
		s->n = n;
	}
}

enum rc
secret_read_fd(int fd, struct secret **ret, struct err *e)
{
	OWN(secret_free)
	struct secret *s = secret_new(SECRET_FILE_MAX);
	size_t n = 0;
	uint8_t *end;

	NEED(s != NULL, e, CHY_NO_MEMORY, NULL, "a secret");
	for (;;) {
		ssize_t got = read(fd, s->data + n, SECRET_FILE_MAX - n);

		if (got < 0 && errno == EINTR)
			continue;
		NEED(got >= 0, e, CHY_FILE_READ, NULL, "secret: %s", strerror(errno));
		n += (size_t)got;
		if (got == 0 || memchr(s->data, '\n', n) != NULL)
			break;
		NEED(n < SECRET_FILE_MAX, e, CHY_TOO_LONG, NULL, "secret longer than %d bytes",
		     SECRET_FILE_MAX - 1);
	}
	end = n ? memchr(s->data, '\n', n) : NULL;
	if (end != NULL)
		n = (size_t)(end - s->data);
	if (n > 0 && s->data[n - 1] == '\r')
		n--;
	secret_cut(s, n);
	*ret = s;
	s = NULL;
	return RC_OK;
}

enum rc
secret_read_file(const char *path, struct secret **ret, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	enum rc rc;

	NEED(fd >= 0, e, CHY_FILE_OPEN, NULL, "%s: %s", path, strerror(errno));
	rc = secret_read_fd(fd, ret, e);
	close(fd);
	return rc;
}
