/* Single values: one function a type, each giving the normal form. */
#include "base/base.h"
#include "model/choices.h"
#include "pki/gname.h"
#include "pki/name.h"
#include "pki/pem.h"
#include "policy/crl_point.h"
#include "policy/document_impl.h"
#include "policy/duration.h"
#include "policy/modifier.h"

enum { TEXT_BYTES_MAX = 1 << 17 }; /* an attribute's 32768 characters of four bytes */

static size_t
characters(struct bytes b)
{
	size_t n = 0;

	while (utf8_take(&b) >= 0)
		n++;
	return n;
}

/* Characters that a person cannot see, or that turn the text around: two names may not look alike by them. */
static bool
is_hidden(int32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0xad || (c >= 0x200b && c <= 0x200f) ||
	    (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
	    (c >= 0xfff0 && c <= 0xfffb) || (c & 0xfffe) == 0xfffe || (c >= 0xe0000 && c <= 0xe007f);
}

static enum rc
seen_check(struct walk *w, const struct field *f, struct bytes rest, const struct at *at)
{
	while (rest.n > 0) {
		int32_t c = utf8_take(&rest);

		REFUSE_UNLESS(c >= 0, w, at, CHY_FIELD_TEXT, "%s: not UTF-8", f->label);
		REFUSE_UNLESS(!is_hidden(c), w, at, CHY_FIELD_TEXT, "%s: character U+%04X cannot be seen",
			      f->label, (unsigned)c);
	}
	return RC_OK;
}

static enum rc
line_check(struct walk *w, const struct field *f, struct bytes s, const struct at *at)
{
	size_t n = characters(s);

	TRY(seen_check(w, f, s, at));
	REFUSE_UNLESS(n > 0 && (int64_t)n >= f->min, w, at, CHY_FIELD_EMPTY,
		      "%s: %zu characters, at least %lld", f->label, n, (long long)(f->min > 0 ? f->min : 1));
	REFUSE_UNLESS(f->max == 0 || (int64_t)n <= f->max, w, at, CHY_FIELD_TOO_LONG,
		      "%s: %zu characters, at most %lld", f->label, n, (long long)f->max);
	REFUSE_UNLESS(bytes_eq(text_trim(s), s), w, at, CHY_FIELD_TRIM, "%s: blanks at its ends", f->label);
	return RC_OK;
}

/* Every character can be seen; blanks may stand at the ends. */
static enum rc
modifier_value(struct walk *w, const struct field *f, const struct json *v, const struct at *at,
	       struct json **ret)
{
	struct err why = { 0 };
	struct modifier m;

	TRY(seen_check(w, f, v->str, at));
	REFUSE_UNLESS(modifier_parse(v->str, &m, &why) == RC_OK, w, at, why.code, "%s: %s", f->label,
		      why.text);
	*ret = json_str(w->a, v->str);
	return RC_OK;
}

static enum rc
bool_value(struct walk *w, const struct field *f, const struct json *v, const struct at *at,
	   struct json **ret)
{
	REFUSE_UNLESS(v->type == JSON_BOOL, w, at, CHY_FIELD_TYPE, "%s: true or false is expected", f->label);
	*ret = json_bool(w->a, v->boolean);
	return RC_OK;
}

static enum rc
int_value(struct walk *w, const struct field *f, const struct json *v, const struct at *at, struct json **ret)
{
	bool bounded = f->min != 0 || f->max != 0;

	REFUSE_UNLESS(v->type == JSON_INT, w, at, CHY_FIELD_TYPE, "%s: a whole number is expected", f->label);
	REFUSE_UNLESS(!bounded || (v->integer >= f->min && v->integer <= f->max), w, at, CHY_FIELD_RANGE,
		      "%s: %lld is not within %lld to %lld", f->label, (long long)v->integer,
		      (long long)f->min, (long long)f->max);
	*ret = json_int(w->a, v->integer);
	return RC_OK;
}

/* Everything that is written as a string comes through here first. */
static enum rc
string_of(struct walk *w, const struct field *f, const struct json *v, const struct at *at)
{
	REFUSE_UNLESS(v->type == JSON_STR, w, at, CHY_FIELD_TYPE, "%s: %s is expected, as a string", f->label,
		      field_type_name(f->type));
	REFUSE_UNLESS(v->str.n > 0, w, at, CHY_FIELD_EMPTY, "%s is empty", f->label);
	REFUSE_UNLESS(v->str.n <= TEXT_BYTES_MAX, w, at, CHY_FIELD_TOO_LONG, "%s: %zu bytes", f->label,
		      v->str.n);
	return RC_OK;
}

static enum rc
text_value(struct walk *w, const struct field *f, const struct json *v, const struct at *at,
	   struct json **ret)
{
	TRY(line_check(w, f, v->str, at));
	*ret = json_str(w->a, v->str);
	return RC_OK;
}

static enum rc
choice_value(struct walk *w, const struct field *f, const struct json *v, const struct at *at,
	     struct json **ret)
{
	REFUSE_UNLESS(choice_index(f->choices, v->str) >= 0, w, at, CHY_FIELD_CHOICE,
		      "%s: \"%.*s\" is no choice", f->label, BYTES_FMT(bytes_part(v->str, 0, 60)));
	*ret = json_str(w->a, v->str);
	return RC_OK;
}

static enum rc
time_value(struct walk *w, const struct field *f, const struct json *v, const struct at *at,
	   struct json **ret)
{
	char text[32];
	int64_t t;

	REFUSE_UNLESS(time_parse(v->str, &t, NULL) == RC_OK, w, at, CHY_FIELD_TIME,
		      "%s: no time like 2026-11-21T12:00:00Z", f->label);
	t -= t % 1000; /* certificates know whole seconds */
	*ret = json_str(w->a, bytes_str(time_text(text, t)));
	return RC_OK;
}

static enum rc
duration_value(struct walk *w, const struct field *f, const struct json *v, const struct at *at,
	       struct json **ret)
{
	struct duration d;

	REFUSE_UNLESS(duration_parse(v->str, &d, NULL) == RC_OK, w, at, CHY_FIELD_DURATION,
		      "%s: no duration like P1Y, P90D or PT8H", f->label);
	*ret = json_str(w->a, v->str);
	return RC_OK;
}

static enum rc
oid_value(struct walk *w, const struct field *f, const struct json *v, const struct at *at, struct json **ret)
{
	char text[OID_TEXT_MAX];
	struct bytes der;

	REFUSE_UNLESS(v->str.n < OID_TEXT_MAX && oid_parse(w->a, v->str, &der, NULL) == RC_OK, w, at,
		      CHY_FIELD_OID, "%s: \"%.*s\" is neither dotted numbers nor a name that is known",
		      f->label, BYTES_FMT(bytes_part(v->str, 0, 60)));
	*ret = json_str(w->a, bytes_str(oid_text(text, der)));
	return RC_OK;
}

static enum rc
hex_value(struct walk *w, const struct field *f, const struct json *v, const struct at *at, struct json **ret)
{
	struct bytes octets;
	char *text;

	REFUSE_UNLESS(hex_parse(w->a, v->str, &octets, NULL) == RC_OK, w, at, CHY_FIELD_HEX,
		      "%s: octets in hexadecimal are expected", f->label);
	REFUSE_UNLESS((int64_t)octets.n >= f->min, w, at, CHY_FIELD_EMPTY, "%s: %zu octets, at least %lld",
		      f->label, octets.n, (long long)f->min);
	REFUSE_UNLESS(f->max == 0 || (int64_t)octets.n <= f->max, w, at, CHY_FIELD_TOO_LONG,
		      "%s: %zu octets, at most %lld", f->label, octets.n, (long long)f->max);
	NEED((text = arena_alloc(w->a, 2 * octets.n + 1)) != NULL, w->e, CHY_NO_MEMORY, NULL, "document");
	*ret = json_str(w->a, bytes_str(hex_text(text, octets)));
	return RC_OK;
}

/* One PEM block with nothing behind it, whatever its label, or base64. */
static enum rc
der_octets(struct arena *a, struct bytes text, struct bytes *ret, struct err *e)
{
	struct pem_block block;

	if (!pem_is(text))
		return base64_parse(a, text, ret, e);
	TRY(pem_next(a, &text, &block, e));
	NEED(text_trim(text).n == 0, e, CHY_PEM, NULL, "something stands behind the first block");
	*ret = block.der;
	return RC_OK;
}

static enum rc
der_value(struct walk *w, const struct field *f, const struct json *v, const struct at *at, struct json **ret)
{
	OWN_BUF struct buf text = buf_max(TEXT_BYTES_MAX);
	struct err why = { 0 };
	struct bytes der;

	REFUSE_UNLESS(der_octets(w->a, text_trim(v->str), &der, &why) == RC_OK, w, at, CHY_FIELD_DER,
		      "%s: %s", f->label, why.text);
	REFUSE_UNLESS(f->max == 0 || (int64_t)der.n <= f->max, w, at, CHY_FIELD_TOO_LONG,
		      "%s: %zu octets, at most %lld", f->label, der.n, (long long)f->max);
	REFUSE_UNLESS(der_check(der, &why) == RC_OK, w, at, CHY_FIELD_DER, "%s: %s", f->label, why.text);
	base64_put(&text, der);
	NEED(buf_ok(&text), w->e, CHY_NO_MEMORY, NULL, "document");
	*ret = json_str(w->a, buf_bytes(&text));
	return RC_OK;
}

static enum rc
dn_value(struct walk *w, const struct field *f, const struct json *v, const struct at *at, struct json **ret)
{
	struct err why = { 0 };
	struct name name;

	TRY(line_check(w, f, v->str, at));
	REFUSE_UNLESS_FOR(name_from_text(w->a, v->str, &name, &why) == RC_OK &&
			      name_check_bounds(&name, &why) == RC_OK,
			  err_exact(&why), w, at, CHY_FIELD_DN, "%s: %s", f->label, why.text);
	*ret = json_str(w->a, v->str);
	return RC_OK;
}

static bool
has_scheme(const struct choice *schemes, struct bytes uri)
{
	struct bytes rest, scheme = text_cut(uri, ':', &rest);

	if (rest.p == NULL)
		return false;
	for (; schemes != NULL && schemes->name != NULL; schemes++)
		if (ascii_case_eq(scheme, bytes_str(schemes->name)))
			return true;
	return false;
}

static enum rc
uri_value(struct walk *w, const struct field *f, const struct json *v, const struct at *at, struct json **ret)
{
	struct bytes uri = v->str;

	TRY(line_check(w, f, uri, at));
	if (f->flags & FIELD_PARTITION) /* that of the first one is what is judged */
		TRY(crl_address(w->a, v->str, 1, &uri, w->e));
	REFUSE_UNLESS(has_scheme(f->choices, uri), w, at, CHY_FIELD_URI,
		      "%s: the address's scheme is not allowed", f->label);
	for (size_t i = 0; i < uri.n; i++)
		REFUSE_UNLESS(uri.p[i] > 0x20 && uri.p[i] < 0x7f && strchr("\"<>\\^`{|}", uri.p[i]) == NULL,
			      w, at, CHY_FIELD_URI, "%s: character %zu must be percent-encoded", f->label,
			      i + 1);
	REFUSE_UNLESS(f->choices == pkcs11_schemes || uri_ok(uri), w, at, CHY_FIELD_URI,
		      "%s: no absolute address", f->label);
	*ret = json_str(w->a, v->str);
	return RC_OK;
}

typedef enum rc value_fn(struct walk *, const struct field *, const struct json *, const struct at *,
			 struct json **);

static value_fn *const by_type[FIELD_TYPE_COUNT] = {
	[FIELD_BOOL] = bool_value,     [FIELD_INT] = int_value,   [FIELD_TEXT] = text_value,
	[FIELD_CHOICE] = choice_value, [FIELD_TIME] = time_value, [FIELD_DURATION] = duration_value,
	[FIELD_OID] = oid_value,       [FIELD_HEX] = hex_value,   [FIELD_DN] = dn_value,
	[FIELD_URI] = uri_value,       [FIELD_DER] = der_value,   [FIELD_MODIFIER] = modifier_value,
};

enum rc
value_check(struct walk *w, const struct field *f, const struct json *v, const struct at *at,
	    struct json **ret)
{
	value_fn *fn = (unsigned)f->type < FIELD_TYPE_COUNT ? by_type[f->type] : NULL;

	NEED(fn != NULL, w->e, CHY_INTERNAL, NULL, "field %s has no type", f->name);
	if (f->type != FIELD_BOOL && f->type != FIELD_INT)
		TRY(string_of(w, f, v, at));
	*ret = NULL;
	TRY(fn(w, f, v, at, ret));
	NEED(*ret != NULL, w->e, CHY_NO_MEMORY, NULL, "document");
	return RC_OK;
}
