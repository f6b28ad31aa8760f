#include "base/base.h"
#include "pkcs11/uri.h"

static const char *const names[P11_URI_ATTRS] = {
	[P11_LIBRARY_DESCRIPTION] = "library-description",
	[P11_LIBRARY_MANUFACTURER] = "library-manufacturer",
	[P11_LIBRARY_VERSION] = "library-version",
	[P11_SLOT_DESCRIPTION] = "slot-description",
	[P11_SLOT_ID] = "slot-id",
	[P11_SLOT_MANUFACTURER] = "slot-manufacturer",
	[P11_MANUFACTURER] = "manufacturer",
	[P11_MODEL] = "model",
	[P11_SERIAL] = "serial",
	[P11_TOKEN] = "token",
	[P11_ID] = "id",
	[P11_OBJECT] = "object",
	[P11_TYPE] = "type",
	[P11_MODULE_NAME] = "module-name",
	[P11_MODULE_PATH] = "module-path",
	[P11_PIN_SOURCE] = "pin-source",
};

static const struct {
	const char *text;
	enum p11_type type;
} types[] = {
	{ "public", P11_TYPE_PUBLIC },    { "private", P11_TYPE_PRIVATE }, { "cert", P11_TYPE_CERT },
	{ "secret-key", P11_TYPE_OTHER }, { "data", P11_TYPE_OTHER },
};

#define SCHEME "pkcs11:"
#define STD "RFC 7512 2.3"

static bool
is_alnum(uint8_t c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* pk11-path-res-avail, pk11-query-res-avail and unreserved; NUL is in no list. */
static bool
is_plain(uint8_t c, bool query)
{
	if (is_alnum(c))
		return true;
	return c != 0 && (strchr("-._~:[]@!$'()*+,=", c) != NULL || strchr(query ? "/?|" : "&", c) != NULL);
}

static int
nibble(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
p11_uri_is(struct bytes text)
{
	return text.n >= sizeof(SCHEME) - 1 &&
	    ascii_case_eq(bytes_part(text, 0, sizeof(SCHEME) - 1), BYTES(SCHEME));
}

static MUST enum rc
unescape(struct arena *a, struct bytes in, bool query, struct bytes *ret, struct err *e)
{
	uint8_t *out = arena_alloc(a, in.n + 1);
	size_t n = 0;

	NEED(out != NULL, e, CHY_NO_MEMORY, NULL, "a URI");
	for (size_t i = 0; i < in.n; i++) {
		int hi, lo;

		if (in.p[i] != '%') {
			NEED(is_plain(in.p[i], query), e, CHY_P11_URI, STD,
			     "character 0x%02x must be escaped", in.p[i]);
			out[n++] = in.p[i];
			continue;
		}
		hi = in.n - i > 2 ? nibble(in.p[i + 1]) : -1;
		lo = in.n - i > 2 ? nibble(in.p[i + 2]) : -1;
		NEED(hi >= 0 && lo >= 0, e, CHY_P11_URI, STD, "incomplete escape");
		out[n++] = (uint8_t)(hi << 4 | lo);
		i += 2;
	}
	*ret = bytes_of(out, n);
	return RC_OK;
}

static MUST enum rc
check_type(struct p11_uri *u, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (bytes_is(u->attr[P11_TYPE], types[i].text)) {
			u->type = types[i].type;
			return RC_OK;
		}
	FAIL(e, CHY_P11_URI, STD, "type %.*s", BYTES_FMT(u->attr[P11_TYPE]));
}

static bool
version_ok(struct bytes v)
{
	struct bytes minor, major = text_cut(v, '.', &minor);
	int64_t n;

	return int_parse(major, 0, 255, &n, NULL) == RC_OK &&
	    (minor.p == NULL || int_parse(minor, 0, 255, &n, NULL) == RC_OK);
}

static MUST enum rc
check_value(struct p11_uri *u, enum p11_uri_attr attr, struct err *e)
{
	struct bytes v = u->attr[attr];
	int64_t n;

	if (attr == P11_ID) {
		NEED(v.n <= P11_ID_MAX, e, CHY_P11_URI, STD, "id of %zu bytes", v.n);
		return RC_OK;
	}
	NEED(utf8_ok(v) && (v.n == 0 || memchr(v.p, 0, v.n) == NULL), e, CHY_P11_URI, STD, "%s is not text",
	     names[attr]);
	if (attr == P11_TYPE)
		return check_type(u, e);
	if (attr == P11_LIBRARY_VERSION)
		NEED(version_ok(v), e, CHY_P11_URI, STD, "library-version");
	if (attr == P11_SLOT_ID) {
		NEED(int_parse(v, 0, INT64_MAX, &n, NULL) == RC_OK, e, CHY_P11_URI, STD, "slot-id");
		u->slot_id = (uint64_t)n;
	}
	return RC_OK;
}

static bool
name_ok(struct bytes name)
{
	for (size_t i = 0; i < name.n; i++)
		if (!is_alnum(name.p[i]) && name.p[i] != '-' && name.p[i] != '_')
			return false;
	return name.n > 0;
}

static MUST enum rc
parse_one(struct arena *a, struct bytes one, bool query, struct p11_uri *u, struct err *e)
{
	struct bytes value, name = text_cut(one, '=', &value);
	unsigned from = query ? P11_MODULE_NAME : 0, to = query ? P11_URI_ATTRS : P11_MODULE_NAME;

	NEED(value.p != NULL && name_ok(name), e, CHY_P11_URI, STD, "attribute without name or value");
	NEED(!query || !bytes_is(name, "pin-value"), e, CHY_P11_URI_PIN, "RFC 7512 6",
	     "pin-value is not accepted");
	for (unsigned i = from; i < to; i++) {
		if (!bytes_is(name, names[i]))
			continue;
		NEED(u->attr[i].p == NULL, e, CHY_P11_URI, STD, "%s twice", names[i]);
		TRY(unescape(a, value, query, &u->attr[i], e));
		return check_value(u, (enum p11_uri_attr)i, e);
	}
	u->unknown |= !query;
	return unescape(a, value, query, &value, e);
}

static MUST enum rc
parse_part(struct arena *a, struct bytes part, char sep, struct p11_uri *u, struct err *e)
{
	while (part.p != NULL && part.n > 0) {
		struct bytes rest, one = text_cut(part, sep, &rest);

		TRY(parse_one(a, one, sep == '&', u, e));
		NEED(rest.p == NULL || rest.n > 0, e, CHY_P11_URI, STD, "nothing behind the last separator");
		part = rest;
	}
	return RC_OK;
}

enum rc
p11_uri_parse(struct arena *a, struct bytes text, struct p11_uri *ret, struct err *e)
{
	struct bytes path, query;

	*ret = (struct p11_uri){ 0 };
	NEED(text.n <= P11_URI_MAX, e, CHY_P11_URI, STD, "longer than %d characters", P11_URI_MAX);
	NEED(p11_uri_is(text), e, CHY_P11_URI, STD, "does not begin with pkcs11:");
	path = text_cut(bytes_part(text, sizeof(SCHEME) - 1, SIZE_MAX), '?', &query);
	TRY(parse_part(a, path, ';', ret, e));
	NEED(query.p == NULL || query.n > 0, e, CHY_P11_URI, STD, "empty query");
	return parse_part(a, query, '&', ret, e);
}

static void
put_value(struct buf *out, struct bytes v, enum p11_uri_attr attr)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < v.n; i++) {
		uint8_t c = v.p[i];

		/* an id is binary as a rule: RFC 7512 2.3 advises to escape the whole of it */
		if (attr != P11_ID && is_plain(c, attr >= P11_MODULE_NAME) && c != '&') {
			buf_u8(out, c);
			continue;
		}
		buf_u8(out, '%');
		buf_u8(out, (uint8_t)digits[c >> 4]);
		buf_u8(out, (uint8_t)digits[c & 15]);
	}
}

void
p11_uri_put(struct buf *out, const struct p11_uri *u)
{
	const char *sep = "";

	buf_str(out, SCHEME);
	for (unsigned i = 0; i < P11_URI_ATTRS; i++) {
		if (i == P11_MODULE_NAME)
			sep = "?";
		if (u->attr[i].p == NULL)
			continue;
		buf_printf(out, "%s%s=", sep, names[i]);
		put_value(out, u->attr[i], (enum p11_uri_attr)i);
		sep = i < P11_MODULE_NAME ? ";" : "&";
	}
}

bool
p11_uri_field(const struct p11_uri *u, enum p11_uri_attr attr, const void *padded, size_t width)
{
	struct bytes field = bytes_of(padded, width);

	if (u->attr[attr].p == NULL)
		return true;
	while (field.n > 0 && (field.p[field.n - 1] == ' ' || field.p[field.n - 1] == 0))
		field.n--;
	return bytes_eq(u->attr[attr], field);
}

bool
p11_uri_object(const struct p11_uri *u, struct bytes id, struct bytes label)
{
	if (u->attr[P11_ID].p != NULL && !bytes_eq(u->attr[P11_ID], id))
		return false;
	return u->attr[P11_OBJECT].p == NULL || bytes_eq(u->attr[P11_OBJECT], label);
}
