/* Extensions of attribute certificates alone: RFC 5755 4.3.1, 4.3.2. */
#include "base/base.h"
#include "pki/ext_kinds.h"

enum { AUDIT_MAX = 20 };

void
read_audit(struct der *d, struct arena *a, struct ext_value *v)
{
	v->audit = der_take(d, DER_OCTET_STRING);
	if (der_ok(d) && (v->audit.n == 0 || v->audit.n > AUDIT_MAX))
		der_fail(d, CHY_EXT, "RFC 5755 4.3.1", "audit identity of %zu octets, 1 to %d", v->audit.n,
			 AUDIT_MAX);
}

void
write_audit(struct dw *w, const struct ext_value *v)
{
	dw_octets(w, v->audit);
}

/* Both choices are explicitly tagged, as a GeneralName is a CHOICE itself. */
static struct ac_target
take_target(struct der *d)
{
	struct ac_target t = { .group = der_next_is(d, DER_CTX_CONS(1)) };

	if (der_ok(d) && !t.group && !der_next_is(d, DER_CTX_CONS(0)))
		der_fail(d, CHY_EXT, "RFC 5755 4.3.2", "a target that is neither a name nor a group");
	der_enter(d, DER_CTX_CONS(t.group));
	t.name = gname_take(d, GN_NAME);
	der_leave(d);
	return t;
}

static size_t
count_targets(struct der d)
{
	size_t n = 0;

	d.e = NULL; /* a copy: what it finds wrong is found again */
	while (der_more(&d)) {
		der_enter(&d, DER_SEQUENCE);
		n += der_count(&d);
		while (der_more(&d))
			der_any(&d, NULL);
		der_leave(&d);
	}
	return n;
}

/* SEQUENCE OF Targets, each a SEQUENCE OF Target. The profile wants one Targets; several mean the same as one. */
void
read_targets(struct der *d, struct arena *a, struct ext_value *v)
{
	size_t max;

	der_enter(d, DER_SEQUENCE);
	if (!der_ok(d))
		return;
	max = count_targets(*d);
	if (max == 0 || max > LIMIT_SAN) {
		der_fail(d, CHY_EXT, "RFC 5755 4.3.2", "%zu targets, 1 to %d", max, LIMIT_SAN);
		return;
	}
	v->targets.v = arena_array(a, max, sizeof(*v->targets.v));
	if (v->targets.v == NULL)
		der_fail(d, CHY_NO_MEMORY, NULL, "%zu targets", max);
	der_enter(d, DER_SEQUENCE);
	while (der_more(d) && v->targets.n < max)
		v->targets.v[v->targets.n++] = take_target(d);
	der_leave(d);
	if (der_more(d))
		der_fail(d, CHY_EXT, "RFC 5755 4.3.2", "more than one list of targets");
	der_leave(d);
}

void
write_targets(struct dw *w, const struct ext_value *v)
{
	size_t at = dw_mark(w);

	for (size_t i = v->targets.n; i-- > 0;) {
		size_t one = dw_mark(w);

		dw_gname(w, &v->targets.v[i].name);
		dw_wrap(w, DER_CTX_CONS(v->targets.v[i].group), one);
	}
	dw_wrap(w, DER_SEQUENCE, at);
	dw_wrap(w, DER_SEQUENCE, at);
}
