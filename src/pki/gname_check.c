/* Syntax of the kinds of GeneralName, and which subtree one lies in. */
#include "base/base.h"
#include "pki/gname.h"

static bool
is_alnum(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
all_digits(struct bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] < '0' || b.p[i] > '9')
			return false;
	return true;
}

/* RFC 1034 3.5 with RFC 1123 2.1. */
static bool
label_ok(struct bytes l)
{
	if (l.n == 0 || l.n > 63 || l.p[0] == '-' || l.p[l.n - 1] == '-')
		return false;
	for (size_t i = 0; i < l.n; i++)
		if (!is_alnum(l.p[i]) && l.p[i] != '-')
			return false;
	return true;
}

bool
dns_ok(struct bytes name, bool wildcard)
{
	struct bytes rest = name, label = BYTES_NONE;

	if (name.n == 0 || name.n > 253)
		return false;
	if (wildcard && bytes_starts(name, "*."))
		rest = bytes_part(name, 2, SIZE_MAX);
	do {
		label = text_cut(rest, '.', &rest);
		if (!label_ok(label))
			return false;
	} while (rest.p != NULL);
	return !all_digits(label); /* what looks like an IPv4 address is none */
}

static bool
dot_string_ok(struct bytes local)
{
	struct bytes rest = local;

	do {
		struct bytes atom = text_cut(rest, '.', &rest);

		if (atom.n == 0)
			return false;
		for (size_t i = 0; i < atom.n; i++)
			if (!is_alnum(atom.p[i]) &&
			    (atom.p[i] == 0 || strchr("!#$%&'*+-/=?^_`{|}~", atom.p[i]) == NULL))
				return false;
	} while (rest.p != NULL);
	return true;
}

static bool
quoted_ok(struct bytes q)
{
	if (q.n < 2 || q.p[0] != '"' || q.p[q.n - 1] != '"')
		return false;
	for (size_t i = 1; i + 1 < q.n; i++) {
		if (q.p[i] < 0x20 || q.p[i] > 0x7e || q.p[i] == '"')
			return false;
		if (q.p[i] == '\\' && ++i + 1 >= q.n)
			return false;
	}
	return true;
}

/* Cuts at the last "@": the host; none and *local all when there is no "@". */
static struct bytes
host_part(struct bytes mailbox, struct bytes *local)
{
	for (size_t i = mailbox.n; i-- > 0;) {
		if (mailbox.p[i] == '@') {
			*local = bytes_part(mailbox, 0, i);
			return bytes_part(mailbox, i + 1, SIZE_MAX);
		}
	}
	*local = mailbox;
	return BYTES_NONE;
}

bool
mail_ok(struct bytes mailbox)
{
	struct bytes local, host = host_part(mailbox, &local);

	return local.n >= 1 && local.n <= 64 && (dot_string_ok(local) || quoted_ok(local)) &&
	    dns_ok(host, false);
}

static bool
has_control(struct bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] < 0x20 || b.p[i] == 0x7f)
			return true;
	return false;
}

/* RFC 9598 3: not ASCII only in the local part; the host as A-labels. */
static bool
smtp_utf8_ok(struct bytes mailbox)
{
	struct bytes local, host = host_part(mailbox, &local);
	bool beyond = false;

	for (size_t i = 0; i < local.n; i++)
		beyond = beyond || local.p[i] >= 0x80;
	return beyond && local.n <= 64 && utf8_ok(local) && !has_control(local) && dns_ok(host, false);
}

static bool
upn_ok(struct bytes upn)
{
	struct bytes user, realm = host_part(upn, &user);

	return user.n > 0 && realm.n > 0 && utf8_ok(upn) && !has_control(upn) &&
	    memchr(user.p, '@', user.n) == NULL && memchr(upn.p, ' ', upn.n) == NULL;
}

/* RFC 4985 2: _service.name */
static bool
srv_ok(struct bytes srv)
{
	struct bytes name, service = text_cut(srv, '.', &name);

	return service.n >= 2 && service.p[0] == '_' && label_ok(bytes_part(service, 1, SIZE_MAX)) &&
	    dns_ok(name, false);
}

/* SP 800-73-5 part 1 3.1.2: 40 characters of 5 bits, an OCTET STRING of 25. */
static bool
fasc_n_ok(struct bytes value)
{
	struct der d = der_of(value, NULL);

	return der_take(&d, DER_OCTET_STRING).n == 25;
}

static size_t
scheme_len(struct bytes uri)
{
	size_t n = 0;

	while (n < uri.n &&
	       (is_alnum(uri.p[n]) || (n > 0 && strchr("+-.", uri.p[n]) != NULL && uri.p[n] != 0)))
		n++;
	return n > 0 && n < uri.n && uri.p[n] == ':' && (uri.p[0] | 0x20) >= 'a' ? n : 0;
}

struct bytes
uri_host(struct bytes uri)
{
	size_t n = scheme_len(uri), end, at = 0;
	struct bytes auth = bytes_part(uri, n + 1, SIZE_MAX);

	if (n == 0 || !bytes_starts(auth, "//"))
		return BYTES_NONE;
	auth = bytes_part(auth, 2, SIZE_MAX);
	for (end = 0; end < auth.n && strchr("/?#", auth.p[end]) == NULL; end++)
		if (auth.p[end] == '@')
			at = end + 1;
	auth = bytes_part(bytes_part(auth, 0, end), at, SIZE_MAX);
	if (bytes_starts(auth, "[")) {
		const uint8_t *close = memchr(auth.p, ']', auth.n);

		return close ? bytes_part(auth, 0, (size_t)(close - auth.p) + 1) : BYTES_NONE;
	}
	return text_cut(auth, ':', &uri);
}

static bool
is_hex(uint8_t c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static bool
uri_chars_ok(struct bytes u)
{
	for (size_t i = 0; i < u.n; i++) {
		if (u.p[i] == '%' && (i + 2 >= u.n || !is_hex(u.p[i + 1]) || !is_hex(u.p[i + 2])))
			return false;
		if (!is_alnum(u.p[i]) && (u.p[i] == 0 || strchr("-._~:/?#[]@!$&'()*+,;=%", u.p[i]) == NULL))
			return false;
	}
	return true;
}

static bool
port_ok(struct bytes uri, struct bytes host)
{
	size_t from = (size_t)(host.p - uri.p) + host.n, end = from;
	int64_t port;

	while (end < uri.n && strchr("/?#", uri.p[end]) == NULL)
		end++;
	if (from == end)
		return true;
	return uri.p[from] == ':' &&
	    int_parse(bytes_part(uri, from + 1, end - from - 1), 1, 65535, &port, NULL) == RC_OK;
}

bool
uri_ok(struct bytes uri)
{
	size_t n = scheme_len(uri);
	struct bytes scheme = bytes_part(uri, 0, n), rest = bytes_part(uri, n + 1, SIZE_MAX), host;

	if (n == 0 || rest.n == 0 || !uri_chars_ok(uri))
		return false;
	if (!bytes_starts(rest, "//"))
		return !ascii_case_eq(scheme, BYTES("http")) && !ascii_case_eq(scheme, BYTES("https"));
	host = uri_host(uri);
	if (host.n == 0) /* a directory may mean "yours": ldap:///CN=... */
		return bytes_starts(rest, "///") &&
		    (ascii_case_eq(scheme, BYTES("ldap")) || ascii_case_eq(scheme, BYTES("file")));
	if (!port_ok(uri, host))
		return false;
	return host.p[0] == '[' || dns_ok(host, false) || all_digits(text_cut(host, '.', &rest));
}

static bool
ip_ok(struct bytes ip, enum gn_use use)
{
	size_t half = ip.n / 2;
	bool ended = false;

	if (use == GN_NAME)
		return ip.n == 4 || ip.n == 16;
	if (ip.n != 8 && ip.n != 32)
		return false;
	for (size_t i = 0; i < 8 * half; i++) {
		bool bit = ip.p[half + i / 8] & 0x80 >> i % 8;

		if (bit && ended)
			return false;
		ended = !bit;
	}
	return true;
}

/* A host or, behind a dot, a domain; RFC 5280 4.2.1.10. Nothing at all is every DNS name. */
static bool
host_constraint_ok(struct bytes host)
{
	return dns_ok(bytes_part(host, bytes_starts(host, ".") ? 1 : 0, SIZE_MAX), false);
}

static bool
syntax_ok(const struct gname *g, enum gn_use use)
{
	bool c = use == GN_CONSTRAINT;
	struct bytes v = g->value;

	switch (g->type) {
	case GN_DNS:
		return c ? v.n == 0 || host_constraint_ok(v) : dns_ok(v, true);
	case GN_EMAIL:
		return mail_ok(v) || (c && host_constraint_ok(v));
	case GN_URI:
		return c ? host_constraint_ok(v) : uri_ok(v);
	case GN_IP:
		return ip_ok(v, use);
	case GN_DIR:
		return c || !name_is_empty(v);
	case GN_OTHER:
		v = gname_str(g);
		if (g->other_known == OID_ON_UPN)
			return c ? v.n > 0 : upn_ok(v);
		if (g->other_known == OID_ON_SRV)
			return c ? v.n > 0 : srv_ok(v);
		if (g->other_known == OID_ON_FASC_N)
			return c || fasc_n_ok(g->value);
		return g->other_known != OID_ON_SMTP_UTF8 || c || smtp_utf8_ok(v);
	default:
		return true;
	}
}

enum rc
gname_check(const struct gname *g, enum gn_use use, struct err *e)
{
	static const char *const kinds[] = { "other name",    "mail address",   "DNS name",
					     "X.400 address", "directory name", "EDI party",
					     "URI",           "IP address",     "registered id" };
	OWN_BUF struct buf text = buf_max(512);

	if (syntax_ok(g, use))
		return RC_OK;
	gname_put_text(&text, g);
	FAIL(e, CHY_GNAME, use == GN_NAME ? "RFC 5280 4.2.1.6" : "RFC 5280 4.2.1.10",
	     "\"%.*s\" is no valid %s", BYTES_FMT(bytes_part(buf_bytes(&text), 0, 160)), kinds[g->type]);
}

/* ---- identity and subtrees ---- */

static bool
mail_eq(struct bytes a, struct bytes b)
{
	struct bytes la, lb, ha = host_part(a, &la), hb = host_part(b, &lb);

	return ascii_case_eq(ha, hb) && bytes_eq(la, lb);
}

bool
gname_eq(const struct gname *a, const struct gname *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case GN_DNS:
		return ascii_case_eq(a->value, b->value);
	case GN_EMAIL:
		return mail_eq(a->value, b->value);
	case GN_DIR:
		return name_eq(a->value, b->value);
	default:
		return bytes_eq(a->value, b->value) && bytes_eq(a->other, b->other);
	}
}

static bool
ends_with(struct bytes s, struct bytes end)
{
	return s.n > end.n && ascii_case_eq(bytes_part(s, s.n - end.n, end.n), end);
}

/* A constraint without dot is that host alone. */
static bool
host_within(struct bytes base, struct bytes host)
{
	return bytes_starts(base, ".") ? ends_with(host, base) : ascii_case_eq(base, host);
}

static bool
dns_within(struct bytes base, struct bytes name)
{
	if (base.n == 0 || ascii_case_eq(base, name))
		return true;
	if (!ends_with(name, base))
		return false;
	return base.p[0] == '.' || name.p[name.n - base.n - 1] == '.';
}

static bool
mail_within(struct bytes base, struct bytes mailbox)
{
	struct bytes local, host = host_part(mailbox, &local);

	return memchr(base.p, '@', base.n) != NULL ? mail_eq(base, mailbox) : host_within(base, host);
}

static bool
ip_within(struct bytes base, struct bytes ip)
{
	if (base.n != 2 * ip.n)
		return false;
	for (size_t i = 0; i < ip.n; i++)
		if (((base.p[i] ^ ip.p[i]) & base.p[ip.n + i]) != 0)
			return false;
	return true;
}

static bool
other_within(const struct gname *base, const struct gname *g)
{
	struct bytes b = gname_str(base), v = gname_str(g), name;

	if (!bytes_eq(base->other, g->other))
		return false;
	if (g->other_known == OID_ON_SRV) { /* RFC 4985 4: with or without the service */
		text_cut(v, '.', &name);
		return bytes_starts(b, "_") ? ascii_case_eq(b, v) : dns_within(b, name);
	}
	if (b.n > 0 && (g->other_known == OID_ON_UPN || g->other_known == OID_ON_SMTP_UTF8))
		return mail_within(b, v);
	return bytes_eq(base->value, g->value);
}

bool
gname_within(const struct gname *base, const struct gname *g)
{
	if (base->type != g->type)
		return false;
	switch (g->type) {
	case GN_DNS:
		return dns_within(base->value, g->value);
	case GN_EMAIL:
		return base->value.n > 0 && mail_within(base->value, g->value);
	case GN_URI:
		return base->value.n > 0 && host_within(base->value, uri_host(g->value));
	case GN_DIR:
		return name_within(base->value, g->value);
	case GN_IP:
		return ip_within(base->value, g->value);
	case GN_OTHER:
		return other_within(base, g);
	default:
		return bytes_eq(base->value, g->value);
	}
}
