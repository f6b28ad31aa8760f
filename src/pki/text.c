#include "base/base.h"
#include "pki/text.h"

#include "pki/der.h"

void
text_put_sigalg(struct buf *out, enum sigalg known, struct bytes alg)
{
	struct der d = der_of(alg, NULL);

	if (known != SIGALG_NONE) {
		buf_str(out, sigalg_name(known));
		return;
	}
	der_enter(&d, DER_SEQUENCE);
	oid_put(out, der_oid(&d));
}

void
text_put_time_line(struct buf *out, const char *name, int64_t at_ms)
{
	char text[32];

	buf_printf(out, "%-12s%s\n", name, time_text(text, at_ms));
}

void
text_put_exts(struct buf *out, const struct exts *l)
{
	buf_str(out, l->n ? "Extensions\n" : "");
	for (size_t i = 0; i < l->n; i++) {
		buf_str(out, "  ");
		oid_put(out, l->v[i].oid);
		buf_str(out, l->v[i].critical ? " (critical): " : ": ");
		ext_put_text(out, &l->v[i]);
		buf_u8(out, '\n');
	}
}

struct json *
text_time_json(struct arena *a, int64_t at_ms)
{
	char text[32];

	return json_str(a, bytes_str(time_text(text, at_ms)));
}

static struct json *
ext_json(struct arena *a, const struct ext *x)
{
	struct json *o = json_object(a);
	char text[OID_TEXT_MAX];
	bool ok = o != NULL;

	ok = ok && text_json_set(o, "oid", json_str(a, bytes_str(oid_text(text, x->oid))));
	ok = ok && text_json_set(o, "name", json_str(a, bytes_str(oid_name(x->known))));
	ok = ok && text_json_set(o, "critical", json_bool(a, x->critical));
	ok = ok && text_json_set(o, "text", TEXT_OF(a, ext_put_text(out, x)));
	return ok ? o : NULL;
}

struct json *
text_exts_json(struct arena *a, const struct exts *l)
{
	struct json *list = json_array(a);

	for (size_t i = 0; i < l->n && list != NULL; i++) {
		struct json *o = ext_json(a, &l->v[i]);

		if (o == NULL)
			return NULL;
		json_add(list, o);
	}
	return list;
}
