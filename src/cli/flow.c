#include "base/base.h"
#include "cli/flow.h"
#include "cli/key.h"
#include "cli/rest.h"

/* ---- looking at the answer ---- */

struct bytes
json_line(struct arena *a, const struct json *v)
{
	OWN_BUF struct buf b = buf_max(1 << 20);

	if (v == NULL || v->type == JSON_NULL)
		return BYTES_NONE;
	if (v->type == JSON_STR)
		return v->str;
	if (v->type == JSON_BOOL)
		return v->boolean ? BYTES("yes") : BYTES("no");
	json_put(&b, v);
	return arena_dup(a, buf_bytes(&b));
}

static void
show_affected(struct cli *c, const struct json *request)
{
	const struct json *list = json_get(request, "affected_officers");

	if (list == NULL || list->type != JSON_ARRAY)
		return;
	out_line(&c->out, "  Officers that this touches:\n");
	JSON_EACH(item, list)
	{
		out_line(&c->out, "    ");
		out_text(&c->out, json_line(c->a, json_get(item, "name")));
		out_line(&c->out, "\n");
	}
}

/* What is allowed, and should be known before it is signed. */
static void
show_warnings(struct cli *c, const struct json *request)
{
	const struct json *list = json_get(request, "warnings");

	JSON_EACH(item, list != NULL && list->type == JSON_ARRAY ? list : NULL)
	{
		out_line(&c->out, "  Warning: ");
		out_text(&c->out, json_line(c->a, json_get(item, "text")));
		out_line(&c->out, "\n");
	}
}

/* A line each; how many. */
static size_t
show_items(struct cli *c, const struct json *item, const char *member, const char *sign)
{
	const struct json *list = json_get(item, member);

	if (list == NULL || list->type != JSON_ARRAY)
		return 0;
	JSON_EACH(x, list)
	{
		out_line(&c->out, "\n    %s ", sign);
		out_text(&c->out, json_line(c->a, x));
	}
	return list->count;
}

/* Of a list what has gone and what has come; where only its order is another one, it is shown whole. */
static void
show_change(struct cli *c, const struct json *item)
{
	struct bytes from = json_line(c->a, json_get(item, "old")),
		     to = json_line(c->a, json_get(item, "new"));
	size_t gone = show_items(c, item, "removed", "-"), come = show_items(c, item, "added", "+");

	if (gone + come > 0)
		return;
	out_line(&c->out, " ");
	if (from.n) {
		out_text(&c->out, from);
		out_line(&c->out, to.n ? " -> " : " -> (none)");
	}
	out_text(&c->out, to);
}

void
flow_show_difference(struct cli *c, const struct json *request)
{
	const struct json *list = json_get(request, "difference");

	if (list == NULL || list->type != JSON_ARRAY || c->out.json || c->out.quiet)
		return;
	JSON_EACH(item, list)
	{
		struct bytes label = json_line(c->a, json_get(item, "label"));

		if (label.n == 0)
			label = json_line(c->a, json_get(item, "field"));
		out_line(&c->out, "  ");
		out_text(&c->out, label);
		out_line(&c->out, ":");
		show_change(c, item);
		out_line(&c->out, "\n");
	}
	show_affected(c, request);
	show_warnings(c, request);
}

/* Its single values; what became of each of many is told by the command that asked. */
static void
show_result(struct cli *c, const struct json *result)
{
	if (result == NULL || result->type != JSON_OBJECT)
		return;
	JSON_EACH(member, result)
	{
		char name[64];

		if (member->type == JSON_ARRAY && member->first != NULL && member->first->type == JSON_OBJECT)
			continue;
		snprintf(name, sizeof(name), "%.*s", BYTES_FMT(member->name));
		out_field(&c->out, name, json_line(c->a, member));
	}
}

void
flow_show_outcome(struct cli *c, const struct json *answer)
{
	struct bytes state = json_line(c->a, json_get(answer, "state")),
		     id = json_line(c->a, json_get(answer, "id"));
	bool waiting = bytes_is(state, "waiting");

	if (c->out.json) {
		out_json(&c->out, answer);
		return;
	}
	if (c->out.quiet) {
		out_text(&c->out, id);
		out_line(&c->out, "\n");
		return;
	}
	out_line(&c->out, "Request %.*s: ", BYTES_FMT(id));
	out_styled(&c->out,
		   bytes_is(state, "done") ? OUT_GOOD
		       : waiting           ? OUT_PLAIN
					   : OUT_BAD,
		   "%.*s", BYTES_FMT(state));
	out_line(&c->out, "\n");
	show_result(c, json_get(answer, "result"));
	if (waiting)
		out_line(&c->out, "A second officer signs it until %.*s with: chancery request sign %.*s\n",
			 BYTES_FMT(json_line(c->a, json_get(answer, "expires_at"))), BYTES_FMT(id));
}

/* ---- signing ---- */

static enum rc
add_signature(struct cli *c, struct officer_key *key, struct bytes to_sign, struct json *list, struct err *e)
{
	OWN_BUF struct buf text = buf_max(2 * LIMIT_CMS);
	struct bytes cms;
	struct json *v;

	TRY(officer_key_sign(key, c->a, to_sign, clock_now_ms(), &cms, e));
	base64_put(&text, cms);
	v = json_str(c->a, arena_dup(c->a, buf_bytes(&text)));
	NEED(buf_ok(&text) && v != NULL, e, CHY_NO_MEMORY, NULL, "signature");
	json_add(list, v);
	return RC_OK;
}

enum rc
flow_sign(struct cli *c, int64_t request, struct bytes to_sign, const struct json *secrets, struct json **ret,
	  struct err *e)
{
	struct json *body = json_object(c->a), *list = json_array(c->a);
	const char *path = arena_printf(c->a, "/api/v1/requests/%lld/signatures", (long long)request);
	struct officer_key *key, *co;
	struct rest *r;

	NEED(body && list && path, e, CHY_NO_MEMORY, NULL, "signatures");
	TRY(cli_officer(c, &key, e));
	TRY(cli_co_officer(c, &co, e));
	TRY(cli_rest(c, &r, e));
	TRY(add_signature(c, key, to_sign, list, e));
	if (co != NULL)
		TRY(add_signature(c, co, to_sign, list, e));
	json_set(body, "signatures", list);
	if (secrets != NULL && secrets->count > 0)
		json_set(body, "secrets", json_copy(c->a, secrets));
	return rest_json(r, c->a, path, body, ret, e);
}

/* ---- the whole way ---- */

static enum rc
prepare(struct cli *c, const struct asked *asked, struct json **ret, struct err *e)
{
	struct json *in = json_object(c->a), *act = json_str(c->a, bytes_str(asked->act));
	struct json *body = json_copy(c->a, asked->body), *problem;
	struct rest *r;
	enum rc rc;

	NEED(in && act && body, e, CHY_NO_MEMORY, NULL, "request");
	json_set(in, "act", act);
	if (asked->object)
		json_set(in, "object", json_int(c->a, asked->object));
	json_set(in, "body", body);
	if (asked->skip_refused)
		json_set(in, "skip_refused", json_bool(c->a, true));
	TRY(cli_rest(c, &r, e));
	if (asked->path != NULL)
		return rest_json(r, c->a, asked->path, asked->more, ret, e);
	rc = rest_json_or(r, c->a, "/api/v1/requests", in, ret, &problem, e);
	if (rc != RC_OK && asked->ret_refused != NULL)
		*asked->ret_refused = json_get(problem, "refused");
	return rc;
}

/* Both signatures go together: where one is refused the request has none, and nobody else knows of it. */
static void
tell_of_prepared(struct cli *c, int64_t id, const struct err *why)
{
	long long n = (long long)id;

	if (c->out.json)
		return;
	if (why->rc != RC_DENIED && why->rc != RC_MALFORMED) {
		fprintf(c->out.err, "What became of the request tells: chancery request show %lld\n", n);
		return;
	}
	fprintf(
	    c->out.err,
	    "Request %lld is prepared and has no signature. Sign it with another second officer, or alone: "
	    "chancery request sign %lld. Take it back: chancery request withdraw %lld. Else it lapses by "
	    "itself.\n",
	    n, n, n);
}

/* What was asked without what the server says that it leaves out: that and no more may be missing. */
static enum rc
without_refused(struct cli *c, const struct asked *asked, const struct json *refused, struct asked *ret,
		struct err *e)
{
	struct json *body = json_copy(c->a, asked->body), *left = json_array(c->a);
	const struct json *next = refused != NULL ? refused->first : NULL;
	int64_t i = 0, out = -1;

	*ret = *asked;
	if (refused == NULL)
		return RC_OK;
	NEED(body != NULL && left != NULL, e, CHY_NO_MEMORY, NULL, "request");
	JSON_EACH(item, json_get(asked->body, "certificates"))
	{
		if (next != NULL && out < i)
			TRY_AT(json_need_int(next, "index", 0, JSON_INT_MAX, &out, e), e, "refused");
		if (next != NULL && out == i++)
			next = next->next;
		else
			json_add(left, json_copy(c->a, item));
	}
	json_set(body, "certificates", left);
	ret->body = body;
	return RC_OK;
}

static enum rc
run_quietly(struct cli *c, const struct asked *asked, bool show, const struct json *secrets,
	    struct json **ret, struct err *e)
{
	struct officer_key *key, *co;
	struct json *prepared, *document;
	struct bytes text, to_sign;
	struct asked left;
	int64_t id;

	TRY(cli_officer(c, &key, e)); /* both ask their PIN before anything is prepared */
	TRY(cli_co_officer(c, &co, e));
	TRY(prepare(c, asked, &prepared, e));
	TRY_AT(json_need_int(prepared, "id", 1, JSON_INT_MAX, &id, e), e, "the server's answer");
	TRY_AT(json_need_str(prepared, "to_sign", &text, e), e, "the server's answer");
	TRY(base64_parse(c->a, text, &to_sign, e));
	TRY(without_refused(c, asked, asked->skip_refused ? json_get(prepared, "refused") : NULL, &left, e));
	TRY(flow_compare(c->a, &left, id, to_sign, &document, e));
	if (show)
		flow_show_difference(c, prepared);
	else
		show_warnings(c, prepared);
	if (asked->question != NULL)
		TRY(cli_confirm_here(c, asked->question, e));
	if (flow_sign(c, id, to_sign, secrets, ret, e) == RC_OK) {
		if (json_get(prepared, "refused") != NULL)
			json_set(*ret, "refused", json_copy(c->a, json_get(prepared, "refused")));
		return RC_OK;
	}
	if (co != NULL || asked->path != NULL)
		tell_of_prepared(c, id, e);
	return e->rc;
}

enum rc
flow_run(struct cli *c, const struct asked *asked, struct json **ret, struct err *e)
{
	TRY(run_quietly(c, asked, true, NULL, ret, e));
	flow_show_outcome(c, *ret);
	return RC_OK;
}

enum rc
flow_quietly(struct cli *c, const struct asked *asked, struct json **ret, struct err *e)
{
	return run_quietly(c, asked, false, NULL, ret, e);
}

enum rc
flow_with_secrets(struct cli *c, const struct asked *asked, const struct json *secrets, struct json **ret,
		  struct err *e)
{
	return run_quietly(c, asked, true, secrets, ret, e);
}

enum rc
flow_one_of_many(struct cli *c, const struct asked *asked, const struct json *secrets, struct json **ret,
		 struct err *e)
{
	return run_quietly(c, asked, false, secrets, ret, e);
}

enum rc
flow_issue(struct cli *c, const struct json *body, const struct json *secrets, struct json **ret,
	   struct err *e)
{
	return run_quietly(c, &(struct asked){ "certificate.issue", NULL, 0, body }, false, secrets, ret, e);
}
