#include "base/base.h"
#include "distributor/secrets.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/box.h"
#include "crypto/rand.h"

struct secrets {
	struct arena *a;
	const char *directory; /* NULL: there are none */
	pthread_mutex_t lock;  /* of the key, while it is not there yet */
	struct secret *key;    /* NULL: none was sealed when we looked last */
};

/* ---- addresses ---- */

static const struct {
	const char *scheme, *port;
} ports[] = { { "http", "80" },   { "https", "443" }, { "ldap", "389" },
	      { "ldaps", "636" }, { "smtp", "25" },   { "smtps", "465" } };

static const char *
port_of(struct bytes scheme)
{
	for (size_t i = 0; i < ARRAY_LEN(ports); i++)
		if (ascii_case_eq(scheme, bytes_str(ports[i].scheme)))
			return ports[i].port;
	return NULL;
}

/* Behind the host: a colon that is no part of an IPv6 address. */
static bool
has_port(struct bytes host)
{
	const uint8_t *colon = host.n ? memrchr(host.p, ':', host.n) : NULL;

	return colon != NULL && memchr(colon, ']', host.n - (size_t)(colon - host.p)) == NULL;
}

enum rc
address_normal(struct arena *a, struct bytes address, struct bytes *ret, struct err *e)
{
	struct bytes rest, scheme = text_cut(address, ':', &rest), host;
	const char *port = port_of(scheme);
	char *text;

	NEED(port != NULL && bytes_starts(rest, "//") && rest.n > 2, e, CHY_FIELD_URI, NULL,
	     "scheme://host:port of LDAP, HTTP or SMTP is wanted");
	host = bytes_part(rest, 2, SIZE_MAX);
	if (host.p[host.n - 1] == '/')
		host.n--;
	NEED(host.n > 0 && memchr(host.p, '/', host.n) == NULL && memchr(host.p, '@', host.n) == NULL, e,
	     CHY_FIELD_URI, NULL, "scheme, host and port only");
	text = arena_printf(a, "%.*s://%.*s%s%s", BYTES_FMT(scheme), BYTES_FMT(host),
			    has_port(host) ? "" : ":", has_port(host) ? "" : port);
	NEED(text != NULL, e, CHY_NO_MEMORY, NULL, "an address");
	for (char *p = text; *p != 0; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p | 0x20);
	*ret = bytes_str(text);
	return RC_OK;
}

/* ---- files ---- */

static enum rc
name_check(struct bytes name, struct err *e)
{
	NEED(name.n >= 1 && name.n <= 64, e, CHY_DELIVERY_SECRET, NULL, "a name of 1 to 64 characters");
	for (size_t i = 0; i < name.n; i++)
		NEED((name.p[i] >= 'a' && name.p[i] <= 'z') || (name.p[i] >= '0' && name.p[i] <= '9') ||
			 name.p[i] == '-',
		     e, CHY_DELIVERY_SECRET, NULL, "a name of a-z, 0-9 and hyphen");
	return RC_OK;
}

static struct bytes
label_of(struct arena *a, struct bytes name, struct bytes address)
{
	return bytes_str(arena_printf(a, "chancery-secret %.*s %.*s", BYTES_FMT(name), BYTES_FMT(address)));
}

static enum rc
read_key(struct arena *a, const char *directory, struct secret **ret, struct err *e)
{
	const char *path = arena_printf(a, "%s/key", directory);
	struct secret *key;
	struct stat st;
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	enum rc rc;

	*ret = NULL;
	if (fd < 0)
		return RC_OK;
	key = secret_new(BOX_KEY);
	rc = key ? fd_read_all(fd, secret_data(key), BOX_KEY, e)
		 : err_set(e, CHY_NO_MEMORY, NULL, "the key of the secrets");
	if (rc == RC_OK && (fstat(fd, &st) != 0 || (st.st_mode & 07) != 0))
		rc = err_set(e, CHY_CONFIG_PERMISSION, NULL, "%s can be read by others", path);
	close(fd);
	if (rc != RC_OK) {
		secret_free(key);
		return rc;
	}
	*ret = key;
	return RC_OK;
}

enum rc
secrets_open(const char *directory, struct secrets **ret, struct err *e)
{
	struct secrets *s = calloc(1, sizeof(*s));
	enum rc rc = RC_OK;

	NEED(s != NULL, e, CHY_NO_MEMORY, NULL, "the secrets");
	pthread_mutex_init(&s->lock, NULL);
	s->a = arena_new(64 << 10);
	s->directory = s->a && directory ? arena_str(s->a, bytes_str(directory)) : NULL;
	if (s->directory != NULL)
		rc = read_key(s->a, s->directory, &s->key, e);
	if (rc != RC_OK) {
		secrets_free(s);
		return rc;
	}
	*ret = s;
	return RC_OK;
}

void
secrets_free(struct secrets *s)
{
	if (s == NULL)
		return;
	secret_free(s->key);
	pthread_mutex_destroy(&s->lock);
	arena_free(s->a);
	free(s);
}

static enum rc
open_box(struct secrets *s, struct arena *a, struct bytes name, struct bytes address, struct secret **ret,
	 struct err *e)
{
	const char *path = arena_printf(a, "%s/%.*s.sealed", s->directory, BYTES_FMT(name));
	struct bytes normal, box;

	NEED(path != NULL, e, CHY_NO_MEMORY, NULL, "a secret");
	TRY(address_normal(a, address, &normal, e));
	TRY(file_read(a, path, SECRET_MAX + BOX_OVERHEAD, &box, e));
	return box_open(s->key, label_of(a, name, normal), box, ret, e);
}

/* The first secret, and the key with it, may be sealed while we run. */
static enum rc
have_key(struct secrets *s, struct arena *a, struct err *e)
{
	struct err why = { 0 };
	enum rc rc = RC_OK;
	bool there;

	pthread_mutex_lock(&s->lock);
	if (s->key == NULL && s->directory != NULL)
		rc = read_key(a, s->directory, &s->key, &why);
	there = s->key != NULL;
	pthread_mutex_unlock(&s->lock);
	NEED(rc == RC_OK, e, CHY_DELIVERY_SECRET, NULL, "%s", why.text);
	NEED(there, e, CHY_DELIVERY_SECRET, NULL, "no secret has been sealed on this server");
	return RC_OK;
}

enum rc
secrets_get(struct secrets *s, struct bytes name, struct bytes address, struct secret **ret, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	struct err why = { 0 };

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "a secret");
	TRY(name_check(name, e));
	TRY(have_key(s, a, e));
	NEED_FOR(open_box(s, a, name, address, ret, &why) == RC_OK, err_exact(&why), e, CHY_DELIVERY_SECRET,
		 NULL, "secret \"%.*s\": %s", BYTES_FMT(name),
		 why.code == CHY_BOX_OPEN ? "it is sealed for another address" : why.text);
	return RC_OK;
}

/* ---- sealing ---- */

static enum rc
need_key(struct arena *a, const char *directory, struct secret **ret, struct err *e)
{
	const char *path = arena_printf(a, "%s/key", directory);

	TRY(dir_make(directory, 0700, e));
	TRY(read_key(a, directory, ret, e));
	if (*ret != NULL)
		return RC_OK;
	*ret = secret_new(BOX_KEY);
	NEED(*ret != NULL && path != NULL, e, CHY_NO_MEMORY, NULL, "the key of the secrets");
	TRY(rand_bytes(secret_data(*ret), BOX_KEY, e));
	return file_write(path, secret_bytes(*ret), 0600, e);
}

enum rc
secrets_seal(const char *directory, struct bytes name, struct bytes address, struct bytes what, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	OWN(secret_free)
	struct secret *key = NULL;
	OWN_BUF struct buf box = buf_max(SECRET_MAX + BOX_OVERHEAD);
	struct bytes normal;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "a secret");
	TRY(name_check(name, e));
	TRY(address_normal(a, address, &normal, e));
	NEED(what.n >= 1 && what.n <= SECRET_MAX, e, CHY_DELIVERY_SECRET, NULL, "a secret of 1 to %d octets",
	     SECRET_MAX);
	TRY(need_key(a, directory, &key, e));
	TRY(box_seal(key, label_of(a, name, normal), what, &box, e));
	return file_write(arena_printf(a, "%s/%.*s.sealed", directory, BYTES_FMT(name)), buf_bytes(&box),
			  0600, e);
}
