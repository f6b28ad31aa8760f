/* About whom an attribute certificate is, and what it says, how long. */
#include "base/base.h"
#include "policy/issue_attribute_impl.h"

#include "model/choices.h"
#include "policy/body.h"

/* ---- the base certificate ---- */

enum rc
rule_base_visible(struct attributing *i)
{
	const struct document *authority = snapshot_document(i->f->policy, i->f->base->authority);
	const struct document *made_by = snapshot_document(i->f->policy, i->f->base->token_procedure);

	if (i->f->base->id == 0) /* whoever makes it sees it */
		return RC_OK;
	REFUSE_IF(may_see_certificate(i->f->policy, i->officer, authority, made_by, NULL) != RC_OK, i, "base",
		  CHY_AC_BASE_NONE, NULL, "the officer sees no such certificate");
	return RC_OK;
}

enum rc
rule_base_kind(struct attributing *i)
{
	REFUSE_IF(i->f->base->is_ac, i, "base", CHY_AC_BASE_KIND, "RFC 5755 4.2.2",
		  "certificate %lld is an attribute certificate: it has no key", (long long)i->f->base->id);
	REFUSE_IF(i->f->base->is_ca, i, "base", CHY_AC_BASE_CA, NULL,
		  "certificate %lld is an authority's own", (long long)i->f->base->id);
	return RC_OK;
}

enum rc
rule_base_state(struct attributing *i)
{
	const struct ac_base *b = i->f->base;

	REFUSE_IF(b->revoked || b->held, i, "base", CHY_AC_BASE_STATE, NULL, "certificate %lld is %s",
		  (long long)b->id, b->revoked ? "revoked" : "on hold");
	REFUSE_IF(i->f->now_ms > b->not_after_ms || (b->id != 0 && i->f->now_ms < b->not_before_ms), i,
		  "base", CHY_AC_BASE_EXPIRED, NULL, "certificate %lld is not valid now", (long long)b->id);
	return RC_OK;
}

enum rc
rule_base_usage(struct attributing *i)
{
	const struct ac_procedure *p = i->d->procedure;
	uint16_t lacks = i->f->base->key_usage ? (uint16_t)(p->key_usage & ~i->f->base->key_usage) : 0;
	char text[KEY_USAGE_TEXT_MAX];

	REFUSE_IF(
	    lacks != 0, i, "base", CHY_AC_BASE_KEY_USAGE, NULL,
	    "attribute certificate procedure \"%.*s\" is for certificates with %s, which this one lacks",
	    BYTES_FMT(p->doc->name), key_usage_text(text, lacks));
	return RC_OK;
}

/* ---- attributes ---- */

/* The format's line for a type; NULL: none. */
static const struct json *
line_of(const struct format *f, struct bytes type)
{
	JSON_EACH(x, body_list(f->doc->body, "attributes"))
	if (bytes_eq(body_text(x, "type"), type))
		return x;
	return NULL;
}

static enum rc
refuse_second(struct attributing *i, const struct ac_attrs *l, const struct ac_attr *x, size_t at)
{
	for (size_t k = 0; k < l->n; k++)
		if (bytes_eq(l->v[k].oid, x->oid)) {
			err_field(i->e, "attributes[%zu].type", at);
			FAIL(i->e, CHY_AC_ATTRIBUTE_COUNT, "RFC 5755 4.2.7",
			     "attribute %s stands there already, by the procedure or the request",
			     oid_name(x->known));
		}
	return RC_OK;
}

static enum rc
take_asked(struct attributing *i, const struct json *x, size_t at, struct ac_attrs *l)
{
	const struct format *f = i->d->procedure->format;
	struct bytes type = body_text(x, "type");
	const struct json *line = line_of(f, type);
	int64_t most = body_int(line, "max_count", 20);

	if (line == NULL) {
		err_field(i->e, "attributes[%zu].type", at);
		FAIL(i->e, CHY_AC_ATTRIBUTE_UNKNOWN, NULL,
		     "format \"%.*s\" has no place for the attribute \"%.*s\"", BYTES_FMT(f->doc->name),
		     BYTES_FMT(type));
	}
	if ((int64_t)body_count(x, "values") > most) {
		err_field(i->e, "attributes[%zu].values", at);
		FAIL(i->e, CHY_AC_ATTRIBUTE_COUNT, NULL, "format \"%.*s\" allows %lld values of \"%.*s\"",
		     BYTES_FMT(f->doc->name), (long long)most, BYTES_FMT(type));
	}
	TRY_AT(ac_attr_of_json(i->a, x, &l->v[l->n], i->e), i->e, "attributes[%zu]", at);
	TRY(refuse_second(i, l, &l->v[l->n], at));
	l->n++;
	return RC_OK;
}

static bool
is_there(const struct json *list, struct bytes type)
{
	JSON_EACH(x, list)
	if (bytes_eq(body_text(x, "type"), type))
		return true;
	return false;
}

static enum rc
refuse_missing(struct attributing *i)
{
	const struct json *body = i->d->procedure->format->doc->body;

	JSON_EACH(x, body_list(body, "attributes"))
	REFUSE_IF(body_true(x, "mandatory") && !is_there(i->f->attributes, body_text(x, "type")), i,
		  "attributes", CHY_AC_ATTRIBUTE_MISSING, NULL,
		  "format \"%.*s\" demands the attribute \"%.*s\"",
		  BYTES_FMT(i->d->procedure->format->doc->name), BYTES_FMT(body_text(x, "type")));
	return RC_OK;
}

enum rc
rule_ac_attributes(struct attributing *i)
{
	const struct ac_attrs *always = i->d->procedure->always;
	struct ac_attrs *l = &i->d->inputs.attrs;
	size_t at = 0;

	l->v = arena_array(i->a, always->n + (i->f->attributes ? i->f->attributes->count : 0), sizeof(*l->v));
	ROOM(l->v, i);
	for (size_t k = 0; k < always->n; k++)
		l->v[l->n++] = always->v[k];
	JSON_EACH(x, i->f->attributes)
	TRY(take_asked(i, x, at++, l));
	TRY(refuse_missing(i));
	REFUSE_IF(l->n == 0, i, "attributes", CHY_AC_NO_ATTRIBUTES, "RFC 5755 4.2.7",
		  "neither the procedure nor the request has an attribute");
	return RC_OK;
}

/* ---- who it is for audit trails ---- */

void
ac_audit_identity(hmac_fn *hmac, const uint8_t key[AUDIT_KEY], struct doc_id authority, struct bytes holder,
		  uint8_t ret[AUDIT_IDENTITY])
{
	uint8_t inner[32], outer[32], id[8];

	for (int k = 0; k < 8; k++)
		id[k] = (uint8_t)((uint64_t)authority.v >> (56 - 8 * k));
	hmac(bytes_of(key, AUDIT_KEY), BYTES_OF(id), inner); /* a key for each authority */
	hmac(BYTES_OF(inner), holder, outer);
	memcpy(ret, outer, AUDIT_IDENTITY);
}

/* Critical: who does not know it would put the holder into its trails (RFC 5755 4.3.1). */
enum rc
rule_ac_audit_identity(struct attributing *i)
{
	const struct ac_procedure *p = i->d->procedure;
	struct ext_value v = { .kind = OID_PE_AUDIT_IDENTITY, .critical = true };
	struct exts *l = &i->d->inputs.exts;
	uint8_t identity[AUDIT_IDENTITY];

	if (!body_true(p->doc->body, "audit_identity"))
		return RC_OK;
	REFUSE_IF(i->f->base->subject.n == 0, i, "base", CHY_AC_AUDIT_IDENTITY, "RFC 5755 4.3.1",
		  "the base certificate has no subject to make an audit identity of");
	REFUSE_IF(i->f->hmac == NULL, i, "", CHY_INTERNAL, NULL,
		  "no key was given to make an audit identity with");
	ac_audit_identity(i->f->hmac, i->f->audit_key, p->authority->doc->id, i->f->base->subject, identity);
	v.audit = BYTES_OF(identity);
	l->v = arena_array(i->a, p->exts.n + 1, sizeof(*l->v));
	ROOM(l->v, i);
	for (size_t k = 0; k < p->exts.n; k++)
		l->v[l->n++] = p->exts.v[k];
	return ext_encode(i->a, &v, &l->v[l->n++], i->e);
}

/* ---- validity: within the procedure, the authority and the base ---- */

struct period {
	int64_t from, to;
};

static enum rc
asked(struct attributing *i, struct period offer, struct period *ret)
{
	*ret = offer;
	if (i->f->not_before_ms != 0)
		ret->from = i->f->not_before_ms - i->f->not_before_ms % 1000;
	if (i->f->not_after_ms != 0)
		ret->to = i->f->not_after_ms - i->f->not_after_ms % 1000;
	REFUSE_IF(ret->from >= ret->to || ret->to <= i->f->now_ms, i, "validity.not_after",
		  CHY_VALIDITY_ORDER, NULL, "the validity is over before it begins");
	REFUSE_IF(ret->from < offer.from, i, "validity.not_before", CHY_VALIDITY_PROCEDURE, NULL,
		  "earlier than the procedure allows");
	REFUSE_IF(ret->to > offer.to, i, "validity.not_after", CHY_VALIDITY_PROCEDURE, NULL,
		  "later than the procedure allows");
	return RC_OK;
}

/* What was asked for is given or refused; what the procedure offers by itself is cut. */
static enum rc
within(struct attributing *i, struct period *v, int64_t from, int64_t to, const char *of)
{
	char text[32];

	if (v->from < from)
		v->from = from;
	REFUSE_IF(v->to > to && i->f->not_after_ms != 0, i, "validity.not_after", CHY_VALIDITY_AUTHORITY,
		  NULL, "%s ends at %s", of, time_text(text, to));
	if (v->to > to) {
		v->to = to;
		i->note = arena_printf(i->a, "cut at the end of %s", of);
	}
	REFUSE_IF(v->from >= v->to, i, "validity", CHY_VALIDITY_AUTHORITY, NULL, "nothing is left within %s",
		  of);
	return RC_OK;
}

enum rc
rule_ac_validity(struct attributing *i)
{
	const struct authority *x = i->d->authority;
	int64_t now = i->f->now_ms - i->f->now_ms % 1000;
	struct period v, offer = { now, duration_add(now, i->d->procedure->validity) - 1000 };

	TRY(asked(i, offer, &v));
	TRY(within(i, &v, x->not_before_ms, x->not_after_ms, "the authority's certificate"));
	TRY(within(i, &v, i->f->base->not_before_ms, i->f->base->not_after_ms, "the base certificate"));
	REFUSE_IF(civil_of(v.to).year > 9999, i, "validity.not_after", CHY_VALIDITY_PROCEDURE,
		  "RFC 5755 4.2.6", "later than certificates can say");
	i->d->not_before_ms = v.from;
	i->d->not_after_ms = v.to;
	return RC_OK;
}

enum rc
rule_ac_serial(struct attributing *i)
{
	TRY(serial_make(i->d->serial, i->f->now_ms, i->f->random, i->e));
	i->d->inputs.serial = arena_dup(i->a, BYTES_OF(i->d->serial));
	ROOM(i->d->inputs.serial.p, i);
	return RC_OK;
}
