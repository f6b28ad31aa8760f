#include "base/base.h"
#include "gateway/conneg.h"

static bool
is_tchar(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static struct bytes
token(struct bytes *in)
{
	size_t n = 0;

	while (n < in->n && is_tchar(in->p[n]))
		n++;
	*in = bytes_of(in->p + n, in->n - n);
	return bytes_of(in->p - n, n);
}

static void
blanks(struct bytes *in)
{
	while (in->n > 0 && (in->p[0] == ' ' || in->p[0] == '\t'))
		*in = bytes_part(*in, 1, in->n);
}

static bool
take(struct bytes *in, char c)
{
	if (in->n == 0 || in->p[0] != (uint8_t)c)
		return false;
	*in = bytes_of(in->p + 1, in->n - 1);
	return true;
}

struct parameter {
	struct bytes name, value; /* value without its quotes; escapes in it stay */
};

/* `"text"` with the first quote taken already. */
static bool
quoted(struct bytes *in, struct bytes *ret)
{
	const uint8_t *from = in->p;

	while (in->n > 0 && in->p[0] != '"') {
		size_t n = in->p[0] == '\\' ? 2 : 1;

		if (n > in->n)
			return false;
		*in = bytes_of(in->p + n, in->n - n);
	}
	*ret = bytes_of(from, (size_t)(in->p - from));
	return take(in, '"');
}

/* *(OWS ";" OWS parameter), RFC 9110 5.6.6: true with the next one, false at the end of them or (*bad) at a mistake. */
static bool
parameter_next(struct bytes *in, struct parameter *ret, bool *bad)
{
	blanks(in);
	if (!take(in, ';'))
		return false;
	blanks(in);
	ret->name = token(in);
	*bad = ret->name.n == 0 || !take(in, '=');
	if (*bad)
		return false;
	if (take(in, '"')) {
		*bad = !quoted(in, &ret->value);
	} else {
		ret->value = token(in);
		*bad = ret->value.n == 0;
	}
	return !*bad;
}

/* RFC 9110 12.4.2: "0.123", as thousandths; -1 for a mistake. Java before 19 (JDK-8163921), in which much of the world checks
   certificates, asks for everything but pictures by "*; q=.2": a zero, and below a subtype, that is not written is meant. */
static int
quality(struct bytes v)
{
	int q = 0, scale = 100;
	size_t point = 0;

	if (v.n > 0 && (v.p[0] == '0' || v.p[0] == '1'))
		q = (v.p[point++] - '0') * 1000;
	else if (v.n < 2)
		return -1;
	if (v.n > point + 4 || (v.n > point && v.p[point] != '.'))
		return -1;
	for (size_t i = point + 1; i < v.n; i++, scale /= 10) {
		if (v.p[i] < '0' || v.p[i] > '9')
			return -1;
		q += (v.p[i] - '0') * scale;
	}
	return q <= 1000 ? q : -1;
}

struct range {
	struct bytes type, subtype;
	int q;
};

/* One media range off the front of the list. False: a mistake. */
static bool
range_take(struct bytes *in, struct range *ret)
{
	struct parameter p;
	bool bad = false;

	ret->q = 1000;
	ret->type = token(in);
	if (bytes_is(ret->type, "*") && (in->n == 0 || in->p[0] != '/'))
		ret->subtype = ret->type;
	else if (ret->type.n == 0 || !take(in, '/'))
		return false;
	else
		ret->subtype = token(in);
	while (parameter_next(in, &p, &bad))
		if (ascii_case_eq(p.name, BYTES("q")))
			ret->q = quality(p.value);
	return !bad && ret->subtype.n > 0 && ret->q >= 0;
}

/* How exactly a range names an offer: 3 type/subtype, 2 type/ *, 1 everything, 0 not at all. */
static int
range_fits(const struct range *r, const char *offer)
{
	struct bytes subtype, type = text_cut(bytes_str(offer), '/', &subtype);

	if (bytes_is(r->type, "*"))
		return bytes_is(r->subtype, "*") ? 1 : 0;
	if (!ascii_case_eq(r->type, type))
		return 0;
	if (bytes_is(r->subtype, "*"))
		return 2;
	return ascii_case_eq(r->subtype, subtype) ? 3 : 0;
}

/* The quality that an Accept list gives an offer: the most exact range decides. -1: a mistake in the list. */
static int
offer_quality(struct bytes accept, const char *offer)
{
	int best = 0, q = 0;
	struct range r;

	for (;;) {
		blanks(&accept);
		if (accept.n == 0)
			return q;
		if (take(&accept, ','))
			continue; /* RFC 9110 5.6.1.2: empty members are passed over */
		if (!range_take(&accept, &r))
			return -1;
		if (range_fits(&r, offer) > best) {
			best = range_fits(&r, offer);
			q = r.q;
		}
		blanks(&accept);
		if (accept.n > 0 && accept.p[0] != ',')
			return -1;
	}
}

enum rc
accept_choose(struct bytes accept, const char *const *offers, unsigned *ret, struct err *e)
{
	int best = 0;

	*ret = 0;
	if (text_trim(accept).n == 0)
		return RC_OK;
	for (unsigned i = 0; offers[i] != NULL; i++) {
		int q = offer_quality(accept, offers[i]);

		NEED(q >= 0, e, CHY_HTTP_HEADER, "RFC 9110 12.5.1", "Accept is not a list of media ranges");
		if (q > best) {
			best = q;
			*ret = i;
		}
	}
	NEED(best > 0, e, CHY_NOT_ACCEPTABLE, "RFC 9110 15.5.7", "%s is what can be given here", offers[0]);
	return RC_OK;
}

struct bytes
media_type(struct bytes content_type)
{
	struct bytes in = text_trim(content_type), type = token(&in), subtype;
	struct parameter p;
	bool bad = false;

	if (type.n == 0 || !take(&in, '/'))
		return BYTES_NONE;
	subtype = token(&in);
	while (parameter_next(&in, &p, &bad))
		if (ascii_case_eq(p.name, BYTES("charset")) && !ascii_case_eq(p.value, BYTES("utf-8")))
			return BYTES_NONE;
	if (bad || subtype.n == 0 || in.n > 0)
		return BYTES_NONE;
	return bytes_of(type.p, (size_t)(subtype.p - type.p) + subtype.n);
}

/* RFC 6750 2.1: 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"=" */
static bool
is_b64token(struct bytes t)
{
	size_t n = t.n;

	while (n > 0 && t.p[n - 1] == '=')
		n--;
	for (size_t i = 0; i < n; i++)
		if (strchr("-._~+/", t.p[i]) == NULL && !((t.p[i] | 0x20) >= 'a' && (t.p[i] | 0x20) <= 'z') &&
		    !(t.p[i] >= '0' && t.p[i] <= '9'))
			return false;
	return n > 0;
}

enum rc
bearer_token(struct bytes authorization, struct bytes *ret, struct err *e)
{
	struct bytes rest, scheme = text_cut(authorization, ' ', &rest);

	NEED(ascii_case_eq(scheme, BYTES("bearer")), e, CHY_BEARER, "RFC 6750 2.1",
	     "Authorization is not of the scheme Bearer");
	rest = text_trim(rest);
	NEED(rest.n <= 512 && is_b64token(rest), e, CHY_BEARER, "RFC 6750 2.1",
	     "the token is not a b64token");
	*ret = rest;
	return RC_OK;
}
