/* What changes between two versions, and who refers to a document: for people who sign. */
#include "base/base.h"
#include "pki/cert.h"
#include "pki/csr.h"
#include "policy/document.h"
#include "policy/path.h"
#include "policy/rights.h"

struct differ {
	struct arena *a;
	const struct snapshot *policy;
	struct json *list;
	struct err *e;
	bool out_of_memory;
};

static bool
is_given(const struct json *v)
{
	return v != NULL && v->type != JSON_NULL;
}

static void value_text(struct differ *d, const struct field *f, const struct json *v, struct buf *out);

static void
reference_text(struct differ *d, const struct json *v, struct buf *out)
{
	const struct document *x = snapshot_document(d->policy, doc_id_of(v->integer));

	if (x != NULL)
		buf_put(out, x->name);
	buf_printf(out, "%s%lld%s", x ? " (" : "", (long long)v->integer, x ? ")" : "");
}

/* "Attribute: CN, Source: Request" */
static void
object_text(struct differ *d, const struct field *fields, const struct json *v, struct buf *out)
{
	const char *comma = "";

	for (const struct field *f = fields; f->name != NULL; f++) {
		const struct json *m = json_get(v, f->name);

		if (!is_given(m))
			continue;
		buf_printf(out, "%s%s: ", comma, f->label);
		value_text(d, f, m, out);
		comma = ", ";
	}
}

static void
oid_value_text(struct differ *d, const struct json *v, struct buf *out)
{
	struct bytes der;

	if (oid_parse(d->a, v->str, &der, NULL) == RC_OK)
		oid_put(out, der);
	else
		buf_put(out, v->str);
}

/* What the octets are, for who cannot read base64: the text of it stays in what is signed. */
static void
der_text(struct differ *d, const struct json *v, struct buf *out)
{
	char from[32], to[32];
	struct bytes der;
	struct cert c;
	struct csr r;

	if (base64_parse(d->a, v->str, &der, NULL) != RC_OK) {
		buf_str(out, "unreadable");
	} else if (cert_parse(d->a, der, &c, NULL) == RC_OK) {
		buf_str(out, "certificate of ");
		name_put_der_text(out, c.subject);
		buf_str(out, " by ");
		name_put_der_text(out, c.issuer);
		buf_str(out, ", serial number ");
		hex_put(out, c.serial);
		buf_printf(out, ", from %s to %s", time_text(from, c.not_before_at),
			   time_text(to, c.not_after_at));
	} else if (csr_parse(d->a, der, &r, NULL) == RC_OK) {
		buf_str(out, "request of ");
		name_put_der_text(out, r.subject);
	} else {
		buf_printf(out, "%zu octets", der.n);
	}
}

static void
item_text(struct differ *d, const struct field *f, const struct json *v, struct buf *out)
{
	int choice = f->type == FIELD_CHOICE && v->type == JSON_STR ? choice_index(f->choices, v->str) : -1;

	if (v->type == JSON_OBJECT && f->members != NULL)
		object_text(d, f->members, v, out);
	else if (f->type == FIELD_REF && v->type == JSON_INT)
		reference_text(d, v, out);
	else if (choice >= 0)
		buf_str(out, f->choices[choice].label);
	else if (f->type == FIELD_OID && v->type == JSON_STR)
		oid_value_text(d, v, out);
	else if (f->type == FIELD_DER && v->type == JSON_STR)
		der_text(d, v, out);
	else if (v->type == JSON_BOOL)
		buf_str(out, v->boolean ? "yes" : "no");
	else if (v->type == JSON_STR)
		buf_put(out, v->str);
	else
		json_put(out, v);
}

static void
value_text(struct differ *d, const struct field *f, const struct json *v, struct buf *out)
{
	bool many = v->type == JSON_ARRAY;

	if (!many) {
		item_text(d, f, v, out);
		return;
	}
	JSON_EACH(x, v)
	{
		if (x != v->first)
			buf_str(out, f->type == FIELD_OBJECT ? "; " : ", ");
		item_text(d, f, x, out);
	}
}

enum { DIFFERENCE_TEXT_MAX = 64 << 10 };

/* null where nothing is given. */
static enum rc
shown(struct differ *d, const struct field *f, const struct json *v, struct json **ret)
{
	OWN_BUF struct buf out = buf_max(DIFFERENCE_TEXT_MAX);

	if (is_given(v))
		value_text(d, f, v, &out);
	NEED(buf_ok(&out), d->e, CHY_LIMIT, NULL, "%s: more text than can be shown", f->label);
	*ret = is_given(v) ? json_str(d->a, buf_bytes(&out)) : json_null(d->a);
	NEED(*ret != NULL, d->e, CHY_NO_MEMORY, NULL, "difference");
	return RC_OK;
}

/* One more member; that memory is out is kept and asked at the end. */
static void
member(struct differ *d, struct json *o, const char *name, struct json *v)
{
	d->out_of_memory = d->out_of_memory || o == NULL || v == NULL;
	json_set(o, name, v);
}

static bool
has_item(const struct json *list, const struct json *item)
{
	JSON_EACH(x, list)
	if (json_eq(x, item))
		return true;
	return false;
}

/* The items of one list that the other has not. */
static enum rc
items_without(struct differ *d, const struct field *f, const struct json *list, const struct json *other,
	      struct json **ret)
{
	*ret = json_array(d->a);
	JSON_EACH(item, list)
	{
		struct json *text;

		if (has_item(other, item))
			continue;
		TRY(shown(d, f, item, &text));
		json_add(*ret, text);
	}
	NEED(*ret != NULL, d->e, CHY_NO_MEMORY, NULL, "difference");
	return RC_OK;
}

/* Comparing each with each is dear: longer lists are shown whole. */
enum { DIFFERENCE_ITEMS_MAX = 1000 };

static bool
is_list(const struct json *v)
{
	return is_given(v) && v->type == JSON_ARRAY && v->count > 0 && v->count <= DIFFERENCE_ITEMS_MAX;
}

/* What has come and what has gone, of a list that was there and stays. */
static enum rc
add_items(struct differ *d, const struct field *f, const struct json *before, const struct json *after,
	  struct json *o)
{
	struct json *gone, *come;

	if (!is_list(before) || !is_list(after))
		return RC_OK;
	TRY(items_without(d, f, before, after, &gone));
	TRY(items_without(d, f, after, before, &come));
	member(d, o, "removed", gone);
	member(d, o, "added", come);
	return RC_OK;
}

static enum rc
add(struct differ *d, const struct field *f, const struct json *before, const struct json *after)
{
	struct json *o = json_object(d->a), *was, *is;

	TRY(shown(d, f, before, &was));
	TRY(shown(d, f, after, &is));
	member(d, o, "field", json_str(d->a, bytes_str(f->name)));
	member(d, o, "label", json_str(d->a, bytes_str(f->label)));
	member(d, o, "old", was);
	member(d, o, "new", is);
	TRY(add_items(d, f, before, after, o));
	json_add(d->list, o);
	return RC_OK;
}

enum rc
document_difference(struct arena *a, const struct kind *kind, const struct snapshot *policy,
		    const struct json *before, const struct json *after, struct json **ret, struct err *e)
{
	struct differ d = { a, policy, json_array(a), e, false };

	NEED(d.list != NULL, e, CHY_NO_MEMORY, NULL, "difference");
	for (const struct field *f = kind->fields; f->name != NULL; f++) {
		const struct json *was = json_get(before, f->name), *is = json_get(after, f->name);

		if ((is_given(was) || is_given(is)) && !json_eq(was, is))
			TRY(add(&d, f, was, is));
	}
	NEED(!d.out_of_memory, e, CHY_NO_MEMORY, NULL, "difference");
	*ret = d.list;
	return RC_OK;
}

/* ---- where used ---- */

static bool
refers(const struct field *f, const struct json *v, int64_t id)
{
	if (v == NULL || f->type != FIELD_REF)
		return false;
	if (v->type == JSON_INT)
		return v->integer == id;
	JSON_EACH(x, v->type == JSON_ARRAY ? v : NULL)
	if (x->type == JSON_INT && x->integer == id)
		return true;
	return false;
}

static void
add_use(struct differ *w, const struct document *d, const struct field *f)
{
	struct json *o = json_object(w->a);

	member(w, o, "kind", json_str(w->a, bytes_str(kind_name(d->kind))));
	member(w, o, "id", json_int(w->a, d->id.v));
	member(w, o, "name", json_str(w->a, d->name));
	member(w, o, "field", json_str(w->a, bytes_str(f->name)));
	json_add(w->list, o);
}

enum rc
document_where_used(struct arena *a, const struct snapshot *policy, struct doc_id id, struct json **ret,
		    struct err *e)
{
	struct differ w = { a, policy, json_array(a), e, false };

	for (int k = 0; k < KIND_COUNT; k++) {
		const struct kind *kind = kind_of((enum kind_id)k);
		const struct document *const *all;
		size_t n = snapshot_list(policy, (enum kind_id)k, &all);

		for (size_t i = 0; kind != NULL && i < n; i++)
			for (const struct field *f = kind->fields; f->name != NULL; f++)
				if (refers(f, json_get(all[i]->body, f->name), id.v))
					add_use(&w, all[i], f);
	}
	NEED(w.list != NULL && !w.out_of_memory, e, CHY_NO_MEMORY, NULL, "where used");
	*ret = w.list;
	return RC_OK;
}

/* ---- names ---- */

struct naming {
	struct arena *a;
	const struct snapshot *policy;
	const struct officer *who;
	struct json *names;
	bool out_of_memory;
};

const char *
document_path_seen(const struct snapshot *policy, const struct officer *who, struct doc_id id,
		   struct arena *a)
{
	const struct document *d = snapshot_document(policy, id);

	return d != NULL && may_read(policy, who, d, NULL) == RC_OK ? path_of(policy, a, d) : NULL;
}

static void
name_one(struct naming *n, int64_t id)
{
	const struct document *d = snapshot_document(n->policy, doc_id_of(id));
	const char *member = arena_printf(n->a, "%lld", (long long)id), *path;

	if (d == NULL || may_read(n->policy, n->who, d, NULL) != RC_OK)
		return;
	path = path_of(n->policy, n->a, d);
	n->out_of_memory = n->out_of_memory || member == NULL || path == NULL;
	if (!n->out_of_memory)
		json_set(n->names, member, json_str(n->a, bytes_str(path)));
}

static void name_all(struct naming *n, const struct field *fields, const struct json *v);

static void
name_item(struct naming *n, const struct field *f, const struct json *v)
{
	if (f->type == FIELD_REF && v->type == JSON_INT)
		name_one(n, v->integer);
	else if (f->type == FIELD_OBJECT && v->type == JSON_OBJECT)
		name_all(n, f->members, v);
}

/* As deep as the kinds' own tables. */
static void
name_all(struct naming *n, const struct field *fields, const struct json *v)
{
	for (const struct field *f = fields; f != NULL && f->name != NULL; f++) {
		const struct json *m = json_get(v, f->name);

		if (m == NULL)
			continue;
		if (m->type != JSON_ARRAY)
			name_item(n, f, m);
		else
			JSON_EACH(x, m)
		name_item(n, f, x);
	}
}

enum rc
document_names(struct arena *a, const struct snapshot *policy, const struct officer *who,
	       const struct kind *kind, const struct json *body, struct json **ret, struct err *e)
{
	struct naming n = { a, policy, who, json_object(a), false };

	NEED(n.names != NULL, e, CHY_NO_MEMORY, NULL, "names");
	name_all(&n, kind->fields, body);
	NEED(!n.out_of_memory, e, CHY_NO_MEMORY, NULL, "names");
	*ret = n.names;
	return RC_OK;
}
