/* Name constraints (RFC 5280 4.2.1.10, 6.1.4 g) against the names of one certificate. */
#include "base/base.h"
#include "pki/walker.h"

struct subtrees {
	struct bytes permitted, excluded; /* contents of [0] and [1]; p NULL: absent */
};

static enum rc
read_subtrees(struct bytes value, struct subtrees *ret, struct err *e)
{
	struct der d = der_of(value, e);

	*ret = (struct subtrees){ 0 };
	der_enter(&d, DER_SEQUENCE);
	if (der_next_is(&d, DER_CTX_CONS(0)))
		ret->permitted = der_take(&d, DER_CTX_CONS(0));
	if (der_next_is(&d, DER_CTX_CONS(1)))
		ret->excluded = der_take(&d, DER_CTX_CONS(1));
	der_leave(&d);
	TRY(der_end(&d));
	NEED(ret->permitted.n + ret->excluded.n > 0, e, CHY_EXT, "RFC 5280 4.2.1.10",
	     "name constraints without a subtree");
	return RC_OK;
}

/* A kind of name that we can hold against a subtree; others are refused wherever a subtree of theirs stands. */
static bool
can_judge(const struct gname *g)
{
	switch (g->type) {
	case GN_EMAIL:
	case GN_DNS:
	case GN_DIR:
	case GN_IP:
		return true;
	case GN_URI: /* only hosts with a name can be judged */
		return uri_host(g->value).n > 0 && dns_ok(uri_host(g->value), false);
	case GN_OTHER:
		return g->other_known == OID_ON_UPN || g->other_known == OID_ON_SRV ||
		    g->other_known == OID_ON_SMTP_UTF8;
	default:
		return false;
	}
}

/* Mail addresses beyond ASCII are bound by the subtrees of ordinary ones (RFC 9598 6). */
static struct gname
as_judged(const struct gname *base, const struct gname *g)
{
	if (base->type == GN_EMAIL && g->type == GN_OTHER && g->other_known == OID_ON_SMTP_UTF8)
		return (struct gname){ .type = GN_EMAIL, .value = gname_str(g) };
	return *g;
}

static bool
same_kind(const struct gname *a, const struct gname *b)
{
	return a->type == b->type && (a->type != GN_OTHER || bytes_eq(a->other, b->other));
}

/* "*.b.example" stands for a.b.example too: it touches an excluded name one label below its own domain. */
static bool
wildcard_touches(const struct gname *base, const struct gname *g)
{
	struct bytes parent, below = base->value;

	if (g->type != GN_DNS || !bytes_starts(g->value, "*."))
		return false;
	if (bytes_starts(below, "."))
		below = bytes_part(below, 1, SIZE_MAX);
	text_cut(below, '.', &parent);
	return ascii_case_eq(parent, bytes_part(g->value, 2, SIZE_MAX));
}

struct verdict {
	bool constrained; /* a subtree of this kind stands there */
	bool within;
	bool unclear;    /* we cannot judge it */
	struct gname by; /* the first subtree that it lies in */
};

static struct verdict
hold_against(struct bytes subtrees, const struct gname *g, bool excluded, struct der *all)
{
	struct der d = der_of(subtrees, all->e);
	struct verdict v = { 0 };

	while (der_more(&d)) {
		struct gname base, name;

		der_enter(&d, DER_SEQUENCE);
		base = gname_take(&d, GN_CONSTRAINT);
		der_leave(&d);
		name = as_judged(&base, g);
		if (!der_ok(&d) || !same_kind(&base, &name))
			continue;
		v.constrained = true;
		v.unclear = v.unclear || !can_judge(&name);
		if (!v.within &&
		    (gname_within(&base, &name) || (excluded && wildcard_touches(&base, &name)))) {
			v.within = true;
			v.by = base;
		}
	}
	if (!der_ok(&d))
		all->rc = d.rc;
	return v;
}

/* The subtrees of a name's kind, for who must find out what would be allowed. */
static void
put_subtrees(struct buf *out, struct bytes subtrees, const struct gname *g)
{
	struct der d = der_of(subtrees, NULL);

	while (der_more(&d)) {
		struct gname base, name;

		der_enter(&d, DER_SEQUENCE);
		base = gname_take(&d, GN_CONSTRAINT);
		der_leave(&d);
		name = as_judged(&base, g);
		if (!der_ok(&d) || !same_kind(&base, &name))
			continue;
		buf_str(out, out->n ? ", " : "");
		gname_put_text(out, &base);
	}
}

static void
judge(struct der *d, const struct subtrees *s, const struct gname *g)
{
	struct verdict no = hold_against(s->excluded, g, true, d),
		       yes = hold_against(s->permitted, g, false, d);
	OWN_BUF struct buf text = buf_max(4096), why = buf_max(4096);
	struct bytes shown;

	if (!der_ok(d) || (!no.unclear && !no.within && !yes.unclear && (!yes.constrained || yes.within)))
		return;
	gname_put_text(&text, g);
	shown = bytes_part(buf_bytes(&text), 0, 100);
	if (no.within)
		gname_put_text(&why, &no.by);
	else
		put_subtrees(&why, s->permitted, g);
	if (no.within)
		der_fail(d, CHY_TBS_NAME, "RFC 5280 4.2.1.10", "\"%.*s\" lies in the excluded subtree %.*s",
			 BYTES_FMT(shown), BYTES_FMT(bytes_part(buf_bytes(&why), 0, 100)));
	else if (no.unclear || yes.unclear)
		der_fail(d, CHY_TBS_NAME, "RFC 5280 4.2.1.10",
			 "\"%.*s\" cannot be judged and its kind is constrained", BYTES_FMT(shown));
	else
		der_fail(d, CHY_TBS_NAME, "RFC 5280 4.2.1.10", "\"%.*s\" lies in no permitted subtree: %.*s",
			 BYTES_FMT(shown), BYTES_FMT(bytes_part(buf_bytes(&why), 0, 100)));
}

/* A common name that looks like a DNS name is taken for one by many who find no DNS name among the alternative names, so it
   is bound as one. Not a CA's: nobody connects to it. */
static bool
is_host(struct bytes text)
{
	return memchr(text.p, '.', text.n) != NULL && dns_ok(text, true);
}

/* One attribute of the subject: emailAddress counts as a mail address, a common name perhaps as a host. */
static void
judge_attribute(struct der *all, const struct subtrees *s, enum oid type, uint32_t tag, struct bytes value,
		bool hosts)
{
	struct gname mail = { .type = GN_EMAIL, .value = value }, host = { .type = GN_DNS, .value = value };
	bool text = tag == DER_IA5 || tag == DER_UTF8 || tag == DER_PRINTABLE;

	if (type == OID_AT_EMAIL && !text)
		der_fail(all, CHY_TBS_NAME, "RFC 5280 A.1", "emailAddress of a strange string type");
	else if (type == OID_AT_EMAIL)
		judge(all, s, &mail);
	else if (type == OID_AT_CN && hosts && value.n > 0 && text && is_host(value))
		judge(all, s, &host);
}

static void
judge_subject(struct der *all, const struct subtrees *s, struct bytes subject, bool hosts)
{
	struct gname dir = { .type = GN_DIR, .value = subject };
	struct der d = der_of(subject, NULL);

	if (name_is_empty(subject))
		return;
	judge(all, s, &dir);
	der_enter(&d, DER_SEQUENCE);
	while (der_more(&d)) {
		der_enter(&d, DER_SET);
		while (der_more(&d)) {
			struct bytes value;
			uint32_t tag;
			enum oid type;

			der_enter(&d, DER_SEQUENCE);
			type = oid_find(der_oid(&d));
			value = der_any(&d, &tag);
			der_leave(&d);
			if (der_ok(&d))
				judge_attribute(all, s, type, tag, value, hosts);
		}
		der_leave(&d);
	}
}

static bool
has_dns(struct bytes san)
{
	struct der d = der_of(san, NULL);
	bool has = false;

	if (san.p == NULL)
		return false;
	der_enter(&d, DER_SEQUENCE);
	while (der_more(&d)) {
		struct gname g = gname_take(&d, GN_NAME);

		has = has || (der_ok(&d) && g.type == GN_DNS);
	}
	return has;
}

enum rc
tbs_check_names(const struct tbs_view *v, struct bytes name_constraints, struct err *e)
{
	struct der d = der_of(v->san, e);
	struct subtrees s;

	if (name_constraints.p == NULL)
		return RC_OK;
	TRY_AT(read_subtrees(name_constraints, &s, e), e, "nameConstraints");
	judge_subject(&d, &s, v->subject, !v->ca && !has_dns(v->san));
	if (v->san.p != NULL && der_ok(&d)) {
		der_enter(&d, DER_SEQUENCE);
		while (der_more(&d)) {
			struct gname g = gname_take(&d, GN_NAME);

			if (der_ok(&d))
				judge(&d, &s, &g);
		}
		der_leave(&d);
	}
	return der_end(&d);
}
