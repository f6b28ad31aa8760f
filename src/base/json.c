#include "base/base.h"
#include "base/json.h"

/* ---- reading ---- */

struct parser {
	struct arena *a;
	const uint8_t *start, *p, *end;
	unsigned depth;
	struct err *e;
};

static enum rc value(struct parser *s, struct json **ret);

#define BAD(s, what) \
	FAIL((s)->e, CHY_JSON_SYNTAX, "RFC 8259", "%s at byte %zu", what, (size_t)((s)->p - (s)->start) + 1)

static void
blanks(struct parser *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
		s->p++;
}

static bool
take(struct parser *s, char c)
{
	if (s->p < s->end && *s->p == (uint8_t)c) {
		s->p++;
		return true;
	}
	return false;
}

static enum rc
node(struct parser *s, enum json_type type, struct json **ret)
{
	struct json *v = arena_one(s->a, struct json);

	NEED(v != NULL, s->e, CHY_NO_MEMORY, NULL, "JSON value");
	v->type = type;
	*ret = v;
	return RC_OK;
}

static int
hex4(struct parser *s)
{
	int v = 0;

	if (s->end - s->p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		uint8_t c = *s->p++;
		int d = c >= '0' && c <= '9' ? c - '0'
		    : c >= 'a' && c <= 'f'   ? c - 'a' + 10
		    : c >= 'A' && c <= 'F'   ? c - 'A' + 10
					     : -1;

		if (d < 0)
			return -1;
		v = v << 4 | d;
	}
	return v;
}

static uint8_t *
put_utf8(uint8_t *q, int32_t c)
{
	if (c < 0x80) {
		*q++ = (uint8_t)c;
	} else if (c < 0x800) {
		*q++ = (uint8_t)(0xc0 | c >> 6);
		*q++ = (uint8_t)(0x80 | (c & 63));
	} else if (c < 0x10000) {
		*q++ = (uint8_t)(0xe0 | c >> 12);
		*q++ = (uint8_t)(0x80 | (c >> 6 & 63));
		*q++ = (uint8_t)(0x80 | (c & 63));
	} else {
		*q++ = (uint8_t)(0xf0 | c >> 18);
		*q++ = (uint8_t)(0x80 | (c >> 12 & 63));
		*q++ = (uint8_t)(0x80 | (c >> 6 & 63));
		*q++ = (uint8_t)(0x80 | (c & 63));
	}
	return q;
}

/* Behind a backslash. */
static enum rc
escape(struct parser *s, uint8_t **q)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at;
	int32_t c, low;

	if (s->p == s->end)
		BAD(s, "string without end");
	if (*s->p != 'u') {
		at = *s->p ? strchr(from, *s->p) : NULL;
		if (at == NULL)
			BAD(s, "unknown escape");
		s->p++;
		*(*q)++ = (uint8_t)to[at - from];
		return RC_OK;
	}
	s->p++;
	c = hex4(s);
	if (c >= 0xd800 && c <= 0xdbff) {
		if (!take(s, '\\') || !take(s, 'u') || (low = hex4(s)) < 0xdc00 || low > 0xdfff)
			BAD(s, "unpaired surrogate");
		c = 0x10000 + ((c & 0x3ff) << 10 | (low & 0x3ff));
	}
	if (c < 0 || (c >= 0xdc00 && c <= 0xdfff))
		BAD(s, "wrong \\u escape");
	*q = put_utf8(*q, c);
	return RC_OK;
}

/* Behind the opening quote. The text form is never shorter than the value, so its length is room enough. */
static enum rc
string(struct parser *s, struct bytes *ret)
{
	const uint8_t *close = s->p;
	uint8_t *start, *q;

	while (close < s->end && *close != '"')
		close += *close == '\\' && close + 1 < s->end ? 2 : 1;
	start = q = arena_alloc(s->a, (size_t)(close - s->p) + 1);
	NEED(q != NULL, s->e, CHY_NO_MEMORY, NULL, "JSON string");
	while (s->p < s->end && *s->p != '"') {
		if (*s->p < 0x20)
			BAD(s, "control character in a string");
		if (*s->p == '\\') {
			s->p++;
			TRY(escape(s, &q));
		} else {
			*q++ = *s->p++;
		}
	}
	if (!take(s, '"'))
		BAD(s, "string without end");
	*ret = bytes_of(start, (size_t)(q - start));
	NEED(utf8_ok(*ret), s->e, CHY_UTF8, "RFC 8259 8.1", "string before byte %zu",
	     (size_t)(s->p - s->start) + 1);
	return RC_OK;
}

static enum rc
number(struct parser *s, struct json **ret)
{
	const uint8_t *from = s->p;
	int64_t v;

	while (s->p < s->end &&
	       (*s->p == '-' || *s->p == '+' || *s->p == '.' || *s->p == 'e' || *s->p == 'E' ||
		(*s->p >= '0' && *s->p <= '9')))
		s->p++;
	NEED(int_parse(bytes_of(from, (size_t)(s->p - from)), -JSON_INT_MAX, JSON_INT_MAX, &v, NULL) == RC_OK,
	     s->e, CHY_JSON_NUMBER, "RFC 7493 2.2", "at byte %zu", (size_t)(from - s->start) + 1);
	TRY(node(s, JSON_INT, ret));
	(*ret)->integer = v;
	return RC_OK;
}

static enum rc
word(struct parser *s, const char *text, enum json_type type, bool boolean, struct json **ret)
{
	size_t n = strlen(text);

	if ((size_t)(s->end - s->p) < n || memcmp(s->p, text, n) != 0)
		BAD(s, "unexpected character");
	s->p += n;
	TRY(node(s, type, ret));
	(*ret)->boolean = boolean;
	return RC_OK;
}

static void
append(struct json *parent, struct json *v)
{
	if (parent->last != NULL)
		parent->last->next = v;
	else
		parent->first = v;
	parent->last = v;
	parent->count++;
}

static int
by_name(const void *a, const void *b)
{
	return bytes_cmp(*(const struct bytes *)a, *(const struct bytes *)b);
}

/* Few members are compared pairwise, many are sorted, so that a large object costs n log n. */
static enum rc
no_duplicates(struct parser *s, const struct json *o)
{
	struct bytes *names;
	size_t n = 0;

	if (o->count <= 16) {
		JSON_EACH(x, o)
		for (const struct json *y = x->next; y != NULL; y = y->next)
			NEED(!bytes_eq(x->name, y->name), s->e, CHY_JSON_DUPLICATE, "RFC 7493 2.3",
			     "\"%.*s\"", BYTES_FMT(bytes_part(x->name, 0, 80)));
		return RC_OK;
	}
	names = arena_array(s->a, o->count, sizeof(*names));
	NEED(names != NULL, s->e, CHY_NO_MEMORY, NULL, "JSON object");
	JSON_EACH(x, o)
	names[n++] = x->name;
	qsort(names, n, sizeof(*names), by_name);
	for (size_t i = 1; i < n; i++)
		NEED(!bytes_eq(names[i - 1], names[i]), s->e, CHY_JSON_DUPLICATE, "RFC 7493 2.3", "\"%.*s\"",
		     BYTES_FMT(bytes_part(names[i], 0, 80)));
	return RC_OK;
}

static enum rc
member(struct parser *s, struct json *o)
{
	struct bytes name;
	struct json *v;

	blanks(s);
	if (!take(s, '"'))
		BAD(s, "member name expected");
	TRY(string(s, &name));
	blanks(s);
	if (!take(s, ':'))
		BAD(s, "colon expected");
	TRY(value(s, &v));
	v->name = name;
	append(o, v);
	NEED(o->count <= LIMIT_JSON_MEMBERS, s->e, CHY_LIMIT, NULL, "more than %d members",
	     LIMIT_JSON_MEMBERS);
	return RC_OK;
}

static enum rc
object(struct parser *s, struct json **ret)
{
	TRY(node(s, JSON_OBJECT, ret));
	s->p++;
	blanks(s);
	if (take(s, '}'))
		return RC_OK;
	do {
		TRY(member(s, *ret));
		blanks(s);
	} while (take(s, ','));
	if (!take(s, '}'))
		BAD(s, "comma or closing brace expected");
	return no_duplicates(s, *ret);
}

static enum rc
array(struct parser *s, struct json **ret)
{
	struct json *v;

	TRY(node(s, JSON_ARRAY, ret));
	s->p++;
	blanks(s);
	if (take(s, ']'))
		return RC_OK;
	do {
		TRY(value(s, &v));
		append(*ret, v);
		blanks(s);
	} while (take(s, ','));
	if (!take(s, ']'))
		BAD(s, "comma or closing bracket expected");
	return RC_OK;
}

static enum rc
nested(struct parser *s, struct json **ret)
{
	enum rc rc;

	NEED(s->depth < LIMIT_JSON_DEPTH, s->e, CHY_JSON_DEPTH, NULL, "more than %d levels",
	     LIMIT_JSON_DEPTH);
	s->depth++;
	rc = *s->p == '{' ? object(s, ret) : array(s, ret);
	s->depth--;
	return rc;
}

static enum rc
value(struct parser *s, struct json **ret)
{
	blanks(s);
	if (s->p == s->end)
		BAD(s, "unexpected end");
	switch (*s->p) {
	case '{':
	case '[':
		return nested(s, ret);
	case '"':
		s->p++;
		TRY(node(s, JSON_STR, ret));
		return string(s, &(*ret)->str);
	case 't':
		return word(s, "true", JSON_BOOL, true, ret);
	case 'f':
		return word(s, "false", JSON_BOOL, false, ret);
	case 'n':
		return word(s, "null", JSON_NULL, false, ret);
	default:
		if (*s->p != '-' && (*s->p < '0' || *s->p > '9'))
			BAD(s, "unexpected character");
		return number(s, ret);
	}
}

enum rc
json_parse(struct arena *a, struct bytes text, struct json **ret, struct err *e)
{
	struct parser s = { .a = a, .start = text.p, .p = text.p, .end = text.p + text.n, .e = e };

	TRY(value(&s, ret));
	blanks(&s);
	if (s.p != s.end)
		BAD(&s, "something behind the value");
	return RC_OK;
}

/* ---- building ---- */

static struct json *
build(struct arena *a, enum json_type type)
{
	struct json *v = arena_one(a, struct json);

	if (v != NULL)
		v->type = type;
	return v;
}

struct json *
json_object(struct arena *a)
{
	return build(a, JSON_OBJECT);
}

struct json *
json_array(struct arena *a)
{
	return build(a, JSON_ARRAY);
}

struct json *
json_null(struct arena *a)
{
	return build(a, JSON_NULL);
}

struct json *
json_str(struct arena *a, struct bytes s)
{
	struct json *v = build(a, JSON_STR);

	if (v == NULL || (v->str = arena_dup(a, s)).p == NULL)
		return NULL;
	return v;
}

struct json *
json_buf(struct arena *a, const struct buf *b)
{
	if (buf_ok(b))
		return json_str(a, buf_bytes(b));
	arena_fail(a);
	return NULL;
}

struct json *
json_base64(struct arena *a, struct bytes b)
{
	OWN_BUF struct buf out = buf_max(b.n * 2 + 16);

	base64_put(&out, b);
	return json_buf(a, &out);
}

struct json *
json_hex(struct arena *a, struct bytes b)
{
	OWN_BUF struct buf out = buf_max(b.n * 2 + 16);

	hex_put(&out, b);
	return json_buf(a, &out);
}

struct json *
json_int(struct arena *a, int64_t i)
{
	struct json *v = build(a, JSON_INT);

	if (v != NULL)
		v->integer = i;
	return v;
}

struct json *
json_bool(struct arena *a, bool b)
{
	struct json *v = build(a, JSON_BOOL);

	if (v != NULL)
		v->boolean = b;
	return v;
}

bool
json_drop(struct json *o, const char *name)
{
	struct json *before = NULL;

	JSON_EACH(v, o)
	{
		if (bytes_is(v->name, name)) {
			if (before != NULL)
				before->next = v->next;
			else
				o->first = v->next;
			if (o->last == v)
				o->last = before;
			o->count--;
			return true;
		}
		before = v;
	}
	return false;
}

void
json_set(struct json *o, const char *name, struct json *v)
{
	if (o == NULL || v == NULL)
		return;
	json_drop(o, name);
	v->name = bytes_str(name);
	v->next = NULL;
	append(o, v);
}

void
json_add(struct json *array_, struct json *v)
{
	if (array_ == NULL || v == NULL)
		return;
	v->next = NULL;
	append(array_, v);
}

struct json *
json_copy(struct arena *a, const struct json *v)
{
	struct json *c = v ? build(a, v->type) : NULL;

	if (c == NULL)
		return NULL;
	c->boolean = v->boolean;
	c->integer = v->integer;
	if (v->type == JSON_STR && (c->str = arena_dup(a, v->str)).p == NULL)
		return NULL;
	JSON_EACH(item, v)
	{
		struct json *x = json_copy(a, item);

		if (x == NULL)
			return NULL;
		if (v->type == JSON_OBJECT && (x->name = arena_dup(a, item->name)).p == NULL)
			return NULL;
		append(c, x);
	}
	return c;
}

bool
json_eq(const struct json *a, const struct json *b)
{
	const struct json *y;

	if (a == NULL || b == NULL || a->type != b->type)
		return a == b;
	if (a->integer != b->integer || a->boolean != b->boolean || !bytes_eq(a->str, b->str) ||
	    a->count != b->count)
		return false;
	y = b->first;
	JSON_EACH(x, a)
	{
		const struct json *other = y;

		if (a->type == JSON_OBJECT) {
			for (other = b->first; other != NULL && !bytes_eq(other->name, x->name);)
				other = other->next;
		}
		if (other == NULL || !json_eq(x, other))
			return false;
		y = y->next;
	}
	return true;
}

/* ---- typed members ---- */

struct json *
json_get(const struct json *v, const char *name)
{
	if (v == NULL || v->type != JSON_OBJECT)
		return NULL;
	JSON_EACH(m, v)
	if (bytes_is(m->name, name))
		return m;
	return NULL;
}

static const char *const type_names[] = { "null",     "true or false", "an integer",
					  "a string", "an array",      "an object" };

/* The member if it has the type; *ret = NULL when it is absent or null and may be. */
static enum rc
typed(const struct json *v, const char *name, enum json_type type, bool must, struct json **ret,
      struct err *e)
{
	struct json *m = json_get(v, name);

	*ret = NULL;
	if (m == NULL || (m->type == JSON_NULL && !must)) {
		if (!must)
			return RC_OK;
		err_field(e, "%s", name);
		FAIL(e, CHY_JSON_MISSING, NULL, "\"%s\" is missing", name);
	}
	if (m->type != type) {
		err_field(e, "%s", name);
		FAIL(e, CHY_JSON_TYPE, NULL, "\"%s\" must be %s", name, type_names[type]);
	}
	*ret = m;
	return RC_OK;
}

enum rc
json_need_str(const struct json *v, const char *name, struct bytes *ret, struct err *e)
{
	struct json *m;

	TRY(typed(v, name, JSON_STR, true, &m, e));
	*ret = m->str;
	return RC_OK;
}

enum rc
json_opt_str(const struct json *v, const char *name, struct bytes *ret, struct err *e)
{
	struct json *m;

	TRY(typed(v, name, JSON_STR, false, &m, e));
	if (m != NULL)
		*ret = m->str;
	return RC_OK;
}

static enum rc
ranged(const struct json *m, const char *name, int64_t min, int64_t max, int64_t *ret, struct err *e)
{
	if (m->integer < min || m->integer > max) {
		err_field(e, "%s", name);
		FAIL(e, CHY_JSON_NUMBER, NULL, "\"%s\" must be from %lld to %lld", name, (long long)min,
		     (long long)max);
	}
	*ret = m->integer;
	return RC_OK;
}

enum rc
json_need_int(const struct json *v, const char *name, int64_t min, int64_t max, int64_t *ret, struct err *e)
{
	struct json *m;

	TRY(typed(v, name, JSON_INT, true, &m, e));
	return ranged(m, name, min, max, ret, e);
}

enum rc
json_opt_int(const struct json *v, const char *name, int64_t min, int64_t max, int64_t *ret, struct err *e)
{
	struct json *m;

	TRY(typed(v, name, JSON_INT, false, &m, e));
	return m ? ranged(m, name, min, max, ret, e) : RC_OK;
}

enum rc
json_opt_bool(const struct json *v, const char *name, bool *ret, struct err *e)
{
	struct json *m;

	TRY(typed(v, name, JSON_BOOL, false, &m, e));
	if (m != NULL)
		*ret = m->boolean;
	return RC_OK;
}

enum rc
json_need_object(const struct json *v, const char *name, struct json **ret, struct err *e)
{
	return typed(v, name, JSON_OBJECT, true, ret, e);
}

enum rc
json_need_array(const struct json *v, const char *name, struct json **ret, struct err *e)
{
	return typed(v, name, JSON_ARRAY, true, ret, e);
}

enum rc
json_only(const struct json *v, const char *const *names, struct err *e)
{
	NEED(v != NULL && v->type == JSON_OBJECT, e, CHY_JSON_TYPE, NULL, "an object is expected");
	JSON_EACH(m, v)
	{
		const char *const *n = names;

		while (*n != NULL && !bytes_is(m->name, *n))
			n++;
		if (*n == NULL) {
			err_field(e, "%.*s", BYTES_FMT(bytes_part(m->name, 0, 64)));
			FAIL(e, CHY_JSON_UNKNOWN, NULL, "\"%.*s\" is not known here",
			     BYTES_FMT(bytes_part(m->name, 0, 64)));
		}
	}
	return RC_OK;
}

/* ---- writing ---- */

/* Order of two names by their UTF-16 code units (RFC 8785 3.2.3). It differs from the order of UTF-8 bytes only where
   one has a character beyond U+FFFF and the other one from U+E000 to U+FFFF. What is no UTF-8, which no reader gives
   us, is ordered by its bytes. */
static int
utf16_cmp(struct bytes a, struct bytes b)
{
	while (a.n > 0 && b.n > 0) {
		struct bytes rest_a = a, rest_b = b;
		int32_t x = utf8_take(&a), y = utf8_take(&b);

		if (x < 0 || y < 0)
			return bytes_cmp(rest_a, rest_b);
		if (x == y)
			continue;
		if (x >= 0x10000 && y >= 0x10000)
			return x < y ? -1 : 1;
		x = x >= 0x10000 ? 0xd800 : x;
		y = y >= 0x10000 ? 0xd800 : y;
		return x < y ? -1 : 1;
	}
	return (a.n > 0) - (b.n > 0);
}

static int
by_utf16(const void *a, const void *b)
{
	return utf16_cmp((*(const struct json *const *)a)->name, (*(const struct json *const *)b)->name);
}

enum style { PLAIN, CANONICAL, PRETTY };

static void put(struct buf *out, const struct json *v, enum style style, unsigned level);

static void
line(struct buf *out, enum style style, unsigned level)
{
	if (style == PRETTY)
		buf_printf(out, "\n%*s", (int)level * 2, "");
}

static void
put_item(struct buf *out, const struct json *item, bool named, enum style style, unsigned level)
{
	line(out, style, level + 1);
	if (named) {
		json_put_str(out, item->name);
		buf_str(out, style == PRETTY ? ": " : ":");
	}
	put(out, item, style, level + 1);
}

static void
put_sorted(struct buf *out, const struct json *v)
{
	const struct json **m = calloc(v->count + 1, sizeof(*m));
	size_t n = 0;

	if (m == NULL) {
		out->bad = true;
		return;
	}
	JSON_EACH(item, v)
	m[n++] = item;
	qsort(m, n, sizeof(*m), by_utf16);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_u8(out, ',');
		put_item(out, m[i], true, CANONICAL, 0);
	}
	free(m);
}

static void
put_nested(struct buf *out, const struct json *v, enum style style, unsigned level)
{
	bool named = v->type == JSON_OBJECT;

	buf_u8(out, named ? '{' : '[');
	if (named && style == CANONICAL) {
		put_sorted(out, v);
	} else {
		JSON_EACH(item, v)
		{
			if (item != v->first)
				buf_u8(out, ',');
			put_item(out, item, named, style, level);
		}
		if (v->first != NULL)
			line(out, style, level);
	}
	buf_u8(out, named ? '}' : ']');
}

static void
put(struct buf *out, const struct json *v, enum style style, unsigned level)
{
	if (v == NULL) {
		out->bad = true; /* a tree whose building ran out of memory */
		return;
	}
	switch (v->type) {
	case JSON_NULL:
		buf_str(out, "null");
		break;
	case JSON_BOOL:
		buf_str(out, v->boolean ? "true" : "false");
		break;
	case JSON_INT:
		buf_printf(out, "%lld", (long long)v->integer);
		break;
	case JSON_STR:
		json_put_str(out, v->str);
		break;
	case JSON_ARRAY:
	case JSON_OBJECT:
		put_nested(out, v, style, level);
		break;
	}
}

void
json_put(struct buf *out, const struct json *v)
{
	put(out, v, PLAIN, 0);
}

void
json_put_pretty(struct buf *out, const struct json *v)
{
	put(out, v, PRETTY, 0);
	buf_u8(out, '\n');
}

void
json_put_canonical(struct buf *out, const struct json *v)
{
	put(out, v, CANONICAL, 0);
}
