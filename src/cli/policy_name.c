#include "base/base.h"
#include "cli/policy_name.h"

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
	size_t n = POLICY_NAME_MAX - 1 - HASH_DIGITS;

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
policy_file_name(struct arena *a, struct bytes name)
{
	OWN_BUF struct buf b = buf_max(16384);

	for (size_t i = 0; i < name.n; i++)
		if (is_plain(name, i))
			buf_u8(&b, name.p[i]);
		else
			buf_printf(&b, "%%%02X", name.p[i]);
	if (!buf_ok(&b))
		return NULL;
	if (b.n > POLICY_NAME_MAX) {
		b.n = cut_at(buf_bytes(&b));
		put_hash(&b, name);
	}
	return buf_ok(&b) ? arena_str(a, buf_bytes(&b)) : NULL;
}

const char *
policy_path(struct arena *a, const char *above, struct bytes name)
{
	const char *file = policy_file_name(a, name);

	if (file == NULL || above == NULL)
		return NULL;
	return *above ? arena_printf(a, "%s/%s", above, file) : file;
}
