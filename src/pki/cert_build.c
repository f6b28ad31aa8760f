/* Building certificates: a template compiled once, a TBSCertificate in a microsecond. */
#include "base/base.h"
#include "pki/cert.h"

/* ---- the template ---- */

static enum rc
note_const(struct cert_template *t, const struct ext *x, struct err *e)
{
	struct bytes oid = x->oid.n ? x->oid : oid_der(x->known);

	NEED(oid_ok(oid), e, CHY_CERT, NULL, "an extension without object identifier");
	for (size_t i = 0; i < t->consts.n; i++)
		NEED(!bytes_eq(t->consts.v[i], oid), e, CHY_CERT, "RFC 5280 4.2",
		     "an extension stands twice in the template");
	TRY(der_check(x->value, e));
	t->consts.v[t->consts.n++] = oid;
	return RC_OK;
}

static enum rc
note_slot(struct cert_template *t, enum cert_slot slot, struct err *e)
{
	bool *has = slot == SLOT_SKI ? &t->has_ski : slot == SLOT_SAN ? &t->has_san : &t->has_input;
	enum oid o = slot == SLOT_SKI ? OID_CE_SUBJECT_KEY_ID
	    : slot == SLOT_SAN        ? OID_CE_SUBJECT_ALT_NAME
				      : OID_NONE;

	NEED(!*has, e, CHY_CERT, NULL, "a place for an extension stands twice in the template");
	for (size_t i = 0; i < t->consts.n; i++)
		NEED(o == OID_NONE || !bytes_eq(t->consts.v[i], oid_der(o)), e, CHY_CERT, "RFC 5280 4.2",
		     "%s stands twice in the template", oid_name(o));
	*has = true;
	if (o != OID_NONE)
		t->consts.v[t->consts.n++] = oid_der(o);
	return RC_OK;
}

/* Constant extensions that follow each other become one piece of DER. */
static enum rc
join(struct arena *a, const struct cert_slot_spec *specs, size_t n, struct bytes *ret, struct err *e)
{
	OWN_DW struct dw w = dw_growing(LIMIT_TBS);

	for (size_t i = n; i-- > 0;)
		dw_ext(&w, &specs[i].ext);
	return dw_dup(&w, a, ret, e);
}

static enum rc
compile(struct arena *a, struct cert_template *t, const struct cert_slot_spec *specs, size_t n, struct err *e)
{
	for (size_t i = 0, k; i < n; i = k) {
		struct cert_part *p = &t->parts[t->n++];

		p->slot = specs[i].slot;
		k = i + 1;
		if (p->slot != SLOT_CONST) {
			TRY(note_slot(t, p->slot, e));
			continue;
		}
		while (k < n && specs[k].slot == SLOT_CONST)
			k++;
		for (size_t j = i; j < k; j++)
			TRY(note_const(t, &specs[j].ext, e));
		TRY(join(a, specs + i, k - i, &p->der, e));
	}
	return RC_OK;
}

enum rc
cert_template_build(struct arena *a, enum sigalg s, struct bytes issuer, const struct cert_slot_spec *specs,
		    size_t n, struct cert_template *ret, struct err *e)
{
	struct cert_template t = { .sigalg = s };

	NEED(sigalg_alg_id(s).n > 0, e, CHY_SIGALG, NULL, "a template without signature algorithm");
	NEED(n <= LIMIT_EXTENSIONS, e, CHY_CERT, NULL, "more than %d extensions", LIMIT_EXTENSIONS);
	TRY_AT(name_check(issuer, e), e, "issuer");
	NEED(!name_is_empty(issuer), e, CHY_CERT, "RFC 5280 4.1.2.4", "the issuer's name is empty");
	t.issuer = arena_dup(a, issuer);
	t.parts = arena_array(a, n + 1, sizeof(*t.parts));
	t.consts.v = arena_array(a, n + 1, sizeof(*t.consts.v));
	NEED(t.issuer.p && t.parts && t.consts.v, e, CHY_NO_MEMORY, NULL, "template");
	TRY(compile(a, &t, specs, n, e));
	for (size_t i = 0; i < t.consts.n; i++) {
		t.consts.v[i] = arena_dup(a, t.consts.v[i]);
		NEED(t.consts.v[i].p != NULL, e, CHY_NO_MEMORY, NULL, "template");
	}
	*ret = t;
	return RC_OK;
}

/* ---- the certificate ---- */

static enum rc
check_exts(const struct cert_template *t, const struct exts *l, struct err *e)
{
	char text[OID_TEXT_MAX];

	for (size_t i = 0; i < l->n; i++) {
		bool twice = false;

		for (size_t k = 0; k < i; k++)
			twice = twice || bytes_eq(l->v[i].oid, l->v[k].oid);
		for (size_t k = 0; k < t->consts.n; k++)
			twice = twice || bytes_eq(l->v[i].oid, t->consts.v[k]);
		NEED(!twice, e, CHY_CERT, "RFC 5280 4.2", "extension %s stands twice",
		     oid_text(text, l->v[i].oid));
	}
	return RC_OK;
}

static enum rc
check(const struct cert_template *t, const struct cert_inputs *in, struct err *e)
{
	bool san = in->san.n > 0 || in->san_der.p != NULL;

	NEED(in->serial.n >= 1 && in->serial.n <= LIMIT_SERIAL, e, CHY_CERT, "RFC 5280 4.1.2.2",
	     "serial number of %zu octets", in->serial.n);
	NEED(in->serial.p[0] < 0x80 &&
		 (in->serial.n == 1 ? in->serial.p[0] > 0 : in->serial.p[0] > 0 || in->serial.p[1] >= 0x80),
	     e, CHY_CERT, "RFC 5280 4.1.2.2", "serial number is not positive and minimal");
	NEED(in->not_before_at <= in->not_after_at, e, CHY_CERT, "RFC 5280 4.1.2.5",
	     "validity ends before it begins");
	NEED(in->spki.n > 0, e, CHY_CERT, "RFC 5280 4.1.2.7", "no public key");
	NEED(in->key_id.n == 0 || t->has_ski, e, CHY_CERT, NULL,
	     "the template has no place for a key identifier");
	NEED(!san || t->has_san, e, CHY_CERT, NULL, "the template has no place for alternative names");
	NEED(in->exts == NULL || in->exts->n == 0 || t->has_input, e, CHY_CERT, NULL,
	     "the template has no place for further extensions");
	return in->exts ? check_exts(t, in->exts, e) : RC_OK;
}

static void
put_ski(struct dw *w, const struct cert_inputs *in)
{
	size_t at = dw_mark(w);

	if (in->key_id.n == 0)
		return;
	dw_octets(w, in->key_id);
	dw_wrap(w, DER_OCTET_STRING, at);
	dw_oid(w, oid_der(OID_CE_SUBJECT_KEY_ID));
	dw_wrap(w, DER_SEQUENCE, at);
}

static void
put_san(struct dw *w, const struct cert_inputs *in)
{
	size_t at = dw_mark(w);

	if (in->san_der.p != NULL)
		dw_put(w, in->san_der);
	else if (in->san.n > 0)
		dw_gnames(w, DER_SEQUENCE, &in->san);
	else
		return;
	dw_wrap(w, DER_OCTET_STRING, at);
	if (name_is_empty(in->subject)) /* RFC 5280 4.2.1.6 */
		dw_bool(w, true);
	dw_oid(w, oid_der(OID_CE_SUBJECT_ALT_NAME));
	dw_wrap(w, DER_SEQUENCE, at);
}

static void
put_part(struct dw *w, const struct cert_part *p, const struct cert_inputs *in)
{
	switch (p->slot) {
	case SLOT_CONST:
		dw_put(w, p->der);
		break;
	case SLOT_SKI:
		put_ski(w, in);
		break;
	case SLOT_SAN:
		put_san(w, in);
		break;
	case SLOT_INPUT:
		for (size_t i = in->exts ? in->exts->n : 0; i-- > 0;)
			dw_ext(w, &in->exts->v[i]);
		break;
	}
}

static void
put_exts(struct dw *w, const struct cert_template *t, const struct cert_inputs *in)
{
	size_t at = dw_mark(w);

	for (size_t i = t->n; i-- > 0;)
		put_part(w, &t->parts[i], in);
	if (dw_mark(w) == at)
		return;
	dw_wrap(w, DER_SEQUENCE, at);
	dw_wrap(w, DER_CTX_CONS(3), at);
}

static void
put_validity(struct dw *w, const struct cert_inputs *in)
{
	size_t at = dw_mark(w);

	dw_time(w, in->not_after_at);
	dw_time(w, in->not_before_at);
	dw_wrap(w, DER_SEQUENCE, at);
}

enum rc
cert_tbs_build(const struct cert_template *t, const struct cert_inputs *in, struct dw *w, struct err *e)
{
	static const uint8_t v3[] = { 0xa0, 0x03, 0x02, 0x01, 0x02 };
	size_t at = dw_mark(w);

	TRY(check(t, in, e));
	put_exts(w, t, in);
	dw_put(w, in->spki);
	if (in->subject.n > 0)
		dw_put(w, in->subject);
	else
		dw_tlv(w, DER_SEQUENCE, BYTES_NONE);
	put_validity(w, in);
	dw_put(w, t->issuer);
	dw_put(w, sigalg_alg_id(t->sigalg));
	dw_tlv(w, DER_INTEGER, in->serial);
	dw_put(w, BYTES_OF(v3));
	dw_wrap(w, DER_SEQUENCE, at);
	return dw_end(w, e);
}

enum rc
cert_assemble(struct bytes tbs, enum sigalg s, struct bytes signature, struct dw *w, struct err *e)
{
	size_t at = dw_mark(w);

	NEED(sigalg_alg_id(s).n > 0, e, CHY_SIGALG, NULL, "no signature algorithm");
	dw_bits(w, signature);
	dw_put(w, sigalg_alg_id(s));
	dw_put(w, tbs);
	dw_wrap(w, DER_SEQUENCE, at);
	return dw_end(w, e);
}
