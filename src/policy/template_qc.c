/* QC statements of a procedure (RFC 3739 3.2.6, EN 319 412-5). */
#include "base/base.h"
#include "model/choices.h"
#include "policy/body.h"
#include "policy/qc.h"
#include "policy/snapshot_impl.h"

#define ROOM(p, e) NEED((p) != NULL, e, CHY_NO_MEMORY, NULL, "template")

enum { STATEMENTS_MAX = 8 };

static struct qc_statement *
statement(struct qc_statements *l, enum oid known)
{
	struct qc_statement *x = &l->v[l->n++];

	x->known = known;
	x->oid = oid_der(known);
	return x;
}

static enum rc
types(struct arena *a, struct qc_statements *l, const struct json *list, struct err *e)
{
	static const enum oid by_choice[] = { OID_QC_TYPE_ESIGN, OID_QC_TYPE_ESEAL, OID_QC_TYPE_WEB };
	struct qc_statement *x;

	if (list == NULL || list->count == 0)
		return RC_OK;
	x = statement(l, OID_QC_TYPE);
	ROOM(x->types.v = arena_array(a, list->count, sizeof(*x->types.v)), e);
	JSON_EACH(t, list)
	{
		int i = choice_index(qc_type_choices, t->str);

		if (i >= 0 && i < (int)ARRAY_LEN(by_choice))
			x->types.v[x->types.n++] = oid_der(by_choice[i]);
	}
	return RC_OK;
}

static enum rc
disclosures(struct arena *a, struct qc_statements *l, const struct json *list, struct err *e)
{
	struct qc_statement *x;

	if (list == NULL || list->count == 0)
		return RC_OK;
	x = statement(l, OID_QC_PDS);
	ROOM(x->pds = arena_array(a, list->count, sizeof(*x->pds)), e);
	JSON_EACH(d, list)
	x->pds[x->pds_n++] = (struct qc_pds){ body_text(d, "url"), body_text(d, "language") };
	return RC_OK;
}

static enum rc
countries(struct arena *a, struct qc_statements *l, const struct json *list, struct err *e)
{
	struct qc_statement *x;

	if (list == NULL || list->count == 0)
		return RC_OK;
	x = statement(l, OID_QC_LEGISLATION);
	ROOM(x->countries = arena_array(a, list->count, sizeof(*x->countries)), e);
	JSON_EACH(c, list)
	x->countries[x->countries_n++] = c->str;
	return RC_OK;
}

/* RFC 3739 3.2.6.1: the second version of its statement says so. */
static void
semantics(struct qc_statements *l, const struct json *qc)
{
	static const enum oid by_choice[] = { OID_QC_SEM_NATURAL, OID_QC_SEM_LEGAL };
	int i = body_choice(qc, "semantics", qc_semantics_choices, -1);

	if (i >= 0 && i < (int)ARRAY_LEN(by_choice))
		statement(l, OID_PKIXQC_V2)->semantics = oid_der(by_choice[i]);
}

static void
limit(struct qc_statements *l, const struct json *v)
{
	struct qc_statement *x = statement(l, OID_QC_LIMIT);

	x->currency = body_text(v, "currency");
	x->amount = body_int(v, "amount", 0);
	x->exponent = body_int(v, "exponent", 0);
}

enum rc
qc_of(struct arena *a, const struct json *qc, struct qc_statements *ret, struct err *e)
{
	*ret = (struct qc_statements){ .n = 0 };
	if (qc == NULL || qc->type != JSON_OBJECT)
		return RC_OK;
	ROOM(ret->v = arena_array(a, STATEMENTS_MAX, sizeof(*ret->v)), e);
	if (body_true(qc, "compliance"))
		statement(ret, OID_QC_COMPLIANCE);
	if (body_true(qc, "device"))
		statement(ret, OID_QC_SSCD);
	TRY(types(a, ret, body_list(qc, "types"), e));
	semantics(ret, qc);
	if (json_get(qc, "retention_years") != NULL)
		statement(ret, OID_QC_RETENTION)->years = body_int(qc, "retention_years", 0);
	if (json_get(qc, "limit") != NULL)
		limit(ret, json_get(qc, "limit"));
	TRY(disclosures(a, ret, body_list(qc, "disclosures"), e));
	return countries(a, ret, body_list(qc, "countries"), e);
}

enum rc
specs_qc(struct arena *a, struct specs *s, const struct json *qc, struct err *e)
{
	struct ext_value v = { .kind = OID_PE_QC_STATEMENTS };

	TRY(qc_of(a, qc, &v.qc, e));
	return v.qc.n > 0 ? specs_add(a, s, &v, e) : RC_OK;
}
