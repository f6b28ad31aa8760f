#include "base/base.h"
#include "pki/cil.h"

#include "pki/crl_walker.h"
#include "pki/signed.h"
#include "pki/text.h"

enum { SHA256_OCTETS = 32 };

/* ---- entries ---- */

static bool
serial_ok(struct bytes s)
{
	return s.n >= 1 && s.n <= LIMIT_SERIAL && s.p[0] < 0x80 &&
	    (s.n == 1 ? s.p[0] > 0 : s.p[0] > 0 || s.p[1] >= 0x80);
}

/* CertHash ::= SEQUENCE { hashAlgorithm AlgorithmIdentifier, certificateHash OCTET STRING } (Common PKI 2.0, part 4), parameters
   left out (RFC 5754 2). */
static void
put_cert_hash(struct dw *w, struct bytes hash)
{
	size_t at = dw_mark(w), alg;

	dw_octets(w, hash);
	alg = dw_mark(w);
	dw_oid(w, oid_der(OID_ALG_SHA256));
	dw_wrap(w, DER_SEQUENCE, alg);
	dw_wrap(w, DER_SEQUENCE, at);
	dw_wrap(w, DER_OCTET_STRING, at);
	dw_oid(w, oid_der(OID_CERT_HASH));
	dw_wrap(w, DER_SEQUENCE, at);
}

enum rc
cil_entry_build(const struct cil_entry *x, struct dw *w, struct err *e)
{
	size_t at = dw_mark(w);

	NEED(serial_ok(x->serial), e, CHY_CRL, "RFC 5280 4.1.2.2",
	     "serial number is not positive and minimal");
	NEED(x->sha256.n == SHA256_OCTETS, e, CHY_CRL, NULL, "a hash of %zu octets", x->sha256.n);
	put_cert_hash(w, x->sha256);
	dw_wrap(w, DER_SEQUENCE, at);
	dw_time(w, x->at);
	dw_tlv(w, DER_INTEGER, x->serial);
	dw_wrap(w, DER_SEQUENCE, at);
	return dw_end(w, e);
}

/* The walker has judged them already: this only takes apart. */
bool
cil_next(struct bytes *rest, struct cil_entry *ret)
{
	struct der d = der_of(*rest, NULL);

	if (rest->n == 0)
		return false;
	der_enter(&d, DER_SEQUENCE);
	ret->serial = der_integer(&d);
	ret->at = der_time(&d, true);
	der_enter(&d, DER_SEQUENCE); /* extensions */
	der_enter(&d, DER_SEQUENCE);
	der_oid(&d);
	der_enter_octets(&d);
	der_enter(&d, DER_SEQUENCE);
	der_tlv(&d, DER_SEQUENCE);
	ret->sha256 = der_take(&d, DER_OCTET_STRING);
	for (int i = 0; i < 5; i++)
		der_leave(&d);
	if (!der_ok(&d))
		return false;
	*rest = bytes_of(d.p, (size_t)(d.end - d.p));
	return true;
}

/* ---- the whole ---- */

/* Cuts the TBSIssuanceList as the factory sends it to the signer. */
static enum rc
cut(struct cil *c, struct bytes *ret_head, struct bytes *ret_tail, struct err *e)
{
	struct der d = der_of(c->tbs, e);

	der_enter(&d, DER_SEQUENCE);
	NEED(der_next_is(&d, DER_OID), e, CHY_CIL, NULL, "no issuance list begins here");
	der_any(&d, NULL);
	der_int(&d, 1, 1);
	c->segment = (unsigned)der_int(&d, 1, INT32_MAX);
	c->last = der_bool(&d);
	for (int i = 0; i < 4; i++) /* signature, issuer, two times */
		der_any(&d, NULL);
	*ret_head = bytes_of(c->tbs.p, (size_t)(d.p - c->tbs.p));
	if (der_next_is(&d, DER_SEQUENCE)) {
		c->entries = der_take(&d, DER_SEQUENCE);
		ret_head->n = (size_t)(c->entries.p - c->tbs.p);
	}
	*ret_tail = bytes_part(c->tbs, ret_head->n + c->entries.n, SIZE_MAX);
	return d.rc;
}

static enum rc
walk(struct cil *c, struct err *e)
{
	struct bytes head, tail, scope;
	struct crl_walk w;

	TRY(cut(c, &head, &tail, e));
	TRY(crl_walk_head(&w, head, &c->issuer, e));
	NEED(w.issued, e, CHY_CIL, NULL, "a revocation list, no issuance list");
	if (c->entries.n > 0)
		TRY(crl_walk_entries(&w, c->entries, e));
	TRY(crl_walk_tail(&w, tail, &scope, e));
	c->n = w.n;
	c->this_update_at = w.this_update_at;
	c->next_update_at = w.next_update_at;
	c->number = w.number;
	c->delta = w.delta;
	c->base = w.base;
	c->sigalg = w.sigalg;
	return RC_OK;
}

enum rc
cil_parse(struct bytes der, struct cil *ret, struct err *e)
{
	struct cil c = { .der = der };
	struct signed_parts p;

	TRY(signed_parse(der, LIMIT_CRL, CHY_CRL_SIZE, &p, e));
	c.tbs = p.tbs;
	c.signature = p.signature;
	TRY(walk(&c, e));
	NEED(bytes_eq(p.alg, sigalg_alg_id(c.sigalg)), e, CHY_CIL, NULL,
	     "signature algorithm differs from the signed one");
	*ret = c;
	return RC_OK;
}

/* ---- for people ---- */

void
cil_put_text(struct buf *out, const struct cil *c, size_t max)
{
	struct bytes rest = c->entries;
	struct cil_entry x;
	char text[32];

	buf_printf(out, "%-12s%llu\n", "Number", (unsigned long long)c->number);
	if (c->delta)
		buf_printf(out, "%-12s%llu\n", "Delta to", (unsigned long long)c->base);
	buf_printf(out, "%-12s%u%s\n", "Segment", c->segment, c->last ? ", the last" : ", others follow");
	buf_printf(out, "%-12s", "Issuer");
	name_put_der_text(out, c->issuer);
	buf_printf(out, "\n%-12s%s\n", "This update", time_text(text, c->this_update_at));
	buf_printf(out, "%-12s%s\n", "Next update", time_text(text, c->next_update_at));
	buf_printf(out, "%-12s%s\n", "Signed by", sigalg_name(c->sigalg));
	buf_printf(out, "Issued certificates: %zu\n", c->n);
	for (size_t i = 0; i < max && cil_next(&rest, &x); i++) {
		buf_str(out, "  ");
		hex_put(out, x.serial);
		buf_printf(out, " %s ", time_text(text, x.at));
		hex_put(out, x.sha256);
		buf_u8(out, '\n');
	}
	if (c->n > max)
		buf_printf(out, "  and %zu more\n", c->n - max);
}

static struct json *
entries_json(struct arena *a, const struct cil *c, size_t max)
{
	struct json *list = json_array(a);
	struct bytes rest = c->entries;
	struct cil_entry x;

	for (size_t n = 0; list != NULL && n < max && cil_next(&rest, &x); n++) {
		struct json *o = json_object(a);
		bool ok = o != NULL;

		ok = ok && text_json_set(o, "serial", TEXT_OF(a, hex_put(out, x.serial)));
		ok = ok && text_json_set(o, "at", text_time_json(a, x.at));
		ok = ok && text_json_set(o, "sha256", TEXT_OF(a, hex_put(out, x.sha256)));
		if (!ok)
			return NULL;
		json_add(list, o);
	}
	return list;
}

struct json *
cil_json(struct arena *a, const struct cil *c, size_t max)
{
	struct json *o = json_object(a);
	bool ok = o != NULL;

	ok = ok && text_json_set(o, "number", json_int(a, (int64_t)c->number));
	if (c->delta)
		ok = ok && text_json_set(o, "base", json_int(a, (int64_t)c->base));
	ok = ok && text_json_set(o, "segment", json_int(a, c->segment));
	ok = ok && text_json_set(o, "last", json_bool(a, c->last));
	ok = ok && text_json_set(o, "issuer", TEXT_OF(a, name_put_der_text(out, c->issuer)));
	ok = ok && text_json_set(o, "this_update", text_time_json(a, c->this_update_at));
	ok = ok && text_json_set(o, "next_update", text_time_json(a, c->next_update_at));
	ok = ok && text_json_set(o, "signature_algorithm", json_str(a, bytes_str(sigalg_name(c->sigalg))));
	ok = ok && text_json_set(o, "count", json_int(a, (int64_t)c->n));
	ok = ok && text_json_set(o, "entries", entries_json(a, c, max));
	return ok ? o : NULL;
}
