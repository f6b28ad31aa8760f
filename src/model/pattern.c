#include "base/base.h"
#include "model/pattern.h"

#include "pki/gname.h"

/* ---- keywords ---- */

static const char *const specials[] = { "serial", "serial-decimal", "sha256", "subject",
					"issuer", "email",          "dns",    "upn",
					"crl" };

static bool
is_attribute(struct bytes name)
{
	enum oid o = oid_by_text(name);

	return o != OID_NONE && oid_kind(o) == OIDK_ATTR;
}

static bool
is_keyword(struct bytes name)
{
	for (size_t i = 0; i < ARRAY_LEN(specials); i++)
		if (bytes_is(name, specials[i]))
			return true;
	if (bytes_starts(name, "issuer."))
		name = bytes_part(name, strlen("issuer."), SIZE_MAX);
	return is_attribute(name);
}

/* ---- parsing: pieces ---- */

static enum rc
add_part(struct pattern *p, struct bytes text, bool keyword, struct err *e)
{
	if (text.n == 0)
		return RC_OK;
	NEED(p->n < PATTERN_PARTS, e, CHY_LIMIT, NULL, "more than %d pieces", PATTERN_PARTS);
	p->parts[p->n++] = (struct pattern_part){ text, keyword };
	return RC_OK;
}

static enum rc
add_keywords(struct pattern *p, struct bytes names, struct err *e)
{
	for (struct bytes rest = names, one; rest.p != NULL;) {
		one = text_cut(rest, '|', &rest);
		NEED(is_keyword(one), e, CHY_PATTERN_KEYWORD, NULL,
		     "{%.*s} is no keyword; those are serial, serial-decimal, sha256, subject, issuer, "
		     "email, dns, upn, "
		     "crl, and attributes of the subject (cn, o) or the issuer (issuer.cn)",
		     BYTES_FMT(bytes_part(one, 0, 80)));
	}
	return add_part(p, names, true, e);
}

/* A brace at i: doubled it is one itself, else a keyword begins. Returns the octets that it takes. */
static enum rc
take_brace(struct pattern *p, struct bytes text, size_t i, size_t *ret, struct err *e)
{
	const uint8_t *end;

	*ret = 2;
	if (i + 1 < text.n && text.p[i + 1] == text.p[i])
		return add_part(p, bytes_part(text, i, 1), false, e);
	NEED(text.p[i] == '{', e, CHY_PATTERN, NULL, "a } that closes nothing (a brace is }})");
	end = memchr(text.p + i, '}', text.n - i);
	NEED(end != NULL, e, CHY_PATTERN, NULL, "a { without its }");
	*ret = (size_t)(end - text.p) - i + 1;
	NEED(*ret > 2, e, CHY_PATTERN_KEYWORD, NULL, "{}");
	return add_keywords(p, bytes_part(text, i + 1, *ret - 2), e);
}

static enum rc
split(struct pattern *p, struct bytes text, struct err *e)
{
	size_t from = 0, took;

	for (size_t i = 0; i < text.n;) {
		if (text.p[i] != '{' && text.p[i] != '}') {
			i++;
			continue;
		}
		TRY(add_part(p, bytes_part(text, from, i - from), false, e));
		TRY(take_brace(p, text, i, &took, e));
		from = i += took;
	}
	return add_part(p, bytes_part(text, from, text.n - from), false, e);
}

/* ---- parsing: structure ---- */

/* Where we are in a name or filter: a keyword may stand in a value only. */
struct walk {
	bool value, escaped;
	int depth;
	bool closed;  /* a filter behind its last parenthesis */
	size_t types; /* characters of the attribute type */
};

static bool
is_type_char(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
	    c == '.' || c == ';';
}

static enum rc
dn_char(struct walk *w, uint8_t c, struct err *e)
{
	if (w->escaped || (w->value && c == '\\')) {
		w->escaped = !w->escaped;
		return RC_OK;
	}
	if (!w->value && c == '=') {
		NEED(w->types > 0, e, CHY_PATTERN, "RFC 4514 3", "a value without its attribute type");
		w->value = true;
	} else if (!w->value) {
		NEED(is_type_char(c) || (c == ' ' && w->types == 0), e, CHY_PATTERN, "RFC 4514 3",
		     "'%c' in an attribute type", c >= 0x20 && c < 0x7f ? c : '?');
		w->types += c != ' ';
	} else if (c == ',' || c == '+') {
		*w = (struct walk){ 0 };
	} else {
		NEED(strchr("\";<>", c) == NULL || c == 0, e, CHY_PATTERN, "RFC 4514 2.4",
		     "'%c' is written with a backslash", c);
	}
	return RC_OK;
}

static enum rc
filter_char(struct walk *w, uint8_t c, struct err *e)
{
	NEED(!w->closed, e, CHY_PATTERN, "RFC 4515 3", "something behind the filter");
	if (c == '(') {
		NEED(!w->value && w->types == 0, e, CHY_PATTERN, "RFC 4515 3", "a ( in an attribute's test");
		w->depth++;
	} else if (c == ')') {
		NEED(w->depth > 0, e, CHY_PATTERN, "RFC 4515 3", "a ) that closes nothing");
		w->depth--;
		w->value = false;
		w->types = 0;
		w->closed = w->depth == 0;
	} else if (w->value) {
		NEED(c != 0, e, CHY_PATTERN, "RFC 4515 3", "a NUL");
	} else if (c == '=') {
		NEED(w->types > 0, e, CHY_PATTERN, "RFC 4515 3", "a value without its attribute type");
		w->value = true;
	} else {
		bool sign = w->types == 0 && strchr("&|!", c) != NULL;

		NEED(w->depth > 0 && (sign || is_type_char(c) || strchr("~<>:", c) != NULL), e, CHY_PATTERN,
		     "RFC 4515 3", "'%c' where an attribute type stands", c >= 0x20 && c < 0x7f ? c : '?');
		w->types += !sign;
	}
	return RC_OK;
}

typedef enum rc step_fn(struct walk *w, uint8_t c, struct err *e);

static enum rc
walk_structure(const struct pattern *p, step_fn *step, struct walk *w, struct err *e)
{
	for (size_t i = 0; i < p->n; i++) {
		NEED(!p->parts[i].keyword || (w->value && !w->escaped && !w->closed), e, CHY_PATTERN, NULL,
		     "{%.*s} stands where no value can", BYTES_FMT(bytes_part(p->parts[i].text, 0, 80)));
		for (size_t k = 0; !p->parts[i].keyword && k < p->parts[i].text.n; k++)
			TRY(step(w, p->parts[i].text.p[k], e));
	}
	return RC_OK;
}

/* A path's or file's literal characters; a value cannot be a whole "..", for it is escaped then. */
static enum rc
path_structure(const struct pattern *p, struct err *e)
{
	static const char beyond[] = "-._~!$&'()*+,;=:@/%?"; /* RFC 3986 3.3, and a query behind it */
	bool file = p->place == PATTERN_FILE;

	for (size_t i = 0; i < p->n; i++)
		for (size_t k = 0; !p->parts[i].keyword && k < p->parts[i].text.n; k++) {
			uint8_t c = p->parts[i].text.p[k];

			NEED(c >= 0x20 && c != 0x7f && c != '\\', e, CHY_PATTERN, NULL,
			     "a control character or backslash");
			NEED(file || is_type_char(c) || (c < 0x80 && strchr(beyond, c) != NULL), e,
			     CHY_PATTERN, "RFC 3986 3.3", "'%c' in a path", c < 0x7f ? c : '?');
		}
	return RC_OK;
}

static enum rc
no_controls(const struct pattern *p, struct err *e)
{
	for (size_t i = 0; i < p->n; i++)
		for (size_t k = 0; k < p->parts[i].text.n; k++)
			NEED(p->parts[i].text.p[k] >= 0x20 && p->parts[i].text.p[k] != 0x7f, e, CHY_PATTERN,
			     NULL, "a control character");
	return RC_OK;
}

/* Slashes and dots of the text as it stands; keywords as if they were a letter. */
static enum rc
segments(struct bytes text, bool file, struct err *e)
{
	struct bytes rest = text, one;

	NEED(file != (text.n > 0 && text.p[0] == '/'), e, CHY_PATTERN, NULL,
	     file ? "it begins with a slash" : "it does not begin with a slash");
	if (!file)
		rest = bytes_part(text, 1, SIZE_MAX);
	while (rest.p != NULL) {
		one = text_cut(rest, '/', &rest);
		NEED(!bytes_is(one, ".") && !bytes_is(one, ".."), e, CHY_PATTERN, NULL,
		     "a segment of dots only");
		NEED(one.n > 0 || !file, e, CHY_PATTERN, NULL, "an empty name");
	}
	return RC_OK;
}

static enum rc
check_structure(const struct pattern *p, struct bytes text, struct err *e)
{
	struct walk w = { 0 };

	switch (p->place) {
	case PATTERN_DN:
		TRY(walk_structure(p, dn_char, &w, e));
		NEED(w.value && !w.escaped, e, CHY_PATTERN, "RFC 4514 3", "it ends without a value");
		return RC_OK;
	case PATTERN_FILTER:
		TRY(walk_structure(p, filter_char, &w, e));
		NEED(w.closed, e, CHY_PATTERN, "RFC 4515 3", "a filter stands in parentheses");
		return RC_OK;
	case PATTERN_PATH:
	case PATTERN_FILE:
		TRY(path_structure(p, e));
		return segments(text, p->place == PATTERN_FILE, e);
	default:
		return no_controls(p, e);
	}
}

enum rc
pattern_parse(struct bytes text, enum pattern_place place, struct pattern *ret, struct err *e)
{
	*ret = (struct pattern){ .place = place };
	NEED(text.n > 0 && text.n <= PATTERN_MAX && utf8_ok(text), e, CHY_PATTERN, NULL,
	     "1 to %d octets of UTF-8", PATTERN_MAX);
	TRY(split(ret, text, e));
	return check_structure(ret, text, e);
}

/* ---- escaping ---- */

/* RFC 4514 2.4: the special characters with a backslash, NUL and controls as \XX, a blank or # at the beginning, a blank at
   the end. */
static void
escape_dn(struct bytes v, struct buf *out)
{
	for (size_t i = 0; i < v.n; i++) {
		uint8_t c = v.p[i];
		bool edge = (c == ' ' && (i == 0 || i + 1 == v.n)) || (c == '#' && i == 0);

		if (c < 0x20 || c == 0x7f || c == '=')
			buf_printf(out, "\\%02X", c);
		else if (edge || strchr("\"+,;<>\\", c) != NULL)
			buf_printf(out, "\\%c", c);
		else
			buf_u8(out, c);
	}
}

/* RFC 4515 3: * ( ) \ NUL as \xx; the rest that is not plain as well, which is allowed. */
static void
escape_filter(struct bytes v, struct buf *out)
{
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] < 0x20 || v.p[i] >= 0x7f || strchr("*()\\", v.p[i]) != NULL)
			buf_printf(out, "\\%02x", v.p[i]);
		else
			buf_u8(out, v.p[i]);
}

/* Unreserved characters stay (RFC 3986 2.3); of a file, those beyond ASCII and @ and blank too. Each value has one form, so two
   certificates never share a file because of escaping; and a dot at the beginning is escaped: no hidden files, no "..". */
static void
escape_path(struct bytes v, bool file, struct buf *out)
{
	for (size_t i = 0; i < v.n; i++) {
		uint8_t c = v.p[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    c == '-' || c == '_' || (c == '.' && i > 0) || (!file && c == '~') ||
		    (file && (c == '@' || c == ' ' || c >= 0x80));

		if (plain)
			buf_u8(out, c);
		else
			buf_printf(out, "%%%02X", c);
	}
}

/* Servers take %2F and %2E for what they stand for, so a value must not be a way to another place. */
static enum rc
no_way_up(struct bytes v, struct err *e)
{
	NEED(!bytes_is(v, ".") && !bytes_is(v, "..") && memchr(v.p, '/', v.n) == NULL &&
		 memchr(v.p, '\\', v.n) == NULL,
	     e, CHY_PATTERN_RESULT, NULL, "\"%.*s\" would be a way to another place",
	     BYTES_FMT(bytes_part(v, 0, 80)));
	return RC_OK;
}

enum rc
pattern_escape(enum pattern_place place, struct bytes value, struct buf *out, struct err *e)
{
	if (place == PATTERN_DN) {
		escape_dn(value, out);
	} else if (place == PATTERN_FILTER) {
		escape_filter(value, out);
	} else if (place == PATTERN_FILE) {
		escape_path(value, true, out);
	} else if (place == PATTERN_PATH) {
		TRY(no_way_up(value, e));
		escape_path(value, false, out);
	} else {
		for (size_t i = 0; i < value.n; i++)
			NEED(value.p[i] >= 0x20 && value.p[i] != 0x7f, e, CHY_PATTERN_RESULT, NULL,
			     "a value with a control character");
		buf_put(out, value);
	}
	return RC_OK;
}

/* ---- filling in ---- */

/* The octets are a number base 256; each round takes one decimal digit off its end. */
static struct bytes
decimal(struct arena *a, struct bytes serial)
{
	uint8_t number[LIMIT_SERIAL + 1];
	size_t n = serial.n <= sizeof(number) ? serial.n : 0, at = 64;
	char *text = arena_alloc(a, 65);
	bool more = n > 0;

	if (text == NULL || n == 0)
		return BYTES_NONE;
	memcpy(number, serial.p, n);
	while (more && at > 0) {
		unsigned left = 0;

		more = false;
		for (size_t i = 0; i < n; i++) {
			unsigned v = left << 8 | number[i];

			number[i] = (uint8_t)(v / 10);
			left = v % 10;
			more = more || number[i] != 0;
		}
		text[--at] = (char)('0' + left);
	}
	return bytes_of(text + at, 64 - at);
}

static struct bytes
hex_of(struct arena *a, struct bytes b)
{
	char *text = arena_alloc(a, 2 * b.n + 1);

	return text != NULL && b.n > 0 ? bytes_str(hex_text(text, b)) : BYTES_NONE;
}

static struct bytes
attribute(struct arena *a, const struct name *n, enum oid type)
{
	const struct ava *v = name_get(n, type, 0);

	return v != NULL ? ava_utf8(a, v) : BYTES_NONE;
}

static struct bytes
whole(struct arena *a, const struct name *n)
{
	OWN_BUF struct buf b = buf_max(PATTERN_OUT_MAX);

	name_put_text(&b, n);
	return arena_dup(a, buf_bytes(&b));
}

static struct bytes
alternative(struct bytes san, const char *kind)
{
	for (struct bytes rest = san, line; rest.p != NULL;) {
		line = text_cut(rest, '\n', &rest);
		if (bytes_starts(line, kind))
			return bytes_part(line, strlen(kind), SIZE_MAX);
	}
	return BYTES_NONE;
}

static struct bytes
email(struct arena *a, const struct pattern_facts *f)
{
	struct bytes v = alternative(f->san, "email:");

	if (v.n == 0)
		v = attribute(a, &f->subject, OID_AT_EMAIL);
	return v.n ? v : attribute(a, &f->subject, OID_AT_MAIL);
}

static struct bytes
value_of(struct arena *a, const struct pattern_facts *f, struct bytes keyword)
{
	if (bytes_is(keyword, "serial"))
		return hex_of(a, f->serial);
	if (bytes_is(keyword, "serial-decimal"))
		return decimal(a, f->serial);
	if (bytes_is(keyword, "sha256"))
		return hex_of(a, f->sha256);
	if (bytes_is(keyword, "subject"))
		return whole(a, &f->subject);
	if (bytes_is(keyword, "issuer"))
		return whole(a, &f->issuer);
	if (bytes_is(keyword, "email"))
		return email(a, f);
	if (bytes_is(keyword, "dns"))
		return alternative(f->san, "dns:");
	if (bytes_is(keyword, "upn"))
		return alternative(f->san, "upn:");
	if (bytes_is(keyword, "crl"))
		return f->crl;
	if (bytes_starts(keyword, "issuer."))
		return attribute(a, &f->issuer, oid_by_text(bytes_part(keyword, 7, SIZE_MAX)));
	return attribute(a, &f->subject, oid_by_text(keyword));
}

static enum rc
first_value(struct arena *a, struct bytes keywords, const struct pattern_facts *f, struct bytes *ret,
	    struct err *e)
{
	for (struct bytes rest = keywords, one; rest.p != NULL;) {
		one = text_cut(rest, '|', &rest);
		*ret = value_of(a, f, one);
		if (ret->n > 0)
			return RC_OK;
	}
	FAIL(e, CHY_PATTERN_NO_VALUE, NULL, "nothing in it for {%.*s}", BYTES_FMT(keywords));
}

static enum rc
check_result(enum pattern_place place, struct bytes text, struct err *e)
{
	struct gname g = { .type = GN_EMAIL, .value = text };

	if (place == PATTERN_MAILBOX)
		NEED(gname_check(&g, GN_NAME, NULL) == RC_OK, e, CHY_PATTERN_RESULT, "RFC 5321 4.1.2",
		     "\"%.*s\" is no mail address", BYTES_FMT(bytes_part(text, 0, 80)));
	return RC_OK;
}

enum rc
pattern_fill(struct arena *a, const struct pattern *p, const struct pattern_facts *f, struct buf *out,
	     struct err *e)
{
	size_t before = out->n;
	struct bytes v;

	for (size_t i = 0; i < p->n; i++) {
		if (!p->parts[i].keyword) {
			buf_put(out, p->parts[i].text);
			continue;
		}
		TRY(first_value(a, p->parts[i].text, f, &v, e));
		TRY(pattern_escape(p->place, v, out, e));
	}
	NEED(buf_ok(out) && out->n - before <= PATTERN_OUT_MAX, e, CHY_LIMIT, NULL,
	     "a pattern comes to more than %d octets", PATTERN_OUT_MAX);
	return check_result(p->place, bytes_part(buf_bytes(out), before, SIZE_MAX), e);
}
