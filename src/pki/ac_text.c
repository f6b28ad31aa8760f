/* An attribute certificate for people, and as JSON. */
#include "base/base.h"
#include "pki/ac.h"
#include "pki/text.h"

/* ---- attributes ---- */

static void
put_clearance(struct buf *out, const struct ac_value *v)
{
	bool any = false;

	oid_put(out, v->policy);
	for (unsigned i = 0; i < 6; i++) {
		if (!(v->levels & 1u << i))
			continue;
		buf_printf(out, "%s%s", any ? "," : " ", clearance_name(i));
		any = true;
	}
	if (v->categories.n > 0) {
		buf_str(out, " #");
		hex_put(out, v->categories);
	}
}

static void
put_items(struct buf *out, const struct ac_value *v)
{
	for (size_t i = 0; i < v->items_n; i++) {
		buf_str(out, i > 0 ? ", " : "");
		if (v->tag == DER_UTF8)
			buf_put(out, v->items[i]);
		else if (v->tag == DER_OID)
			oid_put(out, v->items[i]);
		else
			hex_put(out, v->items[i]);
	}
}

static void
put_value(struct buf *out, const struct ac_value *v)
{
	switch (v->kind) {
	case OID_ACA_GROUP:
	case OID_ACA_CHARGING_IDENTITY:
		put_items(out, v);
		break;
	case OID_ACA_ROLE:
		gname_put_text(out, &v->role);
		break;
	case OID_ACA_CLEARANCE:
		put_clearance(out, v);
		break;
	case OID_ACA_ACCESS_IDENTITY:
		gname_put_text(out, &v->service);
		buf_u8(out, ' ');
		gname_put_text(out, &v->ident);
		break;
	default:
		buf_u8(out, '#');
		hex_put(out, v->raw);
	}
	for (size_t i = 0; i < v->authority.n; i++) {
		buf_str(out, i > 0 ? ", " : " by ");
		gname_put_text(out, &v->authority.v[i]);
	}
}

void
ac_attr_put_text(struct buf *out, const struct ac_attr *x)
{
	OWN(arena_free)
	struct arena *a = arena_new(LIMIT_REQUEST_ARENA);
	struct bytes rest = x->values, one;
	struct ac_value v;

	for (size_t i = 0; (one = ac_value_next(&rest)).n > 0; i++) {
		buf_str(out, i > 0 ? ", " : "");
		if (a != NULL && ac_value_decode(a, x->known, one, &v, NULL) == RC_OK) {
			put_value(out, &v);
		} else {
			buf_str(out, "damaged #");
			hex_put(out, one);
		}
	}
}

/* ---- the whole ---- */

static void
put_names(struct buf *out, const struct gnames *l)
{
	for (size_t i = 0; i < l->n; i++) {
		buf_str(out, i > 0 ? ", " : "");
		gname_put_text(out, &l->v[i]);
	}
}

static void
put_holder(struct buf *out, const struct ac *c)
{
	buf_printf(out, "%-12s", "Holder");
	put_names(out, &c->entity);
	if (c->base_issuer.p != NULL) {
		buf_printf(out, "\n%-12s", "Base");
		hex_put(out, c->base_serial);
		buf_str(out, " of ");
		name_put_der_text(out, c->base_issuer);
	}
}

void
ac_put_text(struct buf *out, const struct ac *c)
{
	buf_printf(out, "%-12s2, of attributes\n%-12s", "Version", "Serial");
	hex_put(out, c->serial);
	buf_printf(out, "\n%-12s", "Issuer");
	name_put_der_text(out, c->issuer);
	buf_str(out, "\n");
	put_holder(out, c);
	buf_str(out, "\n");
	text_put_time_line(out, "Not before", c->not_before_at);
	text_put_time_line(out, "Not after", c->not_after_at);
	buf_printf(out, "%-12s", "Signed by");
	text_put_sigalg(out, c->sigalg, c->tbs_alg);
	buf_str(out, "\nAttributes\n");
	for (size_t i = 0; i < c->attrs.n; i++) {
		buf_str(out, "  ");
		oid_put(out, c->attrs.v[i].oid);
		buf_str(out, ": ");
		ac_attr_put_text(out, &c->attrs.v[i]);
		buf_u8(out, '\n');
	}
	text_put_exts(out, &c->exts);
}

/* ---- JSON ---- */

static bool
set_oid(struct arena *a, struct json *o, struct bytes oid, enum oid known)
{
	char text[OID_TEXT_MAX];

	return o != NULL && text_json_set(o, "oid", json_str(a, bytes_str(oid_text(text, oid)))) &&
	    text_json_set(o, "name", json_str(a, bytes_str(oid_name(known))));
}

static struct json *
attrs_json(struct arena *a, const struct ac_attrs *l)
{
	struct json *list = json_array(a);

	for (size_t i = 0; i < l->n && list != NULL; i++) {
		struct json *o = json_object(a);

		if (!set_oid(a, o, l->v[i].oid, l->v[i].known) ||
		    !text_json_set(o, "text", TEXT_OF(a, ac_attr_put_text(out, &l->v[i]))))
			return NULL;
		json_add(list, o);
	}
	return list;
}

static struct json *
holder_json(struct arena *a, const struct ac *c)
{
	struct json *o = json_object(a);
	bool ok = o != NULL;

	if (c->base_issuer.p != NULL) {
		ok = ok && text_json_set(o, "issuer", TEXT_OF(a, name_put_der_text(out, c->base_issuer)));
		ok = ok && text_json_set(o, "serial", TEXT_OF(a, hex_put(out, c->base_serial)));
	}
	ok = ok && text_json_set(o, "names", TEXT_OF(a, put_names(out, &c->entity)));
	return ok ? o : NULL;
}

struct json *
ac_json(struct arena *a, const struct ac *c)
{
	struct json *o = json_object(a);
	char from[32], to[32];
	bool ok = o != NULL;

	ok = ok && text_json_set(o, "version", json_int(a, 2));
	ok = ok && text_json_set(o, "serial", TEXT_OF(a, hex_put(out, c->serial)));
	ok = ok && text_json_set(o, "issuer", TEXT_OF(a, name_put_der_text(out, c->issuer)));
	ok = ok && text_json_set(o, "holder", holder_json(a, c));
	ok = ok && text_json_set(o, "not_before", json_str(a, bytes_str(time_text(from, c->not_before_at))));
	ok = ok && text_json_set(o, "not_after", json_str(a, bytes_str(time_text(to, c->not_after_at))));
	ok = ok &&
	    text_json_set(o, "signature_algorithm", TEXT_OF(a, text_put_sigalg(out, c->sigalg, c->tbs_alg)));
	ok = ok && text_json_set(o, "attributes", attrs_json(a, &c->attrs));
	ok = ok && text_json_set(o, "extensions", text_exts_json(a, &c->exts));
	return ok ? o : NULL;
}
