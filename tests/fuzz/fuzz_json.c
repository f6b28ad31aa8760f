/*
 * JSON: what the reader accepts, the three writers write so that the reader gets the same value back, and the
 * canonical form (RFC 8785) is a fixed point.
 */
#include "base/base.h"
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { ARENA_MAX = 8 << 20, TEXT_MAX = 8 << 20 };

static void
check(bool ok)
{
	if (!ok)
		abort();
}

static void
same_value(struct arena *a, struct bytes text, const struct json *want)
{
	struct json *again;

	check(json_parse(a, text, &again, NULL) == RC_OK);
	check(json_eq(want, again) && json_eq(again, want));
}

static void
round_trips(struct arena *a, const struct json *v)
{
	OWN_BUF struct buf plain = buf_max(TEXT_MAX), pretty = buf_max(TEXT_MAX), once = buf_max(TEXT_MAX);
	OWN_BUF struct buf twice = buf_max(TEXT_MAX);
	struct json *again;

	json_put(&plain, v);
	json_put_pretty(&pretty, v);
	json_put_canonical(&once, v);
	check(buf_ok(&plain) && buf_ok(&pretty) && buf_ok(&once));
	same_value(a, buf_bytes(&plain), v);
	same_value(a, buf_bytes(&pretty), v);
	check(json_parse(a, buf_bytes(&once), &again, NULL) == RC_OK);
	json_put_canonical(&twice, again);
	check(bytes_eq(buf_bytes(&once), buf_bytes(&twice)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	OWN(arena_free)
	struct arena *a = arena_new(ARENA_MAX), *b = arena_new(4 * ARENA_MAX);
	struct err e = { 0 };
	struct json *v;

	if (a == NULL || b == NULL)
		return 0;
	if (json_parse(a, bytes_of(data, n), &v, &e) != RC_OK) {
		check(e.code != CHY_NONE && e.text[0] != 0);
		return 0;
	}
	round_trips(b, v);
	return 0;
}
