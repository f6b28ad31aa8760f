#include "base/base.h"
#include "policy/preview.h"

#include "model/choices.h"
#include "policy/body.h"
#include "policy/issue.h"
#include "policy/token.h"

struct previewing {
	struct arena *a;
	const struct token_procedure *t;
	uint16_t *usages;
	int64_t now_ms;
	struct err *e;
};

static struct json *
usage_json(struct arena *a, uint16_t usages)
{
	struct json *list = json_array(a);

	for (int bit = 0; key_usage_choices[bit].name != NULL; bit++)
		if (usages & 1u << bit)
			json_add(list, json_str(a, bytes_str(key_usage_choices[bit].name)));
	return list;
}

/* Why it could not issue now, "" where it could. */
static const char *
obstacle(struct arena *a, const struct procedure *p)
{
	const char *text;

	if (!p->doc->active)
		return "it is closed";
	if (p->authority != NULL && !p->authority->doc->active)
		return "its authority is closed";
	if (p->format != NULL && !p->format->doc->active)
		return "its format is closed";
	if (p->why_not.code == CHY_NONE)
		return "";
	text = arena_printf(a, "CHY-%d %s", (int)p->why_not.code, p->why_not.text);
	return text ? text : "";
}

static struct json *
text_or_null(struct arena *a, const char *text)
{
	return *text ? json_str(a, bytes_str(text)) : json_null(a);
}

static struct json *
considered_json(const struct previewing *v, const struct selection *s, size_t i)
{
	const struct procedure *p = v->t->procedures[i];
	struct json *o = json_object(v->a);
	const char *text = select_reason_text(s->reasons[i]);
	char lacks[KEY_USAGE_TEXT_MAX];

	if (s->reasons[i] == SELECT_LACKS)
		text = arena_printf(v->a, "it lacks %s", key_usage_text(lacks, s->lacks[i]));
	json_set(o, "id", json_int(v->a, p->doc->id.v));
	json_set(o, "name", json_str(v->a, p->doc->name));
	json_set(o, "key_usage", usage_json(v->a, p->key_usage));
	json_set(o, "chosen", json_bool(v->a, (int)i == s->chosen));
	json_set(o, "reason", json_str(v->a, bytes_str(select_reason_name(s->reasons[i]))));
	json_set(o, "text", json_str(v->a, bytes_str(text)));
	json_set(o, "unusable", text_or_null(v->a, obstacle(v->a, p)));
	return o;
}

static struct json *
chosen_json(const struct previewing *v, const struct selection *s)
{
	struct json *o;

	if (s->chosen < 0)
		return json_null(v->a);
	o = json_object(v->a);
	json_set(o, "id", json_int(v->a, v->t->procedures[s->chosen]->doc->id.v));
	json_set(o, "name", json_str(v->a, v->t->procedures[s->chosen]->doc->name));
	return o;
}

static struct json *
problem_json(struct arena *a, const struct err *why)
{
	struct json *o;

	if (why->code == CHY_NONE)
		return json_null(a);
	o = json_object(a);
	json_set(o, "code", json_str(a, bytes_str(arena_printf(a, "CHY-%d", (int)why->code))));
	json_set(o, "detail", json_str(a, bytes_str(why->text)));
	return o;
}

static enum rc
preview_key(const struct previewing *v, const struct preview_key *k, struct json **ret)
{
	const char *name = arena_str(v->a, k->name);
	struct json *list = json_array(v->a);
	struct err why = { 0 };
	struct selection s;
	enum rc rc;

	NEED(name != NULL, v->e, CHY_NO_MEMORY, NULL, "preview");
	rc = select_procedure(v->a, v->usages, v->t->procedures_n, k->has_usage, k->usages, name, &s, &why);
	NEED(rc != RC_NOMEM, v->e, CHY_NO_MEMORY, NULL, "preview");
	*ret = json_object(v->a);
	json_set(*ret, "name", json_str(v->a, k->name));
	json_set(*ret, "key_usage", k->has_usage ? usage_json(v->a, k->usages) : json_null(v->a));
	json_set(*ret, "chosen", chosen_json(v, &s));
	json_set(*ret, "problem", problem_json(v->a, &why));
	for (size_t i = 0; i < s.n; i++)
		json_add(list, considered_json(v, &s, i));
	json_set(*ret, "considered", list);
	NEED(*ret != NULL && list != NULL, v->e, CHY_NO_MEMORY, NULL, "preview");
	return RC_OK;
}

/* ---- what it makes ---- */

static struct json *
document_json(struct arena *a, const struct document *d)
{
	struct json *o;

	if (d == NULL)
		return json_null(a);
	o = json_object(a);
	json_set(o, "id", json_int(a, d->id.v));
	json_set(o, "name", json_str(a, d->name));
	return o;
}

static bool
makes_keys(const struct token_procedure *t)
{
	return t->storage == STORAGE_PKCS12 || t->storage == STORAGE_SMART_CARD;
}

static struct json *
certificate_json(const struct previewing *v, const struct procedure *p)
{
	const char *beyond = validity_beyond(v->a, p, v->now_ms, 0);
	struct json *o = document_json(v->a, p->doc);
	char key[KEY_NAME_MAX];

	json_set(o, "authority", document_json(v->a, p->authority ? p->authority->doc : NULL));
	json_set(o, "format", document_json(v->a, p->format ? p->format->doc : NULL));
	json_set(o, "key_usage", usage_json(v->a, p->key_usage));
	json_set(o, "validity", json_str(v->a, body_text(p->doc->body, "validity")));
	json_set(o, "key",
		 makes_keys(v->t) ? json_str(v->a, bytes_str(key_type_text(key, p->key_type)))
				  : json_null(v->a));
	json_set(o, "archived", json_bool(v->a, token_archives(v->t, p)));
	json_set(o, "unusable", text_or_null(v->a, obstacle(v->a, p)));
	json_set(o, "warning", beyond ? json_str(v->a, bytes_str(beyond)) : json_null(v->a));
	return o;
}

static enum rc
add_made(const struct previewing *v, struct json *ret)
{
	struct json *certificates = json_array(v->a), *acs = json_array(v->a), *recovers = json_array(v->a);

	NEED(certificates != NULL && acs != NULL && recovers != NULL, v->e, CHY_NO_MEMORY, NULL, "preview");
	for (size_t i = 0; i < v->t->procedures_n; i++)
		json_add(certificates, certificate_json(v, v->t->procedures[i]));
	for (size_t i = 0; i < v->t->acs_n; i++)
		json_add(acs, document_json(v->a, v->t->acs[i]->doc));
	for (size_t i = 0; i < v->t->keys_n; i++)
		if (v->t->keys[i]->action == KEY_RECOVER)
			json_add(recovers, document_json(v->a, v->t->keys[i]->doc));
	json_set(ret, "certificates", certificates);
	json_set(ret, "attribute_certificates", acs);
	json_set(ret, "recovers", recovers);
	return RC_OK;
}

/* A key that is made for a procedure is not chosen for by its usages. */
static enum rc
made_key(const struct previewing *v, size_t i, struct json **ret)
{
	const struct procedure *p = v->t->procedures[i];
	const char *name = arena_printf(v->a, "key %zu", i + 1);

	*ret = json_object(v->a);
	NEED(name != NULL && *ret != NULL, v->e, CHY_NO_MEMORY, NULL, "preview");
	json_set(*ret, "name", json_str(v->a, bytes_str(name)));
	json_set(*ret, "key_usage", usage_json(v->a, p->key_usage));
	json_set(*ret, "chosen", document_json(v->a, p->doc));
	json_set(*ret, "problem", json_null(v->a));
	json_set(*ret, "considered", json_array(v->a));
	return RC_OK;
}

/* Nobody says which keys: those that there will be, or could be. */
static enum rc
preview_own(const struct previewing *v, struct json *list)
{
	const struct preview_key plain = { .name = BYTES("a request without key usage") };
	struct json *o = NULL;

	if (!makes_keys(v->t)) {
		TRY(preview_key(v, &plain, &o));
		json_add(list, o);
	}
	for (size_t i = 0; i < v->t->procedures_n; i++) {
		const struct preview_key k = { .name = BYTES("a request for"),
					       .has_usage = true,
					       .usages = v->t->procedures[i]->key_usage };

		if (!makes_keys(v->t) && k.usages == 0)
			continue;
		TRY(makes_keys(v->t) ? made_key(v, i, &o) : preview_key(v, &k, &o));
		json_add(list, o);
	}
	return RC_OK;
}

static enum rc
preview_all(struct previewing *v, const struct preview_key *keys, size_t n, struct json **ret)
{
	struct json *list = json_array(v->a);
	struct unusable why = v->t->why_not;

	v->usages = arena_array(v->a, v->t->procedures_n, sizeof(*v->usages));
	NEED(v->usages != NULL && list != NULL, v->e, CHY_NO_MEMORY, NULL, "preview");
	for (size_t i = 0; i < v->t->procedures_n; i++)
		v->usages[i] = v->t->procedures[i]->key_usage;
	if (n == 0)
		TRY(preview_own(v, list));
	for (size_t i = 0; i < n; i++) {
		struct json *o = NULL;

		TRY(preview_key(v, &keys[i], &o));
		json_add(list, o);
	}
	*ret = json_object(v->a);
	json_set(*ret, "token_procedure", json_str(v->a, v->t->doc->name));
	json_set(*ret, "state", json_str(v->a, v->t->doc->active ? BYTES("active") : BYTES("closed")));
	json_set(*ret, "unusable", text_or_null(v->a, why.code != CHY_NONE ? why.text : ""));
	json_set(*ret, "keys", list);
	return add_made(v, *ret);
}

enum rc
preview_token_procedure(struct arena *a, const struct snapshot *policy, struct doc_id token_procedure,
			const struct preview_key *keys, size_t n, int64_t now_ms, struct json **ret,
			struct err *e)
{
	struct previewing v = {
		.a = a, .t = snapshot_token_procedure(policy, token_procedure), .now_ms = now_ms, .e = e
	};

	NEED(v.t != NULL, e, CHY_REF_NOTHING, NULL, "there is no token procedure %lld",
	     (long long)token_procedure.v);
	return preview_all(&v, keys, n, ret);
}

const struct procedure *
preview_chosen(struct arena *a, const struct token_procedure *t, const struct preview_key *key)
{
	uint16_t *usages = arena_array(a, t->procedures_n + 1, sizeof(*usages));
	struct selection s;

	if (usages == NULL)
		return NULL;
	for (size_t i = 0; i < t->procedures_n; i++)
		usages[i] = t->procedures[i]->key_usage;
	if (select_procedure(a, usages, t->procedures_n, key->has_usage, key->usages, "key", &s, NULL) !=
	    RC_OK)
		return NULL;
	return t->procedures[s.chosen];
}
