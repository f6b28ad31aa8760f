#include "base/base.h"
#include "cli/liststate.h"

#include "cli/flow.h"
#include "cli/list.h"
#include "cli/rest.h"

#include <time.h>

enum { WAIT_SECONDS = 60, WAIT_MOST = 3600, BEAT_MS = 200, FAILS_AFTER_MS = 3000 };

static struct bytes
text_of(struct cli *c, const struct json *o, const char *member)
{
	return json_line(c->a, json_get(o, member));
}

/* "full, indirect, 16 partitions" */
static struct bytes
kind_of_list(struct cli *c, const struct json *item, bool delta)
{
	const struct json *indirect = json_get(item, "indirect"), *parts = json_get(item, "partitions");
	OWN_BUF struct buf b = buf_max(200);

	buf_str(&b, delta ? "delta" : "full");
	if (indirect != NULL && indirect->type == JSON_BOOL && indirect->boolean)
		buf_str(&b, ", indirect");
	if (parts != NULL && parts->type == JSON_INT)
		buf_printf(&b, ", %lld partitions", (long long)parts->integer);
	return arena_dup(c->a, buf_bytes(&b));
}

static struct bytes
word_of(struct cli *c, const struct json *state)
{
	struct bytes word = text_of(c, state, "state"), wanted = text_of(c, state, "wanted");

	if (bytes_is(word, "elsewhere"))
		return BYTES("built elsewhere");
	if (bytes_is(word, "missing"))
		word = BYTES("not built yet");
	return bytes_is(wanted, "yes") ? bytes_str(arena_printf(c->a, "%.*s, wanted", BYTES_FMT(word)))
				       : word;
}

/* "12", or of an issuance list in segments "10-12". */
static struct bytes
number_of(struct cli *c, const struct json *state)
{
	struct bytes first = text_of(c, state, "first_number"), last = text_of(c, state, "number");

	return first.n == 0 || bytes_eq(first, last)
	    ? last
	    : bytes_str(arena_printf(c->a, "%.*s-%.*s", BYTES_FMT(first), BYTES_FMT(last)));
}

static struct bytes
failure_of(struct cli *c, const struct json *item)
{
	const struct json *failure = json_get(item, "failure");

	if (failure == NULL || failure->type != JSON_OBJECT)
		return BYTES_NONE;
	return bytes_str(arena_printf(c->a, "%.*s %.*s: %.*s", BYTES_FMT(text_of(c, failure, "code")),
				      BYTES_FMT(text_of(c, failure, "title")),
				      BYTES_FMT(text_of(c, failure, "text"))));
}

static void
put_row(struct cli *c, struct out_table *t, const struct json *item, bool delta)
{
	const struct json *state = json_get(item, delta ? "delta" : "complete");
	struct bytes cells[] = { text_of(c, item, "path"),
				 kind_of_list(c, item, delta),
				 word_of(c, state),
				 number_of(c, state),
				 text_of(c, state, "this_update"),
				 text_of(c, state, "next_update"),
				 text_of(c, state, "due_at"),
				 text_of(c, state, "entries"),
				 text_of(c, state, "octets"),
				 text_of(c, item, "issuer"),
				 failure_of(c, item) };

	out_table_row(t, cells);
}

static void
row(struct cli *c, struct out_table *t, const struct json *item)
{
	const struct json *delta = json_get(item, "delta");

	put_row(c, t, item, false);
	if (delta != NULL && delta->type == JSON_OBJECT)
		put_row(c, t, item, true);
}

enum rc
lists_run(struct cli *c, const char *kind, struct err *e)
{
	static const char *const heads[] = { "PROCEDURE",   "KIND",        "STATE",   "NUMBER",
					     "THIS UPDATE", "NEXT UPDATE", "DUE",     "ENTRIES",
					     "OCTETS",      "ISSUER",      "FAILURE", NULL };
	static const char *const filters[] = { NULL };
	const char *path = arena_printf(c->a, "/api/v1/%ss", kind);

	NEED(path != NULL, e, CHY_NO_MEMORY, NULL, "list");
	return list_run(c, &(struct list){ path, filters, heads, row }, e);
}

/* ---- one procedure's ---- */

static enum rc
ask(struct cli *c, const char *kind, int64_t procedure, struct json **ret, struct err *e)
{
	const char *path = arena_printf(c->a, "/api/v1/%ss?procedure=%lld", kind, (long long)procedure);
	struct json *page, *items;
	struct rest *r;

	NEED(path != NULL, e, CHY_NO_MEMORY, NULL, "list");
	TRY(cli_rest(c, &r, e));
	TRY(rest_json(r, c->a, path, NULL, &page, e));
	TRY_AT(json_need_array(page, "items", &items, e), e, "the server's answer");
	NEED(items->count == 1, e, CHY_CLI_ANSWER, NULL, "%zu procedures for one", items->count);
	*ret = items->first;
	return RC_OK;
}

static void
show_one(struct cli *c, const struct json *item, bool delta)
{
	const struct json *state = json_get(item, delta ? "delta" : "complete");
	struct bytes number = number_of(c, state);

	if (number.n == 0) {
		out_field(&c->out, delta ? "Delta list" : "List", word_of(c, state));
		return;
	}
	out_field(
	    &c->out, delta ? "Delta list" : "List",
	    bytes_str(arena_printf(
		c->a, "%.*s: number %.*s of %.*s, good until %.*s, %.*s entries, %.*s octets",
		BYTES_FMT(word_of(c, state)), BYTES_FMT(number), BYTES_FMT(text_of(c, state, "this_update")),
		BYTES_FMT(text_of(c, state, "next_update")), BYTES_FMT(text_of(c, state, "entries")),
		BYTES_FMT(text_of(c, state, "octets")))));
	if (json_get(item, "partitions") != NULL && json_get(item, "partitions")->type == JSON_INT)
		out_field(&c->out, "Partitions built",
			  bytes_str(arena_printf(c->a, "%.*s of %.*s", BYTES_FMT(text_of(c, state, "lists")),
						 BYTES_FMT(text_of(c, item, "partitions")))));
}

static void
show_both(struct cli *c, const struct json *item)
{
	const struct json *delta = json_get(item, "delta");

	if (bytes_is(text_of(c, json_get(item, "complete"), "state"), "elsewhere"))
		return;
	show_one(c, item, false);
	out_field(&c->out, "Next list due", text_of(c, json_get(item, "complete"), "due_at"));
	if (delta != NULL && delta->type == JSON_OBJECT)
		show_one(c, item, true);
	if (failure_of(c, item).n > 0)
		out_field(&c->out, "Cannot be built", failure_of(c, item));
}

void
lists_show(struct cli *c, const char *kind, int64_t procedure)
{
	struct err why = { 0 };
	struct json *item;

	if (!c->out.json && ask(c, kind, procedure, &item, &why) == RC_OK)
		show_both(c, item);
}

/* ---- after a wish ---- */

static bool
is_wanted(const struct json *item, bool delta)
{
	const struct json *wanted = json_get(json_get(item, delta ? "delta" : "complete"), "wanted");

	return wanted != NULL && wanted->type == JSON_BOOL && wanted->boolean;
}

enum rc
lists_wait_check(struct cli *c, struct err *e)
{
	NEED(args_int(&c->args, "wait", 0) <= WAIT_MOST, e, CHY_CLI_USAGE, NULL, "--wait: at most %d",
	     WAIT_MOST);
	return RC_OK;
}

/* A failure may be one of before; the job tries again every second. */
static enum rc
wait_for(struct cli *c, const char *kind, int64_t procedure, bool delta, struct json **ret, struct err *e)
{
	int64_t seconds = args_int(&c->args, "wait", WAIT_SECONDS), from = clock_mono_us() / 1000, waited = 0;

	TRY(ask(c, kind, procedure, ret, e));
	while (is_wanted(*ret, delta) && waited < seconds * 1000) {
		NEED(waited < FAILS_AFTER_MS || failure_of(c, *ret).n == 0, e, CHY_CLI_NOT_BUILT, NULL,
		     "%.*s", BYTES_FMT(failure_of(c, *ret)));
		nanosleep(&(struct timespec){ .tv_nsec = BEAT_MS * 1000000L }, NULL);
		TRY(ask(c, kind, procedure, ret, e));
		waited = clock_mono_us() / 1000 - from;
	}
	return RC_OK;
}

enum rc
lists_built(struct cli *c, const char *kind, int64_t procedure, bool delta, struct json *answer,
	    struct err *e)
{
	struct json *item = NULL;
	enum rc rc = RC_OK;

	if (bytes_is(text_of(c, answer, "state"), "done"))
		rc = wait_for(c, kind, procedure, delta, &item, e);
	if (item != NULL)
		json_set(answer, "list", json_copy(c->a, json_get(item, delta ? "delta" : "complete")));
	flow_show_outcome(c, answer);
	if (item == NULL || c->out.json || c->out.quiet)
		return rc;
	if (is_wanted(item, delta))
		out_note(&c->out, "It is not built yet; how it stands tells: chancery %s list\n", kind);
	else
		show_one(c, item, delta);
	return rc;
}
