/* The verbs of document kinds. */
#include "base/base.h"
#include "base/file.h"
#include "cli/flow.h"
#include "cli/key.h"
#include "cli/kindbody.h"
#include "cli/kindcmd.h"
#include "cli/list.h"
#include "cli/liststate.h"
#include "cli/policy_file.h"
#include "cli/refs.h"
#include "cli/rest.h"
#include "crypto/digest.h"
#include "pki/cert.h"
#include "pki/name.h"

enum { BODY_FILE_MAX = LIMIT_BODY };

static const struct kind *
kind_here(const struct cli *c)
{
	return c->args.command->kind;
}

/* ---- reading ---- */

/* "Sweden/Stockholm/TLS server" lies in "Sweden/Stockholm". */
static struct bytes
above(struct bytes path)
{
	while (path.n > 0 && path.p[path.n - 1] != '/')
		path.n--;
	return path.n > 0 ? bytes_part(path, 0, path.n - 1) : BYTES("Root");
}

/* An open officer without a certificate that acts. */
static bool
is_silent(const struct json *acts_until)
{
	return acts_until != NULL && acts_until->type == JSON_NULL;
}

static struct bytes
why_silent(struct cli *c, const struct json *item)
{
	struct bytes why = json_line(c->a, json_get(item, "acts_not"));

	return bytes_is(why, "held")         ? BYTES("on hold")
	    : bytes_is(why, "not-yet-valid") ? BYTES("not yet valid")
	    : why.n > 0                      ? why
					     : BYTES("none");
}

static struct bytes
acts_until(struct cli *c, const struct json *item)
{
	const struct json *until = json_get(item, "acts_until");

	return is_silent(until) ? bytes_str(arena_printf(c->a, "no certificate acts any more: %.*s",
							 BYTES_FMT(why_silent(c, item))))
				: json_line(c->a, until);
}

static struct bytes
state_of(struct cli *c, const struct json *item)
{
	struct bytes state = json_line(c->a, json_get(item, "state"));

	return json_line(c->a, json_get(item, "unusable")).n == 0
	    ? state
	    : bytes_str(arena_printf(c->a, "%.*s, unusable", BYTES_FMT(state)));
}

static void
list_row(struct cli *c, struct out_table *t, const struct json *item)
{
	const struct json *body = json_get(item, "body");
	const char *const names[] = { "id", "name", "state", "path", "version", "description", "acts_until" };
	struct bytes cells[ARRAY_LEN(names)];

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct json *v = json_get(item, names[i]);

		cells[i] = json_line(c->a, v ? v : json_get(body, names[i]));
	}
	if (is_silent(json_get(item, "acts_until")))
		cells[6] = why_silent(c, item);
	cells[3] = above(cells[3]);
	cells[2] = state_of(c, item);
	out_table_row(t, cells);
}

/* What people know a CA certificate by; in lists and alone. */
static const struct {
	const char *head, *label, *member;
} ca_members[] = {
	{ "SUBJECT", "Subject", "subject" },
	{ "ISSUER", "Issuer", "issuer" },
	{ "KEY", "Key", "key_algorithm" },
	{ "BEGIN", "Begin", "not_before" },
	{ "END", "End", "not_after" },
	{ "DAYS LEFT", "Days left", "days_left" },
	{ "SERIAL NUMBER", "Serial number", "serial_number" },
	{ "SHA-256", "SHA-256", "sha256" },
};

static struct bytes
ca_value(struct cli *c, const struct json *certificate, const char *member)
{
	const struct json *v = json_get(certificate, member);

	return v != NULL && v->type == JSON_NULL ? BYTES("ended") : json_line(c->a, v);
}

static void
authority_row(struct cli *c, struct out_table *t, const struct json *item)
{
	const struct json *certificate = json_get(item, "ca_certificate");
	struct bytes cells[4 + ARRAY_LEN(ca_members)] = {
		json_line(c->a, json_get(item, "id")),
		json_line(c->a, json_get(item, "name")),
		state_of(c, item),
		above(json_line(c->a, json_get(item, "path"))),
	};

	for (size_t i = 0; i < ARRAY_LEN(ca_members); i++)
		cells[4 + i] = ca_value(c, certificate, ca_members[i].member);
	out_table_row(t, cells);
}

static void
show_ca(struct cli *c, const struct json *certificate)
{
	if (certificate == NULL || certificate->type != JSON_OBJECT)
		return;
	out_line(&c->out, "Its certificate\n");
	for (size_t i = 0; i < ARRAY_LEN(ca_members); i++)
		out_field(&c->out, ca_members[i].label, ca_value(c, certificate, ca_members[i].member));
}

static enum rc
list_authorities(struct cli *c, struct list *l, struct err *e)
{
	const char *heads[5 + ARRAY_LEN(ca_members)] = { "ID", "NAME", "STATE", "DOMAIN" };

	for (size_t i = 0; i < ARRAY_LEN(ca_members); i++)
		heads[4 + i] = ca_members[i].head;
	l->heads = heads;
	l->row = authority_row;
	return list_run(c, l, e);
}

enum rc
kind_list(struct cli *c, struct err *e)
{
	static const char *const heads[] = {
		"ID", "NAME", "STATE", "DOMAIN", "VERSION", "DESCRIPTION", NULL
	};
	static const char *const officers[] = { "ID",      "NAME",        "STATE",      "DOMAIN",
						"VERSION", "DESCRIPTION", "ACTS UNTIL", NULL };
	bool of_officers = kind_here(c)->id == KIND_OFFICER;
	static const char *const filters[] = { "state", "name", NULL };
	struct list all = { NULL, filters, of_officers ? officers : heads, list_row, true };

	all.path = arena_printf(c->a, "/api/v1/documents/%s", kind_here(c)->name);
	NEED(all.path != NULL, e, CHY_NO_MEMORY, NULL, "list");
	return kind_here(c)->id == KIND_AUTHORITY ? list_authorities(c, &all, e) : list_run(c, &all, e);
}

/* Of those that the officer may see, the one whose name is most like it; NULL: none is near. */
static const char *
nearest_name(struct cli *c, struct rest *r, const char *kind, const char *which)
{
	const char *path = arena_printf(c->a, "/api/v1/documents/%s?limit=%d", kind, LIMIT_PAGE);
	const char **names = arena_array(c->a, LIMIT_PAGE, sizeof(*names));
	struct err why = { 0 };
	struct json *page;
	size_t n = 0;

	if (path == NULL || names == NULL || rest_json(r, c->a, path, NULL, &page, &why) != RC_OK)
		return NULL;
	JSON_EACH(item, json_get(page, "items"))
	{
		const char *name = arena_str(c->a, json_line(c->a, json_get(item, "name")));

		if (name != NULL && n < LIMIT_PAGE)
			names[n++] = name;
	}
	return nearest_word(which, strlen(which), names, n);
}

/* A mistyped name: the refusal with a hint. */
static enum rc
not_there(struct cli *c, struct rest *r, const char *kind, const char *which, struct err *e)
{
	const char *near = e->code == CHY_REF_NOTHING ? nearest_name(c, r, kind, which) : NULL;
	struct err was = *e;

	if (near == NULL)
		return e->rc;
	err_clear(e);
	FAIL(e, CHY_REF_NOTHING, NULL, "%s; did you mean \"%s\"?", was.text, near);
}

/* The newest version of the one that is meant: the server knows names and paths as for every act. */
static enum rc
find_document_of(struct cli *c, const char *kind, const char *which, struct json **ret, struct err *e)
{
	const char *path = arena_printf(c->a, "/api/v1/documents/%s?named=%s", kind,
					url_escape(c->a, bytes_str(which)));
	struct json *page, *items;
	struct rest *r;

	NEED(path != NULL, e, CHY_NO_MEMORY, NULL, "document");
	TRY(cli_rest(c, &r, e));
	if (rest_json(r, c->a, path, NULL, &page, e) != RC_OK)
		return not_there(c, r, kind, which, e);
	TRY_AT(json_need_array(page, "items", &items, e), e, "the server's answer");
	NEED(items->count == 1, e, CHY_CLI_ANSWER, NULL, "%zu documents for one", items->count);
	*ret = items->first;
	return RC_OK;
}

enum rc
document_id(struct cli *c, const char *kind, const char *which, int64_t *ret, struct err *e)
{
	struct json *d;

	if (int_parse(bytes_str(which), 1, JSON_INT_MAX, ret, NULL) == RC_OK)
		return RC_OK;
	TRY(find_document_of(c, kind, which, &d, e));
	TRY_AT(json_need_int(d, "id", 1, JSON_INT_MAX, ret, e), e, "the server's answer");
	return RC_OK;
}

static enum rc
find(struct cli *c, const char *which, struct json **ret, struct err *e)
{
	return find_document_of(c, kind_here(c)->name, which, ret, e);
}

/* Each field with its label; fields that this program does not know, of a newer server, by name. */
static void
show_body(struct cli *c, const struct kind *kind, const struct json *body)
{
	JSON_EACH(member, body)
	{
		const struct field *f = field_find(kind->fields, member->name);
		char name[80];

		snprintf(name, sizeof(name), "%.*s", BYTES_FMT(f ? bytes_str(f->label) : member->name));
		if (member->type != JSON_ARRAY || member->count == 0) {
			out_field(&c->out, name, json_line(c->a, member));
			continue;
		}
		JSON_EACH(item, member)
		{
			out_field(&c->out, name, json_line(c->a, item));
			name[0] = 0;
		}
	}
}

static void
show_lists(struct cli *c, const struct json *d)
{
	enum kind_id kind = kind_here(c)->id;
	int64_t id;

	if ((kind == KIND_CRL_PROCEDURE || kind == KIND_CIL_PROCEDURE) &&
	    json_need_int(d, "id", 1, JSON_INT_MAX, &id, NULL) == RC_OK)
		lists_show(c, kind == KIND_CRL_PROCEDURE ? "crl" : "cil", id);
}

enum rc
kind_show(struct cli *c, struct err *e)
{
	const char *version = args_text(&c->args, "document-version");
	struct json *d, *body;
	struct rest *r;
	int64_t id;

	TRY(find(c, args_text(&c->args, "NAME|ID"), &d, e));
	if (version) {
		TRY(cli_rest(c, &r, e));
		TRY_AT(json_need_int(d, "id", 1, JSON_INT_MAX, &id, e), e, "the server's answer");
		TRY(rest_json(r, c->a,
			      arena_printf(c->a, "/api/v1/documents/%s/%lld?version=%s", kind_here(c)->name,
					   (long long)id, version),
			      NULL, &d, e));
	}
	out_json(&c->out, d);
	out_field(&c->out, "Id", json_line(c->a, json_get(d, "id")));
	out_field(&c->out, "Version", json_line(c->a, json_get(d, "version")));
	TRY_AT(json_need_object(d, "body", &body, e), e, "the server's answer");
	TRY(refs_by_name(c->a, kind_here(c)->fields, body, json_get(d, "names"), &body, e));
	show_body(c, kind_here(c), body);
	if (json_line(c->a, json_get(d, "unusable")).n > 0)
		out_field(&c->out, "Cannot be used", json_line(c->a, json_get(d, "unusable")));
	if (json_get(d, "acts_until") != NULL)
		out_field(&c->out, "Acts until", acts_until(c, d));
	show_ca(c, json_get(d, "ca_certificate"));
	show_lists(c, d);
	return RC_OK;
}

enum rc
kind_schema(struct cli *c, struct err *e)
{
	struct out as_json = c->out;
	struct json *v;
	struct rest *r;

	TRY(cli_rest(c, &r, e));
	TRY(rest_json(r, c->a, arena_printf(c->a, "/api/v1/kinds/%s/schema", kind_here(c)->name), NULL, &v,
		      e));
	as_json.json = true; /* a schema is JSON for people too */
	out_json(&as_json, v);
	return RC_OK;
}

/* ---- bodies ---- */

static enum rc
body_file(struct cli *c, struct json **ret, struct err *e)
{
	const char *path = args_text(&c->args, "file");

	return path != NULL ? policy_file_read(c->a, path, kind_here(c), ret, e) : RC_OK;
}

static enum rc
body_draft(struct cli *c, struct json **ret, struct err *e)
{
	int64_t id = args_int(&c->args, "from-draft", 0);
	struct json *d;
	struct rest *r;

	if (id == 0)
		return RC_OK;
	TRY(cli_rest(c, &r, e));
	TRY(rest_json(r, c->a,
		      arena_printf(c->a, "/api/v1/drafts/%s/%lld", kind_here(c)->name, (long long)id), NULL,
		      &d, e));
	TRY_AT(json_need_object(d, "body", ret, e), e, "the server's answer");
	return RC_OK;
}

/* Of an officer: fingerprint and subject of the certificate in a file. What the server takes from its own copy of the
   certificate is not asked for again: it may be a new one. */
static enum rc
body_certificate(struct cli *c, struct json *body, struct err *e)
{
	const char *path = args_text(&c->args, "certificate-file");
	OWN_BUF struct buf subject = buf_max(64 << 10);
	struct bytes der[16];
	uint8_t hash[SHA256_LEN];
	char hex[2 * SHA256_LEN + 1];
	struct cert cert;
	struct json *v;
	size_t n;

	if (kind_here(c)->id == KIND_OFFICER) {
		json_drop(body, "subject");
		json_drop(body, "certificate_procedure");
		json_drop(body, "keys");
	}
	if (path == NULL)
		return RC_OK;
	TRY(certs_read(c->a, path, der, ARRAY_LEN(der), &n,
		       e)); /* the first one: the chain stands behind it */
	sha256(der[0], hash);
	v = json_str(c->a, bytes_str(hex_text(hex, BYTES_OF(hash))));
	NEED(v != NULL, e, CHY_NO_MEMORY, NULL, "officer");
	json_set(body, "certificate_sha256", v);
	TRY_AT(cert_parse(c->a, der[0], &cert, e), e, "%s", path);
	name_put_der_text(&subject, cert.subject);
	if (subject.n > 0)
		json_set(body, "subject", json_str(c->a, arena_dup(c->a, buf_bytes(&subject))));
	json_drop(body, "certificate"); /* the server finds it by the fingerprint */
	return RC_OK;
}

static const char *
place_member(const struct cli *c)
{
	return kind_here(c)->id == KIND_DOMAIN ? "parent" : "domain";
}

/* What lies in no domain is shown as in "Root": the word is taken for it too, where no domain has that name. */
static enum rc
body_root(struct cli *c, struct json *body, struct err *e)
{
	const char *place = place_member(c);
	const struct json *named = json_get(body, place);
	struct err why = { 0 };
	struct json *domain;

	if (named == NULL || named->type != JSON_STR || !bytes_is(named->str, "Root"))
		return RC_OK;
	if (find_document_of(c, kind_of(KIND_DOMAIN)->name, "Root", &domain, &why) == RC_OK ||
	    why.code != CHY_REF_NOTHING)
		return RC_OK; /* the server tells of it where it is used */
	json_set(body, place, json_null(c->a));
	NEED(json_get(body, place) != NULL, e, CHY_NO_MEMORY, NULL, "body");
	return RC_OK;
}

static enum rc
body_new(struct cli *c, struct json **ret, struct err *e)
{
	*ret = json_object(c->a);
	NEED(*ret != NULL, e, CHY_NO_MEMORY, NULL, "body");
	TRY(body_draft(c, ret, e));
	TRY(body_file(c, ret, e));
	TRY(body_apply(c->a, &c->args, kind_here(c), *ret, e));
	TRY(body_root(c, *ret, e));
	return body_certificate(c, *ret, e);
}

/* ---- writing ---- */

static enum rc
save_draft(struct cli *c, struct json *body, struct err *e)
{
	int64_t id = args_int(&c->args, "from-draft", 0);
	struct json *answer;
	OWN_BUF struct buf text = buf_max(BODY_FILE_MAX);
	struct rest_call call = { .method = id ? "PUT" : "POST" };
	struct rest_answer got;
	struct rest *r;

	json_put(&text, body);
	call.body = buf_bytes(&text);
	call.path = id ? arena_printf(c->a, "/api/v1/drafts/%s/%lld", kind_here(c)->name, (long long)id)
		       : arena_printf(c->a, "/api/v1/drafts/%s", kind_here(c)->name);
	NEED(call.path && call.body.n, e, CHY_NO_MEMORY, NULL, "draft");
	TRY(cli_rest(c, &r, e));
	TRY(rest_do(r, c->a, &call, &got, e));
	answer = got.json;
	out_json(&c->out, answer);
	if (answer && json_get(answer, "id"))
		out_line(&c->out,
			 "Draft %.*s is kept; complete it with: chancery %s create --from-draft %.*s\n",
			 BYTES_FMT(json_line(c->a, json_get(answer, "id"))), kind_here(c)->name,
			 BYTES_FMT(json_line(c->a, json_get(answer, "id"))));
	return RC_OK;
}

static enum rc
act(struct cli *c, const char *verb, int64_t object, const struct json *body, const char *question,
    struct err *e)
{
	struct asked asked = { arena_printf(c->a, "%s.%s", kind_here(c)->name, verb), kind_here(c), object,
			       body, question };
	struct json *answer;

	NEED(asked.act != NULL, e, CHY_NO_MEMORY, NULL, "act");
	return flow_run(c, &asked, &answer, e);
}

/* A draft whose document has been asked for has done its duty. */
static enum rc
drop_draft(struct cli *c, struct err *e)
{
	int64_t id = args_int(&c->args, "from-draft", 0);
	struct rest_call call = { .method = "DELETE" };
	struct rest_answer got;
	struct rest *r;

	if (id == 0)
		return RC_OK;
	call.path = arena_printf(c->a, "/api/v1/drafts/%s/%lld", kind_here(c)->name, (long long)id);
	NEED(call.path != NULL, e, CHY_NO_MEMORY, NULL, "draft");
	TRY(cli_rest(c, &r, e));
	return rest_do(r, c->a, &call, &got, e);
}

/* Where it is to lie, where nothing says so: in the officer's own domain. */
static enum rc
body_place(struct cli *c, struct json *body, struct err *e)
{
	const char *place = place_member(c);
	struct json *me;
	struct rest *r;

	if (json_get(body, place) != NULL || field_find(kind_here(c)->fields, bytes_str(place)) == NULL)
		return RC_OK;
	TRY(cli_rest(c, &r, e));
	TRY(rest_json(r, c->a, "/api/v1/whoami", NULL, &me, e));
	if (json_get(me, "domain") != NULL)
		json_set(body, place, json_copy(c->a, json_get(me, "domain")));
	return RC_OK;
}

enum rc
kind_create(struct cli *c, struct err *e)
{
	struct json *body;

	TRY(body_new(c, &body, e));
	TRY(body_place(c, body, e));
	if (args_has(&c->args, "draft"))
		return save_draft(c, body, e);
	TRY(act(c, "create", 0, body, NULL, e));
	return drop_draft(c, e);
}

/* What is changed: id and the body as it stands. */
static enum rc
current(struct cli *c, int64_t *ret_id, struct json **ret_body, struct err *e)
{
	struct json *d;

	TRY(find(c, args_text(&c->args, "NAME|ID"), &d, e));
	TRY_AT(json_need_int(d, "id", 1, JSON_INT_MAX, ret_id, e), e, "the server's answer");
	TRY_AT(json_need_object(d, "body", ret_body, e), e, "the server's answer");
	return RC_OK;
}

static enum rc
change_by(struct cli *c, const char *verb, const char *question, struct err *e)
{
	const char *place = place_member(c);
	struct json *body, *now;
	int64_t id;

	TRY(current(c, &id, &now, e));
	body = now;
	TRY(body_file(c, &body, e));
	if (json_get(body, place) == NULL &&
	    json_get(now, place) != NULL) /* a file that says no place moves nothing */
		json_set(body, place, json_copy(c->a, json_get(now, place)));
	TRY(body_apply(c->a, &c->args, kind_here(c), body, e));
	TRY(body_root(c, body, e));
	TRY(body_certificate(c, body, e));
	return act(c, verb, id, body, question, e);
}

enum rc
kind_modify(struct cli *c, struct err *e)
{
	return change_by(c, "modify", NULL, e);
}

enum rc
kind_renew(struct cli *c, struct err *e)
{
	return change_by(c, "renew", "Renew this authority?", e);
}

static enum rc
set_state(struct cli *c, const char *state, struct err *e)
{
	struct json *body;
	int64_t id;

	TRY(current(c, &id, &body, e));
	json_set(body, "state", json_str(c->a, bytes_str(state)));
	return act(c, "modify", id, body, NULL, e);
}

enum rc
kind_close(struct cli *c, struct err *e)
{
	return set_state(c, "closed", e);
}

enum rc
kind_reopen(struct cli *c, struct err *e)
{
	return set_state(c, "active", e);
}
