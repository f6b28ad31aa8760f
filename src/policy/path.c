#include "base/base.h"
#include "policy/path.h"

#include "crypto/digest.h"

enum { HASH_DIGITS = 16 };

static bool
is_plain(struct bytes name, size_t i)
{
	uint8_t c = name.p[i];

	if (c < 0x20 || c == 0x7f || memchr("%/\\:*?\"<>|~", c, 11) != NULL)
		return false;
	if (i == 0 && c == '.')
		return false;
	return i + 1 < name.n || (c != '.' && c != ' ');
}

/* How much of the escaped text may stay: not within an escape, nor within a character. */
static size_t
cut_at(struct bytes text)
{
	size_t n = PATH_PART_MAX - 1 - HASH_DIGITS;

	while (n > 0 && (text.p[n] & 0xc0) == 0x80)
		n--;
	for (size_t back = 1; back <= 2 && back <= n; back++)
		if (text.p[n - back] == '%')
			return n - back;
	return n;
}

static void
put_hash(struct buf *b, struct bytes name)
{
	uint8_t hash[SHA256_LEN];

	sha256(name, hash);
	buf_u8(b, '~');
	hex_put(b, bytes_of(hash, HASH_DIGITS / 2));
}

const char *
path_part(struct arena *a, struct bytes name)
{
	OWN_BUF struct buf b = buf_max(16384);

	for (size_t i = 0; i < name.n; i++)
		if (is_plain(name, i))
			buf_u8(&b, name.p[i]);
		else
			buf_printf(&b, "%%%02X", name.p[i]);
	if (buf_ok(&b) && b.n > PATH_PART_MAX) {
		b.n = cut_at(buf_bytes(&b));
		put_hash(&b, name);
	}
	if (buf_ok(&b))
		return arena_str(a, buf_bytes(&b));
	arena_fail(a);
	return NULL;
}

const char *
path_join(struct arena *a, const char *above, struct bytes name)
{
	const char *file = path_part(a, name);

	if (file == NULL || above == NULL)
		return NULL;
	return *above ? arena_printf(a, "%s/%s", above, file) : file;
}

/* ---- from and to documents ---- */

static const char *
path_at(const struct snapshot *s, struct arena *a, const struct document *d, int depth)
{
	const struct document *domain = snapshot_of_kind(s, KIND_DOMAIN, d->domain);

	if (doc_id_is_none(d->domain))
		return path_part(a, d->name);
	if (domain == NULL || depth == PATH_DEPTH_MAX)
		return arena_printf(a, "domain %lld/%.*s", (long long)d->domain.v, BYTES_FMT(d->name));
	return path_join(a, path_at(s, a, domain, depth + 1), d->name);
}

const char *
path_of(const struct snapshot *s, struct arena *a, const struct document *d)
{
	return path_at(s, a, d, 0);
}

static int
hex_digit(uint8_t c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* %XX is the octet, anything else itself. */
static struct bytes
plain_part(struct bytes part, uint8_t to[static PATH_PART_MAX * 4])
{
	size_t n = 0;

	for (size_t i = 0; i < part.n && n < PATH_PART_MAX * 4; i++) {
		int high = part.p[i] == '%' && i + 2 < part.n ? hex_digit(part.p[i + 1]) : -1,
		    low = high >= 0 ? hex_digit(part.p[i + 2]) : -1;

		to[n++] = low >= 0 ? (uint8_t)(high << 4 | low) : part.p[i];
		i += low >= 0 ? 2 : 0;
	}
	return bytes_of(to, n);
}

/* The name was too long for a part: the one whose part this is. */
static const struct document *
by_cut_name(const struct snapshot *s, enum kind_id kind, struct bytes part, struct doc_id domain)
{
	const struct document *const *list;
	size_t n = snapshot_list(s, kind, &list);

	for (size_t i = 0; i < n; i++) {
		OWN(arena_free)
		struct arena *a = NULL;
		const char *text;

		if (!doc_id_eq(list[i]->domain, domain) || list[i]->name.n <= PATH_PART_MAX / 3)
			continue;
		a = arena_new(64 << 10);
		text = a ? path_part(a, list[i]->name) : NULL;
		if (text != NULL && bytes_is(part, text))
			return list[i];
	}
	return NULL;
}

static const struct document *
step(const struct snapshot *s, enum kind_id kind, struct bytes part, struct doc_id domain)
{
	uint8_t plain[PATH_PART_MAX * 4];
	const struct document *d = snapshot_in_domain(s, kind, plain_part(part, plain), domain);

	if (d == NULL && part.n > HASH_DIGITS && part.p[part.n - 1 - HASH_DIGITS] == '~')
		return by_cut_name(s, kind, part, domain);
	return d;
}

const struct document *
path_find(const struct snapshot *s, enum kind_id kind, struct bytes path)
{
	struct bytes rest = bytes_starts(path, "/") ? bytes_part(path, 1, SIZE_MAX) : path;
	struct doc_id domain = doc_id_of(0);

	if (memchr(path.p ? path.p : (const uint8_t *)"", '/', path.n) == NULL)
		return NULL;
	for (;;) {
		struct bytes part = text_cut(rest, '/', &rest);
		const struct document *d = step(s, rest.p ? KIND_DOMAIN : kind, part, domain);

		if (d == NULL || rest.p == NULL)
			return d;
		domain = d->id;
	}
}
