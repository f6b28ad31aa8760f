#include "base/base.h"
#include "policy/simulate.h"

const char *
simulated_name(enum simulated s)
{
	static const char *const names[] = {
#define X(e, name) name,
		SIMULATED(X)
#undef X
	};

	return (unsigned)s < SIMULATED_COUNT ? names[s] : "";
}

/* ---- one side ---- */

/* A refusal with the rule that it came from; RC_OK but for what is no refusal. */
static enum rc
refused(struct simulated_side *s, const struct rule_trace *t, enum rc rc, struct err *e)
{
	NEED(rc != RC_NOMEM, e, CHY_NO_MEMORY, NULL, "a simulation");
	s->rule = t->n > 0 ? t->v[t->n - 1].rule : NULL;
	return RC_OK;
}

static enum rc
issued(struct simulated_side *s, const struct document *procedure, struct json *cert, struct err *e)
{
	NEED(cert != NULL, e, CHY_NO_MEMORY, NULL, "a simulation");
	s->issued = true;
	s->procedure = procedure->name;
	s->cert = cert;
	return RC_OK;
}

enum rc
simulate_certificate(struct arena *a, const struct snapshot *policy, const struct issue_facts *facts,
		     struct simulated_side *ret, struct err *e)
{
	struct issue_facts own = *facts;
	struct issue_decision d;
	struct bytes tbs;
	struct cert c;
	enum rc rc;

	*ret = (struct simulated_side){ .rule = NULL };
	own.policy = policy;
	rc = decide_issue(a, &own, &d, &ret->why);
	if (rc != RC_OK)
		return refused(ret, &d.trace, rc, e);
	TRY(issue_tbs(a, &d, &tbs, e));
	TRY(cert_parse_tbs(a, tbs, &c, e));
	return issued(ret, d.procedure->doc, cert_json(a, &c), e);
}

enum rc
simulate_attribute_certificate(struct arena *a, const struct snapshot *policy, const struct ac_facts *facts,
			       struct simulated_side *ret, struct err *e)
{
	struct ac_facts own = *facts;
	struct ac_decision d;
	struct bytes tbs;
	struct ac c;
	enum rc rc;

	*ret = (struct simulated_side){ .rule = NULL };
	own.policy = policy;
	rc = decide_attribute_certificate(a, &own, &d, &ret->why);
	if (rc != RC_OK)
		return refused(ret, &d.trace, rc, e);
	TRY(ac_decision_tbs(a, &d, &tbs, e));
	TRY(ac_parse_tbs(a, tbs, &c, e));
	return issued(ret, d.procedure->doc, ac_json(a, &c), e);
}

static struct json *
side_json(struct arena *a, const struct simulated_side *s)
{
	struct json *o = json_object(a);

	json_set(o, "issued", json_bool(a, s->issued));
	if (s->issued) {
		json_set(o, "procedure", json_str(a, s->procedure));
		return o;
	}
	json_set(o, "code", json_str(a, bytes_str(arena_printf(a, "CHY-%d", (int)s->why.code))));
	json_set(o, "rule", s->rule ? json_str(a, bytes_str(s->rule)) : json_null(a));
	json_set(o, "field", json_str(a, bytes_str(s->why.field)));
	json_set(o, "detail", json_str(a, bytes_str(s->why.text)));
	return o;
}

/* ---- the difference ---- */

static void
differ(struct arena *a, struct json *list, const char *field, const char *label, const struct json *was,
       const struct json *is)
{
	struct json *o;

	if (json_eq(was, is) || (was == NULL && is == NULL))
		return;
	o = json_object(a);
	json_set(o, "field", json_str(a, bytes_str(field)));
	json_set(o, "label", json_str(a, bytes_str(label)));
	json_set(o, "old", was ? json_copy(a, was) : json_null(a));
	json_set(o, "new", is ? json_copy(a, is) : json_null(a));
	json_add(list, o);
}

static const struct json *
extension(const struct json *cert, const struct json *oid)
{
	JSON_EACH(x, json_get(cert, "extensions"))
	if (json_eq(json_get(x, "oid"), oid))
		return x;
	return NULL;
}

/* "critical: Digital Signature" */
static struct json *
extension_text(struct arena *a, const struct json *x)
{
	const struct json *critical = json_get(x, "critical"), *text = json_get(x, "text");
	OWN_BUF struct buf b = buf_max(256 << 10);

	if (x == NULL)
		return NULL;
	if (critical != NULL && critical->boolean)
		buf_str(&b, "critical: ");
	if (text != NULL)
		buf_put(&b, text->str);
	return json_buf(a, &b);
}

static void
differ_in_extension(struct arena *a, struct json *list, const struct json *x, const struct json *was,
		    const struct json *is)
{
	const struct json *oid = json_get(x, "oid"), *name = json_get(x, "name");
	const char *field = arena_str(a, oid->str),
		   *label = name && name->str.n ? arena_str(a, name->str) : field;

	if (field != NULL && label != NULL)
		differ(a, list, field, label, extension_text(a, extension(was, oid)),
		       extension_text(a, extension(is, oid)));
}

/* "Role: clerk; Group: staff" of an attribute certificate; NULL: a certificate. */
static struct json *
attributes_text(struct arena *a, const struct json *cert)
{
	const struct json *list = json_get(cert, "attributes");
	OWN_BUF struct buf b = buf_max(256 << 10);

	if (list == NULL)
		return NULL;
	JSON_EACH(x, list)
	{
		const struct json *name = json_get(x, "name"), *text = json_get(x, "text");

		if (b.n > 0)
			buf_str(&b, "; ");
		if (name != NULL && text != NULL)
			buf_printf(&b, "%.*s: %.*s", BYTES_FMT(name->str), BYTES_FMT(text->str));
	}
	return json_buf(a, &b);
}

static struct json *
certificate_difference(struct arena *a, const struct json *was, const struct json *is)
{
	static const struct {
		const char *member, *label;
	} members[] = {
		{ "issuer", "Issuer" },
		{ "subject", "Subject" },
		{ "not_before", "Valid from" },
		{ "not_after", "Valid until" },
		{ "key", "Key" },
		{ "signature_algorithm", "Signed with" },
	};
	struct json *list = json_array(a);

	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		differ(a, list, members[i].member, members[i].label, json_get(was, members[i].member),
		       json_get(is, members[i].member));
	differ(a, list, "attributes", "Attributes", attributes_text(a, was), attributes_text(a, is));
	JSON_EACH(x, json_get(was, "extensions"))
	differ_in_extension(a, list, x, was, is);
	JSON_EACH(x, json_get(is, "extensions"))
	if (extension(was, json_get(x, "oid")) == NULL)
		differ_in_extension(a, list, x, was, is);
	return list;
}

static struct json *
difference(struct arena *a, const struct simulated_side *now, const struct simulated_side *then)
{
	struct json *list = json_array(a), *procedure;

	if (!now->issued || !then->issued)
		return list;
	procedure = json_array(a);
	differ(a, procedure, "certificate_procedure", "Certificate procedure", json_str(a, now->procedure),
	       json_str(a, then->procedure));
	JSON_EACH(x, procedure)
	json_add(list, json_copy(a, x));
	JSON_EACH(x, certificate_difference(a, now->cert, then->cert))
	json_add(list, json_copy(a, x));
	return list;
}

static enum simulated
outcome(const struct simulated_side *now, const struct simulated_side *then, const struct json *differences)
{
	if (now->issued && then->issued)
		return differences->count > 0 ? SIMULATED_DIFFERENT : SIMULATED_SAME;
	if (now->issued != then->issued)
		return now->issued ? SIMULATED_REFUSED : SIMULATED_ACCEPTED;
	return now->why.code == then->why.code && strcmp(now->why.text, then->why.text) == 0
	    ? SIMULATED_SAME
	    : SIMULATED_OTHERWISE;
}

enum rc
simulate_compare(struct arena *a, const struct simulated_side *now, const struct simulated_side *then,
		 enum simulated *ret_outcome, struct json **ret, struct err *e)
{
	struct json *list = difference(a, now, then);

	*ret = json_object(a);
	NEED(list != NULL && *ret != NULL, e, CHY_NO_MEMORY, NULL, "a simulation");
	*ret_outcome = outcome(now, then, list);
	json_set(*ret, "outcome", json_str(a, bytes_str(simulated_name(*ret_outcome))));
	json_set(*ret, "now", side_json(a, now));
	json_set(*ret, "then", side_json(a, then));
	json_set(*ret, "difference", list);
	return RC_OK;
}
