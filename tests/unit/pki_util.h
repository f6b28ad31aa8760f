/* What the tests of pki share. */
#ifndef TESTS_PKI_UTIL_H
#define TESTS_PKI_UTIL_H

#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static inline struct arena *
fresh(void)
{
	struct arena *a = arena_new(LIMIT_REQUEST_ARENA);

	assert_non_null(a);
	return a;
}

#define assert_rc(call, want, e) \
	do { \
		enum rc got_ = (call); \
		if (got_ != (want)) \
			fail_msg("%s: %s CHY-%d %s: %s (%s)", #call, rc_name(got_), (e)->code, (e)->field, \
				 (e)->text, (e)->std); \
	} while (0)

/* Bytes of hexadecimal with blanks, in memory of their own that ends where they do (a sanitizer sees a read behind). */
static inline struct bytes
hexb(struct arena *a, const char *hex)
{
	OWN_BUF struct buf b = buf_max(1 << 16);
	struct bytes r;

	for (; *hex; hex++)
		if (*hex != ' ')
			buf_u8(&b, (uint8_t)*hex);
	assert_int_equal(hex_parse(a, buf_bytes(&b), &r, NULL), RC_OK);
	return r;
}

#endif
