/* A revocation list for people, and as JSON. */
#include "base/base.h"
#include "pki/crl.h"
#include "pki/text.h"

static void
number_text(struct buf *out, struct bytes number)
{
	uint64_t v;

	if (crl_number(number, &v)) {
		buf_printf(out, "%llu", (unsigned long long)v);
	} else {
		buf_str(out, "0x");
		hex_put(out, number);
	}
}

static void
put_time_line(struct buf *out, const char *name, int64_t at)
{
	char text[32];

	buf_printf(out, "%-12s%s\n", name, at == CRL_NO_TIME ? "-" : time_text(text, at));
}

static void
put_number_line(struct buf *out, const char *name, struct bytes number)
{
	if (number.p == NULL)
		return;
	buf_printf(out, "%-12s", name);
	number_text(out, number);
	buf_u8(out, '\n');
}

static void
put_entry(struct buf *out, const struct crl_entry *x)
{
	char text[32];

	buf_str(out, "  ");
	hex_put(out, x->serial);
	buf_printf(out, " %s", time_text(text, x->revoked_at));
	if (x->reason != CRL_NO_REASON)
		buf_printf(out, " %s", crl_reason_name(x->reason));
	if (x->invalidity_at != CRL_NO_TIME)
		buf_printf(out, " invalid since %s", time_text(text, x->invalidity_at));
	if (x->issuer.p != NULL) {
		buf_str(out, " of ");
		name_put_der_text(out, x->issuer);
	}
	buf_u8(out, '\n');
}

void
crl_put_text(struct buf *out, const struct crl *c, size_t max)
{
	struct bytes rest = c->entries;
	struct crl_entry x;
	size_t n = 0;

	buf_printf(out, "%-12s%d\n", "Version", c->version);
	put_number_line(out, "Number", c->number);
	put_number_line(out, "Delta to", c->base);
	buf_printf(out, "%-12s", "Issuer");
	name_put_der_text(out, c->issuer);
	buf_str(out, "\n");
	put_time_line(out, "This update", c->this_update_at);
	put_time_line(out, "Next update", c->next_update_at);
	buf_printf(out, "%-12s", "Signed by");
	text_put_sigalg(out, c->sigalg, c->tbs_alg);
	buf_str(out, "\n");
	text_put_exts(out, &c->exts);
	buf_printf(out, "Revoked certificates: %zu\n", c->n);
	while (n < max && crl_next(&rest, &x)) {
		put_entry(out, &x);
		n++;
	}
	if (n < c->n)
		buf_printf(out, "  and %zu more\n", c->n - n);
}

/* ---- JSON ---- */

static struct json *
entry_json(struct arena *a, const struct crl_entry *x)
{
	struct json *o = json_object(a);
	bool ok = o != NULL;

	ok = ok && text_json_set(o, "serial", TEXT_OF(a, hex_put(out, x->serial)));
	ok = ok && text_json_set(o, "revoked", text_time_json(a, x->revoked_at));
	if (x->reason != CRL_NO_REASON)
		ok = ok && text_json_set(o, "reason", json_str(a, bytes_str(crl_reason_name(x->reason))));
	if (x->invalidity_at != CRL_NO_TIME)
		ok = ok && text_json_set(o, "invalid", text_time_json(a, x->invalidity_at));
	if (x->issuer.p != NULL)
		ok = ok && text_json_set(o, "issuer", TEXT_OF(a, name_put_der_text(out, x->issuer)));
	return ok ? o : NULL;
}

static struct json *
entries_json(struct arena *a, const struct crl *c, size_t max)
{
	struct json *list = json_array(a);
	struct bytes rest = c->entries;
	struct crl_entry x;

	for (size_t n = 0; list != NULL && n < max && crl_next(&rest, &x); n++) {
		struct json *o = entry_json(a, &x);

		if (o == NULL)
			return NULL;
		json_add(list, o);
	}
	return list;
}

struct json *
crl_json(struct arena *a, const struct crl *c, size_t max)
{
	struct json *o = json_object(a);
	bool ok = o != NULL;

	ok = ok && text_json_set(o, "version", json_int(a, c->version));
	if (c->number.p != NULL)
		ok = ok && text_json_set(o, "number", TEXT_OF(a, number_text(out, c->number)));
	if (c->base.p != NULL)
		ok = ok && text_json_set(o, "base", TEXT_OF(a, number_text(out, c->base)));
	ok = ok && text_json_set(o, "issuer", TEXT_OF(a, name_put_der_text(out, c->issuer)));
	ok = ok && text_json_set(o, "this_update", text_time_json(a, c->this_update_at));
	if (c->next_update_at != CRL_NO_TIME)
		ok = ok && text_json_set(o, "next_update", text_time_json(a, c->next_update_at));
	ok = ok &&
	    text_json_set(o, "signature_algorithm", TEXT_OF(a, text_put_sigalg(out, c->sigalg, c->tbs_alg)));
	ok = ok && text_json_set(o, "extensions", text_exts_json(a, &c->exts));
	ok = ok && text_json_set(o, "count", json_int(a, (int64_t)c->n));
	ok = ok && text_json_set(o, "entries", entries_json(a, c, max));
	return ok ? o : NULL;
}
