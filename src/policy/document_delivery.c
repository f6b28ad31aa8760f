/* What the tables of distribution rules and CRL procedures cannot say. */
#include "base/base.h"
#include "model/pattern.h"
#include "policy/body.h"
#include "policy/crl_point.h"
#include "policy/document_impl.h"
#include "policy/duration.h"

/* ---- patterns ---- */

static enum rc
pattern_at(struct walk *w, struct bytes text, enum pattern_place place, const struct at *at)
{
	struct err why = { 0 };
	struct pattern p;

	REFUSE_UNLESS_FOR(pattern_parse(text, place, &p, &why) == RC_OK, err_exact(&why), w, at,
			  CHY_FIELD_VALUE, "%s", why.text);
	return RC_OK;
}

static enum rc
pattern_list(struct walk *w, const struct json *body, const char *list, const char *member,
	     enum pattern_place place)
{
	struct at all = { .name = list }, item = { .up = &all }, at = { .up = &item, .name = member };

	JSON_EACH(x, body_list(body, list))
	{
		TRY(pattern_at(w, member ? body_text(x, member) : x->str, place, member ? &at : &item));
		item.index++;
	}
	return RC_OK;
}

static enum rc
patterns(struct walk *w, const struct json *body)
{
	static const struct {
		const char *name;
		enum pattern_place place;
	} all[] = {
		{ "dn", PATTERN_DN },
		{ "search_base", PATTERN_DN },
		{ "search_filter", PATTERN_FILTER },
		{ "path", PATTERN_PATH },
		{ "file_name", PATTERN_FILE },
		{ "sender", PATTERN_MAILBOX },
		{ "subject", PATTERN_LINE },
		{ "text", PATTERN_LINE },
		{ "bind_dn", PATTERN_DN },
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		struct at at = { .name = all[i].name };

		if (json_get(body, at.name) != NULL)
			TRY(pattern_at(w, body_text(body, at.name), all[i].place, &at));
	}
	TRY(pattern_list(w, body, "recipients", NULL, PATTERN_MAILBOX));
	return pattern_list(w, body, "attributes", "value", PATTERN_VALUE);
}

/* ---- the address ---- */

/* "ldap" holds for ldap: and ldaps:, "mail" for smtp: and smtps:. */
static bool
is_of(struct bytes scheme, struct bytes protocol)
{
	const char *plain = bytes_is(protocol, "mail") ? "smtp" : (const char *)protocol.p;

	return ascii_case_eq(scheme, bytes_str(plain)) ||
	    (scheme.n == strlen(plain) + 1 && (scheme.p[scheme.n - 1] | 0x20) == 's' &&
	     ascii_case_eq(bytes_part(scheme, 0, strlen(plain)), bytes_str(plain)));
}

/* The server alone: the rest of an address has fields of its own; who logs in is no part of a document that everybody reads. */
static enum rc
address_check(struct walk *w, const struct json *body)
{
	struct at at = { .name = "address" };
	struct bytes address = body_text(body, at.name), rest, scheme = text_cut(address, ':', &rest);
	const char *host = address.n ? strstr((const char *)address.p, "//") : NULL;
	size_t end = host ? strcspn(host + 2, "/?#") : 0;

	if (address.n == 0)
		return RC_OK;
	REFUSE_UNLESS(is_of(scheme, body_text(body, "protocol")), w, &at, CHY_FIELD_CONFLICT,
		      "it is no address of %.*s", BYTES_FMT(body_text(body, "protocol")));
	REFUSE_UNLESS(host != NULL && end > 0, w, &at, CHY_FIELD_URI, "no host");
	REFUSE_UNLESS(memchr(host + 2, '@', end) == NULL, w, &at, CHY_FIELD_VALUE,
		      "a user or password does not belong into a document that everybody reads");
	REFUSE_UNLESS(host[2 + end] == 0 || strcmp(host + 2 + end, "/") == 0, w, &at, CHY_FIELD_VALUE,
		      "scheme, host and port only");
	return RC_OK;
}

static bool
is_encrypted(const struct json *body)
{
	struct bytes rest, scheme = text_cut(body_text(body, "address"), ':', &rest);

	return (scheme.n > 0 && (scheme.p[scheme.n - 1] | 0x20) == 's') || body_true(body, "start_tls");
}

static enum rc
secrets_check(struct walk *w, const struct json *body)
{
	static const char *const names[] = { "secret", "client_certificate" };
	const char *login = json_get(body, "bind_dn") ? "bind_dn" : "user";
	struct at secret = { .name = "secret" }, user = { .name = login };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct at at = { .name = names[i] };
		struct bytes v = body_text(body, names[i]);

		for (size_t k = 0; k < v.n; k++)
			REFUSE_UNLESS((v.p[k] >= 'a' && v.p[k] <= 'z') || (v.p[k] >= '0' && v.p[k] <= '9') ||
					  v.p[k] == '-',
				      w, &at, CHY_FIELD_VALUE, "a name of a-z, 0-9 and hyphen");
		REFUSE_UNLESS(v.n == 0 || is_encrypted(body), w, &at, CHY_FIELD_CONFLICT,
			      "without TLS no password is sent");
	}
	REFUSE_UNLESS((json_get(body, "secret") != NULL) == (json_get(body, login) != NULL), w,
		      json_get(body, login) ? &secret : &user, CHY_FIELD_MISSING,
		      "who logs in and with which secret belong together");
	return RC_OK;
}

/* ---- the rest ---- */

static bool
is_attribute_type(struct bytes v)
{
	for (size_t i = 0; i < v.n; i++)
		if (!((v.p[i] >= 'a' && v.p[i] <= 'z') || (v.p[i] >= 'A' && v.p[i] <= 'Z') ||
		      (v.p[i] >= '0' && v.p[i] <= '9') || strchr("-.;", v.p[i]) != NULL))
			return false;
	return true;
}

static enum rc
attribute_types(struct walk *w, const struct json *body)
{
	struct at attribute = { .name = "attribute" }, all = { .name = "attributes" }, item = { .up = &all },
		  type = { .up = &item, .name = "type" }, classes = { .name = "object_classes" },
		  class = { .up = &classes };

	REFUSE_UNLESS(is_attribute_type(body_text(body, "attribute")), w, &attribute, CHY_FIELD_VALUE,
		      "no attribute of a directory");
	JSON_EACH(x, body_list(body, "attributes"))
	{
		REFUSE_UNLESS(is_attribute_type(body_text(x, "type")), w, &type, CHY_FIELD_VALUE,
			      "no attribute of a directory");
		item.index++;
	}
	JSON_EACH(x, body_list(body, "object_classes"))
	{
		REFUSE_UNLESS(is_attribute_type(x->str), w, &class, CHY_FIELD_VALUE, "no object class");
		class.index++;
	}
	return RC_OK;
}

static enum rc
where_check(struct walk *w, const struct json *body)
{
	struct at dn = { .name = "dn" }, folder = { .name = "folder" };
	struct bytes path = body_text(body, "folder");

	if (bytes_is(body_text(body, "protocol"), "ldap"))
		REFUSE_UNLESS((json_get(body, "dn") == NULL) != (json_get(body, "search_base") == NULL), w,
			      &dn, json_get(body, "dn") ? CHY_FIELD_CONFLICT : CHY_FIELD_MISSING,
			      "the entry is named, or it is searched");
	REFUSE_UNLESS(path.n == 0 || (path.p[0] == '/' && strstr((const char *)path.p, "..") == NULL), w,
		      &folder, CHY_FIELD_VALUE, "an absolute path without ..");
	return RC_OK;
}

enum rc
distribution_rule_check(struct walk *w, const struct json *body)
{
	TRY(address_check(w, body));
	TRY(secrets_check(w, body));
	TRY(where_check(w, body));
	TRY(attribute_types(w, body));
	TRY(patterns(w, body));
	return positive_duration(w, body, "give_up_after");
}

/* ---- lists ---- */

enum rc
no_push_check(struct walk *w, const struct json *body)
{
	struct at all = { .name = "distribution_rules" }, item = { .up = &all };

	JSON_EACH(x, body_list(body, all.name))
	{
		const struct document *rule = snapshot_document(w->c->policy, doc_id_of(x->integer));

		REFUSE_UNLESS(rule == NULL || !bytes_is(body_text(rule->body, "content"), "push"), w, &item,
			      CHY_FIELD_CONFLICT, "\"%.*s\" pushes certificates: lists are not pushed",
			      BYTES_FMT(rule->name));
		item.index++;
	}
	return RC_OK;
}

/* ---- CRL procedures ---- */

/* With partitions each address has the place for the number, else none has: two lists at one address, or one at many, are none. */
static enum rc
places_check(struct walk *w, const struct json *body, const char *list)
{
	struct at all = { .name = list }, item = { .up = &all };
	bool split = json_get(body, "partitions") != NULL;

	JSON_EACH(x, body_list(body, list))
	{
		REFUSE_UNLESS(!split || crl_address_is_partitioned(x->str), w, &item, CHY_FIELD_CONFLICT,
			      "with partitions it has " CRL_PLACE " once, behind the last slash");
		REFUSE_UNLESS(split || memmem(x->str.p, x->str.n, CRL_PLACE, strlen(CRL_PLACE)) == NULL, w,
			      &item, CHY_FIELD_CONFLICT, CRL_PLACE " without partitions");
		item.index++;
	}
	return RC_OK;
}

/* Certificates point to the lists that there were when they were issued. */
static enum rc
partitions_check(struct walk *w, const struct json *body)
{
	struct at at = { .name = "partitions" }, covers = { .name = "covers" };
	int64_t n = body_int(body, at.name, 0), were = body_int(w->c->before, at.name, 0);

	REFUSE_UNLESS(n >= were, w, &at, CHY_FIELD_CONFLICT,
		      "certificates point to %lld partitions: they may become more, not less",
		      (long long)were);
	REFUSE_UNLESS(n == 0 || were > 0 || w->c->before == NULL || w->c->draft, w, &at, CHY_FIELD_CONFLICT,
		      "certificates point to its one list: another CRL procedure may have partitions");
	REFUSE_UNLESS(n == 0 || json_get(body, "covers") == NULL ||
			  bytes_is(body_text(body, "covers"), "end-entities"),
		      w, &covers, CHY_FIELD_CONFLICT, "only certificates of end entities have partitions");
	return RC_OK;
}

enum rc
crl_document_check(struct walk *w, const struct json *body)
{
	struct at at = { .name = "crl_issuer" };
	const struct document *signer = doc_of(w, body, at.name);

	REFUSE_UNLESS(signer == NULL || !doc_id_eq(body_ref(body, "authority"), body_ref(body, at.name)), w,
		      &at, CHY_FIELD_CONFLICT,
		      "it is the authority itself: then the list is no indirect one");
	REFUSE_UNLESS(signer == NULL || body_has_key(signer->body), w, &at, CHY_AUTHORITY_FOREIGN,
		      "the key of \"%.*s\" is not here: it signs nothing here", BYTES_FMT(signer->name));
	TRY(partitions_check(w, body));
	TRY(no_push_check(w, body));
	TRY(positive_duration(w, body, "after_change"));
	TRY(places_check(w, body, "distribution_points"));
	return places_check(w, body, "delta_points");
}
