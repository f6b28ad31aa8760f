#include "base/base.h"
#include "factory/try_policy.h"

#include "factory/documents.h"
#include "factory/in_force.h"
#include "pki/csr.h"
#include "policy/body.h"
#include "policy/document.h"
#include "policy/find.h"
#include "policy/preview.h"
#include "policy/rights.h"
#include "store/read.h"

/* ---- the changed document ---- */

struct changing {
	struct factory *f;
	struct arena *a;
	const struct snapshot *policy;
	const struct officer *who;
	enum kind_id kind;
	bool lenient;
	struct err *e;
	/* found on the way */
	int64_t draft;
	const struct document *base;
	struct json *body;
};

static enum rc
read_body(struct changing *x, const struct json *in)
{
	struct draft_row row;

	TRY(json_opt_int(in, "draft", 1, JSON_INT_MAX, &x->draft, x->e));
	if (x->draft == 0)
		return json_need_object(in, "body", &x->body, x->e);
	NEED(json_get(in, "body") == NULL, x->e, CHY_FIELD_CONFLICT, NULL, "either a draft or a body");
	TRY_AT(draft_load(x->f, x->a, x->policy, x->who, x->kind, x->draft, &row, &x->body, x->e), x->e,
	       "draft");
	return RC_OK;
}

static const char *
place_member(enum kind_id kind)
{
	return kind == KIND_DOMAIN ? "parent" : "domain";
}

/* By the body's name: in the domain that it says, else where the officer would find that name. */
static enum rc
find_by_body(struct changing *x)
{
	const struct json *place = json_get(x->body, place_member(x->kind));
	const struct document *domain = NULL;
	struct bytes name = BYTES_NONE;
	struct err why = { 0 };

	TRY(json_opt_str(x->body, "name", &name, x->e));
	if (place == NULL && x->draft != 0) {
		x->base = snapshot_in_domain(x->policy, x->kind, name, x->who->domain);
		return RC_OK;
	}
	if (place == NULL) {
		if (find_document(x->policy, x->kind, name, x->who->domain, &x->base, &why) != RC_OK)
			x->base = NULL;
		NEED(why.code != CHY_REF_AMBIGUOUS, x->e, why.code, NULL, "%s", why.text);
		return RC_OK;
	}
	if (place->type != JSON_NULL)
		TRY_AT(find_value(x->policy, KIND_DOMAIN, place, doc_id_of(0), &domain, x->e), x->e, "%s",
		       place_member(x->kind));
	x->base = snapshot_in_domain(x->policy, x->kind, name, domain ? domain->id : doc_id_of(0));
	return RC_OK;
}

/* A body that says no place, as one that was exported, lies where what it changes lies; a new one in the officer's domain. */
static void
put_place(struct changing *x)
{
	struct doc_id domain = x->base ? x->base->domain : x->who->domain;

	if (json_get(x->body, place_member(x->kind)) == NULL && !doc_id_is_none(domain) &&
	    field_find(kind_of(x->kind)->fields, bytes_str(place_member(x->kind))) != NULL)
		json_set(x->body, place_member(x->kind), json_int(x->a, domain.v));
}

/* What it changes: as named, else by what the body says; NULL: it is a new one. */
static enum rc
find_base(struct changing *x, const struct json *in)
{
	const struct json *object = json_get(in, "object");

	if (object != NULL && object->type != JSON_NULL)
		TRY_AT(find_value(x->policy, x->kind, object, x->who->domain, &x->base, x->e), x->e,
		       "object");
	else
		TRY(find_by_body(x));
	x->body = json_copy(x->a, x->body);
	NEED(x->body != NULL, x->e, CHY_NO_MEMORY, NULL, "a document");
	put_place(x);
	return RC_OK;
}

static enum rc
make_document(struct changing *x, struct document *ret)
{
	struct document_check check = { .kind = kind_of(x->kind), .policy = x->policy, .draft = x->lenient };
	OWN_BUF struct buf text = buf_max(LIMIT_CMS);
	struct json *normal;

	if (x->base != NULL) {
		check.self = x->base->id;
		check.before = x->base->body;
	}
	TRY(document_check(x->a, &check, x->body, &normal, x->e));
	if (json_get(normal, "name") == NULL)
		json_set(normal, "name", json_str(x->a, BYTES("(draft)")));
	if (json_get(normal, "state") == NULL)
		json_set(normal, "state", json_str(x->a, BYTES("active")));
	json_put_canonical(&text, normal);
	*ret = (struct document){ .id = x->base  ? x->base->id
				      : x->draft ? doc_id_of(x->draft)
						 : doc_id_of(factory_new_id(x->f)),
				  .version = x->base ? x->base->version + 1 : 1,
				  .kind = x->kind,
				  .at_ms = clock_now_ms(),
				  .text = arena_dup(x->a, buf_bytes(&text)) };
	NEED(buf_ok(&text) && ret->text.p != NULL, x->e, CHY_NO_MEMORY, NULL, "a document");
	return document_read(x->a, ret, x->e);
}

enum rc
policy_changed(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *who,
	       enum kind_id kind, const struct json *in, bool lenient, struct doc_id *ret_id,
	       struct snapshot **ret, struct err *e)
{
	struct changing x = { f, a, policy, who, kind, lenient, e, 0, NULL, NULL };
	struct document d = { 0 };

	TRY(may_role(who, kind_of(kind)->needed, e));
	TRY(read_body(&x, in));
	TRY(find_base(&x, in));
	TRY(make_document(&x, &d));
	/* whoever could not sign it has no business with what it would do: the answer tells of others' requests */
	TRY(may_change(policy, who, kind, body_ref(d.body, kind == KIND_DOMAIN ? "parent" : "domain"), e));
	if (x.base != NULL)
		TRY(may_change(policy, who, kind, x.base->domain, e));
	*ret_id = d.id;
	return policy_with(f, &d, ret, e);
}

/* ---- preview ---- */

static enum rc
usage_of(struct arena *a, const struct json *list, uint16_t *ret, struct err *e)
{
	size_t i = 0;

	*ret = 0;
	JSON_EACH(x, list)
	{
		int bit = x->type == JSON_STR ? key_usage_bit(x->str) : -1;

		if (bit < 0) {
			err_field(e, "key_usage[%zu]", i);
			FAIL(e, CHY_FIELD_CHOICE, "RFC 5280 4.2.1.3", "no key usage is called so");
		}
		*ret |= (uint16_t)(1u << bit);
		i++;
	}
	return RC_OK;
}

static enum rc
usage_of_request(struct arena *a, const struct json *in, struct preview_key *k, struct err *e)
{
	struct bytes text, der;
	struct csr csr;

	TRY(json_need_str(in, "request", &text, e));
	der = text = text_trim(text);
	if (!bytes_starts(text, "-----"))
		TRY_AT(base64_parse(a, text, &der, e), e, "request");
	TRY_AT(csr_parse_any(a, der, &csr, e), e, "request");
	k->usages = (uint16_t)csr.key_usage;
	k->has_usage = csr.key_usage != 0;
	return RC_OK;
}

static enum rc
read_key(struct arena *a, const struct json *in, size_t i, struct preview_key *k, struct err *e)
{
	static const char *const names[] = { "name", "key_usage", "request", NULL };
	struct json *list;

	TRY(json_only(in, names, e));
	*k = (struct preview_key){ .name = bytes_str(arena_printf(a, "key %zu", i + 1)) };
	TRY(json_opt_str(in, "name", &k->name, e));
	NEED(json_get(in, "key_usage") == NULL || json_get(in, "request") == NULL, e, CHY_FIELD_CONFLICT,
	     NULL, "either a key usage or a request");
	if (json_get(in, "request") != NULL)
		return usage_of_request(a, in, k, e);
	if (json_get(in, "key_usage") == NULL)
		return RC_OK;
	TRY(json_need_array(in, "key_usage", &list, e));
	k->has_usage = true;
	return usage_of(a, list, &k->usages, e);
}

static enum rc
read_keys(struct arena *a, const struct json *in, struct preview_key *keys, size_t *n, struct err *e)
{
	struct json *list;

	*n = 0;
	if (json_get(in, "keys") == NULL)
		return RC_OK;
	TRY(json_need_array(in, "keys", &list, e));
	if (list->count < 1 || list->count > PREVIEW_KEYS_MAX) {
		err_field(e, "keys");
		FAIL(e, CHY_FIELD_COUNT, NULL, "1 to %d keys", PREVIEW_KEYS_MAX);
	}
	JSON_EACH(x, list)
	{
		TRY_AT(read_key(a, x, *n, &keys[*n], e), e, "keys[%zu]", *n);
		*n += 1;
	}
	return RC_OK;
}

enum rc
policy_preview(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *who,
	       const struct json *in, struct json **ret, struct err *e)
{
	static const char *const names[] = { "token_procedure", "draft", "body", "object", "keys", NULL };
	struct bytes name = find_text(a, json_get(in, "token_procedure"));
	struct preview_key keys[PREVIEW_KEYS_MAX];
	OWN(snapshot_unref)
	struct snapshot *changed = NULL;
	const struct document *d;
	struct doc_id id;
	size_t n;

	TRY(json_only(in, names, e));
	TRY(read_keys(a, in, keys, &n, e));
	if (name.n == 0) {
		TRY(policy_changed(f, a, policy, who, KIND_TOKEN_PROCEDURE, in, true, &id, &changed, e));
		return preview_token_procedure(a, changed, id, keys, n, clock_now_ms(), ret, e);
	}
	TRY_AT(find_document(policy, KIND_TOKEN_PROCEDURE, name, who->domain, &d, e), e, "token_procedure");
	TRY_AT(may_read(policy, who, d, e), e, "token_procedure");
	return preview_token_procedure(a, policy, d->id, keys, n, clock_now_ms(), ret, e);
}
