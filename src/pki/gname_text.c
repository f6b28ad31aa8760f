/* The text forms of GeneralName, both ways. */
#include "base/base.h"
#include "pki/gname.h"

#include <arpa/inet.h>

static void
put_ip(struct buf *out, struct bytes ip)
{
	bool masked = ip.n == 8 || ip.n == 32;
	size_t n = masked ? ip.n / 2 : ip.n;
	char text[INET6_ADDRSTRLEN];
	unsigned bits = 0;

	if ((n != 4 && n != 16) || inet_ntop(n == 4 ? AF_INET : AF_INET6, ip.p, text, sizeof(text)) == NULL) {
		buf_u8(out, '#');
		hex_put(out, ip);
		return;
	}
	buf_str(out, text);
	for (size_t i = n; masked && i < ip.n; i++)
		bits += (unsigned)__builtin_popcount(ip.p[i]);
	if (masked)
		buf_printf(out, "/%u", bits);
}

static void
put_other(struct buf *out, const struct gname *g)
{
	struct der in = der_of(g->value, NULL);
	char text[OID_TEXT_MAX];

	if (gname_str(g).p != NULL) {
		buf_printf(out, "%s:", oid_name(g->other_known));
		buf_put(out, gname_str(g));
		return;
	}
	if (g->other_known == OID_ON_FASC_N && der_peek(&in) == DER_OCTET_STRING) {
		buf_printf(out, "%s:", oid_name(g->other_known));
		hex_put(out, der_any(&in, NULL));
		return;
	}
	buf_printf(out, "other:%s:#", oid_text(text, g->other));
	hex_put(out, g->value);
}

void
gname_put_text(struct buf *out, const struct gname *g)
{
	static const char *const prefixes[] = { "",      "email:", "dns:", "x400:#", "dir:",
						"edi:#", "uri:",   "ip:",  "rid:" };
	char text[OID_TEXT_MAX];

	buf_str(out, prefixes[g->type]);
	switch (g->type) {
	case GN_OTHER:
		put_other(out, g);
		break;
	case GN_DIR:
		name_put_der_text(out, g->value);
		break;
	case GN_IP:
		put_ip(out, g->value);
		break;
	case GN_RID:
		buf_str(out, oid_text(text, g->value));
		break;
	case GN_X400:
	case GN_EDI:
		hex_put(out, g->value);
		break;
	default:
		buf_put(out, g->value);
	}
}

/* ---- text -> name ---- */

static enum rc
parse_ip(struct arena *a, struct bytes text, enum gn_use use, struct gname *g, struct err *e)
{
	struct bytes mask, host = text_cut(text, '/', &mask);
	char cstr[INET6_ADDRSTRLEN + 1] = { 0 };
	uint8_t ip[32] = { 0 };
	int64_t bits = 0;
	size_t n;

	NEED(host.n < sizeof(cstr) && (use == GN_CONSTRAINT) == (mask.p != NULL), e, CHY_GNAME_TEXT, NULL,
	     "\"%.*s\": an address%s is expected", BYTES_FMT(bytes_part(text, 0, 80)),
	     use == GN_CONSTRAINT ? " with /bits" : "");
	if (host.n > 0)
		memcpy(cstr, host.p, host.n);
	n = inet_pton(AF_INET, cstr, ip) == 1 ? 4 : inet_pton(AF_INET6, cstr, ip) == 1 ? 16 : 0;
	NEED(n != 0, e, CHY_GNAME_TEXT, NULL, "\"%.*s\" is no IP address",
	     BYTES_FMT(bytes_part(text, 0, 80)));
	if (mask.p != NULL)
		TRY(int_parse(mask, 0, (int64_t)n * 8, &bits, e));
	for (int64_t i = 0; i < bits; i++)
		ip[n + (size_t)i / 8] |= (uint8_t)(0x80 >> i % 8);
	g->value = arena_dup(a, bytes_of(ip, use == GN_CONSTRAINT ? 2 * n : n));
	NEED(g->value.p != NULL, e, CHY_NO_MEMORY, NULL, "IP address");
	return RC_OK;
}

static enum rc
parse_dir(struct arena *a, struct bytes text, struct gname *g, struct err *e)
{
	struct name n;

	TRY(name_from_text(a, text, &n, e));
	g->value = n.der;
	return RC_OK;
}

static enum rc
parse_hex(struct arena *a, struct bytes text, struct bytes *ret, struct err *e)
{
	NEED(bytes_starts(text, "#"), e, CHY_GNAME_TEXT, NULL, "\"%.*s\": # and hexadecimal expected",
	     BYTES_FMT(bytes_part(text, 0, 80)));
	return hex_parse(a, bytes_part(text, 1, SIZE_MAX), ret, e);
}

static enum rc
parse_string(struct arena *a, struct bytes text, enum oid type, struct gname *g, struct err *e)
{
	OWN_DW struct dw w = dw_growing(LIMIT_TBS);

	g->other = oid_der(type);
	g->other_known = type;
	dw_tlv(&w, type == OID_ON_SRV ? DER_IA5 : DER_UTF8, text);
	return dw_dup(&w, a, &g->value, e);
}

/* FIPS 201-3 and SP 800-73: the octets of the card's FASC-N. */
static enum rc
parse_fasc_n(struct arena *a, struct bytes text, struct gname *g, struct err *e)
{
	OWN_DW struct dw w = dw_growing(LIMIT_TBS);
	struct bytes octets;

	g->other = oid_der(OID_ON_FASC_N);
	g->other_known = OID_ON_FASC_N;
	TRY(hex_parse(a, text, &octets, e));
	dw_tlv(&w, DER_OCTET_STRING, octets);
	return dw_dup(&w, a, &g->value, e);
}

/* other:OID:#DER */
static enum rc
parse_other(struct arena *a, struct bytes text, struct gname *g, struct err *e)
{
	struct bytes hex, oid = text_cut(text, ':', &hex);

	TRY(oid_parse(a, oid, &g->other, e));
	g->other_known = oid_find(g->other);
	TRY(parse_hex(a, hex, &g->value, e));
	return der_check(g->value, e);
}

static const struct prefix {
	const char *name;
	enum gn_type type;
	enum oid other;
} prefixes[] = {
	{ "email", GN_EMAIL, OID_NONE },       { "dns", GN_DNS, OID_NONE },
	{ "uri", GN_URI, OID_NONE },           { "ip", GN_IP, OID_NONE },
	{ "dir", GN_DIR, OID_NONE },           { "rid", GN_RID, OID_NONE },
	{ "x400", GN_X400, OID_NONE },         { "edi", GN_EDI, OID_NONE },
	{ "other", GN_OTHER, OID_NONE },       { "upn", GN_OTHER, OID_ON_UPN },
	{ "srv", GN_OTHER, OID_ON_SRV },       { "smtputf8", GN_OTHER, OID_ON_SMTP_UTF8 },
	{ "fasc-n", GN_OTHER, OID_ON_FASC_N },
};

static enum rc
parse_by(struct arena *a, const struct prefix *p, struct bytes text, enum gn_use use, struct gname *g,
	 struct err *e)
{
	g->type = p->type;
	switch (p->type) {
	case GN_IP:
		return parse_ip(a, text, use, g, e);
	case GN_DIR:
		return parse_dir(a, text, g, e);
	case GN_RID:
		return oid_parse(a, text, &g->value, e);
	case GN_X400:
	case GN_EDI:
		return parse_hex(a, text, &g->value, e);
	case GN_OTHER:
		if (p->other == OID_ON_FASC_N)
			return parse_fasc_n(a, text, g, e);
		return p->other ? parse_string(a, text, p->other, g, e) : parse_other(a, text, g, e);
	default:
		g->value = arena_dup(a, text);
		NEED(g->value.p != NULL, e, CHY_NO_MEMORY, NULL, "name");
		return RC_OK;
	}
}

/* What was built must read as a name: the tag's own rules. */
static enum rc
read_again(const struct gname *g, enum gn_use use, struct err *e)
{
	OWN_DW struct dw w = dw_growing(LIMIT_TBS);
	struct der d;

	dw_gname(&w, g);
	TRY(dw_end(&w, e));
	d = der_of(dw_bytes(&w), e);
	gname_take(&d, use);
	return der_end(&d);
}

enum rc
gname_from_text(struct arena *a, struct bytes text, enum gn_use use, struct gname *ret, struct err *e)
{
	struct bytes rest, kind = text_cut(text, ':', &rest);
	struct gname g = { 0 };
	size_t i = 0;

	while (i < ARRAY_LEN(prefixes) && !ascii_case_eq(kind, bytes_str(prefixes[i].name)))
		i++;
	NEED(rest.p != NULL && i < ARRAY_LEN(prefixes), e, CHY_GNAME_TEXT, NULL,
	     "\"%.*s\" does not begin with email: dns: uri: ip: dir: rid: upn: srv: smtputf8: fasc-n: or "
	     "other:",
	     BYTES_FMT(bytes_part(text, 0, 80)));
	TRY(parse_by(a, &prefixes[i], rest, use, &g, e));
	TRY(gname_check(&g, use, e));
	TRY(read_again(&g, use, e));
	*ret = g;
	return RC_OK;
}
