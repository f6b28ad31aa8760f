/* policy: the whole policy as files. */
#include "base/base.h"
#include "cli/flow.h"
#include "cli/groups.h"
#include "cli/options.h"
#include "cli/policy_set.h"
#include "cli/rest.h"
#include "policy/document.h"
#include "model/role.h"

/* ---- which kinds ---- */

static policy_kinds
kinds_of(const struct cli *c, const char *option)
{
	policy_kinds ret = 0;

	for (const struct arg *x = args_next(&c->args, option, NULL); x != NULL;
	     x = args_next(&c->args, option, x))
		ret |= (policy_kinds)1 << kind_id_of(bytes_str(x->value));
	return ret;
}

static enum rc
load(struct cli *c, struct policy_set *s, struct err *e)
{
	policy_kinds only = kinds_of(c, "only"),
		     kinds = (only ? only : ~(policy_kinds)0) & ~kinds_of(c, "without");

	return policy_set_load(c, args_text(&c->args, "FOLDER"), kinds, args_has(&c->args, "new-keys"), s, e);
}

static bool
is_asked_for(const struct policy_set *s, const struct policy_item *item)
{
	return (s->kinds & (policy_kinds)1 << item->kind) != 0;
}

/* ---- export ---- */

static enum rc
put_manifest(struct cli *c, struct policy_writer *w, size_t *removed, struct err *e)
{
	struct json *o = json_object(c->a), *status;
	struct bytes text;
	struct rest *r;

	TRY(cli_rest(c, &r, e));
	TRY(rest_json(r, c->a, "/api/v1/status", NULL, &status, e));
	json_set(o, "format", json_str(c->a, BYTES(POLICY_FORMAT)));
	json_set(o, "instance", json_copy(c->a, json_get(status, "instance")));
	TRY(policy_text(c->a, o, &text, e));
	return policy_folder_end(w, text, removed, e);
}

static enum rc
export_all(struct cli *c, const struct policy_set *s, struct policy_writer *w, struct err *e)
{
	size_t removed;

	for (size_t i = 0; i < s->n; i++) {
		struct bytes text;
		struct json *named;

		TRY(policy_named(s, &s->items[i], s->items[i].current, &named, e));
		TRY(policy_text(c->a, named, &text, e));
		TRY(policy_folder_put(w, s->items[i].kind, s->items[i].path, text, e));
	}
	TRY(put_manifest(c, w, &removed, e));
	out_note(&c->out, "%zu documents are in %s", s->n, w->folder);
	out_note(&c->out, removed ? "; %zu files of documents that are no more there were removed\n" : "\n",
		 removed);
	return RC_OK;
}

static enum rc
run_export(struct cli *c, struct err *e)
{
	struct policy_writer w;
	struct policy_set s;
	enum rc rc;

	TRY(policy_set_load(c, NULL, ~(policy_kinds)0, false, &s, e));
	rc = policy_folder_begin(c->a, args_text(&c->args, "FOLDER"), &w, e);
	if (rc == RC_OK)
		rc = export_all(c, &s, &w, e);
	policy_folder_close(&w);
	return rc;
}

/* ---- errors of files ---- */

static void
show_broken(struct cli *c, const struct policy_set *s)
{
	struct out to_err = c->out;

	to_err.to = c->out.err;
	for (size_t i = 0; i < s->n; i++) {
		const struct policy_item *item = &s->items[i];

		if (item->state != POLICY_BROKEN)
			continue;
		out_text(&to_err, bytes_str(item->file));
		fputs(": ", c->out.err);
		if (item->err.field[0]) {
			out_text(&to_err, bytes_str(item->err.field));
			fputs(": ", c->out.err);
		}
		out_text(&to_err, bytes_str(item->err.text));
		fprintf(c->out.err, " (CHY-%d)\n", (int)item->err.code);
	}
}

static enum rc
need_whole(struct cli *c, const struct policy_set *s, struct err *e)
{
	if (s->broken == 0)
		return RC_OK;
	show_broken(c, s);
	FAIL(e, CHY_POLICY_FOLDER, NULL, "%zu of the files cannot be used; nothing was asked of the server",
	     s->broken);
}

/* ---- diff ---- */

static bool
differs(const struct policy_set *s, const struct policy_item *item)
{
	return is_asked_for(s, item) && item->state != POLICY_SAME &&
	    !(s->part && item->state == POLICY_ONLY_IN_FORCE);
}

static struct json *
item_json(struct cli *c, const struct policy_item *item)
{
	struct json *o = json_object(c->a);

	json_set(o, "kind", json_str(c->a, bytes_str(kind_name(item->kind))));
	json_set(o, "path", json_str(c->a, bytes_str(item->path)));
	json_set(o, "file", json_str(c->a, bytes_str(item->file)));
	json_set(o, "state", json_str(c->a, bytes_str(policy_state_name(item->state))));
	json_set(o, "id", item->current ? json_int(c->a, item->id) : json_null(c->a));
	return o;
}

static void
show_member(struct cli *c, const struct json *d)
{
	struct bytes was = json_line(c->a, json_get(d, "in_force")),
		     is = json_line(c->a, json_get(d, "folder"));

	out_line(&c->out, "    ");
	out_text(&c->out, json_line(c->a, json_get(d, "field")));
	out_line(&c->out, ": ");
	out_text(&c->out, was.n ? was : BYTES("(none)"));
	out_line(&c->out, " -> ");
	out_text(&c->out, is.n ? is : BYTES("(none)"));
	out_line(&c->out, "\n");
}

static void
show_item(struct cli *c, const struct policy_item *item, const struct json *difference)
{
	static const char *const signs[POLICY_STATE_COUNT] = { "  ", "+ ", "M ", "- ", "+ ", "! ", "? " };

	if (c->out.json)
		return;
	out_line(&c->out, "%s", signs[item->state]);
	out_text(&c->out, bytes_str(item->file));
	out_line(&c->out, "%s\n",
		 item->state == POLICY_ONLY_IN_FORCE    ? "  (in force, not in the folder)"
		     : item->state == POLICY_INCOMPLETE ? "  (incomplete: a draft)"
		     : item->state == POLICY_BY_HAND    ? "  (not in force: is made by hand, not copied)"
		     : item->state == POLICY_CREATE     ? "  (not in force)"
							: "");
	if (item->state == POLICY_MODIFY)
		JSON_EACH(d, difference)
	show_member(c, d);
}

static enum rc
show_differences(struct cli *c, const struct policy_set *s, size_t *ret_n, struct err *e)
{
	struct json *list = json_array(c->a);

	*ret_n = 0;
	for (size_t i = 0; i < s->n; i++) {
		struct json *o, *difference;

		if (!differs(s, &s->items[i]))
			continue;
		*ret_n += 1;
		TRY(policy_difference(s, &s->items[i], &difference, e));
		show_item(c, &s->items[i], difference);
		o = item_json(c, &s->items[i]);
		json_set(o, "difference", difference);
		json_add(list, o);
	}
	out_json(&c->out, list);
	return RC_OK;
}

static enum rc
run_diff(struct cli *c, struct err *e)
{
	struct policy_set s;
	size_t n;

	c->failed = CLI_EXIT_USAGE; /* as of diff(1): 1 says that they differ */
	TRY(load(c, &s, e));
	TRY(need_whole(c, &s, e));
	TRY(show_differences(c, &s, &n, e));
	if (n == 0) {
		out_note(&c->out,
			 s.part ? "What is in the folder is in force as it stands there.\n"
				: "The folder and the policy in force are the same.\n");
		return RC_OK;
	}
	c->failed = CLI_EXIT_FAILED;
	FAIL(e, CHY_POLICY_DIFFERS, NULL, "%zu documents differ", n);
}

/* ---- plan ---- */

static const char *
verb_of(const struct policy_item *item)
{
	return item->current ? "modify" : "create";
}

/* "2 officers with use-awb, policy-tasks" */
static const char *
who_signs(struct cli *c, const struct kind *k)
{
	const char *text = arena_printf(c->a, "%u officer%s with ", k->signatures,
					k->signatures == 1 ? "" : "s"),
		   *comma = "";

	for (int r = 0; r < ROLE_COUNT && text != NULL; r++)
		if (k->needed & ROLES(r)) {
			text = arena_printf(c->a, "%s%s%s", text, comma, role_name((enum role)r));
			comma = ", ";
		}
	return text ? text : "";
}

static struct json *
step_json(struct cli *c, const struct policy_item *item)
{
	const struct kind *k = kind_of(item->kind);
	struct json *o = item_json(c, item), *list = json_array(c->a);

	json_set(o, "act", json_str(c->a, bytes_str(arena_printf(c->a, "%s.%s", k->name, verb_of(item)))));
	json_set(o, "signatures", json_int(c->a, item->state == POLICY_INCOMPLETE ? 0 : k->signatures));
	for (int r = 0; r < ROLE_COUNT; r++)
		if (k->needed & ROLES(r))
			json_add(list, json_str(c->a, bytes_str(role_name((enum role)r))));
	json_set(o, "roles", list);
	json_set(o, "step", json_int(c->a, item->wave + 1));
	json_set(o, "waits_for", item->wait ? json_str(c->a, bytes_str(item->wait->file)) : json_null(c->a));
	return o;
}

static void
show_step(struct cli *c, const struct policy_item *item)
{
	const struct kind *k = kind_of(item->kind);

	if (c->out.json)
		return;
	out_line(&c->out, "%3u  ", item->wave + 1);
	if (item->state == POLICY_INCOMPLETE)
		out_line(&c->out, "draft of %s \"", k->name);
	else if (item->state == POLICY_BY_HAND)
		out_line(&c->out, "BY HAND %s \"", k->name);
	else
		out_line(&c->out, "%s.%s \"", k->name, verb_of(item));
	out_text(&c->out, bytes_str(item->path));
	out_line(&c->out, "\"");
	if (item->state == POLICY_INCOMPLETE) {
		out_line(&c->out, ": ");
		out_text(&c->out, bytes_str(item->err.text));
	} else if (item->state == POLICY_BY_HAND) {
		out_line(&c->out, ": cannot be copied from another installation");
	} else {
		out_line(&c->out, ": %s", who_signs(c, k));
	}
	if (item->wait != NULL) {
		out_line(&c->out, "; after ");
		out_text(&c->out, bytes_str(item->wait->file));
	}
	out_line(&c->out, "\n");
}

static int
by_wave(const void *x, const void *y)
{
	const struct policy_item *a = *(struct policy_item *const *)x, *b = *(struct policy_item *const *)y;

	return a->wave != b->wave ? (a->wave > b->wave) - (a->wave < b->wave) : (a > b) - (a < b);
}

static size_t
sort_steps(const struct policy_set *s)
{
	if (s->order_n > 0)
		qsort(s->order, s->order_n, sizeof(*s->order), by_wave);
	return s->order_n;
}

static enum rc
run_plan(struct cli *c, struct err *e)
{
	struct json *list = json_array(c->a);
	struct policy_set s;
	size_t n;

	TRY(load(c, &s, e));
	TRY(need_whole(c, &s, e));
	n = sort_steps(&s);
	for (size_t i = 0; i < n; i++) {
		show_step(c, s.order[i]);
		json_add(list, step_json(c, s.order[i]));
	}
	out_json(&c->out, list);
	if (n == 0)
		out_note(&c->out, "Nothing is to be done.\n");
	return RC_OK;
}

/* ---- apply ---- */

struct applying {
	struct cli *c;
	struct policy_set *s;
	struct json *waiting; /* requests that wait for a second officer */
	struct json *outcome;
	size_t done, waits, drafts, failed, later;
};

static enum rc
pages(struct cli *c, const char *path, struct json *into, struct err *e)
{
	struct json *page, *items;
	struct rest *r;
	int64_t after = 0;

	TRY(cli_rest(c, &r, e));
	do {
		TRY(rest_json(r, c->a,
			      arena_printf(c->a, "%slimit=%d&after=%lld", path, LIMIT_PAGE, (long long)after),
			      NULL, &page, e));
		TRY_AT(json_need_array(page, "items", &items, e), e, "the server's answer");
		JSON_EACH(x, items)
		json_add(into, json_copy(c->a, x));
		after = 0;
		TRY_AT(json_opt_int(page, "next", 1, JSON_INT_MAX, &after, e), e, "the server's answer");
	} while (after != 0);
	return RC_OK;
}

static const struct json *
name_of(const struct policy_item *item)
{
	return json_get(item->file_body, "name");
}

/* Asked for already, by an earlier run or by somebody else. */
static int64_t
waits_already(const struct applying *a, const struct policy_item *item, const char *act)
{
	JSON_EACH(r, a->waiting)
	{
		const struct json *object = json_get(r, "object"), *id = json_get(r, "id");
		struct bytes text = BYTES_NONE;
		bool same = item->current ? object && object->type == JSON_INT && object->integer == item->id
					  : json_eq(json_get(r, "name"), name_of(item));

		if (same && json_need_str(r, "act", &text, NULL) == RC_OK && bytes_is(text, act) && id &&
		    id->type == JSON_INT)
			return id->integer;
	}
	return 0;
}

/* Somebody else may have asked for another change of the same document: whoever signs next must not take it for this one. */
static enum rc
must_ask_the_same(const struct applying *a, const struct policy_item *item, int64_t request,
		  const struct json *body, struct err *e)
{
	const struct document_check check = { .kind = kind_of(item->kind) };
	const char *path = arena_printf(a->c->a, "/api/v1/requests/%lld", (long long)request);
	struct json *answer, *signed_, *normal;
	struct bytes text;
	struct rest *r;

	TRY(cli_rest(a->c, &r, e));
	TRY(rest_json(r, a->c->a, path, NULL, &answer, e));
	TRY_AT(json_need_str(answer, "to_sign", &text, e), e, "the server's answer");
	TRY_AT(base64_parse(a->c->a, text, &text, e), e, "the server's answer");
	TRY_AT(json_parse(a->c->a, text, &signed_, e), e, "the server's answer");
	TRY(document_check(a->c->a, &check, body, &normal, e));
	NEED(json_eq(json_get(signed_, "body"), normal), e, CHY_POLICY_DIFFERS, NULL,
	     "request %lld waits for it and asks for something else: have it signed, rejected or withdrawn "
	     "first",
	     (long long)request);
	return RC_OK;
}

static void
tell(struct applying *a, const struct policy_item *item, const char *outcome, int64_t request,
     const struct err *why)
{
	struct json *o = item_json(a->c, item);

	json_set(o, "outcome", json_str(a->c->a, bytes_str(outcome)));
	json_set(o, "request", request ? json_int(a->c->a, request) : json_null(a->c->a));
	if (why != NULL)
		json_set(o, "why", json_str(a->c->a, bytes_str(why->text)));
	json_add(a->outcome, o);
	if (a->c->out.json)
		return;
	out_line(&a->c->out, "%-9s ", outcome);
	out_text(&a->c->out, bytes_str(item->file));
	if (request)
		out_line(&a->c->out, "  request %lld", (long long)request);
	if (why != NULL) {
		out_line(&a->c->out, ": ");
		if (why->field[0]) {
			out_text(&a->c->out, bytes_str(why->field));
			out_line(&a->c->out, ": ");
		}
		out_text(&a->c->out, bytes_str(why->text));
	}
	out_line(&a->c->out, "\n");
}

/* Root is said by null or by nothing. */
static bool
is_same_place(const struct json *x, const struct json *y)
{
	bool root = x == NULL || x->type == JSON_NULL;

	return root ? y == NULL || y->type == JSON_NULL : json_eq(x, y);
}

static enum rc
save_draft(struct applying *a, struct policy_item *item, struct err *e)
{
	struct json *there = json_array(a->c->a), *body;
	OWN_BUF struct buf text = buf_max(LIMIT_BODY);
	struct rest_call call = { .method = "POST" };
	struct rest_answer got;
	struct rest *r;
	int64_t id = 0;

	TRY(policy_with_ids(a->s, item, &body, e));
	TRY(pages(a->c, arena_printf(a->c->a, "/api/v1/drafts/%s?", kind_name(item->kind)), there, e));
	JSON_EACH(d, there)
	if (json_eq(json_get(json_get(d, "body"), "name"), name_of(item)) &&
	    is_same_place(json_get(json_get(d, "body"), "domain"), json_get(body, "domain")))
		TRY(json_need_int(d, "id", 1, JSON_INT_MAX, &id, e));
	json_put(&text, body);
	call.body = buf_bytes(&text);
	call.path = arena_printf(a->c->a, "/api/v1/drafts/%s", kind_name(item->kind));
	if (id != 0) {
		call.method = "PUT";
		call.path = arena_printf(a->c->a, "%s/%lld", call.path, (long long)id);
	}
	NEED(call.path != NULL && buf_ok(&text), e, CHY_NO_MEMORY, NULL, "a draft");
	TRY(cli_rest(a->c, &r, e));
	TRY(rest_do(r, a->c->a, &call, &got, e));
	a->drafts++;
	tell(a, item, "draft", 0, &item->err);
	return RC_OK;
}

static void
now_in_force(struct applying *a, struct policy_item *item, const struct json *answer)
{
	int64_t id;

	if (json_need_int(json_get(answer, "result"), "id", 1, JSON_INT_MAX, &id, NULL) == RC_OK)
		item->id = id;
	item->current = item->normal;
	item->state = POLICY_SAME;
	a->done++;
}

static enum rc
ask(struct applying *a, struct policy_item *item, struct err *e)
{
	const struct kind *k = kind_of(item->kind);
	struct asked asked = { arena_printf(a->c->a, "%s.%s", k->name, verb_of(item)), k,
			       item->current ? item->id : 0, NULL };
	struct json *body, *answer;
	struct bytes state = BYTES_NONE;

	NEED(asked.act != NULL, e, CHY_NO_MEMORY, NULL, "a request");
	item->request = waits_already(a, item, asked.act);
	TRY(policy_with_ids(a->s, item, &body, e));
	if (item->request != 0) {
		TRY(must_ask_the_same(a, item, item->request, body, e));
		a->waits++;
		tell(a, item, "waits", item->request, NULL);
		return RC_OK;
	}
	asked.body = body;
	TRY(flow_quietly(a->c, &asked, &answer, e));
	TRY_AT(json_need_int(answer, "id", 1, JSON_INT_MAX, &item->request, e), e, "the server's answer");
	TRY_AT(json_need_str(answer, "state", &state, e), e, "the server's answer");
	if (bytes_is(state, "done"))
		now_in_force(a, item, answer);
	else
		a->waits++;
	tell(a, item, arena_str(a->c->a, state), item->request, NULL);
	return RC_OK;
}

static void
apply_one(struct applying *a, struct policy_item *item)
{
	struct err e = { 0 };
	enum rc rc = RC_OK;

	if (item->state == POLICY_BY_HAND) {
		a->later++;
		tell(a, item, "by hand", 0, NULL);
	} else if (item->wait != NULL && item->wait->state != POLICY_SAME) {
		a->later++;
		err_set(&e, CHY_POLICY_DIFFERS, NULL, "waits until %.200s is in force", item->wait->file);
		tell(a, item, "later", 0, &e);
	} else if (item->state == POLICY_INCOMPLETE) {
		rc = save_draft(a, item, &e);
	} else {
		rc = ask(a, item, &e);
	}
	if (rc == RC_OK)
		return;
	a->failed++;
	item->state = POLICY_BROKEN;
	tell(a, item, "refused", 0, &e);
}

static enum rc
tell_all(const struct applying *a, struct err *e)
{
	out_json(&a->c->out, a->outcome);
	out_note(
	    &a->c->out,
	    "%zu in force, %zu wait for a second officer, %zu drafts, %zu later or by hand, %zu refused\n",
	    a->done, a->waits, a->drafts, a->later, a->failed);
	if (a->waits > 0)
		out_note(&a->c->out, "A second officer signs what waits, then apply goes on.\n");
	NEED(a->failed == 0, e, CHY_CLI_SOME_FAILED, NULL, "%zu documents were refused", a->failed);
	return RC_OK;
}

static enum rc
run_apply(struct cli *c, struct err *e)
{
	struct policy_set s;
	struct applying a = { .c = c, .s = &s, .waiting = json_array(c->a), .outcome = json_array(c->a) };
	size_t n;

	TRY(load(c, &s, e));
	TRY(need_whole(c, &s, e));
	n = sort_steps(&s);
	for (size_t i = 0; i < n && !args_has(&c->args, "yes"); i++)
		show_step(c, s.order[i]);
	if (n > 0)
		TRY(cli_confirm(c, arena_printf(c->a, "Ask for these %zu changes and sign them?", n), e));
	TRY(pages(c, "/api/v1/requests?state=waiting&", a.waiting, e));
	for (size_t i = 0; i < n; i++)
		apply_one(&a, s.order[i]);
	return tell_all(&a, e);
}

/* ---- the table ---- */

static const char *const kinds[] = {
#define X(e, name) name,
	KIND_TABLE(X)
#undef X
	    NULL
};

#define OPTIONS_KINDS \
	{ "only", "KIND", OPT_CHOICE, OPT_MANY, "look at this kind of document only", kinds }, \
	    { "without", "KIND", OPT_CHOICE, OPT_MANY, "leave this kind of document out", kinds }, \
	{ \
		"new-keys", NULL, OPT_FLAG, 0, \
		    "where CA keys and authorities are missing, make new ones of the same names (they are " \
		    "not copies)" \
	}

static const struct opt diff_options[] = { OPTIONS_KINDS, { 0 } };
static const struct opt apply_options[] = { OPTIONS_KINDS, OPTIONS_CO_OFFICER, { 0 } };
static const struct operand folder[] = { { "FOLDER", OPT_DIR, OPT_MUST, "the folder with the policy" },
					 { 0 } };

const struct command commands_policy[] = {
	{ "policy", "export", "write the whole policy to readable files",
	  "One JSON file a document, KIND/NAME.json, in a folder for each domain; references by name. Keys, "
	  "authorities and "
	  "officers are named and described, but a key cannot be copied to another installation.",
	  NULL, folder, "chancery policy export --officer anna.p12 policy", run_export },
	{ "policy", "diff", "show where a folder and the policy in force differ",
	  "Ends with 0 where they are the same, 1 where they differ, 2 where they cannot be compared.",
	  diff_options, folder, "chancery policy diff --officer anna.p12 policy", run_diff },
	{ "policy", "plan", "show what apply would ask for, in which order, and who signs", NULL,
	  diff_options, folder, "chancery policy plan --officer anna.p12 policy", run_plan },
	{ "policy", "apply", "ask for everything in which a folder differs from the policy in force",
	  "Prepares and signs one request for each document that differs, what others need first. What waits "
	  "for a second "
	  "officer makes those wait that need it: run apply again afterwards, or give --co-officer. "
	  "Documents that lack "
	  "something mandatory become drafts. What the folder lacks stays as it is.",
	  apply_options, folder, "chancery policy apply --officer anna.p12 policy", run_apply },
	{ 0 },
};
