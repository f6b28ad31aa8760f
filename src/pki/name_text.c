/* Names as text, RFC 4514 both ways. */
#include "base/base.h"
#include "pki/str.h"

static void
put_hex_value(struct buf *out, const struct ava *v)
{
	OWN_DW struct dw w = dw_growing(LIMIT_TBS);

	dw_tlv(&w, v->tag, v->value);
	buf_u8(out, '#');
	hex_put(out, dw_bytes(&w));
}

/* RFC 4514 2.4: what has a meaning is escaped, and control characters, so that a line stays one. */
static void
put_escaped(struct buf *out, struct bytes s)
{
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];
		bool first = i == 0, last = i + 1 == s.n;

		if (c < 0x20 || c == 0x7f) {
			buf_printf(out, "\\%02X", c);
			continue;
		}
		if (strchr("\"+,;<>\\", c) != NULL || (first && (c == '#' || c == ' ')) || (last && c == ' '))
			buf_u8(out, '\\');
		buf_u8(out, c);
	}
}

static void
put_ava(struct buf *out, const struct ava *v)
{
	OWN_BUF struct buf text = buf_max(LIMIT_TBS);
	char dotted[OID_TEXT_MAX];
	bool known = v->known != OID_NONE && oid_kind(v->known) == OIDK_ATTR;

	buf_str(out, known ? oid_name(v->known) : oid_text(dotted, v->oid));
	buf_u8(out, '=');
	/* a dotted type's value is given as hexadecimal: its reader may not know the syntax (RFC 4514 2.4) */
	if (!known || !string_tag(v->tag)) {
		put_hex_value(out, v);
		return;
	}
	string_put_utf8(&text, v->tag, v->value);
	out->bad |= text.bad;
	/* text that our own choice of string type could not hold would not come back */
	if (!string_ok(string_tag_for(v->known), buf_bytes(&text))) {
		put_hex_value(out, v);
		return;
	}
	put_escaped(out, buf_bytes(&text));
}

void
name_put_text(struct buf *out, const struct name *n)
{
	for (size_t end = n->n; end > 0;) {
		size_t from = end - 1;

		while (from > 0 && n->ava[from - 1].rdn == n->ava[end - 1].rdn)
			from--;
		if (end != n->n)
			buf_u8(out, ',');
		for (size_t i = from; i < end; i++) {
			if (i != from)
				buf_u8(out, '+');
			put_ava(out, &n->ava[i]);
		}
		end = from;
	}
}

void
name_put_der_text(struct buf *out, struct bytes der)
{
	OWN(arena_free)
	struct arena *a = arena_new(LIMIT_REQUEST_ARENA);
	struct name n;
	enum rc rc = a != NULL ? name_parse(a, der, &n, NULL) : RC_INTERNAL;

	if (rc == RC_OK)
		name_put_text(out, &n);
	else if (a == NULL || arena_failed(a))
		out->bad = true; /* nothing is said of it */
	else
		buf_str(out, "(damaged name)");
}

/* ---- text -> name ---- */

struct text {
	struct arena *a;
	struct bytes all, left;
	struct err *e;
};

#define TEXT_NEED(cond, t, ...) \
	do { \
		if (!(cond)) \
			return text_fail((t), __VA_ARGS__); \
	} while (0)

static enum rc
text_fail(struct text *t, const char *what)
{
	return err_set(t->e, CHY_NAME_TEXT, "RFC 4514 3", "%s, at character %zu of \"%.*s\"", what,
		       t->all.n - t->left.n + 1, BYTES_FMT(bytes_part(t->all, 0, 120)));
}

static bool
at_end(const struct text *t)
{
	return t->left.n == 0;
}

static bool
next_is(const struct text *t, const char *set)
{
	return t->left.n > 0 && t->left.p[0] != 0 && strchr(set, t->left.p[0]) != NULL;
}

static uint8_t
take(struct text *t)
{
	uint8_t c = t->left.p[0];

	t->left = bytes_part(t->left, 1, SIZE_MAX);
	return c;
}

static void
skip_blanks(struct text *t)
{
	while (next_is(t, " "))
		take(t);
}

static enum rc
take_type(struct text *t, struct ava *v)
{
	struct bytes type = t->left;

	while (!at_end(t) && !next_is(t, "=,+"))
		take(t);
	type = text_trim(bytes_part(type, 0, type.n - t->left.n));
	TEXT_NEED(next_is(t, "=") && type.n > 0, t, "attribute type and \"=\" expected");
	if (type.n > 4 && ascii_case_eq(bytes_part(type, 0, 4), BYTES("oid.")))
		type = bytes_part(type, 4, SIZE_MAX);
	v->known = oid_by_text(type);
	if (v->known != OID_NONE && oid_kind(v->known) != OIDK_ATTR &&
	    !(type.p[0] >= '0' && type.p[0] <= '9'))
		return err_set(t->e, CHY_NAME_TEXT, NULL, "\"%.*s\" is no attribute of a name",
			       BYTES_FMT(type));
	TRY(oid_parse(t->a, type, &v->oid, t->e));
	take(t);
	return RC_OK;
}

/* "#" and the hexadecimal of one whole DER value. */
static enum rc
take_hex(struct text *t, struct ava *v)
{
	struct bytes hex = t->left, der;
	struct der d;

	while (!at_end(t) && !next_is(t, ",+ "))
		take(t);
	TRY(hex_parse(t->a, bytes_part(hex, 0, hex.n - t->left.n), &der, t->e));
	TRY(der_check(der, t->e));
	d = der_of(der, t->e);
	v->value = der_any(&d, &v->tag);
	skip_blanks(t);
	return der_end(&d);
}

static int
hex_of(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Behind a backslash: a special character or two hexadecimal digits. */
static enum rc
take_escape(struct text *t, uint8_t *ret)
{
	int hi, lo;

	TEXT_NEED(!at_end(t), t, "nothing behind the backslash");
	if (next_is(t, "\"+,;<>\\# =")) {
		*ret = take(t);
		return RC_OK;
	}
	hi = hex_of(t->left.p[0]);
	lo = t->left.n > 1 ? hex_of(t->left.p[1]) : -1;
	TEXT_NEED(hi >= 0 && lo >= 0, t, "wrong escape behind the backslash");
	take(t);
	take(t);
	*ret = (uint8_t)(hi << 4 | lo);
	return RC_OK;
}

static enum rc
take_value(struct text *t, struct ava *v)
{
	uint8_t *out = arena_alloc(t->a, t->left.n + 1);
	size_t n = 0, keep = 0; /* up to keep: blanks at the end are cut unless escaped */

	NEED(out != NULL, t->e, CHY_NO_MEMORY, NULL, "name");
	while (!at_end(t) && !next_is(t, ",+")) {
		TEXT_NEED(!next_is(t, "\"<>;") && t->left.p[0] != 0, t, "character must be escaped");
		if (next_is(t, " ")) {
			out[n++] = take(t);
			continue;
		}
		if (next_is(t, "\\")) {
			take(t);
			TRY(take_escape(t, &out[n++]));
		} else {
			out[n++] = take(t);
		}
		keep = n;
	}
	v->value = bytes_of(out, keep);
	if (!utf8_ok(v->value))
		return text_fail(t, "value is not UTF-8");
	return RC_OK;
}

static enum rc
take_ava(struct text *t, struct ava *v)
{
	skip_blanks(t);
	TRY(take_type(t, v));
	skip_blanks(t);
	if (next_is(t, "#")) {
		take(t);
		return take_hex(t, v);
	}
	return take_value(t, v);
}

/* The text has the last RDN first: turns the order of RDNs round, attributes within one stay. */
static void
reverse(const struct ava *in, size_t n, unsigned rdns, struct ava *out)
{
	for (size_t end = n; end > 0;) {
		size_t from = end - 1;

		while (from > 0 && in[from - 1].rdn == in[end - 1].rdn)
			from--;
		for (size_t i = from; i < end; i++) {
			*out = in[i];
			out->rdn = rdns - 1 - in[i].rdn;
			out++;
		}
		end = from;
	}
}

enum rc
name_from_text(struct arena *a, struct bytes text, struct name *ret, struct err *e)
{
	struct text t = { .a = a, .all = text, .left = text, .e = e };
	struct ava in[LIMIT_NAME_ATTRS], out[LIMIT_NAME_ATTRS];
	unsigned rdn = 0;
	size_t n = 0;

	skip_blanks(&t);
	while (t.left.n > 0 || n > 0) {
		NEED(n < LIMIT_NAME_ATTRS, e, CHY_NAME_TEXT, NULL, "more than %d attributes",
		     LIMIT_NAME_ATTRS);
		in[n] = (struct ava){ .rdn = rdn };
		TRY(take_ava(&t, &in[n]));
		n++;
		if (at_end(&t))
			break;
		TEXT_NEED(next_is(&t, ",+"), &t, "\",\" or \"+\" expected");
		if (take(&t) == ',')
			rdn++;
	}
	reverse(in, n, rdn + 1, out);
	return name_build(a, out, n, ret, e);
}
