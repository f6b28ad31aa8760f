/* Is what the server gives to be signed what was asked for? */
#include "base/base.h"
#include "cli/flow.h"

static enum rc object_same(struct arena *a, const struct field *fields, const struct json *asked,
			   const struct json *given, struct err *e);

static bool
is_absent(const struct json *v)
{
	return v == NULL || v->type == JSON_NULL;
}

/* One value of a field. What the server may have put in place of what was typed: an id for a name, the dotted form for
   an identifier's name, another spelling of the same distinguished name. All of them are shown to the officer. */
static enum rc
value_same(struct arena *a, const struct field *f, const struct json *asked, const struct json *given,
	   struct err *e)
{
	bool named = asked->type == JSON_STR && f &&
	    ((f->type == FIELD_REF && given->type == JSON_INT) ||
	     ((f->type == FIELD_OID || f->type == FIELD_DN) && given->type == JSON_STR));

	if (f && f->type == FIELD_OBJECT && asked->type == JSON_OBJECT && given->type == JSON_OBJECT)
		return object_same(a, f->members, asked, given, e);
	NEED(named || json_eq(asked, given), e, CHY_CLI_ALTERED, NULL,
	     "the server gives something else to sign than what was asked");
	return RC_OK;
}

static enum rc
field_same(struct arena *a, const struct field *f, const struct json *asked, const struct json *given,
	   struct err *e)
{
	const struct json *g;
	size_t i = 0;

	NEED(!is_absent(given), e, CHY_CLI_ALTERED, NULL, "the server leaves out what was asked");
	if (f == NULL || !(f->flags & FIELD_LIST) || asked->type != JSON_ARRAY)
		return value_same(a, f, asked, given, e);
	NEED(given->type == JSON_ARRAY && given->count == asked->count, e, CHY_CLI_ALTERED, NULL,
	     "the server gives another list to sign than what was asked");
	g = given->first;
	JSON_EACH(item, asked)
	{
		TRY_AT(value_same(a, f, item, g, e), e, "[%zu]", i);
		g = g->next;
		i++;
	}
	return RC_OK;
}

/* attribute-certificate.issue: a base that is asked for by its subject or serial number gets the id and the digest of what was
   found, which the officer is shown. */
static const struct field base_fields[] = {
	{ .name = "certificate", .type = FIELD_INT },
	{ .name = "certificate_sha256", .type = FIELD_TEXT },
	{ 0 },
};

static bool
is_found(const struct field *f, const struct json *asked)
{
	return (f == &base_fields[0] || f == &base_fields[1]) &&
	    (!is_absent(json_get(asked, "subject")) || !is_absent(json_get(asked, "serial")));
}

/* An officer is bound to a certificate by its fingerprint; the id that the server knows it by, or the other way round,
   comes with it, and so do its subject (which is asked for where the certificate is at hand), the procedure that issued it, and the keys of
   its token. All of them are shown to the officer. */
static bool
is_companion(const struct field *f, const struct json *asked)
{
	static const char id[] = "certificate", hash[] = "certificate_sha256";
	bool has_id = !is_absent(json_get(asked, id)), has_hash = !is_absent(json_get(asked, hash));

	if (strcmp(f->name, id) == 0)
		return has_hash;
	if (strcmp(f->name, hash) == 0)
		return has_id;
	return (has_id || has_hash) &&
	    (strcmp(f->name, "subject") == 0 || strcmp(f->name, "certificate_procedure") == 0 ||
	     strcmp(f->name, "keys") == 0);
}

/* What was not asked for may only be the kind's default. */
static enum rc
added(struct arena *a, const struct field *f, const struct json *asked, const struct json *given,
      struct err *e)
{
	struct json *dflt = NULL;

	if (is_absent(given) || (f && (is_companion(f, asked) || is_found(f, asked))))
		return RC_OK;
	if (f && f->dflt)
		TRY(json_parse(a, bytes_str(f->dflt), &dflt, e));
	NEED(dflt && json_eq(dflt, given), e, CHY_CLI_ALTERED, NULL, "the server adds what was not asked");
	return RC_OK;
}

static enum rc
object_same(struct arena *a, const struct field *fields, const struct json *asked, const struct json *given,
	    struct err *e)
{
	JSON_EACH(member, asked)
	{
		char name[80];

		snprintf(name, sizeof(name), "%.*s", BYTES_FMT(member->name));
		if (!is_absent(member))
			TRY_AT(field_same(a, fields ? field_find(fields, member->name) : NULL, member,
					  json_get(given, name), e),
			       e, "%s", name);
	}
	JSON_EACH(member, given)
	{
		char name[80];

		snprintf(name, sizeof(name), "%.*s", BYTES_FMT(member->name));
		if (is_absent(json_get(asked, name)))
			TRY_AT(added(a, fields ? field_find(fields, member->name) : NULL, asked, member, e),
			       e, "%s", name);
	}
	return RC_OK;
}

/* Certificates whose status is to change: each gets the digest that identifies it without the server. */
static const struct field named_fields[] = {
	{ .name = "certificate", .type = FIELD_INT },
	{ .name = "certificate_sha256", .type = FIELD_TEXT },
	{ 0 },
};

/* Acts that are no documents: references of theirs that are named by people. */
static const struct field act_fields[] = {
	{ .name = "token_procedure", .type = FIELD_REF },
	{ .name = "publication_procedure", .type = FIELD_REF },
	{ .name = "base", .type = FIELD_OBJECT, .members = base_fields },
	{ .name = "token_procedures", .type = FIELD_REF, .flags = FIELD_LIST },
	{ .name = "certificates", .type = FIELD_OBJECT, .flags = FIELD_LIST, .members = named_fields },
	{ 0 },
};

static enum rc
head_same(const struct asked *asked, int64_t request, const struct json *doc, struct err *e)
{
	const struct json *base = json_get(doc, "base");
	struct bytes act, format;
	int64_t id, object = 0;

	TRY(json_need_str(doc, "format", &format, e));
	NEED(bytes_is(format, "chancery-request/1"), e, CHY_CLI_ALTERED, NULL, "the format is \"%.*s\"",
	     BYTES_FMT(format));
	TRY(json_need_str(doc, "act", &act, e));
	NEED(bytes_is(act, asked->act), e, CHY_CLI_ALTERED, NULL, "the act is \"%.*s\" in place of \"%s\"",
	     BYTES_FMT(act), asked->act);
	TRY(json_need_int(doc, "request", 1, JSON_INT_MAX, &id, e));
	NEED(id == request, e, CHY_CLI_ALTERED, NULL, "the bytes are of another request");
	if (!is_absent(base))
		TRY(json_need_int(base, "id", 1, JSON_INT_MAX, &object, e));
	NEED(object == asked->object, e, CHY_CLI_ALTERED, NULL, "what is changed is another document");
	return RC_OK;
}

enum rc
flow_compare(struct arena *a, const struct asked *asked, int64_t request, struct bytes signed_text,
	     struct json **ret, struct err *e)
{
	OWN_BUF struct buf again = buf_max(signed_text.n + 64);
	struct json *doc, *body;

	TRY(json_parse(a, signed_text, &doc, e));
	json_put_canonical(&again, doc);
	NEED(bytes_eq(buf_bytes(&again), signed_text), e, CHY_CLI_ALTERED, "RFC 8785",
	     "the bytes to sign are not canonical JSON");
	TRY(head_same(asked, request, doc, e));
	TRY(json_need_object(doc, "body", &body, e));
	TRY(object_same(a, asked->kind ? asked->kind->fields : act_fields, asked->body, body, e));
	*ret = doc;
	return RC_OK;
}
