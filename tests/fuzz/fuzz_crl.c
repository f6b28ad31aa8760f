/*
 * Revocation lists: the parser and the signer's walker read the same bytes and must agree on what both accept; what the walker
 * passes is built again from its parts; what parses is shown.
 */
#include "base/base.h"
#include "pki/crl.h"
#include "pki/crl_walker.h"
#include "pki/lint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check(bool ok)
{
	if (!ok)
		abort();
}

/* The parts as the factory would send them; an entry that the parser reads is a part of its own. */
static bool
walks(const struct crl *c, struct crl_walk *w)
{
	struct bytes tail, point, issuer, rest = c->entries, was = rest, head = c->tbs;
	struct crl_entry x;
	struct err e = { 0 };

	if (c->entries.n > 0) {
		head.n = (size_t)(c->entries.p - c->tbs.p);
	} else {
		struct der d = der_of(c->tbs, NULL);

		der_enter(&d, DER_SEQUENCE);
		while (der_more(&d) && !der_next_is(&d, DER_CTX_CONS(0)))
			der_any(&d, NULL);
		head.n = (size_t)(d.p - c->tbs.p);
	}
	tail = bytes_part(c->tbs, head.n + c->entries.n, SIZE_MAX);
	if (crl_walk_head(w, head, &issuer, &e) != RC_OK)
		return false;
	check(bytes_eq(issuer, c->issuer));
	for (; crl_next(&rest, &x); was = rest)
		if (crl_walk_entries(w, bytes_of(was.p, was.n - rest.n), &e) != RC_OK)
			return false;
	return crl_walk_tail(w, tail, &point, &e) == RC_OK;
}

static void
compare(const struct crl *c, const struct crl_walk *w)
{
	uint64_t number;

	check(w->n == c->n && w->total == c->tbs.n && w->sigalg == c->sigalg && c->version == 2);
	check(w->this_update_at == c->this_update_at && w->next_update_at == c->next_update_at);
	check(crl_number(c->number, &number) && number == w->number);
	check(w->delta == (c->base.p != NULL) && !c->critical_unknown);
	check(!w->delta || (crl_number(c->base, &number) && number == w->base));
}

static void
rebuild(const struct crl *c)
{
	OWN_DW struct dw w = dw_growing(1 << 24);
	const struct crl_inputs in = { c->sigalg, c->issuer, c->this_update_at, c->next_update_at, c->exts };
	struct crl_entry *v = calloc(c->n + 1, sizeof(*v));
	struct bytes rest = c->entries;
	size_t n = 0;

	check(v != NULL);
	while (crl_next(&rest, &v[n]))
		n++;
	check(n == c->n);
	check(crl_tbs_build(&in, v, n, &w, NULL) == RC_OK && bytes_eq(dw_bytes(&w), c->tbs));
	free(v);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	OWN(arena_free)
	struct arena *a = arena_new(64 << 20);
	OWN_BUF struct buf text = buf_max(4 << 20);
	struct lint_verdicts v;
	struct err e = { 0 };
	struct crl_walk w;
	struct crl c;

	if (a == NULL)
		return 0;
	if (crl_parse_any(a, bytes_of(data, n), &c, &e) != RC_OK) {
		check(e.code != CHY_NONE && e.text[0] != 0);
		return 0;
	}
	if (walks(&c, &w)) {
		compare(&c, &w);
		rebuild(&c);
	}
	check(lint_crl(a, &c, &v, NULL) == RC_OK);
	crl_put_text(&text, &c, 10);
	check(crl_json(a, &c, 10) != NULL);
	return 0;
}
