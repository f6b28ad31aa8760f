/* Patterns of distribution rules: the first octet says where the result stands, then the pattern, then (behind a NUL) the
   value of every keyword. What is accepted comes to something whose structure is that of the same pattern with a harmless
   value: as many names, tests and segments. */
#include "base/base.h"

#include "model/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check(bool ok)
{
	if (!ok)
		abort();
}

/* What means something to whoever reads the result, outside of escapes. The operators of a filter are some only where one
   stands, right behind a parenthesis (RFC 4515 3): within a value they are letters. */
static size_t
signs_of(enum pattern_place place, struct bytes text)
{
	const char *signs = place == PATTERN_DN ? "=,+;\"<>" : place == PATTERN_FILTER ? "()*" : "/?";
	bool filter = place == PATTERN_FILTER, backslash = filter || place == PATTERN_DN;
	size_t found = 0;

	for (size_t i = 0; i < text.n; i++) {
		if (backslash && text.p[i] == '\\') {
			i++;
			continue;
		}
		if (text.p[i] != 0 && strchr(signs, text.p[i]) != NULL)
			found++;
		if (filter && text.p[i] == '(' && i + 1 < text.n && strchr("&|!", text.p[i + 1]) != NULL)
			found++;
	}
	return found;
}

static enum rc
fill(struct arena *a, const struct pattern *p, struct bytes value, struct buf *out, struct err *e)
{
	struct ava ava[] = { { .known = OID_AT_CN, .value = value },
			     { .known = OID_AT_UID, .value = value, .rdn = 1 } };
	struct pattern_facts f = { .serial = BYTES("\x01"), .sha256 = BYTES("\x02"), .san = BYTES_NONE };

	TRY(name_build(a, ava, ARRAY_LEN(ava), &f.subject, e));
	f.issuer = f.subject;
	return pattern_fill(a, p, &f, out, e);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	OWN_BUF struct buf evil = buf_max(64 << 10), good = buf_max(64 << 10);
	struct bytes value, text = text_cut(bytes_part(bytes_of(data, n), 1, SIZE_MAX), 0, &value);
	struct pattern p;
	struct err e = { 0 }, why = { 0 };

	if (a == NULL || n < 1)
		return 0;
	if (pattern_parse(text, (enum pattern_place)(data[0] % PATTERN_PLACES), &p, &e) != RC_OK) {
		check(e.code != CHY_NONE);
		return 0;
	}
	if (fill(a, &p, BYTES("x"), &good, &e) != RC_OK || fill(a, &p, value, &evil, &why) != RC_OK)
		return 0;
	if (p.place == PATTERN_VALUE || p.place == PATTERN_MAILBOX)
		return 0;
	if (p.place == PATTERN_LINE) {
		for (size_t i = 0; i < evil.n; i++)
			check(evil.p[i] >= 0x20);
		return 0;
	}
	if (memmem(text.p, text.n, "subject", 7) == NULL && memmem(text.p, text.n, "issuer", 6) == NULL)
		check(signs_of(p.place, buf_bytes(&evil)) == signs_of(p.place, buf_bytes(&good)));
	if (p.place == PATTERN_FILE) {
		check(evil.p[0] != '/' && memmem(evil.p, evil.n, "/../", 4) == NULL);
		check(!bytes_starts(buf_bytes(&evil), "../"));
	}
	return 0;
}
