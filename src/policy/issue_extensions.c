/* Extensions of the certificate that the request brings, or that are filled in. */
#include "base/base.h"
#include "model/choices.h"
#include "policy/issue_impl.h"

bool
issue_has_oid(const struct oids *l, struct bytes oid)
{
	for (size_t k = 0; k < l->n; k++)
		if (bytes_eq(l->v[k], oid))
			return true;
	return false;
}

const char *
issue_oid(struct issuing *i, struct bytes oid)
{
	OWN_BUF struct buf b = buf_max(OID_TEXT_MAX);
	const char *text;

	oid_put(&b, oid);
	text = arena_str(i->a, buf_bytes(&b));
	return text ? text : "";
}

/* ---- of the request ---- */

/* Extensions of a request that other rules have looked at, or that the authority makes anew. */
static bool
is_handled(enum oid known)
{
	switch (known) {
	case OID_CE_KEY_USAGE:
	case OID_CE_EXT_KEY_USAGE:
	case OID_CE_SUBJECT_ALT_NAME:
	case OID_CE_BASIC_CONSTRAINTS:
	case OID_CE_SUBJECT_KEY_ID:
		return true;
	default:
		return false;
	}
}

static int
wanted(const struct format *f, struct bytes oid)
{
	for (size_t k = 0; k < f->from_request.n; k++)
		if (bytes_eq(f->from_request.v[k], oid))
			return (int)k;
	return -1;
}

static enum rc
take_extension(struct issuing *i, const struct ext *x)
{
	const struct format *f = i->d->procedure->format;
	struct ext_value v;
	struct err why = { 0 };

	if (x->known == OID_PE_QC_STATEMENTS && f->takes_qc)
		return RC_OK; /* see qc_statements */
	if (issue_has_oid(&i->d->procedure->template_.consts, x->oid) ||
	    (x->known == OID_CE_CRL_POINTS && i->d->procedure->split != NULL)) {
		issue_note(i, "%s is the procedure's", issue_oid(i, x->oid));
		return RC_OK;
	}
	if (wanted(f, x->oid) >= 0) {
		REFUSE_FOR(ext_decode(i->a, x, &v, &why) != RC_OK, err_exact(&why), i, "csr.extensions",
			   CHY_ISSUE_EXTENSION, why.std, "%s: %s", issue_oid(i, x->oid), why.text);
		v.critical = false;
		return issue_extension(i, &v);
	}
	REFUSE_IF(f->unknown_extensions == UNKNOWN_REFUSE, i, "csr.extensions", CHY_ISSUE_EXTENSION, NULL,
		  "format \"%.*s\" has no place for %s", BYTES_FMT(f->doc->name), issue_oid(i, x->oid));
	issue_note(i, "%s left out", issue_oid(i, x->oid));
	return RC_OK;
}

/* ---- QC statements ---- */

static bool
has_statement(const struct qc_statements *l, struct bytes oid)
{
	for (size_t k = 0; k < l->n; k++)
		if (bytes_eq(l->v[k].oid, oid))
			return true;
	return false;
}

/* What is there already cannot be changed. */
static void
add_statements(struct issuing *i, struct qc_statements *to, const struct qc_statements *from)
{
	for (size_t k = 0; k < from->n; k++)
		if (has_statement(to, from->v[k].oid))
			issue_note(i, "%s is the procedure's", issue_oid(i, from->v[k].oid));
		else
			to->v[to->n++] = from->v[k];
}

static enum rc
statements_of_request(struct issuing *i, struct qc_statements *ret)
{
	const struct ext *x = exts_find(&i->f->csr->exts, OID_PE_QC_STATEMENTS);
	struct err why = { 0 };
	struct ext_value v;

	*ret = (struct qc_statements){ .n = 0 };
	if (x == NULL)
		return RC_OK;
	REFUSE_FOR(ext_decode(i->a, x, &v, &why) != RC_OK, err_exact(&why), i, "csr.extensions",
		   CHY_ISSUE_EXTENSION, why.std, "%s: %s", issue_oid(i, x->oid), why.text);
	*ret = v.qc;
	return RC_OK;
}

/* The procedure's, what is filled in, and what the request has: each kind of statement once, in this order. */
static enum rc
qc_statements(struct issuing *i)
{
	const struct procedure *p = i->d->procedure;
	struct ext_value v = { .kind = OID_PE_QC_STATEMENTS };
	struct qc_statements asked;

	if (!p->format->takes_qc)
		return RC_OK;
	TRY(statements_of_request(i, &asked));
	ROOM(v.qc.v = arena_array(i->a, p->qc.n + i->qc.n + asked.n, sizeof(*v.qc.v)), i);
	add_statements(i, &v.qc, &p->qc);
	add_statements(i, &v.qc, &i->qc);
	add_statements(i, &v.qc, &asked);
	return v.qc.n > 0 ? issue_extension(i, &v) : RC_OK;
}

/* Of the procedure, or taken over from the request. */
static enum rc
qc_demanded(struct issuing *i)
{
	const struct procedure *p = i->d->procedure;
	struct bytes qc = oid_der(OID_PE_QC_STATEMENTS);

	REFUSE_IF(
	    p->format->qc_mandatory && !issue_has_oid(&p->template_.consts, qc) &&
		exts_find_oid(&i->exts, qc) == NULL,
	    i, "qc_statements", CHY_QC_MISSING, "RFC 3739 3.2.6",
	    "format \"%.*s\" demands QC statements, certificate procedure \"%.*s\" and the request have none",
	    BYTES_FMT(p->format->doc->name), BYTES_FMT(p->doc->name));
	return RC_OK;
}

/* ---- from inputs ---- */

static const char *
field_of_input(struct issuing *i, const struct format_extension *x)
{
	const char *text = arena_printf(i->a, "input.%s", x->input->name);

	return text ? text : "input";
}

static enum rc
string_of(struct issuing *i, const struct format_extension *x, struct bytes s, struct bytes *ret)
{
	static const uint32_t tags[] = {
		[TEXT_UTF8] = DER_UTF8, [TEXT_PRINTABLE] = DER_PRINTABLE, [TEXT_IA5] = DER_IA5
	};
	OWN_DW struct dw w = dw_growing(LIMIT_TBS);
	uint32_t tag = tags[x->form];

	TRY(issue_text(i, s, field_of_input(i, x), CHY_ISSUE_EXTENSION));
	REFUSE_IF(s.n == 0 || !string_ok(tag, s), i, field_of_input(i, x), CHY_ISSUE_EXTENSION, NULL,
		  "%s: not a text of the form %s", issue_oid(i, x->oid), text_form_choices[x->form].name);
	dw_tlv(&w, tag, s);
	return dw_dup(&w, i->a, ret, i->e);
}

static enum rc
fill_in(struct issuing *i, const struct format_extension *x)
{
	struct ext_value v = { .kind = OID_NONE, .oid = x->oid, .critical = x->critical };
	struct bytes *values, s = x->otherwise;
	size_t n;

	TRY(issue_values(i, x->input, &values, &n));
	REFUSE_IF(n > 1, i, field_of_input(i, x), CHY_ISSUE_EXTENSION, NULL, "%zu values of %s, %s is one", n,
		  x->input->name, issue_oid(i, x->oid));
	if (n > 0)
		s = values[0];
	REFUSE_IF(s.p == NULL && x->mandatory, i, field_of_input(i, x), CHY_ISSUE_EXTENSION, NULL,
		  "format \"%.*s\" demands %s of the input %s", BYTES_FMT(i->d->procedure->format->doc->name),
		  issue_oid(i, x->oid), x->input->name);
	if (s.p == NULL)
		return RC_OK;
	TRY_AT(modifiers_apply(i->a, &x->modifiers, s, &s, i->e), i->e, "%s", field_of_input(i, x));
	TRY(string_of(i, x, s, &v.raw));
	return issue_extension(i, &v);
}

enum rc
rule_extensions(struct issuing *i)
{
	const struct format *f = i->d->procedure->format;
	const struct exts *asked = &i->f->csr->exts;

	for (size_t k = 0; k < asked->n; k++)
		if (!is_handled(asked->v[k].known))
			TRY(take_extension(i, &asked->v[k]));
	for (size_t k = 0; k < f->from_request.n && k < f->must_n; k++)
		REFUSE_IF(f->must_extension[k] && exts_find_oid(asked, f->from_request.v[k]) == NULL &&
			      !(i->qc.n > 0 && oid_find(f->from_request.v[k]) == OID_PE_QC_STATEMENTS),
			  i, "csr.extensions", CHY_ISSUE_EXTENSION, NULL, "format \"%.*s\" demands %s",
			  BYTES_FMT(f->doc->name), issue_oid(i, f->from_request.v[k]));
	for (size_t k = 0; k < f->input_extensions_n; k++)
		TRY(fill_in(i, &f->input_extensions[k]));
	TRY(qc_statements(i));
	return qc_demanded(i);
}
