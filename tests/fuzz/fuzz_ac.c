/*
 * Attribute certificates: the parser and the signer's walker read the same bytes and must agree on what both accept; what
 * parses is shown, its attributes and extensions are written again, and the whole of it is built again from its parts.
 */
#include "base/base.h"
#include "pki/ac.h"
#include "pki/cert.h"
#include "pki/walker.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check(bool ok)
{
	if (!ok)
		abort();
}

static void
compare(const struct ac *c, const struct ac_view *v)
{
	check(c->exts.n == v->exts_n && c->attrs.n == v->attrs_n);
	check(bytes_eq(c->serial, v->serial) && bytes_eq(c->tbs_alg, v->alg_id) && c->sigalg == v->sigalg);
	check(bytes_eq(c->issuer, v->issuer) && bytes_eq(c->base_issuer, v->base_issuer) &&
	      bytes_eq(c->base_serial, v->base_serial));
	check(c->not_before_at == v->not_before_at && c->not_after_at == v->not_after_at);
	check((exts_find(&c->exts, OID_CE_NO_REV_AVAIL) != NULL) == v->no_revocation);
}

static void
attributes(struct arena *a, const struct ac *c, bool ours)
{
	for (size_t i = 0; i < c->attrs.n; i++) {
		const struct ac_attr *x = &c->attrs.v[i];
		struct bytes rest = x->values, one;

		while ((one = ac_value_next(&rest)).n > 0) {
			OWN_DW struct dw w = dw_growing(1 << 20);
			struct ac_value v;

			if (ac_value_decode(a, x->known, one, &v, NULL) != RC_OK) {
				check(!ours); /* the walker is no laxer than the reader */
				continue;
			}
			dw_ac_value(&w, &v);
			check(bytes_eq(dw_bytes(&w), one));
		}
	}
}

/* Whatever the walker passes is what our own writer makes of its parts. */
static void
rebuild(const struct ac *c)
{
	OWN_DW struct dw w = dw_growing(1 << 20);
	const struct ac_inputs in = { c->sigalg, c->base_issuer,   c->base_serial,  c->entity, c->issuer,
				      c->serial, c->not_before_at, c->not_after_at, c->attrs,  c->exts };

	check(ac_tbs_build(&in, &w, NULL) == RC_OK && bytes_eq(dw_bytes(&w), c->tbs));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	OWN(arena_free)
	struct arena *a = arena_new(64 << 20);
	OWN_BUF struct buf text = buf_max(4 << 20);
	struct err e = { 0 };
	struct ac_view v;
	struct ac c, tbs;
	struct cert cert;
	bool ours;

	if (a == NULL)
		return 0;
	if (ac_parse_any(a, bytes_of(data, n), &c, &e) != RC_OK) {
		check(e.code != CHY_NONE && e.text[0] != 0);
		return 0;
	}
	check(ac_is(c.der) && cert_parse(a, c.der, &cert, NULL) != RC_OK);
	check(ac_parse_tbs(a, c.tbs, &tbs, &e) == RC_OK || c.tbs.n > LIMIT_TBS);
	ours = ac_tbs_walk(c.tbs, &v, &e) == RC_OK;
	if (ours) {
		compare(&c, &v);
		rebuild(&c);
	}
	attributes(a, &c, ours);
	ac_put_text(&text, &c);
	check(ac_json(a, &c) != NULL);
	return 0;
}
