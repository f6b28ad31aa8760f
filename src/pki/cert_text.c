/* A certificate for people, and as JSON. */
#include "base/base.h"
#include "pki/cert.h"
#include "pki/text_json.h"

static void
key_text(struct buf *out, const struct cert *c)
{
	char text[KEY_NAME_MAX];
	struct pubkey k;
	struct err e = { 0 };

	if (pubkey_parse(c->spki, &k, &e) == RC_OK)
		buf_str(out, key_type_text(text, pubkey_type(&k)));
	else
		buf_printf(out, "unknown (%s)", e.text);
}

static void
sigalg_text(struct buf *out, const struct cert *c)
{
	struct der d = der_of(c->tbs_alg, NULL);

	if (c->sigalg != SIGALG_NONE) {
		buf_str(out, sigalg_name(c->sigalg));
		return;
	}
	der_enter(&d, DER_SEQUENCE);
	oid_put(out, der_oid(&d));
}

static void
put_time_line(struct buf *out, const char *name, int64_t at)
{
	char text[32];

	buf_printf(out, "%-12s%s\n", name, time_text(text, at));
}

void
cert_put_text(struct buf *out, const struct cert *c)
{
	buf_printf(out, "%-12s%d\n%-12s", "Version", c->version, "Serial");
	hex_put(out, c->serial);
	buf_printf(out, "\n%-12s", "Issuer");
	name_put_der_text(out, c->issuer);
	buf_printf(out, "\n%-12s", "Subject");
	name_put_der_text(out, c->subject);
	buf_str(out, "\n");
	put_time_line(out, "Not before", c->not_before_at);
	put_time_line(out, "Not after", c->not_after_at);
	buf_printf(out, "%-12s", "Key");
	key_text(out, c);
	buf_printf(out, "\n%-12s", "Signed by");
	sigalg_text(out, c);
	buf_str(out, c->exts.n ? "\nExtensions\n" : "\n");
	for (size_t i = 0; i < c->exts.n; i++) {
		buf_str(out, "  ");
		oid_put(out, c->exts.v[i].oid);
		buf_str(out, c->exts.v[i].critical ? " (critical): " : ": ");
		ext_put_text(out, &c->exts.v[i]);
		buf_u8(out, '\n');
	}
}

/* ---- JSON ---- */

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

static struct json *
exts_json(struct arena *a, const struct exts *l)
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

struct json *
cert_json(struct arena *a, const struct cert *c)
{
	struct json *o = json_object(a);
	char from[32], to[32];
	bool ok = o != NULL;

	ok = ok && text_json_set(o, "version", json_int(a, c->version));
	ok = ok && text_json_set(o, "serial", TEXT_OF(a, hex_put(out, c->serial)));
	ok = ok && text_json_set(o, "issuer", TEXT_OF(a, name_put_der_text(out, c->issuer)));
	ok = ok && text_json_set(o, "subject", TEXT_OF(a, name_put_der_text(out, c->subject)));
	ok = ok && text_json_set(o, "not_before", json_str(a, bytes_str(time_text(from, c->not_before_at))));
	ok = ok && text_json_set(o, "not_after", json_str(a, bytes_str(time_text(to, c->not_after_at))));
	ok = ok && text_json_set(o, "key", TEXT_OF(a, key_text(out, c)));
	ok = ok && text_json_set(o, "signature_algorithm", TEXT_OF(a, sigalg_text(out, c)));
	ok = ok && text_json_set(o, "extensions", exts_json(a, &c->exts));
	return ok ? o : NULL;
}
