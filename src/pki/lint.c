#include "base/base.h"
#include "pki/lint.h"

#include "pki/lint_input.h"

size_t
lint_count(void)
{
	return lint_5280_count + lint_qc_count;
}

const struct lint *
lint_at(size_t i)
{
	return i < lint_5280_count ? &lint_5280_table[i] : &lint_qc_table[i - lint_5280_count];
}

static enum rc
decode(struct lint_input *in, struct err *e)
{
	const struct exts *l = &in->c->exts;
	struct err why = { 0 };

	in->v = arena_array(in->a, l->n + 1, sizeof(*in->v));
	NEED(in->v != NULL, e, CHY_NO_MEMORY, NULL, "extensions");
	in->exts_ok = true;
	for (size_t i = 0; i < l->n && in->exts_ok; i++)
		in->exts_ok = ext_decode(in->a, &l->v[i], &in->v[i], &why) == RC_OK;
	NEED(why.rc != RC_NOMEM, e, CHY_NO_MEMORY, NULL, "extensions");
	in->key_ok = pubkey_parse(in->c->spki, &in->key, NULL) == RC_OK;
	in->self_issued = cert_is_self_issued(in->c);
	TRY(name_parse(in->a, in->c->issuer, &in->issuer, e));
	return name_parse(in->a, in->c->subject, &in->subject, e);
}

void
lint_count_in(struct lint_verdicts *v, const struct lint *l, enum lint_outcome outcome)
{
	v->v[v->n++] = (struct lint_verdict){ l, outcome };
	if (outcome != LINT_FAIL)
		return;
	if (l->severity == LINT_ERROR)
		v->errors++;
	else if (l->severity == LINT_WARNING)
		v->warnings++;
	else
		v->notices++;
}

enum rc
lint_cert(struct arena *a, const struct cert *c, struct lint_verdicts *ret, struct err *e)
{
	struct lint_input in = { .c = c, .a = a };
	struct lint_verdicts v = { 0 };
	size_t n = lint_count();

	TRY(decode(&in, e));
	v.v = arena_array(a, n, sizeof(*v.v));
	NEED(v.v != NULL, e, CHY_NO_MEMORY, NULL, "verdicts");
	for (size_t i = 0; i < n; i++)
		lint_count_in(&v, lint_at(i), lint_at(i)->fn(&in));
	*ret = v;
	return RC_OK;
}

const char *
lint_severity_name(enum lint_severity s)
{
	static const char *const names[] = { "error", "warning", "notice" };

	return (unsigned)s < ARRAY_LEN(names) ? names[s] : "";
}

struct json *
lint_json(struct arena *a, const struct lint_verdicts *v, bool all)
{
	static const char *const outcomes[] = { "pass", "not-applicable", "fail" };
	struct json *list = json_array(a);

	for (size_t i = 0; i < v->n && list != NULL; i++) {
		const struct lint *l = v->v[i].lint;
		struct json *o;

		if (!all && v->v[i].outcome != LINT_FAIL)
			continue;
		if ((o = json_object(a)) == NULL)
			return NULL;
		json_set(o, "id", json_str(a, bytes_str(l->id)));
		json_set(o, "severity", json_str(a, bytes_str(lint_severity_name(l->severity))));
		json_set(o, "outcome", json_str(a, bytes_str(outcomes[v->v[i].outcome])));
		json_set(o, "standard", json_str(a, bytes_str(l->std)));
		json_set(o, "text", json_str(a, bytes_str(l->text)));
		if (o->count != 5)
			return NULL;
		json_add(list, o);
	}
	return list;
}
