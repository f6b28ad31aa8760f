/*
 * Writing one JSON string, apart from the rest of JSON: the log needs no more, and so a program that has no business
 * with JSON (the signer) does not contain its parser.
 */
#include "base/base.h"
#include "base/json.h"

static void
put_escaped(struct buf *out, int32_t c)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *at = c ? strchr(from, c) : NULL;

	if (at != NULL) {
		buf_u8(out, '\\');
		buf_u8(out, (uint8_t)to[at - from]);
	} else {
		buf_printf(out, "\\u%04x", (unsigned)c);
	}
}

void
json_put_str(struct buf *out, struct bytes s)
{
	buf_u8(out, '"');
	while (s.n > 0) {
		const uint8_t *from = s.p;
		int32_t c = 0;

		while (s.n > 0 && s.p[0] >= 0x20 && s.p[0] != '"' && s.p[0] != '\\') {
			struct bytes before = s;

			if ((c = utf8_take(&s)) < 0) {
				s = before;
				break;
			}
		}
		buf_put(out, bytes_of(from, (size_t)(s.p - from)));
		if (s.n == 0)
			break;
		if (c < 0)
			buf_put(out, BYTES("\xef\xbf\xbd"));
		else
			put_escaped(out, s.p[0]);
		s = bytes_part(s, 1, SIZE_MAX);
	}
	buf_u8(out, '"');
}
