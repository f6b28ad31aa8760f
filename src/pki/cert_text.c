/* A certificate for people, and as JSON. */
#include "base/base.h"
#include "pki/cert.h"
#include "pki/text.h"

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
	text_put_time_line(out, "Not before", c->not_before_at);
	text_put_time_line(out, "Not after", c->not_after_at);
	buf_printf(out, "%-12s", "Key");
	key_text(out, c);
	buf_printf(out, "\n%-12s", "Signed by");
	text_put_sigalg(out, c->sigalg, c->tbs_alg);
	buf_str(out, "\n");
	text_put_exts(out, &c->exts);
}

/* ---- JSON ---- */

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
	ok = ok &&
	    text_json_set(o, "signature_algorithm", TEXT_OF(a, text_put_sigalg(out, c->sigalg, c->tbs_alg)));
	ok = ok && text_json_set(o, "extensions", text_exts_json(a, &c->exts));
	return ok ? o : NULL;
}
