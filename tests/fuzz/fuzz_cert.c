/*
 * Certificates: the parser and the signer's walker read the same bytes and must agree on what both accept; extensions,
 * listings and lints of whatever parses.
 */
#include "base/base.h"
#include "pki/cert.h"
#include "pki/lint.h"
#include "pki/walker.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check(bool ok)
{
	if (!ok)
		abort();
}

static void
compare(const struct cert *c, const struct tbs_view *v)
{
	check(c->version == 3 && c->exts.n == v->exts_n);
	check(bytes_eq(c->serial, v->serial) && bytes_eq(c->tbs_alg, v->alg_id) && c->sigalg == v->sigalg);
	check(bytes_eq(c->issuer, v->issuer) && bytes_eq(c->subject, v->subject) &&
	      bytes_eq(c->spki, v->spki));
	check(c->not_before_at == v->not_before_at && c->not_after_at == v->not_after_at);
	check(cert_is_ca(c) == v->ca && bytes_eq(cert_key_id(c), v->key_id));
}

static void
show(struct arena *a, const struct cert *c)
{
	OWN_BUF struct buf text = buf_max(4 << 20);
	struct lint_verdicts v;

	cert_put_text(&text, c);
	check(cert_json(a, c) != NULL);
	check(lint_cert(a, c, &v, NULL) == RC_OK && v.n == lint_count());
}

static void
round_trip(struct arena *a, const struct exts *l)
{
	for (size_t i = 0; i < l->n; i++) {
		struct ext_value v;
		struct ext x;

		if (ext_decode(a, &l->v[i], &v, NULL) == RC_OK && ext_encode(a, &v, &x, NULL) == RC_OK)
			check(bytes_eq(x.value, l->v[i].value));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	OWN(arena_free)
	struct arena *a = arena_new(64 << 20);
	struct err e = { 0 };
	struct tbs_view v;
	struct cert c, tbs;

	if (a == NULL)
		return 0;
	if (cert_parse_any(a, bytes_of(data, n), &c, &e) != RC_OK) {
		check(e.code != CHY_NONE && e.text[0] != 0);
		return 0;
	}
	check(cert_parse_tbs(a, c.tbs, &tbs, &e) == RC_OK || c.tbs.n > LIMIT_TBS);
	if (tbs_walk(c.tbs, &v, &e) == RC_OK) {
		compare(&c, &v);
		if (v.name_constraints.p != NULL)
			(void)!tbs_check_names(&v, v.name_constraints, NULL);
	}
	round_trip(a, &c.exts);
	show(a, &c);
	return 0;
}
